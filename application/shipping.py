"""发货 Shipping: pack, label, hand over, and take in what carriers report (W1, T1, T2)."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from application.claiming import follow_window
from application.declaring import draw_up, must_be_declared
from application.merging import existing_parcel, live_contents, parcel_number
from application.ordering import existing, must_have_recipient
from application.reshipping import received_instead
from application.returning import follow
from application.sealed_words import seal_payload
from application.sharing import chosen_carriers
from application.streams import MALL, NETWORK, ORDER, PARCEL, RATES, STOCK
from application.unit import Unit
from application.watched_parcels import keep_unreadable, kept_payload
from application.waybills import are_known, bind, bind_if_free, must_be_known
from domain import confirming, legs, oddities
from domain.blotting import blot
from domain.house_rules import HouseRules
from domain.lanes import Lane
from domain.own_numbers import SecondNumber, as_read
from domain.parcel_facts import (
    Content,
    ParcelPacked,
    ReceiptProved,
    SecondNumberTold,
)
from domain.parcel_state import OddityDecision
from domain.parcels import Parcel, received_at
from domain.refusals import InvalidRequest, NotPossible
from domain.scans import Scan
from domain.stock import StockPicked, stock_key

CHOSEN_THERE = "chosen by the warehouse"
"""Why a third party's parcel has another carrier than the house would have chosen (W4)."""


def pack_part(unit: Unit, *, order: str, part: int, weight_grams: int) -> dict[str, Any]:
    """Pick and pack a part into a parcel of its own at once, past the wave (S5, W1)."""
    state = existing(unit, order)
    must_have_recipient(unit, state, "pack")
    number = parcel_number(order, part)
    after = unit.record(ORDER, order, state.pack(part, parcel=number))
    packed = after.part(part)
    assert packed is not None
    assert packed.warehouse  # `pack` refuses parts without one
    for units in packed.units:
        key = stock_key(packed.warehouse, state.line(units.line).sku)
        picked = StockPicked(order=order, part=part, quantity=units.quantity)
        unit.record(STOCK, key, [picked])
    fact = ParcelPacked(
        warehouse=packed.warehouse,
        contents=(Content(order=order, part=part),),
        weight_grams=weight_grams,
        country=state.country,
    )
    unit.record(PARCEL, number, [fact])
    draw_up(unit, parcel=number, gross_weight_grams=weight_grams)
    return {"parcel": number, "order": order, "warehouse": packed.warehouse}


def issue_waybill(
    unit: Unit, *, parcel: str, carrier: str, waybill: str, reason: str = ""
) -> dict[str, Any]:
    """Put a carrier's number on a parcel, by hand (W5 brings the electronic label).

    A label that is on a parcel is noted in any case. Where another carrier was chosen, a reason
    is asked for, unless a third party's warehouse chose and reports back (W4).
    """
    state = existing_parcel(unit, parcel)
    if (state.carrier, state.waybill) != (carrier, waybill):
        must_be_known(unit, carrier)
    chosen = chosen_carriers(unit, state)
    instead_of = None
    if chosen and carrier not in chosen:
        instead_of = chosen[0]
        known = unit.read(NETWORK, MALL).warehouses.get(state.warehouse)
        if known is not None and known.third_party:
            reason = reason or CHOSEN_THERE
    facts = state.label(carrier=carrier, waybill=waybill, instead_of=instead_of, reason=reason)
    bind(unit, parcel=parcel, carrier=carrier, waybill=waybill)
    after = unit.record(PARCEL, parcel, facts)
    return {
        "parcel": parcel,
        "carrier": carrier,
        "waybill": waybill,
        "chosen": chosen[0] if chosen else None,
        "reason_wanted": after.unexplained,
    }


def hand_over(unit: Unit, *, parcel: str, rules: HouseRules) -> dict[str, Any]:
    """Give a parcel to its carrier: every order still in it is pending receipt (rules.md 2).

    One that goes abroad waits until customs cleared exactly what is in it (T7).
    """
    state = existing_parcel(unit, parcel)
    lane = _lane(unit, state, rules=rules)
    handing_over = state.hand_over(
        when=unit.happened_at, lane=lane, card=_recipient(unit, parcel, state)
    )
    must_be_declared(unit, parcel, state, action="hand_over")
    handed = unit.record(PARCEL, parcel, handing_over)
    follow_window(unit, parcel, state, rules=rules)
    for content in state.contents:
        order = existing(unit, content.order)
        must_have_recipient(unit, order, "hand_over")
        unit.record(ORDER, content.order, order.hand_over(content.part))
    _receive(unit, parcel, handed, rules=rules)
    if state.back_of is not None:
        follow(unit, parcel=parcel)
    return {"parcel": parcel, "orders": list(state.orders)}


def _recipient(unit: Unit, parcel: str, state: Parcel) -> str | None:
    """The card of whom a parcel goes to; all orders in it go to the same place (S4)."""
    if state.back_of is not None:
        return None  # it comes to the house
    going = (state.place(one.order) for one in live_contents(unit, parcel, state))
    return next((one.card for one in going if one is not None), None)


def _lane(unit: Unit, parcel: Parcel, *, rules: HouseRules) -> Lane | None:
    """Where a parcel comes from and goes to, and how long its carrier says that takes (T4)."""
    if parcel.back_of is not None:
        return None  # nobody waits for it but the house
    warehouse = unit.read(NETWORK, MALL).warehouses.get(parcel.warehouse)
    going = parcel.place(existing(unit, parcel.contents[0].order))
    if warehouse is None or going is None:
        return None
    offers = (
        unit.read(RATES, MALL)
        .at(unit.happened_at, zone=rules.zone)
        .offers(
            warehouse.province,
            going.region,
            same_city=bool(going.city) and going.city == warehouse.city,
        )
    )
    hours = next((one.hours for one in offers if one.carrier == parcel.carrier), None)
    return Lane(
        origin=warehouse.province,
        province=going.region,
        city=going.city,
        division=going.division,
        hours=hours,
    )


def record_scans(
    unit: Unit,
    *,
    parcel: str,
    scans: Sequence[Scan],
    source: str,
    raw: bytes | None,
    corrected_to: str | None,
    corrected_from: str | None = None,
    rules: HouseRules,
    second: SecondNumber | None = None,
) -> dict[str, Any]:
    """Take in what a carrier reports; known scans change nothing, new ones move the orders (T2).

    What is told of a number that is not the parcel's is kept and flagged, and moves nothing until
    the number turns out to be its own: by a `second` one, by a hand-over scan, or by a human.
    So is a correction that names a carrier nobody knows: a human looks at what was sent (T1).
    Each scan happened when the carrier saw the parcel, and is recorded now (A5). Its text is
    recorded without names and phones (rule 30); what it means was read from the text as it came.
    """
    state = before = existing_parcel(unit, parcel)
    carrier = state.carrier
    if corrected_to:
        state = _correct(unit, parcel, state, corrected_to, was=corrected_from, raw=raw)
    joined = state.join(second) if second else []
    state = unit.record(PARCEL, parcel, joined)
    fresh = state.tracking.fresh(_as_recorded(scans, now=unit.now))
    if fresh:
        payload = None if raw is None else kept_payload(unit, state, raw)
        for fact in state.scanned(fresh, source=source, payload=payload):
            # A clock that runs ahead of ours, by less than what is flagged, is not believed either.
            seen = min(fact.time, unit.now)
            state = unit.record(PARCEL, parcel, [fact], happened_at=seen)
    if state.carrier != carrier:
        bind_if_free(unit, parcel=parcel)
    if fresh or joined:
        state = unit.record(PARCEL, parcel, oddities.flag(state, rules=rules))
    _receive(unit, parcel, before, rules=rules)
    if state.back_of is not None:
        follow(unit, parcel=parcel)
    return {"parcel": parcel, "state": state.track().state, "new_scans": len(fresh)}


def _as_recorded(scans: Iterable[Scan], *, now: datetime) -> list[Scan]:
    """The scans without names and phones (rule 30), none later than they are told (T6)."""
    return [replace(scan.as_told(now), text=blot(scan.text)) for scan in scans]


def _correct(
    unit: Unit, parcel: str, state: Parcel, carrier: str, *, was: str | None, raw: bytes | None
) -> Parcel:
    """Take in whose number it is, as a partner says; kept for a human where nobody knows them."""
    if are_known(unit, (carrier, was)):
        return unit.record(PARCEL, parcel, state.correct_carrier(carrier, was=was))
    if state.unread == 0 and raw is not None:  # each later push says the same again
        keep_unreadable(unit, parcel=parcel, raw=raw)
    return unit.read(PARCEL, parcel)


def carry_on(
    unit: Unit, *, parcel: str, carrier: str, waybill: str, rules: HouseRules
) -> dict[str, Any]:
    """Who brings a parcel abroad, and under which number: its scans are the parcel's own (T7).

    What was set aside because nobody knew the number counts from here, a receipt among it.
    """
    state = before = existing_parcel(unit, parcel)
    facts = legs.carried_on(state, carrier=carrier, waybill=waybill)
    state = unit.record(PARCEL, parcel, facts)
    if facts:
        state = unit.record(PARCEL, parcel, oddities.flag(state, rules=rules))
        _receive(unit, parcel, before, rules=rules)
    return {"parcel": parcel, "carrier": carrier, "waybill": waybill, "state": state.track().state}


def take_back_number(
    unit: Unit,
    *,
    parcel: str,
    waybill: str,
    reason: str,
    instead: tuple[str, str] | None,
    rules: HouseRules,
) -> dict[str, Any]:
    """A second number was not the parcel's: its scans count no more, another's may (T2, T7).

    `instead`: carrier and number that are right, noted in the same commit. Scans of the wrong
    number are flagged like any foreign one's. No order moves back: a delivery that was believed
    is disputed (D1); but nothing of value follows before the right number's receipt is confirmed.
    """
    if instead is not None and as_read(instead[1]) == as_read(waybill):
        raise InvalidRequest(
            field="instead.waybill", reason="name another number than the one that is taken back"
        )
    state = before = existing_parcel(unit, parcel)
    facts = legs.taken_back(state, waybill=waybill, reason=reason)
    state = unit.record(PARCEL, parcel, facts)
    if instead is not None:
        carrier, number = instead
        more = legs.carried_on(state, carrier=carrier, waybill=number)
        state = unit.record(PARCEL, parcel, more)
        facts = [*facts, *more]
    if facts:
        state = unit.record(PARCEL, parcel, oddities.flag(state, rules=rules))
        _receive(unit, parcel, before, rules=rules)
        if state.back_of is not None:
            follow(unit, parcel=parcel)
    now = state.overseas
    return {
        "parcel": parcel,
        "taken_back": waybill,
        "carrier": now and now.carrier,
        "waybill": now and now.waybill,
        "state": state.track().state,
    }


def _receive(unit: Unit, parcel: str, before: Parcel, *, rules: HouseRules) -> None:
    """A receipt that the track tells of moves the orders, from when the goods are packed on.

    One told before that is recorded, and counts once its parcel is handed over; of one that was
    unpacked it moves nothing, what was in it is elsewhere. The carrier's time for claims runs from
    what is known now.
    """
    follow_window(unit, parcel, before, rules=rules)
    state = unit.read(PARCEL, parcel)
    signed = received_at(state.track())
    if signed is None or state.dissolved or not state.closed:
        return
    when = min(signed, unit.now)
    for content in state.contents:
        order = existing(unit, content.order)
        arrived = order.receive(content.part, when=when, rules=rules)
        unit.record(ORDER, content.order, arrived, happened_at=when)
        if arrived:
            received_instead(unit, order.original, when=when, rules=rules)


def keep_proof(
    unit: Unit, *, parcel: str, media_type: str, content: bytes, source: str
) -> dict[str, Any]:
    """Keep a picture or a slip of the receipt; its content goes to the vault alone (T8, D1; A4).

    It goes as what carriers pushed does: by its retention, or with the learner's erasure.
    """
    state = existing_parcel(unit, parcel)
    state.must_take_proof()
    sealed = seal_payload(unit, existing(unit, state.orders[0]).learner, content)
    if sealed is None:
        raise NotPossible(action="prove", why="the recipient was erased")
    fact = ReceiptProved(
        media_type=media_type,
        size_bytes=len(content),
        source=source,
        card=sealed.card,
        digest=sealed.digest,
    )
    unit.record(PARCEL, parcel, [fact])
    return {"parcel": parcel, "card": sealed.card, "digest": sealed.digest}


def decide_oddity(
    unit: Unit,
    *,
    parcel: str,
    oddity: str,
    decision: OddityDecision,
    reason: str,
    rules: HouseRules,
) -> dict[str, Any]:
    """A human's word on what is odd about a track; it may bring other oddities to light (T6).

    Scans that are left out move no order back: a delivery that was believed is disputed (D1).
    A receipt under a number that is accepted is the order's.
    """
    state = before = existing_parcel(unit, parcel)
    facts = oddities.decide(
        state, oddity, decision, reason=reason, when=unit.happened_at, rules=rules
    )
    state = unit.record(PARCEL, parcel, facts)
    state = unit.record(PARCEL, parcel, oddities.flag(state, rules=rules))
    _receive(unit, parcel, before, rules=rules)
    if state.back_of is not None:
        follow(unit, parcel=parcel)
    return {"parcel": parcel, "oddity": oddity, "decision": decision, "state": state.track().state}


def confirm_track(
    unit: Unit, *, parcel: str, told: Sequence[Scan], asked: datetime, source: str
) -> dict[str, Any]:
    """Note that the source, asked, told of the receipt that the house knows of (rules.md 23).

    `told` are scans that `record_scans` took in: a receipt that does not count confirms nothing.
    Where it names the number that the receipt came under, that one is asked about next.
    `contradicted`: the house knows of a receipt, and the source was asked and does not.
    """
    state = existing_parcel(unit, parcel)
    track = state.track()
    if received_at(track) is None:
        return {"contradicted": confirming.fell_away(state, track) is not None}
    known = _as_recorded(told, now=unit.now)
    if confirming.knows(state, known):
        unit.record(PARCEL, parcel, state.confirm(at=asked, source=source))
        return {"contradicted": False}
    second = confirming.named(state, known, source=source)
    if second is not None:
        unit.record(PARCEL, parcel, [SecondNumberTold(**second._asdict())])
    return {"contradicted": second is None}
