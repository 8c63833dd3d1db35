"""Goods that come back, over HTTP: asked for, sent, inspected, settled (D3, D4, D6)."""

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from application.jobs import apply_jobs_schema
from application.migrating import SERVICE_ROLE
from application.policies import LAPSE_RETURNS
from application.sweeping import sweep
from domain.house_rules import HouseRules
from tests.api.conftest import Mall
from tests.api.test_disputes import AUDITOR, BOSS, OPS, SUPPORT, Desk, signed
from tests.conftest import MallDatabase
from tests.reliability.test_callbacks import Pushing

pytestmark = pytest.mark.anyio

CHEN: dict[str, Any] = {"role": "learner", "subject": "chen"}
_SERIAL = itertools.count(1)


class Counter:
    """Two notebooks of lin's that were signed for, and what she wants to give back."""

    def __init__(self, desk: Desk) -> None:
        self.mall = desk.mall
        self.number = desk.number
        self.id = f"{desk.number}-B1"
        self.path = f"/v1/returns/{self.id}"

    async def twice(self, path: str, body: Any, **who: Any) -> Any:
        """Change something, twice under one key: the second answer is the first."""
        key = f"return-{next(_SERIAL)}"
        first = await self.mall.post(path, body, key=key, **who)
        again = await self.mall.post(path, body, key=key, **who)
        assert (first.status_code, first.content) == (again.status_code, again.content)
        await self.mall.views()
        return first

    async def ask(self, remedy: str = "refund", reason: str = "changed_mind", **more: Any) -> Any:
        path = f"/v1/orders/{self.number}/returns"
        who = {key: more.pop(key) for key in ("role", "subject") if key in more}
        return await self.twice(path, {"remedy": remedy, "reason": reason, **more}, **who)

    async def post(self, step: str, body: Any = None, **who: Any) -> Any:
        return await self.twice(f"{self.path}/{step}", body, **who)

    async def come_back(self) -> None:
        number = f"SF1000010000{self.id[-1]}"  # of the first one, the parcel's, which is signed
        sent = await self.post("sending", {"carrier": "shunfeng", "waybill": number})
        assert sent.json()["state"] == "under_way", sent.text
        arrived = await self.post("arrival", **OPS)
        assert arrived.json()["state"] == "to_inspect", arrived.text

    async def inspect(self, *goods: dict[str, Any], **more: Any) -> Any:
        goods = goods or (found(2),)
        return await self.post("inspection", {"goods": goods, "reason": "seen", **more}, **OPS)

    async def seen(self, **who: Any) -> Any:
        answer = await self.mall.get(self.path, **who)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def listed(self, **query: Any) -> list[str]:
        who = query.pop("who", OPS)
        answer = await self.mall.get("/v1/returns", **who, **query)
        assert answer.status_code == 200, answer.text
        return [one["id"] for one in answer.json()["returns"]]


def found(quantity: int, verdict: str = "restock", *failed: str) -> dict[str, Any]:
    return {"sku": "notebook", "quantity": quantity, "verdict": verdict, "failed": [*failed]}


@pytest.fixture
async def counter(mall: Mall) -> Counter:
    return Counter(await signed(mall, confirmed=True))


async def test_learners_are_not_told_whose_parcel_has_the_number(counter: Counter) -> None:
    """A10, T2: the number is refused in both languages without the other parcel; staff read it."""
    number = {"carrier": "shunfeng", "waybill": "SF10000100001"}
    order = (await counter.mall.order(("notebook", 1)))["number"]
    packed = await counter.mall.post("/v1/parcels", {"order": order, "part": 1}, **OPS)
    other = packed.json()["parcel"]
    labelled = await counter.mall.post(f"/v1/parcels/{other}/waybill", number, **OPS)
    assert labelled.status_code == 200, labelled.text
    await counter.ask()
    for _ in range(2):  # also as it is kept under its key
        refused = await counter.mall.post(f"{counter.path}/sending", number, key="sent")
        assert (refused.status_code, refused.json()["code"]) == (409, "waybill_taken")
        assert order not in refused.text
        assert "is on another parcel, which" in refused.json()["detail"]
        assert "已贴在另一个包裹上" in refused.json()["detail_zh"]
    staff = await counter.mall.post(f"{counter.path}/sending", number, **OPS)
    assert staff.json()["failures"][0]["parcel"] == other


async def stock(mall: Mall) -> tuple[int, int, int]:
    """(free, reserved, picked) notebooks in Zhejiang."""
    item = (await mall.get("/v1/items/notebook", **OPS)).json()
    row = next(one for one in item["stock"] if one["warehouse"] == "zhejiang")
    return row["free"], row["reserved"], row["picked"]


async def test_what_broke_on_its_way_is_claimed_of_its_carrier_by_the_inspection(
    counter: Counter,
) -> None:
    """D2, D3: scrapped goods and their way back, foretold as far as an inspection is (D6)."""
    await counter.ask(reason="damaged")
    await counter.come_back()
    (best,) = (await counter.seen(**OPS))["actions"]["inspect"]["claims"]
    assert best["claimed_fen"] == 1_000  # were nothing broken, the way back alone
    (claim,) = (await counter.inspect(found(1), found(1, "scrap"))).json()["claims"]
    parcel = (await counter.mall.read(counter.number))["parcels"][0]["number"]
    assert (claim["parcel"], claim["claimed_fen"]) == (parcel, 4_900 + 1_000)
    one = (await counter.mall.get(f"/v1/claims/{parcel}", **SUPPORT)).json()
    assert (one["state"], one["reason"], one["claimed_fen"]) == ("filed", "damaged", 5_900)


async def test_goods_go_back_and_points_come_back(counter: Counter) -> None:
    """D3, D4, rules.md 8: who changed their mind pays the way; the learner follows all of it."""
    before = (await counter.mall.balance())["available"]
    order = await counter.mall.read(counter.number)
    offered = order["actions"]["return"]
    assert (offered["possible"], offered["units"][0]["quantity"]) == (True, 2)
    assert offered["until"] == order["returnable_until"]

    opened = await counter.ask(words="颜色不合适,我是林小满")
    assert opened.status_code == 201, opened.text
    assert (opened.json()["return"], opened.json()["payer"]) == (counter.id, "learner")
    shown = await counter.seen()
    assert (shown["state"], shown["words"]) == ("awaiting_goods", "颜色不合适,我是林小满")
    assert shown["label"]["to"] == "浙江仓"
    assert set(shown["criteria"]) >= {"unused", "packaging"}
    assert (shown["actions"]["send"]["possible"], shown["freight_points"]) == (True, 100)
    assert "林小满" not in (await counter.seen(**SUPPORT))["words"]
    order = await counter.mall.read(counter.number)
    assert order["parts"][0]["paused"] is True
    assert order["actions"]["return"]["possible"] is False
    assert counter.id in order["actions"]["return"]["why"]

    await counter.come_back()
    best = (await counter.seen(**OPS))["actions"]["inspect"]
    assert sum(one["points"] for one in best["points"]) == 420
    assert best["stock"] == [
        {"warehouse": "zhejiang", "sku": "notebook", "change": "returned", "quantity": 2}
    ]
    assert best["message"]["en"].startswith("We inspected what came back and refunded 420")
    settled = await counter.inspect()
    assert (settled.json()["points"], settled.json()["points_kept"]) == (420, 100)
    assert (await counter.mall.balance())["available"] == before + 420
    shown = await counter.seen()
    assert (shown["state"], shown["outcome"]["points_kept"]) == ("settled", 100)
    assert "已扣除退货运费 100 积分" in shown["message"]["zh"]
    assert (await counter.mall.read(counter.number))["status"] == "closed"
    assert await stock(counter.mall) == (80, 0, 0)


async def test_its_parcel_is_tracked_like_any_other(counter: Counter) -> None:
    """D3, T2, rules.md 28: a push to its own address moves it; the order does not."""
    await counter.ask(reason="damaged")
    body = {"carrier": "shunfeng", "waybill": "SF10000100001"}
    labelled = await counter.mall.post(f"/v1/parcels/{counter.id}/waybill", body, **OPS)
    assert labelled.status_code == 200, labelled.text
    await counter.post("sending", {})
    pushing = Pushing(counter.mall, counter.id)
    then = f"{datetime.now(UTC) + timedelta(hours=7, minutes=59):%Y-%m-%d %H:%M:%S}"
    told = (then, "【杭州市】已签收,签收人:仓库王师傅", "3")
    assert (await pushing.send(pushing.signed(pushing.param(told)))).json()["result"] is True
    await counter.mall.views()
    shown = await counter.seen()
    assert (shown["state"], shown["label"]["state"]) == ("to_inspect", "signed")
    assert len(shown["label"]["scans"]) == 1
    order = await counter.mall.read(counter.number)
    assert [one["number"] for one in order["parcels"]] == [f"{counter.number}-P1"]
    assert order["status"] == "completed"  # received, as before
    await counter.mall.get(f"/v1/parcels/{counter.id}/payloads", **SUPPORT)
    waiting = (await counter.mall.get("/v1/parcels", **OPS)).json()["parcels"]
    assert counter.id not in [one["number"] for one in waiting]


async def test_some_is_taken_back_and_some_is_sent_again(counter: Counter) -> None:
    """D3, C3: restocked, scrapped, refused: each unit once, against the stated criteria."""
    await counter.ask(reason="not_as_described")
    await counter.come_back()
    wrong = await counter.inspect(found(2, "refuse"))
    assert (wrong.status_code, wrong.json()["code"]) == (422, "invalid")
    assert "不符合" in wrong.json()["detail_zh"]
    settled = await counter.inspect(found(1, "scrap"), found(1, "refuse", "undamaged"))
    assert settled.json()["sent_back_in"] == f"{counter.id}-S"
    assert (await stock(counter.mall))[0] == 78
    order = await counter.mall.read(counter.number)
    assert f"{counter.id}-S" in [one["number"] for one in order["parcels"]]
    assert order["lines"][0]["gone"] == 1
    assert order["parts"][0]["paused"] is False
    verdicts = [(one["verdict"], one["failed"]) for one in (await counter.seen())["units"]]
    assert verdicts == [("scrap", []), ("refuse", ["undamaged"])]


async def test_refused_goods_that_come_back_once_more_wait_for_a_decision(
    counter: Counter,
) -> None:
    """D3, D4: listed until somebody decides; nothing is paid back by their coming alone."""
    mall, again = counter.mall, f"{counter.id}-S"
    await counter.ask(reason="not_as_described")
    await counter.come_back()
    await counter.inspect(found(1), found(1, "refuse", "undamaged"))
    label = {"carrier": "shunfeng", "waybill": "SF10000100077"}
    done = await mall.post(f"/v1/parcels/{again}/waybill", label, **OPS)
    assert done.status_code == 200, done.text
    await mall.views()
    waiting = (await mall.get("/v1/parcels", **OPS)).json()["parcels"]
    (packed,) = [one for one in waiting if one["number"] == again]
    assert packed["hand_over_by"] is not None
    assert [one["quantity"] for one in packed["units"]] == [1]
    printed = await mall.get(f"/v1/parcels/{again}/label.pdf", **OPS)
    assert (printed.status_code, printed.content[:5]) == (200, b"%PDF-"), printed.text
    done = await mall.post(f"/v1/parcels/{again}/handover", {}, **OPS)
    assert done.status_code == 200, done.text
    await mall.views()
    shown = (await mall.read(counter.number))["parcels"]
    (sent,) = [one for one in shown if one["number"] == again]
    assert sent["actions"]["dispute"]["possible"] is True
    available = (await mall.balance())["available"]
    here = {"intact": True, "in_hand": True, "reason": "nobody was at home"}
    told = (await mall.post(f"/v1/parcels/{again}/goods-back", here, **OPS)).json()
    assert (told["state"], told["points"]) == ("lies_here", 0)
    await mall.views()
    (listed,) = (await mall.get("/v1/intercepts", **OPS)).json()["intercepts"]
    assert (listed["parcel"], listed["state"], listed["paid_back"]) == (again, "lies_here", False)
    assert [one["quantity"] for one in listed["goods"]] == [1]
    refused = await mall.post(f"/v1/parcels/{again}/goods-back", here, **OPS)
    assert (refused.status_code, "等待处理决定" in refused.json()["detail_zh"]) == (409, True)
    decided = await mall.post(f"/v1/parcels/{again}/goods-back", {**here, "refund": True}, **OPS)
    assert (decided.json()["state"], decided.json()["points"]) == ("came_back", 260)
    assert (await mall.balance())["available"] == available + 260
    assert await stock(mall) == (80, 0, 0)
    await mall.views()
    assert (await mall.get("/v1/intercepts", **OPS)).json()["intercepts"] == []


async def test_the_same_goods_are_sent_when_it_is_an_exchange(counter: Counter) -> None:
    """D3, D4, rules.md 6: a linked order; its original cannot be refunded on top."""
    await counter.ask("exchange", "damaged")
    await counter.come_back()
    settled = await counter.inspect()
    linked = settled.json()["replacement"]
    assert linked == f"{counter.number}-R1"
    assert (await counter.mall.read(linked))["status"] == "pending_shipment"
    body = {"fault": "damaged", "reason": "x"}
    refused = await counter.mall.post(f"/v1/orders/{counter.number}/refunds", body, **SUPPORT)
    assert linked in refused.json()["detail"]


async def test_an_exchange_takes_its_way_back_of_the_balance_when_a_mind_changed(
    counter: Counter,
) -> None:
    """D3, rules.md 8: once, though the inspection is sent twice; refused where it is not there."""
    before = (await counter.mall.balance())["available"]
    assert (await counter.ask("exchange")).status_code == 201
    await counter.come_back()
    settled = (await counter.inspect()).json()
    assert (settled["points"], settled["points_kept"]) == (0, 100)
    assert (await counter.mall.balance())["available"] == before - 100
    shown = await counter.seen()
    assert "已从您的账户扣除退货运费 100 积分" in shown["message"]["zh"]
    assert "of your balance" in shown["message"]["en"]


async def test_an_exchange_is_refused_when_the_balance_lacks_its_way_back(counter: Counter) -> None:
    """D3: by name and with the figures, before anything is sent."""
    before = (await counter.mall.balance())["available"]
    counter.mall.tenant.rules = HouseRules(return_freight_points=before + 1)
    refused = await counter.ask("exchange")
    assert (refused.status_code, refused.json()["code"]) == (409, "insufficient_points")
    assert f"{before + 1} points are needed" in refused.json()["detail"]


async def test_staff_decide_when_the_goods_stay(counter: Counter) -> None:
    """D3, D6: agreed to, or not, each with a reason and a message of the house's or their own."""
    lines = [{"sku": "notebook", "quantity": 1}]
    await counter.ask("refund_only", "missing_parts", lines=lines)
    assert await counter.listed(state="requested") == [counter.id]
    lin = {**SUPPORT, "subject": "lin"}
    mine = await counter.post("decision", {"agree": True, "reason": "x"}, **lin)
    assert (mine.status_code, mine.json()["code"]) == (409, "own_account")  # A8
    refused = await counter.post("decision", {"agree": True, "reason": "x"}, **OPS)
    assert refused.status_code == 403
    agreed = await counter.post("decision", {"agree": True, "reason": "not worth it"}, **SUPPORT)
    assert agreed.json()["points"] == 260, agreed.text
    own = {"zh": "很遗憾", "en": "Sorry"}
    counter.id = f"{counter.number}-B2"
    counter.path = f"/v1/returns/{counter.id}"
    await counter.ask("refund_only", "missing_parts")
    body = {"agree": False, "reason": "worn", "message": own}
    assert (await counter.post("decision", body, **SUPPORT)).json()["state"] == "rejected"
    assert (await counter.seen())["message"] == own
    again = await counter.post("decision", body, **SUPPORT)
    assert (again.status_code, again.json()["code"]) == (409, "not_possible")


async def test_much_that_stays_is_refunded_by_two_people(counter: Counter) -> None:
    """A8, D3, D6: asked for and shown; not taken back meanwhile; settled once it is allowed."""
    mall = counter.mall
    mall.tenant.rules = replace(mall.tenant.rules, four_eyes_points=100)
    await counter.ask("refund_only", "missing_parts")
    seen = await counter.seen(**SUPPORT)
    assert seen["actions"]["agree"]["needs_second_person"] is True
    before = (await mall.balance())["available"]
    agree = {"agree": True, "reason": "not worth it"}
    asked = await counter.post("decision", agree, **SUPPORT)
    assert (asked.status_code, asked.json()["state"]) == (202, "awaiting_approval")
    shown, mine = await counter.seen(**SUPPORT), await counter.seen()
    assert shown["proposed"]["maker"] == SUPPORT["subject"]
    assert (mine["proposed"], mine["actions"]["withdraw"]["possible"]) == (None, False)
    assert (await mall.balance())["available"] == before
    (waiting,) = (await mall.get("/v1/approvals", **BOSS)).json()["approvals"]
    assert (waiting["kind"], waiting["points"]) == ("return", shown["proposed"]["points"])
    path = f"/v1/approvals/{asked.json()['approval']}"
    given = await mall.post(path, {"decision": "allow", "reason": "seen"}, **BOSS)
    assert (given.status_code, given.json()["state"]) == (200, "settled")
    assert (await mall.balance())["available"] == before + waiting["points"]
    assert (await counter.seen())["message"]["zh"]


async def test_it_lapses_when_nothing_is_sent(counter: Counter) -> None:
    """D3: seven days; a deadline that is swept, once; the learner may ask again."""
    await counter.ask()
    store = counter.mall.tenant.store
    now = store.clock()
    store.clock = lambda: now + timedelta(days=7, seconds=1)
    assert (await sweep(counter.mall.tenant, LAPSE_RETURNS)).done == 1
    await counter.mall.views()
    assert (await sweep(counter.mall.tenant, LAPSE_RETURNS)).done == 0
    assert (await counter.seen())["state"] == "lapsed"
    late = await counter.ask()
    assert (late.status_code, late.json()["return"]) == (201, f"{counter.number}-B2")


async def test_learners_reach_no_return_but_their_own(counter: Counter) -> None:
    """A10: another's is as one that is not there; nothing of it is in a list."""
    await counter.ask(words="颜色不合适")
    for path in (counter.path, "/v1/returns/T0-B1"):
        assert (await counter.mall.get(path, **CHEN)).status_code == 404
        for step in ("sending", "withdrawal"):
            body: Any = {} if step == "sending" else None
            assert (await counter.mall.post(f"{path}/{step}", body, **CHEN)).status_code == 404
    other = await counter.mall.post(
        f"/v1/orders/{counter.number}/returns", {"remedy": "refund", "reason": "damaged"}, **CHEN
    )
    assert other.status_code == 404
    assert await counter.listed(who=CHEN) == []
    assert await counter.listed(who={"role": "learner", "subject": "lin"}) == [counter.id]
    assert (await counter.post("withdrawal")).json()["state"] == "withdrawn"


async def test_returns_wait_in_queues_by_state_and_warehouse(mall: Mall) -> None:
    """D3: what waits longest comes first; pages; who works elsewhere sees none of it."""
    counters = []
    for sku in ("notebook", "enamel-mug"):
        desk = await signed(mall, confirmed=True, sku=sku)
        one = Counter(desk)
        await one.ask()
        counters.append(one)
    first, second = counters
    assert await first.listed(state="live") == [first.id, second.id]
    assert await first.listed() == [second.id, first.id]
    assert await first.listed(state="live", warehouse="zhejiang") == [first.id]
    assert await first.listed(order=second.number) == [second.id]
    page = (await mall.get("/v1/returns", **AUDITOR, limit=1)).json()
    rest = (await mall.get("/v1/returns", **AUDITOR, limit=1, cursor=page["next"])).json()
    assert [one["id"] for one in (*page["returns"], *rest["returns"])] == [second.id, first.id]
    await first.post("arrival", **OPS)
    assert await first.listed(state="to_inspect") == [first.id]


async def test_a_return_that_nobody_looks_at_is_among_the_troubles(
    counter: Counter, database: MallDatabase
) -> None:
    """M5, D3: with its age since it came into its state; gone once it is settled."""
    apply_jobs_schema(database.owner_url, SERVICE_ROLE)
    await counter.ask()
    await counter.post("arrival", **OPS)
    store = counter.mall.tenant.store
    now = store.clock()

    async def troubles(hours: int) -> list[Any]:
        store.clock = lambda: now + timedelta(hours=hours)
        listed = (await counter.mall.get("/v1/troubles", **OPS)).json()["troubles"]
        return [one for one in listed if one["kind"] == "waiting_return"]

    assert await troubles(47) == []
    (one,) = await troubles(50)
    assert (one["about"]["back"], one["about"]["state"]) == (counter.id, "to_inspect")
    assert 49 * 3_600 < one["age_seconds"] < 51 * 3_600
    await counter.inspect()
    assert await troubles(50) == []


async def test_goods_that_never_come_are_among_the_troubles_and_given_up(
    counter: Counter, database: MallDatabase
) -> None:
    """D3, M5: under way beyond its time, a made-up number is decided about: the window runs on."""
    apply_jobs_schema(database.owner_url, SERVICE_ROLE)
    await counter.ask()
    sent = {"carrier": "shunfeng", "waybill": "SF999999999999"}
    assert (await counter.post("sending", sent)).json()["state"] == "under_way"
    store = counter.mall.tenant.store
    now = store.clock()

    async def troubles(days: int) -> list[Any]:
        store.clock = lambda: now + timedelta(days=days)
        listed = (await counter.mall.get("/v1/troubles", **OPS)).json()["troubles"]
        return [one["about"]["state"] for one in listed if one["kind"] == "waiting_return"]

    assert await troubles(20) == []
    assert await troubles(22) == ["under_way"]
    actions = (await counter.seen(**SUPPORT))["actions"]
    assert (actions["agree"]["possible"], actions["reject"]["possible"]) == (True, True)
    body = {"agree": False, "reason": "nobody ever had it"}
    learner = await counter.post("decision", body)
    assert learner.status_code == 403
    decided = await counter.post("decision", body, **SUPPORT)
    assert (decided.status_code, decided.json()["state"]) == (200, "lost")
    assert await troubles(22) == []
    seen = await counter.seen()
    assert "never reached us" in seen["message"]["en"]
    (part,) = (await counter.mall.read(counter.number))["parts"]
    assert part["paused"] is False


async def test_a_return_that_its_carrier_lost_is_refunded(
    counter: Counter, database: MallDatabase
) -> None:
    """D3, D4: listed as soon as it is lost, refunded by a decision, and what the learner is told
    is what went back."""
    apply_jobs_schema(database.owner_url, SERVICE_ROLE)
    before = (await counter.mall.balance())["available"]
    await counter.ask()
    await counter.post("sending", {"carrier": "shunfeng", "waybill": "SF999999999999"})
    pushing = Pushing(counter.mall, counter.id)
    at = counter.mall.tenant.store.clock().astimezone(counter.mall.tenant.rules.zone)
    lost = (f"{at:%Y-%m-%d %H:%M:%S}", "快件已丢失", "0")
    assert (await pushing.send(pushing.signed(pushing.param(lost, nu="SF999999999999")))).json()[
        "result"
    ] is True
    await counter.mall.views()
    listed = (await counter.mall.get("/v1/troubles", **OPS)).json()["troubles"]
    assert [one["about"]["back"] for one in listed if one["kind"] == "waiting_return"] == [
        counter.id
    ]
    body = {"agree": True, "reason": "the carrier lost it"}
    decided = await counter.post("decision", body, **SUPPORT)
    points = decided.json()["points"]
    assert (decided.json()["state"], decided.json()["points_kept"]) == ("settled", 0)
    assert (await counter.mall.balance())["available"] == before + points
    assert f"refunded {points} points" in (await counter.seen())["message"]["en"]


async def test_a_return_lost_under_the_houses_label_is_claimed_and_taken_in_if_it_comes(
    counter: Counter, database: MallDatabase
) -> None:
    """D2, D3, D4: its carrier owes it; what comes after all is shelved, beside what was paid."""
    apply_jobs_schema(database.owner_url, SERVICE_ROLE)
    await counter.ask()
    label = {"carrier": "shunfeng", "waybill": "SF999999999999"}
    labelled = await counter.mall.post(f"/v1/parcels/{counter.id}/waybill", label, **OPS)
    assert labelled.status_code == 200, labelled.text
    assert (await counter.post("sending", {})).json()["state"] == "under_way"
    foretold = (await counter.seen(**SUPPORT))["actions"]["agree"]["claims"]
    assert [(one["parcel"], one["claimed_fen"]) for one in foretold] == [(counter.id, 9_800)]
    body = {"agree": True, "reason": "the carrier lost it"}
    decided = await counter.post("decision", body, **SUPPORT)
    assert [one["parcel"] for one in decided.json()["claims"]] == [counter.id]
    refunded = (await counter.mall.balance())["available"]

    async def step(name: str, fen: int | None = None) -> None:
        told = {"step": name, "amount_fen": fen, "reference": "L-1", "reason": "by mail"}
        answer = await counter.mall.post(f"/v1/claims/{counter.id}/steps", told, **SUPPORT)
        assert answer.status_code == 200, answer.text
        await counter.mall.views()

    async def listed() -> list[str]:
        found = (await counter.mall.get("/v1/troubles", **OPS)).json()["troubles"]
        return [one["about"]["parcel"] for one in found if one["kind"] == "delivered_claim"]

    await step("accepted", 8_000)
    await step("paid", 5_000)
    assert (await counter.seen())["claim"] is None  # no learner's affair
    assert await listed() == []
    assert (await counter.seen(**OPS))["actions"]["arrive"]["possible"] is True
    arrived = await counter.post("arrival", **OPS)
    assert arrived.json()["state"] == "to_inspect"
    assert await listed() == [counter.id]  # it is here, and its carrier still owes something
    seen = await counter.seen(**OPS)
    assert seen["claim"] == {
        "carrier": "shunfeng",
        "state": "accepted",
        "claimed_fen": 9_800,
        "accepted_fen": 8_000,
        "paid_fen": 5_000,
    }
    assert counter.id in await counter.listed(state="to_inspect")
    refused = await counter.inspect(found(1), found(1, "refuse", "unused"))
    assert (refused.status_code, "已退款" in refused.json()["detail_zh"]) == (422, True)
    free = (await stock(counter.mall))[0]
    inspected = await counter.inspect(found(1), found(1, "scrap"))
    assert (inspected.json()["state"], inspected.json()["points"]) == ("settled", 0)
    assert (await stock(counter.mall))[0] == free + 1
    assert (await counter.mall.balance())["available"] == refunded
    assert await listed() == [counter.id]
    await step("written_off")
    assert await listed() == []
    again = await counter.post("arrival", **OPS)
    assert again.status_code == 409


async def test_one_of_two_came_back(counter: Counter) -> None:
    """D3, D6: what did not come is neither refunded nor sent, and the learner is told."""
    await counter.ask(reason="not_as_described")
    await counter.come_back()
    told = (await counter.inspect(found(1), found(1, "missing"))).json()
    assert (told["state"], told["sent_back_in"]) == ("settled", None)
    seen = await counter.seen()
    assert [one["verdict"] for one in seen["units"]] == ["restock", "missing"]
    assert "1 件未随包裹寄到" in seen["message"]["zh"]


async def test_a_return_is_part_of_its_orders_history(counter: Counter) -> None:
    """A2: the order's replay has it, with its parcel; each step follows from the one before."""
    await counter.ask()
    await counter.come_back()
    await counter.inspect()
    answer = await counter.mall.get(f"/v1/audit/orders/{counter.number}", **AUDITOR)
    facts = [one["fact"] for one in answer.json()["events"]]
    for fact in ("returns.ReturnOpened", "parcels.ParcelAwaited", "returns.ReturnSettled"):
        assert fact in facts
    stream = await counter.mall.get(f"/v1/audit/streams/return:{counter.id}", **AUDITOR)
    assert stream.json()["state"]["state"] == "settled"


async def test_nobody_is_erased_while_their_goods_are_coming_back(counter: Counter) -> None:
    """A4, D3: what is paid back for them has to reach somebody."""
    await counter.ask()
    erasure = {"reason": "asked for it"}
    refused = await counter.mall.post("/v1/learners/lin/erasure", erasure, **BOSS)
    assert (refused.status_code, refused.json()["code"]) == (409, "not_possible")
    assert refused.json()["detail_zh"].endswith(f"仍有未结的争议或退货：{counter.id}")
    await counter.post("withdrawal", role="learner", subject="lin")
    done = await counter.mall.post("/v1/learners/lin/erasure", erasure, **BOSS)
    assert done.status_code == 200, done.text
