"""误发 Parcels that carry cancelled units which nobody settled yet, order by order (W2; rule 5)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from psycopg import AsyncConnection

from application.envelope import Envelope
from application.streams import ORDER
from domain.entrusting import strays_in
from domain.order_facts import CancelledUnitsGivenUp, GoodsCameBack
from domain.orders import Order
from domain.release_facts import CancelledUnitsSent
from projections.open_rows import OpenRows, Rows, Statements
from projections.reading import compose


class Row(NamedTuple):
    """An order's cancelled units in a parcel."""

    order_number: str
    parcel: str
    since: datetime


class Strays(OpenRows):
    """One row an order and parcel, until its units are back or given up."""

    name = "strays"
    tables = ("strays",)
    telling = (CancelledUnitsSent, GoodsCameBack, CancelledUnitsGivenUp)
    row = Row
    statements = Statements(
        load="SELECT order_number, parcel, since FROM {strays} WHERE order_number = ANY(%b)",
        clear="DELETE FROM {strays} WHERE order_number = ANY(%b)",
        insert="""
            INSERT INTO {strays} (order_number, parcel, since)
            SELECT * FROM unnest(%b::text[], %b::text[], %b::timestamptz[])""",
    )

    def change(self, rows: Rows, one: Envelope) -> None:
        """Add what left, take away what was settled."""
        fact = one.fact
        if isinstance(fact, CancelledUnitsSent):
            rows.setdefault((one.key, fact.parcel), Row(one.key, fact.parcel, one.happened_at))
        elif isinstance(fact, GoodsCameBack | CancelledUnitsGivenUp):
            rows.pop((one.key, fact.parcel), None)


async def strays_of(
    connection: AsyncConnection[Any], schema: str, parcels: Sequence[str]
) -> dict[str, list[dict[str, Any]]]:
    """The cancelled units that each of these parcels carries, as lists show them."""
    query = compose(_OF_PARCELS, schema, ("strays", "orders"), "")
    cursor = await connection.execute(query, (list(parcels),), prepare=True)
    found: dict[str, list[dict[str, Any]]] = {}
    for parcel, number, folded in await cursor.fetchall():
        order = ORDER.states.validate_json(folded)
        units = strays_seen(order, parcel)
        found.setdefault(parcel, []).extend({"order": number, **one} for one in units)
    return found


def strays_seen(order: Order, parcel: str) -> list[Mapping[str, Any]]:
    """The cancelled units of an order that left in a parcel and were not settled, by item."""
    items: dict[str, dict[str, Any]] = {}
    for one in strays_in(order, parcel):
        line = order.line(one.line)
        item = items.setdefault(line.sku, {"sku": line.sku, "name": line.name, "quantity": 0})
        item["quantity"] += one.quantity
    return list(items.values())


_OF_PARCELS = """
SELECT s.parcel, s.order_number, o.folded
FROM {strays} s JOIN {orders} o ON o.number = s.order_number
WHERE s.parcel = ANY(%b::text[]) ORDER BY s.parcel, s.order_number
"""
