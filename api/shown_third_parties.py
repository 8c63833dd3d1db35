"""What readers get of third parties' warehouses: for the API's description alone (W2, C3)."""

from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, Field

from api.shown import Next, OrderNumber, ParcelNumber, StoppingOut, StrayOut, example
from api.shown_after_changes import NewPosition
from domain.consignments import Step

_ORDER = "T261103A1B2C3D4E5F6"
_PARCEL = f"{_ORDER}-P1"
_ASKED: dict[str, Any] = {
    "parcel": _PARCEL,
    "warehouse": "shaanxi",
    "state": "asked",
    "revision": 1,
    "acknowledged": 0,
}
State = Annotated[
    str, Field(description="asked, accepted, picking, short, packed, cancelled, shipped, refused")
]


class ConsignedOut(BaseModel):
    """A parcel at a third party's warehouse."""

    parcel: ParcelNumber
    warehouse: str = Field(description="its code")
    state: State | None = Field(description="null: the house asks nobody about it")
    revision: int = Field(description="of the newest wish")
    acknowledged: int = Field(description="the newest wish that it took; 0: none")


class AskedAgainOut(ConsignedOut):
    """A parcel whose warehouse is asked once more."""

    model_config = example(**{**_ASKED, "revision": 2}, position=60)
    position: NewPosition


class DifferenceOut(BaseModel):
    """An item of which a third party has more or fewer units than the books say."""

    sku: str = Field(description="of the item")
    expected: int = Field(description="units on the shelf by the books, promised ones included")
    counted: int = Field(description="units that the warehouse told")
    adjusted: int = Field(description="by so many free units the books follow; the rest is short")


class TakenInOut(BaseModel):
    """What was made of a third party's message: of a parcel, or of what it has."""

    model_config = example(**_ASKED, position=61)
    parcel: ParcelNumber | None = Field(default=None, description="number of the parcel told of")
    warehouse: str = Field(description="its code")
    state: str | None = Field(default=None, description="of that parcel, as lists of them say it")
    revision: int | None = Field(default=None, description="of the newest wish")
    acknowledged: int | None = Field(default=None, description="the newest wish that it took")
    compared: int | None = Field(default=None, description="items compared with the books (C3)")
    differences: list[DifferenceOut] | None = Field(
        default=None, description="each was adjusted, with a reason"
    )
    left_out: list[str] | None = Field(
        default=None, description="items that moved since they were counted, or that are not known"
    )
    position: NewPosition


class UnitsAskedOut(BaseModel):
    """Units that are to be in a parcel."""

    order: str = Field(description="number of the order they are of")
    part: int = Field(description="number of its part")
    sku: str = Field(description="of the item")
    quantity: int = Field(description="how many")


class RefusalOut(BaseModel):
    """Why a third party does not do what is asked."""

    code: str = Field(description="the third party's own, as `shipped`, `closed`")
    words: str = Field(description="the third party's, names and phones blotted out")


class StrayOfOrderOut(StrayOut):
    """Cancelled units of an order that are in a parcel."""

    model_config = example(order=_ORDER, sku="enamel-mug", name="搪瓷杯", quantity=1)
    order: OrderNumber


class StraysSettledOut(BaseModel):
    """What became of an order's cancelled units that were in a parcel."""

    model_config = example(parcel=_PARCEL, order=_ORDER, back=1, position=64)
    parcel: ParcelNumber
    order: OrderNumber
    back: int = Field(description="units in the house again, scrapped ones included")
    position: NewPosition


class ConsignmentOut(BaseModel):
    """A parcel at a third party's warehouse, in a list."""

    parcel: ParcelNumber
    warehouse: str = Field(description="its code")
    orders: list[str] = Field(description="numbers of the orders that are or were in it")
    state: State
    step: Step | None = Field(description="the furthest it told; null: nothing yet")
    revision: int = Field(description="of the newest wish")
    acknowledged: int = Field(description="the newest wish that it took; 0: none")
    units: list[UnitsAskedOut] = Field(description="none: it is to send nothing any more")
    held: bool = Field(description="it is asked to wait: a human looks at an order in it")
    reason: str = Field(description="why it was asked for anew; empty: it was not")
    refusal: RefusalOut | None = Field(description="why it does not do what it is asked now")
    behind: bool = Field(description="it told something that was not carried out yet")
    stage: str = Field(description="of the parcel, in the house")
    hand_over_by: AwareDatetime = Field(description="when its service level ends")
    carrier: str | None = Field(description="its code; null until it is shipped")
    waybill: str | None = Field(description="the carrier's number; null until it is shipped")
    asked_at: AwareDatetime = Field(description="first")
    revised_at: AwareDatetime = Field(description="last")
    told_at: AwareDatetime | None = Field(description="when it last told something new")
    tries: int = Field(
        description="requests sent for the newest wish without an answer that counts"
    )
    next_at: AwareDatetime | None = Field(description="when it is asked again by itself")
    cause: str | None = Field(description="why the last request brought nothing")
    strays: list[StrayOfOrderOut] = Field(
        description="cancelled and paid back, and in it all the same: listed until that is settled"
    )
    intercept: StoppingOut | None = Field(
        description="what its carrier was asked last; all of it cancelled, it is called back"
    )
    settle: bool = Field(description="whether somebody has to say what became of its `strays`")
    ask_again: bool = Field(description="whether asking once more can change anything")
    age_seconds: int = Field(description="since it was first asked")


class ConsignmentsOut(BaseModel):
    """Parcels at third parties' warehouses."""

    model_config = example(consignments=[], next=None)
    consignments: list[ConsignmentOut] = Field(description="longest first")
    next: Next
