"""Which day a fact of the ledger is booked to (A7; rules.md 15, 19)."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from application.closing import close_books
from application.policies import EXPIRE_LOTS, sweep
from tests.application.house import House, opened
from tests.conftest import MallDatabase

pytestmark = pytest.mark.anyio


@pytest.fixture
async def house(database: MallDatabase) -> AsyncIterator[House]:
    async with opened(database) as house:
        yield house


async def booked(house: House, fact: str) -> list[tuple[str, int]]:
    """The days that this learner's facts of a kind are booked to, and what was written off."""
    await house.reader.catch_up()
    rows = await house.rows(
        "SELECT booked_on::text, expired FROM {s}.ledger_entries"
        f" WHERE learner = 'may' AND fact = '{fact}' ORDER BY position"
    )
    return [(day, int(points)) for day, points in rows]


async def test_breakage_is_booked_to_the_last_day_of_a_lot(house: House) -> None:
    """A7, rules.md 15: points of a month's last day are that month's breakage, though they are
    written off just after its midnight; CONTROL: points granted at that midnight are of the day."""
    zone = house.rules.zone
    midnight = datetime(house.now.year + 1, 4, 1, tzinfo=zone)
    await house.grant("may", 70, "a", expires_at=midnight)
    await house.grant("may", 30, "b", expires_at=midnight + timedelta(hours=9))
    house.now = midnight
    await house.grant("may", 5, "c")
    house.now = midnight + timedelta(days=2)
    assert (await sweep(house, EXPIRE_LOTS)).done >= 1
    year = midnight.year
    assert await booked(house, "ledger.LotExpired") == [
        (f"{year}-03-31", 70), (f"{year}-04-01", 30),
    ]  # fmt: skip
    granted = [day for day, _ in await booked(house, "ledger.PointsGranted")]
    assert granted[-1] == f"{year}-04-01"


async def test_breakage_is_booked_to_the_first_open_day_when_its_own_is_closed(
    house: House,
) -> None:
    """A7, rules.md 19: a closed month stays closed, whatever ended with it."""
    zone = house.rules.zone
    midnight = datetime(house.now.year + 1, 4, 1, tzinfo=zone)
    await house.grant("may", 70, "a", expires_at=midnight)
    house.now = midnight + timedelta(minutes=1)
    march = (midnight - timedelta(days=1)).date()
    await house.do(lambda unit: close_books(unit, until=march, rules=house.rules))
    await sweep(house, EXPIRE_LOTS)
    assert await booked(house, "ledger.LotExpired") == [(f"{midnight:%Y-%m-%d}", 70)]
