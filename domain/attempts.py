"""投递 The first attempt to hand a parcel over at its door, and how it went (T9)."""

from datetime import datetime
from typing import NamedTuple

from domain.scans import ScanKind
from domain.tracking import RECEIVED, Track


class Attempt(NamedTuple):
    """A courier at the door."""

    at: datetime
    well: bool
    """Whether the recipient has it, or it waits for them nearby."""


_WELL = RECEIVED | {ScanKind.AWAITING_PICKUP}
_FAILED = frozenset({ScanKind.FAILED_ATTEMPT, ScanKind.RESCHEDULED})


def first_attempt(track: Track) -> Attempt | None:
    """The first one; None before any, and where the recipient refused it, whatever the hour."""
    for scan in track.scans:
        if scan.kind is ScanKind.REFUSED:
            return None
        if scan.kind in _WELL | _FAILED:
            return Attempt(scan.time, scan.kind in _WELL)
    return None
