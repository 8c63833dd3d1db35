"""退还 What goes back when units leave an order: points, cash, freight, courses (O8, D3, D4)."""

from collections.abc import Sequence
from datetime import datetime

from domain.catalogue import Kind
from domain.course_facts import EntitlementRevoked
from domain.house_rules import HouseRules
from domain.lots import refund_shares
from domain.order_facts import (
    Fault,
    OrderCancelled,
    OrderClosed,
    OrderCompleted,
    OrderFact,
    State,
    Units,
    UnitsCancelled,
    UnitsRefunded,
)
from domain.orders import Order
from domain.part_fold import still_out
from domain.parts import Part
from domain.payment_facts import CashRefundRequested
from domain.point_facts import LotShare
from domain.refusals import NotPossible


def cancel_units(
    order: Order,
    units: Sequence[Units],
    *,
    reason: str,
    refund: str,
    when: datetime,
    rules: HouseRules,
) -> list[OrderFact]:
    """Take units back before hand-over; the last one gone ends the order (rules.md 3).

    Points go back by the caller's `Account.restore` of the fact's `lots`; cash is requested
    under the id `refund`. A refund never exceeds what is still kept (D4).
    """
    points, fen = order.price(units)
    if not order.paid:
        if not _empties(order, units):
            raise NotPossible(action="cancel", why="an unpaid order is cancelled as a whole")
        fen = 0
    elif not any(part.shipped and part.warehouse for part in order.parts) and not any(
        _left(part, units) for part in order.parts if part.warehouse
    ):
        fen += _freight_kept(order)  # nothing was sent, nothing will be
    else:  # what the mall cannot send is its own fault (rules.md 8)
        waiting = {part.number for part in order.parts if part.waits}
        fen += freight_share(order, [unit for unit in units if unit.part in waiting])
    facts: list[OrderFact] = [
        UnitsCancelled(
            units=tuple(units),
            points=points,
            cash_fen=fen,
            lots=_shares_of(order, points),
            reason=reason,
        ),
        *_cash_back(order, fen, refund, reason),
    ]
    return facts + _ending(order, units, reason, visible_until=when + rules.kept_visible)


def refund_units(
    order: Order,
    units: Sequence[Units],
    *,
    fault: Fault,
    reason: str,
    goods_back: bool,
    refund: str,
    when: datetime,
    rules: HouseRules,
    kept: tuple[int, int] = (0, 0),
) -> list[OrderFact]:
    """Give units back after shipping, by a decision with actor and reason (rules.md 3).

    `kept` is what of their price, in points and fen, pays their way back (D3).
    """
    points, fen = order.price(units)
    points, fen = points - kept[0], fen - kept[1]
    assert points >= 0  # `kept` is of the price
    assert fen >= 0
    fen += freight_back(order, units, fault=fault)
    facts: list[OrderFact] = [
        EntitlementRevoked(
            part=unit.part,
            line=unit.line,
            sku=order.line(unit.line).sku,
            quantity=unit.quantity,
        )
        for unit in units
        if order.line(unit.line).kind is Kind.COURSE
    ]
    facts.append(
        UnitsRefunded(
            units=tuple(units),
            points=points,
            cash_fen=fen,
            lots=_shares_of(order, points),
            fault=fault,
            reason=reason,
            goods_back=goods_back,
            points_kept=kept[0],
            cash_fen_kept=kept[1],
        )
    )
    facts += _cash_back(order, fen, refund, reason)
    return facts + _ending(order, units, reason, visible_until=when + rules.kept_visible)


def must_not_be_under_way(order: Order, units: Sequence[Units]) -> None:
    """Refuse to take goods in, at a desk, that a carrier has still: nobody saw them (D3, C3)."""
    for one in still_out(order, units):
        part = order.part(one.part)
        if part is not None and part.parcel and part.state is State.PENDING_RECEIPT:
            why = f"{part.parcel} is under way: take its goods in there once they are back"
            raise NotPossible(action="refund", why=why)


def on_word(order: Order, units: Sequence[Units]) -> int:
    """What these units are worth in points that are given back on somebody's word alone (A8).

    Also where whoever refunds says that they are back: nobody else has seen them. Not a course,
    which is revoked in the same commit, and not what the house took in.
    """
    return order.price(still_out(order, units))[0]


def freight_back(order: Order, units: Sequence[Units], *, fault: Fault) -> int:
    """What of their freight goes back with these units: mall's or carrier's fault (rules.md 8)."""
    return 0 if fault is Fault.CHANGED_MIND else freight_share(order, units)


def freight_share(order: Order, units: Sequence[Units]) -> int:
    """What these units bear of the freight that the learner paid.

    Each unit of goods bears an equal share, rounded by largest remainder over the lines in their
    fixed order (rules.md 18); so in whatever order units leave, no fen goes back twice (D4).
    """
    lines = [line for line in order.lines if line.kind is not Kind.COURSE]
    total = sum(line.quantity for line in lines)
    if not order.freight_fen or not total:
        return 0
    shares = {line.line: order.freight_fen * line.quantity // total for line in lines}
    missing = order.freight_fen - sum(shares.values())
    lines.sort(key=lambda line: -(order.freight_fen * line.quantity % total))
    for line in lines[:missing]:
        shares[line.line] += 1
    back = 0
    for line in lines:
        leaving = sum(unit.quantity for unit in units if unit.line == line.line)
        gone = line.quantity - order.live_units(line.line)
        share = shares[line.line]
        back += share * (gone + leaving) // line.quantity - share * gone // line.quantity
    return back


def _shares_of(order: Order, points: int) -> tuple[LotShare, ...]:
    back, _ = refund_shares(order.lots, points)
    assert sum(share.points for share in back) == points  # never more than was taken (D4)
    return back


def _left(part: Part, gone: Sequence[Units]) -> int:
    """Units of a part that stay when these are gone."""
    leaving = sum(unit.quantity for unit in gone if unit.part == part.number)
    return sum(unit.quantity for unit in part.units) - leaving


def _empties(order: Order, units: Sequence[Units]) -> bool:
    return not any(_left(part, units) for part in order.parts)


def _freight_kept(order: Order) -> int:
    """Freight that was not given back yet: what is kept beyond the price of live units."""
    live = [
        Units(part=part.number, line=unit.line, quantity=unit.quantity)
        for part in order.parts
        for unit in part.units
    ]
    return order.cash_fen - order.price(live)[1]


def _cash_back(order: Order, fen: int, refund: str, reason: str) -> list[OrderFact]:
    if not fen or order.payment is None:
        return []
    return [
        CashRefundRequested(refund=refund, attempt=order.payment, amount_fen=fen, reason=reason)
    ]


def _ending(
    order: Order, units: Sequence[Units], reason: str, *, visible_until: datetime
) -> list[OrderFact]:
    """The end these units' leaving brings: all are gone, or all that stay are completed."""
    if _empties(order, units):
        if any(part.shipped for part in order.parts):
            return [OrderClosed(reason=reason, visible_until=visible_until)]
        return [OrderCancelled(reason=reason, visible_until=visible_until)]
    staying = (part.state for part in order.parts if _left(part, units))
    if order.ended is None and all(state is State.COMPLETED for state in staying):
        return [OrderCompleted(visible_until=visible_until)]
    return []
