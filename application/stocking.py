"""商品与库存 The catalogue, the warehouses and what is on their shelves (C1–C3)."""

from typing import Any

from application.planning import planner_for
from application.redeeming import SEATS
from application.streams import ITEM, MALL, NETWORK, STOCK
from application.unit import Unit
from domain.catalogue import ItemUnknown, Kind, Terms
from domain.countries import is_abroad
from domain.house_rules import HouseRules
from domain.refusals import InvalidRequest
from domain.regions import province_named, region_named
from domain.stock import StockReceived, stock_key
from domain.warehouses import EVERYWHERE, NotStoredHere, Warehouse

NO_CUSTOMS_THERE = "a third party's warehouse hands over by itself and waits for no customs"
"""Why nothing goes abroad from there (T7)."""


def put_item(
    unit: Unit, *, sku: str, terms: Terms, on_sale: bool, rules: HouseRules
) -> dict[str, Any]:
    """List an item or revise its terms (C1)."""
    item = unit.read(ITEM, sku)
    dearest = planner_for(unit, rules=rules).dearest(terms) if terms.kind is Kind.PARCEL else None
    facts = item.list_or_revise(terms, on_sale=on_sale, rules=rules, dearest=dearest)
    after = unit.record(ITEM, sku, facts)
    return {"sku": sku, "on_sale": after.on_sale, "changed": bool(facts)}


def put_warehouse(unit: Unit, *, warehouse: Warehouse) -> dict[str, Any]:
    """Open a warehouse or revise its terms (C2)."""
    if province_named(warehouse.province) != warehouse.province:
        reason = f"{warehouse.province} is not a province's full name"
        raise InvalidRequest(field="province", reason=reason)
    serves = tuple([one if one == EVERYWHERE else region_named(one) for one in warehouse.serves])
    for name, region in zip(warehouse.serves, serves, strict=True):
        if region is None:
            reason = f"{name} is neither a province's full name nor a country's code"
            raise InvalidRequest(field="serves", reason=reason)
        if warehouse.third_party and is_abroad(region):
            raise InvalidRequest(field="serves", reason=NO_CUSTOMS_THERE)
    warehouse = warehouse.model_copy(update={"serves": serves})
    facts = unit.read(NETWORK, MALL).open_or_revise(warehouse)
    unit.record(NETWORK, MALL, facts)
    return {"code": warehouse.code, "changed": bool(facts)}


def receive_stock(
    unit: Unit, *, sku: str, warehouse: str, quantity: int, reference: str
) -> dict[str, Any]:
    """Take goods in (C3); the warehouse must be able to keep them (C2)."""
    check_kept(unit, sku=sku, warehouse=warehouse)
    fact = StockReceived(quantity=quantity, reference=reference)
    after = unit.record(STOCK, stock_key(warehouse, sku), [fact])
    return {"sku": sku, "warehouse": warehouse, "free": after.free}


def count_stock(
    unit: Unit, *, sku: str, warehouse: str, counted: int, source: str, reason: str
) -> dict[str, Any]:
    """Compare a count with the books; a difference becomes an adjustment with its reason (C3)."""
    check_kept(unit, sku=sku, warehouse=warehouse)
    key = stock_key(warehouse, sku)
    facts = unit.read(STOCK, key).count(counted, source=source, reason=reason)
    after = unit.record(STOCK, key, facts)
    return {"sku": sku, "warehouse": warehouse, "free": after.free, "changed": bool(facts)}


def scrap_stock(
    unit: Unit, *, sku: str, warehouse: str, quantity: int, reason: str
) -> dict[str, Any]:
    """Throw free units away (C3)."""
    key = stock_key(warehouse, sku)
    after = unit.record(STOCK, key, unit.read(STOCK, key).scrap(quantity, sku=sku, reason=reason))
    return {"sku": sku, "warehouse": warehouse, "free": after.free}


def transfer_stock(
    unit: Unit, *, sku: str, from_warehouse: str, to_warehouse: str, quantity: int, transfer: str
) -> dict[str, Any]:
    """Send free units to another warehouse; they are received there when they arrive (C3)."""
    if from_warehouse == to_warehouse:
        raise InvalidRequest(field="to_warehouse", reason="is where the units are")
    check_kept(unit, sku=sku, warehouse=to_warehouse)
    key = stock_key(from_warehouse, sku)
    facts = unit.read(STOCK, key).transfer_out(
        quantity, sku=sku, to_warehouse=to_warehouse, transfer=transfer
    )
    after = unit.record(STOCK, key, facts)
    return {"sku": sku, "warehouse": from_warehouse, "free": after.free, "transfer": transfer}


def check_kept(unit: Unit, *, sku: str, warehouse: str) -> None:
    """Raise unless the item is one that this warehouse can keep (C2)."""
    terms = unit.read(ITEM, sku).terms
    if terms is None:
        raise ItemUnknown(sku=sku)
    if warehouse == SEATS:
        if not terms.seat_quota:
            raise InvalidRequest(field="warehouse", reason=f"seats of {sku} are not counted")
        return
    if terms.kind is Kind.COURSE:
        raise InvalidRequest(
            field="warehouse", reason="courses are not stored: only counted seats are"
        )
    if not unit.read(NETWORK, MALL).named(warehouse).keeps(terms.storage_class):
        raise NotStoredHere(warehouse=warehouse, storage_class=terms.storage_class)
