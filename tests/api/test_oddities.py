"""The queue of odd tracks over HTTP, and who decides (T6)."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.scans import ScanKind
from tests.api.conftest import Mall
from tests.api.test_carriers import seen

pytestmark = pytest.mark.anyio

SUPPORT = {"role": "support", "subject": "sue"}
OPS = {"role": "operations", "subject": "ops"}


async def test_a_human_decides_about_scans_that_are_odd(mall: Mall) -> None:
    """T6: listed with its scans, oldest first; decided with a reason, which the audit keeps."""
    number = (await mall.order(("notebook", 1)))["number"]
    parcel = await mall.ship(number)
    now = datetime.now(UTC)
    for hours, kind in ((1, ScanKind.SIGNED), (3, ScanKind.DEPARTED)):
        await seen(mall, parcel, kind, now + timedelta(hours=hours))
    listed = (await mall.get("/v1/oddities", **SUPPORT)).json()
    (one,) = listed["oddities"]
    assert (one["kind"], one["parcel"], one["orders"]) == ("after_signing", parcel, [number])
    assert [scan["kind"] for scan in one["scans"]] == ["departed"]
    path = f"/v1/parcels/{parcel}/oddities/{one['oddity']}"
    body = {"decision": "voided", "reason": "wrong sack"}
    assert (await mall.post(path, body, **SUPPORT)).status_code == 403
    missing = await mall.post(path, {"decision": "voided", "reason": " "}, **OPS)
    assert missing.status_code == 422
    answer = await mall.post(path, body, **OPS)
    assert answer.status_code == 200, answer.text
    assert answer.json()["state"] == "signed"
    await mall.views()
    assert (await mall.get("/v1/oddities", **SUPPORT)).json()["oddities"] == []
    order = await mall.read(number)
    assert [scan["kind"] for scan in order["parcels"][0]["scans"]] == ["signed"]
    unknown = await mall.post(f"/v1/parcels/{parcel}/oddities/{'0' * 16}", body, **OPS)
    assert unknown.status_code == 404
    stream = await mall.get(f"/v1/audit/streams/parcel:{parcel}", role="auditor", subject="aud")
    (decided,) = [
        event for event in stream.json()["events"] if event["fact"] == "parcels.OddityDecided"
    ]
    assert decided["actor"] == "operations:ops"
    assert decided["reason"] == "wrong sack"


async def test_a_receipt_of_the_future_moves_no_order_before_a_human_says_so(mall: Mall) -> None:
    """T2, T6, rules.md 2, 27: listed as its source dates it; accepted, it came when it was told."""
    number = (await mall.order(("notebook", 1)))["number"]
    parcel = await mall.ship(number)
    now = datetime.now(UTC)
    written = now + timedelta(days=365 * 50)
    await seen(mall, parcel, ScanKind.SIGNED, written)
    order = await mall.read(number, **SUPPORT)
    assert (order["state"], order["parcels"][0]["scans"]) == ("pending_receipt", [])
    (one,) = (await mall.get("/v1/oddities", **SUPPORT)).json()["oddities"]
    assert (one["kind"], one["parcel"]) == ("dated_ahead", parcel)
    assert datetime.fromisoformat(one["scans"][0]["time"]) == written
    body = {"decision": "accepted", "reason": "the courier's device had the wrong year"}
    path = f"/v1/parcels/{parcel}/oddities/{one['oddity']}"
    answer = await mall.post(path, body, **OPS)
    assert answer.json()["state"] == "signed", answer.text
    await mall.views()
    order = await mall.read(number, **SUPPORT)
    (seen_of_it,) = order["parcels"]
    assert order["state"] == "pending_end"
    assert now <= datetime.fromisoformat(seen_of_it["signed_at"]) <= datetime.now(UTC)
    until = datetime.fromisoformat(order["returnable_until"])
    assert now < until <= datetime.now(UTC) + timedelta(days=8)
    assert (await mall.get("/v1/oddities", **SUPPORT)).json()["oddities"] == []
