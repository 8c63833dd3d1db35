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
