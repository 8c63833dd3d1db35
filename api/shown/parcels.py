"""What readers get of parcels: for the API's description alone, as all of this room."""

from pydantic import AwareDatetime, BaseModel, Field

from api.shown.fields import (
    ItemSku,
    ParcelNumber,
    UnitCount,
    example,
)
from domain.intercept_facts import Way
from domain.intercepts import InterceptState
from domain.legs import Leg


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
