"""Partners over their own wire formats: the sandbox plays them, in one process with the mall."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime

import httpx2
import pytest
from fastapi import FastAPI

from api.sandbox.partners import create_sandbox
from application.asking_partners import Asking
from application.gateways.payment import PaymentProvider
from tests.api.conftest import Mall

pytestmark = pytest.mark.anyio

PATIENCE_SECONDS = 10.0


class Partners:
    """The sandbox, reached and reaching without a network."""

    def __init__(self, mall: Mall) -> None:
        self.mall = mall
        tenant = mall.tenant
        transport = httpx2.ASGITransport(app=mall.app)
        self.app: FastAPI = create_sandbox(
            mall.settings.payment_key, mall=transport, clock=self.clock
        )
        reached = httpx2.ASGITransport(app=self.app)
        self.client = httpx2.AsyncClient(transport=reached, base_url="http://partners")
        tenant.settings.kuaidi100_url = "http://partners"
        tenant.payments = PaymentProvider(
            "http://partners", secret=mall.settings.payment_key, transport=reached
        )
        self.asking = Asking(tenant, self.client)

    def clock(self) -> datetime:
        """The partners' day is the mall's: their limits are held by it."""
        now: datetime = self.mall.tenant.store.clock()
        return now

    async def behave(self, **behaviour: object) -> None:
        """Make the partners behave or misbehave."""
        answer = await self.client.post("/behaviour", json=behaviour)
        assert answer.status_code == 200

    async def until(self, number: str, status: str) -> None:
        """Wait until the order has a status."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (await self.mall.read(number))["status"] != status:
                await self.mall.views()

    async def until_refunded(self, number: str, refund: str) -> None:
        """Wait until the provider's word of a refund arrived."""
        wanted = {"refund": refund, "state": "confirmed"}
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (
                wanted
                not in (await self.mall.read(number, role="support", subject="sue"))["cash_refunds"]
            ):
                await self.mall.views()


@pytest.fixture
async def partners(mall: Mall) -> AsyncIterator[Partners]:
    """The partners of the demo mall."""
    partners = Partners(mall)
    yield partners
    await partners.client.aclose()
    await partners.mall.tenant.payments.aclose()


@pytest.mark.parametrize("newest_first", [False, True])
async def test_the_order_completes_when_the_carrier_pushes_its_scans(
    mall: Mall, partners: Partners, newest_first: bool
) -> None:
    """T1, T2: subscribed at hand-over; every push twice, in order or the last one first."""
    await partners.behave(pace_seconds=0, repeat=2, newest_first=newest_first)
    placed = await mall.order(("notebook", 1))
    await mall.ship(placed["number"])
    await mall.views()
    await partners.asking.ask()
    await partners.until(placed["number"], "completed")
    order = await mall.read(placed["number"], role="support", subject="sue")
    assert order["state"] == "pending_end"
    assert order["parcels"][0]["state"] == "signed"
    assert len(order["parcels"][0]["scans"]) == 6


async def test_the_way_starts_where_the_warehouse_is(mall: Mall, partners: Partners) -> None:
    """T1, wire 1.5: the subscription says from where to where; so do the sandbox's scans."""
    await partners.behave(pace_seconds=0)
    placed = await mall.order(("walnut-bookend", 1))
    await mall.ship(placed["number"])
    await mall.views()
    await partners.asking.ask()
    await partners.until(placed["number"], "completed")
    order = await mall.read(placed["number"])
    assert order["parts"][0]["warehouse"] == "henan"
    texts = [scan["text"] for scan in reversed(order["parcels"][0]["scans"])]
    assert "河南" in texts[0]
    assert "杭州" in texts[3]
    assert not any("西安" in text for text in texts)


async def test_nothing_changes_when_the_pushes_are_forged(mall: Mall, partners: Partners) -> None:
    """T2: a signature with another salt is answered 401 and has no effect."""
    await partners.behave(pace_seconds=0, repeat=1, forge=True)
    placed = await mall.order(("notebook", 1))
    await mall.ship(placed["number"])
    await mall.views()
    before = mall.tenant.store.position
    await partners.asking.ask()
    await asyncio.sleep(0.5)
    order = await mall.read(placed["number"])
    assert order["parcels"][0]["scans"] == []
    assert mall.tenant.store.position == before + 1  # that the carrier watches, and nothing else


async def test_the_carrier_is_asked_again_when_it_refused(mall: Mall, partners: Partners) -> None:
    """M2: a partner that is away delays the subscription and loses nothing."""
    await partners.behave(pace_seconds=0, refuse=True)
    placed = await mall.order(("notebook", 1))
    await mall.ship(placed["number"])
    await mall.views()
    await partners.asking.ask()
    await partners.behave(pace_seconds=0)
    await partners.asking.ask()
    assert (await mall.read(placed["number"]))["status"] == "pending_receipt"  # not yet its time
    again = Asking(mall.tenant, partners.client)
    await again.ask()
    await partners.until(placed["number"], "completed")


async def test_the_order_is_released_when_its_cash_part_is_paid(
    mall: Mall, partners: Partners
) -> None:
    """O5: a charge, the provider's page, a signed notice sent twice: one capture."""
    placed = await mall.order(("tea-set", 1))
    path = f"/v1/orders/{placed['number']}/payments"
    started = await mall.post(path, {}, key="pay")
    again = await mall.post(path, {}, key="pay")
    assert started.json() == again.json()
    paid = await partners.client.post(started.json()["pay_url"], data={"outcome": "succeeded"})
    assert paid.status_code == 200
    await partners.until(placed["number"], "pending_shipment")


async def test_the_first_answer_is_given_again_when_the_order_went_on(
    mall: Mall, partners: Partners
) -> None:
    """Rules 31: the same key, also after it was paid; the provider is not asked again."""
    placed = await mall.order(("tea-set", 1))
    path = f"/v1/orders/{placed['number']}/payments"
    started = await mall.post(path, {}, key="pay")
    await partners.client.post(started.json()["pay_url"], data={"outcome": "succeeded"})
    await partners.until(placed["number"], "pending_shipment")
    await partners.behave(refuse=True)
    again = await mall.post(path, {}, key="pay")
    assert (again.status_code, again.json()) == (200, started.json())
    refused = [await mall.post(path, {}, key="too-late") for _ in range(2)]
    assert [one.status_code for one in refused] == [409, 409]
    assert refused[0].json()["failures"] == refused[1].json()["failures"]


async def test_another_attempt_is_possible_when_one_failed(mall: Mall, partners: Partners) -> None:
    """O5: rules.md 8, several attempts, one capture."""
    placed = await mall.order(("tea-set", 1))
    path = f"/v1/orders/{placed['number']}/payments"
    for outcome in ("failed", "succeeded"):
        started = await mall.post(path, {})
        await partners.client.post(started.json()["pay_url"], data={"outcome": outcome})
    await partners.until(placed["number"], "pending_shipment")


async def test_the_cash_is_back_when_a_paid_order_is_cancelled(
    mall: Mall, partners: Partners
) -> None:
    """O5, O8: points at once, cash requested and confirmed by the provider's notice."""
    before = await mall.balance()
    placed = await mall.order(("tea-set", 1))
    number = placed["number"]
    started = await mall.post(f"/v1/orders/{number}/payments", {})
    await partners.client.post(started.json()["pay_url"], data={"outcome": "succeeded"})
    await partners.until(number, "pending_shipment")
    await mall.post(f"/v1/orders/{number}/cancellation", {"reason": "不要了"})
    order = await mall.read(number, role="support", subject="sue")
    assert [one["state"] for one in order["cash_refunds"]] == ["requested"]
    await partners.asking.ask()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while order["cash_refunds"][0]["state"] != "confirmed":
            order = await mall.read(number, role="support", subject="sue")
    assert order["status"] == "cancelled"
    assert (await mall.balance())["available"] == before["available"]


async def test_the_money_goes_back_when_it_comes_after_the_cancellation(
    mall: Mall, partners: Partners
) -> None:
    """O5: rules.md 8, paid after cancelling is refunded by itself."""
    placed = await mall.order(("tea-set", 1))
    number = placed["number"]
    started = await mall.post(f"/v1/orders/{number}/payments", {})
    await mall.post(f"/v1/orders/{number}/cancellation", {"reason": "不要了"})
    await partners.client.post(started.json()["pay_url"], data={"outcome": "succeeded"})
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            order = await mall.read(number, role="support", subject="sue")
            if order["cash_refunds"]:
                break
    assert order["status"] == "cancelled"


async def test_a_notice_is_refused_when_it_is_not_signed(mall: Mall) -> None:
    """O5: unsigned or wrongly signed notices are answered 401 and change nothing."""
    placed = await mall.order(("tea-set", 1))
    key = mall.tenant.callback_links.key(placed["number"])
    before = mall.tenant.store.position
    for headers in ({}, {"X-Signature": "0" * 64}, {"X-Signature": "é"}):
        answer = await mall.client.post(
            f"/v1/callbacks/payment/{key}",
            content=b"{}",
            headers=[(k.encode(), v.encode()) for k, v in headers.items()],
        )
        assert answer.status_code == 401
    assert mall.tenant.store.position == before
