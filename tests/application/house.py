"""A demo mall with a clock one can set, for tests of what happens by itself."""

import hashlib
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from psycopg_pool import AsyncConnectionPool
from pydantic_core import from_json

from application import ordering, redeeming, shipping
from application.demo_mall import open_demo_mall
from application.envelope import Context
from application.granting import Grant, grant_command
from application.recipients import Recipient
from application.store import Store
from application.unit import Command, Unit
from application.vault import MasterKeys, Vault
from domain.house_rules import HouseRules
from domain.order_facts import Channel
from domain.point_facts import Reason
from projections.runner import Reader
from projections.views import all_views
from tests.conftest import MallDatabase

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
RECIPIENT = Recipient.cleaned(
    name="欧阳若兰",
    phone="13912345678",
    province="浙江省",
    city="杭州市",
    address="文三路138号3幢502室",
)
VAULT = Vault(MasterKeys.new(), tenant="test")


@dataclass
class House:
    """One tenant with its writer, its views and its time."""

    schema: str
    store: Store
    pool: AsyncConnectionPool[Any]
    reader: Reader
    rules: HouseRules = field(default_factory=HouseRules)
    vault: Vault = VAULT
    now: datetime = START
    serial: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def clock(self) -> datetime:
        """The time that was set."""
        return self.now

    def wait(self, **time: float) -> None:
        """Let time pass."""
        self.now += timedelta(**time)

    async def do(
        self,
        decide: Callable[[Unit], dict[str, Any]],
        *,
        key: str | None = None,
        happened_at: datetime | None = None,
    ) -> dict[str, Any]:
        """Decide something and let the views see it."""
        key = key or f"do-{next(self.serial)}"
        digest = hashlib.sha256(key.encode()).digest()
        context = Context(actor="service:platform", command=key)
        command = Command("service:platform", key, digest, context, decide, happened_at=happened_at)
        answer: dict[str, Any] = from_json((await self.store.execute(command)).answer)
        await self.reader.catch_up()
        return answer

    async def grant(
        self,
        learner: str,
        points: int,
        source: str,
        *,
        expires_at: datetime | None = None,
        happened_at: datetime | None = None,
        seen: bool = True,
    ) -> None:
        """Points for a course; `seen`: the views know of them afterwards."""
        one = Grant(learner, points, Reason.COURSE_COMPLETED, source, happened_at, expires_at)
        context = Context(actor="service:lms", command=source)
        await self.store.execute(grant_command(one, context, rules=self.rules))
        if seen:
            await self.reader.catch_up()

    async def order(self, learner: str, number: str, **units: int) -> dict[str, Any]:
        """Redeem `tea_set=1`."""
        lines = tuple(
            redeeming.Wanted(sku.replace("_", "-"), quantity) for sku, quantity in units.items()
        )
        wish = redeeming.Wish(learner, lines, RECIPIENT, Channel.APP)
        return await self.do(
            lambda unit: redeeming.place_order(unit, wish, number=number, rules=self.rules)
        )

    async def pay(self, number: str, fen: int) -> dict[str, Any]:
        """The cash part arrives."""
        payment = ordering.Payment(f"pay-{number}", "sandbox", fen, self.now)
        return await self.do(
            lambda unit: ordering.take_payment(
                unit, number=number, payment=payment, rules=self.rules
            )
        )

    async def ship(self, number: str, part: int = 1) -> str:
        """Pack, label and hand over a part; returns the parcel."""
        packed = await self.do(
            lambda unit: shipping.pack_part(unit, order=number, part=part, weight_grams=500)
        )
        parcel = str(packed["parcel"])
        waybill = f"SF{number}" if part == 1 else f"SF{number}-{part}"
        await self.do(
            lambda unit: shipping.issue_waybill(
                unit, parcel=parcel, carrier="shunfeng", waybill=waybill
            )
        )
        await self.do(lambda unit: shipping.hand_over(unit, parcel=parcel, rules=self.rules))
        return parcel

    async def rows(self, text: str, *values: object) -> list[Any]:
        """Rows of a query that names this schema `{s}`."""
        async with self.pool.connection() as connection:
            query = text.replace("{s}", self.schema).encode()
            rows: list[Any] = await (await connection.execute(query, values)).fetchall()
            return rows

    async def facts(self, stream: str) -> list[str]:
        """Names of a stream's facts, in order."""
        rows = await self.rows(
            "SELECT topic FROM {s}.tallypost_events WHERE originator_id = %s"
            " ORDER BY originator_version",
            stream,
        )
        return [name for (name,) in rows]

    async def position(self) -> int:
        """Where the log stands."""
        ((position,),) = await self.rows("SELECT max(position) FROM {s}.commits")
        return int(position)


@asynccontextmanager
async def opened(database: MallDatabase, *, mall: bool = True) -> AsyncIterator[House]:
    """A house on a fresh schema."""
    pool: AsyncConnectionPool[Any] = AsyncConnectionPool(
        database.service_url, open=False, min_size=1, max_size=6, kwargs={"autocommit": True}
    )
    reader = Reader(
        database.service_url,
        schema=database.schema,
        views=all_views(HouseRules()),
    )
    store = Store(database.service_url, schema=database.schema, vault=VAULT)
    house = House(database.schema, store, pool, reader)
    store.clock = house.clock
    async with pool, store:
        if mall:
            await open_demo_mall(store, house.rules)
            await reader.catch_up()
        yield house
        await reader.close()
