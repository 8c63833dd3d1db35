"""所写日期 Days and times as files have them: as people and as spreadsheets write them (M4)."""

import re
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from domain.days import is_meant

_WRITTEN: Final = re.compile(
    r"(\d{4})([-/])(\d{1,2})\2(\d{1,2})(?:[ T](\d{1,2}):(\d{2})(?::(\d{2}))?)?", re.ASCII
)
"""`2026/3/1 9:05` is how Excel writes a Chinese CSV."""


class NotMeant(ValueError):
    """It is a day, but none that somebody can mean."""


def written_moment(text: str, zone: ZoneInfo, *, end_of_day: bool = False) -> datetime:
    """A time; without a zone it is one of this zone, a day alone is its beginning or its end.

    Raises `ValueError` for what is none, `NotMeant` for one outside of `domain.days`.
    """
    found = _WRITTEN.fullmatch(text)
    if found is None:
        moment = datetime.fromisoformat(text.replace("/", "-"))
        alone = re.fullmatch(r"[\dW-]+", text, re.ASCII) is not None
    else:
        alone = found[5] is None
        year, month, day, hour, minute, second = (
            int(found[group] or 0) for group in (1, 3, 4, 5, 6, 7)
        )
        moment = datetime(year, month, day, hour, minute, second)  # noqa: DTZ001  its zone follows
    aware = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    try:
        meant = is_meant(aware.astimezone(zone).date())
    except OverflowError:  # the first and last years have no such time in every zone
        meant = False
    if not meant:
        raise NotMeant(text)
    return aware + timedelta(days=1) if alone and end_of_day else aware


def written_day(text: str, zone: ZoneInfo) -> date:
    """The day of this zone that a day or a time is on. Raises as `written_moment` does."""
    return written_moment(text, zone).astimezone(zone).date()
