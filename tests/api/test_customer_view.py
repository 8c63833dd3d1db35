"""What a customer is told of an order, and what only staff are (rules.md 4; D6, O8)."""

import pytest

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


async def test_an_address_can_be_changed_until_the_parcel_has_left(mall: Mall) -> None:
    """O8, D6: `actions` says so as the command does, with the province the plan was made for."""
    number = (await mall.order(("notebook", 1)))["number"]
    assert (await mall.read(number))["actions"]["address"] == {
        "possible": True, "province": "浙江省",
    }  # fmt: skip
    moved = {**RECIPIENT, "city": "宁波市", "address": "中山路 9 号"}
    changed = await mall.post(f"/v1/orders/{number}/address", moved)
    assert changed.status_code == 200, changed.text
    await mall.views()
    shown = (await mall.get(f"/v1/orders/{number}/recipient")).json()["recipient"]
    assert shown["city"] == "宁波市"
    await mall.ship(number)
    order = await mall.read(number)
    assert order["actions"]["address"]["possible"] is False
    refused = await mall.post(f"/v1/orders/{number}/address", moved)
    assert refused.json()["detail"] == order["actions"]["address"]["why"]


async def test_no_address_can_be_changed_when_nothing_is_sent(mall: Mall) -> None:
    """rules.md 7: an order of courses alone has no recipient, and says so."""
    number = (await mall.order(("python-course", 1), recipient=None))["number"]
    told = (await mall.read(number))["actions"]["address"]
    assert (told["possible"], told["why_zh"]) == (False, "无法修改地址:订单没有收件人")
