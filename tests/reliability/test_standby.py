"""The primary dies and its standby is promoted: nothing that was answered is lost (R06)."""

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs, quote, urlsplit

import httpx2
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from application.embedded import EmbeddedPostgres
from application.library import PostgresLog
from application.migrating import SERVICE_ROLE, migrate, pending
from application.server_account import prepare_home, server_account
from tests.conftest import MallDatabase
from tests.reliability.service import Service, service_on
from tests.reliability.test_outages import kill_all_of
from tests.reliability.test_processes import Clients, assert_granted_once, lowest
from tests.reliability.workload import log_of, query, until

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

STANDBY = "standby"


class Pair(NamedTuple):
    """A primary, its standby, and the mall behind both of their addresses."""

    primary: Path
    primary_url: str
    standby_url: str
    database: MallDatabase
    servers: tuple[EmbeddedPostgres, EmbeddedPostgres]

    def wait_for_the_standby(self) -> None:
        """Let no commit be answered before the standby has it."""
        with psycopg.connect(self.primary_url, autocommit=True) as connection:
            connection.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{STANDBY}'".encode())
            connection.execute("SELECT pg_reload_conf()")

    def stall(self) -> None:
        """The primary sends nothing more, as over a link that broke."""
        with psycopg.connect(self.primary_url) as connection:
            rows = connection.execute("SELECT pid FROM pg_stat_replication").fetchall()
        assert len(rows) == 1
        os.kill(int(rows[0][0]), signal.SIGSTOP)

    def kill(self) -> None:
        """kill -9 the primary, all of it."""
        kill_all_of(self.primary)

    def lose_the_standby(self) -> None:
        """kill -9 the standby, all of it."""
        kill_all_of(self.primary.with_name(STANDBY))

    def promote(self) -> None:
        """Make the standby the primary."""
        with psycopg.connect(self.standby_url, autocommit=True) as connection:
            assert connection.execute("SELECT pg_promote()").fetchone() == (True,)


@contextmanager
def standby_of(primary_url: str, folder: Path) -> Iterator[EmbeddedPostgres]:
    """A server that begins as a copy of another one and follows it."""
    folder.mkdir()
    account = server_account()
    home = prepare_home(folder, account)
    where = conninfo_to_dict(primary_url, application_name=STANDBY)
    source = " ".join(f"{name}={value}" for name, value in where.items() if name != "dbname")
    copied = ("--pgdata=cluster", "--write-recovery-conf", "--checkpoint=fast", "--no-sync")
    account.run("pg_basebackup", *copied, f"--dbname={source}", folder=home)
    with EmbeddedPostgres(folder) as server:
        yield server


def both_of(first: str, second: str, role: str) -> str:
    """The address of whichever of two servers takes writes."""
    asked = [parse_qs(urlsplit(url).query) for url in (first, second)]
    hosts = ",".join(quote(one["host"][0], safe="") for one in asked)
    ports = ",".join(one["port"][0] for one in asked)
    return (
        f"postgresql://{role}@/tallypost?host={hosts}&port={ports}&target_session_attrs=read-write"
    )


@pytest.fixture
def pair(data_folder: Path) -> Iterator[Pair]:
    """Two servers with one mall."""
    data_folder.mkdir(mode=0o711)
    with EmbeddedPostgres(data_folder / "primary") as primary:
        migrate(primary.url(), "mall")
        with standby_of(primary.url(), data_folder / "standby") as standby:
            urls = (primary.url(), standby.url())
            owner, service = both_of(*urls, "tallypost"), both_of(*urls, SERVICE_ROLE)
            database = MallDatabase(owner, service, "mall")
            yield Pair(data_folder / "primary", *urls, database, (primary, standby))


@pytest.fixture
def service(pair: Pair, tmp_path: Path) -> Iterator[Service]:
    """API and worker that know both."""
    with service_on(pair.database, tmp_path, worker=True) as running:
        yield running


async def failed_over(pair: Pair, service: Service, *, acked: int) -> Clients:
    """Clients write, the standby falls behind, the primary dies, the standby is promoted; ends
    when the clients are answered again."""
    await until(lambda: bool(lowest(pair.database)), seconds=60)  # the worker has begun
    clients = Clients(service, timeout=15)
    await until(lambda: len(clients.answers) >= acked, seconds=120)
    pair.stall()
    await asyncio.sleep(0.5)
    await asyncio.to_thread(pair.kill)
    died = time.perf_counter()
    answered = len(clients.answers)
    await asyncio.to_thread(pair.promote)
    await until(lambda: len(clients.answers) > answered + len(clients.tasks), seconds=30)
    assert time.perf_counter() - died <= 15
    await asyncio.sleep(0.5)
    await clients.stop()
    assert not clients.odd
    return clients


async def nothing_is_lost(pair: Pair, service: Service, *, acked: int) -> None:
    """R06, whole: what was answered is there, once; whatever else connects finds the new one."""
    pair.wait_for_the_standby()
    clients = await failed_over(pair, service, acked=acked)
    assert_granted_once(service, clients)
    head = len(log_of(pair.database))
    await until(lambda: lowest(pair.database) == head, seconds=20)
    assert query(pair.database, "SELECT FROM {}.parked") == []
    async with service.client() as client:
        asked = await client.get("/v1/items", headers=service.headers("learner", "lin"))
        assert asked.status_code == 200
    assert pending(pair.database.service_url, "mall") == []
    with PostgresLog(pair.database.service_url, schema="mall") as library:
        assert library.recorder.max_notification_id() == head


@pytest.mark.timeout(120)
async def test_nothing_answered_is_lost_when_the_standby_is_promoted(
    pair: Pair, service: Service
) -> None:
    """R06: synchronous standby that falls behind as the primary is killed: 0 of ≥ 500 answered
    lost, writing again within 15 s, views and jobs follow the new primary."""
    await nothing_is_lost(pair, service, acked=500)


@pytest.mark.nightly
@pytest.mark.timeout(300)
async def test_nothing_answered_is_lost_when_the_standby_is_promoted_after_thousands(
    pair: Pair, service: Service
) -> None:
    """R06: 0 of ≥ 4,000."""
    await nothing_is_lost(pair, service, acked=4_000)


@pytest.mark.timeout(120)
async def test_answers_are_lost_when_commits_do_not_wait_for_the_standby(
    pair: Pair, service: Service
) -> None:
    """R06 CONTROL: the same with an asynchronous standby."""
    clients = await failed_over(pair, service, acked=100)
    with pytest.raises(AssertionError):
        assert_granted_once(service, clients)


@pytest.mark.timeout(180)
async def test_an_answer_that_only_the_primary_has_is_not_repeated(
    pair: Pair, service: Service
) -> None:
    """R06: committed without its standby, there again after a restart without it: whoever sends it
    again is told to come back until the standby has it, and then gets the first answer."""
    pair.wait_for_the_standby()
    headers = {**service.headers("service", "platform"), "Idempotency-Key": "alone"}
    row = {"learner": "lin", "points": 1, "reason": "task", "source": "alone"}
    keys = "SELECT count(*) FROM {}.commands WHERE key = 'alone'"

    async with service.client(timeout=40) as client:

        async def granted() -> httpx2.Response:
            return await client.post("/v1/points/grants", json={"grants": [row]}, headers=headers)

        # What a primary keeps that was waiting for its standby as both ended: nobody else has it.
        with psycopg.connect(pair.primary_url, autocommit=True) as connection:
            connection.execute("ALTER SYSTEM RESET synchronous_standby_names")
            connection.execute("SELECT pg_reload_conf()")
        await asyncio.to_thread(pair.lose_the_standby)
        first = await granted()
        assert first.status_code == 200, first.text
        await asyncio.to_thread(pair.kill)
        await asyncio.to_thread(pair.servers[0].revive)
        pair.wait_for_the_standby()

        assert query(pair.database, keys) == [(1,)]  # CONTROL: who reads it would repeat it
        learner = service.headers("learner", "lin")
        for _ in range(150):  # the restart
            if (await client.get("/v1/items", headers=learner)).status_code == 200:
                break
            await asyncio.sleep(0.2)
        assert (await granted()).status_code == 503
        await asyncio.to_thread(pair.servers[1].revive)
        for _ in range(60):
            again = await granted()
            if again.status_code != 503:
                break
            await asyncio.sleep(0.5)
    assert (again.status_code, again.content) == (200, first.content)
    assert again.headers["Idempotent-Replay"] == "true"
