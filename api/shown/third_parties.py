"""What readers get of third parties' warehouses: for the API's description alone (W2, C3)."""

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, Field

from api.shown.after_changes import NewPosition
from api.shown.fields import Next, OrderNumber, ParcelNumber, example
from api.shown.parcels import StoppingOut, StrayOut
from domain.consignments import Step
from domain.stocktakes import Unexpected

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
    adjusted: int = Field(description="by so many free units the books followed at once")
    waits: bool = Field(description="somebody has to say what it is (C3)")
    unexpected: Unexpected | None = Field(description="why nothing of it should be there")


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
        default=None, description="each is adjusted with a reason, or waits for somebody"
    )
    left_out: list[str] | None = Field(
        default=None,
        description="items that moved since they were counted, or were counted later before",
    )
    position: NewPosition


class ListedDifferenceOut(BaseModel):
    """An item that a third party counted otherwise than the books say."""

    warehouse: str = Field(description="its code")
    sku: str = Field(description="of the item, as the third party writes it")
    name: str | None = Field(description="of the item; null: it is no item of the house")
    counted: int = Field(description="units that the warehouse told, promised or not")
    expected: int = Field(description="units on the shelf by the books then, promised or not")
    difference: int = Field(description="counted minus expected")
    unexpected: Unexpected | None = Field(description="why nothing of it should be there")
    counted_at: AwareDatetime = Field(description="as the warehouse says")
    since: AwareDatetime = Field(description="when it was first counted otherwise")
    age_seconds: int = Field(description="since then")
    state: Literal["waits", "followed", "booked", "dismissed"] = Field(
        description="followed: the books did by themselves; booked, dismissed: somebody decided"
    )
    settled_at: AwareDatetime | None = Field(description="null: it waits")
    settled_by: str | None = Field(description="who decided; null: nobody had to")
    reason: str | None = Field(description="why; null: nobody had to say")
    free: int = Field(description="units there that may be promised now; below zero: too few are")
    reserved: int = Field(description="units there that are promised now")
    withheld: int = Field(description="units that are not sold until it is settled")
    in_hand: int = Field(
        description="units in parcels that the warehouse has: it may have packed them already"
    )
    on_the_way: int = Field(description="units sent there that nobody took in yet")


class StockDifferencesOut(BaseModel):
    """What third parties counted otherwise than the books say."""

    model_config = example(differences=[], next=None)
    differences: list[ListedDifferenceOut] = Field(description="oldest first")
    next: Next


class DifferenceSettledOut(BaseModel):
    """A shelf after a difference was settled."""

    model_config = example(
        warehouse="shaanxi", sku="enamel-mug", booked=True, free=108, position=66
    )
    warehouse: str = Field(description="its code")
    sku: str = Field(description="of the item")
    booked: bool = Field(description="whether the books followed")
    free: int = Field(description="units there that may be promised now; below zero: too few are")
    position: NewPosition


class UnitsAskedOut(BaseModel):
    """Units that are to be in a parcel."""

    order: str = Field(description="number of the order they are of")
    part: int = Field(description="number of its part")
    sku: str = Field(description="of the item")
    name: str = Field(description="what the item is called")
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
