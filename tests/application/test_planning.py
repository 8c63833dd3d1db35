"""Plans as orders get them: warehouses, stock, rate cards and lanes joined (S1, W3, W4, O6)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import given as forall
from hypothesis import settings
from hypothesis import strategies as st

from application import (
    ordering,
    pricing,
    readdressing,
    redeeming,
    replanning,
    reshipping,
    shipping,
    stocking,
)  # fmt: skip
from application.addressing import Addressed
from application.ordering import Payment
from application.planning import Goods, planner_of
from application.recipients import Digests, Recipient
from application.redeeming import Wanted, Wish, answer_quote
from application.shipping import CHOSEN_THERE
from application.streams import ACCOUNT, MALL, ORDER, PARCEL, RATES
from application.unit import Unit
from domain.cargo import Cargo
from domain.carrier_choice import choose, wanted_for
from domain.catalogue import FreightTooDear, Kind, Sensitivity, StorageClass, Terms
from domain.house_rules import HouseRules
from domain.order_facts import Channel, OrderPlaced, OrderSplit, State, Units, Upgrade
from domain.parcel_facts import WaybillIssued
from domain.point_facts import PointsGranted, Reason
from domain.rate_cards import RateCards, lane_key
from domain.rate_facts import Lane, LaneSettled, Rate, RateCard, Service
from domain.refusals import NotPossible, OrderRefused
from domain.splitting import Demand, Plan
from domain.warehouses import EVERYWHERE, Network, Packing, Warehouse
from tests.domain.splitting_oracle import least
from tests.in_memory import InMemoryLog

RULES = HouseRules(valuable_fen=30_000)
NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
"""Noon where the mall is: the wave of 16:00 is still to come."""
HOME = Recipient(
    name="林小雨", phone="+8613800138000", province="浙江省", city="杭州市", address="文三路 1 号"
)
CANTON = HOME.model_copy(update={"province": "广东省", "city": "广州市"})
LHASA = HOME.model_copy(update={"province": "西藏自治区", "city": "拉萨市"})


def card(
    carrier: str, *, near: int, far: int, kg: int = 100, hours: int = 60, **more: Any
) -> RateCard:
    """Near is within a province, far elsewhere; nobody goes to Tibet unless the card says so."""

    def rate(fen: int, longer: int) -> Rate:
        return Rate(first_fen=fen, additional_fen=kg, hours=hours + longer)

    lanes = [
        Lane(origin="浙江省", destinations=("浙江省",), rate=rate(near, 0)),
        Lane(origin="河南省", destinations=("河南省",), rate=rate(near, 0)),
        Lane(origin="*", destinations=("*",), rate=rate(far, 24)),
        Lane(origin="*", destinations=("西藏自治区",), rate=None),
    ]
    fields = {"carrier": carrier, "effective_from": NOON - timedelta(days=9), "lanes": lanes}
    return RateCard(**{**fields, **more})


ZTO = card("zhongtong", near=400, far=600)
YUNDA = card("yunda", near=390, far=590)
SF = card("shunfeng", near=1_200, far=1_800, hours=24, service=Service.FAST)
DEAR = Rate(first_fen=1_500, additional_fen=300, hours=96)
EMS = card("ems", near=0, far=0, lanes=(Lane(origin="*", destinations=("*",), rate=DEAR),))


class Mall:
    """Two warehouses, carriers, and a learner with points, on a log in memory."""

    def __init__(self, *cards: RateCard) -> None:
        self.log = InMemoryLog()
        self.now = NOON
        self.rules = RULES
        for code, province, city in (("hang", "浙江省", "杭州市"), ("zheng", "河南省", "郑州市")):
            self.warehouse(code, province=province, city=city)
        for one in cards:
            self.do(partial(pricing.publish_rate_card, card=one))
        granted = PointsGranted(
            points=10_000, reason=Reason.TASK, source="s", lot="task:s", nth=0, expires_at=None
        )
        self.log.seed(ACCOUNT, "lin", granted, now=self.now)

    def do(self, decide: Any) -> Any:
        return self.log.run(decide, now=self.now)

    def warehouse(self, code: str, **more: Any) -> None:
        fields = {
            "code": code, "name": code, "province": "浙江省", "city": "", "serves": (EVERYWHERE,),
            "packaging_fen": 150, "handling_fen": 200,
        }  # fmt: skip
        one = Warehouse(**{**fields, **more})
        self.do(partial(stocking.put_warehouse, warehouse=one))

    def item(self, sku: str, shelves: dict[str, int], **more: Any) -> None:
        fields = {
            "name": sku, "kind": Kind.PARCEL, "points": 10, "market_value_fen": 9_000,
            "weight_grams": 500,
        }  # fmt: skip
        terms = Terms(**{**fields, **more})
        put = partial(stocking.put_item, sku=sku, terms=terms, on_sale=True, rules=self.rules)
        self.do(put)
        for code, units in shelves.items():
            self.do(
                partial(
                    stocking.receive_stock, sku=sku, warehouse=code, quantity=units, reference="D"
                )
            )

    def wish(self, lines: dict[str, int], to: Recipient | None = HOME, **more: Any) -> Wish:
        wanted = tuple(Wanted(*line) for line in lines.items())
        return Wish("lin", wanted, to, Channel.APP, **more)

    def place(self, number: str, lines: dict[str, int], to: Recipient = HOME, **more: Any) -> Any:
        wish = self.wish(lines, to, **more)
        return self.do(partial(redeeming.place_order, wish=wish, number=number, rules=self.rules))

    def refused(self, lines: dict[str, int], to: Recipient = HOME, **more: Any) -> list[Any]:
        with pytest.raises(OrderRefused) as refused:
            self.place("X", lines, to, **more)
        return [one.as_failure() for one in refused.value.failures]

    def quote(self, lines: dict[str, int], to: Recipient | None = HOME, **more: Any) -> Any:
        wish = self.wish(lines, to, **more)
        before = len(self.log.recorded)
        answer = self.do(lambda unit: dict(answer_quote(unit, wish, rules=self.rules)))
        assert len(self.log.recorded) == before
        return answer

    def plan(self, number: str) -> Plan:
        placed = self.log.facts(ORDER, number)[0]
        assert isinstance(placed, OrderPlaced)
        return placed.plan

    def settled(self) -> list[tuple[str, str, str | None]]:
        return [
            (one.warehouse, one.carrier, one.instead_of)
            for one in self.log.facts(RATES, MALL)
            if isinstance(one, LaneSettled)
        ]


def carriers(plan: Plan) -> dict[str | None, str]:
    return {part.warehouse: part.shipping.carrier for part in plan.parts if part.shipping}


# --- plans -----------------------------------------------------------------------------------


def test_everything_is_as_without_rate_cards_when_the_mall_published_none() -> None:
    """S1: the fewest parcels, no freight, the default lane in the promise."""
    mall = Mall()
    mall.item("mug", {"hang": 5, "zheng": 5})
    mall.place("N1", {"mug": 1}, CANTON)
    plan = mall.plan("N1")
    assert (plan.chosen_for, plan.costs, plan.alternatives) == (
        "fewest_parcels", None, (("zheng",),),
    )  # fmt: skip
    assert [part.shipping for part in plan.parts] == [None]
    assert mall.settled() == []
    quote = mall.quote({"mug": 1}, CANTON)
    assert (quote["freight_fen"], quote["upgrades"]) == (0, [])
    assert quote["promised_by"] == NOON + timedelta(hours=4 + 24 + 72)


def test_a_part_says_carrier_costs_and_why_when_there_are_rate_cards() -> None:
    """S1, W4: the plan, its alternatives and their costs are in the order's first fact."""
    mall = Mall(ZTO, YUNDA, SF)
    mall.item("mug", {"hang": 5, "zheng": 5})
    placed = mall.place("N1", {"mug": 1})
    plan = mall.plan("N1")
    assert plan.costs is not None
    assert (plan.chosen_for, plan.costs.total_fen) == ("least_cost", 390 + 150 + 200)
    assert (plan.alternatives, plan.costs.alternatives_fen) == ((("zheng",),), (590 + 350,))
    shipping_ = plan.parts[0].shipping
    assert shipping_ is not None
    assert shipping_.model_dump(exclude={"costs_fen"}) == {
        "carrier": "yunda", "freight_fen": 390, "packaging_fen": 150, "handling_fen": 200,
        "chargeable_grams": 600, "hours": 60, "wanted": "economical", "why": "least_cost",
    }  # fmt: skip
    assert shipping_.costs_fen == {"shunfeng": 1_200, "yunda": 390, "zhongtong": 400}
    assert placed["promised_by"] == NOON + timedelta(hours=4 + 24 + 60)
    part = mall.log.state(ORDER, "N1").parts[0]
    assert part.carrier == "yunda"


def test_packaging_is_weighed_when_a_parcel_is_quoted() -> None:
    """W3, S1: goods just under a kilogramme are more than one with what they are packed in."""
    mall = Mall(ZTO)
    mall.item("bookend", {"hang": 5}, weight_grams=950, learner_pays_freight=True)
    assert mall.quote({"bookend": 1})["freight_fen"] == 500
    mall.rules = replace(RULES, packaging_grams=50)
    assert mall.quote({"bookend": 1})["freight_fen"] == 400


def test_the_nearer_warehouse_sends_it_when_its_freight_is_less() -> None:
    """S1: freight decides where packaging is alike, the other way round for another province."""
    mall = Mall(ZTO)
    mall.item("mug", {"hang": 5, "zheng": 5})
    henan = HOME.model_copy(update={"province": "河南省", "city": "郑州市"})
    mall.place("N1", {"mug": 1})
    mall.place("N2", {"mug": 1}, henan)
    assert list(carriers(mall.plan("N1"))) == ["hang"]
    assert list(carriers(mall.plan("N2"))) == ["zheng"]


def test_packing_decides_when_a_class_is_dear_to_pack_in_one_place() -> None:
    """S1: packaging cost by packaging class; a parcel's dearest class counts."""
    mall = Mall(ZTO)
    packs = (Packing(packaging_class="fragile", fen=900),)
    mall.warehouse("hang", province="浙江省", city="杭州市", packs=packs)
    mall.item("mug", {"hang": 5, "zheng": 5}, packaging_class="fragile")
    mall.item("book", {"hang": 5, "zheng": 5})
    mall.place("N1", {"mug": 1})
    assert list(carriers(mall.plan("N1"))) == ["zheng"]
    mall.place("N2", {"book": 1})
    assert list(carriers(mall.plan("N2"))) == ["hang"]


def test_no_parcel_is_heavier_than_its_warehouse_sends() -> None:
    """C2, S3: the limit is the parcel's, and what does not fit into one goes in two."""
    mall = Mall(ZTO)
    mall.warehouse("hang", province="浙江省", city="杭州市", max_weight_grams=10_000)
    mall.item("stone", {"hang": 5}, weight_grams=4_000, market_value_fen=20_000)
    mall.place("N1", {"stone": 3})
    parts = mall.plan("N1").parts
    assert [part.warehouse for part in parts] == ["hang", "hang"]
    assert sum(unit.quantity for part in parts for unit in part.units) == 3
    assert mall.log.state(ORDER, "N1").state is State.PENDING_SHIPMENT
    assert [one["code"] for one in mall.refused({"stone": 2}, LHASA)] == ["outside_coverage"]


def test_a_place_is_covered_when_warehouse_and_carrier_serve_it() -> None:
    """O1: coverage is a serving warehouse × a serving carrier (rules.md 9)."""
    mall = Mall(ZTO)
    mall.item("mug", {"hang": 5})
    failure = mall.refused({"mug": 1}, LHASA)[0]
    assert (failure["code"], failure["region"]) == ("outside_coverage", "西藏自治区")
    mall.do(partial(pricing.publish_rate_card, card=EMS))
    mall.place("N1", {"mug": 1}, LHASA)
    plan = mall.plan("N1")
    assert carriers(plan) == {"hang": "ems"}
    assert plan.parts[0].shipping is not None
    assert plan.parts[0].shipping.why == "only_one"


def test_goods_go_fast_when_the_order_is_worth_it() -> None:
    """W4: valuable goods by a fast carrier, all parcels of the order."""
    mall = Mall(ZTO, SF)
    mall.item("watch", {"hang": 5}, market_value_fen=16_000)
    mall.place("N1", {"watch": 1})
    mall.place("N2", {"watch": 2})
    assert carriers(mall.plan("N1")) == {"hang": "zhongtong"}
    assert carriers(mall.plan("N2")) == {"hang": "shunfeng"}
    shipping_ = mall.plan("N2").parts[0].shipping
    assert shipping_ is not None
    assert (shipping_.wanted, shipping_.why) == ("valuable", "only_one")


def test_a_lane_keeps_its_carrier_until_changing_is_worth_it() -> None:
    """W4: no hopping without cause; what was settled is a fact, and only when it is new."""
    mall = Mall(ZTO)
    mall.item("mug", {"hang": 9})
    mall.place("N1", {"mug": 1})
    mall.do(partial(pricing.publish_rate_card, card=YUNDA))
    mall.place("N2", {"mug": 1})
    assert carriers(mall.plan("N2")) == {"hang": "zhongtong"}
    kept = mall.plan("N2").parts[0].shipping
    assert kept is not None
    assert (kept.why, kept.costs_fen) == ("kept", {"yunda": 390, "zhongtong": 400})
    cheap = card("yunda", near=350, far=500, effective_from=NOON)
    mall.do(partial(pricing.publish_rate_card, card=cheap))
    for number in ("N3", "N4"):
        mall.place(number, {"mug": 1})
        assert carriers(mall.plan(number)) == {"hang": "yunda"}
    changed = mall.plan("N3").parts[0].shipping
    assert changed is not None
    assert changed.why == "worth_changing"
    assert mall.settled() == [("hang", "zhongtong", None), ("hang", "yunda", "zhongtong")]


def test_a_card_counts_for_orders_of_its_time() -> None:
    """W3: an order that happened before a card came into force is planned by the older one."""
    mall = Mall(ZTO)
    mall.item("mug", {"hang": 9})
    later = card("zhongtong", near=700, far=900, effective_from=NOON + timedelta(days=1))
    mall.do(partial(pricing.publish_rate_card, card=later))
    mall.place("N1", {"mug": 1})
    mall.now += timedelta(days=2)
    mall.place("N2", {"mug": 1})
    wish = mall.wish({"mug": 1})
    mall.log.run(
        partial(redeeming.place_order, wish=wish, number="N3", rules=RULES),
        now=mall.now,
        happened_at=NOON,
    )
    freights = [
        part.shipping.freight_fen
        for number in ("N1", "N2", "N3")
        for part in mall.plan(number).parts
        if part.shipping
    ]
    assert freights == [400, 700, 400]


def test_plans_are_the_same_when_they_are_remembered() -> None:
    """S1: the second order gets the first one's plan; other stock, another plan."""
    mall = Mall(ZTO, YUNDA)
    mall.item("mug", {"hang": 2, "zheng": 5})
    mall.place("N1", {"mug": 1})
    mall.place("N2", {"mug": 1})
    mall.place("N3", {"mug": 1})
    assert mall.plan("N2").parts == mall.plan("N1").parts
    assert list(carriers(mall.plan("N3"))) == ["zheng"]
    for _, live, anew in mall.log.replayed():
        assert live == anew


# --- against the oracle ----------------------------------------------------------------------

offers = st.lists(
    st.tuples(
        st.sampled_from(["zhongtong", "yunda", "ems", "shunfeng"]),
        st.integers(3, 15).map(lambda n: n * 100),
        st.integers(0, 6).map(lambda n: n * 100),
        st.sampled_from([500, 1_000]),
        st.sampled_from([6_000, 12_000]),
        st.sampled_from([3_000, 20_000]),
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda one: one[0],
)


def offered(drawn: tuple[str, int, int, int, int, int]) -> RateCard:
    carrier, first, step, grams, divisor, most = drawn
    rate = Rate(first_fen=first, additional_grams=grams, additional_fen=step, hours=48)
    return RateCard(
        carrier=carrier,
        effective_from=NOON,
        service=Service.FAST if carrier == "shunfeng" else Service.ECONOMICAL,
        volume_divisor=divisor,
        max_parcel_grams=most,
        lanes=(Lane(origin="*", destinations=("*",), rate=rate),),
    )


def terms_of(
    grams: int,
    size: tuple[int, int, int] | None,
    packed: str = "standard",
    fragile: tuple[Sensitivity, ...] = (),
    fen: int = 9_000,
) -> Terms:
    """An item of this weight and size."""
    return Terms(
        name="x", kind=Kind.PARCEL, points=1, market_value_fen=fen, weight_grams=grams,
        size_millimetres=size, packaging_class=packed, sensitive_to=fragile,
    )  # fmt: skip


things = st.builds(
    terms_of,
    st.sampled_from([0, 400, 1_000, 1_900]),
    st.sampled_from([None, (200, 200, 100), (300, 300, 200)]),
    st.sampled_from(["standard", "fragile"]),
    st.sampled_from([(), (Sensitivity.FRAGILE,)]),
    st.sampled_from([9_000, 20_000]),
)  # fmt: skip
CODES = ("a", "b", "c")


@settings(max_examples=100, deadline=None)
@forall(
    st.data(),
    st.sampled_from([(1,), (3,), (1, 1), (2, 2), (1, 2, 1)]),
    offers,
    st.integers(1, 4),
    st.booleans(),
)
def test_a_real_plan_costs_what_the_oracle_says(
    data: st.DataObject, sizes: tuple[int, ...], drawn: list[Any], limit: int, urgent: bool
) -> None:
    """S1, S3, W4: with rate cards, limits, kept lanes and packing, the least cost there is."""
    packs = (Packing(packaging_class="fragile", fen=data.draw(st.sampled_from([0, 400]))),)
    network = Network(
        {
            code: Warehouse(
                code=code, name=code, province="浙江省", city="", serves=(EVERYWHERE,),
                packaging_fen=100, handling_fen=data.draw(st.sampled_from([0, 300])), packs=packs,
                max_weight_grams=data.draw(st.sampled_from([None, 2_000, 9_000])),
            )
            for code in CODES
        }
    )  # fmt: skip
    kept = data.draw(st.dictionaries(st.sampled_from(CODES), st.sampled_from(["ems", "yunda"])))
    lanes = {lane_key(code, "浙江省", Service.ECONOMICAL): one for code, one in kept.items()}
    rates = RateCards(tuple(offered(one) for one in drawn), {}, lanes)
    planner = planner_of(network, rates, NOON, rules=RULES)
    place = planner.place("浙江省", None)
    goods, demands, free = [], [], {}
    for line, quantity in enumerate(sizes, start=1):
        served = planner.serving(place, data.draw(things))
        there = tuple(data.draw(st.integers(0, quantity)) for _ in served.codes)
        goods.append(Goods(line, served, quantity, there))
        demands.append(Demand(line, f"s{line}", quantity, served.codes, served.cargo))
        free.update({(code, f"s{line}"): n for code, n in zip(served.codes, there, strict=True)})
    planned = planner.plan(tuple(goods), place, max_parts=limit, urgent=urgent)
    value = sum(one.served.cargo.value_fen * one.quantity for one in goods)
    wanted = wanted_for(urgent=urgent, value_fen=value, rules=RULES)
    tariff = rates.at(NOON, zone=RULES.zone)

    def price(code: str, cargo: Cargo) -> int | None:
        warehouse, known = network.named(code), kept.get(code)
        cargo = cargo._replace(grams=cargo.grams + RULES.packaging_grams)
        if cargo.grams > (warehouse.max_weight_grams or 10**9):
            return None
        choice = choose(
            tariff.offers("浙江省", "浙江省", same_city=False),
            cargo,
            wanted=wanted,
            kept={Service.ECONOMICAL: known} if known else {},
            rules=RULES,
        )
        if choice is None:
            return None
        return choice.quote.fen + warehouse.packaging_for(cargo.packaging) + warehouse.handling_fen

    best = least(
        demands, free, max_parts=limit, prices={code: partial(price, code) for code in CODES}
    )
    if planned is None:
        assert best is None
        return
    assert planned.plan.costs is not None
    pieces = sum(len(part.units) for part in planned.plan.parts)
    assert (planned.plan.costs.total_fen, len(planned.plan.parts), pieces) == best


def test_what_is_large_but_light_goes_with_whom_its_weight_is_taken_by() -> None:
    """S1: a limit is on what parcels weigh, so no bound by volume rules the cheap carrier out."""
    network = Network(
        {"a": Warehouse(code="a", name="a", province="浙江省", city="", serves=(EVERYWHERE,))}
    )
    cards = [("zhongtong", 300, 0, 500, 6_000, 3_000), ("yunda", 300, 100, 500, 6_000, 20_000)]
    rates = RateCards(tuple(offered(one) for one in cards), {}, {})
    planner = planner_of(network, rates, NOON, rules=RULES)
    place = planner.place("浙江省", None)
    sizes: list[tuple[int, tuple[int, int, int] | None]] = [(0, (300, 300, 200)), (1_900, None)]
    goods = [
        Goods(line, planner.serving(place, terms_of(grams, size)), 2, (2,))
        for line, (grams, size) in enumerate(sizes, start=1)
    ]
    planned = planner.plan(tuple(goods), place, max_parts=2, urgent=False)
    assert planned is not None
    assert planned.plan.costs is not None
    assert planned.plan.costs.total_fen == 600
    shares = [[(one.line, one.quantity) for one in part.units] for part in planned.plan.parts]
    assert sorted(shares, key=len) == [[(2, 1)], [(1, 2), (2, 1)]]


# --- what the learner pays -------------------------------------------------------------------


def test_the_mall_bears_freight_unless_the_item_says_otherwise() -> None:
    """O6: by weight, where one parcel holds goods of both kinds (rules.md 8)."""
    mall = Mall(ZTO)
    mall.item("mug", {"hang": 9})
    mall.item("desk", {"hang": 9}, weight_grams=1_500, learner_pays_freight=True)
    assert mall.quote({"mug": 1})["freight_fen"] == 0
    assert mall.quote({"desk": 1})["freight_fen"] == 500
    quote = mall.quote({"mug": 1, "desk": 1})
    assert (quote["cash_fen"], quote["freight_fen"]) == (0, 600 * 1_500 // 2_000)
    placed = mall.place("N1", {"mug": 1, "desk": 1})
    assert (placed["status"], placed["freight_fen"]) == ("pending_payment", 450)
    order = mall.log.state(ORDER, "N1")
    assert (order.freight_fen, order.cash_fen) == (450, 450)
    assert mall.log.state(ACCOUNT, "lin").holds


def test_a_faster_way_is_offered_at_what_it_costs_more() -> None:
    """O6: paid upgrades with their price and promise, also beside other freight."""
    mall = Mall(ZTO, SF)
    mall.item("mug", {"hang": 9})
    (upgrade,) = mall.quote({"mug": 1})["upgrades"]
    assert upgrade == {
        "upgrade": "express",
        "extra_fen": 1_200 - 400,
        # It waits for no wave, but to be paid (S5; rules.md 8).
        "promised_by": NOON + timedelta(hours=24 + 24, minutes=3),
        "parts": [
            {
                "part": 1, "warehouse": "hang", "units": [{"line": 1, "quantity": 1}],
                "carrier": "shunfeng", "hours": 24,
            }
        ],
    }  # fmt: skip
    chosen = mall.quote({"mug": 1}, upgrade=Upgrade.EXPRESS)
    assert (chosen["freight_fen"], chosen["promised_by"]) == (800, upgrade["promised_by"])


def test_an_upgrade_is_paid_with_the_cash_part_and_then_sent_fast() -> None:
    """O6, O5: points are held until the upgrade is paid; cancelled in time, it comes back."""
    mall = Mall(ZTO, SF)
    mall.item("mug", {"hang": 9}, cash_fen=100)
    placed = mall.place("N1", {"mug": 1}, upgrade=Upgrade.EXPRESS, freight_expected_fen=800)
    assert (placed["cash_fen"], placed["freight_fen"]) == (100, 800)
    fact = mall.log.facts(ORDER, "N1")[0]
    assert isinstance(fact, OrderPlaced)
    assert (fact.upgrade, fact.freight_fen, carriers(fact.plan)) == (
        "express", 800, {"hang": "shunfeng"},
    )  # fmt: skip
    pay = partial(
        ordering.take_payment, number="N1", payment=Payment("A1", "sandbox", 900, NOON), rules=RULES
    )
    mall.do(pay)
    order = mall.log.state(ORDER, "N1")
    assert (order.state, order.upgrade) == (State.PENDING_SHIPMENT, Upgrade.EXPRESS)
    cancel = partial(ordering.cancel_order, number="N1", wanted=None, reason="x", rules=RULES)
    mall.do(cancel)
    assert mall.log.state(ORDER, "N1").cash_fen == 0


def test_an_upgrade_is_refused_when_nobody_is_faster() -> None:
    """O6: nobody pays for what makes no difference; courses have nothing to send."""
    mall = Mall(ZTO)
    mall.item("mug", {"hang": 9})
    mall.item("course", {}, kind=Kind.COURSE)
    for lines in ({"mug": 1}, {"course": 1}):
        failures = mall.refused(lines, upgrade=Upgrade.EXPRESS)
        assert [one["code"] for one in failures] == ["upgrade_unavailable"]
    mall.do(partial(pricing.publish_rate_card, card=SF))
    mall.item("watch", {"hang": 9}, market_value_fen=40_000)
    assert mall.quote({"watch": 1})["upgrades"] == []  # it goes fast anyhow


def test_another_freight_is_refused_than_the_caller_saw() -> None:
    """O6: prices may change between quote and order; nobody pays unseen."""
    mall = Mall(ZTO)
    mall.item("desk", {"hang": 9}, learner_pays_freight=True)
    (failure,) = mall.refused({"desk": 1}, freight_expected_fen=300)
    assert (failure["code"], failure["freight_fen"], failure["expected"]) == (
        "freight_changed", 400, 300,
    )  # fmt: skip
    assert mall.place("N1", {"desk": 1}, freight_expected_fen=400)["freight_fen"] == 400


# --- afterwards ------------------------------------------------------------------------------


def test_parts_planned_anew_say_how_they_are_sent_now() -> None:
    """S1, W4: a short pick moves units; every parcel of the new split has its carrier and costs."""
    mall = Mall(ZTO, YUNDA)
    mall.item("mug", {"hang": 3, "zheng": 3})
    mall.place("N1", {"mug": 3})
    mall.do(
        partial(
            replanning.short_pick,
            order="N1", part=1, sku="mug", found=1, reason="two are broken", rules=RULES,
        )
    )  # fmt: skip
    split = mall.log.facts(ORDER, "N1")[-1]
    assert isinstance(split, OrderSplit)
    sent = {part.warehouse: part.shipping for part in split.plan.parts}
    assert {code: one and one.chargeable_grams for code, one in sent.items()} == {
        "hang": 600, "zheng": 1_100,
    }  # fmt: skip
    order = mall.log.state(ORDER, "N1")
    assert [part.carrier for part in order.parts] == ["yunda", "yunda"]


def moved(mall: Mall, number: str) -> OrderSplit:
    """Its learner has it sent to Henan."""
    there = HOME.model_copy(update={"province": "河南省", "city": "郑州市"})
    digests = Digests(b"p" * 32, b"t" * 32, b"a" * 32)
    found = Addressed(there)
    mall.do(
        partial(
            readdressing.change_address,
            number=number, found=found, digests=digests, rules=RULES,
        )
    )  # fmt: skip
    split = mall.log.facts(ORDER, number)[-1]
    assert isinstance(split, OrderSplit)
    return split


def test_an_order_that_goes_to_another_province_is_planned_like_a_new_one() -> None:
    """O8, S1, W4, O6: warehouse, carrier, costs and alternatives, as when it is placed there."""
    mall = Mall(ZTO, YUNDA)
    mall.item("mug", {"hang": 3, "zheng": 9})
    mall.place("N1", {"mug": 2})
    assert list(carriers(mall.plan("N1"))) == ["hang"]
    split = moved(mall, "N1")
    mall.place("N2", {"mug": 2}, to=HOME.model_copy(update={"province": "河南省"}))
    there = mall.plan("N2")
    (part,), (like,) = split.plan.parts, there.parts
    assert (part.part, part.warehouse, part.shipping) == (2, "zheng", like.shipping)
    assert (split.plan.costs, split.plan.alternatives) == (there.costs, there.alternatives)
    placed = mall.log.facts(ORDER, "N2")[0]
    assert isinstance(placed, OrderPlaced)
    assert split.promised_by == placed.promised_by


def test_nobody_is_charged_for_freight_that_was_not_agreed_on() -> None:
    """O8, rule 8: the mall bears what is more; where items say that learners pay, it is refused;
    what is less was paid, and stays: freight goes back where mall or carrier is at fault."""
    mall = Mall(ZTO)
    mall.item("mug", {"hang": 9})
    mall.place("N1", {"mug": 1})
    (part,) = moved(mall, "N1").plan.parts
    assert part.shipping is not None
    assert part.shipping.freight_fen == 600
    mall.item("desk", {"hang": 9}, learner_pays_freight=True)
    mall.place("N2", {"desk": 1})
    before = len(mall.log.recorded)
    with pytest.raises(NotPossible, match="600 fen there, not 400"):
        moved(mall, "N2")
    assert len(mall.log.recorded) == before
    mall.item("desk", {"zheng": 9}, learner_pays_freight=True)
    moved(mall, "N2")  # from nearer by it costs what it did
    order = mall.log.state(ORDER, "N2")
    assert (order.freight_fen, order.cash_fen) == (400, 400)


def test_missing_units_are_planned_like_an_order() -> None:
    """S1: at the least total cost, though a nearer warehouse has them; and it is told (rule 1)."""
    mall = Mall(ZTO, YUNDA)
    mall.warehouse("ning", city="宁波市", handling_fen=900)
    mall.item("mug", {"hang": 3, "zheng": 3, "ning": 3})
    mall.place("N1", {"mug": 2})
    answer = mall.do(
        partial(
            replanning.short_pick,
            order="N1", part=1, sku="mug", found=0, reason="both are broken", rules=RULES,
        )
    )  # fmt: skip
    assert answer["moved"] == [{"part": 2, "warehouse": "zheng", "quantity": 2}]
    split = mall.log.facts(ORDER, "N1")[-1]
    assert isinstance(split, OrderSplit)
    assert (split.plan.chosen_for, split.plan.alternatives[0]) == ("least_cost", ("ning",))
    assert split.plan.costs is not None
    # Two mugs of a pound weigh more than a kilogramme, packed.
    assert split.plan.costs.total_fen == 590 + 100 + 150 + 200
    assert split.plan.costs.alternatives_fen[0] == 390 + 100 + 150 + 900


def test_what_is_sent_once_more_has_a_plan_like_any_order() -> None:
    """S1, D2: the linked order's parts have carrier and costs, too."""
    mall = Mall(ZTO)
    mall.item("mug", {"hang": 3})
    mall.place("N1", {"mug": 1})
    units = [Units(part=1, line=1, quantity=1)]

    def set_aside(unit: Unit) -> dict[str, Any]:
        reshipping.set_aside(unit, number="N1", units=units, case="dispute:D1", rules=RULES)
        return {}

    mall.do(set_aside)
    made = mall.log.state(ORDER, "N1").replacements[0]
    assert carriers(made.plan) == {"hang": "zhongtong"}


def packed(mall: Mall, number: str) -> str:
    pack = partial(shipping.pack_part, order=number, part=1, weight_grams=0)
    return str(mall.do(pack)["parcel"])


def label(mall: Mall, parcel: str, carrier: str, reason: str = "") -> tuple[Any, list[Any]]:
    answer = mall.do(
        partial(shipping.issue_waybill, parcel=parcel, carrier=carrier, waybill="W1", reason=reason)
    )
    facts = [one for one in mall.log.facts(PARCEL, parcel) if isinstance(one, WaybillIssued)]
    return answer, facts


def test_nothing_is_said_when_the_chosen_carrier_takes_it() -> None:
    """W4: as planned."""
    mall = Mall(ZTO)
    mall.item("mug", {"hang": 3})
    mall.place("N1", {"mug": 1})
    answer, facts = label(mall, packed(mall, "N1"), "zhongtong", "no need")
    assert (answer["chosen"], answer["reason_wanted"]) == ("zhongtong", False)
    assert facts == [WaybillIssued(carrier="zhongtong", waybill="W1")]


def test_a_reason_is_asked_for_when_staff_take_another_carrier() -> None:
    """W4: staff can override; the label stands, and the reason may come after it."""
    mall = Mall(ZTO)
    mall.item("mug", {"hang": 3})
    mall.place("N1", {"mug": 1})
    parcel = packed(mall, "N1")
    answer, facts = label(mall, parcel, "shunfeng")
    assert (answer["chosen"], answer["reason_wanted"]) == ("zhongtong", True)
    assert facts == [WaybillIssued(carrier="shunfeng", waybill="W1", instead_of="zhongtong")]
    answer, facts = label(mall, parcel, "shunfeng", "the learner asked for it")
    assert answer["reason_wanted"] is False
    assert facts[1:] == [
        WaybillIssued(
            carrier="shunfeng", waybill="W1", instead_of="zhongtong",
            reason="the learner asked for it",
        )
    ]  # fmt: skip
    assert label(mall, parcel, "shunfeng", "once more")[1] == facts


def test_no_reason_is_asked_for_when_a_third_party_chose() -> None:
    """W4: a third-party warehouse may choose and report back."""
    mall = Mall(ZTO)
    mall.warehouse("hang", province="浙江省", city="杭州市", third_party=True)
    mall.item("mug", {"hang": 3})
    mall.place("N1", {"mug": 1})
    answer, facts = label(mall, packed(mall, "N1"), "yunda")
    assert answer["reason_wanted"] is False
    assert [one.reason for one in facts] == [CHOSEN_THERE]


def test_any_carrier_is_fine_when_nobody_was_chosen() -> None:
    """W4: a mall without rate cards labels as before."""
    mall = Mall()
    mall.item("mug", {"hang": 3})
    mall.place("N1", {"mug": 1})
    answer, facts = label(mall, packed(mall, "N1"), "shunfeng")
    assert (answer["chosen"], answer["reason_wanted"]) == (None, False)
    assert facts == [WaybillIssued(carrier="shunfeng", waybill="W1")]


def test_the_promise_counts_the_next_wave_when_cash_may_come_after_this_one() -> None:
    """O6, rule 10: what is paid up to three minutes later may miss the wave; quote and order say
    the same, and what is paid in points alone is promised from now."""
    mall = Mall(ZTO)
    mall.item("mug", {"hang": 9}, cash_fen=500)
    mall.item("cup", {"hang": 9})
    cut_off = NOON + timedelta(hours=4)
    way = timedelta(hours=24 + 60)
    for before, wave in (
        (timedelta(minutes=3), cut_off),
        (timedelta(minutes=1), cut_off + timedelta(days=1)),
    ):
        mall.now = cut_off - before
        number = f"N{before.seconds}"
        assert mall.quote({"mug": 1})["promised_by"] == wave + way
        assert mall.place(number, {"mug": 1})["promised_by"] == wave + way
        assert mall.quote({"cup": 1})["promised_by"] == cut_off + way


# --- listing ---------------------------------------------------------------------------------


def test_an_item_is_not_listed_when_its_freight_is_too_dear_somewhere() -> None:
    """C1: the dearest province outside the remote regions, with the figures (rules.md 9)."""
    mall = Mall(ZTO, EMS)
    with pytest.raises(FreightTooDear) as refused:
        mall.item("pebble", {}, market_value_fen=2_999)
    assert refused.value.code == "freight_too_dear"
    assert refused.value.figures["freight_fen"] == 600
    assert refused.value.figures["carrier"] == "zhongtong"
    assert "600" in refused.value.message("zh")
    mall.item("pebble", {}, market_value_fen=3_000)
    mall.item("gift", {}, market_value_fen=1, freight_override="anniversary")
    mall.item("course", {}, market_value_fen=0, kind=Kind.COURSE)


def test_only_warehouses_that_keep_an_item_count_when_it_is_listed() -> None:
    """C1, C2: the cheapest of them for each province."""
    mall = Mall(ZTO)
    mall.warehouse("hang", province="浙江省", city="杭州市", stores=(StorageClass.PAPER,))
    mall.warehouse("zheng", province="河南省", city="郑州市", serves=("河南省",))
    with pytest.raises(FreightTooDear):
        mall.item("paper", {}, market_value_fen=2_999, storage_class=StorageClass.PAPER)
    mall.item("wood", {}, market_value_fen=2_000, storage_class=StorageClass.WOOD)
