"""The log out of reach: at COMMIT, in mid-sentence, for long (R03, R04, R05, R22)."""

import asyncio
import itertools
import os
import shutil
import signal
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from application.embedded import EmbeddedPostgres
from application.faults import ARMED
from application.migrating import SERVICE_ROLE, migrate
from application.outcomes import InFlight, Outcome, Unavailable
from application.store import Store
from application.unit import Command
from application.writer import Writer
from domain.refusals import Refusal
from tests.conftest import MallDatabase
from tests.reliability.link import Link
from tests.reliability.workload import (
    SKU,
    assert_whole,
    command,
    fill,
    grant,
    in_parallel,
    log_of,
    query,
    redemption,
    store_on,
    until,
)

pytestmark = pytest.mark.anyio


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short path for a socket."""
    path = Path(tempfile.mkdtemp(prefix="link-"))
    yield path
    shutil.rmtree(path)


async def answered(store: Store, one: Command, *, tries: int = 20) -> Any:
    """What a client that keeps its key gets in the end; only `Unavailable` may come before it."""
    for _ in range(tries):
        try:
            return await store.execute(one)
        except Unavailable:
            await asyncio.sleep(0.02)
        except Refusal as refusal:
            return refusal
    raise AssertionError("no answer")


@pytest.mark.timeout(90)
async def test_nothing_is_lost_or_doubled_when_commits_are_cut(
    database: MallDatabase, folder: Path
) -> None:
    """R04: p = 0.2, 300 grants and 300 redemptions: 0 lost, 0 twice; success or `Unavailable`."""
    learners = [f"l{number}" for number in range(30)]
    async with store_on(database) as store:
        await fill(store, shelves={SKU: 10_000}, learners=learners)
    before = len(log_of(database))
    async with Link(database, folder, cuts=0.2, seed=4) as link, store_on(database, link.url) as s:
        results: list[Any] = []
        for round_ in range(75):
            four = [learners[(round_ + one) % 30] for one in range(4)]
            commands = [grant(one, 1, f"r{round_}") for one in four[:2]]
            commands += [redemption(s, one) for one in four[2:]]
            results += await in_parallel([answered(s, one) for one in commands * 2])
    assert all(isinstance(one, Outcome) for one in results), Counter(map(type, results))
    assert link.cut["before"] > 3
    assert link.cut["after"] > 3
    rows = log_of(database)
    assert_whole(rows)
    # A grant is one event; a redemption three: points, stock, order.
    assert len(rows) - before == 75 * (2 * 1 + 2 * 3)
    assert len({one.answer for one in results}) == 300


async def test_commands_are_doubled_when_a_cut_commit_is_simply_tried_again(
    database: MallDatabase, folder: Path
) -> None:
    """R04 CONTROL: naive retry after a lost connection does twice what was done."""
    schema = database.schema
    query(database, "CREATE TABLE {}.naive (id int)")
    query(database, f"GRANT ALL ON {{}}.naive TO {SERVICE_ROLE}")
    async with Link(database, folder, cuts=0.3, seed=5) as link:
        for number in range(100):
            for _ in range(10):
                with suppress(psycopg.OperationalError):
                    async with await psycopg.AsyncConnection.connect(link.url) as connection:
                        insert = f"INSERT INTO {schema}.naive VALUES (%s)".encode()
                        await connection.execute(insert, (number,))
                    break
    found = query(database, "SELECT count(*), count(DISTINCT id) FROM {}.naive")
    assert found[0][0] > found[0][1]


async def test_states_are_exact_when_the_link_dies_while_catching_up(
    database: MallDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R04: what others wrote is read again when the first reading of it was cut off."""
    from application.log import Log

    since = Log.since
    cut = itertools.count()

    async def dying(self: Log, position: int) -> Any:
        if next(cut) == 0:
            raise psycopg.OperationalError("cut")
        return await since(self, position)

    async with store_on(database) as one, store_on(database) as other:
        await one.execute(grant("lin", 5, "a"))
        await other.execute(grant("lin", 7, "b"))
        monkeypatch.setattr(Log, "since", dying)
        outcome = await one.execute(grant("lin", 9, "c"))
    assert next(cut) > 0
    assert outcome.position == 3
    assert [row.version for row in log_of(database)] == [1, 2, 3]


async def test_the_others_are_answered_when_one_command_cannot_be_stored(
    database: MallDatabase,
) -> None:
    """R04: a NUL in a key, a taken order number, a half surrogate: only their own caller fails."""
    async with store_on(database) as store:
        await fill(store, shelves={SKU: 10}, learners=["lin"])
        done = await store.execute(redemption(store, "lin", key="taken"))
        taken = redemption(store, "lin", key="taken")
        bad = [
            command(lambda unit: {}, key="nul\0key"),
            command(lambda unit: {}, key="half\ud800key"),
            command(lambda unit: {"text": "half\ud800answer"}),
            taken._replace(key="same number, other key"),
            command(lambda unit: {}, streams=["account:nul\0"]),
            command(lambda unit: {}, subject="nul\0"),
        ]
        good = [grant(f"l{number}", 1) for number in range(40)]
        mixed = [one for pair in itertools.zip_longest(good, bad) for one in pair if one]
        results = await in_parallel([store.execute(one) for one in mixed])
        after = await store.execute(grant("lin", 3, "after"))
    for one, result in zip(mixed, results, strict=True):
        assert isinstance(result, Outcome) == (one in good), (one.key, result)
    assert after.position == done.position + 41
    assert_whole(log_of(database))


async def test_cards_can_be_read_when_the_first_command_of_their_learner_left_nothing(
    database: MallDatabase,
) -> None:
    """R04: a vault key that was made but not stored never seals a card."""
    from application.cards import open_card
    from application.vault import Vault
    from tests.reliability.workload import MASTER

    async with store_on(database) as store:
        await fill(store, shelves={SKU: 10}, learners=["lin"])
        refused = redemption(store, "lin", key="refused", quantity=100)
        assert isinstance(await answered(store, refused), Refusal)
    async with store_on(database) as store:  # another process, which knows no key of hers
        assert isinstance(await answered(store, refused), Refusal)
        assert isinstance(await answered(store, redemption(store, "lin")), Outcome)
    async with store_on(database) as store:
        assert isinstance(await answered(store, redemption(store, "lin")), Outcome)
    vault = Vault(MASTER, tenant=database.schema)
    cards = query(database, "SELECT replace(id::text, '-', '') FROM {}.cards")
    assert len(cards) == 2
    async with await psycopg.AsyncConnection.connect(database.owner_url) as connection:
        for (card,) in cards:
            assert await open_card(connection, database.schema, vault, card) is not None


async def test_commands_go_on_when_the_server_ends_an_idle_session(database: MallDatabase) -> None:
    """R22: a session ended in the middle of its transaction is an outage, not a bug."""
    ended = itertools.count()

    def end_our_session() -> None:
        if next(ended) == 0:
            query(
                database,
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                f" WHERE usename = '{SERVICE_ROLE}' AND state LIKE 'idle in transaction%%'",
            )

    async with store_on(database) as store:
        ARMED["before_commit"] = end_our_session
        try:
            outcome = await store.execute(grant("lin", 5))
        finally:
            del ARMED["before_commit"]
    assert outcome.position == 1
    assert next(ended) > 1


async def test_a_group_that_takes_too_long_is_committed_in_parts(
    database: MallDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R38: the server ends a session that stands still under the turn; all of it tried again would
    take as long again, and nobody would ever be answered."""
    commit = Writer._commit

    async def as_long_as_there_are_many(writer: Writer, batch: Any, sent: Any) -> None:
        if len(batch) > 4:
            raise psycopg.errors.IdleInTransactionSessionTimeout("as the server says it")
        await commit(writer, batch, sent)

    monkeypatch.setattr(Writer, "_commit", as_long_as_there_are_many)
    async with store_on(database) as store:
        told = await asyncio.gather(*(store.execute(grant("lin", 1, f"s{n}")) for n in range(64)))
    assert {one.position for one in told} == set(range(1, 65))
    assert_whole(log_of(database))


@pytest.mark.parametrize("sqlstate", ["25P03", "25P04", "25006", "57P01", "53100", "40P01"])
async def test_commands_are_tried_again_when_the_server_did_not_take_them(
    database: MallDatabase, sqlstate: str
) -> None:
    """R04: time-outs, a standby, shutdown, a full disk, a deadlock: tried again, then answered."""
    tries = itertools.count()

    def fail() -> None:
        if next(tries) < 2:
            raise psycopg.errors.lookup(sqlstate)("as the server says it")

    async with store_on(database) as store:
        ARMED["before_commit"] = fail
        try:
            outcome = await store.execute(grant("lin", 5))
        finally:
            del ARMED["before_commit"]
    assert outcome.position == 1
    assert next(tries) == 3


async def test_the_writer_lives_when_an_outage_is_very_long(
    database: MallDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R05: a thousand tries without a server, then it is back."""
    tries = itertools.count()
    connect = psycopg.AsyncConnection.connect

    async def gone(*values: Any, **named: Any) -> Any:
        if next(tries) < 1_100:  # 2 ** 1024 is no number of seconds
            raise psycopg.OperationalError("gone")
        return await connect(*values, **named)

    monkeypatch.setattr("application.writer.RECONNECT_SECONDS", 0)
    monkeypatch.setattr("application.writer.AsyncConnection.connect", gone)
    async with store_on(database, patience=timedelta(minutes=1)) as store:
        outcome = await asyncio.wait_for(store.execute(grant("lin", 5)), 30)
    assert outcome.position == 1
    assert next(tries) > 1_100


@asynccontextmanager
async def own_server(folder: Path) -> AsyncIterator[tuple[EmbeddedPostgres, MallDatabase]]:
    """A PostgreSQL that may be killed."""
    server = EmbeddedPostgres(folder)
    await asyncio.to_thread(server.start)
    try:
        migrate(server.url(), "mall")
        yield server, MallDatabase(server.url(), server.url(SERVICE_ROLE), "mall")
    finally:
        await asyncio.to_thread(server.stop)


def kill_all_of(folder: Path) -> None:
    """kill -9 the server and all its processes."""
    marks = [p for p in psutil.process_iter() if _belongs(p, folder)]
    family = [child for one in marks for child in one.children(recursive=True)]
    for one in {*marks, *family}:
        with suppress(ProcessLookupError):
            os.kill(one.pid, signal.SIGKILL)
    psutil.wait_procs([*marks, *family], timeout=10)


def _belongs(process: psutil.Process, folder: Path) -> bool:
    with suppress(psutil.Error, OSError):
        postmaster = next(iter(folder.rglob("postmaster.pid")))
        return process.pid == int(postmaster.read_text().split("\n")[0])
    return False


class Writers:
    """Six clients that write as fast as they are answered, and note what they were told."""

    def __init__(self, stores: list[Store], clients: int = 6) -> None:
        self._stores = stores
        self._stop = False
        self.acked: dict[str, int] = {}
        self.slowest = 0.0
        self.failures: Counter[str] = Counter()
        self.tasks = [asyncio.create_task(self._client(n)) for n in range(clients)]

    async def _client(self, number: int) -> None:
        store = self._stores[number % len(self._stores)]
        for serial in itertools.count():
            if self._stop:
                return
            one = grant(f"learner-{number}", 1, f"{number}-{serial}")
            while True:
                try:
                    outcome = await store.execute(one)
                    self.acked[one.key] = outcome.position
                    break
                except (Unavailable, InFlight) as error:
                    self.failures[type(error).__name__] += 1
                    await asyncio.sleep(0.05)

    async def stop(self) -> None:
        """Let each finish what it is at."""
        self._stop = True
        await asyncio.wait_for(asyncio.gather(*self.tasks), 30)


async def killed_under_writers(folder: Path, *, kills: int, seconds: float) -> int:
    """Kill the server again and again; how many acknowledged commands there are, all kept."""
    async with own_server(folder) as (server, database):
        patience = timedelta(seconds=15)
        async with store_on(database, patience=patience) as a, store_on(database) as b:
            writers = Writers([a, b])
            for _ in range(kills):
                await asyncio.sleep(seconds)
                await asyncio.to_thread(kill_all_of, folder)
                down = time.perf_counter()
                server = await _restarted(server, folder)
                before = len(writers.acked)
                await until(lambda: len(writers.acked) > before, seconds=20)  # noqa: B023
                assert time.perf_counter() - down < 8
            await writers.stop()
        rows = log_of(database)
        assert_whole(rows)
        kept = query(database, "SELECT key, position FROM {}.commands WHERE principal = 'grants'")
        lost = writers.acked.items() - dict(kept).items()
        assert not lost
        assert len(rows) == len(kept)
        return len(writers.acked)


async def _restarted(server: EmbeddedPostgres, folder: Path) -> EmbeddedPostgres:
    server._leave(may_stop=False)  # its owner died with it, as far as the folder knows
    again = EmbeddedPostgres(folder)
    await asyncio.to_thread(again.start)
    server.__dict__.update(again.__dict__)
    return server


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_nothing_acknowledged_is_lost_when_the_server_is_killed(data_folder: Path) -> None:
    """R03: kill -9 all of PostgreSQL twice under 6 writers: 0 lost of ≥ 1,000 acknowledged."""
    assert await killed_under_writers(data_folder, kills=2, seconds=1.5) > 1_000


@pytest.mark.nightly
@pytest.mark.timeout(300)
async def test_nothing_acknowledged_is_lost_when_the_server_is_killed_all_night(
    data_folder: Path,
) -> None:
    """R03: 10 times, ≥ 10,000 acknowledged."""
    assert await killed_under_writers(data_folder, kills=10, seconds=5) > 10_000


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_acknowledged_rows_are_lost_when_commits_do_not_wait_for_the_disk(
    data_folder: Path,
) -> None:
    """R03 CONTROL: synchronous_commit = off."""
    lost = 0
    async with own_server(data_folder) as (server, database):
        query(database, "CREATE TABLE {}.naive (id serial)")
        while lost == 0:
            acked = 0
            async with await psycopg.AsyncConnection.connect(
                database.owner_url, autocommit=True
            ) as connection:
                await connection.execute("SET synchronous_commit = off")
                before = query(database, "SELECT count(*) FROM {}.naive")[0][0]
                for _ in range(500):
                    await connection.execute(b"INSERT INTO mall.naive DEFAULT VALUES")
                    acked += 1
                kill_all_of(data_folder)
            server = await _restarted(server, data_folder)
            lost += before + acked - query(database, "SELECT count(*) FROM {}.naive")[0][0]


@pytest.mark.slow
@pytest.mark.timeout(60)
async def test_the_store_answers_within_a_second_when_the_server_is_back(data_folder: Path) -> None:
    """R05: fast restart under load: no answer later than 1 s after the server answers again."""
    async with own_server(data_folder) as (server, database), store_on(database) as store:
        writers = Writers([store])
        for _ in range(3):
            await asyncio.sleep(0.5)
            await asyncio.to_thread(server.stop)
            await asyncio.sleep(0.7)
            await asyncio.to_thread(server.start)
            up = time.perf_counter()
            before = len(writers.acked)
            await until(lambda: len(writers.acked) >= before + 6, seconds=20)  # noqa: B023
            assert time.perf_counter() - up < 1.0
        await writers.stop()
        assert not writers.failures
        assert_whole(log_of(database))
