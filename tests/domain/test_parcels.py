"""Parcels: labelled, handed over, scanned, unpacked; carriers corrected (W1, T2; rule 21)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from application.streams import PARCEL
from domain.facts import Fact
from domain.parcel_facts import (
    CarrierCorrected,
    Content,
    ParcelDissolved,
    ParcelHandedOver,
    ParcelPacked,
    ParcelScanned,
    TrackConfirmed,
    WaybillIssued,
)
from domain.parcels import Parcel, received_at
from domain.recorded_scans import as_scan
from domain.refusals import NotPossible
from domain.scans import Coordinates, Scan, classify
from domain.tracking import ParcelState
from tests.in_memory import given

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
PACKED = ParcelPacked(
    warehouse="zhejiang", contents=(Content(order="T1", part=1),), weight_grams=400
)
LABELLED = WaybillIssued(carrier="yuantong", waybill="YT1")
SENT = (PACKED, LABELLED, ParcelHandedOver(handed_over_at=NOON))


def parcel(*facts: Fact) -> Parcel:
    return given(PARCEL, *facts)


def scan(hours: float, text: str, carrier: str = "yuantong", **more: Any) -> Scan:
    time = NOON + timedelta(hours=hours)
    return Scan(number="YT1", time=time, text=text, carrier=carrier, kind=classify(text), **more)


def told(before: Parcel, *scans: Scan) -> list[ParcelScanned]:
    return before.scanned(scans, source="kuaidi100.push", payload=None)


def test_a_parcel_is_labelled_once_with_the_same_number() -> None:
    """W1: the label may be printed again, and changed until the parcel leaves."""
    assert parcel(PACKED).label(carrier="yuantong", waybill="YT1") == [LABELLED]
    assert parcel(PACKED, LABELLED).label(carrier="yuantong", waybill="YT1") == []
    other = WaybillIssued(carrier="shunfeng", waybill="SF1")
    assert parcel(PACKED, LABELLED).label(carrier="shunfeng", waybill="SF1") == [other]


def test_a_parcel_is_handed_over_when_it_has_a_number() -> None:
    """W1: once, and never without a waybill (rules.md 2)."""
    assert parcel(PACKED, LABELLED).hand_over(when=NOON) == [SENT[2]]
    for before, why in (
        (parcel(PACKED), "the parcel has no waybill"),
        (parcel(*SENT), "the parcel is with the carrier"),
        (parcel(PACKED, LABELLED, ParcelDissolved(reason="x")), "the parcel was unpacked"),
    ):
        with pytest.raises(NotPossible) as refused:
            before.hand_over(when=NOON)
        assert refused.value.figures == {"action": "hand_over", "why": why}


def test_a_parcel_is_unpacked_when_nothing_in_it_will_be_sent() -> None:
    """O8: before it leaves, and once (rules.md 5)."""
    assert parcel(PACKED).dissolve("cancelled") == [ParcelDissolved(reason="cancelled")]
    assert parcel(PACKED, ParcelDissolved(reason="x")).dissolve("x") == []
    assert parcel(*SENT).dissolve("x") == []
    with pytest.raises(NotPossible):
        parcel(PACKED, ParcelDissolved(reason="x")).label(carrier="a", waybill="b")


def test_a_scan_is_recorded_whole_and_once() -> None:
    """T2: what is read back is what was told; a repetition is nothing new."""
    first = scan(1, "已揽收", division="330100", coordinates=Coordinates(120.1, 30.2), code="1")
    (fact,) = told(parcel(*SENT), first)
    assert as_scan(fact) == first
    assert told(parcel(*SENT, fact), first, first) == []


def test_the_parcel_is_received_when_it_was_signed_and_not_taken_back() -> None:
    """T2: a return after signing takes the receipt away."""
    signed = told(parcel(*SENT), scan(1, "已揽收"), scan(30, "本人签收"))
    assert received_at(parcel(*SENT, *signed).track()) == NOON + timedelta(hours=30)
    back = told(parcel(*SENT, *signed), scan(40, "退回寄件人"))
    assert received_at(parcel(*SENT, *signed, *back).track()) is None


def test_scans_are_void_when_their_carrier_was_corrected() -> None:
    """T1: the number was another carrier's (rules.md 21)."""
    wrong = told(parcel(*SENT), scan(1, "已签收"))
    before = parcel(*SENT, *wrong)
    assert before.correct_carrier("yuantong") == []
    assert parcel(PACKED).correct_carrier("zhongtong") == []
    correction = before.correct_carrier("zhongtong")
    assert correction == [CarrierCorrected(was="yuantong", carrier="zhongtong")]
    after = parcel(*SENT, *wrong, *correction)
    assert (after.carrier, after.track().state) == ("zhongtong", ParcelState.HANDED_OVER)
    assert told(after, scan(2, "已揽收")) == []


def test_the_current_carriers_scans_count_when_a_correction_is_taken_back() -> None:
    """T1: from A to B and back to A: only B's scans are void (rules.md 21)."""
    first = told(parcel(*SENT), scan(1, "已揽收"))
    there = CarrierCorrected(was="yuantong", carrier="zhongtong")
    second = told(parcel(*SENT, *first, there), scan(2, "已签收", "zhongtong"))
    back = CarrierCorrected(was="zhongtong", carrier="yuantong")
    after = parcel(*SENT, *first, there, *second, back)
    assert after.tracking.voided_carriers == frozenset({"zhongtong"})
    assert [one.text for one in after.track().scans] == ["已揽收"]
    assert told(after, scan(3, "派件中"), scan(3, "派件中", "zhongtong"))[0].carrier == "yuantong"


def test_a_carriers_scans_count_when_it_is_labelled_after_a_correction() -> None:
    """T1: whoever has the label now is never void."""
    corrected = (PACKED, LABELLED, CarrierCorrected(was="yuantong", carrier="zhongtong"))
    assert parcel(*corrected, LABELLED).tracking.voided_carriers == frozenset()


def test_a_track_counts_as_confirmed_from_the_last_query_on() -> None:
    """T2, rules.md 23: what a push told later is not confirmed; an older query changes nothing."""
    signed, asked = NOON + timedelta(hours=4), NOON + timedelta(hours=5)
    confirming = TrackConfirmed(at=asked, source="kuaidi100.query")
    before = parcel(*SENT)
    assert not before.confirmed_since(None)
    assert before.confirm(at=asked, source="kuaidi100.query") == [confirming]
    after = parcel(*SENT, confirming)
    assert after.confirmed_since(signed)
    assert not after.confirmed_since(asked + timedelta(seconds=1))
    assert after.confirm(at=signed, source="kuaidi100.query") == []
    older = TrackConfirmed(at=signed, source="sf.query")
    assert parcel(*SENT, confirming, older).confirmed_since(asked)


def test_nothing_is_confirmed_when_it_was_another_carriers_track() -> None:
    """T2, rule 21: what a wrong carrier confirmed is as void as its scans."""
    confirming = TrackConfirmed(at=NOON, source="kuaidi100.query")
    corrected = CarrierCorrected(was="yuantong", carrier="shunfeng")
    assert not parcel(*SENT, confirming, corrected).confirmed_since(None)
