"""What a process keeps in memory and looks at anew: known again as soon as it can be (R05, R44)."""

import asyncio
import logging
from typing import Any

import pytest
from psycopg import AsyncConnection
from psycopg.sql import SQL, Identifier
from psycopg_pool import AsyncConnectionPool

from application import refreshed
from application.refreshed import Refreshed
from tests.conftest import MallDatabase

pytestmark = pytest.mark.anyio


class Turns(Refreshed):
    """How many rows the log's turn has: one."""

    seen = 0
    table = "turn"

    async def _read(self, connection: AsyncConnection[Any]) -> None:
        query = SQL("SELECT count(*) FROM {}").format(Identifier(self._schema, self.table))
        ((count,),) = await (await connection.execute(query)).fetchall()
        self.seen += count


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REFRESH_SECONDS", "RETRY_SECONDS"):
        monkeypatch.setattr(refreshed, name, 0.01)


def pool_of(database: MallDatabase) -> AsyncConnectionPool[Any]:
    return AsyncConnectionPool(database.service_url, open=False, min_size=1, max_size=1)


async def until(done: Any) -> None:
    async with asyncio.timeout(5):
        while not done():  # noqa: ASYNC110  the task under test tells nobody
            await asyncio.sleep(0.01)


async def test_it_is_known_as_soon_as_the_database_can_be_reached(database: MallDatabase) -> None:
    """R05: entered while the database is out of reach, it knows nothing and says so."""
    pool = pool_of(database)
    async with Turns(pool, schema=database.schema) as turns:
        assert (turns.seen, turns.age_seconds) == (0, float("inf"))
        await pool.open()
        await until(lambda: turns.seen > 1)  # and again, by and by
        assert turns.age_seconds < 5
    await pool.close()


async def test_what_was_known_stays_when_a_look_fails(
    database: MallDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    """R44: it grows old, the error is told, and the next look is made all the same."""
    async with pool_of(database) as pool, Turns(pool, schema=database.schema) as turns:
        assert turns.seen == 1
        with caplog.at_level(logging.ERROR):
            turns.table = "no_such_table"
            await until(lambda: "Turns cannot be looked at" in caplog.text)
        seen, turns.table = turns.seen, "turn"
        assert seen >= 1
        await until(lambda: turns.seen > seen)


@pytest.mark.parametrize("turns_of_the_loop", range(6))
async def test_it_ends_when_it_is_told_to_as_it_gets_its_connection(
    database: MallDatabase, turns_of_the_loop: int
) -> None:
    """R08: before Python 3.12 such a cancelling gets lost (application/ending.py)."""
    async with pool_of(database) as pool, asyncio.timeout(10):
        async with Turns(pool, schema=database.schema) as turns:
            held = await pool.getconn()
            seen = turns.seen
            await until(lambda: pool.get_stats().get("requests_waiting"))
            await pool.putconn(held)
            for _ in range(turns_of_the_loop):
                await asyncio.sleep(0)
        assert turns.seen <= seen + 1
