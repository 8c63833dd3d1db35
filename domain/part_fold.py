"""子订单折叠 An order's parts after what happened to them: units, plans, windows (S2; rule 2)."""

from collections.abc import Sequence

from domain.choosing import without
from domain.order_facts import (
    PartReceived,
    State,
    Units,
    UnitsFellShort,
)
from domain.orders import Order
from domain.parts import Part
from domain.splitting import Allocation, Plan
from domain.window_facts import WindowPaused, WindowResumed


def _less(units: tuple[Allocation, ...], gone: Sequence[Units]) -> tuple[Allocation, ...]:
    taken: dict[int, int] = {}
    for unit in gone:
        taken[unit.line] = taken.get(unit.line, 0) + unit.quantity
    return tuple(
        Allocation(line=unit.line, quantity=left)
        for unit in units
        if (left := unit.quantity - taken.get(unit.line, 0)) > 0
    )


def without_units(order: Order, gone: Sequence[Units], end: State) -> tuple[Part, ...]:
    """The parts without these units; one in which nothing is left is at its `end`."""
    parts: list[Part] = []
    for part in order.parts:
        mine = [unit for unit in gone if unit.part == part.number]
        if mine:
            units = _less(part.units, mine)
            part = part._replace(units=units, state=part.state if units else end)
        parts.append(part)
    return tuple(parts)


def moved(order: Order, number: int, **changes: object) -> tuple[Part, ...]:
    """The parts with one of them changed."""
    return tuple(
        part._replace(**changes) if part.number == number else part  # type: ignore[arg-type]
        for part in order.parts
    )


def unacknowledged(order: Order) -> tuple[Part, ...]:
    """Parts in somebody's hands: whoever has them must know of the new address (rules.md 29)."""
    return tuple(
        part._replace(address_pending=True)
        if (part.parcel or part.entrusted) and part.live and part.state is State.PENDING_SHIPMENT
        else part
        for part in order.parts
    )


def shipped(order: Order, number: int) -> tuple[Part, ...]:
    """The part with its carrier; one that has gone further stays, when the facts are dated so."""
    part = order.part(number)
    sent = _sent(part)
    if part is not None and part.state is not State.PENDING_SHIPMENT:
        return moved(order, number, shipped=True, sent=sent)
    return moved(order, number, state=State.PENDING_RECEIPT, shipped=True, sent=sent)


def _sent(part: Part | None) -> tuple[Allocation, ...]:
    """What left of a part, once it has; what its carrier answers for (D2)."""
    if part is None or part.shipped:
        return () if part is None else part.sent
    return (*part.sent, *part.units)


def still_out(order: Order, units: Sequence[Units]) -> list[Units]:
    """Those of these units that were sent in parcels and are not in the house again."""
    sent = {part.number for part in order.parts if part.warehouse}
    return without([one for one in units if one.part in sent], order.home)


def planned(plan: Plan) -> tuple[Part, ...]:
    """The parts of a plan that waits to be sent."""
    return tuple(
        [
            Part(
                part.part,
                part.warehouse,
                part.units,
                State.PENDING_SHIPMENT,
                carrier=part.shipping.carrier if part.shipping else None,
            )
            for part in plan.parts
        ]
    )


def last_number(plan: Plan) -> int:
    """The highest number of a part in a plan."""
    return max((part.part for part in plan.parts), default=0)


def replanned(order: Order, plan: Plan) -> tuple[Part, ...]:
    """The new plan's parts beside those that cannot be planned anew any more.

    A part that stays with its warehouse stays in the parcel it was released into; of one that is
    packed the plan can name another carrier (O8).
    """
    carriers = {part.part: part.shipping.carrier for part in plan.parts if part.shipping}
    stay = [
        part._replace(carrier=carriers.get(part.number, part.carrier)) if part.in_hand else part
        for part in order.parts
        if not part.movable
    ]
    known = {part.number for part in stay}
    released = {(part.number, part.warehouse): part for part in order.parts if part.planned}
    new: list[Part] = []
    for part in planned(plan):
        if part.number in known:
            continue
        before = released.get((part.number, part.warehouse))
        if before is not None:
            part = part._replace(
                planned=before.planned,
                hand_over_by=before.hand_over_by,
                entrusted=before.entrusted,
                address_pending=before.address_pending,
            )
        new.append(part)
    return (*stay, *new)


def fell_short(order: Order, fact: UnitsFellShort) -> tuple[Part, ...]:
    """Units move from the part whose warehouse did not find them to one that waits."""
    parts: list[Part] = []
    place = None
    for part in order.parts:
        if part.number == fact.part:
            place = part.warehouse
            gone = Units(part=fact.part, line=fact.line, quantity=fact.quantity)
            part = part._replace(units=_less(part.units, [gone]))
            if not part.units:
                continue
        parts.append(part)
    units = (Allocation(line=fact.line, quantity=fact.quantity),)
    waiting = Part(fact.waiting_part, place, units, State.PENDING_SHIPMENT, waits="choice")
    return (*parts, waiting)


def received(order: Order, fact: PartReceived) -> tuple[Part, ...]:
    """The part with its recipient; a window that a case holds stands still from its first day."""
    part = order.part(fact.part)
    paused_at = part.paused_at if part is not None else None
    return moved(
        order,
        fact.part,
        state=State.PENDING_END,
        shipped=True,  # a scan may tell of the receipt before anybody told of shipping
        sent=_sent(part),
        window_until=fact.window_until,
        paused_at=None if paused_at is None else max(paused_at, fact.received_at),
    )


def paused(order: Order, fact: WindowPaused) -> tuple[Part, ...]:
    """The parts with a case holding one's window, from the first that does."""
    part = order.part(fact.part)
    if part is None or fact.by in part.paused_by:
        return order.parts
    since = part.paused_at or fact.paused_at
    return moved(order, fact.part, paused_by=(*part.paused_by, fact.by), paused_at=since)


def resumed(order: Order, fact: WindowResumed) -> tuple[Part, ...]:
    """The parts with one's window running on, once no case holds it."""
    part = order.part(fact.part)
    if part is None:
        return order.parts
    left = tuple(one for one in part.paused_by if one != fact.by)
    return moved(
        order,
        fact.part,
        paused_by=left,
        paused_at=part.paused_at if left else None,
        window_until=fact.window_until or part.window_until,
    )
