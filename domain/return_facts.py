"""退货事实 What can happen to goods that come back, and the words it is told in (D3)."""

from enum import StrEnum
from operator import not_

from pydantic import AwareDatetime, Field, NonNegativeInt, PositiveInt

from domain.dispute_facts import Side
from domain.facts import Fact, Value
from domain.order_facts import Fault, Units
from domain.sealed import Sealed


class Remedy(StrEnum):
    """What a learner asks for."""

    REFUND_ONLY = "refund_only"
    """The goods stay where they are: staff decide."""
    REFUND = "refund"
    """The goods come back and are inspected, then what they cost goes back."""
    EXCHANGE = "exchange"
    """The goods come back and are inspected, then the same are sent once more."""


class Payer(StrEnum):
    """Who is at fault, and so pays the return freight."""

    MALL = "mall"
    CARRIER = "carrier"
    LEARNER = "learner"


class Criterion(StrEnum):
    """What goods that came back are held against; learners are told before they send them."""

    RIGHT_ITEM = "right_item"
    """It is what was sent, not something else."""
    COMPLETE = "complete"
    """Nothing that belongs to it is missing."""
    UNUSED = "unused"
    UNDAMAGED = "undamaged"
    PACKAGING = "packaging"
    """Its own packaging came back, too."""


class Verdict(StrEnum):
    """What becomes of a unit that came back."""

    RESTOCK = "restock"
    """It can be sold again."""
    SCRAP = "scrap"
    """It is taken back, and thrown away."""
    REFUSE = "refuse"
    """It is not taken back: it is sent to its learner again."""
    MISSING = "missing"
    """It did not come with the others: nothing is given back for it, and nothing sent."""


class Inspected(Value):
    """Units that were to come back, and what becomes of them."""

    part: PositiveInt
    line: PositiveInt
    quantity: PositiveInt
    verdict: Verdict
    failed: tuple[Criterion, ...] = Field(default=(), description="criteria they do not meet")


class ReturnOpened(Fact, name="returns.ReturnOpened"):
    """Somebody wants to give units back (D3; rules.md 28)."""

    order: str
    learner: str
    units: tuple[Units, ...]
    remedy: Remedy
    reason: Fault
    by: Side
    words: Sealed | None = Field(default=None, description="what was said of it")
    payer: Payer = Field(description="who is at fault by the reason; the inspection may differ")
    warehouse: str | None = Field(description="where the goods go; None: they stay")
    send_by: AwareDatetime | None = Field(description="end of the time to send them")
    criteria: tuple[Criterion, ...] = Field(description="what the goods will be held against")
    freight_points: NonNegativeInt = Field(description="what a learner at fault pays of a refund")
    freight_fen: NonNegativeInt = Field(description="the same where only cash was paid")
    arrive_by: AwareDatetime | None = Field(
        default=None,
        exclude_if=lambda until: until is None,
        description="goods that are under way for longer are missed",
    )


class GoodsSent(Fact, name="returns.GoodsSent"):
    """The goods are on their way back, in the return's own parcel."""

    house_label: bool = Field(
        default=False,
        exclude_if=not_,
        description="under a number of the house's own: its carrier answers to the house (D2)",
    )


class GoodsArrived(Fact, name="returns.GoodsArrived"):
    """The goods are at the warehouse and wait to be inspected."""


class GoodsLost(Fact, name="returns.GoodsLost"):
    """Staff do not wait any more for goods that were sent; they decide in the same commit."""

    reason: str


class GoodsInspected(Fact, name="returns.GoodsInspected"):
    """The goods were held against the criteria; what follows happened in the same commit."""

    goods: tuple[Inspected, ...]
    payer: Payer
    note: str


class ReturnSettled(Fact, name="returns.ReturnSettled"):
    """The return is over: refunded, exchanged, or refused as a whole."""

    remedy: Remedy = Field(description="what was carried out")
    points_refunded: NonNegativeInt = 0
    cash_fen_refunded: NonNegativeInt = 0
    points_kept: NonNegativeInt = Field(default=0, description="for the return freight")
    cash_fen_kept: NonNegativeInt = Field(default=0, description="for the return freight")
    replacement: str | None = Field(default=None, description="number of the linked order")
    sent_back_in: str | None = Field(default=None, description="parcel of what was refused")
    reason: str
    message: Sealed | None = Field(default=None, description="what the learner is told")
    approval: str | None = Field(
        default=None, exclude_if=not_, description="who allowed it is there (A8)"
    )


class AgreementProposed(Fact, name="returns.AgreementProposed"):
    """More points for goods that stay than one person may give: a second one decides (A8)."""

    points: NonNegativeInt = Field(description="that would go back")
    cash_fen: NonNegativeInt = Field(description="that would go back")
    approval: str = Field(description="the request that waits for the second person")
    maker: str
    reason: str
    message: Sealed | None = Field(
        default=None, description="what the learner is told; None: the house's own words"
    )


class AgreementDeclined(Fact, name="returns.AgreementDeclined"):
    """The second person did not allow it: the return is to be decided again."""

    approval: str
    reason: str


class ReturnRejected(Fact, name="returns.ReturnRejected"):
    """Staff did not agree to it; the goods stay with their learner."""

    reason: str
    message: Sealed | None = Field(default=None, description="what the learner is told")


class ReturnWithdrawn(Fact, name="returns.ReturnWithdrawn"):
    """The learner keeps the goods after all."""


class ReturnLapsed(Fact, name="returns.ReturnLapsed"):
    """The goods were not sent in time."""

    send_by: AwareDatetime


ReturnFact = (
    ReturnOpened
    | GoodsSent
    | GoodsArrived
    | GoodsLost
    | GoodsInspected
    | AgreementProposed
    | AgreementDeclined
    | ReturnSettled
    | ReturnRejected
    | ReturnWithdrawn
    | ReturnLapsed
)
