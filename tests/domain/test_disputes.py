"""Cases: opened in time, asked, answered or timed out, decided, reopened (D1; rules 23, 27, 28)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from application.streams import DISPUTE
from domain.dispute_facts import (
    Answer,
    Decision,
    DecisionDeclined,
    DecisionOverdue,
    DecisionProposed,
    DisputeDecided,
    DisputeFact,
    DisputeOpened,
    DisputeReopened,
    DisputeWithdrawn,
    EvidenceAdded,
    Outcome,
    Question,
    QuestionAnswered,
    QuestionsAsked,
    QuestionTimedOut,
    Side,
)
from domain.disputes import (
    FILES_MAX,
    OF_VALUE,
    CaseState,
    Dispute,
    DisputeExists,
    TooLateToDispute,
    Unconfirmed,
    case_id,
    file_claim_by,
)
from domain.facts import Fact
from domain.house_rules import FilingWindow, HouseRules
from domain.order_facts import Fault
from domain.refusals import NotPossible
from domain.sealed import Sealed
from tests.in_memory import given

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
RULES = HouseRules()
CARD = Sealed(card="c", digest="d")
ALL = tuple(Question)
ASKED = QuestionsAsked(questions=ALL, answer_by=NOON + 48 * HOUR)


def opening(reason: Fault = Fault.NOT_RECEIVED, **more: Any) -> DisputeOpened:
    return DisputeOpened(
        **{
            "order": "T1",
            "parcel": "T1-P1",
            "parts": (1,),
            "learner": "lin",
            "reason": reason,
            "by": Side.LEARNER,
            "disputable_until": NOON + 30 * DAY,
            "value_fen": 9_000,
            "decide_by": NOON + 72 * HOUR,
            "file_claim_by": NOON + 7 * DAY,
            **more,
        }
    )


OPENED = (opening(), ASKED)


def case(*facts: Fact) -> Dispute:
    return given(DISPUTE, *facts)


def opened(fact: DisputeOpened, *, when: datetime = NOON, before: Dispute | None = None) -> Any:
    return (before or Dispute()).open(fact, case="D-T1-P1", when=when, rules=RULES)


def answered(question: Question, answer: Answer = Answer.NO) -> QuestionAnswered:
    return QuestionAnswered(question=question, answer=answer, by=Side.LEARNER)


def decision(outcome: Outcome, **more: Any) -> Decision:
    return Decision(outcome=outcome, reason="looked at", **more)


def decided(outcome: Outcome, **more: Any) -> DisputeDecided:
    return DisputeDecided(decision=decision(outcome, **more))


def evidence(nth: int) -> EvidenceAdded:
    return EvidenceAdded(
        file=f"F{nth}", media_type="image/png", size_bytes=9, content=CARD, by=Side.LEARNER
    )


# --- opening ---------------------------------------------------------------------------------


def test_the_learner_is_asked_at_once_when_nothing_was_received() -> None:
    """D1: family, door, locker, with a deadline of its own beside the decision's."""
    assert opened(opening()) == [opening(), ASKED]
    state = case(*OPENED)
    assert (state.answer_by, state.decide_by) == (NOON + 48 * HOUR, NOON + 72 * HOUR)
    assert (state.state, state.live, state.asks_learner) == (CaseState.OPEN, True, True)


@pytest.mark.parametrize("reason", [one for one in Fault if one is not Fault.CHANGED_MIND])
def test_every_reason_opens_a_case_but_a_changed_mind(reason: Fault) -> None:
    """D1, rules.md 28: what is wrong with the parcel; only a missing one is asked about."""
    facts = opened(opening(reason))
    assert facts[0] == opening(reason)
    assert (len(facts) == 2) is (reason is Fault.NOT_RECEIVED)


def test_a_changed_mind_is_a_return() -> None:
    """D1, D3: nobody disputes a delivery for it."""
    with pytest.raises(NotPossible, match="returns the goods"):
        opened(opening(Fault.CHANGED_MIND))


def test_a_parcel_can_be_disputed_until_thirty_days_after_signing() -> None:
    """D1, rules.md 27: to the second; one that was never signed for, always."""
    assert opened(opening(), when=NOON + 30 * DAY)
    with pytest.raises(TooLateToDispute) as late:
        opened(opening(), when=NOON + 30 * DAY + timedelta(seconds=1))
    assert late.value.figures == {"until": (NOON + 30 * DAY).isoformat()}
    assert opened(opening(disputable_until=None), when=NOON + 400 * DAY)


def test_there_is_one_case_an_order_and_parcel() -> None:
    """D1, rules.md 27: also once it was decided; then it may be reopened."""
    for before in (case(*OPENED), case(*OPENED, decided(Outcome.REJECTED))):
        with pytest.raises(DisputeExists) as exists:
            opened(opening(), before=before)
        assert exists.value.figures["case"] == "D-T1-P1"


def test_a_case_is_named_after_its_order_and_parcel() -> None:
    """D1: what is merged has its own number, and two orders of it two cases (rules.md 27)."""
    assert case_id("T1", "T1-P2") == "D-T1-P2"
    assert case_id("T1-R1", "T1-R1-P1") == "D-T1-R1-P1"
    assert case_id("T1", "M7") == "D-T1-M7"
    assert case_id("T1", "T10-P1") == "D-T1-T10-P1"


@pytest.mark.parametrize(
    ("carrier", "signed", "days"),
    [("shunfeng", True, 3), ("shunfeng", False, 60), ("yuantong", True, 7), (None, False, 30)],
)
def test_a_carriers_time_for_claims_runs_from_receipt_else_from_hand_over(
    carrier: str | None, signed: bool, days: int
) -> None:
    """D2: the house's figures by carrier, and one for all others."""
    rules = HouseRules(
        filing_windows=(
            FilingWindow("shunfeng", 3 * DAY, 60 * DAY),
            FilingWindow("*", 7 * DAY, 30 * DAY),
        )
    )
    by = file_claim_by(
        carrier=carrier,
        handed_over_at=NOON,
        signed_at=NOON + 2 * DAY if signed else None,
        rules=rules,
    )
    assert by == NOON + days * DAY + (2 * DAY if signed else timedelta())
    assert file_claim_by(carrier=carrier, handed_over_at=None, signed_at=None, rules=rules) is None


# --- questions -------------------------------------------------------------------------------


def test_answers_are_taken_once_and_corrected_by_later_ones() -> None:
    """D1: the same again is nothing new; another answer, or words, replace it."""
    state = case(*OPENED, answered(Question.DOOR))
    again = state.answer(Question.DOOR, Answer.NO, words=None, by=Side.LEARNER)
    assert again == []
    for answer, words in ((Answer.YES, None), (Answer.NO, CARD)):
        facts = state.answer(Question.DOOR, answer, words=words, by=Side.LEARNER)
        assert [type(one) for one in facts] == [QuestionAnswered]
    assert state.asks_learner
    rest = case(*OPENED, *(answered(one) for one in ALL))
    assert not rest.asks_learner


def test_what_is_not_answered_in_time_times_out_and_may_still_be_answered() -> None:
    """D1: each question is answered or timed out; late words count while the case is open."""
    state = case(*OPENED, answered(Question.DOOR))
    assert state.time_out(when=NOON + 47 * HOUR) == []
    over = state.time_out(when=NOON + 48 * HOUR)
    assert over == [
        QuestionTimedOut(question=Question.FAMILY),
        QuestionTimedOut(question=Question.LOCKER),
    ]
    late = case(*OPENED, answered(Question.DOOR), *over)
    assert late.time_out(when=NOON + 99 * HOUR) == []
    assert late.answer(Question.LOCKER, Answer.YES, words=None, by=Side.STAFF)


def test_only_what_was_asked_is_answered_and_only_while_the_case_is_open() -> None:
    """D1: the reason is named."""
    with pytest.raises(NotPossible, match="door was not asked"):
        case(opening(Fault.DAMAGED)).answer(Question.DOOR, Answer.NO, words=None, by=Side.LEARNER)
    with pytest.raises(NotPossible, match="the case is withdrawn"):
        case(*OPENED, DisputeWithdrawn()).answer(
            Question.DOOR, Answer.NO, words=None, by=Side.LEARNER
        )


def test_staff_ask_again_what_timed_out_and_nothing_else_twice() -> None:
    """D1: with a new deadline."""
    state = case(*OPENED, answered(Question.DOOR), QuestionTimedOut(question=Question.LOCKER))
    facts = state.ask(ALL, when=NOON + 2 * DAY, rules=RULES)
    assert facts == [QuestionsAsked(questions=(Question.LOCKER,), answer_by=NOON + 4 * DAY)]
    assert state.ask([Question.DOOR], when=NOON, rules=RULES) == []


def test_a_case_is_overdue_once_when_its_time_is_over() -> None:
    """D1: also while it waits for a second person; never once it is decided."""
    state = case(*OPENED)
    assert state.grow_overdue(when=NOON + 71 * HOUR) == []
    late = state.grow_overdue(when=NOON + 72 * HOUR)
    assert late == [DecisionOverdue(decide_by=NOON + 72 * HOUR)]
    assert case(*OPENED, *late).grow_overdue(when=NOON + 99 * HOUR) == []
    assert case(*OPENED, decided(Outcome.FOUND)).grow_overdue(when=NOON + 99 * HOUR) == []


# --- evidence --------------------------------------------------------------------------------


def test_files_are_numbered_and_few() -> None:
    """D1: the content is elsewhere; the case knows its digest."""
    state = case(*OPENED, evidence(1))
    adding = {"media_type": "image/png", "size_bytes": 9, "content": CARD, "by": Side.LEARNER}
    assert state.add_file(**adding) == [evidence(2)]  # type: ignore[arg-type]
    full = case(*OPENED, *(evidence(nth) for nth in range(1, FILES_MAX + 1)))
    with pytest.raises(NotPossible, match="at most 10 files"):
        full.add_file(**adding)  # type: ignore[arg-type]
    with pytest.raises(NotPossible, match="the case is decided"):
        case(*OPENED, decided(Outcome.FOUND)).must_take_files()
    assert state.file("F1") is not None
    assert state.file("F9") is None


# --- decisions -------------------------------------------------------------------------------


@pytest.mark.parametrize("outcome", sorted(OF_VALUE))
def test_what_has_value_waits_for_a_confirmed_track(outcome: Outcome) -> None:
    """D1, T2, rules.md 23: refused with the reason, unless staff say why it counts as it is."""
    state, points = case(*OPENED), 1 if outcome is Outcome.COMPENSATION else 0
    with pytest.raises(Unconfirmed) as refused:
        state.must_be_decidable(decision(outcome, points=points), confirmed=False)
    assert refused.value.figures == {"parcel": "T1-P1"}
    state.must_be_decidable(decision(outcome, points=points), confirmed=True)
    overridden = decision(outcome, points=points, unconfirmed_because="the carrier phoned")
    state.must_be_decidable(overridden, confirmed=False)


def test_nobody_is_turned_down_before_they_could_answer() -> None:
    """D1: rejected only once every question is answered or timed out; found at any time."""
    state = case(*OPENED, answered(Question.DOOR))
    with pytest.raises(NotPossible, match="the learner has until"):
        state.must_be_decidable(decision(Outcome.REJECTED), confirmed=True)
    state.must_be_decidable(decision(Outcome.FOUND), confirmed=False)
    closed = case(*OPENED, *state.time_out(when=NOON + 2 * DAY), answered(Question.DOOR))
    closed.must_be_decidable(decision(Outcome.REJECTED), confirmed=False)


def test_points_go_with_what_gives_something_alone() -> None:
    """D1: a compensation has some, a refund may have some beside it, a rejection none."""
    state = case(opening(Fault.DAMAGED))
    state.must_be_decidable(decision(Outcome.REFUND, points=50), confirmed=True)
    for outcome, points in ((Outcome.COMPENSATION, 0), (Outcome.REJECTED, 1), (Outcome.FOUND, 1)):
        with pytest.raises(NotPossible, match="points"):
            state.must_be_decidable(decision(outcome, points=points), confirmed=True)


def test_a_decision_waits_whole_for_the_second_person() -> None:
    """A8: nothing else happens to the case meanwhile; denied, it is open again."""
    wanted = decision(Outcome.COMPENSATION, points=6_000)
    proposing = case(*OPENED).propose(wanted, approval="A1", maker="wang")
    assert proposing == [DecisionProposed(decision=wanted, approval="A1", maker="wang")]
    waiting = case(*OPENED, *proposing)
    assert waiting.allowed("A1") == wanted
    for action in (
        lambda: waiting.must_be_decidable(wanted, confirmed=True),
        lambda: waiting.propose(wanted, approval="A2", maker="li"),
        lambda: waiting.withdraw(words=None),
        lambda: waiting.allowed("A2"),
        lambda: case(*OPENED).allowed("A1"),
    ):
        with pytest.raises(NotPossible):
            action()
    declining = waiting.decline(approval="A1", reason="too much")
    assert declining == [DecisionDeclined(approval="A1", reason="too much")]
    assert waiting.decline(approval="A2", reason="x") == []
    again = case(*OPENED, *proposing, *declining)
    assert (again.state, again.decline(approval="A1", reason="x")) == (CaseState.OPEN, [])


# --- reopening -------------------------------------------------------------------------------


def reopen(
    before: Dispute,
    *,
    by: Side = Side.LEARNER,
    when: datetime = NOON,
    words: Sealed | None = None,
    reason: Fault | None = None,
    until: datetime | None = None,
    due: bool = False,
) -> list[DisputeFact]:
    anew = DisputeReopened(
        by=by, words=words, decide_by=when + 3 * DAY, reason=reason, disputable_until=until
    )
    return before.reopen(anew, when=when, due=due, rules=RULES)


@pytest.mark.parametrize(
    "end", [decided(Outcome.REJECTED), decided(Outcome.FOUND), DisputeWithdrawn()]
)
def test_a_case_that_gave_nothing_is_looked_at_once_more(end: DisputeFact) -> None:
    """D1: a learner may ask for it once, with a new deadline; staff as often as needed."""
    when = NOON + 5 * DAY
    state = case(*OPENED, DecisionOverdue(decide_by=NOON), end)
    facts = reopen(state, when=when, words=CARD)
    assert facts == [DisputeReopened(by=Side.LEARNER, words=CARD, decide_by=when + 3 * DAY)]
    again = case(*OPENED, end, *facts)
    assert (again.state, again.overdue, again.decide_by) == (
        CaseState.OPEN,
        False,
        when + 3 * DAY,
    )
    twice = case(*OPENED, end, *facts, decided(Outcome.REJECTED))
    with pytest.raises(NotPossible, match="once more already"):
        reopen(twice, when=when)
    assert reopen(twice, by=Side.STAFF, when=when)


@pytest.mark.parametrize("outcome", sorted(OF_VALUE))
def test_what_gave_something_stays_decided_when_nothing_is_due(outcome: Outcome) -> None:
    """D1, D4: nothing is given twice by opening the case again."""
    for reason in (None, Fault.DAMAGED):
        with pytest.raises(NotPossible, match=f"it was decided: {outcome}"):
            reopen(case(*OPENED, decided(outcome)), by=Side.STAFF, reason=reason)


def test_what_gave_something_is_looked_at_again_while_units_are_due() -> None:
    """D1: a small thing that was made good does not decide the big one; each round is its own."""
    before = case(*OPENED, decided(Outcome.COMPENSATION))
    facts = reopen(before, reason=Fault.DAMAGED, due=True)
    state = case(*OPENED, decided(Outcome.COMPENSATION), *facts)
    assert (state.state, state.reason, state.rounds) == (CaseState.OPEN, Fault.DAMAGED, 2)
    assert (before.named("D-T1-P1"), state.named("D-T1-P1")) == ("D-T1-P1", "D-T1-P1#2")


def test_a_learner_asks_once_more_for_each_reason() -> None:
    """D1: not for ever, and never because they changed their mind."""
    first = reopen(case(*OPENED, decided(Outcome.REJECTED)))
    second = case(*OPENED, decided(Outcome.REJECTED), *first, decided(Outcome.REJECTED))
    third = reopen(second, reason=Fault.DAMAGED)
    again = case(
        *OPENED, decided(Outcome.REJECTED), *first, decided(Outcome.REJECTED), *third,
        decided(Outcome.REJECTED),
    )  # fmt: skip
    for reason in (None, Fault.DAMAGED, again.reasons[0]):
        with pytest.raises(NotPossible, match="once more already"):
            reopen(again, reason=reason)
    with pytest.raises(NotPossible, match="changed their mind"):
        reopen(again, reason=Fault.CHANGED_MIND)


def test_who_says_only_now_that_nothing_came_is_asked_about_it() -> None:
    """D1: the same questions as at an opening, once."""
    late = opening(reason=Fault.LATE)
    facts = reopen(case(late, decided(Outcome.FOUND)), reason=Fault.NOT_RECEIVED)
    assert [type(one) for one in facts] == [DisputeReopened, QuestionsAsked]


def test_the_time_to_dispute_is_read_from_the_track_when_it_is_reopened() -> None:
    """Rules.md 27: a case that was opened before signing is not open for ever."""
    early = case(opening(disputable_until=None), decided(Outcome.FOUND))
    until = NOON + 40 * DAY
    with pytest.raises(TooLateToDispute):
        reopen(early, when=until + timedelta(seconds=1), until=until)
    (fact, *_) = reopen(early, when=until, until=until)
    known = case(opening(disputable_until=None), decided(Outcome.FOUND), fact)
    assert known.disputable_until == until


def test_a_case_is_not_reopened_when_it_is_open_or_its_time_is_over() -> None:
    """D1, rules.md 27: thirty days after signing, for staff, too."""
    with pytest.raises(NotPossible, match="the case is open"):
        reopen(case(*OPENED), by=Side.STAFF)
    with pytest.raises(TooLateToDispute):
        reopen(case(*OPENED, decided(Outcome.FOUND)), by=Side.STAFF, when=NOON + 31 * DAY)
