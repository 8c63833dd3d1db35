"""Parcels called back and sent elsewhere, whatever the sandbox does (O8; rules 3, 5, 27)."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from api.sandbox.labels import account
from application.asking_intercepts import InterceptRequests
from application.gateways.kuaidi100 import sign_push
from application.intercepting import INTERCEPTS
from application.jobs import apply_jobs_schema
from application.migrating import SERVICE_ROLE
from application.policies import sweep
from application.settings import Settings
from domain.scans import ScanKind
from tests.api.conftest import RECIPIENT, running
from tests.api.test_carriers import seen
from tests.api.test_labels import Desk
from tests.api.test_partners import Partners
from tests.conftest import MallDatabase

pytestmark = pytest.mark.anyio

STAFF = {"role": "operations", "subject": "ops"}
SUPPORT = {"role": "support", "subject": "sue"}
CANCEL = {"reason": "changed_mind"}


class Road(Desk):
    """A mall whose parcels are with their carriers."""

    async def sent(self, *, scans: int = 1, **more: Any) -> tuple[str, str]:
        """An order that is under way, seen so many times: (its number, its parcel)."""
        number = (await self.mall.order(("notebook", 1), **more))["number"]
        parcel = await self.mall.ship(number)
        await self.mall.views()
        await self.partners.behave(pace_seconds=self.pace, repeat=1, intercepts=self.intercepts)
        await self.partners.asking.ask()
        await self.seen_by_carrier(scans)
        return number, parcel

    intercepts = "turn"
    pace = 1.0
    """Seconds between two scans: long enough to stop a parcel in between."""

    async def seen_by_carrier(self, scans: int) -> None:
        """Wait until its carrier has seen it so often."""
        sandbox = self.partners.app.state.kuaidi100
        async with asyncio.timeout(30):
            while not any(one["seen"] >= scans for one in sandbox.subscriptions.values()):
                await self.mall.views()

    async def stop(self) -> None:
        """Ask the carriers, and note what the tracks say."""
        await self.mall.views()
        await InterceptRequests(self.mall.tenant, self.partners.client).ask()
        await self.look()

    async def look(self) -> None:
        """Note what the tracks say."""
        await self.mall.views()
        for policy in INTERCEPTS:
            await sweep(self.mall.tenant, policy)
        await self.mall.views()

    async def until(self, number: str, state: str) -> Any:
        """The order's parcel once its interception is in a state."""
        async with asyncio.timeout(30):
            while True:
                await self.look()
                (parcel,) = (await self.mall.read(number))["parcels"]
                if (parcel["intercept"] or {}).get("state") == state:
                    return parcel
                await asyncio.sleep(0.02)


@pytest.fixture
async def road(database: MallDatabase, tmp_path: Path) -> AsyncIterator[Road]:
    """A mall with a service that stops parcels."""
    set_up: dict[str, Any] = {
        name.lower(): value for name, value in account("http://partners").items()
    }
    for name in ("kuaidi100_accounts", "senders"):
        set_up[name] = json.loads(set_up[name])
    settings = Settings.model_validate(
        {"tenant": database.schema, "keys": tmp_path / "keys", "data": tmp_path, **set_up}
    )
    apply_jobs_schema(database.owner_url, SERVICE_ROLE)
    async with running(settings, database) as mall:
        partners = Partners(mall)
        yield Road(mall, partners)
        await partners.client.aclose()
        await mall.tenant.payments.aclose()


async def test_a_cancel_after_hand_over_brings_the_goods_back_and_then_the_points(
    road: Road,
) -> None:
    """O8, rules 3, 5: asked for, seen on the track, paid back once the goods are here."""
    before = await road.mall.balance()
    number, parcel = await road.sent()
    spent = before["available"] - (await road.mall.balance())["available"]
    cancelled = await road.mall.post(f"/v1/orders/{number}/cancellation", CANCEL)
    assert cancelled.status_code == 200, cancelled.text
    assert cancelled.json()["intercepts"][0]["parcel"] == parcel
    again = await road.mall.post(f"/v1/orders/{number}/cancellation", CANCEL)
    assert again.json()["intercepts"] == cancelled.json()["intercepts"]
    await road.stop()
    seen = await road.until(number, "done")
    assert seen["intercept"]["way"] == "return"
    assert (await road.mall.read(number))["status"] == "pending_receipt"
    assert (await road.mall.balance())["available"] == before["available"] - spent
    (listed,) = (await road.mall.get("/v1/intercepts", **STAFF)).json()["intercepts"]
    assert (listed["parcel"], listed["state"]) == (parcel, "done")
    back = await road.change(
        f"/v1/parcels/{parcel}/goods-back",
        {"intact": True, "reason": "unopened", "fault": "not_received"},
    )
    assert (back["state"], back["points"]) == ("came_back", spent)
    assert (await road.mall.read(number))["status"] == "closed"
    assert (await road.mall.balance())["available"] == before["available"]
    twice = await road.mall.post(
        f"/v1/parcels/{parcel}/goods-back", {"intact": True, "reason": "x"}, **STAFF
    )
    assert twice.status_code == 409
    assert (await road.mall.get("/v1/intercepts", **STAFF)).json()["intercepts"] == []


async def test_a_delivery_that_nobody_stopped_stands(road: Road) -> None:
    """O8, R37: the carrier's yes moves nothing; signed is signed, and nothing is paid back."""
    road.intercepts = "silent"
    number, _ = await road.sent()
    before = await road.mall.balance()
    await road.mall.post(f"/v1/orders/{number}/cancellation", CANCEL)
    await road.stop()
    await road.until(number, "failed")
    order = await road.mall.read(number)
    assert order["status"] == "completed"
    assert (await road.mall.balance())["available"] == before["available"]


async def test_a_carrier_that_could_not_says_so_and_a_forged_word_says_nothing(
    road: Road,
) -> None:
    """O8, R33, R36: signed with the parcel's own salt, kept as it came, sent twice it is once."""
    road.pace = 0.5
    number, parcel = await road.sent()
    await road.partners.behave(pace_seconds=600)
    await road.mall.post(f"/v1/orders/{number}/cancellation", CANCEL)
    links = road.mall.tenant.callback_links
    path = links.url(parcel, partner="kuaidi100-intercepts").partition("8000")[2]
    param = json.dumps({"kuaidinum": "x", "message": "拦截失败"}, ensure_ascii=False)
    good = {"param": param, "sign": sign_push(param.encode(), links.salt(parcel).encode())}
    for form in (
        {**good, "sign": "0" * 32},
        {**good, "sign": sign_push(param.encode(), links.salt("T0-P1").encode())},
        {"param": param},
    ):
        refused = await road.mall.client.post(path, data=form)
        assert refused.status_code == 401
    assert (await road.until(number, "asked"))["intercept"]["state"] == "asked"
    for _ in range(3):
        told: httpx2.Response = await road.mall.client.post(path, data=good)
        assert told.json()["result"] is True
    await road.until(number, "failed")
    stream = await road.mall.get(
        f"/v1/audit/streams/intercept:{parcel}", role="auditor", subject="eve"
    )
    names = [one["fact"] for one in stream.json()["events"]]
    assert names.count("intercepts.InterceptTold") == 1


async def word(road: Road, intercept: str, *, says: str = "拦截失败") -> None:
    """The carrier's word that it could not, to the address of a request."""
    links = road.mall.tenant.callback_links
    path = links.url(intercept, partner="kuaidi100-intercepts").partition("8000")[2]
    param = json.dumps({"kuaidinum": "x", "message": says}, ensure_ascii=False)
    sign = sign_push(param.encode(), links.salt(intercept).encode())
    told = await road.mall.client.post(path, data={"param": param, "sign": sign})
    assert told.json()["result"] is True


async def test_what_is_told_of_one_request_is_not_told_of_the_next(road: Road) -> None:
    """O8: a late word of the first fails no second; the second's own is heard, though it reads
    the same. CONTROL: each of them by itself fails its request."""
    road.pace = 0.5
    number, parcel = await road.sent()
    await road.partners.behave(pace_seconds=600)
    asked: list[str] = []
    for nth in (1, 2):
        await road.mall.post(f"/v1/orders/{number}/cancellation", CANCEL)
        await road.until(number, "asked")
        asked.append(f"{parcel}-X{nth}")
        await road.stop()
        assert (await road.until(number, "taken"))["intercept"]["state"] == "taken"
        for earlier in asked[:-1]:
            await word(road, earlier, says="无法拦截")
            await road.until(number, "taken")
        await word(road, asked[-1])
        await road.until(number, "failed")
    stream = await road.mall.get(
        f"/v1/audit/streams/intercept:{parcel}", role="auditor", subject="eve"
    )
    found = [
        (one["fact"].rpartition(".")[2], one["data"]["intercept"])
        for one in stream.json()["events"]
        if one["fact"] != "intercepts.InterceptTold"  # the sandbox has its word, too
    ]
    first, second = asked
    assert found == [
        ("InterceptAsked", first), ("InterceptTaken", first), ("InterceptFailed", first),
        ("InterceptAsked", second), ("InterceptTaken", second), ("InterceptFailed", second),
    ]  # fmt: skip


async def test_a_lost_answer_is_asked_for_again(road: Road) -> None:
    """M2: the same wish under the same name, after a pause; refused for good, a human is told."""
    number, _ = await road.sent()
    await road.mall.post(f"/v1/orders/{number}/cancellation", CANCEL)
    await road.partners.behave(lose_answers=True, intercepts="silent", pace_seconds=60)
    await road.stop()
    await road.until(number, "asked")
    await road.partners.behave(reject=True, pace_seconds=60)
    road.later = timedelta(seconds=20)
    await road.stop()
    await road.until(number, "refused")
    (listed,) = (await road.mall.get("/v1/intercepts", **STAFF)).json()["intercepts"]
    assert listed["state"] == "refused"


async def test_nobody_waits_for_a_carrier_for_ever(road: Road) -> None:
    """O8, M5: after a day without word it is a human's."""
    road.intercepts = "silent"
    number, _ = await road.sent()
    await road.partners.behave(pace_seconds=600, intercepts="silent")
    await road.mall.post(f"/v1/orders/{number}/cancellation", CANCEL)
    await road.stop()
    road.later = timedelta(hours=25)
    await road.until(number, "timed_out")


async def test_a_shared_parcel_comes_back_with_all_its_orders_or_not_at_all(road: Road) -> None:
    """Rule 27: one order's cancel is refused and says why; both together are called back."""
    pair = [(await road.mall.order(("notebook", 1)))["number"] for _ in range(2)]
    (parcel,) = (await road.change("/v1/waves", {"warehouse": "zhejiang"}))["parcels"]
    await road.change(f"/v1/parcels/{parcel}/picking", {})
    await road.change(f"/v1/parcels/{parcel}/packing", {"weight_grams": 700})
    waybill = {"carrier": "shunfeng", "waybill": "SF1000000000077"}
    await road.change(f"/v1/parcels/{parcel}/waybill", waybill)
    await road.change(f"/v1/parcels/{parcel}/handover", {})
    alone = await road.mall.post(f"/v1/orders/{pair[0]}/cancellation", CANCEL)
    assert (alone.status_code, pair[1] in alone.json()["detail"]) == (409, True)
    seen = (await road.mall.read(pair[0]))["parcels"][0]["actions"]["intercept"]
    assert (seen["possible"], seen["orders"]) == (True, sorted(pair))
    both = {"orders": pair, "reason": "changed my mind"}
    stranger = await road.mall.post(f"/v1/parcels/{parcel}/interception", both, subject="chen")
    absent = await road.mall.post("/v1/parcels/T0-P1/interception", both, subject="chen")
    assert stranger.status_code == absent.status_code == 404
    assert stranger.json()["detail"] == absent.json()["detail"]
    asked = await road.mall.post(f"/v1/parcels/{parcel}/interception", both)
    assert asked.status_code == 200, asked.text
    await road.mall.views()
    spent = sum([(await road.mall.read(number))["points"] for number in pair])
    back = await road.change(f"/v1/parcels/{parcel}/goods-back", {"intact": False, "reason": "wet"})
    assert back["points"] == spent


async def test_goods_that_a_decision_had_paid_back_are_inspected_and_on_their_shelf_again(
    road: Road,
) -> None:
    """O8, D3, D4: named with what is in it; one is scrapped, nothing is paid twice; books agree."""

    async def shelf() -> dict[str, int]:
        answer = await road.mall.get("/v1/items", q="enamel-mug", **STAFF)
        levels = [one for item in answer.json()["items"] for one in item["stock"]]
        return {name: sum(one[name] for one in levels) for name in ("free", "reserved")}

    before, full = (await road.mall.balance())["available"], await shelf()
    number = (await road.mall.order(("enamel-mug", 2)))["number"]
    parcel = await road.mall.ship(number)
    await road.mall.views()
    await road.mall.post(f"/v1/orders/{number}/cancellation", CANCEL)
    lost = {"fault": "lost", "reason": "nobody knows where it is"}
    paid = await road.mall.post(f"/v1/orders/{number}/refunds", lost, role="support", subject="sue")
    assert paid.status_code == 200, paid.text
    await road.mall.views()
    assert (await road.mall.balance())["available"] == before
    (listed,) = (await road.mall.get("/v1/intercepts", **STAFF)).json()["intercepts"]
    goods = [(one["sku"], one["quantity"]) for one in listed["goods"]]
    assert (listed["paid_back"], goods) == (True, [("enamel-mug", 2)])
    path = f"/v1/parcels/{parcel}/goods-back"
    for intact, quantity in ((False, 3), (True, 1)):
        scrap = [{"sku": "enamel-mug", "quantity": quantity}]
        body = {"intact": intact, "scrap": scrap, "reason": "x"}
        refused = await road.mall.post(path, body, **STAFF)
        assert (refused.status_code, refused.json()["code"]) == (422, "invalid")
    body = {"intact": False, "scrap": [{"sku": "enamel-mug", "quantity": 1}], "reason": "a crack"}
    back = await road.change(path, body)
    assert (back["state"], back["points"]) == ("came_back", 0)
    assert await shelf() == {**full, "free": full["free"] - 1}
    assert (await road.mall.balance())["available"] == before
    assert (await road.mall.post(path, body, **STAFF)).status_code == 409
    stream = await road.mall.get(f"/v1/audit/streams/order:{number}", role="auditor", subject="eve")
    assert stream.json()["events"][-1]["fact"] == "orders.GoodsCameBack"


async def test_a_new_address_after_hand_over_is_the_carrier_s_to_reach(road: Road) -> None:
    """O8: any province; done once the track says that it goes there."""
    number, parcel = await road.sent()
    moved = {**RECIPIENT, "province": "陕西省", "city": "西安市", "district": "碑林区",
             "address": "南门 9 号 101"}  # fmt: skip
    asked = await road.mall.post(f"/v1/orders/{number}/address", moved)
    assert asked.json()["intercepts"][0]["way"] == "redirect", asked.text
    await road.stop()
    await road.until(number, "done")
    no = await road.mall.post(
        f"/v1/parcels/{parcel}/goods-back", {"intact": True, "reason": "x"}, **STAFF
    )
    assert no.status_code == 409


async def brought_back(road: Road, parcel: str) -> None:
    """Refused at the door: its carrier brings it back by itself."""
    at = datetime.now(UTC) - timedelta(minutes=5)
    for kind in (ScanKind.REFUSED, ScanKind.RETURNING, ScanKind.DEPARTED, ScanKind.RETURNED):
        at += timedelta(minutes=1)
        await seen(road.mall, parcel, kind, at)
    await road.look()


@pytest.mark.parametrize("moved", [False, True])
async def test_a_parcel_that_its_carrier_brings_back_waits_for_inspection(
    road: Road, moved: bool
) -> None:
    """O8, T5, rules.md 3: not called back, or sent elsewhere; listed until it is here."""
    before = (await road.mall.balance())["available"]
    number = (await road.mall.order(("notebook", 1)))["number"]
    spent = before - (await road.mall.balance())["available"]
    parcel = await road.mall.ship(number)
    await road.mall.views()
    path, body = f"/v1/parcels/{parcel}/goods-back", {"intact": True, "reason": "refused"}
    if moved:
        there = {**RECIPIENT, "province": "陕西省", "city": "西安市", "district": "碑林区",
                 "address": "南门 9 号 101"}  # fmt: skip
        await road.mall.post(f"/v1/orders/{number}/address", there)
        await road.mall.views()
    # CONTROL: while it is on its way, nobody has it, unless somebody says so.
    assert (await road.mall.post(path, body, **STAFF)).status_code == 409
    await brought_back(road, parcel)
    (listed,) = (await road.mall.get("/v1/intercepts", **STAFF)).json()["intercepts"]
    assert (listed["parcel"], listed["state"], listed["way"]) == (parcel, "turned_back", "return")
    assert (listed["orders"], listed["paid_back"]) == ([number], False)
    assert [(one["sku"], one["quantity"]) for one in listed["goods"]] == [("notebook", 1)]
    position = road.mall.tenant.store.position
    await road.look()
    assert road.mall.tenant.store.position == position  # noted once
    back = await road.change(path, body)
    assert (back["state"], back["points"]) == ("came_back", spent)
    assert (await road.mall.read(number))["status"] == "closed"
    assert (await road.mall.balance())["available"] == before
    assert (await road.mall.get("/v1/intercepts", **STAFF)).json()["intercepts"] == []
    assert (await road.mall.post(path, body, **STAFF)).status_code == 409


async def test_goods_of_a_returned_parcel_that_was_refunded_by_hand_are_shelved(
    road: Road,
) -> None:
    """O8, D4, rules.md 3: they are out no longer, and nothing is paid a second time."""
    before = (await road.mall.balance())["available"]
    number = (await road.mall.order(("notebook", 1)))["number"]
    parcel = await road.mall.ship(number)
    await road.mall.views()
    await brought_back(road, parcel)
    refund = {"fault": "not_received", "reason": "it went back"}
    paid = await road.mall.post(f"/v1/orders/{number}/refunds", refund, **SUPPORT)
    assert paid.status_code == 200, paid.text
    await road.mall.views()
    (listed,) = (await road.mall.get("/v1/intercepts", **STAFF)).json()["intercepts"]
    assert listed["paid_back"]
    back = await road.change(
        f"/v1/parcels/{parcel}/goods-back", {"intact": True, "reason": "unopened"}
    )
    assert (back["state"], back["points"]) == ("came_back", 0)
    assert (await road.mall.balance())["available"] == before
    stream = await road.mall.get(f"/v1/audit/streams/order:{number}", role="auditor", subject="eve")
    assert stream.json()["events"][-1]["fact"] == "orders.GoodsCameBack"


async def test_a_parcel_on_the_floor_is_taken_in_whatever_its_track_says(road: Road) -> None:
    """O8, rules.md 3: its scans were lost; who has the goods says so, and it is on record."""
    number = (await road.mall.order(("notebook", 1)))["number"]
    parcel = await road.mall.ship(number)
    await road.mall.views()
    path, body = f"/v1/parcels/{parcel}/goods-back", {"intact": True, "reason": "on our dock"}
    assert (await road.mall.post(path, body, **STAFF)).status_code == 409
    back = await road.change(path, {**body, "in_hand": True})
    assert back["state"] == "came_back"
    stream = await road.mall.get(
        f"/v1/audit/streams/intercept:{parcel}", role="auditor", subject="eve"
    )
    assert [(one["fact"], one["actor"]) for one in stream.json()["events"]] == [
        ("intercepts.ParcelTurnedBack", "operations:ops"),
        ("intercepts.GoodsTakenBack", "operations:ops"),
    ]
