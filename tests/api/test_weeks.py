"""The weekly review over HTTP: listed, shown as it was told, sealed at its position (T9)."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.scans import ScanKind
from projections.weeks import WeekReviewer
from tests.api.conftest import Mall
from tests.api.test_carriers import seen

pytestmark = pytest.mark.anyio

STAFF = {"role": "support", "subject": "sue"}
AUDITOR = {"role": "auditor", "subject": "ada"}


async def test_a_week_is_listed_shown_and_sealed_when_it_was_reviewed(mall: Mall) -> None:
    """T9, A6: the same figures in the page's answer and in the report at its position."""
    assert (await mall.get("/v1/weeks", **STAFF)).json()["weeks"] == []
    parcel = await mall.ship((await mall.order(("notebook", 1)))["number"])
    await mall.views()
    now = datetime.now(UTC)
    await seen(mall, parcel, ScanKind.SIGNED, now + timedelta(seconds=1))
    mall.tenant.store.clock = lambda: now + timedelta(days=7)
    week = await WeekReviewer(mall.tenant).look()
    await mall.views()
    (listed,) = (await mall.get("/v1/weeks", **STAFF)).json()["weeks"]
    assert listed["week"] == week
    told = (await mall.get(f"/v1/weeks/{week}", **STAFF)).json()
    assert told["places"] == {"330106": "杭州市西湖区"}
    figures = {(one["section"], one["key"], one["name"]): one["value"] for one in told["figures"]}
    assert figures["week", "", "arrived"] == figures["carrier", "shunfeng", "on_time"] == 1
    again = await mall.get(
        "/v1/audit/reports/week", **AUDITOR, until=told["first_day"], position=told["upto"]
    )
    sealed = again.json()
    assert sealed["parameters"]["week"] == week
    assert sealed["rows"] == [list(one.values()) for one in told["figures"]]
    assert (await mall.get("/v1/weeks/2001-W01", **STAFF)).status_code == 404
    assert (await mall.get("/v1/weeks")).status_code == 403


async def test_the_running_week_is_told_so_far(mall: Mall) -> None:
    """T9: what it brought until now, kept nowhere; once it is over it is reviewed as any other."""
    number = (await mall.order(("notebook", 1)))["number"]
    await mall.views()
    running = (await mall.get("/v1/weeks", **STAFF)).json()["running"]
    path = f"/v1/weeks/{running['week']}"
    first = (await mall.get(path, **STAFF)).json()
    assert (first["week"], first["reviewed_at"]) == (running["week"], None)
    assert first["upto"] == mall.tenant.store.position
    assert {"section": "week", "key": "", "name": "orders", "value": 1, "before": 0} in (
        first["figures"]
    )
    await mall.ship(number)
    await mall.views()
    later = (await mall.get(path, **STAFF)).json()
    assert later["upto"] > first["upto"]
    told = {(one["section"], one["name"]): one["value"] for one in later["figures"]}
    assert told["week", "handed_over"] == 1
    assert (await mall.get("/v1/weeks", **STAFF)).json()["weeks"] == []
