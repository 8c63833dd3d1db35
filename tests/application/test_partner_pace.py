"""One pace for all processes of the house (M2)."""

import asyncio
import subprocess
import sys

import pytest
from psycopg_pool import AsyncConnectionPool

from application.partner_pace import HousePace
from tests.conftest import MallDatabase

pytestmark = pytest.mark.anyio

PER_SECOND = 40
CALLS = 60
"""Of each process: forty go at once, the rest at forty a second, by all of them together."""
LEAST_SECONDS = (2 * CALLS - PER_SECOND) / PER_SECOND * 0.95
CALLER = f"""
import asyncio, sys, time
from psycopg_pool import AsyncConnectionPool
from application.gateways.guarded import OwnPace
from application.partner_pace import HousePace

async def main(url, schema, whose):
    async with AsyncConnectionPool(url, min_size=1, kwargs={{"autocommit": True}}) as pool:
        house = HousePace(pool, schema=schema, per_second={PER_SECOND})
        pace = house if whose == "house" else OwnPace({PER_SECOND})
        print("ready", flush=True)
        sys.stdin.readline()
        await asyncio.gather(*(called(pace) for _ in range({CALLS})))

async def called(pace):
    await pace("kuaidi100")
    print(time.time(), flush=True)

asyncio.run(main(*sys.argv[1:]))
"""


def seconds(database: MallDatabase, *, whose: str) -> float:
    """From the first call to the last one of two processes that have much to ask."""
    command = [sys.executable, "-c", CALLER, database.service_url, database.schema, whose]
    both = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    try:
        for one in both:
            assert one.stdout is not None
            assert one.stdout.readline() == "ready\n"
        for one in both:
            assert one.stdin is not None
            one.stdin.write("go\n")
            one.stdin.flush()
        told = [one.communicate(timeout=60)[0] for one in both]
    finally:
        for one in both:
            one.kill()
    moments = sorted(float(line) for text in told for line in text.split())
    assert len(moments) == 2 * CALLS
    return moments[-1] - moments[0]


def test_two_processes_call_a_partner_at_one_pace(database: MallDatabase) -> None:
    """M2: all calls are made, none before its turn, whoever makes it."""
    assert seconds(database, whose="house") >= LEAST_SECONDS


def test_control_with_paces_of_their_own_they_call_twice_as_often(database: MallDatabase) -> None:
    """The same calls with the limiter of one process: what the test above would find."""
    assert seconds(database, whose="own") < LEAST_SECONDS


async def test_partners_do_not_wait_for_each_other_and_an_outage_holds_nobody_up(
    database: MallDatabase,
) -> None:
    """M2: without the database a process keeps to the pace alone, and goes on."""
    pool = AsyncConnectionPool(
        database.service_url, open=False, min_size=1, timeout=2, kwargs={"autocommit": True}
    )
    pace = HousePace(pool, schema=database.schema, per_second=0.5)
    async with pool:
        async with asyncio.timeout(2):
            await asyncio.gather(*(pace(partner) for partner in "abcd"))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await pace("a")
    async with asyncio.timeout(1):
        await pace("a")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await pace("a")
