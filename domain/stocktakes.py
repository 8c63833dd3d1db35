"""盘点 What a third party says it has, compared with the books (C3)."""

from dataclasses import dataclass, replace
from datetime import datetime

from pydantic import AwareDatetime, Field, NonNegativeInt

from domain.facts import Fact, Value
from domain.stock import Stock


class StockDifference(Value):
    """An item of which the shelf holds more or fewer units than the books say."""

    sku: str
    expected: NonNegativeInt = Field(description="units on the shelf by the books, promised or not")
    counted: NonNegativeInt
    adjusted: int = Field(
        description="by so many free units the books follow; units that are promised stay promised"
        " until a pick falls short"
    )


class StockCompared(Fact, name="stocktakes.StockCompared"):
    """A third party told what it has; what differed was adjusted in the same commit (C3)."""

    counted_at: AwareDatetime
    compared: NonNegativeInt = Field(description="items that were compared")
    differences: tuple[StockDifference, ...]
    left_out: tuple[str, ...] = Field(
        description="items that moved since they were counted, or that are not known"
    )


@dataclass(frozen=True, slots=True)
class Stocktake:
    """What was compared with one warehouse so far."""

    counted_at: datetime | None = None
    """When the newest count was taken."""

    def newer(self, counted_at: datetime) -> bool:
        """Whether a count is newer than all before: an older one that arrives late is history."""
        return self.counted_at is None or counted_at > self.counted_at


def difference(sku: str, stock: Stock, *, counted: int) -> StockDifference | None:
    """What a count of all that is on the shelf says against the books; None: the same."""
    expected = stock.free + stock.reserved
    if counted == expected:
        return None
    free = max(0, counted - stock.reserved)
    return StockDifference(sku=sku, expected=expected, counted=counted, adjusted=free - stock.free)


def evolve(one: Stocktake, fact: StockCompared) -> Stocktake:
    """The comparisons after one more."""
    return replace(one, counted_at=fact.counted_at)
