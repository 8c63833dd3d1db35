"""课程 Courses of an order: granted once it is paid, kept from a share of them on (rules.md 7)."""

from datetime import datetime

from domain.course_facts import CourseProgressed, EntitlementGranted
from domain.house_rules import HouseRules
from domain.order_facts import OrderFact, State
from domain.orders import Order
from domain.refusals import NotPossible


def grant_courses(order: Order, *, when: datetime, rules: HouseRules) -> list[OrderFact]:
    """Grant every course of a paid order; its service window starts at once (rules.md 7)."""
    facts: list[OrderFact] = []
    for part in order.parts if order.paid and order.ended is None else ():
        if part.warehouse is not None or part.state is not State.PENDING_SHIPMENT:
            continue
        facts += [
            EntitlementGranted(
                part=part.number,
                line=unit.line,
                sku=order.line(unit.line).sku,
                quantity=unit.quantity,
            )
            for unit in part.units
        ]
        facts += order.receive(part.number, when=when, rules=rules)
    return facts


def note_progress(order: Order, sku: str, percent: int, *, rules: HouseRules) -> list[OrderFact]:
    """What the learning platform says of a course; the same again changes nothing (7)."""
    found = next(
        (
            (part, unit)
            for part in order.parts
            for unit in part.units
            if part.warehouse is None and order.line(unit.line).sku == sku
        ),
        None,
    )
    if found is None:
        raise NotPossible(action="note_progress", why=f"the order has no course {sku}")
    part, unit = found
    if not part.shipped:
        raise NotPossible(action="note_progress", why=f"the course {sku} was not granted yet")
    limit = rules.course_refund_percent
    if (unit.line, percent, limit) in order.progress:
        return []
    return [
        CourseProgressed(
            part=part.number, line=unit.line, sku=sku, percent=percent, refundable_under=limit
        )
    ]
