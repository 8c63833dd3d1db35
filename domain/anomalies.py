"""异常 What is odd about a set of scans by itself, as reading it shows (T2; rules.md 21)."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from domain.scans import Scan


class AnomalyKind(StrEnum):
    """What is odd about a set of scans; none of it stops the parcel."""

    AFTER_SIGNING = "after_signing"
    """The parcel was scanned on its way after it was signed for; the delivery stands (T2)."""
    SAME_SECOND = "same_second"
    """Scans share an instant: their order is this house's reading, not the carrier's word."""
    ANOTHER_PARCEL = "another_parcel"
    """Scanned long before hand-over: not counted (rules.md 21)."""
    FOREIGN_NUMBER = "foreign_number"
    """Of a number that the parcel never had, and that none of its own named: not counted (T2)."""
    DATED_AHEAD = "dated_ahead"
    """Told long before the time that it names, and no human said that it happened: not counted."""
    VOID_CARRIER = "void_carrier"
    """Told by a carrier that was corrected: not counted (rules.md 21, wire/carriers.md 1.6)."""


@dataclass(frozen=True, slots=True)
class Anomaly:
    """One oddity with the scans that show it, in order."""

    kind: AnomalyKind
    scans: tuple[Scan, ...]


def shown_by(kind: AnomalyKind, scans: Iterable[Scan]) -> tuple[Anomaly, ...]:
    """The anomaly that these scans show; nothing where there are none."""
    odd = tuple(scans)
    return (Anomaly(kind, odd),) if odd else ()
