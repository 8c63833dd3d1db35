"""Silent parcels are found by an index, also those that were there before the columns (M5)."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

import application
from application import ordering, shipping
from application.streams import PARCEL
from application.unit import Unit
from domain.order_facts import Fault
from domain.scans import Scan, ScanKind
from domain.silence import silence
from projections import silent_parcels as room
from projections.reading import compose
from projections.silent_parcels import SilentParcel, silent_parcels
from tests.application.house import START, House, opened
from tests.conftest import MallDatabase

pytestmark = pytest.mark.anyio

MIGRATION = Path(application.__file__).parent / "migrations" / "0010_ages.sql"
COLUMNS = "SELECT number, told_at, quiet_as, quiet_since FROM {s}.parcels ORDER BY number"


@pytest.fixture
async def house(database: MallDatabase) -> AsyncIterator[House]:
    async with opened(database) as one:
        yield one


async def sent(house: House, number: str) -> str:
    """An order's parcel, with the carrier."""
    await house.order("mei", number, notebook=1)
    return await house.ship(number)


async def scanned(
    house: House, parcel: str, *scans: tuple[float, ScanKind], com: str | None = None
) -> None:
    """The carrier saw it so many hours after the start."""
    await house.do(
        lambda unit: shipping.record_scans(
            unit,
            parcel=parcel,
            scans=[
                Scan(
                    number=f"SF{parcel.removesuffix('-P1')}",
                    time=START + timedelta(hours=hours),
                    text=f"{kind} {hours}",
                    carrier="shunfeng" if com is None else com,
                    kind=kind,
                )
                for hours, kind in scans
            ],
            source="test",
            raw=None,
            corrected_to=com,
            rules=house.rules,
        )
    )


async def listed(house: House, **limit: int) -> list[SilentParcel]:
    """What is silent by now."""
    async with house.pool.connection() as connection:
        return await silent_parcels(
            connection, house.schema, now=house.now, rules=house.rules, **limit
        )


async def happenings(house: House) -> dict[str, str]:
    """Parcels of every kind; what each is called once it is quiet for long enough."""
    await house.grant("mei", 100_000, "PY-1")
    kinds = {
        "T1": (),
        "T2": ((1, ScanKind.ORDERED),),
        "T3": ((-2, ScanKind.PICKED_UP),),
        "T4": ((2, ScanKind.PICKED_UP), (5, ScanKind.DEPARTED)),
        "T5": ((2, ScanKind.DEPARTED), (6, ScanKind.CUSTOMS)),
        "T6": ((2, ScanKind.DEPARTED), (4, ScanKind.OUT_FOR_DELIVERY), (5, ScanKind.SIGNED)),
        "T7": ((2, ScanKind.DEPARTED), (4, ScanKind.AWAITING_PICKUP)),
        "T8": ((2, ScanKind.DEPARTED), (4, ScanKind.REFUSED), (4.5, ScanKind.RETURNING)),
        "T9": ((-60, ScanKind.DEPARTED),),  # another parcel's (rules.md 21)
        "U1": ((5.5, ScanKind.DEPARTED),),  # in another country's time
    }
    for number, scans in kinds.items():
        parcel = await sent(house, number)
        if scans:
            await scanned(house, parcel, *scans)
    await scanned(house, await sent(house, "U2"), (3, ScanKind.DEPARTED))
    await scanned(house, "U2-P1", (4, ScanKind.ARRIVED), com="zhongtong")  # its scans are void
    await house.order("mei", "U3", notebook=1)  # nothing of it was sent
    await house.order("mei", "U4", notebook=1)
    await house.do(lambda unit: shipping.pack_part(unit, order="U4", part=1, weight_grams=500))
    await house.do(
        lambda unit: ordering.cancel_order(
            unit, number="U4", wanted=None, reason="x", rules=house.rules
        )
    )
    return {
        "T1-P1": "no_first_scan",
        "T2-P1": "no_first_scan",
        "T3-P1": "no_movement",
        "T4-P1": "no_movement",
        "T5-P1": "customs_stall",
        "T7-P1": "not_collected",
        "T8-P1": "no_movement",
        "T9-P1": "no_first_scan",
        "U1-P1": "no_movement",
        "U2-P1": "no_movement",
    }


async def test_old_rows_are_as_new_ones_when_the_migration_ran(
    house: House, database: MallDatabase
) -> None:
    """M5, R27: the migration finds in old rows what the view writes into new ones."""
    quiet = await happenings(house)
    live = await house.rows(COLUMNS)
    assert {number: kind for number, _, kind, _ in live if kind} == quiet
    # What waited to be picked up was not watched then: the views of today are folded anew anyway.
    was = [(*row[:2], None, None) if row[2] == "not_collected" else row for row in live]
    fills = re.findall(r"UPDATE {schema}\.parcels.*?;", MIGRATION.read_text(), re.DOTALL)
    with psycopg.connect(database.owner_url, autocommit=True) as connection:
        nothing = "told_at = NULL, quiet_as = NULL, quiet_since = NULL"
        connection.execute(f"UPDATE {house.schema}.parcels SET {nothing}".encode())
        for fill in fills:
            connection.execute(fill.replace("{schema}", house.schema).encode())
    assert await house.rows(COLUMNS) == was


async def test_the_list_is_what_the_domain_says_at_any_hour(house: House) -> None:
    """M5: the index and the pure function never disagree about who is silent, and as what."""
    await happenings(house)
    hours = [0.0, 23.99, 24, 29.99, 30, 48, 52.49, 52.5, 53, 58, 90, 171.99, 172, 10_000]
    rows = await house.rows("SELECT number, folded, told_at FROM {s}.parcels")
    for hour in hours:
        house.now = START + timedelta(hours=hour)
        expected = {}
        for number, folded, told_at in rows:
            parcel = PARCEL.states.validate_json(folded)
            kind = silence(
                parcel.track(),
                handed_over_at=parcel.tracking.handed_over_at,
                told_at=told_at,
                now=house.now,
                rules=house.rules,
            )
            if kind is not None:
                expected[number] = kind
        assert {one.number: one.silence for one in await listed(house)} == expected, hour


async def test_a_parcel_is_not_listed_when_its_order_is_over(house: House) -> None:
    """M5: settled without it (D2), nobody waits; one on its way back is still ours."""
    await house.grant("mei", 10_000, "PY-1")
    for number in ("T1", "T2"):
        await scanned(house, await sent(house, number), (1, ScanKind.DEPARTED))
    await scanned(house, "T2-P1", (2, ScanKind.RETURNING))
    house.wait(hours=60)
    assert [one.number for one in await listed(house)] == ["T1-P1", "T2-P1"]
    for number in ("T1", "T2"):
        await house.do(
            lambda unit, number=number: ordering.refund_order(  # type: ignore[misc]
                unit, number=number, wanted=None, fault=Fault.LOST, reason="x",
                goods_back=False, rules=house.rules,
            )
        )  # fmt: skip
    assert [(one.number, one.state) for one in await listed(house)] == [("T2-P1", "returning")]


async def test_a_scan_dated_ahead_counts_from_its_telling_when_the_source_is_asked_again(
    house: House,
) -> None:
    """M5, rules 23: what is noted of a parcel besides scans is no sight of it."""

    def confirmed(unit: Unit) -> dict[str, Any]:
        facts = unit.read(PARCEL, "T1-P1").confirm(at=house.now, source="test")
        unit.record(PARCEL, "T1-P1", facts)
        return {"confirmed": len(facts)}

    await house.grant("mei", 1_000, "PY-1")
    await scanned(house, await sent(house, "T1"), (5.5, ScanKind.DEPARTED))
    for _ in range(2):
        house.wait(hours=24)
        assert (await house.do(confirmed))["confirmed"] == 1
    assert [(one.number, one.since) for one in await listed(house)] == [("T1-P1", START)]


async def test_the_longest_silence_is_first_when_there_are_too_many(house: House) -> None:
    """M5: a list has an end, and loses the youngest."""
    await house.grant("mei", 10_000, "PY-1")
    for number in ("T1", "T2", "T3"):
        await sent(house, number)
        house.wait(hours=1)
    house.wait(hours=60)
    found = await listed(house, limit=2)
    assert [(one.number, one.since) for one in found] == [
        ("T1-P1", START),
        ("T2-P1", START + timedelta(hours=1)),
    ]


async def test_few_parcels_are_read_when_many_are_under_way(
    house: House, database: MallDatabase
) -> None:
    """M5: a hundred thousand parcels, thirty of them silent: the index leads to those thirty."""
    await house.grant("mei", 1_000, "PY-1")
    await sent(house, "T1")
    with psycopg.connect(database.owner_url, autocommit=True) as connection:
        connection.execute(_MANY.replace("{s}", house.schema).encode())
        connection.execute(f"ANALYZE {house.schema}.parcels".encode())
    house.wait(hours=47)
    plan = await explained(house)
    assert "parcels_quiet_idx" in plan
    assert "Seq Scan on parcels" not in plan
    assert len(await listed(house)) == 30


async def explained(house: House) -> str:
    """How PostgreSQL finds them."""
    query = compose(room._SILENT, house.schema, ("parcels", "orders"), "")
    values: list[Any] = [
        ["no_first_scan", "no_movement", "customs_stall"],
        [house.now - timedelta(hours=hours) for hours in (24, 48, 24)],
        200,
        200,
    ]
    async with house.pool.connection() as connection:
        cursor = await connection.execute(b"EXPLAIN " + query.as_bytes(connection), values)
        return "\n".join(line for (line,) in await cursor.fetchall())


# 29 of them are seen no more; the one that was sent is the thirtieth, never seen.
_MANY = """
INSERT INTO {s}.parcels (number, warehouse, state, orders, folded, position, quiet_as, quiet_since)
SELECT 'X' || n, 'zhejiang', CASE WHEN under_way THEN 'in_transit' ELSE 'signed' END, ARRAY['T1'],
    '', 0, CASE WHEN under_way THEN 'no_movement' END,
    CASE WHEN n <= 4 * 29 AND under_way THEN timestamptz '2026-01-01Z'
         WHEN under_way THEN timestamptz '2026-03-02 10:00Z' + n * interval '0.1 seconds' END
FROM (SELECT n, mod(n, 4) = 0 AS under_way FROM generate_series(1, 100000) n) many
"""
