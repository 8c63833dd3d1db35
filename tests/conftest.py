"""A real PostgreSQL for every test that asks for one, and an end for every test that hangs."""

import asyncio
import functools
import itertools
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil
import psycopg
import pytest
from hypothesis import settings
from psycopg import sql

from application.embedded import EmbeddedPostgres
from application.migrating import SERVICE_ROLE, migrate

# Machines are shared: how long an example takes says nothing about it.
settings.register_profile("tallypost", deadline=None)
settings.load_profile("tallypost")

_serial: Final = itertools.count(1)


@dataclass(frozen=True, slots=True)
class MallDatabase:
    """One migrated tenant of its own: the same database, another schema for every test."""

    owner_url: str
    service_url: str
    schema: str


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """`@pytest.mark.anyio` runs a coroutine on the loop that production uses."""
    return "asyncio", {"use_uvloop": True}


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> None:
    """End a coroutine that hangs where it waits, so that its traceback says on what.

    uvloop swallows what a signal's handler raises, so pytest-timeout could only end the process;
    that it does (`timeout_method`), five seconds later, is for what doesn't heed cancelling.
    """
    test = pyfuncitem.obj
    if not asyncio.iscoroutinefunction(test):
        return
    mark = pyfuncitem.get_closest_marker("timeout")
    seconds = float(mark.args[0] if mark else pyfuncitem.config.getini("timeout"))

    @functools.wraps(test)
    async def ended(**arguments: Any) -> None:
        async with asyncio.timeout(seconds - 5):
            await test(**arguments)

    pyfuncitem.obj = ended


@pytest.fixture
def data_folder() -> Iterator[Path]:
    """An empty data folder that root's server account can reach; pytest's own are closed to it."""
    folder = Path(tempfile.mkdtemp(prefix="tallypost-")) / "data"
    folder.parent.chmod(0o711)
    yield folder
    shutil.rmtree(folder.parent)


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """One server per process of pytest, started by the first test that needs it."""
    folder = Path(tempfile.mkdtemp(prefix="tallypost-"))
    try:
        with EmbeddedPostgres(folder) as server:
            yield server
            # Writing down hundreds of dropped schemas takes half a minute, to be thrown away.
            with psycopg.connect(server.url()) as connection:
                postmaster = psutil.Process(connection.info.backend_pid).ppid()
                os.kill(postmaster, signal.SIGQUIT)
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def database(postgres: EmbeddedPostgres) -> Iterator[MallDatabase]:
    """A fresh, migrated schema, dropped afterwards."""
    schema = f"mall_{os.getpid()}_{next(_serial)}"
    owner_url = postgres.url()
    migrate(owner_url, schema)
    yield MallDatabase(owner_url, postgres.url(SERVICE_ROLE), schema)
    with psycopg.connect(owner_url) as connection:
        # What a test left open must not make it hang here: a lock that isn't had is an error.
        connection.execute("SET lock_timeout = '10s'")
        for name in (schema, f"{schema}_keys"):
            connection.execute(
                sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(name))
            )
