"""ZTO, YTO and STO without an aggregator's word: asked in their own formats (T1, M3)."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from api.sandbox.carriers import ACCOUNTS
from application.queries_asked import Outcome
from application.querying import Querying
from application.settings import Settings
from tests.api.conftest import Mall, running
from tests.api.test_partners import Partners, partners
from tests.conftest import MallDatabase

pytestmark = pytest.mark.anyio

__all__ = ["partners"]
OPS: dict[str, Any] = {"role": "operations", "subject": "ops"}
CODES = {"zto": "zhongtong", "yto": "yuantong", "sto": "shentong"}
WAYBILL = "73100000000001"


@pytest.fixture
async def mall(database: MallDatabase, tmp_path: Path) -> AsyncIterator[Mall]:
    """A mall with accounts at all three."""
    accounts = {name: {**one, "url": f"http://partners/{name}"} for name, one in ACCOUNTS.items()}
    settings = Settings(
        tenant=database.schema, keys=tmp_path / "keys", data=tmp_path, trackers=accounts
    )
    async with running(settings, database) as mall:
        yield mall


async def shipped(mall: Mall, partners: Partners, carrier: str) -> tuple[str, str]:
    """An order and its parcel; the aggregator is asked to push, and does not."""
    number = (await mall.order(("notebook", 1)))["number"]
    packed = await mall.post("/v1/parcels", {"order": number, "part": 1}, **OPS)
    parcel = packed.json()["parcel"]
    waybill = {"carrier": CODES[carrier], "waybill": WAYBILL, "reason": "their account"}
    for step, body in (("waybill", waybill), ("handover", {})):
        answer = await mall.post(f"/v1/parcels/{parcel}/{step}", body, **OPS)
        assert answer.status_code == 200, answer.text
    await mall.views()
    await partners.behave(pace_seconds=0, lose=True)
    await partners.asking.ask()
    await mall.views()
    return number, parcel


@pytest.mark.parametrize("carrier", CODES)
async def test_what_was_never_pushed_is_told_by_the_carrier_itself(
    mall: Mall, partners: Partners, carrier: str
) -> None:
    """T1, T2: the same scans and states as everybody's, as the partner that was asked; its parcel
    was subscribed at the aggregator, because nobody documents how this one pushes."""
    number, parcel = await shipped(mall, partners, carrier)
    assert WAYBILL in str(partners.app.state.kuaidi100.subscriptions)
    path, parcel_there = f"/carriers/{carrier}/journeys", {"mailno": WAYBILL}
    assert (await partners.client.post(path, json=parcel_there)).status_code == 202
    later = timedelta(hours=5)
    mall.tenant.store.clock = lambda: datetime.now(UTC) + later
    asking = Querying(mall.tenant, partners.client)
    assert await asking.compare() == {Outcome.REPAIRED: 1}
    order = await mall.read(number, role="support", subject="sue")
    (seen,) = order["parcels"]
    assert (seen["state"], seen["scans"][0]["division"]) == ("signed", "330100")
    assert [scan["kind"] for scan in seen["scans"]][::-1] == [
        "picked_up", "departed", "arrived", "out_for_delivery", "signed",
    ]  # fmt: skip
    stream = await mall.get(f"/v1/audit/streams/parcel:{parcel}", role="auditor", subject="aud")
    told = [one for one in stream.json()["events"] if one["fact"] == "parcels.ParcelScanned"]
    assert {one["actor"] for one in told} == {f"partner:{carrier}"}


@pytest.mark.parametrize("carrier", CODES)
async def test_a_refusal_is_no_answer(mall: Mall, partners: Partners, carrier: str) -> None:
    """M2: they refuse everybody; CONTROL: and a signature that is not the account's."""
    await shipped(mall, partners, carrier)
    later = timedelta(hours=5)
    mall.tenant.store.clock = lambda: datetime.now(UTC) + later
    asking = Querying(mall.tenant, partners.client)
    secret = "app_secret" if carrier == "zto" else "secret"
    mall.tenant.settings.trackers[carrier][secret] = "another"
    assert await asking.compare() == {Outcome.REFUSED: 1}
    later += timedelta(minutes=61)
    await partners.behave(refuse=True)
    assert (await asking.compare()).keys() <= {Outcome.REFUSED}
