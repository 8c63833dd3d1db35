"""Ratings over HTTP: asked for after completion, counted by item, carrier, warehouse (O4, T9)."""

from datetime import timedelta
from typing import Any

import pytest

from application.policies import COMPLETE
from application.sweeping import sweep
from tests.api.conftest import Mall
from tests.api.test_disputes import AUDITOR, OPS, signed

pytestmark = pytest.mark.anyio


async def completed(mall: Mall, *skus: str) -> list[str]:
    """Orders of these items that were received a week ago."""
    numbers = [(await signed(mall, confirmed=True, sku=sku)).number for sku in skus]
    now = mall.tenant.store.clock()
    mall.tenant.store.clock = lambda: now + timedelta(days=8)
    assert (await sweep(mall.tenant, COMPLETE)).done == len(numbers)
    await mall.views()
    return numbers


async def rate(mall: Mall, number: str, goods: int, delivery: int | None, **who: Any) -> Any:
    body = {"ratings": [{"line": 1, "goods": goods, "delivery": delivery}]}
    answer = await mall.post(f"/v1/orders/{number}/ratings", body, **who)
    await mall.views()
    return answer


async def test_a_completed_order_is_rated_once(mall: Mall) -> None:
    """O4, D6: asked for when it is completed, said once, shown where it was said."""
    number = (await signed(mall, confirmed=True)).number
    early = await mall.read(number)
    assert early["actions"]["rate"]["possible"] is False
    assert (await rate(mall, number, 5, 4)).status_code == 409
    now = mall.tenant.store.clock()
    mall.tenant.store.clock = lambda: now + timedelta(days=8)
    assert (await sweep(mall.tenant, COMPLETE)).done == 1
    await mall.views()
    asked = (await mall.read(number))["actions"]["rate"]
    assert asked == {"possible": True, "lines": [1]}
    said = await rate(mall, number, 5, 4)
    assert (said.status_code, said.json()["rated"]) == (200, [1])
    order = await mall.read(number)
    assert order["lines"][0]["rating"] == {"goods": 5, "delivery": 4}
    assert order["actions"]["rate"]["possible"] is False
    twice = await rate(mall, number, 1, 1)
    assert (twice.status_code, twice.json()["code"]) == (409, "not_possible")
    other = await rate(mall, number, 1, 1, role="learner", subject="chen")
    assert other.status_code == 404
    for stars in (0, 6):
        assert (await rate(mall, number, stars, 4)).status_code == 422


async def test_stars_are_counted_by_item_carrier_and_warehouse(mall: Mall) -> None:
    """T9: averages and how many were low; of a time; nobody is named; learners see none of it."""
    first, second, third = await completed(mall, "notebook", "enamel-mug", "rattan-basket")
    await rate(mall, first, 5, 4)
    await rate(mall, second, 2, 4)
    await rate(mall, third, 4, 1)

    async def scores(**query: Any) -> list[dict[str, Any]]:
        answer = await mall.get("/v1/ratings", **AUDITOR, **query)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["scores"]
        return found

    (carrier,) = await scores(by="carrier")
    assert carrier == {
        "key": "shunfeng", "ratings": 3, "goods": 3.67, "delivery": 3.0,
        "low_goods": 1, "low_delivery": 1,
    }  # fmt: skip
    assert {one["key"] for one in await scores()} == {"notebook", "enamel-mug", "rattan-basket"}
    assert {one["key"] for one in await scores(by="warehouse")} == {"zhejiang", "shaanxi", "henan"}
    later = (mall.tenant.store.clock() + timedelta(seconds=1)).isoformat()
    assert await scores(since=later) == []
    assert len(await scores(until=later)) == 3
    assert (await mall.get("/v1/ratings", **OPS)).status_code == 200
    assert (await mall.get("/v1/ratings")).status_code == 403
