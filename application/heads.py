"""Signed heads: where a tenant's log stood, and our word for it, kept outside (A3).

Who changes the log as superuser can rebuild the whole tree, too; he cannot make the tree fit a
head that was signed before and is kept where he cannot reach it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from application.key_files import KeyFileRefused, read_or_create
from application.proof import HASH

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_KEY_ID_BYTES = 8
_SIGNATURE_BYTES = 64


class HeadUnreadable(ValueError):
    """What was given is not a signed head; the message says why."""


@dataclass(frozen=True, slots=True)
class SignedHead:
    """The root of a tenant's log at a position, signed.

    `root` is the tree's over the first `position` events; `recorded_at` is UTC, exact to the
    microsecond; `key_id` names the key (`key_id()`); `signature` is Ed25519's over
    `signed_bytes()`. Raises `ValueError` when a field cannot be one of a head.
    """

    tenant: str
    position: int
    root: bytes
    recorded_at: datetime
    key_id: str
    signature: bytes

    def __post_init__(self) -> None:
        self.tenant.encode()  # a lone surrogate is an error here, not when a head is checked
        if not 0 <= self.position < 1 << 63:
            raise ValueError("a head's position is a count of events")
        if len(self.root) != HASH:
            raise ValueError("a head's root is a hash of 32 bytes")
        if self.recorded_at.tzinfo is not UTC:
            raise ValueError("a head's time is in UTC")
        if bytes.fromhex(self.key_id).hex() != self.key_id or len(self.key_id) != 16:
            raise ValueError("a head's key id is 8 bytes in hex")

    @classmethod
    def sign(
        cls,
        private: Ed25519PrivateKey,
        *,
        tenant: str,
        position: int,
        root: bytes,
        recorded_at: datetime,
    ) -> "SignedHead":
        """Sign a head. Raises `ValueError` for a naive time and as the class says."""
        if recorded_at.tzinfo is None:
            raise ValueError("a head's time says its zone")
        time = recorded_at.astimezone(UTC)
        name = key_id(private.public_key())
        unsigned = cls(tenant, position, root, time, name, b"")
        return cls(tenant, position, root, time, name, private.sign(unsigned.signed_bytes()))

    def verify(self, public: Ed25519PublicKey) -> bool:
        """Whether this key signed exactly this head; a caller has to act on False."""
        try:
            public.verify(self.signature, self.signed_bytes())
        except InvalidSignature:
            return False
        return self.key_id == key_id(public)

    def signed_bytes(self) -> bytes:
        """What is signed: the fields in one unambiguous form, marked so that it is only a head."""
        tenant = self.tenant.encode()
        microseconds = (self.recorded_at - _EPOCH) // timedelta(microseconds=1)
        return b"".join(
            (
                b"tallypost signed head 1\x00",
                len(tenant).to_bytes(4, "big"),
                tenant,
                self.position.to_bytes(8, "big"),
                self.root,
                microseconds.to_bytes(8, "big", signed=True),
                bytes.fromhex(self.key_id),
            )
        )

    def to_json(self) -> dict[str, str | int]:
        """The head in clear, ready for JSON: hashes in hex, the time in ISO 8601."""
        return {
            "tenant": self.tenant,
            "position": self.position,
            "root": self.root.hex(),
            "recorded_at": self.recorded_at.isoformat(timespec="microseconds"),
            "key_id": self.key_id,
            "signature": self.signature.hex(),
        }

    @classmethod
    def from_json(cls, given: Mapping[str, Any] | str | bytes) -> "SignedHead":
        """Read what `to_json` wrote, as fields or as text; the signature is not checked here.

        Raises `HeadUnreadable` for anything else, unknown fields and other spellings of the same
        value included: there is one text for one head. Over HTTP it comes with the public key
        that it names, which is passed over.
        """
        try:
            fields = dict(given if isinstance(given, Mapping) else json.loads(given))
            key = bytes.fromhex(fields.pop("public_key", ""))
            head = cls(
                tenant=fields["tenant"],
                position=fields["position"],
                root=bytes.fromhex(fields["root"]),
                recorded_at=datetime.fromisoformat(fields["recorded_at"]).astimezone(UTC),
                key_id=fields["key_id"],
                signature=bytes.fromhex(fields["signature"]),
            )
            same = head.to_json() == fields and type(head.position) is int
        except KeyError as error:
            raise HeadUnreadable(f"not a signed head: it has no {error.args[0]}") from None
        except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
            raise HeadUnreadable("not a signed head: not in the form of one") from None
        if key and _named(key) != head.key_id:
            raise HeadUnreadable("not a signed head: its key has another id")
        if not same or len(head.signature) != _SIGNATURE_BYTES:
            raise HeadUnreadable("not a signed head: fields in another form")
        return head


def key_id(public: Ed25519PublicKey) -> str:
    """The name of a signing key: first 8 bytes, in hex, of the SHA-256 of the raw public key."""
    return _named(raw_public(public))


def raw_public(public: Ed25519PublicKey) -> bytes:
    """The public key's own 32 bytes, as browsers take it."""
    return public.public_bytes(Encoding.Raw, PublicFormat.Raw)


def _named(raw: bytes) -> str:
    return sha256(raw).digest()[:_KEY_ID_BYTES].hex()


def signing_key(path: Path) -> Ed25519PrivateKey:
    """The private key in a PEM file, made with mode 0600 if there is none.

    Raises `KeyFileRefused` when the file is open to others or holds no Ed25519 key.
    """
    pem = read_or_create(path, make=_new_signing_key)
    try:
        private = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise KeyFileRefused(path, reason="it holds no private key in PEM") from None
    if not isinstance(private, Ed25519PrivateKey):
        raise KeyFileRefused(path, reason="its key is not of the kind Ed25519")
    return private


def public_pem(public: Ed25519PublicKey) -> bytes:
    """The public key in PEM, to be given to auditors."""
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def public_key(pem: bytes) -> Ed25519PublicKey:
    """Read what `public_pem` wrote. Raises `ValueError` for anything else."""
    try:
        public = load_pem_public_key(pem)
    except UnsupportedAlgorithm:
        raise ValueError("the key is of an unknown kind") from None
    if not isinstance(public, Ed25519PublicKey):
        raise ValueError("the key is not of the kind Ed25519")
    return public


def _new_signing_key() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
