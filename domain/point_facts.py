"""积分事实 What can happen to a learner's points, and the words it is told in (L1–L5)."""

from enum import StrEnum
from operator import not_

from pydantic import AwareDatetime, Field, NonNegativeInt, PositiveInt

from domain.facts import Fact, Value


class Reason(StrEnum):
    """Why points are granted (L1)."""

    COURSE_COMPLETED = "course_completed"
    TASK = "task"
    CAMPAIGN = "campaign"
    MANUAL = "manual"
    COMPENSATION = "compensation"


class LotShare(Value):
    """Some points of one lot, with what is needed to give them back to it."""

    lot: str = Field(description="the lot's id: its grant's reason and source")
    points: PositiveInt
    nth: NonNegativeInt = Field(description="the lot was the account's nth: age breaks ties")
    expires_at: AwareDatetime | None = None


class Counted(Value):
    """Units of an item that count against its limit per learner (rules.md 12)."""

    sku: str
    quantity: PositiveInt


class PointsGranted(Fact, name="ledger.PointsGranted"):
    """Points were given to a learner and became a lot, after paying debt first (L1, L4, L5)."""

    points: PositiveInt = Field(description="all points of the grant")
    reason: Reason
    source: str = Field(description="what they were earned with, unique per learner and reason")
    lot: str
    nth: NonNegativeInt
    debt_paid: NonNegativeInt = Field(default=0, description="part of the points that paid debt")
    expires_at: AwareDatetime | None = Field(
        default=None, description="from this instant the lot cannot be spent; None = never"
    )


class PointsRedeemed(Fact, name="ledger.PointsRedeemed"):
    """Points left the account for an order (L2), those that expire first before the others."""

    order: str
    points: NonNegativeInt = Field(description="0: only units of free items with a limit")
    lots: tuple[LotShare, ...] = Field(description="in the order in which they were spent")
    counted: tuple[Counted, ...] = ()


class PointsHeld(Fact, name="ledger.PointsHeld"):
    """Points are set aside for an order whose cash part is not paid yet (L3)."""

    order: str
    points: NonNegativeInt
    lots: tuple[LotShare, ...]
    counted: tuple[Counted, ...] = ()


class HoldCaptured(Fact, name="ledger.HoldCaptured"):
    """The order was paid: held points are spent (L3)."""

    order: str
    points: NonNegativeInt


class HoldVoided(Fact, name="ledger.HoldVoided"):
    """The order was not paid: held points are back in their lots (L3)."""

    order: str
    points: NonNegativeInt
    lots: tuple[LotShare, ...] = Field(description="as they came back, with grace where needed")
    debt_paid: NonNegativeInt = 0
    freed: tuple[Counted, ...] = ()


class PointsRestored(Fact, name="ledger.PointsRestored"):
    """A refund gave points back to the lots they came from (L4; rules.md 16)."""

    order: str
    points: NonNegativeInt
    lots: tuple[LotShare, ...] = Field(description="as they came back, with grace where needed")
    debt_paid: NonNegativeInt = 0
    freed: tuple[Counted, ...] = ()


class LotExpired(Fact, name="ledger.LotExpired"):
    """What was left of a lot when it expired has left the account (L4)."""

    lot: str
    points: PositiveInt
    expired_at: AwareDatetime


class GrantClawedBack(Fact, name="ledger.GrantClawedBack"):
    """A mistaken grant was taken back: first its own lot, then others, then debt (rules.md 17)."""

    lot: str
    points: NonNegativeInt = Field(
        description="what is taken back: all that was granted but what had expired of it"
    )
    lots: tuple[LotShare, ...] = Field(description="what was still there")
    debt: NonNegativeInt = Field(description="what is missing and owed from now on")
    expired: NonNegativeInt = Field(
        default=0, exclude_if=not_, description="what of it had expired unspent: gone, and no debt"
    )
    debt_limit: int | None = Field(default=None, description="the policy that allowed it (L5)")
    owed_from: AwareDatetime | None = Field(
        default=None,
        exclude_if=lambda at: at is None,
        description="since when what is missing is owed: nothing pays it as of before (A5)",
    )


class DebtPaid(Fact, name="ledger.DebtPaid"):
    """Points that are there paid a debt that a claw-back of the past had left (rules.md 17, 19)."""

    points: PositiveInt
    lots: tuple[LotShare, ...]


class PointsDeducted(Fact, name="ledger.PointsDeducted"):
    """Points were taken away by hand (L5), or paid for the way back of an exchange (D3).

    Actor and reason are in the envelope.
    """

    points: PositiveInt
    lots: tuple[LotShare, ...]
    source: str


class AccountFrozen(Fact, name="ledger.AccountFrozen"):
    """The account can no longer spend (L5)."""

    reason: str


class AccountUnfrozen(Fact, name="ledger.AccountUnfrozen"):
    """The account can spend again (L5)."""

    reason: str


class LearnerRegistered(Fact, name="ledger.LearnerRegistered"):
    """The platform told us of a learner before the first grant."""

    card: str | None = Field(default=None, description="vault card with name and phone, if given")


class LearnerErased(Fact, name="ledger.LearnerErased"):
    """The learner's key and cards were destroyed; the history stays (A4)."""

    reason: str


AccountFact = (
    PointsGranted
    | PointsRedeemed
    | PointsHeld
    | HoldCaptured
    | HoldVoided
    | PointsRestored
    | LotExpired
    | GrantClawedBack
    | DebtPaid
    | PointsDeducted
    | AccountFrozen
    | AccountUnfrozen
    | LearnerRegistered
    | LearnerErased
)
