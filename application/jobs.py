"""任务 Deferred work that nobody waits for, in procrastinate's queue (design.md, Reactions).

The queue lives in the schema `jobs` of the same database, one for all tenants; a job names its
tenant. What somebody waits for within seconds is not here: deadlines are swept and webhooks told
by loops that read their state from the database (`application/reactions.py`;
docs/decisions/0004-three-ways-to-react.md). Jobs run at least once and are harmless twice.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, NamedTuple, cast

import psycopg
from procrastinate import App, JobContext, PsycopgConnector, RetryStrategy
from procrastinate.exceptions import ConnectorException
from procrastinate.schema import SchemaManager, migrations_path
from psycopg import AsyncConnection, sql

from application.asking_partners import Asker
from application.billing import match_again
from application.compounds import BATCH as COMPOUNDS
from application.compounds import note_compounds
from application.delays import DELAYS
from application.ending import ended, heed
from application.house import House
from application.links import LINK
from application.migrating import LOCK
from application.partner_calls import forget_calls
from application.policies import BY_THE_HOUR
from application.pushed_tracks import forget_unclaimed
from application.queries_asked import Outcome, forget_queries
from application.querying import Querying
from application.retention import forget_all
from application.subscriptions import Subscriptions
from application.sweeping import Policy, sweep
from application.volumes import count_volumes
from application.waves import release_at_cutoff

logger = logging.getLogger(__name__)

SCHEMA = "jobs"
QUEUE = "house"
POLL_SECONDS = 5.0
RETRY = RetryStrategy(max_attempts=8, exponential_wait=4)
"""Tries after 4 s, 16 s, … 18 h: about a day in all, then the job is dead and visible."""
KEPT_HOURS = 72
"""How long jobs that succeeded are kept; dead ones stay until somebody looked."""
STALLED_AFTER_SECONDS = 60
GRACE_SECONDS = 8.0
RESTART_SECONDS = 2.0


class DeadJob(NamedTuple):
    """A job that failed for good."""

    id: int
    task: str
    arguments: dict[str, Any]
    attempts: int
    failed_at: datetime | None


def apply_jobs_schema(owner_url: str, service_role: str) -> list[str]:
    """Create or upgrade the queue's schema, as owner; returns the migrations that ran.

    Whole or not at all, one process at a time, and nothing when there is nothing to do. A new
    queue is the library's schema as it is; an older one gets the library's own migrations.
    """
    schema = sql.Identifier(SCHEMA)
    with psycopg.connect(owner_url) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(schema))
        connection.execute(sql.SQL("SET LOCAL search_path TO {}").format(schema))
        connection.execute(
            "CREATE TABLE IF NOT EXISTS applied_migrations (name text PRIMARY KEY,"
            " applied_at timestamptz NOT NULL DEFAULT clock_timestamp())"
        )
        applied = {name for (name,) in connection.execute("SELECT name FROM applied_migrations")}
        shipped = sorted(path.name for path in migrations_path.glob("*.sql"))
        outstanding = [name for name in shipped if name not in applied]
        if not applied:
            connection.execute(SchemaManager.get_schema())
        else:
            for name in outstanding:
                text = (migrations_path / name).read_text(encoding="utf-8")
                connection.execute(text.encode())
        connection.cursor().executemany(
            "INSERT INTO applied_migrations (name) VALUES (%s)", [(name,) for name in outstanding]
        )
        connection.execute(
            sql.SQL(
                "GRANT USAGE ON SCHEMA {schema} TO {role};"
                "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role};"
                "GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {role};"
                "REVOKE INSERT, UPDATE, DELETE ON {schema}.applied_migrations FROM {role}"
            ).format(schema=schema, role=sql.Identifier(service_role))
        )
    return outstanding


def make_app(conninfo: str, tenants: Sequence[str]) -> App:
    """The queue with all its tasks; periodic ones once for each tenant."""

    async def configure(connection: AsyncConnection[Any]) -> None:
        await connection.execute(sql.SQL("SET search_path TO {}").format(sql.Identifier(SCHEMA)))
        await connection.commit()

    connector = PsycopgConnector(
        conninfo=conninfo, min_size=1, max_size=4, timeout=5.0, configure=configure, kwargs=LINK
    )
    app = App(connector=connector)
    for task in (
        release_waves,
        sweep_by_the_hour,
        tell_of_delays,
        compare_tracks,
        note_places,
        match_bills,
        note_volumes,
        tidy_webhooks,
        let_go,
    ):
        registered = app.task(name=task.__name__, queue=QUEUE, retry=RETRY, pass_context=True)(task)
        for tenant in tenants:
            lock = f"{task.__name__}:{tenant}"
            app.periodic(
                cron=CRONS[task],
                periodic_id=tenant,
                lock=lock,
                queueing_lock=lock,
                task_kwargs={"tenant": tenant},
            )(registered)
    for own in (retry_stalled, remove_old_jobs):
        registered_own = app.task(name=own.__name__, queue=QUEUE, pass_context=True)(own)
        app.periodic(cron=CRONS[own], queueing_lock=own.__name__)(registered_own)
    return app


async def release_waves(context: JobContext, timestamp: int, *, tenant: str) -> None:
    """Warehouses whose cut-off has come get what waits for them (S5)."""
    await release_at_cutoff(_house(context, tenant))


async def sweep_by_the_hour(context: JobContext, timestamp: int, *, tenant: str) -> None:
    """Deadlines nobody waits for: orders leave their customers' sight (O3)."""
    await _sweep(_house(context, tenant), BY_THE_HOUR)


async def tell_of_delays(context: JobContext, timestamp: int, *, tenant: str) -> None:
    """Learners hear of what keeps their parcels, carriers are asked about them (T5)."""
    await _sweep(_house(context, tenant), DELAYS)


async def compare_tracks(context: JobContext, timestamp: int, *, tenant: str) -> None:
    """Parcels that are neither silent nor signed, held against what their source says (T2)."""
    house = cast("Asker", _house(context, tenant))
    came = await Querying(house, house.partners).compare()
    if came.get(Outcome.REPAIRED):
        logger.warning("%s tracks lacked scans that were never pushed", came[Outcome.REPAIRED])


async def note_places(context: JobContext, timestamp: int, *, tenant: str) -> None:
    """Which compounds parcels went to, by keyed hash (T9)."""
    while await note_compounds(_house(context, tenant)) == COMPOUNDS:
        pass


async def match_bills(context: JobContext, timestamp: int, *, tenant: str) -> None:
    """Bills of late compared once more with what the house knows by now (W6)."""
    await match_again(_house(context, tenant), at=str(timestamp))


async def note_volumes(context: JobContext, timestamp: int, *, tenant: str) -> None:
    """What was sent with each carrier in the month before (W3)."""
    await count_volumes(_house(context, tenant), run=str(timestamp))


async def _sweep(house: House, policies: Sequence[Policy]) -> None:
    for policy in policies:
        swept = await sweep(house, policy)
        if swept.undecided:
            raise RuntimeError(f"{policy.name}: {swept.undecided} commands are undecided")


async def tidy_webhooks(context: JobContext, timestamp: int, *, tenant: str) -> None:
    """Forget old tries and old answers of webhooks."""
    house = _house(context, tenant)
    async with house.pool.connection() as connection:
        subscriptions = Subscriptions(connection, schema=house.schema, vault=house.vault)
        await subscriptions.tidy(now=house.store.clock())


async def let_go(context: JobContext, timestamp: int, *, tenant: str) -> None:
    """Delete personal data whose time is over (rules.md 30)."""
    await forget_all(_house(context, tenant))
    await forget_unclaimed(_house(context, tenant))
    await forget_queries(_house(context, tenant))
    await forget_calls(_house(context, tenant))


async def retry_stalled(context: JobContext, timestamp: int) -> None:
    """Take up again what a worker that was killed left in the middle."""
    manager = context.app.job_manager
    for job in await manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_AFTER_SECONDS):
        await manager.retry_job(job)


async def remove_old_jobs(context: JobContext, timestamp: int) -> None:
    """Forget jobs that succeeded; dead ones stay."""
    await context.app.job_manager.delete_old_jobs(nb_hours=KEPT_HOURS)


CRONS: dict[Callable[..., Any], str] = {
    release_waves: "* * * * *",
    sweep_by_the_hour: "7 * * * *",
    tell_of_delays: "*/5 * * * *",
    compare_tracks: "*/30 * * * *",
    note_places: "47 * * * *",
    match_bills: "27 * * * *",
    note_volumes: "3 * * * *",
    tidy_webhooks: "37 * * * *",
    let_go: "57 * * * *",
    retry_stalled: "* * * * *",
    remove_old_jobs: "17 * * * *",
}


def _house(context: JobContext, tenant: str) -> House:
    houses: Mapping[str, House] = context.additional_context["houses"]
    return houses[tenant]


async def run_worker(stop: asyncio.Event, *, conninfo: str, houses: Mapping[str, House]) -> None:
    """Run jobs until told to stop; an outage of the database is waited out."""
    while not stop.is_set():
        app = make_app(conninfo, list(houses))
        try:
            async with app.open_async():
                await _work(app, stop, houses)
        except (psycopg.Error, ConnectorException, OSError) as error:
            logger.warning("the jobs wait for the database: %s", type(error).__name__)
        heed()
        if not stop.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), RESTART_SECONDS)


async def _work(app: App, stop: asyncio.Event, houses: Mapping[str, House]) -> None:
    worker = asyncio.create_task(
        app.run_worker_async(
            queues=[QUEUE],
            concurrency=2,
            install_signal_handlers=False,
            # Polling is enough for hourly work, and saves a connection (reliability.md 2.10).
            listen_notify=False,
            fetch_job_polling_interval=POLL_SECONDS,
            shutdown_graceful_timeout=GRACE_SECONDS,
            additional_context={"houses": houses},
        ),
        name="jobs",
    )
    told = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({worker, told}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        told.cancel()
        await ended(worker, patience=GRACE_SECONDS + RESTART_SECONDS)


async def dead_jobs(connection: AsyncConnection[Any], *, limit: int = 100) -> list[DeadJob]:
    """Jobs that failed for good, newest first (M5)."""
    cursor = await connection.execute(_DEAD, (limit,))
    return [DeadJob(*row) for row in await cursor.fetchall()]


async def queue_depth(connection: AsyncConnection[Any]) -> dict[str, int]:
    """How many jobs wait, run and are dead (M1)."""
    return dict(await (await connection.execute(_DEPTH)).fetchall())


_DEAD = """
SELECT j.id, j.task_name, j.args, j.attempts,
    (SELECT max(e.at) FROM jobs.procrastinate_events e WHERE e.job_id = j.id)
FROM jobs.procrastinate_jobs j WHERE j.status = 'failed' ORDER BY j.id DESC LIMIT %s
"""
_DEPTH = """
SELECT status::text, count(*) FROM jobs.procrastinate_jobs
WHERE status IN ('todo', 'doing', 'failed') GROUP BY status
"""
