"""灰度 How much of each partner's traffic is real, and switching it on by share (M3)."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from pydantic import Field

from api.auth import Caller, Manager, Role, allow, store_of
from api.bodies import Body, Whole, Why
from api.changing import Change, answered
from api.reading import json_answer
from api.shown.fields import example
from api.shown.traffic import ShiftedOut, TrafficOut
from application.streams import TRAFFIC
from application.traffic import Share, shares, shift_traffic
from domain.traffic import STEPS

router = APIRouter(prefix="/v1/traffic", tags=["operations"])

PartnerName = Annotated[
    str,
    Path(
        max_length=40, pattern=r"^[a-z0-9_]+$", description="the partner, as `/v1/traffic` names it"
    ),
]


class TrafficIn(Body):
    """How much is to be real."""

    model_config = example(percent=5, reason="the first real parcels, watched by Wang")
    percent: Annotated[
        Whole, Field(ge=0, le=STEPS, description="of what begins from now on, 0 to 100")
    ]
    reason: Why


@router.get("", response_model=TrafficOut, summary="How much of each partner's traffic is real")
async def traffic(
    request: Request,
    caller: Annotated[
        Caller, allow(Role.OPERATIONS, Role.SUPPORT, Role.AUDITOR, Role.ADMINISTRATOR)
    ],
) -> Response:
    """Partners whose sandbox is set beside them (`TALLYPOST_REHEARSAL`); the others are real."""
    found = await shares(request.state.tenant)
    return json_answer({"partners": [_shown(one) for one in found]})


@router.post(
    "/{partner}", response_model=ShiftedOut, summary="Make a share of a partner's traffic real"
)
async def shift(
    request: Request, caller: Manager, change: Change, partner: PartnerName, body: TrafficIn
) -> Response:
    """Which parcels or orders is their numbers' matter: a greater share has all of a smaller one.

    What has begun at one of the two stays there, also when the share is taken back to nothing.
    """
    settings = request.state.tenant.settings
    command = change.command(
        lambda unit: shift_traffic(unit, partner=partner, percent=body.percent, settings=settings),
        reason=body.reason,
        streams=[TRAFFIC.stream(partner)],
    )
    return answered(await store_of(request).execute(command))


def _shown(one: Share) -> dict[str, Any]:
    return {**one._asdict(), "shifts": [shift._asdict() for shift in one.shifts]}
