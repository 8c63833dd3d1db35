"""声网 Agora Signaling: a message to one user, and the tokens that users log in with (N3; wire 5).

A token is the vendor's AccessToken2 ("007"): what it allows, signed with the app's certificate.
"""

import base64
import hmac
import re
import zlib
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from struct import pack
from typing import Any

import httpx2
from pydantic_core import from_json, to_json

from application.gateways.guarded import to

PARTNER = "agora"
VERSION = "007"
RTM, LOGIN = 2, 1
"""The service, and the one privilege it has."""
SALT_MAX = 99_999_999
SENDER = "tallypost"
"""Who our messages are from."""
USER_MAX = 64
PAYLOAD_MAX_BYTES = 32 * 1024
UNUSABLE = (400, 413, 415)
"""This message will never be taken; the next one may be."""
CLOSED = (401, 403, 404)
"""Not us, not this app: nothing will be taken until somebody changes a setting."""
_HEX = re.compile(r"[0-9a-fA-F]{32}")


class Outcome(StrEnum):
    """What became of a message."""

    TAKEN = "taken"
    FAILED = "failed"
    """It may be taken another time."""
    UNUSABLE = "unusable"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the service said, or that it said nothing."""

    outcome: Outcome
    cause: str | None = None


@dataclass(frozen=True, slots=True)
class App:
    """An app at Agora. Raises `ValueError` for what is no id or certificate."""

    url: str
    app_id: str
    certificate: str = field(repr=False)
    partner: str = PARTNER
    """Under which name its calls are paced and counted."""

    def __post_init__(self) -> None:
        if not (_HEX.fullmatch(self.app_id) and _HEX.fullmatch(self.certificate)):
            raise ValueError("an app's id and certificate are 32 hexadecimal digits each")

    def token(self, user: str, *, issued: int, lives: int, salt: int) -> str:
        """What a user logs in with, good for `lives` seconds from `issued` (since 1970) on."""
        content = self.signed(user, issued=issued, lives=lives, salt=salt)
        return VERSION + base64.b64encode(zlib.compress(content)).decode()

    def signed(self, user: str, *, issued: int, lives: int, salt: int) -> bytes:
        """A token's content before it is compressed: the signature, then what is signed."""
        service = pack("<HHHI", RTM, 1, LOGIN, lives) + _string(user.encode())
        head = _string(self.app_id.encode()) + pack("<IIIH", issued, lives, salt, 1)
        key = hmac.digest(pack("<I", issued), self.certificate.encode(), sha256)
        key = hmac.digest(pack("<I", salt), key, sha256)
        return _string(hmac.digest(key, head + service, sha256)) + head + service

    async def send(
        self, user: str, payload: dict[str, Any], *, token: str, client: httpx2.AsyncClient
    ) -> Answer:
        """Send a user a message once; whatever happens is an answer."""
        body = {
            "destination": user,
            "payload": to_json(payload).decode(),
            "enable_offline_messaging": False,
            "enable_historical_messaging": False,
        }
        try:
            reply = await client.post(
                f"{self.url}/dev/v2/project/{self.app_id}/rtm/users/{SENDER}/peer_messages",
                content=to_json(body),
                headers={
                    "Content-Type": "application/json",
                    "x-agora-token": token,
                    "x-agora-uid": SENDER,
                },
                extensions=to(self.partner),
            )
        except httpx2.HTTPError as error:
            return Answer(Outcome.FAILED, type(error).__name__)
        return _read(reply.status_code, reply.content)


def _read(status: int, content: bytes) -> Answer:
    if status in CLOSED:
        return Answer(Outcome.CLOSED, f"HTTP {status}")
    if status in UNUSABLE:
        return Answer(Outcome.UNUSABLE, f"HTTP {status}")
    try:
        said: Any = from_json(content)
        taken = status == 200 and said["result"] == "success"
    except (ValueError, KeyError, TypeError):
        taken = False
    return Answer(Outcome.TAKEN) if taken else Answer(Outcome.FAILED, f"HTTP {status}")


def _string(content: bytes) -> bytes:
    return pack("<H", len(content)) + content
