"""单人经手 What one person gave and took by hand alone: small amounts add up, too (A8)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from pydantic import AwareDatetime, Field

from domain.facts import Fact, PositiveInt
from domain.house_rules import HouseRules


class PointsMovedAlone(Fact, name="single_handed.PointsMovedAlone"):
    """One person gave or took points by hand without a second one; the account has them, too."""

    points: PositiveInt = Field(description="given or taken, in either case counted up")
    subject: str = Field(
        description="the adjustment's or grant's source, the lot, the case, or the order"
    )
    moved_at: AwareDatetime = Field(description="when it was done, whatever it was dated to")
    counts_until: AwareDatetime = Field(description="until then it adds to what follows")


SingleHandedFact = PointsMovedAlone


class Before(NamedTuple):
    """What one person moved alone for one learner within the time that counts (A8)."""

    points: int = 0
    """Given and taken, either counted up."""
    times: int = 0

    def takes_two(self, points: int, *, rules: HouseRules) -> bool:
        """Whether so many more, given or taken, come to what takes four eyes (rules.md 26).

        Nothing takes nobody.
        """
        return bool(points) and self.points + abs(points) >= rules.four_eyes_points


@dataclass(frozen=True, slots=True)
class SingleHanded:
    """What one person moved alone for one learner, as far as it still counts."""

    moves: tuple[PointsMovedAlone, ...] = ()

    def before(self, when: datetime) -> Before:
        """What still adds to whatever is moved at this moment."""
        counting = [one.points for one in self.moves if one.counts_until > when]
        return Before(sum(counting), len(counting))

    def move(
        self, points: int, *, subject: str, when: datetime, rules: HouseRules
    ) -> list[SingleHandedFact]:
        """Note what is done alone; nothing is noted of nothing."""
        if not points:
            return []
        return [
            PointsMovedAlone(
                points=abs(points),
                subject=subject,
                moved_at=when,
                counts_until=when + rules.four_eyes_within,
            )
        ]


NOBODY: Final = SingleHanded()
"""Moved nothing yet: also what stands for a rule of the house or the platform."""


def evolve(moved: SingleHanded, fact: SingleHandedFact) -> SingleHanded:
    """What counts after one more fact; what does not any more is let go of."""
    counting = tuple(one for one in moved.moves if one.counts_until > fact.moved_at)
    return SingleHanded((*counting, fact))
