"""审核 Review: which orders a human looks at before release, and what the human decides (O7)."""

from collections.abc import Iterable, Sequence

from domain.compliance import Objection
from domain.house_rules import HouseRules
from domain.order_facts import OrderFact, State
from domain.orders import Order
from domain.refusals import NotPossible, Refusal
from domain.release_facts import OrderApproved, OrderRejected, ReviewReason, ReviewRequired


class NothingToReview(Refusal):
    """The order waits for nobody's review."""

    code = "nothing_to_review"
    en = "The order does not wait for a review."
    zh = "该订单无需审核。"


def reasons_at_placing(
    *, value_fen: int, doubts: Sequence[str], abroad: Sequence[Objection], rules: HouseRules
) -> tuple[ReviewReason, ...]:
    """What placing alone can tell (rules.md 26, T7); the rest is looked up before release."""
    if not (doubts or abroad or rules.review_every_order or value_fen > rules.review_value_fen):
        return ()
    reasons = []
    if doubts:
        reasons.append(ReviewReason.ADDRESS_DOUBTFUL)
    if value_fen > rules.review_value_fen:
        reasons.append(ReviewReason.HIGH_VALUE)
    if rules.review_every_order:
        reasons.append(ReviewReason.EVERY_ORDER)
    return tuple(dict.fromkeys([*reasons, *(one.reason for one in abroad)]))


def require_review(
    order: Order,
    reasons: Iterable[ReviewReason],
    *,
    details: Sequence[str] = (),
    lots: Sequence[str] = (),
    rules: HouseRules,
) -> list[OrderFact]:
    """Send an order to the queue; what a human has looked at once does not come back.

    Points taken back do with each of the `lots` that is taken back (rules.md 17), and what is
    about an address does with the next one. Nothing where nothing is left to be handed over:
    parcels on their way are not called back.
    """
    known = {*order.review, *order.reviewed}
    fresh = tuple(one for one in lots if one not in order.taken_back)
    if fresh:
        known.discard(ReviewReason.POINTS_CLAWED_BACK)
    news = tuple(one for one in reasons if one not in known)
    if not news or not any(part.to_be_sent for part in order.parts):
        return []
    return [ReviewRequired(reasons=news, details=tuple(details), policy=rules.policy, lots=fresh)]


def approve(order: Order, *, note: str) -> list[OrderFact]:
    """Let the order go on."""
    return [OrderApproved(reasons=_waiting(order), note=note)]


def reject(order: Order, *, reason: str) -> list[OrderFact]:
    """Stop the order; the caller cancels its units in the same commit."""
    return [OrderRejected(reasons=_waiting(order), reason=reason)]


def _waiting(order: Order) -> tuple[ReviewReason, ...]:
    if not order.review:
        raise NothingToReview
    if order.ended is not None or order.state is State.PENDING_PAYMENT:
        raise NotPossible(action="review", why=f"the order is {order.state}")
    return order.review
