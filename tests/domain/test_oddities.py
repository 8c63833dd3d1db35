"""What is odd about tracks: read from the set of scans, decided by humans (T6; R35)."""

from typing import Any

import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st

from application.divisions import address_reader
from application.streams import PARCEL
from domain.house_rules import DEFAULT_RULES
from domain.known_scans import track
from domain.neighbours import between
from domain.oddities import FLAGS_MAX, OddityKind, decide, distance_km, flag, oddities
from domain.parcel_facts import (
    OddityDecided,
    ParcelDissolved,
    ParcelFact,
    ParcelHandedOver,
    TrackFlagged,
)
from domain.parcel_state import OddityDecision
from domain.parcels import Parcel
from domain.recorded_scans import as_fact
from domain.refusals import NotFound, NotPossible
from domain.scans import Coordinates, Scan, ScanKind, classify
from domain.tracking import ParcelState
from tests.domain.test_arriving import HOUR, NOON, SENT, WAY, scan
from tests.in_memory import given

HANGZHOU, SHENZHEN, NOWHERE = (
    Coordinates(120.15, 30.28),
    Coordinates(114.06, 22.54),
    Coordinates(0.0, 0.0),
)
LATER = NOON + 500 * HOUR


def at(hours: float, place: Coordinates, division: str, kind: ScanKind = ScanKind.ARRIVED) -> Scan:
    """A scan with coordinates."""
    return Scan(
        number="YT1", time=NOON + hours * HOUR, text=f"{kind} {hours}", carrier="yuantong",
        kind=kind, division=division, coordinates=place,
    )  # fmt: skip


def says(hours: float, text: str) -> Scan:
    """A scan in a carrier's words."""
    return Scan("YT1", NOON + hours * HOUR, text, "yuantong", classify(text))


BACKWARDS = (*WAY[1:4], scan(45, ScanKind.PICKED_UP))
JUMP = (at(3, HANGZHOU, "330100"), at(3.5, SHENZHEN, "440300"))
BY_PROVINCE = (scan(3, ScanKind.ARRIVED, "330100"), scan(3.4, ScanKind.ARRIVED, "110105"))
HALF_PLACED = (at(3, HANGZHOU, "330100"), scan(3.4, ScanKind.ARRIVED, "440300"))
AFTER = (*WAY, scan(50, ScanKind.ARRIVED, "330100"))
DRIFTED = (*(at(n, HANGZHOU, "330100") for n in (3, 5, 6)), at(4, NOWHERE, "330100"))
FAR = (*(at(n, HANGZHOU, "330100") for n in (3, 5, 6)), at(4, SHENZHEN, "330100"))
MISSENT = (*WAY[:2], says(20, "快件错发,已重新安排"))
TO_AND_FRO = tuple(
    scan(n, ScanKind.ARRIVED, place)
    for n, place in enumerate(["330100", "310100", "330100", "310100"])
)
STALLED = (WAY[0], scan(100, ScanKind.ARRIVED, "440300"))
ANOTHER = (scan(-60, ScanKind.SIGNED), *WAY)
MUCH_LATER = (*WAY, scan(43 + 24 * 31, ScanKind.PICKED_UP))

CASES: list[Any] = [
    pytest.param(BACKWARDS, {OddityKind.BACKWARDS}, id="backwards"),
    pytest.param(JUMP, {OddityKind.JUMP}, id="jump"),
    pytest.param(BY_PROVINCE, {OddityKind.JUMP}, id="jump_between_provinces"),
    pytest.param(AFTER, {OddityKind.AFTER_SIGNING}, id="after_signing"),
    pytest.param(DRIFTED, {OddityKind.DRIFTED}, id="drifted"),
    pytest.param(FAR, {OddityKind.DRIFTED}, id="drifted_far"),
    pytest.param(MISSENT, {OddityKind.MISROUTED}, id="misrouted_in_words"),
    pytest.param(TO_AND_FRO, {OddityKind.MISROUTED}, id="misrouted_to_and_fro"),
    pytest.param(STALLED, {OddityKind.STALLED}, id="stalled"),
    pytest.param(ANOTHER, {OddityKind.REUSED_NUMBER}, id="reused_before"),
    pytest.param(MUCH_LATER, {OddityKind.REUSED_NUMBER, OddityKind.BACKWARDS}, id="reused_after"),
]
USUAL: list[Any] = [
    pytest.param(WAY, id="a_usual_way"),
    pytest.param((*WAY[:4], scan(60, ScanKind.AWAITING_PICKUP), scan(200, ScanKind.SIGNED)),
                 id="it_waits_at_a_station"),
    pytest.param((*WAY[:4], scan(42, ScanKind.HANDED_ON), scan(44, ScanKind.PICKED_UP)),
                 id="the_next_carrier_picks_it_up"),
    pytest.param((at(3, HANGZHOU, "330100"), at(6, SHENZHEN, "440300")), id="it_flew"),
    pytest.param((at(3, HANGZHOU, "330100"), at(3, Coordinates(120.3, 30.4), "330106")),
                 id="one_city_at_once"),
    pytest.param((scan(3, ScanKind.ARRIVED, "330100"), scan(3, ScanKind.ARRIVED, "310115")),
                 id="over_the_border_at_once"),
    pytest.param((scan(3, ScanKind.ARRIVED, "330100"), scan(6, ScanKind.ARRIVED, "110105")),
                 id="it_flew_to_another_province"),
    pytest.param((scan(3, ScanKind.ORDERED, "330100"), scan(3, ScanKind.PICKED_UP, "110105")),
                 id="ordered_elsewhere"),
    pytest.param((scan(2, ScanKind.PICKED_UP), says(3, "请核对地址,以防错件")), id="a_remark"),
]  # fmt: skip


def kinds(scans: tuple[Scan, ...]) -> set[OddityKind]:
    seen = track(scans, handed_over_at=NOON)
    return {one.kind for one in oddities(seen, rules=DEFAULT_RULES)}


@pytest.mark.parametrize(("scans", "expected"), CASES)
def test_what_is_odd_is_named(scans: tuple[Scan, ...], expected: set[OddityKind]) -> None:
    """T6"""
    assert kinds(scans) == expected


@pytest.mark.parametrize("scans", USUAL)
def test_nothing_is_odd_about_what_is_usual(scans: tuple[Scan, ...]) -> None:
    """T6 CONTROL: what carriers do every day is no work for a human."""
    assert kinds(scans) == set()


def test_distances_are_those_of_the_map() -> None:
    """T6: Hangzhou to Shenzhen is about 1,050 km as the crow flies."""
    assert 1_020 < distance_km(HANGZHOU, SHENZHEN) < 1_070
    assert distance_km(HANGZHOU, HANGZHOU) == 0


def test_a_jump_is_one_oddity_whichever_way_it_is_seen() -> None:
    """T6: by coordinates and by provinces from the same scan: shown once."""
    both = (HALF_PLACED[0], HALF_PLACED[1], at(3.5, SHENZHEN, "440300"))
    found = oddities(track(both, handed_over_at=NOON), rules=DEFAULT_RULES)
    assert [one.kind for one in found] == [OddityKind.JUMP]
    assert len({one.id for one in found}) == len(found)


PROVINCES = [f"{code}0000" for code in (
    11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43, 44, 45, 46, 50, 51, 52,
    53, 54, 61, 62, 63, 64, 65, 71, 81, 82,
)]  # fmt: skip


def test_every_province_is_on_the_map() -> None:
    """T6: from each to each, the same there and back; no longer by way of a third one."""
    known = set(PROVINCES)
    assert known == {one.code for one in address_reader().divisions.provinces()}
    for one in known:
        assert between(one, one) == 0
        for other in known:
            assert between(one, other) == between(other, one) <= 7
            for third in known:
                way = between(one, third) + between(third, other)
                assert between(one, other) <= way + 1
    assert between("650000", "350000") > between("330000", "110000") > 0
    assert between("US", "110000") == 0


SIGHTS = st.lists(
    st.tuples(st.integers(0, 600), st.sampled_from(PROVINCES)), min_size=2, max_size=8, unique=True
)


@settings(max_examples=200, deadline=None)
@drawn(sights=SIGHTS, chance=st.randoms(use_true_random=False))
def test_jumps_between_provinces_are_those_of_the_set(
    sights: list[tuple[int, str]], chance: Any
) -> None:
    """T6, T2: in whatever order they come; none where all take as long as they must."""
    scans = [scan(2 + minutes / 60, ScanKind.ARRIVED, place) for minutes, place in sights]
    found = jumps(scans)
    shuffled = scans * 2
    chance.shuffle(shuffled)
    assert jumps(shuffled) == found
    at_ease = [scan(2 + 10 * nth, ScanKind.ARRIVED, place) for nth, (_, place) in enumerate(sights)]
    assert jumps(at_ease) == []


def jumps(scans: list[Scan]) -> list[tuple[Scan, ...]]:
    seen = track(scans, handed_over_at=NOON)
    found = oddities(seen, rules=DEFAULT_RULES)
    return [one.scans for one in found if one.kind is OddityKind.JUMP]


def test_a_jump_between_provinces_is_missed_when_coordinates_alone_tell(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """T6 CONTROL: the reading of coordinates alone, which most sources do not give."""
    monkeypatch.setattr("domain.oddities.between", lambda *_: 0)
    assert kinds(BY_PROVINCE) == set()


def recorded(*pushes: list[Scan]) -> tuple[Parcel, list[ParcelFact]]:
    """A parcel after these pushes, as the use case records them, and what was flagged."""
    box, flagged = given(PARCEL, *SENT), []
    for push in pushes:
        for fact in box.scanned(push, source="test", payload=None):
            box = PARCEL.evolve(box, fact)
        for found in flag(box, rules=DEFAULT_RULES):
            box = PARCEL.evolve(box, found)
            flagged.append(found)
    return box, flagged


ALL = [
    *BACKWARDS,
    *JUMP,
    *BY_PROVINCE,
    *HALF_PLACED,
    *AFTER,
    *DRIFTED,
    *MISSENT,
    *ANOTHER,
    *STALLED,
]


@settings(max_examples=150, deadline=None)
@drawn(st.lists(st.sampled_from(ALL), min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_the_same_is_odd_in_whatever_order_scans_come(scans: list[Scan], chance: Any) -> None:
    """T2, T6, R35: any order and repetition, whole or piece by piece; all of it was flagged."""
    shuffled = scans * 2
    chance.shuffle(shuffled)
    whole, _ = recorded(scans)
    pieces, flagged = recorded(*([one] for one in shuffled))
    expected = oddities(whole.track(), rules=DEFAULT_RULES)
    assert oddities(pieces.track(), rules=DEFAULT_RULES) == expected
    assert {one.id for one in expected} <= set(pieces.flagged)
    assert len(pieces.flagged) == len(set(pieces.flagged)) == len(flagged)
    assert flag(pieces, rules=DEFAULT_RULES) == []


def test_a_flood_of_odd_scans_is_flagged_up_to_a_limit() -> None:
    """T6, R38: a partner's error does not fill the log."""
    flood = [at(n / 60, HANGZHOU if n % 2 else SHENZHEN, "330100") for n in range(500)]
    box, flagged = recorded(flood)
    assert len(flagged) == len(box.flagged) == FLAGS_MAX
    assert flag(box, rules=DEFAULT_RULES) == []


def decided(box: Parcel, decision: OddityDecision) -> Parcel:
    """After a human decided about the first oddity."""
    (fact,) = decide(
        box, box.flagged[0], decision, reason="looked", when=LATER, rules=DEFAULT_RULES
    )
    return PARCEL.evolve(box, fact)


@pytest.mark.parametrize("decision", [OddityDecision.VOIDED, OddityDecision.ANOTHER_PARCEL])
def test_scans_that_are_left_out_count_no_more_and_can_be_let_in_again(
    decision: OddityDecision,
) -> None:
    """T6: the state follows from what counts; told again they stay out; accepting undoes it."""
    wrong = scan(20, ScanKind.SIGNED)
    late = scan(26, ScanKind.DEPARTED)
    box, _ = recorded([*WAY[:2], wrong, late])
    assert box.track().state is ParcelState.SIGNED
    (odd,) = oddities(box.track(), rules=DEFAULT_RULES)
    assert odd.kind is OddityKind.AFTER_SIGNING
    out = decided(box, decision)
    assert late not in out.track().scans
    assert oddities(out.track(), rules=DEFAULT_RULES) == ()
    assert out.scanned([late], source="test", payload=None) == []
    back = decided(out, OddityDecision.ACCEPTED)
    assert late in back.track().scans
    assert [one.decision for one in back.decided] == ["accepted"]


def test_a_decision_is_had_once_and_needs_something_odd() -> None:
    """T6: the same again changes nothing; what nobody flagged, or is odd no more, is refused."""
    box, _ = recorded(list(JUMP))
    known = decided(box, OddityDecision.ACCEPTED)
    again = decide(
        known, known.flagged[0], OddityDecision.ACCEPTED, reason="x", when=LATER,
        rules=DEFAULT_RULES,
    )  # fmt: skip
    assert again == []
    with pytest.raises(NotFound):
        decide(box, "0" * 16, OddityDecision.VOIDED, reason="x", when=LATER, rules=DEFAULT_RULES)
    # A sight in between, told late: now the jump begins there, and is another one.
    nearer, _ = recorded(list(JUMP), [at(3.4, HANGZHOU, "330100")])
    gone, there = nearer.flagged
    assert [one.id for one in oddities(nearer.track(), rules=DEFAULT_RULES)] == [there]
    with pytest.raises(NotPossible):
        decide(nearer, gone, OddityDecision.VOIDED, reason="x", when=LATER, rules=DEFAULT_RULES)


def test_a_decision_tells_which_scans_it_was_about() -> None:
    """T6, A1: the fact names them, with the reason."""
    box, _ = recorded(list(AFTER))
    (fact,) = decide(
        box, box.flagged[0], OddityDecision.VOIDED, reason="wrong sack", when=LATER,
        rules=DEFAULT_RULES,
    )  # fmt: skip
    assert isinstance(fact, OddityDecided)
    assert [(one.time, one.text) for one in fact.scans] == [(AFTER[-1].time, AFTER[-1].text)]
    assert (fact.kind, fact.reason, fact.at) == ("after_signing", "wrong sack", LATER)


def test_a_parcel_that_was_unpacked_and_travels_is_odd_once() -> None:
    """T6: whichever of its scans comes first; what only paper says is none of it."""
    packed = [one for one in SENT if not isinstance(one, ParcelHandedOver)]
    gone = [*packed, ParcelDissolved(reason="cancelled")]
    paper = as_fact(scan(1, ScanKind.ORDERED), source="test", payload=None)
    first, later = (as_fact(one, source="test", payload=None) for one in WAY[1:3])
    assert (
        flag(given(PARCEL, *packed, later), rules=DEFAULT_RULES) == []
    )  # CONTROL: it is to be sent
    assert flag(given(PARCEL, *gone, paper), rules=DEFAULT_RULES) == []
    (one,) = flag(given(PARCEL, *gone, later), rules=DEFAULT_RULES)
    (other,) = flag(given(PARCEL, *gone, paper, first, later), rules=DEFAULT_RULES)
    assert isinstance(one, TrackFlagged)
    assert isinstance(other, TrackFlagged)
    assert (one.kind, one.oddity) == ("unsent", other.oddity)
