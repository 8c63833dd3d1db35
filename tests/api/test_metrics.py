"""What Prometheus is told of webhooks, jobs and money (M1, M2)."""

import re

import pytest

from application.jobs import apply_jobs_schema
from application.migrating import SERVICE_ROLE
from tests.api.conftest import Mall
from tests.conftest import MallDatabase

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def jobs(database: MallDatabase) -> None:
    """The queue is there."""
    apply_jobs_schema(database.owner_url, SERVICE_ROLE)


async def figures(mall: Mall) -> dict[str, float]:
    """Each sample by its name and labels but the tenant's."""
    await mall.views()
    text = (await mall.client.get("/metrics")).text
    schema = mall.tenant.schema
    pairs = re.findall(r"^(tallypost_\w+(?:{[^}]*})?) (\S+)$", text, re.MULTILINE)
    told = re.compile(f',?tenant="{schema}"')
    return {
        told.sub("", name).replace("{,", "{").replace("{}", ""): float(value)
        for name, value in pairs
        if "tenant" not in name or schema in name
    }


async def test_every_figure_is_there_when_nothing_is_wrong(mall: Mall) -> None:
    """M1, M2: zero is told, too; a figure that is missing would alarm nobody."""
    found = await figures(mall)
    for name in (
        'tallypost_jobs{status="todo"}',
        'tallypost_jobs{status="failed"}',
        'tallypost_webhooks{state="active"}',
        'tallypost_webhook_tries_5m{outcome="delivered"}',
        'tallypost_webhook_tries_5m{outcome="failed"}',
        "tallypost_webhook_lag_events",
        "tallypost_webhook_parked",
        'tallypost_cash_refunds{state="failed"}',
        'tallypost_late_commands{policy="cancel_unpaid_orders"}',
        "tallypost_waiting_units",
    ):
        assert name in found, name


async def test_webhooks_are_counted_when_they_succeed_fail_and_fall_behind(mall: Mall) -> None:
    """M2: tries by outcome with their mean time, what was given up, and how far behind."""
    schema = mall.tenant.schema
    async with mall.tenant.pool.connection() as connection:
        await connection.execute(
            f"INSERT INTO {schema}.webhooks (id, owner, url, patterns, sealed_secret, state,"
            " position, next_at, created_at)"
            " VALUES ('w1', 'o', 'u', '{*}', '', 'active', 0, now(), now()),"
            " ('w2', 'o', 'u', '{*}', '', 'disabled', 0, now(), now())"
        )
        await connection.execute(
            f"INSERT INTO {schema}.webhook_deliveries"
            " (webhook, position, fact, attempt, at, outcome, took_ms) VALUES"
            " ('w1', 1, 'f', 1, now(), 'delivered', 100),"
            " ('w1', 2, 'f', 1, now(), 'delivered', 300),"
            " ('w1', 3, 'f', 1, now(), 'failed', 5000),"
            " ('w1', 4, 'f', 1, now() - interval '1 hour', 'failed', 1)"
        )
        await connection.execute(
            f"INSERT INTO {schema}.webhook_parked VALUES ('w1', 3, 'f', 'gone', now())"
        )
    found = await figures(mall)
    assert found['tallypost_webhooks{state="active"}'] == 1
    assert found['tallypost_webhooks{state="disabled"}'] == 1
    assert found['tallypost_webhook_tries_5m{outcome="delivered"}'] == 2
    assert found['tallypost_webhook_seconds_5m{outcome="delivered"}'] == 0.2
    assert found['tallypost_webhook_tries_5m{outcome="failed"}'] == 1
    assert found["tallypost_webhook_parked"] == 1
    assert found["tallypost_webhook_lag_events"] == mall.tenant.store.position
