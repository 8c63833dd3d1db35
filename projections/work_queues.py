"""作业队列 What waits for somebody in the house: reviews and parcels to be sent (O7, W1)."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from psycopg import AsyncConnection

from application.streams import ORDER, PARCEL
from domain.orders import Order
from domain.parcels import Parcel
from domain.parts import Part
from projections.reading import compose, named_rows

NO_DEADLINE = datetime(9000, 1, 1, tzinfo=UTC)
"""Where parcels without one stand in lists by deadline: those packed past every wave."""
_TABLES = ("orders", "parcels")


async def reviews(
    connection: AsyncConnection[Any],
    schema: str,
    *,
    after: tuple[datetime, str] | None,
    limit: int,
) -> list[dict[str, Any]]:
    """Orders that wait for a human, longest first, after a cursor (O7)."""
    at, number = after or (None, None)
    rows = await _dicts(connection, schema, _REVIEWS, at, at, number, limit)
    for row in rows:
        order: Order = ORDER.states.validate_json(row.pop("folded"))
        row["doubts"] = list(order.doubts)
        row["lines"] = [
            {"sku": line.sku, "name": line.name, "quantity": left}
            for line in order.lines
            if (left := order.live_units(line.line))
        ]
        row["province"] = order.destination.region if order.destination else None
        row["country"] = order.destination.country if order.destination else None
    return rows


async def parcels(
    connection: AsyncConnection[Any],
    schema: str,
    *,
    warehouse: str | None = None,
    stage: str | None = None,
    pick_list: str | None = None,
    shared: bool = False,
    late_at: datetime | None = None,
    after: tuple[datetime, str] | None = None,
    limit: int,
) -> list[dict[str, Any]]:
    """Parcels that are still in a warehouse, soonest due first, with what is in them (W1).

    With `late_at`, those alone whose deadline is over by then; with `shared`, those alone that
    several orders travel in (S4).
    """
    rows = await named_rows(
        connection, compose(_PARCELS, schema, _TABLES, ""),
        warehouse=warehouse, stage=stage, pick_list=pick_list, shared=shared, late_at=late_at,
        at=after[0] if after else None, number=after[1] if after else None, limit=limit,
    )  # fmt: skip
    orders = await folded_orders(connection, schema, {one for row in rows for one in row["orders"]})
    for row in rows:
        found: Parcel = PARCEL.states.validate_json(row.pop("folded"))
        live = list(live_parts(row["number"], found, orders))
        row["units"] = [unit for one in live for unit in _units(*one)]
        row["label"] = _label(found)
        row["customs"] = found.declaration.standing
        row["in_review"] = any(order.review for _, order, _ in live)
        row["address_pending"] = any(part.address_pending for _, _, part in live)
    return rows


async def pick_lists(
    connection: AsyncConnection[Any], schema: str, *, warehouse: str | None
) -> list[dict[str, Any]]:
    """Pick lists with parcels that were not picked yet, soonest due first (W1)."""
    return await _dicts(connection, schema, _PICK_LISTS, warehouse, warehouse)


async def to_pick(
    connection: AsyncConnection[Any], schema: str, *, warehouse: str, limit: int
) -> list[str]:
    """Parcels of a warehouse that nobody picks yet, soonest deadline first."""
    rows = await _dicts(connection, schema, _TO_PICK, warehouse, limit)
    return [row["number"] for row in rows]


async def to_put_back(
    connection: AsyncConnection[Any],
    schema: str,
    *,
    warehouse: str | None,
    limit: int,
) -> list[dict[str, Any]]:
    """Parcels with units that are to be sent no more, the longest first (W1; rules.md 5)."""
    rows = await _dicts(connection, schema, _TO_PUT_BACK, warehouse, warehouse, limit)
    found = [(row, PARCEL.states.validate_json(row.pop("folded"))) for row in rows]
    numbers = {one.order for _, box in found for one in box.to_put_back}
    orders = await folded_orders(connection, schema, numbers)
    for row, box in found:
        row["reopen"] = box.to_reopen and not box.dissolved
        row["units"] = [
            {
                "order": one.order,
                "part": one.part,
                "sku": line.sku,
                "name": line.name,
                "specification": line.specification,
                "quantity": one.quantity,
            }
            for one in box.to_put_back
            if one.order in orders  # the orders' view may be behind
            for line in [orders[one.order].line(one.line)]
        ]
    return rows


async def parcel(
    connection: AsyncConnection[Any], schema: str, number: str
) -> tuple[Parcel, int] | None:
    """A parcel as it stands, and the position it was folded to."""
    rows = await _dicts(connection, schema, _PARCEL, number)
    if not rows:
        return None
    return PARCEL.states.validate_json(rows[0]["folded"]), rows[0]["position"]


async def folded_orders(
    connection: AsyncConnection[Any], schema: str, numbers: Iterable[str]
) -> dict[str, Order]:
    """Orders as the views know them, by number."""
    rows = await _dicts(connection, schema, _FOLDED, list(numbers))
    return {row["number"]: ORDER.states.validate_json(row["folded"]) for row in rows}


def live_parts(
    number: str, parcel: Parcel, orders: dict[str, Order]
) -> Iterable[tuple[str, Order, Part]]:
    """What of a parcel is still to be sent in it, as the views know it."""
    for content in parcel.contents:
        order = orders.get(content.order)
        part = None if order is None else order.part(content.part)
        here = part and part.live and (parcel.goods or number in (part.parcel, part.planned))
        if order and part and here and (carried := parcel.carried(part)).live:
            yield content.order, order, carried


def _label(parcel: Parcel) -> dict[str, Any] | None:
    if not parcel.labels.all:
        return None
    one = parcel.labels.all[-1]
    why = f"{one.code}: {one.words}" if one.code else ""
    return {"label": one.name, "state": one.state, "carrier": one.carrier, "why": why}


def _units(number: str, order: Order, part: Part) -> Iterable[dict[str, Any]]:
    for unit in part.units:
        line = order.line(unit.line)
        yield {
            "order": number,
            "part": part.number,
            "sku": line.sku,
            "name": line.name,
            "specification": line.specification,
            "quantity": unit.quantity,
        }


async def parcels_of(
    connection: AsyncConnection[Any], schema: str, waybills: Sequence[str]
) -> dict[str, str]:
    """The parcels with these waybills, by waybill; an unpacked one if no other has it (T1, T6)."""
    rows = await _dicts(connection, schema, _BY_WAYBILL, list(waybills))
    return {row["waybill"]: row["number"] for row in rows}


async def _dicts(
    connection: AsyncConnection[Any], schema: str, text: Any, *values: object
) -> list[dict[str, Any]]:
    query = compose(text, schema, _TABLES, "")
    return await named_rows(connection, query, *values)


_REVIEWS = """
SELECT number, learner, review_since AS since, string_to_array(review, ',') AS reasons,
    placed_at, promised_by, points, cash_fen, folded
FROM {orders} WHERE review IS NOT NULL
  AND (%b::timestamptz IS NULL OR (review_since, number) > (%b::timestamptz, %b::text))
ORDER BY review_since, number LIMIT %b
"""
_PARCELS = """
SELECT number, warehouse, stage, wave, hand_over_by, carrier, waybill, orders, folded,
    CASE WHEN pick_list NOT LIKE 'third-party:%%' THEN pick_list END AS pick_list
FROM {parcels} WHERE stage NOT IN ('handed_over', 'dissolved', 'awaited')
  AND (%(warehouse)s::text IS NULL OR warehouse = %(warehouse)s)
  AND (%(stage)s::text IS NULL OR stage = %(stage)s)
  AND (%(pick_list)s::text IS NULL OR pick_list = %(pick_list)s)
  AND (NOT %(shared)s::boolean OR cardinality(orders) > 1)
  AND (%(late_at)s::timestamptz IS NULL OR hand_over_by < %(late_at)s)
  AND (%(at)s::timestamptz IS NULL
       OR (coalesce(hand_over_by, '9000-01-01 00:00+00'::timestamptz), number)
        > (%(at)s::timestamptz, %(number)s::text))
ORDER BY coalesce(hand_over_by, '9000-01-01 00:00+00'::timestamptz), number LIMIT %(limit)s
"""
_PICK_LISTS = """
SELECT pick_list, warehouse, min(hand_over_by) AS hand_over_by, count(*) AS parcels,
    count(*) FILTER (WHERE stage = 'picking') AS to_pick
FROM {parcels}
WHERE pick_list NOT LIKE 'third-party:%%' AND stage NOT IN ('handed_over', 'dissolved')
  AND (%b::text IS NULL OR warehouse = %b)
GROUP BY pick_list, warehouse HAVING count(*) FILTER (WHERE stage = 'picking') > 0
ORDER BY min(hand_over_by), pick_list
"""
_FOLDED = "SELECT number, folded FROM {orders} WHERE number = ANY(%b)"
_TO_PICK = """
SELECT number FROM {parcels} WHERE warehouse = %b AND stage = 'planned'
ORDER BY hand_over_by, number LIMIT %b
"""
_TO_PUT_BACK = """
SELECT number, warehouse, stage, carrier, waybill, put_back_since AS since, folded
FROM {parcels} WHERE put_back_since IS NOT NULL AND (%b::text IS NULL OR warehouse = %b)
ORDER BY put_back_since, number LIMIT %b
"""
_PARCEL = "SELECT folded, position FROM {parcels} WHERE number = %b"
_BY_WAYBILL = """
SELECT DISTINCT ON (waybill) waybill, number FROM {parcels}
WHERE waybill = ANY(%b) ORDER BY waybill, state = 'dissolved', position DESC
"""
