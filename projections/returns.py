"""退货视图 Returns as they stand, and the queues of them by state, deadline and learner (D3)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, LiteralString, NamedTuple, cast

from psycopg import AsyncConnection

from application.streams import RETURN
from domain.return_facts import ReturnFact
from domain.returns import OPEN, Return, ReturnState
from projections.reading import Event, Tables, View, compose


class _Row:
    """A return's row while a batch is folded into it."""

    __slots__ = ("folded", "moved_at", "opened_at", "position", "version")

    def __init__(self, opened_at: datetime) -> None:
        self.folded = Return()
        self.opened_at = self.moved_at = opened_at
        self.version = self.position = 0

    def values(self, name: str) -> tuple[Any, ...]:
        """The row as it is saved."""
        one = self.folded
        waits = one.state is ReturnState.AWAITING_GOODS
        return (
            name, one.order, one.learner, one.remedy, one.reason, one.state, one.warehouse,
            self.opened_at, self.moved_at, one.send_by if waits else None,
            RETURN.states.dump_json(one), self.version, self.position,
        )  # fmt: skip


class Returns(View):
    """The domain's own fold of each return."""

    name = "returns"
    tables = ("returns",)

    async def apply(self, events: Sequence[Event], tables: Tables) -> None:
        """Fold these events into the returns they belong to."""
        mine, known = self.mine(events, RETURN.name)
        if not mine:
            return
        rows: dict[str, _Row] = {}
        if known:
            for name, opened_at, moved_at, folded in await tables.rows(_LOAD, known):
                row = rows[name] = _Row(opened_at)
                row.moved_at = moved_at
                row.folded = RETURN.states.validate_json(folded)
        for one in mine:
            row = rows.setdefault(one.key, _Row(one.happened_at))
            before = row.folded.state
            row.folded = RETURN.evolve(row.folded, cast("ReturnFact", one.fact))
            if row.folded.state is not before:
                row.moved_at = one.happened_at
            row.version, row.position = one.version, one.position
        await tables.unnest(_SAVE, [row.values(name) for name, row in rows.items()])


class ReturnRow(NamedTuple):
    """A return as the view keeps it."""

    id: str
    order_number: str
    learner: str
    remedy: str
    reason: str
    state: str
    warehouse: str | None
    opened_at: datetime
    moved_at: datetime
    send_by: datetime | None
    version: int
    position: int
    folded: bytes

    @property
    def back(self) -> Return:
        """The domain's own fold of the return."""
        return RETURN.states.validate_json(self.folded)

    def summary(self) -> dict[str, Any]:
        """The return as lists show it."""
        shown = self._asdict()
        for hidden in ("folded", "version", "position", "order_number"):
            del shown[hidden]
        return {**shown, "order": self.order_number}


class Wanted(NamedTuple):
    """Which returns a list is of."""

    live: bool = False
    """True: still to be settled, the longest in its state first; else newest first."""
    state: str | None = None
    learner: str | None = None
    order: str | None = None
    warehouse: str | None = None


async def returns(
    connection: AsyncConnection[Any],
    schema: str,
    wanted: Wanted,
    *,
    after: tuple[datetime, str] | None,
    limit: int,
) -> list[ReturnRow]:
    """A page of returns after a cursor."""
    at, name = after or (None, None)
    values = {
        **wanted._asdict(), "open": [*OPEN], "at": at, "name": name, "limit": limit,
    }  # fmt: skip
    return await _rows(connection, schema, _BY_AGE if wanted.live else _BY_OPENING, values)


async def idle_returns(
    connection: AsyncConnection[Any], schema: str, *, before: datetime, now: datetime
) -> list[ReturnRow]:
    """Returns that have waited for somebody of the house since before a moment, longest first.

    And those whose goods are under way beyond their time, or lost: somebody has to decide (D3).
    """
    states = [ReturnState.TO_INSPECT, ReturnState.REQUESTED]
    values = {"states": states, "before": before, "now": now, "missed": ReturnState.UNDER_WAY}
    return await _rows(connection, schema, _IDLE, values)


async def return_row(connection: AsyncConnection[Any], schema: str, name: str) -> ReturnRow | None:
    """The return with this id."""
    rows = await _rows(connection, schema, _ONE, {"name": name})
    return rows[0] if rows else None


async def _rows(
    connection: AsyncConnection[Any], schema: str, text: LiteralString, values: dict[str, Any]
) -> list[ReturnRow]:
    query = compose(text, schema, (*Returns.tables, "parcels"), "")
    cursor = await connection.execute(query, values, prepare=True)
    return [ReturnRow(*row) for row in await cursor.fetchall()]


_LOAD = "SELECT id, opened_at, moved_at, folded FROM {returns} WHERE id = ANY(%b)"
_SAVE = """
INSERT INTO {returns} (id, order_number, learner, remedy, reason, state, warehouse, opened_at,
    moved_at, send_by, folded, version, position)
SELECT * FROM unnest(%b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::text[],
    %b::text[], %b::timestamptz[], %b::timestamptz[], %b::timestamptz[], %b::bytea[],
    %b::bigint[], %b::bigint[])
ON CONFLICT (id) DO UPDATE SET state = excluded.state, moved_at = excluded.moved_at,
    send_by = excluded.send_by, folded = excluded.folded, version = excluded.version,
    position = excluded.position
"""
_FIELDS: LiteralString = """
SELECT id, order_number, learner, remedy, reason, state, warehouse, opened_at, moved_at, send_by,
    version, position, folded
FROM {returns}
"""
_CHOSEN: LiteralString = """
WHERE (%(state)s::text IS NULL OR state = %(state)s::text)
  AND (%(learner)s::text IS NULL OR learner = %(learner)s::text)
  AND (%(order)s::text IS NULL OR order_number = %(order)s::text)
  AND (%(warehouse)s::text IS NULL OR warehouse = %(warehouse)s::text)
"""
_BY_AGE: LiteralString = f"""
{_FIELDS} {_CHOSEN} AND state = ANY(%(open)s::text[])
  AND (%(at)s::timestamptz IS NULL OR (moved_at, id) > (%(at)s::timestamptz, %(name)s::text))
ORDER BY moved_at, id LIMIT %(limit)s
"""
_BY_OPENING: LiteralString = f"""
{_FIELDS} {_CHOSEN}
  AND (%(at)s::timestamptz IS NULL OR (opened_at, id) < (%(at)s::timestamptz, %(name)s::text))
ORDER BY opened_at DESC, id DESC LIMIT %(limit)s
"""
_IDLE: LiteralString = f"""
{_FIELDS} r WHERE state = ANY(%(states)s::text[]) AND moved_at < %(before)s::timestamptz
   OR state = %(missed)s::text AND (
       (convert_from(folded, 'UTF8')::jsonb ->> 'arrive_by')::timestamptz < %(now)s::timestamptz
       OR EXISTS (SELECT FROM {{parcels}} p WHERE p.number = r.id AND p.state = 'lost'))
ORDER BY moved_at, id LIMIT 200
"""
_ONE: LiteralString = f"{_FIELDS} WHERE id = %(name)s"
