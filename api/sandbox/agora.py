"""沙箱声网 Agora Signaling, played in its own wire format, tokens checked (M3; wire 5)."""

import base64
import binascii
import hmac
import zlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from struct import error as unpacking_error
from struct import unpack_from
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Header, Request, Response
from pydantic_core import from_json, to_json

from api.sandbox.limits import SECOND, Limits, Pace
from api.sandbox.line import Line, believes
from application.gateways.agora import PAYLOAD_MAX_BYTES, USER_MAX, VERSION, App

APP_ID = "0123456789abcdef0123456789abcdef"
CERTIFICATE = "fedcba9876543210fedcba9876543210"
"""The app that the sandbox knows."""
KEPT = 500


def signalling(url: str) -> dict[str, str]:
    """Settings with which a house signals its learners' apps here."""
    return {"AGORA_URL": url, "AGORA_APP_ID": APP_ID, "AGORA_CERTIFICATE": CERTIFICATE}


class Signal(NamedTuple):
    """A message that a user's app has got."""

    at: datetime
    user: str
    payload: str


@dataclass
class AgoraSandbox:
    """What the vendor has passed on."""

    line: Line
    limits: Limits = field(default_factory=Limits)
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    signals: deque[Signal] = field(default_factory=lambda: deque(maxlen=KEPT))

    def __post_init__(self) -> None:
        self._second = Pace(self.limits.signals_a_second, SECOND)

    def admits(self, token: str, user: str, *, app_id: str) -> bool:
        """Whether a token is this user's for this app, signed, and still good."""
        if app_id != APP_ID or self.line.behaviour.shut_out or not token.startswith(VERSION):
            return False
        try:
            content = zlib.decompress(base64.b64decode(token[len(VERSION) :], validate=True))
            (size,) = unpack_from("<H", content)
            at = 2 + size + 2 + len(APP_ID)
            issued, lives, salt = unpack_from("<III", content, at)
        except (binascii.Error, ValueError, zlib.error, unpacking_error):
            return False
        ours = App("", APP_ID, CERTIFICATE)
        right = ours.signed(user, issued=issued, lives=lives, salt=salt)
        now = self.clock().timestamp()
        return hmac.compare_digest(right, content) and issued <= now < issued + lives

    def take(self, body: bytes) -> int:
        """A message for one user: the HTTP status that it gets."""
        if not self._second.takes(self.clock()):
            return 429
        try:
            asked = from_json(body)
            user, payload = asked["destination"], asked["payload"]
        except (ValueError, KeyError, TypeError):
            return 400
        if not isinstance(user, str) or not isinstance(payload, str) or not payload:
            return 400
        if not 0 < len(user) <= USER_MAX or len(payload.encode()) > PAYLOAD_MAX_BYTES:
            return 400
        self.signals.append(Signal(datetime.now(UTC), user, payload))
        return 200


def signal_routes(sandbox: AgoraSandbox) -> APIRouter:
    """The route at which messages to one user are taken."""
    router = sandbox.line.router(refused=lambda: _answer(503), unreadable=lambda: _answer(400))

    @router.post(
        "/dev/v2/project/{app_id}/rtm/users/{user_id}/peer_messages",
        summary="Agora: a message to one user (wire 5)",
    )
    async def send(
        request: Request,
        app_id: str,
        user_id: str,
        token: Annotated[str, Header(alias="x-agora-token", max_length=2_000)] = "",
        uid: Annotated[str, Header(alias="x-agora-uid", max_length=64)] = "",
    ) -> Response:
        admitted = uid == user_id and sandbox.admits(token, uid, app_id=app_id)
        if not believes(request, admitted):
            return _answer(401)
        return _answer(sandbox.take(await request.body()))

    return router


def _answer(status: int) -> Response:
    good = status == 200
    body = {"result": "success" if good else "failed", "request_id": "1"}
    body |= {"code": "message_sent"} if good else {}
    return Response(to_json(body), status, media_type="application/json")
