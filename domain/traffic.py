"""灰度 How much of a partner's traffic is real, and how much a rehearsal at the sandbox (M3)."""

from dataclasses import dataclass
from hashlib import sha256

from pydantic import Field

from domain.facts import Fact
from domain.refusals import InvalidRequest

STEPS = 100
"""A share is told in whole per cents."""


class TrafficShifted(Fact, name="traffic.TrafficShifted"):
    """From now on this share of what begins with a partner is real; what has begun stays."""

    percent: int = Field(ge=0, le=STEPS, description="of all parcels or orders, 0 to 100")


@dataclass(frozen=True, slots=True)
class Traffic:
    """One partner's traffic."""

    percent: int = 0
    """Nothing is real before somebody says so."""

    def shift(self, percent: int) -> list[TrafficShifted]:
        """Make this share real; nothing where it is. Raises `InvalidRequest`."""
        if not 0 <= percent <= STEPS:
            raise InvalidRequest(field="percent", reason="is not from 0 to 100")
        return [] if percent == self.percent else [TrafficShifted(percent=percent)]


def evolve(traffic: Traffic, fact: TrafficShifted) -> Traffic:
    """The traffic after one more fact."""
    return Traffic(fact.percent)


def goes_real(partner: str, key: str, *, percent: int) -> bool:
    """Whether what is known by this key is among a partner's real share.

    The same key is always at the same place of a hundred thousand: a greater share has all that a
    smaller one has.
    """
    place = int.from_bytes(sha256(f"{partner}\0{key}".encode()).digest()[:8]) % (STEPS * 1_000)
    return place < percent * 1_000
