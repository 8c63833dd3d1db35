"""支付事实 What happens to the cash of an order: captured once, given back (O5; rules.md 8)."""

from pydantic import AwareDatetime, PositiveInt

from domain.facts import Fact


class PaymentCaptured(Fact, name="orders.PaymentCaptured"):
    """The cash part arrived; one capture an order, whatever the attempts (O5; rules.md 8)."""

    attempt: str
    means: str
    amount_fen: PositiveInt
    paid_at: AwareDatetime


class PaymentFailed(Fact, name="orders.PaymentFailed"):
    """One attempt to pay did not succeed; others may follow until `pay_by`."""

    attempt: str
    cause: str


class CashRefundRequested(Fact, name="orders.CashRefundRequested"):
    """Cash is on its way back: for cancelled units, or paid too late (rules.md 8)."""

    refund: str
    attempt: str
    amount_fen: PositiveInt
    reason: str


class CashRefundConfirmed(Fact, name="orders.CashRefundConfirmed"):
    """The provider says the cash is back."""

    refund: str


class CashRefundFailed(Fact, name="orders.CashRefundFailed"):
    """The provider could not give the cash back; it stays visible until it can."""

    refund: str
    cause: str


class CashRefundAskedAgain(Fact, name="orders.CashRefundAskedAgain"):
    """A refund that failed is on its way once more, under its own id (rules.md 8)."""

    refund: str
