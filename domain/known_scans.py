"""已知扫描 The set of scans known of a parcel, and which of them are its own (T2; rules.md 21).

`track` reads a whole set; `TrackState` is the same set, kept by an aggregate that learns of it
piece by piece. Neither knows in which order, how often or by which channel a scan arrived.
"""

from collections.abc import Container, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Annotated

from pydantic import PlainSerializer

from domain.anomalies import AnomalyKind, shown_by
from domain.own_numbers import as_read, own_numbers
from domain.scans import Scan, ScanIdentity, best_tellings, chronological
from domain.tracking import ParcelState, Track, TrackingLimits, read


def track(
    scans: Iterable[Scan],
    *,
    handed_over_at: datetime | None,
    numbers: Iterable[str] | None = None,
    voided_carriers: Iterable[str] = (),
    limits: TrackingLimits | None = None,
) -> Track:
    """What these scans say together, whatever their order and repetition (T2, rules.md 21, 22).

    Of scans with one identity the better informed counts. A later scan decides over an earlier
    one, except that ordinary scans never take back a delivery and a station's paperwork never
    takes a parcel back from the courier. Without scans the parcel is `handed_over`, or `labelled`
    while `handed_over_at` is None. Without `numbers` it had every one that the scans name.
    """
    told = tuple(scans)
    known = TrackState(
        handed_over_at=handed_over_at,
        numbers=frozenset((one.number for one in told) if numbers is None else numbers),
        voided_carriers=frozenset(voided_carriers),
        limits=limits or TrackingLimits(),
    )
    return known.with_scans(told).track()


# Sets iterate as they like in each process; what is written down must not.
_IN_ORDER = PlainSerializer(lambda s: sorted(s, key=chronological), return_type=list[Scan])


@dataclass(frozen=True, slots=True)
class TrackState:
    """The set of scans known of a parcel, and what decides which of them count."""

    handed_over_at: datetime | None = None
    numbers: Annotated[frozenset[str], PlainSerializer(sorted)] = frozenset()
    """Those that were ever on it; scans of others count if one of these named them (T2)."""
    beside: Annotated[frozenset[tuple[str, str]], PlainSerializer(sorted)] = frozenset()
    """Pairs: a number, and a second one that a partner gave with it."""
    voided_carriers: Annotated[frozenset[str], PlainSerializer(sorted)] = frozenset()
    scans: Annotated[frozenset[Scan], _IN_ORDER] = frozenset()
    limits: TrackingLimits = field(default_factory=TrackingLimits)

    def with_scans(self, new: Iterable[Scan]) -> "TrackState":
        """This state, knowing these scans, too; adding twice or in any order changes nothing."""
        return replace(self, scans=frozenset(best_tellings((*self.scans, *new), by_carrier=True)))

    def with_hand_over(self, at: datetime) -> "TrackState":
        """This state once the carrier has the parcel."""
        return replace(self, handed_over_at=at)

    def with_number(self, number: str) -> "TrackState":
        """This state once a number is on the parcel; one that was on it keeps counting."""
        return replace(self, numbers=self.numbers | {number})

    def with_second(self, number: str, *, beside: str) -> "TrackState":
        """This state once a partner gave a second number beside another one."""
        return replace(self, beside=self.beside | {(beside, number)})

    def without_second(self, number: str) -> "TrackState":
        """This state as if nobody had ever given this second number, however it is written."""
        given = {pair for pair in self.beside if as_read(pair[1]) != as_read(number)}
        return replace(self, beside=frozenset(given))

    def with_voided(self, carrier: str) -> "TrackState":
        """This state once the carrier turned out to be wrong: its scans are void (rules.md 21)."""
        return replace(self, voided_carriers=self.voided_carriers | {carrier})

    def fresh(self, new: Iterable[Scan]) -> tuple[Scan, ...]:
        """Those of the scans worth recording, oldest first, each once.

        New by identity, or telling more of a known scan (a place, a code) than was known: both
        are needed for the recorded set to read the same whichever telling came first. Scans of a
        voided carrier are not. Recording what this returns makes `fresh` of it empty.
        """
        added = self.with_scans(new).scans - self.scans
        return tuple(
            sorted((s for s in added if s.carrier not in self.voided_carriers), key=chronological)
        )

    def track(self, *, believed: Container[ScanIdentity] = ()) -> Track:
        """What the known scans say together (see the function `track`).

        `believed`: scans dated ahead that happened all the same, by the time that they were told.
        """
        told = [scan for scan in self.scans if scan.carrier not in self.voided_carriers]
        void = [scan for scan in self.scans if scan.carrier in self.voided_carriers]
        every = sorted(best_tellings(told, by_carrier=False), key=chronological)
        ahead = [one for one in every if one.dated is not None and one.identity not in believed]
        ordered = [scan for scan in every if scan not in ahead]
        late = [scan for scan in ordered if not self._is_of_another_parcel(scan)]
        numbers = own_numbers(self.numbers, beside=self.beside, scans=late)
        own = [scan for scan in ordered if as_read(scan.number) in numbers]
        early = [scan for scan in own if self._is_of_another_parcel(scan)]
        mine = tuple(own[len(early) :])
        start = ParcelState.LABELLED if self.handed_over_at is None else ParcelState.HANDED_OVER
        foreign = (scan for scan in ordered if as_read(scan.number) not in numbers)
        return read(mine, start=start, limits=self.limits).as_track(
            mine,
            numbers=numbers,
            set_aside=(
                *shown_by(AnomalyKind.ANOTHER_PARCEL, early),
                *shown_by(AnomalyKind.FOREIGN_NUMBER, foreign),
                *shown_by(AnomalyKind.DATED_AHEAD, ahead),
                *shown_by(AnomalyKind.VOID_CARRIER, sorted(void, key=chronological)),
            ),
        )

    def _is_of_another_parcel(self, scan: Scan) -> bool:
        return (
            self.handed_over_at is not None
            and scan.time < self.handed_over_at - self.limits.another_parcel_before
        )
