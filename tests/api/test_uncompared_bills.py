"""Bills that nobody could compare, and what keeps a bill from being one of them (W6, M5)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from application import billing
from application.billing import match_new
from application.jobs import apply_jobs_schema
from application.migrating import SERVICE_ROLE
from tests.api.conftest import Mall
from tests.api.test_bills import bill, matched, sent
from tests.conftest import MallDatabase

pytestmark = pytest.mark.anyio


async def test_a_bill_that_cannot_be_compared_holds_up_no_other(
    mall: Mall, monkeypatch: pytest.MonkeyPatch, database: MallDatabase
) -> None:
    """W6, M5: it is told of, and tried again later and later, or as soon as it is corrected."""
    apply_jobs_schema(database.owner_url, SERVICE_ROLE)  # the queue is among the troubles
    for number in ("a", "b"):
        await sent(mall, "waybill,fee\nSF7,8.00\n", number=number)
    compared, tried = billing._compared, []

    def breaking(bill: Any, evidence: Any) -> Any:
        if bill.key.endswith(":a"):
            tried.append(bill.key)
            raise ValueError("broken")
        return compared(bill, evidence)

    async def stuck() -> list[tuple[str, str]]:
        found = (await mall.get("/v1/troubles", role="support")).json()["troubles"]
        return [(one["what"], one["cause"]) for one in found if one["kind"] == "uncompared_bill"]

    assert await stuck() == []
    now = datetime.now(UTC)
    with monkeypatch.context() as broken:
        broken.setattr(billing, "_compared", breaking)
        assert await match_new(mall.tenant) == 1
        await mall.views()
        assert (await bill(mall, "carrier:shunfeng:a"))["state"] == "received"
        assert (await bill(mall, "carrier:shunfeng:b"))["state"] == "open"
        assert await stuck() == [("carrier:shunfeng:a", "ValueError")]
        for seconds, times in ((1, 1), (10, 2), (13, 2), (19, 3), (3_000, 4)):
            monkeypatch.setattr(
                mall.tenant.store, "clock", lambda at=now + timedelta(seconds=seconds): at
            )
            await match_new(mall.tenant)
            assert len(tried) == times, seconds
        await sent(mall, "waybill,fee\nSF7,8.00\nSF8,8.00\n", number="a")
        await match_new(mall.tenant)
        assert len(tried) == 5
    monkeypatch.setattr(mall.tenant.store, "clock", lambda: now + timedelta(hours=3))
    await matched(mall)
    assert (await bill(mall, "carrier:shunfeng:a"))["state"] == "open"
    assert await stuck() == []


async def test_a_bill_that_nobody_tried_to_compare_is_told_of(
    mall: Mall, monkeypatch: pytest.MonkeyPatch, database: MallDatabase
) -> None:
    """M5: it is received for minutes; no worker runs."""
    apply_jobs_schema(database.owner_url, SERVICE_ROLE)
    await sent(mall, "waybill,fee\nSF7,8.00\n")
    now = datetime.now(UTC)
    for minutes, count in ((1, 0), (6, 1)):
        monkeypatch.setattr(
            mall.tenant.store, "clock", lambda at=now + timedelta(minutes=minutes): at
        )
        found = (await mall.get("/v1/troubles", role="support")).json()["troubles"]
        assert len([one for one in found if one["kind"] == "uncompared_bill"]) == count


async def test_a_bill_is_of_days_that_somebody_can_mean(
    mall: Mall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """W6, M4: other days are refused; what was received with such a one before is compared."""
    rows = "waybill,fee,date\nYT1,4.10,9999-12-31\nYT2,4.10,1899-12-31\nYT3,4.10,2199-12-31\n"
    taken = (await sent(mall, rows, number="far")).json()
    assert (taken["lines"], taken["refused"]) == (1, 2)
    for one in taken["refused_rows"]:
        assert (one["column"], one["code"]) == ("day", "unusable")
        assert one["why"] == "day has to be from 2000-01-01 to 2199-12-31"
        assert one["why_zh"] == "day 应在 2000-01-01 至 2199-12-31 之间"
    for field in ("first_day", "last_day"):
        refused = await sent(mall, "waybill,fee\nYT1,4.10\n", **{field: "9999-12-31"})
        (failure,) = refused.json()["failures"]
        assert (refused.status_code, failure["field"]) == (422, field)
        assert "2199-12-31" in failure["message"]
        assert failure["message_zh"] == "应不大于 2199-12-31"
    with monkeypatch.context() as before:  # as the house took it before it looked at days
        before.setattr(billing, "is_meant", lambda _: True)
        before.setattr("application.written_days.is_meant", lambda _: True)
        await sent(mall, "waybill,fee,date\nYT1,4.10,9999-12-31\n", number="old")
    await matched(mall)
    for number in ("far", "old"):
        assert (await bill(mall, f"carrier:shunfeng:{number}"))["state"] == "open"
