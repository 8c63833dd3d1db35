"""预计送达 When a parcel should arrive: a window that nine of ten parcels fall into (T4).

Measured where enough parcels took the same way from the same milestone, the nearest kind of way
first; else what the carrier's rate card promises, with the house's own margins.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
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


class Window(NamedTuple):
    """How long after a milestone a parcel arrives."""

    earliest: timedelta
    latest: timedelta


def measured_window(seconds: Iterable[int]) -> Window | None:
    """Where the next parcel falls nine times of ten, given those before; None: they are too few.

    Of n parcels that were measured and one to come, each place in the order is as likely as any
    other. Between the k-th smallest and the k-th largest lie n + 1 - 2k of the n + 1 places: that
    is nine of ten from 19 parcels on, whatever the times look like.
    """
    ordered = sorted(seconds)
    places = len(ordered) + 1
    aside = places // _TAIL
    if not aside:
        return None
    return Window(timedelta(seconds=ordered[aside - 1]), timedelta(seconds=ordered[-aside]))


def promised_window(milestone: Milestone, lane: Lane, *, rules: HouseRules) -> Window:
    """What the rate card's hours come to, before anything is measured.

    The promise is of most parcels, not of nine in ten: it is widened to both sides.
    """
    promise = rules.lane_time if lane.hours is None else timedelta(hours=lane.hours)
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
        window = measured_window(one.seconds)
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
