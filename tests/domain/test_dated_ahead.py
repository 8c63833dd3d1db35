"""Scans dated ahead of their telling: flagged, and not believed so far (T2, T6)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st

from application.streams import PARCEL
from domain.house_rules import DEFAULT_RULES
from domain.oddities import Oddity, OddityKind, decide, flag, oddities
from domain.parcel_state import OddityDecision
from domain.parcels import Parcel, received_at
from domain.recorded_scans import as_fact
from domain.scans import AHEAD_AT_MOST, Scan, ScanKind
from domain.tracking import ParcelState
from tests.domain.test_arriving import HOUR, NOON, SENT, WAY, scan
from tests.in_memory import given

TOLD = NOON + 44 * HOUR
FALSE = scan(24 * 365 * 50, ScanKind.SIGNED)
"""Signed for in fifty years."""
ON_THE_WAY = WAY[:4]
BACK = (scan(50, ScanKind.RETURNING), scan(60, ScanKind.DEPARTED), scan(70, ScanKind.RETURNED))


def told(*scans: Scan) -> Parcel:
    """A parcel after these, as recorded: `FALSE` among them was told on the second day."""
    facts = [as_fact(one, source="test", payload=None) for one in scans]
    box = given(PARCEL, *SENT, *facts)
    return given_also(box, *flag(box, rules=DEFAULT_RULES))


def given_also(box: Parcel, *facts: Any) -> Parcel:
    for fact in facts:
        box = PARCEL.evolve(box, fact)
    return box


def odd(box: Parcel) -> tuple[Oddity, ...]:
    return oddities(box.track(), rules=DEFAULT_RULES)


def human(box: Parcel, decision: OddityDecision) -> Parcel:
    (oddity,) = box.flagged
    decided = decide(box, oddity, decision, reason="seen", when=TOLD, rules=DEFAULT_RULES)
    return given_also(box, *decided)


def test_a_receipt_dated_ahead_delivers_nothing_and_is_flagged() -> None:
    """T2, T6: a human sees it, with the time that its source wrote."""
    box = told(*ON_THE_WAY, FALSE.as_told(TOLD))
    assert box.track().state is ParcelState.OUT_FOR_DELIVERY
    assert received_at(box.track()) is None
    (found,) = odd(box)
    assert (found.kind, found.scans[0].written) == (OddityKind.DATED_AHEAD, FALSE.time)
    assert box.flagged == (found.id,)
    # CONTROL: taken at its word it would be returnable for fifty years.
    assert received_at(told(*ON_THE_WAY, FALSE).track()) == FALSE.time


@pytest.mark.parametrize("accept", [False, True])
def test_a_return_is_not_outranked_by_a_receipt_of_the_future(accept: bool) -> None:
    """T2: nor once a human accepted the receipt: it happened when it was told at the latest."""
    box = told(*ON_THE_WAY, FALSE.as_told(TOLD))
    if accept:
        box = human(box, OddityDecision.ACCEPTED)
    back = given_also(box, *(as_fact(one, source="test", payload=None) for one in BACK))
    assert back.track().state is ParcelState.RETURNED
    # CONTROL: what is believed of the future takes a parcel from its way back.
    assert told(*BACK[:1], FALSE).track().state is ParcelState.SIGNED


def test_a_human_lets_it_in_as_of_when_it_was_told_or_leaves_it_out() -> None:
    """T6: the same decision may be taken anew; the scan is the same one whatever its time."""
    box = told(*ON_THE_WAY, FALSE.as_told(TOLD))
    own = human(box, OddityDecision.ACCEPTED)
    assert received_at(own.track()) == TOLD
    assert odd(own) == ()
    for decision in (OddityDecision.VOIDED, OddityDecision.ANOTHER_PARCEL):
        out = human(own, decision)
        assert (out.track().scans, odd(out)) == (ON_THE_WAY, ())
        assert received_at(human(out, OddityDecision.ACCEPTED).track()) == TOLD


def test_what_is_told_again_once_its_time_has_come_counts() -> None:
    """T2: the source says so itself; told again before, nothing is new about it."""
    day_after = scan(44 + 24, ScanKind.SIGNED)
    box = told(*ON_THE_WAY, day_after.as_told(TOLD))
    assert box.tracking.fresh([day_after.as_told(TOLD + HOUR)]) == ()
    (again,) = box.tracking.fresh([day_after.as_told(day_after.time)])
    sure = given_also(box, as_fact(again, source="test", payload=None))
    assert (received_at(sure.track()), odd(sure)) == (day_after.time, ())
    assert sure.tracking.fresh([day_after.as_told(TOLD), day_after]) == ()


@pytest.mark.parametrize(
    ("ahead", "is_odd"),
    [(timedelta(), False), (AHEAD_AT_MOST, False), (AHEAD_AT_MOST + HOUR, True)],
)
def test_clocks_and_time_zones_may_differ(ahead: timedelta, is_odd: bool) -> None:
    """T6 CONTROL: what carriers abroad write in their own time is no work for a human."""
    one = WAY[4]
    late = told(*ON_THE_WAY, one.as_told(one.time - ahead))
    assert (received_at(late.track()) is None) == is_odd == bool(late.flagged)


def test_it_is_told_once_more_in_the_fact_and_back() -> None:
    """A5: the time that was believed and the time that was written are both on record."""
    ahead = FALSE.as_told(TOLD)
    fact = as_fact(ahead, source="test", payload=None)
    assert (fact.time, fact.dated) == (TOLD, FALSE.time)
    assert given(PARCEL, *SENT, fact).tracking.scans == {ahead}
    assert "dated" not in as_fact(WAY[0], source="test", payload=None).model_dump()


LINES = [*WAY, *BACK, FALSE, scan(44 + 24, ScanKind.SIGNED), scan(90, ScanKind.ARRIVED)]
tellings = st.tuples(st.sampled_from(LINES), st.integers(0, 120)).map(
    lambda one: one[0].as_told(NOON + one[1] * HOUR)
)


@settings(max_examples=200, deadline=None)
@drawn(st.lists(tellings, max_size=12), st.randoms(use_true_random=False))
def test_a_track_is_that_of_the_set_of_tellings(scans: list[Scan], chance: Any) -> None:
    """T2, R35: any order and repetition of scans and of when they were told; one track."""
    shuffled = scans * 2
    chance.shuffle(shuffled)
    record: Callable[[Scan], Any] = lambda one: as_fact(one, source="test", payload=None)  # noqa: E731
    whole, pieces = given(PARCEL, *SENT), given(PARCEL, *SENT)
    for fresh in whole.tracking.fresh(scans):
        whole = PARCEL.evolve(whole, record(fresh))
    for one in shuffled:
        for fresh in pieces.tracking.fresh([one]):
            pieces = PARCEL.evolve(pieces, record(fresh))
    assert pieces.track() == whole.track()
    assert pieces.tracking.fresh(scans) == whole.tracking.fresh(shuffled) == ()
