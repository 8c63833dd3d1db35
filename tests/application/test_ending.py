"""Who is told to stop does, also where the word of it is lost on its way (R08)."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from psycopg_pool import AsyncConnectionPool

from application.ending import ended
from application.reactions import again_and_again
from projections.live import LiveFeed
from tests.conftest import MallDatabase

pytestmark = pytest.mark.anyio

TURNS = range(8)
"""Turns of the loop between getting a connection and being told to stop: it is lost after some."""
Loop = Callable[[AsyncConnectionPool[Any]], Awaitable[None]]


async def deaf(pool: AsyncConnectionPool[Any]) -> None:
    """Asks again and again, and never whether it was told to stop."""
    while True:
        async with pool.connection() as connection:
            await connection.execute("SELECT")
        await asyncio.sleep(0.01)


async def listening(pool: AsyncConnectionPool[Any]) -> None:
    """As the worker's loops ask."""

    async def ask() -> None:
        async with pool.connection() as connection:
            await connection.execute("SELECT")

    await again_and_again(asyncio.Event(), ask, what="asking", every=0.01)


async def goes_on(database: MallDatabase, loop: Loop, turns: int) -> bool:
    """Whether a loop that is told to stop as it gets its connection is still there afterwards."""
    async with AsyncConnectionPool(
        database.service_url, open=False, min_size=1, max_size=1, kwargs={"autocommit": True}
    ) as pool:
        held = await pool.getconn()
        task = asyncio.ensure_future(loop(pool))
        while not pool.get_stats().get("requests_waiting"):  # noqa: ASYNC110  it tells nobody
            await asyncio.sleep(0.001)
        await pool.putconn(held)
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task}, timeout=1)
        gone_on = not task.done()
        while not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=0.05)
        return gone_on


async def test_a_loop_ends_when_it_is_told_to_as_it_gets_its_connection(
    database: MallDatabase,
) -> None:
    """R08: a worker whose one loop fails ends all of them, and is started again."""
    assert not any([await goes_on(database, listening, turns) for turns in TURNS])


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="`wait_for` loses nothing any more")
async def test_a_loop_goes_on_when_it_does_not_ask(database: MallDatabase) -> None:
    """R08 CONTROL: the worker would wait for it for ever."""
    assert any([await goes_on(database, deaf, turns) for turns in TURNS])


@pytest.mark.parametrize("turns", TURNS)
async def test_the_live_feed_ends_when_it_is_told_to_as_it_gets_its_connection(
    database: MallDatabase, turns: int
) -> None:
    """R08: an API that is told to stop does not wait for it."""
    async with (
        asyncio.timeout(10),
        AsyncConnectionPool(database.service_url, open=False, min_size=1, max_size=1) as pool,
    ):
        held = await pool.getconn()
        async with LiveFeed(pool, schema=database.schema) as feed:
            with feed.watch("T1"):
                while not pool.get_stats().get("requests_waiting"):  # noqa: ASYNC110
                    await asyncio.sleep(0.001)
                await pool.putconn(held)
                for _ in range(turns):
                    await asyncio.sleep(0)
    assert feed._task is not None
    assert feed._task.done()


async def test_what_a_task_raises_at_its_end_is_told() -> None:
    """R08: only its end is not."""

    async def failing() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            raise RuntimeError("at its end")

    task = asyncio.create_task(failing())
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="at its end"):
        await ended(task, patience=1)
