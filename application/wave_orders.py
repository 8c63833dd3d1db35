"""点名放行 Orders that are named for a wave by hand, and why nothing of some is released (S5).

They are asked of the log itself: whoever approved an order just now need not wait for a view.
"""

import hashlib
import uuid
from collections.abc import Collection, Sequence
from typing import Any, Literal, NamedTuple

from application.envelope import Context
from application.house import House
from application.streams import ORDER
from application.unit import Command, Unit
from domain.orders import Order

Why = Literal["unknown", "unpaid", "in_review", "not_from_here", "released_before", "over"]
ASKING = "policy:waves"


class Left(NamedTuple):
    """An order that was named for a wave, and why nothing of it was released."""

    order: str
    why: Why


async def orders_now(house: House, numbers: Sequence[str]) -> dict[str, Order]:
    """Orders as the log has them now, each once; one that nobody placed has no lines."""
    found: dict[str, Order] = {}

    def look(unit: Unit) -> dict[str, Any]:
        found.update((one, unit.read(ORDER, one)) for one in numbers)
        return {}

    if numbers:
        key = f"named:{uuid.uuid4()}"  # nobody else's question: each looks for itself
        await house.store.execute(
            Command(
                principal=ASKING,
                key=key,
                digest=hashlib.sha256(key.encode()).digest(),
                context=Context(actor=ASKING, command="waves:named"),
                decide=look,
                streams=[ORDER.stream(one) for one in numbers],
                asks_only=True,
            )
        )
    return found


async def left_out(
    house: House, warehouse: str, orders: Sequence[str] | None, parcels: Collection[str]
) -> list[Left]:
    """Of the orders that were named, those that are in none of these parcels, and why."""
    now = await orders_now(house, orders or ())
    return [
        Left(number, _why(order, warehouse))
        for number, order in now.items()
        if not any(part.planned in parcels for part in order.parts)
    ]


def _why(order: Order, warehouse: str) -> Why:
    here = [part for part in order.parts if part.warehouse == warehouse]
    if not order.lines:
        return "unknown"
    if not order.paid:
        return "unpaid"
    if order.review:
        return "in_review"
    if not here:
        return "not_from_here"
    return "released_before" if any(one.planned or one.parcel for one in here) else "over"
