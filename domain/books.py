"""账期 Closing the books: a closed day stays closed, late facts are booked to the next (A7)."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import assert_never

from pydantic import Field

from domain.facts import Fact
from domain.house_rules import HouseRules
from domain.refusals import NotPossible


class BooksClosed(Fact, name="books.BooksClosed"):
    """Nothing is booked to these days any more."""

    until: date = Field(description="last closed day, in the business time zone")


BooksFact = BooksClosed


@dataclass(frozen=True, slots=True)
class Books:
    """What closing needs to know: how far the books are closed."""

    closed_until: date | None = None

    def close(self, until: date, *, when: datetime, rules: HouseRules) -> list[BooksFact]:
        """Close every day up to and including `until`; only days that are over can be closed."""
        if until >= when.astimezone(rules.zone).date():
            raise NotPossible(action="close", why=f"{until} is not over")
        if self.closed_until is not None and until <= self.closed_until:
            return []
        return [BooksClosed(until=until)]

    def booking_day(self, happened_at: datetime, *, rules: HouseRules) -> date:
        """The day a fact is booked to: its own, or the first open one (rules.md 19)."""
        day = happened_at.astimezone(rules.zone).date()
        if self.closed_until is not None and day <= self.closed_until:
            return self.closed_until + timedelta(days=1)
        return day


def evolve(books: Books, fact: BooksFact) -> Books:
    """The books after one more fact."""
    match fact:
        case BooksClosed(until=until):
            return Books(until)
        case _:
            assert_never(fact)
