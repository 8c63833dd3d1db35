"""What keeps parcels: found by the set of scans, told once a spell (T5; rules.md 25)."""

from datetime import UTC, datetime

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from application.delay_messages import NOT_SENT, WORDS
from application.streams import PARCEL
from domain.delays import Delay, DelayCause, awaited, radar, tell, told_and_lasting, turned
from domain.known_scans import track
from domain.lanes import Milestone
from domain.parcel_facts import ArrivalEstimated, DeliveryDelayed
from domain.parcels import Parcel
from domain.scans import Scan, ScanKind
from domain.silence import Silence, quiet
from tests.domain.test_arriving import HOUR, NOON, parcel, scan

LATE = datetime(2030, 1, 1, tzinfo=UTC)
SAID = ArrivalEstimated(
    milestone=Milestone.HANDED_OVER,
    reached_at=NOON,
    earliest=NOON + 20 * HOUR,
    latest=NOON + 60 * HOUR,
    basis="city",
    parcels=40,
)
TO_AND_FRO = tuple(
    scan(hour, ScanKind.ARRIVED, place)
    for hour, place in enumerate(["330100", "310100", "330106", "310115", "330100", "440305"])
)


def told(cause: DelayCause, since: datetime) -> DeliveryDelayed:
    return DeliveryDelayed(cause=cause, since=since)


@pytest.mark.parametrize(
    ("box", "delay"),
    [
        (parcel(), Delay(DelayCause.NO_FIRST_SCAN, NOON)),
        (parcel(scan(3, ScanKind.DEPARTED)), Delay(DelayCause.NO_MOVEMENT, NOON + 3 * HOUR)),
        (parcel(scan(3, ScanKind.CUSTOMS)), Delay(DelayCause.CUSTOMS_STALL, NOON + 3 * HOUR)),
        (parcel(more=(SAID,)), Delay(DelayCause.ETA_PASSED, NOON + 60 * HOUR)),
        (parcel(*TO_AND_FRO), Delay(DelayCause.PING_PONG, NOON + 3 * HOUR)),
        (parcel(scan(3, ScanKind.RETURNING)), Delay(DelayCause.RETURNED, NOON + 3 * HOUR)),
        (parcel(scan(3, ScanKind.LOST)), Delay(DelayCause.LOST, NOON + 3 * HOUR)),
        (
            parcel(scan(3, ScanKind.AWAITING_PICKUP)),
            Delay(DelayCause.PICKUP_ENDING, NOON + (3 + 6 * 24) * HOUR),
        ),
        (
            parcel(scan(3, ScanKind.AWAITING_PICKUP)),
            Delay(DelayCause.NOT_COLLECTED, NOON + (3 + 7 * 24) * HOUR),
        ),
    ],
    ids=[*DelayCause],
)
def test_each_cause_is_told_once_a_spell(box: Parcel, delay: Delay) -> None:
    """T5: told, it is known; told again, nothing is recorded; it is shown while it lasts."""
    (fact,) = tell(box, delay, now=LATE)
    assert fact == told(*delay)
    after = PARCEL.evolve(box, fact)
    assert tell(after, delay, now=LATE) == []
    assert told_and_lasting(box) is None
    assert told_and_lasting(after) == fact


@pytest.mark.parametrize(
    ("end", "delay"),
    [
        (scan(50, ScanKind.ARRIVED), Delay(DelayCause.NO_FIRST_SCAN, NOON)),
        (scan(50, ScanKind.SIGNED), Delay(DelayCause.NO_FIRST_SCAN, NOON)),
        (scan(90, ScanKind.AWAITING_PICKUP), Delay(DelayCause.ETA_PASSED, NOON + 60 * HOUR)),
        (scan(90, ScanKind.RETURNING), Delay(DelayCause.ETA_PASSED, NOON + 60 * HOUR)),
    ],
)
def test_nothing_is_told_once_it_is_over(end: Scan, delay: Delay) -> None:
    """T5: the view was late, the parcel was not; what was told before is not shown any more."""
    before = parcel(more=(SAID, told(*delay)))
    assert told_and_lasting(before) is not None
    after = parcel(end, more=(SAID,))
    assert tell(after, delay, now=LATE) == []
    assert told_and_lasting(parcel(end, more=(SAID, told(*delay)))) is None


def test_a_new_spell_is_told_anew() -> None:
    """T5: it moved, and is silent again; the older spell of the cause is forgotten."""
    first = told(DelayCause.NO_MOVEMENT, NOON + 3 * HOUR)
    box = parcel(scan(3, ScanKind.DEPARTED), scan(60, ScanKind.ARRIVED), more=(first,))
    (again,) = tell(box, Delay(DelayCause.NO_MOVEMENT, NOON + 60 * HOUR), now=LATE)
    assert PARCEL.evolve(box, again).delays == (again,)


def test_a_scan_dated_ahead_ends_no_silence_before_its_time() -> None:
    """T5, M5: as `domain/silence.py` counts it from when it was told."""
    box = parcel(scan(3, ScanKind.DEPARTED), scan(9_000, ScanKind.ARRIVED))
    told_at = NOON + 5 * HOUR
    found = quiet(box.track(), handed_over_at=NOON, told_at=told_at)
    assert found == (Silence.NO_MOVEMENT, told_at)
    delay = Delay(DelayCause.NO_MOVEMENT, told_at)
    assert tell(box, delay, now=NOON + 60 * HOUR) == [told(*delay)]
    assert tell(box, delay, now=NOON + 9_001 * HOUR) == []


@pytest.mark.parametrize("end", [ScanKind.PICKUP_CONFIRMED, ScanKind.RETURNING])
def test_a_wait_is_over_when_somebody_fetched_it_or_it_goes_back(end: ScanKind) -> None:
    """T5, rule 22: nothing is told then, and what was told is not shown any more."""
    waits = parcel(scan(3, ScanKind.AWAITING_PICKUP))
    ended = Delay(DelayCause.NOT_COLLECTED, NOON + (3 + 7 * 24) * HOUR)
    (fact,) = tell(waits, ended, now=ended.since)
    gone = parcel(scan(3, ScanKind.AWAITING_PICKUP), scan(200, end), more=(fact,))
    assert told_and_lasting(PARCEL.evolve(waits, fact)) == fact
    assert told_and_lasting(gone) is None
    fetched = parcel(scan(3, ScanKind.AWAITING_PICKUP), scan(200, end))
    assert tell(fetched, ended, now=LATE) == []


@pytest.mark.parametrize(
    ("places", "turn"),
    [
        (["330100", "310100", "330106"], None),  # once happens
        (["330100", "330106", "330109", "330100"], None),  # one city
        (["110101", "120101", "110105", "120110"], 3),  # municipalities are one city each
        (["330100", "310100", "330100", "440300", "330100"], 4),
    ],
)
def test_to_and_fro_is_coming_back_twice(places: list[str], turn: int | None) -> None:
    """T5"""
    scans = [scan(hour, ScanKind.ARRIVED, place) for hour, place in enumerate(places)]
    found = turned(track(scans, handed_over_at=NOON))
    expected = None if turn is None else Delay(DelayCause.PING_PONG, NOON + turn * HOUR)
    assert found == expected


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("已放入【丰巢智能快递柜】,取件码888888,请及时取件", 3 + 6 * 24),  # seven days, rule 22
        ("已到【菜鸟驿站】,请在48小时内取件", 3 + 24),
        ("已到【菜鸟驿站】,请在12小时内取件", 3),  # at once
    ],
)
def test_a_recipient_is_reminded_a_day_before_a_station_waits_no_longer(
    text: str, hours: float
) -> None:
    """T8, rules.md 22: by the deadline that is told, or seven days; not once it is fetched."""
    waits = Scan("YT1", NOON + 3 * HOUR, text, "yuantong", ScanKind.AWAITING_PICKUP)
    delay = Delay(DelayCause.PICKUP_ENDING, NOON + hours * HOUR)
    assert turned(track([waits], handed_over_at=NOON)) == delay
    (fact,) = tell(parcel(waits), delay, now=LATE)
    assert fact == told(*delay)
    fetched = parcel(waits, scan(5, ScanKind.PICKUP_CONFIRMED))
    assert tell(fetched, delay, now=LATE) == []


@drawn(st.permutations([*TO_AND_FRO, *TO_AND_FRO]))
def test_to_and_fro_is_the_same_in_whatever_order_scans_come(scans: list[Scan]) -> None:
    """T2, T5"""
    assert turned(track(scans, handed_over_at=NOON)) == turned(
        track(TO_AND_FRO, handed_over_at=NOON)
    )


def test_a_parcel_that_arrived_is_kept_by_nothing() -> None:
    """T5: nor does anybody wait for it."""
    box = parcel(*TO_AND_FRO, scan(70, ScanKind.SIGNED), more=(SAID,))
    seen = box.track()
    assert (awaited(box, seen), turned(seen)) == (None, None)
    assert radar(box, seen, None) == (None, False, None, False, None, False)


def test_the_radar_knows_what_was_told() -> None:
    """T5: the view is asked for what was not."""
    late = told(DelayCause.ETA_PASSED, SAID.latest)
    for facts, known in (((SAID,), False), ((SAID, late), True)):
        box = parcel(more=facts)
        seen = radar(box, box.track(), None)
        assert (seen.late_at, seen.late_told) == (SAID.latest, known)


def test_every_cause_has_words_in_both_languages() -> None:
    """N3"""
    assert set(WORDS) == {*DelayCause, NOT_SENT}
    assert {one.value for one in Silence} < {one.value for one in DelayCause}
