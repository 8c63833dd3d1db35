"""争议事实 What can happen to a dispute, and the words it is told in (D1; rules.md 26–28)."""

from enum import StrEnum

from pydantic import AwareDatetime, Field, NonNegativeInt, PositiveInt

from domain.facts import Fact, Value
from domain.order_facts import Fault, Units
from domain.sealed import Sealed


class Side(StrEnum):
    """Who says something in a case."""

    LEARNER = "learner"
    STAFF = "staff"


class Question(StrEnum):
    """What a learner is asked first: most parcels "never received" are near (D1)."""

    FAMILY = "family"
    """Did somebody of the household, a neighbour or a colleague take it?"""
    DOOR = "door"
    """Is it at the door, in the meter cupboard, at the gate?"""
    LOCKER = "locker"
    """Is it in a locker or at a station?"""


class Answer(StrEnum):
    """What a learner answers."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class SignerMatch(StrEnum):
    """The signer as the carrier tells, against the recipient (D5); nobody is named."""

    RECIPIENT = "recipient"
    HOUSEHOLD = "household"
    """Family, guard, front desk, neighbour."""
    PLACE = "place"
    """A locker, a station, a shop."""
    ANOTHER = "another"
    UNTOLD = "untold"
    """The carrier says nothing of it, or who could be compared is gone."""


class Outcome(StrEnum):
    """How a case can end (D1)."""

    FOUND = "found"
    RESHIP = "reship"
    REFUND = "refund"
    COMPENSATION = "compensation"
    REJECTED = "rejected"


class SameAddress(Value):
    """What happened at the same address before: counts alone (D1)."""

    days: PositiveInt = Field(description="how far back was looked")
    orders: NonNegativeInt
    accounts: NonNegativeInt
    disputes: NonNegativeInt
    not_received: NonNegativeInt = Field(description="of the disputes, those of that reason")


class Decision(Value):
    """What is decided of a case, and why."""

    outcome: Outcome
    units: tuple[Units, ...] = Field(default=(), description="what is refunded or sent once more")
    points: NonNegativeInt = Field(default=0, description="compensation, beside a refund or alone")
    reason: str
    message: Sealed | None = Field(default=None, description="what the learner is told")
    unconfirmed_because: str = Field(
        default="", description="why the track counts though no query confirmed it (rules.md 23)"
    )


class DisputeOpened(Fact, name="disputes.DisputeOpened"):
    """Something is wrong with what an order has in a parcel (D1; rules.md 27, 28)."""

    order: str
    parcel: str
    parts: tuple[PositiveInt, ...]
    learner: str
    reason: Fault
    by: Side
    words: Sealed | None = Field(default=None, description="what was said of it")
    disputable_until: AwareDatetime | None = Field(
        description="end of the time to dispute; None: not signed for yet"
    )
    value_fen: NonNegativeInt = Field(description="market value of what the order has in it")
    decide_by: AwareDatetime
    file_claim_by: AwareDatetime | None = Field(
        description="end of the carrier's time to take a claim; None: it never had the parcel"
    )


class EvidenceGathered(Fact, name="disputes.EvidenceGathered"):
    """What was known when the case was opened, gathered by itself (D1)."""

    track: str = Field(description="the parcel's history as of then, e.g. `parcel:T1-P1@7`")
    carrier: str | None
    waybill: str | None
    state: str = Field(description="the parcel's state")
    since: AwareDatetime | None
    scans: NonNegativeInt
    signed_at: AwareDatetime | None
    signer: str | None = Field(description="in the carrier's words, without names")
    signer_match: SignerMatch
    proof_of_delivery: str | None = Field(
        description="the event that told of the receipt, e.g. `parcel:T1-P1@6`"
    )
    confirmed: bool = Field(description="whether a query had confirmed the track (rules.md 23)")
    same_address: SameAddress | None = Field(default=None, description="None: not known")


class QuestionsAsked(Fact, name="disputes.QuestionsAsked"):
    """The learner is asked; what is not answered in time times out."""

    questions: tuple[Question, ...]
    answer_by: AwareDatetime


class QuestionAnswered(Fact, name="disputes.QuestionAnswered"):
    """The learner, or staff who called them, answered a question."""

    question: Question
    answer: Answer
    words: Sealed | None = None
    by: Side


class QuestionTimedOut(Fact, name="disputes.QuestionTimedOut"):
    """Nobody answered in time."""

    question: Question


class EvidenceAdded(Fact, name="disputes.EvidenceAdded"):
    """A picture or a document belongs to the case; its content is in the vault alone (A4)."""

    file: str = Field(description="its name in the case: F1, F2, …")
    media_type: str
    size_bytes: PositiveInt
    content: Sealed
    by: Side


class DecisionProposed(Fact, name="disputes.DecisionProposed"):
    """More points than one person may give: a second one has to allow it (A8; rules.md 26)."""

    decision: Decision
    approval: str
    maker: str


class DecisionDeclined(Fact, name="disputes.DecisionDeclined"):
    """The second person did not allow it: the case is open again."""

    approval: str
    reason: str


class DisputeDecided(Fact, name="disputes.DisputeDecided"):
    """The case was decided, and what follows from it happened in the same commit (D1)."""

    decision: Decision
    points_refunded: NonNegativeInt = 0
    cash_fen_refunded: NonNegativeInt = 0
    replacement: str | None = Field(default=None, description="number of the linked order")
    approval: str | None = Field(default=None, description="who allowed it is there (A8)")


class DisputeWithdrawn(Fact, name="disputes.DisputeWithdrawn"):
    """The learner took it back, most often because the parcel turned up."""

    words: Sealed | None = None


class DecisionOverdue(Fact, name="disputes.DecisionOverdue"):
    """It was not decided in time: staff see it first."""

    decide_by: AwareDatetime


class DisputeReopened(Fact, name="disputes.DisputeReopened"):
    """A case is looked at once more: it gave nothing, or not for all of its units."""

    by: Side
    words: Sealed | None = None
    decide_by: AwareDatetime
    reason: Fault | None = Field(
        default=None,
        exclude_if=lambda reason: reason is None,
        description="what is wrong after all; None: what was said before",
    )
    disputable_until: AwareDatetime | None = Field(
        default=None,
        exclude_if=lambda until: until is None,
        description="as the track says by now (rules.md 27)",
    )


class ClaimWindowMoved(Fact, name="disputes.ClaimWindowMoved"):
    """The carrier's time for a claim ends at another moment, by what is known now (D2)."""

    file_claim_by: AwareDatetime | None = Field(description="None: no carrier had the parcel")
    carrier: str | None = Field(description="who has or had it, as it is known now")
    handed_over_at: AwareDatetime | None
    signed_at: AwareDatetime | None


DisputeFact = (
    DisputeOpened
    | EvidenceGathered
    | QuestionsAsked
    | QuestionAnswered
    | QuestionTimedOut
    | EvidenceAdded
    | DecisionProposed
    | DecisionDeclined
    | DisputeDecided
    | DisputeWithdrawn
    | DecisionOverdue
    | DisputeReopened
    | ClaimWindowMoved
)
