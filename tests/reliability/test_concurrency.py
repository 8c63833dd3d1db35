"""Buyers, spenders and movers all at once, in several stores and processes (R11, R12, R17, R18)."""

import asyncio
import itertools
import random
import time
from collections import Counter
from typing import Any, cast

import pytest

from application import granting
from application.envelope import decode_fact
from application.log import Head, Log, Recorded
from application.outcomes import Outcome
from application.proof import Frontier
from application.store import Store
from application.streams import ACCOUNT, STOCK
from application.unit import Command, Unit
from domain.point_facts import AccountFact
from domain.points import Account, evolve
from domain.refusals import OrderRefused, Refusal
from domain.stock import StockReceived, StockScrapped, stock_key
from tests.conftest import MallDatabase
from tests.reliability.naive import Naive
from tests.reliability.processes import run_together
from tests.reliability.workload import (
    PRICE,
    SKU,
    assert_whole,
    command,
    fill,
    grant,
    in_parallel,
    log_of,
    redemption,
    store_on,
    stores_on,
    tried,
)

pytestmark = pytest.mark.anyio

STORES = 8


def _codes(result: Any) -> list[str]:
    assert isinstance(result, OrderRefused)
    return [one.code for one in result.failures]


async def test_exactly_all_are_sold_when_ten_times_as_many_want_them(
    database: MallDatabase,
) -> None:
    """R11: 1,000 buyers, 100 items, 8 stores: 100 sold, 900 clean refusals."""
    buyers = [f"buyer-{number}" for number in range(1_000)]
    async with stores_on(database, STORES) as stores:
        await fill(stores[0], shelves={SKU: 100}, learners=buyers)
        random.Random(1).shuffle(buyers)
        turns = zip(itertools.cycle(stores), buyers, strict=False)
        results = await in_parallel(
            [tried(store, redemption(store, buyer)) for store, buyer in turns]
        )
    sold = [one for one in results if isinstance(one, Outcome)]
    assert len(sold) == 100
    refused = [one for one in results if not isinstance(one, Outcome)]
    assert all(_codes(one) == ["out_of_stock"] for one in refused)
    rows = log_of(database)
    assert_whole(rows)
    assert sum(row.name == "orders.OrderPlaced" for row in rows) == 100


async def test_too_many_are_sold_when_it_is_checked_before_it_is_done(
    database: MallDatabase,
) -> None:
    """R11 CONTROL: check-then-act sells what is not there."""
    async with Naive(database) as naive:
        assert await naive.check_then_act(buyers=1_000, items=100) > 100


@pytest.mark.timeout(60)
async def test_exactly_all_are_sold_when_several_processes_sell(database: MallDatabase) -> None:
    """R11: 4 processes, 400 buyers, 100 items: 100 sold, the log whole."""
    async with store_on(database) as store:
        learners = [f"p{process}-{number}" for process in range(4) for number in range(100)]
        await fill(store, shelves={SKU: 100}, learners=learners)
    counted = await asyncio.to_thread(
        run_together,
        database,
        [[f"p{process}-{number}" for number in range(100)] for process in range(4)],
    )
    assert sum(one["sold"] for one in counted) == 100
    assert sum(one["refused"] for one in counted) == 300
    assert not sum(one["errors"] for one in counted)
    assert_whole(log_of(database))


async def test_points_are_spent_once_when_ten_spend_them_all(database: MallDatabase) -> None:
    """R12: 100 learners spend all they have ten times at once, half of them known to nobody."""
    learners = [f"learner-{number}" for number in range(100)]
    async with stores_on(database, STORES) as stores:
        await fill(stores[0], shelves={SKU: 1_000_000})
        await stores[0].execute_all([grant(one, PRICE) for one in learners[:50]])
        wishes = [one for one in learners for _ in range(10)]
        random.Random(2).shuffle(wishes)
        turns = zip(itertools.cycle(stores), wishes, strict=False)
        # Those that are unknown get their first points in the middle of it.
        spending = [tried(store, redemption(store, one)) for store, one in turns]
        spending += [tried(stores[0], grant(one, PRICE)) for one in learners[50:]]
        results = await in_parallel(spending)
        assert all(isinstance(one, Outcome | Refusal) for one in results)
        late = [tried(stores[1], redemption(stores[1], one)) for one in learners]
        await in_parallel(late)
    rows = log_of(database)
    assert_whole(rows)
    spent = Counter(row.stream for row in rows if row.name == "ledger.PointsRedeemed")
    assert spent == {f"account:{one}": 1 for one in learners}


async def test_points_are_spent_twice_when_a_missing_row_is_locked(database: MallDatabase) -> None:
    """R12 CONTROL: `FOR UPDATE` locks nothing where there is no row yet."""
    async with Naive(database) as naive:
        assert await naive.lock_a_missing_row(20, points=PRICE) > 0


def _shelves(pair: int) -> list[str]:
    return [stock_key("a", f"s{pair}"), stock_key("b", f"s{pair}")]


def _put(key: str) -> Command:
    received = StockReceived(quantity=1, reference="R")
    return command(lambda unit: {"free": unit.record(STOCK, key, [received]).free})


def _take(pair: int, place: int, *, checked: bool = False) -> Command:
    """Take a unit as long as both shelves together hold more than one."""
    scrapped = StockScrapped(quantity=1, reason="test")

    def decide(unit: Unit) -> dict[str, Any]:
        if not checked and sum(unit.read(STOCK, key).free for key in _shelves(pair)) < 2:
            return {"taken": False}
        unit.record(STOCK, _shelves(pair)[place], [scrapped])
        return {"taken": True}

    return command(decide)


PAIRS = 200


async def test_no_rule_over_two_streams_is_broken_when_both_halves_race(
    database: MallDatabase,
) -> None:
    """R17: 200 pairs race for one budget over two streams: exactly one of each pair wins."""
    async with stores_on(database, 4) as stores:
        await stores[0].execute_all([_put(key) for pair in range(PAIRS) for key in _shelves(pair)])
        results = await in_parallel(
            [
                stores[(pair + place) % 4].execute(_take(pair, place))
                for pair in range(PAIRS)
                for place in (0, 1)
            ]
        )
    assert all(isinstance(one, Outcome) for one in results)
    taken = [b'"taken":true' in one.answer for one in results]
    assert [sum(taken[i : i + 2]) for i in range(0, 2 * PAIRS, 2)] == [1] * PAIRS
    rows = log_of(database)
    assert_whole(rows)
    assert len(rows) == 3 * PAIRS


async def test_the_rule_breaks_when_it_is_checked_outside_the_turn(database: MallDatabase) -> None:
    """R17 CONTROL: asked first, taken afterwards: both of a pair win."""
    async with stores_on(database, 4) as stores:
        await stores[0].execute_all([_put(key) for pair in range(10) for key in _shelves(pair)])

        def asking(pair: int) -> Command:
            def free(unit: Unit) -> dict[str, Any]:
                return {"free": sum(unit.read(STOCK, key).free for key in _shelves(pair))}

            return command(free, asks_only=True)

        both_asked = [asyncio.Barrier(2) for _ in range(10)]

        async def take(pair: int, place: int) -> bool:
            store = stores[(pair + place) % 4]
            asked = await store.execute(asking(pair))
            await both_asked[pair].wait()
            if b'"free":2' not in asked.answer:
                return False
            return bool(await store.execute(_take(pair, place, checked=True)))

        taken = await asyncio.gather(*(take(pair, one) for pair in range(10) for one in (0, 1)))
    assert sum(taken) > 10


async def test_nothing_is_doubled_when_the_log_has_no_turn(
    database: MallDatabase, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """R17 CONTROL: without its turn two stores decide on the same log; the keys notice it."""

    async def no_turn(self: Log, _: object) -> tuple[Head, list[Recorded]]:
        position = await self.position()
        await asyncio.sleep(0.001)
        await self.connection.execute("BEGIN")
        return Head(position, Frontier.empty(), None), []

    async with stores_on(database, 4) as stores:
        monkeypatch.setattr(Log, "take_turn", no_turn)
        await in_parallel(
            [stores[number % 4].execute(grant("lin", 1, f"s{number}")) for number in range(100)]
        )
    assert "UniqueViolation" in caplog.text
    assert_whole(log_of(database))


@pytest.mark.slow
@pytest.mark.timeout(60)
async def test_nobody_waits_for_each_other_when_many_streams_are_moved(
    database: MallDatabase,
) -> None:
    """R18: 16 workers, 100 operations each over 3 of 6 accounts in any order: p99 within 1 s."""
    took: list[float] = []

    def move(accounts: list[str]) -> Any:
        def decide(unit: Unit) -> dict[str, Any]:
            for one in accounts:
                granting.adjust(unit, learner=one, points=1, source="move")
            return {}

        return command(decide)

    async def worker(store: Store, number: int) -> None:
        chance = random.Random(number)
        for _ in range(100):
            accounts = [f"account-{one}" for one in chance.sample(range(6), 3)]
            started = time.perf_counter()
            await store.execute(move(accounts))
            took.append(time.perf_counter() - started)

    async with stores_on(database, STORES) as stores:
        await asyncio.gather(*(worker(stores[number % STORES], number) for number in range(16)))
    assert len(took) == 1_600
    assert sorted(took)[int(len(took) * 0.99)] < 1.0
    rows = log_of(database)
    assert_whole(rows)
    assert len(rows) == 1_600 * 3


async def test_deadlocks_are_seen_when_locks_are_taken_in_any_order(
    database: MallDatabase,
) -> None:
    """R18 CONTROL: row locks in the order in which rows are named."""
    async with Naive(database) as naive:
        assert await naive.unsorted_locks(6) > 0


async def test_states_are_exact_when_another_store_wrote_meanwhile(database: MallDatabase) -> None:
    """R17: what two stores keep in memory is what the log says, after any interleaving."""
    async with stores_on(database, 3) as stores:
        chance = random.Random(7)
        for number in range(60):
            store = stores[chance.randrange(3)]
            await store.execute(grant(f"l{chance.randrange(3)}", 1 + number, f"s{number}"))
        for store in stores:
            # A look makes a store catch up; then it must know what a replay gives.
            await store.execute(command(lambda unit: {}, asks_only=True))
        kept = [[store.peek(ACCOUNT, f"l{one}") for one in range(3)] for store in stores]
    replayed: dict[str, Account] = {}
    for row in log_of(database):
        before = replayed.get(row.stream, Account())
        fact = cast("AccountFact", decode_fact(row.name, row.state))
        replayed[row.stream] = evolve(before, fact)
    for states in kept:
        for one, state in enumerate(states):
            assert state in (replayed[f"account:l{one}"], Account())
