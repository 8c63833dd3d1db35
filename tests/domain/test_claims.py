"""Inquiries and claims: one a parcel, in the carrier's time, never more than claimed (D2)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from application.streams import CLAIM
from domain.claims import (
    Claim,
    ClaimAccepted,
    ClaimAcknowledged,
    ClaimCorrected,
    ClaimFact,
    ClaimFiled,
    ClaimPaid,
    ClaimRejected,
    ClaimState,
    ClaimTooLate,
    ClaimWrittenOff,
    InquiryAnswered,
    InquiryOpened,
    InquiryResult,
    InquiryTimedOut,
)
from domain.facts import Fact
from domain.house_rules import HouseRules
from domain.order_facts import Fault
from domain.refusals import InvalidRequest, NotPossible
from domain.sealed import Sealed
from tests.in_memory import given

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
RULES = HouseRules()
ASKED = InquiryOpened(
    orders=("T1",),
    carrier="yuantong",
    waybill="YT1",
    case="D-T1-P1",
    answer_by=NOON + 48 * HOUR,
)
FILED = ClaimFiled(
    orders=("T1",),
    carrier="yuantong",
    waybill="YT1",
    reason=Fault.LOST,
    claimed_fen=9_000,
    file_by=NOON + 48 * HOUR,
)
ACCEPTED = ClaimAccepted(accepted_fen=8_000)


def claim(*facts: Fact) -> Claim:
    return given(CLAIM, *facts)


def inquire(before: Claim, *, when: datetime = NOON, case: str = "D-T1-P1") -> list[ClaimFact]:
    return before.inquire(
        orders=("T1",), carrier="yuantong", waybill="YT1", case=case, when=when, rules=RULES
    )


def test_cases_of_one_parcel_share_its_inquiry() -> None:
    """D1, rules.md 27: the second case asks nothing anew, answered or not."""
    assert inquire(claim()) == [ASKED]
    assert inquire(claim(ASKED), case="D-T2-M1") == []
    answered = InquiryAnswered(result=InquiryResult.LOST)
    assert inquire(claim(ASKED, answered)) == []


def test_a_carrier_that_is_silent_is_asked_again() -> None:
    """D1: its time is over after 48 hours; a late answer still counts."""
    asked = claim(ASKED)
    assert asked.time_out(when=NOON + 47 * HOUR) == []
    assert asked.time_out(when=NOON + 48 * HOUR) == [InquiryTimedOut()]
    silent = claim(ASKED, InquiryTimedOut())
    assert silent.time_out(when=NOON + 99 * HOUR) == []
    assert inquire(silent, when=NOON + 50 * HOUR)[0] == ASKED.model_copy(
        update={"answer_by": NOON + 98 * HOUR}
    )
    late = silent.answer_inquiry(InquiryResult.DELIVERED, reference="Q1", words=None)
    assert late == [InquiryAnswered(result=InquiryResult.DELIVERED, reference="Q1")]
    assert claim(ASKED, InquiryTimedOut(), *late).inquiry is not None
    state = claim(ASKED, InquiryTimedOut(), *late).inquiry
    assert state is not None
    assert state.state == "answered"


def test_the_same_answer_is_taken_once_and_another_replaces_it() -> None:
    """D1: carriers change their mind; without an inquiry there is nothing to answer."""
    answered = claim(ASKED, InquiryAnswered(result=InquiryResult.DELIVERED))
    assert answered.answer_inquiry(InquiryResult.DELIVERED, reference="", words=None) == []
    words = Sealed(card="c", digest="d")
    assert answered.answer_inquiry(InquiryResult.DELIVERED, reference="", words=words)
    assert answered.answer_inquiry(InquiryResult.LOST, reference="", words=None)
    with pytest.raises(NotPossible, match="the carrier was not asked"):
        claim().answer_inquiry(InquiryResult.LOST, reference="", words=None)


def test_a_parcel_is_claimed_once_and_in_the_carriers_time() -> None:
    """D2, rules.md 27."""
    assert claim().file(FILED, most=9_000, when=NOON + 48 * HOUR) == [FILED]
    with pytest.raises(ClaimTooLate) as late:
        claim().file(FILED, most=9_000, when=NOON + 48 * HOUR + timedelta(seconds=1))
    assert late.value.figures["carrier"] == "yuantong"
    with pytest.raises(NotPossible, match="the claim is filed"):
        claim(FILED).file(FILED, most=9_000, when=NOON)


STEPS: dict[str, Callable[[Claim], list[ClaimFact]]] = {
    "acknowledge": lambda one: one.acknowledge("C1"),
    "accept": lambda one: one.accept(8_000),
    "reject": lambda one: one.reject("signed for"),
    "pay": lambda one: one.pay(8_000),
    "write off": lambda one: one.write_off("gave up"),
}
FACTS: dict[str, ClaimFact] = {
    "acknowledge": ClaimAcknowledged(reference="C1"),
    "accept": ACCEPTED,
    "reject": ClaimRejected(reason="signed for"),
    "pay": ClaimPaid(paid_fen=8_000),
}


@pytest.mark.parametrize(
    ("story", "possible"),
    [
        ((), set()),
        ((FILED,), {"acknowledge", "accept", "reject", "write off"}),
        ((FILED, FACTS["acknowledge"]), {"accept", "reject", "write off"}),
        ((FILED, ACCEPTED), {"pay", "write off"}),
        ((FILED, FACTS["reject"]), {"accept", "write off"}),
        ((FILED, ACCEPTED, FACTS["pay"]), set()),
        ((FILED, ClaimWrittenOff(lost_fen=9_000, reason="x")), set()),
    ],
)
def test_a_claim_goes_on_from_where_it_is(story: tuple[ClaimFact, ...], possible: set[str]) -> None:
    """D2: filed, acknowledged, accepted or rejected, paid or written off; nothing out of turn."""
    before = claim(*story)
    for name, step in STEPS.items():
        if name in possible:
            (fact,) = step(before)
            assert fact == FACTS.get(name, fact)
        else:
            with pytest.raises(NotPossible):
                step(before)


def test_no_more_is_accepted_than_claimed_nor_paid_than_accepted() -> None:
    """D2: the figures are named."""
    with pytest.raises(InvalidRequest, match="9000 fen at most"):
        claim(FILED).accept(9_001)
    with pytest.raises(InvalidRequest, match="8000 fen at most"):
        claim(FILED, ACCEPTED).pay(8_001)
    with pytest.raises(InvalidRequest, match="8999 fen at most"):
        claim().file(FILED, most=8_999, when=NOON)


def test_a_claim_that_is_paid_in_parts_stays_open_until_all_came() -> None:
    """D2: one fen does not settle eighty yuan; the rest comes, or is written off as it is."""
    state = claim(FILED, ACCEPTED, ClaimPaid(paid_fen=1))
    assert (state.state, state.open, state.paid_fen) == (ClaimState.ACCEPTED, True, 1)
    assert state.write_off("x") == [ClaimWrittenOff(lost_fen=7_999, reason="x")]
    with pytest.raises(InvalidRequest, match="7999 fen at most"):
        state.pay(8_000)
    done = claim(FILED, ACCEPTED, ClaimPaid(paid_fen=1), *state.pay(7_999))
    assert (done.claimed_fen, done.accepted_fen, done.paid_fen) == (9_000, 8_000, 8_000)
    assert (done.state, done.open) == (ClaimState.PAID, False)


def test_another_sum_is_asked_until_the_carrier_answers() -> None:
    """D2: more only in the carrier's time, and never more than the parcel was worth."""

    def correct(before: Claim, fen: int, *, when: datetime = NOON) -> list[ClaimFact]:
        return before.correct(fen, carrier="yuantong", reason="x", most=27_000, when=when)

    fact = ClaimCorrected(carrier="yuantong", claimed_fen=27_000, before_fen=9_000, reason="x")
    assert correct(claim(FILED), 27_000) == [fact]
    assert correct(claim(FILED), 9_000) == []
    assert claim(FILED, fact).accept(27_000) == [ClaimAccepted(accepted_fen=27_000)]
    with pytest.raises(InvalidRequest, match="27000 fen at most"):
        correct(claim(FILED), 27_001)
    late = NOON + 49 * HOUR
    assert correct(claim(FILED), 8_000, when=late)
    with pytest.raises(ClaimTooLate):
        correct(claim(FILED), 9_001, when=late)
    for story in ((), (FILED, ACCEPTED), (FILED, ClaimRejected(reason="x"))):
        with pytest.raises(NotPossible):
            correct(claim(*story), 9_001)


def test_what_is_written_off_is_what_was_still_expected() -> None:
    """D2: accepted, or else claimed."""
    assert claim(FILED).write_off("x") == [ClaimWrittenOff(lost_fen=9_000, reason="x")]
    lost = claim(FILED, ACCEPTED).write_off("x")
    assert lost == [ClaimWrittenOff(lost_fen=8_000, reason="x")]
