"""What somebody with all rights in the database can do to the log, and what finds it."""

import random
import re
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from psycopg import AsyncConnection
from psycopg.sql import SQL, Composed, Identifier

from application.heads import SignedHead
from application.proof import Frontier, leaf_hash
from projections.differences import Findings
from projections.sealed_history import signed_head
from projections.verifying import verify
from projections.verifying_log import verify_log
from projections.views import all_views
from tests.conftest import MallDatabase
from tests.projections.busy_mall import RULES, busy_mall

pytestmark = pytest.mark.anyio

PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


class Tamperer(NamedTuple):
    """A superuser's connection inside a transaction that will be undone."""

    connection: AsyncConnection[Any]
    schema: str
    end: int
    head: SignedHead

    async def run(self, text: Any, *values: object) -> int:
        cursor = await self.connection.execute(self.sql(text), values)
        return cursor.rowcount

    def sql(self, text: Any) -> Composed:
        return SQL(text).format(
            events=Identifier(self.schema, "tallypost_events"),
            commits=Identifier(self.schema, "commits"),
            commands=Identifier(self.schema, "commands"),
        )

    async def commits(self) -> list[int]:
        query = self.sql("SELECT position FROM {commits} ORDER BY position")
        return [row[0] for row in await (await self.connection.execute(query)).fetchall()]

    async def places(self, *heads: SignedHead) -> list[str]:
        found = Findings()
        async with self.connection.transaction():
            await verify_log(self.connection, self.schema, heads=heads, found=found)
        return [str(one) for one in found.all()]

    async def change(self, rng: random.Random) -> str:
        """One random change; its kind."""
        at = rng.randint(1, self.end)
        kind = rng.choice(
            ["byte", "delete", "insert", "reorder", "cut", "stream", "version", "name", "commit",
             "commit gone", "commit time", "cut all"]
        )  # fmt: skip
        match kind:
            case "byte":
                await self.run(
                    "UPDATE {events} SET state = set_byte(state, 30, get_byte(state, 30) # %s)"
                    " WHERE notification_id = %s",
                    rng.randint(1, 255),
                    at,
                )
            case "delete":
                await self.run("DELETE FROM {events} WHERE notification_id = %s", at)
            case "insert":
                await self.run(
                    "UPDATE {events} SET notification_id = -notification_id - 1"
                    " WHERE notification_id >= %s",
                    at,
                )
                await self.run(
                    "UPDATE {events} SET notification_id = -notification_id"
                    " WHERE notification_id < 0"
                )
                await self.run(
                    "INSERT INTO {events} SELECT 'account:thief', 1, topic, state, %s"
                    " FROM {events} WHERE topic = 'ledger.PointsGranted' LIMIT 1",
                    at,
                )
            case "reorder":
                other = rng.choice([one for one in range(1, self.end + 1) if one != at])
                for now, then in ((at, -1), (other, at), (-1, other)):
                    await self.run(
                        "UPDATE {events} SET notification_id = %s WHERE notification_id = %s",
                        then,
                        now,
                    )
            case "cut":
                await self.run("DELETE FROM {events} WHERE notification_id >= %s", at)
            case "cut all":
                # The tail with everything that knows of it: only a head kept outside tells.
                await self.run("DELETE FROM {commits} WHERE position >= %s", at)
                left = max([0, *await self.commits()])
                await self.run("DELETE FROM {events} WHERE notification_id > %s", left)
                await self.run("DELETE FROM {commands} WHERE position > %s", left)
            case "stream":
                await self.run(
                    "UPDATE {events} SET originator_id = originator_id || 'x'"
                    " WHERE notification_id = %s",
                    at,
                )
            case "version":
                await self.run(
                    "UPDATE {events} SET originator_version = originator_version + 100"
                    " WHERE notification_id = %s",
                    at,
                )
            case "name":
                await self.run(
                    "UPDATE {events} SET topic = topic || 'x' WHERE notification_id = %s", at
                )
            case "commit":
                which = rng.choice(await self.commits())
                await self.run(
                    "UPDATE {commits} SET frontier = set_byte(frontier, %s,"
                    " get_byte(frontier, %s) # 1) WHERE position = %s",
                    *[rng.choice([7, 9, 39])] * 2,
                    which,
                )
            case "commit gone":
                which = rng.choice(await self.commits())
                await self.run("DELETE FROM {commits} WHERE position = %s", which)
            case "commit time":
                which = rng.choice(await self.commits())
                await self.run(
                    "UPDATE {commits} SET recorded_at = recorded_at - interval '1 day'"
                    " WHERE position = %s",
                    which,
                )
            case _:
                raise AssertionError(kind)
        return kind


@pytest.fixture
async def tamperer(database: MallDatabase) -> AsyncIterator[Tamperer]:
    async with (
        busy_mall(database) as mall,
        await AsyncConnection.connect(database.owner_url, autocommit=True) as connection,
    ):
        await mall.happenings(2)
        head = await signed_head(connection, database.schema, PRIVATE)
        await connection.execute("SET session_replication_role = replica")
        yield Tamperer(connection, database.schema, mall.store.position, head)


async def test_every_change_is_found_when_a_head_was_kept_outside(tamperer: Tamperer) -> None:
    """R60, A3: 500 random changes as superuser, each named by its place."""
    rng = random.Random(60)
    kinds: dict[str, int] = {}
    for number in range(500):
        async with tamperer.connection.transaction(force_rollback=True):
            kind = await tamperer.change(rng)
            places = await tamperer.places(tamperer.head)
            assert places, (number, kind)
            assert all(place.startswith("log") for place in places)
            kinds[kind] = kinds.get(kind, 0) + 1
    assert len(kinds) == 12
    assert await tamperer.places(tamperer.head) == []


async def test_cut_tail_is_not_found_when_no_head_was_kept_outside(tamperer: Tamperer) -> None:
    """R60: the control, and why heads are kept outside; with one, the cut is told by its length."""
    async with tamperer.connection.transaction(force_rollback=True):
        last = (await tamperer.commits())[-2]
        await tamperer.run("DELETE FROM {events} WHERE notification_id > %s", last)
        await tamperer.run("DELETE FROM {commits} WHERE position > %s", last)
        assert any("command" in one for one in await tamperer.places())  # answers point there
        await tamperer.run("DELETE FROM {commands} WHERE position > %s", last)
        assert await tamperer.places() == []
        (place,) = await tamperer.places(tamperer.head)
        assert re.search(rf"ends at {last}: its tail was cut.* {tamperer.end}", place)


async def test_history_written_anew_is_found_when_a_head_was_kept_outside(
    tamperer: Tamperer,
) -> None:
    """R60, A3: whoever makes all digests anew makes another root."""
    query = tamperer.sql(
        "SELECT notification_id, originator_id, originator_version, topic, state FROM {events}"
        " ORDER BY notification_id"
    )
    async with tamperer.connection.transaction(force_rollback=True):
        await tamperer.run(
            "UPDATE {events} SET state = replace(convert_from(state, 'UTF8'), '3000', '3001')"
            "::bytea WHERE originator_id = 'account:learner0'"
        )
        cursor = await tamperer.connection.execute(query, binary=True)
        leaves = [leaf_hash(*row) for row in await cursor.fetchall()]
        for position in await tamperer.commits():
            frontier = Frontier.empty().extended(leaves[:position])
            await tamperer.run(
                "UPDATE {commits} SET frontier = %s WHERE position = %s",
                frontier.to_bytes(),
                position,
            )
        assert await tamperer.places() == []
        (place,) = await tamperer.places(tamperer.head)
        assert place.startswith(f"log position {tamperer.end}: ")


@pytest.mark.parametrize("table", ["tallypost_events", "commits"])
@pytest.mark.parametrize("change", ["UPDATE {} SET {} = {}", "DELETE FROM {}", "TRUNCATE {}"])
async def test_log_is_not_changed_when_the_service_or_its_owner_tries(
    database: MallDatabase, table: str, change: str
) -> None:
    """A1, R60: no right to, and a trigger that stops even the tables' owner."""
    column = Identifier("notification_id" if table == "tallypost_events" else "position")
    async with busy_mall(database):
        pass
    for url in (database.service_url, database.owner_url):
        with psycopg.connect(url) as connection:
            name = Identifier(database.schema, table)
            arguments = (name, column, column) if "SET" in change else (name,)
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(SQL(change).format(*arguments))


async def test_records_of_grants_are_compared_when_verifying(database: MallDatabase) -> None:
    """L1, R60: a deleted or a made-up record would let a grant be made twice, or never."""
    async with busy_mall(database) as mall:
        await mall.happenings(2)
        with psycopg.connect(database.owner_url) as connection:
            name = Identifier(database.schema, "commands")
            connection.execute(
                SQL("DELETE FROM {} WHERE key = 'grant:lin:course_completed:demo-course'").format(
                    name
                )
            )
            connection.execute(
                SQL(
                    "UPDATE {} SET key = key || 'x' WHERE key = 'grant:learner0:course_completed"
                    ":C-0'"
                ).format(name)
            )
        found = await verify(database.owner_url, schema=database.schema, views=all_views(RULES))
        assert sorted(one.place for one in found.differences) == [
            "commands, grant:learner0:course_completed:C-0",
            "commands, grant:learner0:course_completed:C-0x",
            "commands, grant:lin:course_completed:demo-course",
        ]


@pytest.mark.slow
async def test_log_of_100_000_events_is_verified_in_five_seconds(database: MallDatabase) -> None:
    """R60"""
    import time

    async with busy_mall(database):
        pass
    async with await AsyncConnection.connect(database.owner_url, autocommit=True) as connection:
        schema = database.schema
        query = SQL("SELECT originator_id, topic, state FROM {} LIMIT 1").format(
            Identifier(schema, "tallypost_events")
        )
        stream, name, state = (await (await connection.execute(query)).fetchall())[0]
        await connection.execute("SET session_replication_role = replica")
        for table in ("tallypost_events", "commits"):
            await connection.execute(SQL("TRUNCATE {}").format(Identifier(schema, table)))
        leaves = [leaf_hash(at, stream, at, name, state) for at in range(1, 100_001)]
        events = SQL("COPY {} FROM STDIN").format(Identifier(schema, "tallypost_events"))
        async with connection.cursor() as cursor, cursor.copy(events) as copy:
            for at in range(1, 100_001):
                await copy.write_row((stream, at, name, state, at))
        frontier = Frontier.empty()
        commits = SQL("COPY {} FROM STDIN").format(Identifier(schema, "commits"))
        async with connection.cursor() as cursor, cursor.copy(commits) as copy:
            for at in range(0, 100_000, 10):
                frontier = frontier.extended(leaves[at : at + 10])
                recorded = re.search(rb'"recorded_at":"([^"]*)"', state)
                assert recorded is not None
                row = (at + 10, frontier.to_bytes(), recorded[1].decode())
                await copy.write_row(row)
        started = time.perf_counter()
        found = Findings()
        async with connection.transaction():
            end = await verify_log(connection, schema, found=found)
        took = time.perf_counter() - started
        assert (end, found.all()) == (100_000, [])
        assert took < 5, took
