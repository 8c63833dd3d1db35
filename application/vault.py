"""The vault's cryptography: who is named, sealed so that erasing a key erases a person (A4).

Nothing here does SQL: the store writes cards and wrapped keys in the commit that names them
(design.md, Events). Every learner has a data key of her own; a master key wraps it; the
associated data bind each ciphertext to its place, so that none can be moved to another.
"""

import hmac
import json
import logging
import os
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from application.cleaning import normalise_phone
from application.key_files import KeyFileRefused, read, read_or_create, replace

logger = logging.getLogger(__name__)

KEY = 32
"""Bytes of every key: AES-256 and the lookup secret."""
NONCE = 12
"""Bytes of a nonce, random for each sealing."""
LOOK_SECONDS = 10.0
"""How often a vault that makes keys looks whether its masters were rotated."""
_TAG = 16
_SEALED = b"\x01"
_WRAPPED = b"\x01"


class Unreadable(Exception):
    """What was sealed cannot be opened: its key is gone or another's, or somebody changed it."""


def seal(key: bytes, subject: str, field: str, plaintext: bytes) -> bytes:
    """Encrypt a card's content for one subject and field; only these three open it again.

    AES-256-GCM with a random nonce; 29 bytes longer than the plaintext. Raises `ValueError` for
    a key that is not 32 bytes.
    """
    # The cipher is made anew each time: 0.7 µs, and no cache keeps an erased subject's key.
    nonce = os.urandom(NONCE)
    return _SEALED + nonce + _cipher(key).encrypt(nonce, plaintext, _bound(subject, field))


def unseal(key: bytes, subject: str, field: str, sealed: bytes) -> bytes:
    """Open what `seal` made. Raises `Unreadable` for another key, subject, field or byte."""
    if sealed[:1] != _SEALED or len(sealed) < 1 + NONCE + _TAG:
        raise Unreadable
    try:
        return _cipher(key).decrypt(
            sealed[1 : 1 + NONCE], sealed[1 + NONCE :], _bound(subject, field)
        )
    except InvalidTag:
        raise Unreadable from None


@dataclass(frozen=True, slots=True)
class MasterKeys:
    """The ring of master keys, of which `current` wraps, and the secret of phone look-ups.

    Not shown by `repr`. The file that keeps it (JSON, 0600) belongs neither into the database
    nor into its backups.
    """

    current: str
    keys: Mapping[str, bytes] = field(repr=False)
    lookup_secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if self.current not in self.keys:
            raise ValueError("the current master key is not in the ring")
        if any(len(key) != KEY for key in (*self.keys.values(), self.lookup_secret)):
            raise ValueError("every key is 32 bytes")
        if any(not 0 < len(name.encode()) < 256 for name in self.keys):
            raise ValueError("a master key's id has 1 to 255 bytes")

    @classmethod
    def new(cls) -> "MasterKeys":
        """A ring with one random key."""
        name = secrets.token_hex(4)
        return cls(name, {name: os.urandom(KEY)}, os.urandom(KEY))

    @classmethod
    def load(cls, path: Path) -> "MasterKeys":
        """The ring in a file, made if there is none; processes starting together agree on one.

        Raises `KeyFileRefused` when the file is open to others or not a ring.
        """
        return cls._parsed(path, read_or_create(path, make=lambda: cls.new().to_json()))

    @classmethod
    def read(cls, path: Path) -> "MasterKeys":
        """The ring in a file that is there. Raises as `load`, and `FileNotFoundError`."""
        return cls._parsed(path, read(path))

    @classmethod
    def _parsed(cls, path: Path, text: bytes) -> "MasterKeys":
        try:
            found = json.loads(text)
            keys = {str(name): bytes.fromhex(key) for name, key in found["keys"].items()}
            return cls(found["current"], keys, bytes.fromhex(found["lookup_secret"]))
        except (ValueError, TypeError, KeyError, AttributeError):
            # The cause is left out: it may quote the file.
            raise KeyFileRefused(path, reason="it holds no ring of master keys") from None

    def save(self, path: Path) -> None:
        """Replace the file at once: a crash leaves either the old ring or this one."""
        replace(path, content=self.to_json())

    def rotated(self) -> "MasterKeys":
        """A ring with a new current key; the old ones go on unwrapping, look-ups go on finding."""
        name = secrets.token_hex(4)
        return MasterKeys(name, {**self.keys, name: os.urandom(KEY)}, self.lookup_secret)

    def to_json(self) -> bytes:
        """The file's content, keys in hex."""
        keys = {name: key.hex() for name, key in self.keys.items()}
        ring = {"current": self.current, "keys": keys, "lookup_secret": self.lookup_secret.hex()}
        return json.dumps(ring, indent=1).encode()


class Vault:
    """One tenant's use of the master keys: subjects' keys, and the key of phone look-ups.

    A subject's key is stored wrapped: 0x01, length and text of the master key's id, nonce,
    AES-256-GCM of the key; associated data are tenant, subject and that id.

    `source` is the ring's file: it is read again when a key is wrapped by a master that is not
    known yet, and looked at by and by, so that a rotation needs no restart.
    """

    def __init__(self, master: MasterKeys, *, tenant: str, source: Path | None = None) -> None:
        self._tenant = tenant
        self._source = source
        self._seen = _identity(source)
        self._look_at = time.monotonic() + LOOK_SECONDS
        self._use(master)
        # Of its own for each tenant: one's digests say nothing about another's.
        self.lookup_key = HKDF(
            SHA256(), length=KEY, salt=None, info=b"tallypost phone lookup 1\x00" + tenant.encode()
        ).derive(master.lookup_secret)
        """What keys `phone_digest` and `phone_tail_digest`; the rotation of masters keeps it."""

    def new_subject_key(self, subject: str) -> tuple[bytes, bytes]:
        """A random data key for a subject, and its wrapped form to be stored."""
        self._look()
        key = os.urandom(KEY)
        return key, self._wrap(subject, key)

    def unwrap(self, subject: str, wrapped: bytes) -> bytes:
        """The subject's data key. Raises `Unreadable`, also when its master key is unknown."""
        name, rest = _parts(wrapped)
        cipher = self._ciphers.get(name)
        if cipher is None:
            self._reread()  # it may have been rotated since
            cipher = self._ciphers.get(name)
        if cipher is None:
            raise Unreadable
        try:
            return cipher.decrypt(rest[:NONCE], rest[NONCE:], _bound(self._tenant, subject, name))
        except InvalidTag:
            raise Unreadable from None

    def rewrap(self, subject: str, wrapped: bytes) -> bytes:
        """The same data key under the current master key; unchanged if it is that already.

        Raises `Unreadable` as `unwrap`.
        """
        key = self.unwrap(subject, wrapped)
        return wrapped if _parts(wrapped)[0] == self._master.current else self._wrap(subject, key)

    def _use(self, master: MasterKeys) -> None:
        self._master = master
        self._ciphers = {name: AESGCM(key) for name, key in master.keys.items()}

    def _look(self) -> None:
        """Wrap new keys with the new master soon after a rotation."""
        now = time.monotonic()
        if now >= self._look_at:
            self._look_at = now + LOOK_SECONDS
            if _identity(self._source) != self._seen:
                self._reread()

    def _reread(self) -> None:
        """Take the ring from its file; one that cannot be read, or is another, changes nothing."""
        if self._source is None:
            return
        self._seen = _identity(self._source)
        try:
            ring = MasterKeys.read(self._source)
        except (OSError, KeyFileRefused) as error:
            logger.error("the ring of master keys is not read again: %s", error)
            return
        if not hmac.compare_digest(ring.lookup_secret, self._master.lookup_secret):
            logger.error("the ring of master keys in %s is another one", self._source)
            return
        self._use(ring)

    def _wrap(self, subject: str, key: bytes) -> bytes:
        name, nonce = self._master.current, os.urandom(NONCE)
        encoded = name.encode()
        bound = _bound(self._tenant, subject, name)
        sealed = self._ciphers[name].encrypt(nonce, key, bound)
        return b"".join((_WRAPPED, bytes([len(encoded)]), encoded, nonce, sealed))


def _identity(path: Path | None) -> tuple[int, int] | None:
    """What changes when a file is replaced."""
    try:
        status = None if path is None else path.stat()
    except OSError:
        return None
    return None if status is None else (status.st_ino, status.st_mtime_ns)


def phone_digest(lookup_key: bytes, phone: str) -> bytes:
    """What a phone is looked up by, however it is written: 32 bytes, HMAC-SHA256 (A4).

    Without the key, seven billion numbers would be tried in an hour (reliability.md 2.26).
    Raises `Unusable` for what is no phone number.
    """
    return hmac.digest(lookup_key, b"phone\x00" + normalise_phone(phone).encode(), "sha256")


def phone_tail_digest(lookup_key: bytes, last4: str) -> bytes:
    """What staff find phones by that are known only by their last four digits (contract.md).

    32 bytes, HMAC-SHA256. Raises `ValueError` unless given exactly four ASCII digits.
    """
    if len(last4) != 4 or not (last4.isascii() and last4.isdecimal()):
        raise ValueError("a phone's tail is four digits")
    return hmac.digest(lookup_key, b"tail\x00" + last4.encode(), "sha256")


def _cipher(key: bytes) -> AESGCM:
    # AESGCM takes shorter keys, too: a truncated one must not pass unnoticed.
    if len(key) != KEY:
        raise ValueError("a data key is 32 bytes")
    return AESGCM(key)


def _bound(*parts: str) -> bytes:
    """Associated data: no two lists of parts give the same bytes."""
    bound = b""
    for part in parts:
        encoded = part.encode()
        bound += len(encoded).to_bytes(4, "big") + encoded
    return bound


def _parts(wrapped: bytes) -> tuple[str, bytes]:
    end = 2 + (wrapped[1] if len(wrapped) > 1 else 0)
    if wrapped[:1] != _WRAPPED or len(wrapped) != end + NONCE + KEY + _TAG:
        raise Unreadable
    try:
        return wrapped[2:end].decode(), wrapped[end:]
    except UnicodeDecodeError:
        raise Unreadable from None
