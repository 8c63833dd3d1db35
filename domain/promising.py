"""Promised times by simple rules: next wave + service hours + lane (O6; rules.md 10)."""

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from domain.house_rules import HouseRules
from domain.warehouses import Warehouse


def next_wave(warehouse: Warehouse, *, when: datetime, rules: HouseRules) -> datetime:
    """When the warehouse next releases orders: today's cut-off, or tomorrow's (rules.md 11)."""
    return _wave_after(when, warehouse.cut_off, rules.zone)


# Commands decided together ask at the same instant.
@lru_cache(maxsize=256)
def _wave_after(when: datetime, cut_off: time, zone: ZoneInfo) -> datetime:
    local = when.astimezone(zone)
    wave = local.replace(hour=cut_off.hour, minute=cut_off.minute, second=0, microsecond=0)
    return (wave if local <= wave else wave + timedelta(days=1)).astimezone(UTC)


@lru_cache(maxsize=256)
def _arrival(
    when: datetime, cut_off: time, zone: ZoneInfo, service_hours: int, lane_time: timedelta
) -> datetime:
    return _wave_after(when, cut_off, zone) + timedelta(hours=service_hours) + lane_time


def promised_by(warehouses: Iterable[Warehouse], *, when: datetime, rules: HouseRules) -> datetime:
    """When the last parcel should have arrived; courses are granted at once (rules.md 7)."""
    zone, lane_time = rules.zone, rules.lane_time
    return max(
        [_arrival(when, one.cut_off, zone, one.service_hours, lane_time) for one in warehouses],
        default=when,
    )
