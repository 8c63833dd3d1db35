"""One thing under several names on bills is owed once, and costs once (W6)."""

from datetime import UTC, datetime, timedelta

import pytest

from application.billing import match_again
from tests.api.conftest import Mall
from tests.api.test_bills import WAYBILL, differences, matched, sent
from tests.api.test_costs import merged, report

pytestmark = pytest.mark.anyio

HEADER = "单号,费用类型,金额\n"
HERE = {"kind": "warehouse", "from": "zhejiang"}
OPS = {"role": "operations", "subject": "ops"}


async def billed(mall: Mall, rows: str, number: str) -> list[tuple[str, str, int]]:
    """What of a bill of Zhejiang's differs."""
    await sent(mall, HEADER + rows, number=number, **HERE)
    await matched(mall)
    return sorted(await differences(mall, f"warehouse:zhejiang:{number}"))


async def packed(mall: Mall) -> dict[str, tuple[int, int]]:
    """What packing and handling cost by order."""
    found: dict[str, tuple[int, int]] = {}
    for row in (await report(mall))[0]:
        packaging, handling = found.get(row["order"], (0, 0))
        found[row["order"]] = packaging + row["packaging_fen"], handling + row["handling_fen"]
    return found


async def shipped(mall: Mall) -> tuple[str, str]:
    """An order's number and its parcel's, planned at 2.00 for handling and 1.50 for packaging."""
    number = (await mall.order(("notebook", 1)))["number"]
    parcel = await mall.ship(number)
    await mall.views()
    assert await packed(mall) == {number: (150, 200)}
    return number, parcel


async def test_a_parcels_other_names_on_one_bill_are_billed_twice(mall: Mall) -> None:
    """W6: its number, its waybill, its order's number: the first line is owed, and no other."""
    number, parcel = await shipped(mall)
    rows = f"{parcel},操作费,2.00\n{WAYBILL},操作费,2.00\n{number},操作费,2.00\n"
    rows += f"{WAYBILL},包装费,1.50\n{parcel},包装费,1.50\n"
    assert await billed(mall, rows, "a") == sorted(
        [
            ("billed_twice", WAYBILL, 200),
            ("billed_twice", number, 200),
            ("billed_twice", parcel, 150),
        ]
    )
    assert await packed(mall) == {number: (150, 200)}


async def test_a_parcels_other_names_on_three_bills_are_billed_twice(mall: Mall) -> None:
    """W6: the bill that came first has it, whatever name it used."""
    number, parcel = await shipped(mall)
    assert await billed(mall, f"{WAYBILL},操作费,1.80\n", "a") == [("below", WAYBILL, -20)]
    assert await billed(mall, f"{parcel},操作费,1.80\n", "b") == [("billed_twice", parcel, 180)]
    assert await billed(mall, f"{number},操作费,1.80\n", "c") == [("billed_twice", number, 180)]
    assert await packed(mall) == {number: (150, 180)}


async def test_nothing_of_a_parcel_is_missing_that_its_order_was_billed(mall: Mall) -> None:
    """W6: on the same bill, or on one that came later."""
    number, parcel = await shipped(mall)
    day = (datetime.now(UTC) + timedelta(hours=8)).date().isoformat()
    asked = {"number": "a", "first_day": day, "last_day": day, **HERE}
    await sent(mall, f"{HEADER}{number},包装费,1.50\n{number},操作费,2.00\n", **asked)
    await matched(mall)
    assert await differences(mall, "warehouse:zhejiang:a") == []
    await sent(mall, f"{HEADER}{number},包装费,1.50\n", **asked)
    await matched(mall)
    key = "warehouse:zhejiang:a"
    assert await differences(mall, key) == [("missing", parcel, -200)]
    assert await billed(mall, f"{number},操作费,2.00\n", "b") == []
    await match_again(mall.tenant, at="1")
    await mall.views()
    assert await differences(mall, key) == []


async def of_parcel(mall: Mall) -> tuple[str, list[str]]:
    """A parcel that two orders share, and their numbers."""
    await merged(mall, "yunda", "4301234567891")
    await mall.views()
    rows, _ = await report(mall)
    assert len({row["parcel"] for row in rows}) == 1
    return rows[0]["parcel"], [row["order"] for row in rows]


async def test_a_merged_parcels_fee_is_not_billed_again_by_order(mall: Mall) -> None:
    """W6, S4: each order has its share of one fee: the parcel's line has all of them."""
    parcel, orders = await of_parcel(mall)
    before = await packed(mall)
    assert sum(handling for _, handling in before.values()) == 200
    assert await billed(mall, f"{parcel},操作费,2.00\n", "a") == []
    again = "".join(f"{one},操作费,2.00\n" for one in orders)
    assert await billed(mall, again, "b") == sorted(("billed_twice", one, 200) for one in orders)
    assert await packed(mall) == before


async def test_a_merged_parcel_is_owed_less_what_its_orders_were_billed(mall: Mall) -> None:
    """W6, S4: an order may bill its share; the parcel's line then is about what is left."""
    parcel, (one, other) = await of_parcel(mall)
    assert await billed(mall, f"{one},操作费,1.00\n", "a") == []
    assert await billed(mall, f"{parcel},操作费,2.00\n", "b") == [("billed_twice", parcel, 100)]
    assert await billed(mall, f"{other},操作费,1.00\n", "c") == [("billed_twice", other, 100)]
    assert sum(handling for _, handling in (await packed(mall)).values()) == 200
