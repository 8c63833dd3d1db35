"""Tenants: one schema each, found by host name, started on demand (M7; design.md, Parts)."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import httpx2
from psycopg_pool import AsyncConnectionPool

from api.limits import Limits
from application.asking_partners import TIMEOUT_SECONDS
from application.callback_links import CallbackLinks
from application.gateways.guarded import Guarded
from application.gateways.payment import PaymentProvider
from application.key_rotation import MASTER_KEYS
from application.links import LINK
from application.loads import Loads
from application.partner_calls import PartnerCalls
from application.partner_pace import HousePace
from application.revocations import Revocations
from application.rules_of import rules_of
from application.settings import Settings
from application.store import Store
from application.trackers import Trackers
from application.vault import MasterKeys, Vault
from domain.house_rules import HouseRules
from projections.live import LiveFeed

POOL_SIZE = 6
POOL_WAITING = 200
"""Readers that may wait for a connection; more are told to come back at once (R56)."""


class Tenant:
    """Everything this process keeps for one tenant."""

    def __init__(
        self, settings: Settings, conninfo: str, *, schema: str, master: MasterKeys
    ) -> None:
        self.schema = schema
        self.settings = settings = settings.of(schema)
        self.rules: HouseRules = rules_of(settings)
        self.vault = Vault(master, tenant=schema, source=settings.key_folder / MASTER_KEYS)
        self.store = Store(conninfo, schema=schema, vault=self.vault)
        self.callback_links = CallbackLinks.in_folder(
            settings.key_folder, tenant=schema, public_url=settings.public_url
        )
        self.trackers = Trackers(settings)
        self.pool: AsyncConnectionPool[Any] = AsyncConnectionPool(
            conninfo,
            open=False,
            min_size=1,
            max_size=POOL_SIZE,
            max_waiting=POOL_WAITING,
            timeout=2.0,
            # Its pauses double up to minutes; whoever asks next is the better moment (R05).
            reconnect_timeout=0.2,
            kwargs={"autocommit": True, **LINK},
        )
        self.partner_calls = PartnerCalls(self.pool, schema=schema)
        # One way to all of them, at the pace of each, that leaves alone who is away (M2).
        per_second = settings.partner_calls_per_second
        pace = HousePace(self.pool, schema=schema, per_second=per_second)
        way = Guarded(note=self.partner_calls.note, pace=pace)
        self.partners = httpx2.AsyncClient(timeout=TIMEOUT_SECONDS, transport=way)
        self.payments = PaymentProvider(
            settings.payment_url, secret=settings.payment_key, transport=way
        )
        self.rehearsed_payments: PaymentProvider | None = None
        if "payment" in settings.rehearsal:
            rehearsed = settings.rehearsed("payment")
            self.rehearsed_payments = PaymentProvider(
                rehearsed.payment_url,
                secret=rehearsed.payment_key,
                transport=way,
                partner="payment_sandbox",
            )
        self.live = LiveFeed(self.pool, schema=schema)
        self.limits = Limits(self.pool, schema=schema)
        self.revocations = Revocations(self.pool, schema=schema)
        self.loads = Loads(self.pool, schema=schema)

    async def open(self, stack: AsyncExitStack) -> None:
        """Start the writer, the reading connections and the live feed."""
        stack.push_async_callback(self.partners.aclose)
        stack.push_async_callback(self.payments.aclose)
        if self.rehearsed_payments is not None:
            stack.push_async_callback(self.rehearsed_payments.aclose)
        await self.pool.open()
        stack.push_async_callback(self.pool.close)
        await stack.enter_async_context(self.store)
        await stack.enter_async_context(self.live)
        await stack.enter_async_context(self.revocations)
        await stack.enter_async_context(self.loads)
        await stack.enter_async_context(self.partner_calls)


class Tenants:
    """The tenants of this process. Use as an async context manager."""

    def __init__(self, settings: Settings, conninfo: str) -> None:
        self._settings = settings
        self._conninfo = conninfo
        self._master = MasterKeys.load(settings.key_folder / MASTER_KEYS)
        self._open: dict[str, Tenant] = {}
        self._opening = asyncio.Lock()
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> "Tenants":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    @property
    def opened(self) -> list[Tenant]:
        """The tenants somebody asked for so far."""
        return list(self._open.values())

    async def of_host(self, host: str) -> Tenant:
        """The tenant that serves this host name; unknown names get the default one."""
        name = host.rsplit(":", 1)[0].lower()
        return await self.named(self._settings.tenants.get(name, self._settings.tenant))

    async def named(self, schema: str) -> Tenant:
        """The tenant with this schema, started when it is first asked for."""
        tenant = self._open.get(schema)
        if tenant is not None:
            return tenant
        async with self._opening:
            if schema not in self._open:
                tenant = Tenant(self._settings, self._conninfo, schema=schema, master=self._master)
                await tenant.open(self._stack)
                self._open[schema] = tenant
        return self._open[schema]
