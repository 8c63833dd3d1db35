"""Who may look at a learner's data, held or a minor's, and what a second person allows (A4, A9)."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.approvals import (
    Approval,
    ApprovalDenied,
    ApprovalGiven,
    ApprovalRequested,
    Kind,
    SamePerson,
)
from domain.approvals import evolve as decided
from domain.privacy import (
    CardRevealed,
    LearnerMarkedMinor,
    LearnerMarkedOfAge,
    LegalHoldPlaced,
    MinorAccessAsked,
    MinorsCard,
    Privacy,
    PrivacyFact,
    UnderLegalHold,
    evolve,
)
from domain.refusals import NotPossible

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
ASKED = ApprovalRequested(
    kind=Kind.REVEAL,
    learner="lin",
    points=0,
    subject="c1",
    about="order:T1",
    maker="wang",
    maker_role="support",
    reason="the carrier asks",
)


def given(*facts: PrivacyFact) -> Privacy:
    state = Privacy()
    for fact in facts:
        state = evolve(state, fact)
    return state


def test_a_card_is_shown_with_a_reason_when_its_learner_is_of_age() -> None:
    """A4: nobody else is asked."""
    facts = given().reveal("c1", order="T1", case="D-7")
    assert facts == [CardRevealed(card="c1", order="T1", case="D-7")]


def test_a_card_is_shown_to_nobody_alone_when_its_learner_is_a_minor() -> None:
    """A9: not without an approval; with one, the fact names it."""
    state = given(LearnerMarkedMinor())
    with pytest.raises(MinorsCard):
        state.reveal("c1", order="T1", case=None)
    (fact,) = state.reveal("c1", order="T1", case=None, approval="A1")
    assert isinstance(fact, CardRevealed)
    assert fact.approval == "A1"


def test_it_is_as_it_was_when_the_learner_is_of_age_again() -> None:
    """A9: and what was asked for before counts no more."""
    asked = MinorAccessAsked(card="c1", maker="wang", approval="A1")
    state = given(LearnerMarkedMinor(), asked, LearnerMarkedOfAge())
    assert state == Privacy()
    assert state.reveal("c1", order=None, case=None)


def test_marking_twice_is_marking_once_when_nothing_changes() -> None:
    """A9: a platform may tell it with every update."""
    assert given().mark(minor=False) == []
    assert given().mark(minor=True) == [LearnerMarkedMinor()]
    assert given(LearnerMarkedMinor()).mark(minor=True) == []
    assert given(LearnerMarkedMinor()).mark(minor=False) == [LearnerMarkedOfAge()]


def test_each_asks_for_themselves_when_several_want_to_see_a_minors_card() -> None:
    """A9: the newest request for each card and each person; nobody uses another's."""
    state = given(
        LearnerMarkedMinor(),
        MinorAccessAsked(card="c1", maker="wang", approval="A1"),
        MinorAccessAsked(card="c1", maker="wang", approval="A2"),
        MinorAccessAsked(card="c2", maker="wang", approval="A3"),
    )
    assert state.approval_of("c1", maker="wang") == "A2"
    assert state.approval_of("c2", maker="wang") == "A3"
    assert state.approval_of("c1", maker="sue") is None
    assert len(state.asked) == 2


def test_nothing_is_asked_for_when_the_data_may_only_be_stored() -> None:
    """rules.md 30: a legal hold stops all use, four eyes or not."""
    state = given(LearnerMarkedMinor(), LegalHoldPlaced(matter="M"))
    with pytest.raises(UnderLegalHold):
        state.ask("c1", maker="wang", approval="A1")
    with pytest.raises(UnderLegalHold):
        state.reveal("c1", order=None, case=None, approval="A1")


def test_an_approval_allows_for_a_while_when_it_is_given() -> None:
    """A9: until the time that the fact says, and not before it is given."""
    asked = decided(Approval(), ASKED)
    assert asked.open
    assert not asked.allows(NOON)
    (fact,) = asked.give("mei", role="operations", valid_until=NOON + HOUR)
    assert fact == ApprovalGiven(checker="mei", checker_role="operations", valid_until=NOON + HOUR)
    allowed = decided(asked, fact)
    assert not allowed.open
    assert allowed.allows(NOON)
    assert not allowed.allows(NOON + HOUR)


def test_nobody_decides_on_their_own_request_when_they_come_in_another_role() -> None:
    """A8: the role is on record, and changes nothing."""
    asked = decided(Approval(), ASKED)
    with pytest.raises(SamePerson):
        asked.give("wang", role="administrator")
    denied = decided(asked, *asked.deny("mei", role="operations", reason="no"))
    assert denied.decided == "denied"
    assert not denied.allows(NOON)
    assert asked.deny("mei", role="operations", reason="no") == [
        ApprovalDenied(checker="mei", checker_role="operations", reason="no")
    ]


def test_it_is_one_request_when_it_was_asked_for_before_roles_were_recorded() -> None:
    """R26: an open request from before is found again, whoever reads it now."""
    before = decided(Approval(), ASKED.model_copy(update={"maker_role": None}))
    assert before.ask(ASKED) == []
    other = ASKED.model_copy(update={"reason": "another"})
    with pytest.raises(NotPossible, match="open"):
        before.ask(other)
