import asyncio
import time
from typing import Any

import psycopg
import pytest
from psycopg import AsyncConnection
from psycopg.sql import SQL, Identifier

from projections.rebuilding import RebuildRunning, outdated, rebuild
from projections.verifying import verify
from projections.views import all_views
from tests.conftest import MallDatabase
from tests.projections.busy_mall import RULES, busy_mall

pytestmark = pytest.mark.anyio

CATALOGUE = """
SELECT 'index', tablename || ' ' || indexname, indexdef FROM pg_indexes WHERE schemaname = %(s)s
UNION ALL
SELECT 'constraint', conrelid::regclass || ' ' || conname, pg_get_constraintdef(oid)
FROM pg_constraint WHERE connamespace = %(s)s::regnamespace
UNION ALL
SELECT 'table', relname || ' ' || relpersistence::text,
    coalesce(relacl::text, '') || coalesce(reloptions::text, '')
FROM pg_class WHERE relnamespace = %(s)s::regnamespace AND relkind = 'r'
ORDER BY 1, 2, 3
"""


def catalogue(database: MallDatabase) -> list[Any]:
    with psycopg.connect(database.owner_url) as connection:
        return connection.execute(CATALOGUE, {"s": database.schema}).fetchall()


def contents(database: MallDatabase) -> dict[str, list[Any]]:
    tables = {}
    with psycopg.connect(database.owner_url) as connection:
        for view in all_views(RULES):
            for table in view.tables:
                name = Identifier(database.schema, table)
                query = SQL("SELECT t::text FROM {} t ORDER BY 1").format(name)
                tables[table] = connection.execute(query).fetchall()
    return tables


async def test_every_view_is_the_same_when_rebuilt_twice(database: MallDatabase) -> None:
    """A2, R24"""
    async with busy_mall(database) as mall:
        await mall.happenings(12)
        before, as_migrated = contents(database), catalogue(database)
        told: list[tuple[int, int]] = []

        one_by_one = [[view] for view in all_views(RULES)]
        for views in (all_views(RULES), *one_by_one):
            rebuilt = await rebuild(
                database.owner_url,
                schema=database.schema,
                views=views,
                progress=lambda done, of: told.append((done, of)),
            )
            assert [one.view for one in rebuilt] == [view.name for view in views]
            assert {(one.position, one.parked) for one in rebuilt} == {(mall.store.position, 0)}

        empty = {name for name, rows in before.items() if not rows}
        assert empty <= {"approvals", "cash_refunds", "waiting_units", "waves"}
        assert contents(database) == before
        assert catalogue(database) == as_migrated
        assert told[0] == (0, mall.store.position)
        assert told[-1] == (mall.store.position, mall.store.position)


async def test_view_goes_on_from_the_swap_when_the_log_grows_meanwhile(
    database: MallDatabase,
) -> None:
    """A2, R24: the live view, its readers and the writer go on while views are rebuilt."""
    async with busy_mall(database) as mall:
        await mall.happenings()
        stop = asyncio.Event()
        following = asyncio.create_task(mall.reader.follow(stop))
        reads = 0

        async def write() -> None:
            for number in range(300):
                await mall.grant(f"later{number % 7}", 10, f"L-{number}")

        async def read() -> None:
            nonlocal reads
            query = SQL("SELECT count(*) FROM {}").format(Identifier(database.schema, "balances"))
            async with await AsyncConnection.connect(
                database.service_url, autocommit=True
            ) as connection:
                while not stop.is_set():
                    await connection.execute(query, prepare=True)
                    reads += 1
                    await asyncio.sleep(0.002)

        writing, reading = asyncio.create_task(write()), asyncio.create_task(read())
        await rebuild(database.owner_url, schema=database.schema, views=all_views(RULES))
        await writing
        await asyncio.sleep(0.1)
        stop.set()
        await asyncio.gather(following, reading)
        await mall.reader.catch_up()

        assert reads > 10
        views = all_views(RULES)
        found = await verify(database.owner_url, schema=database.schema, views=views)
        assert found.differences == []
        assert set(found.views.values()) == {mall.store.position}


async def test_drift_is_repaired_when_its_view_is_rebuilt(database: MallDatabase) -> None:
    """M5, R24: the control: one changed row is named by its key, and gone after a rebuild."""
    async with busy_mall(database) as mall:
        await mall.happenings(2)
        views = all_views(RULES)
        with psycopg.connect(database.owner_url) as connection:
            table = Identifier(database.schema, "balances")
            connection.execute(
                SQL("UPDATE {} SET available = available + 5 WHERE learner = 'learner1'").format(
                    table
                )
            )
        found = await verify(database.owner_url, schema=database.schema, views=views)
        places = [one.place for one in found.differences]
        assert "table balances, learner=learner1" in places
        assert "ledger, balance of learner1" in places
        assert len(places) == 3  # its lots differ from its balance, too

        ledger = next(view for view in views if view.name == "ledger_balance")
        await rebuild(database.owner_url, schema=database.schema, views=[ledger])

        assert (await verify(database.owner_url, schema=database.schema, views=views)).ok


@pytest.mark.slow
async def test_every_view_is_the_same_when_a_long_log_is_replayed(database: MallDatabase) -> None:
    """R24: 20,000 events, with readers that met them in batches of their own size."""
    async with busy_mall(database) as mall:
        learners = [f"l{number}" for number in range(400)]
        for course in range(20):
            await asyncio.gather(*(mall.grant(who, 900, f"C{course}") for who in learners))
            if course % 5 == 0:
                await mall.reader.catch_up()
        for turn in range(5):
            await asyncio.gather(
                *(mall.order(who, f"T{turn}x{who}", python_course=1) for who in learners)
            )
            await asyncio.gather(*(mall.refund(f"T{turn}x{who}") for who in learners[::2]))
        await mall.reader.catch_up()
        before = contents(database)

        started = time.perf_counter()
        # As `tallypost rebuild all` does it: the log is read once.
        await rebuild(database.owner_url, schema=database.schema, views=all_views(RULES))
        took = time.perf_counter() - started

        assert mall.store.position > 20_000
        assert contents(database) == before
        found = await verify(database.owner_url, schema=database.schema, views=all_views(RULES))
        assert found.differences == []
        assert took < 120 * mall.store.position / 100_000, took


async def test_rebuild_is_refused_when_one_is_running(database: MallDatabase) -> None:
    async with busy_mall(database):
        view = all_views(RULES)[0]
        with psycopg.connect(database.owner_url, autocommit=True) as connection:
            key = f"rebuild {database.schema}.{view.name}"
            connection.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [key])
            with pytest.raises(RebuildRunning):
                await rebuild(database.owner_url, schema=database.schema, views=[view])


async def test_event_is_parked_when_the_rebuilding_code_cannot_fold_it(
    database: MallDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R25: the others go on, and what is stuck shows."""
    async with busy_mall(database) as mall:
        await mall.happenings(3)
        view = next(view for view in all_views(RULES) if view.name == "order_status")
        fold = type(view).apply

        async def poisoned(self: Any, events: Any, tables: Any) -> None:
            if any(e.envelope.stream == "order:T00002" for e in events):
                raise ValueError("poison")
            await fold(self, events, tables)

        monkeypatch.setattr(type(view), "apply", poisoned)
        (done,) = await rebuild(database.owner_url, schema=database.schema, views=[view])
        assert done.parked >= 1
        assert "order_status" in {view.name for view in all_views(RULES)}
        monkeypatch.undo()
        found = await verify(database.owner_url, schema=database.schema, views=all_views(RULES))
        assert any("T00002" in one.place for one in found.differences)
        assert await mall.reader.retry_parked() == done.parked
        found = await verify(database.owner_url, schema=database.schema, views=all_views(RULES))
        assert found.ok


async def test_an_upgrade_folds_anew_what_other_code_folded(database: MallDatabase) -> None:
    """A2: and nothing else; what a fold learnt since is in all rows afterwards."""
    async with busy_mall(database) as mall:
        await mall.happenings(3)
        before = contents(database)
        views = all_views(RULES)
        assert await outdated(database.service_url, schema=database.schema, views=views) == []

        with psycopg.connect(database.owner_url) as connection:
            place = Identifier(database.schema)
            connection.execute(
                SQL("UPDATE {}.views SET fold = NULL WHERE name = 'order_status'").format(place)
            )
            connection.execute(SQL("UPDATE {}.orders SET state = 'unheard_of'").format(place))
        found = await outdated(database.service_url, schema=database.schema, views=views)
        assert [view.name for view in found] == ["order_status"]
        await rebuild(database.owner_url, schema=database.schema, views=found)

    assert await outdated(database.service_url, schema=database.schema, views=views) == []
    assert contents(database) == before
