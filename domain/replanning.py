"""改派 Planning anew what a warehouse could not find (S1, S3; rules.md 1).

Missing units go to other warehouses if they have them, else into a part that waits: for its
learner, who may have them refunded, and for stock. No unit is lost or made by any of it.
"""

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

from domain.order_facts import (
    OrderFact,
    OrderSplit,
    State,
    Units,
    UnitsFellShort,
    WaitChosen,
    WaitEnded,
)
from domain.orders import Order
from domain.parts import Part
from domain.refusals import InvalidRequest, NotPossible
from domain.splitting import Allocation, Demand, Plan, PlannedPart, plan_split


class Free(NamedTuple):
    """Free units of one item in a warehouse that may send them to this order."""

    warehouse: str
    units: int


class Move(NamedTuple):
    """Units to be reserved for a part in another warehouse."""

    part: int
    warehouse: str
    quantity: int


class Replanned(NamedTuple):
    """What a re-planning says, and the reservations that go with it in the same commit."""

    facts: list[OrderFact]
    moves: tuple[Move, ...]


def missing_units(order: Order, number: int, line: int, *, found: int) -> int:
    """Units of a line that a part's warehouse should have and did not find."""
    part = order.open_part(number, "short_pick", State.PENDING_SHIPMENT)
    if part.parcel:
        raise NotPossible(action="short_pick", why=f"part {number} is in parcel {part.parcel}")
    if part.waits:
        raise NotPossible(action="short_pick", why=f"part {number} waits for stock")
    planned = sum(unit.quantity for unit in part.units if unit.line == line)
    if found >= planned:
        raise InvalidRequest(field="found", reason=f"{planned} are planned: nothing is missing")
    return planned - found


def short_pick(
    order: Order,
    number: int,
    line: int,
    *,
    missing: int,
    free: Sequence[Free],
    max_parts: int,
    reason: str,
) -> Replanned:
    """Plan the units of a line that were not found elsewhere; what is nowhere waits (rules.md 1).

    `free` names every warehouse that may send them, the preferred one first.
    """
    open_parts = {part.number: part for part in order.parts if part.movable}
    open_parts[number] = _less(open_parts[number], line, missing)
    staying = sum(part.live for part in order.parts if part.number != number)
    room = max(0, max_parts - staying - open_parts[number].live)
    joinable = _joinable(open_parts)
    plan = _spread(order.line(line).sku, line, missing, free, joinable, room=room)
    moved = sum(unit.quantity for part in plan.parts for unit in part.units)
    fresh = order.last_part + 1
    facts: list[OrderFact] = []
    if rest := missing - moved:
        new = sum(part.warehouse not in joinable for part in plan.parts)
        facts.append(
            UnitsFellShort(
                part=number,
                line=line,
                sku=order.line(line).sku,
                quantity=rest,
                waiting_part=fresh,
                sources=tuple(one.warehouse for one in free) if new < room else (),
                reason=reason,
            )
        )
        fresh += 1
    split, moves = _joined(open_parts, plan, fresh=fresh)
    if moves:
        facts.append(OrderSplit(plan=split, reason=reason))
    return Replanned(facts, moves)


def end_wait(
    order: Order, number: int, *, free: Sequence[Free], max_parts: int, reason: str
) -> Replanned:
    """Send a waiting part's units from where there are some now: all of them, or none yet."""
    waiting = order.part(number)
    if waiting is None or not waiting.waits or not waiting.live:
        return Replanned([], ())
    (unit,) = waiting.units  # a part waits for units of one line
    open_parts = {part.number: part for part in order.parts if part.movable}
    joinable = _joinable(open_parts)
    room = max(0, max_parts - sum(part.live for part in order.parts) + 1)
    sku = order.line(unit.line).sku
    plan = _spread(sku, unit.line, unit.quantity, free, joinable, room=room)
    if sum(one.quantity for part in plan.parts for one in part.units) < unit.quantity:
        return Replanned([], ())
    fresh = order.last_part + 1
    split, moves = _joined(open_parts, plan, fresh=fresh)
    return Replanned([WaitEnded(part=number), OrderSplit(plan=split, reason=reason)], moves)


def choose_to_wait(order: Order, number: int | None, *, max_parts: int) -> list[OrderFact]:
    """The learner waits for stock rather than have the missing units refunded (rules.md 1)."""
    waiting = _waiting(order, number, "wait")
    if sum(part.live for part in order.parts) > max_parts:
        raise NotPossible(action="wait", why=f"an order has at most {max_parts} parts")
    return [WaitChosen(part=part.number) for part in waiting if part.waits == "choice"]


def given_up(order: Order, number: int | None) -> list[Units]:
    """The missing units that a learner has refunded: of one waiting part, or of all."""
    return [
        Units(part=part.number, line=unit.line, quantity=unit.quantity)
        for part in _waiting(order, number, "refund_missing")
        for unit in part.units
    ]


def _waiting(order: Order, number: int | None, action: str) -> list[Part]:
    waiting = [
        part
        for part in order.parts
        if part.waits and part.live and number in (None, part.number) and order.ended is None
    ]
    if not waiting:
        raise NotPossible(action=action, why="nothing is missing from the order")
    return waiting


def _joinable(open_parts: dict[int, Part]) -> list[str]:
    """Warehouses whose parcel takes more units; a third party may have closed its one (W2)."""
    return [
        part.warehouse
        for part in open_parts.values()
        if part.live and part.warehouse and not part.entrusted
    ]


def _less(part: Part, line: int, quantity: int) -> Part:
    units = (
        unit.model_copy(update={"quantity": unit.quantity - quantity * (unit.line == line)})
        for unit in part.units
    )
    return part._replace(units=tuple(unit for unit in units if unit.quantity > 0))


def _spread(
    sku: str, line: int, missing: int, free: Sequence[Free], joinable: Sequence[str], *, room: int
) -> Plan:
    """As many of the units as there are elsewhere, with the fewest new parcels.

    Parts that are open anyway take them without a new parcel; `room` new ones are allowed, one
    fewer if some units stay behind and need a part to wait in.
    """
    units = {one.warehouse: one.units for one in free if one.units > 0}
    joins = [code for code in units if code in joinable]
    others = [code for code in units if code not in joinable]
    able = [
        chosen
        for count in range(room + 1)
        for chosen in combinations(others, count)
        if sum(units[code] for code in (*joins, *chosen)) >= missing
    ][:1]
    richest = sorted(others, key=lambda code: -units[code])[: max(0, room - 1)]
    codes = (*joins, *(able[0] if able else richest))
    wanted = min(missing, sum(units[code] for code in codes))
    nothing = Plan(parts=(), chosen_for="nothing_there")
    if not wanted:
        return nothing
    levels = {(code, sku): units[code] for code in codes}
    plan = plan_split([Demand(line, sku, wanted, codes)], levels, max_parts=len(codes))
    return plan if isinstance(plan, Plan) else nothing


def _joined(
    open_parts: dict[int, Part], plan: Plan, *, fresh: int
) -> tuple[Plan, tuple[Move, ...]]:
    """All open parts after the moves; a warehouse that sends one anyway gets no second one."""
    units = {number: part.units for number, part in open_parts.items() if part.live}
    places = {number: open_parts[number].warehouse for number in units}
    takes = {number: places[number] for number in units if not open_parts[number].entrusted}
    moves: list[Move] = []
    for planned in plan.parts:
        assert planned.warehouse is not None  # goods come from somewhere
        number = next((n for n, code in takes.items() if code == planned.warehouse), fresh)
        if number == fresh:
            takes[number] = places[number] = planned.warehouse
            units[number] = ()
            fresh += 1
        for unit in planned.units:
            moves.append(Move(number, planned.warehouse, unit.quantity))
            units[number] = _more(units[number], unit)
    parts = tuple(
        PlannedPart(part=number, warehouse=places[number], units=units[number]) for number in units
    )
    return plan.model_copy(update={"parts": parts}), tuple(moves)


def _more(units: tuple[Allocation, ...], one: Allocation) -> tuple[Allocation, ...]:
    known = sum(unit.quantity for unit in units if unit.line == one.line)
    joined = Allocation(line=one.line, quantity=known + one.quantity)
    return (*(unit for unit in units if unit.line != one.line), joined)
