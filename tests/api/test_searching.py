"""Staff find orders by what callers know; a whole phone number never stands in an address."""

from datetime import timedelta
from typing import Any

import pytest

from api import searching
from api.limits import Rate
from application import finding
from tests.api.conftest import RECIPIENT, Mall
from tests.api.test_silent_parcels import push

pytestmark = pytest.mark.anyio

SUPPORT: dict[str, Any] = {"role": "support", "subject": "sue"}
PATH = "/v1/search"
AUDITOR: dict[str, Any] = {"role": "auditor", "subject": "audit"}
PHONES = (
    "13800138000", "138 0013 8000", "+86 138-0013-8000", "1 3 8 0 0 1 3 8 0 0 0",
    "0086 13800138000", "8613800138000", "１３８００１３８０００", "＋８６　138 0013 8000",
)  # fmt: skip


async def numbers(mall: Mall, text: str, asking: dict[str, Any] = SUPPORT) -> list[str]:
    """What is found by POST."""
    answer = await mall.post(PATH, {"q": text}, **asking)
    assert answer.status_code == 200, answer.text
    return [one["number"] for one in answer.json()["orders"]]


async def test_an_order_is_found_when_staff_search_by_phone_or_waybill(mall: Mall) -> None:
    """A4: phones are looked up by keyed hash, whole or by their tail."""
    number = (await mall.order(("notebook", 1)))["number"]
    await mall.ship(number)
    await mall.views()
    for text in (number, number.lower(), "8000", "SF10000100001", "sf10000100001"):
        answer = await mall.get(PATH, **SUPPORT, q=text)
        assert [one["number"] for one in answer.json()["orders"]] == [number], text
        assert await numbers(mall, text) == [number], text
    for text in PHONES:
        assert await numbers(mall, text) == [number], text
        assert await numbers(mall, text, AUDITOR) == [number], text
    assert await numbers(mall, "８０００") == [number]
    assert await numbers(mall, f"{number}-P1") == [number]
    opened = await mall.post(f"/v1/orders/{number}/disputes", {"reason": "damaged"})
    await mall.views()
    assert await numbers(mall, opened.json()["case"]) == [number]
    assert await numbers(mall, opened.json()["case"][2:-1]) == []
    assert await numbers(mall, "13800138001") == []


async def test_an_order_is_found_by_what_a_shop_calls_it(mall: Mall) -> None:
    """O2, D1: a service states the outside number, staff search by it, its learner never sees it;
    nobody else states one, and no order of the mall's own has one."""
    wish = {
        "learner": "lin",
        "lines": [{"sku": "notebook", "quantity": 1}],
        "recipient": RECIPIENT,
        "channel": "partner",
        "external_number": "TB-2026110300071",
    }
    service: dict[str, Any] = {"role": "service", "subject": "lms"}
    placed = await mall.post("/v1/orders", wish, **service)
    assert placed.status_code == 201, placed.text
    number = placed.json()["number"]
    await mall.order(("notebook", 1))
    for text in ("TB-2026110300071", "tb-2026110300071"):
        assert await numbers(mall, text) == [number]
        found = await mall.get(PATH, **SUPPORT, q=text)
        assert [one["number"] for one in found.json()["orders"]] == [number]
    assert found.json()["orders"][0]["external_number"] == "TB-2026110300071"
    assert found.json()["orders"][0]["external_orders"] == 1
    assert await numbers(mall, "TB-202611030007") == []
    assert (await mall.read(number, **SUPPORT))["external_number"] == "TB-2026110300071"
    then = await mall.get(f"/v1/orders/{number}", **SUPPORT, as_of="2100-01-01T00:00:00Z")
    assert then.json()["external_number"] == "TB-2026110300071"
    assert "external_number" not in await mall.read(number)
    for body, who in (
        (wish, {}),
        ({**wish, "channel": "app"}, {}),
        ({**wish, "channel": "app"}, service),
    ):
        refused = await mall.post("/v1/orders", body, **who)
        assert refused.status_code == 422, refused.text
    assert {one["reason"] for one in refused.json()["failures"]} == {
        "only orders from outside have another number"
    }


async def test_an_outside_number_on_two_orders_is_said_to_be(mall: Mall) -> None:
    """D1, G3: none is refused for it; whoever finds one of them is told that it is not alone."""
    service: dict[str, Any] = {"role": "service", "subject": "lms"}
    placed = []
    for outside in ("TB-7100", "TB-7100", "TB-7101", None):
        wish = {
            "learner": "lin",
            "lines": [{"sku": "notebook", "quantity": 1}],
            "recipient": RECIPIENT,
            "channel": "web" if outside is None else "partner",
            "external_number": outside,
        }
        answer = await mall.post("/v1/orders", wish, **service)
        assert answer.status_code == 201, answer.text
        placed.append(answer.json()["number"])
    await mall.views()
    found = (await mall.post(PATH, {"q": "lin"}, **SUPPORT)).json()["orders"]
    shown = {one["number"]: (one["external_number"], one["external_orders"]) for one in found}
    told = [("TB-7100", 2), ("TB-7100", 2), ("TB-7101", 1), (None, 0)]
    assert shown == dict(zip(placed, told, strict=True))


async def test_a_learners_orders_are_found_by_their_id(mall: Mall) -> None:
    """D1: all of theirs, newest first, and nobody else's."""
    grant = {"learner": "chenhao", "points": 900, "reason": "task", "source": "S"}
    await mall.post("/v1/points/grants", {"grants": [grant]}, role="service", subject="lms")
    await mall.order(("notebook", 1))
    wish = {"learner": "chenhao", "recipient": RECIPIENT}
    placed = [
        (await mall.post("/v1/orders", {**wish, "lines": [line]}, subject="chenhao")).json()
        for line in ({"sku": "notebook", "quantity": 1}, {"sku": "enamel-mug", "quantity": 1})
    ]
    await mall.views()
    assert await numbers(mall, " chenhao ") == [one["number"] for one in reversed(placed)]


async def _refused_in_addresses(mall: Mall) -> bool:
    answers = [await mall.get(PATH, **SUPPORT, q=phone) for phone in PHONES]
    for one in answers:
        assert "8000" not in one.text
        if one.status_code == 422:
            (failure,) = one.json()["failures"]
            assert failure["field"] == "q"
            assert "POST" in failure["message"]
            assert "POST" in failure["message_zh"]
            assert "手机号" in failure["message_zh"]
    return all(one.status_code == 422 for one in answers)


async def test_a_phone_is_refused_when_it_stands_in_the_address(mall: Mall) -> None:
    """A4, R58: 422, the field named, the number not repeated; the body takes it."""
    assert await _refused_in_addresses(mall)


async def test_a_phone_is_taken_from_the_address_when_nobody_looks_what_it_is(
    mall: Mall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R58 CONTROL: a search that takes whatever it gets."""
    monkeypatch.setattr(searching, "_phone", lambda text: None)
    assert not await _refused_in_addresses(mall)


async def test_nothing_is_searched_when_the_body_is_unusable(mall: Mall) -> None:
    """R46: empty, too long, no text, fields nobody asked for: 422."""
    for body in ({}, {"q": ""}, {"q": "x" * 201}, {"q": 1380}, {"q": "T100", "w": 1}, ["T100"]):
        answer = await mall.post(PATH, body, **SUPPORT)
        assert answer.status_code == 422, body


async def _refused(mall: Mall) -> list[int]:
    texts = (RECIPIENT["name"], "西湖区文三路1号", "Ōshima")
    return [(await mall.get(PATH, **SUPPORT, q=text)).status_code for text in texts]


async def test_a_recipient_is_found_by_name_and_street_however_they_are_said(mall: Mall) -> None:
    """D1, A4: the whole name, a district with street and house; nothing of either is shown, and
    an address of the API takes neither."""
    number = (await mall.order(("notebook", 1)))["number"]
    other = {**RECIPIENT, "name": "John Smith", "address": "文三路 100 号"}
    second = (await mall.order(("notebook", 1), recipient=other))["number"]
    await finding.note_names(mall.tenant)
    said = {
        "林小满": [number], " 林 小 满 ": [number], "林·小满": [number], "小满": [], "林小": [],
        "john smith": [second], "ＪＯＨＮ　Ｓｍｉｔｈ": [second], "John": [],
        "西湖区文三路1号": [number], "杭州西湖区文三路 １ 号 9 单元": [number],
        "浙江省杭州市西湖区文三路100号": [second], "南昌市西湖区文三路1号": [], "文三路1号": [],
        "西湖区": [],
    }  # fmt: skip
    for text, found in said.items():
        assert await numbers(mall, text) == found, text
    answer = await mall.post(PATH, {"q": "林小满"}, **AUDITOR)
    assert "林" not in answer.text
    assert await _refused(mall) == [422] * 3


async def test_a_name_is_gone_from_the_search_with_its_learner(mall: Mall) -> None:
    """A4: an erasure takes the hashes with the cards; a legal hold hides who is under it."""
    number = (await mall.order(("notebook", 1)))["number"]
    await finding.note_names(mall.tenant)
    said = ("林小满", "西湖区文三路1号")
    boss: dict[str, Any] = {"role": "administrator", "subject": "root"}
    holds = "/v1/learners/lin/legal-holds"
    await mall.post(holds, {"matter": "2026-17", "reason": "court"}, **boss)
    assert [await numbers(mall, text) for text in said] == [[], []]
    await mall.post(f"{holds}/2026-17/lifting", {"reason": "settled"}, **boss)
    assert [await numbers(mall, text) for text in said] == [[number], [number]]
    await mall.post(f"/v1/orders/{number}/cancellation", {"reason": "changed_mind"})
    await mall.views()
    erased = await mall.post("/v1/learners/lin/erasure", {"reason": "asked to"}, **boss)
    assert erased.status_code == 200, erased.text
    assert [await numbers(mall, text) for text in said] == [[], []]
    assert await numbers(mall, number) == [number]


async def test_somebody_is_found_by_name_when_the_hold_is_not_looked_for(
    mall: Mall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R59 CONTROL: cards of whoever is under a legal hold, opened to a search."""

    async def nobody(*_: Any) -> dict[str, Any]:
        return {}

    monkeypatch.setattr(finding, "held", nobody)
    with pytest.raises(AssertionError):
        await test_a_name_is_gone_from_the_search_with_its_learner(mall)


async def test_cards_are_found_by_name_once_it_is_noted(
    mall: Mall,
) -> None:
    """D1, A4: a worker adds it, once; of whoever is under a hold, afterwards."""
    number = (await mall.order(("notebook", 1)))["number"]
    tenant = mall.tenant
    boss: dict[str, Any] = {"role": "administrator", "subject": "root"}
    holds = "/v1/learners/lin/legal-holds"
    await mall.post(holds, {"matter": "2026-17", "reason": "court"}, **boss)
    assert await finding.note_names(tenant) == 0
    await mall.post(f"{holds}/2026-17/lifting", {"reason": "settled"}, **boss)
    assert await numbers(mall, "林小满") == []
    assert await finding.note_names(tenant) == 1
    assert await finding.note_names(tenant) == 0
    for text in ("林小满", "西湖区文三路1号"):
        assert await numbers(mall, text) == [number]


async def test_an_order_is_found_by_the_end_of_its_number_or_its_waybills(mall: Mall) -> None:
    """D1: four letters or more, in any spelling; fewer are no end."""
    number = (await mall.order(("notebook", 1)))["number"]
    await mall.order(("notebook", 1))
    await mall.ship(number, number_on_it="SF1234567890987")
    await mall.views()
    for text in (number[-6:], number[-4:].lower(), "0987", "90 987", "９０９８７", "567890987"):
        assert await numbers(mall, text) == [number], text
        if text.isascii():
            found = await mall.get(PATH, **SUPPORT, q=text)
            assert [one["number"] for one in found.json()["orders"]] == [number], text
    for text in (number[-3:], "987", "0_87", "%0987%1", number[-6:-1]):
        assert await numbers(mall, text) == [], text


async def test_an_order_is_found_by_its_pick_up_code_while_it_waits(mall: Mall) -> None:
    """D1, T8: with or without dashes; never by GET, for whoever has the code has the goods."""
    number = (await mall.order(("notebook", 1)))["number"]
    parcel = await mall.ship(number)
    now = mall.tenant.store.clock()
    await push(mall, parcel, now + timedelta(hours=1), "快件已暂存至菜鸟驿站,取件码 8-2-1234")
    await mall.views()
    for text in ("8-2-1234", "821234", "８-２-１２３４"):
        assert await numbers(mall, text) == [number], text
    assert (await mall.get(PATH, **SUPPORT, q="8-2-1234")).json()["orders"] == []
    await push(mall, parcel, now + timedelta(hours=2), "已签收,签收人:本人")
    await mall.views()
    assert await numbers(mall, "8-2-1234") == []


async def test_a_search_is_refused_when_somebody_tries_out_names(mall: Mall) -> None:
    """A4, M2: 429 with the time to wait; others go on."""
    mall.tenant.limits.rates["searches"] = Rate(3, 0.01)
    answers = [await mall.post(PATH, {"q": f"王{one}"}, **SUPPORT) for one in "一二三四"]
    assert [one.status_code for one in answers] == [200, 200, 200, 429]
    assert answers[-1].headers["Retry-After"] == "100"
    assert await numbers(mall, "王四", AUDITOR) == []
