"""迟到补偿 Points for an order that comes later than promised (rules.md 10, 23)."""

from typing import Any

from application.issuing import NotYet
from application.ordering import existing
from application.streams import ACCOUNT, INTERCEPT, ORDER, PARCEL
from application.unit import Unit
from domain import confirming, late_promises
from domain.house_rules import HouseRules
from domain.late_promises import Sent
from domain.orders import Order
from domain.point_facts import Reason
from domain.promise_facts import Excuse, LatenessMadeGood


def settle_promise(unit: Unit, *, number: str, rules: HouseRules) -> dict[str, Any]:
    """Give the points of a promise that was broken, or note why not: once an order.

    Raises `NotYet` while a receipt waits for its query (rules.md 23). Nothing that is learned later
    takes the points back: they are goodwill.
    """
    order = existing(unit, number)
    if unit.read(ACCOUNT, order.learner).status == "erased":
        facts = late_promises.excused(order, Excuse.GONE)
    else:
        facts = late_promises.settle(order, _sent(unit, order, rules=rules))
    unit.record(ORDER, number, facts)
    points = sum(one.points for one in facts if isinstance(one, LatenessMadeGood))
    if points:
        account = unit.read(ACCOUNT, order.learner)
        source = late_promises.source_of(number)
        granted = account.grant(
            points,
            reason=Reason.COMPENSATION,
            source=source,
            expires_at=None,
            when=unit.happened_at,
        )
        unit.record(ACCOUNT, order.learner, granted)
    return {"number": number, "points": points}


def _sent(unit: Unit, order: Order, *, rules: HouseRules) -> dict[str, Sent]:
    """The order's parcels; what no query proved yet proves no lateness either."""
    found: dict[str, Sent] = {}
    for number in dict.fromkeys(part.parcel for part in order.parts if part.parcel):
        box = unit.read(PARCEL, number)
        track = box.track()
        told = confirming.told_receipt(box, track)
        if told is not None and not confirming.counts(box, track, rules=rules):
            raise NotYet
        found[number] = Sent(track, stopped=unit.read(INTERCEPT, number).asked > 0)
    return found
