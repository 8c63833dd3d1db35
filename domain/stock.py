"""库存 Stock of an item in a warehouse (C3).

`received + adjusted = free + withheld + reserved + picked`, whatever happens.
"""

from dataclasses import dataclass, replace
from typing import assert_never

from pydantic import Field, PositiveInt

from domain.facts import Fact
from domain.refusals import Refusal


class StockReceived(Fact, name="stock.StockReceived"):
    """Goods arrived, from a supplier or by transfer from another warehouse."""

    quantity: PositiveInt
    reference: str = Field(description="delivery note, or the sending warehouse's transfer id")


class StockReserved(Fact, name="stock.StockReserved"):
    """Units are promised to one part of an order, in the commit that placed it (L2)."""

    order: str
    part: PositiveInt
    quantity: PositiveInt


class StockReleased(Fact, name="stock.StockReleased"):
    """Promised units are free again: cancelled, unpaid or planned elsewhere."""

    order: str
    part: PositiveInt
    quantity: PositiveInt
    reason: str


class StockPicked(Fact, name="stock.StockPicked"):
    """Promised units were taken from the shelf for a parcel."""

    order: str
    part: PositiveInt
    quantity: PositiveInt


class StockPutBack(Fact, name="stock.StockPutBack"):
    """Picked units of a part cancelled before hand-over are on the shelf again (rules.md 5)."""

    order: str
    part: PositiveInt
    quantity: PositiveInt


class StockReturned(Fact, name="stock.StockReturned"):
    """Inspected goods came back from a learner and can be sold again."""

    order: str
    part: PositiveInt
    quantity: PositiveInt


class StockScrapped(Fact, name="stock.StockScrapped"):
    """Free units were thrown away."""

    quantity: PositiveInt
    reason: str


class StockAdjusted(Fact, name="stock.StockAdjusted"):
    """A count differed from the books and the books follow, with the reason (C3)."""

    difference: int = Field(description="counted minus expected free units, never zero")
    counted: int | None = Field(default=None, ge=0, description="free units that were counted")
    source: str = Field(description="who counted: own count, or the third party's name")
    reason: str


class StockTransferredOut(Fact, name="stock.StockTransferredOut"):
    """Free units left for another warehouse; they are received there under the same id."""

    quantity: PositiveInt
    to_warehouse: str
    transfer: str


class StockWithheld(Fact, name="stock.StockWithheld"):
    """Free units are not promised to anybody until it is clear whether they are there (C3)."""

    quantity: PositiveInt
    source: str = Field(description="who says that they are not there")
    reason: str


class StockOfferedAgain(Fact, name="stock.StockOfferedAgain"):
    """Withheld units are free again: they are there after all, or the books followed (C3)."""

    quantity: PositiveInt
    source: str = Field(description="who had said that they were not there")
    reason: str


StockFact = (
    StockReceived
    | StockReserved
    | StockReleased
    | StockPicked
    | StockPutBack
    | StockReturned
    | StockScrapped
    | StockAdjusted
    | StockTransferredOut
    | StockWithheld
    | StockOfferedAgain
)


class OutOfStock(Refusal):
    """Fewer units are free than asked for (L2, O1)."""

    code = "out_of_stock"
    en = "{sku}: {wanted} wanted, {free} in stock."
    zh = "{sku}：需要 {wanted} 件，库存 {free} 件。"


def stock_key(warehouse: str, sku: str) -> str:
    """The key of the stream that holds one item's stock in one warehouse."""
    return f"{warehouse}:{sku}"


@dataclass(frozen=True, slots=True)
class Stock:
    """Units of one item in one warehouse. Which order holds which is the order's knowledge."""

    free: int = 0
    """Below zero where fewer are on the shelf than are promised: what is given up fills it."""
    reserved: int = 0
    picked: int = 0
    withheld: int = 0

    @property
    def offered(self) -> int:
        """Units that may be promised."""
        return max(0, self.free)

    @property
    def shelf(self) -> int:
        """Units that are on the shelf by the books, promised, withheld or not."""
        return self.free + self.withheld + self.reserved

    def reserve(self, quantity: int, *, sku: str, order: str, part: int) -> list[StockFact]:
        """Promise units to a part of an order; never more than are free."""
        if quantity > self.free:
            raise OutOfStock(sku=sku, wanted=quantity, free=self.offered)
        return [StockReserved(order=order, part=part, quantity=quantity)]

    def scrap(self, quantity: int, *, sku: str, reason: str) -> list[StockFact]:
        """Throw free units away."""
        if quantity > self.free:
            raise OutOfStock(sku=sku, wanted=quantity, free=self.offered)
        return [StockScrapped(quantity=quantity, reason=reason)]

    def take_unasked(
        self, quantity: int, *, order: str, part: int, source: str, reason: str
    ) -> list[StockFact]:
        """Units left for a part that had given them up: the books follow the shelf (W2).

        Where fewer are free, somebody's promised ones left: the next count tells of what is short.
        """
        short = quantity - self.offered
        facts: list[StockFact] = []
        if short > 0:
            facts.append(StockAdjusted(difference=short, source=source, reason=reason))
        facts.append(StockReserved(order=order, part=part, quantity=quantity))
        return [*facts, StockPicked(order=order, part=part, quantity=quantity)]

    def transfer_out(
        self, quantity: int, *, sku: str, to_warehouse: str, transfer: str
    ) -> list[StockFact]:
        """Send free units to another warehouse."""
        if quantity > self.free:
            raise OutOfStock(sku=sku, wanted=quantity, free=self.offered)
        return [
            StockTransferredOut(quantity=quantity, to_warehouse=to_warehouse, transfer=transfer)
        ]

    def count(self, counted: int, *, source: str, reason: str) -> list[StockFact]:
        """Bring the books to what was counted on the shelf; equal counts change nothing (C3)."""
        if counted == self.free:
            return []
        return [
            StockAdjusted(
                difference=counted - self.free, counted=counted, source=source, reason=reason
            )
        ]

    def exhaust(self, *, source: str, reason: str) -> list[StockFact]:
        """Nothing is left there to be promised: whoever looked found all that there is (C3)."""
        return self.count(0, source=source, reason=reason) if self.free > 0 else []

    def follow(self, difference: int, *, source: str, reason: str) -> list[StockFact]:
        """Bring the books to what somebody else counted on the shelf, promised units or not (C3).

        Promised ones stay promised: where too few are left for them, nothing is free until enough
        of them are given up.
        """
        return [StockAdjusted(difference=difference, source=source, reason=reason)]

    def withhold(self, quantity: int, *, source: str, reason: str) -> list[StockFact]:
        """Promise all but so many units, whatever was withheld before (C3)."""
        more = quantity - self.withheld
        if more > 0:
            return [StockWithheld(quantity=more, source=source, reason=reason)]
        return [StockOfferedAgain(quantity=-more, source=source, reason=reason)] if more else []


def evolve(stock: Stock, fact: StockFact) -> Stock:
    """The stock after one more fact."""
    free, reserved, picked = stock.free, stock.reserved, stock.picked
    match fact:
        case StockReserved(quantity=units):
            # `replace` takes thrice as long, and every order reserves.
            return Stock(free - units, reserved + units, picked, stock.withheld)
        case StockReleased(quantity=units):
            return replace(stock, free=free + units, reserved=reserved - units)
        case StockPicked(quantity=units):
            return replace(stock, reserved=reserved - units, picked=picked + units)
        case StockPutBack(quantity=units) | StockReturned(quantity=units):
            return replace(stock, free=free + units, picked=picked - units)
        case StockReceived(quantity=units):
            return replace(stock, free=free + units)
        case StockScrapped(quantity=units) | StockTransferredOut(quantity=units):
            return replace(stock, free=free - units)
        case StockAdjusted(difference=units):
            return replace(stock, free=free + units)
        case StockWithheld(quantity=units):
            return replace(stock, free=free - units, withheld=stock.withheld + units)
        case StockOfferedAgain(quantity=units):
            return replace(stock, free=free + units, withheld=stock.withheld - units)
        case _:
            assert_never(fact)
