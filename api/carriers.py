"""承运商 How carriers do: whether parcels arrive when it was said (T4)."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from api.auth import Caller, Role, allow
from api.reading import MinPosition, json_answer, wait_for
from api.shown import example
from domain.arriving import AIM_PERCENT
from projections.arrivals import accuracy

router = APIRouter(prefix="/v1/carriers", tags=["carriers"])

Staff = Annotated[Caller, allow(Role.SUPPORT, Role.OPERATIONS, Role.AUDITOR, Role.ADMINISTRATOR)]
Days = Annotated[int, Query(ge=1, le=730, description="of so many days up to now")]


class AccuracyOut(BaseModel):
    """How well it held what was said about a carrier's parcels at one milestone."""

    carrier: str = Field(description="its code as Kuaidi100 writes it")
    milestone: str = Field(description="handed_over, under_way, near or at_the_door")
    parcels: int = Field(ge=1, description="that arrived, and of which something was said")
    inside: int = Field(description="of them inside their window")
    early: int = Field(description="of them before it")
    late: int = Field(description="of them after it")
    percent: float = Field(description="share inside, in percent")
    measured: int = Field(description="of them with a window that was measured, not promised")
    window_hours: float = Field(description="how wide the windows were, the median, in hours")


class ArrivalsOut(BaseModel):
    """Whether parcels arrive when it was said (T4)."""

    model_config = example(
        aim_percent=90,
        carriers=[
            {
                "carrier": "shunfeng",
                "milestone": "handed_over",
                "parcels": 412,
                "inside": 379,
                "early": 12,
                "late": 21,
                "percent": 92.0,
                "measured": 398,
                "window_hours": 21.5,
            }
        ],
    )
    aim_percent: int = Field(description="what the share inside should be")
    carriers: list[AccuracyOut] = Field(description="by carrier, then in the order of the way")


@router.get("/arrivals", response_model=ArrivalsOut, summary="Whether estimates of arrivals hold")
async def arrivals(
    request: Request, caller: Staff, days: Days = 90, min_position: MinPosition = None
) -> Response:
    """Of parcels that arrived lately: the share inside the window that was told (T4)."""
    await wait_for(request, min_position, "parcel_tracking")
    tenant = request.state.tenant
    since = tenant.store.clock() - timedelta(days=days)
    async with tenant.pool.connection() as connection:
        found = await accuracy(connection, tenant.schema, since=since)
    for one in found:
        one["percent"] = round(100 * one["inside"] / one["parcels"], 1)
        one["window_hours"] = round(one["window_hours"], 1)
    return json_answer({"aim_percent": AIM_PERCENT, "carriers": found})
