"""线路 Where a parcel comes from and goes to, and how far it has come on that way (T4)."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from pydantic import Field, PositiveInt

from domain.divisions import MUNICIPALITIES
from domain.facts import Value
from domain.scans import Scan, ScanKind
from domain.tracking import RECEIVED, ParcelState, Track


class Lane(Value):
    """Both ends of a parcel's way, as far as they name nobody."""

    origin: str = Field(description="province of the warehouse")
    province: str = Field(description="of the recipient")
    city: str = Field(default="", description="of the recipient, where it is known")
    division: str | None = Field(
        default=None, description="code (GB/T 2260) of the smallest division that is settled"
    )
    hours: PositiveInt | None = Field(
        default=None, description="promised by the carrier's rate card; None: it has none"
    )

    @property
    def destination(self) -> str:
        """The city it goes to: the digits its divisions share, or else its name."""
        if self.division is not None and not self.division.endswith("0000"):
            return city_of(self.division)
        return f"{self.province}{self.city}"

    def ends_at(self, scan: Scan) -> bool:
        """Whether the carrier saw the parcel in the city it goes to."""
        return scan.division is not None and city_of(scan.division) == self.destination


class Milestone(StrEnum):
    """How far a parcel has come; each leaves less of the way, and less doubt."""

    HANDED_OVER = "handed_over"
    UNDER_WAY = "under_way"
    NEAR = "near"
    """Seen in the city it goes to."""
    AT_THE_DOOR = "at_the_door"
    """A courier is out with it."""


_MOVES = frozenset({ScanKind.ARRIVED, ScanKind.DEPARTED, ScanKind.IN_TRANSIT})
_ARRIVES = RECEIVED | {ScanKind.AWAITING_PICKUP}
STRAYED = frozenset({ParcelState.RETURNING, ParcelState.RETURNED, ParcelState.LOST})
"""States in which a parcel is not on its way to its recipient any more."""


def milestones(
    track: Track, lane: Lane, *, handed_over_at: datetime
) -> Mapping[Milestone, datetime]:
    """When each was first reached, by the scans that count; what was passed over has no time.

    Carriers may scan a parcel before the house notes that they have it: nothing is earlier.
    """
    found = {Milestone.HANDED_OVER: handed_over_at}
    for scan in track.scans:
        at = max(scan.time, handed_over_at)
        if scan.kind is ScanKind.OUT_FOR_DELIVERY:
            found.setdefault(Milestone.AT_THE_DOOR, at)
        if scan.kind in _MOVES:
            found.setdefault(Milestone.UNDER_WAY, at)
            if lane.ends_at(scan):
                found.setdefault(Milestone.NEAR, at)
    return found


def reached(
    track: Track, lane: Lane, *, handed_over_at: datetime
) -> tuple[Milestone, datetime] | None:
    """How far a parcel is by now, and since when; None once it arrived, strayed or turned back."""
    if arrived_at(track) is not None or track.state in STRAYED:
        return None
    found = milestones(track, lane, handed_over_at=handed_over_at)
    last = max(found, key=list(Milestone).index)
    return last, found[last]


def arrived_at(track: Track) -> datetime | None:
    """When its recipient could first have the parcel: received, or ready to be picked up (rule 22).

    None while it is on its way, and again once the delivery was taken back.
    """
    if track.state not in (ParcelState.SIGNED, ParcelState.AWAITING_PICKUP):
        return None
    return next((scan.time for scan in track.scans if scan.kind in _ARRIVES), None)


def city_of(division: str) -> str:
    """The digits that all divisions of a city share."""
    # Municipalities are one city each: their districts share two digits, not four.
    return division[:2] if division[:2] in MUNICIPALITIES else division[:4]
