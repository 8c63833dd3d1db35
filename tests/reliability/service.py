"""The service as it really runs: API and worker in processes of their own, to be killed."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx2

from api.auth import Role, Tokens
from application.demo_mall import open_demo_mall
from application.jobs import apply_jobs_schema
from application.migrating import SERVICE_ROLE
from application.rules_of import rules_of
from application.settings import Settings
from application.store import Store
from application.vault import MasterKeys, Vault
from tests.conftest import MallDatabase

PROGRAM = (sys.executable, "-m", "api.command_line")


class Service:
    """One API and one worker on a migrated schema; `log` is what they wrote."""

    def __init__(
        self, database: MallDatabase, folder: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self.program = PROGRAM
        self.database = database
        self.settings = Settings(tenant=database.schema, keys=folder / "keys", data=folder)
        self.log = folder / "log"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("TALLYPOST_")},
            "DATABASE_URL": database.service_url,
            "TALLYPOST_TENANT": database.schema,
            "TALLYPOST_KEYS": str(folder / "keys"),
            **(environment or {}),
        }
        self._tokens = Tokens.in_folder(self.settings.key_folder)
        self.api: subprocess.Popen[bytes] | None = None
        self.worker: subprocess.Popen[bytes] | None = None

    def start_api(self, *command: str) -> None:
        """Start it, or the command that does, and wait until it answers."""
        self.api = self._start(*(command or ("api",)), "--port", str(self.port))
        give_up_at = time.monotonic() + 90
        while time.monotonic() < give_up_at:
            with (
                suppress(OSError, urllib.error.URLError),
                urllib.request.urlopen(f"{self.url}/ready", timeout=1) as answer,
            ):
                if answer.status == 200:
                    return
            if self.api.poll() is not None:
                break
            time.sleep(0.05)
        raise RuntimeError(self.log.read_text()[-3_000:])

    def start_worker(self) -> None:
        """Start it."""
        self.worker = self._start("worker")

    def _start(self, *command: str) -> "subprocess.Popen[bytes]":
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [*self.program, *command, "--data", str(self.settings.data)],
                env=self.environment,
                stdout=log,
                stderr=log,
            )

    def kill_api(self) -> None:
        """kill -9."""
        assert self.api is not None
        self.api.kill()
        self.api.wait(10)

    def kill_worker(self) -> None:
        """kill -9."""
        assert self.worker is not None
        self.worker.kill()
        self.worker.wait(10)

    def stop(self) -> None:
        """SIGTERM to both."""
        for one in (self.api, self.worker):
            if one is not None and one.poll() is None:
                one.send_signal(signal.SIGTERM)
        for one in (self.api, self.worker):
            if one is not None:
                try:
                    one.wait(15)
                except subprocess.TimeoutExpired:
                    one.kill()
                    one.wait(5)

    def headers(self, role: str, subject: str) -> dict[str, str]:
        """Somebody's bearer token."""
        token = self._tokens.issue(Role(role), subject, tenant=self.settings.tenant)
        return {"Authorization": f"Bearer {token}"}

    def client(self, **more: Any) -> httpx2.AsyncClient:
        """Somebody who talks to it."""
        limits = httpx2.Limits(max_connections=None, max_keepalive_connections=None)
        return httpx2.AsyncClient(
            base_url=self.url, limits=limits, timeout=more.pop("timeout", 15), **more
        )

    async def fill(self) -> None:
        """Open the demo mall in it, before it runs."""
        vault = Vault(
            MasterKeys.load(self.settings.key_folder / "master.json"),
            tenant=self.settings.tenant,
        )
        async with Store(
            self.database.service_url, schema=self.database.schema, vault=vault
        ) as store:
            await open_demo_mall(store, rules_of(self.settings))


@contextmanager
def service_on(
    database: MallDatabase,
    folder: Path,
    *,
    worker: bool = False,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Service]:
    """The service with the demo mall, running."""
    apply_jobs_schema(database.owner_url, SERVICE_ROLE)
    service = Service(database, folder, environment)
    asyncio.run(service.fill())
    try:
        service.start_api()
        if worker:
            service.start_worker()
        yield service
    finally:
        service.stop()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
