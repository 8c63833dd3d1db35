"""Closing the books: closed days stay closed, late facts go to the next open one (A7; rule 19)."""

from datetime import UTC, date, datetime

import pytest

from application.streams import BOOKS
from domain.books import Books, BooksClosed
from domain.house_rules import HouseRules
from domain.refusals import NotPossible
from tests.in_memory import given

RULES = HouseRules()
EVENING = datetime(2026, 3, 2, 15, 59, tzinfo=UTC)
"""23:59 in Shanghai."""
NIGHT = datetime(2026, 3, 2, 16, 0, tzinfo=UTC)
"""Midnight there: the third of March has begun."""


def test_a_day_is_closed_when_it_is_over_in_the_business_zone() -> None:
    """A7: not a minute earlier, and in the house's own time."""
    with pytest.raises(NotPossible) as refused:
        Books().close(date(2026, 3, 2), when=EVENING, rules=RULES)
    assert refused.value.figures == {"action": "close", "why": "2026-03-02 is not over"}
    assert Books().close(date(2026, 3, 2), when=NIGHT, rules=RULES) == [
        BooksClosed(until=date(2026, 3, 2))
    ]


def test_nothing_happens_when_a_day_is_closed_already() -> None:
    """A7: what is closed is never opened by closing an earlier day."""
    books = given(BOOKS, BooksClosed(until=date(2026, 3, 1)))
    assert books.close(date(2026, 3, 1), when=NIGHT, rules=RULES) == []
    assert books.close(date(2026, 2, 1), when=NIGHT, rules=RULES) == []


@pytest.mark.parametrize(
    ("closed_until", "day"),
    [
        (None, date(2026, 3, 2)),
        (date(2026, 3, 1), date(2026, 3, 2)),
        (date(2026, 3, 2), date(2026, 3, 3)),
        (date(2026, 3, 9), date(2026, 3, 10)),
    ],
)
def test_a_fact_is_booked_to_the_first_open_day_when_its_own_is_closed(
    closed_until: date | None, day: date
) -> None:
    """A7: the day it happened, or the first open one (rules.md 19)."""
    assert Books(closed_until).booking_day(EVENING, rules=RULES) == day
