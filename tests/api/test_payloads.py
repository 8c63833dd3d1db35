"""What carriers pushed, as it came: listed without content, shown for a reason (rules.md 30)."""

import json
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from application.gateways.kuaidi100 import sign_push
from application.jobs import apply_jobs_schema
from application.migrating import SERVICE_ROLE
from tests.api.conftest import RECIPIENT, Mall
from tests.conftest import MallDatabase

pytestmark = pytest.mark.anyio

SUPPORT: dict[str, Any] = {"role": "support", "subject": "wang"}
OPERATIONS: dict[str, Any] = {"role": "operations", "subject": "ops"}
AUDITOR: dict[str, Any] = {"role": "auditor", "subject": "audit"}
NAMED = "司马金丝雀"
SCAN = {
    "time": "2026-03-03 10:00:00",
    "ftime": "2026-03-03 10:00:00",
    "context": f"【杭州市】快递员王师傅正在派件,收件人:{NAMED},电话:13987654321",
    "status": "派件",
}


async def push(mall: Mall, parcel: str, param: str) -> None:
    """What Kuaidi100 sends, signed with the parcel's salt."""
    who = {"role": "administrator", "subject": "boss"}
    told = (await mall.get(f"/v1/parcels/{parcel}/callback", **who)).json()
    sign = sign_push(param.encode(), told["salt"].encode())
    body = urlencode({"sign": sign, "param": param}, quote_via=quote)
    answer = await mall.client.post(
        told["callback_url"].removeprefix(mall.settings.public_url),
        content=body.encode(),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert answer.json()["result"] is True, answer.text


def readable(waybill: str) -> str:
    """A push that can be read."""
    result = {
        "message": "ok", "state": "5", "status": "200", "ischeck": "0",
        "com": "shunfeng", "nu": waybill, "data": [SCAN],
    }  # fmt: skip
    return json.dumps(
        {"status": "polling", "message": "", "lastResult": result}, ensure_ascii=False
    )


@pytest.fixture
async def parcel(mall: Mall) -> str:
    """A parcel of lin's on its way."""
    number = (await mall.order(("enamel-mug", 1)))["number"]
    found = await mall.ship(number)
    await mall.views()
    return found


async def listed(mall: Mall, parcel: str) -> list[dict[str, Any]]:
    answer = await mall.get(f"/v1/parcels/{parcel}/payloads", **AUDITOR)
    assert answer.status_code == 200, answer.text
    assert NAMED not in answer.text
    found: list[dict[str, Any]] = answer.json()["payloads"]
    return found


async def test_a_payload_is_shown_as_it_came_when_staff_give_a_reason(
    mall: Mall, parcel: str
) -> None:
    """A4, rules.md 30: masked in the scan, listed without content, shown once it is recorded."""
    await push(mall, parcel, readable("SF1000100001"))
    (one,) = await listed(mall, parcel)
    assert (one["read"], one["scans"], one["kept"]) == (True, 1, "sealed")
    order = await mall.read(parcel.partition("-P")[0], role="support", subject="wang")
    assert NAMED not in json.dumps(order, ensure_ascii=False)
    path = f"/v1/parcels/{parcel}/payloads/{one['card']}/reveals"
    for who in (SUPPORT, OPERATIONS):
        shown = await mall.post(path, {"reason": "who signed?", "case": "D-7"}, **who)
        assert shown.status_code == 200, shown.text
        assert shown.headers["Cache-Control"] == "no-store"
        assert shown.json()["encoding"] == "utf-8"
        assert NAMED in shown.json()["payload"]
        assert len(shown.json()["payload"].encode()) == one["bytes"]
    history = await mall.get("/v1/audit/streams/privacy:lin", **AUDITOR)
    looks = history.json()["events"]
    assert [event["actor"] for event in looks] == ["support:wang", "operations:ops"]
    assert {event["data"]["parcel"] for event in looks} == {parcel}
    assert NAMED not in history.text


async def test_nothing_is_shown_when_it_is_no_payload_of_the_parcel(
    mall: Mall, parcel: str
) -> None:
    """A4, A10: other roles, other parcels, other cards; and nothing is recorded."""
    await push(mall, parcel, readable("SF1000100001"))
    (one,) = await listed(mall, parcel)
    path = f"/v1/parcels/{parcel}/payloads/{one['card']}/reveals"
    for role in ("learner", "service", "auditor"):
        assert (await mall.post(path, {"reason": "x"}, role=role)).status_code == 403
    for body in ({}, {"reason": " "}, {"reason": "x", "order": "T1"}):
        assert (await mall.post(path, body, **SUPPORT)).status_code == 422
    events = (await mall.get(f"/v1/audit/streams/order:{parcel[:-3]}", **AUDITOR)).json()["events"]
    recipient = events[0]["data"]["destination"]["card"]
    second = (await mall.order(("notebook", 1)))["number"]
    other = await mall.ship(second, number_on_it="SF1000020002")
    for place, card in ((parcel, recipient), (parcel, "0" * 32), (other, one["card"])):
        answer = await mall.post(
            f"/v1/parcels/{place}/payloads/{card}/reveals", {"reason": "x"}, **SUPPORT
        )
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), place
    body = {"card": one["card"], "reason": "x"}
    assert (await mall.post("/v1/audit/reveals", body, **SUPPORT)).status_code == 404
    assert (await mall.get("/v1/audit/streams/privacy:lin", **AUDITOR)).status_code == 404


async def test_a_second_person_is_asked_when_the_payload_is_about_a_minor(
    mall: Mall, parcel: str
) -> None:
    """A9: as with any card of theirs."""
    await push(mall, parcel, readable("SF1000100001"))
    (one,) = await listed(mall, parcel)
    minor = {"status": "active", "minor": True}
    await mall.post("/v1/learners/lin", minor, method="PUT", role="service", subject="lms")
    path = f"/v1/parcels/{parcel}/payloads/{one['card']}/reveals"
    asked = await mall.post(path, {"reason": "who signed?"}, **OPERATIONS)
    assert asked.status_code == 202
    approval = asked.json()["approval"]
    await mall.post(
        f"/v1/approvals/{approval}",
        {"decision": "allow", "reason": "a dispute"},
        role="administrator",
        subject="boss",
    )
    shown = await mall.post(path, {"reason": "who signed?"}, **OPERATIONS)
    assert (shown.status_code, shown.json()["parcel"]) == (200, parcel)


async def test_an_unreadable_push_waits_for_a_human_when_it_was_signed(
    mall: Mall, parcel: str, database: MallDatabase
) -> None:
    """M5, wire 1.6: kept whole, listed with its age, seen by a reveal, gone once dealt with."""
    apply_jobs_schema(database.owner_url, SERVICE_ROLE)
    await push(mall, parcel, '{"status":"new-form","lastResult":[]}')
    await push(mall, parcel, "no JSON at all")
    await mall.views()

    async def waiting() -> list[dict[str, Any]]:
        troubles = (await mall.get("/v1/troubles", **SUPPORT)).json()["troubles"]
        return [one for one in troubles if one["kind"] == "unreadable_push"]

    (trouble,) = await waiting()
    about = {"parcel": parcel, "order": parcel.partition("-P")[0], "pushes": 2}
    assert trouble["about"] == about
    assert trouble["age_seconds"] is not None
    found = await listed(mall, parcel)
    assert [(one["read"], one["scans"]) for one in found] == [(False, 0), (False, 0)]
    path = f"/v1/parcels/{parcel}/payloads/{found[1]['card']}/reveals"
    shown = await mall.post(path, {"reason": "what is it?"}, **OPERATIONS)
    assert shown.json()["payload"] == "no JSON at all"

    settle = f"/v1/parcels/{parcel}/unreadable/settlement"
    done = await mall.post(settle, {"reason": "a test of theirs"}, **OPERATIONS)
    assert (done.status_code, done.json()["settled"]) == (200, 2)
    twice = await mall.post(settle, {"reason": "again"}, **OPERATIONS)
    assert (twice.status_code, twice.json()["code"]) == (409, "not_possible")
    await mall.views()
    assert await waiting() == []
    await push(mall, parcel, "and another")
    await mall.views()
    (trouble,) = await waiting()
    assert trouble["about"]["pushes"] == 1


async def test_what_is_gone_is_said_when_the_learner_was_erased(mall: Mall, parcel: str) -> None:
    """A4, rules.md 30: the push is still on record, its content with the person is not."""
    await push(mall, parcel, "no JSON at all")
    (one,) = await listed(mall, parcel)
    refund = {"fault": "lost", "reason": "lost on the way"}
    await mall.post(f"/v1/orders/{parcel.partition('-P')[0]}/refunds", refund, **SUPPORT)
    await mall.views()
    erased = await mall.post(
        "/v1/learners/lin/erasure", {"reason": "asked to"}, role="administrator", subject="boss"
    )
    assert erased.status_code == 200, erased.text
    (gone,) = await listed(mall, parcel)
    assert (gone["kept"], gone["bytes"]) == ("erased", None)
    path = f"/v1/parcels/{parcel}/payloads/{one['card']}/reveals"
    assert (await mall.post(path, {"reason": "x"}, **SUPPORT)).status_code == 404
    await push(mall, parcel, "and another")
    assert [one["card"] for one in await listed(mall, parcel)][1:] == [None]
    assert RECIPIENT["name"] not in str(await listed(mall, parcel))
