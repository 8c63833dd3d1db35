"""The volume of the data is full: nothing is lost, reading goes on, writing comes back (R07)."""

import asyncio
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest

from application.attaching import attach_or_start
from application.embedded import EmbeddedPostgres
from application.migrating import SERVICE_ROLE, migrate
from application.server_account import server_account
from tests.conftest import MallDatabase
from tests.reliability.service import Service, service_on
from tests.reliability.test_processes import Clients, assert_granted_once, lowest
from tests.reliability.workload import log_of, query, until

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

VOLUME_MEGABYTES = 256
BLOCK = b"\0" * 65_536


class Volume(NamedTuple):
    """A file system of its own."""

    folder: Path

    @property
    def _ballast(self) -> Path:
        return self.folder / "ballast"

    def fill(self) -> None:
        """Leave no room for anybody."""
        with self._ballast.open("wb", buffering=0) as file:
            try:
                while file.write(BLOCK):
                    pass
            except OSError:
                return

    def empty(self) -> None:
        """Give the room back."""
        self._ballast.unlink()


@pytest.fixture
def volume(data_folder: Path) -> Iterator[Volume]:
    """A small volume for what `data_folder / "postgres"` is to the server."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root on Linux can mount a volume to fill")
    account = server_account()
    home = data_folder / "postgres" / "postgres"
    home.mkdir(parents=True)
    options = f"size={VOLUME_MEGABYTES}m,uid={account.uid},gid={account.gid},mode=0700"
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(home)],
        check=False,
        capture_output=True,
        text=True,
    )
    if mounted.returncode:
        pytest.skip(f"this root may not mount: {mounted.stderr.strip()}")
    try:
        yield Volume(home)
    finally:
        if subprocess.run(["umount", str(home)], check=False).returncode:
            subprocess.run(["umount", "--lazy", str(home)], check=True)


def mall_of(url: str) -> MallDatabase:
    """The mall in a server of its own."""
    migrate(url, "mall")
    return MallDatabase(url, url.replace("//tallypost@", f"//{SERVICE_ROLE}@"), "mall")


@pytest.fixture
def service(volume: Volume, data_folder: Path, tmp_path: Path) -> Iterator[Service]:
    """API and worker; the server's files are on that volume, its write-ahead log is elsewhere."""
    with EmbeddedPostgres(data_folder / "postgres"):
        pass
    log, elsewhere = volume.folder / "cluster" / "pg_wal", data_folder / "wal"
    shutil.move(log, elsewhere)
    for one in (elsewhere, *elsewhere.rglob("*")):
        shutil.chown(one, server_account().uid, server_account().gid)
    log.symlink_to(elsewhere)
    with (
        attach_or_start(data_folder / "postgres") as url,
        service_on(mall_of(url), tmp_path, worker=True) as running,
    ):
        yield running


@pytest.fixture
def serving(volume: Volume, data_folder: Path) -> Iterator[Service]:
    """`tallypost serve`: all that its server has is on that volume."""
    with attach_or_start(data_folder / "postgres") as url:
        database = mall_of(url)
    service = Service(database, data_folder)
    del service.environment["DATABASE_URL"]
    try:
        service.start_api("serve", "--no-demo")
        yield service
    finally:
        service.stop()


class Reading:
    """Somebody who reads all the time."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self.statuses: Counter[tuple[str, int]] = Counter()
        self.task = asyncio.create_task(self._read())

    async def _read(self) -> None:
        headers = self._service.headers("learner", "lin")
        async with self._service.client() as client:
            while True:
                for path in ("/v1/items", "/v1/learners/lin/balance", "/v1/orders", "/ready"):
                    answer = await client.get(path, headers=headers)
                    self.statuses[path, answer.status_code] += 1
                await asyncio.sleep(0.05)


@pytest.mark.timeout(120)
async def test_reading_goes_on_and_writing_comes_back_when_the_volume_was_full(
    service: Service, volume: Volume
) -> None:
    """R07: writes 503, reads 200, 0 lost, writing again within 5 s of there being room."""
    clients = Clients(service, count=4, timeout=15)
    await until(lambda: len(clients.answers) > 200, seconds=30)
    volume.fill()
    reading = Reading(service)
    await until(lambda: clients.retried >= len(clients.tasks), seconds=60)
    written = len(clients.answers)
    await asyncio.sleep(1)
    assert len(clients.answers) == written
    seen = dict(reading.statuses)
    assert {status for _, status in seen} == {200}, seen
    assert min(seen.values()) > 20
    volume.empty()
    there_is_room = time.perf_counter()
    await until(lambda: len(clients.answers) > written, seconds=20)
    assert time.perf_counter() - there_is_room <= 5
    await clients.stop()
    reading.task.cancel()
    assert not clients.odd
    assert clients.statuses.keys() == {503}
    assert_granted_once(service, clients)
    head = len(log_of(service.database))
    await until(lambda: lowest(service.database) == head, seconds=20)
    assert query(service.database, "SELECT FROM {}.parked") == []


def end_by_its_log(service: Service) -> None:
    """Make the server begin another file of its log until there is no room for one: it ends."""
    while True:
        try:
            query(
                service.database, "SELECT pg_logical_emit_message(false, '', ''), pg_switch_wal()"
            )
        except psycopg.OperationalError as error:
            if error.sqlstate is None:  # it does not even answer
                return


@pytest.mark.timeout(120)
async def test_serve_starts_its_server_again_when_a_full_volume_ended_it(
    serving: Service, volume: Volume
) -> None:
    """R07, 2.18: no room for the write-ahead log ends PostgreSQL: 0 lost, back by itself."""
    clients = Clients(serving, count=4, timeout=15)
    await until(lambda: len(clients.answers) > 200, seconds=30)
    volume.fill()
    await asyncio.to_thread(end_by_its_log, serving)
    await asyncio.sleep(3)  # it is tried again and again meanwhile
    written = len(clients.answers)
    volume.empty()
    there_is_room = time.perf_counter()
    await until(lambda: len(clients.answers) > written, seconds=20)
    assert time.perf_counter() - there_is_room <= 5
    await clients.stop()
    assert not clients.odd
    assert b"PostgreSQL had ended and was started again" in serving.log.read_bytes()
    assert_granted_once(serving, clients)


def test_a_server_stays_away_after_a_full_volume_when_nobody_starts_it(
    volume: Volume, data_folder: Path, tmp_path: Path
) -> None:
    """R07 CONTROL: room alone brings nobody back."""
    with attach_or_start(data_folder / "postgres") as url:
        service = Service(mall_of(url), tmp_path)
        volume.fill()
        end_by_its_log(service)
        time.sleep(3)  # it tries to recover, and there is no room for that, either
        volume.empty()
        time.sleep(3)
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(url).close()
