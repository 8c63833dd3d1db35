"""What the house's own work on parcels looks like: pick lists, packing, merging (S4, W1)."""

from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, Field

from api.shown.after_changes import NewPosition, WarehouseCode
from api.shown.fields import (
    ItemSku,
    Next,
    OrderNumber,
    ParcelNumber,
    PartNumber,
    Position,
    UnitCount,
    example,
)
from api.shown.labels import LabelOut
from api.shown.parcels import AppointmentOut, ArrivalOut, DelayOut, LegOut, ScanOut
from domain.declarations import Standing

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
_PARCEL: dict[str, Any] = {
    "number": f"{_NUMBER}-P1",
    "warehouse": "zhejiang",
    "stage": "planned",
    "wave": _WAVE,
    "hand_over_by": "2026-11-04T08:00:00Z",
    "carrier": None,
    "waybill": None,
}

_IN_HOUSE = {
    **_PARCEL,
    "orders": [_NUMBER],
    "pick_list": None,
    "units": [
        {
            "order": _NUMBER,
            "part": 1,
            "sku": "enamel-mug",
            "name": "搪瓷杯",
            "specification": "350 ml",
            "quantity": 1,
        }
    ],
    "label": None,
    "customs": None,
    "in_review": False,
    "address_pending": False,
}


class UnitsInParcelOut(BaseModel):
    """Units of an order in a parcel."""

    order: OrderNumber
    part: PartNumber
    sku: ItemSku
    name: str = Field(description="the item's name when it was ordered")
    specification: str = Field(description="what kind of it; may be empty")
    quantity: UnitCount


class ParcelInHouseOut(BaseModel):
    """A parcel that is still in its warehouse."""

    number: ParcelNumber
    warehouse: WarehouseCode
    stage: StageName
    wave: str | None = Field(description="the wave's number; null: packed past every wave")
    hand_over_by: HandOverBy
    carrier: Carrier
    waybill: Waybill
    orders: list[str] = Field(description="numbers of the orders that were put into it")
    pick_list: str | None = Field(description="the list that it is picked by")
    units: list[UnitsInParcelOut] = Field(description="what is still to be sent in it")
    label: LabelOut | None = Field(description="the newest request for its waybill; null: none")
    customs: Standing | None = Field(
        description="how far its declaration is; cleared, it may leave; null: it stays at home"
    )
    in_review: bool = Field(description="an order in it waits for a human, and so does it")
    address_pending: bool = Field(description="its new address is still to be acknowledged")


class ParcelsInHouseOut(BaseModel):
    """Parcels still in their warehouses."""

    model_config = example(parcels=[_IN_HOUSE], next=None)
    parcels: list[ParcelInHouseOut] = Field(description="soonest due first")
    next: Next


class PutBackParcelOut(BaseModel):
    """A parcel with units that are to be sent no more."""

    number: ParcelNumber
    warehouse: WarehouseCode
    stage: StageName
    carrier: Carrier
    waybill: Waybill
    since: AwareDatetime = Field(description="when the first of them was cancelled")
    reopen: bool = Field(description="it was closed with them in it, and is to leave without them")
    units: list[UnitsInParcelOut] = Field(description="what goes back to its shelf")


class ToPutBackOut(BaseModel):
    """Units that go back to their shelves, parcel by parcel."""

    model_config = example(
        parcels=[
            {
                "number": f"{_NUMBER}-P1",
                "warehouse": "zhejiang",
                "stage": "packed",
                "carrier": "zhongtong",
                "waybill": "75300000000001",
                "since": "2026-11-03T09:00:00Z",
                "reopen": True,
                "units": _IN_HOUSE["units"],
            }
        ]
    )
    parcels: list[PutBackParcelOut] = Field(description="the longest first")


class PutBackOut(BaseModel):
    """Units are on their shelf again."""

    model_config = example(parcel=f"{_NUMBER}-P1", units=1, position=42)
    parcel: ParcelNumber
    units: int = Field(description="how many went back")
    position: NewPosition


class ContentOut(BaseModel):
    """A part of an order that travels in a parcel."""

    order: OrderNumber
    part: PartNumber


class ProofOut(BaseModel):
    """A picture or slip of the receipt; what is on it is shown by a reveal (T8)."""

    card: str = Field(description="id of its card, among the parcel's payloads")
    digest: str = Field(description="salted SHA-256, as the log has it")
    media_type: str = Field(description="what it is", examples=["image/jpeg"])


class ParcelSeenOut(BaseModel):
    """A parcel, what is in it and how far it is (S4, W1, T1)."""

    model_config = example(
        **_PARCEL,
        contents=[{"order": _NUMBER, "part": 1}],
        state="labelled",
        since=None,
        arrival=None,
        appointment=None,
        delay=None,
        legs=None,
        scans=[],
        proofs=[],
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
    appointment: AppointmentOut | None = Field(description="what its recipient agreed on")
    delay: DelayOut | None = Field(description="what keeps it, as its learner was told")
    legs: list[LegOut] | None = Field(
        description="home, customs, abroad; null for one that stays at home (T7)"
    )
    scans: list[ScanOut] = Field(description="newest first")
    proofs: list[ProofOut] = Field(description="pictures of its receipt, as they came")
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


class PickListSumOut(BaseModel):
    """A pick list in a list."""

    pick_list: str = Field(description="the list's number")
    warehouse: WarehouseCode
    hand_over_by: HandOverBy
    parcels: int = Field(description="on it that are still in the house")
    to_pick: int = Field(description="of them, those that were not picked yet")


class PickListsOut(BaseModel):
    """Pick lists under way."""

    model_config = example(
        pick_lists=[
            {
                "pick_list": "L1b2c3d4e",
                "warehouse": "zhejiang",
                "hand_over_by": "2026-11-04T08:00:00Z",
                "parcels": 30,
                "to_pick": 12,
            }
        ]
    )
    pick_lists: list[PickListSumOut] = Field(description="soonest due first")


class PickListSeenOut(BaseModel):
    """A pick list as it is now."""

    model_config = example(
        pick_list="L1b2c3d4e",
        warehouse="zhejiang",
        parcels=[{**_IN_HOUSE, "stage": "picking", "pick_list": "L1b2c3d4e"}],
    )
    pick_list: str = Field(description="the list's number")
    warehouse: WarehouseCode
    parcels: list[ParcelInHouseOut] = Field(description="still in the house, soonest due first")


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
