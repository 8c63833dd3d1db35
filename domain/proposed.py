"""待批裁决 Units that a decision waits about: nobody gets them twice, whoever is first (D4, A8)."""

from collections.abc import Mapping, Sequence

from domain.choosing import Kept, both, without
from domain.disputes import Dispute
from domain.order_facts import Units
from domain.orders import Order
from domain.refusals import NotPossible


def under_decision(order: Order, cases: Mapping[str, Dispute]) -> list[Kept]:
    """The order's units whose case was decided by one person and waits for the second (D4)."""
    return [
        Kept(one, f"{order.line(one.line).name}: case {case} waits for a second person")
        for case, dispute in cases.items()
        if dispute.proposed is not None
        for one in dispute.proposed.units
    ]


def must_still_be_there(
    order: Order, units: Sequence[Units], *, due: Sequence[Units], elsewhere: Sequence[Kept]
) -> None:
    """Refuse to carry out what was proposed once units of it are gone, or given `elsewhere` (D4).

    It waited, and meanwhile they were paid back, came back, or are sent or returned. `due` is what
    is still to be had of the case's parcel: what the order has in another one is not meant.
    """
    live = [
        Units(part=part.number, line=one.line, quantity=one.quantity)
        for part in order.parts
        for one in part.units
    ]
    there = both(due, without(live, [one.units for one in elsewhere]))
    gone = without(units, there)
    if gone:
        named = ", ".join(f"{order.line(one.line).name} × {one.quantity}" for one in gone)
        why = f"settled otherwise since: {named}; deny it, then the case can be decided anew"
        raise NotPossible(action="decide_case", why=why)
