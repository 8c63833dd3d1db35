"""上架 Goods that came back: on their shelf again, or thrown away at once (C3, D3; rules.md 3)."""

from collections.abc import Iterable, Mapping

from application.streams import ORDER, STOCK
from application.unit import Unit
from domain.order_facts import Units
from domain.stock import StockReturned, stock_key


def shelve(unit: Unit, number: str, units: Iterable[Units]) -> None:
    """Units of an order can be sold again by the warehouse that sent them."""
    order = unit.read(ORDER, number)
    for one in units:
        part = order.part(one.part)
        assert part is not None  # goods come back to an order that they left
        key = stock_key(part.warehouse or "", order.line(one.line).sku)
        fact = StockReturned(order=number, part=one.part, quantity=one.quantity)
        unit.record(STOCK, key, [fact])


def scrap_returned(unit: Unit, broken: Mapping[str, int], *, warehouse: str, came_in: str) -> None:
    """Units by SKU that came back in a parcel and nobody can buy leave their shelf at once."""
    for sku, quantity in sorted(broken.items()):
        key = stock_key(warehouse, sku)
        facts = unit.read(STOCK, key).scrap(quantity, sku=sku, reason=f"came back in {came_in}")
        unit.record(STOCK, key, facts)
