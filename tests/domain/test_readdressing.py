"""Another address before shipping: another province has all of it planned anew (O8; rule 1)."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from application import pricing, readdressing, releasing, replanning, shipping, stocking
from application.addressing import Addressed
from application.recipients import Recipient
from application.streams import ORDER, PARCEL
from domain.house_rules import HouseRules
from domain.order_facts import OrderSplit
from domain.orders import Order
from domain.parcel_facts import Content
from domain.rate_facts import Lane, Rate, RateCard
from domain.refusals import NotPossible, OrderRefused
from domain.release_facts import ReviewReason
from tests.domain.test_compliance import DIGESTS
from tests.domain.test_joining import HOME, Mall

FAR = HOME.model_copy(update={"province": "江苏省", "city": "南京市"})
NEAR = HOME.model_copy(update={"address": "灵隐路 77 号"})
SURE = HouseRules(review_value_fen=10**9)


def two_places(*serving_far: str) -> Mall:
    """Three mugs of an order, two of them in `a` and one in `b`; `c` has three, too."""
    mall = Mall()
    for code in "abc":
        serves = ("*",) if code in serving_far else ("浙江省",)
        warehouse = mall.warehouse(code, serves=serves)
        mall.do(partial(stocking.put_warehouse, warehouse=warehouse))
    mall.item("mug", "a", units=2)
    mall.item("mug", "b", units=1)
    mall.place("N1", ("mug", 3), rules=SURE)
    mall.item("mug", "c", units=3)
    return mall


def priced() -> Mall:
    """One mug in `a`, from where one carrier is best within the province, another one beyond it."""
    mall = Mall()
    mall.do(partial(stocking.put_warehouse, warehouse=mall.warehouse("a", serves=("*",))))
    near, far = Rate(first_fen=400, additional_fen=100, hours=48), None
    for carrier, beyond in (
        ("zhongtong", far),
        ("shentong", near.model_copy(update={"hours": 96})),
    ):
        within = near if carrier == "zhongtong" else near.model_copy(update={"first_fen": 900})
        lanes = (
            Lane(origin="浙江省", destinations=("浙江省",), rate=within),
            Lane(origin="*", destinations=("*",), rate=beyond),
        )
        since = mall.now - timedelta(days=9)
        card = RateCard(carrier=carrier, effective_from=since, lanes=lanes)
        mall.do(partial(pricing.publish_rate_card, card=card))
    mall.item("mug", "a", weight_grams=500)
    mall.place("N1", ("mug", 1), rules=SURE)
    return mall


def move(mall: Mall, to: Recipient = FAR, **more: Any) -> Order:
    """The learner says where it goes now."""
    found = Addressed(to, **more)
    change = partial(readdressing.change_address, found=found, digests=DIGESTS, rules=SURE)
    mall.do(partial(change, number="N1"))
    return mall.log.state(ORDER, "N1")


def shape(order: Order) -> list[tuple[int, str | None, int, str | None]]:
    return [(p.number, p.warehouse, p.units[0].quantity, p.planned) for p in order.parts if p.live]


def shelves(mall: Mall) -> list[tuple[int, int]]:
    """What of the mugs is free and what is reserved, in each place."""
    found = [mall.stock(place, "mug") for place in "abc"]
    return [(one.free, one.reserved) for one in found]


def test_all_is_planned_anew_in_one_commit_when_it_goes_to_another_province() -> None:
    """O8, S1, rules 1, 10: reservations move, the plan says why, parts have numbers of their own;
    the one warehouse that serves the new place sends all, and the promise is made anew."""
    mall = two_places("c")
    before = mall.log.state(ORDER, "N1")
    assert shape(before) == [(1, "a", 2, None), (2, "b", 1, None)]
    assert shelves(mall) == [(0, 2), (0, 1), (3, 0)]
    mall.now += SURE.lane_time
    after = move(mall)
    assert shape(after) == [(3, "c", 3, None)]
    assert shelves(mall) == [(2, 0), (1, 0), (0, 3)]
    split = mall.log.facts(ORDER, "N1")[-1]
    assert isinstance(split, OrderSplit)
    assert (split.reason, split.plan.chosen_for) == ("the address changed", "fewest_parcels")
    assert before.promise is not None
    assert split.promised_by is not None
    assert split.promised_by > before.promise.by
    assert after.promise == before.promise._replace(anew=split.promised_by)


def test_the_plan_stays_when_it_goes_elsewhere_in_the_province() -> None:
    """O8: CONTROL: nearby nothing moves but the address."""
    mall = two_places("c")
    before = mall.log.state(ORDER, "N1")
    after = move(mall, NEAR)
    assert (shape(after), after.promise) == (shape(before), before.promise)
    assert shelves(mall) == [(0, 2), (0, 1), (3, 0)]


def test_its_own_units_are_there_for_the_new_plan() -> None:
    """Rule 1: what is reserved for it counts as free: the same places send it there, too."""
    mall = two_places("a", "b")
    assert [one[1:3] for one in shape(move(mall))] == [("a", 2), ("b", 1)]
    assert shelves(mall) == [(0, 2), (0, 1), (3, 0)]


@pytest.mark.parametrize(
    ("serving", "code"), [((), "outside_coverage"), (("a", "b"), "out_of_stock")]
)
def test_nothing_moves_when_nobody_can_send_it_there(serving: tuple[str, ...], code: str) -> None:
    """O1, O8: refused with every reason, as placing is; nothing is left behind."""
    mall = two_places(*serving)
    if serving:
        mall.do(
            partial(
                replanning.short_pick,
                order="N1", part=2, sku="mug", found=0, reason="broken", rules=SURE,
            )
        )  # fmt: skip
    before, stock = mall.log.state(ORDER, "N1"), shelves(mall)
    with pytest.raises(OrderRefused) as refused:
        move(mall)
    assert [one.code for one in refused.value.failures] == [code]
    assert (mall.log.state(ORDER, "N1"), shelves(mall)) == (before, stock)


def test_it_leaves_the_wave_and_the_parcel_that_it_shared() -> None:
    """S4, S5: what was merged is undone for that order alone; the next wave takes it from there."""
    mall = two_places("c")
    mall.item("pen", "a")
    mall.place("N2", ("pen", 1), rules=SURE)
    contents = [Content(order="N1", part=1), Content(order="N2", part=1)]
    together = partial(releasing.release_together, contents=contents, wave="W1", rules=SURE)
    (shared,) = mall.do(together)["parcels"]
    after = move(mall)
    assert [part.releasable for part in after.parts if part.live] == [True]
    assert mall.log.state(PARCEL, shared).contents == (contents[1],)
    (stays,) = mall.log.state(ORDER, "N2").parts
    assert (stays.planned, mall.log.state(PARCEL, shared).dissolved) == (shared, False)
    own = [one.stream for one in mall.log.recorded if one.stream.startswith("parcel:N1")]
    parcels = {one.partition(":")[2] for one in own} - {shared}
    assert parcels
    assert all(mall.log.state(PARCEL, one).dissolved for one in parcels)


def test_what_somebody_has_in_hand_goes_there_from_where_it_is() -> None:
    """O8, rule 29: it waits until somebody knows; the rest is planned anew beside it."""
    mall = two_places("a", "c")
    parcel = mall.packed("N1", 1)
    after = move(mall)
    assert shape(after) == [(1, "a", 2, None), (3, "c", 1, None)]
    assert [(one.parcel, one.address_pending) for one in after.parts] == [
        (parcel, True),
        (None, False),
    ]
    assert shelves(mall) == [(0, 0), (1, 0), (2, 1)]
    split = mall.log.facts(ORDER, "N1")[-1]
    assert isinstance(split, OrderSplit)
    assert [part.part for part in split.plan.parts] == [1, 3]


def test_who_receives_what_has_left_stays_when_the_rest_goes_elsewhere() -> None:
    """O8, T1: its carrier asks for that recipient's phone, and its receipt is held against them."""
    mall = two_places("a", "c")
    parcel = mall.packed("N1", 1)
    going = mall.log.state(ORDER, "N1").destination
    mall.do(partial(shipping.hand_over, parcel=parcel, rules=SURE))
    after = move(mall)
    assert going is not None
    assert after.destination is not None
    assert mall.log.state(PARCEL, parcel).card == going.card != after.destination.card
    rest = mall.packed("N1", after.parts[-1].number)
    assert mall.log.state(PARCEL, rest).card is None
    mall.do(partial(shipping.hand_over, parcel=rest, rules=SURE))
    assert mall.log.state(PARCEL, rest).card == after.destination.card


def test_a_carrier_that_goes_there_is_chosen_for_what_is_in_hand() -> None:
    """O8, W4: by the rate cards of the new place, with what it costs; the promise is made anew."""
    mall = priced()
    parcel = mall.packed("N1", 1)
    before = mall.log.state(ORDER, "N1")
    after = move(mall)
    split = mall.log.facts(ORDER, "N1")[-1]
    assert isinstance(split, OrderSplit)
    (part,) = split.plan.parts
    assert (part.part, split.plan.chosen_for) == (1, "all_in_hand")
    assert part.shipping is not None
    assert (before.parts[0].carrier, part.shipping.carrier) == ("zhongtong", "shentong")
    assert (after.parts[0].carrier, after.parts[0].parcel) == ("shentong", parcel)
    assert split.promised_by is not None
    assert before.promise is not None
    assert split.promised_by > before.promise.by


def test_what_is_packed_with_another_order_s_goes_to_that_ones_address() -> None:
    """S4, O8: after picking a merge is not undone; both can be called back, or sent as they are."""
    mall = two_places("a", "c")
    mall.item("pen", "a")
    mall.place("N2", ("pen", 1), rules=SURE)
    contents = [Content(order="N1", part=1), Content(order="N2", part=1)]
    together = partial(releasing.release_together, contents=contents, wave="W1", rules=SURE)
    (shared,) = mall.do(together)["parcels"]
    listed = partial(releasing.start_picking, warehouse="a", parcels=[shared], pick_list="L")
    mall.do(listed)
    mall.do(partial(releasing.pick_parcel, parcel=shared))
    for to in (NEAR, FAR):
        with pytest.raises(NotPossible, match="part 1 is packed together with N2"):
            move(mall, to)


def short(mall: Mall, part: int = 2) -> None:
    """Nothing of a part was found, and nobody has it: it waits."""
    told: dict[str, Any] = {"sku": "mug", "found": 0, "reason": "broken"}
    mall.do(partial(replanning.short_pick, order="N1", part=part, rules=SURE, **told))


def nothing_in(mall: Mall, *places: str) -> None:
    """What is free there is thrown away."""
    for place in places:
        scrap = partial(stocking.scrap_stock, sku="mug", warehouse=place, reason="x")
        mall.do(partial(scrap, quantity=mall.stock(place, "mug").free))


def kinds(mall: Mall) -> list[str]:
    """What the last command said of the order."""
    return [type(one).__name__ for one in mall.log.facts(ORDER, "N1")]


def test_what_is_packed_where_nothing_goes_there_is_put_back_and_sent_from_elsewhere() -> None:
    """O8, W1, C3: unpacked, a task for the floor, free on its shelf; the promise is made anew."""
    mall = two_places("c")
    parcel = mall.packed("N1", 1)
    assert shelves(mall) == [(0, 0), (0, 1), (3, 0)]
    after = move(mall)
    assert shape(after) == [(3, "c", 3, None)]
    assert shelves(mall) == [(2, 0), (1, 0), (0, 3)]
    assert mall.stock("a", "mug").picked == 0
    box = mall.log.state(PARCEL, parcel)
    assert (box.dissolved, [one.quantity for one in box.to_put_back]) == (True, [2])
    assert kinds(mall)[-3:] == ["PartUnpacked", "AddressChanged", "OrderSplit"]
    again = mall.packed("N1", 3)
    mall.do(partial(shipping.hand_over, parcel=again, rules=SURE))
    assert mall.log.state(PARCEL, again).card == (after.destination and after.destination.card)


def test_it_stays_in_its_box_where_its_warehouse_sends_there_or_nobody_has_it() -> None:
    """O8, O1: CONTROL: nothing is unpacked without need, nor where that leads nowhere."""
    mall = two_places("a", "c")
    mall.packed("N1", 1)
    move(mall)
    assert "PartUnpacked" not in kinds(mall)
    for serving, gone, code in (("c", "c", "out_of_stock"), ("", "", "outside_coverage")):
        mall = two_places(*serving)
        parcel = mall.packed("N1", 1)
        nothing_in(mall, *gone)
        before, stock = mall.log.state(ORDER, "N1"), shelves(mall)
        with pytest.raises(OrderRefused) as refused:
            move(mall)
        assert {one.code for one in refused.value.failures} == {code}
        assert (mall.log.state(ORDER, "N1"), shelves(mall)) == (before, stock)
        assert not mall.log.state(PARCEL, parcel).dissolved
        move(mall, NEAR)  # nearby it goes on


def test_what_waits_is_sent_from_the_warehouses_of_the_new_place_if_they_have_it() -> None:
    """O8, rules 1, 10: nobody near had it; what is far has it, so that it waits no more."""
    mall = two_places("c")
    nothing_in(mall, "c")
    short(mall)
    mall.item("mug", "c", units=3)
    after = move(mall)
    assert shape(after) == [(after.parts[-1].number, "c", 3, None)]
    assert [part.waits for part in after.parts if part.live] == [None]
    assert shelves(mall) == [(2, 0), (0, 0), (0, 3)]
    assert after.promise is not None
    assert after.promise.anew is not None


def test_what_waits_goes_on_waiting_for_what_those_get() -> None:
    """O8, rule 1: two of three are there: one waits on, for the one warehouse that goes there."""
    mall = two_places("c")
    nothing_in(mall, "c")
    short(mall)
    mall.item("mug", "c", units=2)
    after = move(mall)
    waiting = next(part for part in after.parts if part.waits)
    assert kinds(mall)[-2:] == ["WaitMoved", "OrderSplit"]
    told = mall.log.facts(ORDER, "N1")[-2]
    assert (getattr(told, "part", 0), getattr(told, "sources", ())) == (waiting.number, ("c",))
    assert shelves(mall) == [(2, 0), (0, 0), (0, 2)]
    send = partial(replanning.send_what_waited, number="N1", part=waiting.number, rules=SURE)
    mall.item("mug", "b", units=1)
    assert mall.do(send) is None
    mall.item("mug", "c", units=1)
    mall.do(send)
    assert mall.stock("c", "mug").reserved == 3
    assert sum(one.quantity for part in after.parts for one in part.units) == 3


def test_an_order_that_only_waits_may_move_where_somebody_sends_it_and_nowhere_else() -> None:
    """O8, O1: nothing is planned, and no promise made; refused where nobody would ever send it."""
    for serving, code in ((("c",), None), ((), "outside_coverage")):
        mall = two_places(*serving)
        nothing_in(mall, "c")
        short(mall, 1)
        short(mall, 2)
        facts = len(kinds(mall))
        if code is None:
            move(mall)
            assert kinds(mall)[facts:] == ["AddressChanged", "WaitMoved", "WaitMoved"]
            continue
        with pytest.raises(OrderRefused) as refused:
            move(mall)
        assert code in {one.code for one in refused.value.failures}


def test_a_doubtful_place_waits_for_a_human_there_too() -> None:
    """O7, rule 26: planned anew, and looked at before it is released."""
    mall = two_places("c")
    after = move(mall, doubts=("address_ambiguous",))
    assert after.review == (ReviewReason.ADDRESS_DOUBTFUL,)
    assert shape(after) == [(3, "c", 3, None)]
