"""密存 Words, files, payloads: in the vault under a learner's key, digests in the facts (A4).

A card holds 16 random bytes and the content; the fact keeps the SHA-256 of both, which proves the
content while the card is there and says nothing once it is gone (rules.md 30).
"""

import os
from hashlib import sha256
from hmac import compare_digest
from typing import NamedTuple

from pydantic_core import from_json, to_json

from application.streams import ACCOUNT
from application.unit import Unit
from domain.refusals import NotPossible
from domain.sealed import Sealed

SALT = 16
"""Random bytes before the content."""
WORDS, EVIDENCE, PAYLOAD = "words", "evidence", "payload"
"""Fields of the vault's cards."""


class Message(NamedTuple):
    """What a learner is told, in both languages (D6)."""

    zh: str
    en: str

    def to_bytes(self) -> bytes:
        """The card's content."""
        return to_json(self._asdict())

    @classmethod
    def from_bytes(cls, content: bytes) -> "Message":
        """Read what `to_bytes` wrote."""
        return cls(**from_json(content))


def seal_words(unit: Unit, learner: str, words: str | bytes | None) -> Sealed | None:
    """Put words on a card of the learner; None where there are none or the learner was erased."""
    if not words or unit.read(ACCOUNT, learner).status == "erased":
        return None
    return _sealed(unit, learner, WORDS, words.encode() if isinstance(words, str) else words)


def seal_file(unit: Unit, learner: str, content: bytes) -> Sealed:
    """Put a file on a card of the learner. Raises `NotPossible` once they were erased."""
    if unit.read(ACCOUNT, learner).status == "erased":
        raise NotPossible(action="add_evidence", why="the recipient was erased")
    return _sealed(unit, learner, EVIDENCE, content)


def seal_payload(unit: Unit, learner: str, raw: bytes) -> Sealed | None:
    """Put what a carrier pushed on a card of whose parcel it is; None once they were erased.

    An erased learner's key must not come back by what a carrier tells later (A4; rules.md 30).
    """
    if unit.read(ACCOUNT, learner).status == "erased":
        return None
    return _sealed(unit, learner, PAYLOAD, raw)


def payload_of(card: bytes, digest: str | None) -> bytes:
    """What a payload's card holds; those of facts without a digest have no salt."""
    return card if digest is None else content_of(card)


def content_of(card: bytes) -> bytes:
    """What a card of these holds, without its salt."""
    return card[SALT:]


def fits(card: bytes, digest: str) -> bool:
    """Whether a card's content is the one that the fact was told of."""
    return compare_digest(sha256(card).hexdigest(), digest)


def _sealed(unit: Unit, learner: str, field: str, content: bytes) -> Sealed:
    salted = os.urandom(SALT) + content
    return Sealed(card=unit.seal(learner, field, salted), digest=sha256(salted).hexdigest())
