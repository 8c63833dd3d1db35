"""Sealed documents: JSON that says in one spelling what we vouch for, signed (A3, A6).

An export and a report are sealed in the same way: the last field, `seal`, is Ed25519's signature
over all that comes before it, by the key that signs heads. There is one text for one content, so
that a document made again is the same byte for byte and a changed byte never goes unnoticed.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from application.heads import public_pem, signing_key
from application.key_files import replace

SIGNING_KEY = "heads.pem"
PUBLIC_KEY = "heads.pub.pem"
"""Files of the key folder: the one that signs, and the one that auditors are given."""

_MARK = b"tallypost sealed document 1\x00"


class NotSealed(ValueError):
    """A text is no sealed document; the message says why."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A sealed document that was read; `genuine` says whether the key in it signed it."""

    content: dict[str, Any]
    """All but the seal."""
    public: Ed25519PublicKey
    genuine: bool
    differs_at: int | None
    """The first byte that another spelling was used at; None: it is spelt as we do."""


def tool() -> str:
    """What made a document, as documents name it."""
    return f"tallypost {version('tallypost')}"


def rendered(content: Mapping[str, Any]) -> bytes:
    """The one text of a document."""
    return json.dumps(content, ensure_ascii=False, allow_nan=False, indent=1).encode() + b"\n"


def sealed(content: Mapping[str, Any], private: Ed25519PrivateKey) -> bytes:
    """A document with its seal; signing is deterministic, so the same content is the same bytes."""
    raw = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    seal = {"public_key": raw.hex(), "signature": private.sign(_signed(content)).hex()}
    return rendered({**content, "seal": seal})


def opened(text: bytes) -> Opened:
    """Read a sealed document. Raises `NotSealed` for anything that is not one in form."""
    try:
        document = json.loads(text)
        seal = document.pop("seal")
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(seal["public_key"]))
        signature = bytes.fromhex(seal["signature"])
        again = rendered({**document, "seal": seal})
        signed = _signed(document)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise NotSealed(f"not a sealed document: {_reason(error)}") from None
    try:
        public.verify(signature, signed)
        genuine = set(seal) == {"public_key", "signature"}
    except InvalidSignature:
        genuine = False
    return Opened(document, public, genuine, first_difference(text, again))


def signing_key_in(folder: Path) -> Ed25519PrivateKey:
    """The tenant-independent key that signs heads, and its public half laid beside it."""
    private = signing_key(folder / SIGNING_KEY)
    beside = folder / PUBLIC_KEY
    if not beside.exists():
        replace(beside, content=public_pem(private.public_key()))
        beside.chmod(0o644)
    return private


def _signed(content: Mapping[str, Any]) -> bytes:
    return _MARK + sha256(rendered(content)).digest()


def first_difference(one: bytes, other: bytes) -> int | None:
    """The first byte at which they differ, or one of them ends; None: they are the same."""
    if one == other:
        return None
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))


def _reason(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"line {error.lineno}, column {error.colno}: {error.msg}"
    return f"{type(error).__name__} in its seal or text"
