"""Silent parcels among the troubles, from the carrier's push to the list (M5; rules.md 25)."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from application.gateways import kuaidi100
from application.jobs import apply_jobs_schema
from application.migrating import SERVICE_ROLE
from application.settings import Settings
from domain.scans import BEIJING
from tests.api.conftest import Mall, running
from tests.conftest import MallDatabase

pytestmark = pytest.mark.anyio

STAFF = {"role": "operations", "subject": "ops"}


@pytest.fixture(autouse=True)
def jobs(database: MallDatabase) -> None:
    """The queue that is among the troubles."""
    apply_jobs_schema(database.owner_url, SERVICE_ROLE)


async def push(mall: Mall, parcel: str, at: datetime, text: str) -> None:
    """The aggregator tells what the carrier just saw."""
    wait(mall, at)
    links = mall.tenant.callback_links
    data = [{"ftime": f"{at.astimezone(BEIJING):%Y-%m-%d %H:%M:%S}", "context": text}]
    last = {"nu": "SF10000100001", "com": "shunfeng", "state": "0", "ischeck": "0", "data": data}
    param = json.dumps({"status": "polling", "lastResult": last}, ensure_ascii=False).encode()
    sign = kuaidi100.sign_push(param, links.salt(parcel).encode())
    answer = await mall.client.post(
        f"/v1/callbacks/kuaidi100/{links.key(parcel)}",
        content=urlencode({"param": param, "sign": sign}).encode(),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["result"] is True


async def silent(mall: Mall) -> list[Any]:
    """What the list says of silent parcels."""
    await mall.views()
    answer = await mall.get("/v1/troubles", **STAFF)
    assert answer.status_code == 200, answer.text
    return [one for one in answer.json()["troubles"] if one["kind"] == "delayed_parcel"]


def wait(mall: Mall, now: datetime) -> None:
    """It is later."""
    mall.tenant.store.clock = lambda: now


async def test_staff_see_a_parcel_when_its_carrier_is_silent(mall: Mall) -> None:
    """M5: with age, cause, parcel and order; gone at the next scan, back when that is long ago."""
    number = (await mall.order(("notebook", 1)))["number"]
    sent_at = mall.tenant.store.clock()
    wait(mall, sent_at)
    parcel = await mall.ship(number)
    wait(mall, sent_at + timedelta(hours=24, seconds=-1))
    assert await silent(mall) == []

    wait(mall, sent_at + timedelta(hours=25))
    (trouble,) = await silent(mall)
    assert trouble["what"] == parcel
    assert trouble["cause"] == "no first scan 24 h after hand-over"
    assert datetime.fromisoformat(trouble["since"]) == sent_at
    assert trouble["age_seconds"] == 25 * 3600
    assert trouble["about"] == {
        "parcel": parcel, "order": number, "orders": [number], "causes": ["no_first_scan"],
        "hours": 24, "told": False, "state": "handed_over",
        "carrier": "shunfeng", "waybill": "SF10000100001",
    }  # fmt: skip

    seen_at = (sent_at + timedelta(hours=26)).replace(microsecond=0)
    await push(mall, parcel, seen_at, "快件离开【杭州转运中心】,已发往【上海转运中心】")
    assert await silent(mall) == []
    wait(mall, seen_at + timedelta(hours=48))
    (trouble,) = await silent(mall)
    assert (trouble["about"]["causes"], trouble["age_seconds"]) == (["no_movement"], 48 * 3600)

    await push(mall, parcel, seen_at + timedelta(hours=49), "快件清关中")
    wait(mall, seen_at + timedelta(hours=49 + 24))
    (trouble,) = await silent(mall)
    assert trouble["cause"] == "in customs without a scan for 24 h"
    assert trouble["about"]["state"] == "customs"

    await push(mall, parcel, seen_at + timedelta(hours=74), "已签收,签收人:本人")
    wait(mall, seen_at + timedelta(days=30))
    assert await silent(mall) == []


async def test_the_limits_are_the_deployments_when_it_has_its_own(
    database: MallDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """M5: by the environment; the list says which limit was passed."""
    monkeypatch.setenv("TALLYPOST_RULES", '{"first_scan_within": "PT2H"}')
    settings = Settings(tenant=database.schema, keys=tmp_path / "keys", data=tmp_path)
    async with running(settings, database) as mall:
        await mall.ship((await mall.order(("notebook", 1)))["number"])
        now = mall.tenant.store.clock()
        wait(mall, now + timedelta(hours=3))
        (trouble,) = await silent(mall)
    assert (trouble["about"]["hours"], trouble["cause"]) == (
        2,
        "no first scan 2 h after hand-over",
    )


async def test_learners_are_not_shown_what_is_stuck(mall: Mall) -> None:
    """A10: the list is the staff's."""
    assert (await mall.get("/v1/troubles")).status_code == 403
