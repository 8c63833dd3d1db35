"""手工积分 Points by hand: alone up to the limit, else with a second person (L5, A8)."""

import hashlib
from datetime import datetime
from typing import Any

from application import granting
from application.approval_requests import approval_id, ask
from application.envelope import Context
from application.granting import GRANTS
from application.single_handed import moved_alone
from application.streams import ACCOUNT, APPROVAL
from application.unit import Command, Unit
from domain.approvals import ApprovalRequested
from domain.house_rules import HouseRules


def adjust(
    unit: Unit, *, wanted: ApprovalRequested, approval: str, rules: HouseRules
) -> dict[str, Any]:
    """Add or take points, or ask for who may allow it."""
    learner, points, source = wanted.learner, wanted.points, wanted.subject
    if moved_alone(unit, learner=learner, points=points, subject=source, rules=rules):
        return granting.adjust(unit, learner=learner, points=points, source=source)
    return ask(unit, approval=approval, request=wanted)


def clawback_command(
    wanted: ApprovalRequested,
    *,
    context: Context,
    happened_at: datetime | None,
    rules: HouseRules,
    row: str,
) -> Command:
    """The command that takes a grant back whole, once, whoever asks (L5; rules.md 17).

    Over the limit it asks for a second person, once as well: what was asked for is not taken
    beside it. `row` names the request, so that it knows its own answer (rules.md 31).
    """
    learner, lot = wanted.learner, wanted.subject
    approval = approval_id(wanted, "")

    def decide(unit: Unit) -> dict[str, Any]:
        asked_before = unit.read(APPROVAL, approval).request is not None
        if not asked_before and moved_alone(
            unit, learner=learner, points=wanted.points, subject=lot, rules=rules
        ):
            done = granting.claw_back(
                unit, learner=learner, lot=lot, points=wanted.points, rules=rules
            )
            return {**done, "status": "clawed_back", "row": row}
        return {**ask(unit, approval=approval, request=wanted), "row": row}

    return Command(
        principal=GRANTS,
        key=f"clawback:{learner}:{lot}",
        digest=hashlib.sha256(lot.encode()).digest(),
        context=context,
        decide=decide,
        streams=(ACCOUNT.stream(learner), APPROVAL.stream(approval)),
        happened_at=happened_at,
        keeps_refusals=False,
    )
