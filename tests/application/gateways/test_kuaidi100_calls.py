"""快递100's forms and replies: subscribing, querying, and what their refusals mean."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from application.gateways.kuaidi100 import sign_label, sign_push, sign_query, verify_push
from application.gateways.kuaidi100_calls import (
    Abroad,
    query_form,
    read_query_reply,
    read_subscribe_reply,
    subscribe_form,
)
from application.gateways.tracking import IncompleteRequest, PartnerRefused, Retry, UnreadableReply

KEY, CUSTOMER = "testkey12345", "0123456789ABCDEF0123456789ABCDEF"
SALT = "s0lt-32-chars-s0lt-32-chars-0001"

USUAL = {"callbackurl", "salt", "resultv2"}


def test_signatures_are_theirs_when_computed_from_the_vectors() -> None:
    """T1, wire 1.2: vectors A, B and C."""
    a = b'{"com":"yuantong","num":"YT0000000000001"}'
    assert sign_query(a, key=KEY, customer=CUSTOMER) == "C3108152B80CF6FA6D0BD182BC3418E7"
    form = query_form(
        "YT0000000000001",
        carrier="yuantong",
        key=KEY,
        customer=CUSTOMER,
        phone="13800000000",
        destination="广东省深圳市南山区",
    )
    assert form["sign"] == "4447AB0EDF389B6BD04829148E2887C1"
    c = b'{"kuaidicom":"yuantong","kuaidinum":"YT0000000000001"}'
    signed = sign_label(c, t="1767312000000", key=KEY, secret="secret0001")
    assert signed == "224761260ACDAFCEAB32AFFADF243666"


def test_subscription_carries_salt_and_callback() -> None:
    """T1, T2, wire 1.5: a salt of its own, and the key inside param."""
    form = subscribe_form(
        "YT0000000000001", carrier="yuantong", key=KEY, callback_url="https://m/cb/1", salt=SALT
    )
    assert form["schema"] == "json"
    assert json.loads(form["param"]) == {
        "company": "yuantong",
        "number": "YT0000000000001",
        "from": "",
        "to": "",
        "key": KEY,
        "parameters": {
            "callbackurl": "https://m/cb/1",
            "salt": SALT,
            "resultv2": "4",
        },
    }
    guessed = subscribe_form(
        "YT0000000000001", carrier="", key=KEY, callback_url="u", salt=SALT, phone="0000"
    )
    assert json.loads(guessed["param"])["parameters"]["autoCom"] == "1"
    assert json.loads(guessed["param"])["parameters"]["phone"] == "0000"


def test_a_parcel_that_crosses_a_border_is_watched_on_both_sides() -> None:
    """T7, wire 1.5: interCom with both ends; who has it there only where that is known."""
    subscribing: dict[str, Any] = {"carrier": "ems", "key": KEY, "callback_url": "u", "salt": SALT}
    for there, known in ((None, {}), ("japanposten", {"destinationCom": "japanposten"})):
        form = subscribe_form("EM100000000CN", **subscribing, abroad=Abroad("JP", there))
        parameters = json.loads(form["param"])["parameters"]
        assert {key: text for key, text in parameters.items() if key not in USUAL} == {
            "interCom": "1", "departureCountry": "CN", "departureCom": "ems",
            "destinationCountry": "JP", **known,
        }  # fmt: skip
    home = json.loads(subscribe_form("EM100000000CN", **subscribing)["param"])
    assert set(home["parameters"]) == USUAL


def test_request_is_not_built_when_they_would_refuse_it() -> None:
    """T1, wire 1.3, 1.5: phone for SF (and ZTO's queries), number, salt, carrier."""
    subscribing: dict[str, Any] = {"key": KEY, "callback_url": "u", "salt": SALT}
    with pytest.raises(IncompleteRequest):
        subscribe_form("SF0000000000001", carrier="shunfeng", **subscribing)
    subscribe_form("73100000000001", carrier="zhongtong", **subscribing)
    with pytest.raises(IncompleteRequest):
        subscribe_form("YT0000000000001", carrier="yuantong", **{**subscribing, "salt": "short"})
    for number, carrier in (
        ("73100000000001", "zhongtong"),
        ("1", "yuantong"),
        ("YT0000000000001", ""),
    ):
        with pytest.raises(IncompleteRequest):
            query_form(number, carrier=carrier, key=KEY, customer=CUSTOMER)


def test_subscribing_twice_is_success_when_they_know_the_parcel() -> None:
    """T1, wire 1.5: 501 is idempotent success."""
    assert not read_subscribe_reply(b'{"result":true,"returnCode":"200","message":"ok"}').already
    assert read_subscribe_reply(b'{"result":false,"returnCode":"501"}').already


@pytest.mark.parametrize(
    ("code", "retry", "alarm"),
    [
        ("500", Retry.BACKOFF, False),
        ("600", Retry.NEVER, True),
        ("601", Retry.NEVER, True),
        ("700", Retry.NEVER, False),
        ("701", Retry.NEVER, False),
        ("702", Retry.NEVER, False),
        ("999", Retry.LATER, False),
    ],
)
def test_subscription_says_if_to_retry_when_refused(code: str, retry: Retry, alarm: bool) -> None:
    """T1, wire 1.5."""
    with pytest.raises(PartnerRefused) as caught:
        read_subscribe_reply(json.dumps({"result": False, "returnCode": code}).encode())
    assert (caught.value.code, caught.value.retry, caught.value.alarm) == (code, retry, alarm)


@pytest.mark.parametrize(
    ("code", "retry", "alarm"),
    [
        ("400", Retry.NEVER, False),
        ("408", Retry.NEVER, False),
        ("500", Retry.LATER, False),
        ("501", Retry.BACKOFF, False),
        ("502", Retry.BACKOFF, False),
        ("503", Retry.NEVER, True),
        ("504", Retry.LATER, False),
        ("601", Retry.NEVER, True),
    ],
)
def test_query_says_if_to_retry_when_refused(code: str, retry: Retry, alarm: bool) -> None:
    """T1, wire 1.3: failures have another shape, with HTTP 200."""
    with pytest.raises(PartnerRefused) as caught:
        read_query_reply(
            json.dumps({"result": False, "returnCode": code, "message": "无"}).encode()
        )
    assert (caught.value.code, caught.value.retry, caught.value.alarm) == (code, retry, alarm)
    assert caught.value.message == "无"


def test_query_reply_reads_like_a_push() -> None:
    """T1, T2: the confirming query gives the same scans, so they are told apart by nothing."""
    result = {
        "message": "ok",
        "state": "5",
        "status": "200",
        "ischeck": "0",
        "com": "yuantong",
        "nu": "YT0000000000001",
        "data": [{"context": "派件中", "time": "2026-01-02 09:00:00", "statusCode": "5"}],
    }
    param = json.dumps({"status": "polling", "lastResult": result}).encode()
    form = urlencode({"param": param, "sign": sign_push(param, SALT.encode())})
    pushed = verify_push(form.encode(), salt=SALT.encode())
    reply = read_query_reply(json.dumps(result).encode())
    assert reply.scans == pushed.scans
    assert (reply.state, reply.kind, reply.nu) == (pushed.state, pushed.kind, pushed.nu)


@pytest.mark.parametrize(
    "reply", [b"", b"<html>", b"{}", b"[]", b'{"status":"200"}', b'{"status":"200","data":3}']
)
def test_reply_is_unreadable_when_it_is_no_answer(reply: bytes) -> None:
    """T1: worth trying again, and never an untyped error."""
    with pytest.raises(UnreadableReply):
        read_query_reply(reply)
