"""D6: what the house says that a cancellation gives back is what it gives back."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.api.conftest import RECIPIENT, Mall

pytestmark = pytest.mark.anyio

SERVICE = {"role": "service", "subject": "s"}
WISH = {"reason": "changed my mind"}


async def _paid(mall: Mall, placed: Any) -> None:
    due = placed["cash_fen"] + placed["freight_fen"]
    body = {"amount_fen": due, "attempt": f"pay-{placed['number']}"}
    answer = await mall.post(f"/v1/orders/{placed['number']}/payments", body, **SERVICE)
    assert answer.status_code == 200, answer.text


async def _foretold(mall: Mall, number: str, **body: Any) -> Any:
    answer = await mall.post(f"/v1/orders/{number}/cancellation/preview", WISH | body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def _cancelled(mall: Mall, number: str, **body: Any) -> int:
    """Cancel; how much cash was asked back."""
    answer = await mall.post(f"/v1/orders/{number}/cancellation", WISH | body)
    assert answer.status_code == 200, answer.text
    order = await mall.read(number)
    asked = [one for one in order["timeline"] if one["fact"] == "orders.CashRefundRequested"]
    return sum(one["amount_fen"] for one in asked)


async def test_the_freight_is_foretold_when_it_comes_back(mall: Mall) -> None:
    """Nothing was sent, so the upgrade that was paid for comes back with the last unit."""
    placed = await mall.order(("enamel-mug", 3), upgrade="express")
    assert placed["freight_fen"]
    await _paid(mall, placed)
    number = placed["number"]
    one = {"lines": [{"sku": "enamel-mug", "quantity": 1}]}
    foretold = (await mall.read(number))["actions"]["cancel"]
    assert (await _foretold(mall, number, **one))["cash_fen"] == 0
    assert await _cancelled(mall, number, **one) == 0
    assert foretold["cash_fen"] == placed["freight_fen"]
    assert await _cancelled(mall, number) == placed["freight_fen"]


async def test_no_cash_is_foretold_when_none_was_paid(mall: Mall) -> None:
    """An unpaid order gives back what is on hold, and no money."""
    placed = await mall.order(("tea-set", 1))
    number = placed["number"]
    before = (await mall.balance())["available"]
    foretold = (await mall.read(number))["actions"]["cancel"]
    exact = await _foretold(mall, number)
    assert (foretold["cash_fen"], exact["cash_fen"]) == (0, 0)
    assert placed["cash_fen"] > 0
    assert await _cancelled(mall, number) == 0
    back = (await mall.balance())["available"] - before
    assert back == sum(one["points"] for one in foretold["lots"])
    assert exact["points"] == foretold["lots"]


async def test_lots_are_foretold_as_they_come_back_after_grace_and_debt(mall: Mall) -> None:
    """Rules.md 16: an expired lot gets 30 days, debt is paid first; both are told before."""
    store = mall.tenant.store
    ends = store.clock() + timedelta(hours=1)
    grants = [
        {"learner": "zoe", "points": 480, "reason": "task", "source": "soon",
         "expires_at": ends.isoformat()},
        {"learner": "zoe", "points": 300, "reason": "task", "source": "wrong"},
    ]  # fmt: skip
    await mall.post("/v1/points/grants", {"grants": grants}, **SERVICE)
    zoe = {"role": "learner", "subject": "zoe"}
    recipient = {**RECIPIENT, "name": "周一", "phone": "13911112222", "address": "天目山路 9 号"}
    wish = {
        "learner": "zoe",
        "lines": [{"sku": "notebook", "quantity": 3}],
        "recipient": recipient,
    }
    placed = await mall.post("/v1/orders", wish, **zoe)
    assert placed.status_code == 201, placed.text
    number = placed.json()["number"]
    wrong = {"learner": "zoe", "reason": "task", "source": "wrong", "why": "a mistake"}
    assert (await mall.post("/v1/points/clawbacks", wrong, **SERVICE)).status_code == 200
    owed = (await mall.balance("zoe"))["debt"]
    assert owed > 0
    now = store.clock() + timedelta(hours=2)
    store.clock = lambda: now
    foretold = (await mall.read(number, **zoe))["actions"]["cancel"]
    preview = await mall.post(f"/v1/orders/{number}/cancellation/preview", WISH, **zoe)
    assert preview.json()["points"] == foretold["lots"]
    answer = await mall.post(f"/v1/orders/{number}/cancellation", WISH, **zoe)
    assert answer.status_code == 200, answer.text
    after = await mall.balance("zoe")
    told = sum(one["points"] for one in foretold["lots"])
    assert (after["available"], after["debt"]) == (told, 0)
    assert foretold["debt_paid"] == owed == foretold["points"] - told
    (soon, expires_at), _ = sorted((one["points"], one["expires_at"]) for one in foretold["lots"])
    assert soon == 480 - owed  # debt is paid with what expires soonest
    assert datetime.fromisoformat(expires_at) == now + timedelta(days=30)


async def test_nothing_of_an_unpaid_order_waits_to_be_sent(mall: Mall) -> None:
    """O3: its parts and lines are in the state that the order is in."""
    number = (await mall.order(("tea-set", 1)))["number"]
    for who in ({}, {"role": "operations", "subject": "ops"}):
        order = await mall.read(number, **who)
        shown = {order["status"], *(one["state"] for one in order["parts"])}
        assert shown | {one["progress"] for one in order["lines"]} == {"pending_payment"}
    await mall.post(f"/v1/orders/{number}/cancellation", WISH)
    for who in ({}, {"role": "operations", "subject": "ops"}):
        order = await mall.read(number, **who)
        shown = {*(one["state"] for one in order["parts"])}
        assert shown | {one["progress"] for one in order["lines"]} == {"cancelled"}


async def test_lists_tell_what_is_left_of_an_order(mall: Mall) -> None:
    """W1, O3: whoever packs from a list takes no cancelled unit for one that is to be sent."""
    number = (await mall.order(("enamel-mug", 3)))["number"]
    less = WISH | {"lines": [{"sku": "enamel-mug", "quantity": 1}]}
    assert (await mall.post(f"/v1/orders/{number}/cancellation", less)).status_code == 200
    await mall.views()
    staff = {"role": "operations", "subject": "ops"}
    (listed,) = (await mall.get("/v1/orders", **staff)).json()["orders"]
    assert [(one["quantity"], one["gone"]) for one in listed["lines"]] == [(3, 1)]
    (line,) = (await mall.read(number))["lines"]
    assert (line["quantity"], line["gone"]) == (3, 1)


async def test_a_parcel_that_was_unpacked_is_not_shown_to_its_learner(mall: Mall) -> None:
    """O3, contract.md: `dissolved` is no state a learner meets; staff see what it was."""
    number = (await mall.order(("enamel-mug", 1)))["number"]
    staff = {"role": "operations", "subject": "ops"}
    body = {"order": number, "part": 1, "weight_grams": 400}
    assert (await mall.post("/v1/parcels", body, **staff)).status_code == 201
    assert len((await mall.read(number))["parcels"]) == 1
    assert (await mall.post(f"/v1/orders/{number}/cancellation", WISH)).status_code == 200
    assert (await mall.read(number))["parcels"] == []
    (seen,) = (await mall.read(number, **staff))["parcels"]
    assert seen["state"] == "dissolved"


async def test_a_claw_back_names_the_lot_that_it_took(mall: Mall) -> None:
    """L5: so that the desk does not offer to take the same grant back again."""
    grant = {"learner": "zoe", "points": 300, "reason": "task", "source": "wrong"}
    await mall.post("/v1/points/grants", {"grants": [grant]}, **SERVICE)
    wrong = {"learner": "zoe", "reason": "task", "source": "wrong", "why": "a mistake"}
    assert (await mall.post("/v1/points/clawbacks", wrong, **SERVICE)).status_code == 200
    await mall.views()
    told = (await mall.get("/v1/learners/zoe/statement", **SERVICE)).json()["entries"]
    assert [(one["fact"], one["source"]) for one in told] == [
        ("ledger.GrantClawedBack", "task:wrong"),
        ("ledger.PointsGranted", "wrong"),
    ]
