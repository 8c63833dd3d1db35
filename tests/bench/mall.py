"""A mall to measure on: warehouses, items, learners with points, and callers who redeem."""

import asyncio
import hashlib
import itertools
import os
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from application.embedded import EmbeddedPostgres
from application.envelope import Context
from application.granting import Grant, grant_command
from application.migrating import SERVICE_ROLE, migrate
from application.recipients import Recipient
from application.redeeming import Wanted, Wish, place_order, streams_of
from application.stocking import put_item, put_warehouse, receive_stock
from application.store import Store
from application.streams import MALL, NETWORK
from application.unit import Command
from application.vault import MasterKeys, Vault
from domain.catalogue import Kind, Terms
from domain.house_rules import HouseRules
from domain.order_facts import Channel
from domain.point_facts import Reason
from domain.warehouses import Warehouse

RULES = HouseRules()
CALLERS = 256
LEARNERS = [f"learner-{number:04}" for number in range(2_000)]
ITEMS = [f"SKU-{number:03}" for number in range(200)]
PLENTY = 1_000_000_000
PRICE = 10
SECONDS = float(os.environ.get("TALLYPOST_BENCH_SECONDS", "4"))
"""How long one side is measured at a time."""

_RECIPIENT = Recipient.cleaned(
    name="张三",
    phone="13800138000",
    province="浙江省",
    city="杭州市",
    district="西湖区",
    address="文三路 1 号 2 单元 301 室",
)
_serial = itertools.count(1)


class Arena:
    """One benchmark's place on the server: schemas that are dropped when it is over."""

    def __init__(self, server: EmbeddedPostgres, folder: Path) -> None:
        self.server = server
        self.keys = folder / "master.json"
        self._schemas: list[str] = []

    @property
    def owner_url(self) -> str:
        """Where baselines and set-up connect."""
        return self.server.url()

    @property
    def service_url(self) -> str:
        """Where the production path connects."""
        return self.server.url(SERVICE_ROLE)

    def new_schema(self) -> str:
        """An empty schema for a baseline's own tables."""
        schema = f"bench_{next(_serial)}"
        with psycopg.connect(self.owner_url) as connection:
            connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
        self._schemas.append(schema)
        return schema

    def new_mall(self) -> str:
        """A migrated tenant without anything in it."""
        schema = f"bench_{next(_serial)}"
        migrate(self.owner_url, schema)
        self._schemas += [schema, f"{schema}_keys"]
        return schema

    def store(self, schema: str) -> Store:
        """The store as the service opens it."""
        return Store(self.service_url, schema=schema, vault=vault_of(schema, self.keys))

    @asynccontextmanager
    async def filled_mall(self) -> AsyncIterator[Store]:
        """A mall with goods on its shelves and points in its accounts."""
        schema = await asyncio.to_thread(self.new_mall)
        async with self.store(schema) as store:
            await fill(store)
            yield store

    def close(self) -> None:
        """Drop what the benchmark made."""
        with psycopg.connect(self.owner_url, autocommit=True) as connection:
            for schema in self._schemas:
                connection.execute(
                    sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(schema))
                )
            connection.execute("CHECKPOINT")


def vault_of(schema: str, keys: Path) -> Vault:
    """The tenant's vault; processes that share a key file share its keys."""
    return Vault(MasterKeys.load(keys), tenant=schema)


def command(decide: Any, **fields: Any) -> Command:
    """A command of the house itself."""
    key = f"bench-{os.getpid()}-{next(_serial)}"
    return Command(
        principal="service:bench",
        key=key,
        digest=hashlib.sha256(key.encode()).digest(),
        context=Context(actor="service:bench", command=key),
        decide=decide,
        **fields,
    )


async def fill(store: Store) -> None:
    """Open three warehouses, put 200 items on sale in one of them, give points to 2,000 people."""
    for code, province in (("zhejiang", "浙江省"), ("henan", "河南省"), ("shaanxi", "陕西省")):
        opened = Warehouse(code=code, name=code, province=province, city="市", serves=("*",))
        await store.execute(command(partial(put_warehouse, warehouse=opened)))
    terms = Terms(
        name="马克杯", kind=Kind.PARCEL, points=PRICE, market_value_fen=10_000, weight_grams=300
    )
    listing = [
        command(partial(put_item, sku=sku, terms=terms, on_sale=True, rules=RULES)) for sku in ITEMS
    ]
    receiving = [
        command(
            partial(receive_stock, sku=sku, warehouse="henan", quantity=PLENTY, reference="D-1")
        )
        for sku in ITEMS
    ]
    await store.execute_all(listing)
    await store.execute_all(receiving)
    await store.execute_all([granting(learner) for learner in LEARNERS])


def granting(learner: str) -> Command:
    """The command that gives a learner more points than any benchmark spends."""
    grant = Grant(learner, PLENTY, Reason.TASK, "bench")
    return grant_command(grant, Context(actor="service:bench", command=grant.identity))


def _longer(learners: Sequence[str], items: Sequence[str]) -> Sequence[str]:
    """Learners often enough for every item to have its turn."""
    return list(learners) * -(-len(items) // len(learners))


class Redeeming:
    """Callers who redeem one mug after another, the way `POST /v1/orders` does."""

    def __init__(
        self,
        store: Store,
        keys: Path,
        *,
        learners: Sequence[str] = LEARNERS,
        items: Sequence[str] = ITEMS,
    ) -> None:
        self._store = store
        lookup = vault_of(store.schema, keys).lookup_key
        digests = _RECIPIENT.digests(lookup)
        # Made before the clock runs, as pgbench's script is.
        self._wishes = itertools.cycle(
            [
                Wish(learner, (Wanted(sku, 1, PRICE),), _RECIPIENT, Channel.APP, digests)
                for learner, sku in zip(_longer(learners, items), itertools.cycle(items))
            ]
        )

    def next(self) -> Command:
        """The next caller's command."""
        wish = next(self._wishes)
        number = f"T{os.urandom(9).hex().upper()}"
        digest = hashlib.sha256(number.encode()).digest()
        return Command(
            principal=f"learner:{wish.learner}",
            key=number,
            digest=digest,
            context=Context(actor=f"learner:{wish.learner}", command=number),
            decide=lambda unit: place_order(unit, wish, number=number, rules=RULES),
            streams=lambda: streams_of(wish, self._store.peek(NETWORK, MALL)),
            subject=wish.learner,
        )

    async def rate(self, *, seconds: float = SECONDS, callers: int = CALLERS) -> float:
        """Redemptions a second of these callers together."""
        started = time.perf_counter()
        over = started + seconds
        done = 0

        async def caller() -> None:
            nonlocal done
            while time.perf_counter() < over:
                await self._store.execute(self.next())
                done += 1

        await asyncio.gather(*(caller() for _ in range(callers)))
        return done / (time.perf_counter() - started)

    async def redeem(self, count: int, *, callers: int = CALLERS) -> None:
        """Make this many redemptions."""
        left = count

        async def caller() -> None:
            nonlocal left
            while left > 0:
                left -= 1
                await self._store.execute(self.next())

        await asyncio.gather(*(caller() for _ in range(callers)))
