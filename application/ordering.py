"""订单处理 What happens to an order after placing: paid, cancelled, refunded, ended (O3–O5, O8)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from application.consigning import cancel_there
from application.issuing import NotYet
from application.merging import live_contents
from application.past_accounts import credit
from application.redeeming import SEATS
from application.sent_again import parcels_sent_again
from application.shelving import shelve
from application.streams import ACCOUNT, DISPUTE, ORDER, PARCEL, STOCK
from application.unit import Unit
from domain import confirming
from domain.choosing import Kept
from domain.courses import grant_courses, note_progress
from domain.disputes import case_id
from domain.house_rules import HouseRules
from domain.order_facts import (
    Fault,
    State,
    Units,
    UnitsCancelled,
    UnitsRefunded,
    customer_status,
)
from domain.orders import Order
from domain.part_fold import still_out
from domain.paying import ask_refund_again, capture, fail_payment, settle_refund
from domain.point_facts import LotShare
from domain.proposed import under_decision
from domain.putting_back import leave_out
from domain.refunding import cancel_units, refund_units
from domain.refusals import NotFound, NotPossible
from domain.replacing import sent_once_more
from domain.returns import under_return
from domain.stock import StockPutBack, StockReleased, stock_key


@dataclass(frozen=True, slots=True)
class Payment:
    """What the payment provider says of one attempt."""

    attempt: str
    means: str
    amount_fen: int
    at: datetime
    cause: str | None = None
    """Why it failed; None: it succeeded."""


def existing(unit: Unit, number: str) -> Order:
    """The order with this number; raises `NotFound`."""
    order = unit.read(ORDER, number)
    if not order.placed:
        raise NotFound(what="order")
    return order


def must_have_recipient(unit: Unit, order: Order, action: str) -> None:
    """Nothing is written down or leaves for somebody who was erased meanwhile (A4)."""
    if unit.read(ACCOUNT, order.learner).status == "erased":
        raise NotPossible(action=action, why="the recipient was erased")


def cancel_order(
    unit: Unit,
    *,
    number: str,
    wanted: Sequence[tuple[str, int]] | None,
    reason: str,
    rules: HouseRules,
    stopped: bool = False,
) -> dict[str, Any]:
    """Cancel units not handed over; points, cash and stock go back at once (O8; rules.md 5).

    What a third party has is cancelled once it acknowledges: `cancelling` names those parts.
    `stopped`: by staff, who have what it replaces paid back as soon as it is (D4).
    """
    order = existing(unit, number)
    units = order.cancellable(wanted)
    here, there = cancel_there(unit, number=number, units=units, reason=reason, stopped=stopped)
    waits = {"cancelling": there} if there else {}
    if not here:
        return {"number": number, "status": customer_status(order.state), "points": 0, **waits}
    done = cancel_units_now(unit, number=number, units=here, reason=reason, rules=rules)
    return {**done, **waits}


def cancel_units_now(
    unit: Unit, *, number: str, units: Sequence[Units], reason: str, rules: HouseRules
) -> dict[str, Any]:
    """Cancel units that nobody else has in hand any more, or never had (rules.md 5)."""
    order = existing(unit, number)
    facts = cancel_units(
        order,
        units,
        reason=reason,
        refund=_refund_id(number, order),
        when=unit.happened_at,
        rules=rules,
    )
    after = unit.record(ORDER, number, facts)
    gone = next(fact for fact in facts if isinstance(fact, UnitsCancelled))
    if not order.paid:
        account = unit.read(ACCOUNT, order.learner)
        back = account.void(number, when=unit.happened_at, rules=rules)
        credit(unit, order.learner, back)
    else:
        _restore(unit, number, order, units, gone.lots, rules=rules)
    _release(unit, number, order, units, reason=reason)
    return {"number": number, "status": customer_status(after.state), "points": gone.points}


def refund_order(
    unit: Unit,
    *,
    number: str,
    wanted: Sequence[tuple[str, int]] | None,
    fault: Fault,
    reason: str,
    goods_back: bool,
    rules: HouseRules,
    parts: Collection[int] | None = None,
    kept: tuple[int, int] = (0, 0),
    came_in: bool = False,
) -> dict[str, Any]:
    """Refund units after shipping, by a decision with its reason (rules.md 3); never twice (D4).

    Units of these `parts` alone, where some are named; none that are sent once more instead, and
    none that a decision waits about, unless their parcel `came_in`: that is never refused.
    Goods that are back are on their shelf again, once; `kept` is what of the price, in points and
    fen, pays their way back (D3).
    """
    order = existing(unit, number)
    elsewhere = given_elsewhere(unit, order) if came_in else kept_units(unit, number, order)
    units = order.refundable(wanted, parts=parts, kept=elsewhere)
    return refund_units_now(
        unit,
        number=number,
        units=units,
        fault=fault,
        reason=reason,
        goods_back=goods_back,
        rules=rules,
        kept=kept,
    )


def refund_units_now(
    unit: Unit,
    *,
    number: str,
    units: Sequence[Units],
    fault: Fault,
    reason: str,
    goods_back: bool,
    rules: HouseRules,
    kept: tuple[int, int] = (0, 0),
) -> dict[str, Any]:
    """Refund exactly these units, which nothing else is under way for, as `refund_order` does."""
    order = existing(unit, number)
    facts = refund_units(
        order,
        units,
        fault=fault,
        reason=reason,
        goods_back=goods_back,
        refund=_refund_id(number, order),
        when=unit.happened_at,
        rules=rules,
        kept=kept,
    )
    after = unit.record(ORDER, number, facts)
    gone = next(fact for fact in facts if isinstance(fact, UnitsRefunded))
    _restore(unit, number, order, units, gone.lots, rules=rules)
    if goods_back:
        shelve(unit, number, still_out(order, units))
    for one in units:
        line = order.line(one.line)
        if line.seats:  # a seat needs nobody to send it back
            seat = StockReleased(order=number, part=one.part, quantity=one.quantity, reason=reason)
            unit.record(STOCK, stock_key(SEATS, line.sku), [seat])
    return {"number": number, "status": customer_status(after.state), "points": gone.points}


def kept_units(unit: Unit, number: str, order: Order) -> list[Kept]:
    """Units of an order that something else is under way for, so nobody gets both (D4).

    Sent once more, to be returned, or named by a decision that waits for its second person.
    """
    # By its parcel, also where its window was over; those that hold one, of whatever parcel.
    parcels = [*(part.parcel for part in order.parts), *parcels_sent_again(unit, number)]
    named = [case_id(number, parcel) for parcel in parcels if parcel]
    held = (by for part in order.parts for by in part.paused_by)
    named += [by.removeprefix(DISPUTE.prefix) for by in held if by.startswith(DISPUTE.prefix)]
    cases = {case: unit.read(DISPUTE, case) for case in dict.fromkeys(named)}
    return [*given_elsewhere(unit, order), *under_decision(order, cases)]


def given_elsewhere(unit: Unit, order: Order) -> list[Kept]:
    """Units that are sent once more, or that an open return is about."""
    return [*sent_once_more(order, linked_orders(unit, order)), *under_return(order)]


def linked_orders(unit: Unit, order: Order) -> dict[str, Order]:
    """The orders that send units of this one once more, by number (rules.md 6)."""
    ordered = [one.number for one in order.replacements if one.state == "ordered"]
    return {number: unit.read(ORDER, number) for number in ordered}


def take_payment(unit: Unit, *, number: str, payment: Payment, rules: HouseRules) -> dict[str, Any]:
    """Take in what the provider says: capture once, anything else goes back by itself (O5)."""
    order = existing(unit, number)
    if payment.cause is not None:
        facts = fail_payment(order, attempt=payment.attempt, cause=payment.cause)
        unit.record(ORDER, number, facts)
        return {"number": number, "status": customer_status(order.state)}
    after = unit.record(
        ORDER,
        number,
        capture(
            order,
            attempt=payment.attempt,
            means=payment.means,
            amount_fen=payment.amount_fen,
            paid_at=payment.at,
            refund=_refund_id(number, order),
        ),
    )
    if after.paid and not order.paid:
        account = unit.read(ACCOUNT, order.learner)
        unit.record(ACCOUNT, order.learner, account.capture(number))
        after = unit.record(ORDER, number, grant_courses(after, when=unit.happened_at, rules=rules))
    return {"number": number, "status": customer_status(after.state)}


def settle_cash_refund(
    unit: Unit, *, number: str, refund: str, cause: str | None
) -> dict[str, Any]:
    """Note the provider's answer to a refund of cash: confirmed, or failed and visible (O5)."""
    order = existing(unit, number)
    after = unit.record(ORDER, number, settle_refund(order, refund, cause=cause))
    return {"number": number, "refund": refund, "state": dict(after.refunds)[refund]}


def ask_cash_refund_again(unit: Unit, *, number: str, refund: str) -> dict[str, Any]:
    """Ask once more for a refund of cash that failed (rules.md 8)."""
    order = existing(unit, number)
    after = unit.record(ORDER, number, ask_refund_again(order, refund))
    return {"number": number, "refund": refund, "state": dict(after.refunds)[refund]}


def note_course_progress(
    unit: Unit, *, number: str, sku: str, percent: int, rules: HouseRules
) -> dict[str, Any]:
    """Note how far a learner is in a course: from a share on it is not refunded (rules.md 7)."""
    order = existing(unit, number)
    unit.record(ORDER, number, note_progress(order, sku, percent, rules=rules))
    return {"number": number, "sku": sku, "percent": percent}


def cancel_unpaid(unit: Unit, *, number: str, rules: HouseRules) -> dict[str, Any]:
    """Cancel an order whose time to pay is over (O4); one that was paid meanwhile stays."""
    order = existing(unit, number)
    if order.state is not State.PENDING_PAYMENT or order.pay_by is None or unit.now < order.pay_by:
        return {"number": number, "status": customer_status(order.state)}
    return cancel_order(unit, number=number, wanted=None, reason="unpaid", rules=rules)


def complete_order(unit: Unit, *, number: str, rules: HouseRules) -> dict[str, Any]:
    """End the service windows that are over (O4)."""
    order = existing(unit, number)
    _must_be_confirmed(unit, order, rules=rules)
    after = unit.record(ORDER, number, order.complete(when=unit.happened_at, rules=rules))
    return {"number": number, "status": customer_status(after.state)}


def _must_be_confirmed(unit: Unit, order: Order, *, rules: HouseRules) -> None:
    """A receipt that no query confirmed, or that fell away, completes nothing yet (rules.md 23)."""
    for part in order.parts:
        if part.live and part.parcel and part.state is State.PENDING_END:
            state = unit.read(PARCEL, part.parcel)
            if not confirming.counts(state, state.track(), rules=rules):
                raise NotYet


def expire_order(unit: Unit, *, number: str) -> dict[str, Any]:
    """Hide an order from its customer, two years after its end (O3)."""
    order = existing(unit, number)
    after = unit.record(ORDER, number, order.expire(when=unit.now))
    return {"number": number, "status": customer_status(after.state)}


def _refund_id(number: str, order: Order) -> str:
    """What no other refund is called: the provider is asked and bills under it (W6).

    Those that were asked for first are called `refund-1` in each order, or `late-` and an attempt.
    """
    return f"{number}-refund-{len(order.refunds) + 1}"


def _restore(
    unit: Unit,
    number: str,
    order: Order,
    units: Sequence[Units],
    lots: Sequence[LotShare],
    *,
    rules: HouseRules,
) -> None:
    account = unit.read(ACCOUNT, order.learner)
    back = account.restore(
        lots, order=number, freed=order.counted(units), when=unit.happened_at, rules=rules
    )
    credit(unit, order.learner, back)


def _release(unit: Unit, number: str, order: Order, units: Sequence[Units], *, reason: str) -> None:
    """Free what was promised, and unpack what is empty then (rules.md 5)."""
    free_units(unit, number, order, units, reason=reason)
    leave_empty_parcels(unit, order, unit.read(ORDER, number), reason=reason)


def free_units(
    unit: Unit, number: str, order: Order, units: Sequence[Units], *, reason: str
) -> None:
    """Free what `order` has promised; what was picked goes back to its shelf (rules.md 5)."""
    in_boxes: dict[str, list[Units]] = {}
    for one in units:
        line, part = order.line(one.line), order.part(one.part)
        if part is None or part.waits or not (part.warehouse or line.seats):
            continue
        if part.parcel and not part.entrusted:  # a third party says itself what it took out
            in_boxes.setdefault(part.parcel, []).append(one)
        fact = (
            StockPutBack(order=number, part=one.part, quantity=one.quantity)
            if part.parcel
            else StockReleased(order=number, part=one.part, quantity=one.quantity, reason=reason)
        )
        unit.record(STOCK, stock_key(part.warehouse or SEATS, line.sku), [fact])
    for parcel, left in in_boxes.items():
        unit.record(PARCEL, parcel, leave_out(number, left, reason=reason))


def leave_empty_parcels(unit: Unit, before: Order, after: Order, *, reason: str) -> None:
    """Unpack the parcels of parts of which nothing is left to be sent (W1, W5)."""
    for part in before.parts:
        left = after.part(part.number)
        parcel = part.parcel or part.planned
        if parcel and not (left and left.live):
            leave_parcel(unit, parcel, reason=reason)


def leave_parcel(unit: Unit, parcel: str, *, reason: str) -> None:
    """Unpack a parcel in which nothing is left to be sent."""
    state = unit.read(PARCEL, parcel)
    if not live_contents(unit, parcel, state):
        unit.record(PARCEL, parcel, state.dissolve(reason))
