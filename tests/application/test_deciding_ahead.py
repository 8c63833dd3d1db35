"""A group decided while the one before was being committed counts only where that came true."""

import asyncio
from collections.abc import Sequence
from typing import Any

import psycopg
import pytest

from application import faults
from application.groups import Waiting
from application.log import Log
from application.outcomes import Outcome
from application.streams import ACCOUNT
from application.writer import Writer
from domain.refusals import OrderRefused
from tests.conftest import MallDatabase
from tests.reliability.workload import (
    PRICE,
    SKU,
    assert_whole,
    fill,
    grant,
    log_of,
    redemption,
    store_on,
    tried,
)

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("one_by_one")]


class Ahead:
    """Counts what was decided ahead of a group under way, and lets things happen then."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, then: Any = None) -> None:
        self.groups = 0
        self.one = asyncio.Event()
        decide = Writer._decide_ahead

        async def watched(writer: Writer, batch: Sequence[Waiting]) -> None:
            under_way = writer._under_way is not None
            await decide(writer, batch)
            if under_way:
                self.groups += 1
                self.one.set()
            if then is not None:
                await then()

        monkeypatch.setattr(Writer, "_decide_ahead", watched)


async def test_each_sees_the_one_before_when_two_are_decided_in_a_row(
    database: MallDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with store_on(database) as mall:
        await fill(mall, shelves={SKU: 10}, learners=["lin"])
        ahead = Ahead(monkeypatch)
        results = await asyncio.gather(*(tried(mall, redemption(mall, "lin")) for _ in range(30)))
    assert ahead.groups > 0
    assert sum(isinstance(one, Outcome) for one in results) == 10
    assert sum(isinstance(one, OrderRefused) for one in results) == 20
    assert_whole(log_of(database))


async def test_a_decision_is_made_anew_when_somebody_else_appended_after_it(
    database: MallDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with store_on(database) as mall, store_on(database) as other:
        await fill(mall, shelves={SKU: 1}, learners=["lin", "wang"])
        taken: list[Any] = []

        async def take_the_last() -> None:
            if not taken:
                taken.append(None)
                taken[0] = await tried(other, redemption(other, "wang"))

        Ahead(monkeypatch, take_the_last)
        result = await tried(mall, redemption(mall, "lin"))
    assert isinstance(taken[0], Outcome)
    assert isinstance(result, OrderRefused)
    assert [one.code for one in result.failures] == ["out_of_stock"]
    assert_whole(log_of(database))


@pytest.mark.parametrize(
    "error", [psycopg.OperationalError("the link died"), RuntimeError("a bug")]
)
async def test_nobody_is_refused_for_what_did_not_happen_when_a_commit_fails(
    database: MallDatabase, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    async with store_on(database) as mall:
        await fill(mall, shelves={SKU: 1}, learners=["lin", "wang"])
        ahead = Ahead(monkeypatch)
        insert = Log.insert
        failed: list[Exception] = []

        async def insert_slowly(log: Log, **rows: Any) -> None:
            await insert(log, **rows)
            await asyncio.wait_for(ahead.one.wait(), 10)

        monkeypatch.setattr(Log, "insert", insert_slowly)

        def fail_once() -> None:
            if not failed:
                failed.append(error)
                raise error

        faults.ARMED["before_commit"] = fail_once
        first, second = await asyncio.gather(
            mall.execute(redemption(mall, "lin")),
            mall.execute(redemption(mall, "wang")),
            return_exceptions=True,
        )
    assert failed
    assert ahead.groups > 0
    if isinstance(error, RuntimeError):  # told, and nothing of it is left for the second to see
        assert first is error
        assert isinstance(second, Outcome)
    else:  # tried again: the unit is its
        assert isinstance(first, Outcome)
        assert isinstance(second, OrderRefused)
    assert_whole(log_of(database))
    assert len([row for row in log_of(database) if row.name == "orders.OrderPlaced"]) == 1


async def test_it_is_in_the_log_when_it_is_told(database: MallDatabase) -> None:
    async with store_on(database) as mall:
        await fill(mall, shelves={SKU: 5}, learners=["lin"])
        told_at: list[int] = []

        async def asking() -> None:
            outcome = await mall.execute(redemption(mall, "lin"))
            told_at.append(outcome.position)
            assert len(log_of(database)) >= outcome.position

        await asyncio.gather(*(asking() for _ in range(5)))
    assert sorted(told_at) == told_at
    assert len(told_at) == 5


async def test_states_are_those_of_the_log_when_the_store_is_asked_afterwards(
    database: MallDatabase,
) -> None:
    async with store_on(database) as mall:
        await fill(mall, shelves={SKU: 50}, learners=["lin"])
        await asyncio.gather(
            *(mall.execute(redemption(mall, "lin")) for _ in range(20)),
            *(mall.execute(grant("lin", 1, f"s{number}")) for number in range(20)),
        )
        known = mall.peek(ACCOUNT, "lin")
    async with store_on(database) as fresh:
        await fresh.execute(grant("lin", 1, "last"))
        exact = fresh.peek(ACCOUNT, "lin")
    points = sum(lot.points for lot in known.lots)
    assert points == 100 * PRICE - 20 * PRICE + 20
    assert sum(lot.points for lot in exact.lots) == points + 1
