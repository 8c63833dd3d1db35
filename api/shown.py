"""What readers get of orders, and what all answers share: for the API's description alone.

The answers themselves are written straight from what the views know; a test holds them against
these models, so that nothing is told that is not described (R45).
"""

from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from api.shown_refunds import CashRefundOut, ProposedRefundOut
from domain.catalogue import Kind
from domain.intercept_facts import Way
from domain.intercepts import InterceptState
from domain.legs import Leg
from domain.order_facts import Channel, Fault, State, Upgrade

Next = Annotated[str | None, Field(description="`cursor` of the page after; null on the last one")]
Position = Annotated[int, Field(ge=0, description="the log position that this is as of")]
EventPosition = Annotated[int, Field(ge=1, description="log position of the event")]

OrderNumber = Annotated[str, Field(description="the order's number")]
LearnerId = Annotated[str, Field(description="the learner's id on the platform")]
ItemSku = Annotated[str, Field(description="the item's SKU")]
LineNumber = Annotated[int, Field(ge=1, description="number of the order's line, from 1")]
PartNumber = Annotated[int, Field(ge=1, description="number of the order's part, from 1")]
ParcelNumber = Annotated[str, Field(description="number of the parcel")]
UnitCount = Annotated[int, Field(description="units")]
FactName = Annotated[str, Field(description="name of the fact", examples=["orders.OrderPlaced"])]
HappenedAt = Annotated[AwareDatetime, Field(description="when it happened")]
PartWarehouse = Annotated[
    str | None,
    Field(
        description="code of the warehouse that sends it; null for a part of courses, which no "
        "warehouse sends: it is granted on the learning platform"
    ),
]


def example(**fields: Any) -> ConfigDict:
    """What such a body or answer looks like."""
    return examples(fields)


def examples(*bodies: Any) -> ConfigDict:
    """What such bodies or answers look like."""
    return ConfigDict(json_schema_extra={"examples": list(bodies)})


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


class PickupOut(BaseModel):
    """Where a parcel waits."""

    station: str | None = Field(description="name of the locker or station")
    code: str | None = Field(description="what it is opened or asked for with")
    deadline: AwareDatetime | None = Field(description="until then it waits there")


class ArrivalOut(BaseModel):
    """When a parcel should arrive (T4)."""

    earliest: AwareDatetime = Field(
        description="nine of ten parcels arrive between this and `latest`"
    )
    latest: AwareDatetime = Field(description="the end of the window")
    basis: str = Field(
        description="what it rests on: parcels to the same `city` or `province`, all of the"
        " `carrier`, its `rate_card`, or the recipient's own `appointment`"
    )


class AppointmentOut(BaseModel):
    """When its carrier and its recipient agreed that it is delivered (T8)."""

    starts_at: AwareDatetime = Field(description="from then on the courier may come")
    ends_at: AwareDatetime = Field(description="the first moment after it")


class DelayOut(BaseModel):
    """What keeps a parcel or an order, as its learner was told (T5)."""

    cause: str = Field(
        description="no_first_scan, no_movement, customs_stall, eta_passed, ping_pong, returned,"
        " lost, pickup_ending or not_collected; of an order: not_sent"
    )
    since: AwareDatetime = Field(description="since when it is kept")
    message: str = Field(description="what the learner was told, in English")
    message_zh: str = Field(description="the same in Chinese")


class ScanOut(BaseModel):
    """What a carrier said about a parcel."""

    time: AwareDatetime = Field(description="when the carrier saw it")
    text: str = Field(description="in the carrier's words, without names and phones")
    kind: str = Field(description="what it means, the same for all carriers", examples=["signed"])
    division: str | None = Field(description="GB/T 2260 code of the place, where it is known")
    coordinates: list[float] | None = Field(description="longitude, latitude")
    leg: Leg | None = Field(
        default=None, description="home, customs or abroad, of a parcel that goes abroad (T7)"
    )


class LegOut(BaseModel):
    """A leg of a parcel that goes abroad (T7)."""

    leg: Leg = Field(description="home, customs or abroad")
    since: AwareDatetime | None = Field(description="its first scan; null: not seen there yet")
    carrier: str | None = Field(description="who has it there, where that is known")
    waybill: str | None = Field(description="under which number")


class DisputableOut(BaseModel):
    """Whether a parcel can be disputed, or called back, now (D1, O8)."""

    possible: bool = Field(description="whether it would be done now")
    until: AwareDatetime | None = Field(default=None, description="null: not signed for yet")
    case: str | None = Field(default=None, description="id of the case there is")
    why: str | None = Field(default=None, description="it is not possible, in English")
    why_zh: str | None = Field(default=None, description="it is not possible, in Chinese")
    received_at: AwareDatetime | None = Field(
        default=None, description="for confirm_receipt: when it was received, as its track told"
    )
    orders: list[str] | None = Field(
        default=None, description="for intercept: all orders in the parcel, which come back with it"
    )


class StoppingOut(BaseModel):
    """A parcel that is to be stopped, as its order shows it."""

    way: Way
    state: InterceptState
    answer_by: AwareDatetime | None = Field(description="until then word of it is waited for")


class StrayOut(BaseModel):
    """Units that were sent though they were cancelled, until they are back or given up (W2)."""

    model_config = example(sku="enamel-mug", name="搪瓷杯", quantity=1)
    sku: ItemSku
    name: str = Field(description="as it was ordered")
    quantity: UnitCount


class ParcelOut(BaseModel):
    """A parcel and its way."""

    number: ParcelNumber
    parts: list[int] = Field(description="the parts of this order that are in it")
    shared_with: list[str] = Field(description="other orders of this learner that are in it (S4)")
    carrier: str | None = Field(
        description="its code as Kuaidi100 writes it", examples=["shunfeng"]
    )
    waybill: str | None = Field(description="the carrier's number; null until it is labelled")
    state: str = Field(
        description="labelled, handed_over, in_transit, customs, out_for_delivery, "
        "awaiting_pickup, delivery_failed, signed, returning, returned, forwarded, lost or "
        "dissolved (unpacked before it left)",
        examples=["in_transit"],
    )
    since: AwareDatetime | None = Field(description="when that state began")
    signed_at: AwareDatetime | None = Field(description="when it was received")
    arrival: ArrivalOut | None = Field(
        description="when it should arrive; null once it did, and before anything is known"
    )
    appointment: AppointmentOut | None = Field(
        description="what its recipient agreed on; null if nothing, and once it arrived"
    )
    delay: DelayOut | None = Field(description="what keeps it; null while nothing does")
    pickup: PickupOut | None = Field(description="where it waits to be fetched, if it does")
    scans: list[ScanOut] = Field(description="newest first")
    legs: list[LegOut] | None = Field(
        default=None, description="of a parcel that goes abroad: home, customs, abroad (T7)"
    )
    intercept: StoppingOut | None = Field(
        default=None, description="what its carrier was asked last: back, or elsewhere (O8)"
    )
    strays: list[StrayOut] | None = Field(
        default=None,
        description="in its order: cancelled and paid back, and in it all the same; if all of it"
        " was cancelled, it is called back by itself, as `intercept` says (W2)",
    )
    actions: dict[str, DisputableOut] | None = Field(
        default=None, description="by name: dispute, intercept; for staff confirm_receipt, too"
    )


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
