"""Real traffic by share at a third party's warehouse and at Agora: both ways are played (M3)."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
from pydantic import SecretStr, ValidationError

from api.sandbox.agora import APP_ID, CERTIFICATE
from api.sandbox.behaviour import Behaviour
from api.sandbox.partners import create_sandbox
from api.sandbox.third_party import SECRET
from application.callback_links import CallbackLinks
from application.consigning import CONSIGN
from application.gateways.third_party import (
    CountIn,
    CountMessage,
    FoundIn,
    ParcelIn,
    ParcelMessage,
    signed_message,
)
from application.jobs import apply_jobs_schema
from application.migrating import SERVICE_ROLE
from application.policies import sweep
from application.pushing_consignments import CALLBACK, Consignments
from application.settings import Settings
from application.signaling import Signals
from domain.traffic import goes_real
from tests.api.conftest import RECIPIENT, Mall, running
from tests.conftest import MallDatabase

pytestmark = pytest.mark.anyio

OPERATIONS: dict[str, Any] = {"role": "operations", "subject": "wang"}
REAL, PLAYED = "http://real", "http://played"
REAL_SECRET = SecretStr("whsec_cmVhbC1yZWFsLXJlYWwtcmVhbC1yZWFsLXJlYWw=")
DEPOT = "shaanxi"
REAL_APP = "f" * 32


class Both:
    """The real partners and the sandbox, each played, and a mall that knows both."""

    def __init__(self, mall: Mall) -> None:
        self.mall = mall
        self.names = itertools.count()
        there = httpx2.ASGITransport(app=mall.app)
        self.real = create_sandbox(b"x", mall=there)
        self.played = create_sandbox(b"x", mall=there)
        self.real.state.third_party.secret = REAL_SECRET
        for app in (self.real, self.played):
            app.state.sandbox.behave(Behaviour(pace_seconds=60))
        self.client = httpx2.AsyncClient(
            mounts={
                REAL: httpx2.ASGITransport(app=self.real),
                PLAYED: httpx2.ASGITransport(app=self.played),
            }
        )

    async def change(self, path: str, body: Any) -> Any:
        """A change by staff, seen by the views."""
        answer = await self.mall.post(path, body, **OPERATIONS)
        assert answer.is_success, answer.text
        await self.mall.views()
        return answer.json()

    async def shift(self, partner: str, percent: int) -> None:
        """Make a share real."""
        await self.change(f"/v1/traffic/{partner}", {"percent": percent, "reason": "one by one"})

    async def consigned(self, *, orders: int) -> list[str]:
        """Parcels that the warehouse is asked to send, each in a wave of its own."""
        parcels = []
        for _ in range(orders):
            number = (await self.mall.order(("enamel-mug", 1)))["number"]
            await self.mall.views()
            ran = await self.change("/v1/waves", {"warehouse": DEPOT, "orders": [number]})
            parcels += ran["parcels"]
        await sweep(self.mall.tenant, CONSIGN)
        await self.mall.views()
        await Consignments(self.mall.tenant, self.client).ask()
        await self.mall.views()
        return parcels

    async def tell(self, message: ParcelMessage | CountMessage, secret: SecretStr) -> int:
        """What somebody pushes as the warehouse; the status of the answer."""
        links: CallbackLinks = self.mall.tenant.callback_links
        path = links.url(DEPOT, partner=CALLBACK).partition("8000")[2]
        now = self.mall.tenant.store.clock()
        body, headers = signed_message(secret, message, name=f"msg_{next(self.names)}", at=now)
        answer = await self.mall.client.post(path, content=body, headers=headers)
        return answer.status_code

    async def share(self, partner: str) -> tuple[int, int, int]:
        """What the page of health shows: (per cent, real, at the sandbox)."""
        found = (await self.mall.get("/v1/traffic", **OPERATIONS)).json()["partners"]
        (one,) = [one for one in found if one["partner"] == partner]
        return one["percent"], one["real"], one["sandbox"]


@asynccontextmanager
async def opened(database: MallDatabase, folder: Path, **accounts: Any) -> AsyncIterator[Both]:
    apply_jobs_schema(database.owner_url, SERVICE_ROLE)
    given = {"tenant": database.schema, "keys": folder / "keys", "data": folder, **accounts}
    async with running(Settings.model_validate(given), database) as mall:
        both = Both(mall)
        yield both
        for app in (both.real, both.played):
            for line in app.state.sandbox.lines.values():
                line.stop()
        await both.client.aclose()


def warehouse(url: str, secret: SecretStr) -> dict[str, Any]:
    return {DEPOT: {"url": f"{url}/third-party", "secrets": [secret.get_secret_value()]}}


WAREHOUSES = {
    "third_parties": warehouse(REAL, REAL_SECRET),
    "rehearsal": {"third_party": {"third_parties": warehouse(PLAYED, SECRET)}},
}
APPS = {
    "agora_url": REAL, "agora_app_id": REAL_APP, "agora_certificate": CERTIFICATE,
    "rehearsal": {
        "agora": {
            "agora_url": PLAYED, "agora_app_id": APP_ID, "agora_certificate": CERTIFICATE,
        }
    },
}  # fmt: skip


@pytest.fixture
async def depots(database: MallDatabase, tmp_path: Path) -> AsyncIterator[Both]:
    async with opened(database, tmp_path, **WAREHOUSES) as both:
        listed = (await both.mall.get("/v1/warehouses", **OPERATIONS)).json()["warehouses"]
        terms = next(one for one in listed if one["code"] == DEPOT)
        both.mall.tenant.rules = replace(both.mall.tenant.rules, review_orders_a_day=1_000)
        await both.change("/v1/warehouses", {**terms, "third_party": True})
        yield both


@pytest.fixture
async def apps(database: MallDatabase, tmp_path: Path) -> AsyncIterator[Both]:
    async with opened(database, tmp_path, **APPS) as both:
        yield both


async def test_a_parcel_goes_to_the_warehouse_of_its_number(depots: Both) -> None:
    """M3, W2: at half, exactly those that the number decides for; switched back, they stay."""
    await depots.shift("third_party", 50)
    parcels = await depots.consigned(orders=6)
    real = {one for one in parcels if goes_real("third_party", one, percent=50)}
    assert set(depots.real.state.third_party.jobs) == real
    assert set(depots.played.state.third_party.jobs) == set(parcels) - real
    assert await depots.share("third_party") == (50, len(real), 6 - len(real))
    await depots.shift("third_party", 0)
    (rehearsed,) = await depots.consigned(orders=1)
    assert rehearsed in depots.played.state.third_party.jobs
    assert set(depots.real.state.third_party.jobs) == real


@pytest.mark.parametrize("percent", [0, 100])
async def test_each_tells_of_its_own_parcels_alone(depots: Both, percent: int) -> None:
    """M3: the sandbox's secret moves no real parcel, and counts no shelf."""
    await depots.shift("third_party", percent)
    (parcel,) = await depots.consigned(orders=1)
    now = depots.mall.tenant.store.clock()
    told = ParcelIn(parcel=parcel, revision=1)
    message = ParcelMessage(type="parcel.picking", timestamp=now, data=told)
    theirs, others = (REAL_SECRET, SECRET) if percent else (SECRET, REAL_SECRET)
    assert await depots.tell(message, others) == 401
    assert await depots.tell(message, theirs) == 200
    counted = CountIn(counted_at=now, lines=[FoundIn(sku="enamel-mug", quantity=9)])
    count = CountMessage(type="stock.counted", timestamp=now, data=counted)
    assert await depots.tell(count, SECRET) == 401
    assert await depots.tell(count, REAL_SECRET) == 200


async def test_a_learner_s_news_goes_through_one_app(apps: Both) -> None:
    """M3, N3: the one that the learner's app logs in at; the share counts learners."""
    mall, links = apps.mall, apps.mall.tenant.callback_links
    for app in (apps.real, apps.played):
        app.state.agora.admits = lambda *_, **__: True  # whichever app it is played for
    signals = Signals(mall.tenant, apps.client)
    await signals.push()
    await apps.shift("agora", 50)
    users = {}
    for learner in ("lin", "chen", "wang"):
        users[learner] = links.signal_id(learner)
        order = {"learner": learner, "lines": [{"sku": "notebook", "quantity": 1}]}
        await mall.post("/v1/orders", {**order, "recipient": RECIPIENT}, subject=learner)
    await mall.views()
    await signals.push()
    real = {one for one in users.values() if goes_real("agora", one, percent=50)}
    heard = [{one.user for one in app.state.agora.signals} for app in (apps.real, apps.played)]
    told = set().union(*heard)
    assert heard == [told & real, told - real]
    for learner in ("lin", "chen"):
        path = f"/v1/learners/{learner}/signaling"
        given = (await mall.get(path, subject=learner)).json()
        assert given["app_id"] == (REAL_APP if users[learner] in real else APP_ID)


async def test_the_sandbox_s_trouble_holds_up_nobody_s_real_news(apps: Both) -> None:
    """M3, M2: what a rehearsal does not take is passed over; what is real waits for its turn."""
    signals = Signals(apps.mall.tenant, apps.client)
    await signals.push()
    apps.played.state.sandbox.behave(Behaviour.model_validate({"outage": True}))
    await apps.mall.order(("notebook", 1))
    await apps.mall.views()
    assert await signals.push() == 0
    assert apps.played.state.sandbox.lines["agora"].count["asked"] == 1
    assert await signals.push() == 0
    assert apps.played.state.sandbox.lines["agora"].count["asked"] == 1


@pytest.mark.parametrize(
    "rehearsal",
    [
        {"third_party": {}},
        {"third_party": {"third_parties": {}}},
        {"third_party": {"third_parties": {DEPOT: {"url": "played", "secrets": []}}}},
        {"agora": {"agora_url": PLAYED}},
        {"wecom": {"wecom_url": PLAYED}},
    ],
)
def test_a_rehearsal_of_theirs_is_refused_when_it_is_not_whole(rehearsal: dict[str, Any]) -> None:
    """M3: named at the start; every warehouse that is asked is rehearsed, too."""
    with pytest.raises(ValidationError):
        Settings.model_validate({**WAREHOUSES, "rehearsal": rehearsal})
