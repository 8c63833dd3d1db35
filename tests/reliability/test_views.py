"""Views: each event once, a bad one alone, whoever dies (R23, R25, R29, R30, R31, R32)."""

import asyncio
import itertools
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from application.faults import ARMED
from domain.point_facts import PointsGranted
from projections.ledger_balance import LedgerBalance
from projections.reading import Event, Tables, View
from projections.runner import Reader, read_events
from projections.views import all_views
from tests.conftest import MallDatabase
from tests.reliability.workload import (
    RULES,
    SKU,
    assert_whole,
    fill,
    grant,
    log_of,
    query,
    reader_on,
    redemption,
    store_on,
    until,
)

pytestmark = pytest.mark.anyio

TABLES = tuple(sorted({table for view in all_views(RULES) for table in view.tables}))


def contents(database: MallDatabase) -> dict[str, list[str]]:
    """Every row of every view, as text, in an order that does not depend on how it came."""
    return {
        table: sorted(row[0] for row in query(database, f"SELECT t::text FROM {{}}.{table} t"))
        for table in TABLES
    }


def forget(database: MallDatabase) -> None:
    """Empty all views."""
    for table in (*TABLES, "views", "parked"):
        query(database, f"DELETE FROM {{}}.{table}")


async def history(database: MallDatabase, *, learners: int = 8, orders: int = 40) -> None:
    """Something of everything in the log."""
    names = [f"l{number}" for number in range(learners)]
    async with store_on(database) as store:
        await fill(store, shelves={SKU: 1_000}, learners=names)
        await store.execute_all(
            [redemption(store, names[number % learners]) for number in range(orders)]
        )


@contextmanager
def dying(point: str, chance: random.Random, *, share: float) -> Iterator["itertools.count[int]"]:
    """Raise at a fault point now and then."""
    deaths = itertools.count()

    def die() -> None:
        if chance.random() < share:
            next(deaths)
            raise psycopg.OperationalError("killed here")

    ARMED[point] = die
    try:
        yield deaths
    finally:
        ARMED.pop(point, None)


async def test_views_are_what_a_replay_gives_when_the_reader_dies_at_its_commits(
    database: MallDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R23: half of all commits of views die; batches of 7; nothing counts twice, nothing lacks."""
    await history(database)
    reader = reader_on(database)
    await reader.catch_up()
    expected = contents(database)
    forget(database)
    monkeypatch.setattr("projections.runner.BATCH_EVENTS", 7)
    with dying("view_before_commit", random.Random(23), share=0.5) as deaths:
        for _ in range(1_000):
            with suppress(psycopg.OperationalError):
                if not await reader.step():
                    break
                continue
            await reader.close()
    await reader.close()
    assert next(deaths) > 20
    assert contents(database) == expected
    assert query(database, "SELECT * FROM {}.parked") == []


async def test_nothing_counts_twice_when_a_batch_is_delivered_twice(database: MallDatabase) -> None:
    """R23: positions read before somebody else moved them: the batch is theirs."""
    await history(database)
    reader = reader_on(database)
    await reader.catch_up()
    expected = contents(database)
    forget(database)
    readers = [reader_on(database) for _ in range(3)]
    await asyncio.gather(*(one.step() for one in readers))
    await asyncio.gather(*(one.catch_up() for one in readers))
    for one in (reader, *readers):
        await one.close()
    assert contents(database) == expected


class CarelessReader(Reader):
    """Moves its position without looking where it was."""

    async def _move(self, connection: Any, view: View, *, after: int, to: int) -> None:
        query = f"UPDATE {self.schema}.views SET position = %s WHERE name = %s".encode()
        await connection.execute(query, (to, view.name))


async def test_entries_count_twice_when_positions_are_not_compared(database: MallDatabase) -> None:
    """R23, R31 CONTROL: two readers without compare-and-set."""
    await history(database)
    await _catch_up(reader_on(database))
    expected = contents(database)["balances"]
    forget(database)
    view = LedgerBalance(RULES)
    query(database, "ALTER TABLE {}.ledger_entries DROP CONSTRAINT ledger_entries_pkey")
    url = database.service_url
    reader = CarelessReader(url, schema=database.schema, views=[view])
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        events = await read_events(connection, database.schema, after=0, limit=1_000)
        for _ in range(2):
            await reader._hand_over(connection, view, events, after=0)
    assert contents(database)["balances"] != expected


async def _catch_up(reader: Reader) -> None:
    await reader.catch_up()
    await reader.close()


class Picky(LedgerBalance):
    """A ledger with a bug: it cannot take the grants of some learners."""

    broken = True

    async def apply(self, events: Sequence[Event], tables: Tables) -> None:
        for event in events:
            bad = event.envelope.key.startswith("poison")
            if self.broken and bad and isinstance(event.envelope.fact, PointsGranted):
                raise ValueError("a bug in the fold")
        await super().apply(events, tables)


@pytest.mark.timeout(60)
async def test_only_its_own_stream_waits_when_an_event_cannot_be_folded(
    database: MallDatabase,
) -> None:
    """R25: one bad event in 5,000: the others are folded within 5 s, it is parked with its cause,
    what follows in its stream waits, and after the fix all is as a replay gives it."""
    async with store_on(database) as store:
        await store.execute_all([grant(f"l{n % 50}", 1, f"a{n}") for n in range(2_500)])
        await store.execute(grant("poison", 5, "bad"))
        await store.execute_all([grant(f"l{n % 50}", 1, f"b{n}") for n in range(2_500)])
    view = Picky(RULES)
    reader = reader_on(database, [view])
    started = time.perf_counter()
    await reader.catch_up()
    assert time.perf_counter() - started < 5
    async with store_on(database) as store:
        await store.execute(grant("poison", 7, "later"))
        await store.execute(grant("l1", 3, "later"))
    await reader.catch_up()
    parked = query(database, "SELECT position, stream, cause FROM {}.parked ORDER BY position")
    assert [(one[0], one[1]) for one in parked] == [
        (2_501, "account:poison"),
        (5_002, "account:poison"),
    ]
    assert parked[0][2] == "ValueError: a bug in the fold"
    assert _balance(database, "l1") == 100 + 3
    assert await reader.retry_parked() == 0  # it is not mended yet, and stays parked
    assert len(query(database, "SELECT 1 FROM {}.parked")) == 2
    view.broken = False
    assert await reader.retry_parked() == 2
    assert query(database, "SELECT 1 FROM {}.parked") == []
    assert _balance(database, "poison") == 12
    folded = contents(database)
    forget(database)
    await _catch_up(reader)
    assert contents(database) == folded


def _balance(database: MallDatabase, learner: str) -> int | None:
    rows = query(database, "SELECT available FROM {}.balances WHERE learner = %s", learner)
    return rows[0][0] if rows else None


async def test_an_event_is_missing_when_a_reader_swallows_what_fails(
    database: MallDatabase,
) -> None:
    """R25 CONTROL: exceptions swallowed: the figures are wrong and nothing says so."""

    class Swallowing(Picky):
        async def apply(self, events: Sequence[Event], tables: Tables) -> None:
            with suppress(ValueError):
                await super().apply(events, tables)

    async with store_on(database) as store:
        await store.execute(grant("poison", 5, "bad"))
    await _catch_up(reader_on(database, [Swallowing(RULES)]))
    assert _balance(database, "poison") is None
    assert query(database, "SELECT 1 FROM {}.parked") == []


async def test_the_others_go_on_when_two_readers_meet_the_same_poison(
    database: MallDatabase,
) -> None:
    """R25, R31: both find it, one parks it, neither dies of the other."""
    async with store_on(database) as store:
        await store.execute_all([grant(f"l{n % 5}", 1, f"a{n}") for n in range(50)])
        await store.execute(grant("poison", 5, "bad"))
        await store.execute_all([grant(f"l{n % 5}", 1, f"b{n}") for n in range(50)])
    readers = [reader_on(database, [Picky(RULES)]) for _ in range(3)]
    await asyncio.gather(*(one.catch_up() for one in readers))
    for one in readers:
        await one.close()
    assert len(query(database, "SELECT 1 FROM {}.parked")) == 1
    assert _balance(database, "l1") == 20


async def test_only_its_own_stream_waits_when_what_is_stored_cannot_be_read(
    database: MallDatabase,
) -> None:
    """R25: bytes that are no fact: parked everywhere but in the tree, the others go on."""
    async with store_on(database) as store:
        await store.execute(grant("l1", 5))
        await store.execute(grant("poison", 5))
        await store.execute(grant("l2", 5))
    with psycopg.connect(database.owner_url) as connection:
        connection.execute("SET session_replication_role = replica")  # past the trigger
        connection.execute(
            f"UPDATE {database.schema}.tallypost_events SET state = replace(convert_from(state,"
            " 'UTF8'), '\"points\":5', '\"points\":\"five\"')::bytea"
            " WHERE originator_id = 'account:poison'".encode()
        )
    reader = reader_on(database)
    await reader.catch_up()
    parked = dict(query(database, "SELECT view, cause FROM {}.parked"))
    assert "log_tree" not in parked
    assert parked["ledger_balance"].endswith("points: int_parsing")
    assert (_balance(database, "l1"), _balance(database, "l2")) == (5, 5)
    async with store_on(database) as store:
        assert (await store.execute(grant("l3", 5))).position == 4
    await _catch_up(reader)


async def test_views_stand_and_wait_when_a_table_is_missing(database: MallDatabase) -> None:
    """R25: what is nobody's event's fault parks nothing; the reader lives and goes on after."""
    async with store_on(database) as store:
        await store.execute(grant("l1", 5))
    query(database, "ALTER TABLE {}.lots RENAME TO lots_away")
    reader, stop = reader_on(database), asyncio.Event()
    following = asyncio.create_task(reader.follow(stop))
    await asyncio.sleep(0.5)
    assert not following.done()
    assert query(database, "SELECT 1 FROM {}.parked") == []
    query(database, "ALTER TABLE {}.lots_away RENAME TO lots")
    await until(lambda: _balance(database, "l1") == 5, seconds=5)
    stop.set()
    await following


async def test_events_are_seen_when_no_wake_up_comes(database: MallDatabase) -> None:
    """R29: all notifications lost: polling shows each event within 2 s, mostly at once."""
    reader, stop = reader_on(database), asyncio.Event()
    following = asyncio.create_task(reader.follow(stop))
    slowest = 0.0
    async with store_on(database) as store:
        for number in range(10):
            await store.execute(grant("lin", 1, f"s{number}"))
            started = time.perf_counter()
            await until(lambda: _balance(database, "lin") == number + 1, seconds=2)  # noqa: B023
            slowest = max(slowest, time.perf_counter() - started)
    stop.set()
    await following
    assert slowest < 2


@pytest.mark.timeout(60)
async def test_there_is_no_gap_when_readers_are_killed_and_overlap(database: MallDatabase) -> None:
    """R31: two readers, the session of one ended 20 times, writers on: no double, no gap."""
    stop = asyncio.Event()
    readers = [reader_on(database) for _ in range(2)]
    following = [asyncio.create_task(one.follow(stop)) for one in readers]
    async with store_on(database) as store:
        await fill(store, shelves={SKU: 1_000}, learners=[f"l{n}" for n in range(5)])
        for number in range(20):
            await store.execute_all([redemption(store, f"l{n}") for n in range(5)])
            query(
                database,
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE usename <> 'tallypost'"
                " AND query LIKE %s ORDER BY random() LIMIT 1",
                "%views%",
            )
            await asyncio.sleep(0.02 * (number % 3))
    head = len(log_of(database))
    await until(lambda: _positions(database) == {head}, seconds=10)
    stop.set()
    await asyncio.gather(*following)
    live = contents(database)
    forget(database)
    await _catch_up(reader_on(database))
    assert contents(database) == live


def _positions(database: MallDatabase) -> set[int]:
    return {row[0] for row in query(database, "SELECT position FROM {}.views")}


async def test_order_and_times_hold_when_the_clock_jumps(database: MallDatabase) -> None:
    """R32: ±1 h, ±1 d, −1 s between commands: positions in order, recorded_at never falls back."""
    steps = [0, 3_600, -3_600, 86_400, -86_400, -1, 5, -5]
    times = itertools.accumulate(itertools.cycle(steps))
    base = datetime.now(UTC)

    def clock() -> datetime:
        return base + timedelta(seconds=next(times))

    async with store_on(database, clock=clock) as one, store_on(database, clock=clock) as other:
        for number in range(40):
            store = (one, one, one, other)[number % 4]
            await asyncio.gather(
                *(store.execute(grant(f"l{n}", 1, f"s{number}")) for n in range(3))
            )
    rows = log_of(database)
    assert_whole(rows)
    recorded = [row[0] for row in query(database, "SELECT recorded_at FROM {}.commits ORDER BY 1")]
    assert recorded == [
        row[0] for row in query(database, "SELECT recorded_at FROM {}.commits ORDER BY position")
    ]
    from application.envelope import decode

    seen = [decode(r.position, r.stream, r.version, r.name, r.state).recorded_at for r in rows]
    assert seen == sorted(seen)
    assert len(set(recorded)) < len(recorded)  # the clock did fall back


async def test_order_breaks_when_it_goes_by_the_clock() -> None:
    """R32 CONTROL: sorted by timestamp, what was second comes first."""
    now = datetime.now(UTC)
    written = [(1, now), (2, now - timedelta(hours=1))]
    assert sorted(written, key=lambda row: row[1]) != written


@pytest.mark.slow
@pytest.mark.timeout(100)
async def test_views_keep_up_and_catch_up(database: MallDatabase) -> None:
    """R30: 200 commands/s for 10 s: p99 lag ≤ 1 s; then a backlog of 20,000 within 24 s."""
    reader, stop = reader_on(database), asyncio.Event()
    following = asyncio.create_task(reader.follow(stop))
    lags: list[float] = []
    async with store_on(database) as store:
        async with await psycopg.AsyncConnection.connect(
            database.owner_url, autocommit=True
        ) as looking:
            started = time.perf_counter()
            for number in range(200):
                beat = time.perf_counter()
                done = await store.execute_all([grant(f"l{n}", 1, f"s{number}") for n in range(10)])
                position = max(one.position for one in done if hasattr(one, "position"))
                asked = time.perf_counter()
                while True:
                    cursor = await looking.execute(
                        f"SELECT min(position) FROM {database.schema}.views".encode()
                    )
                    row = await cursor.fetchone()
                    if row and row[0] is not None and row[0] >= position:
                        break
                    await asyncio.sleep(0.005)
                lags.append(time.perf_counter() - asked)
                await asyncio.sleep(max(0.0, 0.05 - (time.perf_counter() - beat)))
        assert time.perf_counter() - started < 30
        stop.set()
        await following
        await store.execute_all([grant(f"l{n % 500}", 1, f"b{n}") for n in range(20_000)])
    assert sorted(lags)[int(len(lags) * 0.99)] <= 1.0
    started = time.perf_counter()
    await _catch_up(reader)
    assert time.perf_counter() - started < 24
