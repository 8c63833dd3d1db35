"""SF without an aggregator: pushed, asked, confirmed; the sandbox plays it (T1, M3; rule 23)."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from api.sandbox.sf import CHECK_WORD, PARTNER
from application.policies import COMPLETE, sweep
from application.queries_asked import Outcome
from application.querying import Querying
from application.settings import Settings
from tests.api.conftest import Mall, running
from tests.api.test_partners import Partners, partners
from tests.conftest import MallDatabase

pytestmark = pytest.mark.anyio

__all__ = ["partners"]
WAYBILL = "SF10000100001"


@pytest.fixture
async def mall(database: MallDatabase, tmp_path: Path) -> AsyncIterator[Mall]:
    """A mall with an account at SF."""
    account = {"url": "http://partners/sf", "partner": PARTNER, "check_word": CHECK_WORD}
    settings = Settings(
        tenant=database.schema,
        keys=tmp_path / "keys",
        data=tmp_path,
        trackers={"sf": {**account, "signed": "yes"}},
    )
    async with running(settings, database) as mall:
        yield mall


async def shipped(mall: Mall, partners: Partners) -> tuple[str, str]:
    """An order and its parcel, which SF watches without being asked."""
    mall.tenant.settings.kuaidi100_url = None
    number = (await mall.order(("notebook", 1)))["number"]
    parcel = await mall.ship(number)
    await mall.views()
    await partners.asking.ask()
    await mall.views()
    return number, parcel


async def travel(mall: Mall, partners: Partners) -> None:
    """SF picks it up and pushes what happens, until its journey is over."""
    url = mall.tenant.callback_links.carrier_url("sf")
    journey = {"mailno": WAYBILL, "push_url": url, "phone": "8000"}
    answer = await partners.client.post("/sf/journeys", json=journey)
    assert answer.status_code == 202


async def test_the_order_arrives_by_what_sf_itself_pushes(mall: Mall, partners: Partners) -> None:
    """T1, T2: every push twice; signed with the check word; the same scans and states."""
    await partners.behave(pace_seconds=0, repeat=2)
    number, parcel = await shipped(mall, partners)
    stream = await mall.get(f"/v1/audit/streams/parcel:{parcel}", role="auditor", subject="aud")
    facts = [one["fact"] for one in stream.json()["events"]]
    assert "parcels.TrackingSubscribed" in facts
    await travel(mall, partners)
    await partners.until(number, "completed")
    order = await mall.read(number, role="support", subject="sue")
    (seen,) = order["parcels"]
    assert (seen["state"], len(seen["scans"])) == ("signed", 5)
    assert [scan["kind"] for scan in seen["scans"]][::-1] == [
        "picked_up", "departed", "arrived", "out_for_delivery", "signed",
    ]  # fmt: skip
    assert seen["scans"][0]["division"] == "330100"


async def test_forged_and_foreign_pushes_change_nothing(mall: Mall, partners: Partners) -> None:
    """T2, R33: another check word, another address, an unknown waybill."""
    await partners.behave(pace_seconds=0, repeat=1, forge=True)
    number, parcel = await shipped(mall, partners)
    before = mall.tenant.store.position
    await travel(mall, partners)
    await asyncio.sleep(0.3)
    assert (await mall.read(number))["parcels"][0]["scans"] == []
    links = mall.tenant.callback_links
    for key in (links.key(parcel), links.key("zto"), "sf.0123", "sf"):
        answer = await mall.client.post(f"/v1/callbacks/carriers/{key}", content=b"{}")
        assert answer.status_code == 401
    assert mall.tenant.store.position == before


async def test_what_sf_does_not_push_it_tells_when_it_is_asked(
    mall: Mall, partners: Partners
) -> None:
    """T1, T2: lost pushes are made up for by a query in its own format, as the principal sf."""
    await partners.behave(pace_seconds=0, lose=True)
    number, parcel = await shipped(mall, partners)
    await travel(mall, partners)
    await asyncio.sleep(0.2)
    later = timedelta(hours=5)
    mall.tenant.store.clock = lambda: datetime.now(UTC) + later
    asking = Querying(mall.tenant, partners.client)
    assert await asking.compare() == {Outcome.REPAIRED: 1}
    await mall.views()
    assert (await mall.read(number))["parcels"][0]["state"] == "signed"
    stream = await mall.get(f"/v1/audit/streams/parcel:{parcel}", role="auditor", subject="aud")
    told = [one for one in stream.json()["events"] if one["fact"] == "parcels.ParcelScanned"]
    assert {one["actor"] for one in told} == {"partner:sf"}


async def test_a_receipt_that_sf_pushed_completes_nothing_before_sf_tells_it_when_asked(
    mall: Mall, partners: Partners
) -> None:
    """T2, R37, rules.md 23: its pushes may be unsigned; without an aggregator, too."""
    await partners.behave(pace_seconds=0, forget=True)
    number, _ = await shipped(mall, partners)
    await travel(mall, partners)
    await partners.until(number, "completed")  # to its customer: received
    later = timedelta(days=8)
    mall.tenant.store.clock = lambda: datetime.now(UTC) + later
    assert (await sweep(mall.tenant, COMPLETE)).done == 0
    asking = Querying(mall.tenant, partners.client)
    assert await asking.query() == {Outcome.CONTRADICTS: 1}
    await partners.behave()
    later += timedelta(minutes=31)
    assert await asking.query() == {Outcome.SAME: 1}
    await mall.views()
    assert (await sweep(mall.tenant, COMPLETE)).done == 1


async def test_sf_refusing_is_no_answer_and_is_asked_again(mall: Mall, partners: Partners) -> None:
    """M2: a system error of theirs, and a check word that they don't know."""
    await partners.behave(pace_seconds=0, lose=True)
    await shipped(mall, partners)
    await travel(mall, partners)
    later = timedelta(hours=5)
    mall.tenant.store.clock = lambda: datetime.now(UTC) + later
    await partners.behave(refuse=True)
    asking = Querying(mall.tenant, partners.client)
    assert await asking.compare() == {Outcome.REFUSED: 1}
    assert await asking.compare() == {}


async def test_a_push_from_elsewhere_is_refused_where_addresses_are_listed(
    mall: Mall, partners: Partners
) -> None:
    """T2, wire 2.4: pushes may be unsigned, so where they come from can be said."""
    mall.tenant.settings.trackers["sf"]["addresses"] = "192.0.2.1, 192.0.2.2"
    key = mall.tenant.callback_links.key("sf")
    answer = await mall.client.post(f"/v1/callbacks/carriers/{key}", content=b"{}")
    assert answer.status_code == 401
    mall.tenant.settings.trackers["sf"]["addresses"] = ""
    mall.tenant.settings.trackers["sf"]["signed"] = "no"
    answer = await mall.client.post(f"/v1/callbacks/carriers/{key}", content=b"{}")
    assert answer.json() == {"return_code": "1000", "return_msg": "unreadable"}
