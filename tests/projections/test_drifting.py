"""Views are compared with the log again and again, a little at a time (M5)."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import psycopg
import pytest

from domain.house_rules import HouseRules
from projections import drifting
from projections.drifting import APART, BELONGS, Watch, drift
from projections.reading import View
from projections.rebuilding import rebuild
from projections.views import all_views
from tests.application.house import House, opened
from tests.conftest import MallDatabase

pytestmark = pytest.mark.anyio


@pytest.fixture
async def house(database: MallDatabase) -> AsyncIterator[House]:
    """A mall in which everything there is happened once."""
    async with opened(database) as one:
        await one.grant("mei", 9_000, "PY-1", expires_at=one.now + timedelta(days=2))
        await one.grant("chen", 9_000, "PY-2")
        await one.order("mei", "T1", notebook=1, enamel_mug=1)
        await one.order("chen", "T2", python_course=1)
        await one.ship("T1")
        yield one


async def _round(house: House) -> list[str]:
    """Run until all streams were compared; the keys of what differs by then."""
    watch = Watch(house, all_views(house.rules))
    for _ in range(100):
        done = await watch.look()
        assert done is not None
        if done.whole_round:
            break
    else:
        raise AssertionError("the walk does not end")
    async with house.pool.connection() as connection:
        return [place for place, *_ in await drift(connection, house.schema)]


def _change(database: MallDatabase, statement: str) -> None:
    """What somebody does with the database's superuser at three in the morning."""
    with psycopg.connect(database.owner_url) as connection:
        connection.execute(statement.replace("{s}", database.schema).encode())


async def test_nothing_differs_when_nobody_touched_the_views(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """M5: whatever the pages are; a round goes over every stream once."""
    for streams, events in ((500, 20_000), (1, 20_000), (7, 1)):
        monkeypatch.setattr(drifting, "STREAMS_MAX", streams)
        monkeypatch.setattr(drifting, "EVENTS_MAX", events)
        assert await _round(house) == []
    ((walked, finished),) = await house.rows("SELECT streams, finished_at FROM {s}.drift_walk")
    assert (walked, finished) == (0, house.now)


CHANGES = {
    "balances, learner=mei":
        "UPDATE {s}.balances SET available = available + 500 WHERE learner = 'mei'",
    "lots, learner=mei": "UPDATE {s}.lots SET points = points - 1 WHERE learner = 'mei'",
    "ledger_entries, position=": "DELETE FROM {s}.ledger_entries WHERE learner = 'chen'",
    "orders, number=T1": "UPDATE {s}.orders SET state = 'cancelled' WHERE number = 'T1'",
    "orders, number=T2": "DELETE FROM {s}.orders WHERE number = 'T2'",
    "order_periods, number=T1":
        "INSERT INTO {s}.order_periods SELECT number, learner, state, now(), known_from"
        " FROM {s}.order_periods WHERE number = 'T1'",
    "parcels, number=T1-P1": "UPDATE {s}.parcels SET waybill = 'SF-elsewhere'",
    "items, sku=notebook": "UPDATE {s}.items SET on_sale = NOT on_sale WHERE sku = 'notebook'",
    "stock_levels, warehouse=":
        "UPDATE {s}.stock_levels SET free = free + 1 WHERE sku = 'notebook'",
    "warehouses, code=": "UPDATE {s}.warehouses SET terms = '{}'",
    "audit_trail, position=": "UPDATE {s}.audit_trail SET actor = 'nobody' WHERE position = 3",
    "order_trail, order_number=": "DELETE FROM {s}.order_trail WHERE order_number = 'T1'",
}  # fmt: skip


@pytest.mark.parametrize(("place", "change"), CHANGES.items())
async def test_a_row_is_named_when_somebody_changed_it(
    house: House, database: MallDatabase, place: str, change: str
) -> None:
    """M5 CONTROL: one row of each table changed by hand is told by its key, and nothing else."""
    _change(database, change)
    found = await _round(house)
    assert found
    assert all(one.startswith(place) for one in found), found
    async with house.pool.connection() as connection:
        told = {what for _, _, what, _ in await drift(connection, house.schema)}
    assert all(told)


async def test_what_was_found_is_forgotten_when_the_view_is_rebuilt(
    house: House, database: MallDatabase
) -> None:
    """M5: reported by key with its age until it is repaired, and again nothing after that."""
    _change(database, CHANGES["balances, learner=mei"])
    assert await _round(house) == ["balances, learner=mei"]
    async with house.pool.connection() as connection:
        ((_, stream, what, since),) = await drift(connection, house.schema)
    assert (stream, since) == ("account:mei", house.now)
    assert what.startswith("available is ")
    before = house.now
    house.wait(hours=1)
    assert await _round(house) == ["balances, learner=mei"]
    async with house.pool.connection() as connection:
        ((*_, since),) = await drift(connection, house.schema)
    assert since == before
    await _rebuilt(database, "ledger_balance")
    assert await _round(house) == []


async def _rebuilt(database: MallDatabase, name: str) -> None:
    (view,) = [one for one in all_views(HouseRules()) if one.name == name]
    await rebuild(database.owner_url, schema=database.schema, views=[view])


async def test_one_walks_when_two_processes_look(house: House) -> None:
    """M5: the other one has nothing to do, and does not wait."""
    watches = [Watch(house, all_views(house.rules)) for _ in range(4)]
    done = await asyncio.gather(*(watch.look() for watch in watches))
    assert any(one is not None for one in done)
    ((count,),) = await house.rows("SELECT count(*) FROM {s}.drift")
    assert count == 0


async def test_a_parked_stream_is_told_once_when_its_rows_are_old(
    house: House, database: MallDatabase
) -> None:
    """M5: as a parked event, not as drift, too."""
    _change(
        database,
        "INSERT INTO {s}.parked (view, stream, position, cause)"
        " VALUES ('ledger_balance', 'account:mei', 1, 'x')",
    )
    _change(database, CHANGES["balances, learner=mei"])
    assert await _round(house) == []


async def test_the_walk_goes_on_when_a_fact_cannot_be_read(
    house: House, database: MallDatabase
) -> None:
    """M5: the rest of the page is compared; what is unreadable is `verify`'s to name."""
    _change(database, CHANGES["balances, learner=mei"])
    _change(database, "ALTER TABLE {s}.tallypost_events DISABLE TRIGGER USER")
    for topic, stream in (("ledger.Unheard", "account:chen"), ("ledger.PointsHeld", "order:T1")):
        _change(
            database,
            f"UPDATE {{s}}.tallypost_events SET topic = '{topic}'"
            f" WHERE originator_id = '{stream}' AND originator_version = 1",
        )
    assert await _round(house) == ["balances, learner=mei"]


async def test_a_run_is_bounded_when_the_mall_is_large(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """M5: a page has no more streams and events than it may; the next one goes on there."""
    monkeypatch.setattr(drifting, "STREAMS_MAX", 3)
    watch = Watch(house, all_views(house.rules))
    seen: list[str] = []
    while (done := await watch.look()) is not None and not done.whole_round:
        assert done.streams <= 3
        ((after,),) = await house.rows("SELECT after FROM {s}.drift_walk")
        seen.append(after)
    assert seen == sorted(set(seen))
    ((streams,),) = await house.rows(
        "SELECT count(DISTINCT originator_id) FROM {s}.tallypost_events"
    )
    assert len(seen) == -(-streams // 3)


def test_every_table_of_every_view_has_its_streams() -> None:
    """M5: a new view is compared from its first day, or this is red."""
    views: list[View] = all_views(HouseRules())
    assert {table for view in views for table in view.tables} <= {*BELONGS, *APART}
