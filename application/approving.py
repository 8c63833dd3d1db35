"""四眼 Asking for a second person, and doing what was asked once they allow it (A8)."""

import hashlib
from typing import Any

from application.granting import adjust, claw_back
from application.streams import APPROVAL
from application.unit import Unit
from domain.approvals import Approval, ApprovalRequested, Kind
from domain.house_rules import HouseRules
from domain.refusals import NotFound


def approval_id(request: ApprovalRequested, key: str) -> str:
    """The id of a request: a claw-back's follows from its grant, so there is one for each."""
    named = f"{request.learner}:{request.subject}" if request.kind is Kind.CLAWBACK else key
    return "A" + hashlib.sha256(f"{request.kind}:{named}".encode()).hexdigest()[:16].upper()


def ask(unit: Unit, *, approval: str, request: ApprovalRequested) -> dict[str, Any]:
    """Ask for a second person; nothing happens to the account yet."""
    unit.record(APPROVAL, approval, unit.read(APPROVAL, approval).ask(request))
    return {"approval": approval, "status": "pending_approval", "learner": request.learner}


def allow(unit: Unit, *, approval: str, checker: str, rules: HouseRules) -> dict[str, Any]:
    """Allow what was asked for; it happens in the same commit."""
    state = _existing(unit, approval)
    unit.record(APPROVAL, approval, state.give(checker))
    request = state.request
    assert request is not None  # `_existing` saw it
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
    return {"approval": approval, "status": "given", **done}


def deny(unit: Unit, *, approval: str, checker: str, reason: str) -> dict[str, Any]:
    """Do not allow what was asked for."""
    state = _existing(unit, approval)
    unit.record(APPROVAL, approval, state.deny(checker, reason=reason))
    return {"approval": approval, "status": "denied"}


def _existing(unit: Unit, approval: str) -> Approval:
    state = unit.read(APPROVAL, approval)
    if state.request is None:
        raise NotFound(what="approval")
    return state
