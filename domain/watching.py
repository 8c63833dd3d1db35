"""跟踪 Partners that watch a parcel for the house: asked to, gave up, over (T1; wire 1.5, 1.6)."""

from datetime import datetime, timedelta

from domain.own_numbers import as_read
from domain.parcel_facts import ParcelFact, TrackingSubscribed, WatchEnded
from domain.parcels import Parcel
from domain.tracking import ParcelState

WATCHED_AGAIN_AFTER = timedelta(minutes=30)
"""So long after it gave up a partner takes no new subscription (wire/carriers.md 1.5)."""
_ARRIVED = frozenset({ParcelState.SIGNED, ParcelState.RETURNED, ParcelState.LOST})


def subscribed(parcel: Parcel, *, partner: str, waybill: str) -> list[ParcelFact]:
    """Note that a partner watches the parcel; word of an older label changes nothing."""
    if parcel.watched or parcel.waybill != waybill or parcel.carrier is None:
        return []
    return [TrackingSubscribed(partner=partner, carrier=parcel.carrier, waybill=waybill)]


def ended(
    parcel: Parcel,
    *,
    partner: str,
    gave_up: bool,
    words: str,
    at: datetime,
    waybill: str | None,
) -> list[ParcelFact]:
    """Note that a partner watches the parcel no longer; word of an older label changes nothing.

    One that gave up on a parcel that is still under way is asked again, no sooner than they
    allow (wire 1.5). Else the parcel is asked about, if anything of it is still to come.
    """
    another = waybill is not None and as_read(waybill) != as_read(parcel.waybill or "")
    if not parcel.watched or another:
        return []
    again = gave_up and parcel.track().state not in _ARRIVED
    return [
        WatchEnded(
            partner=partner,
            why="abort" if gave_up else "shutdown",
            words=words,
            watch_again_at=at + WATCHED_AGAIN_AFTER if again else None,
        )
    ]
