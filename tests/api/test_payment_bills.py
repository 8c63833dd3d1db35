"""A payment provider's bill: each refund is compared with its own order's (W6, D4)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from application import ordering
from application.asking_partners import Asking
from application.billing import match_again
from application.envelope import Context
from application.streams import ORDER
from application.unit import Command, Unit
from domain.payment_facts import CashRefundConfirmed, CashRefundRequested
from tests.api.conftest import Mall
from tests.api.test_bills import differences, matched, sent
from tests.api.test_partners import Partners, partners

pytestmark = pytest.mark.anyio

__all__ = ["partners"]

POS = {"role": "service", "subject": "pos"}
PROVIDER = {"kind": "payment", "from": "wechat"}
HEADER = "支付单号,交易类型,金额\n"


async def done(mall: Mall, name: str, decide: Callable[[Unit], dict[str, Any]]) -> None:
    """Something that the house itself, or its provider, decides."""
    context = Context(actor="partner:payment", command=name)
    await mall.tenant.store.execute(
        Command("partner:payment", name, name.encode(), context, decide)
    )
    await mall.views()


async def paid(mall: Mall, attempt: str, **wish: Any) -> str:
    """An order whose cash part came; returns its number."""
    number: str = (await mall.order(("tea-set", 1), **wish))["number"]
    payment = {"means": "wechat", "attempt": attempt, "amount_fen": 1_900}
    answer = await mall.post(f"/v1/orders/{number}/payments", payment, **POS)
    assert answer.status_code in (200, 201), answer.text
    return number


async def given_back(mall: Mall, attempt: str) -> tuple[str, str]:
    """An order that was paid and cancelled, and its refund, which the provider confirmed."""
    number = await paid(mall, attempt)
    gone = await mall.post(f"/v1/orders/{number}/cancellation", {"reason": "changed my mind"})
    assert gone.status_code == 200, gone.text
    order = await mall.read(number, role="support", subject="sue")
    ((refund),) = [one["refund"] for one in order["cash_refunds"]]
    await done(
        mall,
        f"settle-{number}",
        lambda unit: ordering.settle_cash_refund(unit, number=number, refund=refund, cause=None),
    )
    return number, refund


def today() -> dict[str, str]:
    """A bill of this day."""
    day = (datetime.now(UTC) + timedelta(hours=8)).date().isoformat()
    return {"first_day": day, "last_day": day}


async def test_every_orders_refund_is_expected_and_matched_under_its_own_number(
    mall: Mall,
) -> None:
    """W6: three orders' first refunds are three; a number that none has alone settles nothing."""
    made = {f"pay-{n}": await given_back(mall, f"pay-{n}") for n in (1, 2, 3)}
    assert len({refund for _, refund in made.values()}) == 3
    await sent(mall, f"{HEADER}pay-x,收款,5.00\n", number="e1", **PROVIDER, **today())
    await matched(mall)
    path = "/v1/bills/payment:wechat:e1/differences"
    listed = (await mall.get(path, role="auditor", subject="ada")).json()["differences"]
    lacking = [(one["charge"], one["number"], one["about"]) for one in listed if one["row"] is None]
    assert sorted(lacking) == sorted(
        [("capture", attempt, order) for attempt, (order, _) in made.items()]
        + [("refund", refund, order) for order, refund in made.values()]
    )
    rows = "".join(
        f"{attempt},收款,19.00\n{made[attempt][1]},退款,19.00\n" for attempt in ("pay-1", "pay-2")
    )
    rows += "refund-1,退款,19.00\n"
    await sent(mall, HEADER + rows, number="e2", **PROVIDER, **today())
    await matched(mall)
    third = made["pay-3"][1]
    assert set(await differences(mall, "payment:wechat:e2")) == {
        ("missing", "pay-3", -1_900),
        ("missing", third, 1_900),
        ("unknown_number", "refund-1", -1_900),
    }


async def test_a_refund_of_an_old_id_is_named_with_its_order(mall: Mall) -> None:
    """W6: what older versions called `refund-1` in each order; the bare id is nobody's."""
    numbers = [await paid(mall, f"pay-{n}") for n in (1, 2)]

    def old(unit: Unit) -> dict[str, Any]:
        for n, number in enumerate(numbers, 1):
            asked = CashRefundRequested(
                refund="refund-1", attempt=f"pay-{n}", amount_fen=1_900, reason="cancelled"
            )
            unit.record(ORDER, number, [asked, CashRefundConfirmed(refund="refund-1")])
        return {}

    await done(mall, "old", old)
    rows = "".join(f"pay-{n},收款,19.00\n" for n in (1, 2))
    rows += f"{numbers[0]}-refund-1,退款,19.00\nrefund-1,退款,19.00\n"
    await sent(mall, HEADER + rows, number="e3", **PROVIDER, **today())
    await matched(mall)
    assert sorted(await differences(mall, "payment:wechat:e3")) == [
        ("missing", f"{numbers[1]}-refund-1", 1_900),
        ("unknown_number", "refund-1", -1_900),
    ]


async def test_one_of_two_equal_refunds_is_missing_when_another_bill_has_the_other(
    mall: Mall,
) -> None:
    """W6: under their payment's number nobody says which of them; the other one is expected."""
    number = (await mall.order(("tea-set", 2)))["number"]
    payment = {"means": "wechat", "attempt": "pay-2", "amount_fen": 3_800}
    await mall.post(f"/v1/orders/{number}/payments", payment, **POS)
    for nth in (1, 2):
        body = {"reason": "changed my mind", "lines": [{"sku": "tea-set", "quantity": 1}]}
        gone = await mall.post(f"/v1/orders/{number}/cancellation", body)
        assert gone.status_code == 200, gone.text
        name = f"{number}-refund-{nth}"
        await done(
            mall,
            name,
            lambda unit, name=name: ordering.settle_cash_refund(  # type: ignore[misc]
                unit, number=number, refund=name, cause=None
            ),
        )
    await sent(mall, f"{HEADER}pay-2,退款,19.00\n", number="other", **PROVIDER)
    await sent(mall, f"{HEADER}pay-2,收款,38.00\n", number="e6", **PROVIDER, **today())
    await matched(mall)
    ((cause, missing, fen),) = await differences(mall, "payment:wechat:e6")
    assert (cause, fen, missing.startswith(f"{number}-refund-")) == ("missing", 1_900, True)
    await sent(mall, f"{HEADER}pay-2,退款,38.00\n", number="other", **PROVIDER)
    await matched(mall)
    await match_again(mall.tenant, at="1")
    await mall.views()
    assert await differences(mall, "payment:wechat:e6") == []


async def test_a_payment_of_two_orders_is_a_number_that_nobody_can_match(mall: Mall) -> None:
    """W6: a till's own number that came twice; both payments stay expected."""
    for _ in range(2):
        await paid(mall, "till-7")
    await sent(mall, f"{HEADER}till-7,收款,19.00\n", number="e4", **PROVIDER, **today())
    await matched(mall)
    assert await differences(mall, "payment:wechat:e4") == [("unknown_number", "till-7", 1_900)]
    await sent(mall, f"{HEADER}other,收款,1.00\n", number="e5", **PROVIDER, **today())
    await sent(mall, f"{HEADER}other,收款,2.00\n", number="e4", **PROVIDER, **today())
    await matched(mall)
    lacking = [one for one in await differences(mall, "payment:wechat:e5") if one[0] == "missing"]
    assert lacking == [("missing", "till-7", -1_900)] * 2


async def test_the_provider_is_asked_under_the_number_that_it_bills(
    mall: Mall, partners: Partners
) -> None:
    """O5, W6: one that was asked for under an old id is asked for under it again, and only once."""
    asked: list[str] = []
    refund = mall.tenant.payments.refund

    async def listening(message: Any) -> None:
        asked.append(message.refund)
        await refund(message)

    mall.tenant.payments.refund = listening
    new, old = [await paid(mall, f"pay-{n}") for n in (1, 2)]
    await mall.post(f"/v1/orders/{new}/cancellation", {"reason": "changed my mind"})
    under_way = CashRefundRequested(
        refund="refund-1", attempt="pay-2", amount_fen=1_900, reason="cancelled"
    )

    def before(unit: Unit) -> dict[str, Any]:
        unit.record(ORDER, old, [under_way])
        return {}

    await done(mall, "before", before)
    await partners.asking.ask()
    assert sorted(asked) == sorted([f"{new}-refund-1", "refund-1"])
    for number, name in ((new, f"{new}-refund-1"), (old, "refund-1")):
        await partners.until_refunded(number, name)
    await Asking(mall.tenant, partners.client).ask()
    assert len(asked) == 2


async def test_a_payment_that_came_once_more_is_known_with_its_refund(mall: Mall) -> None:
    """W6, rules.md 8: the provider bills both; neither is a number that nobody knows."""
    number = await paid(mall, "pay-1")
    again = {"means": "wechat", "attempt": "pay-2", "amount_fen": 1_900}
    answer = await mall.post(f"/v1/orders/{number}/payments", again, **POS)
    assert answer.status_code in (200, 201), answer.text
    await mall.views()
    order = await mall.read(number, role="support", subject="sue")
    ((refund),) = [one["refund"] for one in order["cash_refunds"]]
    lines = f"pay-1,收款,19.00\npay-2,收款,19.00\n{refund},退款,19.00\npay-3,收款,19.00\n"
    await sent(mall, HEADER + lines, number="e1", **PROVIDER, **today())
    await matched(mall)
    path = "/v1/bills/payment:wechat:e1/differences"
    listed = (await mall.get(path, role="auditor", subject="ada")).json()["differences"]
    assert [(one["cause"], one["number"]) for one in listed] == [("unknown_number", "pay-3")]
