"""快递100's pushes: forgeries, and what a push says as it comes."""

import ast
import hashlib
import json
import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus, unquote_to_bytes, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.gateways import kuaidi100
from application.gateways.kuaidi100 import (
    Push,
    PushStatus,
    accepted,
    refused,
    sign_push,
    verify_push,
)
from application.gateways.kuaidi100_codes import kind_of
from application.gateways.tracking import ForgedPush, UnreadablePush
from domain.own_numbers import SecondNumber
from domain.scans import Coordinates, ScanKind

SALT = b"s0lt-32-chars-s0lt-32-chars-0001"
PARAM_D = (
    '{"status":"polling","message":"","lastResult":{"message":"ok","state":"5","status":"200",'
    '"ischeck":"0","com":"yuantong","nu":"YT0000000000001","data":[{"context":"派件中",'
    '"time":"2026-01-02 09:00:00","ftime":"2026-01-02 09:00:00","status":"派件",'
    '"statusCode":"5"}]}}'
).encode()
SIGN_D = "647A77BC4B01CCE1DE54C3D6F98D278F"
EMPTY_SALT_SIGN_D = "BB4EB89210CE501E5585538BE288FD32"


def body(param: bytes, sign: str | None = None) -> bytes:
    return urlencode({"param": param, "sign": sign or sign_push(param, SALT)}).encode()


def line(**more: Any) -> dict[str, Any]:
    return {"context": "派件中", "time": "2026-01-02 09:00:00", **more}


def push(*lines: Any, last: dict[str, Any] | None = None, **more: Any) -> Push:
    """A signed push with these lines, verified."""
    result = {"state": "5", "ischeck": "0", "com": "yuantong", "nu": "YT0000000000001"}
    value = {"status": "polling", "lastResult": {**result, "data": lines, **(last or {})}, **more}
    return verify_push(body(json.dumps(value).encode()), salt=SALT)


# --- signatures --------------------------------------------------------------------------------


def test_push_is_read_when_its_signature_holds() -> None:
    """T1, wire 1.2: vector D, over the form as clients encode it, blanks either way."""
    assert sign_push(PARAM_D, SALT) == SIGN_D
    for quoted in (quote_plus, quote):
        raw = f"sign={SIGN_D}&param={quoted(PARAM_D)}".encode()
        seen = verify_push(raw, salt=SALT)
        assert (seen.status, seen.state, seen.kind) == ("polling", "5", ScanKind.OUT_FOR_DELIVERY)
        assert (seen.nu, seen.com) == ("YT0000000000001", "yuantong")
        assert (seen.ischeck, seen.raw) == (False, PARAM_D)
        (scan,) = seen.scans
        assert scan.time == datetime(2026, 1, 2, 1, 0, tzinfo=UTC)
        assert (scan.text, scan.status, scan.code) == ("派件中", "派件", "5")
        assert scan.kind is ScanKind.OUT_FOR_DELIVERY


def test_push_is_forged_when_its_signature_is_weak() -> None:
    """T2, R36: no sign, an empty salt's, another parcel's, a lower-case one."""
    assert hashlib.md5(PARAM_D).hexdigest().upper() == EMPTY_SALT_SIGN_D
    other = sign_push(PARAM_D, b"another-parcels-salt-0000000001")
    for sign in (EMPTY_SALT_SIGN_D, other, SIGN_D.lower(), SIGN_D[:-1], SIGN_D + " ", "签名"):
        with pytest.raises(ForgedPush):
            verify_push(body(PARAM_D, sign), salt=SALT)
    for raw in (b"", urlencode({"param": PARAM_D}).encode(), f"sign={SIGN_D}".encode(), b"sign"):
        with pytest.raises(ForgedPush):
            verify_push(raw, salt=SALT)


def test_push_is_forged_when_our_own_salt_proves_nothing() -> None:
    """T2, R36: a salt under 16 bytes is refused on both sides, the empty one above all."""
    for salt, sign in ((b"", EMPTY_SALT_SIGN_D), (b"123", "")):
        with pytest.raises(ForgedPush):
            verify_push(body(PARAM_D, sign or "A" * 32), salt=salt)
        with pytest.raises(ValueError, match="16"):
            sign_push(PARAM_D, salt)


@pytest.mark.parametrize(
    "raw",
    [
        body(PARAM_D) + b"&param=" + quote_plus(PARAM_D).encode(),
        body(PARAM_D) + b"&sign=" + SIGN_D.encode(),
        b"p%61ram=x&" + body(PARAM_D),
        body(PARAM_D) + b"&a=1&b=1&c=1&d=1&e=1&f=1&g=1",
        body(PARAM_D) + b"&x=" + b"a" * kuaidi100.MAX_BODY_BYTES,
        body(PARAM_D) + b"&x=%zz",
        b"&" + body(PARAM_D),
        json.dumps({"param": PARAM_D.decode(), "sign": SIGN_D}).encode(),
    ],
)
def test_push_is_forged_when_the_form_could_be_read_twice(raw: bytes) -> None:
    """T2, R33: duplicates, bad escapes, too many or too large fields."""
    with pytest.raises(ForgedPush):
        verify_push(raw, salt=SALT)


def _mutations(raw: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(raw))
    match chance.randrange(8):
        case 0:
            return raw[:at] + bytes([raw[at] ^ (1 << chance.randrange(8))]) + raw[at + 1 :]
        case 1:
            return raw[:at]
        case 2:
            return raw[:at] + raw[at + 1 :]
        case 3:
            return raw[:at] + bytes([chance.randrange(256)]) + raw[at:]
        case 4:
            return raw + b"&" + chance.choice(raw.split(b"&"))
        case 5:
            return chance.choice([raw.lower(), raw.upper(), raw.swapcase(), raw[::-1]])
        case 6:
            again = json.dumps(json.loads(PARAM_D), ensure_ascii=chance.random() < 0.5)
            coded = again.encode(chance.choice(["utf-8", "gbk", "utf-16"]))
            return urlencode({"param": coded, "sign": SIGN_D}).encode()
        case _:
            doubled = PARAM_D.replace(b'"state":"5"', b'"state":"3","state":"5"')
            return urlencode({"param": doubled, "sign": SIGN_D}).encode()


def _meaning(raw: bytes) -> list[bytes]:
    return sorted(unquote_to_bytes(pair.replace(b"+", b" ")) for pair in raw.split(b"&"))


def test_no_mutation_is_accepted_when_a_thousand_are_tried() -> None:
    """T2, R33: none accepted, nothing raised but the typed error."""
    chance = random.Random(33)
    raw, tried = body(PARAM_D), 0
    while tried < 1_000:
        mutant = _mutations(raw, chance)
        if _meaning(mutant) == _meaning(raw):
            continue  # %e6 for %E6: another spelling of the very same bytes
        tried += 1
        with pytest.raises(ForgedPush):
            verify_push(mutant, salt=SALT)


@given(st.binary(max_size=300))
def test_nothing_else_is_raised_when_any_bytes_come(noise: bytes) -> None:
    """T2, R33: raw noise is forged; signed noise is unreadable and kept."""
    with pytest.raises(ForgedPush):
        verify_push(noise, salt=SALT)
    with pytest.raises(UnreadablePush) as caught:
        verify_push(body(noise), salt=SALT)
    assert caught.value.raw == noise


any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
fields = ["time", "ftime", "context", "status", "statusCode", "areaCode", "areaCenter"]
times = st.sampled_from(["0001-01-01 00:00:00", "2026-02-30 00:00:00", "2026-01-02 09:00"])


@given(
    st.lists(st.dictionaries(st.sampled_from(fields), any_json | times), max_size=3),
    st.dictionaries(st.sampled_from(["state", "nu", "com", "ischeck", "data"]), any_json),
    st.dictionaries(st.sampled_from(["comNew", "comOld", "destResult", "message"]), any_json),
)
def test_nothing_else_is_raised_when_signed_values_are_odd(
    lines: list[dict[str, Any]], last: dict[str, Any], more: dict[str, Any]
) -> None:
    """T2, R33: null, numbers, structures, impossible dates, anywhere."""
    try:
        seen = push(*lines, last=last, **more)
    except UnreadablePush:
        return
    assert all(scan.time.tzinfo is UTC and scan.text for scan in seen.scans)


@pytest.mark.parametrize(
    "param",
    [
        b"",
        b"null",
        b"[]",
        b'{"status":"polling","status":"abort"}',
        b'{"status":"nonsense"}',
        b'{"status":"polling","lastResult":{"data":{}}}',
        b'{"status":"polling","lastResult":{"data":[1],"nu":"YT0000000000001","com":"yto"}}',
        b'{"status":"polling","lastResult":{"data":[{}]}}',
        b'{"status":"polling","lastResult":NaN}',
        '{"status":"polling","message":"派件"}'.encode("gbk"),
        b'{"status":"polling","x":' + b"[" * 17 + b"]" * 17 + b"}",
        b'{"status":"polling","x":' + b"[" * 100_000,
        b'{"status":"polling","x":' + b"9" * 5_000 + b"}",
    ],
)
def test_push_is_unreadable_when_signed_but_senseless(param: bytes) -> None:
    """T2, R33: theirs without doubt, so it is kept raw and not counted as forged."""
    with pytest.raises(UnreadablePush) as caught:
        verify_push(body(param), salt=SALT)
    assert caught.value.raw == param


def test_signatures_are_compared_in_constant_time_on_bytes() -> None:
    """T2, R33: a static check that `==` never meets a signature."""
    tree = ast.parse(Path(kuaidi100.__file__).read_text(encoding="utf-8"))
    compared = [
        ast.unparse(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Compare) and "sign" in ast.unparse(node).lower()
    ]
    assert [text for text in compared if " in found" not in text] == []
    assert "hmac.compare_digest(sign, sign_push(param, salt).encode())" in ast.unparse(tree)


# --- what a push says ----------------------------------------------------------------------------


def test_place_is_read_when_the_line_gives_it() -> None:
    """T1: division code and coordinates for the route."""
    (scan,) = push(line(areaCode="CN440305000000", areaCenter="113.93,22.53")).scans
    assert (scan.division, scan.coordinates) == ("440305", Coordinates(113.93, 22.53))


@pytest.mark.parametrize(
    ("code", "center"),
    [(None, None), ("", ""), ("440305", "113.93"), ("CN000000000000", "a,b"), ("USNY", "999,1")],
)
def test_place_is_missing_when_area_fields_are_null_or_odd(
    code: str | None, center: str | None
) -> None:
    """T1, wire 1.3: area fields are often null; they are never required."""
    (scan,) = push(line(areaCode=code, areaCenter=center, areaName=None)).scans
    assert (scan.division, scan.coordinates) == (None, None)


def test_lines_are_skipped_when_they_have_no_time_or_text() -> None:
    """T1: one bad line does not lose the others; it stays in the raw bytes."""
    seen = push(line(), line(time="soon"), line(context=" "), line(time=None, ftime=None))
    assert (len(seen.scans), seen.skipped) == (1, 3)
    (late,) = push(line(time=None, ftime="2026-01-02 09:00")).scans
    assert late.time == datetime(2026, 1, 2, 1, 0, tzinfo=UTC)


def test_locker_is_no_receipt_when_they_call_it_signed() -> None:
    """T2, rules.md 22: state 304, ischeck 1, and a node code 304 behind a bare 已签收."""
    seen = push(line(context="已签收", statusCode=304), last={"state": "304", "ischeck": "1"})
    assert (seen.kind, seen.ischeck) == (ScanKind.AWAITING_PICKUP, True)
    assert seen.scans[0].kind is ScanKind.AWAITING_PICKUP


def test_node_code_loses_when_it_lags_behind_the_words() -> None:
    """T2, wire 1.3: 正在派送 tagged 0."""
    assert push(line(context="正在派送", statusCode="0")).scans[0].kind is ScanKind.OUT_FOR_DELIVERY


def test_the_right_carrier_is_named_when_an_abort_corrects_it() -> None:
    """T1, wire 1.6: 3 days without result, (a) an end, (b) a correction."""
    ended = push(status="abort", lastResult=None, autoCheck="0", comOld="", comNew="")
    assert (ended.com_new, ended.nu, ended.scans) == (None, None, ())
    corrected = push(status="abort", autoCheck="0", comOld="", comNew="ems")
    assert (corrected.com_old, corrected.com_new, corrected.com) == (None, "ems", "yuantong")
    later = push(line(), last={"com": "ems"}, autoCheck="1", comOld="yuantong", comNew="ems")
    assert (later.auto_check, later.com_old, later.com) == (True, "yuantong", "ems")
    assert later.scans[0].carrier == "ems"
    assert push(status="updateall").status is PushStatus.UPDATEALL


def test_scans_abroad_are_read_when_the_parcel_changes_hands() -> None:
    """T1, wire 1.6: destResult has its own carrier and number."""
    abroad = {"com": "usps", "nu": "LX123456789US", "data": [line(context="Delivered")]}
    seen = push(line(), destResult=abroad)
    assert [(scan.carrier, scan.number) for scan in seen.scans] == [
        ("yuantong", "YT0000000000001"),
        ("usps", "LX123456789US"),
    ]
    assert seen.second == SecondNumber("LX123456789US", "usps", "YT0000000000001")
    same = {**abroad, "nu": "yt-0000000000001"}
    assert push(line(), destResult=same).second is None
    assert push(line()).second is None


def test_replies_are_in_their_own_way() -> None:
    """T1, wire 1.6: anything but result true and 200 makes them send again."""
    assert json.loads(accepted()) == {"result": True, "returnCode": "200", "message": "成功"}
    assert json.loads(refused("稍后")) == {"result": False, "returnCode": "500", "message": "稍后"}


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("12", ScanKind.CUSTOMS_CLEARED),
        ("14", ScanKind.REFUSED),
        ("1001", ScanKind.ARRIVED),
        ("501", ScanKind.AWAITING_PICKUP),
        ("6", ScanKind.RETURNING),
        ("4", ScanKind.RETURNED),
        ("999", None),
        (None, None),
    ],
)
def test_codes_are_looked_up_exactly(code: str | None, kind: ScanKind | None) -> None:
    """T1, wire 1.4: 12 is customs, not a kind of 1; unknown ones hint at nothing."""
    assert kind_of(code) is kind


def test_codes_of_carriers_are_read_in_any_case() -> None:
    """T1, wire 1.7: the same code for every source."""
    assert push(line(), last={"com": "USPS"}).scans[0].carrier == "usps"
