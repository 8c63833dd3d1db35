"""Promised times: next wave, service hours, lane (O6; rules.md 10, 11)."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from domain.house_rules import SHANGHAI, HouseRules, Peak
from domain.promising import next_wave, promised_by
from domain.warehouses import EVERYWHERE, Warehouse

RULES = HouseRules()


def warehouse(**more: Any) -> Warehouse:
    return Warehouse(
        **{
            "code": "zhejiang",
            "name": "浙江仓",
            "province": "浙江省",
            "city": "杭州市",
            "serves": (EVERYWHERE,),
            **more,
        }
    )


def legs(*houses: Warehouse) -> list[tuple[Warehouse, timedelta]]:
    """Each by a carrier that takes the default time."""
    return [(one, RULES.lane_time) for one in houses]


def at(day: int, hour: int, minute: int = 0, second: int = 0, micro: int = 0) -> datetime:
    """A moment in March 2026, Shanghai time, as UTC."""
    local = datetime(2026, 3, day, hour, minute, second, micro, tzinfo=SHANGHAI)
    return local.astimezone(UTC)


@pytest.mark.parametrize(
    ("when", "wave"),
    [
        (at(2, 9), at(2, 16)),
        (at(2, 15, 59, 59, 999_999), at(2, 16)),
        (at(2, 16), at(2, 16)),
        (at(2, 16, 0, 0, 1), at(3, 16)),
        (at(2, 16, 0, 30), at(3, 16)),
        (at(2, 23, 59), at(3, 16)),
        (at(31, 17), at(31, 16) + timedelta(days=1)),
    ],
)
def test_an_order_goes_with_the_next_wave_when_it_is_placed(when: datetime, wave: datetime) -> None:
    """S5: the cut-off itself is in time, an instant later is not (rules.md 11)."""
    assert next_wave(warehouse(), when=when, rules=RULES) == wave


def test_each_warehouse_has_its_own_wave_when_cut_offs_differ() -> None:
    """S5: the cut-off is the warehouse's."""
    early = warehouse(cut_off=time(9, 30))
    assert next_wave(early, when=at(2, 9, 31), rules=RULES) == at(3, 9, 30)


def test_the_slowest_parcel_is_promised_when_there_are_several() -> None:
    """O6: wave + service hours + lane, for the last part (rules.md 10)."""
    houses = [warehouse(), warehouse(code="henan", service_hours=48)]
    assert promised_by(legs(*houses), when=at(2, 9), rules=RULES) == at(2 + 2 + 3, 16)
    assert promised_by(legs(houses[0]), when=at(2, 9), rules=RULES) == at(2 + 1 + 3, 16)


def test_courses_are_promised_at_once_when_nothing_is_sent() -> None:
    """O6: an entitlement waits for no wave (rules.md 7)."""
    assert promised_by([], when=at(2, 9), rules=RULES) == at(2, 9)


@pytest.mark.parametrize(("waiting", "days"), [(0, 0), (99, 0), (100, 1), (199, 1), (200, 2)])
def test_the_promise_is_later_when_more_waits_than_a_day_can_send(waiting: int, days: int) -> None:
    """O6, C2: whole days of backlog over the daily capacity (rules.md 10)."""
    house = warehouse(daily_capacity=100)
    backlog = {"zhejiang": waiting, "henan": 9_999}
    promised = promised_by(legs(house), when=at(2, 9), rules=RULES, backlog=backlog)
    assert promised == at(2 + 1 + 3 + days, 16)


def test_the_promise_is_later_when_the_wave_is_on_a_peak_day() -> None:
    """O6: the longest of the peaks that its day is in, first and last day included."""
    calendar = (
        Peak(date(2026, 3, 3), date(2026, 3, 4), 48),
        Peak(date(2026, 3, 4), date(2026, 3, 4), 72),
    )
    rules = HouseRules(peaks=calendar)
    for placed, hours in ((at(2, 9), 0), (at(2, 17), 48), (at(4, 16), 72), (at(4, 16, 1), 0)):
        later = promised_by(legs(warehouse()), when=placed, rules=rules)
        assert later - promised_by(legs(warehouse()), when=placed, rules=RULES) == timedelta(
            hours=hours
        )


def test_a_backlog_ends_in_the_peak_when_it_lasts_until_then() -> None:
    """O6: the day of the release counts, not the day of the order."""
    rules = HouseRules(peaks=(Peak(date(2026, 3, 4), date(2026, 3, 5), 24),))
    promised = promised_by(
        legs(warehouse(daily_capacity=10)), when=at(2, 9), rules=rules, backlog={"zhejiang": 25}
    )
    assert promised == at(2 + 2 + 1 + 3 + 1, 16)


def test_the_promise_is_as_fast_as_the_carrier_when_rate_cards_say_how_fast() -> None:
    """O6: the card's hours instead of the default lane; the slowest parcel counts (rule 10)."""
    fast, slow = (warehouse(), timedelta(hours=24)), (warehouse(), timedelta(hours=60))
    assert promised_by([fast], when=at(2, 9), rules=RULES) == at(2 + 1 + 1, 16)
    assert promised_by([fast, slow], when=at(2, 9), rules=RULES) == at(2 + 1 + 3, 4)
