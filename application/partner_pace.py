"""伙伴节奏 At which pace a partner is called, by all processes of the house together (M2)."""

import asyncio
from datetime import timedelta
from typing import Any

from psycopg.sql import SQL, Identifier
from psycopg_pool import AsyncConnectionPool

from application.gateways.guarded import OwnPace
from application.house import OUTAGES


class HousePace:
    """Waits for a partner's next turn, which is handed out by a row of the database.

    One statement of its own for each call: no transaction is open while anybody waits. While the
    database is out of reach each process keeps to the pace alone.
    """

    def __init__(self, pool: AsyncConnectionPool[Any], *, schema: str, per_second: float) -> None:
        self._pool = pool
        self._query = SQL(_TURN).format(partner_paces=Identifier(schema, "partner_paces"))
        self._step = timedelta(seconds=1 / per_second)
        self._at_once = (max(1, int(per_second)) - 1) * self._step
        self._own = OwnPace(per_second)

    async def __call__(self, partner: str) -> None:
        """Return when the call may be made; who gives up waiting leaves the turn unused."""
        values = {"partner": partner, "step": self._step, "at_once": self._at_once}
        try:
            async with self._pool.connection() as connection:
                cursor = await connection.execute(self._query, values, prepare=True)
                ((pause,),) = await cursor.fetchall()
        except OUTAGES:
            await self._own(partner)
        else:
            await asyncio.sleep(max(0.0, pause))


# The row is locked while its next time is reckoned, by one clock for all processes. What nobody
# used in the last second may be used at once.
_TURN = """
INSERT INTO {partner_paces} AS p (partner, next_at)
VALUES (%(partner)s, clock_timestamp() - %(at_once)s::interval + %(step)s::interval)
ON CONFLICT (partner) DO UPDATE SET
    next_at = greatest(p.next_at, clock_timestamp() - %(at_once)s::interval) + %(step)s::interval
RETURNING extract(epoch FROM next_at - %(step)s::interval - clock_timestamp())::float8
"""
