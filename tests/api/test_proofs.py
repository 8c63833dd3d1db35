"""Pictures of receipts: kept sealed, known by a digest, shown by a reveal (T8, A4)."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from application.gathering import texts_of
from domain.parcels import PROOFS_MAX
from domain.scans import ScanKind
from tests.api.conftest import Mall
from tests.api.test_carriers import seen

pytestmark = pytest.mark.anyio

PICTURE = b"\x89PNG\r\n\x1a\n" + b"a door, a parcel"
SUPPORT = {"role": "support", "subject": "sue"}


async def keep(mall: Mall, parcel: str, key: str, content: bytes = PICTURE, **more: Any) -> Any:
    """The warehouse sends a picture."""
    headers = {
        **mall.headers(more.get("role", "service"), "warehouse"),
        "Idempotency-Key": key,
        "Content-Type": more.get("called", "image/png"),
    }
    return await mall.client.post(f"/v1/parcels/{parcel}/proofs", content=content, headers=headers)


async def test_a_picture_of_the_receipt_is_kept_and_shown_with_a_reason(mall: Mall) -> None:
    """T8, D1, A4: the fact has its digest alone; a reveal shows the very bytes, and is recorded."""
    parcel = await mall.ship((await mall.order(("notebook", 1)))["number"])
    await seen(mall, parcel, ScanKind.SIGNED, datetime.now(UTC) + timedelta(minutes=1))
    kept = await keep(mall, parcel, "p1")
    assert kept.status_code == 201, kept.text
    again = await keep(mall, parcel, "p1")
    assert again.json() == kept.json()
    await mall.views()
    shown = (await mall.get(f"/v1/parcels/{parcel}", **SUPPORT)).json()
    (proof,) = shown["proofs"]
    assert proof == {
        "card": kept.json()["card"], "digest": kept.json()["digest"], "media_type": "image/png",
    }  # fmt: skip
    stream = await mall.get(f"/v1/audit/streams/parcel:{parcel}", role="auditor", subject="aud")
    (event,) = [one for one in stream.json()["events"] if one["fact"] == "parcels.ReceiptProved"]
    assert event["actor"] == "service:warehouse"
    assert "parcel, " not in str(event)
    listed = (await mall.get(f"/v1/parcels/{parcel}/payloads", **SUPPORT)).json()["payloads"]
    (line,) = [one for one in listed if one["card"] == proof["card"]]
    assert (line["bytes"], line["kept"], line["scans"]) == (len(PICTURE), "sealed", 0)
    revealed = await mall.post(
        f"/v1/parcels/{parcel}/payloads/{proof['card']}/reveals", {"reason": "who signed?"},
        **SUPPORT,
    )  # fmt: skip
    assert revealed.status_code == 200, revealed.text
    assert base64.b64decode(revealed.json()["payload"]) == PICTURE


async def test_only_pictures_of_parcels_that_left_are_kept(mall: Mall) -> None:
    """T8, R46: no other files, no more than five, nobody but operators."""
    number = (await mall.order(("notebook", 1)))["number"]
    packed = await mall.post(
        "/v1/parcels", {"order": number, "part": 1}, role="operations", subject="ops"
    )
    parcel = packed.json()["parcel"]
    assert (await keep(mall, parcel, "early")).status_code == 409
    for step, body in (("waybill", {"carrier": "ems", "waybill": "EE1234567"}), ("handover", {})):
        await mall.post(f"/v1/parcels/{parcel}/{step}", body, role="operations", subject="ops")
    assert (await keep(mall, parcel, "text", b"hello", called="text/plain")).status_code == 422
    assert (await keep(mall, parcel, "false", b"hello")).status_code == 422
    assert (await keep(mall, parcel, "learner", role="learner")).status_code == 403
    for serial in range(PROOFS_MAX):
        assert (await keep(mall, parcel, f"n{serial}")).status_code == 201
    assert (await keep(mall, parcel, "more")).status_code == 409


def test_texts_are_found_in_json_within_json() -> None:
    """D1, wire 2: who signed is read from what SF answered, which is JSON in a string."""
    inner = '{"remark": "已签收,签收人:林小满"}'
    raw = '{"apiResultData": ' + json.dumps(inner) + "}"
    assert "已签收,签收人:林小满" in list(texts_of(raw.encode()))
    assert list(texts_of(b'{"a": "{broken"}')) == ["{broken"]
