"""How carriers do, and what learners hear of their parcels (T4, T5, T9)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from application import shipping
from application.arrivals import estimate_arrivals
from application.compounds import note_compounds
from application.delays import DELAYS
from application.envelope import Context
from application.jobs import apply_jobs_schema
from application.migrating import SERVICE_ROLE
from application.policies import COMPLETE
from application.streams import PARCEL
from application.sweeping import sweep
from application.unit import Command, Unit
from domain.scans import BEIJING, Scan, ScanKind
from tests.api.conftest import Mall
from tests.conftest import MallDatabase

pytestmark = pytest.mark.anyio

SUPPORT = {"role": "support", "subject": "sue"}


async def seen(
    mall: Mall, parcel: str, kind: ScanKind, at: datetime, text: str | None = None
) -> None:
    """A scan, as if its carrier had told of it."""
    rules = mall.tenant.rules

    def decide(unit: Unit) -> dict[str, Any]:
        waybill = unit.read(PARCEL, parcel).waybill
        assert waybill is not None
        scan = Scan(number=waybill, time=at, text=text or f"{kind}", carrier="shunfeng", kind=kind)
        return shipping.record_scans(
            unit, parcel=parcel, scans=[scan], source="test", raw=None, corrected_to=None,
            rules=rules,
        )  # fmt: skip

    await mall.tenant.store.execute(
        Command(
            "partner:test", f"{parcel}:{kind}", b"s" * 32,
            Context(actor="partner:test", command="scan"),
            decide,
        )
    )  # fmt: skip
    await mall.views()


async def test_what_a_recipient_put_off_is_awaited_then(mall: Mall) -> None:
    """T4, T8: the agreed span is in the order, with staff, and next in support's timeline."""
    number = (await mall.order(("notebook", 1)))["number"]
    parcel = await mall.ship(number)
    await mall.views()
    await estimate_arrivals(mall.tenant)
    now = datetime.now(UTC)
    day = (now + timedelta(days=20)).astimezone(BEIJING)
    text = f"已与客户预约{day.month}月{day.day}日14:00-16:00派送"
    await seen(mall, parcel, ScanKind.RESCHEDULED, now, text)
    (box,) = (await mall.read(number))["parcels"]
    start = day.replace(hour=14, minute=0, second=0, microsecond=0)
    agreed = {name: datetime.fromisoformat(at) for name, at in box["appointment"].items()}
    assert agreed == {"starts_at": start, "ends_at": start + timedelta(hours=2)}
    assert box["arrival"] == {
        "earliest": box["appointment"]["starts_at"],
        "latest": box["appointment"]["ends_at"],
        "basis": "appointment",
    }
    inside = (await mall.get(f"/v1/parcels/{parcel}", **SUPPORT)).json()
    assert inside["appointment"] == box["appointment"]
    path = f"/v1/support/orders/{number}/timeline"
    story = (await mall.get(path, **SUPPORT)).json()
    (due,) = [one for one in story["ahead"] if one["work"] == "deliver_as_agreed"]
    assert datetime.fromisoformat(due["at"]) == start
    assert due["words"]["zh"] == "承运商按约定时间派送"
    (cause,) = [one for one in story["entries"] if one["id"] == due["because_of"]]
    assert cause["fact"] == "parcels.ParcelScanned"
    mall.tenant.store.clock = lambda: start + timedelta(hours=2)
    later = (await mall.get(path, **SUPPORT)).json()["ahead"]
    assert all(one["work"] != "deliver_as_agreed" for one in later)


async def test_an_order_says_when_its_parcel_should_arrive_until_it_does(mall: Mall) -> None:
    """T4: shown to the learner from hand-over on; what came of it is counted by carrier."""
    number = (await mall.order(("notebook", 1)))["number"]
    parcel = await mall.ship(number)
    assert (await mall.read(number))["parcels"][0]["arrival"] is None
    await estimate_arrivals(mall.tenant)
    arrival = (await mall.read(number))["parcels"][0]["arrival"]
    assert arrival["basis"] == "rate_card"
    earliest = datetime.fromisoformat(arrival["earliest"])
    assert datetime.now(UTC) < earliest < datetime.fromisoformat(arrival["latest"])
    inside = await mall.get(f"/v1/parcels/{parcel}", **SUPPORT)
    assert inside.json()["arrival"] == arrival
    mall.tenant.store.clock = lambda: earliest + timedelta(hours=2)
    await seen(mall, parcel, ScanKind.SIGNED, earliest + timedelta(hours=1))
    assert (await mall.read(number))["parcels"][0]["arrival"] is None
    found = (await mall.get("/v1/carriers/arrivals", **SUPPORT)).json()
    assert found["aim_percent"] == 90
    (one,) = found["carriers"]
    assert (one["carrier"], one["parcels"], one["inside"], one["percent"]) == (
        "shunfeng", 1, 1, 100.0,
    )  # fmt: skip


async def test_a_delay_is_shown_to_the_learner_and_listed_for_staff(
    mall: Mall, database: MallDatabase
) -> None:
    """T5, N3: in words, both languages; listed with its age until the parcel goes on."""
    apply_jobs_schema(database.owner_url, SERVICE_ROLE)  # the queue is among the troubles
    number = (await mall.order(("notebook", 1)))["number"]
    parcel = await mall.ship(number)
    await mall.views()
    await estimate_arrivals(mall.tenant)
    await mall.views()
    began = datetime.now(UTC)
    mall.tenant.store.clock = lambda: began + timedelta(hours=100)
    for policy in DELAYS:
        await sweep(mall.tenant, policy)
    delay = (await mall.read(number))["parcels"][0]["delay"]
    assert delay["cause"] in ("no_first_scan", "eta_passed")
    assert delay["message"] != delay["message_zh"] != ""
    troubles = (await mall.get("/v1/troubles", **SUPPORT)).json()["troubles"]
    kinds = {one["kind"] for one in troubles if one["about"].get("parcel") == parcel}
    assert kinds == {"delayed_parcel", "unwatched_parcel"}
    (late,) = [one for one in troubles if one["kind"] == "delayed_parcel"]
    assert late["about"]["told"] is True
    assert late["about"]["causes"] == ["no_first_scan", "eta_passed"]
    assert late["cause"] == "no first scan 24 h after hand-over; later than its learner was told"
    assert late["age_seconds"] > 0
    await seen(mall, parcel, ScanKind.SIGNED, began + timedelta(hours=99))
    assert (await mall.read(number))["parcels"][0]["delay"] is None
    left = (await mall.get("/v1/troubles", **SUPPORT)).json()["troubles"]
    assert not [one for one in left if one["kind"] == "delayed_parcel"]


async def test_a_lost_parcel_is_told_to_its_learner_staff_and_carrier(
    mall: Mall, database: MallDatabase
) -> None:
    """T5, D2: nobody has to ask; it stays listed until somebody opens a case or claims."""
    apply_jobs_schema(database.owner_url, SERVICE_ROLE)  # the queue is among the troubles
    number = (await mall.order(("notebook", 1)))["number"]
    parcel = await mall.ship(number)
    await mall.views()
    began = datetime.now(UTC)
    await seen(mall, parcel, ScanKind.LOST, began + timedelta(hours=1))
    mall.tenant.store.clock = lambda: began + timedelta(hours=2)
    for policy in DELAYS:
        await sweep(mall.tenant, policy)
    delay = (await mall.read(number))["parcels"][0]["delay"]
    assert delay["cause"] == "lost"
    assert "lost your parcel" in delay["message"]
    troubles = (await mall.get("/v1/troubles", **SUPPORT)).json()["troubles"]
    (lost,) = [one for one in troubles if one["kind"] == "delayed_parcel"]
    assert (lost["about"]["parcel"], lost["cause"]) == (parcel, "its carrier lost it")
    asked = (await mall.get(f"/v1/claims/{parcel}", **SUPPORT)).json()
    assert asked["inquiry"] == "open"
    opened = await mall.post(f"/v1/orders/{number}/disputes", {"reason": "lost"})
    assert opened.status_code == 201, opened.text
    await mall.views()
    left = (await mall.get("/v1/troubles", **SUPPORT)).json()["troubles"]
    assert not [one for one in left if one["kind"] == "delayed_parcel"]


async def test_staff_see_where_and_when_deliveries_succeed(mall: Mall) -> None:
    """T9: by district with its name, by compound without one; a carrier's card beside it."""
    number = (await mall.order(("notebook", 1)))["number"]
    parcel = await mall.ship(number)
    await mall.views()
    await seen(mall, parcel, ScanKind.SIGNED, datetime.now(UTC) + timedelta(minutes=1))
    (place,) = (await mall.get("/v1/carriers/deliveries", **SUPPORT)).json()["places"]
    assert (place["division"], place["name"]) == ("330106", "杭州市西湖区")
    assert (place["tried"], place["well"], place["percent"], place["prefer"]) == (1, 1, 100.0, None)
    others = await mall.get("/v1/carriers/deliveries", **SUPPORT, carrier="ems")
    assert others.json()["places"] == []
    assert (await mall.get("/v1/carriers/deliveries", **SUPPORT, by="street")).status_code == 422
    await note_compounds(mall.tenant)
    compounds = (await mall.get("/v1/carriers/deliveries", **SUPPORT, by="compound")).json()
    (compound,) = compounds["places"]
    assert len(compound["compound"]) == 12
    assert "文三" not in str(compounds)
    (card,) = (await mall.get("/v1/carriers/scorecards", **SUPPORT)).json()["carriers"]
    assert (card["carrier"], card["on_time_percent"], card["first_try_percent"]) == (
        "shunfeng", 100.0, 100.0,
    )  # fmt: skip
    assert (card["complaints_per_1000"], card["ratings"], card["stars"]) == (0, 0, None)


async def test_a_scorecard_has_the_stars_that_learners_gave_the_delivery(mall: Mall) -> None:
    """T9, O4: the average of rated lines of orders that the carrier brought."""
    number = (await mall.order(("notebook", 1)))["number"]
    parcel = await mall.ship(number)
    await mall.views()
    now = datetime.now(UTC)
    await seen(mall, parcel, ScanKind.SIGNED, now)
    mall.tenant.store.clock = lambda: now + timedelta(days=8)
    await sweep(mall.tenant, COMPLETE)
    stars = {"ratings": [{"line": 1, "goods": 5, "delivery": 4}]}
    rated = await mall.post(f"/v1/orders/{number}/ratings", stars)
    assert rated.status_code in (200, 201), rated.text
    await mall.views()
    (card,) = (await mall.get("/v1/carriers/scorecards", **SUPPORT)).json()["carriers"]
    assert (card["ratings"], card["stars"]) == (1, 4.0)
