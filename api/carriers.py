"""承运商 How carriers do: arrivals, success at the door by hour, scorecards (T4, T9)."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from api.auth import Caller, Role, allow
from api.reading import MinPosition, json_answer, wait_for
from api.shown.fields import example
from application.divisions import address_reader
from domain.arriving import AIM_PERCENT
from domain.costs import Costs, together
from projections.arrivals import accuracy
from projections.costs import Costing, known_upto
from projections.deliveries import scorecards, success
from projections.ratings import scores

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


class TriedHourOut(BaseModel):
    """First attempts in an hour of the day."""

    hour: int = Field(ge=0, le=23, description="of the day, in the business time zone")
    tried: int = Field(description="first attempts")
    well: int = Field(description="of them those that succeeded, in person or nearby")


class TriedPlaceOut(BaseModel):
    """First attempts in one place."""

    division: str = Field(description="code (GB/T 2260) of the district")
    name: str = Field(description="of the district, with its city")
    compound: str | None = Field(
        description="the beginning of the compound's keyed hash; null by district"
    )
    tried: int = Field(description="first attempts")
    well: int = Field(description="of them those that succeeded")
    percent: float = Field(description="share that succeeded, in percent")
    prefer: int | None = Field(
        description="the hour in which a delivery most surely succeeds; null: too few attempts"
    )
    hours: list[TriedHourOut] = Field(description="hours with attempts, in order")


class AttemptsOut(BaseModel):
    """Where and when first attempts succeed (T9)."""

    model_config = example(
        places=[
            {
                "division": "330106",
                "name": "杭州市西湖区",
                "compound": None,
                "tried": 31,
                "well": 27,
                "percent": 87.1,
                "prefer": 19,
                "hours": [
                    {"hour": 10, "tried": 11, "well": 8},
                    {"hour": 19, "tried": 20, "well": 19},
                ],
            }
        ]
    )
    places: list[TriedPlaceOut] = Field(description="200 at most, those with most attempts first")


class ScorecardOut(BaseModel):
    """What became of a carrier's parcels."""

    carrier: str = Field(description="its code as Kuaidi100 writes it")
    parcels: int = Field(description="handed over to it")
    arrived: int = Field(description="of them those that arrived")
    promised: int = Field(
        description="of those that arrived, those with a promise: no returned goods sent again"
    )
    on_time: int = Field(description="of them those that arrived by the order's promise")
    on_time_percent: float | None = Field(
        description="of those that arrived and were promised; null: none"
    )
    tried: int = Field(description="with a first attempt at the door")
    first_try: int = Field(description="of them those where it succeeded")
    first_try_percent: float | None = Field(description="null: nothing was tried")
    lost: int = Field(description="lost, by the track or by a claim")
    damaged: int = Field(description="claimed as damaged")
    complaints: int = Field(description="parcels with a dispute")
    complaints_per_1000: float = Field(description="of those handed over")
    claimed_fen: int = Field(description="claimed of the carrier")
    paid_fen: int = Field(description="paid by it")
    median_hours: float | None = Field(description="from hand-over to arrival; null: none arrived")
    parcel_fen: int | None = Field(
        description="freight of a parcel on average, as billed or else quoted; null: none is known"
    )
    billed_percent: float | None = Field(description="of them those that a bill told; null: none")
    ratings: int = Field(description="lines that learners rated, of orders it brought")
    stars: float | None = Field(description="for the delivery, 1 to 5, on average; null: no rating")


class ScorecardsOut(BaseModel):
    """How carriers do (T9)."""

    model_config = example(
        carriers=[
            {
                "carrier": "shunfeng",
                "parcels": 412,
                "arrived": 398,
                "promised": 398,
                "on_time": 371,
                "on_time_percent": 93.2,
                "tried": 396,
                "first_try": 352,
                "first_try_percent": 88.9,
                "lost": 1,
                "damaged": 2,
                "complaints": 5,
                "complaints_per_1000": 12.1,
                "claimed_fen": 25_800,
                "paid_fen": 12_900,
                "median_hours": 41.5,
                "parcel_fen": 1_420,
                "billed_percent": 96.4,
                "ratings": 74,
                "stars": 4.62,
            }
        ]
    )
    carriers: list[ScorecardOut] = Field(description="most parcels first")


@router.get("/deliveries", response_model=AttemptsOut, summary="Where and when deliveries succeed")
async def deliveries(
    request: Request,
    caller: Staff,
    days: Days = 90,
    carrier: Annotated[
        str | None, Query(max_length=40, description="of this one alone, as Kuaidi100 writes it")
    ] = None,
    by: Annotated[
        Literal["district", "compound"], Query(description="what a place is")
    ] = "district",
    min_position: MinPosition = None,
) -> Response:
    """First attempts at the door by district, or by compound, and hour of the day (T9)."""
    await wait_for(request, min_position, "parcel_tracking")
    tenant = request.state.tenant
    async with tenant.pool.connection() as connection:
        found = await success(
            connection,
            tenant.schema,
            since=tenant.store.clock() - timedelta(days=days),
            zone=tenant.rules.zone,
            carrier=carrier,
            by_compound=by == "compound",
        )
    for one in found:
        one["percent"] = _percent(one["well"], one["tried"])
        one["name"] = place_name(one["division"])
    return json_answer({"places": found})


@router.get("/scorecards", response_model=ScorecardsOut, summary="How carriers do")
async def cards(
    request: Request, caller: Staff, days: Days = 90, min_position: MinPosition = None
) -> Response:
    """Parcels handed over lately: on time, at the first try, lost, disputed, rated (T9)."""
    views = ("parcel_tracking", "claims", "disputes", "ratings", "part_costs", "bills")
    await wait_for(request, min_position, *views)
    tenant = request.state.tenant
    since = tenant.store.clock() - timedelta(days=days)
    async with tenant.pool.connection() as connection:
        found = await scorecards(connection, tenant.schema, since=since)
        rated = await scores(connection, tenant.schema, by="carrier", since=since, until=None)
        costs = await _costs(connection, tenant, since)
    stars = {one["key"]: one for one in rated}
    for one in found:
        said = stars.get(one["carrier"], {"ratings": 0, "delivery": None})
        cost = costs.get(one["carrier"])
        one["parcel_fen"] = cost and round(cost.freight / cost.parcels)
        one["billed_percent"] = cost and _percent(cost.billed, cost.parts)
        one["ratings"], one["stars"] = said["ratings"], said["delivery"]
        one["on_time_percent"] = _percent(one["on_time"], one["promised"])
        one["first_try_percent"] = _percent(one["first_try"], one["tried"])
        one["complaints_per_1000"] = round(1_000 * one["complaints"] / one["parcels"], 1)
        hours = one["median_hours"]
        one["median_hours"] = None if hours is None else round(hours, 1)
    return json_answer({"carriers": found})


async def _costs(connection: Any, tenant: Any, since: datetime) -> dict[str, Costs]:
    """What each carrier's parcels cost since that day; nothing of those nobody knows a price of."""
    position = await known_upto(connection, tenant.schema)
    asking = Costing(connection, tenant.schema, position, tenant.rules)
    parts = await asking.parts(since=since.astimezone(tenant.rules.zone).date(), until=None)
    priced = (one for one in parts if one.freight_is == "billed" or one.freight)
    return {one.key: one for one in together(priced, by="carrier")}


def _percent(part: int, whole: int) -> Any:
    return round(100 * part / whole, 1) if whole else None


def place_name(division: str) -> str:
    """The district's name with its city's; the code itself for one that is not known any more."""
    known = address_reader().divisions.by_code
    above = known.get(division[:4] + "00")
    return "".join(one.name for one in (above, known.get(division)) if one) or division
