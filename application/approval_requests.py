"""四眼 Asking for a second person: what one may not do alone waits under an id of its own (A8)."""

import hashlib
import itertools
from collections.abc import Sequence
from typing import Any

from application.single_handed import alone_before
from application.streams import APPROVAL
from application.unit import Unit
from domain.approvals import Approval, ApprovalRequested, Goods, Kind
from domain.order_facts import Units
from domain.orders import Order


def approval_id(request: ApprovalRequested, key: str, *, nth: int = 1) -> str:
    """The id of a request: a claw-back's follows from its grant, so that it is asked for once.

    `nth` tells apart those that were asked for again after they were denied.
    """
    named = f"{request.learner}:{request.subject}" if request.kind is Kind.CLAWBACK else key
    named = f"{request.kind}:{named}" + (f":{nth}" if nth > 1 else "")
    return "A" + hashlib.sha256(named.encode()).hexdigest()[:16].upper()


def new_id(unit: Unit, request: ApprovalRequested) -> str:
    """The id of what the command that asks names by its key."""
    return approval_id(request, f"{unit.command.principal}:{unit.command.key}")


def newest(unit: Unit, request: ApprovalRequested) -> tuple[str, Approval]:
    """The claw-back's request that counts: the first one that nobody denied, asked for or not."""
    for nth in itertools.count(1):
        name = approval_id(request, "", nth=nth)
        state = unit.read(APPROVAL, name)
        if state.decided != "denied":
            break
    return name, state


def ask(unit: Unit, *, approval: str, request: ApprovalRequested) -> dict[str, Any]:
    """Ask for a second person, in the role one acts in; nothing else happens yet.

    Who is asked is told what its maker moved alone before: a small amount needs them for that.
    """
    asked = request.model_copy(update={"maker_role": unit.command.context.role})
    if request.kind is not Kind.REVEAL:
        before = alone_before(unit, learner=request.learner)
        told = {"alone_points": before.points, "alone_times": before.times}
        asked = asked.model_copy(update=told)
    # By the time it is asked for, whatever day what is asked for was to be dated to.
    facts = unit.read(APPROVAL, approval).ask(asked)
    unit.record(APPROVAL, approval, facts, happened_at=unit.now)
    return {"approval": approval, "status": "pending_approval", "learner": request.learner}


def goods_of(order: Order, units: Sequence[Units]) -> tuple[Goods, ...]:
    """What of an order's goods a request is about, as whoever decides reads it."""
    lines = [(order.line(one.line), one.quantity) for one in units]
    return tuple(Goods(sku=line.sku, name=line.name, quantity=count) for line, count in lines)
