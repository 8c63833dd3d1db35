"""What follows from a decision in one commit: points, goods, windows, nothing twice (D1, D4)."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import given as forall
from hypothesis import settings
from hypothesis import strategies as st

from application import approving, claiming, deciding, disputing, ordering, shipping, taking_back
from application.case_messages import message_for
from application.composing import Amount
from application.deciding import Wanted
from application.gathering import Gathered
from application.refunding import refund_at_order
from application.sealed_words import Message
from application.streams import ACCOUNT, CLAIM, DISPUTE, ORDER, PARCEL
from domain.approvals import SamePerson
from domain.claims import ClaimFiled, ClaimState, InquiryResult
from domain.dispute_facts import (
    Answer,
    DecisionProposed,
    DisputeDecided,
    EvidenceGathered,
    Outcome,
    Question,
    Side,
    SignerMatch,
)
from domain.disputes import CaseState, DisputeExists, Unconfirmed
from domain.ledger import postings
from domain.order_facts import Fault, PartReceived, State, UnitsRefunded
from domain.parcel_facts import TrackConfirmed
from domain.point_facts import LearnerErased, PointsGranted
from domain.refusals import InvalidRequest, NotFound, NotPossible
from domain.stock import OutOfStock, Stock
from tests.domain.test_joining import NOON, RULES, Mall

CASE = "D-N1-P1"
DAY = timedelta(days=1)
SIGNED = "已签收,签收人:王*"
SEEN = Gathered(SignerMatch.ANOTHER, "parcel:N1-P1@4")


class Desk(Mall):
    """A mall whose learner has two mugs in a parcel that is signed for and confirmed."""

    def __init__(
        self,
        *,
        units: int = 2,
        price: int = 10,
        confirmed: bool = True,
        scan: str = SIGNED,
    ) -> None:
        super().__init__()
        self.item("mug", "a", units=5, points=price, market_value_fen=5_000)
        self.item("book", "a", units=9, points=3)
        self.place("N1", ("mug", units))
        self.parcel = self.packed("N1")
        self.do(partial(shipping.hand_over, parcel=self.parcel, rules=RULES))
        self.scans(self.parcel, scan)
        if confirmed:
            self.confirm()

    def confirm(self, parcel: str | None = None) -> None:
        fact = TrackConfirmed(at=self.now + timedelta(hours=1), source="kuaidi100.query")
        self.log.seed(PARCEL, parcel or self.parcel, fact, now=self.now)

    def open(self, reason: Fault = Fault.NOT_RECEIVED, **more: Any) -> dict[str, Any]:
        wanted = {"number": "N1", "parcel": None, "by": Side.LEARNER, "words": None, **more}
        return self.do(
            partial(disputing.open_dispute, reason=reason, gathered=SEEN, rules=RULES, **wanted)
        )

    def decide(
        self, outcome: Outcome, *, case: str = CASE, maker: str = "wang", **more: Any
    ) -> dict[str, Any]:
        wanted = Wanted(outcome, "looked at", **more)
        return self.do(
            lambda unit: deciding.decide(
                unit, case=case, wanted=wanted, maker=maker, key=unit.command.key, rules=RULES
            )
        )

    def case(self, case: str = CASE) -> CaseState:
        return self.log.state(DISPUTE, case).state

    def held(self) -> bool:
        part = self.log.state(ORDER, "N1").part(1)
        return part is not None and bool(part.paused_by)

    def unchanged(self, error: type[Exception], decide: Callable[[], Any]) -> Any:
        before = len(self.log.recorded)
        with pytest.raises(error) as refused:
            decide()
        assert len(self.log.recorded) == before
        return refused.value

    def balanced(self) -> None:
        sums = [
            sum(postings(one.fact).values())  # type: ignore[arg-type]
            for one in self.log.recorded
            if one.stream.startswith("account:")
        ]
        assert not any(sums)
        for stream, live, anew in self.log.replayed():
            assert live == anew, stream


# --- opening ---------------------------------------------------------------------------------


def test_the_case_holds_the_window_and_keeps_what_was_known() -> None:
    """D1, rules.md 2: snapshot references instead of copies; nobody is named."""
    desk = Desk()
    answer = desk.open(words="我没有收到")
    assert (answer["case"], answer["state"]) == (CASE, CaseState.OPEN)
    assert desk.held()
    evidence = desk.log.facts(DISPUTE, CASE)[1]
    assert isinstance(evidence, EvidenceGathered)
    assert evidence.track == "parcel:N1-P1@5"
    assert (evidence.signer_match, evidence.proof_of_delivery) == SEEN[:2]
    assert (evidence.state, evidence.confirmed, evidence.signer) == ("signed", True, None)
    assert "没有收到" not in str(desk.log.recorded)
    assert list(desk.log.cards.values()).count("lin") == 3  # recipient, payload, words


def test_there_is_nothing_to_dispute_before_it_left_or_once_it_is_gone() -> None:
    """D1: per parcel; the only one need not be named."""
    desk = Desk()
    desk.place("N2", ("book", 1))
    desk.unchanged(NotPossible, lambda: desk.open(number="N2"))
    desk.unchanged(NotPossible, lambda: desk.open(parcel="N1-P9"))
    desk.unchanged(NotFound, lambda: desk.open(number="N9"))
    desk.open()
    desk.unchanged(DisputeExists, desk.open)


def test_the_parcel_is_named_when_there_are_several() -> None:
    """D1, rules.md 27: a case a parcel."""
    desk = Desk()
    desk.item("vase", "a", units=1)
    desk.do(partial(_open_b, desk))
    desk.item("lamp", "b", units=1)
    desk.place("N2", ("vase", 1), ("lamp", 1))
    for part in (1, 2):
        parcel = desk.packed("N2", part)
        desk.do(partial(shipping.hand_over, parcel=parcel, rules=RULES))
    desk.unchanged(InvalidRequest, lambda: desk.open(number="N2"))
    assert desk.open(number="N2", parcel="N2-P2")["case"] == "D-N2-P2"
    assert desk.open(number="N2", parcel="N2-P1")["case"] == "D-N2-P1"


def _open_b(desk: Desk, unit: Any) -> dict[str, Any]:
    from application import stocking

    return stocking.put_warehouse(unit, warehouse=desk.warehouse("b"))


# --- outcomes --------------------------------------------------------------------------------


def test_nothing_is_given_and_the_window_runs_on_when_it_is_found_or_rejected() -> None:
    """D1: as long as was left of it."""
    for outcome in (Outcome.FOUND, Outcome.REJECTED):
        desk = Desk()
        before = desk.available()
        desk.now = NOON + 3 * DAY
        desk.open(Fault.DAMAGED)
        desk.now = NOON + 5 * DAY
        answer = desk.decide(outcome)
        assert (answer["state"], desk.available()) == (CaseState.DECIDED, before)
        assert not desk.held()
        (received,) = [f for f in desk.log.facts(ORDER, "N1") if isinstance(f, PartReceived)]
        part = desk.log.state(ORDER, "N1").part(1)
        assert part is not None
        assert part.window_until == received.window_until + 2 * DAY
        desk.balanced()


def test_points_go_back_to_their_lots_when_it_is_refunded() -> None:
    """D1, D4, rules.md 3: closed by a decision with actor; what is said of it is what happened."""
    desk = Desk()
    desk.open()
    answer = desk.decide(Outcome.REFUND)
    assert (answer["points_refunded"], desk.available()) == (20, 100)
    assert (desk.state("N1"), desk.case()) == (State.CLOSED, CaseState.DECIDED)
    fact = desk.log.facts(DISPUTE, CASE)[-1]
    assert isinstance(fact, DisputeDecided)
    assert fact.points_refunded == 20
    order = desk.log.facts(ORDER, "N1")
    (refunded,) = [one for one in order if isinstance(one, UnitsRefunded)]
    assert (refunded.fault, refunded.goods_back) == (Fault.NOT_RECEIVED, False)
    desk.unchanged(NotPossible, lambda: desk.decide(Outcome.REFUND))
    desk.balanced()


def test_some_units_are_refunded_and_the_window_of_the_rest_runs_on() -> None:
    """D1, D4: one of two mugs was missing."""
    desk = Desk()
    desk.open(Fault.MISSING_PARTS)
    desk.decide(Outcome.REFUND, lines=(("mug", 1),))
    assert (desk.available(), desk.state("N1")) == (90, State.PENDING_END)
    assert not desk.held()


def test_points_are_given_when_it_is_made_good() -> None:
    """D1, D2: a grant with the case as its source, apart from any claim."""
    desk = Desk()
    desk.open(Fault.LATE)
    desk.decide(Outcome.COMPENSATION, points=30)
    grant = desk.log.facts(ACCOUNT, "lin")[-1]
    assert isinstance(grant, PointsGranted)
    assert (grant.points, grant.reason, grant.source) == (30, "compensation", CASE)
    assert desk.available() == 110
    desk.balanced()


def test_a_linked_order_stands_when_it_is_sent_once_more() -> None:
    """D1, rules.md 6: the case names it; the original stays where it is."""
    desk = Desk()
    desk.open()
    answer = desk.decide(Outcome.RESHIP, points=5)
    assert (answer["replacement"], answer["points"]) == ("N1-R1", 5)
    assert (desk.state("N1-R1"), desk.state("N1")) == (
        State.PENDING_SHIPMENT,
        State.PENDING_END,
    )
    assert desk.stock("a", "mug") == Stock(free=1, reserved=2, picked=2)
    assert desk.available() == 85
    desk.balanced()


def test_the_originals_points_go_back_when_the_linked_order_is_lost_too() -> None:
    """D1, D4, rules.md 6: N-R1 cost nothing; what was paid was paid for N."""
    desk = Desk()
    desk.open()
    desk.decide(Outcome.RESHIP)
    parcel = desk.packed("N1-R1")
    desk.do(partial(shipping.hand_over, parcel=parcel, rules=RULES))
    desk.scans(parcel, "已签收")
    desk.confirm(parcel)
    assert desk.open(number="N1-R1")["case"] == "D-N1-R1-P1"
    answer = desk.decide(Outcome.REFUND, case="D-N1-R1-P1")
    assert (answer["points_refunded"], desk.available()) == (20, 100)
    assert (desk.state("N1-R1"), desk.state("N1")) == (State.CLOSED, State.CLOSED)
    desk.balanced()


def test_nothing_happens_when_a_decision_cannot_be_carried_out() -> None:
    """D1: no goods, nothing to refund, an erased learner; the case stays open."""
    desk = Desk(units=3)
    desk.open()
    desk.unchanged(OutOfStock, lambda: desk.decide(Outcome.RESHIP))
    desk.unchanged(NotPossible, lambda: desk.decide(Outcome.REFUND, lines=(("mug", 4),)))
    desk.unchanged(NotFound, lambda: desk.decide(Outcome.FOUND, case="D-N9-P1"))
    assert desk.case() is CaseState.OPEN
    erased = Desk()
    erased.open()
    erased.log.seed(ACCOUNT, "lin", LearnerErased(reason="asked"), now=erased.now)
    erased.unchanged(NotPossible, lambda: erased.decide(Outcome.RESHIP))
    cards = len(erased.log.cards)
    erased.decide(Outcome.FOUND)
    assert len(erased.log.cards) == cards  # no message, and no key made for one


def test_nothing_of_value_follows_from_an_unconfirmed_track() -> None:
    """T2, rules.md 23: three outcomes and the claim; confirmed or overridden, they go."""
    desk = Desk(confirmed=False)
    desk.open()
    for outcome, points in ((Outcome.REFUND, 0), (Outcome.RESHIP, 0), (Outcome.COMPENSATION, 9)):
        desk.unchanged(Unconfirmed, partial(desk.decide, outcome, points=points))
    claim = partial(
        claiming.file_claim,
        parcel=desk.parcel,
        reason=Fault.LOST,
        claimed_fen=None,
        rules=RULES,
    )
    desk.unchanged(Unconfirmed, lambda: desk.do(partial(claim, unconfirmed_because="")))
    desk.do(partial(claim, unconfirmed_because="they wrote so"))
    desk.confirm()
    desk.decide(Outcome.COMPENSATION, points=9)
    answered = Desk(confirmed=False)
    answered.open()
    ask = partial(claiming.open_inquiry, parcel=answered.parcel, case=CASE, rules=RULES)
    answered.do(ask)
    answered.unchanged(Unconfirmed, lambda: answered.decide(Outcome.REFUND))
    lost = partial(claiming.answer_inquiry, result=InquiryResult.LOST, reference="", words=None)
    answered.do(partial(lost, parcel=answered.parcel))
    answered.decide(Outcome.REFUND)  # the carrier, asked, said so itself
    overridden = Desk(confirmed=False)
    overridden.open()
    overridden.decide(Outcome.REFUND, unconfirmed_because="they wrote so")
    fact = overridden.log.facts(DISPUTE, CASE)[-1]
    assert isinstance(fact, DisputeDecided)
    assert fact.decision.unconfirmed_because == "they wrote so"


def test_right_goods_are_set_aside_at_once_and_sent_or_let_go() -> None:
    """rules.md 28: wrong goods; where there are none, the case opens all the same."""
    for outcome, free in ((Outcome.RESHIP, 1), (Outcome.FOUND, 3)):
        desk = Desk()
        desk.open(Fault.WRONG_GOODS)
        assert desk.stock("a", "mug") == Stock(free=1, reserved=2, picked=2)
        desk.decide(outcome)
        assert desk.stock("a", "mug").free == free
        desk.balanced()
    empty = Desk(units=4)
    empty.open(Fault.WRONG_GOODS)
    assert empty.stock("a", "mug").reserved == 0
    withdrawn = Desk()
    withdrawn.open(Fault.WRONG_GOODS)
    withdrawn.do(partial(disputing.withdraw, case=CASE, words=None))
    assert withdrawn.stock("a", "mug").free == 3
    assert not withdrawn.held()


def test_a_case_is_withdrawn_and_reopened_with_its_window() -> None:
    """D1: the window stands still again, and the evidence is looked at anew."""
    desk = Desk()
    desk.open()
    desk.do(partial(disputing.withdraw, case=CASE, words="在邻居家"))
    assert (desk.case(), desk.held()) == (CaseState.WITHDRAWN, False)
    reopen = partial(
        disputing.reopen, case=CASE, by=Side.LEARNER, words=None, gathered=SEEN, rules=RULES
    )
    desk.do(reopen)
    assert (desk.case(), desk.held()) == (CaseState.OPEN, True)
    desk.unchanged(NotPossible, lambda: desk.do(reopen))


def reopened(desk: Desk, reason: Fault | None = None, *, by: Side = Side.STAFF) -> dict[str, Any]:
    again = partial(disputing.reopen, case=CASE, words=None, gathered=SEEN, rules=RULES)
    return desk.do(partial(again, by=by, reason=reason))


def test_a_small_compensation_does_not_decide_what_comes_out_later() -> None:
    """D1, D4: made good for being late, then found to be broken: refunded, and no unit twice."""
    desk = Desk()
    desk.open(Fault.LATE)
    desk.decide(Outcome.COMPENSATION, points=5)
    reopened(desk, Fault.DAMAGED, by=Side.LEARNER)
    assert (desk.case(), desk.held()) == (CaseState.OPEN, True)
    desk.decide(Outcome.COMPENSATION, points=3)  # another grant, not the first one again
    assert desk.available() == 88
    reopened(desk)
    assert desk.decide(Outcome.REFUND, lines=(("mug", 1),))["points_refunded"] == 10
    reopened(desk)
    assert desk.decide(Outcome.REFUND)["points_refunded"] == 10
    assert desk.available() == 108
    desk.unchanged(NotPossible, lambda: reopened(desk, Fault.LOST))
    assert desk.state("N1") is State.CLOSED
    desk.balanced()


def test_the_rest_is_sent_once_more_when_only_some_was() -> None:
    """D1, D4, rules.md 6: a second linked order for the other unit; a third one for nothing."""
    desk = Desk()
    desk.open(Fault.DAMAGED)
    assert desk.decide(Outcome.RESHIP, lines=(("mug", 1),))["replacement"] == "N1-R1"
    reopened(desk)
    assert desk.decide(Outcome.RESHIP)["replacement"] == "N1-R2"
    assert [desk.state(f"N1-R{nth}") for nth in (1, 2)] == [State.PENDING_SHIPMENT] * 2
    assert desk.stock("a", "mug").reserved == 2
    desk.unchanged(NotPossible, lambda: reopened(desk))
    desk.balanced()


def test_right_goods_are_set_aside_when_it_turns_out_that_the_wrong_ones_came() -> None:
    """Rules.md 28: also in a later round, and let go with it."""
    desk = Desk()
    desk.open(Fault.LATE)
    desk.decide(Outcome.COMPENSATION, points=5)
    reopened(desk, Fault.WRONG_GOODS)
    assert desk.stock("a", "mug").reserved == 2
    desk.decide(Outcome.REJECTED)
    assert desk.stock("a", "mug").reserved == 0


def test_questions_are_answered_by_learner_or_staff() -> None:
    """D1: nothing is sealed for an answer that is refused."""
    desk = Desk()
    desk.open()
    answers = [(Question.FAMILY, Answer.NO, "问过妈妈"), (Question.DOOR, Answer.NO, None)]
    desk.do(partial(disputing.answer_questions, case=CASE, answers=answers, by=Side.LEARNER))
    asked = {one.question: one.answer for one in desk.log.state(DISPUTE, CASE).questions}
    assert asked == {Question.FAMILY: "no", Question.DOOR: "no", Question.LOCKER: None}
    cards = len(desk.log.cards)
    desk.do(partial(disputing.withdraw, case=CASE, words=None))
    desk.unchanged(
        NotPossible,
        lambda: desk.do(
            partial(disputing.answer_questions, case=CASE, answers=answers, by=Side.STAFF)
        ),
    )
    assert len(desk.log.cards) == cards


# --- four eyes -------------------------------------------------------------------------------


def test_much_waits_for_a_second_person_and_happens_as_it_was_proposed() -> None:
    """A8, rules.md 26: from 5,000 points; nothing before, all of it after, once."""
    desk = Desk()
    desk.open()
    answer = desk.decide(Outcome.REFUND, points=5_000)
    assert (answer["state"], answer["status"]) == (
        CaseState.AWAITING_APPROVAL,
        "pending_approval",
    )
    assert (desk.available(), desk.state("N1")) == (80, State.PENDING_END)
    allow = partial(approving.allow, approval=answer["approval"], rules=RULES)
    desk.unchanged(SamePerson, lambda: desk.do(partial(allow, checker="wang")))
    desk.do(partial(allow, checker="li"))
    assert (desk.available(), desk.state("N1")) == (5_100, State.CLOSED)
    fact = desk.log.facts(DISPUTE, CASE)[-1]
    assert isinstance(fact, DisputeDecided)
    assert fact.approval == answer["approval"]
    desk.unchanged(NotPossible, lambda: desk.do(partial(allow, checker="li")))
    desk.balanced()


def test_a_denied_decision_leaves_the_case_open() -> None:
    """A8: it may be decided otherwise, and asked for again under another id."""
    desk = Desk()
    desk.open()
    first = desk.decide(Outcome.COMPENSATION, points=6_000)["approval"]
    deny = partial(approving.deny, approval=first, checker="li", reason="too much")
    desk.do(deny)
    assert (desk.case(), desk.available()) == (CaseState.OPEN, 80)
    second = desk.decide(Outcome.COMPENSATION, points=7_000)["approval"]
    assert second != first
    desk.do(partial(approving.allow, approval=second, checker="li", rules=RULES))
    assert desk.available() == 7_080


def taken_in(desk: Desk) -> None:
    """The warehouse has the parcel in its hands."""
    told: dict[str, Any] = {"intact": True, "reason": "here it is", "in_hand": True}
    desk.do(partial(taking_back.take_back, parcel=desk.parcel, rules=RULES, **told))


def refunded(desk: Desk, *wanted: tuple[str, int]) -> None:
    """Staff refund it at the order."""
    told: dict[str, Any] = {"fault": Fault.LOST, "reason": "x", "goods_back": False}
    desk.do(partial(refund_at_order, number="N1", wanted=wanted or None, rules=RULES, **told))


def waiting(outcome: Outcome, **more: Any) -> tuple[Desk, Callable[[], Any]]:
    """A case whose decision about both mugs, or some, waits; and how it is allowed."""
    desk = Desk(scan="快件已丢失")
    desk.open(Fault.LOST)
    asked = desk.decide(outcome, points=5_000, **more)["approval"]
    allow = partial(approving.allow, approval=asked, checker="li", rules=RULES)
    return desk, lambda: desk.do(allow)


@pytest.mark.parametrize("outcome", [Outcome.REFUND, Outcome.RESHIP])
def test_what_a_decision_waits_about_is_given_nobody_else(outcome: Outcome) -> None:
    """D4, A8: at the order, or by a return, whichever is asked for; then it happens as proposed."""
    desk, allow = waiting(outcome, lines=(("mug", 1),))
    refused = desk.unchanged(NotPossible, lambda: refunded(desk, ("mug", 2)))
    assert refused.figures["why"] == "mug: case D-N1-P1 waits for a second person"
    assert "争议 D-N1-P1 的裁决待第二人审批" in refused.as_failure()["message_zh"]
    refunded(desk, ("mug", 1))  # CONTROL: the other one is nobody's yet
    desk.unchanged(NotPossible, lambda: refunded(desk))
    allow()
    assert desk.case() is CaseState.DECIDED
    assert desk.available() == 80 + 5_000 + (20 if outcome is Outcome.REFUND else 10)
    desk.balanced()


@pytest.mark.parametrize("outcome", [Outcome.REFUND, Outcome.RESHIP])
def test_a_decision_is_not_allowed_once_its_goods_came_back(outcome: Outcome) -> None:
    """D4, D1: taking in is never refused; nobody gets both; denied, the case is open again."""
    desk, allow = waiting(outcome)
    taken_in(desk)
    assert desk.available() == 100
    refused = desk.unchanged(NotPossible, allow)
    assert "mug × 2" in refused.figures["why"]
    failure = refused.as_failure()
    assert "mug × 2；请驳回，再重新处理" in failure["message_zh"]
    (one,) = (f.fact for f in desk.log.recorded if isinstance(f.fact, DecisionProposed))
    desk.do(partial(approving.deny, approval=one.approval, checker="li", reason="it is back"))
    assert desk.case() is CaseState.OPEN
    assert desk.decide(Outcome.COMPENSATION, points=5)["state"] is CaseState.DECIDED
    assert desk.available() == 105
    desk.balanced()


def test_both_are_given_when_nobody_looks_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """D4 CONTROL: carried out as it was proposed, whatever happened since."""
    desk, allow = waiting(Outcome.RESHIP)
    taken_in(desk)
    monkeypatch.setattr(deciding, "must_still_be_there", lambda *_, **__: None)
    assert allow()["replacement"] == "N1-R1"
    assert desk.available() == 100 + 5_000


# --- messages --------------------------------------------------------------------------------


def test_every_decision_has_a_message_that_no_event_quotes() -> None:
    """D6, A4: the house's words with the figures, or those of staff; sealed for the learner."""
    for message in (None, Message("林小雨您好", "Dear Lin")):
        desk = Desk()
        desk.open()
        desk.decide(Outcome.REFUND, message=message)
        fact = desk.log.facts(DISPUTE, CASE)[-1]
        assert isinstance(fact, DisputeDecided)
        assert fact.decision.message is not None
        assert desk.log.cards[fact.decision.message.card] == "lin"
        assert "林小雨您好" not in str(desk.log.recorded)


# --- claims ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amount", "zh", "en"),
    [
        (Amount(500, 1_900), "退还 500 积分和 19.00 元", "refunded 500 points and ¥19.00 the"),
        (Amount(0, 1_905), "退还 19.05 元", "refunded ¥19.05 the"),
        (Amount(500), "退还 500 积分，", "refunded 500 points the"),
    ],
)
def test_the_message_of_a_refund_says_points_and_cash(amount: Amount, zh: str, en: str) -> None:
    """D6: whatever of both goes back."""
    said = message_for(Outcome.REFUND, points=0, refunded=amount, replacement=None)
    assert zh in said.zh
    assert en in said.en


def test_a_claim_asks_for_what_the_goods_were_worth_whatever_the_learner_got() -> None:
    """D2: refunded units are gone from the order, not from the claim."""
    desk = Desk()
    desk.open(Fault.NOT_AS_DESCRIBED)
    desk.decide(Outcome.REFUND)
    answer = desk.do(
        partial(
            claiming.file_claim,
            parcel=desk.parcel,
            reason=Fault.LOST,
            claimed_fen=None,
            unconfirmed_because="",
            rules=RULES,
        )
    )
    assert (answer["claim"], answer["claimed_fen"]) == (ClaimState.FILED, 10_000)
    (filed,) = desk.log.facts(CLAIM, desk.parcel)
    assert isinstance(filed, ClaimFiled)
    assert filed.orders == ("N1",)
    said: dict[str, Any] = {"amount_fen": None, "reference": "C1", "reason": "x", "rules": RULES}
    step = partial(claiming.step, parcel=desk.parcel, **said)
    for name in ("acknowledged", "accepted", "paid"):
        answer = desk.do(partial(step, name=name))
    assert (answer["claim"], answer["paid_fen"]) == (ClaimState.PAID, 10_000)
    assert desk.available() == 100


def test_an_inquiry_is_opened_and_answered_once_for_all_cases() -> None:
    """D1, rules.md 27: its words are sealed; there is none without a carrier."""
    desk = Desk()
    ask = partial(claiming.open_inquiry, parcel=desk.parcel, case=CASE, rules=RULES)
    assert desk.do(ask)["inquiry"] == "open"
    assert desk.do(ask)["inquiry"] == "open"
    assert len(desk.log.facts(CLAIM, desk.parcel)) == 1
    said = partial(
        claiming.answer_inquiry,
        parcel=desk.parcel,
        result=InquiryResult.MISDELIVERED,
        reference="Q1",
        words="王大海家",
    )
    assert desk.do(said)["inquiry"] == "answered"
    assert "王大海" not in str(desk.log.recorded)
    desk.place("N2", ("book", 1))
    parcel = desk.packed("N2")
    other = partial(claiming.open_inquiry, parcel=parcel, case=None, rules=RULES)
    desk.unchanged(NotPossible, lambda: desk.do(other))
    desk.unchanged(NotFound, lambda: desk.do(partial(other, parcel="P9")))


# --- conservation ----------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@forall(
    steps=st.lists(
        st.tuples(
            st.sampled_from([*Outcome, "open", "reopen", "return", "complete"]),
            st.integers(1, 4),
            st.integers(0, 40),
        ),
        min_size=3,
        max_size=12,
    )
)
def test_no_point_is_made_or_lost_whatever_is_decided(
    steps: list[tuple[str, int, int]],
) -> None:
    """D4, R13: refunds of cases, refunds beside them and compensation, in any order: what the
    order gives back is never more than it took, and the rest is what was granted."""
    desk = Desk(units=4)
    compensated = 0
    for name, count, points in steps:
        desk.now += timedelta(hours=7)
        before = len(desk.log.recorded)
        try:
            if name == "open":
                desk.open(Fault.DAMAGED)
            elif name == "reopen":
                _reopen(desk)
            elif name == "return":
                _return(desk, count)
            elif name == "complete":
                desk.do(partial(ordering.complete_order, number="N1", rules=RULES))
            else:
                lines = (("mug", count),)
                desk.decide(Outcome(name), lines=lines, points=points)
                compensated += points
        except (NotPossible, DisputeExists, OutOfStock, NotFound):
            assert len(desk.log.recorded) == before
    order = desk.log.state(ORDER, "N1")
    kept = sum(share.points for share in order.lots)
    live = sum(one.quantity for part in order.parts for one in part.units)
    assert kept == 10 * live
    assert desk.available() == 60 + (40 - kept) + compensated
    stock = desk.stock("a", "mug")
    assert stock.free + stock.reserved + stock.picked == 5
    desk.balanced()


def _reopen(desk: Desk) -> None:
    desk.do(
        partial(disputing.reopen, case=CASE, by=Side.STAFF, words=None, gathered=SEEN, rules=RULES)
    )


def _return(desk: Desk, count: int) -> None:
    desk.do(
        partial(
            ordering.refund_order,
            number="N1",
            wanted=[("mug", count)],
            fault=Fault.CHANGED_MIND,
            reason="x",
            goods_back=True,
            rules=RULES,
        )
    )
