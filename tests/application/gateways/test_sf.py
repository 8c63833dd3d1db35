"""SF directly: its digest, its routes, its pushes; adapters are found by being there (T1)."""

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from application import trackers as registry
from application.gateways import trackers
from application.gateways.labelling import LabelWish, Numbered, Person
from application.gateways.sf_codes import CODES
from application.gateways.trackers.sf import DIGEST, TIMESTAMP, Sf, digest
from application.gateways.tracking import (
    ForgedPush,
    IncompleteRequest,
    PartnerRefused,
    Retry,
    UnreadablePush,
    UnreadableReply,
)
from application.settings import Settings
from domain.scans import ScanKind

NOW = datetime(2026, 1, 2, 0, 0, tzinfo=UTC)
SF = Sf("http://sf", partner="P1", check_word="checkword0001")
ROUTE = {
    "id": "1",
    "mailno": "SF0000000000001",
    "acceptTime": "2026-01-01 18:00:00",
    "acceptAddress": "深圳市",
    "remark": "顺丰速运 已收取快件",
    "opCode": "50",
}


@pytest.mark.parametrize(
    ("message", "timestamp", "word", "expected"),
    [
        ('{"language":"zh-CN","orderId":"QIAO-20200618-004"}', "12312334453453",
         "fjcg5PGKaNpPSHFAZ4QsCOkV71R3zVci", "IIKJtuLVzoFTu4kHI8M8vA=="),
        ('{"language":"zh-CN","trackingType":1,"trackingNumber":["SF0000000000001"],'
         '"methodType":1,"checkPhoneNo":"0000"}', "1767312000000", "checkword0001",
         "VmP2rWiQhvtlwaFHPHIX8g=="),
        ('{"remark":"轻拿轻放 ok"}', "1767312000000", "checkword0001", "CrYRRIcvSSk3NOcCCZ0vbg=="),
    ],
    ids=["theirs", "query", "chinese_and_blank"],
)  # fmt: skip
def test_the_digest_is_theirs(message: str, timestamp: str, word: str, expected: str) -> None:
    """T1, wire 2: the official example, and two more."""
    assert digest(message, timestamp=timestamp, check_word=word) == expected


def test_a_query_signs_the_very_text_that_it_sends() -> None:
    """T1, wire 2.1: the published vector, with the last four digits of the phone."""
    call = SF.query("SF0000000000001", carrier="shunfeng", phone="13800000000", now=NOW)
    assert call.url == "http://sf/std/service"
    assert call.form["timestamp"] == "1767312000000"
    assert call.form["msgDigest"] == "VmP2rWiQhvtlwaFHPHIX8g=="
    assert json.loads(call.form["msgData"])["checkPhoneNo"] == "0000"
    assert call.form["serviceCode"] == "EXP_RECE_SEARCH_ROUTES"
    again = SF.query("SF0000000000001", carrier="shunfeng", phone="13800000000", now=NOW)
    assert again == call
    with pytest.raises(IncompleteRequest):
        SF.query("SF1", carrier="shunfeng", phone="", now=NOW)


def reply(code: str = "A1000", **inner: Any) -> bytes:
    """A reply in their shape: the result is JSON in a string."""
    data = {"success": True, "errorCode": "S0000", "errorMsg": None, **inner}
    body = {"apiResultCode": code, "apiErrorMsg": "", "apiResultData": json.dumps(data)}
    return json.dumps(body).encode()


def routes(*found: dict[str, str], number: str = "SF0000000000001") -> bytes:
    """A successful reply with these routes."""
    return reply(msgData={"routeResps": [{"mailNo": number, "routes": list(found)}]})


def read(body: bytes) -> Any:
    return SF.read_answer(body, number="SF0000000000001", carrier="shunfeng")


def test_routes_are_scans_like_everybody_elses() -> None:
    """T1, wire 2.1, 2.3: Beijing time, words before codes, the place's division."""
    body = routes(
        ROUTE,
        {**ROUTE, "opCode": "80", "remark": "已签收,签收人是: 转EMS"},
        {**ROUTE, "opCode": "54", "remark": "网点操作"},
        {**ROUTE, "opCode": "99999", "remark": "网点操作二", "acceptAddress": "哪里"},
        {**ROUTE, "acceptTime": "yesterday"},
    )
    told = read(body)
    assert told.raw == body
    first, ems, coded, unknown = told.scans
    assert first.time == datetime(2026, 1, 1, 10, tzinfo=UTC)
    assert (first.carrier, first.kind, first.division, first.code) == (
        "shunfeng", ScanKind.PICKED_UP, "440300", "50",
    )  # fmt: skip
    assert [one.kind for one in (ems, coded, unknown)] == [
        ScanKind.HANDED_ON, ScanKind.PICKED_UP, ScanKind.UNKNOWN,
    ]  # fmt: skip
    assert unknown.division is None
    assert read(routes()).scans == ()
    assert read(routes(ROUTE, number="SF9")).scans == ()


@pytest.mark.parametrize(
    ("body", "retry", "alarm"),
    [
        (reply("A1006"), Retry.NEVER, True),
        (reply("A1003"), Retry.NEVER, True),
        (reply("A1005"), Retry.BACKOFF, False),
        (reply("A1099"), Retry.BACKOFF, False),
        (reply(success=False, errorCode="8003"), Retry.NEVER, False),
        (reply(errorCode="6133"), Retry.NEVER, False),
    ],
)
def test_refusals_say_whether_asking_again_helps(body: bytes, retry: Retry, alarm: bool) -> None:
    """T1, M2: success needs all three of their marks."""
    with pytest.raises(PartnerRefused) as refused:
        read(body)
    assert (refused.value.retry, refused.value.alarm) == (retry, alarm)


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"<html>", reply(), reply(msgData={"routeResps": [1]}),
     b'{"apiResultCode":"A1000","apiResultData":"{"}'],
)  # fmt: skip
def test_what_is_no_reply_is_asked_for_again(body: bytes) -> None:
    """M2"""
    with pytest.raises(UnreadableReply):
        read(body)


MONTHLY = Sf("http://sf", partner="P1", check_word="checkword0001", monthly_card="7551234567")
WISH = LabelWish(
    "T1-P1-L1", "shunfeng", Person("商城", "0571-88000000", "浙江省杭州市"),
    Person("林**", "13800138000", "广东省深圳市南山区"), "笔记本", 480,
)  # fmt: skip


def test_an_order_tells_two_people_and_a_weight() -> None:
    """T1, W5, wire 2.2: on the monthly account; no star in what is signed."""
    call = MONTHLY.order(WISH, now=NOW)
    assert call.form["serviceCode"] == "EXP_RECE_CREATE_ORDER"
    asked = json.loads(call.form["msgData"])
    assert (asked["orderId"], asked["monthlyCard"], asked["totalWeight"]) == (
        "T1-P1-L1", "7551234567", 0.48,
    )  # fmt: skip
    sender, recipient = asked["contactInfoList"]
    assert (sender["contactType"], sender["tel"]) == (1, "0571-88000000")
    assert (recipient["contactType"], recipient["mobile"]) == (2, "13800138000")
    assert "*" not in call.form["msgData"]
    expected = digest(
        call.form["msgData"], timestamp=call.form["timestamp"], check_word="checkword0001"
    )
    assert call.form["msgDigest"] == expected
    with pytest.raises(IncompleteRequest):
        MONTHLY.order(WISH._replace(sender=Person("x", "", "y")), now=NOW)
    assert MONTHLY.labels
    assert not SF.labels


def test_an_orders_number_is_the_mothers() -> None:
    """W5, wire 2.2: pieces have numbers of their own; what is no number is asked for again."""
    numbers = [
        {"waybillType": 2, "waybillNo": "SF0000000000009"},
        {"waybillType": 1, "waybillNo": "SF0000000000001"},
    ]
    route = [{"routeLabelData": {"destRouteLabel": "755BF"}}]
    body = reply(msgData={"orderId": "T1", "waybillNoInfoList": numbers, "routeLabelInfo": route})
    assert MONTHLY.read_order(body) == Numbered("SF0000000000001", "T1", "755BF")
    for wrong in (reply(msgData={"orderId": "T1"}), b"<html>"):
        with pytest.raises(UnreadableReply):
            MONTHLY.read_order(wrong)
    with pytest.raises(PartnerRefused):
        MONTHLY.read_order(reply(success=False, errorCode="8016"))
    MONTHLY.read_cancel(reply(msgData={}))
    with pytest.raises(PartnerRefused):
        MONTHLY.read_cancel(reply("A1099"))


def push(*found: dict[str, str]) -> bytes:
    return json.dumps({"Body": {"WaybillRoute": list(found)}}, ensure_ascii=False).encode()


def signed(body: bytes, word: str = "checkword0001", *, at: datetime = NOW) -> dict[str, str]:
    time = str(int(at.timestamp() * 1_000))
    return {TIMESTAMP: time, DIGEST: digest(body.decode(), timestamp=time, check_word=word)}


def test_a_push_is_read_waybill_by_waybill() -> None:
    """T1, wire 2.4"""
    other = {**ROUTE, "mailno": "SF0000000000002", "opCode": "80", "remark": "已签收"}
    body = push(ROUTE, other, {**ROUTE, "opCode": "31", "remark": "到达【深圳】"})
    told = SF.read_push(body, signed(body), now=NOW)
    assert [(one.number, len(one.scans)) for one in told] == [
        ("SF0000000000001", 2), ("SF0000000000002", 1),
    ]  # fmt: skip
    assert SF.read_push(body, {}, now=NOW) == told  # their signature is not documented
    assert [json.loads(one.raw)["Body"]["WaybillRoute"] for one in told] == [
        [ROUTE, {**ROUTE, "opCode": "31", "remark": "到达【深圳】"}], [other],
    ]  # fmt: skip
    assert [SF.read_routes(one.raw) for one in told] == [[one] for one in told]
    (alone,) = SF.read_push(push(ROUTE), {}, now=NOW)
    assert alone.raw == push(ROUTE)
    assert json.loads(SF.taken())["return_code"] == "0000"
    assert json.loads(SF.again("x"))["return_code"] == "1000"


def test_a_push_is_of_these_minutes() -> None:
    """R34: five minutes old, or ahead of our clock, and no longer; also where nothing is signed."""
    body = push(ROUTE)
    for seconds in (-300, 0, 300):
        assert SF.read_push(body, signed(body, at=NOW + timedelta(seconds=seconds)), now=NOW)
    wrong = [signed(body, at=NOW + timedelta(seconds=seconds)) for seconds in (-301, 301)]
    for time in ("", "x", "１７", "-1", "9" * 40, "1262304000000"):
        of_then = digest(body.decode(), timestamp=time, check_word="checkword0001")
        wrong += [{TIMESTAMP: time, DIGEST: of_then}, {TIMESTAMP: time}]
    for headers in wrong:
        with pytest.raises(ForgedPush):
            SF.read_push(body, headers, now=NOW)


def test_a_digest_that_comes_along_has_to_fit() -> None:
    """T2, R33: no byte of a signed push can be another one; an account may want all signed."""
    strict = Sf("http://sf", partner="P1", check_word="checkword0001", signed=True)
    body = push(ROUTE)
    headers = signed(body)
    assert strict.read_push(body, headers, now=NOW)
    later = {TIMESTAMP: str(int(headers[TIMESTAMP]) + 1)}
    chance = random.Random(7)
    for _ in range(500):
        place = chance.randrange(len(body))
        forged = bytearray(body)
        forged[place] ^= 1 << chance.randrange(8)
        with pytest.raises(ForgedPush):
            SF.read_push(bytes(forged), headers, now=NOW)
    for wrong in (signed(body, "another"), {**headers, **later}, {DIGEST: "é"}):
        with pytest.raises(ForgedPush):
            SF.read_push(body, wrong, now=NOW)
    with pytest.raises(ForgedPush):
        strict.read_push(body, {}, now=NOW)


@pytest.mark.parametrize(
    "body",
    [b"{}", b"[]", b"x", push(), push({"remark": "x"}), b'{"Body":{"WaybillRoute":[1]}}', b"\xff"],
)
def test_what_cannot_be_read_is_said_so(body: bytes) -> None:
    """R33: never anything but the two errors, for any bytes."""
    with pytest.raises(UnreadablePush):
        SF.read_push(body, {}, now=NOW)


def test_every_code_of_theirs_means_one_thing() -> None:
    """T1, wire 2.3: and not what the tables that contradict real payloads say."""
    assert len(CODES) > 80
    expected = {
        "80": ScanKind.SIGNED,
        "130": ScanKind.AWAITING_PICKUP,
        "70": ScanKind.FAILED_ATTEMPT,
        "648": ScanKind.FORWARDED,
    }
    assert {code: CODES[code] for code in expected} == expected
    assert "160" not in CODES


def test_an_adapter_is_one_file_that_is_found_where_it_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T1: a module with `opened`, and nothing else in the house knows of it."""
    source = (
        "from application.gateways.trackers.kuaidi100 import Kuaidi100\n"
        "class Zto(Kuaidi100):\n"
        "    name, carriers = 'zto_test', frozenset({'zhongtong'})\n"
        "def opened(settings):\n"
        "    one = settings.trackers.get('zto_test')\n"
        "    return None if one is None else Zto(one['url'], key='', customer='')\n"
    )
    (tmp_path / "zto_test.py").write_text(source)
    assert registry.names() == ["kuaidi100", "sf", "sto", "yto", "zto"]
    monkeypatch.setattr(trackers, "__path__", [*trackers.__path__, str(tmp_path)])
    assert registry.names() == ["kuaidi100", "sf", "sto", "yto", "zto", "zto_test"]
    account = {"partner": "P", "check_word": "w0rd"}
    settings = Settings(
        kuaidi100_url="http://k", kuaidi100_customer="C",
        trackers={"sf": account, "zto_test": {"url": "http://z"}},
    )  # fmt: skip
    found = registry.Trackers(settings)
    names = {carrier: tracker.name for carrier in ("shunfeng", "zhongtong", "ems")
             if (tracker := found.of(carrier)) is not None}  # fmt: skip
    assert names == {"shunfeng": "sf", "zhongtong": "zto_test", "ems": "kuaidi100"}
    assert registry.Trackers(Settings()).of("shunfeng") is None
    assert "w0rd" not in repr(settings)
