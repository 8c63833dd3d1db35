"""波次 Waves: what a warehouse's orders are released in, at its cut-off or by hand (S5)."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never

from pydantic import AwareDatetime, Field, NonNegativeInt

from domain.facts import Fact


class WaveOpened(Fact, name="waves.WaveOpened"):
    """A warehouse's orders are being released."""

    warehouse: str
    cut_off: AwareDatetime | None = Field(default=None, description="None: by hand")


class WaveClosed(Fact, name="waves.WaveClosed"):
    """Everything that could be released was; what came later waits for the next one."""

    parts: NonNegativeInt = Field(description="parts of orders that were released")
    parcels: NonNegativeInt = Field(description="parcels they travel in")
    merged: NonNegativeInt = Field(description="parts that share a parcel with others")
    to_review: NonNegativeInt = Field(description="orders that went to a human instead (O7)")


WaveFact = WaveOpened | WaveClosed


@dataclass(frozen=True, slots=True)
class Wave:
    """How far one wave has come."""

    warehouse: str | None = None
    cut_off: datetime | None = None
    closed: bool = False

    def open(self, warehouse: str, *, cut_off: datetime | None) -> list[WaveFact]:
        """Begin it; a wave that was begun before it broke off goes on."""
        return [] if self.warehouse else [WaveOpened(warehouse=warehouse, cut_off=cut_off)]

    def close(self, *, parts: int, parcels: int, merged: int, to_review: int) -> list[WaveFact]:
        """End it, once."""
        if self.closed:
            return []
        return [WaveClosed(parts=parts, parcels=parcels, merged=merged, to_review=to_review)]


def evolve(wave: Wave, fact: WaveFact) -> Wave:
    """The wave after one more fact."""
    match fact:
        case WaveOpened():
            return replace(wave, warehouse=fact.warehouse, cut_off=fact.cut_off)
        case WaveClosed():
            return replace(wave, closed=True)
        case _:
            assert_never(fact)
