"""Promised times that pass before the goods were handed over: told once, listed (T5, O6, M5)."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import pytest

from application import replanning, stocking
from application.delays import TELL_NOT_SENT
from application.policies import SEND_WHAT_WAITED, overdue
from application.streams import ORDER
from application.sweeping import Due, Swept, sweep
from domain.orders import Order
from domain.promise_facts import SendingDelayed
from projections.rebuilding import rebuild
from projections.unsent_orders import UnsentOrder, unsent_orders
from projections.verifying import verify
from projections.views import all_views
from tests.application.house import House, opened
from tests.conftest import MallDatabase

pytestmark = pytest.mark.anyio
TOLD = "orders.SendingDelayed"


@pytest.fixture
async def house(database: MallDatabase) -> AsyncIterator[House]:
    async with opened(database) as one:
        await one.grant("mei", 100_000, "PY-1")
        yield one


async def ordered(house: House, number: str, **units: int) -> datetime:
    """An order, and when it is promised."""
    answer = await house.order("mei", number, **units)
    return datetime.fromisoformat(answer["promised_by"])


async def told(house: House, number: str) -> int:
    """How often its learner was told."""
    return (await house.facts(f"order:{number}")).count(TOLD)


async def swept(house: House) -> Swept:
    done = await sweep(house, TELL_NOT_SENT)
    await house.reader.catch_up()
    return done


async def listed(house: House) -> list[UnsentOrder]:
    async with house.pool.connection() as connection:
        return await unsent_orders(connection, house.schema, now=house.now)


async def the_same_rebuilt(house: House, database: MallDatabase) -> None:
    """Live views equal the log, also when they are made anew from it (A2)."""
    before = await house.rows("SELECT number, unsent_by, unsent_told FROM {s}.orders ORDER BY 1")
    views = all_views(house.rules)
    found = await verify(database.owner_url, schema=house.schema, views=views)
    assert found.differences == []
    orders = [one for one in views if one.name == "order_status"]
    await rebuild(database.owner_url, schema=house.schema, views=orders)
    after = await house.rows("SELECT number, unsent_by, unsent_told FROM {s}.orders ORDER BY 1")
    assert after == before


async def test_a_promise_that_passes_in_the_house_is_told_once_and_listed(
    house: House, database: MallDatabase
) -> None:
    """T5, O6, M5: from that moment on, with its age; whoever sweeps how often; until it is sent."""
    by = await ordered(house, "T1", notebook=1)
    sent = await ordered(house, "T2", notebook=1)
    await house.ship("T2")
    assert sent == by
    house.now = by
    house.wait(seconds=-1)
    assert (await swept(house), await listed(house)) == (Swept(), [])
    house.now = by
    assert await listed(house) == [UnsentOrder("T1", by, False, ["waiting_for_wave"], ["zhejiang"])]
    twice = await asyncio.gather(*(sweep(house, TELL_NOT_SENT) for _ in range(2)))
    assert sorted((one.done, one.repeated) for one in twice) == [(0, 1), (1, 0)]
    await house.reader.catch_up()
    assert await swept(house) == Swept()
    assert (await told(house, "T1"), await told(house, "T2")) == (1, 0)
    assert [one.told for one in await listed(house)] == [True]
    await the_same_rebuilt(house, database)
    house.wait(days=3)
    await house.ship("T1")
    assert (await swept(house), await listed(house)) == (Swept(), [])
    assert await told(house, "T1") == 1
    assert "tell_not_sent" not in {one.policy for one in await overdue(house)}
    await the_same_rebuilt(house, database)


async def test_nothing_is_told_when_it_left_before_the_view_saw_it(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T5: the view lags, the goods are gone: whoever decides looks at the order itself."""
    for number in ("T1", "T2"):
        house.now = await ordered(house, number, notebook=1)
    await _while_views_lag(house, "T1")
    assert await told(house, "T1") == 0

    # CONTROL: a decision on the view's word alone tells whom nothing keeps waiting.
    def unlooked(order: Order, *, now: datetime) -> list[Any]:
        assert order.promise is not None
        return [SendingDelayed(promised_by=order.promise.stands)]

    monkeypatch.setattr("application.delays.tell_unsent", unlooked)
    await _while_views_lag(house, "T2")
    assert await told(house, "T2") == 1


async def _while_views_lag(house: House, number: str) -> None:
    """It is handed over, and the policy has its turn before any view knows."""
    reader, house.reader.catch_up = house.reader.catch_up, _nothing  # type: ignore[method-assign]
    await house.ship(number)
    due = Due(number, 1, house.now)
    await house.store.execute(TELL_NOT_SENT.command(due, house.rules))
    house.reader.catch_up = reader  # type: ignore[method-assign]
    await house.reader.catch_up()


async def _nothing() -> None:
    """A view that does not look."""


async def test_of_an_order_in_two_parcels_the_one_that_stays_is_told_of(house: House) -> None:
    """T5: partly handed over; staff see the part that is still there alone."""
    await _count(house, "zhejiang", 1)
    await _count(house, "shaanxi", 2)
    by = await ordered(house, "T1", notebook=3)
    places = {part.number: part.warehouse for part in (await _order(house, "T1")).parts}
    assert len(places) == 2
    await house.ship("T1", part=1)
    house.now = by
    assert await swept(house) == Swept(done=1)
    (one,) = await listed(house)
    assert one.warehouses == [places[2]]
    await house.ship("T1", part=2)
    assert await listed(house) == []


async def test_who_waits_for_stock_is_promised_anew_and_told_of_that(
    house: House, database: MallDatabase
) -> None:
    """T5, rules 1, 10: no promise while nobody can say when; a new one with the stock, which is
    kept or told of; who did not choose is told of the old one."""
    await _count(house, "zhejiang", 1)
    await _count(house, "shaanxi", 0)
    by = await ordered(house, "T1", notebook=1)
    await house.do(
        lambda unit: replanning.short_pick(
            unit, order="T1", part=1, sku="notebook", found=0, reason="torn", rules=house.rules
        )
    )
    house.now = by
    (short,) = await listed(house)
    assert (short.order, short.stages) == ("T1", ["waiting_for_stock"])
    await house.do(
        lambda unit: replanning.choose(unit, number="T1", part=None, wait=True, rules=house.rules)
    )
    house.wait(days=2)
    assert (await swept(house), await listed(house)) == (Swept(), [])
    await _count(house, "shaanxi", 4)
    assert await sweep(house, SEND_WHAT_WAITED) == Swept(done=1)
    await house.reader.catch_up()
    ((anew, unsent),) = await house.rows(
        "SELECT promised_by, unsent_by FROM {s}.orders WHERE number = 'T1'"
    )
    assert anew == unsent > house.now
    assert await swept(house) == Swept()
    house.now = anew
    assert await swept(house) == Swept(done=1)
    assert await told(house, "T1") == 1
    await the_same_rebuilt(house, database)


async def _order(house: House, number: str) -> Order:
    ((folded,),) = await house.rows("SELECT folded FROM {s}.orders WHERE number = %s", number)
    return ORDER.states.validate_json(folded)


async def _count(house: House, warehouse: str, counted: int) -> None:
    await house.do(
        lambda unit: stocking.count_stock(
            unit, sku="notebook", warehouse=warehouse, counted=counted, source="own", reason="x"
        )
    )
