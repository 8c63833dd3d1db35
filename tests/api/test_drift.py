"""Views that differ from the log are seen where people look: health, troubles, metrics (M5)."""

import psycopg
import pytest

from application.jobs import apply_jobs_schema
from application.migrating import SERVICE_ROLE
from application.rules_of import rules_of
from projections.drifting import Watch
from projections.views import all_views
from tests.api.conftest import Mall
from tests.conftest import MallDatabase

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def jobs(database: MallDatabase) -> None:
    """The queue that is among the troubles."""
    apply_jobs_schema(database.owner_url, SERVICE_ROLE)


async def _watched(mall: Mall) -> None:
    watch = Watch(mall.tenant, all_views(rules_of(mall.settings)))
    while (done := await watch.look()) is not None and not done.whole_round:
        pass


async def _seen(mall: Mall) -> tuple[int, int, list[str], str]:
    """(/health's status, rows it counts, what /v1/troubles names, the metric)."""
    health = await mall.client.get("/health")
    listed = await mall.get("/v1/troubles", role="operations", subject="ops")
    places = [one["what"] for one in listed.json()["troubles"] if one["kind"] == "drift"]
    metrics = (await mall.client.get("/metrics")).text.splitlines()
    label = f'tallypost_drift_rows{{tenant="{mall.tenant.schema}"}} '
    (figure,) = [line.removeprefix(label) for line in metrics if line.startswith(label)]
    return health.status_code, health.json()["drift"], places, figure


async def test_a_changed_row_is_seen_when_the_walk_came_by(
    mall: Mall, database: MallDatabase
) -> None:
    """M5: nothing before; then health is sick, the key is listed with its stream, and counted."""
    await mall.order(("notebook", 1))
    await _watched(mall)
    assert await _seen(mall) == (200, 0, [], "0.0")
    with psycopg.connect(database.owner_url) as connection:
        table = f"{database.schema}.balances"
        connection.execute(
            f"UPDATE {table} SET available = available + 1 WHERE learner = 'lin'".encode()
        )
    assert await _seen(mall) == (200, 0, [], "0.0")  # nobody looked yet
    await _watched(mall)
    assert await _seen(mall) == (503, 1, ["balances, learner=lin"], "1.0")
    assert "drift" in (await mall.client.get("/health")).json()["sick"]
    listed = await mall.get("/v1/troubles", role="operations", subject="ops")
    (one,) = [one for one in listed.json()["troubles"] if one["kind"] == "drift"]
    assert one["about"] == {"place": "balances, learner=lin", "stream": "account:lin"}
    assert one["cause"].startswith("available is ")
    assert one["age_seconds"] >= 0
