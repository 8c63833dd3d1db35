"""When callers say that something happened: facts of the past, never of the future (A5)."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.api.conftest import RECIPIENT, Mall

pytestmark = pytest.mark.anyio

SOON = timedelta(seconds=20)
"""Less than clocks differ."""


def stamp(moment: datetime) -> str:
    """As callers write it."""
    return moment.isoformat()


async def as_service(mall: Mall, path: str, body: Any) -> Any:
    """What the platform says."""
    return await mall.post(path, body, role="service", subject="platform")


async def state_as_of(mall: Mall, number: str, moment: datetime) -> str:
    """An order's state in the list of how orders stood."""
    listed = await mall.get("/v1/orders", role="service", subject="p", as_of=stamp(moment))
    (state,) = [one["state"] for one in listed.json()["orders"] if one["number"] == number]
    return str(state)


def order_of(moment: datetime) -> dict[str, Any]:
    """A mug for lin, wanted then."""
    lines = [{"sku": "enamel-mug", "quantity": 1}]
    return {"learner": "lin", "lines": lines, "recipient": RECIPIENT, "happened_at": stamp(moment)}


async def points_of_then(mall: Mall, points: int, *, at: datetime, learner: str = "lin") -> None:
    """Points that a learner had at a past moment already."""
    grant = {"learner": learner, "points": points, "reason": "task", "source": f"then-{points}"}
    rows = {"grants": [{**grant, "happened_at": stamp(at)}]}
    (row,) = (await as_service(mall, "/v1/points/grants", rows)).json()["results"]
    assert row["status"] == "granted"


async def test_what_is_still_to_come_is_no_fact(mall: Mall) -> None:
    """A5, O4: neither orders, grants, cancellations, payments nor hand-overs are dated ahead."""
    ahead = datetime.now(UTC) + timedelta(days=1)
    position = mall.tenant.store.position
    refused = await as_service(mall, "/v1/orders", order_of(ahead))
    assert refused.status_code == 422
    (failure,) = refused.json()["failures"]
    assert (failure["field"], failure["reason"]) == ("happened_at", "is in the future")
    grant = {"learner": "lin", "points": 5, "reason": "task", "source": "ahead"}
    rows = {"grants": [{**grant, "happened_at": stamp(ahead)}]}
    (row,) = (await as_service(mall, "/v1/points/grants", rows)).json()["results"]
    assert (row["status"], row["code"]) == ("refused", "invalid")
    assert mall.tenant.store.position == position

    number = (await mall.order(("tea-set", 1)))["number"]
    for path, body, field in (
        ("cancellation", {"reason": "no", "happened_at": stamp(ahead)}, "happened_at"),
        ("payments", {"amount_fen": 3_800, "attempt": "a", "paid_at": stamp(ahead)}, "paid_at"),
    ):
        refused = await as_service(mall, f"/v1/orders/{number}/{path}", body)
        assert refused.status_code == 422
        assert refused.json()["failures"][0]["field"] == field
    packed = {"order": number, "part": 1, "weight_grams": 900, "happened_at": stamp(ahead)}
    refused = await mall.post("/v1/parcels", packed, role="operations", subject="ops")
    assert refused.status_code == 422


async def test_another_clock_may_be_a_little_ahead(mall: Mall) -> None:
    """What it dates counts as happening now: no balance of the future differs from today's."""
    placed = await as_service(mall, "/v1/orders", order_of(datetime.now(UTC) + SOON))
    assert placed.status_code == 201
    await mall.views()
    order = await mall.read(placed.json()["number"])
    assert datetime.fromisoformat(order["placed_at"]) <= datetime.now(UTC)


async def test_another_clock_may_be_a_little_behind(mall: Mall) -> None:
    """A5: points that came a moment ago pay what a slow clock dates before them."""
    await points_of_then(mall, 500, at=datetime.now(UTC), learner="new")
    wish = {**order_of(datetime.now(UTC) - SOON), "learner": "new"}
    assert (await as_service(mall, "/v1/orders", wish)).status_code == 201


async def available(mall: Mall, at: datetime) -> int:
    """What lin could spend at a past moment."""
    await mall.views()
    seen = await mall.get("/v1/learners/lin/balance", as_of=stamp(at))
    return int(seen.json()["available"])


async def test_an_order_of_the_past_is_paid_with_what_was_there(mall: Mall) -> None:
    """A5, rules.md 19: today's points pay nothing of then; no past balance is below zero."""
    then = datetime.now(UTC) - timedelta(days=5)
    price = (await mall.order(("enamel-mug", 1)))["points"]
    position = mall.tenant.store.position
    refused = await as_service(mall, "/v1/orders", order_of(then))
    assert refused.status_code == 409
    (failure,) = refused.json()["failures"]
    assert (failure["code"], failure["needed"], failure["available"]) == (
        "insufficient_points_then", price, 0,
    )  # fmt: skip
    assert mall.tenant.store.position == position
    await points_of_then(mall, price, at=then - timedelta(hours=1))
    placed = await as_service(mall, "/v1/orders", order_of(then))
    assert placed.status_code == 201, placed.text
    again = await as_service(mall, "/v1/orders", order_of(then + timedelta(days=1)))
    assert again.json()["failures"][0]["code"] == "insufficient_points_then"
    for hours in (-2, -1, -0.5, 0, 1, 24):
        assert await available(mall, then + timedelta(hours=hours)) == (
            price if -1 <= hours < 0 else 0
        )


async def test_the_past_balance_is_below_zero_when_today_s_decides(
    mall: Mall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A5 CONTROL: an order of the past is paid with points that came after it."""
    monkeypatch.setattr("api.orders.dated_back", _on_todays_balance)
    then = datetime.now(UTC) - timedelta(days=5)
    placed = await as_service(mall, "/v1/orders", order_of(then))
    assert placed.status_code == 201, placed.text
    assert await available(mall, then + timedelta(hours=1)) < 0


async def _on_todays_balance(request: Any, command: Any, *_: Any) -> Any:
    return await request.state.tenant.store.execute(command(None))


async def test_what_was_there_pays_once_when_orders_of_the_past_come_at_once(mall: Mall) -> None:
    """A5, R13: eight at the same time, and points of then for three of them."""
    then = datetime.now(UTC) - timedelta(days=5)
    price = (await mall.order(("enamel-mug", 1)))["points"]
    await points_of_then(mall, 3 * price, at=then)
    waiting, codes = [order_of(then + timedelta(hours=nth)) for nth in range(8)], []
    while waiting:
        answers = await asyncio.gather(*(as_service(mall, "/v1/orders", one) for one in waiting))
        codes += [one.status_code for one in answers]
        waiting = [
            one for one, said in zip(waiting, answers, strict=True) if said.status_code == 503
        ]
    assert (codes.count(201), codes.count(409)) == (3, 5)
    assert await available(mall, then + timedelta(days=1)) == 0


async def test_an_order_is_paid_as_of_later_when_its_payment_has_whole_seconds(mall: Mall) -> None:
    """A5: some partners leave out what is less than a second; live and as of then agree."""
    number = (await mall.order(("tea-set", 1)))["number"]
    order = await mall.read(number)
    whole = datetime.fromisoformat(order["placed_at"]).replace(microsecond=0)
    paying = {"amount_fen": order["cash_fen"], "attempt": "a", "paid_at": stamp(whole)}
    assert (await as_service(mall, f"/v1/orders/{number}/payments", paying)).status_code == 200
    await mall.views()
    later = datetime.now(UTC) + timedelta(days=1)
    live = await mall.read(number, role="service", subject="platform")
    assert live["state"] == "pending_shipment"
    assert await state_as_of(mall, number, later) == "pending_shipment"
    replayed = await mall.get(
        f"/v1/audit/streams/order:{number}", role="auditor", subject="audit", as_of=stamp(later)
    )
    assert replayed.json()["state"]["paid"] is True


async def test_points_never_come_back_before_they_were_taken(mall: Mall) -> None:
    """D4, A5: a cancellation dated before its order is refused; the past balance stays."""
    number = (await mall.order(("enamel-mug", 1)))["number"]
    long_ago = datetime(2001, 1, 1, tzinfo=UTC)
    body = {"reason": "no", "happened_at": stamp(long_ago)}
    refused = await as_service(mall, f"/v1/orders/{number}/cancellation", body)
    assert refused.status_code == 422
    assert refused.json()["failures"][0]["reason"] == "is before the order was placed"
    placed_at = datetime.fromisoformat((await mall.read(number))["placed_at"])
    body = {"reason": "no", "happened_at": stamp(placed_at - SOON)}
    assert (await as_service(mall, f"/v1/orders/{number}/cancellation", body)).status_code == 200
    await mall.views()
    before = await mall.get(
        "/v1/learners/lin/balance", as_of=stamp(placed_at - timedelta(microseconds=1))
    )
    after = await mall.balance()
    assert before.json()["available"] == after["available"]


async def test_a_grant_is_not_taken_back_before_it_was_made(mall: Mall) -> None:
    """A5, L5: nobody owed then what they did not have; people take back now alone (rules.md 19)."""
    granted_at = datetime.now(UTC) - timedelta(days=2)
    grant = {"learner": "lin", "points": 90, "reason": "task", "source": "then"}
    rows = {"grants": [{**grant, "happened_at": stamp(granted_at)}]}
    await as_service(mall, "/v1/points/grants", rows)
    wrong = {"learner": "lin", "reason": "task", "source": "then", "why": "mistake"}
    early = {**wrong, "happened_at": stamp(granted_at - timedelta(hours=1))}
    late = {**wrong, "happened_at": stamp(granted_at + timedelta(hours=1))}
    for body, role, reason in (
        (early, "service", "is before the points were granted"),
        (late, "operations", "only services may say when"),
    ):
        refused = await mall.post("/v1/points/clawbacks", body, role=role, subject="x")
        assert refused.status_code == 422
        assert refused.json()["failures"][0]["reason"] == reason
    assert (await as_service(mall, "/v1/points/clawbacks", late)).status_code == 200


async def spent_then(mall: Mall) -> tuple[int, dict[str, Any], dict[str, Any]]:
    """A grant of six days ago; the order that it pays, and its claw-back, both still to be told."""
    now = datetime.now(UTC)
    price = (await mall.order(("enamel-mug", 1)))["points"]
    await points_of_then(mall, price + 40, at=now - timedelta(days=6))
    grant = {"learner": "lin", "reason": "task", "source": f"then-{price + 40}", "why": "mistake"}
    wrong = {**grant, "happened_at": stamp(now - timedelta(days=4))}
    return price, order_of(now - timedelta(days=5)), wrong


async def balance(mall: Mall, days_ago: int) -> tuple[int, int]:
    """What lin could spend, and what she owed, so many days ago."""
    await mall.views()
    at = datetime.now(UTC) - timedelta(days=days_ago)
    seen = (await mall.get("/v1/learners/lin/balance", as_of=stamp(at))).json()
    return seen["available"], seen["debt"]


async def test_what_is_taken_back_as_of_then_is_owed_until_today_s_points_pay_it(
    mall: Mall,
) -> None:
    """A5, L5, rules.md 17, 19: no balance in between is below zero but for a visible debt."""
    price, bought, wrong = await spent_then(mall)
    assert (await as_service(mall, "/v1/orders", bought)).status_code == 201
    before = (await mall.balance())["available"]
    taken = await as_service(mall, "/v1/points/clawbacks", wrong)
    assert (taken.status_code, taken.json()["points"], taken.json()["debt"]) == (200, price + 40, 0)
    assert await balance(mall, 5) == (40, 0)
    assert await balance(mall, 3) == (0, price)
    after = await mall.balance()
    assert (after["available"], after["debt"]) == (before - 40 - price, 0)
    again = await as_service(mall, "/v1/points/clawbacks", wrong)
    assert again.json()["status"] == "duplicate"


async def test_nothing_of_then_is_below_zero_when_both_are_told_at_once(mall: Mall) -> None:
    """A5 race: an order that a grant paid, and its claw-back, each decided on what was there."""
    price, bought, wrong = await spent_then(mall)
    placed, taken = await asyncio.gather(
        as_service(mall, "/v1/orders", bought), as_service(mall, "/v1/points/clawbacks", wrong)
    )
    assert taken.status_code == 200
    assert placed.status_code in (201, 409)
    owed = price if placed.status_code == 201 else 0
    assert await balance(mall, 3) == (0, owed)


async def test_a_parcel_is_not_sent_before_its_order_was_placed(mall: Mall) -> None:
    """A5, W1: neither picked, packed, labelled nor handed over; CONTROL: from then on it is."""
    ops = {"role": "operations", "subject": "ops"}
    placed_at = datetime.now(UTC) - timedelta(days=2)
    await points_of_then(mall, 500, at=placed_at)
    number = (await as_service(mall, "/v1/orders", order_of(placed_at))).json()["number"]
    early = {"happened_at": stamp(placed_at - timedelta(days=14))}
    then = {"happened_at": stamp(placed_at + timedelta(hours=3))}
    label = {"carrier": "shunfeng", "waybill": "SF1000010000009"}
    parcel = f"/v1/parcels/{number}-P1"
    for path, body in (
        ("/v1/parcels", {"order": number, "part": 1}),
        (f"{parcel}/waybill", label),
        (f"{parcel}/handover", {}),
    ):
        refused = await mall.post(path, {**body, **early}, **ops)
        assert refused.status_code == 422, refused.text
        assert refused.json()["failures"][0]["reason"] == "is before the order was placed"
        done = await mall.post(path, {**body, **then}, **ops)
        assert done.status_code in (200, 201), done.text
    for step, body in (("picking", {}), ("packing", {"weight_grams": 900})):
        refused = await mall.post(f"{parcel}/{step}", {**body, **early}, **ops)
        assert refused.status_code == 422
    short = {"order": number, "part": 1, "sku": "enamel-mug", "found": 0, "reason": "wet"}
    refused = await mall.post("/v1/parcels/shortages", {**short, **early}, **ops)
    assert refused.status_code == 422


async def test_a_learner_takes_no_orders_from_outside(mall: Mall) -> None:
    """G3, rules 7: what comes from a shop is refunded there; only services say that it does."""
    wish = {**order_of(datetime.now(UTC)), "channel": "shop"}
    del wish["happened_at"]
    refused = await mall.post("/v1/orders", wish)
    assert refused.status_code == 422
    assert refused.json()["failures"][0]["field"] == "channel"
    assert (await as_service(mall, "/v1/orders", wish)).status_code == 201


async def test_a_grant_can_still_be_made_when_it_was_refused(mall: Mall) -> None:
    """L1, rules 14: its identity is the grant's, and there is none yet; once made, it stays."""

    async def result(**changes: Any) -> tuple[str, str | None]:
        grant = {"learner": "lin", "points": 90, "reason": "manual", "source": "s-1", **changes}
        answer = await as_service(mall, "/v1/points/grants", {"grants": [grant]})
        (row,) = answer.json()["results"]
        return row["status"], row.get("code")

    assert await result(carried_over=True) == ("refused", "carried_over")
    assert await result(points=9_000) == ("refused", "approval_needed")
    assert await result(expires_at="2020-01-01T00:00:00Z") == ("refused", "invalid")
    assert await result() == ("granted", None)
    assert await result() == ("duplicate", None)
    assert await result(points=91) == ("refused", "grant_conflict")
    assert await result(carried_over=True) == ("duplicate", None)
