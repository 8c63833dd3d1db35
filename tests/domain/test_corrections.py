"""Carriers that a partner corrects: the same end, whatever order it is heard in (T1, T2)."""

from itertools import permutations

import pytest

from domain.corrections import believed
from domain.facts import Fact
from domain.parcels import Parcel
from domain.tracking import ParcelState
from tests.domain.test_parcels import SENT, parcel, scan, told

YTO, ZTO, STO = "yuantong", "zhongtong", "shentong"


def heard(*corrections: tuple[str | None, str]) -> Parcel:
    """The parcel after these corrections, in this order, each of them twice."""
    facts: list[Fact] = list(SENT)
    for was, carrier in corrections * 2:
        facts += parcel(*facts).correct_carrier(carrier, was=was)
    return parcel(*facts)


@pytest.mark.parametrize(
    ("corrections", "carrier", "void"),
    [
        ([(None, ZTO)], ZTO, {YTO}),
        ([(YTO, ZTO), (ZTO, STO)], STO, {YTO, ZTO}),
        ([(None, ZTO), (ZTO, STO), (STO, "yunda")], "yunda", {YTO, ZTO, STO}),
        ([(YTO, ZTO), (ZTO, YTO)], YTO, {ZTO}),
        ([(YTO, ZTO), (YTO, STO)], ZTO, {YTO}),
        ([(YTO, ZTO), ("jd", STO)], ZTO, {YTO}),
        ([("jd", STO)], STO, {YTO, "jd"}),
        ([("jd", STO), (STO, ZTO)], ZTO, {YTO, "jd", STO}),
        ([(YTO, ZTO), (None, ZTO), (ZTO, ZTO)], ZTO, {YTO}),
    ],
    ids=[
        "one",
        "two",
        "three",
        "back",
        "fork",
        "not_from_here",
        "only_from_elsewhere",
        "two_from_elsewhere",
        "the_same",
    ],
)
def test_the_carrier_is_the_same_when_corrections_are_heard_in_any_order(
    corrections: list[tuple[str | None, str]], carrier: str, void: set[str]
) -> None:
    """T1, T2, wire 1.6: CONTROL: the last one heard differs between the orders."""
    ends = {
        (one.carrier, one.tracking.voided_carriers)
        for order in permutations(corrections)
        for one in [heard(*order)]
    }
    assert ends == {(carrier, frozenset(void))}
    if len(corrections) > 1 and corrections[-1][1] != corrections[0][1]:
        assert len({order[-1][1] for order in permutations(corrections)}) > 1


def test_of_two_that_disagree_the_one_counts_whose_scans_are_newer() -> None:
    """T1, T2: from whenever those are known; the other's scans are not void, it was never left."""
    before = heard((YTO, ZTO), (YTO, STO))
    assert before.carrier == ZTO
    facts = [*SENT, *parcel(*SENT).correct_carrier(ZTO, was=YTO)]
    facts += parcel(*facts).correct_carrier(STO, was=YTO)
    seen = told(before, scan(1, "已揽收", ZTO), scan(2, "已签收", STO))
    for order in permutations([*facts[-2:], *seen]):
        after = parcel(*SENT, *order)
        assert (after.carrier, after.track().state) == (STO, ParcelState.SIGNED)
        assert after.tracking.voided_carriers == frozenset({YTO})


def test_a_new_label_forgets_what_was_said_of_the_old_one() -> None:
    """T1: whoever has the label now has the parcel, until that is corrected."""
    assert believed(STO, [], []) == (STO, frozenset())
    corrected = heard((YTO, ZTO))
    assert corrected.labelled == YTO
    again = parcel(*SENT, *parcel(*SENT).correct_carrier(ZTO), SENT[1])
    assert (again.carrier, again.corrections) == (YTO, frozenset())
