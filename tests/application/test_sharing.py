"""One parcel for several orders: its carrier, its weight, its country (S4, W4, C2, W5)."""

from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from application import labelling, merging, pricing, releasing, shipping
from application.streams import ORDER, PARCEL
from application.unit import Unit
from domain.labels import LabelWanted
from domain.parcel_facts import CarrierChosen, Content, ParcelPlanned, WaybillIssued
from domain.rate_facts import Lane, Rate, Service, Wanted, Why
from domain.refusals import Refusal
from tests.application.test_planning import HOME, SF, ZTO, Mall, card, carriers

LABELS = {"order_labels": True}
ABROAD = HOME.model_copy(
    update={"country": "SG", "province": None, "city": None, "address": "1 Orchard Road"}
)
LANE_ABROAD = Lane(
    origin="*", destinations=("SG",), rate=Rate(first_fen=900, additional_fen=100, hours=200)
)


def cheap_and_dear(mall: Mall) -> None:
    """T1 goes with the steady carrier, T2 is worth ¥300 and goes with the fast one."""
    mall.item("cheap", {"hang": 50})
    mall.item("dear", {"hang": 50}, market_value_fen=30_000)
    mall.place("T1", {"cheap": 1})
    mall.place("T2", {"dear": 1})
    assert carriers(mall.plan("T1")) == {"hang": "zhongtong"}
    assert carriers(mall.plan("T2")) == {"hang": "shunfeng"}


def released(mall: Mall, *orders: str) -> list[str]:
    contents = [Content(order=one, part=1) for one in orders]
    release = partial(releasing.release_together, contents=contents, wave="w", rules=mall.rules)
    return list(mall.do(release)["parcels"])


def merged(mall: Mall, parcels: list[str], *orders: str) -> str:
    cards = {mall.log.state(ORDER, one).destination.card for one in orders}  # type: ignore[union-attr]
    merge = partial(
        merging.merge_parcels, parcels=parcels, cards=cards, reason="one box", rules=mall.rules
    )
    return str(mall.do(merge)["parcel"])


def chosen(mall: Mall, parcel: str) -> list[CarrierChosen]:
    return [one for one in mall.log.facts(PARCEL, parcel) if isinstance(one, CarrierChosen)]


def kept(mall: Mall, parcel: str) -> list[tuple[str, str]]:
    """Of what was planned in a parcel: (order, parcel that it could have shared)."""
    planned = mall.log.facts(PARCEL, parcel)[0]
    assert isinstance(planned, ParcelPlanned)
    return [(one.order, one.parcel) for one in planned.kept_apart]


def labelled(mall: Mall, parcel: str, carrier: str, waybill: str = "W1") -> dict[str, Any]:
    label = partial(shipping.issue_waybill, parcel=parcel, carrier=carrier, waybill=waybill)
    answer: dict[str, Any] = mall.do(label)
    return answer


def wanted_label(mall: Mall, parcel: str) -> LabelWanted:
    rules = replace(mall.rules, **LABELS)  # type: ignore[arg-type]
    mall.do(partial(labelling.want_label, parcel=parcel, rules=rules))
    (fact,) = [one for one in mall.log.facts(PARCEL, parcel) if isinstance(one, LabelWanted)]
    return fact


@pytest.mark.parametrize("orders", [("T1", "T2"), ("T2", "T1")])
def test_the_strictest_wish_wins_when_a_wave_merges(orders: tuple[str, ...]) -> None:
    """S4, W4, W5: valuables keep the fast carrier, whichever order comes first; the parcel says
    why and what the others would have cost, and its label is asked of that carrier."""
    mall = Mall(ZTO, SF)
    cheap_and_dear(mall)
    (parcel,) = released(mall, *orders)
    (fact,) = chosen(mall, parcel)
    assert (fact.shipping.carrier, fact.shipping.wanted) == ("shunfeng", Wanted.VALUABLE)
    assert fact.shipping.why is Why.ONLY_ONE
    assert set(fact.shipping.costs_fen) == {"shunfeng", "zhongtong"}
    assert wanted_label(mall, parcel).carrier == "shunfeng"


def test_a_reason_is_asked_for_when_a_merged_parcel_s_carrier_is_not_the_chosen_one() -> None:
    """W4: that it was some order's carrier alone explains nothing."""
    mall = Mall(ZTO, SF)
    cheap_and_dear(mall)
    (parcel,) = released(mall, "T1", "T2")
    told = labelled(mall, parcel, "zhongtong")
    assert (told["chosen"], told["reason_wanted"]) == ("shunfeng", True)
    issued = mall.log.facts(PARCEL, parcel)[-1]
    assert issued == WaybillIssued(carrier="zhongtong", waybill="W1", instead_of="shunfeng")


def test_what_is_worth_much_together_goes_fast_when_no_order_is_alone() -> None:
    """W4: a lost parcel loses all that is in it."""
    mall = Mall(ZTO, SF)
    mall.item("half", {"hang": 50}, market_value_fen=15_000)
    for number in ("T1", "T2"):
        mall.place(number, {"half": 1})
        assert carriers(mall.plan(number)) == {"hang": "zhongtong"}
    parcels = released(mall, "T1", "T2")
    assert parcels == ["T1-P1", "T2-P1"]  # two cheap parcels cost less than one that is worth SF
    first, second = (mall.log.facts(PARCEL, one)[0] for one in parcels)
    assert isinstance(first, ParcelPlanned)
    assert isinstance(second, ParcelPlanned)
    (apart,) = second.kept_apart  # S4: which it could have shared, and what that would have cost
    assert (first.kept_apart, apart.parcel, apart.order, apart.part) == ((), "T1-P1", "T2", 1)
    parcel = merged(mall, parcels, "T1", "T2")
    (fact,) = chosen(mall, parcel)
    assert fact.shipping.carrier == "shunfeng"
    assert (fact.shipping.total_fen, fact.apart_fen) == (1_300 + 350, 2 * (400 + 350))
    assert apart.apart_fen == fact.apart_fen
    assert apart.together_fen >= fact.shipping.total_fen > apart.apart_fen


def test_a_third_part_joins_whichever_parcel_it_makes_no_dearer() -> None:
    """S4, W4: one that was too dear together with the first may take the next one."""
    mall = Mall(ZTO, SF)
    mall.item("half", {"hang": 50}, market_value_fen=15_000)
    mall.item("cheap", {"hang": 50})
    for number, sku in (("T1", "half"), ("T2", "half"), ("T3", "cheap")):
        mall.place(number, {sku: 1})
    shared, alone = released(mall, "T1", "T2", "T3")
    assert [one.order for one in mall.log.state(PARCEL, shared).contents] == ["T1", "T3"]
    assert [one.order for one in mall.log.state(PARCEL, alone).contents] == ["T2"]
    assert [kept(mall, one) for one in (shared, alone)] == [[], [("T2", shared)]]
    (fact,) = chosen(mall, shared)
    # The second kilogramme is begun, and a box and its packing are saved.
    assert (fact.shipping.total_fen, fact.apart_fen) == (500 + 350, 2 * (400 + 350))


def test_it_is_chosen_by_weight_when_only_weight_is_new() -> None:
    """W4: the carrier that is cheapest for a kilogramme may be dear for ten."""
    heavy = card("yuantong", near=700, far=900, kg=10)
    mall = Mall(card("zhongtong", near=400, far=600, kg=900), heavy)
    mall.item("book", {"hang": 50}, weight_grams=900)
    for number in ("T1", "T2", "T3"):
        mall.place(number, {"book": 1})
        assert carriers(mall.plan(number)) == {"hang": "zhongtong"}
    (parcel,) = released(mall, "T1", "T2", "T3")
    (fact,) = chosen(mall, parcel)
    assert (fact.shipping.carrier, fact.shipping.wanted) == ("yuantong", Wanted.ECONOMICAL)
    assert fact.shipping.chargeable_grams == 2_800


def test_one_part_keeps_its_plan_s_carrier_when_it_travels_alone() -> None:
    """W4: nothing is chosen twice; nor is anything without rate cards."""
    mall = Mall(ZTO, SF)
    cheap_and_dear(mall)
    (alone,) = released(mall, "T2")
    assert chosen(mall, alone) == []
    assert wanted_label(mall, alone).carrier == "shunfeng"
    free = Mall()
    free.item("mug", {"hang": 9})
    for number in ("T1", "T2"):
        free.place(number, {"mug": 1})
    (parcel,) = released(free, "T1", "T2")
    assert chosen(free, parcel) == []


def test_the_wave_keeps_parcels_apart_when_no_fast_carrier_takes_them_together() -> None:
    """S4, W4: saving a box is no reason to send valuables by a slow carrier."""
    light = card(
        "shunfeng", near=1_200, far=1_800, hours=24, service=Service.FAST, max_parcel_grams=800
    )
    mall = Mall(ZTO, light)
    cheap_and_dear(mall)
    parcels = released(mall, "T1", "T2")
    assert parcels == ["T1-P1", "T2-P1"]
    with pytest.raises(Refusal) as refused:
        merged(mall, parcels, "T1", "T2")
    assert (refused.value.code, refused.value.figures) == ("carrier_slower", {"grams": 1_100})


def test_merging_by_hand_is_refused_when_it_is_too_heavy_for_the_warehouse() -> None:
    """C2, S4: the same limit as in a wave, by name and with the figures in both languages."""
    mall = Mall(ZTO, SF)
    mall.warehouse("hang", province="浙江省", city="杭州市", max_weight_grams=10_000)
    mall.item("heavy", {"hang": 50}, weight_grams=9_000)
    for number in ("T1", "T2"):
        mall.place(number, {"heavy": 1})
    parcels = released(mall, "T1", "T2")
    assert parcels == ["T1-P1", "T2-P1"]
    before = len(mall.log.recorded)
    with pytest.raises(Refusal) as refused:
        merged(mall, parcels, "T1", "T2")
    assert refused.value.code == "parcel_too_heavy"
    assert refused.value.figures == {"grams": 18_100, "limit_grams": 10_000, "warehouse": "hang"}
    assert "18100" in refused.value.message("zh")
    assert len(mall.log.recorded) == before


def test_merging_by_hand_is_refused_when_the_countries_differ() -> None:
    """C2, T7: one declaration is for one country's customs."""
    mall = Mall(ZTO)
    mall.warehouse("hang", province="浙江省", city="杭州市", serves=("浙江省", "SG"))
    mall.do(
        partial(pricing.publish_rate_card, card=card("ems", near=0, far=0, lanes=(LANE_ABROAD,)))
    )
    mall.item("mug", {"hang": 9})
    mall.place("T1", {"mug": 1})
    mall.place("T2", {"mug": 1}, ABROAD)
    mall.do(partial(releasing.approve_order, number="T2", note="known"))
    parcels = [*released(mall, "T1"), *released(mall, "T2")]
    with pytest.raises(Refusal) as refused:
        merged(mall, parcels, "T1", "T2")
    assert refused.value.code == "countries_differ"
    assert refused.value.figures == {"countries": "CN, SG"}


def test_it_is_chosen_by_hand_as_by_a_wave() -> None:
    """S4, W4: whoever merges, the same carrier for the same reason."""
    mall = Mall(ZTO, SF)
    cheap_and_dear(mall)
    parcels = [*released(mall, "T1"), *released(mall, "T2")]
    parcel = merged(mall, parcels, "T1", "T2")
    assert [one.shipping.carrier for one in chosen(mall, parcel)] == ["shunfeng"]


def test_each_part_has_its_plan_s_carrier_again_when_a_merge_is_undone() -> None:
    """S4, W4: what is left alone is not sent by a carrier that was for the others."""
    mall = Mall(ZTO, SF)
    cheap_and_dear(mall)
    (parcel,) = released(mall, "T1", "T2")
    apart = partial(merging.separate_parcel, parcel=parcel, reason="x", rules=mall.rules)
    kept, new = mall.do(apart)["parcels"]
    assert wanted_label(mall, kept).carrier == "zhongtong"
    assert wanted_label(mall, new).carrier == "shunfeng"


def test_it_is_chosen_anew_when_the_valuable_part_leaves() -> None:
    """S4, W4: two cheap ones stay together, and go as cheap ones do."""
    mall = Mall(ZTO, SF)
    cheap_and_dear(mall)
    mall.place("T3", {"cheap": 1})
    (parcel,) = released(mall, "T1", "T2", "T3")
    leave = partial(merging.leave_shared_parcel, order="T2", reason="x", rules=mall.rules)

    def decide(unit: Unit) -> dict[str, Any]:
        leave(unit)
        return {}

    mall.do(decide)
    last = chosen(mall, parcel)[-1].shipping
    assert (last.carrier, last.wanted) == ("zhongtong", Wanted.ECONOMICAL)
    assert mall.log.state(PARCEL, parcel).shipping == last
