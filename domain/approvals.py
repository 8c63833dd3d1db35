"""四眼 Four eyes: what one person may ask for, another has to allow (A8; rules.md 26)."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from operator import not_
from typing import assert_never

from pydantic import AwareDatetime, Field

from domain.facts import Fact, NonNegativeInt, PositiveInt, Value
from domain.refusals import NotPossible, Refusal


class Kind(StrEnum):
    """What can be asked for."""

    ADJUSTMENT = "adjustment"
    CLAWBACK = "clawback"
    COMPENSATION = "compensation"
    REVEAL = "reveal"
    REFUND = "refund"
    """Of an order, by a decision at a desk."""
    RETURN = "return"
    """A refund that is agreed to for a return whose goods stay."""


class Goods(Value):
    """What of an order's goods a request is about."""

    sku: str
    name: str
    quantity: PositiveInt


class ApprovalRequested(Fact, name="approvals.ApprovalRequested", version=2):
    """Somebody asked for what they may not do alone; nothing has happened yet."""

    kind: Kind
    learner: str
    points: int = Field(
        description="added if positive, taken if negative; what a claw-back takes; what a decision"
        " is worth, or a refund gives back; 0 for a reveal"
    )
    subject: str = Field(
        description="the adjustment's source, the lot that is clawed back, the case, the card, the"
        " order, or the return"
    )
    about: str | None = Field(
        default=None,
        description="stream of the order or parcel whose card is to be shown, or of the order that"
        " is refunded",
    )
    maker: str = Field(description="who asks")
    maker_role: str | None = Field(
        default=None, description="in which role; None before roles were recorded here"
    )
    reason: str
    alone_points: NonNegativeInt = Field(
        default=0,
        exclude_if=not_,
        description="what the maker gave and took alone before, for the same learner, as far as it"
        " adds to this one; either counted up",
    )
    alone_times: NonNegativeInt = Field(
        default=0, exclude_if=not_, description="in how many amounts"
    )
    cash_fen: NonNegativeInt = Field(
        default=0, exclude_if=not_, description="that a refund gives back beside the points"
    )
    goods: tuple[Goods, ...] = Field(
        default=(), exclude_if=not_, description="what a refund is for"
    )
    goods_back: bool = Field(
        default=False,
        exclude_if=not_,
        description="whether the maker says that the goods of a refund are in the house again",
    )


class ApprovalGiven(Fact, name="approvals.ApprovalGiven", version=2):
    """Somebody else allowed it; it happened in the same commit, or may happen for a while."""

    checker: str = Field(description="who allowed it")
    checker_role: str | None = Field(
        default=None, description="in which role; None before roles were recorded here"
    )
    valid_until: AwareDatetime | None = Field(
        default=None, description="until then whoever asked may act on it; None: it is done"
    )


class ApprovalDenied(Fact, name="approvals.ApprovalDenied", version=2):
    """Somebody else did not allow it; it will not happen."""

    checker: str = Field(description="who did not allow it")
    checker_role: str | None = Field(
        default=None, description="in which role; None before roles were recorded here"
    )
    reason: str


ApprovalFact = ApprovalRequested | ApprovalGiven | ApprovalDenied


class SamePerson(Refusal):
    """Whoever asks for it cannot allow it (A8)."""

    code = "same_person"
    en = "{checker} asked for this: somebody else has to decide."
    zh = "{checker} 是申请人，须由他人审批。"


class OwnAccount(Refusal):
    """Whoever works for the house moves nothing to or from an account of their own (A8)."""

    code = "own_account"
    en = "{person} is whose points these are: somebody else has to do it."
    zh = "涉及 {person} 本人的积分，须由他人办理。"


@dataclass(frozen=True, slots=True)
class Approval:
    """One request for a second pair of eyes."""

    request: ApprovalRequested | None = None
    decided: str | None = None
    valid_until: datetime | None = None
    """Until when whoever asked may act on what was given."""

    @property
    def open(self) -> bool:
        """Whether somebody still has to decide."""
        return self.request is not None and self.decided is None

    def allows(self, when: datetime) -> bool:
        """Whether whoever asked may act on it at this time."""
        return self.valid_until is not None and when < self.valid_until

    def ask(self, request: ApprovalRequested) -> list[ApprovalFact]:
        """Ask; the same request asked for again is one request, in whatever role."""
        if self.request is None:
            return [request]
        if self.open and _wish(self.request) == _wish(request):
            return []
        raise NotPossible(action="ask", why=f"this was asked for and is {self.decided or 'open'}")

    def give(
        self, checker: str, *, role: str | None = None, valid_until: datetime | None = None
    ) -> list[ApprovalFact]:
        """Allow it: never by whoever asked, in whatever role, and once."""
        self._must_be_open(checker)
        return [ApprovalGiven(checker=checker, checker_role=role, valid_until=valid_until)]

    def deny(self, checker: str, *, role: str | None = None, reason: str) -> list[ApprovalFact]:
        """Do not allow it."""
        self._must_be_open(checker)
        return [ApprovalDenied(checker=checker, checker_role=role, reason=reason)]

    def _must_be_open(self, checker: str) -> None:
        if self.request is None:
            raise NotPossible(action="decide", why="nobody asked for this")
        if self.decided is not None:
            raise NotPossible(action="decide", why=f"it was {self.decided} already")
        if self.request.maker == checker:
            raise SamePerson(checker=checker)
        if self.request.kind is not Kind.REVEAL and self.request.learner == checker:
            raise OwnAccount(person=checker)


def _wish(request: ApprovalRequested) -> ApprovalRequested:
    """What is asked for, whatever its maker did before and in which role they come."""
    return request.model_copy(update={"maker_role": None, "alone_points": 0, "alone_times": 0})


def evolve(approval: Approval, fact: ApprovalFact) -> Approval:
    """The approval after one more fact."""
    match fact:
        case ApprovalRequested():
            return Approval(request=fact)
        case ApprovalGiven():
            return replace(approval, decided="given", valid_until=fact.valid_until)
        case ApprovalDenied():
            return replace(approval, decided="denied")
        case _:
            assert_never(fact)
