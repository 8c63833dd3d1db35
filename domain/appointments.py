"""预约 When a recipient and a carrier agreed that a parcel is delivered (T8)."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from domain.scans import BEIJING, Scan, ScanKind


@dataclass(frozen=True, slots=True)
class Appointment:
    """A span of time; `ends_at` is the first moment after it."""

    starts_at: datetime
    ends_at: datetime


FAR: Final = timedelta(days=60)
"""Nobody agrees on a delivery farther ahead: such a date is a slip, or one that has passed."""
_CLOCK = r"(\d{1,2})(?:[:点时](\d{2})?|(\d{2}))(?::\d{2})?分?"
_HALF = r"(上午|下午|晚上|晚间)?"
_AGREED = re.compile(
    r"(?:约定|预约|改约)\D{0,12}?"
    r"(?:(\d{4})(\d{2})(\d{2})|(?:(\d{4})[-年/.])?(\d{1,2})[-月/.](\d{1,2})日?|(今|明|后)[天日])"
    rf"[\s(\[【]*(?:(?:周|星期).)?[\s)\]】]*{_HALF}(?:{_CLOCK}(?:[-~至到—]{_HALF}{_CLOCK})?)?"
)
_AHEAD = {"今": 0, "明": 1, "后": 2}
_HALVES = {"上午": (8, 12), "下午": (12, 18), "晚上": (18, 22), "晚间": (18, 22)}
_DAY = timedelta(days=1)
# What is agreed about fetching it, at its sender's or from a station, is no delivery.
_FETCHED = frozenset(
    {ScanKind.ORDERED, ScanKind.CANCELLED, ScanKind.PICKED_UP, ScanKind.AWAITING_PICKUP}
)


def read_appointment(scan: Scan) -> Appointment | None:
    """The span that a scan's text names, in the carriers' zone; None: it names none that can be.

    A day alone is all of it, and a start alone lasts until its day ends. A date without a year is
    the next one, seen from the scan.
    """
    found = None if scan.kind in _FETCHED else _AGREED.search(scan.text)
    if found is None:
        return None
    words = found.groups()
    try:
        agreed = _span(scan, words[:7], words[7:])
    except ValueError:  # 30 February, or 25:70: the carrier wrote nonsense, so it agreed on nothing
        return None
    return agreed if agreed.starts_at <= scan.time + FAR else None


def _span(scan: Scan, day: tuple[str | None, ...], hours: tuple[str | None, ...]) -> Appointment:
    written = scan.time.astimezone(BEIJING)
    year, month, date_, *apart, ahead = day
    if ahead:
        return _of_day(scan, written.date() + _AHEAD[ahead] * _DAY, hours)
    year, month, date_ = (year, month, date_) if year else apart
    first = date(int(year or written.year), int(month or 0), int(date_ or 0))
    agreed = _of_day(scan, first, hours)
    if not year and agreed.ends_at <= scan.time:
        return _of_day(scan, first.replace(year=first.year + 1), hours)
    return agreed


def _of_day(scan: Scan, day: date, hours: tuple[str | None, ...]) -> Appointment:
    half, *start, later, hour, minute, joined = hours
    begins, ends = _HALVES[half] if half else (0, 24)
    midnight = datetime.combine(day, time(), BEIJING).astimezone(scan.time.tzinfo)
    start_at = midnight + timedelta(hours=begins)
    ends_at = midnight + timedelta(hours=ends)
    if start[0] is not None:
        start_at = midnight + _clock(half, *start)
        ends_at = midnight + (_DAY if hour is None else _clock(later or half, hour, minute, joined))
    # An end before its start says nothing: then it is agreed for the rest of the day.
    return Appointment(start_at, ends_at if start_at < ends_at else midnight + _DAY)


def _clock(half: str | None, hour: str | None, minute: str | None, joined: str | None) -> timedelta:
    """A time of day; 24:00 is its end. Raises `ValueError` for one that no clock shows."""
    hours, minutes = int(hour or 0), int(minute or joined or 0)
    if half not in (None, "上午") and hours < 12:
        hours += 12
    if minutes >= 60 or (hours, minutes) > (24, 0):
        raise ValueError(hour, minute)
    return timedelta(hours=hours, minutes=minutes)
