"""Redeeming over HTTP: the whole path of an order, and every way it is refused."""

import pytest

from tests.api.conftest import RECIPIENT, Mall

pytestmark = pytest.mark.anyio


async def test_points_leave_and_stock_is_reserved_when_an_order_is_placed(mall: Mall) -> None:
    """L2: points, stock and order in one commit."""
    before = await mall.balance()
    placed = await mall.order(("enamel-mug", 2))
    order = await mall.read(placed["number"])
    after = await mall.balance()
    item = (await mall.get("/v1/items/enamel-mug")).json()
    assert order["status"] == "pending_shipment"
    assert before["available"] - after["available"] == placed["points"] == 960
    assert item["available"] == 118


async def test_the_first_answer_comes_again_when_a_request_is_sent_twice(mall: Mall) -> None:
    """L2: the same key and body is one order, with one answer."""
    wish = {"learner": "lin", "lines": [{"sku": "notebook", "quantity": 1}], "recipient": RECIPIENT}
    first = await mall.post("/v1/orders", wish, key="once")
    again = await mall.post("/v1/orders", wish, key="once")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert again.headers["Idempotent-Replay"] == "true"


async def test_the_key_is_refused_when_it_comes_with_another_body(mall: Mall) -> None:
    """L2: rules.md 31, `key_reused`."""
    wish = {"learner": "lin", "lines": [{"sku": "notebook", "quantity": 1}], "recipient": RECIPIENT}
    await mall.post("/v1/orders", wish, key="once")
    wish["lines"] = [{"sku": "notebook", "quantity": 2}]
    answer = await mall.post("/v1/orders", wish, key="once")
    assert (answer.status_code, answer.json()["code"]) == (422, "key_reused")


async def test_every_reason_is_listed_when_an_order_is_refused(mall: Mall) -> None:
    """O1: all failing checks in one answer, in both languages; nothing happened."""
    before = await mall.balance()
    wish = {
        "learner": "lin",
        "lines": [
            {"sku": "ink-stone", "quantity": 2, "points_expected": 1},
            {"sku": "enamel-mug", "quantity": 900},
            {"sku": "nothing", "quantity": 1},
        ],
        "recipient": RECIPIENT,
    }
    answer = await mall.post("/v1/orders", wish)
    codes = [one["code"] for one in answer.json()["failures"]]
    assert answer.status_code == 409
    assert set(codes) == {
        "price_changed",
        "limit_reached",
        "item_unknown",
        "insufficient_points",
        "out_of_stock",
    }
    assert all(one["message_zh"] for one in answer.json()["failures"])
    assert await mall.balance() == before


async def test_goods_are_refused_when_the_province_is_out_of_coverage(mall: Mall) -> None:
    """O1: rules.md 9, remote regions are excluded in the demo mall."""
    far = {**RECIPIENT, "province": "西藏", "city": "拉萨市", "district": "城关区"}
    wish = {"learner": "lin", "lines": [{"sku": "notebook", "quantity": 1}], "recipient": far}
    answer = await mall.post("/v1/orders", wish)
    assert [one["code"] for one in answer.json()["failures"]] == ["outside_coverage"]
    wish["lines"] = [{"sku": "notebook", "quantity": 9_000}]
    told = (await mall.post("/v1/quotes", wish)).json()["failures"]
    assert [one["code"] for one in told][-2:] == ["outside_coverage", "out_of_stock"]


async def test_nothing_happens_when_only_a_quote_is_asked_for(mall: Mall) -> None:
    """O6: parts, promise and points without effect."""
    wish = {"learner": "lin", "lines": [{"sku": "notebook", "quantity": 1}], "recipient": RECIPIENT}
    before = mall.tenant.store.position
    answer = (await mall.post("/v1/quotes", wish)).json()
    assert answer["ok"] is True
    assert (answer["points"], len(answer["parts"])) == (260, 1)
    assert mall.tenant.store.position == before


async def test_points_are_back_in_their_lots_when_an_order_is_cancelled(mall: Mall) -> None:
    """O8, L4: cancel before shipping refunds at once, to the lots the points came from."""
    before = await mall.balance()
    placed = await mall.order(("walnut-bookend", 1))
    assert (await mall.balance())["expiring"] != before["expiring"]
    answer = await mall.post(f"/v1/orders/{placed['number']}/cancellation", {"reason": "旧的还好"})
    order = await mall.read(placed["number"])
    after = await mall.balance()
    assert answer.status_code == 200
    assert order["status"] == "cancelled"
    assert {**after, "position": 0} == {**before, "position": 0}


async def test_the_order_moves_on_when_its_parcel_is_signed_for(mall: Mall) -> None:
    """O3: pending shipment, pending receipt, and completed in the customer's words."""
    placed = await mall.order(("notebook", 1))
    number = placed["number"]
    await mall.ship(number)
    shipped = await mall.read(number)
    assert shipped["status"] == "pending_receipt"
    assert shipped["parcels"][0]["state"] == "handed_over"
    assert shipped["actions"]["cancel"]["parcels"] == [shipped["parcels"][0]["number"]]
    late = await mall.post(f"/v1/orders/{number}/cancellation", {"reason": "too late"})
    assert (late.status_code, late.json()["status"]) == (200, "pending_receipt")
    assert late.json()["intercepts"][0]["way"] == "return"  # O8: its carrier is asked


async def test_a_course_is_granted_at_once_when_it_is_redeemed(mall: Mall) -> None:
    """O3: a course needs no recipient and is never pending receipt (rules.md 7)."""
    placed = await mall.order(("python-course", 1), recipient=None)
    order = await mall.read(placed["number"], role="support", subject="sue")
    assert (order["status"], order["state"]) == ("completed", "pending_end")
    assert order["returnable_until"] is not None


async def test_points_are_held_until_paid_when_an_order_has_a_cash_part(mall: Mall) -> None:
    """L3, O5: held, then captured by the provider's word; the second word changes nothing."""
    placed = await mall.order(("tea-set", 1))
    number = placed["number"]
    assert placed["status"] == "pending_payment"
    assert (await mall.balance())["held"] == placed["points"]
    payment = {"attempt": "pay-1", "amount_fen": 1_900}
    for key in ("first", "second"):
        answer = await mall.post(
            f"/v1/orders/{number}/payments", payment, role="service", subject="till", key=key
        )
        assert answer.status_code == 200, answer.text
    assert (await mall.read(number))["status"] == "pending_shipment"
    assert (await mall.balance())["held"] == 0


async def test_somebody_elses_order_is_not_there_when_a_learner_asks(mall: Mall) -> None:
    """A10: absent and somebody else's answer alike, for reading and for changing."""
    placed = await mall.order(("notebook", 1))
    for number in (placed["number"], "T000000NOTHING"):
        read = await mall.get(f"/v1/orders/{number}", subject="chen")
        cancel = await mall.post(
            f"/v1/orders/{number}/cancellation", {"reason": "x"}, subject="chen"
        )
        assert (read.status_code, cancel.status_code) == (404, 404)
        assert read.json()["detail"] == "There is no such order."


async def test_lists_answer_as_they_stood_when_asked_as_of(mall: Mall) -> None:
    """A5: the list of orders before the cancellation still shows the order as it was."""
    placed = await mall.order(("notebook", 1))
    between = mall.tenant.store.clock().isoformat()
    await mall.post(f"/v1/orders/{placed['number']}/cancellation", {"reason": "x"})
    await mall.views()
    now = (await mall.get("/v1/orders")).json()["orders"]
    then = (await mall.get("/v1/orders", as_of=between)).json()["orders"]
    known = (await mall.get("/v1/orders", known_at=between)).json()["orders"]
    assert [one["status"] for one in now] == ["cancelled"]
    assert [one["status"] for one in then] == ["pending_shipment"]
    assert [one["status"] for one in known] == ["pending_shipment"]


async def test_the_part_goes_where_it_should_when_the_address_is_changed(mall: Mall) -> None:
    """O8: before hand-over; elsewhere in the province it is written down, and nothing else."""
    placed = await mall.order(("notebook", 1))
    path = f"/v1/orders/{placed['number']}/address"
    near = await mall.post(path, {**RECIPIENT, "address": "文二路 9 号"})
    assert near.status_code == 200
    facts = [one["fact"] for one in (await mall.read(placed["number"]))["timeline"]]
    assert facts == ["orders.OrderPlaced", "orders.AddressChanged"]


async def test_changes_answer_in_the_customers_words_when_a_course_is_redeemed(mall: Mall) -> None:
    """rules.md 4: what is pending end to staff is completed to customers, in every answer."""
    placed = await mall.order(("python-course", 1), recipient=None)
    then = {"as_of": "2190-01-01T00:00:00Z"}
    of_lin = (await mall.get("/v1/orders", **then)).json()["orders"][0]
    of_staff = (await mall.get("/v1/orders", role="support", subject="sue", **then)).json()
    assert placed["status"] == of_lin["status"] == "completed"
    assert "state" not in of_lin
    assert of_staff["orders"][0]["state"] == "pending_end"


async def test_a_refusal_is_chinese_throughout_when_it_is_told_in_chinese(mall: Mall) -> None:
    """D6: what was wanted, what stands against it, and what was not found."""
    placed = await mall.order(("notebook", 1))
    number = placed["number"]
    paid = await mall.post(f"/v1/orders/{number}/payments", {})
    absent = await mall.get("/v1/items/nothing")
    cursor = await mall.get("/v1/items", cursor="x")
    assert paid.json()["detail_zh"] == "无法支付：订单待发货"
    assert absent.json()["detail_zh"] == "未找到该商品。"
    assert cursor.json()["detail_zh"] == "cursor：不是本服务给出的"
    assert (await mall.read(number))["actions"]["pay"]["why_zh"] == "无法支付：订单待发货"


async def test_a_learner_is_found_under_any_id_points_were_granted_to(mall: Mall) -> None:
    """L6: ids with a slash, too; nobody's statement is not an empty one."""
    grant = {"learner": "a/b=", "points": 5, "reason": "task", "source": "t-1"}
    service = {"role": "service", "subject": "platform"}
    await mall.post("/v1/points/grants", {"grants": [grant]}, **service)
    await mall.views()
    for page in ("balance", "statement"):
        found = await mall.get(f"/v1/learners/a%2Fb=/{page}", **service)
        nobody = await mall.get(f"/v1/learners/nobody/{page}", **service)
        assert (found.status_code, nobody.status_code) == (200, 404)
        assert found.json()["learner"] == "a/b="
    frozen = await mall.post("/v1/learners/a%2Fb=", {"status": "frozen"}, method="PUT", **service)
    assert frozen.json()["status"] == "frozen"
