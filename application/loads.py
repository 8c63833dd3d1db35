"""负荷 How many parcels wait in each warehouse, as this process knows it (C2; rules.md 10).

Promises are made thousands of times a second and must not ask for a count each time. A process
counts every few seconds and promises by what it last knew; the promise is in the order's first
fact, so it stays what was said, however stale the count was.
"""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from psycopg import AsyncConnection
from psycopg.sql import SQL, Identifier
from psycopg_pool import AsyncConnectionPool

from application.house import OUTAGES

logger = logging.getLogger(__name__)

REFRESH_SECONDS = 10.0
ALERT_PERCENT = 80
"""From this share of a day's capacity on staff are told (C2)."""


class Load(NamedTuple):
    """What waits in a warehouse beside what it sends in a day."""

    warehouse: str
    waiting: int
    capacity: int

    @property
    def percent(self) -> int:
        """Share of a day's capacity that waits."""
        return 100 * self.waiting // self.capacity


class Loads:
    """The loads of one tenant's warehouses. An async context manager."""

    def __init__(self, pool: AsyncConnectionPool[Any], *, schema: str) -> None:
        self.waiting: Mapping[str, int] = {}
        """Parcels by warehouse; empty until the first look."""
        self._pool = pool
        self._schema = schema
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Loads":
        self._task = asyncio.create_task(self._follow(), name=f"loads of {self._schema}")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def look(self) -> None:
        """Count anew."""
        async with self._pool.connection() as connection:
            found = await loads(connection, self._schema)
        self.waiting = {one.warehouse: one.waiting for one in found if one.waiting}

    async def _follow(self) -> None:
        while True:
            try:
                await self.look()
            except OUTAGES as error:  # the last count is better than none
                logger.info("loads are not counted now: %s", type(error).__name__)
            except Exception:
                logger.exception("loads could not be counted")
            await asyncio.sleep(REFRESH_SECONDS)


async def loads(connection: AsyncConnection[Any], schema: str) -> list[Load]:
    """What waits in every warehouse now."""
    names = {name: Identifier(schema, name) for name in ("orders", "warehouses")}
    cursor = await connection.execute(SQL(_LOADS).format(**names), prepare=True)
    return [Load(*row) for row in await cursor.fetchall()]


_LOADS = """
SELECT w.code, coalesce(n.waiting, 0), (w.terms ->> 'daily_capacity')::int
FROM {warehouses} w LEFT JOIN (
    SELECT code, sum(orders)::bigint AS waiting FROM (
        SELECT waiting_at, count(*) AS orders FROM {orders}
        WHERE waiting_at IS NOT NULL GROUP BY waiting_at
    ) o, unnest(string_to_array(o.waiting_at, ',')) AS code GROUP BY code
) n USING (code) ORDER BY w.code
"""
