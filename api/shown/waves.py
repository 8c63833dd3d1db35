"""What the review queue and waves look like (O7, S5)."""

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, Field

from api.addresses import DoubtOut
from api.shown.after_changes import NewPosition, Status, WarehouseCode
from api.shown.fields import ItemSku, LearnerId, Next, OrderNumber, UnitCount, example

Reasons = Annotated[
    list[str],
    Field(
        description="why a human looks at it: address_doubtful, high_value, frequent_orders, "
        "shared_address, points_clawed_back, every_order"
    ),
]
WaveId = Annotated[str, Field(description="the wave's number")]
_NUMBER = "T261103A1B2C3D4E5F6"
_WAVE = "zhejiang-20261103-1600"
_LINES = [{"sku": "enamel-mug", "name": "搪瓷杯", "quantity": 1}]


class GoodsOut(BaseModel):
    """Units of an item, in words."""

    sku: ItemSku
    name: str = Field(description="the item's name when it was ordered")
    quantity: UnitCount


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
    doubts: list[DoubtOut] = Field(
        description="what is doubtful about the address, or stands against sending it abroad"
    )
    lines: list[GoodsOut] = Field(description="what is still to be had of it")
    province: str | None = Field(
        description="where it goes, a country abroad by its code; null: courses alone"
    )
    country: str | None = Field(description="where that is (ISO 3166-1 alpha-2)")
    age_seconds: int = Field(description="since it waits")


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
                "doubts": [],
                "lines": _LINES,
                "province": "浙江省",
                "country": "CN",
                "age_seconds": 3_600,
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


class NextWaveOut(BaseModel):
    """What waits for a warehouse's next wave."""

    warehouse: WarehouseCode
    cut_off: AwareDatetime = Field(description="when it comes")
    orders: int = Field(description="with something that waits there, those in review included")
    urgent: int = Field(description="of them, those that skip the wave, because they paid for it")
    in_review: int = Field(description="of them, those that a human looks at first")
    since: AwareDatetime | None = Field(description="when the oldest was placed; null: none waits")


class NextWavesOut(BaseModel):
    """The warehouses and what waits in them."""

    model_config = example(
        warehouses=[
            {
                "warehouse": "zhejiang",
                "cut_off": "2026-11-03T08:00:00Z",
                "orders": 41,
                "urgent": 0,
                "in_review": 1,
                "since": "2026-11-02T08:14:08Z",
            }
        ]
    )
    warehouses: list[NextWaveOut] = Field(description="by code")


class WaitingOrderOut(BaseModel):
    """An order with something that waits to be released."""

    number: OrderNumber
    learner: LearnerId
    placed_at: AwareDatetime = Field(description="when it was placed")
    promised_by: AwareDatetime = Field(description="when its last parcel should have arrived")
    urgent: bool = Field(description="its learner paid for express: it skips the wave")
    in_review: bool = Field(description="a human looks at it first")
    lines: list[GoodsOut] = Field(description="what this warehouse sends of it")


class WaitingOrdersOut(BaseModel):
    """Orders that wait for a warehouse's next wave."""

    model_config = example(
        warehouse="zhejiang",
        orders=[
            {
                "number": _NUMBER,
                "learner": "lin",
                "placed_at": "2026-11-03T02:14:08Z",
                "promised_by": "2026-11-07T08:00:00Z",
                "urgent": False,
                "in_review": False,
                "lines": _LINES,
            }
        ],
        next=None,
    )
    warehouse: WarehouseCode
    orders: list[WaitingOrderOut] = Field(description="oldest first")
    next: Next


class LeftOut(BaseModel):
    """An order that was named, and nothing of it was released."""

    order: str = Field(description="its number, as it was named")
    why: str = Field(
        description="unknown, unpaid, in_review (a human looks at it first), not_from_here (another"
        " warehouse sends it), released_before, or over (nothing of it is to be sent)"
    )


class WaveRunOut(BaseModel):
    """What a wave by hand released."""

    model_config = example(
        wave="zhejiang-1b2c3d4e",
        parts=2,
        parcels=[f"{_NUMBER}-P1-M"],
        merged=2,
        to_review=0,
        left=[{"order": "20261103-7", "why": "in_review"}],
        position=42,
    )
    wave: WaveId
    parts: int = Field(description="parts of orders that were released")
    parcels: list[str] = Field(description="the parcels they travel in")
    merged: int = Field(description="parts that share a parcel with others")
    to_review: int = Field(description="orders that went to a human instead")
    left: list[LeftOut] = Field(description="of the orders that were named; empty: all went")
    position: NewPosition
