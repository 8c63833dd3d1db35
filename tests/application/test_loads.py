"""Where parts of orders wait, also of orders that were there before anybody counted (C2)."""

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest

import application
from application import ordering, replanning, stocking
from application.loads import Load, loads
from application.unit import Unit
from tests.application.house import House, opened
from tests.conftest import MallDatabase

pytestmark = pytest.mark.anyio

MIGRATION = Path(application.__file__).parent / "migrations" / "0009_warehouse_loads.sql"


@pytest.fixture
async def house(database: MallDatabase) -> AsyncIterator[House]:
    async with opened(database) as one:
        yield one


async def happenings(house: House) -> None:
    """Orders that wait in one place, in two, half sent, short, unpaid, cancelled, of courses."""
    await house.grant("mei", 50_000, "PY-1")
    await house.order("mei", "T1", notebook=1)
    await house.order("mei", "T2", notebook=1, enamel_mug=1)
    await house.order("mei", "T3", notebook=1, rattan_basket=1)
    await house.ship("T3", part=1)
    await house.order("mei", "T4", notebook=1)
    for place in ("zhejiang", "shaanxi"):
        await house.do(partial(emptied, place=place))
    await house.do(
        lambda unit: replanning.short_pick(
            unit, order="T4", part=1, sku="notebook", found=0, reason="x", rules=house.rules
        )
    )
    await house.order("mei", "T5", tea_set=1)
    await house.order("mei", "T6", enamel_mug=1)
    await house.do(
        lambda unit: ordering.cancel_order(
            unit, number="T6", wanted=None, reason="x", rules=house.rules
        )
    )
    await house.order("mei", "T7", python_course=1)


def emptied(unit: Unit, place: str) -> dict[str, Any]:
    """No notebook is free there."""
    return stocking.count_stock(
        unit, sku="notebook", warehouse=place, counted=0, source="own", reason="x"
    )


async def test_the_same_is_counted_when_orders_are_migrated(
    house: House, database: MallDatabase
) -> None:
    """C2, R27: the migration finds in old rows what the view writes into new ones."""
    await happenings(house)
    query = "SELECT number, waiting_at FROM {s}.orders ORDER BY number"
    live = await house.rows(query)
    assert {row[0] for row in live if row[1]} == {"T1", "T2", "T3"}
    fill = MIGRATION.read_text().partition("UPDATE")[2].partition(";")[0]
    with psycopg.connect(database.owner_url, autocommit=True) as connection:
        connection.execute(f"UPDATE {house.schema}.orders SET waiting_at = NULL".encode())
        connection.execute(("UPDATE" + fill.replace("{schema}", house.schema)).encode())
    assert await house.rows(query) == live


async def test_every_warehouse_is_counted_when_little_waits(house: House) -> None:
    """C2: also those in which nothing waits; a share of what a day can send."""
    await house.grant("mei", 5_000, "PY-1")
    await house.order("mei", "T1", notebook=1)
    async with house.pool.connection() as connection:
        found = await loads(connection, house.schema)
    assert [(one.warehouse, one.waiting) for one in found] == [
        ("henan", 0),
        ("shaanxi", 0),
        ("zhejiang", 1),
    ]
    assert Load("a", 799, 1_000, "甲仓").percent == 79
