"""单号归属 The numbers that a parcel goes by: what is told of any other one is not told of it (T2).

Every parcel has a callback address of its own, but a push to it says itself which number it is
about: a partner that takes two addresses for each other signs the wrong parcel's receipt, too.
"""

from collections.abc import Iterable
from typing import NamedTuple

from domain.scans import Scan, ScanKind, read_onward


class SecondNumber(NamedTuple):
    """A number that a partner gives beside the one it was asked to watch (wire/carriers.md 1.6)."""

    waybill: str
    carrier: str
    beside: str
    vouched_by: str = ""
    """Who answers for it: staff, or a source that was asked; nobody, where a push alone told it."""


_GOES_ON = frozenset(
    {ScanKind.HANDED_ON, ScanKind.FORWARDED, ScanKind.RETURNING, ScanKind.RETURNED}
)
"""Scans whose words may give the number that a parcel goes on, or back, under."""


def as_read(waybill: str) -> str:
    """A number as scanners read it: its capitals and dashes are a matter of who wrote it.

    >>> as_read("sf-99000111")
    'SF99000111'
    """
    return waybill.replace("-", "").upper()


def own_numbers(
    had: Iterable[str], *, beside: Iterable[tuple[str, str]], scans: Iterable[Scan]
) -> frozenset[str]:
    """Numbers that were on a parcel, and all that were named by one of its own, as read.

    `beside` are pairs of a number and one that was given with it. Only a number that is the
    parcel's can name another one; what comes first does not matter.
    """
    names = {(as_read(one), as_read(other)) for one, other in beside}
    for scan in scans:
        onward = read_onward(scan)[1] if scan.kind in _GOES_ON else None
        if onward is not None:
            names.add((as_read(scan.number), as_read(onward)))
    own = {as_read(number) for number in had}
    while named := {other for one, other in names if one in own} - own:
        own |= named
    return frozenset(own)
