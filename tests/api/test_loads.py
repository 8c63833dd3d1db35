"""How much waits in each warehouse: in promises, and told before it is too much (C2, O6)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from application.jobs import apply_jobs_schema
from application.migrating import SERVICE_ROLE
from tests.api.conftest import RECIPIENT, Mall
from tests.api.test_dates import points_of_then
from tests.conftest import MallDatabase

pytestmark = pytest.mark.anyio

STAFF = {"role": "operations", "subject": "ops"}
WISH = {"learner": "lin", "lines": [{"sku": "notebook", "quantity": 1}], "recipient": RECIPIENT}


@pytest.fixture(autouse=True)
def jobs(database: MallDatabase) -> None:
    """The queue that is among the troubles."""
    apply_jobs_schema(database.owner_url, SERVICE_ROLE)


async def capacity(mall: Mall, parcels: int) -> None:
    """What Zhejiang sends in a day."""
    (house,) = [
        one
        for one in (await mall.get("/v1/warehouses", **STAFF)).json()["warehouses"]
        if one["code"] == "zhejiang"
    ]
    answer = await mall.post("/v1/warehouses", {**house, "daily_capacity": parcels}, **STAFF)
    assert answer.status_code == 200, answer.text
    await mall.views()


async def counted(mall: Mall) -> dict[str, int]:
    await mall.views()
    await mall.tenant.loads.look()
    waiting: dict[str, int] = mall.tenant.loads.waiting
    return waiting


async def promised(mall: Mall) -> datetime:
    answer = await mall.post("/v1/quotes", WISH)
    return datetime.fromisoformat(answer.json()["promised_by"])


async def busy(mall: Mall) -> list[dict[str, Any]]:
    troubles = (await mall.get("/v1/troubles", **STAFF)).json()["troubles"]
    return [one["about"] for one in troubles if one["kind"] == "warehouse_load"]


async def test_the_promise_is_a_day_later_when_a_day_s_work_waits(mall: Mall) -> None:
    """O6, C2: in the quote and in the order, by the count this process last made (rules.md 10)."""
    await capacity(mall, 2)
    assert await counted(mall) == {}
    at_once = await promised(mall)
    for _ in range(2):
        await mall.order(("notebook", 1))
    assert await promised(mall) == at_once  # nobody counted yet, and nobody waited for a count
    assert await counted(mall) == {"zhejiang": 2}
    assert await promised(mall) == at_once + timedelta(days=1)
    placed = await mall.order(("notebook", 1))
    assert datetime.fromisoformat(placed["promised_by"]) == at_once + timedelta(days=1)
    await points_of_then(mall, 260, at=datetime(2026, 2, 1, tzinfo=UTC))
    past = await mall.post(
        "/v1/orders", {**WISH, "happened_at": "2026-03-01T00:00:00Z"}, role="service", subject="s"
    )
    assert past.json()["promised_by"] < "2026-03-07"  # today's backlog was not there then


async def test_a_parcel_waits_until_it_left_or_was_cancelled(mall: Mall) -> None:
    """C2: packed still counts, handed over and cancelled do not; unpaid does not yet."""
    numbers = [(await mall.order(("notebook", 1)))["number"] for _ in range(3)]
    await mall.order(("tea-set", 1))
    assert await counted(mall) == {"zhejiang": 3}
    await mall.ship(numbers[0])
    await mall.post(f"/v1/orders/{numbers[1]}/cancellation", {"reason": "x"})
    await mall.post("/v1/parcels", {"order": numbers[2], "part": 1}, **STAFF)
    assert await counted(mall) == {"zhejiang": 1}


async def test_staff_are_told_when_eighty_percent_of_a_day_waits(mall: Mall) -> None:
    """C2: not at seventy-five, at eighty; over again once some left."""
    await capacity(mall, 5)
    numbers = []
    for waiting in range(1, 5):
        numbers.append((await mall.order(("notebook", 1)))["number"])
        told = await busy(mall)
        assert told == (
            [{"warehouse": "zhejiang", "waiting": 4, "capacity": 5, "warehouse_name": "浙江仓"}]
            if waiting == 4
            else []
        )
    await mall.ship(numbers[0])
    await mall.views()
    assert await busy(mall) == []
