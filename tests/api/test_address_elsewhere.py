"""An order that goes to another province after all, over HTTP (O8; rules.md 1, 10)."""

import asyncio
from datetime import datetime

import pytest

from application.policies import SEND_WHAT_WAITED, sweep
from application.rules_of import rules_of
from projections.verifying import verify
from projections.views import all_views
from tests.api.conftest import RECIPIENT, Mall
from tests.api.test_shortfalls import jobs, nowhere
from tests.conftest import MallDatabase

pytestmark = pytest.mark.anyio

__all__ = ["jobs"]  # the fixture

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


async def near_only(mall: Mall, *codes: str) -> None:
    """These warehouses, or all, send to one province alone."""
    for terms in (await mall.get("/v1/warehouses", **STAFF)).json()["warehouses"]:
        if not codes or terms["code"] in codes:
            changed = {**terms, "serves": ["浙江省"]}
            assert (await mall.post("/v1/warehouses", changed, **STAFF)).status_code == 200
    await mall.views()


async def test_it_is_refused_with_the_reasons_when_nobody_goes_there(mall: Mall) -> None:
    """O1, O8, rules 9: remote regions are excluded; what is packed stays in its box."""
    number = (await mall.order(("notebook", 1)))["number"]
    path = f"/v1/orders/{number}/address"
    remote = await mall.post(path, {**FAR, "province": "西藏自治区", "city": "拉萨市"})
    assert remote.status_code == 409
    packed = await mall.post("/v1/parcels", {"order": number, "part": 1}, **STAFF)
    assert packed.status_code == 201
    await near_only(mall)
    refused = await mall.post(path, FAR)
    assert (refused.status_code, refused.json()["code"]) == (409, "order_refused")
    assert [one["code"] for one in refused.json()["failures"]] == ["outside_coverage"]
    order = await mall.read(number, **STAFF)
    assert order["parts"][0]["parcel"] == packed.json()["parcel"]
    near = {**RECIPIENT, "address": "文二路 9 号"}
    assert (await mall.post(path, near)).status_code == 200  # CONTROL


async def test_what_is_packed_where_nothing_goes_there_is_put_back_and_sent_from_elsewhere(
    mall: Mall, database: MallDatabase
) -> None:
    """O8, W1, C3, W6: once, though it is sent twice; the floor has its task; the views agree."""
    number = (await mall.order(("notebook", 1)))["number"]
    packed = await mall.post("/v1/parcels", {"order": number, "part": 1}, **STAFF)
    parcel = packed.json()["parcel"]
    warehouse = (await mall.read(number, **STAFF))["parts"][0]["warehouse"]
    await near_only(mall, warehouse)
    path = f"/v1/orders/{number}/address"
    both = [await mall.post(path, FAR, key="once") for _ in range(2)]
    assert [one.status_code for one in both] == [200, 200], both[0].text
    await mall.views()
    (part,) = (await mall.read(number, **STAFF))["parts"]
    assert part["warehouse"] != warehouse
    assert part["part"] == 2
    (task,) = (await mall.get("/v1/put-backs", **STAFF)).json()["parcels"]
    assert task["number"] == parcel
    async with mall.tenant.pool.connection() as connection:
        query = f"SELECT warehouse, reserved, picked FROM {mall.tenant.schema}.stock_levels"
        cursor = await connection.execute(
            f"{query} WHERE sku = 'notebook' AND reserved + picked > 0"
        )
        assert await cursor.fetchall() == [(part["warehouse"], 1, 0)]
    views = all_views(rules_of(mall.settings))
    found = await verify(database.owner_url, schema=database.schema, views=views)
    assert found.differences == []
    await mall.ship(number, part=2)
    assert (await mall.read(number))["status"] == "pending_receipt"


@pytest.mark.parametrize("there", [True, False])
async def test_what_waits_is_sent_there_or_waits_for_the_warehouses_that_go_there(
    mall: Mall, database: MallDatabase, there: bool
) -> None:
    """O8, rule 1: if stock came meanwhile, at once; else once their stock comes, by the policy."""
    number = await nowhere(mall)
    path = f"/v1/orders/{number}/address"
    more = {"sku": "notebook", "warehouse": "shaanxi", "quantity": 5, "reference": "D-9"}
    if there:
        assert (await mall.post("/v1/stock/receipts", more, **STAFF)).status_code == 200
    moved = await mall.post(path, FAR)
    assert moved.status_code == 200, moved.text
    await mall.views()
    assert [one["waits"] for one in (await mall.read(number))["parts"]] == [
        None if there else "choice"
    ]
    if not there:
        await mall.post("/v1/stock/receipts", more, **STAFF)
        await mall.views()
        await sweep(mall.tenant, SEND_WHAT_WAITED)
        await mall.views()
    (part,) = (await mall.read(number, **STAFF))["parts"]
    assert (part["warehouse"], part["waits"]) == ("shaanxi", None)
    assert [one["quantity"] for one in part["units"]] == [2]
    views = all_views(rules_of(mall.settings))
    found = await verify(database.owner_url, schema=database.schema, views=views)
    assert found.differences == []


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
