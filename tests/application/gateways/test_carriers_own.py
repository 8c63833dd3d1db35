"""ZTO, YTO and STO directly: their digests, their questions, their answers (T1; wire 3)."""

import json
import random
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from application.gateways.carriers_own import moment
from application.gateways.trackers import sto, yto, zto
from application.gateways.tracking import (
    IncompleteRequest,
    PartnerRefused,
    Retry,
    Tracker,
    UnreadableReply,
)
from application.settings import Settings
from application.trackers import Trackers
from domain.scans import ScanKind

NOW = datetime(2026, 1, 2, tzinfo=UTC)
ZTO = zto.Zto("http://zto", app_key="app", app_secret="appsecret0001")
YTO = yto.Yto("http://yto", user="u1", customer="K1", secret="123456")
STO = sto.Sto("http://sto", app_key="app", code="code", secret="secret0001")
ALL = pytest.mark.parametrize("tracker", [ZTO, YTO, STO], ids=["zto", "yto", "sto"])
NUMBER = "73100000000001"


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (
            zto.digest(
                '{"pageNo1":33,"pageSize2":23,"data":"test"}', "6fecf57d0f3e1c2100eac4810aa90b54"
            ),
            "7Ih1zjVdgQEFBzdITreegg==",
        ),
        (
            zto.digest('{"billCode":"73100000000001","mobilePhone":"0000"}', "appsecret0001"),
            "b+i0yYvZTcNAElIZJeO/aw==",
        ),
        (yto.sign('{"NUMBER":"YT2600227881409"}', "123456"), "uhSL6hg8txxadZi26YPYPg=="),
        (
            sto.digest('{"order":"desc","waybillNoList":["770000000000001"]}', "secret0001"),
            "DJwJgzMO8XdAYKzXWrGQRw==",
        ),
    ],
    ids=["zto_theirs", "zto", "yto_official", "sto"],
)
def test_the_digest_is_theirs(made: str, expected: str) -> None:
    """T1, wire 3: the published vectors."""
    assert made == expected


def test_a_query_signs_the_very_text_that_it_sends() -> None:
    """T1, wire 3: with the last four digits of the phone where they ask for them."""
    call = ZTO.query(NUMBER, carrier="zhongtong", phone="13800000000", now=NOW)
    assert call.url == "http://zto/zto.merchant.waybill.track.query"
    assert call.body == b'{"billCode":"73100000000001","mobilePhone":"0000"}'
    assert call.headers["x-dataDigest"] == "b+i0yYvZTcNAElIZJeO/aw=="
    assert call.content == {"content": call.body, "headers": dict(call.headers)}
    call = YTO.query("YT2600227881409", carrier="yuantong", phone="", now=NOW)
    assert call.url == "http://yto/open/track_query_adapter/v1/u1/K1"
    assert json.loads(call.body or b"") == {
        "timestamp": "1767312000000", "param": '{"NUMBER":"YT2600227881409"}',
        "sign": "uhSL6hg8txxadZi26YPYPg==", "format": "JSON",
    }  # fmt: skip
    call = STO.query("770000000000001", carrier="shentong", phone="", now=NOW)
    assert call.form["data_digest"] == "DJwJgzMO8XdAYKzXWrGQRw=="
    assert (call.form["api_name"], call.form["to_code"]) == (sto.API, "sto_trace_query")
    assert call.content["data"] == dict(call.form)


@ALL
def test_a_number_is_not_asked_about_when_it_is_none(tracker: Tracker) -> None:
    """T1: they would refuse it."""
    with pytest.raises(IncompleteRequest):
        tracker.query("7", carrier="", phone="", now=NOW)


def zto_answer(*rows: dict[str, Any], status: object = True) -> bytes:
    given = [{"billCode": NUMBER, **row} for row in rows]
    return json.dumps({"status": status, "statusCode": "SYS1", "result": given}).encode()


def test_ztos_scans_are_like_everybody_elses() -> None:
    """T1, wire 3: milliseconds, places, words before their own words for it."""
    site = {"name": "西湖", "city": "杭州市", "prov": "浙江省"}
    row = {"scanType": "收件", "scanDate": 1767268800000, "scanSite": site, "desc": "网点操作"}
    told = ZTO.read_answer(
        zto_answer(
            row,
            {**row, "scanType": "签收", "desc": "已签收,签收人是: 转EMS"},
            {**row, "scanDate": "soon"},
            {**row, "billCode": "73100000000002"},
            {**row, "scanSite": None, "scanType": "?", "desc": "快件离开【西安】,已发往【杭州】"},
        ),
        number=NUMBER,
        carrier="zhongtong",
    )
    first, handed_on, bare = told.scans
    assert (first.time, first.kind, first.division, first.carrier, first.code) == (
        datetime(2026, 1, 1, 12, tzinfo=UTC), ScanKind.PICKED_UP, "330100", "zhongtong", "收件",
    )  # fmt: skip
    assert handed_on.kind is ScanKind.HANDED_ON
    assert (bare.kind, bare.division, bare.status) == (ScanKind.DEPARTED, None, None)


def test_ytos_scans_are_like_everybody_elses() -> None:
    """T1, wire 3: Beijing time; an object with a code of its own says that there are none."""
    row = {
        "waybill_No": NUMBER, "upload_Time": "2026-01-01 20:00:00", "infoContent": "INBOUND",
        "processInfo": "网点操作", "city": "杭州市", "district": "西湖区",
    }  # fmt: skip
    body = json.dumps(
        [row, {**row, "waybill_No": "YT9"}, {**row, "upload_Time": "2026/1"}]
    ).encode()
    (scan,) = YTO.read_answer(body, number=NUMBER, carrier="yuantong").scans
    assert (scan.time, scan.kind, scan.division) == (
        datetime(2026, 1, 1, 12, tzinfo=UTC), ScanKind.AWAITING_PICKUP, "330106",
    )  # fmt: skip
    none = json.dumps({"code": "1001", "message": "查询结果为空。", "success": True}).encode()
    assert YTO.read_answer(none, number=NUMBER, carrier="yuantong").scans == ()


def test_stos_scans_are_like_everybody_elses() -> None:
    """T1, wire 3: by waybill, with provinces and cities."""
    row = {
        "opTime": "2026-01-01 20:00:00", "scanType": "驿站代收", "memo": "网点操作",
        "opOrgCityName": "杭州市", "opOrgProvinceName": "浙江省",
    }  # fmt: skip
    body = json.dumps({"success": "true", "data": {NUMBER: [row, {**row, "memo": ""}]}}).encode()
    (scan,) = STO.read_answer(body, number=NUMBER, carrier="shentong").scans
    assert (scan.kind, scan.division) == (ScanKind.AWAITING_PICKUP, "330100")
    nothing: tuple[object, ...] = ({}, None)
    for data in nothing:
        none = json.dumps({"success": True, "data": data}).encode()
        assert STO.read_answer(none, number=NUMBER, carrier="shentong").scans == ()


@pytest.mark.parametrize(
    ("tracker", "body"),
    [
        (ZTO, zto_answer(status=False)),
        (ZTO, zto_answer(status="true")),
        (YTO, b'{"success":false,"code":"1002","message":"no"}'),
        (STO, b'{"success":false,"errorCode":"S01","errorMsg":"no"}'),
    ],
)
def test_a_refusal_is_no_track(tracker: Tracker, body: bytes) -> None:
    """T1: what their codes mean is not documented: a later try may help."""
    with pytest.raises(PartnerRefused) as refused:
        tracker.read_answer(body, number=NUMBER, carrier="")
    assert (refused.value.retry, refused.value.alarm) == (Retry.BACKOFF, False)


@ALL
def test_nothing_else_escapes_when_an_answer_is_forged(tracker: Tracker) -> None:
    """T1, R46: whatever comes, it is an answer, a refusal, or unreadable."""
    rng = random.Random(3)
    good = [
        zto_answer({"scanType": "收件", "scanDate": 1, "desc": "x"}),
        b'[{"waybill_No":"73100000000001","upload_Time":"2026-01-01 20:00:00"}]',
        b'{"success":true,"data":{"73100000000001":[{"opTime":"2026-01-01 20:00:00"}]}}',
        b'[1]', b'{"status":true,"result":{}}', b'{"success":true,"data":[]}', b"\xff", b"",
        b'{"status":true,"result":[{"billCode":"73100000000001","scanDate":99999999999999,'
        b'"desc":"x"}]}',
    ]  # fmt: skip
    for _ in range(500):
        body = bytearray(rng.choice(good))
        for _ in range(rng.randrange(4)):
            if body:
                body[rng.randrange(len(body))] = rng.randrange(256)
        try:
            tracker.read_answer(bytes(body), number=NUMBER, carrier="")
        except (PartnerRefused, UnreadableReply):
            continue


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1767268800000, datetime(2026, 1, 1, 12, tzinfo=UTC)),
        ("2026/01/01 20:00:00", datetime(2026, 1, 1, 12, tzinfo=UTC)),
        ("2026-01-01 20:00", datetime(2026, 1, 1, 12, tzinfo=UTC)),
        (99_999_999_999_999_999, None),
        ("yesterday", None),
        (None, None),
    ],
)
def test_a_time_is_read_as_they_write_it(value: object, expected: datetime | None) -> None:
    """T1: milliseconds, or Beijing time without a zone."""
    assert moment(value) == expected


def test_who_has_an_account_is_asked_before_the_aggregator(tmp_path: Path) -> None:
    """T1: each by its own file; without an account the aggregator is."""
    settings = Settings(
        data=tmp_path,
        kuaidi100_url="http://k",
        kuaidi100_customer="c",
        trackers={
            "zto": {"app_key": "a", "app_secret": "s"},
            "yto": {"url": "http://y", "user": "u", "customer": "c", "secret": "s"},
            "sto": {"url": "http://s", "app_key": "a", "code": "c", "secret": "s"},
        },
    )
    of: Callable[[str], Tracker | None] = Trackers(settings).of
    asked = [of(one) for one in ("zhongtong", "yuantong", "shentong", "yunda")]
    assert [one.name for one in asked if one] == ["zto", "yto", "sto", "kuaidi100"]
