"""委托视图 Parcels of third parties' warehouses: what is asked, what was told (W2)."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple, cast

from psycopg import AsyncConnection

from application.streams import CONSIGNMENT, INTERCEPT
from domain.consignments import (
    UNDER_WAY,
    Consignment,
    ConsignmentAsked,
    ConsignmentFact,
    ConsignmentTold,
)
from domain.intercepts import Intercept
from projections.intercepts import told_of
from projections.reading import Event, Tables, View, compose, named_rows
from projections.strays import strays_of


class Row(NamedTuple):
    """A parcel's row as the view keeps it; its orders as lines."""

    parcel: str
    warehouse: str
    orders: str
    state: str
    revision: int
    acknowledged: int
    waits: bool
    under_way: bool
    behind: bool
    reason: str
    asked_at: datetime
    revised_at: datetime
    told_at: datetime | None
    changed_at: datetime
    folded: bytes
    version: int
    position: int


class ConsignedParcels(View):
    """The domain's own fold of each parcel at a third party's."""

    name = "consignments"
    tables = ("consignments",)

    async def apply(self, events: Sequence[Event], tables: Tables) -> None:
        """Fold these events into the parcels they are about."""
        mine, known = self.mine(events, CONSIGNMENT.name)
        if not mine:
            return
        rows: dict[str, Row] = {}
        if known:
            rows = {row[0]: Row(*row) for row in await tables.rows(_LOAD, known)}
        for one in mine:
            fact, row = cast("ConsignmentFact", one.fact), rows.get(one.key)
            before = Consignment() if row is None else CONSIGNMENT.states.validate_json(row.folded)
            after = CONSIGNMENT.evolve(before, fact)
            at = one.happened_at
            asked = isinstance(fact, ConsignmentAsked)
            orders = dict.fromkeys(unit.order for unit in after.units)
            rows[one.key] = Row(
                parcel=one.key,
                warehouse=after.warehouse,
                orders="\n".join(orders) if orders or row is None else row.orders,
                state=after.state,
                revision=after.revision,
                acknowledged=after.acknowledged,
                waits=after.unanswered,
                under_way=not after.unanswered and after.step in UNDER_WAY,
                behind=after.behind,
                reason=fact.reason
                if isinstance(fact, ConsignmentAsked)
                else row.reason
                if row
                else "",
                asked_at=at if row is None else row.asked_at,
                revised_at=at if asked or row is None else row.revised_at,
                told_at=at if isinstance(fact, ConsignmentTold) else row.told_at if row else None,
                changed_at=at,
                folded=CONSIGNMENT.states.dump_json(after),
                version=one.version,
                position=one.position,
            )
        await tables.unnest(_SAVE, list(rows.values()))


async def consignments(
    connection: AsyncConnection[Any],
    schema: str,
    *,
    closed: bool,
    after: tuple[datetime, str] | None,
    limit: int,
) -> list[dict[str, Any]]:
    """Parcels that third parties have to send, or all, the longest first, after a cursor.

    Those that left with cancelled units are listed until these are settled (rules.md 5).
    """
    at, parcel = after or (None, None)
    query = compose(_LISTED, schema, _TABLES, "")
    rows = await named_rows(connection, query, closed, at, at, parcel, limit)
    strays = await strays_of(connection, schema, [row["parcel"] for row in rows])
    states: list[Consignment] = [
        CONSIGNMENT.states.validate_json(row.pop("folded")) for row in rows
    ]
    skus = {unit.sku for state in states for unit in state.units}
    named = dict(await _named(connection, schema, skus))
    for row, state in zip(rows, states, strict=True):
        stopped = row.pop("stopped")
        one = INTERCEPT.states.validate_json(stopped) if stopped else Intercept()
        row["strays"] = strays.get(row["parcel"], [])
        row["intercept"] = told_of(one)
        row["settle"] = bool(row["strays"]) and not one.coming
        row["units"] = [
            {
                "order": unit.order,
                "part": unit.part,
                "sku": unit.sku,
                "name": named.get(unit.sku, unit.sku),
                "quantity": unit.quantity,
            }
            for unit in state.units
        ]
        row["held"] = state.held
        row["step"] = state.step
        row["refusal"] = {"code": state.code, "words": state.words} if state.refused_now else None
        row["ask_again"] = not state.over and (state.unanswered or state.refused_now)
    return rows


async def _named(
    connection: AsyncConnection[Any], schema: str, skus: Collection[str]
) -> list[tuple[str, str]]:
    query = compose("SELECT sku, name FROM {items} WHERE sku = ANY(%b)", schema, ("items",), "")
    return await (await connection.execute(query, (list(skus),), prepare=True)).fetchall()


async def stuck_consignments(
    connection: AsyncConnection[Any], schema: str, *, tries: int, before: datetime, limit: int
) -> list[dict[str, Any]]:
    """What somebody has to see to, oldest first (M5; W2).

    Wishes that were asked so often, or so long ago, without an answer; those that were refused;
    and what was told so long ago and could not be carried out.
    """
    query = compose(_STUCK, schema, ("consignments", "open_calls", "parcels"), "")
    rows = await named_rows(connection, query, tries=tries, before=before, limit=limit)
    for row in rows:
        state: Consignment = CONSIGNMENT.states.validate_json(row.pop("folded"))
        if state.refused_now:
            row["cause"] = f"{state.code}: {state.words}".rstrip(": ")
    return rows


_TABLES = ("consignments", "open_calls", "parcels", "intercepts", "strays")
_COLUMNS = """parcel, warehouse, orders, state, revision, acknowledged, waits, under_way, behind,
    reason, asked_at, revised_at, told_at, changed_at, folded, version, position"""
_LOAD = """
SELECT parcel, warehouse, array_to_string(orders, E'\\n'), state, revision, acknowledged, waits,
    under_way, behind, reason, asked_at, revised_at, told_at, changed_at, folded, version, position
FROM {consignments} WHERE parcel = ANY(%b)
"""
# unnest takes no array of arrays: the orders of a parcel come as lines.
_SAVE = f"""
INSERT INTO {{consignments}} ({_COLUMNS})
SELECT parcel, warehouse, string_to_array(orders, E'\\n'), state, revision, acknowledged, waits,
    under_way, behind, reason, asked_at, revised_at, told_at, changed_at, folded, version, position
FROM unnest(%b::text[], %b::text[], %b::text[], %b::text[], %b::bigint[], %b::bigint[],
    %b::boolean[], %b::boolean[], %b::boolean[], %b::text[], %b::timestamptz[], %b::timestamptz[],
    %b::timestamptz[], %b::timestamptz[], %b::bytea[], %b::bigint[], %b::bigint[])
    AS c({_COLUMNS})
ON CONFLICT (parcel) DO UPDATE SET warehouse = excluded.warehouse, orders = excluded.orders,
    state = excluded.state, revision = excluded.revision, acknowledged = excluded.acknowledged,
    waits = excluded.waits, under_way = excluded.under_way, behind = excluded.behind,
    reason = excluded.reason, asked_at = excluded.asked_at, revised_at = excluded.revised_at,
    told_at = excluded.told_at, changed_at = excluded.changed_at, folded = excluded.folded,
    version = excluded.version, position = excluded.position
"""
_LISTED = """
SELECT c.parcel, c.warehouse, c.orders, c.state, c.revision, c.acknowledged, c.behind, c.reason,
    c.asked_at, c.revised_at, c.told_at, c.folded, p.stage, p.hand_over_by, p.carrier, p.waybill,
    coalesce(k.tries, 0) AS tries, k.next_at, k.cause, i.folded AS stopped
FROM {consignments} c JOIN {parcels} p ON p.number = c.parcel
LEFT JOIN {intercepts} i ON i.parcel = c.parcel
LEFT JOIN {open_calls} k ON k.phase = 'push' AND k.what = c.parcel || '/' || c.revision
    AND c.waits
WHERE (%b::boolean OR p.stage NOT IN ('handed_over', 'dissolved') OR c.behind
       OR EXISTS (SELECT FROM {strays} s WHERE s.parcel = c.parcel))
  AND (%b::timestamptz IS NULL OR (c.asked_at, c.parcel) > (%b::timestamptz, %b::text))
ORDER BY c.asked_at, c.parcel LIMIT %b
"""
_STUCK = """
SELECT c.parcel, c.warehouse, c.orders, c.state, c.folded, coalesce(k.tries, 0) AS tries, k.cause,
    CASE WHEN c.waits THEN c.revised_at ELSE c.told_at END AS since
FROM {consignments} c JOIN {parcels} p ON p.number = c.parcel
LEFT JOIN {open_calls} k ON k.phase = 'push' AND k.what = c.parcel || '/' || c.revision
WHERE p.stage NOT IN ('handed_over', 'dissolved') AND (
    c.waits AND (k.tries >= %(tries)s OR c.revised_at < %(before)s)
    OR c.state = 'refused' OR c.behind AND c.told_at < %(before)s)
ORDER BY since, c.parcel LIMIT %(limit)s
"""
