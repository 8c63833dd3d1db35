"""手工积分 Points by hand: alone up to the limit, else with a second person (L5, A8)."""

import hashlib
from datetime import datetime
from typing import Any

from application import granting
from application.approval_requests import approval_id, ask, newest
from application.envelope import Context
from application.granting import GRANTS
from application.single_handed import is_person, moved_alone
from application.streams import ACCOUNT, APPROVAL
from application.unit import Command, Unit
from domain.approvals import ApprovalRequested
from domain.house_rules import HouseRules
from domain.past_balances import LeftSince


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
    left: LeftSince | None = None,
) -> Command:
    """The command that takes a grant back whole, once, whoever asks (L5; rules.md 17).

    One that is dated back says what was there then and is `left` (rules.md 19).

    Refused with `ApprovalNeeded` where a second person has to allow it or was asked: the grant's
    identity is taken by what is done alone. `row` names the request, so that it knows its own
    answer (rules.md 31).
    """
    learner, lot, points = wanted.learner, wanted.subject, wanted.points

    def decide(unit: Unit) -> dict[str, Any]:
        name, approval = newest(unit, wanted)
        denied_before = name != approval_id(wanted, "")
        if approval.decided is not None:
            return {"learner": learner, "points": points, "status": "duplicate"}
        if (
            approval.request is not None
            # Somebody said no: a person does not do it alone then, however little it is.
            or (denied_before and is_person(context))
            or not moved_alone(
                unit,
                learner=learner,
                points=points,
                subject=lot,
                rules=rules,
                by_rule=not is_person(context),
            )
        ):
            raise granting.ApprovalNeeded(limit=rules.four_eyes_points)
        done = granting.claw_back(
            unit, learner=learner, lot=lot, points=points, rules=rules, left=left
        )
        return {**done, "status": "clawed_back", "row": row}

    return Command(
        principal=GRANTS,
        key=f"clawback:{learner}:{lot}",
        digest=hashlib.sha256(lot.encode()).digest(),
        context=context,
        decide=decide,
        streams=(ACCOUNT.stream(learner), APPROVAL.stream(approval_id(wanted, ""))),
        happened_at=happened_at,
        keeps_refusals=False,
    )


def ask_for_clawback(unit: Unit, *, wanted: ApprovalRequested) -> dict[str, Any]:
    """Ask for a second person; where one was asked already, that request is named."""
    name, approval = newest(unit, wanted)
    if approval.request is None:
        return ask(unit, approval=name, request=wanted)
    if approval.open:
        return {"approval": name, "status": "pending_approval", "learner": wanted.learner}
    return {"learner": wanted.learner, "points": wanted.points, "debt": None, "status": "duplicate"}
