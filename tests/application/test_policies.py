"""What the house does by itself when time has passed: once, however often it is asked."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from application import ordering
from application.policies import (
    CANCEL_UNPAID,
    COMPLETE,
    EXPIRE_LOTS,
    EXPIRE_ORDERS,
    Policy,
    Swept,
    overdue,
    sweep,
)
from application.reactions import keep_deadlines
from domain.order_facts import Fault
from projections.cash_refunds import open_refunds
from tests.application.house import START, House, opened
from tests.conftest import MallDatabase

pytestmark = pytest.mark.anyio


@pytest.fixture
async def house(database: MallDatabase) -> AsyncIterator[House]:
    async with opened(database) as one:
        yield one


async def swept_twice(house: House, policy: Policy) -> list[Swept]:
    """Sweep before and after the view has seen what the first sweep did."""
    first = await sweep(house, policy)
    late = await sweep(house, policy)
    await house.reader.catch_up()
    return [first, late, await sweep(house, policy)]


async def free(house: House, sku: str) -> int:
    ((units,),) = await house.rows("SELECT sum(free) FROM {s}.stock_levels WHERE sku = %s", sku)
    return int(units)


async def balance(house: House, learner: str) -> tuple[int, int]:
    await house.reader.catch_up()
    ((available, held),) = await house.rows(
        "SELECT available, held FROM {s}.balances WHERE learner = %s", learner
    )
    return available, held


async def happened(house: House, stream: str, fact: str) -> list[datetime]:
    rows = await house.rows(
        "SELECT convert_from(state, 'UTF8')::json ->> 'happened_at' FROM {s}.tallypost_events"
        " WHERE originator_id = %s AND topic = %s ORDER BY originator_version",
        stream,
        fact,
    )
    return [datetime.fromisoformat(text).astimezone(UTC) for (text,) in rows]


async def test_unpaid_order_is_cancelled_once_and_points_are_back(house: House) -> None:
    """O4: three minutes, then points and stock are free again; swept again nothing happens."""
    await house.grant("mei", 2_000, "PY-1")
    before = await free(house, "tea-set")
    await house.order("mei", "T1", tea_set=1)
    assert await balance(house, "mei") == (800, 1_200)
    house.wait(minutes=2, seconds=59)
    assert await sweep(house, CANCEL_UNPAID) == Swept()

    house.wait(seconds=1)
    sweeps = await swept_twice(house, CANCEL_UNPAID)

    assert sweeps == [Swept(done=1), Swept(repeated=1), Swept()]
    facts = await house.facts("order:T1")
    assert facts == ["orders.OrderPlaced", "orders.UnitsCancelled", "orders.OrderCancelled"]
    assert await balance(house, "mei") == (2_000, 0)
    assert await free(house, "tea-set") == before


async def test_cause_and_actor_are_in_the_envelope_when_a_policy_acts(house: House) -> None:
    """A1, O4: the house acts under a policy's name, caused by the event that set the deadline."""
    await house.grant("mei", 2_000, "PY-1")
    await house.order("mei", "T1", tea_set=1)
    house.wait(minutes=3)
    await sweep(house, CANCEL_UNPAID)
    ((stored,),) = await house.rows(
        "SELECT convert_from(state, 'UTF8')::json FROM {s}.tallypost_events"
        " WHERE topic = 'orders.OrderCancelled'"
    )
    assert stored["actor"] == "policy:cancel_unpaid_orders"
    assert stored["causation"] == "order:T1@1"


async def test_paid_order_stays_when_its_view_is_late(house: House) -> None:
    """O4: the view still says unpaid, the writer knows better."""
    await house.grant("mei", 2_000, "PY-1")
    await house.order("mei", "T1", tea_set=1)
    catch_up, house.reader.catch_up = house.reader.catch_up, _not_now  # type: ignore[method-assign]
    await house.pay("T1", 1_900)
    house.wait(minutes=5)

    assert await sweep(house, CANCEL_UNPAID) == Swept(done=1)
    assert "orders.OrderCancelled" not in await house.facts("order:T1")
    house.reader.catch_up = catch_up  # type: ignore[method-assign]
    await house.reader.catch_up()
    assert await sweep(house, CANCEL_UNPAID) == Swept()


async def _not_now() -> None:
    return None


async def test_it_is_asked_again_when_the_writers_clock_is_behind(house: House) -> None:
    """O4: "not yet" is never kept as the answer."""
    await house.grant("mei", 2_000, "PY-1")
    await house.order("mei", "T1", tea_set=1)
    behind, ahead = house.now, house.now + timedelta(minutes=4)
    ticks = iter([ahead, behind])  # the sweep's look at the clock, then the writer's
    house.store.clock = lambda: next(ticks, ahead)
    assert await sweep(house, CANCEL_UNPAID) == Swept(undecided=1)
    assert await sweep(house, CANCEL_UNPAID) == Swept(done=1)


async def test_late_payment_is_refunded_and_visible_when_order_was_cancelled(house: House) -> None:
    """O5, rules 8: paid after cancelling goes back by itself, and is seen until it arrived."""
    await house.grant("mei", 2_000, "PY-1")
    await house.order("mei", "T1", tea_set=1)
    house.wait(minutes=3)
    await sweep(house, CANCEL_UNPAID)
    await house.pay("T1", 1_900)

    async with house.pool.connection() as connection:
        (refund,) = await open_refunds(connection, house.schema)
    assert (refund.order, refund.amount_fen, refund.state) == ("T1", 1_900, "requested")
    assert refund.requested_at == house.now

    for cause, state in (("card closed", "failed"), (None, None)):
        await house.do(
            lambda unit, cause=cause: ordering.settle_cash_refund(  # type: ignore[misc]
                unit, number="T1", refund=refund.refund, cause=cause
            )
        )
        async with house.pool.connection() as connection:
            left = await open_refunds(connection, house.schema)
        assert [(one.state, one.cause) for one in left] == ([(state, cause)] if state else [])


async def test_order_is_completed_as_of_its_window_when_that_is_over(house: House) -> None:
    """O4, A5: completed when the window ended, also when noticed a day later; once."""
    await house.grant("mei", 5_000, "PY-1")
    await house.order("mei", "T1", python_course=1)
    house.wait(days=8)

    sweeps = await swept_twice(house, COMPLETE)

    assert sweeps == [Swept(done=1), Swept(repeated=1), Swept()]
    facts = await house.facts("order:T1")
    assert facts[-2:] == ["orders.PartCompleted", "orders.OrderCompleted"]
    ended = await happened(house, "order:T1", "orders.OrderCompleted")
    assert ended == [START + timedelta(days=7)]


async def test_each_part_is_completed_at_its_own_window(house: House) -> None:
    """O4, rules 2: the last window completes the order."""
    await house.grant("mei", 5_000, "PY-1")
    await house.order("mei", "T1", python_course=1, notebook=1)
    await house.ship("T1")
    house.wait(days=7)
    assert await sweep(house, COMPLETE) == Swept(done=1)
    assert (await house.facts("order:T1")).count("orders.PartCompleted") == 1
    assert "orders.OrderCompleted" not in await house.facts("order:T1")


async def test_lots_expire_at_their_instant_when_swept_late(house: House) -> None:
    """L4: each lot leaves by an event of its own, which happened when the lot's time was over."""
    monday, tuesday = START + timedelta(days=1), START + timedelta(days=2)
    await house.grant("mei", 100, "A", expires_at=monday)
    await house.grant("mei", 200, "B", expires_at=tuesday)
    await house.grant("mei", 400, "C")
    house.wait(days=5)

    sweeps = await swept_twice(house, EXPIRE_LOTS)

    assert sweeps == [Swept(done=1), Swept(repeated=1), Swept()]
    assert await happened(house, "account:mei", "ledger.LotExpired") == [monday, tuesday]
    assert await balance(house, "mei") == (400, 0)
    sums = await house.rows("SELECT sum(expired), sum(available) FROM {s}.ledger_entries")
    assert sums[0][0] == 300


async def test_lot_that_came_late_expires_too_when_others_of_that_instant_have(
    house: House,
) -> None:
    """L4: a grant that is reported after its own expiry is not forgotten by the key."""
    expiry = START + timedelta(days=1)
    await house.grant("mei", 100, "A", expires_at=expiry)
    house.wait(days=2)
    await sweep(house, EXPIRE_LOTS)
    await house.reader.catch_up()
    await house.grant("mei", 50, "B", expires_at=expiry, happened_at=START)
    assert await sweep(house, EXPIRE_LOTS) == Swept(done=1)
    assert await balance(house, "mei") == (0, 0)


async def test_many_lots_of_one_midnight_expire_in_batches(house: House) -> None:
    """L4: more than a batch at one instant, none left and none twice."""
    expiry = START + timedelta(days=1)
    await asyncio.gather(
        *(house.grant(f"l{n:03}", 10, "A", expires_at=expiry, seen=False) for n in range(600))
    )
    await house.reader.catch_up()
    house.wait(days=1)
    assert await sweep(house, EXPIRE_LOTS) == Swept(done=600)
    await house.reader.catch_up()
    assert await sweep(house, EXPIRE_LOTS) == Swept()
    ((left,),) = await house.rows(
        "SELECT sum(available) FROM {s}.balances WHERE learner ~ '^l[0-9]'"
    )
    assert left == 0


async def test_order_leaves_its_customers_sight_when_two_years_are_over(house: House) -> None:
    """O3: expired, once; still there."""
    await house.grant("mei", 5_000, "PY-1")
    await house.order("mei", "T1", python_course=1)
    await house.do(
        lambda unit: ordering.refund_order(
            unit, number="T1", wanted=None, fault=Fault.CHANGED_MIND, reason="no time",
            goods_back=False, rules=house.rules,
        )
    )  # fmt: skip
    house.wait(days=729)
    assert await sweep(house, EXPIRE_ORDERS) == Swept()
    house.wait(days=1)
    assert await swept_twice(house, EXPIRE_ORDERS) == [Swept(done=1), Swept(repeated=1), Swept()]
    assert (await house.facts("order:T1"))[-1] == "orders.OrderExpired"


async def test_order_is_not_hidden_early_when_the_setting_was_shortened(house: House) -> None:
    """O3: the deadline is the one in the fact, not today's setting; asked again, not forgotten."""
    await house.grant("mei", 5_000, "PY-1")
    await house.order("mei", "T1", python_course=1)
    await house.do(
        lambda unit: ordering.refund_order(
            unit, number="T1", wanted=None, fault=Fault.CHANGED_MIND, reason="no time",
            goods_back=False, rules=house.rules,
        )
    )  # fmt: skip
    house.rules = replace(house.rules, kept_visible=timedelta(days=30))
    house.wait(days=40)
    assert await sweep(house, EXPIRE_ORDERS) == Swept(undecided=1)
    house.wait(days=700)
    assert await sweep(house, EXPIRE_ORDERS) == Swept(done=1)


async def test_two_workers_sweep_at_once_and_each_order_is_cancelled_once(
    house: House, database: MallDatabase
) -> None:
    """O4, R31: two processes, one effect."""
    await house.grant("mei", 20_000, "PY-1")
    for number in range(10):
        await house.order("mei", f"T{number}", tea_set=1)
    house.wait(minutes=4)
    async with opened(database, mall=False) as other:
        other.now = house.now
        await asyncio.gather(*(sweep(one, CANCEL_UNPAID) for one in (house, other, house, other)))
    ((cancelled,),) = await house.rows(
        "SELECT count(*) FROM {s}.tallypost_events WHERE topic = 'orders.OrderCancelled'"
    )
    assert cancelled == 10
    assert await balance(house, "mei") == (20_000, 0)


async def test_what_is_stuck_is_shown_and_holds_up_nothing(house: House) -> None:
    """M5: nobody sweeps → visible with its age; a refused command does not block the others."""
    await house.grant("mei", 5_000, "PY-1")
    await house.order("mei", "T1", tea_set=1)
    assert await overdue(house) == []
    house.wait(minutes=10)
    (late,) = await overdue(house)
    assert (late.policy, late.waiting) == ("cancel_unpaid_orders", 1)
    assert late.since == START + timedelta(minutes=3)
    await sweep(house, CANCEL_UNPAID)
    await house.reader.catch_up()
    assert await overdue(house) == []


async def test_what_was_told_late_is_not_late_before_it_was_known(house: House) -> None:
    """M5, A5: the age counts from when it was recorded, not from when it happened."""
    soon = START + timedelta(hours=1)
    await house.grant("mei", 5_000, "PY-1", expires_at=soon)
    house.wait(hours=3)
    await house.grant("lin", 5_000, "PY-1", expires_at=soon, happened_at=START)
    (late,) = await overdue(house)
    assert (late.waiting, late.since) == (1, soon)  # what was known in time is late
    house.wait(seconds=31)
    (late,) = await overdue(house)
    assert (late.waiting, late.since) == (2, soon)
    await sweep(house, EXPIRE_LOTS)
    await house.reader.catch_up()
    assert await overdue(house) == []
    known = house.now
    await house.grant("wu", 5_000, "PY-1", expires_at=soon, happened_at=START)
    assert await overdue(house) == []
    house.wait(seconds=31)
    (late,) = await overdue(house)
    assert (late.waiting, late.since) == (1, known)


async def test_unpaid_order_is_cancelled_within_five_seconds_when_the_worker_runs(
    house: House,
) -> None:
    """O4: on the real clock, by the loop that production runs."""
    house.rules = replace(house.rules, pay_within=timedelta(seconds=1))
    house.store.clock = lambda: datetime.now(UTC)
    await house.grant("mei", 2_000, "PY-1")
    await house.order("mei", "T1", tea_set=1)
    stop = asyncio.Event()
    async with asyncio.timeout(1 + 5), asyncio.TaskGroup() as tasks:
        tasks.create_task(keep_deadlines(stop, house))
        for _ in range(100):
            if "orders.OrderCancelled" in await house.facts("order:T1"):
                break
            await asyncio.sleep(0.1)
        stop.set()
    assert (await house.facts("order:T1")).count("orders.OrderCancelled") == 1
