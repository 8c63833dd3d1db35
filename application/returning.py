"""退货处理 A return, from what its learner asks for until its goods are here (D3; rules 2, 3, 28).

The original order keeps its units while they are on their way.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from application import refund_chain
from application.blaming import by_loss, claim_all
from application.ordering import existing, given_elsewhere, kept_units
from application.reshipping import let_go, set_aside
from application.return_messages import NEVER_CAME, REJECTED
from application.sealed_words import Message, seal_words
from application.streams import ACCOUNT, ORDER, PARCEL, RETURN
from application.unit import Unit
from application.waybills import bind, must_be_known
from domain.dispute_facts import Side
from domain.house_rules import HouseRules
from domain.order_facts import Fault, ReturnEnded, UnitsUnderReturn
from domain.parcel_facts import ParcelAwaited
from domain.parcels import received_at
from domain.points import InsufficientPoints
from domain.refusals import InvalidRequest, NotFound, Refusal
from domain.return_facts import (
    Payer,
    Remedy,
    ReturnRejected,
)
from domain.returns import (
    COMING,
    LATE,
    Return,
    ReturnState,
    comes_from_abroad,
    opening_of,
    return_id,
    returnable,
)
from domain.windows import pause_windows, resume_windows


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants to give back, and what for."""

    remedy: Remedy
    reason: Fault
    lines: tuple[tuple[str, int], ...] | None = None
    """(sku, quantity); None: all that can be given back."""
    words: str | None = None


def existing_return(unit: Unit, name: str) -> Return:
    """The return with this id; raises `NotFound`."""
    back = unit.read(RETURN, name)
    if not back.opened:
        raise NotFound(what="return")
    return back


def told(name: str, back: Return) -> dict[str, Any]:
    """What a command on a return answers."""
    return {"return": name, "order": back.order, "state": back.state}


def open_return(
    unit: Unit, *, number: str, wanted: Wanted, by: Side, rules: HouseRules
) -> dict[str, Any]:
    """Open a return: its units are claimed, the window stands still, a parcel awaits the goods.

    Staff may open one when the window is over. Wrong goods that are exchanged have the right ones
    set aside at once, where there are some (rules.md 28). Who changed their mind about what they
    want exchanged needs the points for the way back: no refund bears it (D3).
    """
    order = existing(unit, number)
    units = returnable(
        order,
        wanted.lines,
        remedy=wanted.remedy,
        when=unit.now if by is Side.LEARNER else None,
        kept=kept_units(unit, number, order),
    )
    opening = opening_of(
        number=number,
        order=order,
        units=units,
        remedy=wanted.remedy,
        reason=wanted.reason,
        by=by,
        when=unit.now,
        rules=rules,
    )
    if wanted.remedy is Remedy.EXCHANGE and opening.payer is Payer.LEARNER:
        _must_afford(unit, order.learner, opening.freight_points)
    name = return_id(number, order.returns + 1)
    words = seal_words(unit, order.learner, wanted.words)
    back = unit.record(RETURN, name, [opening.model_copy(update={"words": words})])
    _claim(unit, name, back)
    if back.warehouse is not None:
        unit.record(PARCEL, name, [ParcelAwaited(order=number, warehouse=back.warehouse)])
    if (back.remedy, back.reason) == (Remedy.EXCHANGE, Fault.WRONG_GOODS):
        with suppress(Refusal):  # where there are none, the inspection says so
            case = RETURN.stream(name)
            set_aside(unit, number=number, units=units, case=case, rules=rules)
    return {
        **told(name, back),
        "parcel": name if back.warehouse else None,
        "send_by": back.send_by,
        "payer": back.payer,
    }


def _must_afford(unit: Unit, learner: str, points: int) -> None:
    available = unit.read(ACCOUNT, learner).available(unit.now)
    if available < points:
        raise InsufficientPoints(needed=points, available=available)


def send(unit: Unit, *, name: str, carrier: str | None, waybill: str | None) -> dict[str, Any]:
    """The goods are with a carrier: under the house's label, or under the number that is given.

    Abroad any carrier is taken, though nobody may know how to ask it: its learner has found it.
    """
    back = existing_return(unit, name)
    back.must_be("send_back", ReturnState.AWAITING_GOODS)
    box = unit.read(PARCEL, name)
    ours = carrier is None or (box.carrier, box.waybill) == (carrier, waybill)
    if carrier is not None and waybill is not None:
        if not comes_from_abroad(existing(unit, back.order)):
            must_be_known(unit, carrier)
        facts = box.label(carrier=carrier, waybill=waybill)
        bind(unit, parcel=name, carrier=carrier, waybill=waybill)
        box = unit.record(PARCEL, name, facts)
    if box.waybill is None:
        raise InvalidRequest(field="waybill", reason="name the carrier and its number")
    if not box.handed_over:
        unit.record(PARCEL, name, box.hand_over(when=unit.now))
    return told(name, unit.record(RETURN, name, back.send(house_label=ours)))


def follow(unit: Unit, *, parcel: str) -> None:
    """What a return's parcel tells moves the return, in the same commit (T2)."""
    back, box = unit.read(RETURN, parcel), unit.read(PARCEL, parcel)
    track = box.track()
    if box.handed_over or track.scans:
        back = unit.record(RETURN, parcel, back.send(house_label=True))
    signed = received_at(track)
    if signed is not None:
        with suppress(Refusal):  # what was given up meanwhile is nobody's to give back
            _arrived(unit, parcel, back, happened_at=min(signed, unit.now))


def arrive(unit: Unit, *, name: str) -> dict[str, Any]:
    """The goods are at the warehouse, as somebody there says; saying it twice is once."""
    back = existing_return(unit, name)
    if back.state is not ReturnState.TO_INSPECT and not back.may_come:
        back.must_be("arrive", *COMING)
    return told(name, _arrived(unit, name, back, happened_at=unit.happened_at))


def _arrived(unit: Unit, name: str, back: Return, *, happened_at: datetime) -> Return:
    """Goods that come after their time are inspected, too, while nothing else gave them back."""
    facts = back.arrive()
    if back.state in LATE:
        order = existing(unit, back.order)
        wanted = refund_chain.by_sku(order, back.units)
        parts = {one.part for one in back.units}
        order.refundable(wanted, parts=parts, kept=given_elsewhere(unit, order))
        _claim(unit, name, back)
    return unit.record(RETURN, name, facts, happened_at=happened_at)


def _claim(unit: Unit, name: str, back: Return) -> None:
    """The units are the return's alone from here on, and their window stands still."""
    stream = RETURN.stream(name)
    order = unit.record(ORDER, back.order, [UnitsUnderReturn(by=stream, units=back.units)])
    parts = {one.part for one in back.units}
    unit.record(ORDER, back.order, pause_windows(order, parts, by=stream, when=unit.now))


def reject(
    unit: Unit, *, name: str, reason: str, message: Message | None, rules: HouseRules
) -> dict[str, Any]:
    """Staff do not agree to a refund without the goods, also when they were lost on their way.

    What the house's carrier lost is claimed of it all the same (D2).
    """
    back = existing_return(unit, name)
    lost = back.decide(reason)
    own = NEVER_CAME if lost else REJECTED
    words = seal_words(unit, back.learner, (message or own).to_bytes())
    after = unit.record(RETURN, name, [*lost, ReturnRejected(reason=reason, message=words)])
    claims = claim_all(unit, by_loss(unit, name, after), rules=rules)
    close_up(unit, name, after, reason="the return was rejected")
    return {**told(name, after), "claims": claims}


def withdraw(unit: Unit, *, name: str) -> dict[str, Any]:
    """The learner keeps the goods: the window runs on, nothing stays set aside."""
    back = existing_return(unit, name)
    after = unit.record(RETURN, name, back.withdraw())
    close_up(unit, name, after, reason="the return was withdrawn")
    return told(name, after)


def lapse(unit: Unit, *, name: str) -> dict[str, Any]:
    """The goods were not sent in time; what came meanwhile counts."""
    back = existing_return(unit, name)
    facts = back.lapse(when=unit.now)
    after = unit.record(RETURN, name, facts)
    if facts:
        close_up(unit, name, after, reason="the goods were not sent in time")
    return told(name, after)


def close_up(unit: Unit, name: str, back: Return, *, reason: str) -> None:
    """What ends with every return: the claim, the pause, what was set aside and not sent."""
    stream = RETURN.stream(name)
    order = existing(unit, back.order)
    if any(claim.by == stream for claim in order.returning):
        order = unit.record(ORDER, back.order, [ReturnEnded(by=stream)])
    let_go(unit, number=back.order, case=stream, reason=reason)
    order = existing(unit, back.order)
    unit.record(ORDER, back.order, resume_windows(order, by=stream, when=unit.now))
    box = unit.read(PARCEL, name)
    late = back.state in LATE  # it may have left, and come all the same
    if box.back_of is not None and not (box.handed_over or late):
        unit.record(PARCEL, name, box.dissolve(reason))
