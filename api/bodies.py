"""What callers send and get, apart from facts: edge models are distinct from events."""

from datetime import UTC, datetime, time
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
)

from domain.catalogue import Terms
from domain.order_facts import Channel, Fault
from domain.point_facts import Reason
from domain.warehouses import Warehouse

MAX_INT = 2**53
"""Largest whole number JSON readers agree on."""

Id = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[\w.@+/=-]+$")]
"""An id somebody else made: letters, digits and `._@+/=-`."""
Sku = Annotated[
    str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
]
Source = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]+$")]
Moment = Annotated[
    AwareDatetime,
    Field(ge=datetime(2000, 1, 1, tzinfo=UTC), lt=datetime(2200, 1, 1, tzinfo=UTC)),
]
"""When something happened: near enough for days to be added in any time zone."""
Words = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=r"^[^\x00]+$")]
Amount = Annotated[int, Field(ge=0, le=MAX_INT)]
Quantity = Annotated[int, Field(ge=1, le=1_000_000)]


def _without_zone(value: time) -> time:
    if value.tzinfo is not None:
        raise ValueError("a warehouse's own time has no zone")
    return value


LocalTime = Annotated[
    time,
    AfterValidator(_without_zone),
    # JSON Schema's own `time` would want a zone.
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$",
            "examples": ["16:00"],
        }
    ),
]
"""A time of day where a warehouse is."""


class Body(BaseModel):
    """Whatever a body has that is not asked for is refused (R43)."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class GrantIn(Body):
    """Points for one achievement (L1)."""

    learner: Id
    points: Annotated[int, Field(ge=1, le=1_000_000_000)]
    reason: Reason
    source: Source
    happened_at: Moment | None = None
    expires_at: Moment | None = None
    carried_over: bool = False


class GrantsIn(Body):
    """Up to 10,000 grants, each answered on its own."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "grants": [
                        {
                            "learner": "lin",
                            "points": 120,
                            "reason": "course_completed",
                            "source": "PY-101",
                        }
                    ]
                }
            ]
        },
    )
    grants: Annotated[list[GrantIn], Field(min_length=1, max_length=10_000)]


class GrantOut(BaseModel):
    """What became of one grant."""

    source: str
    status: str = Field(description="granted, duplicate or refused")
    code: str | None = Field(default=None, description="why it was refused")


class GrantsOut(BaseModel):
    """What became of the grants, in their order."""

    results: list[GrantOut]
    position: int


class ClawbackIn(Body):
    """A mistaken grant, named by its reason and source (L5)."""

    learner: Id
    reason: Reason
    source: Source
    why: Words
    happened_at: Moment | None = None


class AdjustmentIn(Body):
    """Points added or taken by hand (L5)."""

    learner: Id
    points: Annotated[int, Field(ge=-1_000_000_000, le=1_000_000_000)]
    source: Source
    why: Words


class DecisionIn(Body):
    """What the second person says (A8)."""

    decision: Literal["allow", "deny"]
    reason: Words


class LearnerIn(Body):
    """A learner's account: active or frozen."""

    status: Annotated[str, Field(pattern="^(active|frozen)$")]
    reason: Words = "as the platform asks"


class LearnerOut(BaseModel):
    """A learner's account."""

    learner: str
    status: str
    position: int


class ItemIn(Terms):
    """An item: an upsert by its SKU (C1)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "sku": "mug",
                    "name": "搪瓷杯 Enamel mug",
                    "kind": "parcel",
                    "points": 200,
                    "market_value_fen": 4900,
                    "weight_grams": 300,
                    "storage_class": "metal",
                    "on_sale": True,
                }
            ]
        }
    )
    sku: Sku
    on_sale: bool = True


class WarehouseIn(Warehouse):
    """A warehouse: an upsert by its code (C2)."""

    cut_off: LocalTime = Field(default=time(16), description="of the daily wave, time there")


class ReceiptIn(Body):
    """Goods that arrived (C3)."""

    sku: Sku
    warehouse: Id
    quantity: Quantity
    reference: Words = "by hand"


class CountIn(Body):
    """What was counted on the shelf (C3)."""

    sku: Sku
    warehouse: Id
    counted: Amount
    reason: Words
    source: Words = "own count"


class ScrapIn(Body):
    """Free units thrown away (C3)."""

    sku: Sku
    warehouse: Id
    quantity: Quantity
    reason: Words


class TransferIn(Body):
    """Free units sent to another warehouse (C3)."""

    sku: Sku
    from_warehouse: Id
    to_warehouse: Id
    quantity: Quantity


class LineIn(Body):
    """One item of a wish; `points_expected` is the unit price the caller saw."""

    sku: Sku
    quantity: Annotated[int, Field(ge=1, le=10_000)]
    points_expected: Amount | None = None


class RecipientIn(Body):
    """Who gets the parcels, and where."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    phone: Annotated[str, Field(min_length=5, max_length=40)]
    province: Annotated[str, Field(max_length=40)] | None = None
    city: Annotated[str, Field(max_length=40)] | None = None
    district: Annotated[str, Field(max_length=40)] | None = None
    address: Annotated[str, Field(min_length=1, max_length=300)]


class OrderIn(Body):
    """What a learner wants to redeem (L2)."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "learner": "lin",
                    "lines": [{"sku": "mug", "quantity": 1, "points_expected": 200}],
                    "recipient": {
                        "name": "林小满",
                        "phone": "13800000000",
                        "province": "浙江省",
                        "city": "杭州市",
                        "district": "西湖区",
                        "address": "文三路 1 号 2 单元 301",
                    },
                }
            ]
        },
    )
    learner: Id
    lines: Annotated[list[LineIn], Field(min_length=1, max_length=50)]
    channel: Channel = Channel.APP
    happened_at: Moment | None = Field(default=None, description="services only")
    recipient: RecipientIn | None = None


class OrderOut(BaseModel):
    """An order that was placed."""

    number: str
    status: str
    points: int
    cash_fen: int
    promised_by: AwareDatetime
    position: int


class ChangeOut(BaseModel):
    """What a command on an order led to."""

    number: str
    status: str
    points: int | None = Field(default=None, description="that went back, where points did")
    position: int


class UnitsIn(Body):
    """Units of an item."""

    sku: Sku
    quantity: Annotated[int, Field(ge=1, le=10_000)]


class CancellationIn(Body):
    """Why, and which units if not all."""

    reason: Words
    lines: Annotated[list[UnitsIn], Field(min_length=1, max_length=50)] | None = None
    happened_at: Moment | None = Field(default=None, description="services only")


class RefundIn(Body):
    """A decision to refund after shipping (rules.md 3)."""

    fault: Fault
    reason: Words
    goods_back: bool = False
    lines: Annotated[list[UnitsIn], Field(min_length=1, max_length=50)] | None = None
    happened_at: Moment | None = None


class PaymentIn(Body):
    """Nothing to start a payment; or a payment that a service took in itself."""

    means: Words = "sandbox"
    attempt: Id | None = Field(default=None, description="services: the payment's own id")
    amount_fen: Annotated[int, Field(ge=1, le=MAX_INT)] | None = None
    paid_at: Moment | None = None


class PaymentOut(ChangeOut):
    """What a payment led to, or where to pay."""

    attempt: str
    pay_url: str | None = None


class PackIn(Body):
    """A part's units, packed and weighed (W1)."""

    order: Id
    part: Annotated[int, Field(ge=1, le=100)] = 1
    weight_grams: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    happened_at: Moment | None = None


class WaybillIn(Body):
    """A carrier's number, put on by hand."""

    carrier: Annotated[str, Field(pattern=r"^[a-z0-9]{2,40}$")]
    waybill: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{6,32}$")]
    happened_at: Moment | None = None


class HandOverIn(Body):
    """When the carrier took the parcel, if not now."""

    happened_at: Moment | None = None


class EraseIn(Body):
    """Why a learner is erased (A4)."""

    reason: Words


class CloseIn(Body):
    """The last day to close, in the business time zone (A7)."""

    until: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
