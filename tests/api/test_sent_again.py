"""Refused goods of a return that come back again and again: sent, called back, abroad (D3, O8)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from application.intercepting import NOTE_INTERCEPTED
from application.policies import sweep
from domain.scans import ScanKind
from tests.api.conftest import RECIPIENT, Mall
from tests.api.test_carriers import seen
from tests.api.test_disputes import OPS, SUPPORT
from tests.api.test_labels import text_of
from tests.api.test_partners import Partners, partners
from tests.api.test_returns import Counter, counter, found, stock
from tests.api.test_returns_abroad import asked_back, step

pytestmark = pytest.mark.anyio

__all__ = ["counter", "partners"]  # the fixtures


async def leave(mall: Mall, parcel: str, waybill: str) -> None:
    """Labelled, and with its carrier."""
    for what, body in (("waybill", {"carrier": "shunfeng", "waybill": waybill}), ("handover", {})):
        done = await mall.post(f"/v1/parcels/{parcel}/{what}", body, **OPS)
        assert done.status_code == 200, done.text
    await mall.views()


async def refused_one(counter: Counter) -> str:
    """One of two notebooks was refused, and is on its way to its learner again: its parcel."""
    lines = [{"sku": "notebook", "quantity": 1}]
    await counter.ask(reason="not_as_described", lines=lines)
    await counter.come_back()
    await counter.inspect(found(1, "refuse", "undamaged"))
    await leave(counter.mall, f"{counter.id}-S", "SF10000100088")
    return f"{counter.id}-S"


async def test_goods_that_came_back_again_leave_in_the_next_parcel(counter: Counter) -> None:
    """D3, D4, D6: twice told it is once; its learner sees both parcels; nothing is paid back."""
    mall, again = counter.mall, await refused_one(counter)
    available = (await mall.balance())["available"]
    here = {"intact": True, "in_hand": True, "reason": "nobody was at home", "send_again": True}
    told = await counter.twice(f"/v1/parcels/{again}/goods-back", here, **OPS)
    assert told.status_code == 200, told.text
    following = f"{again}2"
    assert (told.json()["state"], told.json()["sent_again_in"]) == ("sent_again", following)
    assert (await mall.get("/v1/intercepts", **OPS)).json()["intercepts"] == []
    await leave(mall, following, "SF10000100099")
    shown = {one["number"]: one for one in (await mall.read(counter.number))["parcels"]}
    assert shown[again]["actions"]["dispute"]["possible"] is False
    assert shown[following]["actions"]["dispute"]["possible"] is True
    assert (await mall.balance())["available"] == available
    late = await mall.post(f"/v1/parcels/{again}/goods-back", here, **OPS)
    assert (late.status_code, "已入库" in late.json()["detail_zh"]) == (409, True)


async def test_its_case_sets_aside_and_gives_what_is_in_it_alone(counter: Counter) -> None:
    """D1, D4, rules.md 28: one of two; looked at again it has nothing more to give."""
    mall, again = counter.mall, await refused_one(counter)
    body = {"parcel": again, "reason": "wrong_goods"}
    opened = await mall.post(f"/v1/orders/{counter.number}/disputes", body, **SUPPORT)
    assert opened.status_code == 201, opened.text
    await mall.views()
    assert (await stock(mall))[1] == 1  # reserved
    case = opened.json()["case"]
    decided = {"outcome": "refund", "reason": "so it is", "unconfirmed_because": "a picture"}
    done = await mall.post(f"/v1/disputes/{case}/decision", decided, **SUPPORT)
    assert done.json()["points_refunded"] == 260, done.text
    await mall.views()
    anew = await mall.post(f"/v1/disputes/{case}/reopening", {}, **SUPPORT)
    assert anew.status_code == 409, anew.text


async def test_it_is_called_back_when_all_of_it_is_refunded_at_the_order(counter: Counter) -> None:
    """O8, D4: listed with the one that is in it, and pays nothing when it is here."""
    mall, again = counter.mall, await refused_one(counter)
    body = {"fault": "lost", "reason": "nothing came"}
    done = await mall.post(f"/v1/orders/{counter.number}/refunds", body, **SUPPORT)
    assert done.status_code == 200, done.text
    await mall.views()
    (listed,) = (await mall.get("/v1/intercepts", **OPS)).json()["intercepts"]
    assert (listed["parcel"], listed["paid_back"]) == (again, True)
    assert [one["quantity"] for one in listed["goods"]] == [1]
    here: dict[str, Any] = {"intact": True, "in_hand": True, "reason": "here"}
    told = (await mall.post(f"/v1/parcels/{again}/goods-back", here, **OPS)).json()
    assert (told["state"], told["points"]) == ("came_back", 0)


async def test_of_an_order_abroad_they_go_through_customs_again(
    mall: Mall, partners: Partners
) -> None:
    """T7, D3: declared as it was packed, weighed by whoever declares it; not handed over before."""
    name, _ = await asked_back(mall, partners, "changed_mind")
    number = {"carrier": "japanposten", "waybill": "RR987654321JP"}
    await step(mall, name, "sending", number)
    await step(mall, name, "arrival", None, **OPS)
    goods = [{"sku": "notebook", "quantity": 1, "verdict": "refuse", "failed": ["unused"]}]
    settled = await step(mall, name, "inspection", {"goods": goods, "reason": "worn"}, **OPS)
    again = f"/v1/parcels/{settled['sent_back_in']}"
    label = {"carrier": "ems", "waybill": "EM900000901CN"}
    labelled = await mall.post(f"{again}/waybill", label, **OPS)
    assert labelled.status_code == 200, labelled.text
    early = await mall.post(f"{again}/handover", {}, **OPS)
    assert (early.status_code, early.json()["code"]) == (409, "not_cleared"), early.text
    await mall.views()
    declared = (await mall.get(f"{again}/declaration", **OPS)).json()
    assert (declared["country"], declared["missing"]) == ("JP", ["gross_weight_grams"])
    (line,) = declared["lines"]
    kept = ("sku", "hs_code", "english_name", "origin", "unit_value_fen", "net_weight_grams")
    lines = [{key: line[key] for key in kept}]
    said: dict[str, Any] = {
        "": {"lines": lines, "gross_weight_grams": 900},
        "/submission": {"reference": "CN-7"},
        "/answer": {"answer": "cleared"},
    }
    for what, body in said.items():
        done = await mall.post(f"{again}/declaration{what}", body, **OPS)
        assert done.status_code == 200, done.text
    done = await mall.post(f"{again}/handover", {}, **OPS)
    assert done.status_code == 200, done.text


async def test_it_leaves_again_to_where_it_was_redirected(counter: Counter) -> None:
    """O8, D3, W5: the label names whom its learner had it sent to last, and not the order's."""
    mall, again = counter.mall, await refused_one(counter)
    moved = {
        "orders": [counter.number],
        "reason": "moved",
        "recipient": {**RECIPIENT, "name": "张三丰", "address": "文三路 99 号"},
    }
    asked = await mall.post(f"/v1/parcels/{again}/interception", moved, **SUPPORT)
    assert asked.status_code == 200, asked.text
    await seen(mall, again, ScanKind.FORWARDED, datetime.now(UTC))
    assert (await sweep(mall.tenant, NOTE_INTERCEPTED)).done == 1
    await mall.views()
    here = {"intact": True, "in_hand": True, "reason": "nobody was at home", "send_again": True}
    told = await mall.post(f"/v1/parcels/{again}/goods-back", here, **OPS)
    assert told.status_code == 200, told.text
    following = told.json()["sent_again_in"]
    waybill = {"carrier": "shunfeng", "waybill": "SF10000100099"}
    await mall.post(f"/v1/parcels/{following}/waybill", waybill, **OPS)
    await mall.views()
    why = {"reason": "written by hand"}
    shown = await mall.post(f"/v1/parcels/{following}/label/reveals", why, **OPS)
    assert shown.status_code == 200, shown.text
    (page,) = text_of(shown)
    assert "张三丰" in page
    assert RECIPIENT["name"] not in page
    assert "99" in page


async def test_no_promise_is_held_against_the_carrier_that_brings_them_again(
    counter: Counter,
) -> None:
    """T9, D3: the promise was the order's; they are neither on time nor late, for the week, too."""
    mall, again = counter.mall, await refused_one(counter)
    later = datetime.now(UTC) + timedelta(days=30)
    mall.tenant.store.clock = lambda: later + timedelta(minutes=1)
    await seen(mall, again, ScanKind.SIGNED, later)
    answer = await mall.get("/v1/carriers/scorecards", **SUPPORT)
    (card,) = answer.json()["carriers"]
    assert (card["parcels"], card["arrived"], card["promised"], card["on_time"]) == (2, 2, 1, 1)
    assert card["on_time_percent"] == 100.0
    running = (await mall.get("/v1/weeks", **SUPPORT)).json()["running"]["week"]
    told = (await mall.get(f"/v1/weeks/{running}", **SUPPORT)).json()["figures"]
    figures = {one["name"]: one["value"] for one in told if one["section"] == "carrier"}
    assert (figures["arrived"], figures["promised"]) == (1, 0)
    assert "on_time" not in figures
