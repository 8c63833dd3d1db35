"""待批 What a decision waits about: nobody gets it twice, whoever is first (D4, A8)."""

from collections.abc import Mapping, Sequence

from domain.choosing import Kept, both, without
from domain.disputes import Dispute
from domain.order_facts import OrderFact, RefundDeclined, RefundProposed, Units
from domain.orders import Order
from domain.parts import units_of
from domain.refusals import NotPossible


def under_decision(order: Order, cases: Mapping[str, Dispute]) -> list[Kept]:
    """The order's units that one person decided about, and a second one has to allow (D4)."""
    decided = [
        Kept(one, f"{order.line(one.line).name}: case {case} waits for a second person")
        for case, dispute in cases.items()
        if dispute.proposed is not None
        for one in dispute.proposed.units
    ]
    refunds = [
        Kept(one, f"{order.line(one.line).name}: its refund waits for a second person")
        for asked in order.proposed
        for one in asked.units
    ]
    return decided + refunds


def allowed(order: Order, approval: str) -> RefundProposed:
    """The refund that was proposed, now that the second person allowed it."""
    found = next((one for one in order.proposed if one.approval == approval), None)
    if found is None:
        raise NotPossible(action="refund", why="it waits for no approval")
    return found


def decline(order: Order, *, approval: str, reason: str) -> list[OrderFact]:
    """The second person said no: the units are free again."""
    waits = any(one.approval == approval for one in order.proposed)
    return [RefundDeclined(approval=approval, reason=reason)] if waits else []


def must_still_be_there(
    order: Order,
    units: Sequence[Units],
    *,
    due: Sequence[Units],
    elsewhere: Sequence[Kept],
    action: str,
) -> None:
    """Refuse to carry out what was proposed once units of it are gone, or given `elsewhere` (D4).

    It waited, and meanwhile they were paid back, came back, or are sent or returned. `due` is what
    is still to be had of the case's parcel: what the order has in another one is not meant.
    """
    there = both(due, without(units_of(order.parts), [one.units for one in elsewhere]))
    gone = without(units, there)
    if gone:
        named = ", ".join(f"{order.line(one.line).name} × {one.quantity}" for one in gone)
        why = f"settled otherwise since: {named}; deny it, then it can be decided anew"
        raise NotPossible(action=action, why=why)
