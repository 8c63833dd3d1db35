"""理赔处理 Asking a carrier, and claiming from it, once a parcel (D2; rules.md 23, 27)."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from application.ordering import existing
from application.sealed_words import seal_words
from application.sent_again import goods_sent_again, is_sent_again, return_of
from application.streams import CLAIM, DISPUTE, ITEM, ORDER, PARCEL, RETURN
from application.unit import Unit
from domain.claims import Claim, ClaimFact, ClaimFiled, InquiryResult
from domain.dispute_facts import ClaimWindowMoved
from domain.disputes import Unconfirmed, case_id, file_claim_by
from domain.house_rules import HouseRules
from domain.order_facts import Fault, Units
from domain.parcels import Parcel, received_at
from domain.parts import PROGRESS, units_of
from domain.refusals import InvalidRequest, NotFound, NotPossible, Refusal

STEPS = ("corrected", "acknowledged", "accepted", "rejected", "paid", "written_off")
"""What can become of a claim, one after the other."""


def told(parcel: str, claim: Claim) -> dict[str, Any]:
    """What a command on a parcel's inquiry or claim answers."""
    asked = claim.inquiry
    return {
        "parcel": parcel,
        "claim": claim.state,
        "inquiry": None if asked is None else asked.state,
    }


def open_inquiry(unit: Unit, *, parcel: str, case: str | None, rules: HouseRules) -> dict[str, Any]:
    """Ask the carrier what became of a parcel; all its cases share one inquiry (rules.md 27)."""
    box = _with_carrier(unit, parcel, "inquire")
    claim = unit.read(CLAIM, parcel)
    facts = claim.inquire(
        orders=box.orders,
        carrier=box.carrier or "",
        waybill=box.waybill or "",
        case=case,
        when=unit.now,
        rules=rules,
    )
    after = unit.record(CLAIM, parcel, facts)
    asked = after.inquiry
    return {**told(parcel, after), "answer_by": asked.answer_by if asked else None}


def answer_inquiry(
    unit: Unit, *, parcel: str, result: InquiryResult, reference: str, words: str | None
) -> dict[str, Any]:
    """Take the carrier's answer; its words may name people, so they are sealed (rules.md 30)."""
    box = _existing_parcel(unit, parcel)
    claim = unit.read(CLAIM, parcel)
    claim.answer_inquiry(result, reference=reference, words=None)  # before anything is sealed
    sealed = seal_words(unit, existing(unit, box.orders[0]).learner, words)
    facts = claim.answer_inquiry(result, reference=reference, words=sealed)
    return told(parcel, unit.record(CLAIM, parcel, facts))


def time_out_inquiry(unit: Unit, *, parcel: str) -> dict[str, Any]:
    """Wait no longer for the carrier's answer."""
    claim = unit.read(CLAIM, parcel)
    return told(parcel, unit.record(CLAIM, parcel, claim.time_out(when=unit.now)))


def file_claim(
    unit: Unit,
    *,
    parcel: str,
    reason: Fault,
    claimed_fen: int | None,
    unconfirmed_because: str,
    rules: HouseRules,
) -> dict[str, Any]:
    """Claim money of the carrier: what is named, or what the goods in the parcel are worth.

    Never more than that and their freight: raises `InvalidRequest`.
    Waits for a query that confirms the track, unless staff say why it counts (rules.md 23).
    """
    box = _with_carrier(unit, parcel, "file_claim")
    claim = unit.read(CLAIM, parcel)
    # That there is a claim already counts for more than what another one would need.
    if claim.state is None and not (is_confirmed(unit, parcel) or unconfirmed_because):
        raise Unconfirmed(parcel=parcel)
    by = filing_until(box, rules=rules)
    fen = value_of(unit, parcel) if claimed_fen is None else claimed_fen
    if fen < 1:
        raise NotPossible(action="file_claim", why="there is nothing to claim")
    filing = ClaimFiled(
        orders=box.orders,
        carrier=box.carrier or "",
        waybill=box.waybill or "",
        reason=reason,
        claimed_fen=fen,
        file_by=by,
        unconfirmed_because=unconfirmed_because,
    )
    facts = claim.file(filing, most=_most(unit, parcel, rules=rules), when=unit.now)
    after = unit.record(CLAIM, parcel, facts)
    return {**told(parcel, after), "claimed_fen": fen, "file_by": by}


def filing_until(box: Parcel, *, rules: HouseRules) -> datetime | None:
    """When the time of the carrier that has a parcel ends, by what is known of it now (D2)."""
    return file_claim_by(
        carrier=box.carrier,
        handed_over_at=box.tracking.handed_over_at,
        signed_at=received_at(box.track()),
        rules=rules,
    )


def follow_window(unit: Unit, parcel: str, before: Parcel, *, rules: HouseRules) -> None:
    """The carrier's time for claims follows what is known: its parcel's cases say so (D2).

    Only what it runs from moves it (who has the parcel, hand-over, receipt), and by the figures of
    that moment: settings alone move no deadline that was told.
    """
    box = unit.read(PARCEL, parcel)
    runs_from, ran_from = (
        (one.carrier, one.tracking.handed_over_at, received_at(one.track()))
        for one in (box, before)
    )
    if runs_from == ran_from or box.back_of is not None:
        return
    carrier, handed_over_at, signed_at = runs_from
    moved = ClaimWindowMoved(
        file_claim_by=filing_until(box, rules=rules),
        carrier=carrier,
        handed_over_at=handed_over_at,
        signed_at=signed_at,
    )
    for order in box.orders:
        mine = {one.part for one in box.carries if one.order == order}
        parts = (part for part in unit.read(ORDER, order).parts if part.number in mine)
        left = (part for part in parts if is_sent_again(parcel) or part.parcel == parcel)
        if not any(part.state in PROGRESS[2:] or not part.live for part in left):
            continue  # what never left has no case
        case = case_id(order, parcel)
        unit.record(DISPUTE, case, unit.read(DISPUTE, case).move_window(moved))


def raise_claim(
    unit: Unit,
    *,
    parcel: str,
    fen: int,
    least: int,
    way_fen: int,
    reason: str,
    rules: HouseRules,
) -> None:
    """Ask for so much more that the carrier is at fault for, and for `least` in all.

    Never for more than the goods are worth and their way back costs, which is `way_fen` of it.
    Raises once the carrier has answered.
    """
    asked = unit.read(CLAIM, parcel).claimed_fen
    wanted = max(asked + fen, least)
    wanted = min(wanted, _goods_in(unit, parcel) + way_fen, _most(unit, parcel, rules=rules))
    if wanted > asked:
        most = _most(unit, parcel, rules=rules)
        _correct(unit, parcel, wanted, reason=reason, most=most)


def _correct(unit: Unit, parcel: str, fen: int, *, reason: str, most: int) -> None:
    claim, carrier = unit.read(CLAIM, parcel), unit.read(PARCEL, parcel).carrier or ""
    facts = claim.correct(fen, carrier=carrier, reason=reason, most=most, when=unit.now)
    unit.record(CLAIM, parcel, facts)


def step(
    unit: Unit,
    *,
    parcel: str,
    name: str,
    amount_fen: int | None,
    reference: str,
    reason: str,
    rules: HouseRules,
) -> dict[str, Any]:
    """What the carrier said or paid, that something else is asked, or nothing more expected."""
    claim = unit.read(CLAIM, parcel)
    if name == "corrected":
        if amount_fen is None:
            raise InvalidRequest(field="amount_fen", reason="say what is claimed")
        most = _most(unit, parcel, rules=rules)
        _correct(unit, parcel, amount_fen, reason=reason, most=most)
        after = unit.read(CLAIM, parcel)
    else:
        facts = _stepped(claim, name, amount_fen=amount_fen, reference=reference, reason=reason)
        after = unit.record(CLAIM, parcel, facts)
    return {
        **told(parcel, after),
        "claimed_fen": after.claimed_fen,
        "accepted_fen": after.accepted_fen,
        "paid_fen": after.paid_fen,
    }


def steps_of(claim: Claim) -> dict[str, dict[str, Any]]:
    """Which steps of a claim are possible now, and why the others are not (D6)."""
    return {name: _tried(claim, name) for name in STEPS}


def _tried(claim: Claim, name: str) -> dict[str, Any]:
    try:
        _stepped(claim, name, amount_fen=None, reference="", reason="")
    except Refusal as refusal:
        return {
            "possible": False,
            "why": refusal.message("en"),
            "why_zh": refusal.message("zh"),
        }
    return {"possible": True}


def _stepped(
    claim: Claim, name: str, *, amount_fen: int | None, reference: str, reason: str
) -> list[ClaimFact]:
    match name:
        case "corrected":
            same, when = claim.claimed_fen, datetime.min.replace(tzinfo=UTC)
            return claim.correct(same, carrier="", reason=reason, most=same, when=when)
        case "acknowledged":
            return claim.acknowledge(reference)
        case "accepted":
            return claim.accept(claim.claimed_fen if amount_fen is None else amount_fen)
        case "rejected":
            return claim.reject(reason)
        case "paid":
            return claim.pay(claim.owed_fen if amount_fen is None else amount_fen)
        case _:
            return claim.write_off(reason)


def is_confirmed(unit: Unit, parcel: str) -> bool:
    """Whether a query confirmed the track as it is, or the carrier answered our inquiry.

    What pushes alone say is worth nothing yet (T2; rules.md 23).
    """
    box, asked = unit.read(PARCEL, parcel), unit.read(CLAIM, parcel).inquiry
    answered = asked is not None and asked.result is not None
    return answered or box.confirmed_since(box.track().since)


def worth(unit: Unit, order: str, units: Iterable[Units]) -> int:
    """What these units of an order are worth at today's terms, in fen."""
    state = unit.read(ORDER, order)
    return sum(worth_of(unit, state.line(one.line).sku, one.quantity) for one in units)


def worth_of(unit: Unit, sku: str, quantity: int) -> int:
    """What so much of an item is worth at today's terms, in fen."""
    terms = unit.read(ITEM, sku).terms
    return 0 if terms is None else terms.market_value_fen * quantity


def value_sent(unit: Unit, box: Parcel, *, order: str) -> int:
    """What the goods that an order has in a parcel are worth at today's terms, in fen."""
    state = unit.read(ORDER, order)
    sent = (state.part(one.part) for one in box.contents if one.order == order)
    return worth(unit, order, units_of(box.carried(part) for part in sent if part is not None))


def value_of(unit: Unit, parcel: str) -> int:
    """What was sent in a parcel is worth, in fen; refunds since are known from an order's case."""
    box = unit.read(PARCEL, parcel)
    if _of_return(box, parcel):
        return _goods_in(unit, parcel)
    fen = 0
    for order in box.orders:
        case = unit.read(DISPUTE, case_id(order, parcel))
        fen += case.value_fen if case.opened else value_sent(unit, box, order=order)
    return fen


def _most(unit: Unit, parcel: str, *, rules: HouseRules) -> int:
    """What a carrier can owe for a parcel: its goods, and their freight there and back."""
    orders = unit.read(PARCEL, parcel).orders
    paid = sum(unit.read(ORDER, order).freight_fen for order in orders)
    way = rules.return_freight_fen
    return _goods_in(unit, parcel) + max(paid, way) + way


def _goods_in(unit: Unit, parcel: str) -> int:
    """What left in a parcel is worth, of all orders in it, also what was paid back since, in fen.

    What these orders have in other parcels is not of it (S1, S4).
    """
    box = unit.read(PARCEL, parcel)
    if _of_return(box, parcel):
        back = unit.read(RETURN, return_of(parcel))
        again = goods_sent_again(unit, parcel)
        units = back.units if again is None else again
        return worth(unit, back.order, units)
    fen = 0
    for content in box.carries:
        part = unit.read(ORDER, content.order).part(content.part)
        if part is None:
            continue
        left = [
            Units(part=part.number, line=one.line, quantity=one.quantity)
            for one in part.sent or part.units
        ]
        fen += worth(unit, content.order, left)
    return fen


def _of_return(box: Parcel, parcel: str) -> bool:
    """Whether a return's goods are in it: on their way back, or to their learner again (D3)."""
    return box.back_of is not None or is_sent_again(parcel)


def _existing_parcel(unit: Unit, parcel: str) -> Parcel:
    box = unit.read(PARCEL, parcel)
    if not box.orders:
        raise NotFound(what="parcel")
    return box


def _with_carrier(unit: Unit, parcel: str, action: str) -> Parcel:
    """The parcel, once its carrier has or had it."""
    box = _existing_parcel(unit, parcel)
    if box.carrier is None or not (box.handed_over or box.track().scans):
        raise NotPossible(action=action, why="no carrier has the parcel")
    return box
