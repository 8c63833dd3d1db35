"""Which numbers a parcel goes by: what is told of others is kept, and counts for nothing (T2)."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st

from application.streams import PARCEL
from domain.anomalies import AnomalyKind
from domain.blotting import blot
from domain.facts import Fact
from domain.house_rules import DEFAULT_RULES
from domain.known_scans import track
from domain.oddities import OddityKind, decide, flag, oddities
from domain.own_numbers import SecondNumber, as_read
from domain.parcel_facts import OddityDecided, SecondNumberTold, TrackFlagged, WaybillIssued
from domain.parcel_state import OddityDecision
from domain.parcels import Parcel, received_at
from domain.recorded_scans import as_fact
from domain.scans import Scan, classify, normalise_text, read_onward
from domain.tracking import ParcelState, Track
from tests.domain.test_arriving import HOUR, NOON, SENT, WAY
from tests.in_memory import given

OTHER = "YT8888888888888"
LATER = NOON + 500 * HOUR


def says(hours: float, text: str, number: str = "YT1", carrier: str = "yuantong") -> Scan:
    """A scan in a carrier's words, recorded as the house records them."""
    told = normalise_text(text)
    return Scan(number, NOON + hours * HOUR, blot(told), carrier, classify(told))


def recorded(*scans: Scan, on: Sequence[Fact] = SENT) -> Parcel:
    """A parcel after these scans, each flagged as it came."""
    box = given(PARCEL, *on)
    for scan in scans:
        for fact in box.scanned([scan], source="test", payload=None):
            box = PARCEL.evolve(box, fact)
        for flagged in flag(box, rules=DEFAULT_RULES):
            box = PARCEL.evolve(box, flagged)
    return box


def joined(box: Parcel, number: str, *, beside: str) -> Parcel:
    """After a partner gave a second number with another one."""
    (fact,) = box.join(SecondNumber(number, "usps", beside))
    after = PARCEL.evolve(box, fact)
    assert after.join(SecondNumber(number, "usps", beside)) == []
    return after


def foreign(seen: Track) -> list[Scan]:
    """What was set aside for its number."""
    found = [one.scans for one in seen.anomalies if one.kind is AnomalyKind.FOREIGN_NUMBER]
    return [scan for scans in found for scan in scans]


RECEIPT = says(40, "已签收,签收人:本人", OTHER)


def test_a_receipt_of_another_number_delivers_nothing_and_is_flagged() -> None:
    """T2, T6: kept, shown to a human, and neither the state nor what follows from it moves."""
    box = recorded(*WAY[:2], RECEIPT)
    seen = box.track()
    assert (seen.state, received_at(seen)) == (ParcelState.IN_TRANSIT, None)
    assert seen.scans == WAY[:2]
    assert seen.last_movement_at == WAY[1].time
    assert foreign(seen) == [RECEIPT]
    assert RECEIPT in box.tracking.scans
    (odd,) = oddities(seen, rules=DEFAULT_RULES)
    assert (odd.kind, odd.scans) == (OddityKind.FOREIGN_NUMBER, (RECEIPT,))
    assert box.flagged == (odd.id,)


def test_the_wrong_parcel_is_delivered_when_every_number_counts() -> None:
    """T2 CONTROL: the reading before the rule, for which all numbers were the parcel's."""
    seen = track([*WAY[:2], RECEIPT], handed_over_at=NOON)
    assert received_at(seen) == RECEIPT.time


NAMING: list[Any] = [
    pytest.param(f"已签收,签收人是: 转EMS{OTHER}", id="words_of_a_hand_over"),
    pytest.param(f"应客户要求转寄,新单号为{OTHER}", id="forwarded"),
    pytest.param(f"快件已退回,新单号为 {OTHER}", id="on_its_way_back"),
]


@pytest.mark.parametrize("words", NAMING)
@pytest.mark.parametrize("first", [True, False])
def test_a_number_counts_when_a_hand_over_names_it(words: str, first: bool) -> None:
    """T2, rules.md 21: before its scans or after them."""
    names = says(20, words)
    scans = [names, RECEIPT] if first else [RECEIPT, names]
    seen = recorded(*WAY[:2], *scans).track()
    assert foreign(seen) == []
    assert seen.scans[-1] == RECEIPT
    assert seen.numbers == {"YT1", OTHER}


def test_a_number_counts_when_it_is_put_on_the_parcel_or_given_beside_its_own() -> None:
    """T1, T2: another label, or the number abroad; it stays its own when a third is put on."""
    box = recorded(*WAY[:2], RECEIPT)
    abroad = joined(box, OTHER, beside="yt-1")
    assert received_at(abroad.track()) == RECEIPT.time
    label = WaybillIssued(carrier="yuantong", waybill=OTHER.lower())
    third = WaybillIssued(carrier="yuantong", waybill="YT3")
    for more in ((label,), (label, third)):
        assert received_at(recorded(*WAY[:2], RECEIPT, on=(*SENT, *more)).track()) == RECEIPT.time


def test_only_a_number_of_the_parcel_can_name_another_one() -> None:
    """T2: a foreign number that names itself or ours, or was given with a third, stays foreign."""
    boasts = says(30, f"快件已转寄,新单号为{OTHER}", OTHER)
    names_us = says(31, "快件已转寄,新单号为YT1000000", OTHER)
    box = joined(recorded(boasts, names_us, RECEIPT), OTHER, beside="YT7777777777777")
    assert box.track().scans == ()
    # The third number turns out to be its own, and with it all that it names.
    assert len(joined(box, "YT7777777777777", beside="YT1").track().scans) == 3


def test_a_hand_over_that_does_not_count_names_nobody() -> None:
    """T2, T6: one of a corrected carrier, of the number's parcel before, or left out by a human."""
    words = f"快件已转寄,新单号为{OTHER}"
    void = recorded(says(20, words, carrier="ems"), RECEIPT)
    corrected = replace(void, tracking=void.tracking.with_voided("ems"))
    assert foreign(corrected.track()) == [RECEIPT]
    assert foreign(recorded(says(-40, words), RECEIPT).track()) == [RECEIPT]
    box = recorded(*WAY, says(50, words), says(51, "已签收", OTHER))
    assert foreign(box.track()) == []
    names = next(scan for scan in box.tracking.scans if scan.text == words)
    left_out = OddityDecided(
        oddity="0" * 16, kind="after_signing", decision="voided", reason="x", at=LATER,
        scans=[{"number": names.number, "time": names.time, "text": names.text}],  # type: ignore[arg-type]
    )  # fmt: skip
    assert len(foreign(PARCEL.evolve(box, left_out).track())) == 1


def human(box: Parcel, decision: OddityDecision) -> Parcel:
    """After a human decided about the foreign number."""
    (fact,) = decide(box, box.flagged[0], decision, reason="asked", when=LATER, rules=DEFAULT_RULES)
    return PARCEL.evolve(box, fact)


def test_a_human_may_say_that_a_number_is_the_parcels_and_take_it_back() -> None:
    """T6: accepted, later scans of it count, too; a later decision takes its place."""
    box = recorded(*WAY[:2], says(30, "到达【甲】", OTHER), RECEIPT)
    own = human(box, OddityDecision.ACCEPTED)
    assert received_at(own.track()) == RECEIPT.time
    later = as_fact(says(41, "退回寄件人", OTHER), source="test", payload=None)
    assert PARCEL.evolve(own, later).track().state is ParcelState.RETURNING
    for decision in (OddityDecision.VOIDED, OddityDecision.ANOTHER_PARCEL):
        out = human(own, decision)
        assert out.track().scans == WAY[:2]
        assert received_at(human(out, OddityDecision.ACCEPTED).track()) == RECEIPT.time


def test_a_foreign_number_is_decided_once_however_many_scans_it_brings() -> None:
    """T6, R38: one oddity a number, whichever of its scans comes first; no flood of the queue."""
    box = human(recorded(RECEIPT), OddityDecision.VOIDED)
    box = PARCEL.evolve(box, as_fact(says(10, "已揽收", OTHER), source="test", payload=None))
    assert flag(box, rules=DEFAULT_RULES) == []
    (odd,) = oddities(box.track(), rules=DEFAULT_RULES)
    assert odd.id == box.flagged[0]
    assert [one.oddity for one in box.decided] == [odd.id]
    more = recorded(RECEIPT, says(10, "已揽收", OTHER), says(11, "已揽收", "YT7777777777777"))
    assert len(more.flagged) == 2


def test_numbers_are_the_same_however_they_are_written() -> None:
    """T2: capitals and dashes are a matter of who writes."""
    assert as_read("yt-1") == as_read("YT1") == "YT1"
    assert len(recorded(says(1, "已揽收", "yt1"), says(2, "到达【甲】", "YT-1")).track().scans) == 2


# --- any order ---------------------------------------------------------------------------------

NUMBERS = [f"YT{digit}00000000000{digit}" for digit in range(1, 6)]
WORDS = ["已揽收", "到达【甲】", "派件中", "已签收", *(f"快件转寄,新单号为{n}" for n in NUMBERS)]
seen_scans = st.builds(
    says, st.sampled_from([-30, 1, 2, 3, 4]), st.sampled_from(WORDS), st.sampled_from(NUMBERS)
)
told_facts: st.SearchStrategy[Fact] = st.one_of(
    seen_scans.map(lambda scan: as_fact(scan, source="test", payload=None)),
    st.sampled_from(NUMBERS).map(lambda n: WaybillIssued(carrier="yuantong", waybill=n)),
    st.tuples(st.sampled_from(NUMBERS), st.sampled_from(NUMBERS)).map(
        lambda pair: SecondNumberTold(waybill=pair[0], carrier="usps", beside=pair[1])
    ),
)


def expected(facts: Iterable[Fact], scans: Iterable[Scan]) -> set[str]:
    """The parcel's numbers, worked out number by number from what each fact says."""
    told = list(facts)
    late = [scan for scan in scans if scan.time >= NOON - 24 * HOUR]

    def is_own(number: str, asked: frozenset[str] = frozenset()) -> bool:
        if number in asked:
            return False
        if any(isinstance(one, WaybillIssued) and one.waybill == number for one in told):
            return True
        givers = {
            one.beside for one in told if isinstance(one, SecondNumberTold) if one.waybill == number
        } | {scan.number for scan in late if read_onward(scan)[1] == number}
        return any(is_own(giver, asked | {number}) for giver in givers)

    return {number for number in ["YT1", *NUMBERS] if number == "YT1" or is_own(number)}


@settings(max_examples=300, deadline=None)
@drawn(st.lists(told_facts, max_size=9), st.data())
def test_a_parcel_stands_where_the_set_of_facts_puts_it(
    facts: list[Fact], data: st.DataObject
) -> None:
    """T2, R35: numbers, names and scans in any order and twice: one track, the right numbers."""
    shuffled = data.draw(st.permutations(facts + facts[: len(facts) // 2]))
    box, other = given(PARCEL, *SENT, *facts), given(PARCEL, *SENT, *shuffled)
    seen = box.track()
    assert seen == other.track()
    numbers = expected(facts, box.tracking.scans)
    assert seen.numbers == numbers
    assert {scan.number for scan in seen.scans} <= numbers
    assert not {scan.number for scan in foreign(seen)} & numbers
    before = [one for one in seen.anomalies if one.kind is AnomalyKind.ANOTHER_PARCEL]
    aside = [scan for one in before for scan in one.scans]
    assert {*seen.scans, *foreign(seen), *aside} == set(box.tracking.scans)


def test_what_is_flagged_is_flagged_for_ever() -> None:
    """T6, A1: that it was odd once stays a fact when the number turns out to be the parcel's."""
    box = recorded(RECEIPT)
    (flagged,) = flag(given(PARCEL, *SENT, as_fact(RECEIPT, source="test", payload=None)),
                      rules=DEFAULT_RULES)  # fmt: skip
    assert isinstance(flagged, TrackFlagged)
    assert flagged.kind == "foreign_number"
    own = joined(box, OTHER, beside="YT1")
    assert own.flagged == (flagged.oddity,)
    assert oddities(own.track(), rules=DEFAULT_RULES) == ()
