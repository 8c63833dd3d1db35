"""What sending orders cost: page, sealed report, and carriers' scorecards (W6, T9)."""

import json
from datetime import timedelta
from typing import Any

import pytest

from application import reporting
from application.billing import match_new
from application.checking import check
from domain.costs import KINDS
from tests.api.conftest import Mall
from tests.api.test_bills import WAYBILL, decide, matched, sent
from tests.api.test_disputes import signed
from tests.api.test_returns import Counter, found

pytestmark = pytest.mark.anyio

STAFF = {"role": "support", "subject": "sue"}
OPS = {"role": "operations", "subject": "ops"}
AUDITOR = {"role": "auditor", "subject": "ada"}


async def costs(mall: Mall, **asked: Any) -> Any:
    """The cost report as staff see it."""
    await mall.views()
    answer = await mall.get("/v1/costs", **STAFF, **asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def report(mall: Mall, **asked: Any) -> Any:
    """The sealed report's rows by their columns' names."""
    await mall.views()
    answer = await mall.get("/v1/audit/reports/costs", **AUDITOR, **asked)
    assert answer.status_code == 200, answer.text
    made = answer.json()
    return [dict(zip(made["columns"], row, strict=True)) for row in made["rows"]], made


async def test_costs_are_quoted_until_a_bill_tells_them(mall: Mall) -> None:
    """W6: a part's own plan, then what its carrier and warehouse billed; value beside it."""
    number = (await mall.order(("notebook", 1)))["number"]
    assert (await costs(mall))["whole"] is None  # nothing is handed over yet
    parcel = await mall.ship(number)
    (row,), made = await report(mall)
    assert (row["order"], row["parcel"], row["warehouse"]) == (number, parcel, "zhejiang")
    assert (row["carrier"], row["value_fen"], row["freight_is"]) == ("shunfeng", 4_900, "quoted")
    assert (row["packaging_fen"], row["handling_fen"]) == (150, 200)
    assert row["total_fen"] == sum(row[f"{name}_fen"] for name in KINDS)
    assert made["sums"]["total_fen"] == row["total_fen"]
    assert "part" not in made["sums"]  # it numbers something
    await sent(mall, f"waybill,fee\n{WAYBILL},10.50\n{WAYBILL},9.00\n")
    handled = f"单号,费用类型,金额\n{parcel},操作费,2.30\n"
    await sent(mall, handled, kind="warehouse", **{"from": "zhejiang"})
    await match_new(mall.tenant)
    (row,), _ = await report(mall)
    # Once, and at what the house knows of it, until somebody accepts more.
    assert (row["freight_fen"], row["freight_is"]) == (1_000, "billed")
    assert (row["packaging_fen"], row["handling_fen"]) == (150, 200)
    await mall.views()
    differing = [f"price_above:freight:{WAYBILL}", f"billed_twice:freight:{WAYBILL}"]
    await decide(mall, differing, "contested")
    assert (await report(mall))[0][0]["freight_fen"] == 1_000
    _, contested = await report(mall)
    await decide(mall, differing[:1], "accepted")
    await decide(mall, [f"price_above:handling:{parcel}"], "accepted", "warehouse:zhejiang:2026-10")
    (row,), _ = await report(mall)
    assert (row["freight_fen"], row["handling_fen"]) == (1_050, 230)
    again = await mall.get("/v1/audit/reports/costs", **AUDITOR, position=contested["position"])
    assert again.json() == contested  # what was accepted later counts from then on
    (before,), _ = await report(mall, position=made["position"])
    assert before["freight_is"] == "quoted"


async def test_a_report_is_still_good_when_it_was_sealed_with_more_sums(
    mall: Mall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A6: releases before summed up parts' numbers; CONTROL: a wrong sum, or one too few."""
    await mall.ship((await mall.order(("notebook", 1)))["number"])
    _, made = await report(mall)
    for sums, good in (
        ({**made["sums"], "part": 1}, True),
        ({**made["sums"], "part": 2}, False),
        ({**made["sums"], "nothing": 0}, False),
        ({name: fen for name, fen in made["sums"].items() if name != "total_fen"}, False),
    ):
        with monkeypatch.context() as before:
            before.setattr(reporting, "sums_of", lambda *_, told=sums: told)
            sealed = await mall.get("/v1/audit/reports/costs", **AUDITOR)
        places = {one.place for one in check(sealed.content, head=None).findings}
        assert ("sums" not in places) is good


async def test_a_warehouses_bill_under_an_orders_number_is_a_cost_of_what_it_sent(
    mall: Mall,
) -> None:
    """W6: of that warehouse's part, once it was compared; beside what it bills for a parcel."""
    number = (await mall.order(("enamel-mug", 1), ("walnut-bookend", 1)))["number"]
    for part in (1, 2):
        await mall.ship(number, part)
    other = (await mall.order(("notebook", 1)))["number"]
    await mall.ship(other, number_on_it="SF10000100077")

    async def packed() -> dict[tuple[str, str], tuple[int, int]]:
        rows, _ = await report(mall)
        return {
            (row["order"], row["warehouse"]): (row["packaging_fen"], row["handling_fen"])
            for row in rows
        }

    before = await packed()
    here = number, "shaanxi"
    assert before[here] not in ((120, 180), (120, 210))
    rows = f"单号,费用类型,金额\n{number},操作费,1.80\n{number},包装费,1.20\n{number},其他,0.30\n"
    await sent(mall, rows, kind="warehouse", **{"from": "shaanxi"})
    assert await packed() == before  # nobody has compared it yet
    await matched(mall)
    key = "warehouse:shaanxi:2026-10"
    questioned = (await mall.get(f"/v1/bills/{key}/differences", **STAFF)).json()["differences"]
    assert await packed() == before | {here: (120, 180)}
    questioned = [one for one in questioned if one["standing"] == "open"]
    assert [(one["number"], one["fen"]) for one in questioned] == [(number, 30)]
    answer = await decide(mall, [one["id"] for one in questioned], "accepted", key)
    assert answer.status_code == 200, answer.text
    assert await packed() == before | {here: (120, 180 + 30)}
    more = f"单号,费用类型,金额\n{other},操作费,9.00\n"  # of an order that henan had no part of
    await sent(mall, more, kind="warehouse", number="2026-11", **{"from": "henan"})
    await matched(mall)
    assert await packed() == before | {here: (120, 180 + 30)}


async def shipped_by(mall: Mall, carrier: str, waybill: str) -> str:
    """An order that goes with a carrier, whoever was planned; returns its number."""
    number: str = (await mall.order(("notebook", 1)))["number"]
    packed = {"order": number, "part": 1, "weight_grams": 400}
    parcel = (await mall.post("/v1/parcels", packed, **OPS)).json()["parcel"]
    label = {"carrier": carrier, "waybill": waybill, "reason": "the planned one did not come"}
    for step, body in (("waybill", label), ("handover", {})):
        answer = await mall.post(f"/v1/parcels/{parcel}/{step}", body, **OPS)
        assert answer.status_code == 200, answer.text
    return number


async def test_freight_is_that_of_the_carrier_that_went(mall: Mall) -> None:
    """W4, W6, T9: by its rate card on that day, beside what was planned."""
    planned = await shipped_by(mall, "yunda", "4301234567890")
    other = await shipped_by(mall, "shunfeng", "SF1000000000009")
    without = await shipped_by(mall, "debangkuaidi", "DPK2000000000001")
    rows = {row["order"]: row for row in (await report(mall))[0]}
    as_planned = rows[planned]["freight_fen"]
    assert {row["planned_carrier"] for row in rows.values()} == {"yunda"}
    assert {row["planned_fen"] for row in rows.values()} == {as_planned}
    assert rows[planned]["freight_is"] == rows[other]["freight_is"] == "quoted"
    lane = {"origin": "浙江省", "destination": "浙江省", "same_city": True, "grams": 400}
    quoted = (await mall.post("/v1/rate-cards/quotes", lane, **OPS)).json()["offers"]
    asked = {one["carrier"]: one["fen"] for one in quoted}
    assert (as_planned, rows[other]["freight_fen"]) == (asked["yunda"], asked["shunfeng"])
    assert as_planned < rows[other]["freight_fen"]
    assert (rows[without]["freight_fen"], rows[without]["freight_is"]) == (as_planned, "planned")
    told = {one["key"]: one for one in (await costs(mall, by="carrier"))["costs"]}
    assert (told["shunfeng"]["rerouted"], told["shunfeng"]["planned_fen"]) == (1, as_planned)
    assert told["shunfeng"]["freight_fen"] == rows[other]["freight_fen"]
    assert told["yunda"]["rerouted"] == 0
    cards = (await mall.get("/v1/carriers/scorecards", **STAFF)).json()["carriers"]
    fen = {one["carrier"]: one["parcel_fen"] for one in cards}
    assert (fen["shunfeng"], fen["yunda"]) == (rows[other]["freight_fen"], as_planned)


async def merged(mall: Mall, carrier: str, waybill: str) -> Any:
    """Two orders that a wave puts into one parcel, which this carrier takes: that parcel."""
    for _ in range(2):
        await mall.order(("notebook", 1))
    await mall.views()
    ran = await mall.post("/v1/waves", {"warehouse": "zhejiang"}, **OPS)
    (parcel,) = ran.json()["parcels"]
    label = {"carrier": carrier, "waybill": waybill, "reason": "the planned one did not come"}
    steps = {"picking": {}, "packing": {"weight_grams": 900}, "waybill": label, "handover": {}}
    for step, body in steps.items():
        answer = await mall.post(f"/v1/parcels/{parcel}/{step}", body, **OPS)
        assert answer.status_code == 200, answer.text
    async with mall.tenant.pool.connection() as connection:
        query = f"SELECT state FROM {mall.tenant.schema}.tallypost_events WHERE topic = %s"
        named = ("parcels.CarrierChosen",)
        cursor = await connection.execute(
            f"{query} AND originator_id = %s", (*named, f"parcel:{parcel}")
        )
        ((stored,),) = await cursor.fetchall()
    return json.loads(bytes(stored))["fact"]["shipping"]


async def test_a_merged_parcel_costs_what_its_own_carrier_was_chosen_for(mall: Mall) -> None:
    """W4, W6, S4: one parcel's freight, packing and handling, shared by its orders, and not the
    sum of what each would have cost alone; which carrier was planned is the parcel's."""
    alone = await shipped_by(mall, "yunda", "4301234567890")
    chosen = await merged(mall, "yunda", "4301234567891")
    rows, _ = await report(mall)
    (single,) = [row for row in rows if row["order"] == alone]
    both = [row for row in rows if row["order"] != alone]
    assert len(both) == 2
    for name in ("freight", "packaging", "handling"):
        assert sum(row[f"{name}_fen"] for row in both) == chosen[f"{name}_fen"]
    assert chosen["freight_fen"] < 2 * single["freight_fen"]  # CONTROL: apart they cost more
    assert {(row["freight_is"], row["planned_carrier"]) for row in both} == {("quoted", "yunda")}
    assert sum(row["planned_fen"] for row in both) == chosen["freight_fen"]


async def test_a_merged_parcel_that_went_with_another_carrier_costs_what_that_asks(
    mall: Mall,
) -> None:
    """W4, W6: beside what was planned for it as one."""
    chosen = await merged(mall, "shunfeng", "SF1000000000009")
    rows, _ = await report(mall)
    assert sum(row["planned_fen"] for row in rows) == chosen["freight_fen"]
    assert {row["planned_carrier"] for row in rows} == {chosen["carrier"]}
    lane = {"origin": "浙江省", "destination": "浙江省", "same_city": True, "grams": 900}
    offers = (await mall.post("/v1/rate-cards/quotes", lane, **OPS)).json()["offers"]
    asked = {one["carrier"]: one["fen"] for one in offers}
    assert sum(row["freight_fen"] for row in rows) == asked["shunfeng"]


async def test_a_corrected_bill_counts_from_its_position_on(mall: Mall) -> None:
    """W6, A6: a report made again at an earlier position says what it said."""
    await mall.ship((await mall.order(("notebook", 1)))["number"])
    await sent(mall, f"waybill,fee\n{WAYBILL},9.50\n")
    assert (await report(mall))[0][0]["freight_is"] == "quoted"  # nobody has compared it yet
    await matched(mall)
    (first,), made = await report(mall)
    await sent(mall, f"waybill,fee\n{WAYBILL},9.00\n")
    await matched(mall)
    (row,), _ = await report(mall)
    assert (first["freight_fen"], row["freight_fen"]) == (950, 900)
    again = await mall.get("/v1/audit/reports/costs", **AUDITOR, position=made["position"])
    assert again.json() == made


async def test_costs_are_summed_up_by_what_staff_ask_for(mall: Mall) -> None:
    """W6: by order, warehouse, carrier and channel, in a period."""
    numbers = [(await mall.order(("notebook", 1), channel="web"))["number"]]
    numbers.append((await mall.order(("walnut-bookend", 1)))["number"])
    for number in numbers:
        packed = {"order": number, "part": 1, "weight_grams": 400}
        ops = {"role": "operations", "subject": "ops"}
        parcel = (await mall.post("/v1/parcels", packed, **ops)).json()["parcel"]
        label = {"carrier": "zhongtong", "waybill": f"ZT{number}"}
        assert (await mall.post(f"/v1/parcels/{parcel}/waybill", label, **ops)).status_code == 200
        assert (await mall.post(f"/v1/parcels/{parcel}/handover", {}, **ops)).status_code == 200
    whole = (await costs(mall))["whole"]
    assert (whole["orders"], whole["parts"], whole["billed"]) == (2, 2, 0)
    for by, keys in (
        ("order", set(numbers)),
        ("warehouse", {"zhejiang", "henan"}),
        ("channel", {"web", "app"}),
        ("carrier", {"zhongtong"}),
    ):
        told = await costs(mall, by=by)
        assert {one["key"] for one in told["costs"]} == keys
        assert sum(one["total_fen"] for one in told["costs"]) == whole["total_fen"]
    today = mall.tenant.store.clock().astimezone(mall.tenant.rules.zone).date()
    earlier = {"since": today - timedelta(days=9), "until": today - timedelta(days=2)}
    assert (await costs(mall, **earlier))["costs"] == []
    wrong = await mall.get("/v1/costs", **STAFF, since="2020-01-01", until=today)
    assert (wrong.status_code, wrong.json()["failures"][0]["field"]) == (422, "since")
    assert wrong.json()["failures"][0]["reason"] == "is at most 366 days before the last"
    wrong = await mall.get("/v1/costs", **STAFF, since="2026-12-01", until="2026-11-01")
    (failure,) = wrong.json()["failures"]
    assert (failure["field"], failure["reason"]) == ("since", "is after the last day")
    assert "晚于末日" in failure["message_zh"]
    assert (await mall.get("/v1/costs")).status_code == 403


async def test_a_scorecard_has_what_a_parcel_costs(mall: Mall) -> None:
    """T9, W6: on average, as billed or else quoted."""
    number = (await mall.order(("notebook", 1)))["number"]
    await mall.ship(number)
    await mall.views()
    (card,) = (await mall.get("/v1/carriers/scorecards", **STAFF)).json()["carriers"]
    assert card["billed_percent"] == 0
    assert card["parcel_fen"] > 0
    await sent(mall, f"waybill,fee\n{WAYBILL},2000.00\n")
    await matched(mall)
    (card,) = (await mall.get("/v1/carriers/scorecards", **STAFF)).json()["carriers"]
    assert (card["parcel_fen"], card["billed_percent"]) == (1_000, 100.0)  # open, contested: ours
    await decide(mall, [f"price_above:freight:{WAYBILL}"], "contested")
    (card,) = (await mall.get("/v1/carriers/scorecards", **STAFF)).json()["carriers"]
    assert card["parcel_fen"] == 1_000
    await sent(mall, f"waybill,fee\n{WAYBILL},10.50\n")
    await matched(mall)
    await decide(mall, [f"price_above:freight:{WAYBILL}"], "accepted")
    (card,) = (await mall.get("/v1/carriers/scorecards", **STAFF)).json()["carriers"]
    assert (card["parcel_fen"], card["billed_percent"]) == (1_050, 100.0)


async def test_a_way_back_costs_the_mall_what_it_bears_of_it(mall: Mall) -> None:
    """W6, D3: at its own fault, as stated until a bill tells; a report of before says as before."""
    counter = Counter(await signed(mall, confirmed=True))
    _, before = await report(mall)
    await counter.ask(reason="not_as_described")
    await counter.come_back()
    (row,), _ = await report(mall)
    assert row["way_back_fen"] == 0  # nobody has looked yet at whose fault it is
    await counter.inspect(found(1), found(1, "scrap"))
    (row,), made = await report(mall)
    assert (row["way_back_fen"], row["total_fen"]) == (
        1_000,
        sum(row[f"{one}_fen"] for one in KINDS),
    )
    whole = (await costs(mall))["whole"]
    assert (whole["way_back_fen"], whole["total_fen"]) == (1_000, row["total_fen"])
    waybill = (await counter.seen(**STAFF))["label"]["waybill"]
    await sent(mall, f"waybill,fee\n{waybill},7.50\n")
    await matched(mall)
    (row,), _ = await report(mall)
    assert row["way_back_fen"] == 750
    for one in (before, made):
        again = await mall.get("/v1/audit/reports/costs", **AUDITOR, position=one["position"])
        assert again.json() == one


@pytest.mark.parametrize("reason", ["damaged", "changed_mind"])
async def test_a_way_back_that_others_bear_is_no_cost_of_the_mall(mall: Mall, reason: str) -> None:
    """W6 CONTROL, rules.md 28: it is claimed of the carrier, or kept of the learner's refund."""
    counter = Counter(await signed(mall, confirmed=True))
    await counter.ask(reason=reason)
    await counter.come_back()
    await counter.inspect(found(2))
    (row,), _ = await report(mall)
    assert row["way_back_fen"] == 0
