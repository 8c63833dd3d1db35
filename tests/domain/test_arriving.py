"""When parcels should arrive: milestones by the set of scans, windows for nine of ten (T4)."""

import random
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from application.arrivals import MEASURED_MAX
from application.streams import PARCEL
from domain.arriving import Basis, Measured, Travelled, estimate, measured_window, promised_window
from domain.facts import Fact
from domain.house_rules import DEFAULT_RULES, HouseRules, Peak
from domain.known_scans import track
from domain.lanes import Lane, Milestone, arrived_at, milestones, reached
from domain.parcel_facts import (
    ArrivalEstimated,
    Content,
    ParcelHandedOver,
    ParcelPacked,
    WaybillIssued,
)
from domain.parcels import Parcel
from domain.scans import Scan, ScanKind
from tests.bench import olist_data
from tests.domain.test_tracking_histories import DATA, HISTORIES, _histories, _real_scan
from tests.in_memory import given

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
LANE = Lane(origin="浙江省", province="广东省", city="深圳市", division="440305", hours=72)
SENT = (
    ParcelPacked(warehouse="zhejiang", contents=(Content(order="T1", part=1),), weight_grams=400),
    WaybillIssued(carrier="yuantong", waybill="YT1"),
    ParcelHandedOver(handed_over_at=NOON, lane=LANE),
)


def scan(hours: float, kind: ScanKind, division: str | None = None) -> Scan:
    """A scan so many hours after hand-over."""
    at = NOON + hours * HOUR
    return Scan(
        number="YT1", time=at, text=f"{kind} {hours}", carrier="yuantong", kind=kind,
        division=division,
    )  # fmt: skip


WAY = (
    scan(2, ScanKind.PICKED_UP, "330100"),
    scan(6, ScanKind.DEPARTED, "330100"),
    scan(30, ScanKind.ARRIVED, "440300"),
    scan(40, ScanKind.OUT_FOR_DELIVERY, "440305"),
    scan(43, ScanKind.SIGNED, "440305"),
)


def parcel(*scans: Scan, more: tuple[Fact, ...] = ()) -> Parcel:
    """A parcel that was handed over, and seen."""
    sent = given(PARCEL, *SENT)
    told = sent.scanned(scans, source="test", payload=None)
    return given(PARCEL, *SENT, *told, *more)


def window(hours: tuple[float, float], **more: Any) -> ArrivalEstimated:
    """What is said of a window so many hours after its milestone."""
    since = more["reached_at"]
    return ArrivalEstimated(
        earliest=since + hours[0] * HOUR, latest=since + hours[1] * HOUR, **more
    )


def test_milestones_are_where_a_parcel_was_first_seen_so_far() -> None:
    """T4: a city is known by the digits that its divisions share; nothing is before hand-over."""
    seen = track([*WAY, scan(-1, ScanKind.DEPARTED)], handed_over_at=NOON)
    assert milestones(seen, LANE, handed_over_at=NOON) == {
        Milestone.HANDED_OVER: NOON,
        Milestone.UNDER_WAY: NOON,
        Milestone.NEAR: NOON + 30 * HOUR,
        Milestone.AT_THE_DOOR: NOON + 40 * HOUR,
    }
    assert arrived_at(seen) == NOON + 43 * HOUR


@pytest.mark.parametrize(
    ("division", "seen", "near"),
    [
        ("110105", "110101", True),  # a municipality is one city
        ("110105", "120101", False),
        ("440305", "440106", False),
        ("440305", None, False),
        (None, "440305", False),
        ("440000", "440305", False),  # the province alone is no city
    ],
)
def test_a_city_is_reached_when_its_divisions_agree(
    division: str | None, seen: str | None, near: bool
) -> None:
    """T4"""
    lane = LANE.model_copy(update={"division": division})
    assert lane.ends_at(scan(1, ScanKind.ARRIVED, seen)) is near


@drawn(st.permutations([*WAY, *WAY]))
def test_milestones_are_the_same_in_whatever_order_scans_come(scans: list[Scan]) -> None:
    """T2, T4: any order and repetition of arrival."""
    seen = track(scans, handed_over_at=NOON)
    whole = track(WAY, handed_over_at=NOON)
    assert milestones(seen, LANE, handed_over_at=NOON) == milestones(
        whole, LANE, handed_over_at=NOON
    )


@pytest.mark.parametrize(
    ("scans", "expected"),
    [
        ((), Milestone.HANDED_OVER),
        (WAY[:1], Milestone.HANDED_OVER),
        (WAY[:2], Milestone.UNDER_WAY),
        (WAY[:3], Milestone.NEAR),
        (WAY[:4], Milestone.AT_THE_DOOR),
        (WAY, None),
        ((*WAY[:4], scan(41, ScanKind.AWAITING_PICKUP)), None),
        ((*WAY[:4], scan(41, ScanKind.FAILED_ATTEMPT)), Milestone.AT_THE_DOOR),
        ((*WAY[:4], scan(41, ScanKind.RETURNING)), None),
        ((*WAY[:4], scan(41, ScanKind.LOST)), None),
    ],
)
def test_an_arrival_is_expected_of_what_is_on_its_way(
    scans: tuple[Scan, ...], expected: Milestone | None
) -> None:
    """T4: not of what arrived, waits for its recipient, turned back or is lost."""
    found = reached(track(scans, handed_over_at=NOON), LANE, handed_over_at=NOON)
    assert (found and found[0]) == expected


@drawn(st.lists(st.integers(0, 10**7), min_size=20, max_size=120, unique=True))
def test_nine_of_ten_fall_into_the_window_of_the_others(seconds: list[int]) -> None:
    """T4: each left out in turn; it does not matter how the times are distributed."""
    inside = 0
    for left_out in seconds:
        found = measured_window([one for one in seconds if one != left_out])
        assert found is not None
        inside += found.earliest.total_seconds() <= left_out <= found.latest.total_seconds()
    assert inside >= 0.9 * len(seconds)


@drawn(st.permutations(range(60)))
def test_a_window_does_not_depend_on_the_order_of_what_was_measured(seconds: list[int]) -> None:
    """R28"""
    assert measured_window(seconds) == (timedelta(seconds=2), timedelta(seconds=57))


@drawn(
    st.lists(st.integers(0, 10**6), min_size=19, max_size=80),
    st.lists(st.integers(0, 10**6), max_size=40),
)
def test_what_is_still_under_way_makes_a_window_later_and_never_earlier(
    seconds: list[int], under_way: list[int]
) -> None:
    """T4: the slow ones are those that did not arrive yet; who just left says nothing."""
    plain, whole = measured_window(seconds), measured_window(seconds, under_way)
    assert plain is not None
    assert whole is not None
    assert plain.earliest <= whole.earliest
    assert plain.latest <= whole.latest
    assert measured_window(seconds, [0] * len(under_way)) == plain
    shuffled = measured_window(seconds[::-1], under_way[::-1])
    assert shuffled == whole


def test_slow_parcels_count_before_they_arrive() -> None:
    """T4 CONTROL: of 60, the 20 slow ones are all still on their way."""
    quick = list(range(40))
    assert measured_window(quick) == (timedelta(seconds=1), timedelta(seconds=38))
    with_slow = measured_window(quick, [100] * 20)
    assert with_slow is not None
    assert with_slow.latest == timedelta(seconds=100)


def test_no_window_is_measured_from_too_few_parcels() -> None:
    """T4: between the extremes of 18 lie only 17 of 19 places."""
    assert measured_window(range(18)) is None
    assert measured_window(range(19)) == (timedelta(), timedelta(seconds=18))


def test_the_nearest_way_with_enough_parcels_is_believed() -> None:
    """T4: parcels to the same city, else to the same province, else all of the carrier."""
    measured = [
        Measured(Basis.CITY, came(range(20, 38))),
        Measured(Basis.PROVINCE, came(range(20, 60))),
        Measured(Basis.CARRIER, came([1] * 40)),
    ]
    (said,) = estimate(parcel(), Milestone.HANDED_OVER, measured, rules=DEFAULT_RULES)
    expected = {"milestone": Milestone.HANDED_OVER, "reached_at": NOON}
    assert said == window((21, 58), basis="province", parcels=40, **expected)
    (said,) = estimate(parcel(), Milestone.HANDED_OVER, [], rules=DEFAULT_RULES)
    assert said == window((28.8, 90), basis="rate_card", parcels=0, **expected)


def came(hours: Iterable[int], *, sent: datetime = NOON - timedelta(days=20)) -> list[Travelled]:
    """Parcels that took so many hours from their hand-over on."""
    return [Travelled(3_600 * one, sent, sent + one * HOUR) for one in hours]


def in_peak(days: tuple[int, int], measured: Iterable[Measured] = (), *scans: Scan) -> Fact:
    """What is said of a parcel that was handed over on 2 March, with a peak on days of March."""
    first, last = [date(2026, 3, day) for day in days]
    rules = HouseRules(peaks=(Peak(first, last, 48),))
    box = parcel(*scans)
    at = reached(box.track(), LANE, handed_over_at=NOON)
    assert at is not None
    (said,) = estimate(box, at[0], measured, rules=rules)
    return said


@pytest.mark.parametrize(
    ("days", "hours"),
    [((1, 1), 0), ((1, 2), 48), ((3, 4), 48), ((6, 9), 48), ((7, 9), 0)],
)
def test_a_window_ends_later_when_its_days_are_in_the_peak_calendar(
    days: tuple[int, int], hours: int
) -> None:
    """T4: handed over in a peak or before one that begins within the window (rules.md 10)."""
    expected = {"milestone": Milestone.HANDED_OVER, "reached_at": NOON}
    said = in_peak(days)
    assert said == window((28.8, 90 + hours), basis="rate_card", parcels=0, **expected)
    measured = [Measured(Basis.CITY, came(range(51, 91)))]
    said = in_peak(days, measured)
    assert said == window((52, 89 + hours), basis="city", parcels=40, **expected)


def test_parcels_of_the_peak_itself_are_measured_as_they_are() -> None:
    """T4: what took longer already is not made longer again; what is still under way, too."""
    slow = came(
        range(51, 91), sent=NOON - timedelta(days=8)
    )  # from 22 February until the 24th at least
    before = Peak(date(2026, 2, 24), date(2026, 2, 24), 48)
    now = Peak(date(2026, 3, 2), date(2026, 3, 2), 48)
    rules = HouseRules(peaks=(before, now))
    (said,) = estimate(parcel(), Milestone.HANDED_OVER, [Measured(Basis.CITY, slow)], rules=rules)
    expected = {"milestone": Milestone.HANDED_OVER, "reached_at": NOON}
    assert said == window((52, 89), basis="city", parcels=40, **expected)
    usual = came(range(51, 71), sent=NOON - timedelta(days=5))
    going = [Travelled(3_600 * 100, NOON - 100 * HOUR, NOON)] * 10
    (said,) = estimate(
        parcel(),
        Milestone.HANDED_OVER,
        [Measured(Basis.CITY, usual, going)],
        rules=HouseRules(peaks=(now,)),
    )
    assert said == window((52, 118), basis="city", parcels=20, **expected)


def test_a_peak_is_behind_a_parcel_that_is_near() -> None:
    """T4: under way it still counts, in the city it goes to it does not."""
    under_way = in_peak((1, 3), (), *WAY[:2])
    assert under_way == window(
        (28.8, 138), basis="rate_card", parcels=0, milestone=Milestone.UNDER_WAY,
        reached_at=NOON + 6 * HOUR,
    )  # fmt: skip
    near = in_peak((1, 30), (), *WAY[:3])
    assert near == window(
        (1, 36), basis="rate_card", parcels=0, milestone=Milestone.NEAR,
        reached_at=NOON + 30 * HOUR,
    )  # fmt: skip


def test_an_estimate_is_given_once_and_anew_at_the_next_milestone() -> None:
    """T4: what was said stays; a later milestone says more."""
    first = estimate(parcel(), Milestone.HANDED_OVER, [], rules=DEFAULT_RULES)
    known = parcel(more=tuple(first))
    assert estimate(known, Milestone.HANDED_OVER, [], rules=DEFAULT_RULES) == []
    assert estimate(known, Milestone.UNDER_WAY, [], rules=DEFAULT_RULES) == []
    moved = parcel(*WAY[:3], more=tuple(first))
    assert estimate(moved, Milestone.HANDED_OVER, [], rules=DEFAULT_RULES) == []
    (again,) = estimate(moved, Milestone.NEAR, [], rules=DEFAULT_RULES)
    assert isinstance(again, ArrivalEstimated)
    assert again.reached_at == NOON + 30 * HOUR
    assert given(PARCEL, *SENT, *first, again).arrival == again


def test_nothing_is_said_of_a_parcel_that_nobody_knows_the_way_of() -> None:
    """T4: handed over before lanes were noted, or not yet."""
    for facts in (SENT[:2], (*SENT[:2], ParcelHandedOver(handed_over_at=NOON))):
        before = given(PARCEL, *facts)
        assert estimate(before, Milestone.HANDED_OVER, [], rules=DEFAULT_RULES) == []


def test_promises_narrow_as_the_parcel_comes_nearer() -> None:
    """T4: before anything is measured, too."""
    widths = [
        promised.latest - promised.earliest
        for one in Milestone
        for promised in [promised_window(one, LANE, rules=DEFAULT_RULES)]
    ]
    assert widths == sorted(widths, reverse=True)


@pytest.mark.slow
@pytest.mark.skipif(not olist_data.is_here(DATA), reason="Olist's orders are not here")
def test_nine_of_ten_real_orders_arrive_inside_the_window_they_would_have_been_told() -> None:
    """T4: 9,600 orders in the order of their hand-over, each by what was known that moment.

    The last weeks are those of Black Friday, when nothing of before says how long it takes.
    """
    sales = [one for one in olist_data.read(DATA).sales if one.in_order and one.signed_at]
    sales.sort(key=lambda one: one.handed_over_at or one.placed_at)
    ways: dict[tuple[str, ...], list[tuple[datetime, datetime]]] = {}
    hits: list[bool] = []
    for sale in sales:
        sent, came = sale.handed_over_at, sale.signed_at
        assert sent is not None
        assert came is not None
        mine = ((sale.state, sale.city), (sale.state,), ())
        for way in mine:
            known = ways.get(way, [])[-2_500:]
            arrived = sorted((then, at) for at, then in known if then <= sent)[-MEASURED_MAX:]
            going = [int((sent - at).total_seconds()) for at, then in known if then > sent]
            took = [int((then - at).total_seconds()) for then, at in arrived]
            window = measured_window(took, going)
            if window is not None:
                hits.append(window.earliest <= came - sent <= window.latest)
                break
        for way in mine:
            ways.setdefault(way, []).append((sent, came))
    assert len(hits) > 9_000
    assert sum(hits) / len(hits) >= 0.9
    usual = hits[: len(hits) * 3 // 4]
    assert sum(usual) / len(usual) >= 0.91


@pytest.mark.skipif(not HISTORIES.exists(), reason="the real histories are not here")
def test_real_parcels_arrive_inside_the_window_of_the_others() -> None:
    """T4: from the door on, each history against the rest, drawn to more by small delays."""
    took = []
    for history in _histories():
        scans = [_real_scan(history, line) for line in history["scans"]]
        seen = track(scans, handed_over_at=min(one.time for one in scans))
        arrived = arrived_at(seen)
        passed = milestones(seen, LANE, handed_over_at=scans[0].time)
        if arrived is not None and Milestone.AT_THE_DOOR in passed:
            took.append(int((arrived - passed[Milestone.AT_THE_DOOR]).total_seconds()))
    assert len(took) >= 8
    chance = random.Random(4)
    likely = [max(0, one + chance.randint(-1_800, 1_800)) for one in took * 4]
    hits = 0
    for place, one in enumerate(likely):
        found = measured_window(likely[:place] + likely[place + 1 :])
        assert found is not None
        hits += found.earliest.total_seconds() <= one <= found.latest.total_seconds()
    assert hits >= 0.9 * len(likely)
