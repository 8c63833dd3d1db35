"""What a rehearsal looks like: what was asked, how far it is, what would have differed (M6)."""

from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, Field

from api.shown.fields import OrderNumber, example

_SIDE: dict[str, Any] = {
    "parcels": 120,
    "freight_fen": 96_000,
    "packaging_fen": 12_000,
    "handling_fen": 24_000,
    "total_fen": 132_000,
    "promised_hours": 61.5,
    "by_warehouse": {"zhejiang": 80, "henan": 40},
    "by_carrier": {"yunda": 120},
}
_DELIVERIES: dict[str, Any] = {
    "orders": 100,
    "differing": 18,
    "impossible": 1,
    "impossible_orders": ["T261103A1B2C3D4E5F6"],
    "unpriced": 0,
    "was": _SIDE,
    "would_be": {**_SIDE, "parcels": 102, "total_fen": 118_000},
    "examples": [
        {
            "order": "T261103A1B2C3D4E5F6",
            "was": [{"warehouse": "zhejiang", "carrier": "yunda", "units": 2, "fen": 900}],
            "would_be": [{"warehouse": "henan", "carrier": "yunda", "units": 2, "fen": 700}],
        }
    ],
}
_WAITING: dict[str, Any] = {
    "id": "9f2c1ab04d5e6f708192",
    "state": "waiting",
    "change": {"max_parts": 1},
    "asked_by": "operations:ops",
    "asked_at": "2026-11-03T01:00:00Z",
    "ended_at": None,
    "position": 0,
    "of": 0,
    "why": None,
}
_DONE: dict[str, Any] = {
    **_WAITING, "state": "done", "ended_at": "2026-11-03T01:02:00Z", "position": 4_200, "of": 4_200,
}  # fmt: skip

Fen = Annotated[int, Field(description="of all parcels whose price is known both ways, in fen")]


class WayPartOut(BaseModel):
    """One parcel of an order."""

    warehouse: str | None = Field(description="where it leaves from")
    carrier: str | None = Field(description="who takes it; null: nobody knows its price")
    units: int = Field(description="in it")
    fen: int | None = Field(description="freight, packaging and handling; null: no price")


class ExampleOut(BaseModel):
    """An order that would have gone otherwise."""

    order: OrderNumber
    was: list[WayPartOut] = Field(description="its parcels as they were planned")
    would_be: list[WayPartOut] = Field(description="its parcels under the change")


class SideOut(BaseModel):
    """What the orders come to."""

    parcels: int = Field(description="of all orders that are compared")
    freight_fen: Fen
    packaging_fen: Fen
    handling_fen: Fen
    total_fen: Fen
    promised_hours: float | None = Field(description="on average, from placing; null: no order")
    by_warehouse: dict[str, int] = Field(description="parcels")
    by_carrier: dict[str, int] = Field(description="parcels whose carrier is known")


class DifferenceOut(BaseModel):
    """Deliveries as they were, and as they would have been."""

    orders: int = Field(description="that are compared")
    differing: int = Field(description="that would go in other parcels, or cost otherwise")
    impossible: int = Field(description="that could not have been delivered; in no sum")
    impossible_orders: list[OrderNumber] = Field(description="the first of those")
    unpriced: int = Field(description="of which one way has no price; in no sum of money")
    was: SideOut = Field(description="as the log has it")
    would_be: SideOut = Field(description="under the change")
    examples: list[ExampleOut] = Field(description="those that would differ most")


class PointsPairOut(BaseModel):
    """Points as they are, and as they would be."""

    was: int = Field(description="as the log has it")
    would_be: int = Field(description="under the change")


class MonthsPairOut(BaseModel):
    """Points by the month of their last day; `never` for those that do not expire."""

    was: dict[str, int] = Field(description="as the log has it")
    would_be: dict[str, int] = Field(description="under the change")


class UnaffordableOut(BaseModel):
    """Orders whose points would have been gone."""

    orders: int = Field(description="how many")
    points_short: int = Field(description="what they would have lacked together")
    examples: list[OrderNumber] = Field(description="the first of them")


class LivesOut(BaseModel):
    """Points as they would be with another life."""

    days: int | None = Field(description="how long they would live; null: for ever")
    expired: PointsPairOut = Field(description="gone by the end of the period")
    liability: PointsPairOut = Field(description="to be spent at the end of the period")
    liability_by_month: MonthsPairOut = Field(description="the same by the month of the last day")
    unaffordable: UnaffordableOut = Field(description="who could not have paid")
    deductions_short: int = Field(description="deductions by hand that would have found too few")


class ResultOut(BaseModel):
    """What would have differed on the log up to a position."""

    position: int = Field(description="the same change gives the same answer at this position")
    change: dict[str, Any] = Field(description="as it was asked for")
    deliveries: DifferenceOut = Field(description="parcels, money, time")
    points: LivesOut | None = Field(description="null: the life of points was not changed")


class RehearsalAskedOut(BaseModel):
    """A rehearsal that a worker is going to run."""

    model_config = example(id="9f2c1ab04d5e6f708192")
    id: str = Field(description="to follow it, and to read its result")


class RehearsalOut(BaseModel):
    """A rehearsal without its result."""

    model_config = example(**_WAITING)
    id: str = Field(description="names it")
    state: str = Field(description="waiting, running, done, failed or cancelled")
    change: dict[str, Any] = Field(description="what is to be otherwise")
    asked_by: str = Field(description="`role:subject`")
    asked_at: AwareDatetime = Field(description="when it was asked for")
    ended_at: AwareDatetime | None = Field(description="when it was over, however it ended")
    position: int = Field(description="log position that it has reached")
    of: int = Field(description="log position that is its end; 0: not begun")
    why: str | None = Field(description="why it failed: failed, too_long or died")


class OneRehearsalOut(RehearsalOut):
    """A rehearsal with what came of it."""

    model_config = example(
        **_DONE,
        result={
            "position": 4_200,
            "change": {"max_parts": 1},
            "deliveries": _DELIVERIES,
            "points": None,
        },
    )
    result: ResultOut | None = Field(description="null until it is done")


class RehearsalsOut(BaseModel):
    """The rehearsals that are kept."""

    model_config = example(rehearsals=[_WAITING])
    rehearsals: list[RehearsalOut] = Field(description="newest first, 50 at most")
