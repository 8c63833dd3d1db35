"""预计送达 When a parcel should arrive: a window that nine of ten parcels fall into (T4).

Measured where enough parcels took the same way from the same milestone, the nearest kind of way
first; else what the carrier's rate card promises, with the house's own margins. Days of the peak
calendar make windows longer, as they do promises (rules.md 10).
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from typing import Final, NamedTuple

from domain.house_rules import HouseRules, peak_hours
from domain.lanes import Lane, Milestone, reached
from domain.parcel_facts import ArrivalEstimated, ParcelFact
from domain.parcels import Parcel

AIM_PERCENT: Final = 90
"""So many of a hundred parcels should arrive inside their window."""
_TAIL: Final = 20
"""One parcel in so many may come earlier than the window, and one later."""
_BEHIND_PEAKS: Final = frozenset({Milestone.NEAR, Milestone.AT_THE_DOOR})
"""Most of the way is done: what a peak took is taken."""


class Basis(StrEnum):
    """What an estimate rests on, the nearest kind of way first."""

    CITY = "city"
    """Parcels of the same carrier, from the same province to the same city."""
    PROVINCE = "province"
    CARRIER = "carrier"
    """Parcels of the same carrier, wherever they went."""
    RATE_CARD = "rate_card"


class Travelled(NamedTuple):
    """One parcel's way, as far as it came."""

    seconds: int
    """From a milestone on."""
    handed_over_at: datetime
    until: datetime
    """Its arrival, or now."""


class Measured(NamedTuple):
    """How long parcels took from a milestone until they arrived."""

    basis: Basis
    arrived: Sequence[Travelled]
    under_way: Sequence[Travelled] = ()
    """Those that did not arrive yet."""

    def window(self) -> "Window | None":
        """Where the next parcel falls nine times of ten; None: they are too few."""
        return measured_window(
            [one.seconds for one in self.arrived], [one.seconds for one in self.under_way]
        )

    def in_peak(self, hours: int, rules: HouseRules) -> "Measured":
        """As if all of them had been on their way in a peak of so many hours.

        Those that were in one took longer already.
        """

        def longer(one: Travelled) -> Travelled:
            known = peak_hours(rules.peaks, rules.zone, one.handed_over_at, one.until)
            return one._replace(seconds=one.seconds + 3_600 * max(0, hours - known))

        return self._replace(
            arrived=[longer(one) for one in self.arrived],
            under_way=[longer(one) for one in self.under_way],
        )


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
    In a peak it may take longer by the peak's hours, but need not: windows end later, and begin as
    on other days.
    """
    lane, handed_over_at = parcel.lane, parcel.tracking.handed_over_at
    if lane is None or handed_over_at is None:
        return []
    found = reached(parcel.track(), lane, handed_over_at=handed_over_at)
    if found is None or found[0] is not milestone or is_estimated(parcel, found):
        return []
    since = found[1]

    def peak_ahead(window: Window) -> int:
        if milestone in _BEHIND_PEAKS:
            return 0
        return peak_hours(rules.peaks, rules.zone, handed_over_at, since + window.latest)

    for one in measured:
        window = one.window()
        if window is not None:
            hours = peak_ahead(window)
            slow = one.in_peak(hours, rules).window() if hours else window
            assert slow is not None  # they are as many
            window = window._replace(latest=slow.latest)
            return [_estimated(milestone, since, window, one.basis, len(one.arrived))]
    window = promised_window(milestone, lane, rules=rules)
    window = window._replace(latest=window.latest + timedelta(hours=peak_ahead(window)))
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
