"""退还链 Refunds that reach the originals of what is replaced: their points are the real ones (D4).

A linked order costs nothing: who gives back, or never got, its goods gets back what the first
order of the chain cost, once.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from application.ordering import existing, refund_order
from application.unit import Unit
from domain.house_rules import HouseRules
from domain.order_facts import Fault, Units, UnitsRefunded
from domain.orders import Order
from domain.refunding import refund_units


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


def levels(
    unit: Unit, number: str, units: Sequence[Units], *, parts: Collection[int]
) -> list[Level]:
    """The order, and the originals of what it replaces, the first one last."""
    order = existing(unit, number)
    found = [Level(number, order, tuple(units), frozenset(parts))]
    while order.original is not None:
        before = frozenset(one.part for one in order.replaces)
        wanted = by_sku(order, found[-1].units)
        number, order = order.original, existing(unit, order.original)
        found.append(Level(number, order, order.refundable(wanted, parts=before), before))
    return found


def worth(
    unit: Unit, chain: Sequence[Level], terms: Terms, *, rules: HouseRules
) -> tuple[int, int]:
    """(points, fen) that would go back, by the same rules that then refund."""
    points = fen = 0
    for level in chain:
        refunded = refund_units(
            level.order,
            level.units,
            fault=terms.fault,
            reason=terms.reason,
            goods_back=terms.goods_back,
            refund="",
            when=unit.now,
            rules=rules,
            kept=_kept(chain, level, terms),
        )
        for fact in refunded:
            if isinstance(fact, UnitsRefunded):
                points, fen = points + fact.points, fen + fact.cash_fen
    return points, fen


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
            rules=rules,
        )


def by_sku(order: Order, units: Sequence[Units]) -> list[tuple[str, int]]:
    """Units as callers name them."""
    return [(order.line(one.line).sku, one.quantity) for one in units]


def _kept(chain: Sequence[Level], level: Level, terms: Terms) -> tuple[int, int]:
    return terms.kept if level is chain[-1] else (0, 0)
