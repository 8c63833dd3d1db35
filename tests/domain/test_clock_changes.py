"""Days, cut-offs and promises where clocks go forward and back (L4, O6, S5; rules 10, 11, 15)."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.house_rules import HouseRules
from domain.lots import INSTANT, last_day
from domain.promising import last_wave, promised_by, wave_after
from domain.warehouses import EVERYWHERE, Warehouse

ZONES = [
    ZoneInfo(name)
    for name in (
        "America/New_York", "America/Santiago", "Africa/Cairo", "Europe/Berlin", "Asia/Shanghai",
        "Australia/Lord_Howe",
    )
]  # fmt: skip
FROM, UNTIL = datetime(2024, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)


def changes() -> list[tuple[ZoneInfo, datetime]]:
    """The hours in which a zone's clocks change, within these years."""
    hours = int((UNTIL - FROM) / timedelta(hours=1))
    found = []
    for zone in ZONES:
        offsets = [(FROM + timedelta(hours=n)).astimezone(zone).utcoffset() for n in range(hours)]
        found += [
            (zone, FROM + timedelta(hours=n))
            for n in range(1, hours)
            if offsets[n - 1] != offsets[n]
        ]
    return found


CHANGES = changes()


@st.composite
def moments(draw: st.DrawFn) -> tuple[ZoneInfo, datetime]:
    """Any moment somewhere, as often as not within two days of a change of its clocks."""
    if draw(st.booleans()):
        zone, change = draw(st.sampled_from(CHANGES))
        minutes = draw(st.integers(-2 * 24 * 60, 2 * 24 * 60))
        return zone, change + timedelta(minutes=minutes)
    span = int((UNTIL - FROM) / timedelta(minutes=1))
    return draw(st.sampled_from(ZONES)), FROM + timedelta(minutes=draw(st.integers(0, span)))


def first_instant(day: date, zone: ZoneInfo) -> datetime:
    """When a day begins, found by counting its minutes back from noon: clocks are only read."""
    now = datetime(day.year, day.month, day.day, 12, tzinfo=zone).astimezone(UTC)
    while (now - timedelta(minutes=1)).astimezone(zone).date() == day:
        now -= timedelta(minutes=1)
    return now


@pytest.mark.parametrize(
    ("zone", "after", "ends"),
    [
        ("America/Santiago", date(2026, 9, 6), datetime(2026, 9, 6, 4, tzinfo=UTC)),
        ("Africa/Cairo", date(2026, 4, 24), datetime(2026, 4, 23, 22, tzinfo=UTC)),
        ("Asia/Shanghai", date(2026, 9, 6), datetime(2026, 9, 5, 16, tzinfo=UTC)),
    ],
)
def test_a_lot_ends_the_day_before_when_clocks_go_forward_at_midnight(
    zone: str, after: date, ends: datetime
) -> None:
    """L4: the day begins at one o'clock there; Shanghai's clocks stand still."""
    there = ZoneInfo(zone)
    assert ends == datetime(after.year, after.month, after.day, tzinfo=there).astimezone(UTC)
    assert last_day(ends, zone=there) == after - timedelta(days=1)


@given(moments())
def test_the_last_day_of_a_lot_is_the_day_its_last_instant_is_in(
    there: tuple[ZoneInfo, datetime],
) -> None:
    """L4: it can be spent on that day, and of the day after not an instant is left."""
    zone, now = there
    day = now.astimezone(zone).date()
    begins = first_instant(day, zone)
    assert last_day(begins, zone=zone) == day - timedelta(days=1)
    assert last_day(begins + INSTANT, zone=zone) == day
    assert last_day(now + INSTANT, zone=zone) == day


@given(moments(), st.times().map(lambda one: one.replace(second=0, microsecond=0)))
def test_a_wave_goes_once_a_day_at_its_cut_off(
    there: tuple[ZoneInfo, datetime], cut_off: time
) -> None:
    """S5: the last one has come, the next one has not; between them lies none (rules.md 11)."""
    zone, now = there
    # Python calls no hour that is there twice equal to any other zone's: all is compared in UTC.
    last = last_wave(cut_off, when=now, zone=zone).astimezone(UTC)
    coming = wave_after(now, cut_off, zone)
    assert last <= now <= coming
    assert last_wave(cut_off, when=coming, zone=zone).astimezone(UTC) == coming
    assert wave_after(last, cut_off, zone) == last
    days = coming.astimezone(zone).date() - last.astimezone(zone).date()
    assert days == timedelta(days=0 if last == coming else 1)
    # Where clocks skip the cut-off its wave goes later that day, and never earlier.
    reads = coming.astimezone(zone).replace(tzinfo=None)
    due = datetime.combine(reads.date(), cut_off)
    assert timedelta() <= reads - due <= timedelta(hours=1)
    assert reads == due or _skipped(due, zone)


def _skipped(reads: datetime, zone: ZoneInfo) -> bool:
    """Whether no clock of the zone ever showed this time."""
    back = reads.replace(tzinfo=zone).astimezone(UTC).astimezone(zone)
    return back.replace(tzinfo=None) != reads


def warehouse(cut_off: time) -> Warehouse:
    return Warehouse(
        code="zhejiang", name="浙江仓", province="浙江省", city="杭州市", serves=(EVERYWHERE,),
        cut_off=cut_off, daily_capacity=10,
    )  # fmt: skip


def test_a_backlog_is_promised_at_the_cut_off_when_clocks_change_meanwhile() -> None:
    """O6: two days behind over the change of 2026-11-01: the cut-off's hour stays the wall's."""
    zone = ZoneInfo("America/New_York")
    rules = HouseRules(zone=zone)
    promised = promised_by(
        [(warehouse(time(16)), timedelta())],
        when=datetime(2026, 10, 31, 9, tzinfo=zone), rules=rules, backlog={"zhejiang": 20},
    )  # fmt: skip
    assert promised == datetime(2026, 11, 2, 16, tzinfo=zone) + timedelta(hours=24)


@given(moments(), st.integers(0, 200), st.times().map(lambda one: one.replace(second=0)))
def test_a_promise_is_service_and_lane_after_the_wave_of_its_day(
    there: tuple[ZoneInfo, datetime], waiting: int, cut_off: time
) -> None:
    """O6: as many cut-offs after the next one as the warehouse is days behind (rules.md 10)."""
    zone, now = there
    house, rules = warehouse(cut_off), HouseRules(zone=zone)
    wave = wave_after(now, cut_off, zone)
    for _ in range(waiting // house.daily_capacity):
        wave = wave_after(wave + timedelta(minutes=1), cut_off, zone)
    promised = promised_by(
        [(house, timedelta(hours=30))], when=now, rules=rules, backlog={"zhejiang": waiting}
    )
    assert promised == wave + timedelta(hours=house.service_hours + 30)


@given(moments(), st.integers(0, 50))
def test_what_is_urgent_is_never_promised_earlier_than_now(
    there: tuple[ZoneInfo, datetime], waiting: int
) -> None:
    """S5, O6: it waits for no wave, also in the hour that clocks show twice."""
    zone, now = there
    rules = HouseRules(zone=zone)
    legs = [(warehouse(time(16)), timedelta())]
    promised = promised_by(legs, when=now, rules=rules, backlog={"zhejiang": waiting}, urgent=True)
    assert promised == now + timedelta(days=waiting // 10, hours=24)
