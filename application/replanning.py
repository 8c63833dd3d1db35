"""改派 What happens when a warehouse does not find what it reserved (C3, S1; rules.md 1)."""

from datetime import datetime
from typing import Any

from application.merging import choose_anew
from application.ordering import existing, leave_empty_parcels
from application.planning import legs_of, planner_for
from application.refund_chain import give_up_missing
from application.streams import ITEM, MALL, NETWORK, ORDER, STOCK
from application.unit import Unit
from domain import replanning
from domain.catalogue import Terms
from domain.house_rules import HouseRules
from domain.order_facts import OrderSplit, Upgrade, customer_status
from domain.orders import Order
from domain.promising import promised_by
from domain.refusals import NotFound
from domain.replanning import Free, Replanned
from domain.splitting import Sending
from domain.stock import StockReleased, stock_key


def short_pick(
    unit: Unit,
    *,
    order: str,
    part: int,
    sku: str,
    found: int,
    reason: str,
    rules: HouseRules,
) -> dict[str, Any]:
    """Fewer units were found than are reserved: the shelf is corrected, the rest planned anew.

    A picker who finds too few found all there is, so nothing stays free on that shelf. What
    another warehouse has is reserved there in the same commit; what nobody has waits.
    """
    state = existing(unit, order)
    line = next((line.line for line in state.lines if line.sku == sku), None)
    short = state.part(part)
    if line is None or short is None or short.warehouse is None:
        raise NotFound(what="item")
    missing = replanning.missing_units(state, part, line, found=found)
    key = stock_key(short.warehouse, sku)
    released = StockReleased(order=order, part=part, quantity=missing, reason=reason)
    shelf = unit.record(STOCK, key, [released])
    unit.record(STOCK, key, shelf.exhaust(source="picking", reason=reason))
    free, sending = _elsewhere(unit, state, line, rules=rules)
    planned = replanning.short_pick(
        state,
        part,
        line,
        missing=missing,
        free=free,
        max_parts=rules.max_parts,
        reason=reason,
        sending=sending,
    )
    _apply(unit, order, sku, planned, rules=rules)
    moved = [move._asdict() for move in planned.moves]
    there = sum(move.quantity for move in planned.moves)
    return {"order": order, "part": part, "found": found, "moved": moved, "waits": missing - there}


def choose_to_wait(unit: Unit, *, number: str, part: int | None, rules: HouseRules) -> Order:
    """The learner waits for the units that nobody found (rules.md 1)."""
    order = existing(unit, number)
    facts = replanning.choose_to_wait(order, part, max_parts=rules.max_parts)
    return unit.record(ORDER, number, facts)


def choose(
    unit: Unit, *, number: str, part: int | None, wait: bool, rules: HouseRules
) -> dict[str, Any]:
    """What the learner chose for missing units: wait, or have them refunded (rules.md 1)."""
    if not wait:
        return give_up_missing(unit, number=number, part=part, rules=rules)
    after = choose_to_wait(unit, number=number, part=part, rules=rules)
    return {"number": number, "status": customer_status(after.state)}


def send_what_waited(
    unit: Unit, *, number: str, part: int, rules: HouseRules
) -> dict[str, Any] | None:
    """Reserve what came for a waiting part; None while there is not enough (rules.md 1)."""
    order = existing(unit, number)
    waiting = order.part(part)
    if waiting is None or not waiting.waits or not waiting.live:
        return {"number": number, "part": part, "moved": []}
    line = waiting.units[0].line
    free, sending = _elsewhere(unit, order, line, rules=rules)
    planned = replanning.end_wait(
        order,
        part,
        free=free,
        max_parts=rules.max_parts,
        reason="stock received",
        sending=sending,
    )
    if not planned.moves:
        return None
    by = _arrive_by(unit, order, planned, rules=rules)
    planned = replanning.promised_anew(order, part, planned, by=by)
    _apply(unit, number, order.line(line).sku, planned, rules=rules)
    return {"number": number, "part": part, "moved": [move._asdict() for move in planned.moves]}


def _elsewhere(
    unit: Unit, order: Order, line: int, *, rules: HouseRules
) -> tuple[list[Free], Sending | None]:
    """What each warehouse that may send it has free of a line, and what parcels cost from there."""
    planner = planner_for(unit, rules=rules)
    assert order.destination is not None  # goods go somewhere
    place = planner.place(order.destination.region, order.destination.city)
    terms = {one.line: _terms(unit, one.sku) for one in order.lines}
    sku = order.line(line).sku
    free = [
        Free(code, unit.read(STOCK, stock_key(code, sku)).offered)
        for code in planner.serving(place, terms[line]).codes
    ]
    live = [one for part in order.parts for one in part.units]
    urgent = order.upgrade is Upgrade.EXPRESS
    return free, planner.sending(live, terms, place, urgent=urgent)


def _arrive_by(unit: Unit, order: Order, planned: Replanned, *, rules: HouseRules) -> datetime:
    """When the parcels that take the units which waited should have arrived (rules.md 10)."""
    assert order.destination is not None  # goods go somewhere
    taking = {move.part for move in planned.moves}
    parts = [
        part
        for one in planned.facts
        if isinstance(one, OrderSplit)
        for part in one.plan.parts
        if part.part in taking
    ]
    legs = legs_of(parts, unit.read(NETWORK, MALL), region=order.destination.region, rules=rules)
    urgent = order.upgrade is not None
    return promised_by(legs, when=unit.happened_at, rules=rules, urgent=urgent)


def _terms(unit: Unit, sku: str) -> Terms:
    terms = unit.read(ITEM, sku).terms
    assert terms is not None  # it was ordered
    return terms


def _apply(unit: Unit, number: str, sku: str, planned: Replanned, *, rules: HouseRules) -> None:
    for move in planned.moves:
        key = stock_key(move.warehouse, sku)
        reserving = unit.read(STOCK, key).reserve(
            move.quantity, sku=sku, order=number, part=move.part
        )
        unit.record(STOCK, key, reserving)
    before = unit.read(ORDER, number)
    after = unit.record(ORDER, number, planned.facts)
    leave_empty_parcels(unit, before, after, reason="not in stock")
    for part in after.parts:
        if part.planned and part.to_be_sent and not part.parcel:
            choose_anew(unit, part.planned, rules=rules)
