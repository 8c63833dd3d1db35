"""沉默 Silent parcels: those that nobody has seen for too long (M5, T5; rules.md 25)."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from domain.house_rules import HouseRules
from domain.tracking import ParcelState, Track


class Silence(StrEnum):
    """What it is called when no scan of a parcel comes."""

    NO_FIRST_SCAN = "no_first_scan"
    """Handed over by us, and the carrier never saw it."""
    NO_MOVEMENT = "no_movement"
    CUSTOMS_STALL = "customs_stall"
    """In customs, and nothing is heard of it."""
    NOT_COLLECTED = "not_collected"
    """In a locker or at a station for longer than it is kept there (rules.md 22)."""


class Quiet(NamedTuple):
    """What it will be called if no further scan comes, and since when there was none."""

    kind: Silence
    since: datetime
    """Of one that waits for its recipient: when that ends, which may be still to come."""

    def is_silent(self, now: datetime, *, rules: HouseRules) -> bool:
        """Whether it has been quiet for as long as the house waits, or longer."""
        return self.since <= now - patience(self.kind, rules=rules)


# A parcel that waits for its recipient is where it should be, until its pick-up card says no more
# (rules.md 22). One that is lost, delivered or back, or that nobody sent, is not waited for.
_UNDER_WAY = frozenset(
    {
        ParcelState.HANDED_OVER,
        ParcelState.IN_TRANSIT,
        ParcelState.CUSTOMS,
        ParcelState.OUT_FOR_DELIVERY,
        ParcelState.DELIVERY_FAILED,
        ParcelState.FORWARDED,
        ParcelState.RETURNING,
    }
)


def patience(kind: Silence, *, rules: HouseRules) -> timedelta:
    """How long the house waits before a quiet parcel counts as silent (rules.md 25)."""
    match kind:
        case Silence.NO_FIRST_SCAN:
            return rules.first_scan_within
        case Silence.NO_MOVEMENT:
            return rules.movement_within
        case Silence.CUSTOMS_STALL:
            return rules.customs_within
        case Silence.NOT_COLLECTED:
            return timedelta()


def quiet(
    track: Track, *, handed_over_at: datetime | None, told_at: datetime | None
) -> Quiet | None:
    """Since when nobody saw a parcel that is under way; None for one that is not.

    A carrier's paperwork ("order received") is no sight of a parcel. `told_at` is when the newest
    of its scans was recorded: one that is dated ahead of its own telling counts from then. What
    waits to be picked up is quiet from when that ends, and what is to come at a time that its
    recipient agreed on, at the earliest from the end of that (T8).
    """
    if track.state is ParcelState.AWAITING_PICKUP and track.pickup is not None:
        return Quiet(Silence.NOT_COLLECTED, track.pickup.until)
    if track.state not in _UNDER_WAY:
        return None
    found = _unseen(track, handed_over_at=handed_over_at, told_at=told_at)
    agreed = track.appointment
    if found is None or agreed is None:
        return found
    return found._replace(since=max(found.since, agreed.ends_at))


def _unseen(
    track: Track, *, handed_over_at: datetime | None, told_at: datetime | None
) -> Quiet | None:
    seen = track.last_movement_at
    if seen is None:
        first = Silence.NO_FIRST_SCAN
        return None if handed_over_at is None else Quiet(first, handed_over_at)
    customs = track.state is ParcelState.CUSTOMS
    # Carriers may scan a parcel before we note that they have it.
    since = max(min(seen, told_at or seen), handed_over_at or seen)
    return Quiet(Silence.CUSTOMS_STALL if customs else Silence.NO_MOVEMENT, since)


def silence(
    track: Track,
    *,
    handed_over_at: datetime | None,
    told_at: datetime | None,
    now: datetime,
    rules: HouseRules,
) -> Silence | None:
    """Which silence a parcel has fallen into by now; None while it may still be waited for."""
    found = quiet(track, handed_over_at=handed_over_at, told_at=told_at)
    return found.kind if found is not None and found.is_silent(now, rules=rules) else None
