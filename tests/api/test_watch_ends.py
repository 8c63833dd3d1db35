"""Kuaidi100 ends its watch, or corrects the carrier, by a push (T1, T2; wire 1.5, 1.6)."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from application.jobs import apply_jobs_schema
from application.migrating import SERVICE_ROLE
from tests.api.conftest import Mall
from tests.api.test_partners import Partners, partners
from tests.conftest import MallDatabase
from tests.reliability.test_callbacks import Pushing

pytestmark = pytest.mark.anyio

__all__ = ["partners"]
OPS: dict[str, Any] = {"role": "operations", "subject": "ops"}
NOTHING_FOUND = {"status": "abort", "message": "3天查询无记录", "autoCheck": "0",
                 "comOld": "", "comNew": ""}  # fmt: skip


class Watch:
    """One parcel that Kuaidi100 is asked to watch, and a clock."""

    def __init__(self, mall: Mall, partners: Partners, parcel: str) -> None:
        self.mall, self.partners, self.parcel = mall, partners, parcel
        self.pushing = Pushing(mall, parcel)
        self.later = timedelta()
        mall.tenant.store.clock = lambda: datetime.now(UTC) + self.later

    async def asked(self) -> int:
        """Let the house ask; how often it subscribed to the parcel by then."""
        await self.mall.views()
        await self.partners.asking.ask()
        await self.mall.views()
        stream = await self.facts()
        return stream.count("parcels.TrackingSubscribed")

    async def facts(self) -> list[str]:
        path = f"/v1/audit/streams/parcel:{self.parcel}"
        answer = await self.mall.get(path, role="auditor", subject="aud")
        return [one["fact"] for one in answer.json()["events"]]

    async def told(self, **push: Any) -> None:
        """Their push; it is taken, whatever it says."""
        param = json.dumps(push, ensure_ascii=False).encode()
        answer = await self.pushing.send(self.pushing.signed(param))
        assert answer.json()["returnCode"] == "200"
        await self.mall.views()

    async def troubles(self) -> list[tuple[str, str | None]]:
        """What staff see of parcels that are not watched, or whose pushes nobody understands."""
        answer = await self.mall.get("/v1/troubles", **OPS)
        kinds = ("unwatched_parcel", "unreadable_push")
        return [
            (one["kind"], one["cause"]) for one in answer.json()["troubles"] if one["kind"] in kinds
        ]

    async def carrier(self) -> str:
        answer = await self.mall.get(f"/v1/parcels/{self.parcel}", **OPS)
        carrier: str = answer.json()["carrier"]
        return carrier


@pytest.fixture
async def watch(mall: Mall, partners: Partners, database: MallDatabase) -> Watch:
    apply_jobs_schema(database.owner_url, SERVICE_ROLE)  # the queue is among the troubles
    await partners.behave(lose=True, pace_seconds=0)
    number = (await mall.order(("notebook", 1)))["number"]
    watch = Watch(mall, partners, await mall.ship(number))
    assert await watch.asked() == 1
    return watch


async def test_a_watch_that_is_given_up_is_asked_for_again_half_an_hour_later(watch: Watch) -> None:
    """T1, wire 1.5: not sooner, once each time, and listed when it stays without."""
    for again in (1, 2):
        await watch.told(**NOTHING_FOUND, round=again)
        await watch.told(**NOTHING_FOUND, round=again)  # sent twice
        assert (await watch.facts()).count("parcels.WatchEnded") == again
        watch.later += timedelta(minutes=29)
        assert await watch.asked() == again
        assert await watch.troubles() == []  # it is as it should be
        watch.later += timedelta(minutes=4)
        assert await watch.troubles() == [("unwatched_parcel", "the partner gave up on it")]
        assert await watch.asked() == again + 1
        assert await watch.troubles() == []


async def test_a_watch_that_is_over_is_not_asked_for_again(watch: Watch) -> None:
    """T1, wire 1.6: shutdown says that it arrived; what is still to come is asked about."""
    last = {"nu": "SF10000100001", "com": "shunfeng", "state": "3", "ischeck": "1", "data": []}
    await watch.told(status="shutdown", message="", lastResult=last)
    assert "parcels.WatchEnded" in await watch.facts()
    watch.later += timedelta(days=2)
    assert await watch.asked() == 1
    assert await watch.troubles() == []


async def test_an_abort_that_corrects_the_carrier_ends_no_watch(watch: Watch) -> None:
    """T1, wire 1.6: CONTROL: they have subscribed under the right code themselves."""
    await watch.told(**{**NOTHING_FOUND, "comNew": "zhongtong"})
    assert await watch.carrier() == "zhongtong"
    assert "parcels.WatchEnded" not in await watch.facts()
    watch.later += timedelta(hours=1)
    assert await watch.asked() == 1


@pytest.mark.parametrize("swapped", [False, True])
async def test_two_corrections_end_the_same_in_any_order(watch: Watch, swapped: bool) -> None:
    """T1, T2: the second starts from where the first one led."""
    first = {**NOTHING_FOUND, "comNew": "zhongtong"}
    second = {**NOTHING_FOUND, "comOld": "zhongtong", "comNew": "yuantong"}
    for push in (second, first) if swapped else (first, second):
        await watch.told(**push)
    assert await watch.carrier() == "yuantong"


async def test_a_carrier_that_nobody_knows_is_not_believed(watch: Watch) -> None:
    """T1: kept as it came, once, for a human; its scans are recorded all the same."""
    then = datetime.now(UTC) + timedelta(hours=8)
    line = {"time": f"{then:%Y-%m-%d %H:%M:%S}", "context": "快件已揽收"}
    last = {"nu": "SF10000100001", "com": "shunfeng", "state": "0", "data": [line]}
    await watch.told(**{**NOTHING_FOUND, "comNew": "nosuchcarrier", "lastResult": last})
    await watch.told(**{**NOTHING_FOUND, "comNew": "nosuchcarrier", "autoCheck": "1"})
    await watch.told(**{**NOTHING_FOUND, "comOld": "nobody", "comNew": "zhongtong"})
    assert await watch.carrier() == "shunfeng"
    facts = await watch.facts()
    assert "parcels.CarrierCorrected" not in facts
    assert (facts.count("parcels.PushUnreadable"), facts.count("parcels.ParcelScanned")) == (1, 1)
    assert await watch.troubles() == [("unreadable_push", None)]
