"""四眼 The second person's desk: what waits for them, and their decision (A8)."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request, Response

from api.auth import Caller, Manager, Role, allow, store_of
from api.bodies import DecisionIn
from api.changing import Change, answered
from api.reading import MinPosition, json_answer, wait_for
from api.shown.after_account_changes import DecidedOut
from api.shown.to_staff import ApprovalsOut
from application import approving
from application.streams import APPROVAL
from application.unit import Unit
from projections.approvals import approvals

router = APIRouter(prefix="/v1", tags=["approvals"])

Approval = Annotated[str, Path(pattern=r"^A[0-9A-F]{16}$", description="id of the request")]
Asked = Annotated[Literal["open", "given", "denied"], Query(description="what became of them")]


@router.get("/approvals", response_model=ApprovalsOut, summary="What waits for a second person")
async def listed(
    request: Request,
    caller: Annotated[Caller, allow(Role.OPERATIONS, Role.ADMINISTRATOR, Role.AUDITOR)],
    state: Asked = "open",
    min_position: MinPosition = None,
) -> Response:
    """Oldest first, with who asked for it and why."""
    await wait_for(request, min_position, "approvals")
    tenant = request.state.tenant
    async with tenant.pool.connection() as connection:
        found = await approvals(connection, tenant.schema, state=state)
    return json_answer({"approvals": found})


@router.post(
    "/approvals/{approval}",
    response_model=DecidedOut,
    summary="Allow or deny what somebody else asked for",
)
async def decide(
    request: Request,
    caller: Manager,
    change: Change,
    approval: Approval,
    body: DecisionIn,
) -> Response:
    """What is allowed happens in the same commit; whoever asked cannot allow it (A8)."""
    rules = request.state.tenant.rules

    def decided(unit: Unit) -> dict[str, object]:
        if body.decision == "allow":
            return approving.allow(unit, approval=approval, checker=caller.subject, rules=rules)
        return approving.deny(unit, approval=approval, checker=caller.subject, reason=body.reason)

    command = change.command(decided, reason=body.reason, streams=[APPROVAL.stream(approval)])
    return answered(await store_of(request).execute(command))
