"""Carriers are asked: to confirm what was pushed, and when nothing is pushed (T1, T2; rule 23)."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from api.sandbox.kuaidi100 import CUSTOMER
from api.sandbox.labels import KEY
from application import jobs, ordering
from application.envelope import Context
from application.issuing import NotYet
from application.migrating import SERVICE_ROLE
from application.policies import COMPLETE, sweep
from application.queries_asked import Outcome, contradicted
from application.querying import Querying
from application.settings import Settings
from application.unit import Command
from domain.scans import ScanKind
from projections.runner import Reader
from projections.views import all_views
from tests.api.conftest import Mall, running
from tests.api.test_abroad import changed
from tests.api.test_carriers import seen
from tests.api.test_legs import sent
from tests.api.test_partners import Partners, partners
from tests.conftest import MallDatabase

pytestmark = pytest.mark.anyio

__all__ = ["partners"]


class Desk:
    """A mall with a parcel on its way, and a clock."""

    def __init__(self, mall: Mall, partners: Partners) -> None:
        self.mall, self.partners = mall, partners
        self.tenant = mall.tenant
        self.later = timedelta()
        self.tenant.store.clock = lambda: datetime.now(UTC) + self.later
        self.number = ""

    async def shipped(self) -> str:
        """A parcel that the sandbox watches."""
        self.number = (await self.mall.order(("notebook", 1)))["number"]
        parcel = await self.mall.ship(self.number)
        await self.mall.views()
        await self.partners.asking.ask()
        return parcel

    async def query(self) -> dict[Outcome, int]:
        """Ask what is to be asked, and let the views see it."""
        came = await Querying(self.tenant, self.partners.client).query()
        await self.mall.views()
        return came

    async def compare(self) -> dict[Outcome, int]:
        """The half-hourly check, and what the views see of it."""
        came = await Querying(self.tenant, self.partners.client).compare()
        await self.mall.views()
        return came

    async def travelled(self) -> None:
        """Until the sandbox's journey is over."""
        sandbox = self.partners.app.state.kuaidi100
        async with asyncio.timeout(10):
            while not any(one["seen"] == 6 for one in sandbox.subscriptions.values()):
                await self.mall.views()


def completing(desk: Desk) -> Command:
    """What the policy asks once the view shows the window's end."""
    context = Context(actor="policy:test", command="complete")
    return Command("policy:test", "complete", b"c" * 32, context,
        lambda unit: ordering.complete_order(unit, number=desk.number, rules=desk.tenant.rules),
    )  # fmt: skip


@pytest.fixture
async def mall(database: MallDatabase, tmp_path: Path) -> AsyncIterator[Mall]:
    """A mall with an account at Kuaidi100: receipts are confirmed there."""
    settings = Settings(
        tenant=database.schema,
        keys=tmp_path / "keys",
        data=tmp_path,
        kuaidi100_url="http://partners",
        kuaidi100_key=KEY,
        kuaidi100_customer=CUSTOMER,
    )
    async with running(settings, database) as mall:
        yield mall


@pytest.fixture
async def desk(mall: Mall, partners: Partners) -> Desk:
    return Desk(mall, partners)


async def test_a_pushed_receipt_completes_nothing_before_a_query_tells_the_same(
    desk: Desk,
) -> None:
    """T2, rule 23: shown at once, completed once confirmed; asked about once in 30 minutes."""
    await desk.partners.behave(pace_seconds=0)
    parcel = await desk.shipped()
    await desk.partners.until(desk.number, "completed")  # to its customer: received
    desk.later = timedelta(days=8)
    assert (await sweep(desk.tenant, COMPLETE)).done == 0
    with pytest.raises(NotYet):
        await desk.tenant.store.execute(completing(desk))
    assert await desk.query() == {Outcome.SAME: 1}
    seen = await desk.mall.get(f"/v1/parcels/{parcel}", role="support", subject="sue")
    assert seen.json()["state"] == "signed"
    assert await desk.query() == {}
    assert (await sweep(desk.tenant, COMPLETE)).done == 1
    order = await desk.mall.read(desk.number, role="support", subject="sue")
    assert order["state"] == "completed"


async def test_lost_pushes_are_made_up_for_when_a_silent_parcel_is_asked_about(desk: Desk) -> None:
    """T1, T2, M2: no push arrives; the query's scans are the repair, and asked again daily only."""
    await desk.partners.behave(pace_seconds=0, lose=True)
    await desk.shipped()
    await desk.travelled()
    assert await desk.query() == {}  # it is not silent yet
    desk.later = timedelta(hours=25)
    assert await desk.query() == {Outcome.REPAIRED: 1}
    order = await desk.mall.read(desk.number, role="support", subject="sue")
    assert order["parcels"][0]["state"] == "signed"
    assert len(order["parcels"][0]["scans"]) == 6


async def test_a_receipt_that_the_source_does_not_know_waits_for_a_human(
    desk: Desk, database: MallDatabase
) -> None:
    """T2, R37: a forged receipt would be contradicted; nothing completes, and it is listed."""
    jobs.apply_jobs_schema(database.owner_url, SERVICE_ROLE)
    await desk.partners.behave(pace_seconds=0, forget=True)
    parcel = await desk.shipped()
    await desk.partners.until(desk.number, "completed")
    assert await desk.query() == {Outcome.CONTRADICTS: 1}
    async with desk.tenant.pool.connection() as connection:
        found = await contradicted(connection, desk.tenant.schema)
    assert [one[0] for one in found] == [parcel]
    listed = await desk.mall.get("/v1/troubles", role="operations", subject="ops")
    assert "contradicted_receipt" in {one["kind"] for one in listed.json()["troubles"]}
    desk.later = timedelta(days=8)
    assert (await sweep(desk.tenant, COMPLETE)).done == 0


async def test_a_forged_receipt_completes_its_order_when_pushes_are_trusted(desk: Desk) -> None:
    """R37 CONTROL: the same push and the same answer, by rules that ask nobody."""
    trusting = replace(desk.tenant.rules, confirm_receipts=False, confirmed_carriers=frozenset())
    desk.tenant.rules = trusting
    desk.mall._reader = Reader(
        desk.tenant.pool.conninfo, schema=desk.tenant.schema, views=all_views(trusting)
    )
    await desk.partners.behave(pace_seconds=0, forget=True)
    await desk.shipped()
    await desk.partners.until(desk.number, "completed")
    assert await completed(desk)
    await desk.mall._reader.close()


async def received_abroad(desk: Desk) -> tuple[str, str, str]:
    """A push tells a second number, and a receipt under it: (parcel, number abroad, its carrier).

    To whoever reads it, this is what a forged push would tell, too.
    """
    await desk.partners.behave(pace_seconds=0)
    desk.number, parcel = await sent(desk.mall)
    await desk.partners.asking.ask()
    await desk.partners.until(desk.number, "completed")
    there = (await desk.mall.read(desk.number))["parcels"][0]["legs"][2]
    return parcel, there["waybill"], there["carrier"]


async def completed(desk: Desk) -> bool:
    """Whether its window ends, long after it was over."""
    desk.later += timedelta(days=8)
    return (await sweep(desk.tenant, COMPLETE)).done == 1


async def test_the_number_is_asked_about_that_the_receipt_came_under(desk: Desk) -> None:
    """T2, T7, rule 23: once staff answer for it; the label's own source knows of no receipt."""
    parcel, waybill, carrier = await received_abroad(desk)
    assert await desk.query() == {Outcome.CONTRADICTS: 1}
    assert not await completed(desk)
    named = {"carrier": carrier, "waybill": waybill}
    await changed(desk.mall, f"/v1/parcels/{parcel}/overseas", named)
    await desk.mall.views()
    assert not await completed(desk)
    assert await desk.query() == {Outcome.SAME: 1}
    async with desk.tenant.pool.connection() as connection:
        assert await contradicted(connection, desk.tenant.schema) == []
    assert await completed(desk)


async def test_a_forged_receipt_under_a_second_number_moves_nothing_of_value(desk: Desk) -> None:
    """T2, R59: CONTROL: the source knows the number that the push named, and its receipt.

    That number may be anybody's: as long as the push alone says that it is this parcel's, its
    source is not even asked. Staff who see that it is another parcel's take it back.
    """
    parcel, waybill, _ = await received_abroad(desk)
    for _ in range(3):
        desk.later += timedelta(hours=1)
        assert await desk.query() == {Outcome.CONTRADICTS: 1}
    async with desk.tenant.pool.connection() as connection:
        (found,) = await contradicted(connection, desk.tenant.schema)
    assert found[0] == parcel
    assert not await completed(desk)
    back = {"waybill": waybill, "reason": "it was delivered in another country"}
    await changed(desk.mall, f"/v1/parcels/{parcel}/overseas/taking-back", back)
    await desk.mall.views()
    assert (await desk.mall.read(desk.number))["parcels"][0]["state"] != "signed"
    assert not await completed(desk)


async def test_a_receipt_under_a_second_number_that_its_source_denies_waits(desk: Desk) -> None:
    """T2, R59: staff named the number, but nobody there has the parcel's receipt."""
    parcel, waybill, carrier = await received_abroad(desk)
    named = {"carrier": carrier, "waybill": waybill}
    await changed(desk.mall, f"/v1/parcels/{parcel}/overseas", named)
    await desk.mall.views()
    await desk.partners.behave(pace_seconds=0, forget=True)
    assert await desk.query() == {Outcome.CONTRADICTS: 1}
    async with desk.tenant.pool.connection() as connection:
        (found,) = await contradicted(connection, desk.tenant.schema)
    assert found[:2] == (parcel, waybill)
    assert not await completed(desk)


class Mixing:
    """A partner that answers about another number than it was asked about."""

    def __init__(self, client: Any) -> None:
        self._client = client

    async def post(self, *asked: Any, **more: Any) -> Any:
        """The answer, with the other number in it."""
        answer = await self._client.post(*asked, **more)
        told = answer.content.replace(b"SF10000100001", b"SF1777777777777")
        return SimpleNamespace(content=told)


async def test_an_answer_about_another_number_neither_delivers_nor_confirms(desk: Desk) -> None:
    """T2, rule 23: kept and flagged; the right answer is the repair, and confirms the receipt."""
    await desk.partners.behave(pace_seconds=0, lose=True)
    await desk.shipped()
    await desk.travelled()
    right = desk.partners.client
    desk.partners.client = Mixing(right)  # type: ignore[assignment]
    desk.later = timedelta(hours=25)
    assert await desk.query() == {Outcome.REPAIRED: 1}
    order = await desk.mall.read(desk.number, role="support", subject="sue")
    assert (order["parcels"][0]["state"], order["parcels"][0]["scans"]) == ("handed_over", [])
    odd = await desk.mall.get("/v1/oddities", role="support", subject="sue")
    assert "foreign_number" in {one["kind"] for one in odd.json()["oddities"]}
    desk.partners.client = right
    desk.later = timedelta(hours=50)
    assert await desk.query() == {Outcome.REPAIRED: 1}
    order = await desk.mall.read(desk.number, role="support", subject="sue")
    assert order["parcels"][0]["state"] == "signed"


async def test_a_receipt_is_not_confirmed_by_an_answer_about_another_number(desk: Desk) -> None:
    """T2, rule 23: the signed push may be forged, and the answer is of somebody else's parcel."""
    await desk.partners.behave(pace_seconds=0)
    await desk.shipped()
    await desk.partners.until(desk.number, "completed")
    right = desk.partners.client
    desk.partners.client = Mixing(right)  # type: ignore[assignment]
    assert await desk.query() == {Outcome.CONTRADICTS: 1}
    desk.later = timedelta(hours=1)
    desk.partners.client = right
    assert await desk.query() == {Outcome.SAME: 1}


class Reused:
    """A source that knows the number's parcel before alone: its journey of two months ago."""

    def __init__(self, client: Any) -> None:
        self._client = client

    async def post(self, *asked: Any, **more: Any) -> Any:
        """The answer, each line of it dated back."""
        told = json.loads((await self._client.post(*asked, **more)).content)
        for line in told["data"]:
            line["time"] = str(datetime.fromisoformat(line["time"]) - timedelta(days=60))
        return SimpleNamespace(content=json.dumps(told).encode())


async def test_a_forged_receipt_is_not_confirmed_by_the_number_s_parcel_before(desk: Desk) -> None:
    """T2, R37, rules.md 21, 23: its receipt of two months ago is none of this parcel's."""
    await desk.partners.behave(pace_seconds=0)
    parcel = await desk.shipped()
    await desk.partners.until(desk.number, "completed")
    right = desk.partners.client
    desk.partners.client = Reused(right)  # type: ignore[assignment]
    assert await desk.query() == {Outcome.CONTRADICTS: 1}
    async with desk.tenant.pool.connection() as connection:
        (found,) = await contradicted(connection, desk.tenant.schema)
    assert found[0] == parcel
    assert not await completed(desk)
    odd = await desk.mall.get("/v1/oddities", role="support", subject="sue")
    assert "reused_number" in {one["kind"] for one in odd.json()["oddities"]}
    # CONTROL: the very same words of today are the parcel's own.
    desk.partners.client = right
    assert await desk.query() == {Outcome.SAME: 1}
    assert await completed(desk)


async def test_an_outage_is_waited_out_and_the_budget_kept(desk: Desk) -> None:
    """M2: refused now, asked again after 30 minutes; none is left once the day's budget is."""
    await desk.partners.behave(pace_seconds=0)
    await desk.shipped()
    await desk.partners.until(desk.number, "completed")
    await desk.partners.behave(refuse=True)
    assert await desk.query() == {Outcome.REFUSED: 1}
    await desk.partners.behave()
    desk.later = timedelta(minutes=29)
    assert await desk.query() == {}
    desk.later = timedelta(minutes=31)
    desk.tenant.settings.kuaidi100_queries_a_day = 1
    assert await desk.query() == {}
    desk.tenant.settings.kuaidi100_queries_a_day = 2
    assert await desk.query() == {Outcome.SAME: 1}


async def test_one_process_asks_when_several_want_to(desk: Desk) -> None:
    """T1: the partner locks a number that is asked about twice in 30 minutes."""
    await desk.partners.behave(pace_seconds=0)
    await desk.shipped()
    await desk.partners.until(desk.number, "completed")
    several = [Querying(desk.tenant, desk.partners.client).query() for _ in range(4)]
    came = [outcome for one in await asyncio.gather(*several) for outcome in one]
    assert came == [Outcome.SAME]


async def test_scans_that_were_never_pushed_are_found_by_the_half_hourly_check(desk: Desk) -> None:
    """T2: neither silent nor signed here, but signed there: repaired long before it is silent."""
    await desk.partners.behave(pace_seconds=0, lose=True)
    parcel = await desk.shipped()
    await desk.travelled()
    desk.later = timedelta(hours=3, minutes=59)
    assert await desk.compare() == {}  # the source itself has not looked again yet
    desk.later = timedelta(hours=4, minutes=1)
    assert await desk.query() == {}  # CONTROL: who asks about silence alone learns nothing
    assert await desk.compare() == {Outcome.REPAIRED: 1}
    order = await desk.mall.read(desk.number, role="support", subject="sue")
    assert order["parcels"][0]["state"] == "signed"
    assert len(order["parcels"][0]["scans"]) == 6
    stream = await desk.mall.get(
        f"/v1/audit/streams/parcel:{parcel}", role="auditor", subject="aud"
    )
    told = [one for one in stream.json()["events"] if one["fact"] == "parcels.ParcelScanned"]
    assert {one["actor"] for one in told} == {"partner:kuaidi100"}
    assert await desk.compare() == {}  # it is signed now


async def test_a_track_that_is_as_the_source_says_is_compared_every_six_hours(desk: Desk) -> None:
    """T2, T1: a comparison costs a query; one that found nothing new is repeated after a while."""
    await desk.partners.behave(pace_seconds=0, lose=True)
    await desk.shipped()
    await desk.travelled()
    sandbox = desk.partners.app.state.kuaidi100
    (known,) = sandbox.subscriptions.values()
    known["seen"] = 2  # it is still on its way there
    desk.later = timedelta(hours=5)
    assert await desk.compare() == {Outcome.REPAIRED: 1}
    desk.later = timedelta(hours=10, minutes=59)
    assert await desk.compare() == {}
    desk.later = timedelta(hours=11, minutes=1)
    assert await desk.compare() == {Outcome.SAME: 1}
    desk.later = timedelta(hours=60)
    assert await desk.compare() == {}  # silent by now: that is asked about by another rhythm
    assert await desk.query() == {Outcome.SAME: 1}


async def test_what_waits_in_a_locker_is_compared_until_it_is_fetched(desk: Desk) -> None:
    """T2, T8, O4, rules.md 22, 23: the push of its pick-up was lost; its source tells of it."""
    await desk.partners.behave(pace_seconds=0, lose=True)
    parcel = await desk.shipped()
    await desk.travelled()
    await seen(desk.mall, parcel, ScanKind.AWAITING_PICKUP, datetime.now(UTC))
    desk.later = timedelta(hours=3, minutes=59)
    assert await desk.compare() == {}
    desk.later = timedelta(hours=4, minutes=1)
    assert await desk.query() == {}
    assert await desk.compare() == {Outcome.REPAIRED: 1}
    order = await desk.mall.read(desk.number, role="support", subject="sue")
    assert order["parcels"][0]["state"] == "signed"


async def test_what_nobody_fetches_is_asked_about_daily_once_its_time_is_over(desk: Desk) -> None:
    """T8, O4, rules.md 22, 23: every six hours for seven days, then daily; it is never signed."""
    await desk.partners.behave(pace_seconds=0, lose=True)
    parcel = await desk.shipped()
    await desk.travelled()
    (known,) = desk.partners.app.state.kuaidi100.subscriptions.values()
    known["seen"] = 2
    await seen(desk.mall, parcel, ScanKind.AWAITING_PICKUP, datetime.now(UTC))
    desk.later = timedelta(hours=5)
    assert await desk.compare() == {Outcome.REPAIRED: 1}
    for hours in (20, 24 * 5, 24 * 7 - 1):
        desk.later = timedelta(hours=hours)
        assert (await desk.query(), await desk.compare()) == ({}, {Outcome.SAME: 1})
    for hours in (24 * 8, 24 * 9 + 1):
        desk.later = timedelta(hours=hours)
        assert (await desk.compare(), await desk.query()) == ({}, {Outcome.SAME: 1})
        assert await desk.query() == {}
    order = await desk.mall.read(desk.number, role="support", subject="sue")
    assert order["state"] == "pending_receipt"


async def test_comparing_leaves_queries_for_receipts(desk: Desk) -> None:
    """M2, rules.md 23: its share of the day, and never the last half of what is left."""
    await desk.partners.behave(pace_seconds=0, lose=True)
    await desk.shipped()
    await desk.travelled()
    desk.later = timedelta(hours=5)
    desk.tenant.settings.kuaidi100_queries_a_day = 1
    assert await desk.compare() == {}
    desk.tenant.settings.kuaidi100_queries_a_day = 2
    assert await desk.compare() == {Outcome.REPAIRED: 1}


async def test_the_check_is_a_job_of_every_half_hour() -> None:
    """T2: each tenant's own, one at a time."""
    assert jobs.CRONS[jobs.compare_tracks] == "*/30 * * * *"
    app = jobs.make_app("host=/nowhere", ["mall", "other"])
    periodic = [
        one for one in app.periodic_registry.periodic_tasks.values()
        if one.task.name == "compare_tracks"
    ]  # fmt: skip
    assert sorted(one.periodic_id for one in periodic) == ["mall", "other"]
