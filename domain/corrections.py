"""承运商更正 Whose number it is, where a partner corrects itself, in any order of telling (T1, T2).

A correction says which carrier the number was taken for (`comOld`; without it, the label's) and
which one it is (`comNew`; wire/carriers.md 1.6). One that starts from a carrier came after the one
that led there, so the corrections themselves say their sequence, and a set of them is enough: from
the label's carrier each is followed once, as far as they lead. Where two lead on from one carrier,
the one counts whose scans are newer, and of two without any the code that sorts last: arbitrary,
but the same for whoever hears of them.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple

from domain.scans import Scan

_NEVER = datetime.min.replace(tzinfo=UTC)


class Correction(NamedTuple):
    """A partner's word that a number is another carrier's."""

    was: str
    carrier: str


def believed(
    labelled: str, told: Iterable[Correction], scans: Iterable[Scan]
) -> tuple[str, frozenset[str]]:
    """The carrier that has the parcel, and those that it was wrongly taken for (rules.md 21)."""
    newest: dict[str, datetime] = {}
    for scan in scans:
        newest[scan.carrier] = max(scan.time, newest.get(scan.carrier, _NEVER))
    here, left, unused = labelled, set[str](), _joined_on(labelled, set(told))
    while onward := [one for one in unused if one.was == here]:
        taken = max(onward, key=lambda one: (newest.get(one.carrier, _NEVER), one.carrier))
        unused.discard(taken)
        left.add(here)
        here = taken.carrier
    return here, frozenset(left - {here})


def _joined_on(labelled: str, told: set[Correction]) -> set[Correction]:
    """The corrections, with a step from the label's carrier to where they start, if none does.

    The one between was not heard of yet, or the partner took the number for another's all along.
    """
    if any(one.was == labelled for one in told):
        return told
    led_to = {one.carrier for one in told}
    return told | {Correction(labelled, one.was) for one in told if one.was not in led_to}
