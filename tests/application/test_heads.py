import json
import stat
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from application.heads import (
    HeadUnreadable,
    SignedHead,
    key_id,
    public_key,
    public_pem,
    signing_key,
)
from application.key_files import KeyFileRefused

PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = PRIVATE.public_key()
AT = datetime(2026, 7, 29, 10, 0, 0, 123456, tzinfo=UTC)
HEAD = SignedHead.sign(
    PRIVATE, tenant="mall", position=123, root=sha256(b"root").digest(), recorded_at=AT
)


def test_head_is_genuine_when_read_back_from_its_text() -> None:
    """A3"""
    text = json.dumps(HEAD.to_json())
    assert SignedHead.from_json(text) == SignedHead.from_json(HEAD.to_json()) == HEAD
    assert SignedHead.from_json(text.encode()).verify(PUBLIC)
    assert HEAD.to_json()["root"] == sha256(b"root").hexdigest()
    assert HEAD.to_json()["recorded_at"] == "2026-07-29T10:00:00.123456+00:00"


def test_head_is_the_same_when_it_comes_with_its_public_key() -> None:
    """A3: as over HTTP; a key that the head does not name is refused."""
    raw = PUBLIC.public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
    assert SignedHead.from_json({**HEAD.to_json(), "public_key": raw}) == HEAD
    for other in ("00" * 32, "not hex", 5, None):
        with pytest.raises(HeadUnreadable):
            SignedHead.from_json({**HEAD.to_json(), "public_key": other})


@pytest.mark.parametrize(
    "change",
    [
        {"tenant": "mall2"},
        {"position": 124},
        {"root": sha256(b"other").digest()},
        {"recorded_at": AT + timedelta(microseconds=1)},
        {"key_id": "00" * 8},
        {"signature": bytes(64)},
        {"signature": b""},
    ],
)
def test_head_is_not_genuine_when_one_field_is_changed(change: dict[str, Any]) -> None:
    """A3, R60"""
    assert not replace(HEAD, **change).verify(PUBLIC)


def test_head_is_not_genuine_when_one_byte_of_root_or_signature_is_flipped() -> None:
    """A3, R60"""
    for field in ("root", "signature"):
        whole: bytes = getattr(HEAD, field)
        for at in range(len(whole)):
            bad = whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]
            changed: dict[str, Any] = {field: bad}
            assert not replace(HEAD, **changed).verify(PUBLIC)


def test_head_is_not_genuine_when_another_key_is_asked() -> None:
    """A3"""
    assert not HEAD.verify(Ed25519PrivateKey.generate().public_key())


def test_head_is_the_same_when_the_time_is_told_in_another_zone() -> None:
    """A3"""
    shanghai = AT.astimezone(timezone(timedelta(hours=8)))
    again = SignedHead.sign(
        PRIVATE, tenant="mall", position=123, root=HEAD.root, recorded_at=shanghai
    )
    assert again == HEAD


@pytest.mark.parametrize(
    ("position", "root", "recorded_at"),
    [
        (-1, HEAD.root, AT),
        (1 << 63, HEAD.root, AT),
        (1, b"short", AT),
        (1, HEAD.root, AT.replace(tzinfo=None)),
    ],
)
def test_signing_is_refused_when_a_field_cannot_be_one_of_a_head(
    position: int, root: bytes, recorded_at: datetime
) -> None:
    """A3"""
    with pytest.raises(ValueError, match="a head's"):
        SignedHead.sign(
            PRIVATE, tenant="mall", position=position, root=root, recorded_at=recorded_at
        )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        "{}",
        "[" * 100_000,
        json.dumps(HEAD.to_json() | {"position": True}),
        json.dumps(HEAD.to_json() | {"position": 123.0}),
        json.dumps(HEAD.to_json() | {"position": "123"}),
        json.dumps(HEAD.to_json() | {"more": 1}),
        json.dumps(HEAD.to_json() | {"root": HEAD.root.hex().upper()}),
        json.dumps(HEAD.to_json() | {"root": " " + HEAD.root.hex()}),
        json.dumps(HEAD.to_json() | {"recorded_at": "2026-07-29T10:00:00.123456Z"}),
        json.dumps(HEAD.to_json() | {"recorded_at": "2026-07-29T18:00:00.123456+08:00"}),
        json.dumps(HEAD.to_json() | {"signature": ""}),
        json.dumps(HEAD.to_json() | {"key_id": "zz"}),
        json.dumps(HEAD.to_json() | {"tenant": 1}),
        json.dumps(HEAD.to_json() | {"tenant": "\ud800"}),
    ],
)
def test_text_is_refused_when_it_is_not_exactly_a_head(text: str) -> None:
    """A3"""
    with pytest.raises(HeadUnreadable):
        SignedHead.from_json(text)


def test_key_is_named_by_its_public_half_when_asked() -> None:
    """A3"""
    raw = PUBLIC.public_bytes(Encoding.Raw, PublicFormat.Raw)
    assert key_id(PUBLIC) == HEAD.key_id == sha256(raw).hexdigest()[:16]


def test_signing_key_is_made_once_when_there_is_none(tmp_path: Path) -> None:
    """A3"""
    path = tmp_path / "keys" / "heads.pem"
    first = signing_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert key_id(signing_key(path).public_key()) == key_id(first.public_key())
    assert [entry.name for entry in path.parent.iterdir()] == ["heads.pem"]


def test_signing_key_is_refused_when_others_may_read_it(tmp_path: Path) -> None:
    """A3"""
    path = tmp_path / "heads.pem"
    signing_key(path)
    path.chmod(0o644)
    with pytest.raises(KeyFileRefused, match="chmod 600"):
        signing_key(path)


def test_signing_key_is_refused_when_the_file_holds_something_else(tmp_path: Path) -> None:
    """A3"""
    path = tmp_path / "heads.pem"
    other = X25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    for content in (b"", b"nonsense", other):
        path.write_bytes(content)
        path.chmod(0o600)
        with pytest.raises(KeyFileRefused):
            signing_key(path)


def test_public_key_reads_back_when_it_was_written_for_an_auditor() -> None:
    """A3"""
    assert HEAD.verify(public_key(public_pem(PUBLIC)))
    other = X25519PrivateKey.generate().public_key()
    for pem in (b"", other.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)):
        with pytest.raises(ValueError, match=r"."):
            public_key(pem)
