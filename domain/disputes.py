"""争议 Disputes: one case an order and parcel, from opening to decision (D1; rules 23, 27, 28)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from domain.choosing import without
from domain.dispute_facts import (
    Answer,
    ClaimWindowMoved,
    Decision,
    DecisionDeclined,
    DecisionOverdue,
    DecisionProposed,
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
from domain.house_rules import HouseRules
from domain.order_facts import Fault, Units
from domain.refusals import NotPossible, Refusal
from domain.sealed import Sealed

FILES_MAX = 10
"""Files a case may have."""
OF_VALUE = frozenset({Outcome.RESHIP, Outcome.REFUND, Outcome.COMPENSATION})
"""Decisions that give something: they wait for the track to be confirmed (T2; rules.md 23)."""


class CaseState(StrEnum):
    """How far a case is."""

    OPEN = "open"
    AWAITING_APPROVAL = "awaiting_approval"
    DECIDED = "decided"
    WITHDRAWN = "withdrawn"


class TooLateToDispute(Refusal):
    """The time to dispute a parcel is over (rules.md 27)."""

    code = "too_late_to_dispute"
    en = "The parcel could be disputed until {until}."
    zh = "该包裹的争议期限已于 {until} 结束。"


class DisputeExists(Refusal):
    """There is one case an order and parcel (rules.md 27)."""

    code = "dispute_exists"
    en = "There is a case for this parcel: {case} ({status})."
    zh = "该包裹已有争议单 {case}({status})。"


class Unconfirmed(Refusal):
    """What has value waits for a query that confirms the track (T2; rules.md 23)."""

    code = "unconfirmed"
    en = "No query has confirmed the track of {parcel} yet: wait for it, or say why it counts."
    zh = "包裹 {parcel} 的轨迹尚未经查询核实，请等待核实，或说明为何可以采信。"


def case_id(order: str, parcel: str) -> str:
    """The id of the case of an order and a parcel: `D-T1-P1`, for a merged parcel `D-T1-M7`."""
    return f"D-{order}-{parcel.removeprefix(f'{order}-')}"


def file_claim_by(
    *,
    carrier: str | None,
    handed_over_at: datetime | None,
    signed_at: datetime | None,
    rules: HouseRules,
) -> datetime | None:
    """When the carrier's time for a claim ends: it runs from receipt, else from hand-over (D2)."""
    window = rules.filing_window(carrier)
    if signed_at is not None:
        return signed_at + window.after_signing
    return None if handed_over_at is None else handed_over_at + window.after_hand_over


@dataclass(frozen=True, slots=True)
class Asked:
    """One question to the learner and what became of it."""

    question: Question
    answer: Answer | None = None
    timed_out: bool = False

    @property
    def open(self) -> bool:
        """Whether the answer is still waited for."""
        return self.answer is None and not self.timed_out


@dataclass(frozen=True, slots=True)
class EvidenceFile:
    """A file of the case."""

    file: str
    media_type: str
    size_bytes: int
    content: Sealed
    by: Side


@dataclass(frozen=True, slots=True)
class Dispute:
    """What deciding about one case needs."""

    order: str = ""
    parcel: str = ""
    parts: tuple[int, ...] = ()
    learner: str = ""
    reason: Fault = Fault.NOT_RECEIVED
    state: CaseState = CaseState.OPEN
    questions: tuple[Asked, ...] = ()
    answer_by: datetime | None = None
    decide_by: datetime | None = None
    overdue: bool = False
    disputable_until: datetime | None = None
    value_fen: int = 0
    file_claim_by: datetime | None = None
    files: tuple[EvidenceFile, ...] = ()
    proposed: Decision | None = None
    approval: str | None = None
    decision: Decision | None = None
    given: tuple[Units, ...] = ()
    """What was refunded or sent once more, in whichever round."""
    reopened_by_learner: bool = False
    reasons: tuple[Fault, ...] = ()
    """Each that was ever given."""
    rounds: int = 1
    """How often it was to be decided."""

    def named(self, name: str) -> str:
        """A name of the case that is this round's own: what it gives is not given twice."""
        return name if self.rounds == 1 else f"{name}#{self.rounds}"

    def undecided(self, goods: Sequence[Units]) -> list[Units]:
        """What of its parcel's goods it has not refunded, nor had sent once more."""
        return without(goods, self.given)

    @property
    def gave(self) -> bool:
        """Whether the last decision gave something."""
        return self.decision is not None and self.decision.outcome in OF_VALUE

    @property
    def opened(self) -> bool:
        """Whether there is such a case."""
        return bool(self.order)

    @property
    def live(self) -> bool:
        """Whether it is still to be decided."""
        return self.opened and self.state in (CaseState.OPEN, CaseState.AWAITING_APPROVAL)

    @property
    def asks_learner(self) -> bool:
        """Whether the learner still has time to answer something."""
        return self.live and any(one.open for one in self.questions)

    def open(
        self, opening: DisputeOpened, *, case: str, when: datetime, rules: HouseRules
    ) -> list[DisputeFact]:
        """Open the case and ask what is asked first. Raises why it cannot be opened."""
        if self.opened:
            raise DisputeExists(case=case, status=self.state)
        if opening.reason is Fault.CHANGED_MIND:
            raise NotPossible(action="dispute", why="who changed their mind returns the goods")
        until = opening.disputable_until
        if until is not None and when > until:
            raise TooLateToDispute(until=until.isoformat())
        facts: list[DisputeFact] = [opening]
        if opening.reason is Fault.NOT_RECEIVED:
            asked = QuestionsAsked(
                questions=tuple(Question), answer_by=when + rules.learner_answers_within
            )
            facts.append(asked)
        return facts

    def ask(
        self, questions: Iterable[Question], *, when: datetime, rules: HouseRules
    ) -> list[DisputeFact]:
        """Ask the learner, also once more what timed out; what is open or answered stays."""
        self.must_be_open("ask_learner")
        settled = {one.question for one in self.questions if not one.timed_out}
        new = tuple(one for one in dict.fromkeys(questions) if one not in settled)
        by = when + rules.learner_answers_within
        return [QuestionsAsked(questions=new, answer_by=by)] if new else []

    def answer(
        self, question: Question, answer: Answer, *, words: Sealed | None, by: Side
    ) -> list[DisputeFact]:
        """Take an answer; late ones count while the case is open, a new one replaces the old."""
        self.must_be_open("answer")
        known = next((one for one in self.questions if one.question is question), None)
        if known is None:
            raise NotPossible(action="answer", why=f"{question} was not asked")
        if known.answer is answer and words is None:
            return []
        return [QuestionAnswered(question=question, answer=answer, words=words, by=by)]

    def time_out(self, *, when: datetime) -> list[DisputeFact]:
        """Close the questions whose time is over."""
        if not self.live or self.answer_by is None or when < self.answer_by:
            return []
        return [QuestionTimedOut(question=one.question) for one in self.questions if one.open]

    def grow_overdue(self, *, when: datetime) -> list[DisputeFact]:
        """Note that the decision is late, once."""
        by = self.decide_by
        if not self.live or self.overdue or by is None or when < by:
            return []
        return [DecisionOverdue(decide_by=by)]

    def add_file(
        self, *, media_type: str, size_bytes: int, content: Sealed, by: Side
    ) -> list[DisputeFact]:
        """Add a file, while the case is open and has few enough."""
        self.must_take_files()
        return [
            EvidenceAdded(
                file=f"F{len(self.files) + 1}",
                media_type=media_type,
                size_bytes=size_bytes,
                content=content,
                by=by,
            )
        ]

    def must_take_files(self) -> None:
        """Refuse another file where there can be none."""
        self.must_be_open("add_evidence")
        if len(self.files) >= FILES_MAX:
            raise NotPossible(action="add_evidence", why=f"a case has at most {FILES_MAX} files")

    def file(self, name: str) -> EvidenceFile | None:
        """The file with this name."""
        return next((one for one in self.files if one.file == name), None)

    def must_be_decidable(self, decision: Decision, *, confirmed: bool) -> None:
        """Refuse a decision that comes too early or contradicts itself.

        Nobody is turned down before they could answer. What gives something waits for one query
        that confirms the track, unless staff say why it counts as it is (rules.md 23).
        """
        self.must_be_open("decide_case")
        if decision.outcome is Outcome.REJECTED and self.asks_learner:
            raise NotPossible(
                action="decide_case", why=f"the learner has until {self.answer_by} to answer"
            )
        if decision.outcome is Outcome.COMPENSATION and not decision.points:
            raise NotPossible(action="decide_case", why="a compensation has points")
        if decision.outcome not in OF_VALUE and decision.points:
            raise NotPossible(action="decide_case", why=f"{decision.outcome} gives no points")
        if decision.outcome in OF_VALUE and not (confirmed or decision.unconfirmed_because):
            raise Unconfirmed(parcel=self.parcel)

    def propose(self, decision: Decision, *, approval: str, maker: str) -> list[DisputeFact]:
        """Wait for the second person (A8)."""
        self.must_be_open("decide_case")
        return [DecisionProposed(decision=decision, approval=approval, maker=maker)]

    def decline(self, *, approval: str, reason: str) -> list[DisputeFact]:
        """The second person said no."""
        if self.state is not CaseState.AWAITING_APPROVAL or self.approval != approval:
            return []
        return [DecisionDeclined(approval=approval, reason=reason)]

    def allowed(self, approval: str) -> Decision:
        """The decision that was proposed, now that the second person allowed it."""
        if self.proposed is None or self.approval != approval:
            raise NotPossible(action="decide_case", why=f"the case is {self.state}")
        return self.proposed

    def withdraw(self, *, words: Sealed | None) -> list[DisputeFact]:
        """Take it back."""
        self.must_be_open("withdraw")
        return [DisputeWithdrawn(words=words)]

    def must_be_reopenable(self, anew: DisputeReopened, *, when: datetime, due: bool) -> None:
        """Refuse to look once more where there is nothing to look at.

        What gave something stays decided, unless units of it are still `due`. A learner may ask
        once more for the same reason, and for each other one; staff as often as needed, all of
        them only while the parcel can be disputed (rules.md 27).
        """
        if self.live:
            raise NotPossible(action="reopen", why=f"the case is {self.state}")
        if self.gave and not due:
            assert self.decision is not None  # it gave something
            raise NotPossible(action="reopen", why=f"it was decided: {self.decision.outcome}")
        if anew.reason is Fault.CHANGED_MIND:
            raise NotPossible(action="dispute", why="who changed their mind returns the goods")
        known = anew.reason in (None, self.reason, *self.reasons)
        if anew.by is Side.LEARNER and self.reopened_by_learner and known:
            raise NotPossible(action="reopen", why="it was looked at once more already")
        until = anew.disputable_until or self.disputable_until
        if until is not None and when > until:
            raise TooLateToDispute(until=until.isoformat())

    def reopen(
        self, anew: DisputeReopened, *, when: datetime, due: bool, rules: HouseRules
    ) -> list[DisputeFact]:
        """Look at it once more; who says only now that nothing came is asked about it."""
        self.must_be_reopenable(anew, when=when, due=due)
        facts: list[DisputeFact] = [anew]
        if anew.reason is Fault.NOT_RECEIVED and not self.questions:
            by = when + rules.learner_answers_within
            facts.append(QuestionsAsked(questions=tuple(Question), answer_by=by))
        return facts

    def move_window(self, moved: ClaimWindowMoved) -> list[DisputeFact]:
        """The carrier's time for a claim, as it is known now; also after the decision (D2)."""
        same = moved.file_claim_by == self.file_claim_by
        return [] if same or not self.opened else [moved]

    def must_be_open(self, action: str) -> None:
        """Refuse what only an open case allows."""
        if self.state is not CaseState.OPEN:
            raise NotPossible(action=action, why=f"the case is {self.state}")
