"""委托 Parts that a third party's warehouse sends: cancelled once it says so (W2; rules.md 5)."""

from collections.abc import Sequence

from domain.order_facts import OrderFact, State, Units
from domain.orders import Order
from domain.release_facts import CancellationOvertaken, PartEntrusted, UnitsCancelling
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
