"""What readers get of parcels that are to be stopped: for the API's description alone (O8)."""

from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, Field

from api.shown.after_changes import ClaimedOut, NewPosition
from api.shown.fields import Next, ParcelNumber, example
from domain.intercept_facts import Way
from domain.intercepts import InterceptState

AnswerBy = Annotated[
    AwareDatetime | None, Field(description="then a human sees to it; null: nothing is asked")
]
_ORDER = "T261103A1B2C3D4E5F6"
_PARCEL = f"{_ORDER}-P1"
_ASKED: dict[str, Any] = {
    "parcel": _PARCEL,
    "intercept": f"{_PARCEL}-X1",
    "way": "return",
    "state": "asked",
    "answer_by": "2026-11-09T02:14:08Z",
    "orders": [_ORDER],
}


class StoppedOut(BaseModel):
    """What is asked of a carrier about a parcel."""

    parcel: ParcelNumber
    intercept: str | None = Field(description="names the request; null: none was ever made")
    way: Way | None = Field(description="back, or to another address")
    state: InterceptState | None = Field(description="of the newest request")
    answer_by: AnswerBy
    orders: list[str] = Field(description="numbers of the orders that are in it")


class InterceptAskedOut(StoppedOut):
    """A parcel that is to be stopped."""

    model_config = example(**_ASKED, position=60)
    position: NewPosition


class GoodsBackOut(InterceptAskedOut):
    """Goods that are in the house again."""

    model_config = example(**{**_ASKED, "state": "came_back"}, points=480, claims=[], position=70)
    points: int = Field(description="that went back to their lots")
    sent_again_in: str | None = Field(
        default=None, description="the parcel in which refused goods of a return leave again (D3)"
    )
    claims: list[ClaimedOut] = Field(
        description="of the carrier that is at fault: broken goods, freight that goes back (D2)"
    )


class GoodsOut(BaseModel):
    """Units of an item that are in a parcel."""

    sku: str = Field(description="of the item")
    name: str = Field(description="as it was ordered")
    quantity: int = Field(description="units to be had, or paid back while they are out")


class InterceptOut(BaseModel):
    """A parcel that is to be stopped, in a list."""

    parcel: ParcelNumber
    orders: list[str] = Field(description="numbers of the orders that are in it")
    carrier: str = Field(description="its code")
    waybill: str = Field(description="the carrier's number")
    way: Way
    state: InterceptState
    reason: str = Field(description="why")
    asked_at: AwareDatetime = Field(description="since when")
    answer_by: AwareDatetime = Field(description="then a human sees to it")
    refusal: str | None = Field(description="the carrier's code and words, where it sent them")
    ask_again: bool = Field(description="its carrier can be asked for the same once more")
    give_up: bool = Field(description="it was not stopped: somebody says what next")
    parcel_state: str = Field(description="where the parcel is, by its track")
    goods: list[GoodsOut] = Field(description="what is to be in it")
    paid_back: bool = Field(description="nothing of it is still to be paid back")
    age_seconds: int = Field(description="since it was asked for")


class InterceptsOut(BaseModel):
    """Parcels that are to be stopped."""

    model_config = example(intercepts=[], next=None)
    intercepts: list[InterceptOut] = Field(description="longest first")
    next: Next
