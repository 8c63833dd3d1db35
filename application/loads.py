"""负荷 How many parcels wait in each warehouse, as this process knows it (C2; rules.md 10).

Promises are made thousands of times a second and must not ask for a count each time. A process
counts every few seconds and promises by what it last knew; the promise is in the order's first
fact, so it stays what was said, however stale the count was.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from psycopg import AsyncConnection
from psycopg.sql import SQL, Identifier
from psycopg_pool import AsyncConnectionPool

from application.refreshed import Refreshed

ALERT_PERCENT = 80
"""From this share of a day's capacity on staff are told (C2)."""


class Load(NamedTuple):
    """What waits in a warehouse beside what it sends in a day."""

    warehouse: str
    waiting: int
    capacity: int
    name: str
    """Of the warehouse, for people."""

    @property
    def percent(self) -> int:
        """Share of a day's capacity that waits."""
        return 100 * self.waiting // self.capacity


class Loads(Refreshed):
    """The loads of one tenant's warehouses."""

    def __init__(self, pool: AsyncConnectionPool[Any], *, schema: str) -> None:
        super().__init__(pool, schema=schema)
        self.waiting: Mapping[str, int] = {}
        """Parcels by warehouse; empty until the first look."""
        self.names: Mapping[str, str] = {}
        """What warehouses are called, by code."""

    async def _read(self, connection: AsyncConnection[Any]) -> None:
        found = await loads(connection, self._schema)
        self.waiting = {one.warehouse: one.waiting for one in found if one.waiting}
        self.names = {one.warehouse: one.name for one in found}


async def loads(connection: AsyncConnection[Any], schema: str) -> list[Load]:
    """What waits in every warehouse now."""
    names = {name: Identifier(schema, name) for name in ("orders", "warehouses")}
    cursor = await connection.execute(SQL(_LOADS).format(**names), prepare=True)
    return [Load(*row) for row in await cursor.fetchall()]


_LOADS = """
SELECT w.code, coalesce(n.waiting, 0), (w.terms ->> 'daily_capacity')::int, w.terms ->> 'name'
FROM {warehouses} w LEFT JOIN (
    SELECT code, sum(orders)::bigint AS waiting FROM (
        SELECT waiting_at, count(*) AS orders FROM {orders}
        WHERE waiting_at IS NOT NULL GROUP BY waiting_at
    ) o, unnest(string_to_array(o.waiting_at, ',')) AS code GROUP BY code
) n USING (code) ORDER BY w.code
"""
