"""服务 Processes: the embedded or given PostgreSQL, the API, the worker, and their supervisor."""

import asyncio
import logging
import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import NamedTuple

import httpx2
import psycopg
import uvicorn
import uvloop

from api.app import create_app
from api.commands.refolding import outdated_views, refold
from api.edge import Impatient
from api.ports import claimed
from api.sandbox.agora import signalling
from api.sandbox.labels import account
from api.sandbox.third_party import third_parties
from api.sandbox.wecom import robot
from api.tenancy import Tenants
from application.asking_intercepts import InterceptRequests
from application.asking_partners import Asking
from application.attaching import attach_or_start
from application.finding import note_names
from application.guarding import refuse_unsafe
from application.jobs import apply_jobs_schema
from application.migrating import SERVICE_ROLE, migrate, pending
from application.ordering_labels import LabelOrders
from application.pushed_tracks import claim
from application.pushing_consignments import Consignments
from application.querying import Querying
from application.reactions import again_and_again, run_reactions
from application.rules_of import rules_of
from application.settings import Settings
from application.signaling import Signals
from application.telling_staff import TellingStaff
from application.tuning import tune
from domain.house_rules import HouseRules
from projections.drifting import Watch
from projections.rehearsing import Rehearser
from projections.runner import Reader
from projections.troubles import troubles
from projections.views import all_views
from projections.weeks import WeekReviewer

logger = logging.getLogger(__name__)

ASK_SECONDS = 1.0
REHEARSE_SECONDS = 1.0
NAME_SECONDS = 2.0
QUERY_SECONDS = 30.0
"""A receipt is confirmed, and a silence asked about, soon after it is possible."""
ALERT_SECONDS = 15.0
"""What comes up within it is told in one message (N1)."""
REVIEW_SECONDS = 300.0
"""The week that is over is reviewed minutes after Monday began (T9)."""
SIGNAL_SECONDS = 0.2
"""A learner's app hears of a scan within a second (T3)."""
GRACE_SECONDS = 8
"""How long requests under way may take after SIGTERM (R08: gone within 10 s)."""
ANSWER_SECONDS = 10
"""How long a given database may take to let us in when a command begins."""
READY_SECONDS = 60.0
"""How long the API may take to answer before its address is told all the same."""
STARTS_MAX = 5
STARTS_SECONDS = 60.0
"""A process that was started so often in this time will not come up by being started again."""


class Database(NamedTuple):
    """Where PostgreSQL is, for each of the two logins."""

    service_url: str
    owner_url: str


class NotMigrated(Exception):
    """The schema is not what this code needs: run `tallypost migrate` as the owner."""

    def __init__(self, tenant: str) -> None:
        super().__init__(f"The schema {tenant} is not up to date: run `tallypost migrate`.")


class WrongDatabase(Exception):
    """What a command was pointed to is no database of ours; the message says what to change."""


@contextmanager
def database(settings: Settings, *, owner: bool = False, kept: bool = False) -> Iterator[Database]:
    """The given PostgreSQL, or the embedded one in the data folder: attached to or started.

    With `kept`, an embedded one that ends meanwhile is started again. Raises `WrongDatabase` where
    the given one does not answer the service login, or, with `owner`, the owner's.
    """
    if settings.database_url is not None:
        found = Database(settings.database_url, settings.owner_url or settings.database_url)
        if owner and settings.owner_url is not None:
            _must_answer(found.owner_url, "DATABASE_OWNER_URL")
        else:
            _must_answer(found.service_url, "DATABASE_URL")
        yield found
        return
    with attach_or_start(settings.data / "postgres", kept=kept) as url:
        yield Database(_as_service(url), url)


@contextmanager
def database_there(settings: Settings, *, owner: bool = False) -> Iterator[Database]:
    """The same for commands that look at what is there: where nothing is, nothing is made.

    Raises `WrongDatabase` where no mall is in it, `NotMigrated` where an older one is.
    """
    if settings.database_url is None and not (settings.data / "postgres").exists():
        raise WrongDatabase(
            f"No mall is in {settings.data}: name its folder with --data, or make one there with"
            " `tallypost serve`."
        )
    with database(settings, owner=owner) as found:
        if pending(found.service_url, settings.tenant):
            raise NotMigrated(settings.tenant)
        yield found


def _must_answer(url: str, setting: str) -> None:
    try:
        psycopg.connect(url, connect_timeout=ANSWER_SECONDS).close()
    except psycopg.ProgrammingError:
        # What it says may quote the password.
        raise WrongDatabase(
            f"{setting} is no address of a database: postgresql://login:password@host:port/name"
        ) from None
    except psycopg.OperationalError as error:
        why = " ".join(str(error).split())
        raise WrongDatabase(f"The database of {setting} does not let us in: {why}") from None


def _as_service(owner_url: str) -> str:
    scheme, _, rest = owner_url.partition("://")
    return f"{scheme}://{SERVICE_ROLE}@{rest.partition('@')[2]}"


def tenants_of(settings: Settings) -> list[str]:
    """The schemas of all tenants that are set."""
    return list(dict.fromkeys([settings.tenant, *settings.tenants.values()]))


def prepare(settings: Settings, found: Database) -> None:
    """Bring the embedded database up to date; refuse a given one that is not, or not safe (R10).

    Views that other code folded are folded anew in the embedded one, and only told of in a given
    one: `tallypost migrate` does it there, as the owner.
    """
    for tenant in tenants_of(settings):
        if settings.database_url is None:
            migrate_all(found.owner_url, tenant)
            refold(found.owner_url, schema=tenant, rules=rules_of(settings.of(tenant)))
            continue
        if pending(found.service_url, tenant):
            raise NotMigrated(tenant)
        if old := outdated_views(
            found.service_url, schema=tenant, rules=rules_of(settings.of(tenant))
        ):
            names = ", ".join(view.name for view in old)
            logger.warning("other code folded %s of %s: run `tallypost migrate`", names, tenant)
    refuse_unsafe(found.service_url, tenants_of(settings))


def migrate_all(owner_url: str, tenant: str) -> list[str]:
    """Bring a tenant's schema and the queue of jobs up to date; returns what was applied."""
    applied = migrate(owner_url, tenant)
    return [*applied, *(f"jobs/{name}" for name in apply_jobs_schema(owner_url, SERVICE_ROLE))]


class Stoppable(uvicorn.Server):
    """A server that ends live streams before it waits for its connections (R08)."""

    def handle_exit(self, sig: int, frame: object) -> None:
        """Told to stop."""
        app = self.config.app
        app.state.stopping = True  # type: ignore[union-attr]
        for tenant in app.state.tenants.opened:  # type: ignore[union-attr]
            tenant.live.send_all_away()
        super().handle_exit(sig, frame)  # type: ignore[arg-type]


def run_api(settings: Settings, url: str, *, host: str, port: int) -> None:
    """Serve the API until told to stop; raises `PortRefused` where the port is somebody else's."""
    tune()
    with claimed((host, port, "where the API was to be")):
        pass
    app = create_app(settings, url)
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        loop="uvloop",
        http=Impatient,
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=GRACE_SECONDS,
        timeout_keep_alive=75,
        server_header=False,
        proxy_headers=False,
    )
    Stoppable(config).run()


def run_worker(settings: Settings, url: str) -> None:
    """Keep the views up to date and do what is due, until told to stop."""
    tune()
    uvloop.run(_work(settings, url))


async def _work(settings: Settings, url: str) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for one in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(one, stop.set)
    async with Tenants(settings, url) as tenants:
        houses = {name: await tenants.named(name) for name in tenants_of(settings)}
        async with asyncio.TaskGroup() as tasks:
            for name, house in houses.items():
                reader = Reader(url, schema=name, views=all_views(house.rules))
                tasks.create_task(reader.follow(stop), name=f"views of {name}")
                telling = TellingStaff(house, house.partners, partial(troubles, house))
                calling: list[tuple[str, Callable[[], Awaitable[object]], float]] = [
                    ("asking partners", Asking(house, house.partners).ask, ASK_SECONDS),
                    ("querying carriers", Querying(house, house.partners).query, QUERY_SECONDS),
                    ("labels", LabelOrders(house, house.partners).ask, ASK_SECONDS),
                    ("interceptions", InterceptRequests(house, house.partners).ask, ASK_SECONDS),
                    ("pushes kept", partial(claim, house), ASK_SECONDS),
                    ("third parties", Consignments(house, house.partners).ask, ASK_SECONDS),
                    ("alerts", telling.tell, ALERT_SECONDS),
                    ("names of cards", partial(note_names, house), NAME_SECONDS),
                    ("rehearsals", Rehearser(house, url, stop).run, REHEARSE_SECONDS),
                    ("weekly reviews", WeekReviewer(house).look, REVIEW_SECONDS),
                    ("signals", Signals(house, house.partners).push, SIGNAL_SECONDS),
                ]
                if settings.drift_seconds:
                    watch = Watch(house, all_views(house.rules))
                    calling.append(("comparing views", watch.look, settings.drift_seconds))
                for what, do, every in calling:
                    again = again_and_again(stop, do, what=f"{what} of {name}", every=every)
                    tasks.create_task(again, name=f"{what} of {name}")
            reactions = run_reactions(
                stop,
                conninfo=url,
                houses=houses,
                loopback_webhooks=settings.loopback_webhooks,
            )
            tasks.create_task(reactions, name="reactions")


def supervise(
    settings: Settings,
    *,
    host: str,
    port: int,
    workers: int,
    sandbox: bool,
    opened: Callable[[Database], None],
    ready: Callable[[], None],
) -> int:
    """Run database, API and worker; a child that dies is started again. Returns the exit code.

    `opened` is called once the database is ready and migrated, `ready` once the API answers, or did
    not for so long that its address has to be told all the same. With `sandbox`, the partners are
    played on the next port, unless others are set. Raises `PortRefused` before all that where
    somebody else has one of the two.
    """
    ports = [(host, port, "where Tallypost was to be")]
    if sandbox:
        ports.append(("127.0.0.1", port + 1, "where the sandbox was to play the partners"))
    with ExitStack() as stack:
        with claimed(*ports):
            found = stack.enter_context(database(settings, kept=True))
            prepare(settings, found)
            opened(found)
        environment = {**os.environ, "DATABASE_URL": found.service_url}
        if sandbox:
            partners = f"http://127.0.0.1:{port + 1}"
            environment.setdefault("TALLYPOST_PAYMENT_URL", partners)
            environment.setdefault("TALLYPOST_KUAIDI100_URL", partners)
            environment.setdefault("TALLYPOST_LOOPBACK_WEBHOOKS", "true")
            if settings.rules == HouseRules():  # the sandbox's scans are seconds apart
                environment.setdefault("TALLYPOST_RULES", '{"province_crossing": "PT0.001S"}')
            for setting, value in _played(partners).items():
                environment.setdefault(f"TALLYPOST_{setting}", value)
        program = [sys.executable, "-m", "api.command_line"]
        data = ["--data", str(settings.data)]
        commands = [
            [*program, "api", "--host", host, "--port", str(port), *data],
            *[[*program, "worker", *data]] * workers,
            *([[*program, "sandbox", "--port", str(port + 1), *data]] if sandbox else []),
        ]
        return _watch(commands, environment, at=f"http://{host}:{port}", ready=ready)


def _begun(command: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """A child that Ctrl-C, which reaches all of a terminal, does not end while it still imports."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return subprocess.Popen(command, env=environment)
    finally:
        signal.signal(signal.SIGINT, before)


def _answers(at: str) -> bool:
    try:
        return httpx2.get(f"{at}/ready", timeout=1.0, trust_env=False).is_success
    except httpx2.HTTPError:
        return False


def _played(url: str) -> dict[str, str]:
    """Settings with which a house finds its partners in the sandbox."""
    return {**account(url), **robot(url), **signalling(url), **third_parties(url)}


def _watch(
    commands: list[list[str]], environment: dict[str, str], *, at: str, ready: Callable[[], None]
) -> int:
    stopping = False

    def stop(*_: object) -> None:
        nonlocal stopping
        stopping = True

    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, stop)
    children = [_begun(command, environment) for command in commands]
    waits_until: float | None = time.monotonic() + READY_SECONDS
    started = [deque([time.monotonic()], maxlen=STARTS_MAX) for _ in children]
    try:
        while not stopping:
            for number, child in enumerate(children):
                if child.poll() is None:
                    continue
                starts, now = started[number], time.monotonic()
                if len(starts) == STARTS_MAX and now - starts[0] < STARTS_SECONDS:
                    logger.error("a process ends again and again: %s", commands[number][3])
                    return child.returncode or 1
                logger.warning("a process ended and is started again: %s", commands[number][3])
                children[number] = _begun(commands[number], environment)
                starts.append(now)
            if waits_until is not None and (_answers(at) or time.monotonic() > waits_until):
                waits_until = None
                ready()
            time.sleep(0.2)
        return 0
    finally:
        for child in children:
            child.terminate()
        for child in children:
            try:
                child.wait(GRACE_SECONDS + 2)
            except subprocess.TimeoutExpired:
                child.kill()
