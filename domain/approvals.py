"""四眼 Four eyes: what one person may ask for, another has to allow (A8; rules.md 26)."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import assert_never

from pydantic import Field

from domain.facts import Fact
from domain.house_rules import HouseRules
from domain.refusals import NotPossible, Refusal


class Kind(StrEnum):
    """What can be asked for."""

    ADJUSTMENT = "adjustment"
    CLAWBACK = "clawback"
    COMPENSATION = "compensation"


class ApprovalRequested(Fact, name="approvals.ApprovalRequested"):
    """Somebody asked for what they may not do alone; nothing has happened yet."""

    kind: Kind
    learner: str
    points: int = Field(description="added if positive, taken if negative; what a claw-back takes")
    subject: str = Field(
        description="the adjustment's source, the lot that is clawed back, or the case"
    )
    maker: str
    reason: str


class ApprovalGiven(Fact, name="approvals.ApprovalGiven"):
    """Somebody else allowed it; it happened in the same commit."""

    checker: str


class ApprovalDenied(Fact, name="approvals.ApprovalDenied"):
    """Somebody else did not allow it; it will not happen."""

    checker: str
    reason: str


ApprovalFact = ApprovalRequested | ApprovalGiven | ApprovalDenied


class SamePerson(Refusal):
    """Whoever asks for it cannot allow it (A8)."""

    code = "same_person"
    en = "{checker} asked for this: somebody else has to decide."
    zh = "{checker} 是申请人,须由他人审批。"


@dataclass(frozen=True, slots=True)
class Approval:
    """One request for a second pair of eyes."""

    request: ApprovalRequested | None = None
    decided: str | None = None

    def ask(self, request: ApprovalRequested) -> list[ApprovalFact]:
        """Ask; the same request asked for again is one request."""
        if self.request is not None and self.decided is None and self.request == request:
            return []
        if self.request is not None:
            raise NotPossible(action="ask", why=f"this was asked for and is {self.decided}")
        return [request]

    def give(self, checker: str) -> list[ApprovalFact]:
        """Allow it: never by whoever asked, and once."""
        self._must_be_open(checker)
        return [ApprovalGiven(checker=checker)]

    def deny(self, checker: str, *, reason: str) -> list[ApprovalFact]:
        """Do not allow it."""
        self._must_be_open(checker)
        return [ApprovalDenied(checker=checker, reason=reason)]

    def _must_be_open(self, checker: str) -> None:
        if self.request is None:
            raise NotPossible(action="decide", why="nobody asked for this")
        if self.decided is not None:
            raise NotPossible(action="decide", why=f"it was {self.decided} already")
        if self.request.maker == checker:
            raise SamePerson(checker=checker)


def needs_second_person(points: int, *, rules: HouseRules) -> bool:
    """Whether that many points, given or taken by hand, need four eyes."""
    return abs(points) >= rules.four_eyes_points


def evolve(approval: Approval, fact: ApprovalFact) -> Approval:
    """The approval after one more fact."""
    match fact:
        case ApprovalRequested():
            return Approval(request=fact)
        case ApprovalGiven():
            return replace(approval, decided="given")
        case ApprovalDenied():
            return replace(approval, decided="denied")
        case _:
            assert_never(fact)
