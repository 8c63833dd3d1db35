"""理赔 What we ask of a carrier about a parcel: an inquiry, and a claim (D2; rules.md 23, 27).

One of each a parcel, shared by the cases of all orders in it. What a learner gets is decided
elsewhere and never waits for the carrier's money.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import assert_never

from pydantic import AwareDatetime, Field, NonNegativeInt, PositiveInt

from domain.facts import Fact
from domain.house_rules import HouseRules
from domain.order_facts import Fault
from domain.refusals import InvalidRequest, NotPossible, Refusal
from domain.sealed import Sealed


class InquiryResult(StrEnum):
    """What a carrier answers."""

    DELIVERED = "delivered"
    """It stands by the delivery."""
    MISDELIVERED = "misdelivered"
    FOUND = "found"
    LOST = "lost"
    DAMAGED = "damaged"
    UNKNOWN = "unknown"


class ClaimState(StrEnum):
    """How far a claim is."""

    FILED = "filed"
    ACKNOWLEDGED = "acknowledged"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    PAID = "paid"
    WRITTEN_OFF = "written_off"


CLOSED = frozenset({ClaimState.PAID, ClaimState.WRITTEN_OFF})


GONE = frozenset({Fault.LOST, Fault.NOT_RECEIVED})
"""Reasons for which nothing of a parcel came."""
BLAMED = GONE | {Fault.DAMAGED, Fault.LATE}
"""Reasons for which its carrier answers."""


class InquiryOpened(Fact, name="claims.InquiryOpened"):
    """The carrier is asked what became of a parcel (D1)."""

    orders: tuple[str, ...] = Field(description="orders in the parcel, whose cases share it")
    carrier: str
    waybill: str
    case: str | None = Field(default=None, description="the case it was asked for first")
    answer_by: AwareDatetime


class InquiryAnswered(Fact, name="claims.InquiryAnswered"):
    """The carrier answered."""

    result: InquiryResult
    reference: str = Field(default="", description="the carrier's own number of the inquiry")
    words: Sealed | None = Field(default=None, description="the answer; it may name people")


class InquiryTimedOut(Fact, name="claims.InquiryTimedOut"):
    """The carrier did not answer in time."""


class ClaimFiled(Fact, name="claims.ClaimFiled"):
    """Money is asked of the carrier for a parcel (D2)."""

    orders: tuple[str, ...]
    carrier: str
    waybill: str
    reason: Fault
    claimed_fen: PositiveInt
    file_by: AwareDatetime | None = Field(description="when the carrier's time for claims ends")
    unconfirmed_because: str = Field(
        default="", description="why the track counts though no query confirmed it (rules.md 23)"
    )


class ClaimCorrected(Fact, name="claims.ClaimCorrected"):
    """Another sum is asked of the carrier, before it says what it owes (D2)."""

    carrier: str
    claimed_fen: PositiveInt
    before_fen: PositiveInt = Field(description="what was asked until now")
    reason: str


class ClaimAcknowledged(Fact, name="claims.ClaimAcknowledged"):
    """The carrier has it under a number of its own."""

    reference: str


class ClaimAccepted(Fact, name="claims.ClaimAccepted"):
    """The carrier owes us this much."""

    accepted_fen: PositiveInt


class ClaimRejected(Fact, name="claims.ClaimRejected"):
    """The carrier refuses; an appeal may still make it accept."""

    reason: str


class ClaimPaid(Fact, name="claims.ClaimPaid"):
    """Money came; the claim is paid once it is all that the carrier owes."""

    paid_fen: PositiveInt


class ClaimWrittenOff(Fact, name="claims.ClaimWrittenOff"):
    """Nothing more is expected of it."""

    lost_fen: NonNegativeInt = Field(
        description="of what was accepted, or else claimed: never paid"
    )
    reason: str


ClaimFact = (
    InquiryOpened
    | InquiryAnswered
    | InquiryTimedOut
    | ClaimFiled
    | ClaimCorrected
    | ClaimAcknowledged
    | ClaimAccepted
    | ClaimRejected
    | ClaimPaid
    | ClaimWrittenOff
)


class ClaimTooLate(Refusal):
    """The carrier takes no claim any more (D2)."""

    code = "claim_too_late"
    en = "{carrier} took claims for this parcel until {until}."
    zh = "{carrier} 受理该包裹理赔的期限已于 {until} 结束。"


@dataclass(frozen=True, slots=True)
class Inquiry:
    """What the carrier was asked, and whether it answered."""

    answer_by: datetime
    result: InquiryResult | None = None
    timed_out: bool = False

    @property
    def open(self) -> bool:
        """Whether the answer is still waited for."""
        return self.result is None and not self.timed_out

    @property
    def state(self) -> str:
        """In a word: open, answered or timed_out."""
        if self.result is not None:
            return "answered"
        return "timed_out" if self.timed_out else "open"


@dataclass(frozen=True, slots=True)
class Claim:
    """What deciding about one parcel's inquiry and claim needs."""

    inquiry: Inquiry | None = None
    state: ClaimState | None = None
    claimed_fen: int = 0
    accepted_fen: int = 0
    paid_fen: int = 0
    file_by: datetime | None = None

    @property
    def open(self) -> bool:
        """Whether the carrier still owes an answer or money."""
        return self.state is not None and self.state not in CLOSED

    @property
    def owed_fen(self) -> int:
        """What the carrier accepted and has not paid yet."""
        return self.accepted_fen - self.paid_fen

    def inquire(
        self,
        *,
        orders: tuple[str, ...],
        carrier: str,
        waybill: str,
        case: str | None,
        when: datetime,
        rules: HouseRules,
    ) -> list[ClaimFact]:
        """Ask the carrier; one inquiry is enough, and is asked again only once it timed out."""
        if self.inquiry is not None and not self.inquiry.timed_out:
            return []
        return [
            InquiryOpened(
                orders=orders,
                carrier=carrier,
                waybill=waybill,
                case=case,
                answer_by=when + rules.carrier_answers_within,
            )
        ]

    def answer_inquiry(
        self, result: InquiryResult, *, reference: str, words: Sealed | None
    ) -> list[ClaimFact]:
        """Take the carrier's answer; a late one counts, another one replaces it."""
        if self.inquiry is None:
            raise NotPossible(action="answer_inquiry", why="the carrier was not asked")
        if self.inquiry.result is result and words is None:
            return []
        return [InquiryAnswered(result=result, reference=reference, words=words)]

    def time_out(self, *, when: datetime) -> list[ClaimFact]:
        """Wait no longer for the carrier's answer once its time is over."""
        asked = self.inquiry
        over = asked is not None and asked.open and when >= asked.answer_by
        return [InquiryTimedOut()] if over else []

    def file(self, filing: ClaimFiled, *, most: int, when: datetime) -> list[ClaimFact]:
        """Claim money, once a parcel and in the carrier's time; `most` as for `correct`."""
        if self.state is not None:
            raise NotPossible(action="file_claim", why=f"the claim is {self.state}")
        if filing.file_by is not None and when > filing.file_by:
            raise ClaimTooLate(carrier=filing.carrier, until=filing.file_by.isoformat())
        _at_most(filing.claimed_fen, most)
        return [filing]

    def correct(
        self, fen: int, *, carrier: str, reason: str, most: int, when: datetime
    ) -> list[ClaimFact]:
        """Ask for another sum while the carrier has not answered; for more only in its time.

        Never for more than the parcel's value and freight, which is `most`.
        """
        self._must_be("correct_claim", ClaimState.FILED, ClaimState.ACKNOWLEDGED)
        _at_most(fen, most)
        if fen > self.claimed_fen and self.file_by is not None and when > self.file_by:
            raise ClaimTooLate(carrier=carrier, until=self.file_by.isoformat())
        if fen == self.claimed_fen:
            return []
        before = self.claimed_fen
        return [ClaimCorrected(carrier=carrier, claimed_fen=fen, before_fen=before, reason=reason)]

    def acknowledge(self, reference: str) -> list[ClaimFact]:
        """The carrier confirms that it has the claim."""
        self._must_be("acknowledge_claim", ClaimState.FILED)
        return [ClaimAcknowledged(reference=reference)]

    def accept(self, fen: int) -> list[ClaimFact]:
        """The carrier owes this much: never more than was claimed; also after an appeal."""
        self._must_be(
            "accept_claim", ClaimState.FILED, ClaimState.ACKNOWLEDGED, ClaimState.REJECTED
        )
        _at_most(fen, self.claimed_fen)
        return [ClaimAccepted(accepted_fen=fen)]

    def reject(self, reason: str) -> list[ClaimFact]:
        """The carrier refuses."""
        self._must_be("reject_claim", ClaimState.FILED, ClaimState.ACKNOWLEDGED)
        return [ClaimRejected(reason=reason)]

    def pay(self, fen: int) -> list[ClaimFact]:
        """Money came: never more than is owed still."""
        self._must_be("pay_claim", ClaimState.ACCEPTED)
        _at_most(fen, self.owed_fen)
        return [ClaimPaid(paid_fen=fen)]

    def write_off(self, reason: str) -> list[ClaimFact]:
        """Expect nothing more of what is owed, or was asked for."""
        self._must_be("write_off_claim", *(one for one in ClaimState if one not in CLOSED))
        return [ClaimWrittenOff(lost_fen=self.owed_fen or self.claimed_fen, reason=reason)]

    def _must_be(self, action: str, *states: ClaimState) -> None:
        if self.state is None:
            raise NotPossible(action=action, why="no claim was filed")
        if self.state not in states:
            raise NotPossible(action=action, why=f"the claim is {self.state}")


def _at_most(fen: int, most: int) -> None:
    if fen > most:
        raise InvalidRequest(field="amount_fen", reason=f"{most} fen at most")


def worth_less(points: int, *, price: tuple[int, int], value_fen: int) -> int:
    """What goods have lost for which these points were given, in fen: never more than their value.

    `price` is what the goods cost in points and in fen. Their points stand for what the goods are
    worth beyond the cash; where nothing was paid in points, nobody knows what points stand for.
    """
    cost, cash_fen = price
    bought_fen = max(value_fen - cash_fen, 0)
    return bought_fen * min(points, cost) // cost if cost else 0


def evolve(claim: Claim, fact: ClaimFact) -> Claim:
    """The parcel's inquiry and claim after one more fact."""
    asked = claim.inquiry
    match fact:
        case InquiryOpened():
            return replace(claim, inquiry=Inquiry(fact.answer_by))
        case InquiryAnswered():
            answered = None if asked is None else replace(asked, result=fact.result)
            return replace(claim, inquiry=answered)
        case InquiryTimedOut():
            silent = None if asked is None else replace(asked, timed_out=True)
            return replace(claim, inquiry=silent)
        case ClaimFiled():
            return replace(
                claim,
                state=ClaimState.FILED,
                claimed_fen=fact.claimed_fen,
                file_by=fact.file_by,
            )
        case ClaimCorrected():
            return replace(claim, claimed_fen=fact.claimed_fen)
        case ClaimAcknowledged():
            return replace(claim, state=ClaimState.ACKNOWLEDGED)
        case ClaimAccepted():
            return replace(claim, state=ClaimState.ACCEPTED, accepted_fen=fact.accepted_fen)
        case ClaimRejected():
            return replace(claim, state=ClaimState.REJECTED)
        case ClaimPaid():
            paid = claim.paid_fen + fact.paid_fen
            end = ClaimState.PAID if paid >= claim.accepted_fen else claim.state
            return replace(claim, state=end, paid_fen=paid)
        case ClaimWrittenOff():
            return replace(claim, state=ClaimState.WRITTEN_OFF)
        case _:
            assert_never(fact)
