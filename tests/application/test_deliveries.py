"""Where and when deliveries fail: by district, hour and compound; carriers' scorecards (T9)."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from application import claiming, redeeming
from application.compounds import note_compounds
from application.unit import Unit
from domain.order_facts import Channel, Fault
from domain.scans import ScanKind
from projections.deliveries import scorecards, success
from tests.application.house import RECIPIENT, START, House, opened
from tests.application.test_arrivals import scanned
from tests.conftest import MallDatabase

pytestmark = pytest.mark.anyio


@pytest.fixture
async def house(database: MallDatabase) -> AsyncIterator[House]:
    async with opened(database) as one:
        for learner in ("mei", "bo"):
            await one.grant(learner, 1_000_000, "PY-1")
        yield one


async def tried(
    house: House, number: str, hour: int, kind: ScanKind, *, learner: str = "mei",
    address: str = "翠苑小区3幢502室",
) -> str:  # fmt: skip
    """A parcel that a courier brought at an hour of the day, Shanghai's."""
    settled = RECIPIENT.model_copy(
        update={"district": "西湖区", "division": "330106", "address": address}
    )
    wish = redeeming.Wish(learner, (redeeming.Wanted("notebook", 1),), settled, Channel.APP)
    await house.do(
        lambda unit: redeeming.place_order(unit, wish, number=number, rules=house.rules),
    )
    parcel = await house.ship(number)
    days = (house.now - START).days + 1
    house.now = START.replace(hour=0) + timedelta(days=days, hours=hour - 8)
    await scanned(house, parcel, kind)
    return parcel


async def places(house: House, *, by_compound: bool = False) -> list[dict[str, object]]:
    """What the heat map is made of."""
    async with house.pool.connection() as connection:
        return await success(
            connection, house.schema, since=START, zone=house.rules.zone, carrier=None,
            by_compound=by_compound,
        )  # fmt: skip


async def test_success_is_counted_by_the_hour_of_the_business_day(house: House) -> None:
    """T9: first attempts alone, in the district's own clock, with the hour to prefer."""
    for day in range(5):
        await tried(house, f"A{day}", 19, ScanKind.SIGNED)
        failed = await tried(house, f"B{day}", 10, ScanKind.FAILED_ATTEMPT)
        house.wait(hours=8)
        await scanned(house, failed, ScanKind.SIGNED)  # later than the first: it counts no more
    (place,) = await places(house)
    assert place["hours"] == [
        {"hour": 10, "tried": 5, "well": 0},
        {"hour": 19, "tried": 5, "well": 5},
    ]
    assert (place["division"], place["tried"], place["well"]) == ("330106", 10, 5)
    assert place["prefer"] == 19


async def test_compounds_are_known_by_a_keyed_hash_that_goes_with_the_learner(
    house: House,
) -> None:
    """T9, A4: neighbours are one compound; the address is nowhere; an erasure takes its rows."""
    await tried(house, "A1", 10, ScanKind.SIGNED)
    await tried(house, "A2", 11, ScanKind.FAILED_ATTEMPT, learner="bo", address="翠苑小区9幢1室")
    await tried(house, "A3", 12, ScanKind.SIGNED, address="文三路138号3幢")
    await tried(house, "A4", 12, ScanKind.SIGNED, address="某某村口")
    assert await note_compounds(house) == 4
    assert await note_compounds(house) == 0
    found = await places(house, by_compound=True)
    assert [(one["tried"], one["well"]) for one in found] == [(2, 1), (1, 1)]
    assert all(len(str(one["compound"])) == 12 for one in found)
    rows = await house.rows("SELECT digest FROM {s}.compounds ORDER BY parcel")
    digests = [bytes(digest) for (digest,) in rows]
    assert digests[0] == digests[1] != digests[2]
    assert digests[3] == b""


async def test_an_erasure_takes_the_compounds_of_a_learner(house: House) -> None:
    """A4: in the commit that destroys their key; other people's stay."""
    await tried(house, "A1", 10, ScanKind.SIGNED)
    await tried(house, "A2", 11, ScanKind.SIGNED, learner="bo")
    assert await note_compounds(house) == 2

    def erase(unit: Unit) -> dict[str, str]:
        unit.erase_subject("bo")
        return {}

    await house.do(erase)
    assert await house.rows("SELECT learner FROM {s}.compounds") == [("mei",)]


async def test_scorecards_tell_what_became_of_a_carriers_parcels(house: House) -> None:
    """T9: on time by the order's promise, first attempts, lost and damaged, complaints, claims."""
    await tried(house, "A1", 10, ScanKind.SIGNED)
    late = await tried(house, "A2", 11, ScanKind.FAILED_ATTEMPT)
    house.wait(hours=24 * 20)
    await scanned(house, late, ScanKind.SIGNED)
    lost = await tried(house, "A3", 12, ScanKind.LOST)
    await house.do(
        lambda unit: claiming.file_claim(
            unit, parcel=lost, reason=Fault.LOST, claimed_fen=4_000,
            unconfirmed_because="the carrier told us", rules=house.rules,
        )
    )  # fmt: skip
    async with house.pool.connection() as connection:
        (card,) = await scorecards(connection, house.schema, since=START)
        assert await scorecards(connection, house.schema, since=house.now) == []
    expected = {
        "carrier": "shunfeng", "parcels": 3, "arrived": 2, "on_time": 1, "tried": 2,
        "first_try": 1, "lost": 1, "damaged": 0, "complaints": 0, "claimed_fen": 4_000,
        "paid_fen": 0,
    }  # fmt: skip
    assert {key: card[key] for key in expected} == expected
