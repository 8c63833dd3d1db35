"""Silent parcels: which silence it is, and from when on (M5, T5; rules.md 25)."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.house_rules import HouseRules
from domain.scans import Scan
from domain.silence import Quiet, Silence, patience, quiet, silence
from tests.domain.test_tracking import JOURNEY, NOON, SIGNED, read, scan

RULES = HouseRules()
CUSTOMS = scan(12, "快件清关中")
INSTANT = timedelta(microseconds=1)


def heard(*scans: Scan, **more: Any) -> Quiet | None:
    """The quiet after these scans, told as they happened."""
    told_at = more.pop("told_at", NOON + timedelta(days=30))
    handed_over_at = more.get("handed_over_at", NOON)
    return quiet(read(*scans, **more), handed_over_at=handed_over_at, told_at=told_at)


@pytest.mark.parametrize(
    ("scans", "kind", "hours"),
    [
        ([], Silence.NO_FIRST_SCAN, 0),
        ([scan(1, "等待揽收")], Silence.NO_FIRST_SCAN, 0),
        (JOURNEY[:1], Silence.NO_MOVEMENT, 1),
        ([scan(-2, "已揽收")], Silence.NO_MOVEMENT, 0),
        (JOURNEY, Silence.NO_MOVEMENT, 20),
        ([*JOURNEY, scan(30, "派送不成功")], Silence.NO_MOVEMENT, 30),
        ([*JOURNEY, scan(30, "感谢您的支持")], Silence.NO_MOVEMENT, 20),
        ([*JOURNEY[:2], CUSTOMS], Silence.CUSTOMS_STALL, 12),
        ([*JOURNEY[:2], CUSTOMS, scan(14, "快件清关中")], Silence.CUSTOMS_STALL, 14),
        ([*JOURNEY[:2], CUSTOMS, scan(15, "已清关")], Silence.NO_MOVEMENT, 15),
        ([*JOURNEY, SIGNED, scan(40, "退回寄件人")], Silence.NO_MOVEMENT, 40),
        ([*JOURNEY, scan(21, "已到达【浦东菜鸟驿站】")], Silence.NOT_COLLECTED, 21 + 7 * 24),
        ([*JOURNEY, scan(21, "已放入丰巢柜,请于24小时内取件")], Silence.NOT_COLLECTED, 21 + 24),
        (
            [*JOURNEY, scan(21, "已到达【浦东菜鸟驿站】"), scan(22, "快件被快递员张三取出")],
            Silence.NO_MOVEMENT,
            22,
        ),
    ],
)
def test_quiet_counts_from_the_last_sight_when_a_parcel_is_under_way(
    scans: list[Scan], kind: Silence, hours: float
) -> None:
    """M5, rule 22: from hand-over on, then from scan to scan, or from when a locker's time ends.

    Paperwork is no sight of a parcel.
    """
    assert heard(*scans) == Quiet(kind, NOON + timedelta(hours=hours))


@pytest.mark.parametrize(
    "scans",
    [
        [*JOURNEY, SIGNED],
        [*JOURNEY, scan(21, "快件丢失")],
        [*JOURNEY, scan(30, "退回寄件人"), scan(31, "已发出"), scan(40, "退件已签收")],
    ],
)
def test_nothing_is_waited_for_when_a_parcel_arrived_or_is_lost(
    scans: list[Scan],
) -> None:
    """M5: a locker's deadline is another matter (rules.md 22)."""
    assert heard(*scans) is None


def test_a_parcel_is_not_waited_for_when_nobody_sent_it() -> None:
    """M5: a label without hand-over is the warehouse's; a carrier's pick-up scan is a sight."""
    assert heard(handed_over_at=None) is None
    assert heard(scan(1, "等待揽收"), handed_over_at=None) is None
    assert heard(JOURNEY[0], handed_over_at=None) == Quiet(
        Silence.NO_MOVEMENT, NOON + timedelta(hours=1)
    )


def test_a_scan_counts_from_when_it_was_told_when_it_is_dated_ahead() -> None:
    """M5: a carrier's clock that is years ahead does not hush its parcels for years."""
    wrong = scan(24 * 365, "到达【上海】")
    told_at = NOON + timedelta(hours=3)
    assert heard(wrong, told_at=told_at) == Quiet(Silence.NO_MOVEMENT, told_at)


@pytest.mark.parametrize(
    ("scans", "hours"), [((), 24), (JOURNEY[:2], 3 + 48), ((*JOURNEY[:2], CUSTOMS), 12 + 24)]
)
def test_a_quiet_parcel_is_silent_when_the_houses_patience_is_over(
    scans: tuple[Scan, ...], hours: float
) -> None:
    """M5: 24 h to the first scan, 48 h without movement, 24 h in customs, to the instant."""
    over = NOON + timedelta(hours=hours)
    kind = heard(*scans)
    assert kind is not None
    for now, expected in ((over - INSTANT, None), (over, kind.kind)):
        seen = read(*scans)
        assert silence(seen, handed_over_at=NOON, told_at=over, now=now, rules=RULES) is expected


def test_the_tenants_figures_decide_when_they_are_others() -> None:
    """M5: each kind has a figure of its own in the house rules."""
    rules = HouseRules(
        first_scan_within=timedelta(hours=1),
        movement_within=timedelta(hours=2),
        customs_within=timedelta(hours=3),
    )
    # What a locker keeps has no figure of the house's: its card says when it ends (rule 22).
    assert [patience(kind, rules=rules) for kind in Silence] == [
        timedelta(hours=hours) for hours in (1, 2, 3, 0)
    ]


@given(
    st.lists(st.sampled_from([*JOURNEY, SIGNED, CUSTOMS, scan(26, "退回寄件人")]), max_size=6),
    st.floats(0, 200),
    st.floats(0, 200),
)
def test_silence_lasts_when_time_passes_and_nothing_is_heard(
    scans: list[Scan], hours: float, more: float
) -> None:
    """M5: whatever was scanned, only a further fact ends a silence."""
    times = {"handed_over_at": NOON, "told_at": NOON + timedelta(hours=30)}
    first, later = (NOON + timedelta(hours=at) for at in (hours, hours + more))
    seen = read(*scans)
    before = silence(seen, **times, now=first, rules=RULES)
    after = silence(seen, **times, now=later, rules=RULES)
    assert before in (None, after)
