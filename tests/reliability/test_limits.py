"""How often somebody may ask, over all processes (R48)."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from fastapi import HTTPException
from psycopg_pool import AsyncConnectionPool

from api.limits import Limits, Rate
from application.settings import Settings
from tests.api.conftest import RECIPIENT, Mall, running
from tests.conftest import MallDatabase
from tests.reliability.workload import query

pytestmark = pytest.mark.anyio

RATE = Rate(100, 50.0)


@asynccontextmanager
async def processes(database: MallDatabase, count: int) -> AsyncIterator[list[Limits]]:
    """What several processes keep of the same buckets."""
    async with AsyncExitStack() as stack:
        limits = []
        for _ in range(count):
            pool: AsyncConnectionPool = AsyncConnectionPool(
                database.service_url,
                open=False,
                min_size=1,
                max_size=2,
                kwargs={"autocommit": True},
            )
            await stack.enter_async_context(pool)
            limits.append(Limits(pool, schema=database.schema))
            limits[-1].rates["orders"] = RATE
        yield limits


async def admitted(limits: list[Limits], *, seconds: float) -> int:
    """How many are let in when all processes ask as fast as they can."""
    taken = 0
    refused: list[tuple[int, str | None]] = []
    over = time.perf_counter() + seconds

    async def asking(one: Limits) -> None:
        nonlocal taken
        while time.perf_counter() < over:
            try:
                await one.take("orders", "learner:lin")
                taken += 1
            except HTTPException as error:
                refused.append((error.status_code, (error.headers or {}).get("Retry-After")))
                await asyncio.sleep(0.002)

    await asyncio.gather(*(asking(one) for one in limits for _ in range(3)))
    assert set(refused) == {(429, "1")}
    return taken


async def test_two_processes_together_get_no_more_than_the_limit(database: MallDatabase) -> None:
    """R48: two processes for two seconds: within 1.1 x of burst + rate x time, and nearly all."""
    async with processes(database, 2) as limits:
        started = time.perf_counter()
        taken = await admitted(limits, seconds=2)
        allowed = RATE.burst + RATE.per_second * (time.perf_counter() - started)
        assert allowed * 0.7 < taken <= allowed * 1.1
        await limits[0].take("orders", "learner:chen")  # somebody else's bucket is full


async def test_a_full_bucket_is_let_in_when_all_ask_at_once(database: MallDatabase) -> None:
    """R48: tokens that one coroutine fetched are not lost to what another one fetched meanwhile."""
    async with processes(database, 1) as [limits]:
        limits.rates["orders"] = Rate(60, 0.001)
        asked = [limits.take("orders", "learner:lin") for _ in range(80)]
        outcomes = await asyncio.gather(*asked, return_exceptions=True)
        assert [one is None for one in outcomes].count(True) == 60


async def test_two_processes_get_twice_the_limit_when_each_counts_alone(
    database: MallDatabase,
) -> None:
    """R48 CONTROL: a counter in each process."""
    async with processes(database, 2) as limits:
        for number, one in enumerate(limits):
            take = one._take
            one._take = lambda key, rate, tokens, take=take, number=number: take(  # type: ignore[method-assign,misc]
                f"{number}{key}", rate, tokens
            )
        started = time.perf_counter()
        taken = await admitted(limits, seconds=1)
        allowed = RATE.burst + RATE.per_second * (time.perf_counter() - started)
        assert taken > allowed * 1.1


async def test_learners_and_logins_are_told_to_come_back(
    database: MallDatabase, tmp_path: Path
) -> None:
    """R48: 429 with Retry-After over HTTP; another learner, services and spoofed addresses."""
    settings = Settings(tenant=database.schema, keys=tmp_path / "keys", data=tmp_path)
    async with running(settings, database) as mall:
        mall.tenant.limits.rates |= {"orders": Rate(10, 0.1), "logins": Rate(5, 0.1)}
        wish = {
            "learner": "lin",
            "lines": [{"sku": "enamel-mug", "quantity": 1}],
            "recipient": RECIPIENT,
        }
        answers = await asyncio.gather(*(mall.post("/v1/orders", wish) for _ in range(30)))
        statuses = Counter(answer.status_code for answer in answers)
        assert statuses[429] == 20
        assert statuses[201] + statuses[409] == 10
        limited = next(answer for answer in answers if answer.status_code == 429)
        assert limited.json()["code"] == "too_many_requests"
        assert int(limited.headers["retry-after"]) == 10
        other = await mall.post("/v1/orders", {**wish, "learner": "chen"}, subject="chen")
        assert other.status_code == 201
        service = [
            await mall.post("/v1/orders", wish, role="service", subject="s") for _ in range(12)
        ]
        assert 429 not in {answer.status_code for answer in service}
        tries = [await _login(mall, number) for number in range(12)]
        assert tries.count(429) == 7


async def _login(mall: Mall, number: int) -> int:
    answer = await mall.client.post(
        "/login",
        data={"token": "wrong"},
        headers={
            "Origin": "http://mall",
            "X-Forwarded-For": f"10.0.0.{number}",
            "Forwarded": f"for=10.0.1.{number}",
        },
    )
    return answer.status_code


async def test_full_buckets_are_forgotten(
    database: MallDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R48: the table does not grow for ever."""
    monkeypatch.setattr("api.limits.FORGET_EVERY", 2)
    async with processes(database, 1) as (limits,):
        await limits.take("orders", "old")
        query(database, "UPDATE {}.limits SET moved_at = now() - interval '2 days'")
        await limits.take("orders", "new")
    assert query(database, "SELECT key FROM {}.limits") == [("orders:new",)]
