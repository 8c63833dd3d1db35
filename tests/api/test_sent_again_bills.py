"""Refused goods that are sent again on bills and among the costs of their order (W6, D3)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from application import sent_again
from domain.parcel_facts import ParcelPacked
from tests.api.conftest import Mall
from tests.api.test_bills import decide, differences, matched, sent
from tests.api.test_costs import costs, report
from tests.api.test_returns import Counter, counter
from tests.api.test_sent_again import leave, refused_one

pytestmark = pytest.mark.anyio

__all__ = ["counter"]

OPS = {"role": "operations", "subject": "ops"}
AGAIN = "SF10000100088"
"""The waybill of the parcel that left again."""
BILL = "carrier:shunfeng:2026-10"
PACKED = 200 + 150
"""A notebook's handling and packaging in Zhejiang."""


async def quoted(mall: Mall) -> int:
    """What SF's card asks for one notebook, from Zhejiang to Hangzhou."""
    lane = {"origin": "浙江省", "destination": "浙江省", "same_city": True, "grams": 320}
    offers = (await mall.post("/v1/rate-cards/quotes", lane, **OPS)).json()["offers"]
    fen: int = next(one["fen"] for one in offers if one["carrier"] == "shunfeng")
    return fen


async def billed(mall: Mall, rows: str, **asked: Any) -> list[tuple[str, str, int]]:
    """What of SF's bill differs that is about the parcel that left again."""
    await sent(mall, f"waybill,fee\n{rows}", **asked)
    await matched(mall)
    return [one for one in await differences(mall, BILL) if one[1] == AGAIN]


@pytest.fixture(params=["told", "older"])
def packed_as(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it is packed now, and by versions that did not say what is in such a parcel."""

    def older(**fields: Any) -> ParcelPacked:
        return ParcelPacked(**{**fields, "goods": ()})

    if request.param == "older":
        monkeypatch.setattr(sent_again, "ParcelPacked", older)


@pytest.mark.usefixtures("packed_as")
async def test_its_freight_is_held_to_the_carriers_card(counter: Counter) -> None:
    """W6: as quoted it agrees; above, the difference alone is questioned; unbilled, it lacks."""
    mall = counter.mall
    await refused_one(counter)
    fen = await quoted(mall)
    assert fen > 0
    day = (datetime.now(UTC) + timedelta(hours=8)).date().isoformat()
    period = {"first_day": day, "last_day": day}
    assert await billed(mall, "SF0,1.00\n", **period) == [("missing", AGAIN, -fen)]
    assert await billed(mall, f"{AGAIN},{fen / 100}\n") == []
    assert await billed(mall, f"{AGAIN},{fen / 100 + 1}\n") == [("price_above", AGAIN, 100)]


@pytest.mark.usefixtures("packed_as")
async def test_it_costs_its_order_what_it_is_quoted_at_or_billed(counter: Counter) -> None:
    """W6: beside the way back, in whatever it is summed up by; a bill takes the quote's place."""
    mall = counter.mall
    (before,), _ = await report(mall)
    assert before["sent_again_fen"] == 0
    again = await refused_one(counter)
    fen = await quoted(mall)
    ((row,), _), whole = await report(mall), (await costs(mall))["whole"]
    assert row["sent_again_fen"] == whole["sent_again_fen"] == fen + PACKED
    assert (
        row["total_fen"]
        == whole["total_fen"]
        == before["total_fen"] + (row["way_back_fen"] + fen + PACKED)
    )
    await billed(mall, f"{AGAIN},{fen / 100 + 6}\n")
    assert (await report(mall))[0][0]["sent_again_fen"] == fen + PACKED  # questioned: not yet
    await decide(mall, [f"price_above:freight:{AGAIN}"], "accepted", BILL)
    for by in ("order", "carrier", "warehouse", "channel"):
        (one,) = (await costs(mall, by=by))["costs"]
        assert one["sent_again_fen"] == fen + 600 + PACKED
    handled = f"单号,费用类型,金额\n{again},操作费,1.80\n{AGAIN},操作费,2.00\n{AGAIN},包装费,1.50\n"
    await sent(mall, handled, kind="warehouse", number="w", **{"from": "zhejiang"})
    await matched(mall)
    assert sorted(await differences(mall, "warehouse:zhejiang:w")) == [
        ("below", again, -20),
        ("billed_twice", AGAIN, 200),
    ]
    assert (await report(mall))[0][0]["sent_again_fen"] == fen + 600 + PACKED - 20


async def test_each_time_that_it_is_sent_again_is_a_cost(counter: Counter) -> None:
    """W6, D3: what came back once more leaves in the next parcel."""
    mall, again = counter.mall, await refused_one(counter)
    (first,), made = await report(mall)
    here = {"intact": True, "in_hand": True, "reason": "nobody was at home", "send_again": True}
    told = await mall.post(f"/v1/parcels/{again}/goods-back", here, **OPS)
    assert told.status_code == 200, told.text
    assert (await report(mall))[0][0]["sent_again_fen"] == first["sent_again_fen"]
    await leave(mall, f"{again}2", "SF10000100099")
    (second,), _ = await report(mall)
    assert second["sent_again_fen"] == 2 * first["sent_again_fen"]
    (then,), _ = await report(mall, position=made["position"])
    assert then == first
