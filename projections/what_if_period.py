"""假设时段 When a rule is rehearsed: before its first day all was as it was (M6)."""

from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo


class Period(NamedTuple):
    """From a moment until another one; None: from the beginning, to the end."""

    since: datetime | None = None
    until: datetime | None = None

    @classmethod
    def of_days(cls, first: date | None, last: date | None, *, zone: ZoneInfo) -> "Period":
        """Whole days of the business, first and last one included."""
        return cls(
            None if first is None else datetime.combine(first, time(), zone),
            None if last is None else datetime.combine(last + timedelta(days=1), time(), zone),
        )

    def before(self, when: datetime) -> bool:
        """Whether a moment is before the rule was switched on."""
        return self.since is not None and when < self.since

    def after(self, when: datetime) -> bool:
        """Whether a moment is after the time that counts."""
        return self.until is not None and when >= self.until

    def covers(self, when: datetime) -> bool:
        """Whether a moment counts."""
        return not (self.before(when) or self.after(when))


ALWAYS = Period()
