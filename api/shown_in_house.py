"""What the house's own work looks like: reviews, waves, pick lists, parcels (O7, S4, S5, W1)."""

from typing import Literal

from pydantic import AwareDatetime, BaseModel, Field

from api.shown import Next, Position, ScanOut, example

_REVIEW = {
    "number": "T261103A1B2C3",
    "learner": "lin",
    "since": "2026-11-03T02:14:08Z",
    "reasons": ["high_value"],
    "placed_at": "2026-11-03T02:14:08Z",
    "promised_by": "2026-11-07T08:00:00Z",
    "points": 3200,
    "cash_fen": 0,
}
_WAVE = {
    "id": "zhejiang-20261103-1600",
    "warehouse": "zhejiang",
    "cut_off": "2026-11-03T08:00:00Z",
    "opened_at": "2026-11-03T08:00:01Z",
    "closed_at": "2026-11-03T08:00:04Z",
    "parts": 41,
    "parcels": 38,
    "merged": 6,
    "to_review": 1,
}
_PARCEL = {
    "number": "T261103A1B2C3-P1",
    "warehouse": "zhejiang",
    "stage": "planned",
    "wave": "zhejiang-20261103-1600",
    "hand_over_by": "2026-11-04T08:00:00Z",
    "carrier": None,
    "waybill": None,
    "orders": ["T261103A1B2C3"],
}


class ReviewOut(BaseModel):
    """An order that waits for a human."""

    number: str
    learner: str
    since: AwareDatetime
    reasons: list[str]
    placed_at: AwareDatetime
    promised_by: AwareDatetime
    points: int
    cash_fen: int


class ReviewsOut(BaseModel):
    """The review queue, longest first."""

    model_config = example(orders=[_REVIEW], next=None)
    orders: list[ReviewOut]
    next: Next


class WaveOut(BaseModel):
    """A wave and what it did."""

    id: str
    warehouse: str
    cut_off: AwareDatetime | None = Field(description="null: by hand")
    opened_at: AwareDatetime
    closed_at: AwareDatetime | None
    parts: int = Field(description="parts of orders that were released")
    parcels: int = Field(description="parcels they travel in")
    merged: int = Field(description="parts that share a parcel")
    to_review: int = Field(description="orders that went to a human instead")


class WavesOut(BaseModel):
    """The latest waves, newest first."""

    model_config = example(waves=[_WAVE])
    waves: list[WaveOut]


class WaveRunOut(BaseModel):
    """What a wave by hand released."""

    model_config = example(
        wave="zhejiang-20261103-1b2c3d4e", parts=2, parcels=["T261103A1B2C3-P1-M"], merged=2,
        to_review=0, position=57,
    )  # fmt: skip
    wave: str
    parts: int
    parcels: list[str]
    merged: int
    to_review: int
    position: Position


class ParcelInHouseOut(BaseModel):
    """A parcel that is still in its warehouse."""

    number: str
    warehouse: str
    stage: Literal["planned", "picking", "picked", "packed"]
    wave: str | None = Field(description="null: packed by hand, past every wave")
    hand_over_by: AwareDatetime | None = Field(description="when the service level ends")
    carrier: str | None
    waybill: str | None
    orders: list[str]


class ParcelsInHouseOut(BaseModel):
    """Parcels still in their warehouses, by number."""

    model_config = example(parcels=[_PARCEL], next=None)
    parcels: list[ParcelInHouseOut]
    next: Next


class ContentOut(BaseModel):
    """A part of an order that travels in a parcel."""

    order: str
    part: int


class ParcelSeenOut(BaseModel):
    """A parcel, what is in it and how far it is (S4, W1, T1)."""

    model_config = example(
        **{k: v for k, v in _PARCEL.items() if k != "orders"},
        contents=[{"order": "T261103A1B2C3", "part": 1}],
        state="labelled",
        since=None,
        scans=[],
        position=57,
    )
    number: str
    warehouse: str
    stage: str
    wave: str | None
    hand_over_by: AwareDatetime | None
    carrier: str | None
    waybill: str | None
    contents: list[ContentOut]
    state: str
    since: AwareDatetime | None
    scans: list[ScanOut] = Field(description="newest first")
    position: Position


class ToPickOut(BaseModel):
    """Units to take from one place."""

    parcel: str
    order: str
    part: int
    sku: str
    name: str
    quantity: int


class PickListOut(BaseModel):
    """What a picker takes from the shelves, parcel by parcel."""

    model_config = example(
        pick_list="L1b2c3d4e",
        units=[
            {
                "parcel": "T261103A1B2C3-P1",
                "order": "T261103A1B2C3",
                "part": 1,
                "sku": "enamel-mug",
                "name": "搪瓷杯",
                "quantity": 1,
            }
        ],
        position=58,
    )
    pick_list: str
    units: list[ToPickOut]
    position: Position
