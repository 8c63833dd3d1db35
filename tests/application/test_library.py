"""The eventsourcing library reads what our store writes."""

from collections.abc import AsyncIterator
from pathlib import Path

import anyio.to_thread
import pytest

from application.demo_mall import ITEMS, open_demo_mall
from application.library import Aggregate, AppendRefused, PostgresLog
from application.store import Store
from application.streams import ACCOUNT, ITEM, MALL, NETWORK
from application.vault import MasterKeys, Vault
from domain.house_rules import HouseRules
from tests.conftest import MallDatabase

pytestmark = pytest.mark.anyio


@pytest.fixture
async def store(database: MallDatabase, tmp_path: Path) -> AsyncIterator[Store]:
    """A demo mall's store."""
    vault = Vault(MasterKeys.load(tmp_path / "master.json"), tenant=database.schema)
    async with Store(database.service_url, schema=database.schema, vault=vault) as store:
        await open_demo_mall(store, HouseRules())
        yield store


async def test_every_event_is_read_when_the_library_looks(
    store: Store, database: MallDatabase
) -> None:
    """A2: the library's notification log is our log, without a gap."""

    def look() -> list[int]:
        with PostgresLog(database.service_url, schema=database.schema) as log:
            return [one.id for one in log.recorder.select_notifications(start=1, limit=10_000)]

    positions = await anyio.to_thread.run_sync(look)
    assert positions == list(range(1, store.position + 1))


async def test_aggregates_equal_ours_when_the_library_rebuilds_them(
    store: Store, database: MallDatabase
) -> None:
    """A2: the library's repository folds to the states our store decides on."""
    streams = {ITEM.stream(sku): store.peek(ITEM, sku) for sku in ITEMS} | {
        NETWORK.stream(MALL): store.peek(NETWORK, MALL),
        ACCOUNT.stream("lin"): store.peek(ACCOUNT, "lin"),
    }

    def rebuild() -> dict[str, object]:
        with PostgresLog(database.service_url, schema=database.schema) as log:
            aggregates: list[Aggregate] = [log.repository.get(stream) for stream in streams]
            return {one.id: one.state for one in aggregates}

    assert await anyio.to_thread.run_sync(rebuild) == streams


async def test_appending_is_refused_when_the_library_tries(
    store: Store, database: MallDatabase
) -> None:
    """A1: only the store appends, under the log's turn."""

    def append() -> None:
        with PostgresLog(database.service_url, schema=database.schema) as log:
            log.events.put(list(log.events.get(NETWORK.stream(MALL))))

    with pytest.raises(AppendRefused):
        await anyio.to_thread.run_sync(append)


async def test_news_arrive_when_the_library_follows_without_notify(
    store: Store, database: MallDatabase
) -> None:
    """M7: the library's subscription sees events although we never notify inside a commit."""

    def follow() -> list[int]:
        with (
            PostgresLog(database.service_url, schema=database.schema) as log,
            log.recorder.subscribe(gt=0) as subscription,
        ):
            return [next(subscription).id for _ in range(5)]

    assert await anyio.to_thread.run_sync(follow) == [1, 2, 3, 4, 5]
