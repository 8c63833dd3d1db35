"""快递100 / 百递云: signatures, pushes and their replies (T1, T2, wire/carriers.md section 1).

Their MD5 signature only says "probably them": forged twins can be made to collide, so nothing of
value may follow from a push before a query confirms it (T2, rules.md 23).
"""

import hashlib
import hmac
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from urllib.parse import unquote_to_bytes

from application.gateways.kuaidi100_codes import kind_of
from application.gateways.tracking import ForgedPush, UnreadablePush
from domain.own_numbers import SecondNumber, as_read
from domain.scans import BEIJING, Coordinates, Scan, ScanKind, classify, normalise_text

MIN_SALT_BYTES = 16
MAX_BODY_BYTES = 1_048_576
_MAX_FIELDS = 8
_MAX_DEPTH = 16
_MAX_SCANS = 1_000


class PushStatus(StrEnum):
    """Why they push (1.6)."""

    POLLING = "polling"
    SHUTDOWN = "shutdown"
    ABORT = "abort"
    UPDATEALL = "updateall"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What they know of one parcel: the answer to a query, and the body of a push (1.3)."""

    nu: str | None
    com: str | None
    """The carrier, in their codes, which are this house's, too (1.7)."""
    state: str | None
    """Their code for the whole parcel, basic or advanced; `kind` is what it means."""
    kind: ScanKind | None
    ischeck: bool
    """Their "signed" flag. A locker sets it, too (304), so it is not receipt (rules.md 22)."""
    scans: tuple[Scan, ...]
    """Every line of `data`, in their order; of destResult, too, after those of lastResult."""
    skipped: int
    """Lines without a readable time or without text; they are in `raw` only."""
    raw: bytes
    """The very bytes that were signed, or answered; may name people (rules.md 30)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Push(Report):
    """A push whose signature holds (1.6). The same one may come again, in any order."""

    status: PushStatus
    message: str
    auto_check: bool
    com_old: str | None
    com_new: str | None
    """The carrier that really has the parcel, where they corrected it (1.6)."""
    second: SecondNumber | None
    """The number that it has in the country it goes to (1.6)."""


# --- signatures (1.2) ------------------------------------------------------------------------


def _md5_upper(signed: bytes) -> str:
    return hashlib.md5(signed, usedforsecurity=False).hexdigest().upper()


def sign_push(param: bytes, salt: bytes) -> str:
    """Their signature of a push: MD5 of param and salt, upper case.

    Raises ValueError under 16 bytes of salt: the salt is all that a forger doesn't know.
    """
    if len(salt) < MIN_SALT_BYTES:
        raise ValueError(f"a salt needs {MIN_SALT_BYTES} bytes or more, got {len(salt)}")
    return _md5_upper(param + salt)


def sign_query(param: bytes, *, key: str, customer: str) -> str:
    """Signature of a query: MD5 of param, key and customer, upper case."""
    return _md5_upper(param + key.encode() + customer.encode())


def sign_label(param: bytes, *, t: str, key: str, secret: str) -> str:
    """Signature of label, address, ETA and intercept calls; `t` = milliseconds, as sent."""
    return _md5_upper(param + t.encode() + key.encode() + secret.encode())


# --- pushes (1.6) ------------------------------------------------------------------------------


def verify_push(raw_body: bytes, *, salt: bytes) -> Push:
    """Read a push, if its signature over the raw bytes holds.

    Nothing is decoded as text or JSON before the signature is compared, in constant time, over
    the bytes of `param` as the form carries them. Raises `ForgedPush` (answer 401) or
    `UnreadablePush` (keep it, answer 200), and nothing else, for any bytes. A salt under 16
    bytes proves nothing, so every push under it counts as forged.
    """
    return read_push(verified_param(raw_body, salt=salt))


def read_push(param: bytes) -> Push:
    """What the signed bytes of a push tell; raises `UnreadablePush`."""
    try:
        return _read_push(read_json(param), raw=param)
    except ValueError as wrong:
        raise UnreadablePush(str(wrong), raw=param) from wrong


def verified_param(raw_body: bytes, *, salt: bytes) -> bytes:
    """The signed bytes of a callback's form, whatever they mean; raises `ForgedPush`."""
    param, sign = _form_fields(raw_body)
    if len(salt) < MIN_SALT_BYTES:
        raise ForgedPush("the salt of this subscription is too short to prove anything")
    if not hmac.compare_digest(sign, sign_push(param, salt).encode()):
        raise ForgedPush("the signature differs")
    return param


def accepted() -> bytes:
    """The reply that ends their retries; to be sent after the push is stored durably (1.6)."""
    return compact_json({"result": True, "returnCode": "200", "message": "成功"})


def refused(message: str) -> bytes:
    """The reply that makes them send the push again, three times, about half an hour apart."""
    return compact_json({"result": False, "returnCode": "500", "message": message})


def compact_json(value: object) -> bytes:
    """JSON to be signed and sent as it is: serialised once (general traps)."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _form_fields(raw_body: bytes) -> tuple[bytes, bytes]:
    if len(raw_body) > MAX_BODY_BYTES:
        raise ForgedPush("the body is too large")
    fields = raw_body.split(b"&", _MAX_FIELDS)
    if len(fields) > _MAX_FIELDS:
        raise ForgedPush("the form has too many fields")
    found: dict[bytes, bytes] = {}
    for pair in fields:
        name, equals, value = pair.partition(b"=")
        if not equals or re.search(rb"%(?![0-9A-Fa-f]{2})", pair):
            raise ForgedPush("the body is not a form")
        name = _decoded(name)
        if name in found:  # two readers could each take another one
            raise ForgedPush("the form names a field twice")
        found[name] = _decoded(value)
    if b"param" not in found or b"sign" not in found:
        raise ForgedPush("param or sign is missing")
    return found[b"param"], found[b"sign"]


def _decoded(value: bytes) -> bytes:
    return unquote_to_bytes(value.replace(b"+", b" "))


def _read_push(push: dict[str, Any], *, raw: bytes) -> Push:
    status = text_of(push.get("status"))
    if status not in list(PushStatus):
        raise ValueError(f"unknown status {status!r}")
    # An abort comes without a result; the callback's address says which parcel it is about.
    last = _read_result(_object(push.get("lastResult")))
    abroad = _read_result(_object(push.get("destResult")))
    return Push(
        **{**last, "scans": last["scans"] + abroad["scans"]},
        raw=raw,
        status=PushStatus(status),
        message=text_of(push.get("message")) or "",
        auto_check=text_of(push.get("autoCheck")) == "1",
        com_old=_com(push.get("comOld")),
        com_new=_com(push.get("comNew")),
        second=_second(last["nu"], nu=abroad["nu"], com=abroad["com"]),
    )


def _second(watched: str | None, *, nu: str | None, com: str | None) -> SecondNumber | None:
    if watched is None or nu is None or com is None or as_read(nu) == as_read(watched):
        return None
    return SecondNumber(waybill=nu, carrier=com, beside=watched)


# --- what push and query share (1.3) -------------------------------------------------------------


def read_report(answer: dict[str, Any], *, raw: bytes) -> Report:
    """The parcel in a successful query reply; raises ValueError where it isn't one."""
    return Report(**_read_result(answer), raw=raw)


def _read_result(result: dict[str, Any]) -> dict[str, Any]:
    nu, com, state = (
        text_of(result.get("nu")),
        _com(result.get("com")),
        text_of(result.get("state")),
    )
    lines = result.get("data")
    lines = [] if lines in (None, "") else lines
    if not isinstance(lines, list) or len(lines) > _MAX_SCANS:
        raise ValueError("data is not a list of a sensible length")
    if lines and (nu is None or com is None):
        raise ValueError("scans without a waybill number or carrier")
    scans = [_read_scan(_object(line), number=nu or "", com=com or "") for line in lines]
    return {
        "nu": nu,
        "com": com,
        "state": state,
        "kind": kind_of(state),
        "ischeck": text_of(result.get("ischeck")) == "1",
        "scans": tuple(scan for scan in scans if scan is not None),
        "skipped": scans.count(None),
    }


def _read_scan(line: dict[str, Any], *, number: str, com: str) -> Scan | None:
    time = beijing_time(text_of(line.get("time")) or text_of(line.get("ftime")))
    text = text_of(line.get("context"))
    if time is None or text is None:
        return None
    status, code = text_of(line.get("status")), text_of(line.get("statusCode"))
    return Scan(
        number=number,
        time=time,
        text=text,
        carrier=com,
        kind=classify(text, status_name=status, hint=kind_of(code)),
        division=_division(text_of(line.get("areaCode"))),
        coordinates=_coordinates(text_of(line.get("areaCenter"))),
        status=status,
        code=code,
    )


def beijing_time(written: str | None) -> datetime | None:
    """A local time as Chinese carriers write it, in UTC; None for what is none."""
    if not written or not re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?", written, re.ASCII):
        return None
    try:
        there = datetime.fromisoformat(written).replace(tzinfo=BEIJING)
        return there.astimezone(UTC)
    except (ValueError, OverflowError):  # 30 February, or the year 1 that no zone can hold
        return None


def _division(area_code: str | None) -> str | None:
    """Six digits from `CN440300000000`; finer digits (townships) are left to `raw`."""
    found = re.fullmatch(r"CN([1-9]\d{5})\d{0,6}", area_code or "", re.ASCII)
    return found.group(1) if found else None


def _coordinates(area_center: str | None) -> Coordinates | None:
    try:
        longitude, latitude = (float(part) for part in (area_center or "").split(","))
    except ValueError:
        return None
    if not (-180 <= longitude <= 180 and -90 <= latitude <= 90):  # catches nan, too
        return None
    return Coordinates(longitude=longitude, latitude=latitude)


def _com(value: object) -> str | None:
    text = text_of(value)
    return text.lower() if text else None


def text_of(value: object) -> str | None:
    """A normalised text: they swap strings and numbers; empty or structured values are None."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return normalise_text(str(value)) or None


def _object(value: object) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ValueError("an object was expected")
    return value


def read_json(raw: bytes) -> dict[str, Any]:
    """A JSON object of theirs; ValueError for what two readers could read differently."""
    outside_strings = re.sub(rb'"(?:[^"\\]|\\.)*"', b"", raw, flags=re.DOTALL)
    depth = 0
    for bracket in re.findall(rb"[\[{\]}]", outside_strings):
        depth += 1 if bracket in b"[{" else -1
        if depth > _MAX_DEPTH:
            raise ValueError("nested too deep")
    value = json.loads(raw.decode(), object_pairs_hook=_unique, parse_constant=_no_constant)
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = dict(pairs)
    if len(keys) != len(pairs):
        raise ValueError("an object names a key twice")
    return keys


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
