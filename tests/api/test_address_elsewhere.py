"""An order that goes to another province after all, over HTTP (O8; rules.md 1, 10)."""

import asyncio
from datetime import datetime

import pytest

from application.rules_of import rules_of
from projections.verifying import verify
from projections.views import all_views
from tests.api.conftest import RECIPIENT, Mall
from tests.conftest import MallDatabase

pytestmark = pytest.mark.anyio

FAR = {
    **RECIPIENT,
    "province": "陕西省",
    "city": "西安市",
    "district": "",
    "address": "科技路 9 号",
}
STAFF = {"role": "operations", "subject": "ops"}


async def test_all_of_it_is_planned_anew_when_it_goes_to_another_province(
    mall: Mall, database: MallDatabase
) -> None:
    """O8, D6, S1: foretold, done once however often it is sent, and seen by learner and staff: the
    order has another part with its promise, the views say the same when they are built anew."""
    number = (await mall.order(("notebook", 2)))["number"]
    before = await mall.read(number)
    action = before["actions"]["address"]
    (foretold,) = action["elsewhere"]["stock"]
    assert (foretold["sku"], foretold["quantity"]) == ("notebook", 2)
    path = f"/v1/orders/{number}/address"
    both = await asyncio.gather(*(mall.post(path, FAR, key="once") for _ in range(2)))
    assert [one.status_code for one in both] == [200, 200]
    assert both[0].json() == both[1].json()
    after = await mall.read(number)
    (old,), (new,) = before["parts"], after["parts"]
    assert (old["part"], new["part"]) == (1, 2)
    assert after["actions"]["address"]["province"] == "陕西省"
    assert datetime.fromisoformat(after["promised_by"]) != datetime.fromisoformat(
        before["promised_by"]
    )
    split = [one for one in after["timeline"] if one["fact"] == "orders.OrderSplit"]
    assert [one["reason"] for one in split] == ["the address changed"]
    views = all_views(rules_of(mall.settings))
    found = await verify(database.owner_url, schema=database.schema, views=views)
    assert found.differences == []
    await mall.ship(number, part=2)
    assert (await mall.read(number))["status"] == "pending_receipt"


async def test_it_is_refused_with_the_reasons_when_nobody_goes_there(mall: Mall) -> None:
    """O1, O8, rules 9: remote regions are excluded, and what is packed goes on to no place else."""
    number = (await mall.order(("notebook", 1)))["number"]
    path = f"/v1/orders/{number}/address"
    remote = await mall.post(path, {**FAR, "province": "西藏自治区", "city": "拉萨市"})
    assert remote.status_code == 409
    packed = await mall.post("/v1/parcels", {"order": number, "part": 1}, **STAFF)
    assert packed.status_code == 201
    warehouse = (await mall.read(number, **STAFF))["parts"][0]["warehouse"]
    network = (await mall.get("/v1/warehouses", **STAFF)).json()["warehouses"]
    terms = next(one for one in network if one["code"] == warehouse)
    near_only = {**terms, "serves": ["浙江省"]}
    assert (await mall.post("/v1/warehouses", near_only, **STAFF)).status_code == 200
    refused = await mall.post(path, FAR)
    assert (refused.status_code, refused.json()["code"]) == (409, "not_possible")
    assert f"第 1 部分已拣货打包，仓库 {warehouse} 不发往该地" in refused.json()["detail_zh"]
    near = {**RECIPIENT, "address": "文二路 9 号"}
    assert (await mall.post(path, near)).status_code == 200  # CONTROL


async def test_what_is_packed_goes_there_from_where_it_is(
    mall: Mall, database: MallDatabase
) -> None:
    """O8, W4, rule 29: same parcel, its carrier chosen anew, and nobody hands it over who does not
    know; what it costs is told as it is sent now."""
    number = (await mall.order(("notebook", 1)))["number"]
    packed = await mall.post("/v1/parcels", {"order": number, "part": 1}, **STAFF)
    parcel = packed.json()["parcel"]
    moved = await mall.post(f"/v1/orders/{number}/address", FAR)
    assert moved.status_code == 200, moved.text
    order = await mall.read(number, **STAFF)
    assert [(one["part"], one["parcel"]) for one in order["parts"]] == [(1, parcel)]
    label = {"carrier": "shunfeng", "waybill": "SF100001", "reason": "x"}
    assert (await mall.post(f"/v1/parcels/{parcel}/waybill", label, **STAFF)).status_code == 200
    early = await mall.post(f"/v1/parcels/{parcel}/handover", {}, **STAFF)
    assert early.status_code == 409
    by = {"by": "desk"}
    known = await mall.post(f"/v1/parcels/{parcel}/address-acknowledgement", by, **STAFF)
    assert known.status_code == 200, known.text
    assert (await mall.post(f"/v1/parcels/{parcel}/handover", {}, **STAFF)).status_code == 200
    await mall.views()
    found = await verify(
        database.owner_url, schema=database.schema, views=all_views(rules_of(mall.settings))
    )
    assert found.differences == []


async def test_two_changes_at_once_leave_one_plan(mall: Mall) -> None:
    """O8, C3: whichever comes last counts; every unit is reserved once."""
    number = (await mall.order(("notebook", 2)))["number"]
    path = f"/v1/orders/{number}/address"
    there = [FAR, {**FAR, "province": "河南省", "city": "郑州市"}]
    done = await asyncio.gather(*(mall.post(path, one) for one in there))
    assert [one.status_code for one in done] == [200, 200]
    order = await mall.read(number)
    assert sum(unit["quantity"] for part in order["parts"] for unit in part["units"]) == 2
    async with mall.tenant.pool.connection() as connection:
        query = f"SELECT sum(reserved) FROM {mall.tenant.schema}.stock_levels"
        cursor = await connection.execute(f"{query} WHERE sku = 'notebook'")
        assert await cursor.fetchone() == (2,)
