"""What a parcel adds to its week's figures: on time, at which hour (T9)."""

from datetime import datetime, timedelta

import pytest

from domain.house_rules import HouseRules
from domain.weeks import Tally, count_parcel, week_of
from tests.domain.test_legs import DONE, OUT, START, parcel, scan

ZONE = HouseRules().zone
ARRIVED = START + timedelta(hours=2)


def counted(country: str, promised_by: datetime | None = None) -> Tally:
    """The figures of the week in which such a parcel was brought to its door and received."""
    tally = Tally()
    brought = parcel(scan(1, OUT), scan(2, DONE), country=country, told=None)
    days = week_of(START.date(), ZONE)
    count_parcel(tally, brought, days, promised_by=promised_by, zone=ZONE)
    return tally


@pytest.mark.parametrize(("country", "hours"), [("CN", ["18"]), ("JP", [])])
def test_no_hour_is_told_when_a_parcel_is_tried_abroad(country: str, hours: list[str]) -> None:
    """T9: there it is another one; the attempt itself counts, as on its carrier's scorecard."""
    tally = counted(country)
    assert [key for section, key, name in tally if (section, name) == ("hour", "tried")] == hours
    assert tally["week", "", "tried"] == tally["carrier", "ems", "first_try"] == 1


@pytest.mark.parametrize(
    ("promised_by", "promised", "on_time"),
    [(ARRIVED, 1, 1), (ARRIVED - timedelta(seconds=1), 1, 0), (None, 0, 0)],
)
def test_a_parcel_is_on_time_by_its_promise_when_it_has_one(
    promised_by: datetime | None, promised: int, on_time: int
) -> None:
    """T9: without one it is neither on time nor late, which reviews of before do not tell."""
    tally = counted("CN", promised_by)
    assert ("week", "", "promised") in tally
    assert tally["week", "", "arrived"] == 1
    assert tally["carrier", "ems", "promised"] == promised
    assert tally["carrier", "ems", "on_time"] == on_time
