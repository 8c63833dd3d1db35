"""航段 The legs of a parcel that goes abroad: home, customs, and whoever brings it there (T7).

They are one track: which leg a scan is of follows from who told it, under which number, and from
what it says; nothing of it is kept.
"""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from domain.countries import HOME
from domain.own_numbers import SecondNumber, as_read
from domain.parcel_facts import ParcelFact, SecondNumberTakenBack, SecondNumberTold
from domain.parcels import Parcel
from domain.refusals import NotPossible
from domain.scans import Scan, ScanKind

AT_CUSTOMS = frozenset({ScanKind.CUSTOMS, ScanKind.CUSTOMS_CLEARED})

STAFF = "staff"
"""Who answers for a number that was written down by hand."""


class Leg(StrEnum):
    """Where a scan is of."""

    HOME = "home"
    CUSTOMS = "customs"
    ABROAD = "abroad"


class Stretch(NamedTuple):
    """A leg of one parcel."""

    leg: Leg
    since: datetime | None
    """The first scan of it; None: the parcel has not been seen there."""
    carrier: str | None = None
    waybill: str | None = None


def leg_of(scan: Scan, parcel: Parcel) -> Leg | None:
    """Which leg a scan of this parcel is of; None: it stays at home."""
    if parcel.country == HOME:
        return None
    if scan.kind in AT_CUSTOMS:
        return Leg.CUSTOMS
    number, second = as_read(scan.number), parcel.overseas
    if second is not None and number == as_read(second.waybill) != as_read(second.beside):
        return Leg.ABROAD
    # A number of the postal union is the same on both sides: who saw it tells them apart.
    return Leg.HOME if scan.carrier == parcel.carrier else Leg.ABROAD


def legs_of(parcel: Parcel) -> tuple[Stretch, ...]:
    """The legs of a parcel that goes abroad, in their order; none of one that stays at home."""
    if parcel.country == HOME:
        return ()
    since: dict[Leg | None, datetime] = {}
    for scan in parcel.track().scans:
        since.setdefault(leg_of(scan, parcel), scan.time)
    second = parcel.overseas
    return (
        Stretch(Leg.HOME, since.get(Leg.HOME), parcel.carrier, parcel.waybill),
        Stretch(Leg.CUSTOMS, since.get(Leg.CUSTOMS)),
        Stretch(
            Leg.ABROAD,
            since.get(Leg.ABROAD),
            second.carrier if second else None,
            second.waybill if second else None,
        ),
    )


def carried_on(parcel: Parcel, *, carrier: str, waybill: str) -> list[ParcelFact]:
    """Note who brings the parcel abroad, and under which number; saying so twice is once."""
    if parcel.country == HOME:
        raise NotPossible(action="carry_on", why="the parcel stays at home")
    if parcel.waybill is None:
        raise NotPossible(action="carry_on", why="the parcel has no waybill")
    second = SecondNumber(waybill=waybill, carrier=carrier, beside=parcel.waybill, vouched_by=STAFF)
    return [] if second == parcel.overseas else [SecondNumberTold(**second._asdict())]


def taken_back(parcel: Parcel, *, waybill: str, reason: str) -> list[ParcelFact]:
    """Note that a second number is not the parcel's, whoever had told it; twice is once.

    Its scans stay known, and count again if the number turns out to be its own after all.
    """
    if as_read(waybill) in parcel.taken_back:
        return []
    told = [one.waybill for one in parcel.seconds if as_read(one.waybill) == as_read(waybill)]
    if not told:
        raise NotPossible(action="take_back_number", why="the parcel has no such second number")
    return [SecondNumberTakenBack(waybill=told[0], reason=reason)]
