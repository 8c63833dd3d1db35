"""What readers get of orders, points and the catalogue: for the API's description alone.

The answers themselves are written straight from what the views know; a test holds them against
these models, so that nothing is told that is not described (R45).
"""

from datetime import date
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from api.bodies import LocalTime
from domain.catalogue import Kind, Terms
from domain.order_facts import Channel, State
from domain.warehouses import Warehouse

Next = Annotated[str | None, Field(description="`cursor` of the page after; null on the last one")]
Position = Annotated[int, Field(ge=0, description="the log position that this is as of")]


def example(**fields: Any) -> ConfigDict:
    """An answer to look at."""
    return ConfigDict(json_schema_extra={"examples": [fields]})


class ExpiringOut(BaseModel):
    """Points that are gone after a day."""

    on: date = Field(description="the last day (business zone) on which they can be spent")
    points: int = Field(ge=1)


class BalanceOut(BaseModel):
    """A learner's points (L6)."""

    model_config = example(
        learner="lin",
        status="active",
        available=5_600,
        held=0,
        debt=0,
        expiring=[{"on": "2026-12-31", "points": 600}],
        position=42,
    )
    learner: str
    status: str = Field(description="active, frozen or erased")
    available: int = Field(description="can be spent: expired lots do not count")
    held: int = Field(description="set aside for orders that wait for their cash part")
    debt: int = Field(description="taken back after it was spent; new points pay it first")
    expiring: list[ExpiringOut] = Field(description="soonest first")
    position: Position


class EntryOut(BaseModel):
    """One movement of a learner's points."""

    position: int
    fact: str = Field(examples=["ledger.PointsRedeemed"])
    happened_at: AwareDatetime
    points: int = Field(description="of the available points, more or less")
    held: int
    debt: int
    order: str | None = None
    reason: str
    balance: int = Field(description="available points after it, in the order things happened")


class StatementOut(BaseModel):
    """A page of a learner's statement, newest first (L6)."""

    model_config = example(
        learner="lin",
        entries=[
            {
                "position": 42,
                "fact": "ledger.PointsRedeemed",
                "happened_at": "2026-11-03T02:14:08.120931Z",
                "points": -480,
                "held": 0,
                "debt": 0,
                "order": "T261103A1B2C3D4E5F6",
                "reason": "",
                "balance": 5_120,
            }
        ],
        next=None,
    )
    learner: str
    entries: list[EntryOut]
    next: Next


class ListedOut(BaseModel):
    """An order in a list; with `as_of` or `known_at`, `since` says when that state began."""

    number: str
    learner: str
    status: State = Field(description="as customers see it")
    state: State | None = Field(default=None, description="for staff")
    placed_at: AwareDatetime | None = None
    points: int | None = None
    cash_fen: int | None = None
    since: AwareDatetime | None = None


_LISTED = {
    "number": "T261103A1B2C3D4E5F6",
    "learner": "lin",
    "status": "pending_shipment",
    "placed_at": "2026-11-03T02:14:08.120931Z",
    "points": 480,
    "cash_fen": 0,
}


class FoundOut(BaseModel):
    """Orders that were searched for."""

    model_config = example(orders=[{**_LISTED, "state": "pending_shipment"}])
    orders: list[ListedOut]


class OrdersOut(FoundOut):
    """A page of orders, newest first."""

    model_config = example(orders=[_LISTED], next=None)
    next: Next
    position: int | None = Field(
        default=None, description="with `as_of` or `known_at`: what was known"
    )


class OrderLineOut(BaseModel):
    """One item of an order and how far it is."""

    line: int
    sku: str
    name: str
    specification: str
    kind: Kind
    quantity: int
    unit_points: int
    unit_cash_fen: int
    gone: int = Field(description="units that were cancelled or refunded")
    progress: State


class UnitsOut(BaseModel):
    """Units of a line."""

    line: int
    quantity: int


class PartOut(BaseModel):
    """What one warehouse sends."""

    part: int
    warehouse: str | None = Field(description="null for courses")
    state: State
    parcel: str | None
    returnable_until: AwareDatetime | None
    waits: str | None = Field(
        default=None, description="for its learner's `choice`, or for `stock`: nothing is reserved"
    )
    units: list[UnitsOut]


class PickupOut(BaseModel):
    """Where a parcel waits."""

    station: str | None
    code: str | None
    deadline: AwareDatetime | None


class ScanOut(BaseModel):
    """What a carrier said about a parcel."""

    time: AwareDatetime
    text: str
    kind: str
    division: str | None
    coordinates: list[float] | None = Field(description="longitude, latitude")


class ParcelOut(BaseModel):
    """A parcel and its way."""

    number: str
    carrier: str | None
    waybill: str | None
    state: str = Field(examples=["in_transit"])
    since: AwareDatetime | None
    signed_at: AwareDatetime | None
    pickup: PickupOut | None
    scans: list[ScanOut] = Field(description="newest first")


class ActionOut(BaseModel):
    """A command that is possible now and what it would move, or why it is not."""

    possible: bool
    points: int | None = None
    cash_fen: int | None = None
    province: str | None = None
    why: str | None = None
    why_zh: str | None = None


class MomentOut(BaseModel):
    """One line of an order's timeline."""

    at: AwareDatetime
    fact: str = Field(examples=["orders.OrderPlaced"])
    position: int
    part: int | None = None
    parcel: str | None = None
    points: int | None = None
    cash_fen: int | None = None
    amount_fen: int | None = None
    fault: str | None = None
    reason: str | None = None


class CashRefundOut(BaseModel):
    """A refund of the cash part."""

    refund: str
    state: str


class OrderSeenOut(BaseModel):
    """An order as its reader may see it (O2, O3, D6)."""

    model_config = example(
        **_LISTED,
        channel="app",
        promised_by="2026-11-06T16:00:00Z",
        pay_by=None,
        partly_shipped=False,
        returnable_until=None,
        lines=[
            {
                "line": 1,
                "sku": "enamel-mug",
                "name": "搪瓷杯",
                "specification": "",
                "kind": "parcel",
                "quantity": 1,
                "unit_points": 480,
                "unit_cash_fen": 0,
                "gone": 0,
                "progress": "pending_shipment",
            }
        ],
        parts=[
            {
                "part": 1,
                "warehouse": "zhejiang",
                "state": "pending_shipment",
                "parcel": None,
                "returnable_until": None,
                "units": [{"line": 1, "quantity": 1}],
            }
        ],
        parcels=[],
        actions={"cancel": {"possible": True, "points": 480, "cash_fen": 0}},
        timeline=[
            {"at": "2026-11-03T02:14:08.120931Z", "fact": "orders.OrderPlaced", "position": 43}
        ],
        position=43,
        version=1,
    )
    number: str
    learner: str
    status: State = Field(description="as customers see it: received is completed")
    state: State | None = Field(default=None, description="for staff")
    channel: Channel
    placed_at: AwareDatetime
    promised_by: AwareDatetime
    pay_by: AwareDatetime | None
    points: int
    cash_fen: int
    partly_shipped: bool
    returnable_until: AwareDatetime | None
    lines: list[OrderLineOut]
    parts: list[PartOut]
    parcels: list[ParcelOut]
    actions: dict[str, ActionOut]
    timeline: list[MomentOut]
    cash_refunds: list[CashRefundOut] | None = Field(default=None, description="for staff")
    position: int = Field(description="of the order's last change")
    version: int


class ShelfOut(BaseModel):
    """Units of an item in one warehouse."""

    warehouse: str
    free: int
    reserved: int
    picked: int


class ItemOut(Terms):
    """An item of the catalogue (C1)."""

    model_config = example(
        sku="enamel-mug",
        name="搪瓷杯",
        kind="parcel",
        points=480,
        market_value_fen=4_900,
        weight_grams=300,
        on_sale=True,
        available=120,
    )
    sku: str
    on_sale: bool
    available: int | None = Field(description="free units or seats; null where none are counted")
    stock: list[ShelfOut] | None = Field(default=None, description="for staff")


class ItemsOut(BaseModel):
    """A page of the catalogue, by SKU."""

    items: list[ItemOut]
    next: Next


class WarehouseOut(Warehouse):
    """A warehouse with its terms (C2)."""

    cut_off: LocalTime = Field(description="of the daily wave, time there")


class WarehousesOut(BaseModel):
    """All warehouses with their terms (C2)."""

    warehouses: list[WarehouseOut]


class CallbackOut(BaseModel):
    """Where a carrier's pushes about a parcel go, and what they are signed with."""

    parcel: str
    callback_url: str
    salt: str
