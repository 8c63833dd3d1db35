"""盘点 What a third party says it has, compared with the books (C3, W2).

The newest count of an item holds. Small losses are booked at once; whatever else differs waits
until somebody says what it is, and of what is missing nothing is sold meanwhile.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from operator import not_
from typing import assert_never

from pydantic import AwareDatetime, Field, NonNegativeInt

from domain.facts import Fact, Value
from domain.refusals import NotPossible


class Unexpected(StrEnum):
    """Why goods should not be there at all."""

    NEVER_SENT = "never_sent"
    """Nothing of the item was ever there, by the books."""
    UNKNOWN = "unknown"
    """It is no item of the house."""


class CountedUnits(Value):
    """Units of an item that the third party says it has."""

    sku: str
    quantity: NonNegativeInt


class StockDifference(Value):
    """An item of which the shelf holds more or fewer units than the books say."""

    sku: str
    expected: NonNegativeInt = Field(description="units on the shelf by the books, promised or not")
    counted: NonNegativeInt
    adjusted: int = Field(
        description="by so many free units the books followed at once; 0: they did not"
    )
    waits: bool = Field(default=False, exclude_if=not_, description="somebody is to say what it is")
    unexpected: Unexpected | None = Field(
        default=None, exclude_if=not_, description="why nothing of it should be there"
    )

    @property
    def difference(self) -> int:
        """Counted minus expected units, never zero."""
        return self.counted - self.expected


class StockCompared(Fact, name="stocktakes.StockCompared"):
    """A third party told what it has, and it was compared with the books of that moment (C3)."""

    counted_at: AwareDatetime
    compared: NonNegativeInt = Field(description="items that were compared")
    differences: tuple[StockDifference, ...]
    left_out: tuple[str, ...] = Field(
        description="items that moved since they were counted, or were counted later before"
    )
    told: tuple[CountedUnits, ...] = Field(
        default=(), exclude_if=not_, description="all that it says it has; empty: not kept then"
    )


class DifferenceSettled(Fact, name="stocktakes.DifferenceSettled"):
    """Somebody said what a difference to a third party's stock is (C3)."""

    sku: str
    difference: int = Field(description="counted minus expected units")
    booked: bool = Field(description="the books followed in the same commit; else they are right")
    reason: str


StocktakeFact = StockCompared | DifferenceSettled


@dataclass(frozen=True, slots=True)
class Stocktake:
    """What was compared with one warehouse so far."""

    counted_at: datetime | None = None
    """When the newest count was taken."""
    waiting: Mapping[str, StockDifference] = field(default_factory=dict)
    """Differences that nobody settled yet, by item."""
    alone: Mapping[str, int] = field(default_factory=dict)
    """By how many units of an item the books followed since somebody last looked at it."""

    def newer(self, counted_at: datetime) -> bool:
        """Whether a count is newer than all before: an older one that arrives late is history."""
        return self.counted_at is None or counted_at > self.counted_at

    def judge(
        self,
        sku: str,
        *,
        counted: int,
        expected: int,
        unexpected: Unexpected | None,
        tolerance_units: int,
    ) -> StockDifference | None:
        """What a count of all that is on the shelf says against the books; None: the same.

        Missing units are booked at once while they are few, all that were since somebody last
        looked counted up, and such as turn up again. More than there were is for somebody to see.
        """
        difference = counted - expected
        if difference == 0:
            return None
        in_all = self.alone.get(sku, 0) + difference
        at_once = unexpected is None and -tolerance_units <= in_all <= 0
        return StockDifference(
            sku=sku,
            expected=expected,
            counted=counted,
            adjusted=difference if at_once else 0,
            waits=not at_once,
            unexpected=unexpected,
        )

    def settle(
        self, sku: str, *, difference: int, booked: bool, reason: str
    ) -> list[StocktakeFact]:
        """Say what the difference is that one saw; raises `NotPossible` if it is another by now."""
        waiting = self.waiting.get(sku)
        if waiting is None:
            raise NotPossible(action="settle_difference", why="no difference of it waits")
        if waiting.difference != difference:
            why = f"it was counted anew: the difference is {waiting.difference:+d} now"
            raise NotPossible(action="settle_difference", why=why)
        return [DifferenceSettled(sku=sku, difference=difference, booked=booked, reason=reason)]


def evolve(one: Stocktake, fact: StocktakeFact) -> Stocktake:
    """The comparisons after one more fact."""
    match fact:
        case StockCompared():
            new = {each.sku: each for each in fact.differences}
            told = {each.sku for each in fact.told} - set(fact.left_out)
            waiting = {sku: each for sku, each in one.waiting.items() if sku not in told}
            alone = dict(one.alone)
            for sku, each in new.items():
                if each.waits:
                    waiting[sku] = each
                else:
                    alone[sku] = alone.get(sku, 0) + each.adjusted
            newest = max(fact.counted_at, one.counted_at or fact.counted_at)
            return replace(one, counted_at=newest, waiting=waiting, alone=alone)
        case DifferenceSettled(sku=settled):
            waiting = {sku: each for sku, each in one.waiting.items() if sku != settled}
            alone = {sku: units for sku, units in one.alone.items() if sku != settled}
            return replace(one, waiting=waiting, alone=alone)
        case _:
            assert_never(fact)
