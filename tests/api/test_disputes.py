"""Signed, but never received: a case over HTTP, from the learner's words to every outcome (D1)."""

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi import Request
from pydantic_core import from_json

from application.envelope import Context
from application.jobs import apply_jobs_schema
from application.migrating import SERVICE_ROLE
from application.ordering import refund_order
from application.policies import NOTE_OVERDUE_CASES, sweep
from application.rules_of import rules_of
from application.streams import PARCEL
from application.unit import Command, Unit
from domain.lots import last_day
from domain.order_facts import Fault
from domain.parcel_facts import TrackConfirmed
from projections.verifying import verify
from projections.views import all_views
from tests.api.conftest import Mall
from tests.conftest import MallDatabase
from tests.reliability.test_callbacks import LINES, Pushing

pytestmark = pytest.mark.anyio

SUPPORT: dict[str, Any] = {"role": "support", "subject": "wang"}
OPS: dict[str, Any] = {"role": "operations", "subject": "ops"}
SERVICE: dict[str, Any] = {"role": "service", "subject": "lms"}
BOSS: dict[str, Any] = {"role": "administrator", "subject": "boss"}
AUDITOR: dict[str, Any] = {"role": "auditor", "subject": "audit"}
PNG = b"\x89PNG\r\n\x1a\n" + b"a picture of the door" * 20
WORDS = "显示已签收,但我没有收到"


class Desk:
    """A signed parcel of lin's, and who argues about it."""

    def __init__(self, mall: Mall, number: str, parcel: str) -> None:
        self.mall = mall
        self.number = number
        self.parcel = parcel
        self.case = f"D-{number}-P1"
        self.path = f"/v1/disputes/{self.case}"

    async def confirm(self, parcel: str | None = None) -> None:
        """A query told the same as the push (rules.md 23)."""
        named = parcel or self.parcel
        at = self.mall.tenant.store.clock()

        def decide(unit: Unit) -> dict[str, Any]:
            fact = TrackConfirmed(at=at, source="kuaidi100.query")
            unit.record(PARCEL, named, [fact])
            return {}

        key = f"confirm-{named}"
        command = Command("policy:test", key, key.encode(), _context(key), decide)
        await self.mall.tenant.store.execute(command)
        await self.mall.views()

    async def post(self, path: str, body: Any, **who: Any) -> Any:
        """Change something of the case, twice under one key: the second answer is the first."""
        key = f"k-{path}-{len(str(body))}-{who.get('role', '')}-{next(_SERIAL)}"
        first = await self.mall.post(f"{self.path}{path}", body, key=key, **who)
        again = await self.mall.post(f"{self.path}{path}", body, key=key, **who)
        assert (first.status_code, first.content) == (again.status_code, again.content)
        await self.mall.views()
        return first

    async def open(self, reason: str = "not_received", **more: Any) -> Any:
        """The learner complains."""
        key = f"open-{self.number}-{next(_SERIAL)}"
        path, body = f"/v1/orders/{self.number}/disputes", {"reason": reason, **more}
        first = await self.mall.post(path, body, key=key)
        again = await self.mall.post(path, body, key=key)
        assert (first.status_code, first.content) == (again.status_code, again.content)
        await self.mall.views()
        return first

    async def upload(self, content: bytes = PNG, kind: str = "image/png", **who: Any) -> Any:
        """Send a file as it is."""
        who = {"role": "learner", "subject": "lin", **who}
        headers = self.mall.headers(**who) | {
            "Idempotency-Key": f"up-{next(_SERIAL)}",
            "Content-Type": kind,
        }
        answer = await self.mall.client.post(
            f"{self.path}/evidence", content=content, headers=headers
        )
        await self.mall.views()
        return answer

    async def seen(self, **who: Any) -> Any:
        """The case on somebody's screen."""
        await self.mall.views()
        answer = await self.mall.get(self.path, **who)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def decide(self, outcome: str, **more: Any) -> Any:
        """Support decides."""
        body = {"outcome": outcome, "reason": "looked at", **more}
        return await self.post("/decision", body, **SUPPORT)


_SERIAL = itertools.count(1)


def _context(key: str) -> Context:
    return Context(actor="policy:test", command=key)


@pytest.fixture
async def desk(mall: Mall) -> Desk:
    """Two notebooks, pushed as signed by somebody else, confirmed by a query."""
    return await signed(mall, confirmed=True)


async def signed(mall: Mall, *, confirmed: bool, sku: str = "notebook") -> Desk:
    placed = await mall.order((sku, 2))
    parcel = await mall.ship(placed["number"])
    pushing = Pushing(mall, parcel)
    told = [*LINES[:3], (LINES[3][0], "【上海市】已签收,签收人:王大海", "3")]
    assert (await pushing.send(pushing.signed(pushing.param(*told)))).json()["result"] is True
    await mall.views()
    made = Desk(mall, placed["number"], parcel)
    if confirmed:
        await made.confirm()
    return made


# --- opening and evidence --------------------------------------------------------------------


async def test_evidence_is_gathered_when_a_learner_complains(desk: Desk) -> None:
    """D1: track, signer against recipient, proof of delivery; questions with their deadline; the
    service window stands still; sent twice it is one case."""
    answer = await desk.open(words=WORDS)
    assert answer.status_code == 201, answer.text
    assert answer.json()["case"] == desk.case
    shown = await desk.seen(**SUPPORT)
    evidence = shown["evidence"]
    assert (evidence["state"], evidence["signer_match"]) == ("signed", "another")
    assert (evidence["signer"], evidence["confirmed"]) == (None, True)
    assert evidence["track"].startswith(f"parcel:{desk.parcel}@")
    assert evidence["proof_of_delivery"].startswith(f"parcel:{desk.parcel}@")
    assert [one["question"] for one in shown["questions"]] == ["family", "door", "locker"]
    assert (shown["state"], shown["waits_for"], shown["overdue"]) == ("open", "learner", False)
    opened = datetime.fromisoformat(shown["opened_at"])
    assert datetime.fromisoformat(shown["answer_by"]) == opened + timedelta(hours=48)
    assert datetime.fromisoformat(shown["decide_by"]) == opened + timedelta(hours=72)
    assert shown["value_fen"] == 9_800
    (part,) = (await desk.mall.read(desk.number))["parts"]
    assert part["paused"] is True
    again = await desk.open()
    assert (again.status_code, again.json()["code"]) == (409, "dispute_exists")


async def test_the_address_says_what_happened_there_before(mall: Mall) -> None:
    """D1: orders, accounts and cases at the same address, however it was written; counts alone."""
    first = await signed(mall, confirmed=True)
    await first.open()
    second = await signed(mall, confirmed=True, sku="enamel-mug")
    await second.open("damaged")
    for desk, orders, disputes in ((first, 1, 0), (second, 2, 1)):
        told = (await desk.seen(**SUPPORT))["evidence"]["same_address"]
        assert (told["orders"], told["accounts"]) == (orders, 1)
        assert (told["disputes"], told["not_received"]) == (disputes, disputes)


async def test_the_order_says_which_parcel_can_be_disputed(desk: Desk) -> None:
    """D6: until when, why not, and which case there is; what a cancellation would free where."""
    order = await desk.mall.read(desk.number)
    assert order["actions"]["dispute"] == {"possible": True, "parcels": [desk.parcel]}
    mine = order["parcels"][0]["actions"]["dispute"]
    signed_at = datetime.fromisoformat(order["parcels"][0]["signed_at"])
    assert datetime.fromisoformat(mine["until"]) == signed_at + timedelta(days=30)
    await desk.open()
    order = await desk.mall.read(desk.number)
    mine = order["parcels"][0]["actions"]["dispute"]
    assert (mine["possible"], mine["case"]) == (False, desk.case)
    assert desk.case in mine["why_zh"]
    assert order["actions"]["dispute"]["possible"] is False
    new = await desk.mall.order(("notebook", 1))
    cancel = (await desk.mall.read(new["number"]))["actions"]["cancel"]
    assert cancel["stock"] == [{"warehouse": "zhejiang", "sku": "notebook", "quantity": 1}]
    assert sum(one["points"] for one in cancel["lots"]) == cancel["points"] == 260
    refund = (await desk.mall.read(desk.number, **SUPPORT))["actions"]["refund"]
    assert refund["stock"] == []  # what was sent is not free before it is inspected


async def test_one_timeline_says_what_came_of_what(desk: Desk) -> None:
    """D1, A1: scans, questions, answers, decision and its effects, each with its cause."""
    await desk.open(words=WORDS)
    await desk.post("/answers", {"answers": [{"question": "door", "answer": "no"}]})
    await desk.decide("refund", points=40)
    lines = (await desk.seen(**SUPPORT))["timeline"]
    facts = {line["fact"]: line for line in lines}
    at = {line["position"]: line["fact"] for line in lines}
    causes = {
        fact: at.get(line["because_of"])
        for fact, line in facts.items()
        if fact.partition(".")[0] in ("disputes", "orders", "ledger")
    }
    assert causes["disputes.EvidenceGathered"] == "disputes.DisputeOpened"
    assert causes["orders.WindowPaused"] == "disputes.QuestionsAsked"
    assert causes["disputes.QuestionAnswered"] == "disputes.QuestionsAsked"
    for effect in ("orders.UnitsRefunded", "ledger.PointsRestored", "ledger.PointsGranted"):
        assert causes[effect] == "disputes.DisputeDecided", effect
    assert "parcels.ParcelScanned" in facts
    assert [line["position"] for line in lines] == sorted(line["position"] for line in lines)
    theirs = (await desk.seen())["timeline"]
    assert {line["actor"] for line in theirs} <= {"learner", "support", "partner", "operations",
                                                   "policy", "service"}  # fmt: skip
    assert not any("details" in line for line in theirs)


async def test_learners_reach_no_case_but_their_own(desk: Desk) -> None:
    """A10: another's case is as one that is not there; nothing of it is in a list."""
    await desk.open(words=WORDS)
    await desk.upload()
    other = {"role": "learner", "subject": "chen"}
    answers = {"answers": [{"question": "door", "answer": "no"}]}
    for path in (desk.path, "/v1/disputes/D-T0-P1"):
        assert (await desk.mall.get(path, **other)).status_code == 404
        assert (await desk.mall.get(f"{path}/evidence/F1", **other)).status_code == 404
        assert (await desk.mall.post(f"{path}/answers", answers, **other)).status_code == 404
        assert (await desk.mall.post(f"{path}/withdrawal", {}, **other)).status_code == 404
        assert (await desk.mall.post(f"{path}/reopening", {}, **other)).status_code == 404
    opened = await desk.mall.post(
        f"/v1/orders/{desk.number}/disputes", {"reason": "damaged"}, **other
    )
    assert opened.status_code == 404
    assert (await desk.mall.get("/v1/disputes", **other)).json()["disputes"] == []
    assert (await desk.mall.get("/v1/disputes", **other, learner="lin")).status_code == 404
    mine = (await desk.mall.get("/v1/disputes")).json()["disputes"]
    assert [one["id"] for one in mine] == [desk.case]
    assert "claim" not in mine[0]


async def test_words_are_sealed_and_staff_see_no_names(desk: Desk) -> None:
    """A4, R58: the learner reads their own; staff without names; more is a reveal on record."""
    said = "我是林小满,电话13800000000,门口没有"
    await desk.open(words=said)
    assert (await desk.seen())["said"][0]["text"] == said
    shown = (await desk.seen(**SUPPORT))["said"][0]["text"]
    assert "林小满" not in shown
    assert "13800000000" not in shown
    assert "没有" in shown
    at = (await desk.seen())["said"][0]["position"]
    answer = await desk.post(f"/words/{at}/reveals", {"reason": "to call back"}, **SUPPORT)
    assert answer.json()["text"] == said
    reveals = [
        line
        for line in (await desk.seen(**SUPPORT))["timeline"]
        if line["fact"] == "privacy.CardRevealed"
    ]
    assert [line["details"]["case"] for line in reveals] == [desk.case]
    assert (
        await desk.mall.post(f"{desk.path}/words/{at}/reveals", {"reason": "x"}, **OPS)
    ).status_code == 403


async def test_files_are_kept_in_the_vault_and_shown_on_record(desk: Desk) -> None:
    """D1, A4: checked by their first bytes, digests in the log, bytes for their learner; staff
    give a reason, and it is one record."""
    await desk.open()
    added = await desk.upload()
    assert (added.status_code, added.json()["file"]) == (201, "F1")
    (listed,) = (await desk.seen())["files"]
    assert (listed["media_type"], listed["size_bytes"]) == ("image/png", len(PNG))
    assert listed["digest"] == added.json()["digest"]
    own = await desk.mall.get(f"{desk.path}/evidence/F1")
    assert (own.status_code, own.content) == (200, PNG)
    assert own.headers["content-type"] == "image/png"
    assert own.headers["x-content-type-options"] == "nosniff"
    assert "attachment" in own.headers["content-disposition"]
    assert (await desk.mall.get(f"{desk.path}/evidence/F1", **SUPPORT)).status_code == 403
    assert (await desk.mall.get(f"{desk.path}/evidence/F2")).status_code == 404
    shown = await desk.post("/evidence/F1/reveals", {"reason": "to decide"}, **SUPPORT)
    assert (shown.status_code, shown.content) == (200, PNG)
    facts = [line["fact"] for line in (await desk.seen(**SUPPORT))["timeline"]]
    assert facts.count("privacy.CardRevealed") == 1
    nothing = await desk.mall.post(f"{desk.path}/evidence/F9/reveals", {"reason": "x"}, **SUPPORT)
    assert nothing.status_code == 404


async def test_a_file_is_refused_when_it_is_not_what_it_says(desk: Desk) -> None:
    """D1: the field and the reason in two languages; nothing is kept."""
    await desk.open()
    for content, kind in (
        (b"<html>", "image/png"),
        (b"%PDF-1.7 x", "image/png"),
        (b"MZ\x90\x00", "application/octet-stream"),
        (b"<svg/>", "image/svg+xml"),
        (b"", "image/png"),
        (PNG, "text/plain"),
        (PNG + b"x" * 4_000_000, "image/png"),
    ):
        answer = await desk.upload(content, kind)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid"), content[:9]
        assert answer.json()["detail_zh"] != answer.json()["detail"]
    assert (await desk.seen())["files"] == []


async def test_other_kinds_of_files_are_taken(desk: Desk) -> None:
    """D1: what phones and scanners make; at most ten of them."""
    await desk.open("damaged")
    for content, kind in (
        (b"\xff\xd8\xff\xe0 jpeg", "image/jpeg"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp; charset=binary"),
        (b"%PDF-1.7 \x00\x01", "application/pdf"),
    ):
        assert (await desk.upload(content, kind)).status_code == 201
    for _ in range(7):
        assert (await desk.upload(role="support", subject="wang")).status_code == 201
    full = await desk.upload()
    assert (full.status_code, full.json()["code"]) == (409, "not_possible")


# --- outcomes --------------------------------------------------------------------------------


async def test_points_go_back_and_the_learner_is_told_when_it_is_refunded(desk: Desk) -> None:
    """D1, D4, D6: to their lots; a message in both languages; the order is closed."""
    before = (await desk.mall.balance())["available"]
    await desk.open()
    answer = await desk.decide("refund")
    assert (answer.status_code, answer.json()["points_refunded"]) == (200, 520)
    assert (await desk.mall.balance())["available"] == before + 520
    shown = await desk.seen()
    assert (shown["state"], shown["outcome"], shown["waits_for"]) == ("decided", "refund", None)
    assert shown["messages"][0]["zh"].startswith("我们已为您退还 520 积分")
    assert "520 points" in shown["messages"][0]["en"]
    assert shown["decision"] == {
        "outcome": "refund",
        "points": 0,
        "units": [{"part": 1, "line": 1, "quantity": 2}],
    }
    order = await desk.mall.read(desk.number)
    assert order["status"] == "closed"
    assert shown["actions"]["reopen"]["possible"] is False


async def test_a_linked_order_is_sent_when_it_is_reshipped(desk: Desk) -> None:
    """D1, rules.md 6: `N-R1` at no points, to be packed like any other; the window runs on."""
    await desk.open()
    answer = await desk.decide("reship")
    number = answer.json()["replacement"]
    assert number == f"{desk.number}-R1"
    order = await desk.mall.read(number)
    assert (order["status"], order["points"]) == ("pending_shipment", 0)
    (part,) = (await desk.mall.read(desk.number))["parts"]
    assert part["paused"] is False
    cancel = await desk.mall.post(f"/v1/orders/{number}/cancellation", {"reason": "no need"})
    assert (cancel.status_code, cancel.json()["code"]) == (409, "not_possible")
    assert order["actions"]["cancel"]["possible"] is False
    parcel = await desk.mall.ship(number)
    assert parcel == f"{number}-P1"


async def test_what_was_paid_comes_back_when_the_linked_order_is_nowhere(desk: Desk) -> None:
    """D4, D6: choosing the refund brings what was foretold: what the original cost."""
    await desk.open()
    number = (await desk.decide("reship")).json()["replacement"]
    count = {"sku": "notebook", "warehouse": "shaanxi", "counted": 0, "reason": "x"}
    await desk.mall.post("/v1/stock/counts", count, **OPS)
    body = {"order": number, "part": 1, "sku": "notebook", "found": 0, "reason": "wet"}
    assert (await desk.mall.post("/v1/parcels/shortages", body, **OPS)).json()["waits"] == 2
    await desk.mall.views()
    before = (await desk.mall.balance())["available"]
    paid = (await desk.mall.read(desk.number))["points"]
    foretold = (await desk.mall.read(number))["actions"]["refund_missing"]
    assert (foretold["possible"], foretold["points"]) == (True, paid)
    assert sum(one["points"] for one in foretold["lots"]) == paid > 0
    told = await desk.mall.post(f"/v1/orders/{number}/shortage", {"choice": "refund"})
    assert (told.json()["status"], told.json()["points"]) == ("cancelled", paid)
    await desk.mall.views()
    assert (await desk.mall.balance())["available"] == before + paid


async def test_what_was_paid_comes_back_when_staff_cancel_the_linked_order(desk: Desk) -> None:
    """O8, D4, D6: what the original cost, as was foretold: some units, then the rest."""
    await desk.open()
    number = (await desk.decide("reship")).json()["replacement"]
    before = (await desk.mall.balance())["available"]
    paid = (await desk.mall.read(desk.number))["points"]
    shown = (await desk.mall.get(f"/v1/orders/{number}", **SUPPORT)).json()
    foretold = shown["actions"]["cancel"]
    assert (foretold["possible"], foretold["points"]) == (True, paid)
    path = f"/v1/orders/{number}/cancellation"
    for more in ({"lines": [{"sku": "notebook", "quantity": 1}]}, {}):
        body = {"reason": "not to be had", **more}
        tried = await desk.mall.post(f"{path}/preview", body, **SUPPORT)
        assert tried.status_code == 200, tried.text
        told = await desk.mall.post(path, body, **SUPPORT)
        assert (told.status_code, told.json()["points"]) == (200, paid // 2)
        await desk.mall.views()
    assert (await desk.mall.balance())["available"] == before + paid > before
    assert (await desk.mall.read(desk.number))["status"] == "closed"


async def test_points_are_given_when_it_is_made_good(desk: Desk) -> None:
    """D1, D2: in the ledger, with the case as its source, in the statement."""
    await desk.open("late")
    answer = await desk.decide("compensation", points=120, message={"zh": "抱歉", "en": "Sorry"})
    assert answer.json()["points"] == 120
    entries = (await desk.mall.get("/v1/learners/lin/statement")).json()["entries"]
    assert (entries[0]["fact"], entries[0]["points"]) == ("ledger.PointsGranted", 120)
    shown = await desk.seen()
    assert shown["messages"] == [
        {"position": shown["messages"][0]["position"], "zh": "抱歉", "en": "Sorry"}
    ]


async def test_a_small_compensation_leaves_the_rest_to_be_decided(desk: Desk) -> None:
    """D1: the learner says what else is wrong; nothing is left to say once all is refunded."""
    await desk.open("late")
    await desk.decide("compensation", points=50)
    seen = await desk.seen()
    assert seen["actions"]["reopen"]["possible"] is True
    again = await desk.post("/reopening", {"reason": "damaged", "words": "里面碎了"})
    assert (again.status_code, again.json()["state"]) == (200, "open"), again.text
    assert (await desk.seen())["reason"] == "damaged"
    told = await desk.decide("refund")
    assert told.json()["points_refunded"] == (await desk.mall.read(desk.number))["points"] > 0
    refused = await desk.post("/reopening", {"reason": "lost"}, **SUPPORT)
    assert (refused.status_code, refused.json()["code"]) == (409, "not_possible")
    facts = [one["fact"] for one in (await desk.seen(**SUPPORT))["timeline"]]
    assert facts.count("disputes.DisputeDecided") == 2


async def test_a_case_gives_its_points_once_when_they_are_also_granted(
    desk: Desk, database: MallDatabase
) -> None:
    """L1, A2, M5: a grant under the case's name is refused, before and after its decision, and the
    log agrees with its records (rules.md 14)."""
    await desk.open("late")
    row = {"learner": "lin", "points": 3_000, "reason": "compensation", "source": desk.case}
    merged = {**row, "source": f"{desk.case}-M"}
    other = {**row, "points": 5, "source": f"about {desk.case}"}
    before = (await desk.mall.balance())["available"]
    for expected in ("granted", "duplicate"):
        answer = await desk.mall.post(
            "/v1/points/grants", {"grants": [row, merged, other]}, **SERVICE
        )
        *first, second = answer.json()["results"]
        assert [one["code"] for one in first] == ["source_of_ours"] * 2
        assert second["status"] == expected  # CONTROL: only the very name is the case's
        if expected == "granted":
            assert (await desk.decide("compensation", points=3_000)).status_code == 200
    assert (await desk.mall.balance())["available"] == before + 3_005
    views = all_views(rules_of(desk.mall.settings))
    found = await verify(database.owner_url, schema=database.schema, views=views)
    assert found.differences == []


async def test_compensation_is_taken_back_once_when_it_was_a_mistake(desk: Desk) -> None:
    """L5: though no grant was sent; one there is not is refused."""
    await desk.open("late")
    await desk.decide("compensation", points=300)
    before = (await desk.mall.balance())["available"]
    wrong = {"learner": "lin", "reason": "compensation", "source": desk.case, "why": "wrong case"}
    statuses = [
        (await desk.mall.post("/v1/points/clawbacks", wrong, **who)).json()["status"]
        for who in (OPS, BOSS)
    ]
    assert statuses == ["clawed_back", "duplicate"]
    assert (await desk.mall.balance())["available"] == before - 300
    none = await desk.mall.post("/v1/points/clawbacks", {**wrong, "source": "D-X-P1"}, **OPS)
    assert (none.status_code, none.json()["code"]) == (409, "grant_unknown")


async def test_a_rejection_waits_for_the_answers_and_can_be_looked_at_again(desk: Desk) -> None:
    """D1: nobody is turned down unheard; with new evidence, once more."""
    await desk.open()
    early = await desk.decide("rejected")
    assert (early.status_code, early.json()["code"]) == (409, "not_possible")
    answers = [{"question": q, "answer": "no"} for q in ("family", "door", "locker")]
    await desk.post("/answers", {"answers": answers})
    assert (await desk.decide("rejected")).status_code == 200
    reopened = await desk.post("/reopening", {"words": "物业有录像"})
    assert (reopened.status_code, reopened.json()["state"]) == (200, "open")
    assert (await desk.decide("found")).status_code == 200
    twice = await desk.post("/reopening", {})
    assert (twice.status_code, twice.json()["code"]) == (409, "not_possible")
    about = [one["about"] for one in (await desk.seen())["said"]]
    assert about == ["reopening"]


async def test_a_case_is_withdrawn_when_the_parcel_turned_up(desk: Desk) -> None:
    """D1: nothing follows; the window runs on."""
    await desk.open()
    answer = await desk.post("/withdrawal", {"words": "在邻居家"})
    assert answer.json()["state"] == "withdrawn"
    (part,) = (await desk.mall.read(desk.number))["parts"]
    assert part["paused"] is False
    late = await desk.decide("refund")
    assert late.status_code == 409


async def test_nothing_of_value_follows_from_a_push_alone(mall: Mall) -> None:
    """T2, R37, rules.md 23: refused as unconfirmed, unless support says why it counts."""
    desk = await signed(mall, confirmed=False)
    await desk.open()
    for outcome, points in (("refund", 0), ("reship", 0), ("compensation", 5)):
        answer = await desk.decide(outcome, points=points)
        assert (answer.status_code, answer.json()["code"]) == (409, "unconfirmed")
        assert "核实" in answer.json()["detail_zh"]
    claim = await mall.post("/v1/claims", {"parcel": desk.parcel, "reason": "lost"}, **OPS)
    assert claim.json()["code"] == "unconfirmed"
    assert (await desk.seen(**SUPPORT))["actions"]["file_claim"]["code"] == "unconfirmed"
    answer = await desk.decide("refund", unconfirmed_because="the carrier confirmed by phone")
    assert answer.status_code == 200
    claimed = await desk.seen(**SUPPORT)
    assert claimed["claim"] == "filed"
    assert claimed["actions"]["file_claim"]["code"] == "not_possible"


async def test_what_is_given_on_somebodys_word_takes_two_when_it_is_worth_much(
    desk: Desk,
) -> None:
    """A8: no confirmed track says why; CONTROL: less of it is decided alone (the test before)."""
    rules = desk.mall.tenant.rules
    desk.mall.tenant.rules = replace(rules, four_eyes_points=100)
    await desk.open()
    for outcome in ("refund", "reship"):
        answer = await desk.decide(outcome, unconfirmed_because="the carrier said so by phone")
        assert (answer.status_code, answer.json()["state"]) == (202, "awaiting_approval")
        (waiting,) = (await desk.mall.get("/v1/approvals", **BOSS)).json()["approvals"]
        assert waiting["points"] >= 100
        path = f"/v1/approvals/{answer.json()['approval']}"
        denied = await desk.mall.post(path, {"decision": "deny", "reason": "who?"}, **BOSS)
        assert denied.status_code == 200


async def test_much_is_refunded_at_the_order_by_two_people(desk: Desk) -> None:
    """A8, D6: asked for with its figures, allowed once; neither piece by piece nor one's own."""
    rules = desk.mall.tenant.rules
    price = (await desk.mall.get(f"/v1/orders/{desk.number}", **SUPPORT)).json()["points"] // 2
    desk.mall.tenant.rules = replace(rules, four_eyes_points=2 * price)
    path = f"/v1/orders/{desk.number}/refunds"
    one = {"lines": [{"sku": "notebook", "quantity": 1}], "fault": "lost", "reason": "x"}
    for back in (False, True):
        body = {**one, "goods_back": back}
        own = await desk.mall.post(path, body, role="support", subject="lin")
        assert (own.status_code, own.json()["code"]) == (409, "own_account")

    async def order(**who: str) -> Any:
        await desk.mall.views()
        return (await desk.mall.get(f"/v1/orders/{desk.number}", **who)).json()

    before = (await desk.mall.balance())["available"]
    assert (await order(**SUPPORT))["actions"]["refund"]["needs_second_person"] is True
    assert (await order(role="support", subject="lin"))["actions"]["refund"]["possible"] is False
    assert (await desk.mall.post(path, one, **SUPPORT)).status_code == 200
    much = await desk.mall.post(path, {**one, "goods_back": True}, **SUPPORT, key="much")
    twin = await desk.mall.post(path, {**one, "goods_back": True}, **SUPPORT, key="much")
    assert (much.status_code, much.json()["status"]) == (202, "pending_approval")
    assert (twin.status_code, twin.content) == (202, much.content)
    assert (await desk.mall.balance())["available"] == before + price
    shown = await order(**SUPPORT)
    assert "second person" in shown["actions"]["refund"]["why"]
    (proposed,) = shown["proposed_refunds"]
    assert (proposed["maker"], proposed["points"], proposed["goods_back"]) == ("wang", price, True)
    mine = await order()
    assert not any(
        "Refund" in line["fact"] for line in mine["timeline"] if "Units" not in line["fact"]
    )
    assert "proposed_refunds" not in mine
    (waiting,) = (await desk.mall.get("/v1/approvals", **BOSS)).json()["approvals"]
    assert (waiting["kind"], waiting["points"], waiting["goods_back"]) == ("refund", price, True)
    assert [(one["sku"], one["quantity"]) for one in waiting["goods"]] == [("notebook", 1)]
    assert (waiting["alone_points"], waiting["subject"]) == (price, desk.number)
    approval = f"/v1/approvals/{much.json()['approval']}"
    allow = {"decision": "allow", "reason": "checked"}
    same = await desk.mall.post(approval, allow, role="administrator", subject="wang")
    assert same.json()["code"] == "same_person"
    given = await desk.mall.post(approval, allow, **BOSS)
    assert (given.status_code, given.json()["points"]) == (200, price)
    assert (await desk.mall.balance())["available"] == before + 2 * price
    assert (await order(**SUPPORT))["proposed_refunds"] == []


async def test_much_waits_for_a_second_person(desk: Desk) -> None:
    """A8, rules.md 26: 202, an approval in the list, carried out by somebody else, once."""
    before = (await desk.mall.balance())["available"]
    await desk.open()
    asked = await desk.decide("compensation", points=6_000)
    assert (asked.status_code, asked.json()["state"]) == (202, "awaiting_approval")
    assert (await desk.seen(**SUPPORT))["waits_for"] == "approval"
    assert (await desk.seen())["proposed"] is None
    proposed = (await desk.seen(**SUPPORT))["proposed"]
    assert (proposed["maker"], proposed["approval"]) == ("wang", asked.json()["approval"])
    assert (proposed["alone_points"], proposed["alone_times"]) == (0, 0)
    (waiting,) = (await desk.mall.get("/v1/approvals", **BOSS)).json()["approvals"]
    assert (waiting["kind"], waiting["subject"], waiting["maker"]) == (
        "compensation", desk.case, "wang",
    )  # fmt: skip
    path = f"/v1/approvals/{asked.json()['approval']}"
    allow = {"decision": "allow", "reason": "checked"}
    same = await desk.mall.post(path, allow, role="administrator", subject="wang")
    assert same.json()["code"] == "same_person"
    given = await desk.mall.post(path, allow, **BOSS, key="allow")
    again = await desk.mall.post(path, allow, **BOSS, key="allow")
    assert (given.status_code, given.content) == (200, again.content)
    assert (await desk.mall.balance())["available"] == before + 6_000
    shown = await desk.seen(**SUPPORT)
    assert (shown["state"], shown["decision"]["points"]) == ("decided", 6_000)
    facts = [line["fact"] for line in shown["timeline"]]
    assert "approvals.ApprovalRequested" in facts
    assert "approvals.ApprovalGiven" in facts


@pytest.mark.parametrize("outcome", ["refund", "reship"])
async def test_units_that_a_decision_waits_about_are_given_once(desk: Desk, outcome: str) -> None:
    """D4, A8: not at the order meanwhile; what came back all the same is not given by the case."""
    rules = desk.mall.tenant.rules
    desk.mall.tenant.rules = replace(rules, four_eyes_points=100)
    await desk.open()
    asked = await desk.decide(outcome, unconfirmed_because="the carrier said so by phone")
    assert asked.status_code == 202, asked.text
    body = {"fault": "lost", "reason": "x", "goods_back": False}
    path = f"/v1/orders/{desk.number}/refunds"
    refused = await desk.mall.post(path, body, **SUPPORT)
    assert (refused.status_code, refused.json()["code"]) == (409, "not_possible")
    assert f"争议 {desk.case} 的裁决待第二人审批" in refused.json()["detail_zh"]
    order = (await desk.mall.get(f"/v1/orders/{desk.number}", **SUPPORT)).json()
    assert desk.case in order["actions"]["refund"]["why"]

    def came(unit: Unit) -> dict[str, Any]:
        return refund_order(
            unit, number=desk.number, wanted=[("notebook", 1)], fault=Fault.LOST, reason="x",
            goods_back=True, rules=rules, came_in=True,
        )  # fmt: skip

    one = Command("policy:test", "came", b"came", _context("came"), came)
    await desk.mall.tenant.store.execute(one)
    path = f"/v1/approvals/{asked.json()['approval']}"
    late = await desk.mall.post(path, {"decision": "allow", "reason": "checked"}, **BOSS)
    assert (late.status_code, late.json()["code"]) == (409, "not_possible")
    assert "请驳回，再重新处理" in late.json()["detail_zh"]
    denied = await desk.mall.post(path, {"decision": "deny", "reason": "it is back"}, **BOSS)
    assert denied.status_code == 200
    assert (await desk.seen(**SUPPORT))["state"] == "open"


async def test_a_small_compensation_tells_what_its_maker_moved_alone_before(desk: Desk) -> None:
    """A8: on the case, too, where the second person decides; in whatever role it was moved."""
    moved = {"learner": "lin", "points": 3_000, "source": "sorry", "why": "a bad week"}
    answer = await desk.mall.post(
        "/v1/points/adjustments", moved, role="operations", subject=SUPPORT["subject"]
    )
    assert answer.status_code == 200, answer.text
    await desk.open()
    asked = await desk.decide("compensation", points=2_000)
    assert asked.json()["status"] == "pending_approval"
    proposed = (await desk.seen(**SUPPORT))["proposed"]
    assert (proposed["points"], proposed["alone_points"], proposed["alone_times"]) == (
        2_000, 3_000, 1,
    )  # fmt: skip


async def test_a_denied_decision_is_decided_anew(desk: Desk) -> None:
    """A8: the case is open again."""
    await desk.open()
    asked = await desk.decide("compensation", points=6_000)
    path = f"/v1/approvals/{asked.json()['approval']}"
    denied = await desk.mall.post(path, {"decision": "deny", "reason": "too much"}, **BOSS)
    assert denied.status_code == 200, denied.text
    assert (await desk.seen(**SUPPORT))["state"] == "open"
    assert (await desk.decide("compensation", points=600)).status_code == 200


# --- the carrier -----------------------------------------------------------------------------


async def test_the_carrier_is_asked_once_and_its_words_are_sealed(desk: Desk) -> None:
    """D1, rules.md 27: shared by the parcel's cases; learners see the result, not the words."""
    await desk.open()
    answers = [{"question": q, "answer": "no"} for q in ("family", "door", "locker")]
    await desk.post("/answers", {"answers": answers})
    asked = await desk.post("/inquiry", None, **SUPPORT)
    assert (asked.status_code, asked.json()["inquiry"]) == (200, "open")
    assert (await desk.seen(**SUPPORT))["waits_for"] == "carrier"
    await desk.post("/inquiry", None, **SUPPORT)
    said = {"result": "misdelivered", "reference": "YT-1", "words": "送到王大海家"}
    answer = await desk.post("/inquiry/answer", said, **SUPPORT)
    assert answer.json()["inquiry"] == "answered"
    shown = await desk.seen(**SUPPORT)
    assert (shown["waits_for"], shown["inquiry_about"]["result"]) == ("staff", "misdelivered")
    assert [one["about"] for one in shown["said"]] == ["inquiry"]
    facts = [line["fact"] for line in shown["timeline"]]
    assert facts.count("claims.InquiryOpened") == 1
    theirs = await desk.seen()
    assert theirs["said"] == []
    assert not any(line["fact"].startswith("claims.") for line in theirs["timeline"])


async def test_a_claim_goes_its_own_way(desk: Desk) -> None:
    """D2: filed, accepted, paid, listed with its age; what the learner got is another matter."""
    await desk.open("not_as_described")  # nothing of it is claimed by itself
    await desk.decide("refund")
    body = {"parcel": desk.parcel, "reason": "lost"}
    first = await desk.mall.post("/v1/claims", body, **OPS, key="claim")
    again = await desk.mall.post("/v1/claims", body, **OPS, key="claim")
    assert (first.status_code, first.content) == (201, again.content)
    assert first.json()["claimed_fen"] == 9_800
    twice = await desk.mall.post("/v1/claims", body, **OPS)
    assert twice.status_code == 409
    await desk.mall.views()
    (listed,) = (await desk.mall.get("/v1/claims", **AUDITOR)).json()["claims"]
    possible = {name for name, one in listed["actions"].items() if one["possible"]}
    assert possible == {"corrected", "acknowledged", "accepted", "rejected", "written_off"}
    assert "filed" in listed["actions"]["paid"]["why"]
    for state, count in (("filed", 1), ("accepted", 0)):
        some = (await desk.mall.get("/v1/claims", state=state, **AUDITOR)).json()["claims"]
        assert len(some) == count, state
    assert (listed["state"], listed["orders"]) == ("filed", [desk.number])
    assert listed["age_seconds"] >= 0
    steps = f"/v1/claims/{desk.parcel}/steps"
    wrong = await desk.mall.post(steps, {"step": "paid", "reason": "x"}, **OPS)
    assert wrong.status_code == 409
    for step, fen in (("acknowledged", None), ("accepted", 9_000), ("paid", 9_000)):
        answer = await desk.mall.post(
            steps, {"step": step, "amount_fen": fen, "reason": "by mail"}, **OPS
        )
        assert answer.status_code == 200, answer.text
    await desk.mall.views()
    assert (await desk.mall.get("/v1/claims", **AUDITOR)).json()["claims"] == []
    every = (await desk.mall.get("/v1/claims", **AUDITOR, all=True)).json()["claims"]
    assert [(one["state"], one["paid_fen"]) for one in every] == [("paid", 9_000)]
    one = (await desk.mall.get(f"/v1/claims/{desk.parcel}", **SUPPORT)).json()
    assert one["state"] == "paid"
    assert (await desk.mall.get("/v1/claims/T0-P1", **SUPPORT)).status_code == 404


async def test_a_claim_is_raised_and_stays_open_until_all_of_it_is_paid(desk: Desk) -> None:
    """D2: another refund of the parcel raises it; no sum beyond what it was worth; paid in parts
    it stays among the open ones."""
    body = {"parcel": desk.parcel, "reason": "damaged", "claimed_fen": 900_000_000}
    refused = await desk.mall.post("/v1/claims", body, **OPS)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid")
    refund = {"fault": "damaged", "reason": "seen", "lines": [{"sku": "notebook", "quantity": 1}]}
    for fen in (4_900, 9_800):
        told = await desk.mall.post(f"/v1/orders/{desk.number}/refunds", refund, **SUPPORT)
        assert [one["claimed_fen"] for one in told.json()["claims"]] == [fen], told.text
    steps = f"/v1/claims/{desk.parcel}/steps"

    async def step(name: str, fen: int | None) -> Any:
        body = {"step": name, "reason": "by mail"} | ({"amount_fen": fen} if fen else {})
        return await desk.mall.post(steps, body, **OPS)

    for wrong in (None, 900_000_000):
        assert (await step("corrected", wrong)).status_code == 422
    assert (await step("corrected", 9_000)).json()["claimed_fen"] == 9_000
    assert (await step("accepted", None)).json()["accepted_fen"] == 9_000
    assert (await step("paid", 1)).json()["claim"] == "accepted"
    await desk.mall.views()
    (listed,) = (await desk.mall.get("/v1/claims", **AUDITOR)).json()["claims"]
    assert (listed["state"], listed["claimed_fen"], listed["paid_fen"]) == ("accepted", 9_000, 1)
    done = (await step("paid", None)).json()
    assert (done["claim"], done["paid_fen"]) == ("paid", 9_000)


@pytest.mark.parametrize("minutes_after", [1, -60])
async def test_what_was_refunded_as_lost_and_arrives_is_listed(
    mall: Mall, database: MallDatabase, minutes_after: int
) -> None:
    """D2, O8, M5: its carrier is asked to stop it at once; signed for all the same, its claim is
    among what is stuck until it is written off. Also where it was signed for before the claim, and
    nobody had told of it: carriers push hours later."""
    apply_jobs_schema(database.owner_url, SERVICE_ROLE)
    number = (await mall.order(("notebook", 2)))["number"]
    parcel = await mall.ship(number)
    refund = {"fault": "lost", "reason": "nobody saw it for days"}
    real = mall.tenant.store.clock
    mall.tenant.store.clock = lambda: real() + timedelta(hours=2)
    told = await mall.post(f"/v1/orders/{number}/refunds", refund, **SUPPORT)
    assert (told.status_code, told.json()["status"]) == (200, "closed"), told.text
    await mall.views()
    (box,) = (await mall.read(number, **SUPPORT))["parcels"]
    assert box["intercept"]["state"] == "asked"

    async def listed() -> list[str]:
        found = (await mall.get("/v1/troubles", **OPS)).json()["troubles"]
        return [one["about"]["parcel"] for one in found if one["kind"] == "delivered_claim"]

    assert await listed() == []
    clock = mall.tenant.store.clock
    pushing = Pushing(mall, parcel)
    at = (clock() + timedelta(minutes=minutes_after)).astimezone(mall.tenant.rules.zone)
    mall.tenant.store.clock = lambda: clock() + timedelta(minutes=2)
    line = (f"{at:%Y-%m-%d %H:%M:%S}", "已签收,签收人:王大海", "3")
    assert (await pushing.send(pushing.signed(pushing.param(line)))).json()["result"] is True
    await mall.views()
    assert await listed() == [parcel]
    written = {"step": "written_off", "reason": "it arrived"}
    assert (await mall.post(f"/v1/claims/{parcel}/steps", written, **OPS)).status_code == 200
    await mall.views()
    assert await listed() == []


async def test_a_claim_that_is_missing_is_listed_before_it_is_too_late(
    desk: Desk, database: MallDatabase
) -> None:
    """D2, M5: three days before the carrier takes none any more, while the case is open."""
    apply_jobs_schema(database.owner_url, SERVICE_ROLE)
    await desk.open("damaged")
    until = datetime.fromisoformat((await desk.seen(**SUPPORT))["file_claim_by"])
    store = desk.mall.tenant.store

    day = last_day(until, zone=desk.mall.tenant.rules.zone)

    async def listed(days: float) -> list[str]:
        store.clock = lambda: until - timedelta(days=days)
        found = (await desk.mall.get("/v1/troubles", **OPS)).json()["troubles"]
        mine = [one for one in found if one["kind"] == "claim_window"]
        assert all(one["what"] == f"{desk.parcel}: to be claimed by {day}" for one in mine)
        return [one["about"]["parcel"] for one in mine]

    now = store.clock()
    assert [await listed(days) for days in (3.1, 2.9, 0.1, -0.1)] == [
        [], [desk.parcel], [desk.parcel], [],
    ]  # fmt: skip
    store.clock = lambda: now
    await desk.decide("rejected")
    assert await listed(1) == []


async def test_what_the_carrier_is_at_fault_for_is_claimed_by_itself(desk: Desk) -> None:
    """D2, D6: seen before it is decided, filed in the same commit, one a parcel (rules.md 27)."""
    await desk.open("lost")
    foretold = (await desk.seen(**SUPPORT))["actions"]["refund"]["claims"]
    assert foretold == [{"parcel": desk.parcel, "carrier": "shunfeng", "claimed_fen": 9_800}]
    decided = (await desk.decide("refund")).json()
    (claim,) = decided["claims"]
    assert (claim["claim"], claim["claimed_fen"], claim["why"]) == ("filed", 9_800, None)
    (listed,) = (await desk.mall.get("/v1/claims", **AUDITOR)).json()["claims"]
    assert (listed["parcel"], listed["reason"]) == (desk.parcel, "lost")
    body = {"parcel": desk.parcel, "reason": "lost"}
    assert (await desk.mall.post("/v1/claims", body, **OPS)).status_code == 409
    mine = (await desk.seen())["timeline"]
    assert not any(line["fact"].startswith("claims.") for line in mine)


async def test_a_refund_at_the_order_is_claimed_of_its_carrier_by_itself(desk: Desk) -> None:
    """D2: without any case; sent again it is the same answer, and one claim (R16)."""
    one = [{"sku": "notebook", "quantity": 1}]
    body = {"fault": "damaged", "reason": "the picture shows it", "lines": one}
    path, key = f"/v1/orders/{desk.number}/refunds", "refund-by-hand"
    first = await desk.mall.post(path, body, key=key, **SUPPORT)
    assert first.status_code == 200, first.text
    (claim,) = first.json()["claims"]
    assert (claim["parcel"], claim["claim"], claim["claimed_fen"]) == (desk.parcel, "filed", 4_900)
    again = await desk.mall.post(path, body, key=key, **SUPPORT)
    assert again.json()["claims"] == [claim]
    await desk.mall.views()
    (listed,) = (await desk.mall.get("/v1/claims", **AUDITOR)).json()["claims"]
    assert (listed["reason"], listed["claimed_fen"]) == ("damaged", 4_900)


async def test_what_is_given_for_a_broken_thing_is_claimed_and_foretold(desk: Desk) -> None:
    """D2, D6: as much of its value as the points are of its price."""
    await desk.open("damaged")
    decided = (await desk.decide("compensation", points=52)).json()
    assert [one["claimed_fen"] for one in decided["claims"]] == [980]  # a tenth of 9,800


# --- what can be done ------------------------------------------------------------------------


async def test_each_reader_is_told_what_is_possible_and_what_it_would_do(desk: Desk) -> None:
    """D6: from the decisions themselves: lots, stock, message; why not, in two languages."""
    await desk.open()
    actions = (await desk.seen(**SUPPORT))["actions"]
    assert set(actions) >= {"ask", "answer", "inquire", "refund", "reship", "file_claim"}
    refund = actions["refund"]
    assert refund["possible"] is True
    assert sum(one["points"] for one in refund["points"]) == 520
    assert all(one["lot"] for one in refund["points"])
    assert refund["message"]["en"].startswith("We refunded 520 points")
    (reserved,) = actions["reship"]["stock"]
    assert (reserved["sku"], reserved["change"], reserved["quantity"]) == (
        "notebook", "reserved", 2,
    )  # fmt: skip
    assert actions["reship"]["orders"] == [f"{desk.number}-R1"]
    assert actions["found"]["window_until"] is not None
    assert actions["rejected"]["possible"] is False
    assert "until" in actions["rejected"]["why"]
    assert actions["rejected"]["why_zh"].startswith("无法裁决争议")
    mine = (await desk.seen())["actions"]
    assert set(mine) == {"answer", "add_evidence", "withdraw", "reopen"}
    assert mine["answer"]["possible"] is True
    assert mine["reopen"]["possible"] is False
    body = {"outcome": "compensation", "reason": "x", "points": 7_000}
    preview = await desk.mall.post(f"{desk.path}/decision/preview", body, **SUPPORT)
    assert preview.status_code == 200, preview.text
    assert preview.json()["needs_second_person"] is True
    assert (await desk.seen(**SUPPORT))["state"] == "open"  # nothing of it happened


async def test_what_was_foretold_is_what_happens(desk: Desk) -> None:
    """D6: the same lots, the same facts."""
    await desk.open()
    foretold = (await desk.seen(**SUPPORT))["actions"]["refund"]
    before = (await desk.mall.get("/v1/learners/lin/balance")).json()["available"]
    await desk.decide("refund")
    after = (await desk.mall.balance())["available"]
    assert after - before == sum(one["points"] for one in foretold["points"])
    lines = (await desk.seen(**SUPPORT))["timeline"]
    decided = next(one for one in lines if one["fact"] == "disputes.DisputeDecided")
    recorded = [
        line["fact"]
        for line in lines
        if line["position"] >= decided["position"] and line["fact"] != "parcels.ParcelScanned"
    ]
    assert recorded == foretold["facts"]


async def test_an_order_says_that_its_replacement_is_where_to_decide(desk: Desk) -> None:
    """D4, D6: staff cannot plainly refund what is sent once more, and are told before they try."""
    await desk.open()
    assert (await desk.decide("reship")).status_code == 200
    refund = (await desk.mall.read(desk.number, **SUPPORT))["actions"]["refund"]
    assert refund["possible"] is False
    assert f"{desk.number}-R1 sends it once more" in refund["why"]
    body = {"fault": "lost", "reason": "asked for it"}
    answer = await desk.mall.post(f"/v1/orders/{desk.number}/refunds", body, **SUPPORT)
    assert (answer.status_code, answer.json()["code"]) == (409, "not_possible")
    assert "已补发，请在该订单上处理" in answer.json()["detail_zh"]


async def test_a_case_that_nobody_decided_is_among_the_troubles(
    desk: Desk, database: MallDatabase
) -> None:
    """M5, D1: with its age since the deadline, whose turn it is; gone once it is decided."""
    apply_jobs_schema(database.owner_url, SERVICE_ROLE)
    await desk.open()
    store = desk.mall.tenant.store
    now = store.clock()
    store.clock = lambda: now + timedelta(hours=80)
    assert (await sweep(desk.mall.tenant, NOTE_OVERDUE_CASES)).done == 1
    await desk.mall.views()

    async def troubles() -> list[Any]:
        found = (await desk.mall.get("/v1/troubles", **SUPPORT)).json()["troubles"]
        return [one for one in found if one["kind"] == "overdue_case"]

    (one,) = await troubles()
    assert one["about"]["case"] == desk.case
    assert (one["about"]["waits_for"], one["cause"]) == ("learner", "not_received")
    assert 7 * 3_600 < one["age_seconds"] < 9 * 3_600
    await desk.decide("found")
    assert await troubles() == []


# --- lists -----------------------------------------------------------------------------------


async def test_cases_are_listed_by_deadline_state_and_learner(mall: Mall) -> None:
    """D1: what is due first comes first; pages; overdue ones; an auditor reads, and decides not."""
    desks = []
    for sku in ("notebook", "enamel-mug", "rattan-basket"):
        desk = await signed(mall, confirmed=True, sku=sku)
        await desk.open("damaged")
        desks.append(desk)
    await desks[0].decide("found")
    live = (await mall.get("/v1/disputes", **SUPPORT, state="live")).json()["disputes"]
    assert [one["id"] for one in live] == [desks[1].case, desks[2].case]
    page = (await mall.get("/v1/disputes", **AUDITOR, limit=2)).json()
    rest = (await mall.get("/v1/disputes", **AUDITOR, limit=2, cursor=page["next"])).json()
    ids = [one["id"] for one in (*page["disputes"], *rest["disputes"])]
    assert ids == [desk.case for desk in reversed(desks)]
    assert rest["next"] is None
    decided = (await mall.get("/v1/disputes", **SUPPORT, state="decided")).json()["disputes"]
    assert [one["outcome"] for one in decided] == ["found"]
    of_order = await mall.get("/v1/disputes", **SUPPORT, order=desks[2].number)
    assert [one["id"] for one in of_order.json()["disputes"]] == [desks[2].case]
    late = await mall.get("/v1/disputes", **SUPPORT, overdue=True)
    assert late.json()["disputes"] == []
    body = {"outcome": "found", "reason": "x"}
    refused = await mall.post(f"{desks[1].path}/decision", body, **AUDITOR)
    assert refused.status_code == 403


async def test_a_case_is_part_of_its_orders_history(desk: Desk) -> None:
    """A2: the order's replay has the case, its claim and the compensation; the case its own."""
    await desk.open()
    await desk.post("/inquiry", None, **SUPPORT)
    await desk.decide("compensation", points=30)
    answer = await desk.mall.get(f"/v1/audit/orders/{desk.number}", **AUDITOR)
    facts = [one["fact"] for one in answer.json()["events"]]
    assert {"disputes.DisputeOpened", "claims.InquiryOpened", "disputes.DisputeDecided"} <= {*facts}
    assert "ledger.PointsGranted" in facts
    stream = await desk.mall.get(f"/v1/audit/streams/dispute:{desk.case}", **AUDITOR)
    assert stream.json()["state"]["state"] == "decided"
    steps = stream.json()["events"]
    assert steps[-1]["changed"]["state"] == ["open", "decided"]


async def test_a_parcel_can_be_disputed_until_thirty_days_after_signing(mall: Mall) -> None:
    """D1, rules.md 27: refused with the day on which it ended."""
    desk = await signed(mall, confirmed=True)
    store = mall.tenant.store
    store.clock = lambda: datetime.now(UTC) + timedelta(days=31)
    answer = await desk.open()
    assert (answer.status_code, answer.json()["code"]) == (409, "too_late_to_dispute")


async def test_a_fault_of_ours_is_told_in_both_languages(mall: Mall) -> None:
    """D6: as every other answer that is no; what went wrong is in the log alone."""
    told = mall.app.exception_handlers[Exception]
    request = Request({"type": "http", "method": "GET", "path": "/v1/orders", "headers": []})
    body = from_json((await told(request, AssertionError("of somebody"))).body)  # type: ignore[misc]
    assert (body["status"], body["code"]) == (500, "internal_error")
    assert body["detail_zh"] == "系统内部出错，已记录。"
    assert "of somebody" not in str(body)


async def test_nobody_is_erased_while_their_case_is_open(desk: Desk) -> None:
    """A4, D1: their words and files are what it is decided by, and they take what is decided."""
    await desk.open(words=WORDS)
    erasure = {"reason": "asked for it"}
    refused = await desk.mall.post("/v1/learners/lin/erasure", erasure, **BOSS)
    assert (refused.status_code, refused.json()["detail"]) == (
        409,
        f"erase is not possible: cases are open: {desk.case}",
    )
    decided = await desk.decide("refund")
    assert decided.status_code == 200, decided.text
    done = await desk.mall.post("/v1/learners/lin/erasure", erasure, **BOSS)
    assert (done.status_code, done.json()["status"]) == (200, "erased")


async def test_nobody_is_erased_while_a_refund_of_theirs_waits(desk: Desk) -> None:
    """A4, A8: asked for at the order, not allowed yet: nobody would be there to take it."""
    desk.mall.tenant.rules = replace(desk.mall.tenant.rules, four_eyes_points=100)
    refund = {"fault": "damaged", "reason": "the picture shows it"}
    told = await desk.mall.post(f"/v1/orders/{desk.number}/refunds", refund, **SUPPORT)
    assert told.json()["status"] == "pending_approval", told.text
    await desk.mall.views()
    erasure = {"reason": "asked for it"}
    refused = await desk.mall.post("/v1/learners/lin/erasure", erasure, **BOSS)
    assert (refused.status_code, refused.json()["detail_zh"]) == (
        409, f"无法注销：仍有待第二人审批的退款：{desk.number}",
    )  # fmt: skip
    body = {"decision": "deny", "reason": "the picture is of another thing"}
    path = f"/v1/approvals/{told.json()['approval']}"
    assert (await desk.mall.post(path, body, **BOSS)).status_code == 200
    await desk.mall.views()
    done = await desk.mall.post("/v1/learners/lin/erasure", erasure, **BOSS)
    assert (done.status_code, done.json()["status"]) == (200, "erased")
