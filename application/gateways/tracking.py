"""轨迹来源 What a source of tracks has to offer, whoever it is: one file in `trackers/` (T1).

A tracker speaks one partner's wire format and nothing else: it builds what is to be sent, reads
what came, and gives scans in this house's own words. Who sends, when, and within which budget is
the caller's business. A new carrier is one module in `application/gateways/trackers/` with a
function `opened(settings)`; nothing else has to know of it.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple

from domain.scans import Scan


class Retry(StrEnum):
    """Whether asking again can help."""

    NEVER = "never"
    BACKOFF = "backoff"
    """Their trouble, soon over."""
    LATER = "later"
    """Not before 30 minutes: asking sooner locks the number (1.3)."""


class IncompleteRequest(ValueError):
    """They would refuse this request, or lock the number for it; it was not built."""


class UnreadableReply(Exception):
    """They answered with something else than the JSON they document; worth trying again."""

    retry = Retry.BACKOFF


class PartnerRefused(Exception):
    """They refused a request, by the code of their tables."""

    def __init__(self, code: str, message: str, *, retry: Retry, alarm: bool) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.retry = retry
        self.alarm = alarm
        """The account is at fault (key, quota, signature): a person must act."""


class ForgedPush(Exception):
    """Nothing proves that the partner sent this: answer 401 and count it; keep nothing of it."""


class UnreadablePush(Exception):
    """The partner signed it, but it can't be understood.

    Keep `raw`, answer that it was taken and raise an alarm: the partner would only send the same
    bytes again and then drop them, and the raw bytes plus a query lose nothing.
    """

    def __init__(self, why: str, *, raw: bytes) -> None:
        super().__init__(why)
        self.raw = raw


class Call(NamedTuple):
    """What is to be posted: a form, or a body as it was signed. Its secrets are never for a log."""

    url: str
    form: Mapping[str, str] = MappingProxyType({})
    body: bytes | None = None
    headers: Mapping[str, str] = MappingProxyType({})

    @property
    def content(self) -> dict[str, Any]:
        """What an HTTP client is given of it, beside the address."""
        sent = {"data": dict(self.form)} if self.body is None else {"content": self.body}
        return {**sent, "headers": dict(self.headers)}


class Told(NamedTuple):
    """What a source knows of one waybill."""

    number: str
    scans: tuple[Scan, ...]
    raw: bytes
    """The very bytes that were signed, or answered; may name people (rules.md 30). Of a push that
    tells of several waybills, the lines of this one: each belongs under its own subject's key."""


class Tracker(ABC):
    """One source of tracks with its account."""

    name: ClassVar[str]
    """Names it in facts (`sf.query`) and in addresses."""
    carriers: ClassVar[frozenset[str] | None]
    """Whose parcels it knows; None: everybody's."""

    @abstractmethod
    def query(self, number: str, *, carrier: str, phone: str, now: datetime) -> Call:
        """How to ask where a parcel is. Raises `IncompleteRequest`."""

    @abstractmethod
    def read_answer(self, body: bytes, *, number: str, carrier: str) -> Told:
        """What they answered. Raises `PartnerRefused` or `UnreadableReply`."""


class DirectTracker(Tracker):
    """A carrier that pushes all its parcels to one address, without being asked for each."""

    addresses: tuple[str, ...] = ()
    """Where its pushes may come from; none: from anywhere."""

    @abstractmethod
    def read_push(
        self, body: bytes, headers: Mapping[str, str], *, now: datetime
    ) -> Sequence[Told]:
        """What they push, waybill by waybill. Raises `ForgedPush` or `UnreadablePush`."""

    @abstractmethod
    def read_routes(self, raw: bytes) -> Sequence[Told]:
        """What `Told.raw` of a push says, read once more. Raises `UnreadablePush`."""

    @abstractmethod
    def taken(self) -> bytes:
        """The reply that ends their retries; sent after the push is stored durably."""

    @abstractmethod
    def again(self, why: str) -> bytes:
        """The reply that makes them push it once more."""
