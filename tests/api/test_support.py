"""The support desk: an order's one timeline with causes, masked; notes beside it (D1, A4, A10)."""

import json
import time
from typing import Any

import pytest

from api import live, support_timeline
from api.auth import Caller, Role
from application.envelope import Context
from application.jobs import apply_jobs_schema
from application.migrating import SERVICE_ROLE
from application.streams import PARCEL
from application.subscriptions import Subscriptions
from application.unit import Command, Unit
from domain.parcel_facts import DeliveryDelayed
from tests.api.conftest import RECIPIENT, Mall
from tests.api.test_disputes import AUDITOR, BOSS, OPS, SUPPORT, WORDS, Desk, signed
from tests.conftest import MallDatabase

pytestmark = pytest.mark.anyio

NOTE = "学员林小满来电 13800138000:物业前台没有收到"


@pytest.fixture
async def desk(mall: Mall) -> Desk:
    """Two notebooks, pushed as signed by somebody else, confirmed by a query."""
    return await signed(mall, confirmed=True)


def path_of(desk: Desk, more: str = "timeline") -> str:
    return f"/v1/support/orders/{desk.number}/{more}"


async def entries(desk: Desk, **who: Any) -> list[dict[str, Any]]:
    """The order's timeline as somebody of the staff sees it."""
    await desk.mall.views()
    answer = await desk.mall.get(path_of(desk), **(who or SUPPORT))
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["entries"]
    return found


async def noted(desk: Desk, words: str = NOTE, **who: Any) -> Any:
    """Support writes something down, twice under one key: the second answer is the first."""
    who = who or SUPPORT
    key = f"note-{words}".encode().hex()[:60]
    first = await desk.mall.post(path_of(desk, "notes"), {"words": words}, key=key, **who)
    again = await desk.mall.post(path_of(desk, "notes"), {"words": words}, key=key, **who)
    assert (first.status_code, first.content) == (again.status_code, again.content)
    await desk.mall.views()
    return first


async def test_all_that_concerns_an_order_is_one_list_with_causes(desk: Desk) -> None:
    """D1, A1: order, points, stock, scans, case, carrier, message, note; each with what it came
    of, both times, an actor, and words in both languages."""
    await desk.open(words=WORDS)
    await desk.post("/answers", {"answers": [{"question": "door", "answer": "no"}]})
    await desk.post("/inquiry", None, **SUPPORT)
    await noted(desk)
    await desk.decide("refund", points=40)
    found = await entries(desk)
    assert {one["kind"] for one in found} == {
        "order", "ledger", "stock", "parcel", "scan", "dispute", "claim", "message", "note",
    }  # fmt: skip
    assert len({one["id"] for one in found}) == len(found)
    times = [one["happened_at"] for one in found]
    assert times == sorted(times)
    by_id = {one["id"]: one for one in found}
    causes = {one["fact"]: by_id[one["because_of"]]["fact"] for one in found if one["because_of"]}
    assert causes["ledger.PointsRedeemed"] == "orders.OrderPlaced"
    assert causes["stock.StockReserved"] == "orders.OrderPlaced"
    (shelf,) = [one for one in found if one["fact"] == "stock.StockReserved"][:1]
    assert "notebook" in shelf["details"]["en"]
    assert "线装笔记本" in shelf["details"]["zh"]
    assert causes["orders.PartHandedOver"] == "parcels.ParcelHandedOver"
    assert causes["orders.PartReceived"] == "parcels.ParcelScanned"
    assert causes["disputes.EvidenceGathered"] == "disputes.DisputeOpened"
    assert causes["disputes.QuestionAnswered"] == "disputes.QuestionsAsked"
    for effect in ("orders.UnitsRefunded", "ledger.PointsRestored", "ledger.PointsGranted", None):
        assert causes[effect] == "disputes.DisputeDecided", effect
    (message,) = (one for one in found if one["kind"] == "message")
    assert message["details"]["zh"].startswith("我们已为您退还 520 积分")
    assert "520 points" in message["details"]["en"]
    decided = by_id[message["because_of"]]
    assert decided["actor"] == "support:wang"
    assert "520 积分" in decided["details"]["zh"]
    scans = [one for one in found if one["kind"] == "scan"]
    assert all(one["recorded_at"] > one["happened_at"] for one in scans)
    assert any("派送途中" in one["details"]["zh"] for one in scans)
    assert all(one["words"]["zh"] and one["words"]["en"] for one in found)


async def test_the_timeline_is_answered_once_when_nothing_is_new(desk: Desk) -> None:
    """D1: who asks again is told that nothing changed; a note changes it."""
    first = await desk.mall.get(path_of(desk), **SUPPORT)
    headers = desk.mall.headers("support", "wang") | {"If-None-Match": first.headers["etag"]}
    assert (await desk.mall.client.get(path_of(desk), headers=headers)).status_code == 304
    await noted(desk)
    assert (await desk.mall.client.get(path_of(desk), headers=headers)).status_code == 200


async def _nobody_is_named(desk: Desk) -> None:
    await desk.open(words="我是林小满,电话13800138000,住 2 单元 301")
    await noted(desk)
    message = {"zh": "林小满您好,电话13800138000", "en": "Dear 林小满, 13800138000"}
    await desk.decide("found", message=message)
    answer = await desk.mall.get(path_of(desk), **SUPPORT)
    for name in (RECIPIENT["name"], "13800138000", "2 单元 301", "王大海"):
        assert name not in answer.text, name
    said = [one["said"]["text"] for one in answer.json()["entries"] if one["said"]]
    assert len(said) == 2
    assert all("138" not in text for text in said)


async def test_nobody_is_named_when_the_timeline_is_read(desk: Desk) -> None:
    """A4: words, notes, messages and scans without names, phones and doors."""
    await _nobody_is_named(desk)


async def test_somebody_is_named_when_words_are_told_as_they_are(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A4 CONTROL: words as they were written."""
    monkeypatch.setattr(support_timeline, "without_names", lambda text, recipient: text)
    with pytest.raises(AssertionError):
        await _nobody_is_named(desk)


async def test_a_note_is_sealed_and_shown_on_record(desk: Desk) -> None:
    """A4, R58: no event has its words; unmasked with a reason, which is an entry of its own."""
    made = await noted(desk)
    assert (made.status_code, made.json()["notes"]) == (201, 1)
    (note,) = (one for one in await entries(desk) if one["kind"] == "note")
    assert note["actor"] == "support:wang"
    kept = await desk.mall.get(f"/v1/audit/streams/notes:{desk.number}", **AUDITOR)
    assert "物业" not in kept.text
    why = {"reason": "to call them"}
    shown = await desk.mall.post(note["said"]["reveal"], why, key="see", **SUPPORT)
    again = await desk.mall.post(note["said"]["reveal"], why, key="see", **SUPPORT)
    assert (shown.json()["text"], shown.headers["cache-control"]) == (NOTE, "no-store")
    assert shown.json() == again.json()
    reveals = [one for one in await entries(desk) if one["kind"] == "privacy"]
    assert [one["details"]["en"] for one in reveals] == ["to call them"]
    wrong = await desk.mall.post(path_of(desk, "notes/1/reveals"), why, **SUPPORT)
    assert wrong.status_code == 404
    for who in (OPS, AUDITOR, {"role": "learner", "subject": "lin"}):
        assert (await desk.mall.post(note["said"]["reveal"], why, **who)).status_code == 403


async def test_who_may_read_and_write_at_the_desk(desk: Desk) -> None:
    """A10: staff read, an auditor writes nothing, no learner sees what the house says of them."""
    for who in (SUPPORT, OPS, AUDITOR, BOSS):
        assert await entries(desk, **who)
    mine = {"role": "learner", "subject": "lin"}
    assert (await desk.mall.get(path_of(desk), **mine)).status_code == 403
    for who in (mine, AUDITOR, {"role": "service", "subject": "crm"}):
        assert (
            await desk.mall.post(path_of(desk, "notes"), {"words": "x"}, **who)
        ).status_code == 403
    await noted(desk)
    order = await desk.mall.read(desk.number)
    assert not any(one["fact"].startswith("notes.") for one in order["timeline"])
    absent = await desk.mall.get("/v1/support/orders/T0/timeline", **SUPPORT)
    assert absent.status_code == 404
    nothing = await desk.mall.post("/v1/support/orders/T0/notes", {"words": "x"}, **SUPPORT)
    assert nothing.status_code == 404


async def test_a_notes_words_go_when_the_learner_is_erased(desk: Desk) -> None:
    """A4: the entry stays, its words are gone, and no new ones are written of who is gone."""
    await noted(desk)
    await desk.open()
    await desk.decide("refund")
    gone = await desk.mall.post("/v1/learners/lin/erasure", {"reason": "asked"}, **BOSS)
    assert gone.status_code == 200, gone.text
    (note,) = (one for one in await entries(desk) if one["kind"] == "note")
    assert note["said"] == {"text": None, "reveal": None}
    refused = await noted(desk, "to be forgotten")
    assert (refused.status_code, refused.json()["code"]) == (409, "not_possible")


async def test_what_other_systems_were_told_is_in_the_list(desk: Desk) -> None:
    """D1, N2: each try, because of its event; of the address the host alone."""
    tenant = desk.mall.tenant
    async with tenant.pool.connection() as connection, connection.transaction():
        mine = Subscriptions(connection, schema=tenant.schema, vault=tenant.vault)
        await mine.create(
            "w1",
            owner="service:crm",
            url="https://crm.example.com/hook?secret=1",
            facts=["orders.*"],
            after=None,
            now=tenant.store.clock(),
        )
        before = {one["id"] for one in await entries(desk)}
        placed = next(one for one in await entries(desk) if one["fact"] == "orders.OrderPlaced")
        await connection.execute(
            f"INSERT INTO {tenant.schema}.webhook_deliveries"
            " (webhook, position, fact, attempt, at, outcome, status, took_ms)"
            " VALUES ('w1', %s, 'orders.OrderPlaced', 2, now(), 'failed', 503, 9)".encode(),
            (placed["position"],),
        )
    (told,) = (one for one in await entries(desk) if one["id"] not in before)
    assert (told["kind"], told["because_of"]) == ("webhook", placed["id"])
    assert told["details"]["en"] == "service:crm · crm.example.com · Failed · HTTP 503 · try 2"
    assert "secret" not in str(told)


async def test_what_a_learner_was_told_of_a_delay_is_in_the_list(desk: Desk) -> None:
    """T5, D1: the words they read, because of what keeps their parcel."""
    at = desk.mall.tenant.store.clock()

    def decide(unit: Unit) -> dict[str, Any]:
        unit.record(PARCEL, desk.parcel, [DeliveryDelayed(cause="no_movement", since=at)])
        return {}

    command = Command("policy:test", "late", b"late", Context("policy:test", "late"), decide)
    await desk.mall.tenant.store.execute(command)
    found = await entries(desk)
    (message,) = (one for one in found if one["kind"] == "message")
    assert message["details"]["en"].startswith("There has been no news of your parcel")
    (delay,) = (one for one in found if one["id"] == message["because_of"])
    assert delay["details"]["zh"].startswith("长时间无进展 · 自 ")


async def test_learners_hear_nothing_of_what_the_house_keeps_to_itself(desk: Desk) -> None:
    """A10, T3: notes and what is asked of carriers are news for staff alone."""
    await desk.open()
    await noted(desk)
    await desk.post("/inquiry", None, **SUPPORT)
    await desk.post("/answers", {"answers": [{"question": "door", "answer": "no"}]})
    house = {"notes.NoteAdded", "claims.InquiryOpened"}
    mine = await _news(desk, Caller(Role.LEARNER, "lin", time.time()))
    assert {"disputes.DisputeOpened", "parcels.ParcelScanned"} <= mine
    assert not house & mine
    assert house <= await _news(desk, Caller(Role.SUPPORT, "wang", time.time()))


async def _news(desk: Desk, caller: Caller) -> set[str]:
    """The facts that somebody's live stream told of, until the last one."""
    told: set[str] = set()
    stream: Any = live._stream(desk.mall.tenant, desk.number, 0, caller)
    async for frame in stream:
        told |= {
            json.loads(line.removeprefix("data: "))["fact"]
            for line in frame.decode().splitlines()
            if line.startswith("data: ")
        }
        if "disputes.QuestionAnswered" in told:
            await stream.aclose()
    return told


async def test_a_return_and_its_words_are_in_the_list(desk: Desk) -> None:
    """D3, A4: what comes back, why, who pays for it; what was said of it without names."""
    body = {"remedy": "refund", "reason": "damaged", "words": "林小满说封面破了"}
    opened = await desk.mall.post(f"/v1/orders/{desk.number}/returns", body)
    assert opened.status_code == 201, opened.text
    found = await entries(desk)
    (back,) = (one for one in found if one["fact"] == "returns.ReturnOpened")
    assert (back["kind"], back["actor"]) == ("return", "learner:lin")
    assert back["details"]["en"].startswith("Return and refund · Damaged")
    assert "封面破了" in back["said"]["text"]
    assert "林小满" not in back["said"]["text"]
    (held,) = (one for one in found if one["fact"] == "orders.UnitsUnderReturn")
    assert held["because_of"] == back["id"]


async def test_when_the_carrier_was_last_asked_is_in_the_list(desk: Desk) -> None:
    """T1, D1: what a query brought that left no fact: an answer that told nothing new."""
    tenant = desk.mall.tenant
    order = await desk.mall.read(desk.number, **SUPPORT)
    waybill = order["parcels"][0]["waybill"]
    async with tenant.pool.connection() as connection, connection.transaction():
        await connection.execute(
            f"INSERT INTO {tenant.schema}.queries (waybill, parcel, asked_at, outcome)"
            " VALUES (%s, %s, now(), 'contradicts')".encode(),
            (waybill, desk.parcel),
        )
    (asked,) = (one for one in await entries(desk) if one["kind"] == "query")
    assert asked["details"]["en"] == f"{waybill} · knows of no receipt"
    assert asked["stream"] == f"parcel:{desk.parcel}"


async def test_who_asks_to_see_a_minors_data_is_in_the_list(
    desk: Desk, database: MallDatabase
) -> None:
    """A9, D1: what was asked of a second person and what they said; then that it was looked at."""
    apply_jobs_schema(database.owner_url, SERVICE_ROLE)
    minor = {"status": "active", "minor": True}
    who: dict[str, Any] = {"role": "service", "subject": "lms"}
    await desk.mall.post("/v1/learners/lin", minor, method="PUT", **who)
    body = {"order": desk.number, "reason": "to call them"}
    asked = await desk.mall.post("/v1/audit/reveals", body, **SUPPORT)
    assert asked.status_code == 202, asked.text
    allow = {"decision": "allow", "reason": "agreed"}
    await desk.mall.post(f"/v1/approvals/{asked.json()['approval']}", allow, **BOSS)
    await desk.mall.post("/v1/audit/reveals", body, **SUPPORT)
    kinds = ("approval", "privacy")
    told = [one for one in await entries(desk) if one["kind"] in kinds]
    assert [one["fact"] for one in told] == [
        "approvals.ApprovalRequested", "approvals.ApprovalGiven", "privacy.CardRevealed",
    ]  # fmt: skip
    assert told[1]["because_of"] == told[0]["id"]
    assert told[0]["details"]["en"].startswith("Look at a minor’s data · asked by wang")
