"""Addresses through the API: understood, filled in, or asked for (M4, O1, O7, O8)."""

from dataclasses import replace
from typing import Any

import pytest

from tests.api.conftest import RECIPIENT, Mall

pytestmark = pytest.mark.anyio

LINE = {"name": "林小满", "phone": "13800138000"}
STAFF: dict[str, Any] = {"role": "support", "subject": "sue"}
PARSED = "/v1/addresses/parsed"


def wish(**recipient: str) -> dict[str, Any]:
    return {
        "learner": "lin",
        "lines": [{"sku": "notebook", "quantity": 1}],
        "recipient": {**LINE, **recipient},
    }


async def destination(mall: Mall, number: str) -> dict[str, Any]:
    audited = {"role": "auditor", "subject": "audit"}
    answer = await mall.get(f"/v1/audit/streams/order:{number}", **audited)
    events = answer.json()["events"]
    moved = [one["data"]["destination"] for one in events if "destination" in one["data"]]
    return {key: value for key, value in moved[-1].items() if key != "card"}


async def test_one_line_is_enough_when_it_settles_the_place(mall: Mall) -> None:
    """M4, O1: fields are filled from the text, and the fact has the division's code."""
    answer = await mall.post("/v1/orders", wish(address="杭州西湖区文三路 1 号"))
    assert answer.status_code == 201, answer.text
    number = answer.json()["number"]
    assert await destination(mall, number) == {
        "province": "浙江省", "city": "杭州市", "district": "西湖区", "division": "330106",
    }  # fmt: skip
    await mall.views()
    seen = await mall.get(f"/v1/orders/{number}/recipient")
    shown = seen.json()["recipient"]
    assert (shown["province"], shown["city"], shown["district"]) == ("浙江省", "杭州市", "西湖区")
    assert shown["address"].startswith("文三路")


async def test_the_province_is_asked_for_when_nothing_settles_it(mall: Mall) -> None:
    """O1: refused by name with what it can be, in both languages; placing and quoting alike."""
    asked = wish(address="鼓楼区中山路 1 号")
    placed = await mall.post("/v1/orders", asked)
    quoted = await mall.post("/v1/quotes", asked)
    assert placed.status_code == 409
    for failures in (placed.json()["failures"], quoted.json()["failures"]):
        (failure,) = failures
        assert failure["code"] == "province_missing"
        assert "江苏省南京市鼓楼区" in failure["candidates"]
        assert "江苏省南京市鼓楼区" in failure["message"]
        assert "江苏省南京市鼓楼区" in failure["message_zh"]
    bare = await mall.post("/v1/orders", wish(address="文三路 1 号"))
    (failure,) = bare.json()["failures"]
    assert failure["code"] == "province_missing"
    assert "candidates" not in failure


async def test_an_address_is_not_changed_when_its_province_is_not_settled(mall: Mall) -> None:
    """O8: the same question as in placing; what is settled moves, with its code."""
    number = (await mall.order(("notebook", 1)))["number"]
    path = f"/v1/orders/{number}/address"
    refused = await mall.post(path, {**LINE, "address": "鼓楼区中山路 1 号"})
    assert (refused.status_code, refused.json()["code"]) == (409, "province_missing")
    moved = await mall.post(path, {**LINE, "address": "浙江省宁波市江东区彩虹北路 1 号"})
    assert moved.status_code == 200
    assert await destination(mall, number) == {
        "province": "浙江省", "city": "宁波市", "district": "鄞州区", "division": "330212",
    }  # fmt: skip


async def test_a_district_is_out_of_coverage_when_it_is_excluded(
    mall: Mall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """O1, rule 9: one district left out, for orders and for changes of address; others served."""
    number = (await mall.order(("notebook", 1)))["number"]
    rules = replace(mall.tenant.rules, excluded_regions=frozenset({"330106"}))
    monkeypatch.setattr(mall.tenant, "rules", rules)
    answer = await mall.post("/v1/orders", wish(address="浙江省杭州市西湖区文三路 1 号"))
    (failure,) = answer.json()["failures"]
    assert failure["code"] == "outside_coverage"
    assert "浙江省杭州市西湖区" in failure["message_zh"]
    path = f"/v1/orders/{number}/address"
    moved = await mall.post(path, {**LINE, "address": "浙江省杭州市西湖区文三路 1 号"})
    assert (moved.status_code, moved.json()["code"]) == (409, "not_possible")
    served = await mall.post("/v1/orders", wish(address="浙江省杭州市滨江区江南大道 1 号"))
    assert served.status_code == 201


async def test_a_form_is_told_what_is_understood(mall: Mall) -> None:
    """M4: parts, doubts in words, candidates; and nothing is kept (A4)."""
    before = mall.tenant.store.position
    clear = (await mall.post(PARSED, {"address": "杭州西湖区 文三路１号🏠"})).json()
    assert clear == {
        "province": "浙江省", "city": "杭州市", "district": "西湖区", "division": "330106",
        "detail": "文三路1号", "doubts": [], "candidates": [],
    }  # fmt: skip
    unclear = (await mall.post(PARSED, {"address": "鼓楼区中山路 1 号"}, **STAFF)).json()
    assert (unclear["province"], unclear["district"]) == ("", "鼓楼区")
    (doubt,) = unclear["doubts"]
    assert (doubt["code"], doubt["review"]) == ("address_ambiguous", True)
    assert doubt["message"]
    assert doubt["message_zh"]
    assert {"province": "江苏省", "city": "南京市", "district": "鼓楼区"} in unclear["candidates"]
    settled = await mall.post(
        PARSED, {"address": "鼓楼区中山路 1 号", "city": "南京市"}, role="service", subject="shop"
    )
    assert settled.json()["division"] == "320106"
    assert mall.tenant.store.position == before
    assert (await mall.post(PARSED, {"address": "🏠"})).status_code == 422


async def test_the_divisions_are_there_to_choose_from(mall: Mall) -> None:
    """M4: provinces, cities, districts; a municipality has districts at once."""

    async def names(**of: str) -> list[str]:
        answer = await mall.get("/v1/addresses/divisions", **of)
        return [one["name"] for one in answer.json()["divisions"]]

    assert len(await names()) == 34
    assert "杭州市" in await names(of="330000")
    assert "西湖区" in await names(of="330100")
    assert "浦东新区" in await names(of="310000")
    assert "仙桃市" in await names(of="420000")
    assert await names(of="441900") == []
    assert (await mall.get("/v1/addresses/divisions", of="999999")).status_code == 404
    assert (await mall.get("/v1/addresses/divisions", of="33")).status_code == 422


async def test_official_names_are_ordered_with_as_before(mall: Mall) -> None:
    """O1: what was complete stays as it was written."""
    answer = await mall.post("/v1/orders", wish(**{**RECIPIENT, **LINE}))
    number = answer.json()["number"]
    assert (await destination(mall, number))["division"] == "330106"
