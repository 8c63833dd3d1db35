"""Promised times by simple rules: next wave + service hours + lane (O6; rules.md 10).

A warehouse with more parcels waiting than it sends in a day is that many days late; on days of
the peak calendar everything takes longer.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from types import MappingProxyType
from zoneinfo import ZoneInfo

from domain.house_rules import HouseRules, Peak, peak_hours
from domain.warehouses import Warehouse

NO_BACKLOG: Mapping[str, int] = MappingProxyType({})
"""Nobody counted what waits in the warehouses."""


def next_wave(warehouse: Warehouse, *, when: datetime, rules: HouseRules) -> datetime:
    """When the warehouse next releases orders: today's cut-off, or tomorrow's (rules.md 11)."""
    return wave_after(when, warehouse.cut_off, rules.zone)


def last_wave(cut_off: time, *, when: datetime, zone: ZoneInfo) -> datetime:
    """The latest cut-off that has come, in warehouse time."""
    day = when.astimezone(zone).date()
    wave = _wave_of(day, cut_off, zone)
    come = wave if wave <= when else _wave_of(day - timedelta(days=1), cut_off, zone)
    return come.astimezone(zone)


def _wave_of(day: date, cut_off: time, zone: ZoneInfo) -> datetime:
    """A day's one cut-off: the first of two where clocks go back, later where they skip it."""
    wave = datetime(day.year, day.month, day.day, cut_off.hour, cut_off.minute, tzinfo=zone)
    return wave.astimezone(UTC)


# Commands decided together ask at the same instant.
@lru_cache(maxsize=256)
def wave_after(when: datetime, cut_off: time, zone: ZoneInfo) -> datetime:
    """The first cut-off at a moment or after it, in warehouse time."""
    day = when.astimezone(zone).date()
    wave = _wave_of(day, cut_off, zone)
    return wave if when <= wave else _wave_of(day + timedelta(days=1), cut_off, zone)


@lru_cache(maxsize=256)
def _arrival(
    when: datetime,
    cut_off: time | None,
    zone: ZoneInfo,
    service_hours: int,
    lane_time: timedelta,
    peaks: tuple[Peak, ...],
    days_behind: int,
) -> datetime:
    behind = timedelta(days=days_behind)
    if cut_off is None:
        wave = when + behind
    else:
        first = wave_after(when, cut_off, zone).astimezone(zone).date()
        wave = _wave_of(first + behind, cut_off, zone)
    longer = timedelta(hours=peak_hours(peaks, zone, wave, wave))
    return wave + timedelta(hours=service_hours) + lane_time + longer


def settled_by(when: datetime, *, due_fen: int, rules: HouseRules) -> datetime:
    """The moment a promise counts from: when what is due can still be paid (rules.md 8, 10).

    No wave takes what is not paid, and the one before that may be gone by then.
    """
    return when + rules.pay_within if due_fen else when


def promised_by(
    legs: Iterable[tuple[Warehouse, timedelta]],
    *,
    when: datetime,
    rules: HouseRules,
    backlog: Mapping[str, int] = NO_BACKLOG,
    urgent: bool = False,
) -> datetime:
    """When the last parcel should have arrived; courses are granted at once (rules.md 7).

    `legs` are the parcels' warehouses, and how long each one's carrier takes. `backlog` counts the
    parcels that wait in each warehouse, as of a moment ago. What is urgent is released at once and
    waits for no wave (S5).
    """
    zone, peaks = rules.zone, rules.peaks
    return max(
        [
            _arrival(
                when,
                None if urgent else one.cut_off,
                zone,
                one.service_hours,
                lane_time,
                peaks,
                backlog.get(one.code, 0) // one.daily_capacity if backlog else 0,
            )
            for one, lane_time in legs
        ],
        default=when,
    )
