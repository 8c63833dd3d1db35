"""推送 Outgoing webhooks: what is told to whom, how it is signed, when it is tried again (N2, R41).

Signatures, ids and headers are those of Standard Webhooks. What is told is the name of a fact and
where it is in the log, and ids of what it is about: whoever wants more asks the API with them.
Nothing here does I/O or looks at a clock.
"""

import base64
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple

from pydantic_core import from_json, to_json
from standardwebhooks.webhooks import Webhook

from domain.facts import FACTS
from domain.refusals import InvalidRequest

ROOMS = ("orders", "ledger", "parcels", "disputes", "claims", "returns")
"""Rooms whose facts are told outside."""
IDS = ("order", "learner", "part", "parcel", "line", "sku", "refund", "replacement")
"""Fields of facts that are ids of ours, and name nobody."""
WAITS = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
)
"""What is waited after each failed try: ten tries in 75 hours and 35 minutes, before jitter."""
TRIES = len(WAITS) + 1
JITTER = 0.1
"""Waits are longer or shorter by up to this share, so that subscribers don't come in step."""
WAIT_MAX = timedelta(hours=24)
"""The longest wait a receiver may ask for."""
PARKED_IN_A_ROW_MAX = 3
"""So many deliveries parked in a row, and nobody is there: the subscription is paused."""
SECRET_BYTES = 32
PREFIX = "whsec_"

_NAMED_BY = {"account": "learner", "claim": "parcel"}
"""What a stream's key is the id of, where that is not what the stream is called."""
_PATTERN = re.compile(r"[a-z]+\.(\*|[A-Za-z]+)")


class Outcome(StrEnum):
    """What became of one try."""

    DELIVERED = "delivered"
    FAILED = "failed"
    """It will be tried again."""
    PARKED = "parked"
    """That was the last try: put aside, the next event is next."""
    DISABLED = "disabled"
    """410 Gone: the receiver wants no more."""


class Message(NamedTuple):
    """One event as it is told."""

    position: int
    fact: str
    body: bytes


class Tried(NamedTuple):
    """What one try found."""

    status: int | None
    cause: str | None
    """Why there was no answer, or none that counts."""
    retry_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What follows from a try."""

    outcome: Outcome
    wait: timedelta = timedelta()


def judge(tried: Tried, *, failed_before: int, chance: float) -> Verdict:
    """What follows from a try after `failed_before` failed ones; `chance` is from 0 to 1."""
    if tried.status is not None and 200 <= tried.status < 300:
        return Verdict(Outcome.DELIVERED)
    if tried.status == 410:
        return Verdict(Outcome.DISABLED)
    if failed_before + 1 >= TRIES:
        return Verdict(Outcome.PARKED)
    wait = WAITS[failed_before] * (1 + JITTER * (2 * chance - 1))
    if tried.retry_after is not None:
        wait = max(wait, min(tried.retry_after, WAIT_MAX))
    return Verdict(Outcome.FAILED, wait)


def checked_patterns(patterns: Sequence[str]) -> list[str]:
    """Patterns in order and without repetition; raises `InvalidRequest` for one that fits nothing.

    A pattern is a fact's name (`orders.OrderPlaced`) or all facts of a room (`ledger.*`).
    """
    for pattern in patterns:
        room = pattern.partition(".")[0]
        known = _PATTERN.fullmatch(pattern) and room in ROOMS
        if not known or not any(wants((pattern,), name) for name in FACTS):
            raise InvalidRequest(field="facts", reason=f"no fact that is told is named {pattern}")
    return sorted(set(patterns))


@lru_cache(maxsize=4096)
def wants(patterns: tuple[str, ...], fact: str) -> bool:
    """Whether a fact's name fits one of the patterns; facts to come fit their room's, too."""
    return any(
        pattern == fact or (pattern.endswith(".*") and fact.startswith(pattern[:-1]))
        for pattern in patterns
    )


def message(position: int, stream: str, version: int, name: str, stored: bytes) -> Message:
    """An event as it is told: the same bytes for every subscriber and every try.

    Read from the stored JSON rather than as a fact, so that a dispatcher that is older than the
    log, as happens while versions change, still tells the names it does not know.
    """
    data: Mapping[str, Any] = from_json(stored)
    category, _, key = stream.partition(":")
    about = {field: data["fact"][field] for field in IDS if data["fact"].get(field) is not None}
    about.setdefault(_NAMED_BY.get(category, category), key)
    body = {
        "type": name,
        "timestamp": data["recorded_at"],
        "data": {
            "fact": name,
            "stream": stream,
            "version": version,
            "position": position,
            "happened_at": data["happened_at"],
            "recorded_at": data["recorded_at"],
            "ids": about,
        },
    }
    return Message(position, name, to_json(body))


def ping(now: datetime) -> bytes:
    """The body of a test message."""
    return to_json({"type": "webhook.ping", "timestamp": now, "data": {}})


def message_id(subscription: str, position: int) -> str:
    """The id of an event for one subscriber: the same on every try and every replay."""
    return f"msg_{subscription}_{position}"


def signed_headers(secret: str, *, id: str, at: datetime, body: bytes) -> dict[str, str]:  # noqa: A002
    """The three headers of Standard Webhooks; `at` is the moment of this try, in UTC."""
    return {
        "webhook-id": id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(id, at, body.decode()),
    }


def new_secret(random: bytes) -> str:
    """A secret in the form receivers' libraries take it, from 32 random bytes."""
    if len(random) != SECRET_BYTES:
        raise ValueError("a webhook's secret is made of 32 random bytes")
    return PREFIX + base64.b64encode(random).decode()


def first_wanted(
    messages: Iterable[Message], patterns: tuple[str, ...], *, after: int
) -> Message | None:
    """The first of these, in log order, that the patterns want."""
    for one in messages:
        if one.position > after and wants(patterns, one.fact):
            return one
    return None
