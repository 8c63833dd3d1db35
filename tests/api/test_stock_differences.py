"""What a third party counts otherwise than the books say: listed, settled, never sold (C3, W2)."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from application.gateways.third_party import CountIn, CountMessage, FoundIn
from projections.verifying_laws import verify_stock
from tests.api.conftest import RECIPIENT
from tests.api.test_third_parties import CANCEL, PLACE, STAFF, Depot, depot, level

__all__ = ["depot"]

pytestmark = pytest.mark.anyio

SKU = "enamel-mug"
WHY = "they looked twice"


def counted(*, at: datetime | None = None, **units: int) -> CountMessage:
    """What they say they have."""
    lines = [FoundIn(sku=sku.replace("_", "-"), quantity=n) for sku, n in units.items()]
    now = datetime.now(UTC)
    data = CountIn(counted_at=at or now, lines=lines)
    return CountMessage(type="stock.counted", timestamp=now, data=data)


async def listed(depot: Depot, **more: Any) -> list[Any]:
    """The differences as operations see them."""
    await depot.mall.views()
    answer = await depot.mall.get("/v1/stock/differences", **more, **STAFF)
    assert answer.status_code == 200, answer.text
    found: list[Any] = answer.json()["differences"]
    return found


async def settle(
    depot: Depot, difference: int, decision: str = "book", *, sku: str = SKU, status: int = 200
) -> Any:
    """Somebody says what a difference is."""
    body = {
        "warehouse": PLACE, "sku": sku, "difference": difference, "decision": decision,
        "reason": WHY,
    }  # fmt: skip
    return await depot.change("/v1/stock/differences", body, status)


async def newest(depot: Depot, sku: str = SKU) -> Any:
    """The newest fact of the item's shelf there."""
    stream = f"/v1/audit/streams/stock:{PLACE}:{sku}"
    answer = await depot.mall.get(stream, role="auditor", subject="eve")
    adjusted = [one for one in answer.json()["events"] if one["fact"] == "stock.StockAdjusted"]
    return adjusted[-1] if adjusted else None


async def lawful(depot: Depot) -> None:
    """No unit appeared or vanished."""
    tenant = depot.mall.tenant
    wrong: list[Any] = []

    class Found:
        def add(self, place: str, what: str) -> None:
            wrong.append((place, what))

    async with tenant.pool.connection() as connection:
        at = tenant.store.position
        await verify_stock(connection, tenant.schema, at=at, found=Found())  # type: ignore[arg-type]
    assert wrong == []


async def test_a_difference_waits_for_somebody_and_becomes_an_adjustment_with_a_reason(
    depot: Depot,
) -> None:
    """C3, W2: promised units are on the shelf, too; what is missing is not sold; twice is once."""
    await depot.partners.behave(pace_seconds=60)
    _, parcel = await depot.released((SKU, 2))
    await depot.until(parcel, "accepted")
    books = await level(depot)
    shelf = books["free"] + books["reserved"]
    message = counted(enamel_mug=shelf - 30)
    for _ in range(2):
        answer = (await depot.tell(message)).json()
        assert (answer["compared"], answer["left_out"]) == (1, [])
        assert [(one["adjusted"], one["waits"]) for one in answer["differences"]] == [(0, True)]
    (one,) = await listed(depot)
    assert (one["counted"], one["expected"], one["difference"]) == (shelf - 30, shelf, -30)
    assert (one["state"], one["reserved"], one["withheld"]) == ("waits", 2, 30)
    assert (one["in_hand"], one["on_the_way"], one["unexpected"]) == (2, 0, None)
    troubles = (await depot.mall.get("/v1/troubles", **STAFF)).json()["troubles"]
    (stuck,) = (each for each in troubles if each["kind"] == "stock_difference")
    assert (stuck["about"]["sku"], stuck["since"]) == (SKU, one["since"])
    held = await level(depot)
    assert (held["free"], held["withheld"]) == (books["free"] - 30, 30)
    assert await newest(depot) is None
    refused = await settle(depot, -29, status=409)
    assert "-30" in refused["detail"]
    done = await settle(depot, -30)
    assert (done["booked"], done["free"]) == (True, books["free"] - 30)
    again = await settle(depot, -30, status=409)
    assert again["code"] == "not_possible"
    adjusted = await newest(depot)
    assert (adjusted["data"]["difference"], adjusted["data"]["source"]) == (-30, PLACE)
    assert (adjusted["data"]["reason"], adjusted["actor"]) == (WHY, "operations:ops")
    after = await level(depot)
    assert (after["free"], after["withheld"]) == (books["free"] - 30, 0)
    assert await listed(depot) == []
    (one,) = await listed(depot, all=True)
    assert (one["state"], one["settled_by"], one["reason"]) == ("booked", "ops", WHY)
    same = (await depot.tell(counted(enamel_mug=shelf - 30), name="msg_2")).json()
    assert (same["compared"], same["differences"]) == (1, [])
    assert await listed(depot, all=True) == []
    await lawful(depot)


async def test_small_losses_are_booked_by_themselves_until_they_add_up(depot: Depot) -> None:
    """C3: two units at most since somebody looked; what turns up again is booked, gains wait."""
    shelf = (await level(depot))["free"]
    first = (await depot.tell(counted(enamel_mug=shelf - 2), name="msg_1")).json()
    assert [(one["adjusted"], one["waits"]) for one in first["differences"]] == [(-2, False)]
    adjusted = await newest(depot)
    assert adjusted["data"]["reason"] == f"{shelf - 2} on the shelf, {shelf} by the books"
    assert adjusted["actor"] == f"partner:third-party:{PLACE}"
    assert await listed(depot) == []
    assert [one["state"] for one in await listed(depot, all=True)] == ["followed"]
    await depot.tell(counted(enamel_mug=shelf - 3), name="msg_2")
    (one,) = await listed(depot)  # the third unit in a row
    assert (one["difference"], one["withheld"]) == (-1, 1)
    await depot.tell(counted(enamel_mug=shelf - 1), name="msg_3")
    assert await listed(depot) == []  # one of the two is there after all
    assert (await level(depot))["free"] == shelf - 1
    await depot.tell(counted(enamel_mug=shelf + 1), name="msg_4")
    (one,) = await listed(depot)
    assert (one["difference"], one["withheld"]) == (2, 0)
    assert (await level(depot))["free"] == shelf - 1
    await settle(depot, 2, "dismiss")
    assert (await level(depot))["free"] == shelf - 1
    await depot.tell(counted(enamel_mug=shelf - 3), name="msg_5")
    assert (await level(depot))["free"] == shelf - 3  # somebody looked: it counts from there
    await lawful(depot)


async def test_goods_that_were_never_sent_there_are_for_sale_once_somebody_accepts_them(
    depot: Depot,
) -> None:
    """C3, W2: one of ours at the wrong place, and what is no item of ours, are listed as odd."""
    item = {
        "sku": "stray-tray", "name": "搪瓷盘", "kind": "parcel", "points": 20,
        "market_value_fen": 9_000, "weight_grams": 300, "storage_class": "metal",
    }  # fmt: skip
    await depot.change("/v1/items", {**item, "on_sale": True})
    await depot.tell(counted(stray_tray=4, no_such_thing=5, nothing_of_it=0))
    found = {one["sku"]: one for one in await listed(depot)}
    assert set(found) == {"stray-tray", "no-such-thing"}
    tray, thing = found["stray-tray"], found["no-such-thing"]
    assert (tray["unexpected"], tray["name"], tray["difference"]) == ("never_sent", "搪瓷盘", 4)
    assert (thing["unexpected"], thing["name"], thing["difference"]) == ("unknown", None, 5)

    async def available() -> int:
        await depot.mall.views()
        shown = await depot.mall.get("/v1/items/stray-tray", role="learner", subject="lin")
        units: int = shown.json()["available"]
        return units

    assert await available() == 0
    refused = await settle(depot, 5, sku="no-such-thing", status=409)
    assert refused["code"] == "item_unknown"
    await settle(depot, 5, "dismiss", sku="no-such-thing")
    await settle(depot, 4, sku="stray-tray")
    assert await available() == 4
    assert await listed(depot) == []
    await lawful(depot)


async def test_nothing_is_sold_twice_when_they_have_less_than_is_promised(depot: Depot) -> None:
    """C3, L2: what an order gives up fills what is missing before anybody else gets it."""
    free = (await level(depot))["free"]
    numbers = [(await depot.mall.order((SKU, 3)))["number"] for _ in range(2)]
    stands = await level(depot)
    assert (stands["free"], stands["reserved"]) == (free - 6, 6)
    await depot.tell(counted(enamel_mug=4))
    (one,) = await listed(depot)
    assert (one["free"], one["withheld"]) == (-2, free - 4)
    for settled in (False, True):
        quote = await depot.mall.post("/v1/quotes", _order(), role="learner", subject="lin")
        assert quote.json()["ok"] is False, quote.text
        if not settled:
            await settle(depot, 4 - free)
    short = await level(depot)
    assert (short["free"], short["reserved"], short["withheld"]) == (-2, 6, 0)
    path = f"/v1/orders/{numbers[0]}/cancellation"
    await depot.change(path, CANCEL, role="learner", subject="lin")
    after = await level(depot)
    assert (after["free"], after["reserved"]) == (1, 3)  # four are there, three are promised
    await lawful(depot)


def _order() -> dict[str, Any]:
    return {"learner": "lin", "lines": [{"sku": SKU, "quantity": 1}], "recipient": RECIPIENT}


async def test_two_people_settle_one_difference_once(depot: Depot) -> None:
    """C3: at the same moment, one books it and one lets the books stand: one of them is told no."""
    shelf = (await level(depot))["free"]
    await depot.tell(counted(enamel_mug=shelf - 10))
    body = {"warehouse": PLACE, "sku": SKU, "difference": -10, "reason": WHY}
    answers = await asyncio.gather(
        *(
            depot.mall.post("/v1/stock/differences", {**body, "decision": one}, **STAFF)
            for one in ("book", "dismiss", "book", "dismiss")
        )
    )
    assert sorted(one.status_code for one in answers) == [200, 409, 409, 409]
    (booked,) = [one.json()["booked"] for one in answers if one.status_code == 200]
    assert (await level(depot))["free"] == shelf - (10 if booked else 0)
    await lawful(depot)


async def test_what_is_on_its_way_there_is_shown_beside_a_gain(depot: Depot) -> None:
    """C3: counted before anybody took it in: booked and taken in, it would be there twice."""
    shelf = (await level(depot))["free"]
    await depot.change(
        "/v1/warehouses",
        {
            "code": "hunan",
            "name": "湖南仓",
            "province": "湖南省",
            "city": "长沙市",
            "serves": ["*"],
        },
    )
    there = {"sku": SKU, "warehouse": "hunan", "quantity": 9, "reference": "D"}
    await depot.change("/v1/stock/receipts", there)
    moved = {"sku": SKU, "from_warehouse": "hunan", "to_warehouse": PLACE, "quantity": 8}
    transfer = (await depot.change("/v1/stock/transfers", moved))["transfer"]
    await depot.tell(counted(enamel_mug=shelf + 8), name="msg_1")
    (one,) = await listed(depot)
    assert (one["difference"], one["on_the_way"]) == (8, 8)
    came = {"sku": SKU, "warehouse": PLACE, "quantity": 5, "reference": transfer}
    await depot.change("/v1/stock/receipts", came)
    (one,) = await listed(depot)
    assert (one["difference"], one["on_the_way"]) == (8, 3)
    await depot.change("/v1/stock/receipts", {**came, "quantity": 3})
    await depot.tell(counted(enamel_mug=shelf + 8), name="msg_2")
    assert await listed(depot) == []
    assert (await level(depot))["free"] == shelf + 8


async def test_a_count_that_is_overtaken_changes_nothing(depot: Depot) -> None:
    """C3: older than the newest, or of goods that moved since: left out, to be counted again."""
    start = datetime.now(UTC)
    shelf = (await level(depot))["free"]
    await depot.tell(counted(enamel_mug=shelf), name="msg_2")
    late = await depot.tell(counted(at=start, enamel_mug=1), name="msg_1")
    assert (late.json()["compared"], late.json()["left_out"]) == (0, [SKU])
    before_picking = datetime.now(UTC)
    _, parcel = await depot.released((SKU, 2))
    await depot.until(parcel, "shipped")
    moved = await depot.tell(counted(at=before_picking, enamel_mug=shelf), name="msg_3")
    assert moved.json()["left_out"] == [SKU]
    assert (await level(depot))["free"] == shelf - 2
    assert await listed(depot, all=True) == []
    await depot.tell(counted(enamel_mug=0), name="msg_4")
    assert [one["difference"] for one in await listed(depot)] == [2 - shelf]
    assert (await level(depot))["free"] == 0


async def test_who_may_not_run_the_house_settles_nothing(depot: Depot) -> None:
    """A10: support sees them; a learner does not know that there are any."""
    shelf = (await level(depot))["free"]
    await depot.tell(counted(enamel_mug=shelf - 10))
    await depot.mall.views()
    path = "/v1/stock/differences"
    body = {"warehouse": PLACE, "sku": SKU, "difference": -10, "decision": "book", "reason": WHY}
    sue = {"role": "support", "subject": "sue"}
    assert len((await depot.mall.get(path, **sue)).json()["differences"]) == 1
    assert (await depot.mall.post(path, body, **sue)).status_code == 403
    assert (await depot.mall.get(path, role="learner", subject="lin")).status_code == 403
