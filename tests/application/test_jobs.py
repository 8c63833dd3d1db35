"""The queue of deferred work: its schema, its periodic jobs, what happens to one that fails."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from procrastinate import App, RetryStrategy
from procrastinate.schema import migrations_path

from application import jobs
from application.embedded import EmbeddedPostgres
from application.jobs import apply_jobs_schema, dead_jobs, make_app, queue_depth, run_worker
from application.migrating import SERVICE_ROLE
from application.reactions import run_reactions
from domain.order_facts import State
from tests.application.house import House, opened
from tests.application.receiver import subscriber
from tests.application.telling import Telling
from tests.conftest import MallDatabase

pytestmark = pytest.mark.anyio

APPLY = """
import sys
from application.jobs import apply_jobs_schema
from application.migrating import SERVICE_ROLE
sys.stdin.readline()
print(len(apply_jobs_schema(sys.argv[1], SERVICE_ROLE)))
"""


@pytest.fixture
def queue(database: MallDatabase) -> Iterator[MallDatabase]:
    """A database with an empty queue."""
    apply_jobs_schema(database.owner_url, SERVICE_ROLE)
    yield database
    with psycopg.connect(database.owner_url) as connection:
        connection.execute("SET lock_timeout = '10s'")
        connection.execute("DROP SCHEMA jobs CASCADE")


@pytest.fixture
async def house(queue: MallDatabase) -> AsyncIterator[House]:
    async with opened(queue) as one:
        yield one


async def eventually(condition: Callable[[], Any], *, seconds: float = 10) -> None:
    for _ in range(int(seconds / 0.05)):
        if await condition():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it did not come")


async def worked(app: App, house: House) -> None:
    """Run whatever is due in the queue, then return."""
    await app.run_worker_async(
        queues=[jobs.QUEUE], wait=False, listen_notify=False, install_signal_handlers=False,
        additional_context={"houses": {house.schema: house}},
    )  # fmt: skip


def test_schema_is_applied_once_by_processes_that_start_together(
    postgres: EmbeddedPostgres, database: MallDatabase
) -> None:
    """R30: three at once, one does it, and again nothing happens."""
    url = postgres.url()
    with psycopg.connect(url) as connection:  # tests before may have needed the queue
        connection.execute("DROP SCHEMA IF EXISTS jobs CASCADE")
    try:
        processes = [
            subprocess.Popen(
                [sys.executable, "-c", APPLY, url],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                cwd=Path(__file__).parents[2],
            )
            for _ in range(3)
        ]  # fmt: skip
        ran = sorted(int(one.communicate("go\n", timeout=60)[0]) for one in processes)
        shipped = len(list(migrations_path.glob("*.sql")))
        assert ran == [0, 0, shipped]
        assert apply_jobs_schema(url, SERVICE_ROLE) == []
    finally:
        with psycopg.connect(url) as connection:
            connection.execute("DROP SCHEMA IF EXISTS jobs CASCADE")


async def test_hourly_jobs_run_as_the_service_for_their_tenant(house: House) -> None:
    """O3: deferred with the tenant as argument, run with the service's rights."""
    await house.grant("mei", 5_000, "PY-1")
    await house.order("mei", "T1", python_course=1)
    house.wait(days=8)
    await house.do(lambda unit: _complete(unit, house))
    house.wait(days=731)
    app = make_app(_url(house), [house.schema])
    async with app.open_async():
        for task in (
            "sweep_by_the_hour", "tell_of_delays", "note_places", "tidy_webhooks", "let_go",
        ):  # fmt: skip
            await app.configure_task(task).defer_async(timestamp=0, tenant=house.schema)
        stop = asyncio.Event()  # waves, which come by themselves, wait for the views
        follows = asyncio.create_task(house.reader.follow(stop))
        await worked(app, house)
        stop.set()
        await follows
        async with house.pool.connection() as connection:
            assert await dead_jobs(connection) == []
    await house.reader.catch_up()
    assert await house.rows("SELECT state FROM {s}.orders") == [(State.EXPIRED,)]


def _complete(unit: Any, house: House) -> dict[str, Any]:
    from application.ordering import complete_order

    return complete_order(unit, number="T1", rules=house.rules)


def _url(house: House) -> str:
    return str(house.pool.conninfo)


async def test_job_is_tried_again_then_dead_and_visible(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """M2, M5: back-off between tries, and what is left is listed."""
    monkeypatch.setattr(jobs, "RETRY", RetryStrategy(max_attempts=2, wait=0))
    app = make_app(_url(house), [])
    async with app.open_async():
        await app.configure_task("tidy_webhooks").defer_async(timestamp=0, tenant="nobody")
        for _ in range(3):
            await worked(app, house)
        async with house.pool.connection() as connection:
            (dead,) = await dead_jobs(connection)
            depth = await queue_depth(connection)
    assert (dead.task, dead.arguments["tenant"], dead.attempts) == ("tidy_webhooks", "nobody", 3)
    assert depth["failed"] == 1


async def test_job_of_a_worker_that_died_is_taken_up_again(house: House) -> None:
    """R02: a job left in the middle goes back to the queue."""
    app = make_app(_url(house), [])
    async with app.open_async():
        await app.configure_task("tidy_webhooks").defer_async(timestamp=0, tenant=house.schema)
        async with house.pool.connection() as connection, connection.transaction():
            # As a worker that was killed long ago leaves it.
            await connection.execute("SET LOCAL search_path TO jobs")
            await connection.execute("UPDATE jobs.procrastinate_jobs SET status = 'doing'")
        await app.configure_task("retry_stalled").defer_async(timestamp=0)
        await worked(app, house)
        await worked(app, house)
        async with house.pool.connection() as connection:
            assert (await queue_depth(connection)).keys() <= {"todo"}
            rows = await (
                await connection.execute(
                    "SELECT status::text FROM jobs.procrastinate_jobs"
                    " WHERE task_name = 'tidy_webhooks'"
                )
            ).fetchall()
    assert rows == [("succeeded",)]


async def test_worker_stops_when_told_and_two_defer_a_periodic_job_once(house: House) -> None:
    """R08, R31: two workers, one job a tick; both gone within seconds."""
    stop = asyncio.Event()

    async def deferred() -> bool:
        async with house.pool.connection() as connection:
            rows = await (
                await connection.execute(
                    "SELECT count(*) FROM jobs.procrastinate_jobs WHERE task_name = 'retry_stalled'"
                )
            ).fetchall()
        return bool(rows[0][0])

    async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
        for _ in range(2):
            tasks.create_task(run_worker(stop, conninfo=_url(house), houses={house.schema: house}))
        await eventually(deferred)
        await asyncio.sleep(0.5)
        stop.set()
    async with house.pool.connection() as connection:
        rows = await (
            await connection.execute(
                "SELECT count(*) FROM jobs.procrastinate_jobs WHERE task_name = 'retry_stalled'"
                " GROUP BY (SELECT max(defer_timestamp) FROM jobs.procrastinate_periodic_defers)"
            )
        ).fetchall()
    assert rows[0][0] in (1, 2)  # two when a minute passed meanwhile


async def test_everything_reacts_in_one_coroutine(queue: MallDatabase, house: House) -> None:
    """O4, L4, N2: deadlines, webhooks and jobs, as a worker process runs them."""
    telling = Telling(house, None)  # type: ignore[arg-type]
    stop = asyncio.Event()
    async with subscriber() as there:
        await telling.subscribe("crm", there.url, "orders.*", "ledger.LotExpired")
        await house.grant("mei", 3_000, "PY-1", expires_at=house.now + timedelta(hours=1))
        await house.order("mei", "T1", tea_set=1)
        house.wait(hours=2)

        async def told() -> bool:
            await house.reader.catch_up()
            facts = {got.json["type"] for got in there.got}
            return {"orders.OrderCancelled", "ledger.LotExpired"} <= facts

        async with asyncio.timeout(40), asyncio.TaskGroup() as tasks:
            tasks.create_task(
                run_reactions(
                    stop,
                    conninfo=_url(house),
                    houses={house.schema: house},
                    loopback_webhooks=True,
                )
            )
            await eventually(told)
            stop.set()
    assert there.positions == sorted(set(there.positions))
