"""待处理 What is stuck, in one list with ages (M5): whatever waits for a human or a partner."""

from typing import Annotated

from fastapi import APIRouter, Request, Response

from api.auth import Caller, Role, allow
from api.reading import json_answer
from api.shown.to_staff import TroublesOut
from application.jobs import queue_depth
from projections.troubles import troubles as stuck

router = APIRouter(prefix="/v1", tags=["operations"])


@router.get("/troubles", response_model=TroublesOut, summary="What is stuck, with ages")
async def troubles(
    request: Request,
    caller: Annotated[
        Caller, allow(Role.OPERATIONS, Role.SUPPORT, Role.AUDITOR, Role.ADMINISTRATOR)
    ],
) -> Response:
    """Parked events, drift, late policies, dead jobs, webhooks, partners, refunds, parcels (M5).

    Parcels are those that are late in their warehouse, silent, late, untracked, or whose pushes
    could not be read. Also targets that are not met, cases that were not decided in time, returns
    that nobody looked at, busy warehouses, bills that nobody could compare (W6), and what waits for
    a second person.
    """
    tenant = request.state.tenant
    found = await stuck(tenant)
    async with tenant.pool.connection() as connection:
        depth = await queue_depth(connection)
    now = tenant.store.clock()
    listed = [
        {
            **one._asdict(),
            "age_seconds": None if one.since is None else int((now - one.since).total_seconds()),
        }
        for one in found.listed
    ]
    return json_answer({"troubles": listed, "jobs": depth})
