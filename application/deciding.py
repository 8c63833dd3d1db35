"""裁决 Deciding a case: what follows from it happens in the same commit (D1, D6, A8; rule 23).

Refunds, linked orders and compensation are those of their own rooms; over the limit the decision
waits, whole, for a second person, and is carried out in the commit that allows it.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

from application import approval_requests, refund_chain
from application.blaming import by_decision, claim_all
from application.case_messages import message_for
from application.claiming import is_confirmed
from application.composing import Amount
from application.disputing import close_up, existing_case, open_units, told
from application.intercepting import call_back_given_up
from application.ordering import existing, given_elsewhere
from application.reshipping import reship
from application.sealed_words import Message, seal_words
from application.sent_again import due_in
from application.single_handed import moved_alone
from application.streams import ACCOUNT, DISPUTE
from application.unit import Unit
from domain.approvals import ApprovalRequested, Kind
from domain.dispute_facts import Decision, DisputeDecided, Outcome
from domain.disputes import OF_VALUE, Dispute
from domain.house_rules import HouseRules
from domain.order_facts import Units
from domain.point_facts import Reason
from domain.proposed import must_still_be_there
from domain.replacing import linked_number


@dataclass(frozen=True, slots=True)
class Wanted:
    """What staff want to decide."""

    outcome: Outcome
    reason: str
    lines: tuple[tuple[str, int], ...] | None = None
    """(sku, quantity) that is refunded or sent once more; None: all of the case's parts."""
    points: int = 0
    message: Message | None = None
    """None: the house's own words."""
    unconfirmed_because: str = ""


class Results(NamedTuple):
    """What a decision is going to lead to."""

    points_refunded: int = 0
    cash_fen_refunded: int = 0
    replacement: str | None = None


def decide(
    unit: Unit, *, case: str, wanted: Wanted, maker: str, key: str, rules: HouseRules
) -> dict[str, Any]:
    """Decide a case, or ask for the second person that so many points need (A8; rules.md 26)."""
    dispute = existing_case(unit, case)
    dispute.must_be_open("decide_case")
    decision = Decision(
        outcome=wanted.outcome,
        units=_units(unit, dispute, wanted),
        points=wanted.points,
        reason=wanted.reason,
        unconfirmed_because=wanted.unconfirmed_because,
    )
    dispute.must_be_decidable(decision, confirmed=is_confirmed(unit, dispute.parcel))
    message = wanted.message or _words(unit, case, dispute, decision, rules=rules)
    sealed = seal_words(unit, dispute.learner, message.to_bytes())
    decision = decision.model_copy(update={"message": sealed})
    points = decision.points + _on_word(unit, dispute, decision, rules=rules)
    if not moved_alone(unit, learner=dispute.learner, points=points, subject=case, rules=rules):
        return _ask(unit, case, dispute, decision, points=points, maker=maker, key=key)
    return _carry_out(unit, case, dispute, decision, approval=None, rules=rules)


def carry_out_allowed(unit: Unit, *, case: str, approval: str, rules: HouseRules) -> dict[str, Any]:
    """A second person allowed the decision: it is carried out as it was proposed (A8).

    Refused where its units were settled otherwise meanwhile: nobody gets both (D4).
    """
    dispute = existing_case(unit, case)
    decision = dispute.allowed(approval)
    order = existing(unit, dispute.order)
    due = due_in(unit, dispute.parcel, order=dispute.order, parts=dispute.parts)
    elsewhere = given_elsewhere(unit, order)
    must_still_be_there(order, decision.units, due=due, elsewhere=elsewhere, action="decide_case")
    return _carry_out(unit, case, dispute, decision, approval=approval, rules=rules)


def decline(unit: Unit, *, case: str, approval: str, reason: str) -> None:
    """A second person did not allow the decision: the case is open again."""
    dispute = existing_case(unit, case)
    unit.record(DISPUTE, case, dispute.decline(approval=approval, reason=reason))


def _ask(
    unit: Unit,
    case: str,
    dispute: Dispute,
    decision: Decision,
    *,
    points: int,
    maker: str,
    key: str,
) -> dict[str, Any]:
    request = ApprovalRequested(
        kind=Kind.COMPENSATION,
        learner=dispute.learner,
        points=points,
        subject=case,
        maker=maker,
        reason=decision.reason,
    )
    approval = approval_requests.approval_id(request, key)
    facts = dispute.propose(decision, approval=approval, maker=maker)
    after = unit.record(DISPUTE, case, facts)
    asked = approval_requests.ask(unit, approval=approval, request=request)
    return {**told(case, after), **asked}


def _carry_out(
    unit: Unit,
    case: str,
    dispute: Dispute,
    decision: Decision,
    *,
    approval: str | None,
    rules: HouseRules,
) -> dict[str, Any]:
    results = _results(unit, case, dispute, decision, rules=rules)
    # First of all facts: whatever follows has it as its cause.
    after = unit.record(
        DISPUTE,
        case,
        [DisputeDecided(decision=decision, approval=approval, **results._asdict())],
    )
    if decision.outcome is Outcome.REFUND:
        chain = refund_chain.levels(unit, dispute.order, decision.units, parts=dispute.parts)
        terms = refund_chain.Terms(dispute.reason, decision.reason)
        refund_chain.refund(unit, chain, terms, rules=rules)
    elif decision.outcome is Outcome.RESHIP:
        reship(
            unit,
            number=dispute.order,
            units=decision.units,
            case=dispute.named(DISPUTE.stream(case)),
            parcel=dispute.parcel,
            rules=rules,
        )
    call_back_given_up(unit, parcels=[dispute.parcel], reason=decision.reason, rules=rules)
    if decision.points:
        account = unit.read(ACCOUNT, dispute.learner)
        granted = account.grant(
            decision.points,
            reason=Reason.COMPENSATION,
            source=dispute.named(case),
            expires_at=None,
            when=unit.happened_at,
        )
        unit.record(ACCOUNT, dispute.learner, granted)
    claims = claim_all(unit, by_decision(unit, dispute, decision), rules=rules)
    close_up(unit, case, after, reason=f"decided: {decision.outcome}")
    points = {"points": decision.points, "points_refunded": results.points_refunded}
    return {
        **told(case, after), **points, "replacement": results.replacement, "claims": claims,
    }  # fmt: skip


def _on_word(unit: Unit, dispute: Dispute, decision: Decision, *, rules: HouseRules) -> int:
    """What the units are worth in points that somebody gives on their word alone (A8).

    With a confirmed track the case itself says why; without one, only whoever decides does.
    """
    if not decision.unconfirmed_because or not decision.units:
        return 0
    chain = refund_chain.levels(unit, dispute.order, decision.units, parts=dispute.parts)
    terms = refund_chain.Terms(dispute.reason, decision.reason)
    points, _ = refund_chain.worth(unit, chain, terms, rules=rules)
    return points


def _units(unit: Unit, dispute: Dispute, wanted: Wanted) -> tuple[Units, ...]:
    if wanted.outcome not in (Outcome.REFUND, Outcome.RESHIP):
        return ()
    return open_units(unit, dispute, wanted.lines)


def _words(
    unit: Unit, case: str, dispute: Dispute, decision: Decision, *, rules: HouseRules
) -> Message:
    results = _results(unit, case, dispute, decision, rules=rules)
    return message_for(
        decision.outcome,
        points=decision.points,
        refunded=Amount(results.points_refunded, results.cash_fen_refunded),
        replacement=results.replacement,
    )


def _results(
    unit: Unit, case: str, dispute: Dispute, decision: Decision, *, rules: HouseRules
) -> Results:
    """What the decision leads to, by the same rules that then carry it out."""
    if decision.outcome not in OF_VALUE or not decision.units:
        return Results()
    if decision.outcome is Outcome.RESHIP:
        order = existing(unit, dispute.order)
        stream = dispute.named(DISPUTE.stream(case))
        number = linked_number(dispute.order, order, decision.units, case=stream)
        return Results(replacement=number)
    chain = refund_chain.levels(unit, dispute.order, decision.units, parts=dispute.parts)
    terms = refund_chain.Terms(dispute.reason, decision.reason)
    points, fen = refund_chain.worth(unit, chain, terms, rules=rules)
    return Results(points_refunded=points, cash_fen_refunded=fen)
