"""Waves release, merge and screen; what is unusual goes to a human first (O7, S4, S5)."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from application import (
    granting,
    merging,
    readdressing,
    redeeming,
    releasing,
    shipping,
    waves,
)
from application.addressing import Addressed
from application.recipients import Recipient
from application.redeeming import Wanted, Wish
from application.screening import screen_fresh
from application.streams import ORDER, PARCEL, Category, S
from application.unit import Unit
from application.waves import (
    EXPRESS,
    Standing,
    release_at_cutoff,
    release_urgent,
    run_wave,
    standing_waves,
)
from domain.house_rules import DEFAULT_RULES, HouseRules
from domain.order_facts import Channel, Upgrade
from domain.orders import Order
from domain.parcel_state import Stage
from domain.parcels import Parcel
from domain.refusals import NotFound, NotPossible
from domain.release_facts import ReviewReason
from tests.application.house import RECIPIENT, VAULT, House, opened
from tests.conftest import MallDatabase

pytestmark = pytest.mark.anyio

CUT_OFF = datetime(2026, 3, 3, 8, 0, tzinfo=UTC)
"""16:00 in the warehouses."""
WAVE_ID = "zhejiang-20260303-1600"


@pytest.fixture
async def house(database: MallDatabase) -> AsyncIterator[House]:
    async with opened(database) as house:
        house.now = CUT_OFF - timedelta(hours=2)
        for learner in ("mei", "chen"):
            await house.grant(learner, 9_000, f"g-{learner}")
        yield house


async def placed(
    house: House,
    number: str,
    learner: str = "mei",
    recipient: Recipient = RECIPIENT,
    upgrade: Upgrade | None = None,
    **units: int,
) -> None:
    """An order from the Zhejiang warehouse, as the API places it."""
    lines = tuple(Wanted(sku, count) for sku, count in (units or {"notebook": 1}).items())
    digests = recipient.digests(VAULT.lookup_key)
    wish = Wish(learner, lines, recipient, Channel.APP, digests=digests, upgrade=upgrade)
    await house.do(lambda unit: redeeming.place_order(unit, wish, number=number, rules=house.rules))


async def state(house: House, category: Category[S], key: str) -> S:
    """A stream's state as the log has it."""
    found: list[S] = []

    def look(unit: Unit) -> dict[str, Any]:
        found.append(unit.read(category, key))
        return {}

    await house.do(look)
    return found[-1]


async def order(house: House, number: str) -> Order:
    """An order as the log has it."""
    return await state(house, ORDER, number)


async def parcel(house: House, number: str) -> Parcel:
    """A parcel as the log has it."""
    return await state(house, PARCEL, number)


async def test_nothing_is_released_before_its_cut_off(house: House) -> None:
    """S5, rule 11: the wave comes at 16:00 warehouse time, once; its clock starts there."""
    await placed(house, "T1")
    assert await release_at_cutoff(house) == []
    house.now = CUT_OFF + timedelta(minutes=1)
    await placed(house, "T2", learner="chen")  # too late for this one
    ran = {one.wave: one for one in await release_at_cutoff(house)}
    assert ran["zhejiang-20260303-1600"].parcels == ["T1-P1"]
    released = (await order(house, "T1")).parts[0]
    assert released.planned == "T1-P1"
    assert released.hand_over_by == house.now + timedelta(hours=24)
    assert (await order(house, "T2")).parts[0].planned is None
    house.wait(minutes=1)
    await house.reader.catch_up()
    assert await release_at_cutoff(house) == []


async def missed_by_the_view(house: House, number: str) -> None:
    """An order of five to four that the view shows only after the cut-off."""
    house.now = CUT_OFF - timedelta(minutes=5)
    catch_up, house.reader.catch_up = house.reader.catch_up, _nothing  # type: ignore[method-assign]
    await placed(house, number)
    house.reader.catch_up = catch_up  # type: ignore[method-assign]
    house.now = CUT_OFF + timedelta(seconds=2)


async def _nothing() -> None:
    pass


async def test_a_wave_stays_open_when_the_view_is_behind_its_cut_off(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S5, rule 10: what was placed by 16:00 goes with that wave, however late it is shown."""
    monkeypatch.setattr(waves, "SHOWN_WITHIN", 0.0)
    await missed_by_the_view(house, "T1")
    ran = {one.wave: one for one in await release_at_cutoff(house)}
    assert ran[WAVE_ID].parts == 0
    assert await house.facts(f"wave:{WAVE_ID}") == ["waves.WaveOpened"]
    house.wait(hours=7)  # longer than a cut-off may be missed that nobody began
    async with house.pool.connection() as connection:
        standing = await standing_waves(connection, house, now=house.now)
    assert Standing(WAVE_ID, "zhejiang", CUT_OFF) in standing
    await house.reader.catch_up()
    ran = {one.wave: one for one in await release_at_cutoff(house)}
    assert ran[WAVE_ID].parcels == ["T1-P1"]
    await house.reader.catch_up()
    assert await release_at_cutoff(house) == []
    async with house.pool.connection() as connection:
        assert await standing_waves(connection, house, now=house.now) == []


async def test_a_wave_waits_a_moment_when_the_view_is_just_behind(house: House) -> None:
    """S5: orders come in all the time, and a wave does not stay open for that."""
    await missed_by_the_view(house, "T1")
    ran, _ = await asyncio.gather(release_at_cutoff(house), _soon(house))
    assert {one.wave: one.parcels for one in ran}[WAVE_ID] == ["T1-P1"]


async def _soon(house: House) -> None:
    await asyncio.sleep(0.2)
    await house.reader.catch_up()


async def test_an_order_is_missed_for_good_when_a_wave_does_not_wait(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S5, control: a wave that trusts any view closes without the order."""

    async def trusting(*_: object) -> bool:
        return True

    monkeypatch.setattr(waves, "_shown", trusting)
    await missed_by_the_view(house, "T1")
    await release_at_cutoff(house)
    await house.reader.catch_up()
    house.wait(minutes=1)
    assert await release_at_cutoff(house) == []
    assert (await order(house, "T1")).parts[0].planned is None


async def test_a_promise_is_kept_when_an_order_is_paid_after_its_cut_off(house: House) -> None:
    """O6, rule 10: placed before the wave and paid after it, it goes a day later, as promised."""
    house.now = CUT_OFF - timedelta(minutes=1)
    placing = await house.order("mei", "T1", tea_set=1)
    house.now = CUT_OFF + timedelta(seconds=30)
    await release_at_cutoff(house)
    await house.pay("T1", placing["cash_fen"])
    house.now = CUT_OFF + timedelta(days=1, seconds=5)
    await house.reader.catch_up()
    await release_at_cutoff(house)
    assert (await order(house, "T1")).parts[0].hand_over_by == house.now + timedelta(hours=24)
    way = timedelta(hours=24 + 32)  # the warehouse and its carrier
    assert datetime.fromisoformat(placing["promised_by"]) == CUT_OFF + timedelta(days=1) + way


async def test_one_recipient_s_orders_share_a_parcel(house: House) -> None:
    """S4, rule 27: same person, phone and place, however it is written; nobody else's."""
    moved = RECIPIENT.model_copy(update={"address": "中山路 9 号"})
    spelled = RECIPIENT.model_copy(update={"address": "文三路138号 3幢-502室"})
    other = RECIPIENT.model_copy(update={"name": "欧阳若竹"})
    await placed(house, "T1")
    await placed(house, "T2", recipient=spelled)
    await placed(house, "T3", recipient=moved)
    await placed(house, "T4", learner="chen", recipient=other)
    ran = await run_wave(house, "zhejiang", wave="w", cut_off=None)
    assert sorted(ran.parcels) == ["T1-P1-M", "T3-P1", "T4-P1"]
    assert (ran.parts, ran.merged) == (4, 2)
    shared = await parcel(house, "T1-P1-M")
    assert [content.order for content in shared.contents] == ["T1", "T2"]
    assert (await order(house, "T2")).parts[0].planned == "T1-P1-M"


async def test_a_wave_that_broke_off_goes_on_without_doing_anything_twice(house: House) -> None:
    """S5, R02: run again, by two workers at once, each part is released once."""
    for nth in range(6):
        await placed(house, f"T{nth}", learner="mei" if nth % 2 else "chen")
    ran = await asyncio.gather(
        *(run_wave(house, "zhejiang", wave="w", cut_off=None) for _ in range(3))
    )
    assert sum(one.parts for one in ran) >= 6
    planned = [(await order(house, f"T{nth}")).parts[0].planned for nth in range(6)]
    assert set(planned) == {"T0-P1-M", "T1-P1-M"}
    assert len((await parcel(house, "T0-P1-M")).contents) == 3


async def urgent(house: House, number: str, **more: Any) -> None:
    """An order whose learner paid for express."""
    await placed(house, number, upgrade=Upgrade.EXPRESS, **more)
    await house.pay(number, (await order(house, number)).cash_fen)


async def test_what_paid_for_express_skips_the_wave(house: House) -> None:
    """S5, O6: released by itself as soon as it is paid, once; the others wait for their cut-off."""
    await placed(house, "T1")
    await placed(house, "T2", upgrade=Upgrade.EXPRESS)
    assert await release_urgent(house) == 0  # not paid yet
    await house.pay("T2", (await order(house, "T2")).cash_fen)
    both = await asyncio.gather(release_urgent(house), release_urgent(house))
    await house.reader.catch_up()
    assert sum(both) == 1
    assert await release_urgent(house) == 0
    part = (await order(house, "T2")).parts[0]
    assert (part.planned, part.hand_over_by) == ("T2-P1", house.now + timedelta(hours=24))
    assert (await parcel(house, "T2-P1")).wave == EXPRESS
    assert (await order(house, "T1")).parts[0].planned is None


async def test_an_urgent_order_is_looked_at_before_it_skips_the_wave(house: House) -> None:
    """S5, O7: an unusual one waits for its human, and goes at once when it is let go."""
    for nth in range(3):
        await placed(house, f"T{nth}")
    await urgent(house, "T3")
    assert await release_urgent(house) == 0
    await house.reader.catch_up()
    assert (await order(house, "T3")).review == (ReviewReason.FREQUENT_ORDERS,)
    assert await release_urgent(house) == 0
    await house.do(lambda unit: releasing.approve_order(unit, number="T3", note="known"))
    assert await release_urgent(house) == 1


async def test_an_order_in_review_leaves_the_parcel_it_shares(house: House) -> None:
    """O7, S4: the others go on without it; let go, it travels in its own, with its own clock."""
    for number in ("T1", "T2", "T3"):
        await placed(house, number)
    await run_wave(house, "zhejiang", wave="w", cut_off=None)
    look = partial(releasing.require_review, reasons=[ReviewReason.HIGH_VALUE], rules=house.rules)
    await house.do(lambda unit: look(unit, number="T2"))
    assert [one.order for one in (await parcel(house, "T1-P1-M")).contents] == ["T1", "T3"]
    listing = partial(releasing.start_picking, warehouse="zhejiang", pick_list="L1")
    listed = await house.do(lambda unit: listing(unit, parcels=["T1-P1-M", "T2-P1"]))
    assert {one["order"] for one in listed["units"]} == {"T1", "T3"}
    await house.do(lambda unit: look(unit, number="T3"))  # picking has begun, and it still can
    picked = await house.do(lambda unit: releasing.pick_parcel(unit, parcel="T1-P1-M"))
    assert [one["order"] for one in picked["contents"]] == ["T1"]
    await house.do(lambda unit: releasing.approve_order(unit, number="T3", note="known"))
    assert (await order(house, "T3")).parts[0].planned == "T3-P1"
    assert (await house.do(lambda unit: releasing.pick_parcel(unit, parcel="T3-P1")))["contents"]
    with pytest.raises(NotPossible, match="picked"):
        await house.do(
            lambda unit: merging.separate_parcel(
                unit, parcel="T1-P1-M", reason="too late", rules=house.rules
            )
        )


async def test_a_merge_is_undone_by_hand_until_picking_alone(house: House) -> None:
    """S4: what is on a pick list stays together, unless a human has to look at it."""
    for number in ("T1", "T2"):
        await placed(house, number)
    await run_wave(house, "zhejiang", wave="w", cut_off=None)
    await house.do(
        lambda unit: releasing.start_picking(
            unit, warehouse="zhejiang", parcels=["T1-P1-M"], pick_list="L1"
        )
    )
    assert (await parcel(house, "T1-P1-M")).pick_list == "L1"
    with pytest.raises(NotPossible, match="picking"):
        await house.do(
            lambda unit: merging.separate_parcel(
                unit, parcel="T1-P1-M", reason="late", rules=house.rules
            )
        )


async def test_a_merged_parcel_stays_within_its_weight(house: House) -> None:
    """S4: what is too heavy together travels in several parcels."""
    house.rules = HouseRules(parcel_grams=700)
    for nth in range(3):
        await placed(house, f"T{nth}")
    ran = await run_wave(house, "zhejiang", wave="w", cut_off=None)
    assert len(ran.parcels) > 1


async def test_an_order_in_review_waits_until_a_human_lets_it_go(house: House) -> None:
    """O7: high value and doubts are known at placing; approved, the next wave takes it."""
    house.rules = HouseRules(review_value_fen=0)
    await placed(house, "T1")
    assert (await order(house, "T1")).review == (ReviewReason.HIGH_VALUE,)
    assert (await run_wave(house, "zhejiang", wave="w1", cut_off=None)).parts == 0
    with pytest.raises(NotFound):
        await house.do(lambda unit: releasing.pick_parcel(unit, parcel="T1-P1"))
    await house.do(lambda unit: releasing.approve_order(unit, number="T1", note="known"))
    assert (await run_wave(house, "zhejiang", wave="w2", cut_off=None)).parcels == ["T1-P1"]


async def test_the_fourth_order_of_a_day_is_looked_at(house: House) -> None:
    """O7, rule 26: more than three orders in 24 hours."""
    for nth in range(4):
        await placed(house, f"T{nth}")
        house.wait(hours=7.9 if nth == 2 else 0.01)
    await placed(house, "T9", learner="chen")
    assert await screen_fresh(house) == 1
    assert (await order(house, "T3")).review == (ReviewReason.FREQUENT_ORDERS,)
    assert not (await order(house, "T9")).review


async def test_an_address_of_many_accounts_is_looked_at(house: House) -> None:
    """O7, rule 26: the fifth account to one address, however it is written."""
    for nth in range(5):
        await house.grant(f"learner-{nth}", 9_000, f"g{nth}")
        spelled = RECIPIENT.model_copy(update={"name": f"林{'一二三四五'[nth]}"})
        await placed(house, f"T{nth}", learner=f"learner-{nth}", recipient=spelled)
        await screen_fresh(house)
        house.wait(days=1)
    reviews = [(await order(house, f"T{nth}")).review for nth in range(5)]
    assert reviews == [(), (), (), (), (ReviewReason.SHARED_ADDRESS,)]


async def test_what_was_paid_with_points_taken_back_is_looked_at(house: House) -> None:
    """O7, rule 17: orders not handed over go to review; those paid otherwise do not."""
    await placed(house, "T1")
    paid = (await order(house, "T1")).lots[0].lot
    await house.do(
        lambda unit: granting.claw_back(
            unit, learner="mei", lot=paid, points=9_000, rules=house.rules
        )
    )
    await placed(house, "T2", learner="chen")
    assert await screen_fresh(house) == 1
    assert (await order(house, "T1")).review == (ReviewReason.POINTS_CLAWED_BACK,)
    with pytest.raises(NotPossible, match="review"):
        await house.do(lambda unit: shipping.pack_part(unit, order="T1", part=1, weight_grams=500))


async def test_each_lot_taken_back_is_looked_at_when_a_human_let_the_first_one_go(
    house: House,
) -> None:
    """O7, rule 17: what was approved about one lot says nothing of the next one."""
    await house.grant("mei", 100, "second")
    for one in (await house.rows("SELECT count(*) FROM {s}.orders"))[0]:
        assert one == 0
    await placed(house, "T1", notebook=35)  # 9,100 points, of both lots
    lots = [one.lot for one in (await order(house, "T1")).lots]
    assert len(lots) == 2
    for nth, lot in enumerate(lots, start=1):
        take = partial(granting.claw_back, learner="mei", lot=lot, points=9_000, rules=house.rules)
        await house.do(lambda unit, take=take: take(unit))  # type: ignore[misc]
        await screen_fresh(house)
        await house.reader.catch_up()
        waits = await order(house, "T1")
        assert ReviewReason.POINTS_CLAWED_BACK in waits.review
        assert len(waits.taken_back) == nth
        await house.do(lambda unit: releasing.approve_order(unit, number="T1", note="known"))
        await screen_fresh(house)  # the same again: nothing new
        assert (await order(house, "T1")).review == ()


async def test_what_was_approved_about_an_address_holds_for_it_alone(house: House) -> None:
    """O7, O8, rule 26: let go for one shared address, it is looked at for the next one, too."""
    other = RECIPIENT.model_copy(update={"address": "中山路 9 号"})
    for nth in range(4):
        await house.grant(f"learner-{nth}", 9_000, f"g{nth}")
        for where, place in enumerate((RECIPIENT, other)):
            await placed(house, f"L{nth}{where}", learner=f"learner-{nth}", recipient=place)
            await screen_fresh(house)
    await placed(house, "T1")
    await screen_fresh(house)
    await house.reader.catch_up()
    assert (await order(house, "T1")).review == (ReviewReason.SHARED_ADDRESS,)
    await house.do(lambda unit: releasing.approve_order(unit, number="T1", note="a dormitory"))
    await screen_fresh(house)
    assert (await order(house, "T1")).review == ()
    house.wait(hours=1)  # it is no fresh order any more
    await house.do(
        lambda unit: readdressing.change_address(
            unit,
            number="T1",
            found=Addressed(other),
            digests=other.digests(VAULT.lookup_key),
            rules=DEFAULT_RULES,
        )
    )
    await screen_fresh(house)
    assert (await order(house, "T1")).review == (ReviewReason.SHARED_ADDRESS,)


async def test_a_new_address_leaves_the_shared_parcel(house: House) -> None:
    """O8, S4: until picking; then whoever has it must acknowledge it before it goes (rule 29)."""
    await placed(house, "T1")
    await placed(house, "T2")
    await run_wave(house, "zhejiang", wave="w", cut_off=None)
    moved = RECIPIENT.model_copy(update={"address": "中山路 9 号"})

    async def change(number: str) -> Any:
        return await house.do(
            lambda unit: readdressing.change_address(
                unit,
                number=number,
                found=Addressed(moved),
                digests=moved.digests(VAULT.lookup_key),
                rules=DEFAULT_RULES,
            )
        )

    await change("T2")
    assert (await order(house, "T2")).parts[0].planned == "T2-P1"
    assert len((await parcel(house, "T1-P1-M")).contents) == 1
    await house.do(lambda unit: releasing.pick_parcel(unit, parcel="T2-P1"))
    assert (await parcel(house, "T2-P1")).stage is Stage.PICKED
    await house.do(lambda unit: releasing.pack_parcel(unit, parcel="T2-P1", weight_grams=500))
    await change("T2")
    label = partial(shipping.issue_waybill, parcel="T2-P1", carrier="shunfeng", waybill="SF1")
    await house.do(label)
    with pytest.raises(NotPossible, match="acknowledge"):
        await house.do(lambda unit: shipping.hand_over(unit, parcel="T2-P1", rules=house.rules))
    await house.do(lambda unit: releasing.acknowledge_address(unit, parcel="T2-P1", by="zhejiang"))
    assert not (await order(house, "T2")).parts[0].address_pending
