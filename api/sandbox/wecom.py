"""沙箱企业微信 A group robot of WeChat Work, played in its own wire format (M3, N1; wire 4)."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Query, Request, Response
from pydantic_core import from_json, to_json

from api.sandbox.limits import MINUTE, Limits, Pace
from api.sandbox.line import Line, believes
from application.gateways.wecom import (
    BUSY,
    MARKDOWN_MAX_BYTES,
    NO_ROBOT,
    OK,
    PATH,
    TOO_LONG,
    TOO_OFTEN,
)

KEY = "sandbox-robot-key"
"""The robot that the sandbox knows."""
KEPT = 200
NO_MARKDOWN = 40008
"""What the platform says of a message type that it does not know."""


def robot(url: str) -> dict[str, str]:
    """Settings with which a house tells its staff here."""
    return {"WECOM_URL": url, "WECOM_KEY": KEY}


class Said(NamedTuple):
    """A message in the group."""

    at: datetime
    markdown: str


@dataclass
class RobotSandbox:
    """What the group has seen."""

    line: Line
    limits: Limits = field(default_factory=Limits)
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    said: deque[Said] = field(default_factory=lambda: deque(maxlen=KEPT))

    def __post_init__(self) -> None:
        self._minute = Pace(self.limits.robot_a_minute, MINUTE)

    def take(self, body: bytes) -> tuple[int, str]:
        """A message for the group: (errcode, errmsg)."""
        if not self._minute.takes(self.clock()):
            return TOO_OFTEN, "api freq out of limit"
        try:
            asked = from_json(body)
            kind, content = asked["msgtype"], asked["markdown"]["content"]
        except (ValueError, KeyError, TypeError):
            return NO_MARKDOWN, "invalid message type"
        if kind != "markdown" or not isinstance(content, str) or not content:
            return NO_MARKDOWN, "invalid message type"
        if len(content.encode()) > MARKDOWN_MAX_BYTES:
            return TOO_LONG, f"markdown.content exceed max length {MARKDOWN_MAX_BYTES}"
        self.said.append(Said(datetime.now(UTC), content))
        return OK, "ok"


def robot_routes(sandbox: RobotSandbox) -> APIRouter:
    """The route at which the robot is reached: always 200, what counts is `errcode`."""
    router = sandbox.line.router(
        refused=lambda: _answer(BUSY, "system busy"),
        unreadable=lambda: _answer(*_UNKNOWN),
    )

    @router.post(PATH, summary="WeChat Work: a message to the robot's group (wire 4)")
    async def send(request: Request, key: Annotated[str, Query(max_length=100)] = "") -> Response:
        known = key == KEY and not sandbox.line.behaviour.dismiss
        if not believes(request, known):
            return _answer(*_UNKNOWN)
        return _answer(*sandbox.take(await request.body()))

    return router


def _answer(code: int, words: str) -> Response:
    return Response(to_json({"errcode": code, "errmsg": words}), media_type="application/json")


_UNKNOWN = NO_ROBOT, "invalid webhook url, hint: [sandbox], from ip: 127.0.0.1"
