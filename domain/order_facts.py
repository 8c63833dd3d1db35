"""订单 What can happen to an order, and the words it is told in (O2–O4, O8; rules.md 1–8)."""

from enum import StrEnum
from operator import not_
from typing import Annotated

from pydantic import AwareDatetime, Field, NonNegativeInt, PositiveInt

from domain.catalogue import Kind
from domain.course_facts import CourseProgressed, EntitlementGranted, EntitlementRevoked
from domain.destinations import Destination
from domain.facts import AsText, Fact, Value
from domain.payment_facts import (
    CashRefundAskedAgain,
    CashRefundConfirmed,
    CashRefundFailed,
    CashRefundRequested,
    PaymentCaptured,
    PaymentFailed,
)
from domain.point_facts import LotShare
from domain.promise_facts import PromiseFact
from domain.release_facts import ReleaseFact
from domain.splitting import Plan
from domain.window_facts import WindowFact


class State(StrEnum):
    """The eight states of a part, and of the order as its least advanced live part (O3)."""

    PENDING_PAYMENT = "pending_payment"
    PENDING_SHIPMENT = "pending_shipment"
    PENDING_RECEIPT = "pending_receipt"
    PENDING_END = "pending_end"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    CLOSED = "closed"
    EXPIRED = "expired"


def customer_status(state: str) -> State:
    """The status customers see for a state: received is completed to them (rules.md 4)."""
    known = state if isinstance(state, State) else State(state)
    return State.COMPLETED if known is State.PENDING_END else known


class Channel(StrEnum):
    """Where an order came from (O2)."""

    APP = "app"
    WEB = "web"
    MINI_PROGRAM = "mini_program"
    SHOP = "shop"
    PARTNER = "partner"


class Fault(StrEnum):
    """Why units are given back after shipping; mall's and carrier's fault return freight, too."""

    NOT_RECEIVED = "not_received"
    LOST = "lost"
    DAMAGED = "damaged"
    WRONG_GOODS = "wrong_goods"
    MISSING_PARTS = "missing_parts"
    NOT_AS_DESCRIBED = "not_as_described"
    LATE = "late"
    CHANGED_MIND = "changed_mind"


class Upgrade(StrEnum):
    """What a learner may pay for on top (O6)."""

    EXPRESS = "express"
    """By a fast carrier."""


class OrderLine(Value):
    """One item of an order on the terms it was placed on."""

    line: PositiveInt
    sku: str
    name: str
    specification: str = ""
    kind: Annotated[Kind, AsText]
    quantity: PositiveInt
    unit_points: NonNegativeInt
    unit_cash_fen: NonNegativeInt = 0
    counts: bool = Field(default=False, description="counts against a limit per learner")
    seats: bool = Field(default=False, description="a course whose seats are counted")


class Units(Value):
    """Units of a line in a part."""

    part: PositiveInt
    line: PositiveInt
    quantity: PositiveInt


class OrderPlaced(Fact, name="orders.OrderPlaced"):
    """Placed, paid in points (or held), reserved and split, all in one commit (L2; rule 1)."""

    learner: str
    channel: Annotated[Channel, AsText]
    lines: tuple[OrderLine, ...]
    points: NonNegativeInt
    cash_fen: NonNegativeInt = 0
    freight_fen: NonNegativeInt = Field(default=0, description="what the learner pays for freight")
    lots: tuple[LotShare, ...] = Field(description="the points' lots, in spending order")
    destination: Destination | None = Field(default=None, description="None: courses alone")
    plan: Plan
    pay_by: AwareDatetime | None = Field(default=None, description="None: nothing left to pay")
    promised_by: AwareDatetime
    late_points: NonNegativeInt = Field(
        default=0, exclude_if=not_, description="given once if it comes later than promised"
    )
    policy: str = Field(description="the house rules it was placed under")
    external_number: str | None = Field(default=None, description="the order's number outside")
    upgrade: Upgrade | None = Field(
        default=None, exclude_if=not_, description="a better delivery; its price is in the freight"
    )

    @property
    def state(self) -> State:
        """The state of an order of which nothing else is known yet."""
        return State.PENDING_SHIPMENT if self.pay_by is None else State.PENDING_PAYMENT


class AddressChanged(Fact, name="orders.AddressChanged"):
    """Parcels not shipped yet go elsewhere (O8)."""

    destination: Destination
    doubts: tuple[str, ...] | None = Field(
        default=None,
        exclude_if=lambda codes: codes is None,
        description="what is doubtful about it, as stable codes; None before it was read anew (O7)",
    )


class OrderSplit(Fact, name="orders.OrderSplit"):
    """Parts not shipped yet were planned anew; reservations moved in the same commit (rule 1)."""

    plan: Plan
    reason: str
    promised_by: AwareDatetime | None = Field(
        default=None,
        exclude_if=not_,
        description="when the last parcel should arrive now; None: as it was promised before",
    )


class UnitsFellShort(Fact, name="orders.UnitsFellShort"):
    """A warehouse did not find these units and there are none elsewhere: they wait (rules.md 1)."""

    part: PositiveInt = Field(description="the part they were planned in")
    line: PositiveInt
    sku: str
    quantity: PositiveInt
    waiting_part: PositiveInt = Field(description="the part they wait in, with nothing reserved")
    sources: tuple[str, ...] = Field(
        description="warehouses that may send them once they have some; none: only a refund is left"
    )
    reason: str


class WaitChosen(Fact, name="orders.WaitChosen"):
    """The learner waits for the missing units rather than have them refunded (rules.md 1)."""

    part: PositiveInt


class WaitEnded(Fact, name="orders.WaitEnded"):
    """Stock came for a part that waited; the split that follows says from where (rules.md 1)."""

    part: PositiveInt


class PartPacked(Fact, name="orders.PartPacked"):
    """A part's units are in a parcel."""

    part: PositiveInt
    parcel: str


class PartHandedOver(Fact, name="orders.PartHandedOver"):
    """The parcel is with the carrier: pending receipt begins (rules.md 2)."""

    part: PositiveInt
    parcel: str


class PartReceived(Fact, name="orders.PartReceived"):
    """The parcel was signed for, or a course entitlement granted: the service window runs."""

    part: PositiveInt
    received_at: AwareDatetime
    window_until: AwareDatetime


class UnitsCancelled(Fact, name="orders.UnitsCancelled"):
    """Units not handed over will not be sent; what they cost goes back (O8; rules.md 5)."""

    units: tuple[Units, ...]
    points: NonNegativeInt
    cash_fen: NonNegativeInt
    lots: tuple[LotShare, ...] = Field(description="the points' lots, as they were spent")
    reason: str


class UnitsRefunded(Fact, name="orders.UnitsRefunded"):
    """Units handed over or granted were refunded by a decision with an actor (rules.md 3)."""

    units: tuple[Units, ...]
    points: NonNegativeInt
    cash_fen: NonNegativeInt
    lots: tuple[LotShare, ...]
    fault: Fault
    reason: str
    goods_back: bool = Field(description="whether the goods came back and were inspected")
    points_kept: NonNegativeInt = Field(
        default=0, exclude_if=not_, description="of their price, for the return freight (D3)"
    )
    cash_fen_kept: NonNegativeInt = Field(
        default=0, exclude_if=not_, description="of their price, for the return freight (D3)"
    )


class RefundProposed(Fact, name="orders.RefundProposed"):
    """A refund that one person may not give alone: a second one has to allow it (A8; rule 26)."""

    units: tuple[Units, ...]
    points: NonNegativeInt = Field(description="that would go back")
    cash_fen: NonNegativeInt = Field(description="that would go back")
    fault: Fault
    reason: str
    goods_back: bool = Field(description="whether the maker says that the goods are back")
    approval: str = Field(description="the request that waits for the second person")
    maker: str


class RefundAllowed(Fact, name="orders.RefundAllowed"):
    """The second person allowed it: it is refunded in the same commit."""

    approval: str


class RefundDeclined(Fact, name="orders.RefundDeclined"):
    """The second person did not allow it: nothing was refunded."""

    approval: str
    reason: str


class GoodsCameBack(Fact, name="orders.GoodsCameBack"):
    """Goods that were paid back before, or are sent once more, are in the house again (O8)."""

    parcel: str = Field(description="the parcel they came back in")
    units: tuple[Units, ...]


class CancelledUnitsGivenUp(Fact, name="orders.CancelledUnitsGivenUp"):
    """Units that were sent though they were cancelled stay out, by a decision (W2; rules.md 5)."""

    parcel: str = Field(description="the parcel they left in")
    units: tuple[Units, ...]
    reason: str


class PartCompleted(Fact, name="orders.PartCompleted"):
    """The part's service window is over."""

    part: PositiveInt


class OrderCancelled(Fact, name="orders.OrderCancelled"):
    """All units are gone and none was handed over (rules.md 3)."""

    reason: str
    visible_until: AwareDatetime = Field(description="then it leaves its customer's sight (O3)")


class OrderClosed(Fact, name="orders.OrderClosed"):
    """All units are gone and one at least was handed over (rules.md 3)."""

    reason: str
    visible_until: AwareDatetime = Field(description="then it leaves its customer's sight (O3)")


class OrderCompleted(Fact, name="orders.OrderCompleted"):
    """The last service window is over (rules.md 2)."""

    visible_until: AwareDatetime = Field(description="then it leaves its customer's sight (O3)")


class OrderExpired(Fact, name="orders.OrderExpired"):
    """The order has left its customer's sight, two years after its end (O3)."""


class UnitsUnderReturn(Fact, name="orders.UnitsUnderReturn"):
    """Units are to be given back: nothing else gives them back meanwhile (D3, D4)."""

    by: str = Field(description="stream of the return, e.g. `return:T1-B1`")
    units: tuple[Units, ...]


class ReturnEnded(Fact, name="orders.ReturnEnded"):
    """The return is over, whatever came of it (D3)."""

    by: str = Field(description="stream of the return")


class LineRated(Fact, name="orders.LineRated"):
    """The learner says how goods and delivery were, once a line (O4)."""

    line: PositiveInt
    sku: str
    goods: int = Field(ge=1, le=5, description="stars")
    delivery: int | None = Field(ge=1, le=5, description="stars; None: a course")
    carriers: tuple[str, ...] = Field(description="who brought it")
    warehouses: tuple[str, ...] = Field(description="from where")


class ReplacementReserved(Fact, name="orders.ReplacementReserved"):
    """Goods are set aside to be sent once more, free of charge (rules.md 6, 28)."""

    replacement: str = Field(description="number of the linked order that they are for")
    units: tuple[Units, ...] = Field(description="what they replace")
    plan: Plan = Field(description="from where; lines and parts are those of the linked order")
    case: str = Field(description="stream of the case that asks for them")


class ReplacementReleased(Fact, name="orders.ReplacementReleased"):
    """Goods that were set aside are not sent after all."""

    replacement: str
    reason: str


class ReplacementOrdered(Fact, name="orders.ReplacementOrdered"):
    """The linked order stands and takes over what was set aside (rules.md 6)."""

    replacement: str


class OrderLinked(Fact, name="orders.OrderLinked"):
    """This order replaces units of another one, at no points; a refund of it is theirs (rule 6)."""

    original: str
    units: tuple[Units, ...] = Field(
        description="of the original, in the order of this one's lines"
    )
    case: str = Field(description="stream of the case that led to it")


OrderFact = (
    OrderPlaced
    | PaymentCaptured
    | PaymentFailed
    | CashRefundRequested
    | CashRefundConfirmed
    | CashRefundFailed
    | CashRefundAskedAgain
    | AddressChanged
    | OrderSplit
    | UnitsFellShort
    | WaitChosen
    | WaitEnded
    | PartPacked
    | PartHandedOver
    | PartReceived
    | EntitlementGranted
    | CourseProgressed
    | EntitlementRevoked
    | UnitsCancelled
    | UnitsRefunded
    | GoodsCameBack
    | CancelledUnitsGivenUp
    | PartCompleted
    | OrderCancelled
    | OrderClosed
    | OrderCompleted
    | OrderExpired
    | UnitsUnderReturn
    | ReturnEnded
    | RefundProposed
    | RefundAllowed
    | RefundDeclined
    | LineRated
    | ReplacementReserved
    | ReplacementReleased
    | ReplacementOrdered
    | OrderLinked
    | PromiseFact
    | WindowFact
    | ReleaseFact
)
