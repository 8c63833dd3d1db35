"""The reader: decodes the log once and hands each batch to every view (design.md, Projections).

A view's rows and its position move in one transaction by compare-and-set, so a batch counts
exactly once, whatever dies in between and however many readers run by mistake.
"""

import asyncio
import logging
import traceback
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, cast

import psycopg
from psycopg import AsyncConnection
from psycopg.errors import (
    InsufficientPrivilege,
    InvalidSchemaName,
    UndefinedColumn,
    UndefinedTable,
)
from pydantic import ValidationError

from application.envelope import Context, Envelope, UnknownFact, decode
from application.faults import fault
from application.links import LINK
from application.outcomes import OUTAGES
from domain.facts import Fact
from projections.reading import Event, Garbled, Tables, View, compose, views_fingerprint

logger = logging.getLogger(__name__)

BATCH_EVENTS = 4_000
"""Events decoded and folded at a time."""
LANES = 2
"""Connections: while PostgreSQL takes in one view's rows, another view is folded."""
FOLLOWS = "an earlier event of it is parked"
MISFITS = (UndefinedTable, UndefinedColumn, InvalidSchemaName, InsufficientPrivilege)
"""The tables are not those of this code: every event would fail, and none is to blame."""
STILL_SECONDS = 1.0
"""Pause before views that stand still are tried again."""
POLL_SECONDS = 0.05
"""Polling is the guarantee; a notification only shortens the wait (reliability.md 2.10)."""


class AnotherReader(Exception):
    """Somebody else moved the view's position: this batch was theirs."""


_NEVER = datetime.min.replace(tzinfo=UTC)


class Reader:
    """Keeps the live views of one tenant up to date."""

    def __init__(self, conninfo: str, *, schema: str, views: Sequence[View]) -> None:
        self.schema = schema
        self.views = views
        self._conninfo = conninfo
        self._connections: list[AsyncConnection[Any]] = []

    async def follow(self, stop: asyncio.Event) -> None:
        """Follow the log until told to stop; an outage is waited out."""
        retried = False
        while not stop.is_set():
            pause = 0.0
            try:
                if not retried:  # a process that starts may bring the fix
                    await self.retry_parked()
                    retried = True
                if not await self.step():
                    pause = POLL_SECONDS
            except OUTAGES as error:
                logger.warning("the views wait for the database: %s", type(error).__name__)
                await self.close()
                pause = POLL_SECONDS
            except Exception:
                # A gap, an unknown fact, a missing table: nothing may be skipped, so all stand.
                logger.critical("the views stand still", exc_info=True)
                await self.close()
                pause = STILL_SECONDS
            if pause:
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), pause)
        await self.close()

    async def catch_up(self) -> None:
        """Fold everything there is; for tests and commands."""
        while await self.step():
            pass

    async def step(self) -> bool:
        """Read one batch and hand it to the views; whether there was anything to read."""
        connections = await self._connected()
        positions = await view_positions(connections[0], self.schema, self.views)
        start = min(positions.values())
        events = await read_events(
            connections[0], self.schema, after=start, limit=BATCH_EVENTS, garbled_too=True
        )
        views = iter(self.views)

        async def lane(connection: AsyncConnection[Any]) -> None:
            for view in views:
                after = positions[view.name]
                mine = [event for event in events if event.envelope.position > after]
                if mine:
                    await self._hand_over(connection, view, mine, after=after)

        ended = await asyncio.gather(*map(lane, connections), return_exceptions=True)
        for error in ended:
            if error is not None:
                raise error
        return bool(events)

    async def _hand_over(
        self, connection: AsyncConnection[Any], view: View, events: list[Event], *, after: int
    ) -> None:
        """Fold events into a view; an event it cannot fold parks its stream, no other (R25)."""
        try:
            async with connection.transaction():
                await self._move(connection, view, after=after, to=events[-1].envelope.position)
                parked = await self._parked_streams(connection, view)
                due = [event for event in events if event.envelope.stream not in parked]
                if due:
                    check_decoded(due, view)
                    await view.apply(due, Tables(connection, self.schema, type(view)))
                for event in events:
                    if event.envelope.stream in parked:
                        await self._park(connection, view, event, FOLLOWS)
                fault("view_before_commit")
        except AnotherReader:
            logger.info("another reader moved %s", view.name)
        except (*OUTAGES, *MISFITS):
            raise  # not the event's fault
        except Exception as error:
            if len(events) == 1:
                logger.exception("%s cannot fold position %s", view.name, after + 1)
                await self._skip(connection, view, events[0], error, after=after)
                return
            half = len(events) // 2
            middle = events[half - 1].envelope.position
            await self._hand_over(connection, view, events[:half], after=after)
            await self._hand_over(connection, view, events[half:], after=middle)

    async def _skip(
        self,
        connection: AsyncConnection[Any],
        view: View,
        event: Event,
        error: Exception,
        *,
        after: int,
    ) -> None:
        with suppress(AnotherReader):
            async with connection.transaction():
                await self._move(connection, view, after=after, to=event.envelope.position)
                await self._park(connection, view, event, _cause(error))

    async def retry_parked(self) -> int:
        """Fold parked events again, after a fix; returns how many were folded."""
        connection, *_ = await self._connected()
        return sum(
            [
                await self._retry(connection, view, stream)
                for view in self.views
                for stream in sorted(await self._parked_streams(connection, view))
            ]
        )

    async def _retry(self, connection: AsyncConnection[Any], view: View, stream: str) -> int:
        tables = Tables(connection, self.schema, type(view))
        try:
            async with connection.transaction():
                query = compose(_UNPARK, self.schema, ("parked",), "")
                rows = await (await connection.execute(query, (view.name, stream))).fetchall()
                # One at a time, as they would have come: views may ask what was before each.
                for position, version, name, stored in sorted(rows):
                    envelope = decode(position, stream, version, name, bytes(stored))
                    await view.apply([Event(envelope, bytes(stored))], tables)
        except OUTAGES:
            raise
        except Exception as error:
            logger.exception("%s still cannot fold %s", view.name, stream)
            query = compose(_STILL_PARKED, self.schema, ("parked",), "")
            await connection.execute(query, (_cause(error), view.name, stream))
            return 0
        return len(rows)

    async def _move(
        self, connection: AsyncConnection[Any], view: View, *, after: int, to: int
    ) -> None:
        query = compose(_MOVE, self.schema, ("views",), "")
        cursor = await connection.execute(query, (to, view.name, after), prepare=True)
        if not cursor.rowcount:
            raise AnotherReader(view.name)

    async def _park(
        self, connection: AsyncConnection[Any], view: View, event: Event, cause: str
    ) -> None:
        envelope = event.envelope
        query = compose(_PARK, self.schema, ("parked",), "")
        await connection.execute(query, (view.name, envelope.stream, envelope.position, cause))

    async def _parked_streams(self, connection: AsyncConnection[Any], view: View) -> set[str]:
        query = compose(_PARKED, self.schema, ("parked",), "")
        cursor = await connection.execute(query, (view.name,), prepare=True)
        return {row[0] for row in await cursor.fetchall()}

    async def _connected(self) -> list[AsyncConnection[Any]]:
        while len(self._connections) < LANES:
            connection = await AsyncConnection.connect(self._conninfo, autocommit=True, **LINK)
            self._connections.append(connection)
            # A lost commit is folded again from the log: no view needs to wait for the disk.
            await connection.execute("SET synchronous_commit = off")
            await connection.execute("SET idle_in_transaction_session_timeout = '30s'")
        return self._connections

    async def close(self) -> None:
        """Let go of the connections."""
        while self._connections:
            with suppress(psycopg.Error, OSError):
                await self._connections.pop().close()


async def view_positions(
    connection: AsyncConnection[Any], schema: str, views: Sequence[View]
) -> dict[str, int]:
    """How far each view is; views met for the first time start at zero."""
    names = [view.name for view in views]
    query = compose(_POSITIONS, schema, ("views",), "")
    positions = dict(await (await connection.execute(query, (names,), prepare=True)).fetchall())
    new = [name for name in names if name not in positions]
    if new:
        values = (views_fingerprint(), new)
        await connection.execute(compose(_NEW_VIEW, schema, ("views",), ""), values)
        positions |= dict.fromkeys(new, 0)
    return positions


async def read_events(
    connection: AsyncConnection[Any],
    schema: str,
    *,
    after: int,
    limit: int,
    garbled_too: bool = False,
) -> list[Event]:
    """The events after a position, decoded. A gap would mean a broken log, and is refused.

    One that cannot be decoded is an error, or, where asked for, comes with a `Garbled` fact.
    """
    query = compose(_READ, schema, (), "")
    cursor = await connection.execute(query, (after, limit), prepare=True, binary=True)
    events = [
        Event(_decoded(position, stream, version, name, stored, garbled_too), stored)
        for position, stream, version, name, stored in await cursor.fetchall()
    ]
    for expected, event in enumerate(events, start=after + 1):
        if event.envelope.position != expected:
            raise RuntimeError(f"the log has a gap at position {expected}")
    return events


def _decoded(
    position: int, stream: str, version: int, name: str, stored: bytes, garbled_too: bool
) -> Envelope:
    try:
        return decode(position, stream, version, name, stored)
    except UnknownFact:
        logger.critical("position %s holds a fact this code does not know", position)
        raise
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        if not garbled_too:
            raise
        fact = cast("Fact", Garbled(name, _cause(error)))
        nobody = Context(actor="", command="")
        category, _, key = stream.partition(":")
        return Envelope(position, stream, category, key, version, fact, _NEVER, _NEVER, nobody)


def check_decoded(events: Sequence[Event], view: View) -> None:
    """Raise for the first of these events whose fact a view needs and that has none to read."""
    if view.reads_facts:
        for event in events:
            if isinstance(event.envelope.fact, Garbled):
                raise ValueError(event.envelope.fact.cause)


def _cause(error: Exception) -> str:
    """What went wrong, in a line, without the values that it went wrong with."""
    if isinstance(error, ValidationError):
        return "; ".join(
            f"{'.'.join(map(str, one['loc']))}: {one['type']}"
            for one in error.errors(include_input=False, include_url=False)
        )
    return "".join(traceback.format_exception_only(error)).strip()[:500]


_READ = """
SELECT notification_id, originator_id, originator_version, topic, state FROM {tallypost_events}
WHERE notification_id > %b ORDER BY notification_id LIMIT %b
"""
_POSITIONS = "SELECT name, position FROM {views} WHERE name = ANY(%b)"
_NEW_VIEW = """
INSERT INTO {views} (fold, name) SELECT %b, unnest(%b::text[]) ON CONFLICT DO NOTHING
"""
_MOVE = """
UPDATE {views} SET position = %b, moved_at = clock_timestamp() WHERE name = %b AND position = %b
"""
_PARKED = "SELECT DISTINCT stream FROM {parked} WHERE view = %b"
_PARK = "INSERT INTO {parked} (view, stream, position, cause) VALUES (%b, %b, %b, %b)"
_STILL_PARKED = "UPDATE {parked} SET cause = %b WHERE view = %b AND stream = %b"
_UNPARK = """
WITH mine AS (DELETE FROM {parked} WHERE view = %b AND stream = %b RETURNING position)
SELECT e.notification_id, e.originator_version, e.topic, e.state
FROM mine JOIN {tallypost_events} e ON e.notification_id = mine.position
"""
