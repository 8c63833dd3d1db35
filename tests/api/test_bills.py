"""Partners' bills over HTTP: imported, compared, decided, corrected (W6)."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest

from application.billing import match_again, match_new
from application.envelope import Context
from application.streams import PARCEL
from application.unit import Command, Unit
from projections.drifting import Watch
from projections.views import all_views
from tests.api.conftest import Mall

pytestmark = pytest.mark.anyio

OPS = ("operations", "wu")
SHUNFENG = {"kind": "carrier", "from": "shunfeng", "number": "2026-10"}
KEY = "carrier:shunfeng:2026-10"
WAYBILL = "SF10000100001"
"""What `mall.ship` puts on the first part's parcel."""


async def sent(
    mall: Mall, content: bytes | str, *, key: str | None = None, **asked: Any
) -> httpx2.Response:
    """Import a file as operations."""
    body = content.encode() if isinstance(content, str) else content
    query = {**SHUNFENG, **asked}
    sent.serial += 1  # type: ignore[attr-defined]
    headers = {
        **mall.headers(*OPS),
        "Idempotency-Key": key or f"bill-{sent.serial}",  # type: ignore[attr-defined]
        "Content-Type": "text/csv",
    }
    answer = await mall.client.post(f"/v1/bills?{urlencode(query)}", content=body, headers=headers)
    await mall.views()
    return answer


sent.serial = 0  # type: ignore[attr-defined]


async def matched(mall: Mall) -> None:
    """The house compares what came."""
    await match_new(mall.tenant)
    await mall.views()


async def bill(mall: Mall, key: str = KEY) -> Any:
    """A bill as staff see it."""
    answer = await mall.get(f"/v1/bills/{key}", role="auditor", subject="ada")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def differences(mall: Mall, key: str = KEY, **which: Any) -> list[tuple[str, str, int]]:
    """(cause, number, fen) of what differs."""
    answer = await mall.get(f"/v1/bills/{key}/differences", role="support", subject="sue", **which)
    assert answer.status_code == 200, answer.text
    return [(one["cause"], one["number"], one["fen"]) for one in answer.json()["differences"]]


async def decide(mall: Mall, ids: list[str], decision: str, key: str = KEY) -> httpx2.Response:
    """Staff decide about differences."""
    body = {"differences": ids, "decision": decision, "reason": "weighed at hand-over"}
    answer = await mall.post(f"/v1/bills/{key}/decisions", body, role="operations", subject="wu")
    await mall.views()
    return answer


async def shipped(mall: Mall) -> str:
    """A parcel of one notebook from Zhejiang to Hangzhou, with SF: 1,000 fen up to a kilogramme."""
    number = (await mall.order(("notebook", 1)))["number"]
    parcel = await mall.ship(number)
    await mall.views()
    return parcel


async def test_a_carriers_bill_is_explained_by_cause_when_it_is_imported(mall: Mall) -> None:
    """W6: what agrees, what differs and why, with sums that meet; staff accept or contest it."""
    parcel = await shipped(mall)
    rows = (
        "运单号,运费(元),计费重量(kg),收件人\n"
        f"{WAYBILL},10.50,1.6,王\nSF999,8.00,1,李\n{WAYBILL},10.00,,王\n"
    )
    taken = (await sent(mall, rows, name="sf.csv")).json()
    assert (taken["bill"], taken["status"], taken["lines"]) == (KEY, "received", 3)
    assert (taken["total_fen"], taken["left_out"]) == (2_850, ["收件人"])
    assert (await bill(mall))["state"] == "received"
    await matched(mall)
    whole = await bill(mall)
    assert (whole["state"], whole["total_fen"], whole["ours_fen"]) == ("open", 2_850, 1_000)
    assert sorted(await differences(mall)) == [
        ("billed_twice", WAYBILL, 1_000),
        ("unknown_number", "SF999", 800),
        ("weight_above", WAYBILL, 50),
    ]
    assert "王" not in str(await mall.get(f"/v1/bills/{KEY}/differences", role="auditor"))
    page = await mall.get(
        f"/v1/bills/{KEY}/differences", role="support", subject="sue", cause="weight_above"
    )
    (heavy,) = page.json()["differences"]
    assert (heavy["about"], heavy["row"], heavy["standing"]) == (parcel, 2, "open")
    contested = await decide(mall, [heavy["id"]], "contested")
    assert contested.json()["state"] == "open"
    assert (await decide(mall, ["no:such:thing"], "accepted")).status_code == 404
    rest = ["unknown_number:freight:SF999", f"billed_twice:freight:{WAYBILL}"]
    assert (await decide(mall, rest, "accepted")).json()["state"] == "contested"
    whole = await bill(mall)
    assert (whole["open"], whole["contested"], whole["contested_fen"]) == (0, 1, 50)


async def test_rows_that_cannot_be_read_are_listed_with_field_and_reason(mall: Mall) -> None:
    """W6: nothing is lost silently, nothing of a broken file is kept."""
    rows = (
        "waybill,fee,weight\nSF1,8.005,1\nSF 2,3.00,1\nSF3,,1\nSF4,4.00,x\nSF5,5.00,2\n合计,9.99,\n"
    )
    taken = (await sent(mall, rows)).json()
    assert (taken["lines"], taken["refused"]) == (1, 5)
    assert [(one["row"], one["column"], one["code"]) for one in taken["refused_rows"]] == [
        (2, "amount", "unusable"),
        (3, "number", "unusable"),
        (4, "amount", "empty"),
        (5, "weight", "unusable"),
        (7, "amount", "total_differs"),
    ]
    kept = (await bill(mall))["refused_rows"]
    assert [one["row"] for one in kept] == [2, 3, 4, 5, 7]
    for broken in ("waybill,weight\nSF1,1\n", "", "PK\x03\x04nonsense"):
        refused = await sent(mall, broken, number="other")
        assert (refused.status_code, refused.json()["code"]) == (422, "file_unreadable")
    missing = await mall.get("/v1/bills/carrier:shunfeng:other", role="auditor", subject="ada")
    assert missing.status_code == 404


async def test_nothing_is_kept_when_somebody_only_looks(mall: Mall) -> None:
    """W6: a dry run says what would be taken and refused."""
    looked = (await sent(mall, "waybill,fee\nSF1,8.00\nSF2,\n", dry_run="true")).json()
    assert (looked["status"], looked["lines"], looked["refused"]) == ("received", 1, 1)
    assert looked["dry_run"] is True
    listed = (await mall.get("/v1/bills", role="auditor", subject="ada")).json()
    assert listed["bills"] == []


async def test_what_another_bill_has_is_billed_twice_and_what_none_has_is_missing(
    mall: Mall,
) -> None:
    """W6: the bill that came first keeps its lines; the period says what belongs on one."""
    await shipped(mall)
    day = datetime.now(UTC) + timedelta(hours=8)
    period = {"first_day": day.date().isoformat(), "last_day": day.date().isoformat()}
    await sent(mall, "waybill,fee\nSF7,8.00\n", number="a", **period)
    await matched(mall)
    missing = ("missing", WAYBILL, -1_000)
    assert sorted(await differences(mall, "carrier:shunfeng:a")) == [
        missing,
        ("unknown_number", "SF7", 800),
    ]
    await sent(mall, f"waybill,fee\n{WAYBILL},10.00\nSF7,8.00\n", number="b", **period)
    await matched(mall)
    assert await differences(mall, "carrier:shunfeng:b") == [("unknown_number", "SF7", 800)]
    assert missing in await differences(mall, "carrier:shunfeng:a")
    await match_again(mall.tenant, at="1")
    await mall.views()
    assert missing not in await differences(mall, "carrier:shunfeng:a")
    assert (await bill(mall, "carrier:shunfeng:a"))["open"] == 1
    assert await match_again(mall.tenant, at="1") == 2  # once more changes nothing
    await sent(mall, f"waybill,fee\n{WAYBILL},10.00\n", number="c")
    await matched(mall)
    twice = ("billed_twice", WAYBILL, 1_000)
    assert await differences(mall, "carrier:shunfeng:c") == [twice]
    other = await sent(mall, f"waybill,fee\n{WAYBILL},10.00\n", **{"from": "jd"})
    assert other.json()["status"] == "received"
    await matched(mall)
    assert await differences(mall, "carrier:jd:2026-10") == [("not_theirs", WAYBILL, 1_000)]


async def test_a_warehouse_is_held_to_its_terms_when_it_bills(mall: Mall) -> None:
    """W6: handling and packaging of parcels, storage by the unit and month."""
    parcel = await shipped(mall)
    unsent = (await mall.order(("notebook", 1)))["number"]
    rows = (
        "单号,费用类型,金额,数量\n"
        f"{parcel},操作费,2.00,\n{parcel},包装费,2.50,\n{unsent},操作费,2.00,\n"
        "notebook,仓储费,16.00,80\nnotebook,仓储费,40.00,200\nno-such-thing,仓储费,1.00,5\n"
    )
    await sent(mall, rows, kind="warehouse", **{"from": "zhejiang"})
    await matched(mall)
    assert sorted(await differences(mall, "warehouse:zhejiang:2026-10")) == [
        ("never_handed_over", unsent, 200),
        ("price_above", parcel, 100),
        ("quantity_above", "notebook", 2_400),
        ("unknown_number", "no-such-thing", 100),
    ]
    path = "/v1/bills/warehouse:zhejiang:2026-10/differences"
    listed = (await mall.get(path, role="support", subject="sue")).json()["differences"]
    named = {one["number"]: one["item"] for one in listed}
    assert named == {
        unsent: None, parcel: None, "no-such-thing": None,
        "notebook": "线装笔记本 Thread-bound notebook",
    }  # fmt: skip


async def test_payments_and_refunds_are_compared_when_the_provider_bills(mall: Mall) -> None:
    """W6: another amount, a payment nobody knows, and fees kept for what was given back."""
    number = (await mall.order(("tea-set", 1)))["number"]
    payment = {"means": "wechat", "attempt": "pay-77", "amount_fen": 1_900}
    paid = await mall.post(f"/v1/orders/{number}/payments", payment, role="service", subject="pos")
    assert paid.status_code in (200, 201), paid.text
    rows = "支付单号,交易类型,金额\npay-77,收款,18.00\npay-78,收款,5.00\npay-77,手续费,0.11\n"
    key = "payment:wechat:2026-10"
    await sent(mall, rows, kind="payment", **{"from": "wechat"})
    await matched(mall)
    assert sorted(await differences(mall, key)) == [
        ("amount_differs", "pay-77", -100),
        ("unknown_number", "pay-78", 500),
    ]
    cancelled = await mall.post(f"/v1/orders/{number}/cancellation", {"reason": "changed my mind"})
    assert cancelled.status_code == 200, cancelled.text
    await mall.views()
    await match_again(mall.tenant, at="later")
    await mall.views()
    assert ("refunded", "pay-77", -11) in await differences(mall, key)


async def test_two_refunds_of_one_payment_are_two_lines_of_its_number(mall: Mall) -> None:
    """W6: both are right, whatever they add up to; a third one is billed twice."""
    number = (await mall.order(("tea-set", 2)))["number"]
    payment = {"means": "wechat", "attempt": "pay-2", "amount_fen": 3_800}
    paid = await mall.post(f"/v1/orders/{number}/payments", payment, role="service", subject="pos")
    assert paid.status_code in (200, 201), paid.text
    for _ in range(2):
        body = {"reason": "changed my mind", "lines": [{"sku": "tea-set", "quantity": 1}]}
        gone = await mall.post(f"/v1/orders/{number}/cancellation", body)
        assert gone.status_code == 200, gone.text
    await mall.views()
    rows = "支付单号,交易类型,金额\npay-2,收款,38.00\npay-2,退款,-19.00\npay-2,退款,-19.00\n"
    key = "payment:wechat:2026-10"
    await sent(mall, rows, kind="payment", **{"from": "wechat"})
    await matched(mall)
    assert await differences(mall, key) == []
    await sent(mall, rows + "pay-2,退款,-19.00\n", kind="payment", **{"from": "wechat"})
    await matched(mall)
    assert await differences(mall, key) == [("billed_twice", "pay-2", -1_900)]


async def test_a_channels_commission_is_questioned_when_its_order_was_given_back(
    mall: Mall,
) -> None:
    """W6: rates of channels are not known here, their orders are."""
    wish = {"channel": "mini_program"}
    kept, gone, other = (
        (await mall.order(("python-course", 1), **wish))["number"],
        (await mall.order(("notebook", 1), **wish))["number"],
        (await mall.order(("notebook", 1)))["number"],
    )
    await mall.post(f"/v1/orders/{gone}/cancellation", {"reason": "changed my mind"})
    rows = "订单号,佣金类型,金额\n" + "".join(f"{one},,3.00\n" for one in (kept, gone, other))
    await sent(mall, rows, kind="channel", **{"from": "mini_program"})
    await matched(mall)
    assert sorted(await differences(mall, "channel:mini_program:2026-10")) == [
        ("not_theirs", other, -300),
        ("refunded", gone, -300),
    ]


async def test_bills_are_staffs_alone_and_their_views_follow_the_log(mall: Mall) -> None:
    """W6, A10, M5: who may, and that rows equal what the log says."""
    await shipped(mall)
    await sent(mall, f"waybill,fee\n{WAYBILL},10.50\n,\nSF2,\n")
    await matched(mall)
    assert (await mall.get("/v1/bills")).status_code == 403
    assert (await mall.get(f"/v1/bills/{KEY}", role="service", subject="s")).status_code == 403
    watch = Watch(mall.tenant, all_views(mall.tenant.rules))
    found = []
    while (run := await watch.look()) is not None and not run.whole_round:
        found += run.found
    assert found == []


async def fragile_and_sent(mall: Mall) -> tuple[str, int]:
    """A fragile thing under way with SF, in its plan's own parcel; its waybill and its quote."""
    number = (await mall.order(("tea-set", 1)))["number"]
    payment = {"means": "wechat", "attempt": f"pay-{number}", "amount_fen": 1_900}
    await mall.post(f"/v1/orders/{number}/payments", payment, role="service", subject="pos")
    await mall.ship(number)
    await mall.views()
    asked = {"origin": "浙江省", "destination": "浙江省", "same_city": True, "grams": 900}
    asked |= {"value_fen": 16_800, "fragile": True}
    quoted = await mall.post("/v1/rate-cards/quotes", asked, role="operations", subject="wu")
    offer = next(one for one in quoted.json()["offers"] if one["carrier"] == "shunfeng")
    assert offer["surcharges"] == [{"kind": "fragile", "fen": 100}]
    return WAYBILL, offer["fen"]


@pytest.mark.parametrize("itemised", [True, False])
async def test_a_quoted_surcharge_is_no_difference_and_a_cost(mall: Mall, itemised: bool) -> None:
    """W6: on a line of its own or not, also where SF went instead of the planned carrier."""
    waybill, quote = await fragile_and_sent(mall)
    rows = "运单号,费用类型,金额\n"
    if itemised:
        rows += f"{waybill},运费,{(quote - 100) / 100}\n{waybill},附加费,1.00\n"
    else:
        rows += f"{waybill},运费,{quote / 100}\n"
    await sent(mall, rows)
    await matched(mall)
    assert await differences(mall) == []
    costs = (await mall.get("/v1/costs", role="support", subject="sue")).json()["whole"]
    assert (costs["freight_fen"], costs["billed"]) == (quote, 1)


async def test_a_merged_parcel_is_billed_at_the_quote_that_was_chosen_for_it(mall: Mall) -> None:
    """W6, W4, S4: two orders that are valuable together go fast, at the price for both."""
    for _ in range(2):
        await mall.order(("desk-lamp", 1))
    ops = {"role": "operations", "subject": "wu"}
    ran = (await mall.post("/v1/waves", {"warehouse": "zhejiang"}, **ops)).json()
    assert len(ran["parcels"]) == 2  # apart they are cheaper: somebody wants them together
    await mall.views()
    wish = {"parcels": ran["parcels"], "reason": "one trip"}
    merged = await mall.post("/v1/parcels/merges", wish, **ops)
    assert merged.status_code == 200, merged.text
    parcel = merged.json()["parcel"]
    waybill = "JDVA00000000001"
    label = {"carrier": "jd", "waybill": waybill}
    await mall.post("/v1/pick-lists", {"warehouse": "zhejiang"}, **ops)
    for step, body in (
        ("picking", {}),
        ("packing", {"weight_grams": 2_800}),
        ("waybill", label),
        ("handover", {}),
    ):
        answer = await mall.post(f"/v1/parcels/{parcel}/{step}", body, **ops)
        assert answer.status_code == 200, answer.text
    await mall.views()
    states: list[Any] = []

    def look(unit: Unit) -> dict[str, Any]:
        states.append(unit.read(PARCEL, parcel))
        return {}

    context = Context(actor="test", command="look")
    await mall.tenant.store.execute(Command("test", "look", b"s" * 32, context, look))
    chosen = states[0].shipping
    assert (chosen.carrier, chosen.wanted) == ("jd", "valuable")
    assert chosen.total_fen > 1_400  # what two economical parcels cost
    key = "carrier:jd:2026-10"
    await sent(mall, f"waybill,fee\n{waybill},{chosen.freight_fen / 100}\n", **{"from": "jd"})
    await matched(mall)
    assert await differences(mall, key) == []
    dearer = (chosen.freight_fen + 400) / 100
    await sent(mall, f"waybill,fee\n{waybill},{dearer}\n", **{"from": "jd"})
    await matched(mall)
    assert await differences(mall, key) == [("price_above", waybill, 400)]
