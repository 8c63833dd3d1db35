"""退还链 Refunds that reach the originals of what is replaced: their points are the real ones (D4).

A linked order costs nothing: who gives back, gives up, or never got, its goods gets back what the
first order of the chain cost, once.
"""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from application.ordering import cancel_order, cancel_units_now, existing, refund_order
from application.unit import Unit
from domain.house_rules import HouseRules
from domain.order_facts import Fault, OrderFact, Units, UnitsRefunded
from domain.orders import Order
from domain.refunding import refund_units
from domain.release_facts import UnitsCancelling
from domain.replanning import given_up


class Level(NamedTuple):
    """An order that a refund reaches: the one it is asked of, and those whose units it replaces."""

    number: str
    order: Order
    units: tuple[Units, ...]
    parts: frozenset[int]


class Terms(NamedTuple):
    """Why and how units are refunded."""

    fault: Fault
    reason: str
    goods_back: bool = False
    kept: tuple[int, int] = (0, 0)
    """Points and fen of the first order's price that pay the way back (D3)."""
    came_in: bool = False
    """Their parcel is in the house: they are paid back though a decision waits about them (D4)."""


def levels(
    unit: Unit, number: str, units: Sequence[Units], *, parts: Collection[int]
) -> list[Level]:
    """The order, and the originals of what it replaces, the first one last."""
    order = existing(unit, number)
    first = Level(number, order, tuple(units), frozenset(parts))
    return [first, *originals(partial(existing, unit), order, units)]


def originals(read: Callable[[str], Order], order: Order, units: Sequence[Units]) -> list[Level]:
    """The originals of these units of an order that replaces some, the first one last."""
    found: list[Level] = []
    while order.original is not None:
        before = frozenset(one.part for one in order.replaces)
        wanted = by_sku(order, units)
        number, order = order.original, read(order.original)
        units = order.refundable(wanted, parts=before)
        found.append(Level(number, order, tuple(units), before))
    return found


def worth(
    unit: Unit, chain: Sequence[Level], terms: Terms, *, rules: HouseRules
) -> tuple[int, int]:
    """(points, fen) that would go back, by the same rules that then refund."""
    points = fen = 0
    for fact in foretold(chain, terms, when=unit.now, rules=rules):
        if isinstance(fact, UnitsRefunded):
            points, fen = points + fact.points, fen + fact.cash_fen
    return points, fen


def foretold(
    chain: Sequence[Level], terms: Terms, *, when: datetime, rules: HouseRules
) -> list[OrderFact]:
    """The facts of a refund at every level, by the rules that then refund."""
    return [
        fact
        for level in chain
        for fact in refund_units(
            level.order,
            level.units,
            fault=terms.fault,
            reason=terms.reason,
            goods_back=terms.goods_back,
            refund="",
            when=when,
            rules=rules,
            kept=_kept(chain, level, terms),
        )
    ]


def give_up_missing(
    unit: Unit, *, number: str, part: int | None, rules: HouseRules
) -> dict[str, Any]:
    """The learner has the units refunded that no warehouse found (rules.md 1; D4)."""
    units = given_up(existing(unit, number), part)
    reason = "not in stock"
    chain = _given_up(unit, number, units)
    done = cancel_units_now(unit, number=number, units=units, reason=reason, rules=rules)
    return _and_originals(unit, done, chain, reason=reason, rules=rules)


def stop_order(
    unit: Unit,
    *,
    number: str,
    reason: str,
    rules: HouseRules,
    wanted: Sequence[tuple[str, int]] | None = None,
) -> dict[str, Any]:
    """Cancel what was not handed over of an order that staff stop, and pay back what it cost (O7).

    All of it, or as (sku, quantity) what is `wanted`; what it replaces is paid back, too (O8).

    What a third party has is cancelled once it acknowledges, and what that replaces is paid back
    in that commit (rules.md 5; `cancel_acknowledged`).
    """
    units = existing(unit, number).cancellable(wanted)
    done = cancel_order(
        unit, number=number, wanted=wanted, reason=reason, rules=rules, stopped=True
    )
    here = [one for one in units if one.part not in done.get("cancelling", ())]
    chain = _given_up(unit, number, here)
    return _and_originals(unit, done, chain, reason=reason, rules=rules)


def cancel_acknowledged(
    unit: Unit, *, number: str, units: Sequence[Units], asked: UnitsCancelling, rules: HouseRules
) -> None:
    """Cancel units that a third party will not send, as was asked of it (rules.md 5).

    Where staff stopped the order, what these units replace is paid back at its originals, as if
    the units had been in the house (D4).
    """
    chain = _given_up(unit, number, units) if asked.stopped else []
    done = cancel_units_now(unit, number=number, units=units, reason=asked.reason, rules=rules)
    _and_originals(unit, done, chain, reason=asked.reason, rules=rules)


def given_up_for(reason: str) -> Terms:
    """The terms for units that the mall was to send once more: that it cannot is its own fault."""
    return Terms(Fault.MISSING_PARTS, reason)


def _given_up(unit: Unit, number: str, units: Sequence[Units]) -> list[Level]:
    order = existing(unit, number)
    return originals(partial(existing, unit), order, units) if units else []


def _and_originals(
    unit: Unit, done: dict[str, Any], chain: Sequence[Level], *, reason: str, rules: HouseRules
) -> dict[str, Any]:
    """Pay back what the originals of given up units cost: nothing is sent for them any more."""
    if not chain:
        return done
    terms = given_up_for(reason)
    points, _ = worth(unit, chain, terms, rules=rules)
    refund(unit, chain, terms, rules=rules)
    return {**done, "points": done["points"] + points}


def refund(unit: Unit, chain: Sequence[Level], terms: Terms, *, rules: HouseRules) -> None:
    """Refund the units at every level; what came back is the first level's goods alone."""
    for level in chain:
        refund_order(
            unit,
            number=level.number,
            wanted=by_sku(level.order, level.units),
            parts=level.parts,
            fault=terms.fault,
            reason=terms.reason,
            goods_back=terms.goods_back and level is chain[0],
            kept=_kept(chain, level, terms),
            came_in=terms.came_in,
            rules=rules,
        )


def by_sku(order: Order, units: Sequence[Units]) -> list[tuple[str, int]]:
    """Units as callers name them."""
    return [(order.line(one.line).sku, one.quantity) for one in units]


def _kept(chain: Sequence[Level], level: Level, terms: Terms) -> tuple[int, int]:
    return terms.kept if level is chain[-1] else (0, 0)
