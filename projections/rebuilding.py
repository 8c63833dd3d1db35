"""重建 Rebuilding a view beside the live one, which goes on meanwhile, then swapping the two (A2).

The swap is one transaction: whoever reads sees the old tables or the new ones, whole and at their
own position. Afterwards everything has the names that the migrations gave it.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from psycopg import AsyncConnection
from psycopg.errors import LockNotAvailable
from psycopg.sql import SQL, Identifier

from projections.reading import Event, View, compose, views_fingerprint
from projections.runner import read_events, view_positions
from projections.scratch import Scratch

SUFFIX = "__new"
BATCH_EVENTS = 10_000
NEARLY_THERE = 500
"""Events that may be left for the transaction that swaps: the live view waits for them."""
LOCK_PATIENCE = "2s"
"""How long readers may have to queue behind the swap; then it steps back and tries again."""
ATTEMPTS = 30

Progress = Callable[[int, int], None]
"""Told (events folded, events there are)."""


class RebuildRunning(Exception):
    """Somebody else is rebuilding this view."""


class Rebuilt(NamedTuple):
    """What a rebuild did."""

    view: str
    position: int
    parked: int
    """Events that this code cannot fold: they are on `/health` as parked."""


async def rebuild(
    owner_url: str,
    *,
    schema: str,
    views: Sequence[View],
    progress: Progress = lambda done, of: None,
) -> list[Rebuilt]:
    """Fold the whole log into new tables of these views and put them in place of the live ones.

    The log is read and decoded once for all of them; each is swapped on its own. Needs the
    schema's owner. Raises `RebuildRunning`.
    """
    async with await AsyncConnection.connect(owner_url, autocommit=True) as connection:
        await connection.execute("SET synchronous_commit = off")
        for view in views:
            cursor = await connection.execute(_LOCK, (f"rebuild {schema}.{view.name}",))
            if await cursor.fetchone() != (True,):
                raise RebuildRunning(view.name)
        scratches = [Scratch(connection, schema, view, SUFFIX) for view in views]
        try:
            for scratch in scratches:
                await scratch.create(lasting=True)
            await view_positions(connection, schema, views)
            await _catch_up(scratches, progress)
            for scratch in scratches:
                for table in scratch.view.tables:
                    name = Identifier(schema, table + SUFFIX)
                    await connection.execute(SQL("ANALYZE {}").format(name))
                await _swap_patiently(scratch, progress)
        finally:
            for scratch in scratches:
                await scratch.drop()  # nothing is left of it after a swap
    return [Rebuilt(one.view.name, one.position, len(one.parked)) for one in scratches]


async def outdated(conninfo: str, *, schema: str, views: Sequence[View]) -> list[View]:
    """Those of these views that hold rows which another version of the code folded."""
    async with await AsyncConnection.connect(conninfo, autocommit=True) as connection:
        query = compose(_OUTDATED, schema, _OURS, "")
        cursor = await connection.execute(query, (views_fingerprint(),))
        names = {name for (name,) in await cursor.fetchall()}
    return [view for view in views if view.name in names]


async def _catch_up(scratches: Sequence[Scratch], progress: Progress) -> None:
    """Fold until only a few events are left; the log may grow meanwhile."""
    first = scratches[0]  # the others are where it is
    end = await _log_end(first)
    progress(0, end)
    while first.position < end:
        events = await _next(first)
        for scratch in scratches:
            await scratch.fold(events)
        if first.position >= end - NEARLY_THERE:
            end = await _log_end(first)
        progress(first.position, end)


async def _swap_patiently(scratch: Scratch, progress: Progress) -> None:
    """Swap, however long readers keep the live tables: never make them queue for long."""
    for attempt in range(ATTEMPTS):
        folded, parked = scratch.position, dict(scratch.parked)
        try:
            async with scratch.connection.transaction():
                await _swap(scratch)
        except LockNotAvailable:
            if attempt == ATTEMPTS - 1:
                raise
            scratch.position, scratch.parked = folded, parked
            await asyncio.sleep(0.1 * (attempt + 1))
            await _catch_up([scratch], progress)
        else:
            return


async def _swap(scratch: Scratch) -> None:
    connection, schema, view = scratch.connection, scratch.schema, scratch.view
    await connection.execute(SQL("SET LOCAL lock_timeout = {}").format(LOCK_PATIENCE))
    # The live reader moves this row first: while it is ours, the live view stands still.
    await connection.execute(compose(_HOLD, schema, _OURS, ""), (view.name,))
    while events := await _next(scratch):
        await scratch.fold(events)
    for table in view.tables:
        renames = await _index_names(connection, schema, table)
        await connection.execute(SQL("DROP TABLE {}").format(Identifier(schema, table)))
        await connection.execute(
            SQL("ALTER TABLE {} RENAME TO {}").format(
                Identifier(schema, table + SUFFIX), Identifier(table)
            )
        )
        for new, old in renames:
            await connection.execute(
                SQL("ALTER INDEX {} RENAME TO {}").format(Identifier(schema, new), Identifier(old))
            )
    stands = (scratch.position, views_fingerprint(), view.name)
    await connection.execute(compose(_SET, schema, _OURS, ""), stands)
    await connection.execute(compose(_FORGET, schema, _OURS, ""), (view.name,))
    for position, (stream, cause) in scratch.parked.items():
        values = (view.name, stream, position, cause)
        await connection.execute(compose(_PARK, schema, _OURS, ""), values)


async def _next(scratch: Scratch) -> list[Event]:
    return await read_events(
        scratch.connection, scratch.schema, after=scratch.position, limit=BATCH_EVENTS
    )


async def _log_end(scratch: Scratch) -> int:
    query = compose(_END, scratch.schema, _OURS, "")
    row = await (await scratch.connection.execute(query)).fetchone()
    return int(row[0]) if row else 0


async def _index_names(
    connection: AsyncConnection[Any], schema: str, table: str
) -> list[tuple[str, str]]:
    """(name now, name of the live index with the same definition) for each new index."""
    cursor = await connection.execute(_INDEXES, (schema, table))
    live = sorted(await cursor.fetchall())
    cursor = await connection.execute(_INDEXES, (schema, table + SUFFIX))
    new = sorted(await cursor.fetchall())
    if [definition for definition, _ in live] != [definition for definition, _ in new]:
        raise RuntimeError(f"the indexes of {table} are not those of its copy")
    return [(mine, old) for (_, mine), (_, old) in zip(new, live, strict=True)]


_OURS = ("views", "parked")
_LOCK = "SELECT pg_try_advisory_lock(hashtextextended(%s, 0))"
_END = "SELECT coalesce(max(notification_id), 0) FROM {tallypost_events}"
_HOLD = "SELECT FROM {views} WHERE name = %s FOR UPDATE"
_SET = "UPDATE {views} SET position = %s, fold = %s, moved_at = clock_timestamp() WHERE name = %s"
_OUTDATED = "SELECT name FROM {views} WHERE position > 0 AND fold IS DISTINCT FROM %s"
_FORGET = "DELETE FROM {parked} WHERE view = %s"
_PARK = "INSERT INTO {parked} (view, stream, position, cause) VALUES (%s, %s, %s, %s)"
# A primary key's definition says as much as any: unique, method, columns, condition.
_INDEXES = """
SELECT regexp_replace(pg_get_indexdef(i.indexrelid), ' INDEX .*? USING ', ' INDEX USING '),
    x.relname
FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_class c ON c.oid = i.indrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relname = %s
"""
