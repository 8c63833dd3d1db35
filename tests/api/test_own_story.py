"""What a learner is told of their cases and returns, step by step (D1, D3)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.api.conftest import Mall
from tests.api.test_disputes import OPS, SUPPORT, signed
from tests.api.test_returns import Counter
from tests.reliability.test_callbacks import Pushing

pytestmark = pytest.mark.anyio


async def story(mall: Mall, number: str, **who: Any) -> list[Any]:
    """What the learner's page tells besides the order."""
    await mall.views()
    answer = await mall.get(f"/v1/orders/{number}/story", **who)
    assert answer.status_code == 200, answer.text
    entries: list[Any] = answer.json()["entries"]
    return entries


async def test_a_learner_is_told_each_step_of_a_case(mall: Mall) -> None:
    """D1: questions, answers, the inquiry and the decision, in both languages; nothing of what
    staff and the house have between them, and nobody else is told anything."""
    desk = await signed(mall, confirmed=True)
    assert await story(mall, desk.number) == []
    await desk.open()
    answers = [{"question": one, "answer": "no"} for one in ("family", "door", "locker")]
    await desk.post("/answers", {"answers": answers})
    await desk.post("/inquiry", None, **SUPPORT)
    said = {"result": "misdelivered", "words": "投错了"}
    await desk.post("/inquiry/answer", said, **SUPPORT)
    decision = {"outcome": "refund", "reason": "the carrier admits it"}
    decided = await desk.post("/decision", decision, **SUPPORT)
    assert decided.status_code == 200, decided.text
    told = await story(mall, desk.number)
    assert [one["fact"] for one in told] == [
        "disputes.DisputeOpened", "disputes.EvidenceGathered", "disputes.QuestionsAsked",
        *["disputes.QuestionAnswered"] * 3, "claims.InquiryOpened", "claims.InquiryAnswered",
        "disputes.DisputeDecided",
    ]  # fmt: skip
    assert {one["about"] for one in told} == {desk.case}
    assert told[0]["words"]["zh"] == "已反映问题"
    assert "the carrier admits it" not in str(told)
    assert "投错了" not in str(told)
    other = await mall.get(f"/v1/orders/{desk.number}/story", subject="nosy")
    assert other.status_code == 404
    assert await story(mall, desk.number, **SUPPORT) == told


async def test_a_learner_is_told_each_step_of_a_return(mall: Mall) -> None:
    """D3: its number, its scans on the way back, its arrival, what was found, what came of it."""
    counter = Counter(await signed(mall, confirmed=True))
    await counter.ask()
    number = f"SF1000010000{counter.id[-1]}"
    await counter.post("sending", {"carrier": "shunfeng", "waybill": number})
    pushing = Pushing(mall, counter.id)
    at = f"{datetime.now(UTC) + timedelta(hours=7, minutes=59):%Y-%m-%d %H:%M:%S}"
    told_of = pushing.param((at, "快件到达【杭州转运中心】", "0"), nu=number)
    assert (await pushing.send(pushing.signed(told_of))).json()["result"] is True
    await counter.post("arrival", **OPS)
    await counter.inspect()
    told = await story(mall, counter.number)
    facts = [one["fact"] for one in told if one["kind"] != "scan"]
    assert sorted(facts) == sorted([
        "returns.ReturnOpened", "parcels.WaybillIssued", "returns.GoodsSent",
        "returns.GoodsArrived", "returns.GoodsInspected", "returns.ReturnSettled",
    ])  # fmt: skip
    (scan, *_) = [one for one in told if one["kind"] == "scan"]
    assert scan["words"]["en"] != scan["details"]["en"] == scan["details"]["zh"]
    settled = next(one for one in told if one["fact"] == "returns.ReturnSettled")
    assert "420" in settled["details"]["en"]
    assert {one["about"] for one in told} == {counter.id}
