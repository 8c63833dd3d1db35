"""What was sent with each carrier in a month, counted from what was handed over (W3)."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from application import pricing, shipping
from application.streams import MALL, RATES
from application.volumes import count_volumes
from domain.rate_facts import Lane, Rate, RateCard, Tier
from projections.runner import Reader
from projections.views import all_views
from tests.application.house import House, opened
from tests.conftest import MallDatabase

pytestmark = pytest.mark.anyio


@pytest.fixture
async def house(database: MallDatabase) -> AsyncIterator[House]:
    """A demo mall with a learner who has points."""
    async with opened(database) as house:
        await house.grant("lin", 100_000, "plenty")
        yield house


async def counted(house: House, database: MallDatabase, run: str) -> dict[str, int]:
    """What one run of the job notes."""
    reader = Reader(database.service_url, schema=house.schema, views=all_views(house.rules))
    await reader.catch_up()
    await reader.close()
    return await count_volumes(house, run=run)


def volumes(house: House) -> list[tuple[str, str, int]]:
    return house.store.peek(RATES, MALL).by_month()


async def sent(
    house: House, number: str, at: datetime, *, handed_over_at: datetime | None = None
) -> None:
    """A parcel that was handed over at a moment, known at once or later."""
    house.now = at
    await house.order("lin", number, notebook=1)
    packed = await house.do(
        lambda unit: shipping.pack_part(unit, order=number, part=1, weight_grams=500)
    )
    parcel = str(packed["parcel"])
    label = partial(shipping.issue_waybill, carrier="shunfeng", waybill=f"SF{number}")
    await house.do(lambda unit: label(unit, parcel=parcel))
    hand_over = partial(shipping.hand_over, parcel=parcel, rules=house.rules)
    await house.do(hand_over, happened_at=handed_over_at)


async def test_parcels_count_in_the_month_they_were_handed_over_in(
    house: House, database: MallDatabase
) -> None:
    """W3: by the business zone's calendar; again nothing changes, what came late is counted."""
    zone = house.rules.zone
    await sent(house, "T1", datetime(2026, 3, 31, 23, 59, 59, tzinfo=zone))
    await sent(house, "T2", datetime(2026, 4, 1, tzinfo=zone))
    assert await counted(house, database, "1") == {"shunfeng": 1}
    assert volumes(house) == [("shunfeng", "2026-03", 1)]
    before = await house.position()
    assert await counted(house, database, "2") == {}
    assert await house.position() == before
    late = datetime(2026, 3, 31, 15, tzinfo=UTC)
    house.now = datetime(2026, 4, 2, tzinfo=zone)
    await sent(house, "T3", house.now, handed_over_at=late)
    assert await counted(house, database, "3") == {"shunfeng": 2}
    house.now = datetime(2026, 5, 1, tzinfo=zone)
    assert await counted(house, database, "4") == {"shunfeng": 1}
    assert volumes(house) == [("shunfeng", "2026-03", 2), ("shunfeng", "2026-04", 1)]


async def test_a_run_notes_once_what_it_found_when_it_is_repeated(
    house: House, database: MallDatabase
) -> None:
    """W3, R16: a job that died after its commit runs again under its own name."""
    await sent(house, "T1", datetime(2026, 3, 30, tzinfo=UTC))
    house.now = datetime(2026, 4, 2, tzinfo=UTC)
    await counted(house, database, "1")
    before = await house.position()
    await counted(house, database, "1")
    assert await house.position() == before


async def test_what_the_bill_says_stands_when_the_house_counts_again(
    house: House, database: MallDatabase
) -> None:
    """W3: the carrier's own count decides the tier."""
    await sent(house, "T1", datetime(2026, 3, 30, tzinfo=UTC))
    house.now = datetime(2026, 4, 2, tzinfo=UTC)
    await counted(house, database, "1")

    def bill(unit: Any) -> dict[str, Any]:
        return pricing.count_volume(unit, carrier="shunfeng", month="2026-03", parcels=3_000)

    await house.do(bill)
    assert await counted(house, database, "2") == {}
    assert volumes(house) == [("shunfeng", "2026-03", 3_000)]


async def test_the_next_months_price_follows_from_what_was_counted(
    house: House, database: MallDatabase
) -> None:
    """W3: one parcel of March is a tier of one; CONTROL: not in March itself."""
    rate = Rate(first_fen=1_000, additional_fen=100, hours=24)
    card = RateCard(
        carrier="shunfeng",
        effective_from=datetime(2026, 1, 1, tzinfo=UTC),
        lanes=(Lane(origin="*", destinations=("*",), rate=rate),),
        tiers=(Tier(parcels=1, percent_off=50),),
    )
    await house.do(lambda unit: pricing.publish_rate_card(unit, card=card))
    await sent(house, "T1", datetime(2026, 3, 30, tzinfo=UTC))
    house.now = datetime(2026, 4, 2, tzinfo=UTC)
    await counted(house, database, "1")
    rates = house.store.peek(RATES, MALL)
    for month, off in ((3, 0), (4, 50)):
        tariff = rates.at(datetime(2026, month, 15, tzinfo=UTC), zone=house.rules.zone)
        offers = tariff.offers("浙江省", "广东省", same_city=False)
        (offer,) = [one for one in offers if one.carrier == "shunfeng"]
        assert offer._off == off
