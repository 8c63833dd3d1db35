"""自营轨迹 What carriers have in common that are asked directly (wire/carriers.md section 3).

Only what that document confirms is spoken: how each is asked, and what it answers. How they push,
and what they want to hear then, it does not say; their parcels are subscribed at the aggregator.
"""

import base64
import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from application.divisions import division_named
from application.gateways.kuaidi100 import beijing_time, read_json, text_of
from application.gateways.tracking import PartnerRefused, Retry
from domain.scans import Scan, ScanKind, classify

MAX_SCANS = 1_000
_LAST_MOMENT_MS = 253_402_300_799_000
"""The end of the year 9999, after which nothing is a time."""


def md5_base64(signed: str) -> str:
    """Base64 of the MD5 of a text: that says "probably them", and is all that they offer."""
    return base64.b64encode(hashlib.md5(signed.encode(), usedforsecurity=False).digest()).decode()


def array_in(body: bytes) -> list[dict[str, Any]] | None:
    """The objects of a JSON array; None for what is none. Raises `ValueError` as `read_json`."""
    if not body.lstrip().startswith(b"["):
        return None
    return objects(read_json(b'{"all":' + body + b"}")["all"])


def objects(value: object) -> list[dict[str, Any]]:
    """A list of theirs; nothing is an empty one. Raises `ValueError`."""
    found = [] if value in (None, "") else value
    if not isinstance(found, list) or len(found) > MAX_SCANS:
        raise ValueError("not a list of a sensible length")
    if not all(isinstance(one, dict) for one in found):
        raise ValueError("objects were expected")
    return found


def moment(value: object) -> datetime | None:
    """When: milliseconds, or Beijing time as it is written; None for what is none."""
    text = text_of(value)
    if text is not None and re.fullmatch(r"\d{12,14}", text, re.ASCII):
        at = int(text)
        return datetime.fromtimestamp(at / 1_000, UTC) if at <= _LAST_MOMENT_MS else None
    return beijing_time(text.replace("/", "-") if text else None)


def scan(
    number: str,
    *,
    carrier: str,
    at: object,
    text: object,
    code: object,
    codes: Mapping[str, ScanKind],
    place: tuple[object, ...],
) -> Scan | None:
    """One line of theirs; None without a readable time or text: it is in the payload only.

    The words decide, the code only refines (`domain/scans.py`); `place` is tried from its largest
    division to its smallest.
    """
    when, words, known = moment(at), text_of(text), text_of(code)
    if when is None or words is None:
        return None
    names = [name for name in map(text_of, place) if name]
    return Scan(
        number=number,
        time=when,
        text=words,
        carrier=carrier,
        kind=classify(words, hint=codes.get(known) if known else None),
        division=_division(names),
        status="".join(names) or None,
        code=known,
    )


def _division(names: list[str]) -> str | None:
    for named in ("".join(names[:2]), names[0] if names else ""):
        try:
            return division_named(named).code
        except ValueError:
            continue
    return None


def refused(code: object, message: object) -> PartnerRefused:
    """Their refusal. What their codes mean is not documented: a later try may help."""
    return PartnerRefused(
        text_of(code) or "", text_of(message) or "", retry=Retry.BACKOFF, alarm=False
    )
