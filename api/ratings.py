"""评价 Ratings over HTTP: given once a line after completion, counted for scorecards (O4, T9)."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from api.auth import STAFF, Caller, Role, allow, store_of
from api.bodies import Body, Whole
from api.changing import Change, answered
from api.orders import caller_sees
from api.paths import Number
from api.reading import MinPosition, json_answer, wait_for
from api.shown.after_changes import NewPosition
from api.shown.fields import LineNumber, OrderNumber, example
from application import rating
from application.streams import ORDER
from application.unit import Unit
from domain.days import Moment
from domain.rating import Rating
from projections import ratings

router = APIRouter(prefix="/v1", tags=["ratings"])

Rater = Annotated[Caller, allow(Role.LEARNER, Role.SERVICE)]
Stars = Annotated[Whole, Field(ge=1, le=5)]


class LineRatingIn(Body):
    """What a learner says of a line."""

    line: Annotated[LineNumber, Field(strict=True)]
    goods: Stars = Field(description="stars of the goods")
    delivery: Stars | None = Field(default=None, description="of the delivery; none of a course")


class RatingsIn(Body):
    """What a learner says of an order, once a line."""

    model_config = example(ratings=[{"line": 1, "goods": 5, "delivery": 4}])
    ratings: Annotated[
        list[LineRatingIn], Field(min_length=1, max_length=50, description="some lines or all")
    ]


class RatedOut(BaseModel):
    """Which lines of an order are rated now."""

    model_config = example(number="T261103A1B2C3D4E5F6", rated=[1], position=58)
    number: OrderNumber
    rated: list[int] = Field(description="numbers of the lines")
    position: NewPosition


class ScoreOut(BaseModel):
    """What learners say of an item, a carrier or a warehouse."""

    key: str = Field(description="the item's SKU, or the carrier's or warehouse's code")
    ratings: int = Field(description="how many there are")
    goods: float = Field(description="average stars of the goods")
    delivery: float | None = Field(description="average stars of the delivery; null: none")
    low_goods: int = Field(description="with two stars or fewer for the goods")
    low_delivery: int = Field(description="with two stars or fewer for the delivery")


class ScoresOut(BaseModel):
    """Averages, the most rated first."""

    model_config = example(
        by="carrier",
        scores=[
            {
                "key": "shunfeng",
                "ratings": 812,
                "goods": 4.61,
                "delivery": 4.73,
                "low_goods": 21,
                "low_delivery": 9,
            }
        ],
    )
    by: str = Field(description="item, carrier or warehouse")
    scores: list[ScoreOut] = Field(description="most rated first")


@router.post("/orders/{number}/ratings", response_model=RatedOut, summary="Rate goods and delivery")
async def rate(
    request: Request, caller: Rater, change: Change, number: Number, body: RatingsIn
) -> Response:
    """After completion, one a line, once (O4)."""
    given = [Rating(one.line, one.goods, one.delivery) for one in body.ratings]

    def decide(unit: Unit) -> dict[str, Any]:
        caller_sees(unit, caller, number)
        return rating.rate_order(unit, number=number, ratings=given)

    command = change.command(decide, streams=[ORDER.stream(number)])
    return answered(await store_of(request).execute(command))


@router.get("/ratings", response_model=ScoresOut, summary="What learners say, on average")
async def scores(
    request: Request,
    caller: Annotated[Caller, allow(Role.SERVICE, *STAFF)],
    by: Annotated[ratings.By, Query(description="what they are counted by")] = "item",
    since: Annotated[Moment | None, Query(description="given at or after")] = None,
    until: Annotated[Moment | None, Query(description="given before")] = None,
    min_position: MinPosition = None,
) -> Response:
    """Of items, carriers or warehouses; nobody is named (T9)."""
    await wait_for(request, min_position, "ratings")
    tenant = request.state.tenant
    async with tenant.pool.connection() as connection:
        found = await ratings.scores(connection, tenant.schema, by=by, since=since, until=until)
    return json_answer({"by": by, "scores": found})
