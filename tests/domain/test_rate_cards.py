"""Rate cards: what a parcel costs, from where to where, and from when on (W3)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given as forall
from hypothesis import strategies as st

from application.streams import RATES
from domain.cargo import Cargo, together
from domain.house_rules import SHANGHAI
from domain.rate_cards import Offer, Quote, RateCards
from domain.rate_facts import (
    Lane,
    LaneSettled,
    Rate,
    RateCard,
    RateCardPublished,
    Service,
    Surcharge,
    SurchargeKind,
    Tier,
    VolumeCounted,
)
from domain.refusals import InvalidRequest
from tests.in_memory import given

MARCH = datetime(2026, 2, 28, 16, tzinfo=UTC)
"""The first of March where the mall is."""
DAY = timedelta(days=1)
RATE = Rate(first_fen=500, additional_fen=200, hours=48)


def lane(origin: str = "浙江省", *ends: str, **more: Any) -> Lane:
    return Lane(**{"origin": origin, "destinations": ends or ("*",), "rate": RATE, **more})


def card(carrier: str = "zhongtong", **more: Any) -> RateCard:
    return RateCard(**{"carrier": carrier, "effective_from": MARCH, "lanes": (lane(),), **more})


def offer(percent_off: int = 0, rate: Rate = RATE, **more: Any) -> Offer:
    return Offer(card(**more), rate, destination="广东省", percent_off=percent_off)


def quoted(offer: Offer, **cargo: Any) -> int | None:
    quote = offer.quote(Cargo(**cargo))
    return None if quote is None else quote.fen


@pytest.mark.parametrize(
    ("grams", "fen"),
    [(0, 500), (1_000, 500), (1_001, 700), (2_000, 700), (2_001, 900), (30_000, 6_300)],
)
def test_each_started_weight_is_charged_when_a_parcel_is_heavier(grams: int, fen: int) -> None:
    """W3: first weight, then additional weights."""
    assert quoted(offer(), grams=grams) == fen


def test_steps_are_as_the_card_has_them_when_they_are_not_kilogrammes() -> None:
    """W3: SF charges by half kilogrammes on many lanes."""
    halves = Rate(
        first_grams=1_000, first_fen=1_300, additional_grams=500, additional_fen=100, hours=24
    )
    prices = [quoted(offer(rate=halves), grams=grams) for grams in (1_000, 1_001, 1_500, 1_501)]
    assert prices == [1_300, 1_400, 1_400, 1_500]


@pytest.mark.parametrize(
    ("mm3", "quote"),
    [
        (6_000_000, Quote(500, 1_000)),
        (6_000_001, Quote(700, 1_001)),
        (0, Quote(500, 300)),
    ],
)
def test_volume_is_charged_when_it_counts_for_more_than_the_weight(mm3: int, quote: Quote) -> None:
    """W3: chargeable is the greater of weight and volume over the carrier's divisor."""
    assert offer().quote(Cargo(grams=300, mm3=mm3)) == quote


def test_the_divisor_is_the_carriers_own() -> None:
    """W3: the same box weighs less with a carrier that divides by more."""
    assert quoted(offer(volume_divisor=12_000), mm3=12_000_000) == 500
    assert quoted(offer(volume_divisor=6_000), mm3=12_000_000) == 700


def test_a_parcel_is_not_taken_when_it_is_too_heavy() -> None:
    """W3: the carrier's own limit."""
    assert quoted(offer(max_parcel_grams=20_000), grams=20_000) is not None
    assert quoted(offer(max_parcel_grams=20_000), grams=20_001) is None


INSURED = {"kind": "insured", "over_value_fen": 10_000, "permille_of_value": 5}
SURCHARGES: list[tuple[dict[str, Any], dict[str, Any], int]] = [
    ({"kind": "remote", "destinations": ("广东省",), "fen": 300}, {}, 300),
    ({"kind": "remote", "destinations": ("新疆维吾尔自治区",), "fen": 300}, {}, 0),
    ({"kind": "oversize", "over_longest_mm": 1_200, "fen": 900}, {"longest_mm": 1_200}, 0),
    ({"kind": "oversize", "over_longest_mm": 1_200, "fen": 900}, {"longest_mm": 1_201}, 900),
    ({"kind": "overweight", "over_grams": 500, "fen_per_kg": 50}, {"grams": 501}, 50),
    ({"kind": "fragile", "fragile": True, "fen": 80}, {"fragile": True}, 80),
    ({"kind": "fragile", "fragile": True, "fen": 80}, {}, 0),
    (INSURED, {"value_fen": 10_000}, 0),
    (INSURED, {"value_fen": 10_001}, 51),
]  # fmt: skip


@pytest.mark.parametrize(("surcharge", "cargo", "fen"), SURCHARGES)
def test_a_surcharge_is_added_when_all_its_conditions_hold(
    surcharge: dict[str, Any], cargo: dict[str, Any], fen: int
) -> None:
    """W3: remote, oversize, heavy, fragile, insured."""
    dearer = offer(surcharges=(Surcharge(**surcharge),))
    assert quoted(dearer, **cargo) == 500 + fen


def test_a_discount_is_on_weights_and_not_on_surcharges() -> None:
    """W3: tiers; what is left is rounded up to the fen."""
    fragile = Surcharge(kind=SurchargeKind.FRAGILE, fragile=True, fen=80)
    assert quoted(offer(7, surcharges=(fragile,)), grams=1_500, fragile=True) == 651 + 80


cargos = st.builds(
    Cargo,
    grams=st.integers(0, 12_000),
    mm3=st.integers(0, 80_000_000),
    longest_mm=st.integers(0, 2_000),
    value_fen=st.integers(0, 100_000),
    fragile=st.booleans(),
)
surcharges = st.builds(
    Surcharge,
    kind=st.just(SurchargeKind.OTHER),
    over_longest_mm=st.none() | st.integers(1, 2_000),
    over_grams=st.none() | st.integers(1, 12_000),
    over_value_fen=st.none() | st.integers(1, 90_000),
    fragile=st.booleans(),
    fen=st.integers(0, 500),
    fen_per_kg=st.integers(0, 90),
    permille_of_value=st.integers(0, 20),
)


@forall(cargos, cargos, st.integers(0, 90), st.lists(surcharges, max_size=3))
def test_more_goods_never_cost_less(
    some: Cargo, more: Cargo, percent_off: int, extra: list[Surcharge]
) -> None:
    """W3: the search for the cheapest split builds on it."""
    quoting = offer(percent_off, surcharges=tuple(extra), max_parcel_grams=20_000)
    one, both = quoting.quote(some), quoting.quote(together([(some, 1), (more, 1)]))
    assert one is not None
    if both is not None:
        assert both.fen >= one.fen


@forall(cargos, st.integers(0, 90), st.lists(surcharges, max_size=3))
def test_a_quote_is_the_sum_of_its_parts(
    cargo: Cargo, percent_off: int, extra: list[Surcharge]
) -> None:
    """W3: what staff are shown of a price is the price that orders are planned with."""
    quoting = offer(percent_off, surcharges=tuple(extra), max_parcel_grams=20_000)
    quote, told = quoting.quote(cargo), quoting.explain(cargo)
    assert (quote is None) == (told is None)
    if quote is not None and told is not None:
        assert (told.fen, told.chargeable_grams) == tuple(quote)


# --- cards and lanes -------------------------------------------------------------------------


def rates(*cards: RateCard) -> RateCards:
    return given(RATES, *(RateCardPublished(card=one) for one in cards))


def asked(
    cards: RateCards, origin: str = "浙江省", to: str = "广东省", *, when: datetime = MARCH,
    same_city: bool = False,
) -> dict[str, int | None]:  # fmt: skip
    tariff = cards.at(when, zone=SHANGHAI)
    offers = tariff.offers(origin, to, same_city=same_city)
    return {one.carrier: quoted(one, grams=100) for one in offers}


def priced(fen: int) -> Rate:
    return Rate(first_fen=fen, additional_fen=1, hours=48)


def test_the_lane_counts_that_names_both_ends_most_closely() -> None:
    """W3: a province before anywhere, where it starts before where it ends."""
    cards = rates(
        card(
            lanes=(
                lane("*", "*", rate=priced(4)),
                lane("*", "广东省", rate=priced(3)),
                lane("浙江省", "*", rate=priced(2)),
                lane("浙江省", "广东省", "海南省", rate=priced(1)),
            )
        )
    )
    ends = [("浙江省", "海南省"), ("浙江省", "江苏省"), ("河南省", "广东省"), ("河南省", "江苏省")]
    assert [asked(cards, *pair)["zhongtong"] for pair in ends] == [1, 2, 3, 4]


def test_a_lane_is_not_served_when_it_has_no_rate() -> None:
    """W3: served or not, also as an exception from everywhere."""
    cards = rates(
        card("zhongtong", lanes=(lane("浙江省", "*"), lane("浙江省", "西藏自治区", rate=None))),
        card("ems", lanes=(lane("*", "*"),)),
    )
    assert list(asked(cards, to="西藏自治区")) == ["ems"]
    assert list(asked(cards)) == ["ems", "zhongtong"]
    assert list(asked(cards, "河南省")) == ["ems"]


def test_another_rate_counts_when_both_ends_are_in_one_city() -> None:
    """W3: same-city rates, where the lane has one."""
    cards = rates(
        card("jd", lanes=(lane("浙江省", "浙江省", same_city=priced(9)),)),
        card("ems", lanes=(lane("浙江省", "浙江省"),)),
    )
    assert cards.at(MARCH, zone=SHANGHAI).knows_cities
    assert asked(cards, to="浙江省", same_city=True) == {"ems": 500, "jd": 9}
    assert asked(cards, to="浙江省") == {"ems": 500, "jd": 500}


def test_a_card_counts_from_its_moment_until_the_next_one() -> None:
    """W3: effective dates, whatever the order in which cards are published."""
    later, first = card(effective_from=MARCH + DAY, lanes=(lane(rate=priced(2)),)), card()
    last = card(effective_from=MARCH + 2 * DAY, lanes=())
    cards = rates(later, last, first)
    second = timedelta(seconds=1)
    moments = [MARCH - second, MARCH, MARCH + DAY - second, MARCH + DAY, MARCH + 2 * DAY]
    for _ in range(2):  # the second time from what was remembered
        assert [asked(cards, when=at) for at in moments] == [
            {}, {"zhongtong": 500}, {"zhongtong": 500}, {"zhongtong": 2}, {},
        ]  # fmt: skip


def test_a_card_takes_the_place_of_one_for_the_same_moment() -> None:
    """W3: an upsert by carrier and moment; the same card again changes nothing."""
    cheaper = card(lanes=(lane(rate=priced(3)),))
    assert rates(card()).publish(card()) == []
    assert rates(card()).publish(cheaper) == [RateCardPublished(card=cheaper)]
    assert asked(rates(card(), cheaper)) == {"zhongtong": 3}


def test_a_card_is_refused_when_it_names_a_lane_twice() -> None:
    """W3: nobody guesses which of two prices is meant."""
    with pytest.raises(InvalidRequest) as refused:
        RateCards().publish(card(lanes=(lane("浙江省", "广东省"), lane("浙江省", "广东省"))))
    assert refused.value.figures["field"] == "lanes"
    assert "广东省" in refused.value.message("zh")


def test_a_tier_counts_when_so_much_was_sent_in_the_month_before() -> None:
    """W3: volume tiers go by calendar months of the business zone."""
    tiers = (Tier(parcels=100, percent_off=10), Tier(parcels=1_000, percent_off=20))
    cards = rates(card(tiers=tiers))
    april = datetime(2026, 3, 31, 16, tzinfo=UTC)
    for parcels, fen in ((99, 500), (100, 450), (1_000, 400)):
        fact = VolumeCounted(carrier="zhongtong", month="2026-03", parcels=parcels)
        assert cards.count_volume("zhongtong", "2026-03", parcels) == [fact]
        counted = RATES.evolve(cards, fact)
        assert counted.count_volume("zhongtong", "2026-03", parcels) == []
        months = [april - timedelta(seconds=1), april, april + 31 * DAY]
        assert [asked(counted, when=at)["zhongtong"] for at in months] == [500, fen, 500]


def test_what_is_remembered_is_not_kept_when_the_rates_are_stored() -> None:
    """A2: a snapshot holds the state, not the answers it gave."""
    cards = rates(card())
    asked(cards)
    settled = RATES.evolve(
        cards,
        LaneSettled(
            warehouse="w", province="广东省", service=Service.ECONOMICAL, carrier="zhongtong"
        ),
    )
    assert settled.at(MARCH, zone=SHANGHAI) is cards.at(MARCH, zone=SHANGHAI)
    stored = RATES.states.dump_json(settled)
    assert RATES.states.validate_json(stored) == settled
    assert b"known" not in stored


def test_a_bill_counts_for_good_when_the_house_counted_before_or_after() -> None:
    """W3: the house may count anew what it counted; a bill is left alone, even a confirmed one."""

    def count(cards: RateCards, parcels: int, *, counted: bool) -> RateCards:
        for fact in cards.count_volume("zhongtong", "2026-03", parcels, counted=counted):
            cards = RATES.evolve(cards, fact)
        return cards

    house = count(count(RateCards(), 90, counted=True), 95, counted=True)
    assert house.by_month() == [("zhongtong", "2026-03", 95)]
    assert house.count_volume("zhongtong", "2026-03", 95, counted=True) == []
    billed = count(house, 95, counted=False)
    assert count(billed, 97, counted=True).by_month() == [("zhongtong", "2026-03", 95)]
    again = count(billed, 94, counted=False)
    assert again.by_month() == [("zhongtong", "2026-03", 94)]
    assert again.count_volume("zhongtong", "2026-03", 94) == []
