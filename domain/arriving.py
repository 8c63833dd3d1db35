"""预计送达 When a parcel should arrive: a window that nine of ten parcels fall into (T4).

Measured where enough parcels took the same way from the same milestone, the nearest kind of way
first; else what the carrier's rate card promises, with the house's own margins.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from typing import Final, NamedTuple

from domain.house_rules import HouseRules
from domain.lanes import Lane, Milestone, reached
from domain.parcel_facts import ArrivalEstimated, ParcelFact
from domain.parcels import Parcel

AIM_PERCENT: Final = 90
"""So many of a hundred parcels should arrive inside their window."""
_TAIL: Final = 20
"""One parcel in so many may come earlier than the window, and one later."""


class Basis(StrEnum):
    """What an estimate rests on, the nearest kind of way first."""

    CITY = "city"
    """Parcels of the same carrier, from the same province to the same city."""
    PROVINCE = "province"
    CARRIER = "carrier"
    """Parcels of the same carrier, wherever they went."""
    RATE_CARD = "rate_card"


class Measured(NamedTuple):
    """How long parcels took from a milestone until they arrived."""

    basis: Basis
    seconds: Sequence[int]
    under_way: Sequence[int] = ()
    """For how long those have been on their way that did not arrive yet."""


class Window(NamedTuple):
    """How long after a milestone a parcel arrives."""

    earliest: timedelta
    latest: timedelta


def measured_window(seconds: Sequence[int], under_way: Iterable[int] = ()) -> Window | None:
    """Where the next parcel falls nine times of ten, given those before; None: they are too few.

    Of n parcels that arrived and one to come, each place in the order is as likely as any other.
    Between the k-th smallest and the k-th largest lie n + 1 - 2k of the n + 1 places: that is nine
    of ten from 19 parcels on, whatever the times look like. Whoever counts only what arrived
    forgets the slow ones: those under way count for as long as they are known to take (Kaplan and
    Meier's estimate); without any of them the places above come out.
    """
    places = len(seconds) + 1
    aside = places // _TAIL
    if not aside:
        return None
    ordered = sorted([*((one, True) for one in seconds), *((one, False) for one in under_way)])
    still = Fraction(1)
    arrivals: list[tuple[int, Fraction]] = []
    for at_risk, (one, arrived) in zip(range(len(ordered), 0, -1), ordered, strict=True):
        if arrived:
            still *= Fraction(at_risk - 1, at_risk)
            arrivals.append((one, (1 - still) * len(seconds)))
    ends = [
        next((one for one, place in arrivals if place >= wanted), ordered[-1][0])
        for wanted in (aside, places - aside)
    ]
    return Window(timedelta(seconds=ends[0]), timedelta(seconds=ends[1]))


def promised_window(milestone: Milestone, lane: Lane, *, rules: HouseRules) -> Window:
    """What the rate card's hours come to, before anything is measured.

    The promise is of most parcels, not of nine in ten: it is widened to both sides.
    """
    promise = (
        rules.travel_time(lane.province) if lane.hours is None else timedelta(hours=lane.hours)
    )
    match milestone:
        case Milestone.NEAR:
            return Window(timedelta(hours=1), timedelta(hours=36))
        case Milestone.AT_THE_DOOR:
            return Window(timedelta(), timedelta(hours=12))
        case Milestone.HANDED_OVER | Milestone.UNDER_WAY:
            return Window(promise * 0.4, promise * 1.25)


def estimate(
    parcel: Parcel, milestone: Milestone, measured: Iterable[Measured], *, rules: HouseRules
) -> list[ParcelFact]:
    """Say when a parcel should arrive, once for each milestone as it is known (T4).

    `measured` are ways from nearest to farthest. Nothing for a milestone that it is no longer at.
    """
    lane, handed_over_at = parcel.lane, parcel.tracking.handed_over_at
    if lane is None or handed_over_at is None:
        return []
    found = reached(parcel.track(), lane, handed_over_at=handed_over_at)
    if found is None or found[0] is not milestone or is_estimated(parcel, found):
        return []
    since = found[1]
    for one in measured:
        window = measured_window(one.seconds, one.under_way)
        if window is not None:
            return [_estimated(milestone, since, window, one.basis, len(one.seconds))]
    window = promised_window(milestone, lane, rules=rules)
    return [_estimated(milestone, since, window, Basis.RATE_CARD, 0)]


def is_estimated(parcel: Parcel, found: tuple[Milestone, datetime]) -> bool:
    """Whether the newest estimate is of this milestone, reached at this time."""
    known = parcel.arrival
    return known is not None and (known.milestone, known.reached_at) == found


def _estimated(
    milestone: Milestone, since: datetime, window: Window, basis: Basis, parcels: int
) -> ArrivalEstimated:
    return ArrivalEstimated(
        milestone=milestone,
        reached_at=since,
        earliest=since + window.earliest,
        latest=since + window.latest,
        basis=basis.value,
        parcels=parcels,
    )
