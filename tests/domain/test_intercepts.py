"""Stopping a parcel that its carrier has: asked once, believed by its track alone (O8; rule 27)."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domain.house_rules import DEFAULT_RULES
from domain.intercept_facts import (
    GoodsTakenBack,
    InterceptAsked,
    InterceptDone,
    InterceptFact,
    InterceptFailed,
    InterceptGivenUp,
    InterceptRefused,
    InterceptTaken,
    InterceptTimedOut,
    ParcelTurnedBack,
    Way,
)
from domain.intercepts import Intercept, evolve
from domain.refusals import NotPossible
from domain.tracking import ParcelState, Track
from tests.application.house import START

ASKED = InterceptAsked(
    intercept="T1-P1-X1", orders=("T1",), carrier="zhongtong", waybill="73", way=Way.RETURN,
    reason="x", answer_by=START + DEFAULT_RULES.intercept_answers_within,
)  # fmt: skip
TAKEN = InterceptTaken(intercept="T1-P1-X1")
MOVING = Track(ParcelState.IN_TRANSIT)


def given(*facts: InterceptFact) -> Intercept:
    """The requests after these facts."""
    one = Intercept()
    for fact in facts:
        one = evolve(one, fact)
    return one


def ask(one: Intercept, **more: Any) -> list[InterceptFact]:
    """Have it called back, as the house does."""
    wanted = {
        "track": MOVING, "carrier": "zhongtong", "waybill": "73", "live": {"T1"},
        "wanted": {"T1"}, "way": Way.RETURN, "destination": None, "reason": "x", "when": START,
        "rules": DEFAULT_RULES,
    }  # fmt: skip
    return one.ask("T1-P1", **{**wanted, **more})


def test_a_parcel_is_called_back_once_while_that_is_open() -> None:
    """O8: with a clock; asked again it is the same wish, after its end it is another one."""
    assert ask(given()) == [ASKED]
    assert ask(given(ASKED)) == []
    assert ask(given(ASKED, TAKEN)) == []
    ended = InterceptFailed(intercept="T1-P1-X1", why="x")
    assert ask(given(ASKED, ended)) == [ASKED.model_copy(update={"intercept": "T1-P1-X2"})]
    with pytest.raises(NotPossible, match="asked already"):
        ask(given(ASKED), way=Way.REDIRECT)


@pytest.mark.parametrize("state", sorted(set(ParcelState)))
def test_only_what_is_on_its_way_is_stopped(state: ParcelState) -> None:
    """O8: neither before hand-over nor once it is signed, returned, lost or forwarded."""
    under_way = {
        "handed_over", "in_transit", "customs", "out_for_delivery", "awaiting_pickup",
        "delivery_failed",
    }  # fmt: skip
    if state in under_way:
        assert ask(given(), track=Track(state)) == [ASKED]
    else:
        with pytest.raises(NotPossible, match=state):
            ask(given(), track=Track(state))


def test_a_shared_parcel_comes_back_only_when_all_its_orders_do() -> None:
    """Rule 27: nobody's goods are called back because somebody else changed their mind."""
    with pytest.raises(NotPossible, match="T2 travels in it, too"):
        ask(given(), live={"T1", "T2"})
    (asked,) = ask(given(), live={"T1", "T2"}, wanted={"T1", "T2"})
    assert isinstance(asked, InterceptAsked)
    assert asked.orders == ("T1", "T2")


def test_what_became_of_it_is_seen_on_the_track() -> None:
    """Wire 1.9: the carrier's yes is no proof; a late return counts, a delivery is a failure."""
    back = Track(ParcelState.RETURNING)
    done = InterceptDone(intercept="T1-P1-X1", state=ParcelState.RETURNING)
    over = InterceptTimedOut(intercept="T1-P1-X1")
    assert given(ASKED, TAKEN).note_track(MOVING) == []
    for facts in ((ASKED,), (ASKED, TAKEN), (ASKED, over)):
        assert given(*facts).note_track(back) == [done]
    assert given(ASKED, TAKEN, done).note_track(back) == []
    (failed,) = given(ASKED, TAKEN).note_track(Track(ParcelState.SIGNED))
    assert isinstance(failed, InterceptFailed)
    elsewhere = given(ASKED.model_copy(update={"way": Way.REDIRECT}))
    assert elsewhere.note_track(Track(ParcelState.FORWARDED, since=START))
    assert given(ASKED).note_track(Track(ParcelState.FORWARDED)) == []


def test_nobody_waits_for_ever() -> None:
    """O8, M5: at the clock that was recorded, not before it."""
    assert given(ASKED).time_out(when=START) == []
    assert given(ASKED, TAKEN).time_out(when=START + timedelta(hours=24)) == [
        InterceptTimedOut(intercept="T1-P1-X1")
    ]
    assert given().time_out(when=START) == []


def test_goods_are_taken_back_once_and_never_from_who_signed_for_them() -> None:
    """Rule 3: by whoever has them in hand; also when the carrier had refused and brings them."""
    refused = InterceptRefused(intercept="T1-P1-X1", code="30011")
    back = GoodsTakenBack(intercept="T1-P1-X1", intact=True)
    for facts in ((ASKED, TAKEN), (ASKED, refused)):
        one = given(*facts)
        assert one.take_back(track=Track(ParcelState.RETURNED), intact=True) == [back]
    with pytest.raises(NotPossible, match="already"):
        given(ASKED, back).take_back(track=Track(ParcelState.RETURNED), intact=True)
    with pytest.raises(NotPossible, match="signed"):
        given(ASKED).take_back(track=Track(ParcelState.SIGNED), intact=True)
    with pytest.raises(NotPossible, match="not called back"):
        given().take_back(track=Track(ParcelState.RETURNED), intact=True)
    assert replace(given(ASKED), way=Way.REDIRECT).open


@pytest.mark.parametrize("state", [ParcelState.RETURNING, ParcelState.RETURNED])
def test_a_parcel_that_its_carrier_brings_back_is_noted_once_and_its_goods_taken(
    state: ParcelState,
) -> None:
    """Rule 3: refused or undeliverable, whatever was asked, or after it was sent elsewhere."""
    box: dict[str, Any] = {"orders": ["T1"], "carrier": "zhongtong", "waybill": "73"}
    back = Track(state)
    elsewhere = ASKED.model_copy(update={"way": Way.REDIRECT})
    done = InterceptDone(intercept="T1-P1-X1", state=ParcelState.FORWARDED)
    for facts, name in (
        ((), "T1-P1-X1"),
        ((elsewhere,), "T1-P1-X2"),
        ((elsewhere, done), "T1-P1-X2"),
    ):
        (turned,) = given(*facts).turn_back("T1-P1", track=back, **box)
        assert turned == ParcelTurnedBack(
            intercept=name, orders=("T1",), carrier="zhongtong", waybill="73", state=state
        )
        one = given(*facts, turned)
        assert one.coming
        assert one.turn_back("T1-P1", track=back, **box) == []
        (taken,) = one.take_back(track=back, intact=True)
        assert taken == GoodsTakenBack(intercept=name, intact=True)
        assert given(*facts, turned, taken).turn_back("T1-P1", track=back, **box) == []
    # CONTROL: what was called back has its request; what goes on is noted where somebody has it.
    assert given(ASKED).turn_back("T1-P1", track=back, **box) == []
    assert given().turn_back("T1-P1", track=Track(ParcelState.IN_TRANSIT), **box) == []
    assert given().turn_back("T1-P1", track=Track(ParcelState.IN_TRANSIT), in_hand=True, **box)


def test_what_nobody_wanted_is_called_back_wherever_it_is_and_once() -> None:
    """Rule 5: its goods come back from who signed for them, too: they were paid back already."""
    wish = {
        "orders": ["T1"], "carrier": "zhongtong", "waybill": "73", "reason": "x", "when": START,
        "rules": DEFAULT_RULES,
    }  # fmt: skip
    assert given().call_back("T1-P1", **wish) == [ASKED]  # type: ignore[arg-type]
    for facts in ((ASKED,), (ASKED, TAKEN), (ASKED, InterceptFailed(intercept="x", why="x"))):
        assert given(*facts).call_back("T1-P1", **wish) == []  # type: ignore[arg-type]
    back = GoodsTakenBack(intercept="T1-P1-X1", intact=False)
    signed = Track(ParcelState.SIGNED)
    assert given(ASKED).take_back(track=signed, intact=False, due=False) == [back]
    with pytest.raises(NotPossible, match="already"):
        given(ASKED, back).take_back(track=signed, intact=False, due=False)


def test_a_yes_by_phone_counts_after_a_refusal_or_a_silence_too() -> None:
    """O8: its track is waited for anew, from then on; a no ends it; both can be taken back."""
    refused = InterceptRefused(intercept="T1-P1-X1", code="30011")
    silent = InterceptTimedOut(intercept="T1-P1-X1")
    later = START + timedelta(hours=30)
    yes = InterceptTaken(intercept="T1-P1-X1", answer_by=later + timedelta(hours=24))
    no = InterceptRefused(intercept="T1-P1-X1", code="by_phone")
    for facts in ((ASKED,), (ASKED, refused), (ASKED, silent), (ASKED, no)):
        one = given(*facts)
        assert one.note_said(taken=True, when=later, rules=DEFAULT_RULES) == [yes]
        assert given(*facts, yes).time_out(when=later + timedelta(hours=23)) == []
        assert given(*facts, yes).time_out(when=later + timedelta(hours=24)) == [silent]
    for before in ((ASKED,), (ASKED, yes), (ASKED, silent)):
        assert given(*before).note_said(taken=False, when=later, rules=DEFAULT_RULES) == [no]
    for state, taken in (((ASKED, yes), True), ((ASKED, no), False)):
        with pytest.raises(NotPossible, match="the request is"):
            given(*state).note_said(taken=taken, when=later, rules=DEFAULT_RULES)
    for over in (
        InterceptDone(intercept="T1-P1-X1", state=ParcelState.RETURNING),
        InterceptFailed(intercept="T1-P1-X1", why="the parcel is signed"),
        GoodsTakenBack(intercept="T1-P1-X1", intact=True),
    ):
        with pytest.raises(NotPossible, match="the request is"):
            given(ASKED, over).note_said(taken=True, when=later, rules=DEFAULT_RULES)
    with pytest.raises(NotPossible, match="nothing is asked"):
        given().note_said(taken=True, when=later, rules=DEFAULT_RULES)


FAILURES = (
    InterceptRefused(intercept="T1-P1-X1", code="30011"),
    InterceptFailed(intercept="T1-P1-X1", why="the carrier could not"),
    InterceptTimedOut(intercept="T1-P1-X1"),
)
GIVEN_UP = InterceptGivenUp(intercept="T1-P1-X1")


@pytest.mark.parametrize("failure", FAILURES)
def test_what_was_not_stopped_is_asked_for_again_or_given_up(failure: InterceptFact) -> None:
    """O8: both by somebody, and given up once; after that it may be asked for anew."""
    one = given(ASKED, failure)
    assert one.may_be_asked_again(MOVING)
    assert not one.may_be_asked_again(Track(ParcelState.SIGNED))
    assert ask(one) == [ASKED.model_copy(update={"intercept": "T1-P1-X2"})]
    assert one.give_up() == [GIVEN_UP]
    over = given(ASKED, failure, GIVEN_UP)
    assert not over.coming
    assert not over.may_be_asked_again(MOVING)
    with pytest.raises(NotPossible, match="the request is given_up"):
        over.give_up()
    assert ask(over) == [ASKED.model_copy(update={"intercept": "T1-P1-X2"})]


def test_nothing_is_given_up_that_may_still_come_back() -> None:
    """O8: while the carrier may stop it, or has, it is waited for; what nobody asked for, too."""
    done = InterceptDone(intercept="T1-P1-X1", state=ParcelState.RETURNING)
    back = GoodsTakenBack(intercept="T1-P1-X1", intact=True)
    for facts in ((ASKED,), (ASKED, TAKEN), (ASKED, done), (ASKED, done, back)):
        with pytest.raises(NotPossible, match="the request is"):
            given(*facts).give_up()
    with pytest.raises(NotPossible, match="nothing is asked"):
        given().give_up()


@pytest.mark.parametrize("failure", FAILURES)
def test_a_parcel_that_turns_round_after_all_is_waited_for_again(failure: InterceptFact) -> None:
    """Rule 3: its carrier's no, or ours, does not keep it away; its goods are taken in once."""
    back = Track(ParcelState.RETURNING)
    done = InterceptDone(intercept="T1-P1-X1", state=ParcelState.RETURNING)
    for facts in ((ASKED, failure), (ASKED, failure, GIVEN_UP)):
        assert given(*facts).note_track(back) == [done]
        assert given(*facts).note_track(Track(ParcelState.SIGNED)) == []
        assert given(*facts, done).coming
        assert given(*facts).take_back(track=back, intact=True) == [
            GoodsTakenBack(intercept="T1-P1-X1", intact=True)
        ]
