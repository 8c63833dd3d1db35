"""Estimates of arrivals, from hand-over on, and how well they held (T4)."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from application import redeeming, shipping
from application.arrivals import estimate_arrivals
from domain.house_rules import Peak
from domain.order_facts import Channel
from domain.scans import Scan, ScanKind
from projections.arrivals import accuracy
from projections.verifying import verify
from projections.views import all_views
from tests.application.house import RECIPIENT, START, House, opened
from tests.conftest import MallDatabase

pytestmark = pytest.mark.anyio

ARRIVAL = "parcels.ArrivalEstimated"


@pytest.fixture
async def house(database: MallDatabase) -> AsyncIterator[House]:
    async with opened(database) as one:
        await one.grant("mei", 1_000_000, "PY-1")
        yield one


async def sent(house: House, number: str) -> str:
    """A parcel that the carrier has, to an address whose divisions were settled."""
    settled = RECIPIENT.model_copy(update={"district": "西湖区", "division": "330106"})
    wish = redeeming.Wish("mei", (redeeming.Wanted("notebook", 1),), settled, Channel.APP)
    await house.do(lambda unit: redeeming.place_order(unit, wish, number=number, rules=house.rules))
    return await house.ship(number)


async def scanned(
    house: House, parcel: str, kind: ScanKind, division: str | None = None, text: str | None = None
) -> None:
    """The carrier sees it now."""
    seen = Scan(
        number=f"SF{parcel.removesuffix('-P1')}", time=house.now, text=text or f"{kind}",
        carrier="shunfeng", kind=kind, division=division,
    )  # fmt: skip
    await house.do(
        lambda unit: shipping.record_scans(
            unit, parcel=parcel, scans=[seen], source="test", raw=None, corrected_to=None,
            rules=house.rules,
        )
    )  # fmt: skip


async def said(house: House) -> int:
    """How many estimates are given now."""
    issued = await estimate_arrivals(house)
    assert not issued.refused
    await house.reader.catch_up()
    return len(issued.done)


async def delivered(house: House, number: str, *, hours: float) -> str:
    """A parcel that takes so many hours, with an estimate at each milestone."""
    parcel = await sent(house, number)
    begun = house.now
    assert await said(house) == 1
    house.now = begun + timedelta(hours=hours)
    await scanned(house, parcel, ScanKind.SIGNED)
    assert await said(house) == 0
    return parcel


async def test_the_rate_card_speaks_first_and_what_was_measured_later(house: House) -> None:
    """T4: 19 parcels of a way are enough; the estimate is a fact, said once a milestone."""
    for hour in range(19):
        await delivered(house, f"A{hour}", hours=20 + hour)
    parcel = await sent(house, "B1")
    assert await said(house) == 1
    assert await said(house) == 0
    rows = await house.rows(
        "SELECT basis, measured, earliest, latest FROM {s}.estimates WHERE parcel = %s", parcel
    )
    hours = timedelta(hours=1)
    assert rows == [("city", 19, house.now + 20 * hours, house.now + 38 * hours)]
    assert (await house.facts(f"parcel:{parcel}")).count(ARRIVAL) == 1
    ((first,),) = await house.rows("SELECT basis FROM {s}.estimates WHERE parcel = 'A0-P1'")
    assert first == "rate_card"


async def test_a_window_counts_the_peak_that_is_set(house: House) -> None:
    """T4: as the promise does; 19 parcels of before it took 20 hours each (rules.md 10)."""
    for hour in range(19):
        await delivered(house, f"A{hour}", hours=20)
    house.wait(hours=48)
    today = house.now.date()
    calendar = (Peak(today, today + timedelta(days=9), 30),)
    house.rules = replace(house.rules, peaks=calendar)
    parcel = await sent(house, "B1")
    await said(house)
    ((earliest, latest),) = await house.rows(
        "SELECT earliest, latest FROM {s}.estimates WHERE parcel = %s", parcel
    )
    hours = timedelta(hours=1)
    assert (earliest, latest) == (house.now + 20 * hours, house.now + 50 * hours)


async def test_parcels_that_did_not_arrive_yet_are_measured_as_far_as_they_came(
    house: House,
) -> None:
    """T4: 19 came within 38 hours; ten that left with them are still under way after 60."""
    slow = [await sent(house, f"S{number}") for number in range(10)]
    begun = house.now
    assert await said(house) == 10
    for hour in range(19):
        house.now = begun + timedelta(seconds=hour)
        parcel = await sent(house, f"A{hour}")
        await said(house)
        house.now += timedelta(hours=20 + hour)
        await scanned(house, parcel, ScanKind.SIGNED)
    house.now = begun + timedelta(hours=60)
    parcel = await sent(house, "B1")
    await said(house)
    ((basis, latest),) = await house.rows(
        "SELECT basis, latest FROM {s}.estimates WHERE parcel = %s", parcel
    )
    assert basis == "city"
    assert latest == house.now + timedelta(hours=60)
    assert slow


async def test_each_milestone_is_told_once_however_often_it_is_looked_for(
    house: House, database: MallDatabase
) -> None:
    """T4, R24: an estimate at hand-over, under way, near, at the door; a rebuild says the same."""
    parcel = await sent(house, "A1")
    for kind, division in (
        (ScanKind.PICKED_UP, "330100"),
        (ScanKind.DEPARTED, "610100"),
        (ScanKind.ARRIVED, "330100"),
        (ScanKind.OUT_FOR_DELIVERY, "330106"),
    ):
        await said(house)
        house.wait(hours=5)
        await scanned(house, parcel, kind, division)
    await said(house)
    rows = await house.rows("SELECT milestone FROM {s}.estimates ORDER BY earliest")
    assert [one for (one,) in rows] == ["handed_over", "under_way", "near", "at_the_door"]
    assert await said(house) == 0
    found = await verify(database.owner_url, schema=house.schema, views=all_views(house.rules))
    assert found.differences == []


async def test_a_view_that_lags_says_nothing_wrong(house: House) -> None:
    """T4: the parcel has moved on since the view looked; it is asked again, and nothing is kept."""
    parcel = await sent(house, "A1")
    reader, house.reader.catch_up = house.reader.catch_up, _nothing  # type: ignore[method-assign]
    await scanned(house, parcel, ScanKind.DEPARTED)
    assert (await estimate_arrivals(house)).undecided == 1
    house.reader.catch_up = reader  # type: ignore[method-assign]
    await house.reader.catch_up()
    assert await said(house) == 1
    rows = await house.rows("SELECT milestone FROM {s}.estimates")
    assert rows == [("under_way",)]


async def _nothing() -> None:
    """A view that does not look."""


async def test_accuracy_is_the_share_that_arrived_inside_the_window(house: House) -> None:
    """T4: early, inside and late parcels of a carrier; lately alone."""
    for number, hours in (("A1", 1.0), ("A2", 12.0), ("A3", 14.0), ("A4", 400.0)):
        await delivered(house, number, hours=hours)
    async with house.pool.connection() as connection:
        (found,) = await accuracy(connection, house.schema, since=START)
        counts = {key: found[key] for key in ("parcels", "inside", "early", "late", "measured")}
        assert counts == {"parcels": 4, "inside": 2, "early": 1, "late": 1, "measured": 0}
        assert (found["carrier"], found["milestone"]) == ("shunfeng", "handed_over")
        assert await accuracy(connection, house.schema, since=house.now + timedelta(1)) == []
