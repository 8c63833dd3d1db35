"""Staff find orders by what callers know; a whole phone number never stands in an address."""

from typing import Any

import pytest

from api import searching
from tests.api.conftest import RECIPIENT, Mall

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
    """R46: too short, too long, no text, fields nobody asked for: 422."""
    for body in ({}, {"q": "abc"}, {"q": "x" * 61}, {"q": 1380}, {"q": "T100", "w": 1}, ["T100"]):
        answer = await mall.post(PATH, body, **SUPPORT)
        assert answer.status_code == 422, body
