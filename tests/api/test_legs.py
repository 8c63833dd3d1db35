"""A parcel's way abroad through the API: pushed, named by staff, shown as one track (T7)."""

from typing import Any

import pytest

from tests.api.conftest import Mall
from tests.api.test_abroad import STAFF, changed, classify, open_abroad
from tests.api.test_declarations import packed
from tests.api.test_partners import Partners, partners

pytestmark = pytest.mark.anyio

__all__ = ["partners"]  # the fixture


async def sent(mall: Mall) -> tuple[str, str]:
    """An order to Tokyo whose parcel customs cleared and EMS has: (order, parcel)."""
    await open_abroad(mall, "JP")
    await classify(mall, "notebook")
    number, parcel = await packed(mall)
    base = f"/v1/parcels/{parcel}/declaration"
    await changed(mall, f"{base}/submission", {"reference": "CN-1"})
    await changed(mall, f"{base}/answer", {"answer": "cleared"})
    await changed(mall, f"/v1/parcels/{parcel}/handover", {})
    return number, parcel


async def seen(mall: Mall, number: str) -> Any:
    return (await mall.read(number))["parcels"][0]


async def test_the_way_abroad_is_one_track_when_the_carrier_tells_it(
    mall: Mall, partners: Partners
) -> None:
    """T7, wire 1.5, 1.6: subscribed with both ends; `destResult` brings the second number."""
    await partners.behave(pace_seconds=0, repeat=2)
    number, parcel = await sent(mall)
    await partners.asking.ask()
    await partners.until(number, "completed")
    found = await seen(mall, number)
    label = found["waybill"]
    there = f"RR{label[-9:]}JP"
    assert [(one["leg"], one["carrier"], one["waybill"]) for one in found["legs"]] == [
        ("home", "ems", label), ("customs", None, None), ("abroad", "sandboxpost", there),
    ]  # fmt: skip
    assert all(one["since"] for one in found["legs"])
    legs = [one["leg"] for one in reversed(found["scans"])]
    assert legs == ["home", "home", "customs", "customs", "abroad", "abroad"]
    desk = (await mall.get(f"/v1/parcels/{parcel}", **STAFF)).json()
    assert desk["legs"] == found["legs"]
    assert (await mall.get("/v1/oddities", **STAFF)).json()["oddities"] == []


async def test_staff_name_who_has_it_abroad(mall: Mall) -> None:
    """T7: where no carrier tells it; saying it again changes nothing."""
    number, parcel = await sent(mall)
    named = {"carrier": "japanposten", "waybill": "RR123456789JP"}
    told = await changed(mall, f"/v1/parcels/{parcel}/overseas", named)
    assert (told["carrier"], told["state"]) == ("japanposten", "handed_over")
    again = await changed(mall, f"/v1/parcels/{parcel}/overseas", named)
    assert again["position"] == told["position"]
    assert (await seen(mall, number))["legs"][2] == {
        "leg": "abroad", "since": None, "carrier": "japanposten", "waybill": "RR123456789JP",
    }  # fmt: skip
    for wrong in ({"carrier": "Japan Post"}, {"waybill": "1"}):
        answer = await mall.post(f"/v1/parcels/{parcel}/overseas", {**named, **wrong}, **STAFF)
        assert answer.status_code == 422
    learner = await mall.post(f"/v1/parcels/{parcel}/overseas", named)
    assert learner.status_code == 403


async def test_a_parcel_at_home_says_nothing_of_legs(mall: Mall, partners: Partners) -> None:
    """T7: the control: the same push without a border; its carrier abroad is refused."""
    await partners.behave(pace_seconds=0)
    number = (await mall.order(("notebook", 1)))["number"]
    parcel = await mall.ship(number)
    await mall.views()
    await partners.asking.ask()
    await partners.until(number, "completed")
    found = await seen(mall, number)
    assert "legs" not in found
    assert not any("leg" in scan for scan in found["scans"])
    named = {"carrier": "usps", "waybill": "LX123456789US"}
    refused = await mall.post(f"/v1/parcels/{parcel}/overseas", named, **STAFF)
    assert (refused.status_code, refused.json()["code"]) == (409, "not_possible")
    assert "不出境" in refused.json()["detail_zh"]


async def test_a_parcel_is_found_by_every_number_it_was_told_of_under(mall: Mall) -> None:
    """D1, T7: its recipient reads the number abroad out, or the one that was mistyped."""
    number, parcel = await sent(mall)
    await mall.order(("notebook", 1))
    path = f"/v1/parcels/{parcel}/overseas"
    await changed(mall, path, {"carrier": "japanposten", "waybill": "RR123456798JP"})
    right = {"carrier": "japanposten", "waybill": "RR-123456789-JP"}
    wrong = {"waybill": "RR123456798JP", "reason": "two digits were exchanged", "instead": right}
    await changed(mall, f"{path}/taking-back", wrong)
    own = (await seen(mall, number))["waybill"]
    for text in ("RR123456789JP", "rr 123 456 789 jp", "RR123456798JP", own):
        answer = await mall.post("/v1/search", {"q": text}, role="support", subject="sue")
        assert [one["number"] for one in answer.json()["orders"]] == [number], text
    answer = await mall.post("/v1/search", {"q": "RR123456780JP"}, role="support", subject="sue")
    assert answer.json()["orders"] == []


async def test_a_mistyped_number_abroad_is_taken_back_with_a_reason(mall: Mall) -> None:
    """T2, T7, A1: an event with its reason; the right number in the same commit."""
    number, parcel = await sent(mall)
    path = f"/v1/parcels/{parcel}/overseas"
    await changed(mall, path, {"carrier": "japanposten", "waybill": "RR123456798JP"})
    wrong = {"waybill": "RR123456798JP", "reason": "two digits were exchanged"}
    right = {"carrier": "japanposten", "waybill": "RR123456789JP"}
    itself = {**wrong, "instead": {**right, "waybill": "rr123456798jp"}}
    refused = await mall.post(f"{path}/taking-back", itself, **STAFF)
    assert (refused.status_code, refused.json()["failures"][0]["field"]) == (422, "instead.waybill")
    assert "不同的单号" in refused.json()["detail_zh"]
    told = await changed(mall, f"{path}/taking-back", {**wrong, "instead": right})
    assert (told["taken_back"], told["waybill"]) == ("RR123456798JP", "RR123456789JP")
    assert (await seen(mall, number))["legs"][2]["waybill"] == "RR123456789JP"
    audited = {"role": "auditor", "subject": "aud"}
    stream = (await mall.get(f"/v1/audit/streams/parcel:{parcel}", **audited)).json()["events"]
    taken, instead = stream[-2:]
    assert taken["fact"] == "parcels.SecondNumberTakenBack"
    assert taken["data"]["reason"] == taken["reason"] == "two digits were exchanged"
    assert instead["data"]["vouched_by"] == "staff"
    again = await changed(mall, f"{path}/taking-back", {**wrong, "instead": right})
    assert again["position"] == told["position"]
    alone = {"waybill": "RR123456789JP", "reason": "nor is this one"}
    told = await changed(mall, f"{path}/taking-back", alone)
    assert (told["carrier"], told["waybill"]) == (None, None)
    unknown = await mall.post(
        f"{path}/taking-back", {"waybill": "RR999999999JP", "reason": "never told"}, **STAFF
    )
    assert (unknown.status_code, unknown.json()["code"]) == (409, "not_possible")
    assert "没有这个第二单号" in unknown.json()["detail_zh"]
    bare = await mall.post(f"{path}/taking-back", {"waybill": "RR123456789JP"}, **STAFF)
    assert bare.status_code == 422
