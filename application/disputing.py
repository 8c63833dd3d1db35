"""争议处理 A case, from its opening until it can be decided (D1; rules.md 2, 27, 28)."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from application.claiming import filing_until, value_sent
from application.gathering import Gathered
from application.ordering import existing, kept_units
from application.refund_chain import by_sku
from application.reshipping import let_go, set_aside
from application.sealed_words import seal_file, seal_words
from application.sent_again import (
    due_in,
    due_of_sent_again,
    goods_sent_again,
    parcels_sent_again,
)
from application.streams import DISPUTE, ORDER, PARCEL
from application.unit import Unit
from domain.choosing import NO_REASONS, both, chosen
from domain.dispute_facts import (
    Answer,
    DisputeOpened,
    DisputeReopened,
    EvidenceGathered,
    Question,
    Side,
)
from domain.disputes import CaseState, Dispute, case_id
from domain.house_rules import HouseRules
from domain.order_facts import Fault, Units
from domain.orders import Order
from domain.parcels import Parcel, received_at
from domain.parts import PROGRESS
from domain.refusals import InvalidRequest, NotFound, NotPossible, Refusal
from domain.tracking import ParcelState
from domain.windows import pause_windows, resume_windows


def existing_case(unit: Unit, case: str) -> Dispute:
    """The case with this id; raises `NotFound`."""
    dispute = unit.read(DISPUTE, case)
    if not dispute.opened:
        raise NotFound(what="dispute")
    return dispute


def told(case: str, dispute: Dispute) -> dict[str, Any]:
    """What a command on a case answers."""
    return {"case": case, "order": dispute.order, "state": dispute.state}


def disputable_parcels(order: Order) -> list[str]:
    """The parcels of an order that something may be wrong with, in the order of its parts."""
    found = [
        part.parcel
        for part in order.parts
        if part.parcel and part.live and part.warehouse and part.state in PROGRESS[2:]
    ]
    return list(dict.fromkeys(found))


def parcel_of(order: Order, named: str | None, *, again: bool = False) -> str:
    """The parcel a case is about: the one that is named, or the only one there is.

    `again`: refused goods of a return left in it for their learner, and some are still to be had;
    they are disputed like any other (D3).
    """
    if named is not None and again:
        return named
    parcels = disputable_parcels(order)
    if named is None and len(parcels) > 1:
        raise InvalidRequest(field="parcel", reason=f"name one of them: {', '.join(parcels)}")
    if not parcels or (named is not None and named not in parcels):
        raise NotPossible(
            action="dispute", why="nothing that is still of the order left in such a parcel"
        )
    return named or parcels[0]


def opening_of(
    *,
    number: str,
    order: Order,
    parcel: str,
    box: Parcel,
    reason: Fault,
    by: Side,
    value_fen: int,
    when: datetime,
    rules: HouseRules,
) -> DisputeOpened:
    """The first fact of a case, with its clocks; without what was said of it."""
    signed = received_at(box.track())
    again = [one.part for one in box.goods]
    return DisputeOpened(
        order=number,
        parcel=parcel,
        parts=tuple(
            part.number
            for part in order.parts
            if part.live and (part.parcel == parcel or part.number in again)
        ),
        learner=order.learner,
        reason=reason,
        by=by,
        disputable_until=None if signed is None else signed + rules.disputable_for,
        value_fen=value_fen,
        decide_by=when + rules.decide_within,
        file_claim_by=filing_until(box, rules=rules),
    )


def open_dispute(
    unit: Unit,
    *,
    number: str,
    parcel: str | None,
    reason: Fault,
    by: Side,
    words: str | None,
    gathered: Gathered,
    rules: HouseRules,
) -> dict[str, Any]:
    """Open the case: evidence is kept, the learner asked, the service window stands still.

    Wrong goods have the right ones set aside at once, where there are some (rules.md 28).
    """
    order = existing(unit, number)
    parcel = parcel_of(order, parcel, again=parcel is not None and _left_again(unit, parcel))
    box = unit.read(PARCEL, parcel)
    opening = opening_of(
        number=number,
        order=order,
        parcel=parcel,
        box=box,
        reason=reason,
        by=by,
        value_fen=value_sent(unit, box, order=number),
        when=unit.now,
        rules=rules,
    )
    case = case_id(number, parcel)
    before = unit.read(DISPUTE, case)
    before.open(opening, case=case, when=unit.now, rules=rules)  # before anything is sealed
    opening = opening.model_copy(update={"words": seal_words(unit, order.learner, words)})
    first, *more = before.open(opening, case=case, when=unit.now, rules=rules)
    evidence = _evidence(unit, parcel, gathered)
    dispute = unit.record(DISPUTE, case, [first, evidence, *more])
    _hold_windows(unit, case, dispute)
    _set_right_ones_aside(unit, case, dispute, rules=rules)
    return {**told(case, dispute), "decide_by": dispute.decide_by, "answer_by": dispute.answer_by}


def _left_again(unit: Unit, parcel: str) -> bool:
    again = goods_sent_again(unit, parcel)
    left = again is not None and unit.read(PARCEL, parcel).handed_over
    return left and bool(due_of_sent_again(unit, parcel, again or ()))


def ask_learner(
    unit: Unit, *, case: str, questions: Sequence[Question], rules: HouseRules
) -> dict[str, Any]:
    """Ask the learner something, also once more what timed out."""
    dispute = existing_case(unit, case)
    after = unit.record(DISPUTE, case, dispute.ask(questions, when=unit.now, rules=rules))
    return {**told(case, after), "answer_by": after.answer_by}


def answer_questions(
    unit: Unit,
    *,
    case: str,
    answers: Sequence[tuple[Question, Answer, str | None]],
    by: Side,
) -> dict[str, Any]:
    """Take the learner's answers, each with words of theirs if they gave some."""
    dispute = existing_case(unit, case)
    for question, answer, words in answers:
        dispute.answer(question, answer, words=None, by=by)  # before anything is sealed
        sealed = seal_words(unit, dispute.learner, words)
        facts = dispute.answer(question, answer, words=sealed, by=by)
        dispute = unit.record(DISPUTE, case, facts)
    return told(case, dispute)


def time_out_questions(unit: Unit, *, case: str) -> dict[str, Any]:
    """Close the questions whose time is over; what was answered meanwhile stays."""
    dispute = existing_case(unit, case)
    after = unit.record(DISPUTE, case, dispute.time_out(when=unit.now))
    return told(case, after)


def note_overdue(unit: Unit, *, case: str) -> dict[str, Any]:
    """Note that a case was not decided in time."""
    dispute = existing_case(unit, case)
    after = unit.record(DISPUTE, case, dispute.grow_overdue(when=unit.now))
    return told(case, after)


def add_evidence(
    unit: Unit, *, case: str, media_type: str, content: bytes, by: Side
) -> dict[str, Any]:
    """Take a picture or a document into the case; its content goes to the vault alone (A4)."""
    dispute = existing_case(unit, case)
    dispute.must_take_files()
    sealed = seal_file(unit, dispute.learner, content)
    facts = dispute.add_file(media_type=media_type, size_bytes=len(content), content=sealed, by=by)
    after = unit.record(DISPUTE, case, facts)
    new = after.files[-1]
    return {**told(case, after), "file": new.file, "digest": new.content.digest}


def withdraw(unit: Unit, *, case: str, words: str | None) -> dict[str, Any]:
    """The learner takes it back: the window runs on, nothing stays set aside."""
    dispute = existing_case(unit, case)
    dispute.must_be_open("withdraw")
    sealed = seal_words(unit, dispute.learner, words)
    after = unit.record(DISPUTE, case, dispute.withdraw(words=sealed))
    close_up(unit, case, after, reason="the case was withdrawn")
    return told(case, after)


def reopen(
    unit: Unit,
    *,
    case: str,
    by: Side,
    words: str | None,
    gathered: Gathered,
    rules: HouseRules,
    reason: Fault | None = None,
) -> dict[str, Any]:
    """Look at a case once more, on what is known by now, for another reason if one is given.

    One that gave something only while units of it are to be had that nothing else is sent for (D4).
    """
    dispute = existing_case(unit, case)
    signed = received_at(unit.read(PARCEL, dispute.parcel).track())
    until = None if signed is None else signed + rules.disputable_for
    anew = DisputeReopened(
        by=by,
        decide_by=unit.now + rules.decide_within,
        reason=None if reason is dispute.reason else reason,
        disputable_until=None if until == dispute.disputable_until else until,
    )
    due = bool(due_in(unit, dispute.parcel, order=dispute.order, parts=dispute.parts))
    dispute.must_be_reopenable(anew, when=unit.now, due=due)  # before anything is sealed
    anew = anew.model_copy(update={"words": seal_words(unit, dispute.learner, words)})
    first, *more = dispute.reopen(anew, when=unit.now, due=due, rules=rules)
    evidence = _evidence(unit, dispute.parcel, gathered)
    after = unit.record(DISPUTE, case, [first, evidence, *more])
    _hold_windows(unit, case, after)
    _set_right_ones_aside(unit, case, after, rules=rules)
    return {**told(case, after), "decide_by": after.decide_by, "answer_by": after.answer_by}


def open_units(
    unit: Unit, dispute: Dispute, lines: Sequence[tuple[str, int]] | None
) -> tuple[Units, ...]:
    """The units of a case's parcel that it can decide of: those that are named, or all (D4).

    Where refused goods of a return were sent again, each parcel's own alone (D3).
    """
    order = existing(unit, dispute.order)
    kept = kept_units(unit, dispute.order, order)
    if any(parcels_sent_again(unit, dispute.order)):
        left = due_in(unit, dispute.parcel, order=dispute.order, parts=dispute.parts)
        if lines is None:
            left = both(left, order.refundable(None, parts=dispute.parts, kept=kept))
        skus = {one.line: one.sku for one in order.lines}
        mine = chosen(left, lines, skus=skus, action="decide_case", because=NO_REASONS)
        if not mine:
            raise NotPossible(action="decide_case", why="nothing in the parcel is to be had")
        lines = by_sku(order, mine)
    return order.refundable(lines, parts=dispute.parts, kept=kept)


def close_up(unit: Unit, case: str, dispute: Dispute, *, reason: str) -> None:
    """What ends with every case: windows run on, what was set aside and not sent is free."""
    if dispute.state not in (CaseState.DECIDED, CaseState.WITHDRAWN):
        return
    stream = DISPUTE.stream(case)
    let_go(unit, number=dispute.order, case=dispute.named(stream), reason=reason)
    order = existing(unit, dispute.order)
    unit.record(ORDER, dispute.order, resume_windows(order, by=stream, when=unit.now))


def _set_right_ones_aside(unit: Unit, case: str, dispute: Dispute, *, rules: HouseRules) -> None:
    if dispute.reason is not Fault.WRONG_GOODS:
        return
    stream = dispute.named(DISPUTE.stream(case))
    with suppress(Refusal):  # where there are none, the case says so when it is decided
        set_aside(
            unit,
            number=dispute.order,
            units=open_units(unit, dispute, None),
            case=stream,
            parcel=dispute.parcel,
            rules=rules,
        )


def _hold_windows(unit: Unit, case: str, dispute: Dispute) -> None:
    order = existing(unit, dispute.order)
    facts = pause_windows(order, dispute.parts, by=DISPUTE.stream(case), when=unit.now)
    unit.record(ORDER, dispute.order, facts)


def _evidence(unit: Unit, parcel: str, gathered: Gathered) -> EvidenceGathered:
    box: Parcel = unit.read(PARCEL, parcel)
    track = box.track()
    signed = track.state is ParcelState.SIGNED
    return EvidenceGathered(
        track=f"{PARCEL.stream(parcel)}@{unit.version(PARCEL, parcel)}",
        carrier=box.carrier,
        waybill=box.waybill,
        state=track.state,
        since=track.since,
        scans=len(track.scans),
        signed_at=track.signed_at,
        signer=track.signer,
        signer_match=gathered.signer_match,
        proof_of_delivery=gathered.proof_of_delivery if signed else None,
        confirmed=box.confirmed_since(track.since),
        same_address=gathered.same_address,
    )
