"""周报 What each week brought, over HTTP, as it was told on the Monday after (T9)."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from pydantic import AwareDatetime, BaseModel, Field

from api.auth import STAFF, Caller, allow
from api.carriers import place_name
from api.reading import MinPosition, json_answer, wait_for
from api.shown.fields import example
from domain.refusals import NotFound
from domain.weeks import Figure
from projections import weeks

router = APIRouter(prefix="/v1/weeks", tags=["weeks"])

Staff = Annotated[Caller, allow(*STAFF)]
WeekName = Annotated[str, Path(pattern=r"^\d{4}-W\d\d$", description="ISO 8601, as in `2026-W47`")]
_WEEK = {
    "week": "2026-W47",
    "first_day": "2026-11-16",
    "last_day": "2026-11-22",
    "upto": 81_204,
    "reviewed_at": "2026-11-22T16:05:00Z",
}


class WeekOut(BaseModel):
    """A week that was reviewed."""

    week: str = Field(description="ISO 8601: from Monday to Sunday, in the business time zone")
    first_day: date = Field(description="its Monday")
    last_day: date = Field(description="its Sunday")
    upto: int = Field(description="log position that the figures are as of")
    reviewed_at: AwareDatetime = Field(description="when it was looked back at")


class RunningOut(BaseModel):
    """The week that is not over yet."""

    week: str = Field(description="ISO 8601")
    first_day: date = Field(description="its Monday")
    last_day: date = Field(description="its Sunday")


class WeeksOut(BaseModel):
    """Weeks that were reviewed, and the one that runs."""

    model_config = example(
        weeks=[_WEEK],
        running={"week": "2026-W48", "first_day": "2026-11-23", "last_day": "2026-11-29"},
    )
    weeks: list[WeekOut] = Field(description="newest first, two years at most")
    running: RunningOut = Field(description="what it brought so far is read by its name")


class WholeWeekOut(WeekOut):
    """What a week brought."""

    model_config = example(
        **_WEEK,
        figures=[
            {"section": "week", "key": "", "name": "arrived", "value": 398, "before": 371},
            {"section": "carrier", "key": "jd", "name": "on_time", "value": 88, "before": 90},
        ],
        places={"330106": "杭州市西湖区"},
    )
    reviewed_at: AwareDatetime | None = Field(  # type: ignore[assignment]
        description="when it was looked back at; null: it is not over, this is so far"
    )
    figures: list[Figure] = Field(description="by section, key and name; amounts in fen")
    places: dict[str, str] = Field(description="names of the districts, by their codes")


@router.get("", response_model=WeeksOut, summary="Weeks that were reviewed")
async def listed(request: Request, caller: Staff, min_position: MinPosition = None) -> Response:
    """The newest first; a week is reviewed on the Monday after it (T9)."""
    await wait_for(request, min_position, "week_reviews")
    tenant = request.state.tenant
    async with tenant.pool.connection() as connection:
        found = await weeks.reviews(connection, tenant.schema)
    now = weeks.running(tenant)
    running = {"week": now.name, "first_day": now.first, "last_day": now.last}
    return json_answer({"weeks": found, "running": running})


@router.get("/{week}", response_model=WholeWeekOut, summary="What a week brought")
async def one(
    request: Request, caller: Staff, week: WeekName, min_position: MinPosition = None
) -> Response:
    """As it was told, or of the running week so far.

    `/v1/audit/reports/week` at its position seals the same figures (T9, A6).
    """
    await wait_for(request, min_position, "week_reviews")
    tenant = request.state.tenant
    async with tenant.pool.connection() as connection:
        found = await weeks.review(connection, tenant.schema, week)
        if found is None and week == weeks.running(tenant).name:
            found = await weeks.so_far(connection, tenant)
    if found is None:
        raise NotFound(what="week")
    districts = {one["key"] for one in found["figures"] if one["section"] == "district"}
    return json_answer({**found, "places": {code: place_name(code) for code in sorted(districts)}})
