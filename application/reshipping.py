"""补发 Sending units once more: a linked order at no points, goods reserved first (rules.md 6, 28).

Nothing is counted against the learner's limits and no points move. Wrong goods have the right
ones set aside as soon as their case is opened; exchanges and lost parcels when they are decided.
"""

from collections.abc import Sequence
from datetime import datetime

from application.ordering import existing, linked_orders, must_have_recipient
from application.planning import Goods, goods_of, legs_of, planner_for, why_not
from application.sent_again import went_instead
from application.streams import ITEM, MALL, NETWORK, ORDER, STOCK
from application.unit import Unit
from domain import replacing
from domain.destinations import Destination
from domain.house_rules import HouseRules
from domain.order_facts import OrderLine, Units, Upgrade
from domain.orders import Order
from domain.parts import Replacement
from domain.promising import promised_by
from domain.refusals import NotPossible
from domain.splitting import Plan
from domain.stock import StockReleased, stock_key


def set_aside(
    unit: Unit,
    *,
    number: str,
    units: Sequence[Units],
    case: str,
    rules: HouseRules,
    parcel: str | None = None,
) -> Replacement:
    """Reserve these units' goods once more for a case; done again it is the same reservation.

    They go where their `parcel` goes, or where the one of their part does (O8).

    Raises `OutOfStock` when they are not all there, `NotPossible` where nothing can be sent.
    """
    order = existing(unit, number)
    known = replacing.replacement_of(order, case)
    if known is not None:
        return known
    goods = replacing.sendable(order, units)
    lines = replacing.replacement_lines(order, goods)
    to = _where(unit, order, goods, parcel)
    plan = _plan(unit, order, lines, to=to, rules=rules)
    facts = replacing.reserve(order, goods, number=number, plan=plan, case=case)
    made = replacing.replacement_of(unit.record(ORDER, number, facts), case)
    assert made is not None  # it was recorded just now
    for key, part, quantity in _shelves(order, made):
        sku = key.partition(":")[2]
        reserving = unit.read(STOCK, key).reserve(quantity, sku=sku, order=made.number, part=part)
        unit.record(STOCK, key, reserving)
    return made


def let_go(unit: Unit, *, number: str, case: str, reason: str) -> None:
    """Free what was set aside for a case and not ordered; nothing where there is nothing."""
    order = existing(unit, number)
    facts = replacing.release(order, case=case, reason=reason)
    made = replacing.replacement_of(order, case)
    if not facts or made is None:
        return
    unit.record(ORDER, number, facts)
    for key, part, quantity in _shelves(order, made):
        gone = StockReleased(order=made.number, part=part, quantity=quantity, reason=reason)
        unit.record(STOCK, key, [gone])


def reship(
    unit: Unit,
    *,
    number: str,
    units: Sequence[Units],
    case: str,
    rules: HouseRules,
    parcel: str | None = None,
) -> str:
    """Place the linked order that sends these units once more; returns its number.

    Where others were set aside for the case, they are let go: what is sent is what was decided.
    Raises as `set_aside`; `NotPossible` once the recipient was erased.
    """
    order = existing(unit, number)
    must_have_recipient(unit, order, "reship")
    known = replacing.replacement_of(order, case)
    if known is not None and known.units != replacing.sendable(order, units):
        let_go(unit, number=number, case=case, reason="other units were decided on")
    made = set_aside(unit, number=number, units=units, case=case, parcel=parcel, rules=rules)
    order = existing(unit, number)
    if made.state == "ordered":
        return made.number
    to = _where(unit, order, made.units, parcel)
    legs = legs_of(made.plan.parts, unit.read(NETWORK, MALL), region=to.region, rules=rules)
    facts = replacing.linked_order(
        order,
        number=number,
        replacement=made,
        destination=to,
        promised_by=promised_by(legs, when=unit.happened_at, rules=rules),
        rules=rules,
    )
    unit.record(ORDER, made.number, facts)
    unit.record(ORDER, number, replacing.stand(order, made))
    return made.number


def received_instead(unit: Unit, number: str | None, *, when: datetime, rules: HouseRules) -> None:
    """What was sent once more arrived: the original that it replaces ends with it (rules.md 6)."""
    while number is not None:
        order = existing(unit, number)
        parts = replacing.arrived_instead(order, linked_orders(unit, order))
        facts = [one for part in parts for one in order.receive(part, when=when, rules=rules)]
        if not facts:
            return
        unit.record(ORDER, number, facts, happened_at=when)
        number = order.original


def _where(unit: Unit, order: Order, units: Sequence[Units], parcel: str | None) -> Destination:
    """Where units go once more: to the order's place, or where their parcel went instead (O8)."""
    if order.destination is None:
        raise NotPossible(action="reship", why="the order has no recipient")
    parts = (order.part(one.part) for one in units)
    parcels = [parcel] if parcel else [part.parcel for part in parts if part and part.parcel]
    for one in dict.fromkeys(parcels):
        if (instead := went_instead(unit, one)) is not None:
            return instead
    return order.destination


def _plan(
    unit: Unit,
    order: Order,
    lines: Sequence[OrderLine],
    *,
    to: Destination,
    rules: HouseRules,
) -> Plan:
    """From where the units go once more."""
    if not lines:
        raise NotPossible(action="reship", why="nothing of it can be sent once more")
    planner = planner_for(unit, rules=rules)
    place = planner.place(to.region, to.city)
    goods: list[Goods] = []
    for line in lines:
        terms = unit.read(ITEM, line.sku).terms
        assert terms is not None  # it was ordered before
        goods.append(goods_of(unit, planner, place, line, terms))
    urgent = order.upgrade is Upgrade.EXPRESS
    planned = planner.plan(tuple(goods), place, max_parts=rules.max_parts, urgent=urgent)
    if planned is not None:
        return planned.plan
    raise why_not(goods, [line.sku for line in lines], max_parts=rules.max_parts)[0]


def _shelves(order: Order, made: Replacement) -> list[tuple[str, int, int]]:
    """What each shelf keeps for the linked order: (stock's key, part, quantity)."""
    lines = replacing.replacement_lines(order, made.units)
    return [
        (stock_key(part.warehouse, lines[one.line - 1].sku), part.part, one.quantity)
        for part in made.plan.parts
        if part.warehouse
        for one in part.units
    ]
