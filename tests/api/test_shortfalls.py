"""Units not found, courses begun, cash that did not arrive, over HTTP (rules.md 1, 7, 8)."""

from typing import Any

import pytest

from application import ordering
from application.asking_partners import BATCH, Asking
from application.envelope import Context
from application.jobs import apply_jobs_schema
from application.migrating import SERVICE_ROLE
from application.unit import Command, Unit
from tests.api.conftest import Mall
from tests.conftest import MallDatabase

pytestmark = pytest.mark.anyio

STAFF = {"role": "operations", "subject": "ops"}
PLATFORM = {"role": "service", "subject": "lms"}


@pytest.fixture(autouse=True)
def jobs(database: MallDatabase) -> None:
    """The queue that is among the troubles."""
    apply_jobs_schema(database.owner_url, SERVICE_ROLE)


async def nowhere(mall: Mall) -> str:
    """An order of two notebooks of which none was found, and there are none elsewhere."""
    number: str = (await mall.order(("notebook", 2)))["number"]
    count = {"sku": "notebook", "warehouse": "shaanxi", "counted": 0, "reason": "x"}
    await mall.post("/v1/stock/counts", count, **STAFF)
    body = {"order": number, "part": 1, "sku": "notebook", "found": 0, "reason": "wet"}
    answer = await mall.post("/v1/parcels/shortages", body, **STAFF)
    assert answer.status_code == 200, answer.text
    assert answer.json()["waits"] == 2
    return number


async def test_the_learner_chooses_when_units_are_nowhere(mall: Mall) -> None:
    """S1, D6: offered in `actions` with what it brings; refused once there is nothing to choose."""
    before = (await mall.balance())["available"]
    number = await nowhere(mall)
    order = await mall.read(number)
    assert order["parts"][0]["waits"] == "choice"
    assert order["actions"]["wait"] == {"possible": True}
    assert (
        order["actions"]["refund_missing"]["points"] == before - (await mall.balance())["available"]
    )
    path = f"/v1/orders/{number}/shortage"
    assert (await mall.post(path, {"choice": "wait"})).status_code == 200
    order = await mall.read(number)
    assert order["parts"][0]["waits"] == "stock"
    assert order["actions"]["wait"]["why_zh"] == "无法等待到货：已选择等待到货"
    assert (await mall.post(path, {"choice": "refund"})).json()["status"] == "cancelled"
    assert (await mall.balance())["available"] == before
    again = await mall.post(path, {"choice": "refund"})
    assert (again.status_code, again.json()["code"]) == (409, "not_possible")


async def test_a_course_is_kept_when_the_platform_says_that_much_is_done(mall: Mall) -> None:
    """O3, rules 7: only the platform says so; the refusal names course and percent."""
    number = (await mall.order(("python-course", 1)))["number"]
    path = f"/v1/orders/{number}/courses/python-course/progress"
    assert (await mall.post(path, {"percent": 3}, **STAFF, method="PUT")).status_code == 403
    said = await mall.post(path, {"percent": 35}, **PLATFORM, method="PUT")
    assert said.status_code == 200, said.text
    refund = {"fault": "changed_mind", "reason": "x"}
    refused = await mall.post(f"/v1/orders/{number}/refunds", refund, **STAFF)
    assert refused.status_code == 409
    assert "35 % of the course are done" in refused.json()["detail"]
    other = f"/v1/orders/{number}/courses/notebook/progress"
    assert (await mall.post(other, {"percent": 3}, **PLATFORM, method="PUT")).status_code == 409


async def test_a_channel_s_refund_revokes_when_much_of_the_course_is_done(mall: Mall) -> None:
    """G7, rules 7: the money went back there, so the course goes, whatever was done of it."""
    lines = [{"sku": "python-course", "quantity": 1}]
    wish = {"learner": "lin", "lines": lines, "channel": "shop"}
    number = (await mall.post("/v1/orders", wish, **PLATFORM)).json()["number"]
    path = f"/v1/orders/{number}/courses/python-course/progress"
    await mall.post(path, {"percent": 90}, **PLATFORM, method="PUT")
    refund = {"fault": "changed_mind", "reason": "refunded at the shop"}
    answer = await mall.post(f"/v1/orders/{number}/refunds", refund, **PLATFORM)
    assert answer.json()["status"] == "closed", answer.text
    order = await mall.read(number, **STAFF)
    assert "orders.EntitlementRevoked" in [one["fact"] for one in order["timeline"]]


async def failed_refund(mall: Mall) -> str:
    """A paid order is cancelled, and the provider cannot give the cash back."""
    placed = await mall.order(("tea-set", 1))
    number: str = placed["number"]
    paid = {"attempt": "A-1", "amount_fen": placed["cash_fen"]}
    await mall.post(f"/v1/orders/{number}/payments", paid, **PLATFORM)
    await mall.post(f"/v1/orders/{number}/cancellation", {"reason": "x"})

    def decide(unit: Unit) -> dict[str, Any]:
        return ordering.settle_cash_refund(
            unit, number=number, refund=f"{number}-refund-1", cause="card gone"
        )

    context = Context(actor="partner:payment", command="n1")
    await mall.tenant.store.execute(Command("partner:payment", "n1", b"", context, decide))
    await mall.views()
    return number


async def test_staff_ask_again_when_a_refund_failed(mall: Mall) -> None:
    """O5, rules 8: seen with its failures and next try; by hand at once; twice is once."""
    number = await failed_refund(mall)
    troubles = (await mall.get("/v1/troubles", **STAFF)).json()["troubles"]
    (trouble,) = [one for one in troubles if one["kind"] == "cash_refund"]
    assert trouble["cause"] == "card gone"
    assert trouble["about"]["failures"] == 1
    assert trouble["about"]["ask_again_at"]
    path = f"/v1/orders/{number}/cash-refunds/{number}-refund-1/retry"
    for _ in range(2):
        answer = await mall.post(path, None, **STAFF)
        assert answer.json()["state"] == "requested", answer.text
    order = await mall.read(number, **STAFF)
    assert order["cash_refunds"] == [{"refund": f"{number}-refund-1", "state": "requested"}]
    facts = [one["fact"] for one in order["timeline"]]
    assert facts.count("orders.CashRefundAskedAgain") == 1
    unknown = await mall.post(path.replace(f"{number}-refund-1", "late-A/9"), None, **STAFF)
    assert unknown.status_code == 409


async def test_newer_refunds_are_asked_for_when_many_older_ones_get_no_answer(
    mall: Mall,
) -> None:
    """M2, rules 8: those that wait for their next time hold up nobody behind them."""
    async with mall.tenant.pool.connection() as connection:
        await connection.execute(
            f"INSERT INTO {mall.tenant.schema}.cash_refunds (order_number, refund, attempt,"
            " amount_fen, state, requested_at, position)"
            " SELECT 'T' || n, 'r', 'a', 1, 'requested', now() + n * interval '1 s', n"
            f" FROM generate_series(1, {2 * BATCH + 1}) n"
        )
    asked: list[str] = []

    class Silent:
        """Takes every request and never tells what became of it."""

        async def refund(self, message: Any) -> None:
            asked.append(message.order)

    real, mall.tenant.payments = mall.tenant.payments, Silent()
    asking = Asking(mall.tenant, mall.client)
    for rounds in (1, 2, 3, 4):
        await asking.ask()
        assert len(asked) == min(rounds * BATCH, 2 * BATCH + 1)
    assert len(set(asked)) == 2 * BATCH + 1
    mall.tenant.payments = real


async def test_units_are_not_sent_to_where_they_are(mall: Mall) -> None:
    """C3, M4: a transfer goes to another warehouse; refused with its field, in both languages."""
    body = {"sku": "notebook", "from_warehouse": "zhejiang", "to_warehouse": "zhejiang"}
    refused = await mall.post("/v1/stock/transfers", {**body, "quantity": 1}, **STAFF)
    assert refused.status_code == 422
    (failure,) = refused.json()["failures"]
    assert (failure["field"], failure["reason"]) == ("to_warehouse", "is where the units are")
    assert "与调出仓库相同" in failure["message_zh"]
