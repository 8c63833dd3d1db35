"""A learner's app hears of their orders by Agora, which the sandbox plays (N3, T3, M3)."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from pydantic_core import from_json

from api.sandbox.agora import APP_ID, CERTIFICATE, AgoraSandbox
from api.sandbox.partners import create_sandbox
from application.faults import ARMED
from application.gateways.agora import App
from application.jobs import apply_jobs_schema
from application.migrating import SERVICE_ROLE
from application.signal_words import WORDS
from application.signaling import BATCH, Signals
from domain.facts import FACTS
from tests.api.conftest import RECIPIENT, Mall
from tests.conftest import MallDatabase

pytestmark = pytest.mark.anyio

URL = "http://agora"
STAFF = {"role": "operations", "subject": "ops"}


class Apps:
    """Learners' apps at the other end of Agora."""

    def __init__(self, mall: Mall) -> None:
        self.mall = mall
        self.app: FastAPI = create_sandbox(mall.settings.payment_key)
        self.client = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=self.app))
        tenant = mall.tenant
        tenant.settings.agora_url = URL
        tenant.settings.agora_app_id = APP_ID
        tenant.settings.agora_certificate = SecretStr(CERTIFICATE)
        self.signals = self.another()

    def another(self) -> Signals:
        """One more pusher, as in another process."""
        return Signals(self.mall.tenant, self.client)

    @property
    def agora(self) -> AgoraSandbox:
        """What the vendor knows."""
        found: AgoraSandbox = self.app.state.agora
        return found

    @property
    def got(self) -> list[tuple[str, Any]]:
        """(user, message), in the order of arriving."""
        return [(one.user, from_json(one.payload)) for one in self.agora.signals]

    @property
    def facts(self) -> list[str]:
        """What was told."""
        return [message["fact"] for _, message in self.got]

    async def behave(self, **behaviour: object) -> None:
        """Make the vendor misbehave."""
        answer = await self.client.post(f"{URL}/behaviour", json=behaviour)
        assert answer.status_code == 200

    def wait(self, **time: float) -> None:
        """Let time pass."""
        store = self.mall.tenant.store
        now = store.clock() + timedelta(**time)
        store.clock = lambda: now


@pytest.fixture
async def apps(mall: Mall) -> AsyncIterator[Apps]:
    apps = Apps(mall)
    await apps.signals.push()  # it begins now
    yield apps
    await apps.client.aclose()


async def passed(mall: Mall, learner: str = "lin") -> Any:
    """What a learner's app logs in with."""
    answer = await mall.get(f"/v1/learners/{learner}/signaling", subject=learner)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return answer.json()


async def test_an_app_hears_of_its_learners_orders_alone(mall: Mall, apps: Apps) -> None:
    """N3: as the user it logs in as, in both languages, in order; nothing of the house's own."""
    placed = await mall.order(("notebook", 1))
    theirs = {"learner": "chen", "lines": [{"sku": "notebook", "quantity": 1}]}
    other = await mall.post("/v1/orders", {**theirs, "recipient": RECIPIENT}, subject="chen")
    assert other.status_code == 201, other.text
    await mall.ship(placed["number"])
    await mall.views()
    assert await apps.signals.push() == len(apps.got)
    lin, chen = (await passed(mall))["user_id"], (await passed(mall, "chen"))["user_id"]
    mine = [message for user, message in apps.got if user == lin]
    assert [one["fact"] for one in mine] == [
        "orders.OrderPlaced", "orders.PartPacked", "orders.PartHandedOver",
    ]  # fmt: skip
    assert {one["order"] for one in mine} == {placed["number"]}
    assert (mine[2]["zh"], mine[2]["en"]) == (
        "包裹已交给快递公司。", "A parcel is with its carrier.",
    )  # fmt: skip
    assert [message["order"] for user, message in apps.got if user == chen] == [
        other.json()["number"]
    ]
    positions = [message["position"] for _, message in apps.got]
    assert positions == sorted(positions)
    assert await apps.signals.push() == 0


async def test_the_vendor_hears_of_nobody(mall: Mall, apps: Apps) -> None:
    """N3, A4: no learner's id, no recipient; a name that only the house can tell."""
    await mall.order(("notebook", 1))
    await apps.signals.push()
    said = str(apps.agora.signals)
    for word in ("lin", RECIPIENT["name"], "13800138000", RECIPIENT["address"]):
        assert word not in said.replace("online", "")
    given = await passed(mall)
    assert given["user_id"] == (await passed(mall))["user_id"]
    assert "lin" not in given["user_id"]


async def test_an_app_is_let_in_with_its_pass_as_itself_and_for_an_hour(
    mall: Mall, apps: Apps
) -> None:
    """N3: by the vendor's rules for tokens; nobody else's pass is given."""
    given = await passed(mall)
    admits = apps.agora.admits
    assert admits(given["token"], given["user_id"], app_id=given["app_id"])
    assert not admits(given["token"], "somebody", app_id=given["app_id"])
    assert not admits(given["token"], given["user_id"], app_id="f" * 32)
    forged = App("", APP_ID, "0" * 32).token(given["user_id"], issued=1, lives=2**31, salt=1)
    assert not admits(forged, given["user_id"], app_id=APP_ID)
    assert not admits(given["token"][:-9] + "AAAAAAAAA", given["user_id"], app_id=APP_ID)
    now = apps.agora.clock()
    apps.agora.clock = lambda: now + timedelta(seconds=3_601)
    assert not admits(given["token"], given["user_id"], app_id=given["app_id"])
    refused = await mall.get("/v1/learners/chen/signaling", subject="lin")
    assert refused.status_code == 404


async def test_nothing_is_told_when_no_app_is_set(mall: Mall, apps: Apps) -> None:
    """N3: off unless configured; the app is told to read the live stream."""
    mall.tenant.settings.agora_app_id = ""
    await mall.order(("notebook", 1))
    assert await apps.signals.push() == 0
    refused = await mall.get("/v1/learners/lin/signaling")
    assert (refused.status_code, refused.json()["code"]) == (409, "no_signaling")


async def test_the_history_is_not_told_when_signalling_begins(mall: Mall) -> None:
    """N3: who switches it on wakes nobody for what was."""
    await mall.order(("notebook", 1))
    apps = Apps(mall)
    assert await apps.signals.push() == 0
    await mall.order(("notebook", 1))
    assert await apps.signals.push() == 1
    await apps.client.aclose()


@pytest.mark.parametrize("trouble", ["refuse", "lose_answers"])
async def test_news_is_told_again_while_it_is_news(mall: Mall, apps: Apps, trouble: str) -> None:
    """N3, M2: longer pauses, in order, the same position; nothing of five minutes ago."""
    await apps.behave(**{trouble: True})
    await mall.order(("notebook", 1))
    for pause in (0, 1, 2):
        apps.wait(seconds=pause)
        assert await apps.signals.push() == 0
        assert await apps.signals.push() == 0  # not before its time
    await apps.behave()
    apps.wait(seconds=4)
    assert await apps.signals.push() == 1
    assert len({message["position"] for _, message in apps.got}) == 1
    await apps.behave(refuse=True)
    await mall.order(("notebook", 1))
    await apps.signals.push()
    await apps.behave()
    apps.wait(minutes=6)
    heard = len(apps.got)
    assert await apps.signals.push() == 0
    await mall.order(("notebook", 1))
    assert await apps.signals.push() == 1
    assert len(apps.got) == heard + 1


async def test_staff_see_that_the_vendor_lets_us_no_longer_in(
    mall: Mall, apps: Apps, database: MallDatabase
) -> None:
    """N3: 401 is among the troubles until a message is taken again."""
    apply_jobs_schema(database.owner_url, SERVICE_ROLE)

    async def shut() -> list[str]:
        answer = await mall.get("/v1/troubles", **STAFF)
        return [
            one["cause"] for one in answer.json()["troubles"] if one["kind"] == "signals_closed"
        ]

    await apps.behave(shut_out=True)
    await mall.order(("notebook", 1))
    assert await apps.signals.push() == 0
    assert await shut() == ["HTTP 401"]
    await apps.behave()
    apps.wait(seconds=2)
    assert await apps.signals.push() == 1
    assert await shut() == []


async def test_two_pushers_tell_it_once_and_one_that_dies_is_followed(
    mall: Mall, apps: Apps
) -> None:
    """N3, R02: one holds the lease; what it told and did not note comes twice, in one position."""
    await mall.order(("notebook", 1))
    told = await asyncio.gather(*(one.push() for one in [apps.another() for _ in range(4)]))
    assert sorted(told) == [0, 0, 0, 1]

    def die() -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        raise asyncio.CancelledError

    await mall.order(("notebook", 1))
    ARMED["signal_sent"] = die
    try:
        with pytest.raises(asyncio.CancelledError):
            await asyncio.create_task(apps.signals.push())
    finally:
        del ARMED["signal_sent"]
    async with mall.tenant.pool.connection() as connection:
        await connection.execute(
            f"UPDATE {mall.tenant.schema}.signals SET claimed_until = now() - interval '1 s'"
        )
    assert await apps.another().push() == 1
    positions = [message["position"] for _, message in apps.got]
    assert positions[1] == positions[2]


async def test_more_than_a_batch_is_told_without_a_gap(
    mall: Mall, apps: Apps, monkeypatch: pytest.MonkeyPatch
) -> None:
    """N3: also where a batch ends between the orders of one event."""
    monkeypatch.setattr("application.signaling.BATCH", 2)
    assert BATCH > 2
    for _ in range(5):
        await mall.order(("notebook", 1))
    told = 0
    for _ in range(20):
        told += await apps.signals.push()
    assert told == 5
    assert apps.facts == ["orders.OrderPlaced"] * 5


def test_there_are_words_for_facts_that_exist() -> None:
    """N3: a fact that was renamed would be told to nobody."""
    assert set(WORDS) <= set(FACTS)
    assert all(one.zh and one.en for one in WORDS.values())


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({}, 200),
        ({"destination": ""}, 400),
        ({"destination": "u" * 65}, 400),
        ({"payload": ""}, 400),
        ({"payload": "包" * 10_923}, 400),
        ({"payload": None}, 400),
    ],
)
async def test_the_sandbox_takes_what_the_vendor_would(
    apps: Apps, change: dict[str, Any], status: int
) -> None:
    """M3 CONTROL: tokens, lengths, the pace of an app (wire 5)."""
    now = int(apps.agora.clock().timestamp())
    token = App("", APP_ID, CERTIFICATE).token("me", issued=now, lives=60, salt=7)
    path = f"{URL}/dev/v2/project/{APP_ID}/rtm/users/me/peer_messages"
    body = {"destination": "u", "payload": "x", **change}
    headers = {"x-agora-token": token, "x-agora-uid": "me"}
    answer = await apps.client.post(path, json=body, headers=headers)
    assert answer.status_code == status
    other = await apps.client.post(path, json=body, headers={**headers, "x-agora-uid": "you"})
    assert other.status_code == 401
    apps.agora.clock = lambda: datetime.fromtimestamp(now + 5, UTC)
    assert {apps.agora.take(b"{") for _ in range(500)} == {400}
    assert apps.agora.take(b"{") == 429
