"""四眼 What happens once a second person allowed it, in the same commit, or not at all (A8)."""

from typing import Any

from application import deciding, refunding, settling
from application.granting import adjust, claw_back
from application.streams import APPROVAL
from application.unit import Unit
from domain.approvals import Approval, Kind
from domain.house_rules import HouseRules
from domain.refusals import NotFound


def allow(unit: Unit, *, approval: str, checker: str, rules: HouseRules) -> dict[str, Any]:
    """Allow what was asked for; it happens in the same commit."""
    state = _existing(unit, approval)
    request = state.request
    assert request is not None  # `_existing` saw it
    until = unit.now + rules.minors_shown_for if request.kind is Kind.REVEAL else None
    given = state.give(checker, role=unit.command.context.role, valid_until=until)
    unit.record(APPROVAL, approval, given)
    match request.kind:
        case Kind.ADJUSTMENT:
            done = adjust(
                unit, learner=request.learner, points=request.points, source=request.subject
            )
        case Kind.CLAWBACK:
            done = claw_back(
                unit,
                learner=request.learner,
                lot=request.subject,
                points=request.points,
                rules=rules,
            )
        case Kind.COMPENSATION:
            done = deciding.carry_out_allowed(
                unit, case=request.subject, approval=approval, rules=rules
            )
        case Kind.REFUND:
            done = refunding.carry_out_allowed(
                unit, number=request.subject, approval=approval, rules=rules
            )
        case Kind.RETURN:
            done = settling.agree_allowed(
                unit, name=request.subject, approval=approval, rules=rules
            )
        case Kind.REVEAL:  # whoever asked looks at it, and each time is a fact of its own
            done = {"learner": request.learner, "valid_until": until}
    return {"approval": approval, "status": "given", **done}


def deny(unit: Unit, *, approval: str, checker: str, reason: str) -> dict[str, Any]:
    """Do not allow what was asked for."""
    state = _existing(unit, approval)
    role = unit.command.context.role
    unit.record(APPROVAL, approval, state.deny(checker, role=role, reason=reason))
    request = state.request
    assert request is not None  # `_existing` saw it
    match request.kind:
        case Kind.COMPENSATION:
            deciding.decline(unit, case=request.subject, approval=approval, reason=reason)
        case Kind.REFUND:
            refunding.decline(unit, number=request.subject, approval=approval, reason=reason)
        case Kind.RETURN:
            settling.decline(unit, name=request.subject, approval=approval, reason=reason)
        case Kind.ADJUSTMENT | Kind.CLAWBACK | Kind.REVEAL:
            pass  # nothing was kept for it
    return {"approval": approval, "status": "denied"}


def _existing(unit: Unit, approval: str) -> Approval:
    state = unit.read(APPROVAL, approval)
    if state.request is None:
        raise NotFound(what="approval")
    return state
