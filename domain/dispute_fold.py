"""争议折叠 A case's facts folded into what deciding about it needs (D1; rules.md 27)."""

from dataclasses import replace
from typing import assert_never

from domain.dispute_facts import (
    Answer,
    ClaimWindowMoved,
    DecisionDeclined,
    DecisionOverdue,
    DecisionProposed,
    DisputeDecided,
    DisputeFact,
    DisputeOpened,
    DisputeReopened,
    DisputeWithdrawn,
    EvidenceAdded,
    EvidenceGathered,
    Question,
    QuestionAnswered,
    QuestionsAsked,
    QuestionTimedOut,
    Side,
)
from domain.disputes import Asked, CaseState, Dispute, EvidenceFile


def _asked(known: tuple[Asked, ...], fact: QuestionsAsked) -> tuple[Asked, ...]:
    others = tuple(one for one in known if one.question not in fact.questions)
    return (*others, *(Asked(question) for question in fact.questions))


def _question_is(
    known: tuple[Asked, ...], question: Question, *, answer: Answer | None
) -> tuple[Asked, ...]:
    return tuple(
        Asked(question, answer, timed_out=answer is None) if one.question is question else one
        for one in known
    )


def evolve(dispute: Dispute, fact: DisputeFact) -> Dispute:
    """The case after one more fact."""
    match fact:
        case DisputeOpened():
            return Dispute(
                order=fact.order,
                parcel=fact.parcel,
                parts=fact.parts,
                learner=fact.learner,
                reason=fact.reason,
                reasons=(fact.reason,),
                decide_by=fact.decide_by,
                disputable_until=fact.disputable_until,
                value_fen=fact.value_fen,
                file_claim_by=fact.file_claim_by,
            )
        case EvidenceGathered():
            return dispute
        case QuestionsAsked():
            asked = _asked(dispute.questions, fact)
            return replace(dispute, questions=asked, answer_by=fact.answer_by)
        case QuestionAnswered():
            answered = _question_is(dispute.questions, fact.question, answer=fact.answer)
            return replace(dispute, questions=answered)
        case QuestionTimedOut():
            closed = _question_is(dispute.questions, fact.question, answer=None)
            return replace(dispute, questions=closed)
        case EvidenceAdded():
            new = EvidenceFile(fact.file, fact.media_type, fact.size_bytes, fact.content, fact.by)
            return replace(dispute, files=(*dispute.files, new))
        case DecisionProposed():
            return replace(
                dispute,
                state=CaseState.AWAITING_APPROVAL,
                proposed=fact.decision,
                approval=fact.approval,
            )
        case DecisionDeclined():
            return replace(dispute, state=CaseState.OPEN, proposed=None, approval=None)
        case DisputeDecided():
            return replace(
                dispute,
                state=CaseState.DECIDED,
                decision=fact.decision,
                given=(*dispute.given, *fact.decision.units),
                proposed=None,
                approval=None,
            )
        case DisputeWithdrawn():
            return replace(dispute, state=CaseState.WITHDRAWN)
        case DecisionOverdue():
            return replace(dispute, overdue=True)
        case ClaimWindowMoved():
            return replace(dispute, file_claim_by=fact.file_claim_by)
        case DisputeReopened():
            return replace(
                dispute,
                state=CaseState.OPEN,
                decide_by=fact.decide_by,
                overdue=False,
                reason=fact.reason or dispute.reason,
                reasons=(*dispute.reasons, *([fact.reason] if fact.reason else [])),
                rounds=dispute.rounds + 1,
                disputable_until=fact.disputable_until or dispute.disputable_until,
                reopened_by_learner=dispute.reopened_by_learner or fact.by is Side.LEARNER,
            )
        case _:
            assert_never(fact)
