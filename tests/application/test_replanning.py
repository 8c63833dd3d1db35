"""A warehouse does not find what it reserved: elsewhere, later, or refunded (S1; rules.md 1)."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from application import (
    delays,
    intercepting,
    ordering,
    policies,
    releasing,
    replanning,
    stocking,
)
from application.policies import ASK_REFUNDS_AGAIN, CANCEL_UNPAID, SEND_WHAT_WAITED, Swept, sweep
from application.streams import ORDER
from domain.order_facts import Fault
from domain.orders import Order
from domain.parcel_facts import Content
from domain.refusals import NotPossible
from projections import work_queues
from projections.cash_refunds import open_refunds
from projections.rebuilding import rebuild
from projections.views import all_views
from tests.application.house import House, opened
from tests.conftest import MallDatabase

pytestmark = pytest.mark.anyio


@pytest.fixture
async def house(database: MallDatabase) -> AsyncIterator[House]:
    async with opened(database) as one:
        yield one


async def short(house: House, number: str, *, part: int = 1, found: int = 0) -> dict[str, Any]:
    return await house.do(
        lambda unit: replanning.short_pick(
            unit,
            order=number,
            part=part,
            sku="notebook",
            found=found,
            reason="torn",
            rules=house.rules,
        )
    )


async def choose(house: House, number: str, *, wait: bool) -> dict[str, Any]:
    return await house.do(
        lambda unit: replanning.choose(unit, number=number, part=None, wait=wait, rules=house.rules)
    )


async def put(house: House, warehouse: str, counted: int) -> None:
    await house.do(
        lambda unit: stocking.count_stock(
            unit, sku="notebook", warehouse=warehouse, counted=counted, source="own", reason="x"
        )
    )


async def levels(house: House) -> dict[str, tuple[int, int]]:
    """Free and reserved notebooks by warehouse."""
    rows = await house.rows(
        "SELECT warehouse, free, reserved FROM {s}.stock_levels WHERE sku = 'notebook'"
    )
    return {warehouse: (free, reserved) for warehouse, free, reserved in rows}


async def order_of(house: House, number: str) -> Order:
    ((folded,),) = await house.rows("SELECT folded FROM {s}.orders WHERE number = %s", number)
    return ORDER.states.validate_json(folded)


async def ordered(house: House, *, zhejiang: int, shaanxi: int, units: int = 3) -> None:
    """T1: some notebooks, with that many free afterwards."""
    await house.grant("mei", 5_000, "PY-1")
    await put(house, "shaanxi", 0)
    await house.order("mei", "T1", notebook=units)
    await put(house, "zhejiang", zhejiang)
    await put(house, "shaanxi", shaanxi)


async def test_units_move_to_another_warehouse_when_they_are_not_found(house: House) -> None:
    """S1, C3: shelf corrected, reservation moved, plan recorded: one commit (rules.md 1)."""
    await ordered(house, zhejiang=5, shaanxi=4)
    position = await house.position()
    answer = await short(house, "T1", found=1)
    assert answer["moved"] == [{"part": 2, "warehouse": "shaanxi", "quantity": 2}]
    assert answer["waits"] == 0
    assert await levels(house) == {"zhejiang": (0, 1), "shaanxi": (2, 2)}
    assert (await house.facts("order:T1"))[-1] == "orders.OrderSplit"
    commits = await house.rows("SELECT count(*) FROM {s}.commits WHERE position > %s", position)
    assert commits == [(1,)]
    for part in (1, 2):
        await house.ship("T1", part=part)
    assert await levels(house) == {"zhejiang": (0, 0), "shaanxi": (2, 0)}


async def test_a_shared_parcel_names_no_part_that_it_does_not_carry(house: House) -> None:
    """S1, S4: the part in it went elsewhere; a later part of the order has another number."""
    await house.grant("mei", 5_000, "PY-1")
    await put(house, "zhejiang", 1)
    await put(house, "shaanxi", 2)
    await house.order("mei", "T1", notebook=3)
    places = {part.number: str(part.warehouse) for part in (await order_of(house, "T1")).parts}
    assert set(places) == {1, 2}
    await put(house, places[1], 0)
    await put(house, places[2], 1)
    await house.order("mei", "T2", notebook=1)
    contents = [Content(order="T1", part=2), Content(order="T2", part=1)]
    released = await house.do(
        lambda unit: releasing.release_together(
            unit, contents=contents, wave="w", rules=house.rules
        )
    )
    assert released["merged"] == 2
    (shared,) = released["parcels"]
    await put(house, places[1], 9)
    assert (await short(house, "T1", part=2))["waits"] == 0
    await put(house, places[2], 9)
    answer = await short(house, "T1", part=1)
    (move,) = answer["moved"]
    assert move["part"] not in {one.part for one in contents}
    async with house.pool.connection() as connection:
        found = await work_queues.parcel(connection, house.schema, shared)
    assert found is not None
    named = {(one.order, one.part) for one in found[0].contents}
    state = await order_of(house, "T1")
    assert not {("T1", part.number) for part in state.parts} & named


async def test_waiting_units_are_sent_when_stock_is_received(house: House) -> None:
    """S1: the learner waits; what comes is theirs, once, whoever sweeps how often (rules.md 1)."""
    await ordered(house, zhejiang=0, shaanxi=0)
    assert (await short(house, "T1", found=1))["waits"] == 2
    await choose(house, "T1", wait=True)
    assert await sweep(house, SEND_WHAT_WAITED) == Swept()
    await put(house, "shaanxi", 1)
    assert await sweep(house, SEND_WHAT_WAITED) == Swept()
    await put(house, "shaanxi", 5)
    assert await sweep(house, SEND_WHAT_WAITED) == Swept(done=1)
    assert await sweep(house, SEND_WHAT_WAITED) == Swept(repeated=1)
    await house.reader.catch_up()
    assert await sweep(house, SEND_WHAT_WAITED) == Swept()
    assert await levels(house) == {"zhejiang": (0, 1), "shaanxi": (3, 2)}
    state = await order_of(house, "T1")
    assert {(part.number, part.warehouse, part.waits) for part in state.parts} == {
        (1, "zhejiang", None),
        (3, "shaanxi", None),
    }
    assert state.live_units(1) == 3


async def test_those_who_waited_longer_are_served_first_when_some_stock_comes(
    house: House,
) -> None:
    """S1: first come, first served."""
    await house.grant("mei", 5_000, "PY-1")
    await put(house, "shaanxi", 0)
    for number in ("T2", "T1", "T3"):
        await house.order("mei", number, notebook=1)
        house.wait(minutes=1)
    await put(house, "zhejiang", 0)
    for number in ("T2", "T1", "T3"):
        await short(house, number)
        house.wait(minutes=1)
    await put(house, "zhejiang", 2)
    swept = await sweep(house, SEND_WHAT_WAITED)
    assert (swept.done, swept.undecided) == (2, 1)
    await house.reader.catch_up()
    assert await house.rows("SELECT order_number FROM {s}.waiting_units") == [("T3",)]
    assert await sweep(house, SEND_WHAT_WAITED) == Swept()


async def test_missing_units_are_refunded_when_the_learner_does_not_wait(house: House) -> None:
    """S1, D4: points of those units, no stock, and the rest goes on."""
    await ordered(house, zhejiang=0, shaanxi=0)
    await short(house, "T1", found=1)
    price = (await order_of(house, "T1")).line(1).unit_points
    answer = await choose(house, "T1", wait=False)
    assert answer["points"] == 2 * price
    assert await levels(house) == {"zhejiang": (0, 1), "shaanxi": (0, 0)}
    assert await house.rows("SELECT * FROM {s}.waiting_units") == []
    with pytest.raises(NotPossible):
        await choose(house, "T1", wait=False)
    await put(house, "shaanxi", 5)
    assert await sweep(house, SEND_WHAT_WAITED) == Swept()


async def test_units_are_sent_or_refunded_when_stock_and_refund_race(house: House) -> None:
    """S1, R19: real concurrency; whoever is second finds nothing, and no unit is lost."""
    for turn in range(10):
        number = f"R{turn}"
        await house.grant("mei", 1_000, f"PY-{turn}")
        await put(house, "shaanxi", 0)
        await put(house, "zhejiang", 1)
        await house.order("mei", number, notebook=1)
        await short(house, number)
        await put(house, "shaanxi", 1)
        outcomes = await asyncio.gather(
            choose(house, number, wait=False),
            sweep(house, SEND_WHAT_WAITED),
            return_exceptions=True,
        )
        await house.reader.catch_up()
        state = await order_of(house, number)
        free, reserved = (await levels(house))["shaanxi"]
        if state.live_units(1):
            assert isinstance(outcomes[0], NotPossible)
            assert (free, reserved) == (0, 1)
            await house.do(
                lambda unit, number=number: ordering.cancel_order(  # type: ignore[misc]
                    unit, number=number, wanted=None, reason="x", rules=house.rules
                )
            )
        else:
            assert (free, reserved) == (1, 0)


async def test_waiting_units_are_the_same_when_rebuilt(
    house: House, database: MallDatabase
) -> None:
    """A2, R24: replay equals live, with one who waits, one who chose and one who gave up."""
    await house.grant("mei", 5_000, "PY-1")
    await put(house, "shaanxi", 0)
    for number in ("T1", "T2", "T3"):
        await house.order("mei", number, notebook=2)
    await put(house, "zhejiang", 0)
    for number in ("T1", "T2", "T3"):
        await short(house, number, found=0)
    await choose(house, "T2", wait=True)
    await choose(house, "T3", wait=False)
    live = await house.rows("SELECT * FROM {s}.waiting_units ORDER BY order_number")
    assert [(row[0], row[3], row[6]) for row in live] == [("T1", 2, False), ("T2", 2, True)]
    views = [view for view in all_views(house.rules) if view.name == "waiting_units"]
    await rebuild(database.owner_url, schema=house.schema, views=views)
    assert await house.rows("SELECT * FROM {s}.waiting_units ORDER BY order_number") == live


# --- cash that did not arrive ------------------------------------------------------------------


async def paid_too_late(house: House) -> str:
    """An order whose payment goes back; the refund's id."""
    await house.grant("mei", 2_000, "PY-1")
    await house.order("mei", "T1", tea_set=1)
    house.wait(minutes=3)
    await sweep(house, CANCEL_UNPAID)
    await house.pay("T1", 1_900)
    async with house.pool.connection() as connection:
        (refund,) = await open_refunds(connection, house.schema)
    return refund.refund


async def failed(house: House, refund: str) -> None:
    await house.do(
        lambda unit: ordering.settle_cash_refund(
            unit, number="T1", refund=refund, cause="card closed"
        )
    )


async def test_a_failed_refund_is_asked_for_again_when_its_pause_is_over(house: House) -> None:
    """O5, rules 8: later each time, visible all along, and in the end only by hand."""
    refund = await paid_too_late(house)
    pauses: list[float] = []
    for nth in range(9):
        await failed(house, refund)
        async with house.pool.connection() as connection:
            (seen,) = await open_refunds(connection, house.schema)
        assert (seen.state, seen.cause, seen.failures) == ("failed", "card closed", nth + 1)
        assert await sweep(house, ASK_REFUNDS_AGAIN) == Swept()
        if seen.ask_again_at is None:
            break
        pauses.append((seen.ask_again_at - house.now).total_seconds() / 60)
        house.now = seen.ask_again_at
        assert await sweep(house, ASK_REFUNDS_AGAIN) == Swept(done=1)
        assert await sweep(house, ASK_REFUNDS_AGAIN) == Swept(repeated=1)
        await house.reader.catch_up()
        async with house.pool.connection() as connection:
            (seen,) = await open_refunds(connection, house.schema)
        assert (seen.state, seen.cause) == ("requested", "card closed")
    assert pauses == [15, 30, 60, 120, 240, 480, 960, 1440]
    house.wait(days=30)
    assert await sweep(house, ASK_REFUNDS_AGAIN) == Swept()
    again = await house.do(
        lambda unit: ordering.ask_cash_refund_again(unit, number="T1", refund=refund)
    )
    assert again["state"] == "requested"


async def test_refunds_are_the_same_when_rebuilt(house: House, database: MallDatabase) -> None:
    """A2, R24: failures and the next try, too."""
    refund = await paid_too_late(house)
    await failed(house, refund)
    live = await house.rows("SELECT * FROM {s}.cash_refunds")
    views = [view for view in all_views(house.rules) if view.name == "cash_refunds"]
    await rebuild(database.owner_url, schema=house.schema, views=views)
    assert await house.rows("SELECT * FROM {s}.cash_refunds") == live


async def test_nothing_is_kept_when_stock_was_gone_before_the_policy_came(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """M5, CONTROL: an answer "nothing yet" kept under the key would leave them waiting for ever."""
    await ordered(house, zhejiang=0, shaanxi=0, units=1)
    await short(house, "T1")
    await put(house, "shaanxi", 1)
    monkeypatch.setattr(replanning, "send_what_waited", lambda unit, **more: None)
    assert await sweep(house, SEND_WHAT_WAITED) == Swept(undecided=1)
    monkeypatch.undo()
    assert await sweep(house, SEND_WHAT_WAITED) == Swept(done=1)


async def test_courses_are_kept_when_much_of_them_was_done(house: House) -> None:
    """O3, rules 7: refused from 20 % on with the reason; the same word twice is one fact."""
    await house.grant("mei", 5_000, "PY-1")
    await house.order("mei", "T1", python_course=1)

    async def learned(percent: int) -> None:
        await house.do(
            lambda unit: ordering.note_course_progress(
                unit, number="T1", sku="python-course", percent=percent, rules=house.rules
            )
        )

    async def refund() -> dict[str, Any]:
        return await house.do(
            lambda unit: ordering.refund_order(
                unit,
                number="T1",
                wanted=None,
                fault=Fault.CHANGED_MIND,
                reason="x",
                goods_back=False,
                rules=house.rules,
            )
        )

    for percent in (5, 20, 20):
        await learned(percent)
    assert (await house.facts("order:T1")).count("orders.CourseProgressed") == 2
    with pytest.raises(NotPossible) as refused:
        await refund()
    why = "Python 进阶课 Python, further: 20 % of the course are done, 20 % are too much"
    assert refused.value.figures["why"] == why
    await learned(19)  # a correction by the platform
    assert (await refund())["status"] == "closed"
    assert (await house.facts("order:T1"))[-3] == "orders.EntitlementRevoked"


def test_policies_are_swept_when_they_are_there() -> None:
    """M5: a policy that nobody sweeps would never run."""
    rooms = (policies, intercepting, delays)
    every = {
        one for room in rooms for one in vars(room).values() if isinstance(one, policies.Policy)
    }
    every |= {*intercepting.INTERCEPTS, *delays.DELAYS}
    assert every == {*policies.ALL}
