"""员工提醒 What staff were told by their robot, how it is, and a test message (N1)."""

import time
from functools import partial
from typing import Annotated

from fastapi import APIRouter, HTTPException, Request, Response

from api.auth import Caller, Manager, Role, allow
from api.reading import json_answer
from api.shown.alerts import AlertsOut, TestedOut
from application.gateways.wecom import Outcome
from application.telling_staff import TellingStaff, robot_of, state, told, tries
from domain.refusals import Refusal
from projections.troubles import troubles

router = APIRouter(prefix="/v1/staff-alerts", tags=["operations"])

TRIES_SHOWN = 20


class NoRobot(Refusal):
    """No robot is set, so nobody can be told."""

    code = "no_robot"
    en = "No robot is set: TALLYPOST_WECOM_KEY."
    zh = "没有设置机器人：TALLYPOST_WECOM_KEY。"


@router.get("", response_model=AlertsOut, summary="What staff were told, and how their robot is")
async def alerts(
    request: Request,
    caller: Annotated[
        Caller, allow(Role.OPERATIONS, Role.SUPPORT, Role.AUDITOR, Role.ADMINISTRATOR)
    ],
) -> Response:
    """Troubles that staff know of until they are told that they are over; the newest messages."""
    tenant = request.state.tenant
    async with tenant.pool.connection() as connection:
        robot = await state(connection, tenant.schema)
        known = await told(connection, tenant.schema)
        messages = await tries(connection, tenant.schema, limit=TRIES_SHOWN)
    settings = tenant.settings
    how = "ok" if robot.failures == 0 else "waiting"
    if robot.refused is not None:
        how = "refused"
    return json_answer(
        {
            "robot": "off" if robot_of(settings) is None else how,
            "cause": robot.refused,
            "next_at": robot.next_at if robot.failures else None,
            "language": settings.alert_language,
            "again_hours": settings.alert_again_hours,
            "told": [
                {"kind": one.kind, "about": one.about, "since": one.since, "told_at": one.told_at}
                for one in known
            ],
            "messages": messages,
        }
    )


@router.post("/test", response_model=TestedOut, summary="Send staff a test message now")
async def test(request: Request, caller: Manager) -> Response:
    """Once, not tried again; a robot that had refused is used again if it takes this one."""
    tenant = request.state.tenant
    if robot_of(tenant.settings) is None:
        raise NoRobot()
    started = time.monotonic()
    telling = TellingStaff(tenant, tenant.partners, partial(troubles, tenant))
    answer = await telling.test()
    if answer is None:
        raise HTTPException(429, "The robot takes 20 messages a minute.", {"Retry-After": "60"})
    return json_answer(
        {
            "delivered": answer.outcome is Outcome.DELIVERED,
            "code": answer.code,
            "cause": None if answer.outcome is Outcome.DELIVERED else answer.cause,
            "took_ms": round((time.monotonic() - started) * 1000),
        }
    )
