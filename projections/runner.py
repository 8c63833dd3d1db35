"""The reader: decodes the log once and hands each batch to every view (design.md, Projections).

A view's rows and its position move in one transaction by compare-and-set, so a batch counts
exactly once, whatever dies in between and however many readers run by mistake.
"""

import asyncio
import logging
import traceback
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import psycopg
from psycopg import AsyncConnection

from application.envelope import Envelope, UnknownFact, decode
from application.faults import fault
from projections.reading import Event, Tables, View, compose

logger = logging.getLogger(__name__)

BATCH_EVENTS = 4_000
"""Events decoded and folded at a time."""
LANES = 2
"""Connections: while PostgreSQL takes in one view's rows, another view is folded."""
POLL_SECONDS = 0.05
"""Polling is the guarantee; a notification only shortens the wait (reliability.md 2.10)."""


class AnotherReader(Exception):
    """Somebody else moved the view's position: this batch was theirs."""


class Reader:
    """Keeps the live views of one tenant up to date."""

    def __init__(self, conninfo: str, *, schema: str, views: Sequence[View]) -> None:
        self.schema = schema
        self.views = views
        self._conninfo = conninfo
        self._connections: list[AsyncConnection[Any]] = []

    async def follow(self, stop: asyncio.Event) -> None:
        """Follow the log until told to stop; an outage is waited out."""
        while not stop.is_set():
            try:
                moved = await self.step()
            except (psycopg.OperationalError, psycopg.InterfaceError, OSError) as error:
                logger.warning("the views wait for the database: %s", type(error).__name__)
                await self.close()
                moved = False
            if not moved:
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), POLL_SECONDS)
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
        events = await read_events(connections[0], self.schema, after=start, limit=BATCH_EVENTS)
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
        parked = await self._parked_streams(connection, view)
        due = [event for event in events if event.envelope.stream not in parked]
        waiting = [event for event in events if event.envelope.stream in parked]
        to = events[-1].envelope.position
        try:
            async with connection.transaction():
                await self._move(connection, view, after=after, to=to)
                if due:
                    await view.apply(due, Tables(connection, self.schema, type(view)))
                for event in waiting:
                    await self._park(connection, view, event, "an earlier event of it is parked")
                fault("view_before_commit")
        except AnotherReader:
            logger.info("another reader moved %s", view.name)
        except (psycopg.OperationalError, psycopg.InterfaceError):
            raise
        except Exception:  # noqa: BLE001  the event that failed is found and logged
            await self._one_by_one(connection, view, events, after=after)

    async def _one_by_one(
        self, connection: AsyncConnection[Any], view: View, events: list[Event], *, after: int
    ) -> None:
        """Find the event that a view cannot fold, park its stream, go on with the others (R25)."""
        for event in events:
            position = event.envelope.position
            try:
                async with connection.transaction():
                    await self._move(connection, view, after=after, to=position)
                    if event.envelope.stream in await self._parked_streams(connection, view):
                        cause = "an earlier event of it is parked"
                        await self._park(connection, view, event, cause)
                    else:
                        await view.apply([event], Tables(connection, self.schema, type(view)))
            except AnotherReader:
                return
            except (psycopg.OperationalError, psycopg.InterfaceError):
                raise
            except Exception as error:
                logger.exception("%s cannot fold position %s", view.name, position)
                cause = "".join(traceback.format_exception_only(error)).strip()
                async with connection.transaction():
                    await self._move(connection, view, after=after, to=position)
                    await self._park(connection, view, event, cause)
            after = position

    async def retry_parked(self) -> int:
        """Fold parked events again, after a fix; returns how many were folded."""
        connection, *_ = await self._connected()
        done = 0
        for view in self.views:
            for stream in await self._parked_streams(connection, view):
                async with connection.transaction():
                    query = compose(_UNPARK, self.schema, ("parked",), "")
                    rows = await (await connection.execute(query, (view.name, stream))).fetchall()
                    events = [
                        Event(decode(position, stream, version, name, bytes(stored)), bytes(stored))
                        for position, version, name, stored in sorted(rows)
                    ]
                    await view.apply(events, Tables(connection, self.schema, type(view)))
                    done += len(events)
        return done

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
            connection = await AsyncConnection.connect(self._conninfo, autocommit=True)
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
        await connection.execute(compose(_NEW_VIEW, schema, ("views",), ""), (new,))
        positions |= dict.fromkeys(new, 0)
    return positions


async def read_events(
    connection: AsyncConnection[Any], schema: str, *, after: int, limit: int
) -> list[Event]:
    """The events after a position, decoded. A gap would mean a broken log, and is refused."""
    query = compose(_READ, schema, (), "")
    cursor = await connection.execute(query, (after, limit), prepare=True, binary=True)
    events = [
        Event(_decoded(position, stream, version, name, stored), stored)
        for position, stream, version, name, stored in await cursor.fetchall()
    ]
    for expected, event in enumerate(events, start=after + 1):
        if event.envelope.position != expected:
            raise RuntimeError(f"the log has a gap at position {expected}")
    return events


def _decoded(position: int, stream: str, version: int, name: str, stored: bytes) -> Envelope:
    try:
        return decode(position, stream, version, name, stored)
    except UnknownFact:
        logger.critical("position %s holds a fact this code does not know", position)
        raise


_READ = """
SELECT notification_id, originator_id, originator_version, topic, state FROM {tallypost_events}
WHERE notification_id > %b ORDER BY notification_id LIMIT %b
"""
_POSITIONS = "SELECT name, position FROM {views} WHERE name = ANY(%b)"
_NEW_VIEW = "INSERT INTO {views} (name) SELECT unnest(%b::text[]) ON CONFLICT DO NOTHING"
_MOVE = """
UPDATE {views} SET position = %b, moved_at = clock_timestamp() WHERE name = %b AND position = %b
"""
_PARKED = "SELECT DISTINCT stream FROM {parked} WHERE view = %b"
_PARK = "INSERT INTO {parked} (view, stream, position, cause) VALUES (%b, %b, %b, %b)"
_UNPARK = """
WITH mine AS (DELETE FROM {parked} WHERE view = %b AND stream = %b RETURNING position)
SELECT e.notification_id, e.originator_version, e.topic, e.state
FROM mine JOIN {tallypost_events} e ON e.notification_id = mine.position
"""
