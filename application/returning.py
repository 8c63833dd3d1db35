"""退货处理 A return, from what its learner asks for until it is settled (D3; rules.md 2, 3, 28).

What follows from an inspection happens in the same commit: shelves, points, cash, the linked order,
the parcel with what was refused. The original order keeps its units while they are on their way.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from application import refund_chain
from application.blaming import by_return, claim_all
from application.ordering import existing, kept_units
from application.reshipping import let_go, reship, set_aside
from application.return_messages import REJECTED, message_for
from application.sealed_words import Message, seal_words
from application.streams import ACCOUNT, ORDER, PARCEL, RETURN, STOCK
from application.unit import Unit
from application.waybills import bind, must_be_known
from domain.dispute_facts import Side
from domain.house_rules import HouseRules
from domain.order_facts import Fault, ReturnEnded, Units, UnitsUnderReturn
from domain.orders import Order
from domain.parcel_facts import Content, ParcelAwaited, ParcelPacked
from domain.parcels import received_at
from domain.refusals import InvalidRequest, NotFound, Refusal
from domain.replacing import linked_number
from domain.return_facts import (
    Criterion,
    Inspected,
    Payer,
    Remedy,
    ReturnRejected,
    ReturnSettled,
    Verdict,
)
from domain.returns import (
    COMING,
    Return,
    ReturnState,
    opening_of,
    refused,
    return_id,
    returnable,
    taken_back,
)
from domain.stock import StockReturned, stock_key
from domain.windows import pause_windows, resume_windows


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants to give back, and what for."""

    remedy: Remedy
    reason: Fault
    lines: tuple[tuple[str, int], ...] | None = None
    """(sku, quantity); None: all that can be given back."""
    words: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What an inspection found of some units of an item."""

    sku: str
    quantity: int
    verdict: Verdict
    failed: tuple[Criterion, ...] = ()


@dataclass(frozen=True, slots=True)
class Inspection:
    """What an inspection came to."""

    goods: tuple[Found, ...]
    reason: str
    payer: Payer | None = None
    """Who is at fault after all; None: as the reason says."""
    instead: Remedy | None = None
    """A refund where an exchange was asked for and the goods are nowhere."""
    message: Message | None = None
    """None: the house's own words."""


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
    set aside at once, where there are some (rules.md 28).
    """
    order = existing(unit, number)
    units = returnable(
        order,
        wanted.lines,
        remedy=wanted.remedy,
        when=unit.now if by is Side.LEARNER else None,
        kept=kept_units(unit, order),
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


def send(unit: Unit, *, name: str, carrier: str | None, waybill: str | None) -> dict[str, Any]:
    """The goods are with a carrier: under the house's label, or under the number that is given."""
    back = existing_return(unit, name)
    back.must_be("send_back", ReturnState.AWAITING_GOODS)
    box = unit.read(PARCEL, name)
    if carrier is not None and waybill is not None:
        must_be_known(unit, carrier)
        facts = box.label(carrier=carrier, waybill=waybill)
        bind(unit, parcel=name, carrier=carrier, waybill=waybill)
        box = unit.record(PARCEL, name, facts)
    if box.waybill is None:
        raise InvalidRequest(field="waybill", reason="name the carrier and its number")
    if not box.handed_over:
        unit.record(PARCEL, name, box.hand_over(when=unit.now))
    return told(name, unit.record(RETURN, name, back.send()))


def follow(unit: Unit, *, parcel: str) -> None:
    """What a return's parcel tells moves the return, in the same commit (T2)."""
    back, box = unit.read(RETURN, parcel), unit.read(PARCEL, parcel)
    track = box.track()
    if box.handed_over or track.scans:
        back = unit.record(RETURN, parcel, back.send())
    signed = received_at(track)
    if signed is not None:
        with suppress(Refusal):  # what was given up meanwhile is nobody's to give back
            _arrived(unit, parcel, back, happened_at=min(signed, unit.now))


def arrive(unit: Unit, *, name: str) -> dict[str, Any]:
    """The goods are at the warehouse, as somebody there says; saying it twice is once."""
    back = existing_return(unit, name)
    if back.state is not ReturnState.TO_INSPECT:
        back.must_be("arrive", *COMING)
    return told(name, _arrived(unit, name, back, happened_at=unit.happened_at))


def _arrived(unit: Unit, name: str, back: Return, *, happened_at: datetime) -> Return:
    """Goods that come after their time are inspected, too, while nothing else gave them back."""
    facts = back.arrive()
    if back.state is ReturnState.LAPSED:
        order = existing(unit, back.order)
        wanted = refund_chain.by_sku(order, back.units)
        parts = {one.part for one in back.units}
        order.refundable(wanted, parts=parts, kept=kept_units(unit, order))
        _claim(unit, name, back)
    return unit.record(RETURN, name, facts, happened_at=happened_at)


def _claim(unit: Unit, name: str, back: Return) -> None:
    """The units are the return's alone from here on, and their window stands still."""
    stream = RETURN.stream(name)
    order = unit.record(ORDER, back.order, [UnitsUnderReturn(by=stream, units=back.units)])
    parts = {one.part for one in back.units}
    unit.record(ORDER, back.order, pause_windows(order, parts, by=stream, when=unit.now))


def inspect(unit: Unit, *, name: str, inspection: Inspection, rules: HouseRules) -> dict[str, Any]:
    """Hold the goods against the criteria; refund, exchange and send back what follows (D3)."""
    back = existing_return(unit, name)
    back.must_be("inspect", ReturnState.TO_INSPECT)
    goods = _allotted(existing(unit, back.order), back, inspection.goods)
    facts = back.inspect(goods, payer=inspection.payer, note=inspection.reason)
    after = unit.record(RETURN, name, facts)
    remedy = back.remedy
    if inspection.instead is not None:
        if (back.remedy, inspection.instead) != (Remedy.EXCHANGE, Remedy.REFUND):
            raise InvalidRequest(field="instead", reason="only an exchange becomes a refund")
        remedy = inspection.instead
    return _settle(
        unit, name, after, remedy, reason=inspection.reason, message=inspection.message, rules=rules
    )


def agree(
    unit: Unit, *, name: str, reason: str, message: Message | None, rules: HouseRules
) -> dict[str, Any]:
    """Staff agree to a refund without the goods: a decision with an actor (rules.md 3)."""
    back = existing_return(unit, name)
    back.must_be("decide_return", ReturnState.REQUESTED)
    return _settle(
        unit, name, back, Remedy.REFUND_ONLY, reason=reason, message=message, rules=rules
    )


def reject(unit: Unit, *, name: str, reason: str, message: Message | None) -> dict[str, Any]:
    """Staff do not agree to a refund without the goods."""
    back = existing_return(unit, name)
    back.must_be("decide_return", ReturnState.REQUESTED)
    words = seal_words(unit, back.learner, (message or REJECTED).to_bytes())
    after = unit.record(RETURN, name, back.reject(ReturnRejected(reason=reason, message=words)))
    _close_up(unit, name, after, reason="the return was rejected")
    return told(name, after)


def withdraw(unit: Unit, *, name: str) -> dict[str, Any]:
    """The learner keeps the goods: the window runs on, nothing stays set aside."""
    back = existing_return(unit, name)
    after = unit.record(RETURN, name, back.withdraw())
    _close_up(unit, name, after, reason="the return was withdrawn")
    return told(name, after)


def lapse(unit: Unit, *, name: str) -> dict[str, Any]:
    """The goods were not sent in time; what came meanwhile counts."""
    back = existing_return(unit, name)
    facts = back.lapse(when=unit.now)
    after = unit.record(RETURN, name, facts)
    if facts:
        _close_up(unit, name, after, reason="the goods were not sent in time")
    return told(name, after)


def _settle(
    unit: Unit,
    name: str,
    back: Return,
    remedy: Remedy,
    *,
    reason: str,
    message: Message | None,
    rules: HouseRules,
) -> dict[str, Any]:
    """Carry out what was agreed to: the return's own fact first, all else is because of it."""
    units, to_send = taken_back(back.goods), refused(back.goods)
    if remedy is Remedy.REFUND_ONLY:
        units = back.units
    exchanged = remedy is Remedy.EXCHANGE and bool(units)
    chain: list[refund_chain.Level] = []
    terms = _terms(back, remedy, reason)
    if units and not exchanged:
        parts = {one.part for one in units}
        chain = refund_chain.levels(unit, back.order, units, parts=parts)
        root = chain[-1]
        price = root.order.price(root.units)
        kept = back.kept_for_freight(back.payer, points=price[0], fen=price[1])
        terms = terms._replace(kept=kept)
    points, fen = refund_chain.worth(unit, chain, terms, rules=rules)
    replacement = None
    if exchanged:
        order, case = existing(unit, back.order), RETURN.stream(name)
        replacement = linked_number(back.order, order, units, case=case)
    sent_back = _sent_back(unit, name, back) if to_send else None
    words = message or message_for(
        remedy,
        refunded=points,
        kept=terms.kept[0],
        replacement=replacement,
        taken=sum(one.quantity for one in units),
        refused=sum(one.quantity for one in to_send),
    )
    settled = ReturnSettled(
        remedy=remedy,
        points_refunded=points,
        cash_fen_refunded=fen,
        points_kept=terms.kept[0],
        cash_fen_kept=terms.kept[1],
        replacement=replacement,
        sent_back_in=sent_back,
        reason=reason,
        message=seal_words(unit, back.learner, words.to_bytes()),
    )
    after = unit.record(RETURN, name, [settled])
    unit.record(ORDER, back.order, [ReturnEnded(by=RETURN.stream(name))])
    refund_chain.refund(unit, chain, terms, rules=rules)
    if exchanged:
        _shelve(unit, back.order, units)
    _scrap(unit, name, back)  # before anything is sent instead: not what came back broken
    if exchanged:
        case = RETURN.stream(name)
        sent = reship(unit, number=back.order, units=units, case=case, rules=rules)
        assert sent == replacement  # by the same rule
    if sent_back is not None:
        _pack_again(unit, sent_back, back, to_send)
    claims = claim_all(unit, by_return(unit, back, remedy=remedy), rules=rules)
    _close_up(unit, name, after, reason=f"settled: {remedy}")
    return {
        **told(name, after),
        "points": points,
        "cash_fen": fen,
        "points_kept": terms.kept[0],
        "replacement": replacement,
        "sent_back_in": sent_back,
        "claims": claims,
    }


def _terms(back: Return, remedy: Remedy, reason: str) -> refund_chain.Terms:
    """Whose fault it is after all says whether the freight of the way there goes back (rule 8)."""
    fault = Fault.CHANGED_MIND if back.payer is Payer.LEARNER else back.reason
    return refund_chain.Terms(fault, reason, goods_back=remedy is Remedy.REFUND)


def _sent_back(unit: Unit, name: str, back: Return) -> str | None:
    """The parcel that refused goods go back in; none for who was erased meanwhile (A4)."""
    erased = unit.read(ACCOUNT, back.learner).status == "erased"
    return None if erased else f"{name}-S"


def _pack_again(unit: Unit, parcel: str, back: Return, units: Sequence[Units]) -> None:
    parts = dict.fromkeys(one.part for one in units)
    contents = tuple(Content(order=back.order, part=part) for part in parts)
    fact = ParcelPacked(warehouse=back.warehouse or "", contents=contents, weight_grams=0)
    unit.record(PARCEL, parcel, [fact])


def _shelve(unit: Unit, number: str, units: Sequence[Units]) -> None:
    order = existing(unit, number)
    for one in units:
        key = _shelf(order, one)
        fact = StockReturned(order=number, part=one.part, quantity=one.quantity)
        unit.record(STOCK, key, [fact])


def _scrap(unit: Unit, name: str, back: Return) -> None:
    """What was taken back and cannot be sold again leaves its shelf at once (C3)."""
    order = existing(unit, back.order)
    for one in back.goods:
        if one.verdict is Verdict.SCRAP:
            key = _shelf(order, Units(part=one.part, line=one.line, quantity=one.quantity))
            stock = unit.read(STOCK, key)
            sku = order.line(one.line).sku
            facts = stock.scrap(one.quantity, sku=sku, reason=f"came back in {name}")
            unit.record(STOCK, key, facts)


def _shelf(order: Order, units: Units) -> str:
    part = order.part(units.part)
    assert part is not None  # a return names parts of its order
    return stock_key(part.warehouse or "", order.line(units.line).sku)


def _allotted(order: Order, back: Return, found: Sequence[Found]) -> list[Inspected]:
    """What was found of each item, unit by unit of the return, in their order."""
    left = {(one.part, one.line): one.quantity for one in back.units}
    goods: list[Inspected] = []
    for one in found:
        missing = one.quantity
        for (part, line), there in left.items():
            taken = min(missing, there) if order.line(line).sku == one.sku else 0
            if taken:
                left[part, line] -= taken
                missing -= taken
                goods.append(
                    Inspected(
                        part=part,
                        line=line,
                        quantity=taken,
                        verdict=one.verdict,
                        failed=one.failed,
                    )
                )
        if missing:
            raise InvalidRequest(field="goods", reason="name every unit of the return once")
    return goods


def _close_up(unit: Unit, name: str, back: Return, *, reason: str) -> None:
    """What ends with every return: the claim, the pause, what was set aside and not sent."""
    stream = RETURN.stream(name)
    order = existing(unit, back.order)
    if any(claim.by == stream for claim in order.returning):
        order = unit.record(ORDER, back.order, [ReturnEnded(by=stream)])
    let_go(unit, number=back.order, case=stream, reason=reason)
    order = existing(unit, back.order)
    unit.record(ORDER, back.order, resume_windows(order, by=stream, when=unit.now))
    box = unit.read(PARCEL, name)
    late = back.state is ReturnState.LAPSED  # it may have left, and come all the same
    if box.back_of is not None and not (box.handed_over or late):
        unit.record(PARCEL, name, box.dissolve(reason))
