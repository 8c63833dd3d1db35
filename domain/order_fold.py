"""订单折叠 An order's facts folded into what deciding about it needs (O3, S2; rules.md 2, 3)."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, assert_never

from domain.choosing import without
from domain.compliance import is_objection
from domain.course_facts import CourseProgressed, EntitlementGranted, EntitlementRevoked
from domain.lots import refund_shares
from domain.order_facts import (
    AddressChanged,
    CancelledUnitsGivenUp,
    Channel,
    GoodsCameBack,
    LineRated,
    OrderCancelled,
    OrderClosed,
    OrderCompleted,
    OrderExpired,
    OrderFact,
    OrderLinked,
    OrderPlaced,
    OrderSplit,
    PartCompleted,
    PartHandedOver,
    PartPacked,
    PartReceived,
    RefundAllowed,
    RefundDeclined,
    RefundProposed,
    ReplacementOrdered,
    ReplacementReleased,
    ReplacementReserved,
    ReturnEnded,
    State,
    Units,
    UnitsCancelled,
    UnitsFellShort,
    UnitsRefunded,
    UnitsUnderReturn,
    WaitChosen,
    WaitEnded,
)
from domain.orders import Order
from domain.part_fold import (
    fell_short,
    last_number,
    moved,
    paused,
    planned,
    received,
    replanned,
    resumed,
    shipped,
    still_out,
    unacknowledged,
    without_units,
)
from domain.parts import Promise, Replacement
from domain.payment_facts import (
    CashRefundAskedAgain,
    CashRefundConfirmed,
    CashRefundFailed,
    CashRefundRequested,
    PaymentCaptured,
    PaymentFailed,
)
from domain.promise_facts import LatenessExcused, LatenessMadeGood, SendingDelayed
from domain.release_facts import (
    AddressAcknowledged,
    CancellationOvertaken,
    CancelledUnitsSent,
    OrderApproved,
    OrderRejected,
    PartEntrusted,
    PartMoved,
    PartPicked,
    PartReleased,
    PartUnpacked,
    ReviewReason,
    ReviewRequired,
    UnitsCancelling,
    WaitMoved,
)
from domain.splitting import Allocation
from domain.window_facts import WindowPaused, WindowResumed

ABOUT_ADDRESSES = frozenset({ReviewReason.ADDRESS_DOUBTFUL, ReviewReason.SHARED_ADDRESS})
"""Reasons that hold for an address, and not for the one that comes after it (rules.md 26)."""
OUTSIDE = (Channel.SHOP, Channel.PARTNER)
"""Where orders come from that were paid for elsewhere (G3)."""


def _readdressed(order: Order, fact: AddressChanged) -> Order:
    """The order with its new address: what a human said of the old one holds for it alone (O7).

    What is asked because many send to the old one is asked about the new one; what is asked because
    it goes abroad stays: the country is the same (T7).
    """
    order = replace(
        order,
        destination=fact.destination,
        parts=unacknowledged(order),
        promise=_settled(order),  # points were promised for the old one (rules.md 10)
    )
    if fact.doubts is None:
        return order
    doubtful = ReviewReason.ADDRESS_DOUBTFUL
    return replace(
        order,
        doubts=tuple(one for one in order.doubts if is_objection(one)),
        review=tuple(one for one in order.review if one is not doubtful),
        reviewed=tuple(one for one in order.reviewed if one not in ABOUT_ADDRESSES),
    )


def _others(order: Order, parts: set[int]) -> tuple[UnitsCancelling, ...]:
    return tuple(one for one in order.cancelling if one.part not in parts)


def _not_cancelled(order: Order, gone: Sequence[Units]) -> tuple[UnitsCancelling, ...]:
    """What third parties still have to acknowledge, once these units are cancelled."""
    taken: dict[tuple[int, int], int] = {}
    for unit in gone:
        taken[unit.part, unit.line] = taken.get((unit.part, unit.line), 0) + unit.quantity
    left: list[UnitsCancelling] = []
    for one in order.cancelling:
        units: list[Allocation] = []
        for asked in one.units:
            less = min(asked.quantity, taken.get((one.part, asked.line), 0))
            taken[one.part, asked.line] = taken.get((one.part, asked.line), 0) - less
            if less < asked.quantity:
                units.append(Allocation(line=asked.line, quantity=asked.quantity - less))
        if units:
            left.append(one.model_copy(update={"units": tuple(units)}))
    return tuple(left)


def _strays_elsewhere(order: Order, parcel: str) -> tuple[CancelledUnitsSent, ...]:
    return tuple(one for one in order.strays if one.parcel != parcel)


def _refund_is(order: Order, refund: str, status: str) -> tuple[tuple[str, str], ...]:
    return tuple((known, status if known == refund else was) for known, was in order.refunds)


def _replacement_is(
    order: Order, number: str, state: Literal["released", "ordered"]
) -> tuple[Replacement, ...]:
    return tuple(
        replace(one, state=state) if one.number == number else one for one in order.replacements
    )


def _settled(order: Order) -> Promise | None:
    """The promise, of which no points follow any more."""
    return None if order.promise is None else order.promise._replace(points=0)


def _told(order: Order, fact: SendingDelayed) -> Promise | None:
    return None if order.promise is None else order.promise._replace(told=fact.promised_by)


def _promise_after(order: Order, fact: PartReceived) -> Promise | None:
    """The promise, broken where a parcel came later; courses are none (rules.md 7)."""
    promise, part = order.promise, order.part(fact.part)
    if promise is None or part is None or part.warehouse is None:
        return promise
    return promise._replace(broken=promise.broken or fact.received_at > promise.by)


def evolve(order: Order, fact: OrderFact) -> Order:
    """The order after one more fact."""
    match fact:
        case OrderPlaced():
            return Order(
                learner=fact.learner,
                lines=fact.lines,
                parts=planned(fact.plan),
                last_part=last_number(fact.plan),
                lots=fact.lots,
                freight_fen=fact.freight_fen,
                cash_fen=fact.cash_fen + fact.freight_fen,
                pay_by=fact.pay_by,
                paid=fact.pay_by is None,
                promise=Promise(fact.promised_by, fact.late_points),
                destination=fact.destination,
                outside=fact.channel in OUTSIDE,
                upgrade=fact.upgrade,
                channel=fact.channel,
            )
        case PaymentCaptured():
            return replace(
                order, paid=True, payment=fact.attempt, attempts=(*order.attempts, fact.attempt)
            )
        case PaymentFailed():
            return replace(order, failed=(*order.failed, fact.attempt))
        case CashRefundRequested():
            attempts = order.attempts
            if fact.attempt not in attempts:
                attempts = (*attempts, fact.attempt)
            return replace(
                order, attempts=attempts, refunds=(*order.refunds, (fact.refund, "requested"))
            )
        case CashRefundConfirmed():
            return replace(order, refunds=_refund_is(order, fact.refund, "confirmed"))
        case CashRefundFailed():
            return replace(order, refunds=_refund_is(order, fact.refund, "failed"))
        case CashRefundAskedAgain():
            return replace(order, refunds=_refund_is(order, fact.refund, "requested"))
        case AddressChanged():
            return _readdressed(order, fact)
        case OrderSplit():
            last = max(order.last_part, last_number(fact.plan))
            promise = order.promise
            if promise is not None and fact.promised_by is not None:
                promise = promise._replace(anew=fact.promised_by)
            parts = replanned(order, fact.plan)
            return replace(order, parts=parts, last_part=last, promise=promise)
        case UnitsFellShort():
            last = max(order.last_part, fact.waiting_part)
            return replace(order, parts=fell_short(order, fact), last_part=last)
        case WaitChosen():
            return replace(order, parts=moved(order, fact.part, waits="stock"))
        case WaitEnded():
            return replace(order, parts=moved(order, fact.part, waits=None))
        case ReviewRequired():
            doubts = (*order.doubts, *fact.details)
            review = tuple(dict.fromkeys((*order.review, *fact.reasons)))
            told = (*order.taken_back, *fact.lots)
            return replace(order, review=review, doubts=doubts, taken_back=told)
        case OrderApproved() | OrderRejected():
            looked_at = (*order.reviewed, *fact.reasons)
            return replace(order, review=(), doubts=(), reviewed=looked_at)
        case PartReleased():
            parts = moved(order, fact.part, planned=fact.parcel, hand_over_by=fact.hand_over_by)
            return replace(order, parts=parts)
        case PartMoved():
            return replace(order, parts=moved(order, fact.part, planned=fact.parcel))
        case PartPicked() | PartPacked():
            return replace(order, parts=moved(order, fact.part, parcel=fact.parcel))
        case PartUnpacked():
            kept = moved(
                order,
                fact.part,
                parcel=None,
                planned=None,
                hand_over_by=None,
                address_pending=False,
            )
            return replace(order, parts=kept)
        case WaitMoved():
            return order
        case AddressAcknowledged():
            return replace(order, parts=moved(order, fact.part, address_pending=False))
        case PartEntrusted():
            return replace(order, parts=moved(order, fact.part, entrusted=True))
        case UnitsCancelling():
            return replace(order, cancelling=(*order.cancelling, fact))
        case CancellationOvertaken():
            return replace(order, cancelling=_others(order, {fact.part}))
        case CancelledUnitsSent():
            sent = [
                Units(part=fact.part, line=one.line, quantity=one.quantity) for one in fact.units
            ]
            known = order.part(fact.part)
            left = () if known is None else known.sent
            parts = moved(order, fact.part, parcel=fact.parcel, sent=(*left, *fact.units))
            strays = (*order.strays, fact)
            return replace(order, parts=parts, out=(*order.out, *sent), strays=strays)
        case PartHandedOver():
            return replace(order, parts=shipped(order, fact.part))
        case PartReceived():
            return replace(order, parts=received(order, fact), promise=_promise_after(order, fact))
        case EntitlementGranted():
            return replace(order, parts=moved(order, fact.part, shipped=True))
        case CourseProgressed():
            courses = tuple(known for known in order.progress if known[0] != fact.line)
            noted = (fact.line, fact.percent, fact.refundable_under)
            return replace(order, progress=(*courses, noted))
        case EntitlementRevoked():
            return order
        case UnitsCancelled():
            return replace(
                order,
                parts=without_units(order, fact.units, State.CANCELLED),
                lots=refund_shares(order.lots, fact.points)[1],
                cash_fen=order.cash_fen - fact.cash_fen,
                cancelling=_not_cancelled(order, fact.units),
            )
        case UnitsRefunded():
            return replace(
                order,
                parts=without_units(order, fact.units, State.CLOSED),
                lots=refund_shares(order.lots, fact.points + fact.points_kept)[1],
                cash_fen=order.cash_fen - fact.cash_fen - fact.cash_fen_kept,
                out=(*order.out, *([] if fact.goods_back else still_out(order, fact.units))),
                home=tuple(without(order.home, fact.units)),
            )
        case RefundProposed():
            return replace(order, proposed=(*order.proposed, fact))
        case RefundAllowed() | RefundDeclined():
            waiting = tuple(one for one in order.proposed if one.approval != fact.approval)
            return replace(order, proposed=waiting)
        case GoodsCameBack():
            return replace(
                order,
                out=tuple(without(order.out, fact.units)),
                home=(*order.home, *without(fact.units, order.out)),
                strays=_strays_elsewhere(order, fact.parcel),
            )
        case CancelledUnitsGivenUp():
            return replace(order, strays=_strays_elsewhere(order, fact.parcel))
        case LineRated():
            return replace(order, ratings=(*order.ratings, fact))
        case UnitsUnderReturn():
            return replace(order, returning=(*order.returning, fact), returns=order.returns + 1)
        case ReturnEnded():
            others = tuple(one for one in order.returning if one.by != fact.by)
            return replace(order, returning=others)
        case PartCompleted():
            return replace(order, parts=moved(order, fact.part, state=State.COMPLETED))
        case OrderCancelled():
            return replace(order, ended=State.CANCELLED, visible_until=fact.visible_until)
        case OrderClosed():
            return replace(order, ended=State.CLOSED, visible_until=fact.visible_until)
        case OrderCompleted():
            return replace(order, ended=State.COMPLETED, visible_until=fact.visible_until)
        case OrderExpired():
            return replace(order, ended=State.EXPIRED)
        case WindowPaused():
            return replace(order, parts=paused(order, fact))
        case WindowResumed():
            return replace(order, parts=resumed(order, fact))
        case ReplacementReserved():
            new = Replacement(fact.replacement, fact.units, fact.plan, fact.case)
            return replace(order, replacements=(*order.replacements, new))
        case ReplacementReleased():
            gone = _replacement_is(order, fact.replacement, "released")
            return replace(order, replacements=gone)
        case ReplacementOrdered():
            stands = _replacement_is(order, fact.replacement, "ordered")
            return replace(order, replacements=stands)
        case OrderLinked():
            return replace(order, original=fact.original, replaces=fact.units)
        case LatenessMadeGood() | LatenessExcused():
            return replace(order, promise=_settled(order))
        case SendingDelayed():
            return replace(order, promise=_told(order, fact))
        case _:
            assert_never(fact)
