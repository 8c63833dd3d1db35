"""What a customer is told of an order, and what only staff are (rules.md 4; D6, O8)."""

from datetime import timedelta
from typing import Any

import pytest

from application.policies import COMPLETE, EXPIRE_ORDERS, sweep
from tests.api.conftest import RECIPIENT, Mall

pytestmark = pytest.mark.anyio

STAFF = {"role": "support", "subject": "sue"}


async def test_received_is_completed_everywhere_when_a_customer_reads(mall: Mall) -> None:
    """rules.md 4: in the status, in lines and parts, and in why something is not possible."""
    number = (await mall.order(("python-course", 1), recipient=None))["number"]
    theirs, ours = await mall.read(number), await mall.read(number, **STAFF)
    for order, state in ((theirs, "completed"), (ours, "pending_end")):
        assert order["lines"][0]["progress"] == order["parts"][0]["state"] == state
    assert theirs["parts"][0]["returnable_until"] is not None
    answer = await mall.get(f"/v1/orders/{number}")
    assert "pending_end" not in answer.text
    assert "已签收" not in answer.text


COMMANDS: dict[str, Any] = {
    "cancellation": {"reason": "x"},
    "payments": {},
    "address": RECIPIENT,
}


async def test_refusals_say_completed_when_a_customer_is_refused(mall: Mall) -> None:
    """rules.md 4, 31: text, figures and failures, in both languages, the same on every sending."""
    number = (await mall.order(("notebook", 1)))["number"]
    await mall.ship(number)
    course = (await mall.order(("python-course", 1), recipient=None))["number"]
    for name, body in COMMANDS.items():
        path = f"/v1/orders/{course}/{name}"
        refused = [await mall.post(path, body, key=f"theirs-{name}") for _ in range(2)]
        for answer in refused:
            assert answer.status_code == 409, (name, answer.text)
            assert "pending_end" not in answer.text
            assert "已签收" not in answer.text
            told = answer.json()
            assert told["detail"].endswith("the order is completed"), told
            assert told["detail_zh"].endswith("订单已完成"), told
            (failure,) = told["failures"]
            assert failure["why"] == "the order is completed"
            assert (failure["message"], failure["message_zh"]) == (
                told["detail"],
                told["detail_zh"],
            )
        assert refused[0].json() == refused[1].json()
    onward = (await mall.post(f"/v1/orders/{number}/shortage", {"choice": "wait"})).json()
    assert onward["code"] == "not_possible"


async def test_refusals_say_the_inner_state_when_staff_are_refused(mall: Mall) -> None:
    """D6, rules.md 4: staff and services tell received from completed."""
    number = (await mall.order(("python-course", 1), recipient=None))["number"]
    for role in ("support", "operations", "service"):
        answer = await mall.post(
            f"/v1/orders/{number}/cancellation", {"reason": "x"}, role=role, subject="s"
        )
        told = answer.json()
        assert (answer.status_code, told["failures"][0]["why"]) == (
            409,
            "the order is pending_end",
        )
        assert told["detail_zh"] == "无法取消：订单已签收"


async def test_an_expired_order_is_not_there_when_its_customer_sends_commands(
    mall: Mall,
) -> None:
    """rules.md 4: 404 for reading and for every command; staff are told what it is."""
    number = (await mall.order(("python-course", 1), recipient=None))["number"]
    now = mall.tenant.store.clock()
    for days in (30, 3 * 365):
        mall.tenant.store.clock = lambda days=days: now + timedelta(days=days)
        for policy in (COMPLETE, EXPIRE_ORDERS):
            await sweep(mall.tenant, policy)
            await mall.views()
    assert (await mall.read(number, **STAFF))["state"] == "expired"
    for path in ("", "/recipient", "/live"):
        assert (await mall.get(f"/v1/orders/{number}{path}")).status_code == 404
    for name, body in {**COMMANDS, "shortage": {"choice": "wait"}}.items():
        answer = await mall.post(f"/v1/orders/{number}/{name}", body)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), name
    ours = await mall.post(f"/v1/orders/{number}/cancellation", {"reason": "x"}, **STAFF)
    assert (ours.status_code, "expired" in ours.json()["detail"]) == (409, True)


async def test_an_address_can_be_changed_until_the_parcel_has_left(mall: Mall) -> None:
    """O8, D6: `actions` says so as the command does, with the province the plan was made for."""
    number = (await mall.order(("notebook", 1)))["number"]
    free = [{"warehouse": "zhejiang", "sku": "notebook", "quantity": 1}]
    assert (await mall.read(number))["actions"]["address"] == {
        "possible": True, "country": "CN", "province": "浙江省",
        "elsewhere": {"possible": True, "stock": free},
    }  # fmt: skip
    moved = {**RECIPIENT, "city": "宁波市", "district": "海曙区", "address": "中山路 9 号"}
    changed = await mall.post(f"/v1/orders/{number}/address", moved)
    assert changed.status_code == 200, changed.text
    await mall.views()
    shown = (await mall.get(f"/v1/orders/{number}/recipient")).json()["recipient"]
    assert shown["city"] == "宁波市"
    await mall.ship(number)
    order = await mall.read(number)
    stopped = [one["number"] for one in order["parcels"]]
    assert order["actions"]["address"] == {"possible": True, "parcels": stopped}
    later = (await mall.post(f"/v1/orders/{number}/address", moved)).json()
    assert [one["parcel"] for one in later["intercepts"]] == stopped
    order = await mall.read(number)
    assert order["actions"]["address"]["possible"] is False
    refused = await mall.post(f"/v1/orders/{number}/address", moved)
    assert refused.json()["detail"] == order["actions"]["address"]["why"]


async def test_no_address_can_be_changed_when_nothing_is_sent(mall: Mall) -> None:
    """rules.md 7: an order of courses alone has no recipient, and says so."""
    number = (await mall.order(("python-course", 1), recipient=None))["number"]
    told = (await mall.read(number))["actions"]["address"]
    assert (told["possible"], told["why_zh"]) == (False, "无法修改地址：订单没有收件人")
