"""What the house's own work looks like: reviews, waves, pick lists, parcels (O7, S4, S5, W1)."""

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, Field

from api.shown import (
    ArrivalOut,
    ItemSku,
    LearnerId,
    Next,
    OrderNumber,
    ParcelNumber,
    PartNumber,
    Position,
    ScanOut,
    UnitCount,
    example,
)
from api.shown_after_changes import NewPosition, Status, WarehouseCode

Reasons = Annotated[
    list[str],
    Field(
        description="why a human looks at it: address_doubtful, high_value, frequent_orders, "
        "shared_address, points_clawed_back, every_order"
    ),
]
WaveId = Annotated[str, Field(description="the wave's number")]
HandOverBy = Annotated[
    AwareDatetime | None,
    Field(description="when the warehouse's service level ends; null if packed past every wave"),
]
Carrier = Annotated[
    str | None, Field(description="its code as Kuaidi100 writes it; null before it is labelled")
]
Waybill = Annotated[str | None, Field(description="the carrier's number, once there is one")]
StageName = Annotated[
    str, Field(description="planned, picking, picked, packed, handed_over or dissolved")
]
_NUMBER = "T261103A1B2C3D4E5F6"
_WAVE = "zhejiang-20261103-1600"
_PARCEL = {
    "number": f"{_NUMBER}-P1",
    "warehouse": "zhejiang",
    "stage": "planned",
    "wave": _WAVE,
    "hand_over_by": "2026-11-04T08:00:00Z",
    "carrier": None,
    "waybill": None,
}


class ReviewOut(BaseModel):
    """An order that waits for a human."""

    number: OrderNumber
    learner: LearnerId
    since: AwareDatetime = Field(description="since when it waits")
    reasons: Reasons
    placed_at: AwareDatetime = Field(description="when it was placed")
    promised_by: AwareDatetime = Field(description="when its last parcel should have arrived")
    points: int = Field(description="paid for it")
    cash_fen: int = Field(description="paid for it in cash, in fen")


class ReviewsOut(BaseModel):
    """The review queue, longest first."""

    model_config = example(
        orders=[
            {
                "number": _NUMBER,
                "learner": "lin",
                "since": "2026-11-03T02:14:08Z",
                "reasons": ["high_value"],
                "placed_at": "2026-11-03T02:14:08Z",
                "promised_by": "2026-11-07T08:00:00Z",
                "points": 3_200,
                "cash_fen": 0,
            }
        ],
        next=None,
    )
    orders: list[ReviewOut] = Field(description="orders that wait, longest first")
    next: Next


class ReviewedOut(BaseModel):
    """An order after a human looked at it."""

    model_config = example(number=_NUMBER, status="pending_shipment", review=[], position=42)
    number: OrderNumber
    status: Status
    review: list[str] | None = Field(default=None, description="empty: it goes on")
    points: int | None = Field(default=None, description="paid back, if it was rejected")
    position: NewPosition


class WaveOut(BaseModel):
    """A wave and what it did."""

    id: WaveId
    warehouse: WarehouseCode
    cut_off: AwareDatetime | None = Field(description="null: it was released by hand")
    opened_at: AwareDatetime = Field(description="when it began")
    closed_at: AwareDatetime | None = Field(description="null: it is still running")
    parts: int = Field(description="parts of orders that were released")
    parcels: int = Field(description="parcels they travel in")
    merged: int = Field(description="parts that share a parcel with others")
    to_review: int = Field(description="orders that went to a human instead")


class WavesOut(BaseModel):
    """The latest waves."""

    model_config = example(
        waves=[
            {
                "id": _WAVE,
                "warehouse": "zhejiang",
                "cut_off": "2026-11-03T08:00:00Z",
                "opened_at": "2026-11-03T08:00:01Z",
                "closed_at": "2026-11-03T08:00:04Z",
                "parts": 41,
                "parcels": 38,
                "merged": 6,
                "to_review": 1,
            }
        ]
    )
    waves: list[WaveOut] = Field(description="newest first")


class WaveRunOut(BaseModel):
    """What a wave by hand released."""

    model_config = example(
        wave="zhejiang-1b2c3d4e",
        parts=2,
        parcels=[f"{_NUMBER}-P1-M"],
        merged=2,
        to_review=0,
        position=42,
    )
    wave: WaveId
    parts: int = Field(description="parts of orders that were released")
    parcels: list[str] = Field(description="the parcels they travel in")
    merged: int = Field(description="parts that share a parcel with others")
    to_review: int = Field(description="orders that went to a human instead")
    position: NewPosition


class ParcelInHouseOut(BaseModel):
    """A parcel that is still in its warehouse."""

    number: ParcelNumber
    warehouse: WarehouseCode
    stage: StageName
    wave: str | None = Field(description="the wave's number; null: packed past every wave")
    hand_over_by: HandOverBy
    carrier: Carrier
    waybill: Waybill
    orders: list[str] = Field(description="numbers of the orders that travel in it")


class ParcelsInHouseOut(BaseModel):
    """Parcels still in their warehouses."""

    model_config = example(parcels=[{**_PARCEL, "orders": [_NUMBER]}], next=None)
    parcels: list[ParcelInHouseOut] = Field(description="by number")
    next: Next


class ContentOut(BaseModel):
    """A part of an order that travels in a parcel."""

    order: OrderNumber
    part: PartNumber


class ParcelSeenOut(BaseModel):
    """A parcel, what is in it and how far it is (S4, W1, T1)."""

    model_config = example(
        **_PARCEL,
        contents=[{"order": _NUMBER, "part": 1}],
        state="labelled",
        since=None,
        arrival=None,
        scans=[],
        position=42,
    )
    number: ParcelNumber
    warehouse: WarehouseCode
    stage: StageName
    wave: str | None = Field(description="the wave's number; null: packed past every wave")
    hand_over_by: HandOverBy
    carrier: Carrier
    waybill: Waybill
    contents: list[ContentOut] = Field(description="parts of orders that travel in it")
    state: str = Field(description="where its carrier has it, as the order shows it")
    since: AwareDatetime | None = Field(description="when that state began")
    arrival: ArrivalOut | None = Field(description="when it should arrive, as its learner sees it")
    scans: list[ScanOut] = Field(description="newest first")
    position: Position


class ToPickOut(BaseModel):
    """Units to take for one parcel."""

    parcel: ParcelNumber
    order: OrderNumber
    part: PartNumber
    sku: ItemSku
    name: str = Field(description="the item's name when it was ordered")
    quantity: UnitCount


class PickListOut(BaseModel):
    """What a picker takes from the shelves, parcel by parcel."""

    model_config = example(
        pick_list="L1b2c3d4e",
        units=[
            {
                "parcel": f"{_NUMBER}-P1",
                "order": _NUMBER,
                "part": 1,
                "sku": "enamel-mug",
                "name": "搪瓷杯",
                "quantity": 1,
            }
        ],
        position=42,
    )
    pick_list: str = Field(description="the list's number")
    units: list[ToPickOut] = Field(description="parcel by parcel")
    position: NewPosition


class PickedOut(BaseModel):
    """A parcel whose units were taken from the shelves."""

    model_config = example(
        parcel=f"{_NUMBER}-P1", contents=[{"order": _NUMBER, "part": 1}], position=42
    )
    parcel: ParcelNumber
    contents: list[ContentOut] = Field(description="what of it is still to be sent")
    position: NewPosition


class PackedUpOut(BaseModel):
    """A parcel that was closed and weighed."""

    model_config = example(parcel=f"{_NUMBER}-P1", weight_grams=900, position=42)
    parcel: ParcelNumber
    weight_grams: int = Field(description="as it was weighed")
    position: NewPosition


class MergedOut(BaseModel):
    """A parcel that takes the place of several."""

    model_config = example(
        parcel=f"{_NUMBER}-P1-M", contents=[{"order": _NUMBER, "part": 1}], position=42
    )
    parcel: ParcelNumber
    contents: list[ContentOut] = Field(description="parts of orders that travel in it")
    position: NewPosition


class SeparatedOut(BaseModel):
    """Parcels that travel alone again."""

    model_config = example(
        parcel=f"{_NUMBER}-P1-M", parcels=[f"{_NUMBER}-P1-M", f"{_NUMBER}-P1"], position=42
    )
    parcel: ParcelNumber
    parcels: list[str] = Field(description="the parcel, and those that left it")
    position: NewPosition


class AcknowledgedOut(BaseModel):
    """A parcel whose new address is known to who has it."""

    model_config = example(parcel=f"{_NUMBER}-P1", position=42)
    parcel: ParcelNumber
    position: NewPosition
