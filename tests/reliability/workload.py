"""What the tests of reliability let happen, and how they look at what became of it."""

import asyncio
import hashlib
import itertools
import os
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import psycopg

from application.envelope import Context
from application.granting import Grant, grant_command
from application.outcomes import Outcome
from application.recipients import Recipient
from application.redeeming import Wanted, Wish, place_order, streams_of
from application.stocking import put_item, put_warehouse, receive_stock
from application.store import Store
from application.streams import MALL, NETWORK
from application.unit import Command, Unit
from application.vault import MasterKeys, Vault
from domain.catalogue import Kind, Terms
from domain.house_rules import HouseRules
from domain.order_facts import Channel
from domain.point_facts import Reason
from domain.refusals import Refusal
from domain.warehouses import Warehouse
from projections.runner import Reader
from projections.views import all_views
from tests.conftest import MallDatabase

RULES = HouseRules()
PRICE = 10
SKU = "mug"
RECIPIENT = Recipient.cleaned(
    name="张三",
    phone="13800138000",
    province="浙江省",
    city="杭州市",
    district="西湖区",
    address="文三路 1 号 2 单元 301 室",
)
MASTER = MasterKeys.new()
_serial = itertools.count(1)


def command(
    decide: Callable[[Unit], dict[str, Any]],
    *,
    key: str | None = None,
    principal: str = "service:test",
    digest: bytes | None = None,
    **fields: Any,
) -> Command:
    """A command under a key of its own, or under the one that is given."""
    key = key or f"test-{os.getpid()}-{next(_serial)}"
    digest = digest or hashlib.sha256(key.encode(errors="surrogatepass")).digest()
    context = Context(actor=principal, command=key)
    return Command(principal, key, digest, context, decide, **fields)


def grant(learner: str, points: int, source: str = "course") -> Command:
    """Points for a learner, once a source."""
    one = Grant(learner, points, Reason.TASK, source)
    context = Context(actor="service:test", command=one.identity)
    return grant_command(one, context, rules=RULES)


def redemption(
    store: Store, learner: str, *, sku: str = SKU, key: str | None = None, quantity: int = 1
) -> Command:
    """A learner redeems, the way `POST /v1/orders` does; the key gives the order its number."""
    key = key or f"order-{os.getpid()}-{next(_serial)}"
    wish = Wish(learner, (Wanted(sku, quantity, PRICE),), RECIPIENT, Channel.APP)
    number = "T" + hashlib.sha256(f"{learner} {key}".encode()).hexdigest()[:20].upper()
    return command(
        lambda unit: place_order(unit, wish, number=number, rules=RULES),
        key=key,
        principal=f"learner:{learner}",
        streams=streams_of(wish, store.peek(NETWORK, MALL)),
        subject=learner,
    )


def store_on(database: MallDatabase, url: str | None = None, **more: Any) -> Store:
    """A store as a process of the service opens it; all of them share the vault's keys."""
    vault = Vault(MASTER, tenant=database.schema)
    return Store(url or database.service_url, schema=database.schema, vault=vault, **more)


@asynccontextmanager
async def stores_on(database: MallDatabase, count: int) -> AsyncIterator[list[Store]]:
    """Several stores, each with its own connection and memory, as processes have them."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(store_on(database)) for _ in range(count)]


def reader_on(database: MallDatabase, views: Sequence[Any] | None = None) -> Reader:
    """A reader of the production views, or of those given."""
    return Reader(
        database.service_url,
        schema=database.schema,
        views=all_views(RULES) if views is None else views,
    )


async def fill(store: Store, *, shelves: dict[str, int], learners: Iterable[str] = ()) -> None:
    """One warehouse, items on its shelf, learners with points for a hundred of them."""
    opened = Warehouse(code="henan", name="河南仓", province="河南省", city="郑州市", serves=("*",))
    await store.execute(command(partial(put_warehouse, warehouse=opened)))
    terms = Terms(
        name="马克杯", kind=Kind.PARCEL, points=PRICE, market_value_fen=10_000, weight_grams=300
    )
    for sku, quantity in shelves.items():
        await store.execute(
            command(partial(put_item, sku=sku, terms=terms, on_sale=True, rules=RULES))
        )
        await store.execute(
            command(
                partial(receive_stock, sku=sku, warehouse="henan", quantity=quantity, reference="R")
            )
        )
    await store.execute_all([grant(learner, 100 * PRICE) for learner in learners])


async def tried(store: Store, one: Command) -> Outcome | Refusal:
    """The outcome, or the refusal."""
    try:
        return await store.execute(one)
    except Refusal as refusal:
        return refusal


async def in_parallel(tasks: Sequence[Any]) -> list[Any]:
    """Run them all at once; errors are results."""
    return await asyncio.gather(*tasks, return_exceptions=True)


async def until(condition: Callable[[], bool], *, seconds: float) -> None:
    """Wait until it holds; it is an error when it does not in time."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  it is looked at from outside
            await asyncio.sleep(0.005)


@dataclass(frozen=True, slots=True)
class LogRow:
    """One stored event."""

    position: int
    stream: str
    version: int
    name: str
    state: bytes


def log_of(database: MallDatabase) -> list[LogRow]:
    """The whole log, as its owner sees it."""
    rows = query(
        database,
        "SELECT notification_id, originator_id, originator_version, topic, state"
        " FROM {}.tallypost_events ORDER BY notification_id",
    )
    return [LogRow(*row) for row in rows]


def query(database: MallDatabase, text: str, *values: object) -> list[Any]:
    """Ask the database as its owner; `{}` is the schema."""
    with psycopg.connect(database.owner_url, autocommit=True) as connection:
        cursor = connection.execute(text.replace("{}", database.schema).encode(), values)
        return cursor.fetchall() if cursor.description else []


def assert_whole(rows: Sequence[LogRow]) -> None:
    """Positions without gap, every stream's versions ascending without gap (R20, R21)."""
    versions: dict[str, int] = {}
    for expected, row in enumerate(rows, start=1):
        assert row.position == expected
        versions[row.stream] = versions.get(row.stream, 0) + 1
        assert row.version == versions[row.stream], row


def acknowledged(results: Iterable[Any]) -> int:
    """How many of these were answered with an outcome."""
    return sum(isinstance(one, Outcome) for one in results)
