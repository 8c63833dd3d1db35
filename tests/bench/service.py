"""The real service for runs on real data: API and worker on a PostgreSQL of their own."""

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from api.auth import Role, Tokens
from api.serving import database
from application.callback_links import CallbackLinks
from application.settings import Settings
from tests.bench.wire import Mall, Wire

ROOT = Path(__file__).parents[2]
REAL_DATA = Path(os.environ.get("TALLYPOST_DATA") or ROOT.parent / "shared" / "data")
PROGRAM = (sys.executable, "-m", "api.command_line")
START_SECONDS = 120
VIEW_SECONDS = 900


@dataclass(frozen=True, slots=True)
class Running:
    """A service that answers."""

    port: int
    settings: Settings
    environment: Mapping[str, str]
    """What its processes run with: a deployment's figures, and no settings of ours."""

    @asynccontextmanager
    async def mall(self) -> AsyncIterator[Mall]:
        """Somebody with a token for each role."""
        tokens = Tokens.in_folder(self.settings.key_folder)
        issued = {
            role.value: tokens.issue(role, "real-data", tenant=self.settings.tenant)
            for role in Role
        }
        async with Wire("127.0.0.1", self.port) as wire:
            yield Mall(wire, issued)

    @property
    def links(self) -> CallbackLinks:
        """What the service tells carriers about where to push, and with which salt."""
        return CallbackLinks.in_folder(
            self.settings.key_folder,
            tenant=self.settings.tenant,
            public_url=self.settings.public_url,
        )


@contextmanager
def service(environment: Mapping[str, str] | None = None) -> Iterator[Running]:
    """Start it in a folder that is thrown away; `environment` holds a deployment's settings."""
    folder = Path(tempfile.mkdtemp(prefix="tallypost-real-"))
    # The embedded server runs under an account of its own where we are root.
    folder.chmod(0o711)
    data, port = folder / "data", _free_port()
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("TALLYPOST_", "DATABASE_"))
    }
    mine = {**inherited, **(environment or {}), "TALLYPOST_PUBLIC_URL": f"http://127.0.0.1:{port}"}
    command = [*PROGRAM, "serve", "--no-demo", "--port", str(port), "--data", str(data)]
    log = folder / "service.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=mine, cwd=ROOT, stdout=output, stderr=output)
    try:
        _await_ready(port, process, log)
        yield Running(port, _settings(data, mine), mine)
    except BaseException:
        logged = [line for line in log.read_text().splitlines() if line.startswith("{")]
        print("--- the service's log ---", *logged[-20:], sep="\n", file=sys.stderr)
        raise
    finally:
        process.terminate()
        process.wait(60)
        shutil.rmtree(folder, ignore_errors=True)


def _settings(data: Path, environment: Mapping[str, str]) -> Settings:
    """The settings as the service's processes read them from their environment."""
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(environment)
    try:
        return Settings(data=data)
    finally:
        os.environ.clear()
        os.environ.update(before)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _await_ready(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    give_up_at = time.monotonic() + START_SECONDS
    while time.monotonic() < give_up_at:
        if process.poll() is not None:
            raise SystemExit(f"the service ended: {log.read_text()[-2_000:]}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=2) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise SystemExit("the service does not get ready")


async def views_caught_up(mall: Mall) -> float:
    """Wait until every view is where the log is; returns how long that took."""
    started = time.monotonic()
    while time.monotonic() - started < VIEW_SECONDS:
        status, content = await mall.sender.send("GET", "/health", headers={}, body=None)
        if status == 200 and b'"lag":0' in content:
            report = await mall.get("/health")
            if report["views"] and all(view["lag"] == 0 for view in report["views"]):
                return time.monotonic() - started
        await asyncio.sleep(0.3)
    raise SystemExit(f"the views do not catch up: {content.decode()}")


def verified(running: Running) -> bool:
    """Run `tallypost verify` beside the service and print what it says (A2, M5)."""
    started = time.monotonic()
    command = [*PROGRAM, "verify", "--data", str(running.settings.data)]
    done = subprocess.run(
        command,
        env=running.environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    # Its progress is of no interest, but for where it ended without a finding.
    said = (done.stdout or done.stderr[-1000:]).splitlines()[:20]
    verdict = "clean" if done.returncode == 0 else f"exit status {done.returncode}"
    print(f"tallypost verify: {verdict} in {time.monotonic() - started:.1f} s", *said, sep="\n  ")
    return done.returncode == 0


def trial_balance(running: Running) -> bool:
    """Print the sums of the double entry and whether they are in balance (L6; rules.md 18)."""
    names = ("issuance", "available", "held", "redeemed", "expired", "clawed_back", "owed")
    total = sql.SQL(" + ").join(map(sql.Identifier, names))
    query = sql.SQL(
        "SELECT count(*), {sums}, count(*) FILTER (WHERE {total} <> 0) FROM {entries}"
    ).format(
        sums=sql.SQL(", ").join(sql.SQL("sum({})").format(sql.Identifier(n)) for n in names),
        total=total,
        entries=sql.Identifier(running.settings.tenant, "ledger_entries"),
    )
    with database(running.settings) as found, psycopg.connect(found.owner_url) as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    count, *sums, crooked = row
    figures = ", ".join(
        f"{name} {int(value or 0):,}" for name, value in zip(names, sums, strict=True)
    )
    print(f"trial balance of {count:,} entries: {figures}; sum {sum(sums):,}, {crooked} crooked")
    return crooked == 0 and sum(sums) == 0


def told(title: str, figures: Mapping[str, object]) -> None:
    """Print a block of figures."""
    print(f"\n{title}")
    width = max(map(len, figures), default=0)
    for name, value in figures.items():
        text = f"{value:,}" if isinstance(value, int) else str(value)
        print(f"  {name:<{width}}  {text}", flush=True)


def rate(count: int, seconds: float) -> str:
    """So many in so long."""
    return f"{count:,} in {seconds:.1f} s = {count / max(seconds, 1e-9):,.0f}/s"
