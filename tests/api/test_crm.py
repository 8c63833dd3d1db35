"""A CRM hears of what happens by webhooks: the sandbox plays it, and misbehaves on request."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from api.sandbox.crm import CrmSandbox
from api.sandbox.partners import create_sandbox
from application.dispatching import Dispatcher
from application.gateways.outbound import Answer, Outbound, Unanswered
from tests.api.conftest import Mall

pytestmark = pytest.mark.anyio

CRM = {"role": "service", "subject": "crm"}
HOOK = "https://crm.example/crm/hook"


class Line(Outbound):
    """The way to the CRM, without a network."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        super().__init__()
        self.client = client

    async def post(self, url: str, *, body: bytes, headers: dict[str, str]) -> Answer:
        """As the real one: a status, or no answer in time."""
        try:
            said = await self.client.post(url, content=body, headers=headers)
        except httpx2.HTTPError as error:
            raise Unanswered(type(error).__name__) from None
        return Answer(said.status_code, said.content, None)


class Crm:
    """A mall that tells a CRM."""

    def __init__(self, mall: Mall) -> None:
        self.mall = mall
        self.app = create_sandbox(mall.settings.payment_key)
        self.client = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=self.app))
        self.line = Line(self.client)

    @property
    def crm(self) -> CrmSandbox:
        """What it knows."""
        found: CrmSandbox = self.app.state.crm
        return found

    async def subscribe(self, *, tell_secret: bool = True) -> Any:
        """Subscribe it to orders, and give it the secret."""
        body = {"url": HOOK, "facts": ["orders.*"]}
        made = (await self.mall.post("/v1/webhooks", body, **CRM)).json()
        if tell_secret:
            form = {"secret": made["secret"]}
            told = await self.client.post("https://crm.example/crm/secrets", data=form)
            assert told.status_code == 303
        return made

    async def behave(self, **behaviour: object) -> None:
        """Make it misbehave."""
        answer = await self.client.post("https://crm.example/behaviour", json=behaviour)
        assert answer.status_code == 200

    async def tell(self, **later: float) -> None:
        """As the worker's dispatcher does, after some time."""
        store = self.mall.tenant.store
        now = store.clock() + timedelta(**later)
        store.clock = lambda: now
        await Dispatcher(self.mall.tenant, self.line).step()


@pytest.fixture
async def crm(mall: Mall) -> AsyncIterator[Crm]:
    crm = Crm(mall)
    yield crm
    await crm.client.aclose()


async def test_the_crm_hears_of_orders_by_ids_alone(mall: Mall, crm: Crm) -> None:
    """N2: signed, believed, with what to ask for more by; the page shows it."""
    await crm.subscribe()
    placed = await mall.order(("notebook", 1))
    await crm.tell()
    (heard,) = crm.crm.heard.values()
    assert (heard.fact, heard.times) == ("orders.OrderPlaced", 1)
    assert heard.ids["order"] == placed["number"]
    shown = await crm.client.get("https://crm.example/state")
    assert placed["number"] in shown.text
    assert "whsec_" not in shown.text


async def test_the_crm_believes_nothing_that_its_secret_does_not_sign(mall: Mall, crm: Crm) -> None:
    """N2, M3: 401, counted; told again under the same id, until it knows the secret."""
    made = await crm.subscribe(tell_secret=False)
    await mall.order(("notebook", 1))
    await crm.tell()
    assert (crm.crm.forged, len(crm.crm.heard)) == (1, 0)
    await crm.client.post("https://crm.example/crm/secrets", data={"secret": made["secret"]})
    await crm.tell(seconds=10)
    assert len(crm.crm.heard) == 1
    wrong = {"webhook-id": "msg_1", "webhook-timestamp": "1", "webhook-signature": "v1,AAAA"}
    for headers in ({}, wrong):
        answer = await crm.client.post(HOOK, content=b"{}", headers=headers)
        assert answer.status_code == 401
    none = await crm.client.post("https://crm.example/crm/secrets", data={"secret": "no secret"})
    assert none.status_code == 422


@pytest.mark.parametrize(("how", "times"), [("fails", 1), ("hangs_up", 2)])
async def test_it_hears_an_event_once_when_its_answers_fail_or_get_lost(
    mall: Mall, crm: Crm, how: str, times: int
) -> None:
    """N2, M3: told again under one id; by that it knows what it has."""
    await crm.subscribe()
    await crm.behave(crm=how)
    await mall.order(("notebook", 1))
    await crm.tell()
    await crm.behave()
    await crm.tell(seconds=10)
    assert [one.times for one in crm.crm.heard.values()] == [times]


async def test_nothing_more_is_told_when_it_is_gone(mall: Mall, crm: Crm) -> None:
    """N2, M3: 410 ends the subscription."""
    made = await crm.subscribe()
    await crm.behave(crm="is_gone")
    await mall.order(("notebook", 1))
    await crm.tell()
    shown = (await mall.get(f"/v1/webhooks/{made['id']}", **CRM)).json()
    assert shown["state"] == "disabled"
    assert not crm.crm.heard
