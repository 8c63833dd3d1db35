"""Labels of a parcel: one at a time, never twice, given back when they are no good (W5)."""

import pytest

from domain.labels import LabelCancelled, LabelIssued, LabelRefused, LabelUnwanted, LabelWanted
from domain.parcel_facts import (
    Content,
    ParcelDissolved,
    ParcelFact,
    ParcelHandedOver,
    ParcelPacked,
    ParcelPlanned,
    WaybillIssued,
)
from domain.parcel_fold import evolve
from domain.parcels import Parcel
from domain.refusals import NotFound, NotPossible
from domain.waybills import WaybillTaken
from tests.application.house import START

CONTENT = Content(order="T1", part=1)
PLANNED = ParcelPlanned(warehouse="henan", contents=(CONTENT,), wave="w", hand_over_by=START)
WANTED = LabelWanted(label="T1-P1-L1", carrier="zhongtong", grams=420)
ISSUED = LabelIssued(label="T1-P1-L1", issuer="kuaidi100", waybill="73100000000001")
ON_IT = WaybillIssued(carrier="zhongtong", waybill="73100000000001", issuer="kuaidi100")


def given(*facts: ParcelFact) -> Parcel:
    """A parcel after these facts."""
    parcel = Parcel()
    for fact in facts:
        parcel = evolve(parcel, fact)
    return parcel


def want(parcel: Parcel) -> list[ParcelFact]:
    """Ask for a label as the house does."""
    return parcel.want_label("T1-P1", carrier="zhongtong", grams=420)


def test_one_label_is_asked_for_however_often_it_is_wanted() -> None:
    """W5: while one is asked for, or there, nothing more is."""
    assert want(given(PLANNED)) == [WANTED]
    assert want(given(PLANNED, WANTED)) == []
    assert want(given(PLANNED, WANTED, ISSUED, ON_IT)) == []


def test_the_number_is_on_the_parcel_once_it_comes() -> None:
    """W5: by whom it was issued is said; told twice it is there once; never another one."""
    assert given(PLANNED, WANTED).take_number(ISSUED) == [ISSUED, ON_IT]
    labelled = given(PLANNED, WANTED, ISSUED, ON_IT)
    assert (labelled.carrier, labelled.waybill) == ("zhongtong", "73100000000001")
    assert labelled.take_number(ISSUED) == []
    other = ISSUED.model_copy(update={"waybill": "73100000000002"})
    with pytest.raises(NotPossible, match="another number"):
        labelled.take_number(other)
    with pytest.raises(NotFound):
        given(PLANNED).take_number(ISSUED)


def test_a_number_that_is_no_good_any_more_is_off_the_parcel() -> None:
    """Rule 29: another address is another label, under another name; nothing leaves meanwhile."""
    back = LabelUnwanted(label="T1-P1-L1", reason="the address changed")
    labelled = given(PLANNED, WANTED, ISSUED, ON_IT)
    assert labelled.give_back_label("the address changed") == [back]
    bare = given(PLANNED, WANTED, ISSUED, ON_IT, back)
    assert (bare.carrier, bare.waybill, bare.label_due) == (None, None, True)
    assert want(bare) == [WANTED.model_copy(update={"label": "T1-P1-L2"})]
    packed = ParcelPacked(warehouse="henan", contents=(CONTENT,), weight_grams=400)
    with pytest.raises(NotPossible, match="no waybill"):
        evolve(bare, packed).hand_over(when=START)


def test_a_number_that_comes_too_late_is_known_and_given_back() -> None:
    """W5: the parcel was unpacked while the partner was asked; its number is not left there."""
    parcel = given(PLANNED, WANTED)
    gone = parcel.dissolve("cancelled")
    assert gone == [
        ParcelDissolved(reason="cancelled"),
        LabelUnwanted(label="T1-P1-L1", reason="cancelled"),
    ]
    late = given(PLANNED, WANTED, *gone)
    assert late.take_number(ISSUED) == [ISSUED]
    after = evolve(late, ISSUED)
    assert after.waybill is None
    assert after.labels.cancelled("T1-P1-L1") == [LabelCancelled(label="T1-P1-L1")]
    assert late.labels.refuse("T1-P1-L1", code="x", words="") == [LabelCancelled(label="T1-P1-L1")]


def test_a_number_that_another_parcel_has_is_refused_and_given_back() -> None:
    """W5, T2: the house refuses it, a human sees to it, also once the partner took it back."""
    taken = WaybillTaken(waybill="73100000000001", parcel="T2-P1")
    words = "73100000000001, T2-P1"
    refused = LabelRefused(label="T1-P1-L1", code="waybill_taken", words=words)
    facts = given(PLANNED, WANTED).decline_number(ISSUED, why=taken)
    assert facts == [ISSUED, refused]
    parcel = given(PLANNED, WANTED, *facts)
    assert parcel.decline_number(ISSUED, why=taken) == []
    cancelled = LabelCancelled(label="T1-P1-L1")
    assert parcel.labels.cancelled("T1-P1-L1") == [cancelled]
    after = evolve(parcel, cancelled)
    assert (after.waybill, after.label_due, after.labels.stuck) == (None, False, True)
    assert after.labels.cancelled("T1-P1-L1") == []
    assert want(after) == [WANTED.model_copy(update={"label": "T1-P1-L2"})]


def test_a_refusal_waits_for_a_human_who_may_ask_once_more() -> None:
    """W5, M5: nobody asks again by himself; asked again it is another request."""
    refused = LabelRefused(label="T1-P1-L1", code="30002", words="超区")
    parcel = given(PLANNED, WANTED)
    assert parcel.labels.refuse("T1-P1-L1", code="30002", words="超区") == [refused]
    parcel = evolve(parcel, refused)
    assert not parcel.label_due
    assert want(parcel) == [WANTED.model_copy(update={"label": "T1-P1-L2"})]


def test_a_number_by_hand_takes_the_place_of_one_that_was_asked_for() -> None:
    """W5: waybills by hand stay possible; the other number goes back, the same one is no news."""
    labelled = given(PLANNED, WANTED, ISSUED, ON_IT)
    facts = labelled.label(carrier="ems", waybill="EM1")
    assert [type(one) for one in facts] == [LabelUnwanted, WaybillIssued]
    after = given(PLANNED, WANTED, ISSUED, ON_IT, *facts)
    assert (after.carrier, after.waybill, after.label_due) == ("ems", "EM1", False)
    assert labelled.label(carrier="zhongtong", waybill="73100000000001") == []


def test_what_left_keeps_its_number() -> None:
    """W5: nothing is given back once the carrier has the parcel."""
    packed = ParcelPacked(warehouse="henan", contents=(CONTENT,), weight_grams=400)
    left = given(PLANNED, WANTED, ISSUED, ON_IT, packed, ParcelHandedOver(handed_over_at=START))
    assert left.give_back_label("x") == []
    assert left.waybill == "73100000000001"
