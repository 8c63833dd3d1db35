"""What readers get of orders: for the API's description alone, as all of this room."""

from pydantic import AwareDatetime, BaseModel, Field

from api.shown.fields import (
    EventPosition,
    FactName,
    ItemSku,
    LearnerId,
    LineNumber,
    OrderNumber,
    PartNumber,
    PartWarehouse,
    UnitCount,
    example,
)
from api.shown.parcels import DelayOut, ParcelOut
from api.shown.refunds import CashRefundOut, ProposedRefundOut
from domain.catalogue import Kind
from domain.order_facts import Channel, Fault, State, Upgrade


class RatedOut(BaseModel):
    """What a learner said of a line, in stars from 1 to 5."""

    goods: int = Field(description="of the goods")
    delivery: int | None = Field(description="of the delivery; null for a course")


class OrderLineOut(BaseModel):
    """One item of an order and how far it is."""

    line: LineNumber
    sku: ItemSku
    name: str = Field(description="of the item when it was ordered")
    specification: str = Field(description="of the item when it was ordered; may be empty")
    kind: Kind
    quantity: int = Field(description="units ordered")
    unit_points: int = Field(description="price of a unit in points")
    unit_cash_fen: int = Field(description="cash part of a unit's price, in fen")
    gone: int = Field(description="units that were cancelled or refunded")
    rating: RatedOut | None = Field(description="what its learner said of it; null: nothing yet")
    progress: State


class UnitsOut(BaseModel):
    """Units of a line."""

    line: LineNumber
    quantity: UnitCount


class PartOut(BaseModel):
    """What one warehouse sends, or the courses that are granted."""

    part: PartNumber
    warehouse: PartWarehouse
    state: State
    parcel: str | None = Field(description="number of its parcel; null until it is packed")
    returnable_until: AwareDatetime | None = Field(
        description="end of its service window; null until it was received or granted"
    )
    stage: str | None = Field(
        default=None,
        description="for staff: in_review, waiting_for_stock, waiting_for_wave, released,"
        " at_third_party, in_parcel, address_pending; the state itself once it is handed over",
    )
    planned: str | None = Field(
        default=None,
        description="for staff: number of the parcel that it is picked into, from its release on",
    )
    hand_over_by: AwareDatetime | None = Field(
        default=None, description="for staff: when the warehouse's service level ends"
    )
    paused: bool = Field(description="a case is open: its service window stands still")
    carrier: str | None = Field(
        description="who was chosen to take it, as Kuaidi100 writes it; null where nobody was"
    )
    waits: str | None = Field(
        default=None, description="for its learner's `choice`, or for `stock`: nothing is reserved"
    )
    cancelling: bool = Field(
        description="its cancellation waits for a third party's warehouse to acknowledge it"
    )
    units: list[UnitsOut] = Field(description="still to be had: those that are gone are not here")


class LotBackOut(BaseModel):
    """Points that go back to a lot."""

    lot: str = Field(description="its id: reason and source of its grant")
    points: int = Field(description="that go back to it")
    expires_at: AwareDatetime | None = Field(
        description="as it was spent; one that is over by then gets its grace (rules.md 16)"
    )


class StockBackOut(BaseModel):
    """Units that are free again."""

    warehouse: str = Field(description="its code; `seats` for a course")
    sku: ItemSku
    quantity: UnitCount


class ReturnableOut(BaseModel):
    """Units that can be given back; one return goes to one warehouse (D3)."""

    part: PartNumber
    line: LineNumber
    sku: ItemSku
    quantity: UnitCount
    warehouse: PartWarehouse


class ElsewhereOut(BaseModel):
    """Whether all that has not left can be planned anew for another province, or why not (O8)."""

    possible: bool = Field(description="whether it can, where a warehouse and a carrier go there")
    stock: list[StockBackOut] | None = Field(
        default=None, description="what is free again, before the new plan reserves as much"
    )
    why: str | None = Field(default=None, description="it is not possible, in English")
    why_zh: str | None = Field(default=None, description="it is not possible, in Chinese")


class ActionOut(BaseModel):
    """A command that is possible now and what it would move, or why it is not."""

    possible: bool = Field(description="whether the command would be taken now")
    points: int | None = Field(default=None, description="that would go back")
    cash_fen: int | None = Field(default=None, description="that would be paid or go back, in fen")
    lots: list[LotBackOut] | None = Field(
        default=None, description="where the points go, as they would come back after debt"
    )
    debt_paid: int | None = Field(default=None, description="of the points that pays what is owed")
    freight_fen: int | None = Field(
        default=None, description="that would go back, too, where mall or carrier is at fault"
    )
    needs_second_person: bool | None = Field(
        default=None, description="it would only be asked for (A8)"
    )
    stock: list[StockBackOut] | None = Field(default=None, description="what is free again")
    parcels: list[str] | None = Field(
        default=None, description="that can be disputed, or that carriers would be asked to stop"
    )
    lines: list[int] | None = Field(default=None, description="that are asked to be rated")
    units: list[ReturnableOut] | None = Field(default=None, description="that can be given back")
    until: AwareDatetime | None = Field(default=None, description="when it ends to be possible")
    province: str | None = Field(default=None, description="in which nothing is planned anew")
    elsewhere: ElsewhereOut | None = Field(
        default=None, description="the address in another province of the country"
    )
    country: str | None = Field(default=None, description="of that province (ISO 3166-1 alpha-2)")
    why: str | None = Field(default=None, description="it is not possible, in English")
    why_zh: str | None = Field(default=None, description="it is not possible, in Chinese")


class MomentOut(BaseModel):
    """One line of an order's timeline."""

    at: AwareDatetime = Field(description="when it happened")
    fact: FactName
    position: EventPosition
    part: int | None = Field(default=None, description="number of the part it is about")
    parcel: str | None = Field(default=None, description="number of the parcel it is about")
    points: int | None = Field(default=None, description="that moved")
    cash_fen: int | None = Field(default=None, description="that is due or goes back, in fen")
    amount_fen: int | None = Field(default=None, description="that was paid or asked back, in fen")
    fault: Fault | None = Field(default=None, description="why units came back")
    reason: str | None = Field(default=None, description="in words of who decided it")


class OrderSeenOut(BaseModel):
    """An order as its reader may see it (O2, O3, D6)."""

    model_config = example(
        number="T261103A1B2C3D4E5F6",
        learner="lin",
        status="pending_shipment",
        placed_at="2026-11-03T02:14:08.120931Z",
        points=480,
        cash_fen=0,
        channel="app",
        promised_by="2026-11-06T16:00:00Z",
        delay=None,
        pay_by=None,
        freight_fen=0,
        upgrade=None,
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
                "rating": None,
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
                "paused": False,
                "carrier": "zhongtong",
                "waits": None,
                "cancelling": False,
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
    number: OrderNumber
    learner: LearnerId
    status: State = Field(description="as customers see it: received is completed")
    state: State | None = Field(default=None, description="for staff")
    external_number: str | None = Field(
        default=None, description="for staff: what an outside shop or partner calls it"
    )
    review: list[str] | None = Field(
        default=None, description="for staff: why a human looks at it before release (O7)"
    )
    channel: Channel
    placed_at: AwareDatetime = Field(description="when it was placed")
    promised_by: AwareDatetime = Field(description="when the last parcel should have arrived")
    delay: DelayOut | None = Field(
        description="its learner was told that this passed before all of it was handed over"
    )
    pay_by: AwareDatetime | None = Field(description="unpaid then, it is cancelled; null if paid")
    points: int = Field(description="paid or held for it when it was placed")
    cash_fen: int = Field(description="cash part when it was placed, in fen")
    freight_fen: int = Field(description="freight and upgrade, paid with the cash part, in fen")
    upgrade: Upgrade | None = Field(description="the better delivery that was paid for")
    partly_shipped: bool = Field(description="some parts left, others did not")
    returnable_until: AwareDatetime | None = Field(description="end of the last service window")
    lines: list[OrderLineOut] = Field(description="items as they were ordered")
    parts: list[PartOut] = Field(description="what each warehouse sends, and courses")
    parcels: list[ParcelOut] = Field(description="what is packed")
    actions: dict[str, ActionOut] = Field(
        description="by name: pay, cancel, refund, wait, refund_missing, address, dispute, return,"
        " rate"
    )
    timeline: list[MomentOut] = Field(description="what happened to it, oldest first")
    cash_refunds: list[CashRefundOut] | None = Field(default=None, description="for staff")
    proposed_refunds: list[ProposedRefundOut] | None = Field(
        default=None, description="for staff: refunds that wait for a second person (A8)"
    )
    position: int = Field(description="of the order's last change")
    version: int = Field(description="events of the order's own stream")
