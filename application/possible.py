"""可行操作 What can be done with a case now, and what it would do exactly (D6).

Nothing is guessed: each command is decided as it would be, on exact states, in a unit whose facts
are thrown away; what they say is told.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from application import claiming, deciding, disputing, returning, settling
from application.gathering import Gathered
from application.sealed_words import Message, content_of
from application.streams import ORDER
from application.unit import Unit
from domain.claims import ClaimCorrected, ClaimFiled, InquiryResult
from domain.dispute_facts import (
    Answer,
    DecisionProposed,
    DisputeDecided,
    Outcome,
    Question,
    Side,
)
from domain.facts import Fact
from domain.house_rules import HouseRules
from domain.order_facts import OrderPlaced
from domain.payment_facts import CashRefundRequested
from domain.point_facts import HoldVoided, PointsGranted, PointsRestored
from domain.refusals import Refusal
from domain.return_facts import AgreementProposed, ReturnRejected, ReturnSettled, Verdict
from domain.stock import StockPutBack, StockReleased, StockReserved, StockReturned, StockScrapped
from domain.window_facts import WindowResumed

Decide = Callable[[Unit], Mapping[str, Any]]


def tried(unit: Unit, decide: Decide) -> dict[str, Any]:
    """Whether a command is possible now and what it would do, or why it is not."""
    trial = unit.trial()
    try:
        decide(trial)
    except Refusal as refusal:
        return {
            "possible": False,
            "code": refusal.code,
            "why": refusal.message("en"),
            "why_zh": refusal.message("zh"),
        }
    return {"possible": True, **effects(trial)}


def case_actions(unit: Unit, case: str, *, staff: bool, rules: HouseRules) -> dict[str, Any]:
    """Every command on a case by name, as the learner or as staff could give it now."""
    commands = _of_staff(unit, case, rules) if staff else _of_learner(case, rules)
    return {name: tried(unit, decide) for name, decide in commands}


def _of_learner(case: str, rules: HouseRules) -> Iterable[tuple[str, Decide]]:
    yield "answer", lambda unit: _answer(unit, case, Side.LEARNER)
    yield "add_evidence", lambda unit: _add_file(unit, case)
    yield "withdraw", partial(disputing.withdraw, case=case, words=None)
    yield "reopen", partial(_reopen, case=case, by=Side.LEARNER, rules=rules)


def _of_staff(unit: Unit, case: str, rules: HouseRules) -> Iterable[tuple[str, Decide]]:
    dispute = disputing.existing_case(unit, case)
    parcel = dispute.parcel
    yield "ask", partial(disputing.ask_learner, case=case, questions=[*Question], rules=rules)
    yield "answer", lambda unit: _answer(unit, case, Side.STAFF)
    yield "add_evidence", lambda unit: _add_file(unit, case)
    yield "inquire", partial(claiming.open_inquiry, parcel=parcel, case=case, rules=rules)
    yield (
        "answer_inquiry",
        partial(
            claiming.answer_inquiry,
            parcel=parcel,
            result=InquiryResult.UNKNOWN,
            reference="",
            words=None,
        ),
    )
    for outcome in Outcome:
        points = 1 if outcome is Outcome.COMPENSATION else 0
        wanted = deciding.Wanted(outcome, "", points=points)
        yield outcome, decision(case, wanted, rules=rules)
    yield (
        "file_claim",
        partial(
            claiming.file_claim,
            parcel=parcel,
            reason=dispute.reason,
            claimed_fen=None,
            unconfirmed_because="",
            rules=rules,
        ),
    )
    yield "reopen", partial(_reopen, case=case, by=Side.STAFF, rules=rules)


def return_actions(unit: Unit, name: str, *, staff: bool, rules: HouseRules) -> dict[str, Any]:
    """Every command on a return by name, as the learner or as staff could give it now."""
    commands = _on_return(unit, name, rules) if staff else _on_own_return(name)
    return {one: tried(unit, decide) for one, decide in commands}


def _on_own_return(name: str) -> Iterable[tuple[str, Decide]]:
    sent = partial(returning.send, carrier="shunfeng", waybill="trial")
    yield "send", partial(sent, name=name)
    yield "withdraw", partial(returning.withdraw, name=name)


def _on_return(unit: Unit, name: str, rules: HouseRules) -> Iterable[tuple[str, Decide]]:
    """An inspection is told of as if all could be sold again: what it comes to at best."""
    back = returning.existing_return(unit, name)
    order = unit.read(ORDER, back.order)
    best = tuple(
        settling.Found(order.line(one.line).sku, one.quantity, Verdict.RESTOCK)
        for one in back.units
    )
    inspection = settling.Inspection(best, "")
    yield "arrive", partial(returning.arrive, name=name)
    yield "inspect", partial(settling.inspect, name=name, inspection=inspection, rules=rules)
    yield "agree", partial(settling.agree, name=name, reason="", message=None, rules=rules)
    yield "reject", partial(returning.reject, name=name, reason="", message=None, rules=rules)
    yield from _on_own_return(name)


def decision(case: str, wanted: deciding.Wanted, *, rules: HouseRules) -> Decide:
    """The decision as it would be carried out; over the limit, it only would be proposed."""
    return partial(deciding.decide, case=case, wanted=wanted, maker="", key="trial", rules=rules)


def _answer(unit: Unit, case: str, by: Side) -> dict[str, Any]:
    dispute = disputing.existing_case(unit, case)
    questions = [one.question for one in dispute.questions if one.open] or [*Question]
    answers = [(questions[0], Answer.UNKNOWN, None)]
    return disputing.answer_questions(unit, case=case, answers=answers, by=by)


def _add_file(unit: Unit, case: str) -> dict[str, Any]:
    disputing.existing_case(unit, case).must_take_files()
    return {}


def _reopen(unit: Unit, *, case: str, by: Side, rules: HouseRules) -> dict[str, Any]:
    return disputing.reopen(unit, case=case, by=by, words=None, gathered=Gathered(), rules=rules)


def effects(unit: Unit) -> dict[str, Any]:
    """What the facts that a unit recorded say: points to which lots, stock, cash, messages."""
    facts = [(stream, fact) for stream, _, fact, *_ in unit.drafts]
    told: dict[str, Any] = {
        "points": [one for _, fact in facts for one in _points(fact)],
        "stock": [one for stream, fact in facts for one in _stock(stream, fact)],
        "cash_fen": sum(f.amount_fen for _, f in facts if isinstance(f, CashRefundRequested)),
        "orders": [stream.partition(":")[2] for stream, f in facts if isinstance(f, OrderPlaced)],
        "claims": [
            {"parcel": stream.partition(":")[2], "carrier": f.carrier, "claimed_fen": f.claimed_fen}
            for stream, f in facts
            if isinstance(f, ClaimFiled | ClaimCorrected)
        ],
        "needs_second_person": any(
            isinstance(f, DecisionProposed | AgreementProposed) for _, f in facts
        ),
        "message": _message(unit),
        "facts": [fact.fact_name for _, fact in facts],
    }
    untils = [f.window_until for _, f in facts if isinstance(f, WindowResumed)]
    return told | {"window_until": max((one for one in untils if one), default=None)}


def _points(fact: Fact) -> list[dict[str, Any]]:
    if isinstance(fact, PointsRestored | HoldVoided):
        return [
            {"lot": share.lot, "points": share.points, "expires_at": share.expires_at}
            for share in fact.lots
        ]
    if isinstance(fact, PointsGranted):
        left = fact.points - fact.debt_paid
        return [{"lot": fact.lot, "points": left, "expires_at": fact.expires_at}]
    return []


def _stock(stream: str, fact: Fact) -> list[dict[str, Any]]:
    change = _CHANGES.get(type(fact))
    if change is None:
        return []
    assert isinstance(fact, _Moved)
    _, warehouse, sku = stream.split(":", 2)
    return [{"warehouse": warehouse, "sku": sku, "change": change, "quantity": fact.quantity}]


_Moved = StockReserved | StockReleased | StockPutBack | StockReturned | StockScrapped
_CHANGES: dict[type[Fact], str] = {
    StockReserved: "reserved",
    StockReleased: "released",
    StockPutBack: "released",
    StockReturned: "returned",
    StockScrapped: "scrapped",
}


def _message(unit: Unit) -> dict[str, str] | None:
    """What the learner would be told: on a card that will never be stored."""
    for _, _, fact, *_ in unit.drafts:
        told = None
        if isinstance(fact, DisputeDecided | DecisionProposed):
            told = fact.decision.message
        elif isinstance(fact, ReturnSettled | ReturnRejected | AgreementProposed):
            told = fact.message
        if told is not None:
            for card in unit.cards:
                if card.id == told.card:
                    return Message.from_bytes(content_of(card.plaintext))._asdict()
    return None
