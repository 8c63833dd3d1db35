"""物流轨迹 Tracking: where a parcel stands, by what its own scans say one after the other (T2).

Which ones those are, in whatever order they arrived, `domain/known_scans.py` knows.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby

from domain.anomalies import Anomaly, AnomalyKind, shown_by
from domain.appointments import Appointment, read_appointment
from domain.scans import (
    PickupNotice,
    Scan,
    ScanKind,
    read_onward,
    read_pickup,
    read_signer,
    read_words,
)


class ParcelState(StrEnum):
    """The states of a parcel (contract.md, `GET /v1/orders/{number}`)."""

    LABELLED = "labelled"
    HANDED_OVER = "handed_over"
    IN_TRANSIT = "in_transit"
    CUSTOMS = "customs"
    OUT_FOR_DELIVERY = "out_for_delivery"
    AWAITING_PICKUP = "awaiting_pickup"
    DELIVERY_FAILED = "delivery_failed"
    SIGNED = "signed"
    RETURNING = "returning"
    RETURNED = "returned"
    FORWARDED = "forwarded"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class TrackingLimits:
    """The figures of rules.md 21 and 22; a tenant's settings may change them."""

    another_parcel_before: timedelta = timedelta(hours=24)
    """Scans earlier than this before hand-over belong to another parcel (numbers are reused)."""
    pickup_wait: timedelta = timedelta(days=7)
    """How long a parcel awaits pick-up without a scan that says it was collected."""


@dataclass(frozen=True, slots=True)
class Pickup:
    """The pick-up card (T8): where the parcel waits, since when, and until when."""

    since: datetime
    lapses_at: datetime
    """`since` plus `TrackingLimits.pickup_wait`: what counts where the text gives no deadline."""
    station: str | None = None
    code: str | None = None
    deadline: datetime | None = None

    @property
    def until(self) -> datetime:
        """When it waits no longer (rules.md 22)."""
        return self.deadline or self.lapses_at


@dataclass(frozen=True, slots=True)
class Onward:
    """Who has the parcel next and under which number, in the carrier's words, where it says so."""

    carrier: str | None
    number: str | None


@dataclass(frozen=True, slots=True)
class Track:
    """What the scans of a parcel say together."""

    state: ParcelState
    since: datetime | None = None
    """When the scan happened that brought the state about; None before any did."""
    scans: tuple[Scan, ...] = ()
    """The scans that count, each once, oldest first."""
    numbers: frozenset[str] = frozenset()
    """The numbers it goes by, as read: scans of any other are not told of it."""
    signed_at: datetime | None = None
    """First receipt by the recipient; None again once the parcel returned or went on."""
    signer: str | None = None
    """In the carrier's words; may name a person (rules.md 30)."""
    pickup: Pickup | None = None
    onward: Onward | None = None
    appointment: Appointment | None = None
    """What the carrier last agreed with the recipient, as long as the parcel still has to come."""
    last_movement_at: datetime | None = None
    """Latest scan of the parcel itself, for "no movement for 48 h" (rules.md 25)."""
    cancelled_at: datetime | None = None
    """The carrier cancelled the waybill; no state of a parcel, since it may still be moving."""
    anomalies: tuple[Anomaly, ...] = ()


RECEIVED = frozenset({ScanKind.SIGNED, ScanKind.PICKUP_CONFIRMED})
"""Scans that say that the recipient has the parcel."""
_LAST_MILE = frozenset(
    {ParcelState.OUT_FOR_DELIVERY, ParcelState.DELIVERY_FAILED, ParcelState.AWAITING_PICKUP}
)
_STILL_COMING = frozenset(
    {
        ParcelState.HANDED_OVER,
        ParcelState.IN_TRANSIT,
        ParcelState.CUSTOMS,
        ParcelState.OUT_FOR_DELIVERY,
        ParcelState.DELIVERY_FAILED,
    }
)
_PAPERWORK = frozenset(
    {
        ScanKind.UNKNOWN,
        ScanKind.ORDERED,
        ScanKind.CANCELLED,
        ScanKind.RESCHEDULED,
        ScanKind.PROBLEM,
        ScanKind.LOST,
    }
)
# A delivery is taken back by these only: ordinary scans after it are late or wrong (T2).
_UNDOES_DELIVERY = frozenset(
    {ScanKind.RETURNING, ScanKind.RETURNED, ScanKind.FORWARDED, ScanKind.HANDED_ON}
)

_LEADS_TO = {
    ScanKind.DEPARTED: ParcelState.IN_TRANSIT,
    ScanKind.CUSTOMS: ParcelState.CUSTOMS,
    ScanKind.CUSTOMS_CLEARED: ParcelState.IN_TRANSIT,
    ScanKind.OUT_FOR_DELIVERY: ParcelState.OUT_FOR_DELIVERY,
    ScanKind.TAKEN_BACK: ParcelState.OUT_FOR_DELIVERY,
    ScanKind.FAILED_ATTEMPT: ParcelState.DELIVERY_FAILED,
    ScanKind.REFUSED: ParcelState.DELIVERY_FAILED,
    ScanKind.AWAITING_PICKUP: ParcelState.AWAITING_PICKUP,
    ScanKind.HANDED_ON: ParcelState.HANDED_OVER,
    ScanKind.FORWARDED: ParcelState.FORWARDED,
    ScanKind.RETURNING: ParcelState.RETURNING,
    ScanKind.RETURNED: ParcelState.RETURNED,
    ScanKind.LOST: ParcelState.LOST,
}


def read(scans: Iterable[Scan], *, start: ParcelState, limits: TrackingLimits) -> "Reading":
    """What a parcel's own scans say, oldest first, of one that began in a state."""
    reading = Reading(state=start)
    for scan in scans:
        reading = _read(reading, scan, limits=limits)
    return reading


@dataclass(frozen=True, slots=True)
class Reading:
    """How far the scans have been read, in order."""

    state: ParcelState
    since: datetime | None = None
    left_for_return: bool = False
    """A departure followed the announcement of the return: only then can it arrive at a sender."""
    signer: str | None = None
    pickup: Pickup | None = None
    onward: Onward | None = None
    appointment: Appointment | None = None
    last_movement_at: datetime | None = None
    cancelled_at: datetime | None = None
    after_signing: tuple[Scan, ...] = ()

    def as_track(
        self,
        scans: tuple[Scan, ...],
        *,
        numbers: frozenset[str],
        set_aside: tuple[Anomaly, ...],
    ) -> Track:
        """What they say together; `set_aside` are scans that do not count, and why."""
        seconds = (tuple(group) for _, group in groupby(scans, key=lambda scan: scan.time))
        return Track(
            state=self.state,
            since=self.since,
            scans=scans,
            numbers=numbers,
            signed_at=self.since if self.state is ParcelState.SIGNED else None,
            signer=self.signer,
            pickup=self.pickup,
            onward=self.onward,
            appointment=self.appointment,
            last_movement_at=self.last_movement_at,
            cancelled_at=self.cancelled_at,
            anomalies=(
                *set_aside,
                *shown_by(AnomalyKind.AFTER_SIGNING, self.after_signing),
                *(Anomaly(AnomalyKind.SAME_SECOND, same) for same in seconds if len(same) > 1),
            ),
        )


def _read(reading: Reading, scan: Scan, *, limits: TrackingLimits) -> Reading:
    kind = scan.kind
    state = _next_state(reading, kind)
    changed = state is not reading.state
    was_signed = reading.state is ParcelState.SIGNED
    odd = was_signed and kind not in RECEIVED | _UNDOES_DELIVERY | _PAPERWORK
    return replace(
        reading,
        state=state,
        since=scan.time if changed else reading.since,
        left_for_return=state is ParcelState.RETURNING
        and (reading.left_for_return or (not changed and _is_departure(scan))),
        signer=_signer(reading, scan, state=state),
        pickup=_pickup(reading, scan, state=state, limits=limits),
        onward=_onward(reading, scan, state=state),
        appointment=_appointment(reading, scan, state=state),
        last_movement_at=reading.last_movement_at if kind in _PAPERWORK else scan.time,
        cancelled_at=scan.time if kind is ScanKind.CANCELLED else reading.cancelled_at,
        after_signing=(*reading.after_signing, scan) if odd else reading.after_signing,
    )


def _next_state(reading: Reading, kind: ScanKind) -> ParcelState:
    state = reading.state
    if state is ParcelState.RETURNED:
        return state
    if state is ParcelState.SIGNED and kind not in _UNDOES_DELIVERY:
        return state
    if state is ParcelState.RETURNING and not _ends_return(reading, kind):
        return state
    if kind in RECEIVED:
        # Who signs after a journey back is the sender; without one the return was called off.
        return ParcelState.RETURNED if reading.left_for_return else ParcelState.SIGNED
    if kind in (ScanKind.RESCHEDULED, ScanKind.PROBLEM):
        # Said of a parcel at the door it means that this attempt is over; else it's a remark.
        out = state is ParcelState.OUT_FOR_DELIVERY
        return ParcelState.DELIVERY_FAILED if out else state
    if kind in (ScanKind.ARRIVED, ScanKind.IN_TRANSIT):
        # Stations book a parcel in after they sent the courier out with it (real histories).
        return state if state in _LAST_MILE else ParcelState.IN_TRANSIT
    if kind is ScanKind.PICKED_UP:
        return ParcelState.HANDED_OVER if state is ParcelState.LABELLED else state
    return _LEADS_TO.get(kind, state)


def _ends_return(reading: Reading, kind: ScanKind) -> bool:
    """Whether a scan moves a returning parcel on; on the way back, most scans are just journey."""
    if kind in RECEIVED | {ScanKind.RETURNED, ScanKind.LOST}:
        return True
    return kind is ScanKind.OUT_FOR_DELIVERY and not reading.left_for_return


def _is_departure(scan: Scan) -> bool:
    if scan.kind is ScanKind.DEPARTED:
        return True
    # A movement that the source's code tags as "on the way back" keeps its words.
    return scan.kind is ScanKind.RETURNING and read_words(scan.text) is ScanKind.DEPARTED


def _signer(reading: Reading, scan: Scan, *, state: ParcelState) -> str | None:
    if state not in (ParcelState.SIGNED, ParcelState.RETURNED):
        return None
    kept = reading.signer if state is reading.state else None
    return kept or (read_signer(scan) if scan.kind in RECEIVED | {ScanKind.RETURNED} else None)


def _appointment(reading: Reading, scan: Scan, *, state: ParcelState) -> Appointment | None:
    """Over once the parcel arrived, turned back or was refused: then it has to be agreed anew."""
    if state not in _STILL_COMING or scan.kind is ScanKind.REFUSED:
        return None
    return read_appointment(scan) or reading.appointment


def _onward(reading: Reading, scan: Scan, *, state: ParcelState) -> Onward | None:
    """Kept when the state moves on: the next carrier's scans may come under the old number."""
    if scan.kind not in (ScanKind.HANDED_ON, ScanKind.FORWARDED) or state not in (
        ParcelState.HANDED_OVER,
        ParcelState.FORWARDED,
    ):
        return reading.onward
    return Onward(*read_onward(scan))


def _pickup(
    reading: Reading, scan: Scan, *, state: ParcelState, limits: TrackingLimits
) -> Pickup | None:
    if state is ParcelState.SIGNED:
        return reading.pickup
    if state is not ParcelState.AWAITING_PICKUP:
        return None
    if scan.kind is not ScanKind.AWAITING_PICKUP:
        return reading.pickup
    card = reading.pickup or Pickup(since=scan.time, lapses_at=scan.time + limits.pickup_wait)
    said: PickupNotice = read_pickup(scan)
    return replace(
        card,
        station=said.station or card.station,
        code=said.code or card.code,
        deadline=said.deadline or card.deadline,
    )
