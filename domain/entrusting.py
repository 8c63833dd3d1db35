"""委托 Parts that a third party's warehouse sends: cancelled once it says so (W2; rules.md 5)."""

from collections.abc import Sequence
from datetime import datetime

from domain.order_facts import OrderFact, State, Units
from domain.orders import Order
from domain.parcel_facts import ParcelFact, ParcelHandedOver, WaybillIssued
from domain.parcels import Parcel
from domain.release_facts import (
    CancellationOvertaken,
    CancelledUnitsSent,
    PartEntrusted,
    UnitsCancelling,
)
from domain.splitting import Allocation


def entrust(order: Order, number: int, *, parcel: str, warehouse: str) -> list[OrderFact]:
    """Leave a released part to a third party's warehouse: from here it may be in its hands."""
    part = order.open_part(number, "entrust", State.PENDING_SHIPMENT)
    order.must_be_free(part, "entrust", planned=parcel)
    return [] if part.entrusted else [PartEntrusted(part=number, warehouse=warehouse)]


def ask_to_cancel(
    order: Order, number: int, units: Sequence[Units], *, revision: int, reason: str
) -> list[OrderFact]:
    """Note that units of a part are cancelled as soon as the third party acknowledges it."""
    mine = tuple(
        Allocation(line=one.line, quantity=one.quantity) for one in units if one.part == number
    )
    if not mine:
        return []
    return [UnitsCancelling(part=number, units=mine, revision=revision, reason=reason)]


def acknowledged(order: Order, number: int, *, revision: int | None) -> list[UnitsCancelling]:
    """What of a part is cancelled now: asked for by that revision; None: whatever was asked."""
    return [
        one
        for one in order.cancelling
        if one.part == number and (revision is None or one.revision <= revision)
    ]


def cancelling_units(order: Order, number: int) -> tuple[Units, ...]:
    """Units of a part that are cancelled once the third party acknowledges."""
    return tuple(
        Units(part=number, line=unit.line, quantity=unit.quantity)
        for one in order.cancelling
        if one.part == number
        for unit in one.units
    )


def overtaken(order: Order, number: int) -> list[OrderFact]:
    """The part left before it could be cancelled: what is left is to stop its parcel."""
    if not cancelling_units(order, number):
        return []
    return [CancellationOvertaken(part=number)]


def sent_all_the_same(
    order: Order, number: int, *, parcel: str, sku: str, quantity: int
) -> list[OrderFact]:
    """Note units of a part that left though they were cancelled, and paid back, before."""
    part = order.part(number)
    line = next((one.line for one in order.lines if one.sku == sku), None)
    if part is None or line is None or quantity < 1:
        return []
    units = (Allocation(line=line, quantity=quantity),)
    return [CancelledUnitsSent(part=number, units=units, parcel=parcel)]


def leave_unwanted(box: Parcel, *, carrier: str, waybill: str, when: datetime) -> list[ParcelFact]:
    """A parcel that was unpacked here left its warehouse all the same; told twice it is once."""
    if not box.dissolved:
        return []
    issued = WaybillIssued(carrier=carrier, waybill=waybill)
    return [issued, ParcelHandedOver(handed_over_at=when)]
