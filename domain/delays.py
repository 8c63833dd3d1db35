"""延误 What keeps a parcel, found before its recipient complains (T5, T8; rules.md 22, 25)."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from domain.lanes import STRAYED, arrived_at, city_of
from domain.parcel_facts import DeliveryDelayed, ParcelFact
from domain.parcels import Parcel
from domain.silence import Quiet, quiet
from domain.tracking import ParcelState, Track


class DelayCause(StrEnum):
    """Why a parcel is late, or will be."""

    NO_FIRST_SCAN = "no_first_scan"
    NO_MOVEMENT = "no_movement"
    CUSTOMS_STALL = "customs_stall"
    ETA_PASSED = "eta_passed"
    """The end of the window that its recipient was told has passed."""
    PING_PONG = "ping_pong"
    """It came back to a city that it had left, and did so again."""
    RETURNED = "returned"
    """It is on its way back, or with its sender."""
    LOST = "lost"
    """Its carrier says that it lost it."""
    PICKUP_ENDING = "pickup_ending"
    """It waits for its recipient, and soon no longer (T8; rules.md 22)."""
    NOT_COLLECTED = "not_collected"
    """Its time in the locker or at the station ended, and nobody is known to have fetched it."""


class Delay(NamedTuple):
    """What keeps a parcel, and since when: together they name one spell."""

    cause: DelayCause
    since: datetime


RETURNS: Final = 2
"""Coming back once happens between a hub and its suburbs; twice is going to and fro."""
REMIND_BEFORE: Final = timedelta(hours=24)
"""So long before a locker or station sends a parcel back its recipient is reminded (T8)."""
_BACK = frozenset({ParcelState.RETURNING, ParcelState.RETURNED})


class Window(NamedTuple):
    """When a parcel should arrive."""

    earliest: datetime
    latest: datetime
    basis: str


def window(parcel: Parcel, track: Track) -> Window | None:
    """What a parcel was announced for, as long as it is still to come.

    It waits for what its recipient agreed with the carrier, where that is later (T8).
    """
    said, agreed = parcel.arrival, track.appointment
    if said is None or arrived_at(track) is not None or track.state in STRAYED:
        return None
    if agreed is not None and agreed.ends_at > said.latest:
        return Window(agreed.starts_at, agreed.ends_at, "appointment")
    return Window(said.earliest, said.latest, said.basis)


def awaited(parcel: Parcel, track: Track) -> datetime | None:
    """The end of that window: from then on the parcel is later than its recipient was told."""
    expected = window(parcel, track)
    return expected and expected.latest


def turned(track: Track) -> Delay | None:
    """Whether a parcel goes back, to and fro, is lost or waits for its recipient; None for most.

    The last of these counts from a day before its time ends, which may be still to come.
    """
    if track.state in _BACK and track.since is not None:
        return Delay(DelayCause.RETURNED, track.since)
    if track.state is ParcelState.LOST and track.since is not None:
        return Delay(DelayCause.LOST, track.since)
    if track.state is ParcelState.AWAITING_PICKUP and track.pickup is not None:
        waits = track.pickup
        remind = waits.until - REMIND_BEFORE
        return Delay(DelayCause.PICKUP_ENDING, max(waits.since, remind))
    if arrived_at(track) is not None:
        return None
    again = _came_back(track)
    return Delay(DelayCause.PING_PONG, again[RETURNS - 1]) if len(again) >= RETURNS else None


def _came_back(track: Track) -> list[datetime]:
    """Each time that the parcel was seen in a city it had been in, and left for another."""
    seen: set[str] = set()
    last, again = "", []
    for scan in track.scans:
        if scan.division is None:
            continue
        city = city_of(scan.division)
        if city != last and city in seen:
            again.append(scan.time)
        seen.add(city)
        last = city
    return again


def is_told(parcel: Parcel, cause: str, since: datetime) -> bool:
    """Whether the recipient was told of this spell."""
    return any((one.cause, one.since) == (cause, since) for one in parcel.delays)


def tell(parcel: Parcel, delay: Delay, *, now: datetime) -> list[ParcelFact]:
    """Tell of what keeps a parcel, once a spell; nothing when it is over by then (T5)."""
    if is_told(parcel, *delay) or not lasts(parcel, delay, now=now):
        return []
    return [DeliveryDelayed(cause=delay.cause.value, since=delay.since)]


def told_and_lasting(parcel: Parcel) -> DeliveryDelayed | None:
    """The newest thing that was told and still keeps the parcel."""
    for one in reversed(parcel.delays):
        if lasts(parcel, Delay(DelayCause(one.cause), one.since), now=None):
            return one
    return None


def lasts(parcel: Parcel, delay: Delay, *, now: datetime | None) -> bool:
    """Whether a spell lasts. A scan dated after `now` ends no silence; None: any scan does."""
    track = parcel.track()
    match delay.cause:
        case DelayCause.ETA_PASSED:
            return awaited(parcel, track) == delay.since
        case (
            DelayCause.PING_PONG | DelayCause.RETURNED | DelayCause.LOST | DelayCause.PICKUP_ENDING
        ):
            return turned(track) == delay
        case DelayCause.NOT_COLLECTED:
            still = quiet(track, handed_over_at=None, told_at=None)
            return still is not None and tuple(still) == (delay.cause.value, delay.since)
        case DelayCause.NO_FIRST_SCAN | DelayCause.NO_MOVEMENT | DelayCause.CUSTOMS_STALL:
            return _is_quiet(parcel, track, delay, now=now)


def _is_quiet(parcel: Parcel, track: Track, delay: Delay, *, now: datetime | None) -> bool:
    seen = track.last_movement_at
    if seen is not None and seen > delay.since and (now is None or seen <= now):
        return False
    handed_over_at = parcel.tracking.handed_over_at
    found = quiet(track, handed_over_at=handed_over_at, told_at=delay.since)
    return found is not None and tuple(found) == (delay.cause.value, delay.since)


class Radar(NamedTuple):
    """What keeps a parcel or may come to, and whether its recipient was told of it."""

    late_at: datetime | None
    late_told: bool
    quiet: Quiet | None
    quiet_told: bool
    turned: Delay | None
    turned_told: bool


def radar(parcel: Parcel, track: Track, still: Quiet | None) -> Radar:
    """All that has to be watched about a parcel, as of what is known of it."""
    late, back = awaited(parcel, track), turned(track)
    return Radar(
        late,
        late is not None and is_told(parcel, DelayCause.ETA_PASSED, late),
        still,
        still is not None and is_told(parcel, *still),
        back,
        back is not None and is_told(parcel, *back),
    )
