"""委托 Parts that a third party's warehouse sends: cancelled once it says so (W2; rules.md 5)."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from domain.choosing import chosen, without
from domain.order_facts import CancelledUnitsGivenUp, GoodsCameBack, OrderFact, State, Units
from domain.orders import Order
from domain.parcel_facts import ParcelFact, ParcelHandedOver, WaybillIssued
from domain.parcels import Parcel
from domain.refusals import InvalidRequest, NotPossible
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
    order: Order,
    number: int,
    units: Sequence[Units],
    *,
    revision: int,
    reason: str,
    stopped: bool = False,
) -> list[OrderFact]:
    """Note that units of a part are cancelled as soon as the third party acknowledges it.

    `stopped`: staff stop the order, and its originals are paid back then (D4).
    """
    mine = tuple(
        Allocation(line=one.line, quantity=one.quantity) for one in units if one.part == number
    )
    if not mine:
        return []
    asking = UnitsCancelling(
        part=number, units=mine, revision=revision, reason=reason, stopped=stopped
    )
    return [asking]


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


class Fate(StrEnum):
    """What became of a unit that was sent though it was cancelled."""

    RESTOCK = "restock"
    """It is in the house again and can be sold."""
    SCRAP = "scrap"
    """It is in the house again, and thrown away."""
    GIVEN_UP = "given_up"
    """It stays where it is: nobody fetches it."""


def strays_in(order: Order, parcel: str) -> tuple[Units, ...]:
    """Units of an order that left in a parcel though they were cancelled, and were not settled."""
    return tuple(
        Units(part=sent.part, line=one.line, quantity=one.quantity)
        for sent in order.strays
        if sent.parcel == parcel
        for one in sent.units
    )


def settle_strays(
    order: Order,
    parcel: str,
    *,
    back: Sequence[tuple[str, int]],
    given_up: Sequence[tuple[str, int]],
    reason: str,
) -> list[GoodsCameBack | CancelledUnitsGivenUp]:
    """Say what became of them, as (sku, quantity), each unit once; nothing is paid again (D4)."""
    out = strays_in(order, parcel)
    if not out:
        raise NotPossible(action="settle_strays", why="nothing cancelled is out in the parcel")
    skus = {line.line: line.sku for line in order.lines}
    told, there = Counter[str](), Counter[str]()
    for sku, quantity in (*back, *given_up):
        told[sku] += quantity
    for one in out:
        there[skus[one.line]] += one.quantity
    if told != there:
        raise InvalidRequest(field="goods", reason="name every cancelled unit in the parcel once")
    here = chosen(out, back, skus=skus, action="settle_strays", because={}) if back else []
    facts: list[GoodsCameBack | CancelledUnitsGivenUp] = []
    if here:
        facts.append(GoodsCameBack(parcel=parcel, units=tuple(here)))
    if given_up:
        left = tuple(without(out, here))
        facts.append(CancelledUnitsGivenUp(parcel=parcel, units=left, reason=reason))
    return facts
