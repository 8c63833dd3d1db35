"""Which carrier takes a parcel: fast, economical, steady, and why (W4)."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from domain.cargo import Cargo
from domain.carrier_choice import Choice, choose, wanted_for
from domain.house_rules import HouseRules
from domain.rate_cards import Offer
from domain.rate_facts import Lane, Rate, RateCard, Risk, Service, Wanted, Why

RULES = HouseRules(valuable_fen=30_000, carrier_gain_percent=10, late_parcel_fen=500)
MUG = Cargo(grams=400, value_fen=5_000)


def offer(carrier: str, fen: int, *, hours: int = 60, fast: bool = False, **more: Any) -> Offer:
    rate = Rate(first_fen=fen, additional_fen=100, hours=hours)
    card = RateCard(
        **{
            "carrier": carrier,
            "effective_from": datetime(2026, 3, 1, tzinfo=UTC),
            "service": Service.FAST if fast else Service.ECONOMICAL,
            "lanes": (Lane(origin="*", destinations=("*",), rate=rate),),
            **more,
        }
    )
    return Offer(card, rate, destination="广东省", percent_off=0)


SF = offer("shunfeng", 1_300, hours=24, fast=True)
JD = offer("jd", 1_000, hours=36, fast=True)
ZTO = offer("zhongtong", 450)
YUNDA = offer("yunda", 420)


def chosen(*offers: Offer, cargo: Cargo = MUG, kept: str = "", **more: Any) -> Choice:
    asked = {"wanted": Wanted.ECONOMICAL, "rules": RULES, **more}
    lane = {Service.ECONOMICAL: kept, Service.FAST: kept}
    found = choose(offers, cargo, kept=lane, **asked)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("urgent", "value_fen", "wanted"),
    [
        (False, 29_999, Wanted.ECONOMICAL),
        (False, 30_000, Wanted.VALUABLE),
        (True, 0, Wanted.URGENT),
        (True, 90_000, Wanted.URGENT),
    ],
)
def test_speed_or_safety_is_wanted_when_paid_for_or_worth_it(
    urgent: bool, value_fen: int, wanted: Wanted
) -> None:
    """W4: valuable or urgent goods are told from cheap ones by the house's figure."""
    assert wanted_for(urgent=urgent, value_fen=value_fen, rules=RULES) is wanted


def test_the_cheapest_takes_it_when_the_goods_are_cheap() -> None:
    """W4: economical; with what the others would have cost."""
    found = chosen(SF, JD, ZTO, YUNDA)
    assert (found.carrier, found.why, found.service) == ("yunda", Why.LEAST_COST, "economical")
    assert found.costs_fen == {"shunfeng": 1_300, "jd": 1_000, "zhongtong": 450, "yunda": 420}
    assert (found.quote.fen, found.quote.chargeable_grams, found.hours) == (420, 400, 60)


@pytest.mark.parametrize("wanted", [Wanted.VALUABLE, Wanted.URGENT])
def test_the_cheapest_fast_one_takes_it_when_it_matters(wanted: Wanted) -> None:
    """W4: valuable or urgent goes by a fast carrier, whatever the others ask."""
    found = chosen(SF, JD, ZTO, YUNDA, wanted=wanted)
    assert (found.carrier, found.service, found.wanted) == ("jd", Service.FAST, wanted)
    assert set(found.costs_fen) == {"shunfeng", "jd", "zhongtong", "yunda"}


def test_somebody_else_takes_it_when_no_fast_one_serves() -> None:
    """W4: remote → the one that serves it."""
    found = chosen(ZTO, YUNDA, wanted=Wanted.URGENT)
    assert (found.carrier, found.service) == ("yunda", Service.ECONOMICAL)
    only = chosen(offer("ems", 2_200), wanted=Wanted.VALUABLE)
    assert (only.carrier, only.why) == ("ems", Why.ONLY_ONE)


def test_the_fast_one_is_passed_over_when_it_does_not_take_such_weight() -> None:
    """W4: who cannot take the parcel does not come into question."""
    light = offer("jd", 1_000, fast=True, max_parcel_grams=300)
    found = chosen(light, ZTO, YUNDA, wanted=Wanted.URGENT)
    assert found.carrier == "yunda"
    assert "jd" not in found.costs_fen
    heavy = Cargo(grams=40_000)
    assert choose([ZTO], heavy, wanted=Wanted.URGENT, kept={}, rules=RULES) is None


@pytest.mark.parametrize(
    ("fen", "carrier", "why"),
    [
        (419, "zhongtong", Why.LEAST_COST),
        (420, "zhongtong", Why.LEAST_COST),
        (466, "zhongtong", Why.KEPT),
        (467, "yunda", Why.WORTH_CHANGING),
    ],
)
def test_a_lane_keeps_its_carrier_when_changing_gains_too_little(
    fen: int, carrier: str, why: Why
) -> None:
    """W4: no hopping without cause; more than a tenth of its cost is one."""
    found = chosen(offer("zhongtong", fen), YUNDA, kept="zhongtong")
    assert (found.carrier, found.why) == (carrier, why)


def test_a_lane_changes_when_its_carrier_no_longer_serves_it() -> None:
    """W4: what was kept is not in question any more."""
    found = chosen(ZTO, YUNDA, kept="yuantong")
    assert (found.carrier, found.why) == ("yunda", Why.LEAST_COST)
    assert chosen(SF, JD, kept="zhongtong", wanted=Wanted.URGENT).carrier == "jd"


def test_what_is_expected_to_go_wrong_counts_when_costs_are_compared() -> None:
    """W4: quote + expected loss, damage and lateness; a cheap quote may be a dear choice."""
    careless = offer(
        "jtexpress",
        400,
        risk=Risk(lost_per_million=2_000, damaged_per_million=3_000, late_per_thousand=60),
    )
    found = chosen(careless, YUNDA)
    assert found.costs_fen == {"jtexpress": 400 + 25 + 30, "yunda": 420}
    assert found.carrier == "yunda"
    worthless = Cargo(grams=400)
    punctual = replace(RULES, late_parcel_fen=0)
    assert chosen(careless, YUNDA, cargo=worthless, rules=punctual).carrier == "jtexpress"


def test_the_faster_one_takes_it_when_costs_are_equal() -> None:
    """W4: the same choice every time, and a sensible one."""
    slow, quick = offer("yuantong", 420, hours=72), offer("yunda", 420, hours=60)
    assert chosen(slow, quick).carrier == chosen(quick, slow).carrier == "yunda"
