"""支付 The cash part of an order: taken once, given back visibly (O5; rules.md 8)."""

from datetime import datetime, timedelta

from domain.order_facts import OrderFact
from domain.orders import Order
from domain.payment_facts import (
    CashRefundAskedAgain,
    CashRefundConfirmed,
    CashRefundFailed,
    CashRefundRequested,
    PaymentCaptured,
    PaymentFailed,
)
from domain.refusals import NotPossible

FIRST_PAUSE = timedelta(minutes=15)
LONGEST_PAUSE = timedelta(hours=24)
TRIES_MAX = 8
"""Asked so often by itself; then it waits for a human, who sees it from the first failure on."""


def capture(
    order: Order, *, attempt: str, means: str, amount_fen: int, paid_at: datetime, refund: str
) -> list[OrderFact]:
    """A payment arrived: captured once; too late or once more, it goes back as `refund` (8)."""
    if attempt in order.attempts:
        return []
    paid = PaymentCaptured(attempt=attempt, means=means, amount_fen=amount_fen, paid_at=paid_at)
    if not order.paid and order.ended is None and amount_fen == order.cash_fen:
        return [paid]
    why = "the order was ended" if order.ended else "the order was paid already"
    if not order.paid and order.ended is None:
        why = f"{order.cash_fen} fen are due, {amount_fen} came"
    return [CashRefundRequested(refund=refund, attempt=attempt, amount_fen=amount_fen, reason=why)]


def fail_payment(order: Order, *, attempt: str, cause: str) -> list[OrderFact]:
    """An attempt failed; others may follow (rules.md 8)."""
    if attempt in order.attempts or attempt in order.failed:
        return []
    return [PaymentFailed(attempt=attempt, cause=cause)]


def settle_refund(order: Order, refund: str, *, cause: str | None) -> list[OrderFact]:
    """The provider answered about a refund: confirmed, or failed with its cause."""
    status = dict(order.refunds).get(refund)
    if status is None:
        raise NotPossible(action="settle_refund", why=f"no refund {refund} was requested")
    if status == "confirmed" or (status == "failed" and cause is not None):
        return []
    if cause is None:
        return [CashRefundConfirmed(refund=refund)]
    return [CashRefundFailed(refund=refund, cause=cause)]


def ask_refund_again(order: Order, refund: str) -> list[OrderFact]:
    """Ask the provider once more for a refund that failed; under way already, nothing changes."""
    status = dict(order.refunds).get(refund)
    if status is None:
        raise NotPossible(action="ask_again", why=f"no refund {refund} was requested")
    if status == "confirmed":
        raise NotPossible(action="ask_again", why=f"the refund {refund} has arrived")
    return [CashRefundAskedAgain(refund=refund)] if status == "failed" else []


def ask_again_after(failures: int) -> timedelta | None:
    """How long after its nth failure a refund is asked for again; None: a human has to."""
    if failures > TRIES_MAX:
        return None
    doubled: int = 2 ** (failures - 1)
    return min(FIRST_PAUSE * doubled, LONGEST_PAUSE)
