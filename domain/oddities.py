"""异常轨迹 What is odd about a parcel's track, and what a human decides about it (T6).

A pure reading of the set of scans: whatever their order and repetition of arrival, the same is
odd. What is flagged is a fact once; what is odd now is read anew from what counts now.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from itertools import pairwise
from math import asin, cos, hypot, radians, sin, sqrt
from statistics import median
from typing import Final, NamedTuple

from domain.anomalies import AnomalyKind
from domain.delays import DelayCause, turned
from domain.house_rules import HouseRules
from domain.lanes import city_of
from domain.neighbours import between
from domain.parcel_facts import OddityDecided, ParcelFact, ScanSeen, TrackFlagged
from domain.parcel_state import VOIDING, OddityDecision
from domain.parcels import Parcel
from domain.refusals import NotFound, NotPossible
from domain.scans import Coordinates, Scan, ScanKind
from domain.tracking import RECEIVED, Track

REUSED_AFTER: Final = timedelta(days=30)
"""Scans so long after a receipt are of the number's next parcel."""
FASTEST_KMH: Final = 900
"""A cargo plane, from the first scan's door to the second one's."""
SLACK_KM: Final = 100
"""Coordinates are centres of divisions: so far apart they may be of one place."""
DRIFT_KM: Final = 300
"""Farther from the other scans of a city than that, coordinates are not of that city."""
_CHINA = (73.0, 136.0, 3.0, 54.0)
_EARTH_KM = 6_371.0
_ENOUGH = 3
FLAGS_MAX: Final = 50
"""Oddities noted of one parcel: whoever looks at these has seen what is wrong with it."""


class OddityKind(StrEnum):
    """What is odd."""

    BACKWARDS = "backwards"
    """Picked up after a courier was out with it: times run backwards."""
    JUMP = "jump"
    """Two places too far apart for the time between."""
    AFTER_SIGNING = "after_signing"
    DRIFTED = "drifted"
    """Coordinates that are not where the division is."""
    MISROUTED = "misrouted"
    """Sorted the wrong way, in the carrier's words or by going to and fro."""
    STALLED = "stalled"
    """Nobody saw it for long, and then it went on."""
    REUSED_NUMBER = "reused_number"
    """Scans of another parcel that had, or has, the number."""
    FOREIGN_NUMBER = "foreign_number"
    """Scans of a number that is not the parcel's, as far as anybody told: not counted."""
    DATED_AHEAD = "dated_ahead"
    """Dated long after it was told: not counted until a human accepts it, or its time has come."""
    UNSENT = "unsent"
    """A carrier has it, though it was unpacked and was not to be sent."""


class Oddity(NamedTuple):
    """One oddity with the scans that show it, in order."""

    kind: OddityKind
    scans: tuple[Scan, ...]

    @property
    def id(self) -> str:
        """Of its kind and first scan: what is odd stays the same one when more scans show it.

        A foreign number is one oddity, whichever of its scans comes first; so is a parcel that was
        not to be sent.
        """
        first = self.scans[0]
        which = (first.written.isoformat(), first.text)
        parts = () if self.kind in _OF_ITS_NUMBER else which
        named = "\n".join((self.kind, first.number, *parts))
        return sha256(named.encode()).hexdigest()[:16]


_OF_ITS_NUMBER = frozenset({OddityKind.FOREIGN_NUMBER, OddityKind.UNSENT})
_MISSENT = re.compile(r"错[发分送]|误[发分送]|[发分送]错|分拣错误")
_LATE_IN_LIFE = RECEIVED | {ScanKind.OUT_FOR_DELIVERY}
_BEGINS_ANEW = frozenset({ScanKind.HANDED_ON, ScanKind.FORWARDED, ScanKind.RETURNING})
_UNSEEN = frozenset({ScanKind.ORDERED, ScanKind.UNKNOWN, ScanKind.PROBLEM, ScanKind.RESCHEDULED})


def odd_about(parcel: Parcel, track: Track, *, rules: HouseRules) -> tuple[Oddity, ...]:
    """Everything odd about a parcel's track; that there is one, if it was not to be sent (T6)."""
    moving = tuple(scan for scan in track.scans if scan.kind not in _UNSEEN)
    travels = parcel.dissolved and moving
    unsent = (Oddity(OddityKind.UNSENT, moving),) if travels else ()
    return (*unsent, *oddities(track, rules=rules))


def oddities(track: Track, *, rules: HouseRules) -> tuple[Oddity, ...]:
    """Everything odd about the scans that count, and about those set aside; oldest first (T6)."""
    drifted = tuple(_drifted(track.scans))
    found = [
        *_set_aside(track),
        *_backwards(track.scans),
        *_all_jumps([scan for scan in track.scans if scan not in drifted], rules=rules),
        *(Oddity(OddityKind.DRIFTED, (scan,)) for scan in drifted),
        *_misrouted(track),
        *_stalls(track, rules=rules),
    ]
    return tuple(sorted(found, key=lambda one: (one.scans[0].time, one.kind, one.id)))


def _set_aside(track: Track) -> Iterator[Oddity]:
    for anomaly in track.anomalies:
        if anomaly.kind is AnomalyKind.ANOTHER_PARCEL:
            yield Oddity(OddityKind.REUSED_NUMBER, anomaly.scans)
        elif anomaly.kind is AnomalyKind.FOREIGN_NUMBER:
            for number in dict.fromkeys(scan.number for scan in anomaly.scans):
                its = tuple(scan for scan in anomaly.scans if scan.number == number)
                yield Oddity(OddityKind.FOREIGN_NUMBER, its)
        elif anomaly.kind is AnomalyKind.DATED_AHEAD:
            yield from (Oddity(OddityKind.DATED_AHEAD, (scan,)) for scan in anomaly.scans)
        elif anomaly.kind is AnomalyKind.AFTER_SIGNING:
            ends = max(
                (scan.time for scan in track.scans if scan.kind in RECEIVED),
                default=anomaly.scans[0].time,
            )
            first = min(ends, anomaly.scans[0].time)
            later = tuple(s for s in anomaly.scans if s.time > first + REUSED_AFTER)
            soon = tuple(s for s in anomaly.scans if s not in later)
            if soon:
                yield Oddity(OddityKind.AFTER_SIGNING, soon)
            if later:
                yield Oddity(OddityKind.REUSED_NUMBER, later)


def _backwards(scans: Sequence[Scan]) -> Iterator[Oddity]:
    """Picked up once more is right for the next carrier, the next address, or the way back."""
    late: Scan | None = None
    for scan in scans:
        if scan.kind in _BEGINS_ANEW:
            late = None
        elif scan.kind in _LATE_IN_LIFE and late is None:
            late = scan
        elif scan.kind is ScanKind.PICKED_UP and late is not None and scan.time > late.time:
            yield Oddity(OddityKind.BACKWARDS, (late, scan))
            return


def _all_jumps(scans: Sequence[Scan], *, rules: HouseRules) -> Iterator[Oddity]:
    """By coordinates; between sights that lack them, by the provinces that lie between (T6)."""
    found = list(_jumps(scans))
    yield from found
    begun = {one.scans[0].identity for one in found}
    seen = [scan for scan in scans if scan.division is not None and scan.kind not in _UNSEEN]
    for before, after in pairwise(seen):
        measured = before.coordinates is not None and after.coordinates is not None
        if measured or before.identity in begun:
            continue
        assert before.division is not None
        assert after.division is not None
        crossed = between(before.division, after.division)
        if after.time - before.time < crossed * rules.province_crossing:
            yield Oddity(OddityKind.JUMP, (before, after))


def _jumps(scans: Iterable[Scan]) -> Iterator[Oddity]:
    placed = [scan for scan in scans if scan.coordinates is not None]
    for before, after in pairwise(placed):
        assert before.coordinates is not None
        assert after.coordinates is not None
        hours = (after.time - before.time) / timedelta(hours=1)
        if distance_km(before.coordinates, after.coordinates) > SLACK_KM + FASTEST_KMH * hours:
            yield Oddity(OddityKind.JUMP, (before, after))


def _drifted(scans: Iterable[Scan]) -> Iterator[Scan]:
    """Scans whose coordinates are outside the country, or far from the others of their city."""
    cities: dict[str, list[Scan]] = {}
    for scan in scans:
        if scan.coordinates is None or scan.division is None:
            continue
        if _is_abroad(scan.coordinates):
            yield scan
        else:
            cities.setdefault(city_of(scan.division), []).append(scan)
    for together in cities.values():
        if len(together) >= _ENOUGH:
            yield from _far_from_the_rest(together)


def _far_from_the_rest(scans: Sequence[Scan]) -> Iterator[Scan]:
    places = [scan.coordinates for scan in scans if scan.coordinates is not None]
    middle = Coordinates(
        median(place.longitude for place in places), median(place.latitude for place in places)
    )
    for scan in scans:
        assert scan.coordinates is not None
        if distance_km(scan.coordinates, middle) > DRIFT_KM:
            yield scan


def _misrouted(track: Track) -> Iterator[Oddity]:
    for scan in track.scans:
        if _MISSENT.search(scan.text):
            yield Oddity(OddityKind.MISROUTED, (scan,))
            return
    back = turned(track)
    if back is not None and back.cause is DelayCause.PING_PONG:
        shown = tuple(s for s in track.scans if s.time <= back.since and s.division is not None)
        yield Oddity(OddityKind.MISROUTED, shown)


def _stalls(track: Track, *, rules: HouseRules) -> Iterator[Oddity]:
    """Between two sights of it before its receipt; waiting at a station is no stall."""
    seen: Scan | None = None
    for scan in track.scans:
        if scan.kind in _UNSEEN:
            continue
        waits = seen is not None and seen.kind is ScanKind.AWAITING_PICKUP
        if seen is not None and not waits and scan.time - seen.time > rules.inquire_after:
            yield Oddity(OddityKind.STALLED, (seen, scan))
        if scan.kind in RECEIVED:
            return
        seen = scan


def distance_km(one: Coordinates, other: Coordinates) -> float:
    """As the crow flies, in kilometres."""
    up = sin(radians(other.latitude - one.latitude) / 2)
    aside = sin(radians(other.longitude - one.longitude) / 2)
    shrunk = sqrt(cos(radians(one.latitude)) * cos(radians(other.latitude)))
    return 2 * _EARTH_KM * asin(min(1.0, hypot(up, aside * shrunk)))


def _is_abroad(place: Coordinates) -> bool:
    west, east, south, north = _CHINA
    return not (west <= place.longitude <= east and south <= place.latitude <= north)


# --- decisions -----------------------------------------------------------------------------------


def flag(parcel: Parcel, *, rules: HouseRules) -> list[ParcelFact]:
    """Note what is odd by now and was not noted yet; a human looks at it (T6)."""
    new = [
        TrackFlagged(oddity=one.id, kind=one.kind.value, scans=_seen(one.scans))
        for one in odd_about(parcel, parcel.track(), rules=rules)
        if one.id not in parcel.flagged
    ]
    return [*new[: max(0, FLAGS_MAX - len(parcel.flagged))]]


def decide(
    parcel: Parcel,
    oddity: str,
    decision: OddityDecision,
    *,
    reason: str,
    when: datetime,
    rules: HouseRules,
) -> list[ParcelFact]:
    """Accept it, leave its scans out, or say that they are another parcel's (T6).

    A foreign number that is accepted is the parcel's from then on, and a scan dated ahead happened
    when it was told. The same decision again changes
    nothing; another one takes its place. Raises `NotFound`, and `NotPossible` once nothing of it is
    odd any more.
    """
    if oddity not in parcel.flagged:
        raise NotFound(what="oddity")
    known = next((one for one in parcel.decided if one.oddity == oddity), None)
    if known is not None and known.decision == decision:
        return []
    now = {one.id: one for one in odd_about(parcel, parcel.track(), rules=rules)}
    if oddity in now:
        kind, scans = now[oddity].kind.value, _seen(now[oddity].scans)
    elif known is not None and _settles(known):
        kind, scans = known.kind, known.scans
    else:
        raise NotPossible(action="decide_oddity", why="nothing of it is odd any more")
    return [
        OddityDecided(
            oddity=oddity,
            kind=kind,
            decision=decision.value,
            scans=scans,
            reason=reason,
            at=when,
        )
    ]


def _settles(known: OddityDecided) -> bool:
    """Whether what it is about may be odd no more because of this very decision."""
    return known.decision in VOIDING or known.kind in _LET_IN


_LET_IN = frozenset({OddityKind.FOREIGN_NUMBER, OddityKind.DATED_AHEAD})
"""What does not count before a human accepts it."""


def _seen(scans: Iterable[Scan]) -> tuple[ScanSeen, ...]:
    return tuple(ScanSeen(number=one.number, time=one.written, text=one.text) for one in scans)
