"""Reading the log: nothing skipped, nothing twice, in order, whatever writers do (R20, R21)."""

import asyncio
import random
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import psycopg
import pytest
from psycopg import AsyncConnection

from application.outcomes import Outcome
from application.store import Store
from application.unit import Command, Unit
from projections.runner import read_events
from tests.conftest import MallDatabase
from tests.reliability.workload import assert_whole, grant, log_of, store_on, stores_on

pytestmark = pytest.mark.anyio

WRITERS = 8
COMMANDS = 4_000


class Broken(Exception):
    """A command that fails on the way."""


def stalling(command: Command, chance: random.Random) -> Command:
    """The command, held up for a moment now and then, or failing after it recorded something."""
    fails = chance.random() < 0.03

    def decide(unit: Unit) -> dict[str, Any]:
        answer = command.decide(unit)
        if fails:
            raise Broken
        return answer

    return command._replace(decide=decide)


async def _write(store: Store, number: int, chance: random.Random) -> int:
    """Five hundred commands in small bursts; how many were done."""
    done = 0
    for burst in range(COMMANDS // WRITERS // 5):
        commands = [
            stalling(grant(f"learner-{chance.randrange(40)}", 1, f"{number}-{burst}-{one}"), chance)
            for one in range(5)
        ]
        results = await asyncio.gather(
            *(store.execute(one) for one in commands), return_exceptions=True
        )
        assert all(isinstance(one, Outcome | Broken) for one in results)
        done += sum(isinstance(one, Outcome) for one in results)
        if chance.random() < 0.1:
            await asyncio.sleep(chance.random() * 0.01)
    return done


@pytest.mark.timeout(60)
async def test_nothing_is_skipped_when_writers_stall_and_roll_back(database: MallDatabase) -> None:
    """R20, R21: 8 writers, 4,000 commands, 3 % fail: 0 missed, 0 twice, versions ascending."""
    seen: list[tuple[int, str, int]] = []
    over = asyncio.Event()

    async def read() -> None:
        async with await AsyncConnection.connect(
            database.service_url, autocommit=True
        ) as connection:
            after = 0
            while True:
                last = over.is_set()
                events = await read_events(connection, database.schema, after=after, limit=1_000)
                for event in events:
                    envelope = event.envelope
                    seen.append((envelope.position, envelope.stream, envelope.version))
                    after = envelope.position
                if last and not events:
                    return

    reader = asyncio.create_task(read())
    async with stores_on(database, WRITERS) as stores:
        chances = [random.Random(number) for number in range(WRITERS)]
        done = await asyncio.gather(
            *(_write(store, number, chances[number]) for number, store in enumerate(stores))
        )
    over.set()
    await reader
    rows = log_of(database)
    assert_whole(rows)
    assert sum(done) > COMMANDS * 0.9
    assert len(rows) == sum(done)
    assert seen == [(row.position, row.stream, row.version) for row in rows]


async def test_the_gap_is_seen_when_numbers_are_given_before_the_commit(
    database: MallDatabase,
) -> None:
    """R20 CONTROL: positions from a sequence, "greater than the last one": the reader misses."""
    missed = await _naive(database, order="id", committing=_late_committer_first)
    assert missed > 0


async def test_the_disorder_is_seen_when_ordered_by_transaction(database: MallDatabase) -> None:
    """R21 CONTROL: ordered by (xid, id), version 2 of a stream can come before version 1."""
    url = database.owner_url
    with psycopg.connect(url) as early, psycopg.connect(url) as late:
        early.execute("CREATE TABLE IF NOT EXISTS pg_temp.nothing ()")
        early.execute("SELECT pg_current_xact_id()")  # gets its number long before it appends
        late.execute(f"CREATE TABLE {database.schema}.ordered (id serial, xid xid8, version int)")
        late.execute(f"GRANT ALL ON {database.schema}.ordered TO PUBLIC")
        table = f"{database.schema}.ordered"
        append = f"INSERT INTO {table} (xid, version) VALUES (pg_current_xact_id(), %s)"
        late.execute(append.encode(), (1,))
        late.commit()
        early.execute(append.encode(), (2,))
        early.commit()
        found = late.execute(
            f"SELECT version FROM {database.schema}.ordered ORDER BY xid, id".encode()
        ).fetchall()
    versions = [row[0] for row in found]
    assert versions == [2, 1]
    assert not all(one < other for one, other in pairwise(versions))


async def _naive(
    database: MallDatabase,
    *,
    order: str,
    committing: Callable[[AsyncConnection[Any], AsyncConnection[Any], str], Any],
) -> int:
    table = f"{database.schema}.naive"
    async with (
        await AsyncConnection.connect(database.owner_url) as slow,
        await AsyncConnection.connect(database.owner_url) as quick,
        await AsyncConnection.connect(database.owner_url, autocommit=True) as reader,
    ):
        await reader.execute(f"CREATE TABLE {table} (id bigserial PRIMARY KEY)".encode())
        seen: set[int] = set()
        last = 0
        for _ in range(20):
            await committing(slow, quick, table)
            cursor = await reader.execute(
                f"SELECT id FROM {table} WHERE id > %s ORDER BY {order}".encode(), (last,)
            )
            for (number,) in await cursor.fetchall():
                seen.add(number)
                last = number
            await slow.commit()
        cursor = await reader.execute(f"SELECT id FROM {table}".encode())
        return len({row[0] for row in await cursor.fetchall()} - seen)


async def _late_committer_first(
    slow: AsyncConnection[Any], quick: AsyncConnection[Any], table: str
) -> None:
    insert = f"INSERT INTO {table} DEFAULT VALUES".encode()
    await slow.execute(insert)
    await quick.execute(insert)
    await quick.commit()


async def test_a_reader_waits_only_for_the_turn_when_another_database_writes(
    database: MallDatabase,
) -> None:
    """R22: a writing transaction left open beside the log hides no event from readers."""
    with psycopg.connect(database.owner_url) as open_for_long:
        open_for_long.execute(f"CREATE TABLE {database.schema}.beside (id int)")
        async with store_on(database) as store:
            outcome = await store.execute(grant("lin", 5))
        async with await AsyncConnection.connect(
            database.service_url, autocommit=True
        ) as connection:
            events = await read_events(connection, database.schema, after=0, limit=10)
        assert [event.envelope.position for event in events] == [outcome.position]
        open_for_long.rollback()
