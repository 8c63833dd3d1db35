"""First attempts at the door, and the hour in which they most surely succeed (T9)."""

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from application.recipients import Recipient
from domain.addresses import canonical_compound
from domain.attempts import Attempt, HourOfTries, first_attempt, preferred_hour, surely
from domain.known_scans import track
from domain.scans import Scan, ScanKind
from tests.domain.test_arriving import HOUR, NOON, WAY, scan

FAILED = scan(41, ScanKind.FAILED_ATTEMPT)


@pytest.mark.parametrize(
    ("scans", "expected"),
    [
        (WAY[:4], None),
        (WAY, Attempt(NOON + 43 * HOUR, True)),
        ((*WAY, FAILED), Attempt(NOON + 41 * HOUR, False)),
        ((*WAY[:4], scan(41, ScanKind.AWAITING_PICKUP)), Attempt(NOON + 41 * HOUR, True)),
        ((*WAY[:4], scan(41, ScanKind.RESCHEDULED), WAY[4]), Attempt(NOON + 43 * HOUR, True)),
        ((*WAY[:4], scan(41, ScanKind.REFUSED)), None),  # somebody opened
    ],
)
def test_the_first_attempt_counts(scans: tuple[Scan, ...], expected: Attempt | None) -> None:
    """T9: whatever came of later ones."""
    assert first_attempt(track(scans, handed_over_at=NOON)) == expected


@drawn(st.permutations([*WAY, FAILED, *WAY]))
def test_the_first_attempt_is_the_same_in_whatever_order_scans_come(scans: list[Scan]) -> None:
    """T2, T9"""
    assert first_attempt(track(scans, handed_over_at=NOON)) == Attempt(NOON + 41 * HOUR, False)


@drawn(st.integers(1, 500), st.integers(0, 500))
def test_a_share_is_believed_the_more_the_more_was_tried(tried: int, well: int) -> None:
    """T9: never above what was seen, and nearer to it with ten times as many."""
    well = min(well, tried)
    few, many = surely(tried, well), surely(10 * tried, 10 * well)
    assert 0 <= few <= many + 1e-9
    assert many <= well / tried + 1e-9


def test_the_hour_to_prefer_is_the_one_that_is_surely_good() -> None:
    """T9: five of five are no better than 95 of 100; fewer than five say nothing."""
    hours = [HourOfTries(9, 5, 5), HourOfTries(18, 100, 95), HourOfTries(20, 4, 4)]
    assert preferred_hour(hours) == 18
    assert preferred_hour([HourOfTries(11, 50, 40), HourOfTries(10, 50, 40)]) == 10
    assert preferred_hour([HourOfTries(9, 4, 4)]) is None
    assert preferred_hour([]) is None
    assert surely(0, 0) == 0


@pytest.mark.parametrize(
    ("addresses", "compound"),
    [
        (("翠苑小区3幢2单元502室", "翠苑小区 12 幢 101"), "浙江省|杭州市|西湖区|翠苑小区"),
        (("文三路138号3幢502室", "文三路 138 号 4 幢"), "浙江省|杭州市|西湖区|文三路138号"),
        (("浙江大学玉泉校区32舍",), "浙江省|杭州市|西湖区|浙江大学"),
        (("某某村口",), None),
    ],
)
def test_neighbours_are_in_one_compound(addresses: tuple[str, ...], compound: str | None) -> None:
    """T9: without door and person; where nothing names it, there is none."""
    for address in addresses:
        place = Recipient.cleaned(
            name="林", phone="13800138000", province="浙江省", city="杭州市", district="西湖区",
            address=address,
        )  # fmt: skip
        assert canonical_compound(place) == compound
