"""Declarations to customs over HTTP: filled in, completed, answered, and the hand-over (T7)."""

import io
from datetime import timedelta
from typing import Any

import pytest
from pypdf import PdfReader

from application.jobs import apply_jobs_schema
from application.migrating import SERVICE_ROLE
from tests.api.conftest import Mall
from tests.api.test_abroad import STAFF, TOKYO, changed, classify, open_abroad
from tests.conftest import MallDatabase

pytestmark = pytest.mark.anyio

LINE = {
    "sku": "notebook", "hs_code": "482010", "english_name": "Paper notebook", "origin": "CN",
    "unit_value_fen": 3_200, "net_weight_grams": 380,
}  # fmt: skip


async def packed(mall: Mall, **order: Any) -> tuple[str, str]:
    """An order to Tokyo in a packed parcel that has its carrier's number: (order, parcel)."""
    number = (await mall.order(("notebook", 1), recipient=TOKYO, **order))["number"]
    box = {"order": number, "part": 1, "weight_grams": 500}
    parcel: str = (await changed(mall, "/v1/parcels", box))["parcel"]
    label = {"carrier": "ems", "waybill": f"EM{number[-8:]}CN"}
    await changed(mall, f"/v1/parcels/{parcel}/waybill", label)
    return number, parcel


async def declaration(mall: Mall, parcel: str) -> Any:
    await mall.views()
    answer = await mall.get(f"/v1/parcels/{parcel}/declaration", **STAFF)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_parcel_abroad_leaves_once_customs_cleared_it(mall: Mall) -> None:
    """T7, D6: filled in by itself, submitted, cleared; before, the hand-over says what it lacks."""
    await open_abroad(mall, "JP")
    await classify(mall, "notebook")
    number, parcel = await packed(mall)
    seen = await declaration(mall, parcel)
    assert (seen["standing"], seen["country"], seen["missing"]) == ("draft", "JP", [])
    (line,) = seen["lines"]
    assert (line["hs_code"], line["english_name"], line["quantity"]) == (
        "482010", "Paper notebook", 1,
    )  # fmt: skip
    assert line["unit_value_fen"] > 0
    may = {name: one["possible"] for name, one in seen["actions"].items()}
    assert may == {
        "complete": True, "submit": True, "clear": False, "stop": False, "hand_over": False,
    }  # fmt: skip
    why = seen["actions"]["hand_over"]
    assert (why["code"], "海关尚未放行" in why["why_zh"]) == ("not_cleared", True)
    refused = await mall.post(f"/v1/parcels/{parcel}/handover", {}, **STAFF)
    assert refused.status_code == 409
    told = refused.json()
    assert told["code"] == "not_cleared"
    assert (told["failures"][0]["field"], told["failures"][0]["standing"]) == (
        "declaration",
        "draft",
    )
    base = f"/v1/parcels/{parcel}/declaration"
    await changed(mall, f"{base}/submission", {"reference": "CN-1"})
    asked = await mall.get("/v1/declarations", standing="submitted", **STAFF)
    (waiting,) = asked.json()["declarations"]
    assert (waiting["parcel"], waiting["reference"]) == (parcel, "CN-1")
    assert waiting["orders"] == [number]
    await changed(mall, f"{base}/answer", {"answer": "cleared", "reference": "R-1"})
    assert (await declaration(mall, parcel))["actions"]["hand_over"]["possible"]
    await changed(mall, f"/v1/parcels/{parcel}/handover", {})
    assert (await mall.read(number))["status"] == "pending_receipt"
    assert (await mall.get("/v1/declarations", **STAFF)).json()["declarations"] == []
    assert (await mall.get(base, **STAFF)).status_code == 404


async def test_what_is_missing_is_asked_of_staff(mall: Mall) -> None:
    """T7: named by its field; refused until it is there; both languages."""
    await open_abroad(mall, "JP")
    number = (await mall.order(("notebook", 1), recipient=TOKYO))["number"]
    await changed(mall, f"/v1/orders/{number}/review", {"decision": "approve", "reason": "by hand"})
    box = {"order": number, "part": 1, "weight_grams": 500}
    parcel = (await changed(mall, "/v1/parcels", box))["parcel"]
    base = f"/v1/parcels/{parcel}/declaration"
    missing = ["lines.0.hs_code", "lines.0.english_name", "lines.0.origin"]
    assert (await declaration(mall, parcel))["missing"] == missing
    refused = await mall.post(f"{base}/submission", {"reference": "CN-1"}, **STAFF)
    assert (refused.status_code, refused.json()["code"]) == (409, "not_declared")
    assert "lines.0.hs_code" in refused.json()["detail"]
    for wrong in ({**LINE, "hs_code": "48.2010"}, {**LINE, "origin": "ZZ"}, {**LINE, "sku": "mug"}):
        answer = await mall.post(base, {"lines": [wrong]}, **STAFF)
        assert answer.status_code == 422, answer.text
    for code in ("48.2010", "48201", "48201000901"):
        answer = await mall.post(base, {"lines": [{**LINE, "hs_code": code}]}, **STAFF)
        (failure,) = answer.json()["failures"]
        assert (failure["field"], "6 to 10 digits" in failure["message"]) == (
            "lines.0.hs_code",
            True,
        )
        assert "6 至 10 位" in failure["message_zh"]
    done = await changed(mall, base, {"lines": [LINE]})
    assert done["missing"] == []
    await changed(mall, f"{base}/submission", {"reference": "CN-1"})
    early = await mall.post(base, {"lines": [LINE]}, **STAFF)
    assert early.status_code == 409
    nothing = await mall.post(f"{base}/answer", {"answer": "stopped"}, **STAFF)
    assert nothing.status_code == 422
    stopped = {"answer": "stopped", "reason": "value in doubt, 收件人电话见单"}
    await changed(mall, f"{base}/answer", stopped)
    seen = await declaration(mall, parcel)
    assert (seen["standing"], "value in doubt" in seen["reason"]) == ("stopped", True)
    why = (await mall.post(f"/v1/parcels/{parcel}/handover", {}, **STAFF)).json()
    assert why["code"] in ("not_cleared", "not_possible")
    back = await mall.post(f"/v1/orders/{number}/cancellation", {"reason": "customs"})
    assert (back.status_code, back.json()["status"]) == (200, "cancelled")
    await mall.views()
    assert (await mall.get("/v1/declarations", **STAFF)).json()["declarations"] == []


async def test_a_parcel_that_was_not_weighed_is_weighed_before_customs_are_asked(
    mall: Mall,
) -> None:
    """T7: packed without a weight: refused with field and reason until it has one that can be."""
    await open_abroad(mall, "JP")
    await classify(mall, "notebook")
    number = (await mall.order(("notebook", 1), recipient=TOKYO))["number"]
    parcel = (await changed(mall, "/v1/parcels", {"order": number, "part": 1}))["parcel"]
    base = f"/v1/parcels/{parcel}/declaration"
    seen = await declaration(mall, parcel)
    assert (seen["gross_weight_grams"], seen["missing"]) == (0, ["gross_weight_grams"])
    assert not seen["actions"]["submit"]["possible"]
    await changed(mall, base, {"lines": [LINE], "gross_weight_grams": 379})
    refused = await mall.post(f"{base}/submission", {"reference": "CN-1"}, **STAFF)
    (failure,) = refused.json()["failures"]
    assert (refused.status_code, failure["code"], failure["field"]) == (
        409, "gross_below_net", "gross_weight_grams",
    )  # fmt: skip
    assert ("379 g" in failure["message"], "380 克" in failure["message_zh"]) == (True, True)
    await changed(mall, base, {"lines": [LINE], "gross_weight_grams": 500})
    await changed(mall, f"{base}/submission", {"reference": "CN-1"})
    assert (await declaration(mall, parcel))["gross_weight_grams"] == 500


async def test_the_parcels_timeline_tells_what_customs_did(mall: Mall) -> None:
    """T7, A4: every step is an event with who did it; none of them names the recipient."""
    await open_abroad(mall, "JP")
    await classify(mall, "notebook")
    number, parcel = await packed(mall)
    base = f"/v1/parcels/{parcel}/declaration"
    await changed(mall, f"{base}/submission", {"reference": "CN-1"})
    await changed(mall, f"{base}/answer", {"answer": "cleared"})
    audited = {"role": "auditor", "subject": "audit"}
    stream = await mall.get(f"/v1/audit/streams/parcel:{parcel}", **audited)
    facts = [one["fact"] for one in stream.json()["events"]]
    assert facts == [
        "parcels.ParcelPacked", "parcels.DeclarationDrawnUp", "parcels.WaybillIssued",
        "parcels.DeclarationSubmitted", "parcels.CustomsCleared",
    ]  # fmt: skip
    for word in ("Aoi", "4120", "Marunouchi"):
        assert word not in stream.text
    told = await mall.get(f"/v1/support/orders/{number}/timeline", role="support", subject="sue")
    assert {"parcels.DeclarationSubmitted", "parcels.CustomsCleared"} <= {
        one.get("fact") for one in told.json()["entries"]
    }
    listed = (await mall.get("/v1/parcels", **STAFF)).json()["parcels"]
    assert [(one["number"], one["customs"]) for one in listed] == [(parcel, "cleared")]


async def test_a_parcel_at_home_has_nothing_to_declare(mall: Mall) -> None:
    """T7: the control: the same item to an address at home leaves at once."""
    await classify(mall, "notebook")
    number = (await mall.order(("notebook", 1)))["number"]
    parcel = await mall.ship(number)
    assert (await mall.get(f"/v1/parcels/{parcel}/declaration", **STAFF)).status_code == 404
    assert (await mall.read(number))["status"] == "pending_receipt"


async def test_declarations_are_staffs_alone(mall: Mall) -> None:
    """A10: a learner neither sees nor changes what customs are told."""
    assert (await mall.get("/v1/declarations")).status_code == 403
    answer = await mall.post("/v1/parcels/T1-P1/declaration/answer", {"answer": "cleared"})
    assert answer.status_code == 403


async def test_a_declaration_that_waits_long_is_among_the_troubles(
    mall: Mall, database: MallDatabase
) -> None:
    """M5, T7: from a day in one standing on, with its age; gone once customs cleared it."""
    apply_jobs_schema(database.owner_url, SERVICE_ROLE)
    await open_abroad(mall, "JP")
    await classify(mall, "notebook")
    number, parcel = await packed(mall)
    await packed(mall)  # CONTROL: the other one is cleared, and waits for nobody at customs
    store = mall.tenant.store
    start = store.clock()

    async def waiting(hours: int) -> list[Any]:
        store.clock = lambda: start + timedelta(hours=hours)
        await mall.views()
        listed = (await mall.get("/v1/troubles", **STAFF)).json()["troubles"]
        return [one for one in listed if one["kind"] == "waiting_declaration"]

    base = f"/v1/parcels/{parcel}/declaration"
    (other,) = {one["about"]["parcel"] for one in await waiting(25)} - {parcel}
    for box in (parcel, other):
        await changed(mall, f"/v1/parcels/{box}/declaration/submission", {"reference": "CN-1"})
    await changed(mall, f"/v1/parcels/{other}/declaration/answer", {"answer": "cleared"})
    assert await waiting(48) == []
    (one,) = await waiting(51)
    assert one["about"] == {
        "parcel": parcel, "order": number, "standing": "submitted", "country": "JP",
    }  # fmt: skip
    assert 25 * 3_600 < one["age_seconds"] < 27 * 3_600
    stopped = {"answer": "stopped", "reason": "origin is missing"}
    await changed(mall, f"{base}/answer", stopped)
    assert await waiting(52) == []
    (one,) = await waiting(76)
    assert one["about"]["standing"] == "stopped"
    await changed(mall, f"{base}/answer", {"answer": "cleared"})
    assert await waiting(200) == []


async def sheet(mall: Mall, parcel: str, **caller: str) -> tuple[bytes, str]:
    await mall.views()
    answer = await mall.get(f"/v1/parcels/{parcel}/declaration.pdf", **(caller or STAFF))
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["cache-control"] == "no-store"
    (page,) = PdfReader(io.BytesIO(answer.content)).pages
    return answer.content, " ".join(page.extract_text().split())


async def test_a_declaration_is_printed_as_it_was_declared(mall: Mall) -> None:
    """T7, A4: sender, recipient (masked as on its label), items with code, value, weights."""
    await open_abroad(mall, "JP")
    await classify(mall, "notebook")
    number = (await mall.order(("notebook", 2), recipient=TOKYO))["number"]
    box = {"order": number, "part": 1, "weight_grams": 812}
    parcel = (await changed(mall, "/v1/parcels", box))["parcel"]
    _, text = await sheet(mall, parcel)
    assert "DRAFT" in text
    assert "98.00" in text  # by the item's own terms, until somebody says otherwise
    base = f"/v1/parcels/{parcel}"
    await changed(mall, f"{base}/declaration", {"lines": [LINE]})
    await changed(mall, f"{base}/declaration/submission", {"reference": "CN-2026-7"})
    await changed(mall, f"{base}/waybill", {"carrier": "ems", "waybill": "EM123456785CN"})
    first, text = await sheet(mall, parcel)
    assert "DRAFT" not in text
    for told in (
        "Paper notebook", "482010", "CN-2026-7", "EM123456785CN", "EMS", "Japan",
        "32.00", "64.00", "0.380", "0.812",
    ):  # fmt: skip
        assert told in text, told
    for word in ("Aoi", "Sato", "5296", "1204"):
        assert word not in text
    assert (await sheet(mall, parcel))[0] == first
    stopped = {"answer": "stopped", "reason": "value in doubt"}
    await changed(mall, f"{base}/declaration/answer", stopped)
    assert "Stopped" in (await sheet(mall, parcel))[1]


async def test_who_may_not_see_a_declaration_does_not_print_it(mall: Mall) -> None:
    """T7, A10: no learner, and nobody once it left the house or where nothing is declared."""
    await open_abroad(mall, "JP")
    await classify(mall, "notebook")
    number, parcel = await packed(mall)
    path = f"/v1/parcels/{parcel}/declaration.pdf"
    assert (await mall.get(path)).status_code == 403
    home = (await mall.order(("notebook", 1)))["number"]
    other = {"order": home, "part": 1, "weight_grams": 500}
    stays = (await changed(mall, "/v1/parcels", other))["parcel"]
    assert (await mall.get(f"/v1/parcels/{stays}/declaration.pdf", **STAFF)).status_code == 404
    await changed(mall, f"/v1/orders/{number}/cancellation", {"reason": "changed my mind"})
    assert (await mall.get(path, **STAFF)).status_code == 404
