"""退回寄还 Parcels in which refused goods of a return go to their learner again (D3).

They are named after their return, and carry of its order what was refused, and nothing else.
"""

from collections.abc import Sequence

from application.streams import DISPUTE, ORDER, RETURN
from application.unit import Unit
from domain.choosing import both
from domain.disputes import case_id
from domain.order_facts import Units
from domain.orders import Order
from domain.replacing import still_due
from domain.returns import refused

SENT_AGAIN = "-S"
"""Ends the number of such a parcel."""


def return_of(parcel: str) -> str:
    """The return that a parcel is named after, whichever way its goods travel in it."""
    return parcel.removesuffix(SENT_AGAIN)


def goods_sent_again(unit: Unit, parcel: str) -> tuple[Units, ...] | None:
    """What was refused, and is in this parcel; None: it is no such parcel."""
    if not parcel.endswith(SENT_AGAIN):
        return None
    return refused(unit.read(RETURN, return_of(parcel)).goods)


def due_of_sent_again(unit: Unit, parcel: str, again: Sequence[Units]) -> list[Units]:
    """Of refused goods, what is still to be had by their learner: nothing was decided of it."""
    number = unit.read(RETURN, return_of(parcel)).order
    order: Order = unit.read(ORDER, number)
    linked = {one.number: unit.read(ORDER, one.number) for one in order.replacements}
    left = unit.read(DISPUTE, case_id(number, parcel)).undecided(again)
    return both(left, still_due(order, linked, {one.part for one in again}))
