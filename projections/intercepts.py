"""拦截视图 Parcels that are called back or sent elsewhere, and how far that is (O8)."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, cast

from psycopg import AsyncConnection

from application.sent_again import is_sent_again, return_of
from application.streams import DISPUTE, INTERCEPT, ORDER, PARCEL, RETURN
from domain.disputes import Dispute
from domain.intercept_facts import InterceptAsked, InterceptFact, ParcelTurnedBack
from domain.intercepts import BY_PHONE, UNSTOPPED, Intercept
from domain.order_facts import Units
from domain.orders import Order
from domain.parcels import Parcel
from domain.replacing import still_due
from domain.returns import refused
from domain.sent_again import due_of
from projections.reading import Event, Tables, View, compose, named_rows


class Row(NamedTuple):
    """A parcel's row as the view keeps it; its orders as lines."""

    parcel: str
    orders: str
    carrier: str
    waybill: str
    way: str
    card: str | None
    state: str
    reason: str
    asked_at: datetime
    answer_by: datetime
    changed_at: datetime
    folded: bytes
    version: int
    position: int


class Intercepts(View):
    """The domain's own fold of each parcel's requests."""

    name = "intercepts"
    tables = ("intercepts",)

    async def apply(self, events: Sequence[Event], tables: Tables) -> None:
        """Fold these events into the parcels they are about."""
        mine, known = self.mine(events, INTERCEPT.name)
        if not mine:
            return
        rows: dict[str, Row] = {}
        if known:
            rows = {row[0]: Row(*row) for row in await tables.rows(_LOAD, known)}
        for one in mine:
            fact, row = cast("InterceptFact", one.fact), rows.get(one.key)
            before = Intercept() if row is None else INTERCEPT.states.validate_json(row.folded)
            after = INTERCEPT.evolve(before, fact)
            folded = INTERCEPT.states.dump_json(after)
            if isinstance(fact, ParcelTurnedBack):
                row = Row(
                    one.key, "\n".join(fact.orders), fact.carrier, fact.waybill, after.way, None,
                    "", "", one.happened_at, one.happened_at, one.happened_at, folded,
                    one.version, one.position,
                )  # fmt: skip
            elif isinstance(fact, InterceptAsked):
                where = fact.destination
                row = Row(
                    one.key, "\n".join(fact.orders), fact.carrier, fact.waybill, fact.way,
                    where.card if where else None, "", fact.reason, one.happened_at,
                    fact.answer_by, one.happened_at, folded, one.version, one.position,
                )  # fmt: skip
            assert row is not None  # its stream begins with a request or a turn
            rows[one.key] = row._replace(
                state=after.state or "",
                answer_by=after.answer_by or row.answer_by,
                changed_at=one.happened_at,
                folded=folded,
                version=one.version,
                position=one.position,
            )
        await tables.unnest(_SAVE, list(rows.values()))


async def intercepts(
    connection: AsyncConnection[Any],
    schema: str,
    *,
    closed: bool,
    after: tuple[datetime, str] | None,
    limit: int,
) -> list[dict[str, Any]]:
    """Requests that somebody waits for, or all, the longest first, after a cursor."""
    at, parcel = after or (None, None)
    query = compose(_LISTED, schema, ("intercepts", "parcels"), "")
    rows = await named_rows(connection, query, closed, at, at, parcel, limit)
    return await _whole(connection, schema, rows)


async def unstopped_arrivals(
    connection: AsyncConnection[Any], schema: str, *, limit: int
) -> list[dict[str, Any]]:
    """Parcels that were delivered though nothing in them was due any more, and nobody gave up (D2).

    Not those whose claim is open, which `delivered_claims` lists, or was written off.
    """
    query = compose(_ARRIVED, schema, ("intercepts", "parcels", "claims"), "")
    found = await named_rows(connection, query, sorted(UNSTOPPED), limit)
    return [row for row in await _whole(connection, schema, found) if row["paid_back"]]


async def _whole(
    connection: AsyncConnection[Any], schema: str, rows: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Rows with what is in their parcels, and what can be done about them."""
    boxes: list[Parcel] = [PARCEL.states.validate_json(row.pop("box")) for row in rows]
    orders = await _orders(connection, schema, {one for box in boxes for one in box.orders})
    again = {made.number for one in orders.values() for made in one.replacements}
    orders |= await _orders(connection, schema, again)
    returned, cases = await _sent_again(connection, schema, [row["parcel"] for row in rows])
    for row, box in zip(rows, boxes, strict=True):
        asked: Intercept = INTERCEPT.states.validate_json(row.pop("folded"))
        row["refusal"] = None if asked.code in ("", BY_PHONE) else f"{asked.code} {asked.words}"
        row["ask_again"] = asked.may_be_asked_again(box.track())
        row["give_up"] = asked.state in UNSTOPPED
        row.update(_goods(row["parcel"], box, asked, orders, returned, cases))
    return rows


async def _orders(
    connection: AsyncConnection[Any], schema: str, numbers: Collection[str]
) -> dict[str, Order]:
    query = compose(_ORDERS, schema, ("orders",), "")
    cursor = await connection.execute(query, (list(numbers),), prepare=True)
    return {
        number: ORDER.states.validate_json(folded) for number, folded in await cursor.fetchall()
    }


async def _sent_again(
    connection: AsyncConnection[Any], schema: str, parcels: Sequence[str]
) -> tuple[dict[str, tuple[Units, ...]], dict[str, Dispute]]:
    """Goods of returns that were refused, by their parcel here, and the cases about it (D3)."""
    names = {one: return_of(one) for one in parcels if is_sent_again(one)}
    if not names:
        return {}, {}
    cursor = await connection.execute(
        compose(_RETURNS, schema, ("returns",), ""), (list(names.values()),), prepare=True
    )
    backs = {
        name: refused(RETURN.states.validate_json(folded).goods)
        for name, folded in await cursor.fetchall()
    }
    goods = {parcel: backs[name] for parcel, name in names.items()}
    cursor = await connection.execute(
        compose(_CASES, schema, ("disputes",), ""), (list(goods),), prepare=True
    )
    cases: list[Dispute] = [DISPUTE.states.validate_json(row[0]) for row in await cursor.fetchall()]
    return goods, {one.parcel: one for one in cases}


def _goods(
    parcel: str,
    box: Parcel,
    asked: Intercept,
    orders: Mapping[str, Order],
    sent_again: Mapping[str, Sequence[Units]],
    cases: Mapping[str, Dispute],
) -> dict[str, Any]:
    """What is to come back in a parcel, and whether nothing of it is still to be paid back."""
    found: dict[str, dict[str, Any]] = {}
    due = False
    again = None if parcel not in sent_again else box.goods or sent_again[parcel]
    for number in box.orders:
        order, case = orders[number], cases.get(parcel, Dispute())
        mine = {one.part for one in box.carries if one.order == number}
        wanted = (
            still_due(order, orders, mine)
            if again is None
            else due_of(again, order, orders, case=case, asked=asked)
        )
        due = due or bool(wanted)
        for one in order.units_out(mine) if again is None else again:
            line = order.line(one.line)
            item = found.setdefault(line.sku, {"sku": line.sku, "name": line.name, "quantity": 0})
            item["quantity"] += one.quantity
    return {"goods": list(found.values()), "paid_back": not due}


async def intercepts_of(
    connection: AsyncConnection[Any], schema: str, order: str
) -> dict[str, Intercept]:
    """What is asked about each parcel of an order."""
    query = compose(_OF_ORDER, schema, Intercepts.tables, "")
    cursor = await connection.execute(query, ([order],), prepare=True)
    return {
        parcel: INTERCEPT.states.validate_json(folded) for parcel, folded in await cursor.fetchall()
    }


def told_of(one: Intercept) -> dict[str, Any] | None:
    """What a parcel's carrier was asked last, as answers show it; None: nothing."""
    if not one.state:
        return None
    return {"way": one.way, "state": one.state, "answer_by": one.answer_by}


_COLUMNS = """parcel, orders, carrier, waybill, way, card, state, reason, asked_at, answer_by,
    changed_at, folded, version, position"""
_LOAD = """
SELECT parcel, array_to_string(orders, E'\\n'), carrier, waybill, way, card, state, reason,
    asked_at, answer_by, changed_at, folded, version, position
FROM {intercepts} WHERE parcel = ANY(%b)
"""
# unnest takes no array of arrays: the orders of a parcel come as lines.
_SAVE = f"""
INSERT INTO {{intercepts}} ({_COLUMNS})
SELECT parcel, string_to_array(orders, E'\\n'), carrier, waybill, way, card, state, reason,
    asked_at, answer_by, changed_at, folded, version, position
FROM unnest(%b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::text[],
    %b::text[], %b::timestamptz[], %b::timestamptz[], %b::timestamptz[], %b::bytea[],
    %b::bigint[], %b::bigint[]) AS i({_COLUMNS})
ON CONFLICT (parcel) DO UPDATE SET orders = excluded.orders, carrier = excluded.carrier,
    waybill = excluded.waybill, way = excluded.way, card = excluded.card, state = excluded.state,
    reason = excluded.reason, asked_at = excluded.asked_at, answer_by = excluded.answer_by,
    changed_at = excluded.changed_at, folded = excluded.folded, version = excluded.version,
    position = excluded.position
"""
_LISTED = """
SELECT i.parcel, i.orders, i.carrier, i.waybill, i.way, i.state, i.reason, i.asked_at, i.answer_by,
    i.folded, p.state AS parcel_state, p.folded AS box
FROM {intercepts} i JOIN {parcels} p ON p.number = i.parcel
WHERE (%b::boolean OR i.state IN ('asked', 'taken', 'refused', 'failed', 'timed_out', 'lies_here')
       OR i.state = 'done' AND i.way = 'return' OR i.state = 'turned_back' AND p.state <> 'signed')
  AND (%b::timestamptz IS NULL OR (i.asked_at, i.parcel) > (%b::timestamptz, %b::text))
ORDER BY i.asked_at, i.parcel LIMIT %b
"""
_ARRIVED = """
SELECT i.parcel, i.orders, i.carrier, i.waybill, i.way, i.state, i.reason, i.asked_at, i.answer_by,
    i.folded, p.state AS parcel_state, p.since, p.folded AS box
FROM {intercepts} i JOIN {parcels} p ON p.number = i.parcel AND p.state = 'signed'
WHERE i.state = ANY(%b::text[]) AND i.way = 'return' AND NOT EXISTS (
    SELECT FROM {claims} c WHERE c.parcel = i.parcel AND c.state <> 'paid')
ORDER BY i.changed_at, i.parcel LIMIT %b
"""
_ORDERS = "SELECT number, folded FROM {orders} WHERE number = ANY(%b::text[])"
_RETURNS = "SELECT id, folded FROM {returns} WHERE id = ANY(%b::text[])"
_CASES = "SELECT folded FROM {disputes} WHERE parcel = ANY(%b::text[])"
_OF_ORDER = "SELECT parcel, folded FROM {intercepts} WHERE orders @> %b::text[]"
