"""A receipt confirmed by hand from support's desk (T2; rules.md 23)."""

from dataclasses import replace

import pytest

from tests.api.conftest import Mall
from tests.api.test_disputes import AUDITOR, OPS, SUPPORT, signed

pytestmark = pytest.mark.anyio


async def test_support_confirms_a_receipt_with_a_reason_on_record(mall: Mall) -> None:
    """T2, D6, A1: offered where it helps, to staff alone; who said so, and how they know."""
    mall.tenant.rules = replace(mall.tenant.rules, confirm_receipts=True)
    desk = await signed(mall, confirmed=False)
    path = f"/v1/parcels/{desk.parcel}/receipt"
    body = {"reason": "the recipient called"}
    for who, status in ((OPS, 403), ({"role": "learner", "subject": "lin"}, 403)):
        assert (await mall.post(path, body, **who)).status_code == status
    order = await mall.read(desk.number, **SUPPORT)
    offered = order["parcels"][0]["actions"]["confirm_receipt"]
    assert (offered["possible"], offered["received_at"]) == (True, order["parcels"][0]["signed_at"])
    assert "confirm_receipt" not in (await mall.read(desk.number))["parcels"][0]["actions"]
    assert (await mall.post(path, {}, **SUPPORT)).status_code == 422
    confirmed = await mall.post(path, body, **SUPPORT)
    assert confirmed.status_code == 200, confirmed.text
    assert confirmed.json()["received_at"] == offered["received_at"]
    again = await mall.post(path, body, **SUPPORT)
    assert (again.status_code, "已经有效" in again.json()["detail_zh"]) == (409, True)
    order = await mall.read(desk.number, **SUPPORT)
    assert order["parcels"][0]["actions"]["confirm_receipt"]["possible"] is False
    assert (await mall.read(desk.number))["parcels"][0]["actions"]["dispute"]["possible"] is True
    told = (await mall.get(f"/v1/support/orders/{desk.number}/timeline", **SUPPORT)).json()[
        "entries"
    ]
    (entry,) = [one for one in told if one.get("fact") == "parcels.ReceiptConfirmedByHand"]
    assert entry["actor"].endswith(SUPPORT["subject"])
    assert "the recipient called" in str(entry["details"])
    trail = (await mall.get(f"/v1/audit/streams/parcel:{desk.parcel}", **AUDITOR)).json()
    assert "the recipient called" in str(trail)
