"""The legs of a parcel that goes abroad are one track (T7)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from application import declaring, shipping
from application.streams import PARCEL
from domain.legs import STAFF, Leg, carried_on, leg_of, legs_of, taken_back
from domain.oddities import OddityKind, oddities
from domain.order_facts import State
from domain.own_numbers import SecondNumber
from domain.parcel_facts import (
    Content,
    ParcelFact,
    ParcelHandedOver,
    ParcelPacked,
    ParcelScanned,
    SecondNumberTakenBack,
    SecondNumberTold,
    WaybillIssued,
)
from domain.parcel_fold import evolve
from domain.parcels import Parcel
from domain.refusals import NotPossible
from domain.scans import Scan, ScanKind, classify
from domain.silence import Silence, silence
from domain.tracking import ParcelState
from tests.domain.test_compliance import MUG, placed
from tests.domain.test_declarations import packed
from tests.domain.test_joining import RULES, Mall

START = datetime(2026, 3, 3, 8, tzinfo=UTC)
EMS, JAPAN = ("ems", "EM100"), ("japanposten", "RR200JP")
HOME, AT_BORDER = "快件到达 【杭州集散中心】", "快件正在清关中"
OUT, DONE = "正在派送途中", "已签收,签收人:本人"


def scan(hours: int, text: str, by: tuple[str, str] = EMS) -> Scan:
    carrier, number = by
    return Scan(
        number=number, time=START + timedelta(hours=hours), text=text, carrier=carrier,
        kind=classify(text),
    )  # fmt: skip


def parcel(*scans: Scan, country: str = "JP", told: tuple[str, str] | None = JAPAN) -> Parcel:
    """A parcel that EMS has since the start, with a second number and these scans."""
    content = (Content(order="N1", part=1),)
    facts: list[ParcelFact] = [
        ParcelPacked(warehouse="a", contents=content, weight_grams=400, country=country),
        WaybillIssued(carrier=EMS[0], waybill=EMS[1]),
        ParcelHandedOver(handed_over_at=START),
    ]
    if told is not None:
        facts.append(SecondNumberTold(carrier=told[0], waybill=told[1], beside=EMS[1]))
    state = Parcel()
    for fact in (*facts, *(_fact(one) for one in scans)):
        state = evolve(state, fact)
    return state


def _fact(one: Scan) -> ParcelScanned:
    return ParcelScanned(
        waybill=one.number, time=one.time, text=one.text, carrier=one.carrier, kind=one.kind,
        source="test",
    )  # fmt: skip


def test_scans_of_both_numbers_are_one_track_with_its_legs() -> None:
    """T7: in the order of time, whoever told them; each leg with its carrier and beginning."""
    scans = [scan(1, HOME), scan(20, AT_BORDER), scan(60, OUT, JAPAN), scan(62, DONE, JAPAN)]
    state = parcel(*reversed(scans))
    track = state.track()
    assert track.scans == tuple(scans)
    assert (track.state, track.signed_at) == (ParcelState.SIGNED, scans[3].time)
    assert [leg_of(one, state) for one in track.scans] == [
        Leg.HOME, Leg.CUSTOMS, Leg.ABROAD, Leg.ABROAD,
    ]  # fmt: skip
    assert [tuple(one) for one in legs_of(state)] == [
        (Leg.HOME, scans[0].time, *EMS),
        (Leg.CUSTOMS, scans[1].time, None, None),
        (Leg.ABROAD, scans[2].time, *JAPAN),
    ]


def test_the_other_sides_customs_are_customs_too() -> None:
    """T7, wire 1.4: 8 and 10 to 13, whichever number they are told of."""
    state = parcel()
    for text in (AT_BORDER, "快件已清关", "清关异常,等待处理"):
        assert classify(text) in {ScanKind.CUSTOMS, ScanKind.CUSTOMS_CLEARED}
        assert leg_of(scan(9, text, JAPAN), state) is Leg.CUSTOMS


def test_one_number_on_both_sides_is_told_apart_by_who_saw_it() -> None:
    """T7: a number of the postal union stays the same when another post has it."""
    same = ("japanposten", EMS[1])
    state = parcel(scan(1, HOME), scan(60, OUT, same), told=same)
    assert [leg_of(one, state) for one in state.track().scans] == [Leg.HOME, Leg.ABROAD]
    assert legs_of(state)[2].waybill == EMS[1]


def test_customs_are_silent_after_a_day() -> None:
    """T7, rule 25: from the last scan, whichever side told it; 24 hours, to the instant."""
    state = parcel(scan(1, HOME), scan(20, AT_BORDER, JAPAN))
    ask = partial(silence, state.track(), handed_over_at=START, told_at=None, rules=RULES)
    over = START + timedelta(hours=44)
    assert ask(now=over) is Silence.CUSTOMS_STALL
    assert ask(now=over - timedelta(seconds=1)) is None


def test_a_parcel_at_home_has_no_legs() -> None:
    """T7: the control: nothing is said of legs where no border is crossed."""
    state = parcel(scan(1, HOME), country="CN", told=None)
    assert legs_of(state) == ()
    assert leg_of(scan(1, HOME), state) is None
    with pytest.raises(NotPossible, match="stays at home"):
        carried_on(state, carrier="usps", waybill="LX1234567US")


def test_who_has_it_abroad_is_noted_once() -> None:
    """T7: said again it is nothing new; another carrier takes the first one's place."""
    state = parcel(told=None)
    assert legs_of(state)[2] == (Leg.ABROAD, None, None, None)
    (fact,) = carried_on(state, carrier=JAPAN[0], waybill=JAPAN[1])
    state = evolve(state, fact)
    assert state.overseas == SecondNumber(JAPAN[1], JAPAN[0], EMS[1], STAFF)
    assert carried_on(state, carrier=JAPAN[0], waybill=JAPAN[1]) == []
    assert carried_on(state, carrier="sagawa", waybill=JAPAN[1]) != []
    with pytest.raises(NotPossible, match="no waybill"):
        carried_on(Parcel(country="JP"), carrier="usps", waybill="LX1234567US")


MISTYPED = ("japanposten", "RR020JP")


def after(state: Parcel, *facts: ParcelFact) -> Parcel:
    for fact in facts:
        state = evolve(state, fact)
    return state


def test_a_number_that_is_taken_back_counts_as_if_nobody_had_told_it() -> None:
    """T2, T7: whatever was seen under it stays known; the one before it has the parcel again."""
    scans = [scan(1, HOME), scan(60, OUT, JAPAN), scan(50, DONE, MISTYPED)]
    told = SecondNumberTold(carrier=MISTYPED[0], waybill=MISTYPED[1], beside=EMS[1])
    wrong = after(parcel(*scans), told)
    assert wrong.track().state is ParcelState.SIGNED
    (fact,) = taken_back(wrong, waybill="rr-020jp", reason="two digits")
    assert fact == SecondNumberTakenBack(waybill=MISTYPED[1], reason="two digits")
    right = after(wrong, fact)
    assert right.track() == parcel(*scans).track()
    assert right.track().state is ParcelState.OUT_FOR_DELIVERY
    assert right.tracking.scans == wrong.tracking.scans
    assert right.overseas == parcel().overseas
    assert taken_back(right, waybill=MISTYPED[1], reason="again") == []


def test_no_partner_says_again_what_staff_took_back_but_staff_may() -> None:
    """T7: a push comes every four hours, and each would join the number anew."""
    state = parcel()
    state = after(state, *taken_back(state, waybill=JAPAN[1], reason="of another parcel"))
    assert state.join(SecondNumber(JAPAN[1].lower(), JAPAN[0], EMS[1])) == []
    state = after(state, *carried_on(state, carrier=JAPAN[0], waybill=JAPAN[1]))
    assert state.overseas == SecondNumber(JAPAN[1], JAPAN[0], EMS[1], STAFF)
    with pytest.raises(NotPossible, match="no such second number"):
        taken_back(state, waybill="RR999JP", reason="x")


def test_the_labels_own_number_stays_when_its_carrier_abroad_is_taken_back() -> None:
    """T7: a number of the postal union was told with the wrong post."""
    same = ("sagawa", EMS[1])
    state = parcel(scan(1, HOME), told=same)
    state = after(state, *taken_back(state, waybill=EMS[1], reason="not them"))
    assert state.overseas is None
    assert [one.text for one in state.track().scans] == [HOME]


def test_the_right_numbers_receipt_counts_in_the_commit_that_takes_the_wrong_one_back() -> None:
    """T7, T6: the wrong one's scans are flagged from then on, and the order is received once."""
    mall = placed("JP", customs=MUG, weight_grams=300)
    box = _sent(mall)
    mall.do(
        partial(shipping.carry_on, parcel=box, carrier=JAPAN[0], waybill=MISTYPED[1], rules=RULES)
    )
    days = [timedelta(days=2), timedelta(days=3)]
    told = [
        replace(scan(1, OUT, MISTYPED), time=mall.now + days[0]),
        replace(scan(1, DONE, JAPAN), time=mall.now + days[1]),
    ]
    mall.now += days[1]
    mall.do(
        partial(
            shipping.record_scans, parcel=box, scans=told, source="test", raw=None,
            corrected_to=None, rules=RULES,
        )
    )  # fmt: skip
    assert mall.state("N1") is State.PENDING_RECEIPT
    taking = partial(
        shipping.take_back_number, parcel=box, waybill=MISTYPED[1], reason="mistyped",
        instead=JAPAN, rules=RULES,
    )  # fmt: skip
    mall.do(taking)
    state = mall.log.state(PARCEL, box)
    assert (state.track().state, mall.state("N1")) == (ParcelState.SIGNED, State.PENDING_END)
    assert {one.text for one in state.track().scans} == {DONE}
    (odd,) = [one for one in oddities(state.track(), rules=RULES) if one.id in state.flagged]
    assert (odd.kind, odd.scans[0].number) == (OddityKind.FOREIGN_NUMBER, MISTYPED[1])
    recorded = len(mall.log.recorded)
    mall.do(taking)
    assert len(mall.log.recorded) == recorded


def test_a_receipt_abroad_counts_once_somebody_names_the_number() -> None:
    """T7, T2: set aside while nobody knew the number; then it is the order's."""
    mall = placed("JP", customs=MUG, weight_grams=300)
    box = _sent(mall)
    mall.now += timedelta(days=3)
    told = replace(scan(1, DONE, JAPAN), time=mall.now)
    mall.do(
        partial(
            shipping.record_scans, parcel=box, scans=[told], source="test", raw=None,
            corrected_to=None, rules=RULES,
        )
    )  # fmt: skip
    assert mall.log.state(PARCEL, box).track().state is ParcelState.HANDED_OVER
    assert mall.state("N1") is State.PENDING_RECEIPT
    naming = partial(shipping.carry_on, carrier=JAPAN[0], waybill=JAPAN[1], rules=RULES)
    mall.do(partial(naming, parcel=box))
    assert mall.log.state(PARCEL, box).track().state is ParcelState.SIGNED
    assert mall.state("N1") is State.PENDING_END
    recorded = len(mall.log.recorded)
    mall.do(partial(naming, parcel=box))
    assert len(mall.log.recorded) == recorded


def _sent(mall: Mall) -> str:
    box = packed(mall)
    mall.do(partial(declaring.submit, parcel=box, reference="CN-1"))
    mall.do(partial(declaring.clear, parcel=box, reference=""))
    mall.do(partial(shipping.hand_over, parcel=box, rules=RULES))
    return box
