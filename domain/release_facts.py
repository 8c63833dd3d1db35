"""放行 What happens to an order between placing and packing (O7, S4, S5, W1)."""

from enum import StrEnum
from operator import not_

from pydantic import AwareDatetime, Field, PositiveInt

from domain.facts import Fact
from domain.splitting import Allocation


class ReviewReason(StrEnum):
    """Why a human looks at an order before it is released (O7; rules.md 17, 26)."""

    ADDRESS_DOUBTFUL = "address_doubtful"
    HIGH_VALUE = "high_value"
    FREQUENT_ORDERS = "frequent_orders"
    SHARED_ADDRESS = "shared_address"
    POINTS_CLAWED_BACK = "points_clawed_back"
    EVERY_ORDER = "every_order"
    HS_CODE_MISSING = "hs_code_missing"
    """It goes abroad, and nobody said what an item in it is to customs (T7)."""
    BARRED_ABROAD = "barred_abroad"
    """An item in it may not be sent to that country (T7)."""
    OVER_CUSTOMS_LIMIT = "over_customs_limit"
    """It is worth more than a personal parcel to that country may be (T7)."""


class ReviewRequired(Fact, name="orders.ReviewRequired"):
    """A human has to look at it before anything more of it is released (O7)."""

    reasons: tuple[ReviewReason, ...]
    details: tuple[str, ...] = Field(
        default=(),
        description="what exactly is doubtful about the address, as stable codes; "
        "of customs a reason and, after a colon, what it is about",
    )
    policy: str = Field(description="the house rules that ask for it")
    lots: tuple[str, ...] = Field(
        default=(),
        exclude_if=not_,
        description="grants taken back since that paid for it (rule 17)",
    )


class OrderApproved(Fact, name="orders.OrderApproved"):
    """A human let the order go on; the reasons count as looked at from here (O7)."""

    reasons: tuple[ReviewReason, ...]
    note: str = ""


class OrderRejected(Fact, name="orders.OrderRejected"):
    """A human stopped the order; its cancellation follows in the same commit (O7)."""

    reasons: tuple[ReviewReason, ...]
    reason: str


class PartReleased(Fact, name="orders.PartReleased"):
    """A part may be picked: its clock starts (S5, W1; rules.md 11)."""

    part: PositiveInt
    parcel: str = Field(description="the parcel it is going to travel in (S4)")
    wave: str = Field(description="the wave that released it")
    hand_over_by: AwareDatetime = Field(description="when the warehouse's service level ends")


class PartMoved(Fact, name="orders.PartMoved"):
    """A part that was not picked yet is going to travel in another parcel (S4)."""

    part: PositiveInt
    parcel: str
    reason: str


class PartPicked(Fact, name="orders.PartPicked"):
    """A part's units were taken from the shelf (W1)."""

    part: PositiveInt
    parcel: str


class PartUnpacked(Fact, name="orders.PartUnpacked"):
    """A part that was picked goes back to its shelf: it is sent from elsewhere (O8)."""

    part: PositiveInt
    parcel: str = Field(description="the one that it was in, which is sent no more")
    reason: str


class WaitMoved(Fact, name="orders.WaitMoved"):
    """What a part waits for is to come from other warehouses: those that send there (O8)."""

    part: PositiveInt
    sources: tuple[str, ...] = Field(description="warehouses that may send it once they have some")
    reason: str


class AddressAcknowledged(Fact, name="orders.AddressAcknowledged"):
    """Whoever holds a packed part knows its new address, its label, too (O8; rules.md 29)."""

    part: PositiveInt
    by: str = Field(description="the warehouse or the third party that acknowledged")


class PartEntrusted(Fact, name="orders.PartEntrusted"):
    """A third party's warehouse was asked to send a part: it may be in its hands (W2; rule 5)."""

    part: PositiveInt
    warehouse: str


class UnitsCancelling(Fact, name="orders.UnitsCancelling"):
    """Units at a third party's are cancelled as soon as it acknowledges (rules.md 5)."""

    part: PositiveInt
    units: tuple[Allocation, ...]
    revision: PositiveInt = Field(description="of the wish that it has to acknowledge")
    reason: str
    stopped: bool = Field(
        default=False,
        exclude_if=not_,
        description="staff stopped the order: what it replaces is paid back once it is cancelled",
    )


class CancellationOvertaken(Fact, name="orders.CancellationOvertaken"):
    """The third party had sent the part already: its carrier is asked instead (rules.md 5)."""

    part: PositiveInt


class CancelledUnitsSent(Fact, name="orders.CancelledUnitsSent"):
    """A third party sent units that it had cancelled: they are paid back, and out (W2; rule 5)."""

    part: PositiveInt
    units: tuple[Allocation, ...]
    parcel: str = Field(description="the parcel they left in")


ReleaseFact = (
    ReviewRequired
    | OrderApproved
    | OrderRejected
    | PartReleased
    | PartMoved
    | PartPicked
    | PartUnpacked
    | WaitMoved
    | AddressAcknowledged
    | PartEntrusted
    | UnitsCancelling
    | CancellationOvertaken
    | CancelledUnitsSent
)
