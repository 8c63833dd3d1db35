"""The demo mall's days are those of the mall's own zone (rules.md 15)."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from application.demo_mall import month_end
from domain.lots import last_day


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "America/New_York", "America/Santiago"])
@pytest.mark.parametrize(
    ("now", "ends"),
    [
        (datetime(2026, 1, 31, 12, tzinfo=UTC), "2026-02-28"),
        (datetime(2026, 7, 1, 12, tzinfo=UTC), "2026-08-31"),
        (datetime(2026, 11, 15, 12, tzinfo=UTC), "2026-12-31"),
        (datetime(2026, 12, 31, 12, tzinfo=UTC), "2027-01-31"),
    ],
)
def test_points_of_the_demo_expire_at_the_end_of_next_month(
    zone: str, now: datetime, ends: str
) -> None:
    """L4: at its midnight, wherever the mall is."""
    there = ZoneInfo(zone)
    end = month_end(now, zone=there)
    assert last_day(end, zone=there).isoformat() == ends
    assert end.astimezone(there).hour == 0


def test_next_month_is_the_malls_when_it_has_begun_there_already() -> None:
    """L4: it is December in Shanghai while it is November in Greenwich."""
    now = datetime(2026, 11, 30, 20, tzinfo=UTC)
    end = month_end(now, zone=ZoneInfo("Asia/Shanghai"))
    assert end == datetime(2027, 1, 31, 16, tzinfo=UTC)
