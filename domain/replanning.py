"""改派 Planning anew what a warehouse could not find (S1, S3; rules.md 1).

Missing units go to other warehouses if they have them, at the least cost, as when orders are
placed: into parcels that are going anyhow or further ones. Else they go into a part that waits: for
its learner, who may have them refunded, and for stock. No unit is lost or made by any of it.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from domain.cargo import Cargo
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
from domain.splitting import Allocation, Demand, Plan, PlanCosts, PlannedPart, Sending, plan_split


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
    sending: Sending | None = None,
) -> Replanned:
    """Plan the units of a line that were not found elsewhere; what is nowhere waits (rules.md 1).

    `free` names every warehouse that may send them, the preferred one first. Without `sending`
    nobody knows what parcels cost: then there are as few as can be.
    """
    open_parts = {part.number: part for part in order.parts if part.movable}
    open_parts[number] = _less(open_parts[number], line, missing)
    staying = sum(part.live for part in order.parts if part.number != number)
    room = max(0, max_parts - staying - open_parts[number].live)
    shelves = _Shelves(open_parts, free, sending)
    units = Allocation(line=line, quantity=missing)
    found = shelves.as_many(units, order.line(line).sku, room=room)
    fresh = order.last_part + 1
    facts: list[OrderFact] = []
    if rest := missing - found.quantity:
        facts.append(
            UnitsFellShort(
                part=number,
                line=line,
                sku=order.line(line).sku,
                quantity=rest,
                waiting_part=fresh,
                sources=tuple(one.warehouse for one in free) if found.new < room else (),
                reason=reason,
            )
        )
        fresh += 1
    split, moves = shelves.joined(found, fresh=fresh)
    if moves:
        facts.append(OrderSplit(plan=split, reason=reason))
    return Replanned(facts, moves)


def end_wait(
    order: Order,
    number: int,
    *,
    free: Sequence[Free],
    max_parts: int,
    reason: str,
    sending: Sending | None = None,
) -> Replanned:
    """Send a waiting part's units from where there are some now: all of them, or none yet."""
    waiting = order.part(number)
    if waiting is None or not waiting.waits or not waiting.live:
        return Replanned([], ())
    (unit,) = waiting.units  # a part waits for units of one line
    open_parts = {part.number: part for part in order.parts if part.movable}
    room = max(0, max_parts - sum(part.live for part in order.parts) + 1)
    shelves = _Shelves(open_parts, free, sending)
    found = shelves.all_of(unit, order.line(unit.line).sku, room=room)
    if found is None:
        return Replanned([], ())
    fresh = order.last_part + 1
    split, moves = shelves.joined(found, fresh=fresh)
    return Replanned([WaitEnded(part=number), OrderSplit(plan=split, reason=reason)], moves)


def promised_anew(order: Order, number: int, planned: Replanned, *, by: datetime) -> Replanned:
    """What ends a wait, with the promised time that is made anew with it (rules.md 1, 10).

    Only for a learner who chose to wait: to others the promise stands as it was. `by` is when the
    units should arrive now; what else is under way keeps its time.
    """
    waiting = order.part(number)
    if waiting is None or waiting.waits != "stock" or order.promise is None:
        return planned
    last = max(by, order.promise.stands)
    return planned._replace(
        facts=[
            one.model_copy(update={"promised_by": last}) if isinstance(one, OrderSplit) else one
            for one in planned.facts
        ]
    )


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


def planned_anew(order: Order) -> tuple[Part, ...]:
    """The parts that a new province needs another plan for: all that nobody has in hand (O8).

    Those that wait for stock are among them: it is looked for where the new place is sent from.
    """
    open_parts = [part for part in order.parts if part.to_be_sent]
    why = "" if open_parts else f"the order is {order.state}"
    if any(one.state == "reserved" for one in order.replacements):
        why = "goods are set aside to be sent once more"
    if why:
        raise NotPossible(action="change_address", why=why)
    return tuple(part for part in open_parts if not part.in_hand)


def sent_elsewhere(
    order: Order,
    plan: Plan,
    *,
    in_hand: Sequence[PlannedPart],
    promised_by: datetime,
    reason: str,
) -> OrderSplit:
    """Another plan for all that is still to be sent, with its promised time (O8; rules.md 1, 10).

    Its parts have numbers of their own, so that no parcel of the old plan names them; those
    `in_hand` keep theirs, and say how they are sent now. What is under way already keeps the time
    that it was promised for.
    """
    fresh = [
        part.model_copy(update={"part": order.last_part + nth})
        for nth, part in enumerate(plan.parts, start=1)
    ]
    parts = (*in_hand, *fresh)
    under_way = any(part.live and part.state is State.PENDING_RECEIPT for part in order.parts)
    if under_way and order.promise is not None:
        promised_by = max(promised_by, order.promise.stands)
    anew = plan.model_copy(update={"parts": parts, "costs": _costs(plan.costs, parts)})
    return OrderSplit(plan=anew, reason=reason, promised_by=promised_by)


def _waiting(order: Order, number: int | None, action: str) -> list[Part]:
    waiting = [
        part
        for part in order.parts
        if part.waits and part.live and number in (None, part.number) and order.ended is None
    ]
    if not waiting:
        raise NotPossible(action=action, why="nothing is missing from the order")
    return waiting


def _less(part: Part, line: int, quantity: int) -> Part:
    units = (
        unit.model_copy(update={"quantity": unit.quantity - quantity * (unit.line == line)})
        for unit in part.units
    )
    return part._replace(units=tuple(unit for unit in units if unit.quantity > 0))


class _Found(NamedTuple):
    """Where missing units are to come from."""

    plan: Plan
    joins: Mapping[str, int]
    """By warehouse, the part whose parcel takes what comes from there."""

    @property
    def quantity(self) -> int:
        """Units that come from anywhere."""
        return sum(unit.quantity for part in self.plan.parts for unit in part.units)

    @property
    def new(self) -> int:
        """Parcels that were not to be sent before."""
        return sum(part.warehouse not in self.joins for part in self.plan.parts)


class _Shelves:
    """What warehouses have of missing units, and the order's open parts beside them."""

    def __init__(
        self, open_parts: Mapping[int, Part], free: Iterable[Free], sending: Sending | None
    ) -> None:
        self._open = {number: part for number, part in open_parts.items() if part.live}
        self._free = {one.warehouse: one.units for one in free if one.units > 0}
        self._sending = sending

    def as_many(self, units: Allocation, sku: str, *, room: int) -> _Found:
        """As many of the units as can be sent, in up to `room` parcels more than there are.

        In one fewer if some stay behind: they need a part to wait in.
        """
        for quantity in range(min(units.quantity, sum(self._free.values())), 0, -1):
            some = units.model_copy(update={"quantity": quantity})
            fresh = room if some == units else max(0, room - 1)
            found = self.all_of(some, sku, room=fresh)
            if found is not None:
                return found
        return _Found(Plan(parts=(), chosen_for="nothing_there"), {})

    def all_of(self, units: Allocation, sku: str, *, room: int) -> _Found | None:
        """All of the units at the least cost; None: they cannot be sent."""
        goods = self._sending.goods(units.line) if self._sending else Cargo()
        joins = self._joins(units)
        plan = plan_split(
            [Demand(units.line, sku, units.quantity, tuple(self._free), goods)],
            {(code, sku): there for code, there in self._free.items()},
            max_parts=room,
            senders=self._sending.senders if self._sending else None,
            going={code: self._cargo(self._open[number].units) for code, number in joins.items()},
        )
        return _Found(plan, joins) if isinstance(plan, Plan) else None

    def _joins(self, units: Allocation) -> dict[str, int]:
        """Parts whose parcels can take what their warehouse has of it.

        A third party may have closed its one (W2).
        """
        joins: dict[str, int] = {}
        for number, part in self._open.items():
            there = self._free.get(part.warehouse or "", 0)
            if there and part.warehouse and not part.entrusted:
                most = units.model_copy(update={"quantity": min(units.quantity, there)})
                if self._goes(part.warehouse, _more(part.units, most)):
                    joins.setdefault(part.warehouse, number)
        return joins

    def _cargo(self, units: Iterable[Allocation]) -> Cargo:
        return self._sending.cargo(units) if self._sending else Cargo()

    def _goes(self, code: str, units: Iterable[Allocation]) -> bool:
        sending = self._sending
        return sending is None or sending.senders[code].price(sending.cargo(units)) is not None

    def joined(self, found: _Found, *, fresh: int) -> tuple[Plan, tuple[Move, ...]]:
        """The plan of all open parts after the moves."""
        places = {number: part.warehouse for number, part in self._open.items()}
        units = {number: part.units for number, part in self._open.items()}
        moves: list[Move] = []
        for planned in found.plan.parts:
            assert planned.warehouse is not None  # goods come from somewhere
            number = found.joins.get(planned.warehouse, fresh)
            if number == fresh:
                places[number], units[number] = planned.warehouse, ()
                fresh += 1
            for unit in planned.units:
                moves.append(Move(number, planned.warehouse, unit.quantity))
                units[number] = _more(units[number], unit)
        parts = [
            PlannedPart(part=number, warehouse=places[number], units=units[number])
            for number in units
        ]
        if self._sending:
            parts = [self._sending.shipped(part) for part in parts]
        costs = _costs(found.plan.costs, parts)
        return found.plan.model_copy(update={"parts": tuple(parts), "costs": costs}), tuple(moves)


def _costs(costs: PlanCosts | None, parts: Sequence[PlannedPart]) -> PlanCosts | None:
    """What all open parts cost now, and with the alternatives, which differ in some of them."""
    sent = [part.shipping.total_fen for part in parts if part.shipping]
    if costs is None or len(sent) < len(parts):
        return None
    others = sum(sent) - costs.total_fen
    fens = tuple([fen + others for fen in costs.alternatives_fen])
    return PlanCosts(total_fen=sum(sent), alternatives_fen=fens)


def _more(units: tuple[Allocation, ...], one: Allocation) -> tuple[Allocation, ...]:
    known = sum(unit.quantity for unit in units if unit.line == one.line)
    joined = Allocation(line=one.line, quantity=known + one.quantity)
    return (*(unit for unit in units if unit.line != one.line), joined)
