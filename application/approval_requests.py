"""四眼 Asking for a second person: what one may not do alone waits under an id of its own (A8)."""

import hashlib
from typing import Any

from application.streams import APPROVAL
from application.unit import Unit
from domain.approvals import ApprovalRequested, Kind


def approval_id(request: ApprovalRequested, key: str) -> str:
    """The id of a request: a claw-back's follows from its grant, so there is one for each."""
    named = f"{request.learner}:{request.subject}" if request.kind is Kind.CLAWBACK else key
    return "A" + hashlib.sha256(f"{request.kind}:{named}".encode()).hexdigest()[:16].upper()


def ask(unit: Unit, *, approval: str, request: ApprovalRequested) -> dict[str, Any]:
    """Ask for a second person, in the role one acts in; nothing else happens yet."""
    asked = request.model_copy(update={"maker_role": unit.command.context.role})
    unit.record(APPROVAL, approval, unit.read(APPROVAL, approval).ask(asked))
    return {"approval": approval, "status": "pending_approval", "learner": request.learner}
