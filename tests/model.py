"""What the mall should do, said a second time and otherwise: every point and every unit is a thing.

Independent of `domain/` on purpose: it takes over no type, no arithmetic and no fold from there,
so that both can only agree by being right.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

DAY = timedelta(days=1)
GRACE = 30 * DAY
WINDOW = 7 * DAY
LIVE = ("open", "packed", "shipped", "received", "done")
SHOWN = ("pending_shipment", "pending_shipment", "pending_receipt", "pending_end", "completed")


class Point(NamedTuple):
    """One point: it sorts as it is spent."""

    immortal: bool
    expires: float
    nth: int
    lot: str

    def lives(self, when: datetime) -> bool:
        return self.immortal or self.expires > when.timestamp()


def points_of(count: int, lot: str, nth: int, expires: datetime | None) -> list[Point]:
    return [Point(expires is None, expires.timestamp() if expires else 0.0, nth, lot)] * count


@dataclass
class Person:
    """A learner's purse and debt, and what they took of things with a limit."""

    purse: list[Point] = field(default_factory=list)
    debt: int = 0
    status: str = "unknown"
    taken: Counter[str] = field(default_factory=Counter)
    grants: int = 0
    expired: Counter[str] = field(default_factory=Counter)
    """By lot, so that nobody owes what was never used."""

    def spendable(self, when: datetime) -> list[Point]:
        return sorted(point for point in self.purse if point.lives(when))

    def take(self, points: list[Point]) -> list[Point]:
        for point in points:
            self.purse.remove(point)
        return points

    def give(self, points: list[Point], when: datetime) -> None:
        late = (when + GRACE).timestamp()
        fresh = sorted(p if p.lives(when) else p._replace(expires=late) for p in points)
        paid = min(self.debt, len(fresh))
        self.debt -= paid
        self.purse += fresh[paid:]

    def expire(self, when: datetime) -> None:
        """What nobody spent in time leaves the purse."""
        self.expired.update(point.lot for point in self.purse if not point.lives(when))
        self.purse = [point for point in self.purse if point.lives(when)]

    def claw_back(self, count: int, lot: str, when: datetime) -> None:
        late = sum(point.lot == lot and not point.lives(when) for point in self.purse)
        count -= min(count, self.expired[lot] + late)
        living = self.spendable(when)
        own = [point for point in living if point.lot == lot]
        other = [point for point in living if point.lot != lot]
        self.debt += count - len(self.take((own + other)[:count]))


@dataclass(eq=False)
class Thing:
    """One unit of something in an order: no other one is it, however like it is."""

    part: int
    place: str | None
    sku: str
    points: int
    fen: int
    limited: bool
    stage: str = "open"
    until: datetime | None = None
    """When its service window is over."""
    waits: bool = False
    """Whether no warehouse has it yet."""
    agreed: bool = False
    """Whether its learner said that it may wait."""
    at_hand: bool = True
    """Whether it is the warehouse's again, once it is gone."""


@dataclass
class Purchase:
    """An order: its units, the points still spent on it, and the cash that came and went."""

    who: str
    things: list[Thing]
    points: list[Point]
    paid: bool
    due: int
    attempts: set[str] = field(default_factory=set)
    came: int = 0
    went: int = 0
    ended: str | None = None
    review: bool = False
    told: set[datetime] = field(default_factory=set)
    """Promised times of which the learner was told that they passed."""

    def live(self) -> list[Thing]:
        return [thing for thing in self.things if thing.stage in LIVE]

    def state(self) -> str:
        if self.ended or not self.paid:
            return self.ended or "pending_payment"
        return SHOWN[min(LIVE.index(thing.stage) for thing in self.live())]

    def chosen(self, stages: tuple[str, ...], wanted: tuple[str, int] | None) -> list[Thing]:
        """The units a cancellation or refund takes; none if it must be refused."""
        if self.ended in ("cancelled", "closed"):
            return []
        # A course is kept once its window is over (rules.md 7).
        kept = [thing for thing in self.things if thing.place is None and thing.stage == "done"]
        found = [thing for thing in self.things if thing.stage in stages and thing not in kept]
        found.sort(key=lambda thing: not thing.waits)
        if wanted is None:
            return found
        found = [thing for thing in found if thing.sku == wanted[0]]
        return found[: wanted[1]] if len(found) >= wanted[1] else []

    def give_back(self, things: list[Thing], person: Person, when: datetime, *, end: str) -> None:
        """Units leave; what they cost goes back, last spent first."""
        count = sum(thing.points for thing in things)
        back = self.points[len(self.points) - count :]
        self.points = self.points[: len(self.points) - count]
        person.give(back, when)
        if self.paid:
            self.went += sum(thing.fen for thing in things)
        for thing in things:
            thing.stage = end
            person.taken[thing.sku] -= thing.limited
        self.settle()

    def settle(self) -> None:
        """What the units that are left, or gone, make of the order."""
        stages = {thing.stage for thing in self.things}
        if not self.live():
            self.ended = "closed" if "refunded" in stages else "cancelled"
        elif self.ended is None and all(thing.stage == "done" for thing in self.live()):
            self.ended = "completed"
