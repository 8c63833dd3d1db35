"""How partners answer is counted by all processes, and who is away is told (M1, M2)."""

import httpx2
import psycopg
import pytest

from application.jobs import apply_jobs_schema
from application.migrating import SERVICE_ROLE
from application.partner_calls import AWAY_AFTER, PartnerCalls
from tests.api.conftest import Mall
from tests.conftest import MallDatabase

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def jobs(database: MallDatabase) -> None:
    """The queue is there."""
    apply_jobs_schema(database.owner_url, SERVICE_ROLE)


async def told(mall: Mall) -> dict[str, dict[str, object]]:
    """The partners as staff see them, by name."""
    await mall.tenant.partner_calls.look()
    answer = (await mall.get("/v1/targets", role="operations", subject="ops")).json()
    return {one["partner"]: one for one in answer["partners"]}


async def troubles(mall: Mall) -> list[dict[str, object]]:
    """What is stuck because a partner is away."""
    answer = (await mall.get("/v1/troubles", role="operations", subject="ops")).json()
    return [one for one in answer["troubles"] if one["kind"] == "partner_away"]


async def test_calls_of_all_processes_are_one_figure(mall: Mall) -> None:
    """M1: shares of answers in time and of errors, beside their targets."""
    ours = mall.tenant.partner_calls
    another = PartnerCalls(mall.tenant.pool, schema=mall.tenant.schema)
    for calls in (ours, another):
        calls.note("kuaidi100", 0.05, None)
        calls.note("kuaidi100", 0.35, None)
    another.note("kuaidi100", 1.0, "ReadTimeout")
    await another.look()
    one = (await told(mall))["kuaidi100"]
    assert one["calls"] == 5
    assert one["mean_seconds"] == pytest.approx(1.8 / 5)
    assert one["cause"] == "ReadTimeout"
    assert one["away_since"] is None
    assert one["targets"] == [
        {"name": "answers_within_200_ms", "value": 0.4, "target": 0.99, "met": None},
        {"name": "errors", "value": 0.2, "target": 0.001, "met": None},
    ]


@pytest.mark.parametrize(
    ("good", "slow", "failed", "met"),
    [
        (0, 0, 1, [None, None]),
        (14, 0, 5, [None, None]),  # nineteen judge nobody
        (16, 4, 0, [None, True]),  # nor do four
        (15, 5, 0, [False, True]),
        (15, 0, 5, [False, False]),
        (20, 0, 0, [True, True]),
    ],
)
async def test_nobody_is_judged_by_a_few_calls(
    mall: Mall, good: int, slow: int, failed: int, met: list[bool | None]
) -> None:
    """M1: from twenty answers on, for five that were slow or failed; staff are told of the same."""
    calls = mall.tenant.partner_calls
    for seconds, cause, times in ((0.1, "HTTP 503", failed), (0.9, None, slow), (0.1, None, good)):
        for _ in range(times):
            calls.note("kuaidi100", seconds, cause)
    one = (await told(mall))["kuaidi100"]
    assert [figure["met"] for figure in one["targets"]] == met  # type: ignore[attr-defined]
    answer = (await mall.get("/v1/troubles", role="operations", subject="ops")).json()
    listed = [
        one["about"]["target"] for one in answer["troubles"] if one["kind"] == "missed_target"
    ]
    names = ["answers_within_200_ms", "errors"]
    assert sorted(listed) == [name for name, kept in zip(names, met, strict=True) if kept is False]


async def test_nothing_is_counted_twice_or_lost_when_it_could_not_be_written(
    mall: Mall, database: MallDatabase
) -> None:
    calls = mall.tenant.partner_calls
    calls.note("sf", 0.1, None)
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        hidden = f"ALTER TABLE {database.schema}.partner_calls RENAME TO hidden"
        owner.execute(hidden.encode())
        with pytest.raises(psycopg.errors.UndefinedTable):
            await calls.look()
        calls.note("sf", 0.1, None)
        shown = f"ALTER TABLE {database.schema}.hidden RENAME TO partner_calls"
        owner.execute(shown.encode())
    await calls.look()
    await calls.look()
    assert (await told(mall))["sf"]["calls"] == 2


async def test_staff_are_told_when_a_partner_is_away_until_it_answers(mall: Mall) -> None:
    """M1, M2, M5: the cause and since when; a partner that only fails sometimes is not away."""
    calls = mall.tenant.partner_calls
    for _ in range(AWAY_AFTER):
        calls.note("payment", 5.0, "ConnectTimeout")
    calls.note("sf", 0.1, None)
    for _ in range(AWAY_AFTER):
        calls.note("sf", 0.1, "HTTP 503")
    await told(mall)
    (trouble,) = await troubles(mall)
    assert trouble["what"] == "payment"
    assert trouble["cause"] == "ConnectTimeout"
    assert trouble["since"] is not None
    metrics = (await mall.client.get("/metrics")).text
    assert (
        f'tallypost_partner_away{{partner="payment",tenant="{mall.tenant.schema}"}} 1.0' in metrics
    )
    calls.note("payment", 0.1, None)
    await told(mall)
    assert await troubles(mall) == []


async def test_every_call_of_the_house_is_counted(mall: Mall) -> None:
    """M2: the payment provider is not there: the learner is told, and the figures say why."""
    placed = await mall.order(("tea-set", 1))
    answer = await mall.post(f"/v1/orders/{placed['number']}/payments", {})
    assert answer.status_code == 503
    assert isinstance(mall.tenant.partners, httpx2.AsyncClient)
    assert (await told(mall))["payment"]["cause"] == "ConnectError"
