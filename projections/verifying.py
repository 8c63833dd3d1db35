"""核对 Is everything as the log says, and is the log as it was? (A2, A3, M5)

Four questions, asked in one snapshot of the database, whose scratch tables are rolled back:
the digest chain, views = replay, the ledger's and the stock's laws, grants = their records.
Every difference names its place.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from psycopg import AsyncConnection
from psycopg.sql import SQL, Composed, Identifier

from application.heads import SignedHead
from projections.differences import Difference, Findings
from projections.reading import View, compose
from projections.runner import read_events
from projections.scratch import Scratch
from projections.verifying_laws import verify_grants, verify_ledger, verify_stock
from projections.verifying_log import verify_log

SUFFIX = "__check"
BATCH_EVENTS = 10_000

UNTOLD = {"lots": "points <> 0"}
"""Rows that say nothing: an emptied lot is as good as none."""

Progress = Callable[[int, int], None]


@dataclass(slots=True)
class Verified:
    """What was compared, and every difference that was found."""

    position: int = 0
    """The log's end."""
    views: dict[str, int] = field(default_factory=dict)
    """The position at which each view was compared."""
    heads: int = 0
    """Signed heads kept outside that the log was compared with."""
    differences: list[Difference] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether all is as it has to be."""
        return not self.differences


async def verify(
    owner_url: str,
    *,
    schema: str,
    views: Sequence[View],
    heads: Sequence[SignedHead] = (),
    progress: Progress = lambda done, of: None,
) -> Verified:
    """Compare everything, as the schema's owner; the service goes on meanwhile.

    Without a head kept outside, a log whose tail was cut off together with all that points to it
    cannot be told from one that never had it.
    """
    async with await AsyncConnection.connect(owner_url, autocommit=True) as connection:
        await connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        try:
            return await verify_within(
                connection, schema=schema, views=views, heads=heads, progress=progress
            )
        finally:
            await connection.execute("ROLLBACK")


async def verify_within(
    connection: AsyncConnection[Any],
    *,
    schema: str,
    views: Sequence[View],
    heads: Sequence[SignedHead] = (),
    progress: Progress = lambda done, of: None,
) -> Verified:
    """`verify` in the caller's transaction, which has to be rolled back afterwards."""
    found = Findings()
    result = Verified(heads=len(heads))
    result.position = await verify_log(connection, schema, heads=heads, found=found)
    result.views = await _view_positions(connection, schema, views)
    for name, position in result.views.items():
        if position > result.position:
            found.add(f"view {name}", f"is at {position}, the log ends at {result.position}")
    await verify_ledger(connection, schema, found=found)
    if found.any_about("log"):
        found.add("views", "not compared with a replay: the log itself has to be mended first")
    else:
        await _verify_views(connection, schema, views, result, found, progress)
        await verify_stock(connection, schema, at=result.views.get("catalogue", 0), found=found)
        await verify_grants(connection, schema, found=found)
    result.differences = found.all()
    return result


async def _view_positions(
    connection: AsyncConnection[Any], schema: str, views: Sequence[View]
) -> dict[str, int]:
    query = compose("SELECT name, position FROM {views}", schema, ("views",), "")
    positions = dict(await (await connection.execute(query)).fetchall())
    return {view.name: positions.get(view.name, 0) for view in views}


async def _verify_views(
    connection: AsyncConnection[Any],
    schema: str,
    views: Sequence[View],
    result: Verified,
    found: Findings,
    progress: Progress,
) -> None:
    """Fold the log once more, decoded once for all views, and compare row by row (A2, M5)."""
    copies = [Scratch(connection, schema, view, SUFFIX) for view in views]
    for copy in copies:
        await copy.create(lasting=False)
    end = min(max(result.views.values(), default=0), result.position)
    position = 0
    while position < end:
        events = await read_events(connection, schema, after=position, limit=BATCH_EVENTS)
        for copy in copies:
            upto = result.views[copy.view.name]
            await copy.fold([one for one in events if one.envelope.position <= upto])
        position = events[-1].envelope.position
        progress(min(position, end), end)
    for copy in copies:
        for table in copy.view.tables:
            await _compare(connection, schema, copy.view, table, found)
        for at, (stream, cause) in copy.parked.items():
            found.add(
                f"view {copy.view.name}, position {at}", f"{stream} cannot be folded: {cause}"
            )


async def _compare(
    connection: AsyncConnection[Any], schema: str, view: View, table: str, found: Findings
) -> None:
    names, key = await _columns(connection, schema, table)
    places: dict[str, list[dict[str, Any]]] = {}
    for side, one, other in (("live", table, table + SUFFIX), ("replay", table + SUFFIX, table)):
        query = _only_in(schema, one, other, names, UNTOLD.get(table, "true"), found.limit + 1)
        for row in await (await connection.execute(query)).fetchall():
            values = dict(zip(names, row, strict=True))
            place = ", ".join(f"{name}={values[name]}" for name in key)
            places.setdefault(place, []).append({"side": side, **values})
    for place, rows in places.items():
        found.add(f"table {table}, {place}", _told(rows, names))


def _told(rows: list[dict[str, Any]], names: Sequence[str]) -> str:
    """What differs between the row that is there and the one that a replay gives."""
    live = [row for row in rows if row["side"] == "live"]
    replay = [row for row in rows if row["side"] == "replay"]
    if not live:
        return "missing: a replay has it"
    if not replay:
        return "too much: a replay does not have it"
    return "; ".join(
        f"{name} is {_short(live[0][name])}, a replay gives {_short(replay[0][name])}"
        for name in names
        if live[0][name] != replay[0][name]
    )


def _short(value: object) -> str:
    text = value.decode(errors="replace") if isinstance(value, bytes) else repr(value)
    return text if len(text) <= 80 else f"{text[:77]}…"


def _only_in(
    schema: str, one: str, other: str, names: Sequence[str], told: str, limit: int
) -> Composed:
    columns = SQL(", ").join(map(Identifier, names))
    # `told` is one of our own conditions.
    return SQL(
        "(SELECT {} FROM {} WHERE {told}) EXCEPT ALL (SELECT {} FROM {} WHERE {told}) LIMIT {limit}"
    ).format(
        columns,
        Identifier(schema, one),
        columns,
        Identifier(schema, other),
        told=SQL(told),
        limit=limit,
    )


async def _columns(
    connection: AsyncConnection[Any], schema: str, table: str
) -> tuple[list[str], list[str]]:
    """A table's columns, and those of its primary key; without one, all that people can read."""
    rows = await (await connection.execute(_COLUMNS, (schema, table))).fetchall()
    names = [name for name, _, _ in rows]
    key = [name for name, in_key, _ in rows if in_key]
    return names, key or [name for name, _, kind in rows if kind != "bytea"]


_COLUMNS = """
SELECT a.attname, coalesce(a.attnum = ANY(i.indkey), false), t.typname
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
WHERE n.nspname = %s AND c.relname = %s AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum
"""
