"""投递 The first attempt to hand a parcel over at its door, and how it went (T9)."""

from collections.abc import Iterable
from datetime import datetime
from math import sqrt
from typing import Final, NamedTuple

from domain.scans import ScanKind
from domain.tracking import RECEIVED, Track


class Attempt(NamedTuple):
    """A courier at the door."""

    at: datetime
    well: bool
    """Whether the recipient has it, or it waits for them nearby."""


_WELL = RECEIVED | {ScanKind.AWAITING_PICKUP}
_FAILED = frozenset({ScanKind.FAILED_ATTEMPT})
"""What a recipient puts off to another day is no attempt: nobody was at the door in vain."""


def first_attempt(track: Track) -> Attempt | None:
    """The first one; None before any, and where the recipient refused it, whatever the hour."""
    for scan in track.scans:
        if scan.kind is ScanKind.REFUSED:
            return None
        if scan.kind in _WELL | _FAILED:
            return Attempt(scan.time, scan.kind in _WELL)
    return None


class HourOfTries(NamedTuple):
    """First attempts of one hour of the day in one place."""

    hour: int
    tried: int
    well: int


_SURE: Final = 1.645
"""Of a normal curve: one in twenty lies farther out."""
_ENOUGH: Final = 5
"""Fewer attempts in an hour say nothing about it."""


def surely(tried: int, well: int) -> float:
    """A share of successes that the true one is hardly below (Wilson's lower bound), 0 to 1.

    Three of three are no better than 95 of 100.
    """
    if not tried:
        return 0.0
    share, square = well / tried, _SURE * _SURE
    middle = share + square / (2 * tried)
    doubt = _SURE * sqrt((share * (1 - share) + square / (4 * tried)) / tried)
    return max(0.0, (middle - doubt) / (1 + square / tried))


def preferred_hour(hours: Iterable[HourOfTries]) -> int | None:
    """The hour in which a delivery most surely succeeds; the earliest of equals; None: too few."""
    known = [one for one in hours if one.tried >= _ENOUGH]
    best = max(known, key=lambda one: (surely(one.tried, one.well), -one.hour), default=None)
    return None if best is None else best.hour
