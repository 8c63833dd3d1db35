"""指标 What waits and what failed, asked of the database when somebody scrapes (M1, M2).

Jobs, webhooks and policies run in any process; the database knows of all of them, so every
process that is scraped tells the same.
"""

from contextlib import suppress
from typing import Any

from prometheus_client import Gauge
from psycopg import AsyncConnection
from psycopg.errors import UndefinedTable
from psycopg.sql import SQL, Identifier

from application.jobs import queue_depth
from application.loads import loads
from application.policies import ALL, overdue
from application.queries_asked import queries_asked
from application.screening import POLICY as SCREEN_ORDERS

JOBS = Gauge("tallypost_jobs", "Jobs of all tenants that wait, run or are dead.", ["status"])
LATE = Gauge(
    "tallypost_late_commands",
    "Commands of a policy that should have been done by now.",
    ["tenant", "policy"],
)
WEBHOOKS = Gauge("tallypost_webhooks", "Subscriptions by state.", ["tenant", "state"])
WEBHOOK_LAG = Gauge(
    "tallypost_webhook_lag_events",
    "Events that the active subscription furthest behind has not been told of.",
    ["tenant"],
)
WEBHOOK_PARKED = Gauge("tallypost_webhook_parked", "Deliveries given up.", ["tenant"])
WEBHOOK_TRIES = Gauge(
    "tallypost_webhook_tries_5m",
    "Tries of the last five minutes that are still on record, by outcome.",
    ["tenant", "outcome"],
)
WEBHOOK_SECONDS = Gauge(
    "tallypost_webhook_seconds_5m", "Mean time of those tries, by outcome.", ["tenant", "outcome"]
)
REFUNDS = Gauge(
    "tallypost_cash_refunds", "Refunds of cash that have not arrived.", ["tenant", "state"]
)
LOAD = Gauge(
    "tallypost_warehouse_load",
    "Parcels that wait in a warehouse, as a share of what it sends in a day.",
    ["tenant", "warehouse"],
)
WAITING = Gauge("tallypost_waiting_units", "Units that no warehouse had.", ["tenant"])

PARTNER_CALLS = Gauge(
    "tallypost_partner_calls_1h", "Calls to a partner in the last hour.", ["tenant", "partner"]
)
PARTNER_QUICK = Gauge(
    "tallypost_partner_quick_share_1h",
    "Share of them that were answered within 200 ms.",
    ["tenant", "partner"],
)
PARTNER_FAILED = Gauge(
    "tallypost_partner_failed_share_1h", "Share of them that failed.", ["tenant", "partner"]
)
PARTNER_AWAY = Gauge(
    "tallypost_partner_away", "1: nothing it was asked lately was answered.", ["tenant", "partner"]
)
QUERIES = Gauge(
    "tallypost_queries_24h",
    "Queries where parcels are in the last 24 hours; a partner's budget is a day's.",
    ["tenant", "partner"],
)
QUERIES_LEFT = Gauge("tallypost_queries_left", "What is left of them.", ["tenant", "partner"])

OUTCOMES = ("delivered", "failed", "parked", "disabled")


async def gauge(tenant: Any) -> None:
    """Set the gauges of one tenant, and those of the jobs that all tenants share."""
    schema = tenant.schema
    late = {one.policy: one.waiting for one in await overdue(tenant)}
    for policy in (*(one.name for one in ALL), SCREEN_ORDERS):
        LATE.labels(schema, policy).set(late.get(policy, 0))
    async with tenant.pool.connection() as connection:
        states = dict(await _rows(connection, schema, _WEBHOOKS))
        tries = {row[0]: row[1:] for row in await _rows(connection, schema, _TRIES)}
        refunds = dict(await _rows(connection, schema, _REFUNDS))
        ((lag, parked, waiting),) = await _rows(connection, schema, _FIGURES)
        for tracker in tenant.trackers.all:
            asked = await queries_asked(connection, tenant, tracker.name)
            QUERIES.labels(schema, tracker.name).set(asked)
            left = tenant.settings.queries_a_day(tracker.name) - asked
            QUERIES_LEFT.labels(schema, tracker.name).set(max(0, left))
        for load in await loads(connection, schema):
            LOAD.labels(schema, load.warehouse).set(load.waiting / load.capacity)
        with suppress(UndefinedTable):  # a database that was never given the queue
            depth = await queue_depth(connection)
            for status in ("todo", "doing", "failed"):
                JOBS.labels(status).set(depth.get(status, 0))
    for partner in tenant.partner_calls.figures:
        labels = (schema, partner.partner)
        PARTNER_CALLS.labels(*labels).set(partner.calls)
        PARTNER_QUICK.labels(*labels).set(partner.quick / partner.calls)
        PARTNER_FAILED.labels(*labels).set(partner.failed / partner.calls)
        PARTNER_AWAY.labels(*labels).set(partner.away_since is not None)
    for state in ("active", "paused", "disabled"):
        WEBHOOKS.labels(schema, state).set(states.get(state, 0))
    for outcome in OUTCOMES:
        count, seconds = tries.get(outcome, (0, 0.0))
        WEBHOOK_TRIES.labels(schema, outcome).set(count)
        WEBHOOK_SECONDS.labels(schema, outcome).set(seconds)
    for state in ("requested", "failed"):
        REFUNDS.labels(schema, state).set(refunds.get(state, 0))
    WEBHOOK_LAG.labels(schema).set(lag)
    WEBHOOK_PARKED.labels(schema).set(parked)
    WAITING.labels(schema).set(waiting)


async def _rows(connection: AsyncConnection[Any], schema: str, text: Any) -> list[Any]:
    names = ("webhooks", "webhook_parked", "webhook_deliveries", "cash_refunds", "waiting_units",
             "commits")  # fmt: skip
    query = SQL(text).format(**{name: Identifier(schema, name) for name in names})
    return await (await connection.execute(query, prepare=True)).fetchall()


_WEBHOOKS = "SELECT state, count(*) FROM {webhooks} GROUP BY state"
_TRIES = """
SELECT outcome, count(*), (avg(took_ms) / 1000)::float FROM {webhook_deliveries}
WHERE at > now() - interval '5 minutes' GROUP BY outcome
"""
_REFUNDS = "SELECT state, count(*) FROM {cash_refunds} WHERE state <> 'confirmed' GROUP BY state"
_FIGURES = """
SELECT
    coalesce((SELECT max(c.position) FROM {commits} c)
        - (SELECT min(w.position) FROM {webhooks} w WHERE w.state = 'active'), 0),
    (SELECT count(*) FROM {webhook_parked}),
    coalesce((SELECT sum(quantity) FROM {waiting_units}), 0)
"""
