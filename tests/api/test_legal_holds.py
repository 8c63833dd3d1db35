"""A legal hold: the learner's data is stored and nothing else is done with it (rules.md 30)."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from application import cards, redeeming
from application.cards import open_card
from application.streams import PRIVACY
from domain.privacy import Privacy
from tests.api.conftest import RECIPIENT, Mall

pytestmark = pytest.mark.anyio

SUPPORT: dict[str, Any] = {"role": "support", "subject": "sue"}
ADMINISTRATOR: dict[str, Any] = {"role": "administrator", "subject": "root"}
HOLDS = "/v1/learners/lin/legal-holds"
WISH = {"learner": "lin", "lines": [{"sku": "notebook", "quantity": 1}], "recipient": RECIPIENT}


async def _hold(mall: Mall) -> None:
    answer = await mall.post(HOLDS, {"matter": "2026-17", "reason": "court"}, **ADMINISTRATOR)
    assert answer.status_code == 200, answer.text


async def _lift(mall: Mall) -> None:
    answer = await mall.post(f"{HOLDS}/2026-17/lifting", {"reason": "settled"}, **ADMINISTRATOR)
    assert answer.status_code == 200, answer.text


async def _found(mall: Mall, text: str) -> list[str]:
    answer = await mall.post("/v1/search", {"q": text}, **SUPPORT)
    return [one["number"] for one in answer.json()["orders"]]


async def _codes(mall: Mall) -> tuple[list[str], list[str]]:
    """What stands against a quote and against an order."""
    quote = (await mall.post("/v1/quotes", WISH)).json()
    order = await mall.post("/v1/orders", WISH)
    refused = order.json().get("failures", []) if order.status_code == 409 else []
    return [one["code"] for one in quote["failures"]], [one["code"] for one in refused]


async def test_no_order_is_taken_when_the_learner_is_under_a_legal_hold(mall: Mall) -> None:
    """R59, rules.md 30: refused by name in quote and order, in both languages; grants go on."""
    await mall.order(("enamel-mug", 1))
    before = await mall.balance()
    await _hold(mall)
    assert await _codes(mall) == (["legal_hold"], ["legal_hold"])
    grant = {"learner": "lin", "points": 5, "reason": "task", "source": "held"}
    granted = await mall.post("/v1/points/grants", {"grants": [grant]}, role="service")
    assert granted.status_code == 200, granted.text
    assert (await mall.balance())["available"] == before["available"] + 5
    await _lift(mall)
    assert await _codes(mall) == ([], [])


async def test_the_address_stays_when_the_learner_is_under_a_legal_hold(mall: Mall) -> None:
    """R59, O8: another address would be another use; the goods go on where they were going."""
    number = (await mall.order(("notebook", 1)))["number"]
    await _hold(mall)
    path, moved = f"/v1/orders/{number}/address", {**RECIPIENT, "address": "文二路 9 号"}
    refused = await mall.post(path, moved)
    assert (refused.status_code, refused.json()["code"]) == (409, "legal_hold")
    assert await mall.ship(number)
    under_way = await mall.post(path, moved)
    assert (under_way.status_code, under_way.json()["code"]) == (409, "legal_hold")
    await _lift(mall)
    later = await mall.post(path, moved)
    assert later.json()["intercepts"][0]["way"] == "redirect"  # on its way by now


async def _red(test: Callable[[], Awaitable[None]]) -> None:
    with pytest.raises(AssertionError):
        await test()


async def test_an_order_is_taken_when_nobody_reads_the_holds(
    mall: Mall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R59 CONTROL: deciding as if there were none."""
    monkeypatch.setattr(Privacy, "refusals", lambda self: [])
    await _red(lambda: test_no_order_is_taken_when_the_learner_is_under_a_legal_hold(mall))


async def test_nobody_is_found_by_phone_when_under_a_legal_hold(mall: Mall) -> None:
    """R59: neither by the whole number nor by its tail; by the order's number, as ever."""
    number = (await mall.order(("enamel-mug", 1)))["number"]
    phones = (RECIPIENT["phone"], RECIPIENT["phone"][-4:])
    assert [await _found(mall, phone) for phone in phones] == [[number], [number]]
    await _hold(mall)
    assert [await _found(mall, phone) for phone in phones] == [[], []]
    by_tail = await mall.get("/v1/search", **SUPPORT, q=phones[1])
    assert by_tail.json()["orders"] == []
    assert await _found(mall, number) == [number]
    await _lift(mall)
    assert [await _found(mall, phone) for phone in phones] == [[number], [number]]


async def test_a_card_stays_shut_when_its_learner_is_under_a_legal_hold(mall: Mall) -> None:
    """R59: carriers that ask for a phone's last digits do not get them, either."""
    await mall.order(("enamel-mug", 1))
    tenant = mall.tenant

    async def opened() -> bool:
        async with tenant.pool.connection() as connection:
            table = f"{tenant.schema}.cards"
            cursor = await connection.execute(f"SELECT id FROM {table}".encode())
            ((card,),) = await cursor.fetchall()
            return await open_card(connection, tenant.schema, tenant.vault, card.hex) is not None

    assert await opened()
    await _hold(mall)
    assert not await opened()


async def test_somebody_is_found_by_phone_when_the_hold_is_not_looked_for(
    mall: Mall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R59 CONTROL: cards by their digests alone."""

    async def nobody(*_: object) -> dict[str, Privacy]:
        return {}

    monkeypatch.setattr(cards, "held", nobody)
    await _red(lambda: test_nobody_is_found_by_phone_when_under_a_legal_hold(mall))


def test_placing_knows_which_stream_has_the_holds() -> None:
    """R59: loaded ahead with the account, so that no order is decided twice for it."""
    wish = redeeming.Wish("lin", (), None, "app")  # type: ignore[arg-type]
    network: Any = type("Nothing", (), {"warehouses": ()})
    assert PRIVACY.stream("lin") in redeeming.streams_of(wish, network)
