"""库存 Stock of an item in a warehouse (C3): `received + adjusted = free + reserved + picked`."""

from dataclasses import dataclass
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
    reserved: int = 0
    picked: int = 0

    def reserve(self, quantity: int, *, sku: str, order: str, part: int) -> list[StockFact]:
        """Promise units to a part of an order; never more than are free."""
        if quantity > self.free:
            raise OutOfStock(sku=sku, wanted=quantity, free=self.free)
        return [StockReserved(order=order, part=part, quantity=quantity)]

    def scrap(self, quantity: int, *, sku: str, reason: str) -> list[StockFact]:
        """Throw free units away."""
        if quantity > self.free:
            raise OutOfStock(sku=sku, wanted=quantity, free=self.free)
        return [StockScrapped(quantity=quantity, reason=reason)]

    def take_unasked(
        self, quantity: int, *, order: str, part: int, source: str, reason: str
    ) -> list[StockFact]:
        """Units left for a part that had given them up: the books follow the shelf (W2).

        Where fewer are free, somebody's promised ones left: the next count tells of what is short.
        """
        short = quantity - max(0, self.free)
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
            raise OutOfStock(sku=sku, wanted=quantity, free=self.free)
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


def evolve(stock: Stock, fact: StockFact) -> Stock:
    """The stock after one more fact."""
    free, reserved, picked = stock.free, stock.reserved, stock.picked
    match fact:
        case StockReserved(quantity=units):
            return Stock(free - units, reserved + units, picked)
        case StockReleased(quantity=units):
            return Stock(free + units, reserved - units, picked)
        case StockPicked(quantity=units):
            return Stock(free, reserved - units, picked + units)
        case StockPutBack(quantity=units) | StockReturned(quantity=units):
            return Stock(free + units, reserved, picked - units)
        case StockReceived(quantity=units):
            return Stock(free + units, reserved, picked)
        case StockScrapped(quantity=units) | StockTransferredOut(quantity=units):
            return Stock(free - units, reserved, picked)
        case StockAdjusted(difference=units):
            return Stock(free + units, reserved, picked)
        case _:
            assert_never(fact)
