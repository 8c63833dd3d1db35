"""漂移 Do the views still say what the log says? Asked again and again, a little at a time (M5).

`tallypost verify` compares everything, as the schema's owner, and takes as long as the log is
long. This is the night watch: a page of streams a run, folded anew into temporary tables and
compared row by row with the live ones, in one snapshot; the next run goes on where this one
ended. What differs is kept by its key until a later round finds it mended (`tallypost rebuild`).

A row that belongs to no stream at all is found by `verify` alone, and so is the log's own tree.
"""

import logging
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, LiteralString, NamedTuple

from psycopg import AsyncConnection
from psycopg.sql import SQL, Composed, Identifier

from application.envelope import UnknownFact, decode
from application.house import OUTAGES, House
from application.streams import BOOKS, MALL
from projections.reading import Event, Tables, View, compose

logger = logging.getLogger(__name__)

STREAMS_MAX = 200
"""Streams compared in one run."""
EVENTS_MAX = 5_000
"""Events folded in one run; a stream that is longer has a run for itself."""
STREAM_EVENTS_MAX = 50_000
"""A longer stream would keep one snapshot open for too long: `verify` is for it."""
BATCH_EVENTS = 1_000
"""Events folded before the loop looks after the others."""
TOLD_MAX = 200
"""Rows told of one table in one run."""
SUFFIX = "__drift"

BELONGS: Mapping[str, tuple[str, LiteralString]] = {
    "orders": ("order", "number"),
    "order_periods": ("order", "number"),
    "cash_refunds": ("order", "order_number"),
    "waiting_units": ("order", "order_number"),
    "strays": ("order", "order_number"),
    "parcels": ("parcel", "number"),
    "labels": ("parcel", "parcel"),
    "declarations": ("parcel", "parcel"),
    "intercepts": ("intercept", "parcel"),
    "consignments": ("consignment", "parcel"),
    "journeys": ("parcel", "parcel"),
    "estimates": ("parcel", "parcel"),
    "oddities": ("parcel", "parcel"),
    "ledger_entries": ("account", "learner"),
    "balances": ("account", "learner"),
    "lots": ("account", "learner"),
    "items": ("item", "sku"),
    "stock_levels": ("stock", "warehouse || ':' || sku"),
    "transfers": ("stock", "warehouse || ':' || sku"),
    "stock_differences": ("stocktake", "warehouse"),
    "warehouses": ("network", "'mall'"),
    "approvals": ("approval", "id"),
    "waves": ("wave", "id"),
    "disputes": ("dispute", "id"),
    "claims": ("claim", "parcel"),
    "returns": ("return", "id"),
    "ratings": ("order", "order_number"),
    "part_costs": ("order", "order_number"),
    "captures": ("order", "order_number"),
    "bills": ("bill", "id"),
    "week_reviews": ("week", "week"),
    "bill_revisions": ("bill", "bill"),
    "bill_lines": ("bill", "bill"),
    "bill_refused": ("bill", "bill"),
    "bill_differences": ("bill", "bill"),
    "audit_trail": ("", "position"),
    "order_trail": ("", "position"),
}
"""Whose rows a table has: the category of streams and what of a row is their key; or positions."""
APART = ("tree_nodes",)
"""Made of the whole log, not of a stream: `verify` compares it."""
UNTOLD: Mapping[str, LiteralString] = {"lots": "points <> 0"}
"""Rows that say nothing: an emptied lot is as good as none."""


class Drifted(NamedTuple):
    """A row that differs from what its stream says."""

    place: str
    stream: str
    what: str


class Watched(NamedTuple):
    """What one run did."""

    streams: int
    found: list[Drifted]
    whole_round: bool
    """Whether the walk came to the end of the streams."""


class TemporaryTables(Tables):
    """A view's tables as they are folded here; the log stays where it is."""

    def composed(self, text: LiteralString) -> Composed:
        """The statement with its names: the view's tables are temporary ones."""
        names = {name: Identifier("pg_temp", name + SUFFIX) for name in self._names}
        log = {name: Identifier(self.schema, name) for name in ("tallypost_events", "commits")}
        return SQL(text).format(**names, **log)

    async def rows(self, text: LiteralString, *values: object) -> list[Any]:
        """As `Tables.rows`."""
        cursor = await self.connection.execute(self.composed(text), values, binary=True)
        return await cursor.fetchall()

    async def run(self, text: LiteralString, *values: object) -> None:
        """As `Tables.run`."""
        await self.connection.execute(self.composed(text), values)


@dataclass(slots=True)
class _Fold:
    """One view, folded anew from the streams of one page."""

    view: View
    tables: TemporaryTables
    streams: dict[str, None]
    upto: int
    """The live view's position: what came after it is not in its rows yet."""
    positions: dict[int, str] = field(default_factory=dict)
    """Positions folded so far, and whose they are."""
    failed: bool = False


class Watch:
    """The walk over one tenant's streams; any number of processes may have one."""

    def __init__(self, house: House, views: Sequence[View]) -> None:
        self._house = house
        self._views = [view for view in views if not set(view.tables) <= set(APART)]

    async def look(self) -> Watched | None:
        """Compare the next page of streams; None while another process is at it."""
        house = self._house
        async with house.pool.connection() as connection, connection.transaction():
            await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            run = _Run(connection, house.schema, self._views)
            after = await run.begin()
            if after is None:
                return None
            page = await run.page(after)
            found = await run.compare(page)
            await run.keep(page, found, now=house.store.clock())
        for one in found[:5]:
            logger.error("a view differs from the log: %s: %s", one.place, one.what)
        return Watched(len(page), found, whole_round=not page)


class _Run:
    """One page, in one transaction that sees one snapshot."""

    def __init__(
        self, connection: AsyncConnection[Any], schema: str, views: Sequence[View]
    ) -> None:
        self._connection = connection
        self._schema = schema
        self._views = views

    async def _rows(self, query: SQL | Composed, *values: object) -> list[Any]:
        cursor = await self._connection.execute(query, values)
        rows: list[Any] = await cursor.fetchall()
        return rows

    def _named(self, text: LiteralString) -> Composed:
        return compose(text, self._schema, ("drift", "drift_walk", "views", "parked"), "")

    async def begin(self) -> str | None:
        """Where the last run ended."""
        rows = await self._rows(self._named(_BEGIN))
        return None if not rows else str(rows[0][0])

    async def page(self, after: str) -> list[str]:
        """The streams of this run, in order; none: the round is over."""
        page: list[str] = []
        events = 0
        for stream, length in await self._rows(self._named(_PAGE), after, STREAMS_MAX):
            if page and events + length > EVENTS_MAX:
                break
            page.append(stream)
            events += length
        return page

    async def compare(self, page: Sequence[str]) -> list[Drifted]:
        """Every row of these streams that a replay does not give, or gives otherwise."""
        folds = await self._begin_folds(page)
        unread: set[str] = set()
        async for events in self._events(page, unread):
            for fold in folds:
                await self._fold(fold, events)
        found: list[Drifted] = []
        for fold in folds:
            if not fold.failed:
                streams = [one for one in fold.streams if one not in unread]
                for table in fold.view.tables:
                    found += await self._compare_table(table, streams, fold.positions)
        return found

    async def _begin_folds(self, page: Sequence[str]) -> list[_Fold]:
        """Empty tables for each view that has rows of any of these streams."""
        positions = dict(await self._rows(self._named("SELECT name, position FROM {views}")))
        long = dict(await self._rows(self._named(_LENGTHS), list(page), STREAM_EVENTS_MAX))
        present = {stream.partition(":")[0] for stream in page}
        folds: list[_Fold] = []
        for view in self._views:
            parked = await self._rows(self._named(_PARKED), view.name)
            # A parked stream is told of as parked; that its rows are old follows from it.
            left_out = {stream for (stream,) in parked} | long.keys()
            streams = dict.fromkeys(stream for stream in page if stream not in left_out)
            if not streams or not {BELONGS[table][0] for table in view.tables} & {"", *present}:
                continue
            for table in view.tables:
                names = (Identifier(table + SUFFIX), Identifier(self._schema, table))
                await self._connection.execute(SQL(_TEMPORARY).format(*names))
            tables = TemporaryTables(self._connection, self._schema, type(view))
            folds.append(_Fold(view, tables, streams, positions.get(view.name, 0)))
        return folds

    async def _fold(self, fold: _Fold, events: Sequence[Event]) -> None:
        books = BOOKS.stream(MALL)
        due = [
            one
            for one in events
            if one.envelope.position <= fold.upto
            and (one.envelope.stream in fold.streams or one.envelope.stream == books)
        ]
        if fold.failed or not due:
            return
        try:
            async with self._connection.transaction():
                await fold.view.apply(due, fold.tables)
        except OUTAGES:
            raise
        except Exception:
            # The reader parks such a stream; here the others of the page wait for the next round.
            logger.exception("%s cannot be folded again for a comparison", fold.view.name)
            fold.failed = True
        fold.positions |= {
            one.envelope.position: one.envelope.stream
            for one in due
            if one.envelope.stream in fold.streams
        }

    async def _events(self, streams: Sequence[str], unread: set[str]) -> AsyncIterator[list[Event]]:
        """The events of these streams in log order; the books', because days hang on them.

        Streams of which something cannot be read are added to `unread`.
        """
        wanted = [*streams, BOOKS.stream(MALL)]
        async with self._connection.cursor("tallypost_drift") as cursor:
            await cursor.execute(self._named(_EVENTS), (wanted,))
            while rows := await cursor.fetchmany(BATCH_EVENTS):
                events: list[Event] = []
                for position, stream, version, name, stored in rows:
                    if stream not in unread:
                        try:
                            envelope = decode(position, stream, version, name, bytes(stored))
                        except (ValueError, KeyError, TypeError, OverflowError, UnknownFact):
                            unread.add(stream)  # `verify` names the place
                        else:
                            events.append(Event(envelope, bytes(stored)))
                yield events

    async def _compare_table(
        self, table: str, streams: Sequence[str], by_position: Mapping[int, str]
    ) -> list[Drifted]:
        category, key = BELONGS[table]
        keys: list[Any] = list(by_position)
        if category:
            keys = [one.partition(":")[2] for one in streams if one.startswith(f"{category}:")]
        if not keys:
            return []
        names, primary = await self._columns(table)
        live, replay = Identifier(self._schema, table), Identifier("pg_temp", table + SUFFIX)
        rows: dict[str, list[tuple[bool, str, tuple[Any, ...]]]] = {}
        for alive, one, other in ((True, live, replay), (False, replay, live)):
            query = SQL(_ONLY_IN).format(
                key=SQL(key),
                columns=SQL(", ").join(map(Identifier, names)),
                one=one,
                other=other,
                told=SQL(UNTOLD.get(table, "true")),
            )
            for whose, *row in await self._rows(query, keys, keys, TOLD_MAX):
                values = dict(zip(names, row, strict=True))
                place = ", ".join([table, *(f"{name}={values[name]}" for name in primary)])
                stream = f"{category}:{whose}" if category else by_position[whose]
                rows.setdefault(place, []).append((alive, stream, tuple(row)))
        return [Drifted(place, sides[0][1], _told(sides, names)) for place, sides in rows.items()]

    async def _columns(self, table: str) -> tuple[list[str], list[str]]:
        """A table's columns, and those of its primary key, or all that people can read."""
        rows = await self._rows(SQL(_COLUMNS), self._schema, table)
        names = [name for name, _, _ in rows]
        primary = [name for name, in_key, _ in rows if in_key]
        return names, primary or [name for name, _, kind in rows if kind != "bytea"]

    async def keep(self, page: Sequence[str], found: Iterable[Drifted], *, now: Any) -> None:
        """Note what was found, forget what is mended, and where the next run goes on."""
        rows = list(found)
        places = [one.place for one in rows]
        execute = self._connection.execute
        await execute(self._named(_MENDED), (list(page), places))
        columns = ([one[at] for one in rows] for at in range(3))
        await execute(self._named(_FOUND), (now, *columns))
        if page:
            await execute(self._named(_WALKED), (page[-1], len(page), now))
        else:
            await execute(self._named(_ROUND), (now,))


def _told(sides: Sequence[tuple[bool, str, tuple[Any, ...]]], names: Sequence[str]) -> str:
    """What differs, in figures; texts may quote people, and are only named."""
    live = [row for alive, _, row in sides if alive]
    replay = [row for alive, _, row in sides if not alive]
    if not live:
        return "missing: a replay has it"
    if not replay:
        return "too much: a replay does not have it"
    return "; ".join(
        f"{name} is {was}, a replay gives {is_}" if isinstance(was, int) else f"{name} differs"
        for name, was, is_ in zip(names, live[0], replay[0], strict=True)
        if was != is_
    )


async def drift(
    connection: AsyncConnection[Any], schema: str, *, limit: int = 200
) -> list[tuple[str, str, str, Any]]:
    """(place, stream, what, found at) of rows that differ, oldest first."""
    query = compose(_LISTED, schema, ("drift",), "")
    return await (await connection.execute(query, (limit,), prepare=True)).fetchall()


_BEGIN = "SELECT after FROM {drift_walk} WHERE id = 1 FOR UPDATE SKIP LOCKED"
# Hops from stream to stream by the primary key, however long each is.
_PAGE = """
WITH RECURSIVE walk AS (
    (SELECT originator_id AS stream FROM {tallypost_events}
     WHERE originator_id > %s ORDER BY originator_id LIMIT 1)
    UNION ALL
    SELECT (SELECT e.originator_id FROM {tallypost_events} e
            WHERE e.originator_id > walk.stream ORDER BY e.originator_id LIMIT 1)
    FROM walk WHERE walk.stream IS NOT NULL
)
SELECT stream, (SELECT max(e.originator_version) FROM {tallypost_events} e
                WHERE e.originator_id = stream)
FROM walk WHERE stream IS NOT NULL LIMIT %s
"""
_LENGTHS = """
SELECT s.stream, length FROM unnest(%s::text[]) AS s(stream), LATERAL (
    SELECT max(e.originator_version) AS length FROM {tallypost_events} e
    WHERE e.originator_id = s.stream
) l WHERE length > %s
"""
_PARKED = "SELECT DISTINCT stream FROM {parked} WHERE view = %s"
_TEMPORARY = "CREATE TEMPORARY TABLE {} (LIKE {} INCLUDING ALL) ON COMMIT DROP"
# Materialized: a cursor's plan would rather walk the whole log in order than sort a few events.
_EVENTS = """
WITH mine AS MATERIALIZED (
    SELECT notification_id, originator_id, originator_version, topic, state
    FROM {tallypost_events} WHERE originator_id = ANY(%s)
)
SELECT * FROM mine ORDER BY notification_id
"""
_ONLY_IN = """
SELECT {key}, {columns} FROM {one} AS o WHERE {told} AND ({key}) = ANY(%s)
EXCEPT ALL SELECT {key}, {columns} FROM {other} AS o WHERE {told} AND ({key}) = ANY(%s)
LIMIT %s
"""
_COLUMNS = """
SELECT a.attname, coalesce(a.attnum = ANY(i.indkey), false), t.typname
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
WHERE n.nspname = %s AND c.relname = %s AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum
"""
_MENDED = "DELETE FROM {drift} WHERE stream = ANY(%s) AND NOT place = ANY(%s)"
_FOUND = """
INSERT INTO {drift} (found_at, place, stream, what)
SELECT %s, * FROM unnest(%s::text[], %s::text[], %s::text[])
ON CONFLICT (place) DO UPDATE SET stream = excluded.stream, what = excluded.what
"""
_WALKED = """
UPDATE {drift_walk} SET after = %s, streams = streams + %s, begun_at = coalesce(begun_at, %s)
WHERE id = 1
"""
_ROUND = """
UPDATE {drift_walk} SET after = '', streams = 0, begun_at = NULL, finished_at = %s WHERE id = 1
"""
_LISTED = "SELECT place, stream, what, found_at FROM {drift} ORDER BY found_at, place LIMIT %s"
