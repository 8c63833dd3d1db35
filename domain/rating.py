"""评价 Ratings of goods and delivery, asked for after completion: one a line, once (O4; T9)."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from domain.catalogue import Kind
from domain.order_facts import LineRated, OrderFact, State
from domain.orders import Order
from domain.refusals import InvalidRequest, NotPossible

STARS = range(1, 6)


class Rating(NamedTuple):
    """What a learner says of a line, in stars from 1 to 5."""

    line: int
    goods: int
    delivery: int | None = None
    """None for a course, which nobody delivers."""


class Delivered(NamedTuple):
    """Who brought a line's units, and from where."""

    carriers: tuple[str, ...] = ()
    warehouses: tuple[str, ...] = ()


def ratable(order: Order) -> list[int]:
    """The lines that are asked about: of a completed order, kept, and not rated yet.

    Raises why there are none.
    """
    if order.state is not State.COMPLETED:
        raise NotPossible(action="rate", why=f"the order is {order.state}")
    kept = [line.line for line in order.lines if order.live_units(line.line)]
    rated = {one.line for one in order.ratings}
    open_ones = [line for line in kept if line not in rated]
    if not open_ones:
        raise NotPossible(action="rate", why="every line was rated")
    return open_ones


def rate(
    order: Order, ratings: Sequence[Rating], *, by_line: Mapping[int, Delivered]
) -> list[OrderFact]:
    """Take what a learner says of some lines; each can be said once (O4)."""
    open_ones = ratable(order)
    if len({one.line for one in ratings}) != len(ratings):
        raise InvalidRequest(field="ratings", reason="named twice")
    facts: list[OrderFact] = []
    for one in ratings:
        if one.line not in range(1, len(order.lines) + 1):
            raise InvalidRequest(field="ratings", reason=f"the order has no line {one.line}")
        if one.line not in open_ones:
            raise NotPossible(action="rate", why=f"line {one.line} was rated or given back")
        line = order.line(one.line)
        if (one.delivery is None) is not (line.kind is Kind.COURSE):
            raise InvalidRequest(field="ratings", reason="goods are delivered, a course is not")
        came = by_line.get(one.line, Delivered())
        facts.append(
            LineRated(
                line=one.line,
                sku=line.sku,
                goods=one.goods,
                delivery=one.delivery,
                carriers=came.carriers,
                warehouses=came.warehouses,
            )
        )
    return facts
