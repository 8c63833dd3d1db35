"""企业微信 A group robot of WeChat Work, in its own wire format (N1; wire/carriers.md 4).

Its address has no signature: the key in it is the secret. What it says is in `errcode`, whatever
the HTTP status, and its words are never gone by.
"""

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import httpx2
from pydantic_core import from_json, to_json

from application.gateways.guarded import to

PARTNER = "wecom"
MARKDOWN_MAX_BYTES = 4096
PER_MINUTE = 20
"""Messages a robot takes in a minute."""
PATH = "/cgi-bin/webhook/send"
OK = 0
BUSY = -1
TOO_LONG = 40058
TOO_OFTEN = 45009
NO_ROBOT = 93000
"""The key is none, or no longer: no message will ever arrive."""
CAUSE_MAX = 200


class Outcome(StrEnum):
    """What became of a message."""

    DELIVERED = "delivered"
    FAILED = "failed"
    """It may arrive another time."""
    REFUSED = "refused"
    """None will, until somebody gives us another key."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the robot said, or that it said nothing."""

    outcome: Outcome
    code: int | None = None
    cause: str | None = None
    """Its words or the failure's name, without the key."""

    @property
    def too_often(self) -> bool:
        """Whether a minute has to pass first."""
        return self.code == TOO_OFTEN


@dataclass(frozen=True, slots=True)
class Robot:
    """A group's robot; `key` is its secret."""

    url: str
    key: str = field(repr=False)

    @property
    def fingerprint(self) -> str:
        """Tells one key from another, and nothing of either."""
        return hashlib.sha256(f"{PARTNER}\0{self.key}".encode()).hexdigest()[:16]

    async def say(self, markdown: str, client: httpx2.AsyncClient) -> Answer:
        """Send a message of at most 4,096 bytes once; whatever happens is an answer."""
        body = {"msgtype": "markdown", "markdown": {"content": markdown}}
        try:
            reply = await client.post(
                f"{self.url}{PATH}",
                params={"key": self.key},
                content=to_json(body),
                headers={"Content-Type": "application/json"},
                extensions=to(PARTNER, self._unwell),
            )
        except httpx2.HTTPError as error:
            # Its text may hold the address, and with it the key.
            return Answer(Outcome.FAILED, cause=type(error).__name__)
        return self._read(reply.content, reply.status_code)

    def _unwell(self, content: bytes) -> str | None:
        answer = self._read(content, 200)
        if answer.code is None:
            return "not the robot's answer"
        return None if answer.code in (OK, TOO_LONG) else f"code {answer.code}"

    def _read(self, content: bytes, status: int) -> Answer:
        try:
            said: Any = from_json(content)
            code, words = said["errcode"], str(said.get("errmsg", ""))
        except (ValueError, KeyError, TypeError, AttributeError):
            return Answer(Outcome.FAILED, cause=f"HTTP {status}, not the robot's answer")
        if not isinstance(code, int):
            return Answer(Outcome.FAILED, cause=f"HTTP {status}, not the robot's answer")
        if code == OK:
            return Answer(Outcome.DELIVERED, code)
        outcome = Outcome.REFUSED if code == NO_ROBOT else Outcome.FAILED
        return Answer(outcome, code, words.replace(self.key, "***")[:CAUSE_MAX])
