"""关账 Closing the books of days that are over (A7; rules.md 19)."""

from datetime import date
from typing import Any

from application.streams import BOOKS, MALL
from application.unit import Unit
from domain.house_rules import HouseRules


def close_books(unit: Unit, *, until: date, rules: HouseRules) -> dict[str, Any]:
    """Close every day up to `until`; later facts of those days are booked to the next one."""
    books = unit.read(BOOKS, MALL)
    after = unit.record(BOOKS, MALL, books.close(until, when=unit.now, rules=rules))
    assert after.closed_until is not None  # closing twice leaves the first
    return {"closed_until": after.closed_until.isoformat()}
