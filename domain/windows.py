"""服务期 Service windows that stand still while a dispute or a return is open (rules.md 2)."""

from collections.abc import Collection
from datetime import datetime

from domain.order_facts import OrderFact, State
from domain.orders import Order
from domain.parts import Part
from domain.window_facts import WindowPaused, WindowResumed


def pause_windows(
    order: Order, parts: Collection[int], *, by: str, when: datetime
) -> list[OrderFact]:
    """Hold the windows of these parts for a case, also those that begin with a later receipt.

    A window that is over stays so: completed parts are not held.
    """
    return [
        WindowPaused(part=part.number, by=by, paused_at=when)
        for part in order.parts
        if part.number in parts and _holdable(part) and by not in part.paused_by
    ]


def resume_windows(order: Order, *, by: str, when: datetime) -> list[OrderFact]:
    """Let go of every window that the case holds; what was left of it counts from now."""
    return [
        WindowResumed(part=part.number, by=by, window_until=_until(part, when))
        for part in order.parts
        if by in part.paused_by and part.live
    ]


def _holdable(part: Part) -> bool:
    return part.live and part.state in (State.PENDING_RECEIPT, State.PENDING_END)


def _until(part: Part, when: datetime) -> datetime | None:
    if part.window_until is None or part.paused_at is None or len(part.paused_by) > 1:
        return None
    return max(when, when + (part.window_until - part.paused_at))
