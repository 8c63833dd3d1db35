"""What would have been otherwise, under another rule, on the log as it is (M6)."""

from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from pydantic import ValidationError

from application import ordering, pricing, stocking
from domain.catalogue import Kind, Terms
from domain.rate_facts import Lane, Rate, RateCard
from domain.warehouses import Warehouse
from projections.what_if import Change, Expiry, what_if
from tests.application.house import START, House, opened
from tests.conftest import MallDatabase
from tests.projections.busy_mall import RULES, busy_mall

pytestmark = pytest.mark.anyio


@pytest.fixture
async def house(database: MallDatabase) -> AsyncIterator[House]:
    """A demo mall with a learner who has points."""
    async with opened(database) as house:
        await house.grant("lin", 1_000_000, "plenty")
        yield house


async def rehearsed(house: House, **change: Any) -> dict[str, Any]:
    """What the change would have made of it; nothing is recorded."""
    before = await house.position()
    async with house.pool.connection() as connection:
        found = await what_if(connection, house.schema, Change(**change), rules=house.rules)
        again = await what_if(connection, house.schema, Change(**change), rules=house.rules)
    assert found == again
    assert await house.position() == before == found["position"]
    return found


def cheap(carrier: str, fen: int) -> RateCard:
    """One price for everywhere."""
    rate = Rate(first_fen=fen, additional_fen=0, hours=100)
    lanes = (Lane(origin="*", destinations=("*",), rate=rate),)
    return RateCard(carrier=carrier, effective_from=START, lanes=lanes)


async def stock_mugs(house: House, quantity: int) -> None:
    """An item of its own, all of it in Henan."""
    terms = Terms(name="杯", kind=Kind.PARCEL, points=10, market_value_fen=10_000, weight_grams=300)
    put = partial(stocking.put_item, sku="rare-mug", terms=terms, on_sale=True, rules=house.rules)
    await house.do(put)
    await house.do(
        lambda unit: stocking.receive_stock(
            unit, sku="rare-mug", warehouse="henan", quantity=quantity, reference="D-1"
        )
    )


async def test_nothing_differs_when_nothing_is_changed(database: MallDatabase) -> None:
    """M6 CONTROL: the same rules on the same log come to what was recorded, to the fen.

    Orders, splits, cancellations, new plans, returns and replacements: what a rehearsal keeps of
    stock is what the log says, at every order.
    """
    async with busy_mall(database) as mall:
        await mall.happenings(12)
    async with opened(database, mall=False) as house, house.pool.connection() as connection:
        found = await what_if(connection, house.schema, Change(), rules=RULES)
    deliveries = found["deliveries"]
    assert deliveries["orders"] > 10
    assert deliveries["differing"] == deliveries["impossible"] == 0
    assert deliveries["was"] == deliveries["would_be"]
    assert deliveries["was"]["total_fen"] > 0
    assert deliveries["examples"] == []
    assert found["points"] is None


async def test_a_cheaper_carrier_would_take_the_parcels(house: House) -> None:
    """W4: the card holds from the beginning; figures tell what it saves, order by order."""
    for number in range(4):
        await house.order("lin", f"T{number}", notebook=1)
    found = (await rehearsed(house, rate_cards=[cheap("cheapest", 1)]))["deliveries"]
    assert found["differing"] == found["orders"] == 4
    assert found["would_be"]["by_carrier"] == {"cheapest": 4}
    assert found["would_be"]["freight_fen"] == 4
    assert found["was"]["freight_fen"] > 4
    assert {one["order"] for one in found["examples"]} == {"T0", "T1", "T2", "T3"}
    assert found["examples"][0]["would_be"][0]["carrier"] == "cheapest"


async def test_orders_would_be_impossible_when_fewer_parcels_are_allowed(house: House) -> None:
    """Rule 1: told by number, and left out of the sums."""
    await house.order("lin", "T1", notebook=1)
    await house.order("lin", "T2", ink_stone=1, walnut_bookend=1)
    (parts,) = await house.rows(
        "SELECT convert_from(state, 'UTF8')::json -> 'fact' -> 'plan' -> 'parts'"
        " FROM {s}.tallypost_events WHERE originator_id = 'order:T2' AND originator_version = 1"
    )
    assert len(parts[0]) > 1  # CONTROL: it was split
    found = (await rehearsed(house, max_parts=1))["deliveries"]
    assert found["impossible_orders"] == ["T2"]
    assert found["orders"] == 1
    assert found["differing"] == 0


async def test_goods_would_be_taken_from_where_they_would_lie(house: House) -> None:
    """C3: shares of what arrived, to the unit; what is taken there is missing there afterwards."""
    await stock_mugs(house, 3)
    for number in range(3):
        await house.order("lin", f"T{number}", rare_mug=1)
    shares = {"rare-mug": {"zhejiang": 34, "henan": 66}}
    found = (await rehearsed(house, placement=shares))["deliveries"]
    assert found["was"]["by_warehouse"] == {"henan": 3}
    assert found["would_be"]["by_warehouse"] == {"henan": 2, "zhejiang": 1}
    assert found["impossible"] == 0


async def test_what_is_cancelled_is_free_again_where_it_would_have_been_taken(
    house: House,
) -> None:
    """One unit, wanted four times and cancelled three times: it would do elsewhere, too."""
    await stock_mugs(house, 1)
    for number in range(4):
        await house.order("lin", f"T{number}", rare_mug=1)
        if number < 3:
            await house.do(
                lambda unit, number=number: ordering.cancel_order(  # type: ignore[misc]
                    unit, number=f"T{number}", wanted=None, reason="no", rules=house.rules
                )
            )
    found = (await rehearsed(house, placement={"rare-mug": {"shaanxi": 100}}))["deliveries"]
    assert found["would_be"]["by_warehouse"] == {"shaanxi": 4}
    assert found["impossible"] == 0


async def test_a_warehouse_that_costs_less_would_send_more(house: House) -> None:
    """S1: packaging and handling count; it holds from the beginning, whatever it was revised to."""
    await house.do(lambda unit: pricing.publish_rate_card(unit, card=cheap("flat", 500)))
    await house.order("lin", "T1", notebook=1)
    was = (await rehearsed(house))["deliveries"]["was"]
    dear = next(iter(was["by_warehouse"]))
    changed = [
        Warehouse(
            code=code, name=code, province=province, city="市", serves=("*",),
            handling_fen=9_000 if code == dear else 0,
        )
        for code, province in (("zhejiang", "浙江省"), ("henan", "河南省"), ("shaanxi", "陕西省"))
    ]  # fmt: skip
    found = (await rehearsed(house, warehouses=changed))["deliveries"]
    assert dear not in found["would_be"]["by_warehouse"]
    assert found["would_be"]["handling_fen"] == 0


async def test_points_that_live_shorter_would_have_been_missed(house: House) -> None:
    """L4: what would have expired, what would be owed, which orders could not have been paid."""
    ((others,),) = await house.rows("SELECT sum(available)::bigint FROM {s}.balances")
    await house.grant("wang", 1_000, "course")
    price = (await house.order("wang", "T1", notebook=1))["points"]
    house.wait(days=40)
    await house.order("wang", "T2", notebook=1)
    await house.grant("wang", 30, "late")
    found = (await rehearsed(house, expiry={"days": 30}))["points"]
    assert found["unaffordable"] == {"orders": 1, "points_short": price, "examples": ["T2"]}
    assert found["expired"] == {"was": 0, "would_be": others + 1_000 - price}
    assert found["liability"] == {"was": others + 1_030 - 2 * price, "would_be": 30}
    last_day = house.now + timedelta(days=30)
    assert found["liability_by_month"]["would_be"] == {f"{last_day:%Y-%m}": 30}


async def test_nothing_would_expire_when_points_live_for_ever(database: MallDatabase) -> None:
    """M6 CONTROL: grants without expiry, holds, refunds, claw-backs: the same account."""
    async with busy_mall(database) as mall:
        await mall.happenings(12)
    async with opened(database, mall=False) as house, house.pool.connection() as connection:
        found = await what_if(
            connection, house.schema, Change(expiry=Expiry(days=None)), rules=RULES
        )
        expiring = await house.rows("SELECT 1 FROM {s}.lots WHERE expires_at < '9999-01-01'")
    points = found["points"]
    assert points["unaffordable"]["orders"] == 0
    assert points["expired"]["would_be"] == 0
    if not expiring:
        assert points["liability"]["would_be"] == points["liability"]["was"]
    assert points["liability"]["would_be"] >= points["liability"]["was"] > 0


def test_a_change_says_what_is_wrong_with_it() -> None:
    """Shares that are not a whole; a field that nobody knows."""
    with pytest.raises(ValidationError, match="shares of mug add up to 99, not to 100"):
        Change(placement={"mug": {"henan": 99}})
    with pytest.raises(ValidationError, match="max_part"):
        Change(max_part=1)  # type: ignore[call-arg]


async def test_a_rule_counts_from_its_first_to_its_last_day(house: House) -> None:
    """M6: orders of other days went as they did, and are not compared."""
    zone = house.rules.zone
    days = []
    for number in range(3):
        days.append(house.now.astimezone(zone).date())
        await house.order("lin", f"T{number}", notebook=1)
        house.now += timedelta(days=1)
    for first, last, counted in (
        (None, None, 3), (1, None, 2), (None, 1, 2), (1, 1, 1),
    ):  # fmt: skip
        period = {
            **({} if first is None else {"since": days[first]}),
            **({} if last is None else {"until": days[last]}),
        }
        found = (await rehearsed(house, rate_cards=[cheap("cheapest", 1)], **period))["deliveries"]
        assert found["orders"] == found["differing"] == counted, period
        assert found["would_be"]["by_carrier"] == {"cheapest": counted}


async def test_what_came_before_the_first_day_is_placed_as_it_was(house: House) -> None:
    """M6, C3: where goods were put, and who took them, is otherwise from that day on."""
    await stock_mugs(house, 2)
    await house.order("lin", "T0", rare_mug=1)
    house.now += timedelta(days=1)
    day = house.now.astimezone(house.rules.zone).date()
    await house.order("lin", "T1", rare_mug=1)
    shares = {"rare-mug": {"zhejiang": 100}}
    found = (await rehearsed(house, placement=shares, since=day))["deliveries"]
    assert found["would_be"]["by_warehouse"] == {"henan": 1}
    assert found["impossible"] == 0
    always = (await rehearsed(house, placement=shares))["deliveries"]
    assert always["would_be"]["by_warehouse"] == {"zhejiang": 2}


async def test_points_live_otherwise_from_the_first_day_on(house: House) -> None:
    """M6, L4: those of before live as they did; what comes after the last day is none of it."""
    start = house.now
    for number in range(3):
        house.now = start + timedelta(days=number)
        await house.grant("chen", 100, f"g{number}")
    house.now = start + timedelta(days=20)
    await house.grant("chen", 1, "later")
    days = [(start + timedelta(days=n)).astimezone(house.rules.zone).date() for n in range(21)]
    for period, expired in (
        ({}, 300 + 1_000_000 + 11_200),  # with what lin has, and the demo gave
        ({"since": days[1]}, 200),
        ({"since": days[1], "until": days[19]}, 0),
    ):
        points = (await rehearsed(house, expiry=Expiry(days=5), **period))["points"]
        assert points["expired"]["would_be"] == expired, period
