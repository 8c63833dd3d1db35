"""How long subscribers have not been reached, also since before it was noted (M5)."""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import psycopg
import pytest

import application
from application.gateways.outbound import Outbound
from tests.application.house import opened
from tests.application.receiver import Subscriber, subscriber
from tests.application.telling import Telling
from tests.conftest import MallDatabase

pytestmark = pytest.mark.anyio
MIGRATION = Path(application.__file__).parent / "migrations" / "0010_ages.sql"


@pytest.fixture
async def telling(database: MallDatabase) -> AsyncIterator[Telling]:
    async with AsyncExitStack() as stack:
        house = await stack.enter_async_context(opened(database, mall=False))
        outbound = await stack.enter_async_context(Outbound(loopback=True, timeout_seconds=2))
        yield Telling(house, outbound)


@pytest.fixture
async def there() -> AsyncIterator[Subscriber]:
    async with subscriber() as one:
        yield one


async def test_age_counts_from_the_first_failed_try(telling: Telling, there: Subscriber) -> None:
    """M5: of what is tried again and of what was given up, until it is told or replayed."""
    started = telling.house.now
    there.answer = lambda got: 500 if got.position == 2 else 200
    await telling.subscribe("crm", there.url, "ledger.*")
    await telling.events(3)
    await telling.step()
    assert [one.troubled_since for one in await telling.call("troubled")] == [started]
    for _ in range(9):
        telling.house.wait(hours=30)
        await telling.step()
    (found,) = await telling.call("troubled")
    assert (found.position, found.failed_tries, found.parked) == (3, 0, 1)
    assert found.troubled_since == started  # of the parked one: all others were told

    there.answer = lambda _: 503
    await telling.events(1)
    later = telling.house.now
    for _ in range(2):
        await telling.step()
        telling.house.wait(hours=30)
    assert (await telling.named("crm")).troubled_since == started
    await telling.call("replay", "crm", from_position=2, now=telling.house.now)
    assert (await telling.named("crm")).troubled_since is None
    await telling.step()
    assert (await telling.named("crm")).troubled_since == telling.house.now > later
    there.answer = lambda _: 200
    telling.house.wait(hours=30)
    await telling.step()
    assert (await telling.named("crm")).troubled_since is None
    assert await telling.call("troubled") == []


async def test_older_troubles_have_an_age_when_the_migration_ran(
    telling: Telling, there: Subscriber, database: MallDatabase
) -> None:
    """M5, R27: the migration finds in the tries what is noted of new ones."""
    there.answer = lambda got: 500 if got.position in (2, 3) else 200
    await telling.subscribe("crm", there.url, "ledger.*")
    await telling.events(4)
    for _ in range(13):
        await telling.step()
        telling.house.wait(hours=30)
    query = """
        SELECT attempt, w.troubled_since, p.position, p.troubled_since
        FROM {s}.webhooks w JOIN {s}.webhook_parked p ON p.webhook = w.id
    """
    noted = await telling.house.rows(query)
    assert [(tries, position) for tries, _, position, _ in noted] == [(4, 2)]
    fills = re.findall(r"UPDATE {schema}\.webhook.*?;", MIGRATION.read_text(), re.DOTALL)
    with psycopg.connect(database.owner_url, autocommit=True) as connection:
        for table in ("webhooks", "webhook_parked"):
            forget = f"UPDATE {database.schema}.{table} SET troubled_since = NULL"
            connection.execute(forget.encode())
        for fill in fills:
            connection.execute(fill.replace("{schema}", database.schema).encode())
    assert await telling.house.rows(query) == noted


async def test_age_of_a_stopped_subscription_is_that_of_its_end(
    telling: Telling, there: Subscriber
) -> None:
    """M5: paused by its owner, gone, or given up: since then; running again, it has no age."""
    await telling.subscribe("crm", there.url, "ledger.*")
    paused = telling.house.now
    for _ in range(2):
        await telling.call("pause", "crm", now=telling.house.now)
        telling.house.wait(hours=1)
    assert (await telling.named("crm")).troubled_since == paused
    await telling.call("resume", "crm", now=telling.house.now)
    assert (await telling.named("crm")).troubled_since is None
    there.answer = lambda _: 410
    await telling.events(1)
    await telling.step()
    gone = telling.house.now
    telling.house.wait(hours=1)
    await telling.call("replay", "crm", from_position=1, now=telling.house.now)
    found = await telling.named("crm")
    assert (found.state, found.troubled_since) == ("disabled", gone)
    there.answer = lambda _: 500
    await telling.call("resume", "crm", now=telling.house.now)
    await telling.events(3)
    for _ in range(40):
        await telling.step()
        telling.house.wait(hours=30)
    await telling.call("replay", "crm", from_position=1, now=telling.house.now)
    found = await telling.named("crm")
    assert (found.state, found.parked) == ("paused", 0)
    assert found.troubled_since is not None
