"""改地址 Another address before shipping: near by it is noted, afar all is planned anew (O8).

Whoever waits in another province gets another plan in the same commit: what was reserved is free,
what is sent from there is reserved, promise, carrier and alternatives are recorded as in placing
(rules.md 1, 10). What somebody has in hand goes there from where it is, with the carrier that is
best by now. Where its warehouse sends nothing there, it goes back to its shelf and comes from
elsewhere, unless a third party has it. What waits for stock is sent if there is some for the new
place, or waits for what its warehouses get.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from application.addressing import Addressed, destination_of
from application.consigning import tell_changes
from application.merging import (
    choose_anew,
    give_back_labels,
    leave_shared_parcel,
    live_contents,
)
from application.ordering import existing, free_units, leave_parcel, must_have_recipient
from application.planning import learners_share, legs_of, planner_for
from application.recipients import Digests, Recipient
from application.routing import (
    Asking,
    CountryNotServed,
    Delivery,
    OutsideCoverage,
    ProvinceMissing,
    deliver,
)
from application.streams import ITEM, MALL, NETWORK, ORDER, PARCEL, PRIVACY, RATES, STOCK
from application.unit import Unit
from domain.catalogue import Terms
from domain.house_rules import HouseRules
from domain.order_facts import OrderLine, WaitEnded, customer_status
from domain.orders import Order
from domain.parts import Part, units_of
from domain.promising import NO_BACKLOG, promised_by
from domain.refunding import freight_share
from domain.refusals import NotPossible, OrderRefused, Refusal
from domain.release_facts import PartUnpacked, ReviewReason, WaitMoved
from domain.replanning import planned_anew, sent_elsewhere
from domain.reviewing import require_review
from domain.splitting import Plan, PlannedPart
from domain.stock import stock_key

REASON = "the address changed"


def change_address(
    unit: Unit,
    *,
    number: str,
    found: Addressed,
    digests: Digests,
    rules: HouseRules,
    backlog: Mapping[str, int] = NO_BACKLOG,
) -> dict[str, Any]:
    """Send what was not handed over to another address, in the same country (O8).

    It is read anew: a doubtful one waits for a human, whatever was said of the one before, and
    an order that waited because of that one alone goes on (O7).

    Another province has all planned anew that nobody has in hand. An address whose province is not
    settled is asked for, and one in an excluded region refused, as in placing (O1). So is one for
    goods that are packed together with another order's: that one goes to its own address (S4).
    """
    recipient = found.recipient
    order = existing(unit, number)
    must_have_recipient(unit, order, "change_address")
    unit.read(PRIVACY, order.learner).usable()
    if not recipient.region:
        raise ProvinceMissing(found.candidates)
    if rules.excluded_region(recipient) is not None:
        raise NotPossible(action="change_address", why="nothing is delivered to that region")
    before = order.destination
    if before is not None and recipient.country != before.country:
        raise NotPossible(action="change_address", why="the plan was made for another country")
    _must_travel_alone(unit, number, order)
    card = unit.seal(
        order.learner,
        "recipient",
        recipient.to_bytes(),
        digests=digests,
    )
    destination = destination_of(recipient, card=card)
    facts = order.change_address(destination, doubts=found.doubts)
    if before is not None and recipient.region != before.region:
        reserved = [part for part in planned_anew(order) if not part.waits]
        _set_free(unit, number, reserved, rules=rules)
        _put_back(unit, number, recipient, rules=rules)
        leaving = planned_anew(unit.read(ORDER, number))
        unit.record(ORDER, number, facts)
        give_back_labels(unit, order=number, reason=REASON)
        _plan_anew(unit, number, leaving, recipient, rules=rules, backlog=backlog)
    else:
        unit.record(ORDER, number, facts)
        leave_shared_parcel(unit, order=number, reason=REASON, rules=rules)
        give_back_labels(unit, order=number, reason=REASON)
    after = unit.read(ORDER, number)
    if found.doubts:
        reasons = [ReviewReason.ADDRESS_DOUBTFUL]
        review = require_review(after, reasons, details=found.doubts, rules=rules)
        after = unit.record(ORDER, number, review)
    tell_changes(unit, order=number, reason="address_changed")
    return {"number": number, "status": customer_status(after.state)}


def _must_travel_alone(unit: Unit, number: str, order: Order) -> None:
    for part in order.parts:
        if part.to_be_sent and part.parcel:
            live = live_contents(unit, part.parcel, unit.read(PARCEL, part.parcel))
            others = sorted({one.content.order for one in live} - {number})
            if others:
                why = f"part {part.number} is packed together with {', '.join(others)}"
                raise NotPossible(action="change_address", why=why)


def _set_free(unit: Unit, number: str, parts: Sequence[Part], *, rules: HouseRules) -> None:
    """What was reserved for these parts is free, and they travel with nobody else any more."""
    leave_shared_parcel(unit, order=number, reason=REASON, rules=rules)
    free_units(unit, number, unit.read(ORDER, number), units_of(parts), reason=REASON)


def _put_back(unit: Unit, number: str, recipient: Recipient, *, rules: HouseRules) -> None:
    """What is packed in the house and cannot go there goes back to its shelf, a box at a time."""
    order = unit.read(ORDER, number)
    stuck = {
        part.parcel
        for part, planned in _as_sent_there(unit, order, recipient, rules=rules)
        if planned is None and part.parcel and not part.entrusted
    }
    for parcel in sorted(stuck):
        back = [part for part in order.parts if part.in_hand and part.parcel == parcel]
        for part in back:
            unpacked = PartUnpacked(part=part.number, parcel=parcel, reason=REASON)
            unit.record(ORDER, number, [unpacked])
        free_units(unit, number, order, units_of(back), reason=REASON)
        leave_parcel(unit, parcel, reason=REASON)


def _plan_anew(
    unit: Unit,
    number: str,
    leaving: Sequence[Part],
    recipient: Recipient,
    *,
    rules: HouseRules,
    backlog: Mapping[str, int],
) -> None:
    """Plan the units of these parts for the new place, reserve them, and dissolve what was planned.

    Raises `OrderRefused` with all that stands against it, as placing does (O1).
    """
    order = unit.read(ORDER, number)
    in_hand = _from_where_they_are(unit, order, recipient, rules=rules)
    going, delivery = _delivery(unit, order, leaving, recipient, rules=rules, backlog=backlog)
    order = _wait_there(unit, number, leaving, going, recipient, rules=rules)
    if not in_hand and delivery is None:
        return  # all that is left of it waits
    _must_be_paid(unit, order, in_hand, delivery)
    plan = delivery.planned.plan if delivery else Plan(parts=(), chosen_for="all_in_hand")
    settled = unit.happened_at if order.paid else max(unit.happened_at, order.pay_by or unit.now)
    by = promised_by(
        legs_of(
            [*in_hand, *plan.parts], unit.read(NETWORK, MALL), region=recipient.region, rules=rules
        ),
        when=settled,
        rules=rules,
        backlog=backlog,
        urgent=order.upgrade is not None,
    )
    split = sent_elsewhere(order, plan, in_hand=in_hand, promised_by=by, reason=REASON)
    unit.record(ORDER, number, [split])
    if delivery is not None and delivery.planned.settling:
        unit.record(RATES, MALL, delivery.planned.settling)
    _reserve(unit, number, order, split.plan.parts[len(in_hand) :])
    for parcel in dict.fromkeys(part.parcel for part in order.parts if part.in_hand):
        if parcel is not None:
            choose_anew(unit, parcel, rules=rules)
    for part in leaving:
        planned = order.part(part.number)
        if planned is not None and planned.planned:
            leave_parcel(unit, planned.planned, reason=REASON)


def _wait_there(
    unit: Unit,
    number: str,
    leaving: Sequence[Part],
    going: Sequence[Part],
    recipient: Recipient,
    *,
    rules: HouseRules,
) -> Order:
    """What waited and is sent now waits no more; the rest waits for what goes to the new place."""
    order = unit.read(ORDER, number)
    planner = planner_for(unit, rules=rules)
    place = planner.place(recipient.region, recipient.city)
    for part in leaving:
        if part.waits and part in going:
            order = unit.record(ORDER, number, [WaitEnded(part=part.number)])
        elif part.waits:
            (terms,) = _terms(unit, order, [part]).values()  # a part waits for units of one line
            codes = planner.serving(place, terms).codes
            told = WaitMoved(part=part.number, sources=tuple(codes), reason=REASON)
            order = unit.record(ORDER, number, [told])
    return order


def _from_where_they_are(
    unit: Unit, order: Order, recipient: Recipient, *, rules: HouseRules
) -> list[PlannedPart]:
    """What somebody has in hand, as it is sent to the new place from there (O8, W4)."""
    found: list[PlannedPart] = []
    for part, planned in _as_sent_there(unit, order, recipient, rules=rules):
        if planned is None:
            why = f"part {part.number} is packed, and {part.warehouse} sends nothing there"
            raise NotPossible(action="change_address", why=why)
        found.append(planned)
    return found


def _as_sent_there(
    unit: Unit, order: Order, recipient: Recipient, *, rules: HouseRules
) -> list[tuple[Part, PlannedPart | None]]:
    """What somebody has in hand, and how its warehouse sends it there; None: it does not (W4)."""
    planner = planner_for(unit, rules=rules)
    place = planner.place(recipient.region, recipient.city)
    goods = [part for part in order.parts if part.live and part.warehouse]
    terms = _terms(unit, order, goods)
    sending = planner.sending(
        [one for part in goods for one in part.units],
        terms,
        place,
        urgent=order.upgrade is not None,
    )
    found: list[tuple[Part, PlannedPart | None]] = []
    for part in order.parts:
        if part.in_hand:
            planned = PlannedPart(part=part.number, warehouse=part.warehouse, units=part.units)
            if sending is not None:
                planned = sending.shipped(planned)
            reached = all(
                part.warehouse in planner.serving(place, terms[one.line]).codes
                for one in part.units
            )
            stuck = not reached or (sending is not None and planned.shipping is None)
            found.append((part, None if stuck else planned))
    return found


def _must_be_paid(
    unit: Unit, order: Order, in_hand: Sequence[PlannedPart], delivery: Delivery | None
) -> None:
    """The mall bears what freight is more, but not where items say learners do (rules.md 8)."""
    parts = [part for part in order.parts if part.to_be_sent]
    terms = _terms(unit, order, parts)
    fen = sum(learners_share(part, terms) for part in in_hand)
    fen += delivery.freight_fen if delivery else 0
    paid_fen = freight_share(order, units_of(parts))
    if fen > paid_fen:
        why = f"its learner pays the freight: {fen} fen there, not {paid_fen}"
        raise NotPossible(action="change_address", why=why)


def _terms(unit: Unit, order: Order, parts: Sequence[Part]) -> dict[int, Terms]:
    """The terms of the lines in these parts."""
    found: dict[int, Terms] = {}
    for line in sorted({one.line for part in parts for one in part.units}):
        terms = unit.read(ITEM, order.line(line).sku).terms
        assert terms is not None  # it was ordered
        found[line] = terms
    return found


def _delivery(
    unit: Unit,
    order: Order,
    leaving: Sequence[Part],
    recipient: Recipient,
    *,
    rules: HouseRules,
    backlog: Mapping[str, int],
) -> tuple[list[Part], Delivery | None]:
    """Which of these parts are sent, and how: all that was reserved, and what waited if it can be.

    Raises `OrderRefused` where something cannot, or what waits would never come there.
    """

    def tried(parts: Sequence[Part], failures: list[Refusal]) -> Delivery | None:
        staying = sum(part.live for part in order.parts) - len(parts)
        return deliver(
            unit,
            _goods(unit, order, parts),
            recipient,
            ask=Asking(rules.max_parts - staying, order.upgrade),
            rules=rules,
            backlog=backlog,
            cash_fen=0 if order.paid else order.cash_fen,
            failures=failures,
        )

    going = [part for part in leaving if not part.waits]
    delivery, failures = None, list[Refusal]()
    if going:
        delivery = tried(going, failures)
        if delivery is None or failures:
            raise OrderRefused(failures)
    for part in leaving:
        if part.waits:
            failures = []
            more = tried([*going, part], failures)
            if any(isinstance(one, OutsideCoverage | CountryNotServed) for one in failures):
                raise OrderRefused(failures)
            if more is not None and not failures:
                going, delivery = [*going, part], more
    return going, delivery


def _goods(unit: Unit, order: Order, parts: Sequence[Part]) -> list[tuple[OrderLine, Terms]]:
    """The lines of these parts with as many units as are in them."""
    wanted: dict[int, int] = {}
    for one in units_of(parts):
        wanted[one.line] = wanted.get(one.line, 0) + one.quantity
    terms = _terms(unit, order, parts)
    return [
        (order.line(line).model_copy(update={"quantity": quantity}), terms[line])
        for line, quantity in sorted(wanted.items())
    ]


def _reserve(unit: Unit, number: str, order: Order, parts: Sequence[PlannedPart]) -> None:
    for part in parts:
        for one in part.units:
            sku = order.line(one.line).sku
            key = stock_key(part.warehouse or "", sku)
            shelf = unit.read(STOCK, key)
            reserving = shelf.reserve(one.quantity, sku=sku, order=number, part=part.part)
            unit.record(STOCK, key, reserving)
