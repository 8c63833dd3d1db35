"""Where and when deliveries fail: by district, hour and compound; carriers' scorecards (T9)."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from application import claiming, deciding, disputing, redeeming
from application.compounds import note_compounds
from application.gathering import Gathered
from application.unit import Unit
from domain.dispute_facts import Outcome, Side
from domain.disputes import case_id
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


async def test_a_shared_parcel_is_on_time_when_it_is_for_each_of_its_orders(house: House) -> None:
    """T9, S4: not by the promise of the first one alone."""
    parcel = await tried(house, "A1", 10, ScanKind.SIGNED)
    await tried(house, "A2", 11, ScanKind.FAILED_ATTEMPT)
    assert await house.rows("UPDATE {s}.parcels SET orders = '{{A1,A2}}' WHERE number = %s"
                            " RETURNING 1", parcel)  # fmt: skip
    for promised, on_time in (("2100-01-01", 1), ("2000-01-01", 0)):
        await house.rows(
            "UPDATE {s}.orders SET promised_by = %s::timestamptz WHERE number = 'A2' RETURNING 1",
            promised,
        )
        async with house.pool.connection() as connection:
            (card,) = await scorecards(connection, house.schema, since=START)
        assert (card["arrived"], card["on_time"]) == (1, on_time)


async def disputed(house: House, number: str, reason: Fault, outcome: Outcome) -> None:
    """A case of the order's one parcel, and how it ended."""
    await house.do(
        lambda unit: disputing.open_dispute(
            unit, number=number, parcel=None, reason=reason, by=Side.LEARNER, words=None,
            gathered=Gathered(), rules=house.rules,
        )
    )  # fmt: skip
    wanted = deciding.Wanted(outcome, "x", unconfirmed_because="the neighbours say so")
    await house.do(
        lambda unit: deciding.decide(
            unit, case=case_id(number, f"{number}-P1"), wanted=wanted, maker="ops", key=number,
            rules=house.rules,
        )
    )  # fmt: skip


async def test_what_a_case_was_decided_as_lost_for_counts_as_lost_once(house: House) -> None:
    """T9: refunded or sent once more; not what was found, nor what came otherwise than wanted."""
    cases = (
        ("A1", Fault.NOT_RECEIVED, Outcome.REFUND),
        ("A2", Fault.LOST, Outcome.RESHIP),
        ("A3", Fault.NOT_RECEIVED, Outcome.FOUND),
        ("A4", Fault.DAMAGED, Outcome.REFUND),
    )
    for number, reason, outcome in cases:
        await tried(house, number, 12, ScanKind.SIGNED)
        await disputed(house, number, reason, outcome)
    await scanned(house, "A2-P1", ScanKind.LOST)  # its track says so, too: it is lost once
    async with house.pool.connection() as connection:
        (card,) = await scorecards(connection, house.schema, since=START)
    assert (card["parcels"], card["complaints"], card["lost"]) == (4, 4, 2)
