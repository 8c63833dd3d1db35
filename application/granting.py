"""积分发放 Granting, clawing back, adjusting and freezing (L1, L5; rules.md 14, 17)."""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic_core import from_json

from application.envelope import Context
from application.outcomes import Outcome
from application.past_accounts import credit, payer
from application.single_handed import is_at_a_desk, moved_alone
from application.streams import ACCOUNT
from application.unit import Command, Unit
from domain import clawing_back, late_promises
from domain.house_rules import DEFAULT_RULES, HouseRules
from domain.lots import lot_id
from domain.past_balances import LeftSince
from domain.point_facts import LearnerRegistered, LotExpired, Reason
from domain.refusals import InvalidRequest, Refusal

BY_HAND = (Reason.MANUAL, Reason.COMPENSATION)
"""Reasons that somebody decides on, so that four eyes apply, whoever sends them (A8)."""
GRANTS = "grants"
"""The principal of every grant: one identity, whoever sends it (rules.md 14)."""
_OURS = {
    Reason.COMPENSATION: re.compile(rf"D-.+|{late_promises.SOURCE}.+"),
    Reason.MANUAL: re.compile(r".+#[0-9a-f]{12}"),
}
"""Sources of points that are decided on: a case's id, an order that came late, and what `adjust`
makes of its source. No grant has one, or two lots would have one name (rules.md 14)."""


class CarriedOver(Refusal):
    """The achievement was carried over from an earlier attempt: not a new one (rules.md 14)."""

    code = "carried_over"
    en = "Carried over from an earlier attempt."
    zh = "该成绩沿用自以往，不重复发放积分。"


class GrantConflict(Refusal):
    """The same grant was made before on other terms (rules.md 14)."""

    code = "grant_conflict"
    en = "This grant was made before with other points or another expiry."
    zh = "同一笔积分此前已按不同条件发放。"


class SourceOfOurs(Refusal):
    """The source is one that the house gives: such points come with a decision (D1, L5)."""

    code = "source_of_ours"
    en = "source: {source} is one that the house itself gives, for a case or an adjustment."
    zh = "source:{source} 是系统为争议裁决或积分调整所用的来源，不能用于发放。"


class GrantUnknown(Refusal):
    """There is no such grant to claw back."""

    code = "grant_unknown"
    en = "No grant with this reason and source was made to this learner."
    zh = "未找到该笔积分发放记录。"


class ApprovalNeeded(Refusal):
    """Points by hand over the limit need a second person: they are asked for as adjustments."""

    code = "approval_needed"
    en = "From {limit} points by one person a second one has to approve: ask for an adjustment."
    zh = "一人经手达到 {limit} 积分须经第二人审批，请提交调整申请。"


@dataclass(frozen=True, slots=True)
class Grant:
    """Points for one achievement."""

    learner: str
    points: int
    reason: Reason
    source: str
    happened_at: datetime | None = None
    expires_at: datetime | None = None
    carried_over: bool = False

    @property
    def identity(self) -> str:
        """What makes it the same grant when sent again."""
        return f"grant:{self.learner}:{lot_id(self.reason, self.source)}"

    @property
    def terms(self) -> bytes:
        """What must not differ when it is sent again."""
        expires = self.expires_at.isoformat() if self.expires_at else ""
        return hashlib.sha256(f"{self.points}|{expires}".encode()).digest()


def grant_command(
    grant: Grant, context: Context, *, rules: HouseRules = DEFAULT_RULES, row: str = ""
) -> Command:
    """The command that makes this grant once, however often and by whomever it is sent (L1).

    `row` names the row of the request that asks; the answer keeps which one was granted, so that
    a request which is sent again after a crash knows its own rows (rules.md 31).
    """

    def decide(unit: Unit) -> dict[str, Any]:
        if grant.carried_over:
            raise CarriedOver()
        ours = _OURS.get(grant.reason)
        if ours is not None and ours.fullmatch(grant.source):
            raise SourceOfOurs(source=grant.source)
        by_hand = grant.reason in BY_HAND or is_at_a_desk(context)
        if by_hand and not moved_alone(
            unit, learner=grant.learner, points=grant.points, subject=grant.source, rules=rules
        ):
            raise ApprovalNeeded(limit=rules.four_eyes_points)
        account = unit.read(ACCOUNT, grant.learner)
        if grant.expires_at is not None and grant.expires_at <= unit.happened_at:
            raise InvalidRequest(field="expires_at", reason="is over when the grant happens")
        facts = account.grant(
            grant.points,
            reason=grant.reason,
            source=grant.source,
            expires_at=grant.expires_at,
            when=unit.happened_at,
        )
        credit(unit, grant.learner, facts)
        answer = {"points": grant.points, "lot": lot_id(grant.reason, grant.source)}
        return {**answer, "row": row} if row else answer

    return Command(
        principal=GRANTS,
        key=grant.identity,
        digest=grant.terms,
        context=context,
        decide=decide,
        streams=(ACCOUNT.stream(grant.learner),),
        happened_at=grant.happened_at,
        keeps_refusals=False,
    )


def granted_to(row: str, outcome: Outcome) -> bool:
    """Whether it was this row that the grant was made for, now or when it was sent before."""
    return not outcome.repeated or from_json(outcome.answer).get("row") == row


def claw_back(
    unit: Unit,
    *,
    learner: str,
    lot: str,
    points: int,
    rules: HouseRules,
    left: LeftSince | None = None,
) -> dict[str, Any]:
    """Take a grant of `points` back whole, also when it is spent (L5; rules.md 17).

    One that is dated back takes what was there then and is `left`; what came since pays the debt
    that this leaves, now. Raises `NotYet` where the account moved since that was read.
    """
    account, there = payer(unit, learner, left)
    when, now = unit.happened_at, unit.now
    facts = clawing_back.claw_back(
        account, points, lot=lot, when=when, rules=rules, there=there, now=now
    )
    after = credit(unit, learner, facts)
    taken = sum(fact.points for fact in facts)
    return {"learner": learner, "points": taken, "debt": after.debt}


def adjust(unit: Unit, *, learner: str, points: int, source: str) -> dict[str, Any]:
    """Add or take points by hand; actor and reason are in the envelope (L5).

    Each adjustment is a lot of its own, also where its source repeats: its command tells them
    apart, and the same command sent again is answered by the store.
    """
    account = unit.read(ACCOUNT, learner)
    source = f"{source}#{hashlib.sha256(unit.command.key.encode()).hexdigest()[:12]}"
    if points > 0:
        when = unit.happened_at
        facts = account.grant(
            points, reason=Reason.MANUAL, source=source, expires_at=None, when=when
        )
    elif points < 0:
        facts = account.deduct(-points, source=source, when=unit.happened_at)
    else:
        raise InvalidRequest(field="points", reason="must not be zero")
    after = unit.record(ACCOUNT, learner, facts)
    return {"learner": learner, "available": after.available(unit.now), "debt": after.debt}


def put_learner(unit: Unit, *, learner: str, status: str, reason: str) -> dict[str, Any]:
    """Register a learner, freeze or unfreeze their account (L5; contract.md)."""
    account = unit.read(ACCOUNT, learner)
    if account.status == "unknown":
        account = unit.record(ACCOUNT, learner, [LearnerRegistered()])
    change = account.freeze if status == "frozen" else account.unfreeze
    after = unit.record(ACCOUNT, learner, change(reason))
    return {"learner": learner, "status": after.status}


def expire_lots(unit: Unit, *, learner: str) -> dict[str, Any]:
    """Write off the lots of an account whose time is over, each as of its expiry (L4, A5)."""
    facts = unit.read(ACCOUNT, learner).expire(when=unit.now)
    for fact in facts:
        assert isinstance(fact, LotExpired)
        # Points that expired on Monday are gone on Monday, whenever we come to note it.
        unit.record(ACCOUNT, learner, [fact], happened_at=fact.expired_at)
    return {"learner": learner, "lots": len(facts)}


def erase_learner(unit: Unit, *, learner: str, reason: str) -> dict[str, Any]:
    """Destroy a learner's key and cards; the ledger keeps its figures (A4)."""
    after = unit.record(ACCOUNT, learner, unit.read(ACCOUNT, learner).erase(reason))
    unit.erase_subject(learner)
    return {"learner": learner, "status": after.status}
