"""A third party's warehouse, whatever the sandbox does (W2, C3; rules 1, 5, 29; M2, M3)."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from pydantic import SecretStr

from api.sandbox.third_party import SECRET, ThirdParty, third_parties
from application.consigning import CONSIGN
from application.envelope import Context
from application.following import FOLLOW
from application.gateways.third_party import (
    CountMessage,
    FoundIn,
    ParcelIn,
    ParcelMessage,
    signed_message,
)
from application.intercepting import INTERCEPTS
from application.jobs import apply_jobs_schema
from application.migrating import SERVICE_ROLE
from application.policies import overdue, sweep
from application.pushing_consignments import CALLBACK, Consignments
from application.releasing import require_review
from application.settings import Settings
from application.shipping import record_scans
from application.unit import Command
from domain.release_facts import ReviewReason
from domain.scans import Scan, ScanKind
from tests.api.conftest import RECIPIENT, Mall, running
from tests.api.test_controls import controls
from tests.api.test_partners import Partners
from tests.conftest import MallDatabase

pytestmark = pytest.mark.anyio

STAFF = {"role": "operations", "subject": "ops"}
CANCEL = {"reason": "changed_mind"}
PLACE = "shaanxi"
PATIENCE_SECONDS = 20.0


class Depot:
    """A mall one of whose warehouses is run by somebody else: the sandbox."""

    def __init__(self, mall: Mall, partners: Partners) -> None:
        self.mall, self.partners = mall, partners
        self.later = timedelta()
        mall.tenant.store.clock = self.theirs.clock = lambda: datetime.now(UTC) + self.later

    @property
    def theirs(self) -> ThirdParty:
        """What the third party knows."""
        found: ThirdParty = self.partners.app.state.third_party
        return found

    async def change(self, path: str, body: Any, status: int = 200, **more: Any) -> Any:
        """A change, by staff unless somebody else is named, seen by the views."""
        answer = await self.mall.post(path, body, **(more or STAFF))
        assert answer.status_code == status, answer.text
        await self.mall.views()
        return answer.json()

    async def released(self, *lines: tuple[str, int]) -> tuple[str, str]:
        """An order that its warehouse may send: (its number, its parcel)."""
        number = (await self.mall.order(*(lines or (("enamel-mug", 2),))))["number"]
        ran = await self.change("/v1/waves", {"warehouse": PLACE, "orders": [number]})
        return number, ran["parcels"][0]

    async def turn(self) -> None:
        """Everything that happens by itself, once."""
        await self.mall.views()
        await sweep(self.mall.tenant, CONSIGN)
        await self.mall.views()
        await Consignments(self.mall.tenant, self.partners.client).ask()
        await self.mall.views()
        await sweep(self.mall.tenant, FOLLOW)
        await self.mall.views()

    async def seen(self, parcel: str) -> Any:
        """The parcel as it is listed."""
        answer = await self.mall.get("/v1/consignments", all=True, **STAFF)
        assert answer.status_code == 200, answer.text
        return next(one for one in answer.json()["consignments"] if one["parcel"] == parcel)

    async def until(self, parcel: str, state: str) -> Any:
        """The parcel once it is so far, and the house has followed."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                await self.turn()
                one = await self.seen(parcel)
                if one["state"] == state and not one["behind"]:
                    return one
                await asyncio.sleep(0.02)

    async def left_unheard(self) -> None:
        """Wait until they sent a parcel, and what they told of it is lost."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not self.theirs.shipped or self.theirs.line.tasks:
                await self.mall.views()

    async def order(self, number: str) -> Any:
        """An order as staff see it."""
        return await self.mall.read(number, role="support", subject="sue")

    async def facts(self, stream: str) -> list[str]:
        """What happened, by the last words of the facts' names."""
        path = f"/v1/audit/streams/{stream}"
        answer = await self.mall.get(path, role="auditor", subject="eve")
        return [one["fact"].partition(".")[2] for one in answer.json()["events"]]

    async def tell(
        self,
        message: ParcelMessage | CountMessage,
        *,
        name: str = "msg_1",
        secret: SecretStr = SECRET,
        at: datetime | None = None,
        change: bytes = b"",
    ) -> httpx2.Response:
        """A push of theirs."""
        body, headers = signed_message(
            secret, message, name=name, at=at or self.mall.tenant.store.clock()
        )
        url = self.mall.tenant.callback_links.url(PLACE, partner=CALLBACK)
        path = url.partition("8000")[2]
        return await self.mall.client.post(path, content=body + change, headers=headers)

    def message(self, parcel: str, step: str, **more: Any) -> ParcelMessage:
        """What they tell of a parcel."""
        return ParcelMessage.model_validate(
            {
                "type": f"parcel.{step}",
                "timestamp": datetime.now(UTC),
                "data": ParcelIn(parcel=parcel, **({"revision": 1} | more)),
            }
        )


SENT = {
    "units": [FoundIn(sku="enamel-mug", quantity=2)], "weight_grams": 640, "carrier": "shunfeng",
    "waybill": "SF1000000000042",
}  # fmt: skip
IN_IT = {"units": SENT["units"], "weight_grams": 640}


@pytest.fixture
async def depot(database: MallDatabase, tmp_path: Path) -> AsyncIterator[Depot]:
    """A mall whose warehouse in Shaanxi is a third party's."""
    set_up = json.loads(third_parties("http://partners")["THIRD_PARTIES"])
    settings = Settings.model_validate(
        {
            "tenant": database.schema,
            "keys": tmp_path / "keys",
            "data": tmp_path,
            "third_parties": set_up,
        }
    )
    apply_jobs_schema(database.owner_url, SERVICE_ROLE)
    async with running(settings, database) as mall:
        answer = await mall.get("/v1/warehouses", **STAFF)
        terms = next(one for one in answer.json()["warehouses"] if one["code"] == PLACE)
        changed = await mall.post("/v1/warehouses", {**terms, "third_party": True}, **STAFF)
        assert changed.status_code == 200, changed.text
        await mall.views()
        partners = Partners(mall)
        await partners.behave(pace_seconds=0.05, repeat=1)
        yield Depot(mall, partners)
        for task in list(partners.app.state.third_party.line.tasks):
            task.cancel()
        await partners.client.aclose()
        await mall.tenant.payments.aclose()


@pytest.mark.parametrize("newest_first", [False, True])
async def test_a_third_party_sends_the_parcel_when_a_wave_released_it(
    depot: Depot, newest_first: bool
) -> None:
    """W2, W4: asked once, told step by step or backwards, each twice; its carrier is reported."""
    await depot.partners.behave(pace_seconds=0.02, repeat=2, newest_first=newest_first)
    number, parcel = await depot.released()
    seen = await depot.until(parcel, "shipped")
    assert (seen["acknowledged"], seen["stage"]) == (1, "handed_over")
    assert {one["name"] for one in seen["units"]} == {"搪瓷杯 Enamel mug"}
    order = await depot.order(number)
    assert order["state"] == "pending_receipt"
    assert order["parcels"][0]["waybill"] == seen["waybill"]
    facts = await depot.facts(f"parcel:{parcel}")
    assert facts[:6] == [
        "ParcelPlanned", "PickingStarted", "ParcelPicked", "ParcelPacked", "WaybillIssued",
        "ParcelHandedOver",
    ]  # fmt: skip
    assert depot.theirs.shipped == 1


async def test_points_come_back_once_the_third_party_acknowledges_a_cancel(depot: Depot) -> None:
    """Rule 5: cancelling until then, whatever is asked meanwhile; then all is free again."""
    before = (await depot.mall.balance())["available"]
    await depot.partners.behave(pace_seconds=60)
    number, parcel = await depot.released()
    await depot.until(parcel, "accepted")
    spent = before - (await depot.mall.balance())["available"]
    cancelled = await depot.mall.post(f"/v1/orders/{number}/cancellation", CANCEL)
    assert (cancelled.status_code, cancelled.json()["points"]) == (200, 0), cancelled.text
    assert cancelled.json()["cancelling"] == [1]
    twice = await depot.mall.post(f"/v1/orders/{number}/cancellation", CANCEL)
    assert twice.status_code == 409
    assert "acknowledge" in twice.json()["detail"]
    order = await depot.mall.read(number)
    assert (order["status"], order["parts"][0]["cancelling"]) == ("pending_shipment", True)
    assert (await depot.mall.balance())["available"] == before - spent
    await depot.until(parcel, "cancelled")
    assert (await depot.mall.read(number))["status"] == "cancelled"
    assert (await depot.mall.balance())["available"] == before
    assert (await depot.facts(f"parcel:{parcel}"))[-1] == "ParcelDissolved"
    assert depot.theirs.shipped == 0


async def test_a_cancel_that_comes_too_late_becomes_an_intercept(depot: Depot) -> None:
    """Rule 5: already shipped, as the third party says: its carrier is asked to turn it round."""
    await depot.partners.behave(pace_seconds=0.01, lose=True)
    number, parcel = await depot.released()
    await depot.turn()
    await depot.left_unheard()
    cancelled = await depot.mall.post(f"/v1/orders/{number}/cancellation", CANCEL)
    assert cancelled.json()["cancelling"] == [1]  # nobody has told that it left
    await depot.partners.behave(pace_seconds=0.01)
    await depot.until(parcel, "shipped")
    order = await depot.order(number)
    assert order["state"] == "pending_receipt"
    assert order["parts"][0]["cancelling"] is False
    assert order["parcels"][0]["intercept"]["way"] == "return"
    assert (await depot.facts(f"order:{number}"))[-1] == "CancellationOvertaken"


async def called_back(depot: Depot, number: str, parcel: str, *, status: str) -> None:
    """Whatever it told before, the parcel is with its carrier, who is asked to bring it back."""
    await depot.turn()
    order = await depot.mall.read(number)
    assert order["status"] == status
    (box,) = order["parcels"]
    assert (box["waybill"], box["intercept"]["way"]) == (SENT["waybill"], "return")
    assert not (await depot.seen(parcel))["behind"]
    facts = await depot.facts(f"parcel:{parcel}")
    assert facts.count("ParcelHandedOver") == 1
    assert (await depot.facts(f"intercept:{parcel}")) == ["InterceptAsked"]


async def come_back(depot: Depot, parcel: str, *, points: int, **more: Any) -> None:
    """The goods are in the house again; what that pays back, once."""
    body = {"intact": True, "reason": "unopened", **more}
    back = await depot.change(f"/v1/parcels/{parcel}/goods-back", body)
    assert (back["state"], back["points"]) == ("came_back", points)
    twice = await depot.mall.post(f"/v1/parcels/{parcel}/goods-back", body, **STAFF)
    assert twice.status_code == 409


async def test_what_is_sent_after_its_cancel_was_acknowledged_has_to_come_back(
    depot: Depot,
) -> None:
    """Rule 5, W2: the points are back already, so the goods are called back, and nothing is late;
    told twice, and once more after an older word, it is once (R34, R35)."""
    before, shelf = (await depot.mall.balance())["available"], await level(depot)
    await depot.partners.behave(pace_seconds=60)
    number, parcel = await depot.released()
    await depot.until(parcel, "accepted")
    await depot.change(f"/v1/orders/{number}/cancellation", CANCEL, role="learner", subject="lin")
    await depot.until(parcel, "cancelled")
    assert (await depot.mall.balance())["available"] == before
    shipped = depot.message(parcel, "shipped", **SENT)
    for name in ("msg_7", "msg_7", "msg_8"):
        assert (await depot.tell(shipped, name=name)).status_code == 200
        await called_back(depot, number, parcel, status="cancelled")
    late = depot.message(parcel, "cancelled", revision=2)
    assert (await depot.tell(late, name="msg_9")).status_code == 200
    await called_back(depot, number, parcel, status="cancelled")
    later = datetime.now(UTC) + timedelta(minutes=5)
    depot.mall.tenant.store.clock = lambda: later
    assert [one for one in await overdue(depot.mall.tenant) if "third" in one.policy] == []
    out = await level(depot)
    assert (out["free"], out["reserved"]) == (shelf["free"] - 2, shelf["reserved"])
    assert (await depot.mall.balance())["available"] == before
    unasked = {"refund_without_goods_back": [[f"order:{number} CancelledUnitsSent"]]}
    assert await controls(depot.mall) == unasked
    (listed,) = await waiting(depot)
    assert (listed["parcel"], listed["intercept"]["state"]) == (parcel, "asked")
    assert (listed["strays"][0]["quantity"], listed["settle"]) == (2, False)
    await come_back(depot, parcel, points=0)
    assert await waiting(depot) == []
    assert await controls(depot.mall) == {}
    assert await level(depot) == shelf
    assert (await depot.mall.balance())["available"] == before
    assert (await depot.mall.read(number))["status"] == "cancelled"
    told = await depot.facts(f"order:{number}")
    assert told[-2:] == ["CancelledUnitsSent", "GoodsCameBack"]


async def test_a_warehouse_whose_floor_did_not_hear_of_a_cancel_is_rehearsed(
    depot: Depot,
) -> None:
    """M3, rule 5: the sandbox says that it is cancelled, and sends it all the same, once."""
    before = (await depot.mall.balance())["available"]
    await depot.partners.behave(pace_seconds=0.8, ship_cancelled=True)
    number, parcel = await depot.released()
    await depot.until(parcel, "accepted")
    await depot.change(f"/v1/orders/{number}/cancellation", CANCEL, role="learner", subject="lin")
    seen = await depot.until(parcel, "shipped")
    assert (depot.theirs.shipped, seen["stage"]) == (1, "handed_over")
    order = await depot.mall.read(number)
    assert (order["status"], order["parcels"][0]["intercept"]["way"]) == ("cancelled", "return")
    assert (await depot.mall.balance())["available"] == before


async def test_a_floor_that_did_not_hear_of_a_part_of_a_cancel_is_rehearsed(depot: Depot) -> None:
    """M3, rule 5: acknowledged, and all of it sent all the same, beside what is still wanted."""
    await depot.partners.behave(pace_seconds=0.8, ship_cancelled=True)
    number, parcel = await depot.released()
    await depot.until(parcel, "accepted")
    some = {**CANCEL, "lines": [{"sku": "enamel-mug", "quantity": 1}]}
    await depot.change(f"/v1/orders/{number}/cancellation", some, role="learner", subject="lin")
    seen = await depot.until(parcel, "shipped")
    assert (seen["strays"], seen["intercept"]) == ([{"order": number, **MUG}], None)
    assert (await depot.mall.read(number))["status"] == "pending_receipt"


@pytest.mark.parametrize("first", ["shipped", "cancelled"])
async def test_a_cancel_that_is_told_of_beside_the_hand_over_pays_back_once_the_goods_are_here(
    depot: Depot, first: str
) -> None:
    """Rule 5, R35: acknowledged and sent in one breath, in either order: it came too late."""
    before, shelf = (await depot.mall.balance())["available"], await level(depot)
    await depot.partners.behave(pace_seconds=60)
    number, parcel = await depot.released()
    await depot.until(parcel, "accepted")
    spent = before - (await depot.mall.balance())["available"]
    await depot.partners.behave(refuse=True)
    await depot.change(f"/v1/orders/{number}/cancellation", CANCEL, role="learner", subject="lin")
    words = {
        "shipped": depot.message(parcel, "shipped", **SENT),
        "cancelled": depot.message(parcel, "cancelled", revision=2),
    }
    for step in (first, *words):
        assert (await depot.tell(words[step], name=f"msg_{step}")).status_code == 200
    await called_back(depot, number, parcel, status="pending_receipt")
    assert (await depot.mall.balance())["available"] == before - spent
    assert "CancellationOvertaken" in await depot.facts(f"order:{number}")
    await come_back(depot, parcel, points=spent)
    assert (await depot.mall.read(number))["status"] == "closed"
    assert (await depot.mall.balance())["available"] == before
    assert await level(depot) == shelf


async def test_goods_come_back_from_a_learner_who_has_both(depot: Depot) -> None:
    """Rule 5: delivered before anybody could stop it, it stays listed until the goods are here."""
    shelf = await level(depot)
    await depot.partners.behave(pace_seconds=60)
    number, parcel = await depot.released()
    await depot.until(parcel, "accepted")
    await depot.change(f"/v1/orders/{number}/cancellation", CANCEL, role="learner", subject="lin")
    await depot.until(parcel, "cancelled")
    assert (await depot.tell(depot.message(parcel, "shipped", **SENT))).status_code == 200
    await depot.turn()
    await signed_for(depot, parcel)
    for policy in INTERCEPTS:
        await sweep(depot.mall.tenant, policy)
    await depot.mall.views()
    (listed,) = (await depot.mall.get("/v1/intercepts", **STAFF)).json()["intercepts"]
    assert (listed["parcel"], listed["state"]) == (parcel, "failed")
    assert (await depot.mall.read(number))["status"] == "cancelled"
    await come_back(depot, parcel, points=0)
    assert (await depot.mall.get("/v1/intercepts", **STAFF)).json()["intercepts"] == []
    assert await level(depot) == shelf


async def signed_for(depot: Depot, parcel: str) -> None:
    """Its carrier tells that it was delivered."""
    scan = Scan("SF1000000000042", datetime.now(UTC), "已签收", "shunfeng", ScanKind.SIGNED)
    rules = depot.mall.tenant.rules
    await depot.mall.tenant.store.execute(
        Command(
            "partner:kuaidi100",
            "signed",
            b"",
            Context("partner:kuaidi100", "signed"),
            lambda unit: record_scans(
                unit, parcel=parcel, scans=[scan], source="query", raw=None, corrected_to=None,
                rules=rules,
            ),
        )
    )  # fmt: skip
    await depot.mall.views()


async def travelling(depot: Depot) -> tuple[str, str, str]:
    """A parcel of two orders, one of which was cancelled before it left, and it."""
    await depot.partners.behave(pace_seconds=60)
    pair = [(await depot.mall.order(("enamel-mug", 1)))["number"] for _ in range(2)]
    (parcel,) = (await depot.change("/v1/waves", {"warehouse": PLACE}))["parcels"]
    await depot.until(parcel, "accepted")
    await depot.change(f"/v1/orders/{pair[0]}/cancellation", CANCEL, role="learner", subject="lin")
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (await depot.mall.read(pair[0]))["status"] != "cancelled":
            await depot.turn()
    assert (await depot.tell(depot.message(parcel, "shipped", **SENT))).status_code == 200
    await depot.turn()
    return pair[0], pair[1], parcel


async def waiting(depot: Depot) -> list[Any]:
    """The parcels that somebody has to see to, without ticking anything."""
    return (await depot.mall.get("/v1/consignments", **STAFF)).json()["consignments"]  # type: ignore[no-any-return]


MUG = {"sku": "enamel-mug", "name": "搪瓷杯 Enamel mug", "quantity": 1}


async def test_units_that_travel_with_others_though_they_were_cancelled_wait_for_somebody(
    depot: Depot,
) -> None:
    """Rule 5, C3, S4: the other order's parcel travels on and nobody calls it back; both orders,
    the list and the controls show what is in it, and the books know that it is out."""
    shelf = await level(depot)
    cancelled, other, parcel = await travelling(depot)
    assert (await depot.mall.read(other))["status"] == "pending_receipt"
    assert (await depot.facts(f"order:{cancelled}"))[-1] == "CancelledUnitsSent"
    out = await level(depot)
    assert (out["free"], out["reserved"]) == (shelf["free"] - 2, shelf["reserved"])
    (listed,) = await waiting(depot)
    assert listed["strays"] == [{"order": cancelled, **MUG}]
    assert (listed["intercept"], listed["settle"], listed["behind"]) == (None, True, False)
    for number, strays, beside in ((cancelled, [MUG], other), (other, [], cancelled)):
        (box,) = (await depot.mall.read(number))["parcels"]
        assert (box["number"], box["strays"], box["shared_with"]) == (parcel, strays, [beside])
        assert box["intercept"] is None
    assert "refund_without_goods_back" in await controls(depot.mall)


async def settle(depot: Depot, parcel: str, number: str, *fates: str, status: int = 200) -> Any:
    """Say what became of a mug each."""
    goods = [{"sku": "enamel-mug", "quantity": 1, "fate": fate} for fate in fates]
    body = {"order": number, "goods": goods, "reason": "seen"}
    return await depot.change(f"/v1/parcels/{parcel}/strays", body, status)


@pytest.mark.parametrize(("fate", "free"), [("restock", 0), ("scrap", -1), ("given_up", -1)])
async def test_cancelled_units_that_were_sent_are_settled_once(
    depot: Depot, fate: str, free: int
) -> None:
    """W2, C3, D4, A9: on their shelf, scrapped or given up; nothing is paid a second time, and what
    was given up stays in the controls with who decided it."""
    shelf, before = await level(depot), (await depot.mall.balance())["available"]
    cancelled, other, parcel = await travelling(depot)
    paid = (await depot.mall.balance())["available"]
    for wrong, number in ((("restock", "scrap"), cancelled), ((), other)):
        fates = wrong or (fate,)
        await settle(depot, parcel, number, *fates, status=422 if wrong else 409)
    answer = await settle(depot, parcel, cancelled, fate)
    assert (answer["order"], answer["back"]) == (cancelled, int(fate != "given_up"))
    await settle(depot, parcel, cancelled, fate, status=409)
    assert (await level(depot))["free"] == shelf["free"] - 1 + free
    assert (await depot.mall.balance())["available"] == paid < before
    assert await waiting(depot) == []
    seen = await depot.seen(parcel)
    assert (seen["strays"], seen["settle"]) == ([], False)
    for number in (cancelled, other):
        (box,) = (await depot.mall.read(number))["parcels"]
        assert box["strays"] == []
    found = await controls(depot.mall)
    stream = f"order:{cancelled}"
    decided = [f"{stream} CancelledUnitsSent", f"{stream} CancelledUnitsGivenUp"]
    assert found == ({"refund_without_goods_back": [decided]} if fate == "given_up" else {})


async def test_a_parcel_that_comes_back_brings_its_cancelled_units_too(depot: Depot) -> None:
    """S4, O8, D4: called back for the order that still wanted it; all that is in it is taken in,
    each unit is on its shelf once, and one of the two is paid back."""
    shelf, before = await level(depot), (await depot.mall.balance())["available"]
    cancelled, other, parcel = await travelling(depot)
    ask = {"orders": [other], "reason": "changed my mind"}
    await depot.change(f"/v1/parcels/{parcel}/interception", ask)
    (listed,) = await waiting(depot)
    assert (listed["intercept"]["way"], listed["settle"]) == ("return", False)
    await settle(depot, parcel, cancelled, "restock", status=409)
    spent = before - (await depot.mall.balance())["available"]
    (coming,) = (await depot.mall.get("/v1/intercepts", **STAFF)).json()["intercepts"]
    assert coming["goods"] == [{**MUG, "quantity": 2}]
    await come_back(depot, parcel, points=spent)
    assert await level(depot) == shelf
    assert (await depot.mall.balance())["available"] == before
    assert await waiting(depot) == []


async def test_an_address_reaches_the_third_party_at_once_and_is_acknowledged(
    depot: Depot,
) -> None:
    """Rule 29: told at the next turn, a second later; until then nobody hands the parcel over."""
    await depot.partners.behave(pace_seconds=60)
    number, parcel = await depot.released()
    await depot.until(parcel, "accepted")
    await depot.partners.behave(pace_seconds=60, refuse=True)
    moved = {**RECIPIENT, "address": "灵隐路 9 号 3 单元 102"}
    await depot.change(f"/v1/orders/{number}/address", moved, role="learner", subject="lin")
    assert (await depot.order(number))["parts"][0]["stage"] == "address_pending"
    assert (await depot.tell(depot.message(parcel, "packed", **IN_IT))).status_code == 200
    await depot.turn()
    await depot.change(
        f"/v1/parcels/{parcel}/waybill", {"carrier": "ems", "waybill": "EM100000001"}
    )
    refused = await depot.mall.post(f"/v1/parcels/{parcel}/handover", {}, **STAFF)
    assert (refused.status_code, "acknowledge" in refused.json()["detail"]) == (409, True)
    await depot.partners.behave(pace_seconds=60)
    depot.later = timedelta(minutes=10)
    await depot.turn()
    wish = depot.theirs.jobs[parcel].wish
    assert wish.recipient is not None
    assert (wish.revision, "灵隐路" in wish.recipient.address) == (2, True)
    await depot.turn()
    assert (await depot.order(number))["parts"][0]["stage"] == "in_parcel"


async def test_a_parcel_that_left_for_the_old_address_is_sent_on_by_its_carrier(
    depot: Depot,
) -> None:
    """Rule 29, O8: what left has left; the new address is the carrier's to reach."""
    await depot.partners.behave(pace_seconds=60)
    number, parcel = await depot.released()
    await depot.until(parcel, "accepted")
    await depot.partners.behave(refuse=True)
    moved = {**RECIPIENT, "address": "灵隐路 9 号 3 单元 102"}
    await depot.change(f"/v1/orders/{number}/address", moved, role="learner", subject="lin")
    assert (await depot.tell(depot.message(parcel, "shipped", **SENT))).status_code == 200
    await depot.until(parcel, "shipped")
    order = await depot.order(number)
    assert (order["state"], order["parcels"][0]["intercept"]["way"]) == (
        "pending_receipt", "redirect",
    )  # fmt: skip


async def test_nothing_is_lost_when_the_third_party_is_away(depot: Depot) -> None:
    """W2, M2, M5: asked again and again, shown with its age, caught up with by itself."""
    await depot.partners.behave(refuse=True)
    number, parcel = await depot.released()
    for minutes in (0, 1, 2, 4, 8, 16):
        depot.later = timedelta(minutes=minutes)
        await depot.turn()
    seen = await depot.seen(parcel)
    assert (seen["state"], seen["cause"]) == ("asked", "HTTP 503")
    assert seen["tries"] >= 4
    assert seen["next_at"] is not None
    troubles = (await depot.mall.get("/v1/troubles", **STAFF)).json()["troubles"]
    (shown,) = [one for one in troubles if one["kind"] == "third_party"]
    assert (shown["about"]["parcel"], shown["about"]["order"]) == (parcel, number)
    assert shown["age_seconds"] >= 900
    assert (await depot.order(number))["state"] == "pending_shipment"
    await depot.partners.behave(pace_seconds=0.01)
    depot.later += timedelta(minutes=11)
    await depot.until(parcel, "shipped")
    troubles = (await depot.mall.get("/v1/troubles", **STAFF)).json()["troubles"]
    assert not [one for one in troubles if one["kind"] == "third_party"]
    assert depot.theirs.shipped == 1


async def test_a_human_asks_again_at_once_when_the_third_party_is_back(depot: Depot) -> None:
    """W2: the pause of a wish that got no answer is not waited out; what was done is done once."""
    began = datetime.now(UTC)  # however slow the machine, its pause is not over
    depot.mall.tenant.store.clock = depot.theirs.clock = lambda: began
    await depot.partners.behave(pace_seconds=0.01, lose=True, lose_answers=True)
    number, parcel = await depot.released()
    await depot.turn()
    assert (await depot.seen(parcel))["cause"] == "HTTP 504"
    await depot.left_unheard()
    await depot.partners.behave(pace_seconds=0.01)
    await depot.turn()
    assert (await depot.seen(parcel))["revision"] == 1  # it pauses
    await depot.change(f"/v1/consignments/{parcel}/push", {"reason": "they are back"})
    seen = await depot.until(parcel, "shipped")
    assert (seen["revision"], seen["reason"]) == (2, "they are back")
    assert depot.theirs.shipped == 1
    late = await depot.mall.post(f"/v1/consignments/{parcel}/push", {"reason": "x"}, **STAFF)
    assert late.status_code == 409
    absent = await depot.mall.post("/v1/consignments/T0-P1/push", {"reason": "x"}, **STAFF)
    assert absent.status_code == 404
    assert (await depot.order(number))["state"] == "pending_receipt"


async def test_a_refusal_waits_for_a_human(depot: Depot) -> None:
    """W2, M5: shown with its reason, whose names are blotted out; asked again, or cancelled."""
    await depot.partners.behave(reject=True)
    number, parcel = await depot.released()
    seen = await depot.until(parcel, "refused")
    assert seen["refusal"]["code"] == "closed"
    assert "13800138000" not in seen["refusal"]["words"]
    troubles = (await depot.mall.get("/v1/troubles", **STAFF)).json()["troubles"]
    assert [one["about"]["state"] for one in troubles if one["kind"] == "third_party"] == [
        "refused"
    ]
    await depot.partners.behave(pace_seconds=0.01)
    await depot.change(f"/v1/consignments/{parcel}/push", {"reason": "counted"})
    await depot.until(parcel, "shipped")
    await depot.partners.behave(reject=True)
    other, refused = await depot.released()
    await depot.until(refused, "refused")
    cancelled = await depot.change(f"/v1/orders/{other}/cancellation", CANCEL, role="learner",
                                   subject="lin")  # fmt: skip
    assert (cancelled["status"], "cancelling" in cancelled) == ("cancelled", False)
    assert (await depot.order(number))["state"] == "pending_receipt"


async def test_what_a_third_party_lacks_is_planned_anew(depot: Depot) -> None:
    """Rule 1: as after a short pick; the rest of the parcel is sent."""
    await depot.partners.behave(pace_seconds=0.01, short=True)
    number, parcel = await depot.released(("enamel-mug", 2))
    await depot.until(parcel, "shipped")
    order = await depot.order(number)
    sent, waits = order["parts"]
    assert (sent["units"][0]["quantity"], sent["state"]) == (1, "pending_receipt")
    assert (waits["units"][0]["quantity"], waits["stage"]) == (1, "waiting_for_stock")
    (level,) = [
        one
        for item in (await depot.mall.get("/v1/items", role="operations", subject="ops")).json()[
            "items"
        ]
        if item["sku"] == "enamel-mug"
        for one in item["stock"]
        if one["warehouse"] == PLACE
    ]
    assert level["free"] == 0  # a warehouse that lacks one has no other one


async def test_forged_messages_change_nothing(depot: Depot) -> None:
    """R33, R34: another secret, another body, an old message, another address: 401, counted."""
    await depot.partners.behave(pace_seconds=60)
    number, parcel = await depot.released()
    await depot.until(parcel, "accepted")
    told = depot.message(parcel, "shipped", **SENT)
    now = datetime.now(UTC)
    forger = SecretStr("whsec_Zm9yZ2VkLWZvcmdlZC1mb3JnZWQtZm9yZ2VkLTAwMDE=")
    for refused in (
        await depot.tell(told, secret=forger),
        await depot.tell(told, change=b" "),
        await depot.tell(told, at=now - timedelta(minutes=6)),
        await depot.tell(told, at=now + timedelta(minutes=6)),
    ):
        assert (refused.status_code, refused.json()["code"]) == (401, "forged")
    body, headers = signed_message(SECRET, told, name="m", at=now)
    links = depot.mall.tenant.callback_links
    for key in (links.key("zhejiang"), f"{PLACE}.{'0' * 24}", PLACE):
        path = f"/v1/callbacks/third-party/{key}"
        answer = await depot.mall.client.post(path, content=body, headers=headers)
        assert answer.status_code == 401
    for name, value in (
        ("webhook-signature", "v1,签名"),
        ("webhook-signature", headers["webhook-signature"].replace("v1,", "v2,")),
        ("webhook-timestamp", "1e9"),
        ("webhook-id", ""),
    ):
        answer = await depot.mall.client.post(
            links.url(PLACE, partner=CALLBACK).partition("8000")[2],
            content=body,
            headers={
                **{k.encode(): v.encode() for k, v in headers.items()},
                name.encode(): value.encode(),
            },
        )
        assert answer.status_code == 401, name
    metrics = (await depot.mall.client.get("/metrics")).text
    assert 'partner="third-party"' in metrics
    await depot.turn()
    assert (await depot.order(number))["state"] == "pending_shipment"


async def test_one_message_counts_once_and_is_kept_as_it_came(depot: Depot) -> None:
    """R34: sent 20 times at once; another body under its id is refused; the payload is kept."""
    await depot.partners.behave(pace_seconds=60)
    _, parcel = await depot.released()
    await depot.until(parcel, "accepted")
    told = depot.message(parcel, "packed", **IN_IT)
    answers = await asyncio.gather(*(depot.tell(told) for _ in range(20)))
    assert {one.status_code for one in answers} == {200}
    assert len({one.text for one in answers}) == 1
    other = await depot.tell(depot.message(parcel, "shipped", **SENT))
    assert (other.status_code, other.json()["code"]) == (422, "key_reused")
    ahead = await depot.tell(depot.message(parcel, "accepted", revision=9), name="msg_9")
    assert ahead.status_code == 422
    stranger = await depot.tell(depot.message("T0-P1", "accepted"), name="msg_10")
    assert stranger.status_code == 404
    lacking = depot.message(parcel, "picking").model_dump(mode="json")
    lacking["type"] = "parcel.shipped"
    with pytest.raises(ValueError, match="belong to it"):
        ParcelMessage.model_validate(lacking)
    events = await depot.mall.get(
        f"/v1/audit/streams/consignment:{parcel}", role="auditor", subject="eve"
    )
    tellings = [one for one in events.json()["events"] if one["fact"].endswith("ConsignmentTold")]
    packed = [one for one in tellings if one["data"]["step"] == "packed"]
    assert len(packed) == 1
    assert packed[0]["data"]["card"]


async def test_what_a_lost_push_would_have_told_is_asked_for(depot: Depot) -> None:
    """M2: a parcel nobody told of for half an hour is asked about, with the wish as it is."""
    await depot.partners.behave(pace_seconds=0.01, lose=True)
    number, parcel = await depot.released()
    await depot.until(parcel, "accepted")
    await depot.left_unheard()
    await depot.turn()
    assert (await depot.order(number))["state"] == "pending_shipment"
    depot.later = timedelta(minutes=31)
    await depot.until(parcel, "shipped")
    assert (await depot.order(number))["state"] == "pending_receipt"


async def test_both_secrets_are_good_while_one_takes_the_others_place(depot: Depot) -> None:
    """R39: the first one signs, each of them is good for checking."""
    await depot.partners.behave(pace_seconds=60)
    _, parcel = await depot.released()
    await depot.until(parcel, "accepted")
    fresh = SecretStr("whsec_bmV3LW5ldy1uZXctbmV3LW5ldy1uZXctbmV3LTAwMDE=")
    known = depot.mall.tenant.settings.third_parties[PLACE]
    depot.mall.tenant.settings.third_parties[PLACE] = known.model_copy(
        update={"secrets": (fresh, SECRET)}
    )
    for number, secret in enumerate((fresh, SECRET)):
        told = depot.message(parcel, ("picking", "packed")[number], **IN_IT)
        assert (await depot.tell(told, name=f"m{number}", secret=secret)).status_code == 200
    depot.mall.tenant.settings.third_parties[PLACE] = known.model_copy(update={"secrets": (fresh,)})
    late = await depot.tell(depot.message(parcel, "shipped", **SENT), name="m3")
    assert late.status_code == 401


async def test_a_parcel_waits_there_while_a_human_looks_at_its_order(depot: Depot) -> None:
    """O7, rule 17: an order that goes to review after its release is held, then sent."""
    await depot.partners.behave(pace_seconds=0.7)
    number, parcel = await depot.released()
    await depot.turn()
    rules = depot.mall.tenant.rules
    reasons = (ReviewReason.POINTS_CLAWED_BACK,)
    await depot.mall.tenant.store.execute(
        Command(
            "policy:screen_orders",
            "late",
            b"",
            Context("policy:screen_orders", "late"),
            lambda unit: require_review(unit, number=number, reasons=reasons, rules=rules),
        )
    )
    await depot.turn()
    assert (await depot.order(number))["parts"][0]["stage"] == "in_review"
    assert depot.theirs.jobs[parcel].wish.held
    await asyncio.sleep(0.3)
    await depot.turn()
    assert depot.theirs.shipped == 0
    await depot.change(f"/v1/orders/{number}/review", {"decision": "approve", "reason": "fine"})
    await depot.until(parcel, "shipped")


async def test_one_order_of_a_shared_parcel_is_cancelled_and_the_other_one_sent(
    depot: Depot,
) -> None:
    """S4, rule 5: the wish without it is acknowledged; the rest travels."""
    await depot.partners.behave(pace_seconds=1.5)
    pair = [(await depot.mall.order(("enamel-mug", 1)))["number"] for _ in range(2)]
    (parcel,) = (await depot.change("/v1/waves", {"warehouse": PLACE}))["parcels"]
    await depot.turn()
    apart = await depot.mall.post(f"/v1/parcels/{parcel}/separation", {"reason": "x"}, **STAFF)
    assert apart.status_code == 409
    await depot.change(f"/v1/orders/{pair[0]}/cancellation", CANCEL, role="learner", subject="lin")
    await depot.until(parcel, "shipped")
    assert [(await depot.order(one))["state"] for one in pair] == ["cancelled", "pending_receipt"]


async def level(depot: Depot, sku: str = "enamel-mug") -> dict[str, int]:
    """What the books say of an item there."""
    await depot.mall.views()
    answer = await depot.mall.get("/v1/items", role="operations", subject="ops", q=sku)
    (item,) = [one for one in answer.json()["items"] if one["sku"] == sku]
    found: dict[str, int] = next(one for one in item["stock"] if one["warehouse"] == PLACE)
    return found
