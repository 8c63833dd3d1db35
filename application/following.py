"""跟进 What a third party told of a parcel is carried out in the house (W1, W2; rules.md 5, 29).

A moment after it was told, by a policy: what cannot be carried out yet, because an order waits for
review, stays told and is tried again; the list of troubles shows it.
"""

from collections import Counter
from typing import Any

from application.consigning import tell_changes
from application.intercepting import call_back_unwanted, intercept_parcel, orders_in
from application.issuing import NotYet
from application.merging import Live, existing_parcel, live_contents
from application.ordering import leave_parcel
from application.refund_chain import cancel_acknowledged
from application.releasing import pack_parcel, pick_parcel
from application.replanning import short_pick
from application.shipping import hand_over, issue_waybill
from application.streams import CONSIGNMENT, ORDER, PARCEL, STOCK
from application.sweeping import Due, Policy, command_of
from application.unit import Command, Unit
from application.waybills import bind, must_be_known
from domain.consignments import Consignment, Step
from domain.destinations import Destination
from domain.entrusting import (
    acknowledged,
    cancelling_units,
    leave_unwanted,
    overtaken,
    sent_all_the_same,
)
from domain.house_rules import HouseRules
from domain.intercepts import STOPPABLE
from domain.order_facts import Units
from domain.parcel_facts import Content
from domain.parcel_state import Stage
from domain.refusals import Refusal
from domain.stock import stock_key

NOT_FOUND = "its warehouse does not have them"
OVERTAKEN = "it was cancelled, and had left its warehouse already"
CANCELLED = "it had left its warehouse, which had said that it was cancelled"
ELSEWHERE = "the address changed, and it had left its warehouse already"


def follow(unit: Unit, *, parcel: str, rules: HouseRules) -> dict[str, Any]:
    """Carry out all that was told of a parcel and was not yet; twice is once."""
    state = unit.read(CONSIGNMENT, parcel)
    if not state.behind:
        return {"parcel": parcel, "step": state.step}
    if not state.unwanted:  # a cancel that is told of beside the hand-over came too late
        _acknowledge(unit, parcel, state, rules=rules)
    if existing_parcel(unit, parcel).stage is Stage.PICKING:
        _note_missing(unit, parcel, state, rules=rules)
    if not _live(unit, parcel):
        leave_parcel(unit, parcel, reason="nothing in it is still to be sent")
        if state.step is Step.SHIPPED:
            _ship_unwanted(unit, parcel, state, rules=rules)
    elif state.step in (Step.PACKED, Step.SHIPPED):
        _pack(unit, parcel, state)
        if state.step is Step.SHIPPED:
            _ship(unit, parcel, state, rules=rules)
    unit.record(CONSIGNMENT, parcel, state.follow())
    return {"parcel": parcel, "step": state.step}


def _live(unit: Unit, parcel: str) -> list[Live]:
    return live_contents(unit, parcel, existing_parcel(unit, parcel))


def _acknowledge(unit: Unit, parcel: str, state: Consignment, *, rules: HouseRules) -> None:
    """What was asked of it and is acknowledged: units that are cancelled now, a new address."""
    upto = None if state.never_taken else state.acknowledged
    for content, order, _ in _live(unit, parcel):
        for one in acknowledged(order, content.part, revision=upto):
            gone = [
                Units(part=one.part, line=unit_.line, quantity=unit_.quantity)
                for unit_ in one.units
            ]
            cancel_acknowledged(unit, number=content.order, units=gone, asked=one, rules=rules)
    if state.acknowledged == state.revision:
        _know_address(unit, parcel, by=state.warehouse)


def _know_address(unit: Unit, parcel: str, *, by: str) -> list[Destination]:
    """Note that whoever has the parcel knows where it goes; returns what they did not know of."""
    news: list[Destination] = []
    for content, order, part in _live(unit, parcel):
        if part.address_pending and order.destination is not None:
            news.append(order.destination)
            unit.record(ORDER, content.order, order.acknowledge_address(content.part, by=by))
    return news


def _note_missing(unit: Unit, parcel: str, state: Consignment, *, rules: HouseRules) -> None:
    """Units that it does not have are planned anew, as after a short pick (rules.md 1).

    Those that are being cancelled anyway are given up first: nothing of them is sent elsewhere.
    """
    if state.found is None:
        return
    left = {one.sku: one.quantity for one in state.found}
    changed: set[str] = set()
    for content, order, part in _live(unit, parcel):
        for allocation in part.units:
            sku = order.line(allocation.line).sku
            have = min(left.get(sku, 0), allocation.quantity)
            left[sku] = left.get(sku, 0) - have
            if have == allocation.quantity:
                continue
            missing = allocation.quantity - have
            missing -= _give_up(
                unit, content.order, content.part, allocation.line, missing, rules=rules
            )
            changed.add(content.order)
            if not missing:
                key = stock_key(state.warehouse, sku)
                counted = unit.read(STOCK, key).count(0, source=state.warehouse, reason=NOT_FOUND)
                unit.record(STOCK, key, counted)
                continue
            short_pick(
                unit,
                order=content.order,
                part=content.part,
                sku=sku,
                found=have,
                reason=NOT_FOUND,
                rules=rules,
            )
    if state.step is Step.SHORT:
        for number in sorted(changed):
            tell_changes(unit, order=number, reason="short")


def _give_up(
    unit: Unit, number: str, part: int, line: int, missing: int, *, rules: HouseRules
) -> int:
    """Cancel what is missing of units that wait for it; returns how many that were."""
    left = missing
    for asked in acknowledged(unit.read(ORDER, number), part, revision=None):
        waits = sum(one.quantity for one in asked.units if one.line == line)
        if units := min(waits, left):
            left -= units
            gone = [Units(part=part, line=line, quantity=units)]
            cancel_acknowledged(unit, number=number, units=gone, asked=asked, rules=rules)
    return missing - left


def _pack(unit: Unit, parcel: str, state: Consignment) -> None:
    stage = existing_parcel(unit, parcel).stage
    if stage is Stage.PICKING:
        pick_parcel(unit, parcel=parcel)
        stage = Stage.PICKED
    if stage is Stage.PICKED:
        pack_parcel(unit, parcel=parcel, weight_grams=state.weight_grams or 0)


def _ship(unit: Unit, parcel: str, state: Consignment, *, rules: HouseRules) -> None:
    """It is with the carrier that they chose; a wish that came too late is the carrier's now."""
    if existing_parcel(unit, parcel).handed_over:
        return
    news = _know_address(unit, parcel, by=f"{state.warehouse}: too late")
    carrier, waybill = _label_of(state)
    issue_waybill(unit, parcel=parcel, carrier=carrier, waybill=waybill)
    hand_over(unit, parcel=parcel, rules=rules)
    _note_sent(unit, parcel, state)
    late = _too_late(unit, parcel)
    box = existing_parcel(unit, parcel)
    orders = orders_in(unit, box)
    if box.track().state not in STOPPABLE:
        return  # its carrier told of it before its warehouse did
    if late and late >= orders:
        intercept_parcel(unit, parcel=parcel, orders=orders, reason=OVERTAKEN, rules=rules)
    elif news and len(orders) == 1:
        intercept_parcel(
            unit,
            parcel=parcel,
            orders=orders,
            reason=ELSEWHERE,
            rules=rules,
            destination=news[0],
        )


def _ship_unwanted(unit: Unit, parcel: str, state: Consignment, *, rules: HouseRules) -> None:
    """It left though all of it was cancelled, and paid back: nobody keeps both (rules.md 5)."""
    carrier, waybill = _label_of(state)
    facts = leave_unwanted(
        existing_parcel(unit, parcel), carrier=carrier, waybill=waybill, when=unit.happened_at
    )
    if not facts:
        return  # it is with its carrier already
    must_be_known(unit, carrier)
    bind(unit, parcel=parcel, carrier=carrier, waybill=waybill)
    unit.record(PARCEL, parcel, facts)
    _note_sent(unit, parcel, state)
    call_back_unwanted(unit, parcel=parcel, reason=CANCELLED, rules=rules)


def _note_sent(unit: Unit, parcel: str, state: Consignment) -> None:
    """Units that left beside those that are still to be had: orders and books know of them."""
    left = {one.sku: one.quantity for one in state.found or ()}
    wanted: Counter[tuple[str, int, str]] = Counter()
    for content, order, part in _live(unit, parcel):
        for allocation in part.units:
            sku = order.line(allocation.line).sku
            wanted[content.order, content.part, sku] += allocation.quantity
            left[sku] = left.get(sku, 0) - allocation.quantity
    for one in state.first:
        gone = one.quantity - wanted[one.order, one.part, one.sku]
        quantity = min(gone, left.get(one.sku, 0))
        facts = sent_all_the_same(
            unit.read(ORDER, one.order), one.part, parcel=parcel, sku=one.sku, quantity=quantity
        )
        if not facts:
            continue
        left[one.sku] -= quantity
        unit.record(ORDER, one.order, facts)
        content = Content(order=one.order, part=one.part)
        unit.record(PARCEL, parcel, existing_parcel(unit, parcel).carry(content))
        key = stock_key(state.warehouse, one.sku)
        taken = unit.read(STOCK, key).take_unasked(
            quantity, order=one.order, part=one.part, source=state.warehouse, reason=CANCELLED
        )
        unit.record(STOCK, key, taken)


def _label_of(state: Consignment) -> tuple[str, str]:
    assert state.carrier is not None  # whoever ships says by whom
    assert state.waybill is not None
    return state.carrier, state.waybill


def _too_late(unit: Unit, parcel: str) -> set[str]:
    """Note which cancellations came too late; returns the orders that want nothing of it."""
    unwilling: set[str] = set()
    for content in existing_parcel(unit, parcel).contents:
        order = unit.read(ORDER, content.order)
        part = order.part(content.part)
        waits = cancelling_units(order, content.part)
        if part is None or not part.live or not waits:
            continue
        unit.record(ORDER, content.order, overtaken(order, content.part))
        if sum(one.quantity for one in waits) == sum(one.quantity for one in part.units):
            unwilling.add(content.order)
    return unwilling


def when_third_party_told_then_follow(due: Due, rules: HouseRules) -> Command:
    """A third party told something of a parcel: the house does what follows from it (W2)."""

    def decide(unit: Unit) -> dict[str, Any]:
        try:
            return follow(unit, parcel=due.key, rules=rules)
        except Refusal as refusal:
            # It was told, and is true: it is tried again, and shown while it waits.
            raise NotYet from refusal

    stream = CONSIGNMENT.stream(due.key)
    return command_of("follow_third_parties", stream, due, decide, happened_at=due.at)


FOLLOW = Policy(
    "follow_third_parties",
    """
    SELECT parcel, version, told_at FROM {consignments}
    WHERE behind AND told_at IS NOT NULL
    """,
    when_third_party_told_then_follow,
)
