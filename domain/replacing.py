"""补发 Replacements: units sent once more as a linked order at no points (rules.md 6, 28).

The original never regresses. What is set aside at once (wrong goods) and what is ordered later
are the same: goods are reserved for the linked order, which then stands or lets them go.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from domain.catalogue import Kind
from domain.choosing import Kept, without
from domain.destinations import Destination
from domain.house_rules import HouseRules
from domain.order_facts import (
    OrderFact,
    OrderLine,
    OrderLinked,
    OrderPlaced,
    ReplacementOrdered,
    ReplacementReleased,
    ReplacementReserved,
    State,
    Units,
)
from domain.orders import Order
from domain.parts import Replacement, units_of
from domain.refusals import NotPossible
from domain.splitting import Plan


def replacement_number(number: str, order: Order) -> str:
    """The number of the next linked order: `N-R1`, `N-R2`, …"""
    return f"{number}-R{len(order.replacements) + 1}"


def replacement_of(order: Order, case: str) -> Replacement | None:
    """What is set aside or ordered for a case; what was let go does not count."""
    found = (one for one in order.replacements if one.case == case and one.state != "released")
    return next(found, None)


def sendable(order: Order, units: Sequence[Units]) -> tuple[Units, ...]:
    """What of these units travels in parcels."""
    return tuple(one for one in units if order.line(one.line).kind is not Kind.COURSE)


def linked_number(number: str, order: Order, units: Sequence[Units], *, case: str) -> str:
    """The number of the order that would send these units for a case.

    What was set aside for other units is let go first: it never becomes an order.
    """
    known = replacement_of(order, case)
    if known is None or (known.state == "reserved" and known.units != sendable(order, units)):
        return replacement_number(number, order)
    return known.number


def replacement_lines(order: Order, units: Sequence[Units]) -> tuple[OrderLine, ...]:
    """The linked order's lines: what is replaced, at no price and without any limit."""
    wanted: dict[int, int] = {}
    for one in units:
        wanted[one.line] = wanted.get(one.line, 0) + one.quantity
    return tuple(
        OrderLine(
            line=place,
            sku=order.line(line).sku,
            name=order.line(line).name,
            specification=order.line(line).specification,
            kind=order.line(line).kind,
            quantity=quantity,
            unit_points=0,
        )
        for place, (line, quantity) in enumerate(wanted.items(), start=1)
    )


def reserve(
    order: Order, units: Sequence[Units], *, number: str, plan: Plan, case: str
) -> list[OrderFact]:
    """Set goods aside for a case, once."""
    if replacement_of(order, case) is not None:
        return []
    if not units:
        raise NotPossible(action="reship", why="nothing of it can be sent once more")
    fact = ReplacementReserved(
        replacement=replacement_number(number, order), units=tuple(units), plan=plan, case=case
    )
    return [fact]


def release(order: Order, *, case: str, reason: str) -> list[OrderFact]:
    """Let go of what was set aside for a case and not ordered."""
    found = replacement_of(order, case)
    if found is None or found.state != "reserved":
        return []
    return [ReplacementReleased(replacement=found.number, reason=reason)]


def sent_once_more(order: Order, linked: Mapping[str, Order]) -> list[Kept]:
    """The order's units that its linked orders send, or sent, in their place (D4).

    What was given up there is free again here: nobody gets both, and nobody neither.
    """
    found: list[Kept] = []
    for made in order.replacements:
        there = linked.get(made.number)
        if made.state != "ordered" or there is None:
            continue
        lines = dict.fromkeys(one.line for one in made.units)
        left = {line: there.live_units(nth) for nth, line in enumerate(lines, start=1)}
        for one in made.units:
            quantity = min(one.quantity, left[one.line])
            left[one.line] -= quantity
            if quantity:
                name = order.line(one.line).name
                why = f"{name}: {made.number} sends it once more: decide there"
                found.append(Kept(one.model_copy(update={"quantity": quantity}), why))
    return found


def replaced(order: Order, linked: Mapping[str, Order], parts: Collection[int]) -> list[Units]:
    """Units of these parts that linked orders send, or sent, in their place."""
    again = (one.units for one in sent_once_more(order, linked))
    return [one for one in again if one.part in parts]


def still_due(order: Order, linked: Mapping[str, Order], parts: Collection[int]) -> list[Units]:
    """Units of these parts that are to be had, and that nothing else is sent for."""
    live = units_of(part for part in order.parts if part.number in parts)
    return without(live, replaced(order, linked, parts))


def arrived_instead(order: Order, linked: Mapping[str, Order]) -> list[int]:
    """Parts that never came, of which all units arrived in linked orders (rules.md 6)."""
    found: list[int] = []
    for part in order.parts:
        waits = part.live and part.state is State.PENDING_RECEIPT
        if not waits or still_due(order, linked, [part.number]):
            continue
        instead = [
            linked[made.number]
            for made in order.replacements
            if made.number in linked and any(one.part == part.number for one in made.units)
        ]
        live = [one for there in instead for one in there.parts if one.live]
        if all(one.state in (State.PENDING_END, State.COMPLETED) for one in live):
            found.append(part.number)
    return found


def must_not_lose(order: Order) -> None:
    """Refuse a learner who would give up goods and get nothing back: they cost no points here."""
    if order.original is not None:
        raise NotPossible(action="cancel", why=f"it replaces units of {order.original}: ask there")


def stand(order: Order, replacement: Replacement) -> list[OrderFact]:
    """Note on the original that the linked order stands."""
    return [ReplacementOrdered(replacement=replacement.number)]


def linked_order(
    order: Order,
    *,
    number: str,
    replacement: Replacement,
    destination: Destination,
    promised_by: datetime,
    rules: HouseRules,
) -> list[OrderFact]:
    """The first facts of the linked order, at no points."""
    return [
        OrderPlaced(
            learner=order.learner,
            channel=order.channel,
            lines=replacement_lines(order, replacement.units),
            points=0,
            lots=(),
            destination=destination,
            plan=replacement.plan,
            promised_by=promised_by,
            policy=rules.policy,
        ),
        OrderLinked(original=number, units=replacement.units, case=replacement.case),
    ]
