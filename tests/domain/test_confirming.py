"""Which number is asked about before a receipt counts: never a push's word alone (T2; rule 23)."""

from dataclasses import replace

import pytest

from domain.confirming import Question, knows, named, open_question, question
from domain.house_rules import DEFAULT_RULES
from domain.legs import STAFF, taken_back
from domain.oddities import OddityKind
from domain.own_numbers import SecondNumber
from domain.parcel_facts import (
    CarrierCorrected,
    OddityDecided,
    ParcelFact,
    ScanSeen,
    SecondNumberTold,
    TrackConfirmed,
)
from domain.parcel_state import OddityDecision
from domain.parcels import Parcel, received_at
from domain.scans import Scan
from tests.domain.test_legs import DONE, EMS, HOME, JAPAN, OUT, after, parcel, scan

LABEL = Question(EMS[1], EMS[0])
THERE = Question(JAPAN[1], JAPAN[0])
USPS = ("usps", EMS[1])
BACK = "退回件,返回寄件人"
BEYOND = ("yuantong", "YT8888888888888")
ASKING = replace(DEFAULT_RULES, confirm_receipts=True)
WAY = (scan(1, HOME), scan(60, OUT, JAPAN), scan(62, DONE, JAPAN))


def told(by: str = "", number: tuple[str, str] = JAPAN) -> SecondNumberTold:
    return SecondNumberTold(carrier=number[0], waybill=number[1], beside=EMS[1], vouched_by=by)


def delivered(*facts: ParcelFact) -> Parcel:
    """Signed for abroad, under a number that these facts tell."""
    return after(parcel(*WAY, told=None), *facts)


def left_out(kind: OddityKind, decision: OddityDecision, one: Scan) -> OddityDecided:
    seen = ScanSeen(number=one.number, time=one.time, text=one.text)
    return OddityDecided(
        oddity="x", kind=kind, decision=decision, scans=(seen,), reason="", at=one.time
    )


def test_the_number_is_asked_about_that_the_receipt_came_under() -> None:
    """T2, rule 23: where staff answer for it; the label's where it came under that."""
    box = delivered(told(STAFF))
    assert question(box, box.track()) == THERE
    at_home = parcel(scan(1, HOME), scan(9, DONE))
    assert question(at_home, at_home.track()) == LABEL
    both = after(parcel(*WAY, scan(63, DONE), told=None), told(STAFF))
    assert question(both, both.track()) == LABEL
    open_ = parcel(*WAY[:2])
    assert question(open_, open_.track()) is None


def test_a_number_that_a_push_alone_told_proves_nothing() -> None:
    """T2, R59: whoever forges the receipt can name a number that was signed for elsewhere."""
    box = delivered(told())
    assert question(box, box.track()) == LABEL
    assert not knows(box, WAY)
    # CONTROL: the source's very same word counts under a number that staff answer for.
    assert knows(delivered(told(STAFF)), WAY)
    assert knows(after(parcel(*WAY, scan(63, DONE), told=None), told()), [scan(63, DONE)])


OLD = scan(-60 * 24, DONE)
PUSHED = scan(70, DONE)


@pytest.mark.parametrize(
    ("known", "told", "facts"),
    [
        pytest.param([OLD, PUSHED], [OLD], [], id="of the number's parcel before"),
        pytest.param(
            [PUSHED, scan(69, DONE)],
            [scan(69, DONE)],
            [left_out(OddityKind.JUMP, OddityDecision.VOIDED, scan(69, DONE))],
            id="left out by a human",
        ),
        pytest.param(
            [scan(69, DONE), scan(70, DONE, USPS)],
            [scan(69, DONE)],
            [CarrierCorrected(was=EMS[0], carrier=USPS[0])],
            id="told by a carrier that was corrected",
        ),
        pytest.param(
            [scan(69, DONE), scan(70, DONE, USPS), scan(70, DONE)],
            [scan(70, DONE)],
            [CarrierCorrected(was=EMS[0], carrier=USPS[0])],
            id="told by a corrected carrier in the very words of another",
        ),
        pytest.param(
            [scan(50, DONE), scan(60, BACK), PUSHED],
            [scan(50, DONE), scan(60, BACK)],
            [],
            id="taken back before the pushed one",
        ),
        pytest.param([PUSHED], [scan(71, DONE)], [], id="that nobody took in"),
    ],
)
def test_a_receipt_that_does_not_count_confirms_none(
    known: list[Scan], told: list[Scan], facts: list[ParcelFact]
) -> None:
    """T2, R37, rules 21, 23: a forged receipt is not proved by another one in the answer."""
    box = after(parcel(*known, told=None), *facts)
    assert received_at(box.track()) is not None
    assert not knows(box, told)
    # CONTROL: the source tells the receipt that is believed, beside all that.
    assert knows(box, [*told, *box.track().scans])


def test_a_receipt_that_the_source_dates_later_is_the_same_one() -> None:
    """Rule 23: sources word and date one receipt in several ways; all of them are recorded."""
    again = scan(71, "已签收,签收人:家人")
    assert knows(parcel(PUSHED, again, told=None), [again])


@pytest.mark.parametrize("first", [True, False])
def test_a_push_does_not_take_the_place_of_whoever_answers_for_a_number(first: bool) -> None:
    """T2: nor can it change the carrier that is asked."""
    forged = told(number=("sagawa", JAPAN[1]))
    box = delivered(*((forged, told(STAFF)) if first else (told(STAFF), forged)))
    assert question(box, box.track()) == THERE


def test_the_source_that_is_asked_about_one_number_may_name_the_next() -> None:
    """T2, rule 21: a hand-over that a query tells is proved; one that a push told is not."""
    words = f"快件已转寄,新单号为{BEYOND[1]}"
    pushed = parcel(scan(1, HOME), scan(50, words), scan(62, DONE, BEYOND), told=None)
    assert question(pushed, pushed.track()) == LABEL
    assert named(pushed, [scan(1, HOME)], source="kuaidi100.query") is None
    boasts = scan(50, words, BEYOND)
    assert named(pushed, [boasts], source="kuaidi100.query") is None
    second = named(pushed, [scan(1, HOME), scan(50, words)], source="kuaidi100.query")
    assert second == SecondNumber(BEYOND[1], BEYOND[0], EMS[1], "kuaidi100.query")
    sure = after(pushed, SecondNumberTold(**second._asdict()))
    assert question(sure, sure.track()) == Question(BEYOND[1], BEYOND[0])


def test_it_is_asked_until_it_is_confirmed_and_where_somebody_can_be_asked() -> None:
    """Rule 23: nobody waits for a query that no source would answer."""
    box = delivered(told(STAFF))
    assert open_question(box, box.track(), rules=ASKING) == THERE
    assert open_question(box, box.track(), rules=DEFAULT_RULES) is None
    own = replace(DEFAULT_RULES, confirmed_carriers=frozenset({JAPAN[0]}))
    assert open_question(box, box.track(), rules=own) == THERE
    sure = after(box, TrackConfirmed(at=WAY[2].time, source="kuaidi100.query"))
    assert open_question(sure, sure.track(), rules=ASKING) is None


def test_what_was_confirmed_under_a_number_is_not_once_that_is_taken_back() -> None:
    """T2, T7: nor when another carrier has the label's."""
    sure = delivered(told(STAFF), TrackConfirmed(at=WAY[2].time, source="kuaidi100.query"))
    assert sure.confirmed_since(WAY[2].time)
    back = after(sure, *taken_back(sure, waybill=JAPAN[1], reason="mistyped"))
    again = after(back, told(STAFF))
    for box in (back, again, after(sure, CarrierCorrected(was=EMS[0], carrier="usps"))):
        assert not box.confirmed_since(WAY[2].time)
    assert open_question(again, again.track(), rules=ASKING) == THERE
