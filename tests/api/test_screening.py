"""Nothing leaves before it was looked up, however fast somebody packs it (O7, S5; rule 26)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from application import screening
from application.house import House
from application.policies import overdue
from tests.api.conftest import RECIPIENT, Mall

pytestmark = pytest.mark.anyio

STAFF: dict[str, Any] = {"role": "operations", "subject": "ops"}
SERVICE: dict[str, Any] = {"role": "service", "subject": "shop"}


async def place(mall: Mall, learner: str = "lin", **more: Any) -> str:
    """An order of one notebook that no view has seen yet."""
    wish = {
        "learner": learner,
        "lines": [{"sku": "notebook", "quantity": 1}],
        "recipient": RECIPIENT,
        **more,
    }
    answer = await mall.post("/v1/orders", wish, **SERVICE)
    assert answer.status_code == 201, answer.text
    number: str = answer.json()["number"]
    return number


async def grant(mall: Mall, learner: str, **more: Any) -> None:
    row = {"learner": learner, "points": 9_000, "reason": "task", "source": "PY-1", **more}
    await mall.post("/v1/points/grants", {"grants": [row]}, **SERVICE)


async def pack(mall: Mall, number: str, **more: Any) -> Any:
    return await mall.post("/v1/parcels", {"order": number, "part": 1, **more}, **STAFF)


async def test_the_fourth_order_of_a_day_waits_though_it_is_packed_at_once(mall: Mall) -> None:
    """O7, rule 26: no policy ran, and the packing desk is as quick as it likes."""
    numbers = [await place(mall) for _ in range(5)]
    await mall.views()
    packed = [await pack(mall, number) for number in numbers]
    assert [one.status_code for one in packed] == [201, 201, 201, 409, 409]
    for number, asked in zip(numbers, [[], [], [], *[["frequent_orders"]] * 2], strict=True):
        order = await mall.read(number, **STAFF)
        assert (order["review"], len(order["parcels"])) == (asked, 0 if asked else 1)
    approve = {"decision": "approve", "reason": "known"}
    assert (await mall.post(f"/v1/orders/{numbers[3]}/review", approve, **STAFF)).is_success
    assert (await pack(mall, numbers[3])).status_code == 201


async def test_the_fifth_account_to_an_address_waits_though_nobody_looked_up_the_others(
    mall: Mall,
) -> None:
    """O7, rule 26: the others' orders of the last minutes count before the policy noted them."""
    numbers = []
    for nth, name in enumerate("一二三四五"):
        await grant(mall, f"learner-{nth}")
        to = {**RECIPIENT, "name": f"林{name}"}
        numbers.append(await place(mall, f"learner-{nth}", recipient=to))
    await mall.views()
    assert (await pack(mall, numbers[4])).status_code == 409
    assert (await mall.read(numbers[4], **STAFF))["review"] == ["shared_address"]


async def test_what_no_view_has_seen_is_not_packed(
    mall: Mall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """O7: who cannot look it up says so, and the same call succeeds a moment later."""
    monkeypatch.setattr(screening, "PAUSES_SECONDS", (0, 0.01))
    number = await place(mall)
    body = {"order": number, "part": 1}
    early = await mall.post("/v1/parcels", body, key="once", **STAFF)
    assert (early.status_code, early.headers["Retry-After"] >= "1") == (503, True)
    await mall.views()
    assert (await mall.post("/v1/parcels", body, key="once", **STAFF)).status_code == 201


async def test_history_that_a_service_brings_is_packed_as_it_was(mall: Mall) -> None:
    """O7, A5: what was placed and sent last year elsewhere is nobody's to look at."""
    last_year = datetime.now(UTC) - timedelta(days=365)
    await grant(mall, "old", happened_at=(last_year - timedelta(days=1)).isoformat())
    for hours in range(5):
        then = (last_year + timedelta(hours=hours)).isoformat()
        number = await place(mall, "old", happened_at=then)
        assert (await pack(mall, number, happened_at=then)).status_code == 201


async def test_a_policy_that_stands_still_is_stuck(mall: Mall) -> None:
    """M5, O7: fresh orders that nobody looked up are shown with their age, until somebody does."""
    house: House = mall.tenant
    await place(mall)
    await mall.views()
    soon = timedelta(seconds=-1)
    assert await overdue(house) == []  # the policy has had no time yet
    (late,) = await overdue(house, late_after=soon)
    assert (late.policy, late.waiting) == ("screen_orders", 1)
    assert await screening.screen_fresh(house) == 0
    assert await overdue(house, late_after=soon) == []
