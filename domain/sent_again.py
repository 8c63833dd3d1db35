"""寄还应得 What of refused goods that were sent again is still to be had (D3, D4)."""

from collections.abc import Mapping, Sequence

from domain.choosing import both
from domain.disputes import Dispute
from domain.intercepts import Intercept
from domain.order_facts import Units
from domain.orders import Order
from domain.parcels import Parcel
from domain.replacing import still_due
from domain.returns import Return, refused


def goods_in(parcel: Parcel, back: Return) -> tuple[Units, ...]:
    """What of a return is in a parcel in which refused goods left again.

    Those that were packed first did not say what is in them: all that was refused.
    """
    return parcel.goods or refused(back.goods)


def due_of(
    goods: Sequence[Units],
    order: Order,
    linked: Mapping[str, Order],
    *,
    case: Dispute,
    asked: Intercept,
) -> list[Units]:
    """Of the `goods` in such a parcel, what is still to be had by their learner out of it.

    Nothing was decided of it by the parcel's own `case`, and it did not come back for good, or go
    on in the next parcel (`asked`). What its part has in other parcels does not count.
    """
    if asked.over:
        return []
    left = case.undecided(goods)
    return both(left, still_due(order, linked, {one.part for one in goods}))
