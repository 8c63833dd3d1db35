"""Tokens nobody issued: fifty variants, none gets in (R47)."""

import base64
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from api.auth import Role, Tokens
from tests.api.conftest import Mall

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning"),
]

PATH = "/v1/orders"


def _part(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def variants(secret: bytes, tenant: str) -> Iterator[tuple[str, str]]:
    """(what is wrong with it, token)."""
    now = int(time.time())
    good: dict[str, Any] = {
        "sub": "lin", "role": "learner", "tenant": tenant, "aud": "tallypost",
        "iat": now, "exp": now + 600,
    }  # fmt: skip

    def signed(claims: Any, key: Any = secret, algorithm: str = "HS256", **headers: Any) -> str:
        return jwt.encode(claims, key, algorithm=algorithm, headers=headers or None)

    right = signed(good)
    head, body, signature = right.split(".")
    for name in ("none", "None", "NONE", "nOnE", ""):
        yield f"alg {name}", f"{_part({'alg': name, 'typ': 'JWT'})}.{body}."
        yield f"alg {name}, signed", f"{_part({'alg': name, 'typ': 'JWT'})}.{body}.{signature}"
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    yield "RS256", signed(good, private, "RS256")
    yield "RS256 header on HMAC", f"{_part({'alg': 'RS256'})}.{body}.{signature}"
    yield "HS384", signed(good, algorithm="HS384")
    yield "HS512", signed(good, algorithm="HS512")
    for key in (b"x" * 48, secret[:-1] + bytes([secret[-1] ^ 1]), b"secret" * 8):
        yield f"other key {len(key)}", signed(good, key)
    yield "empty key", f"{head}.{body}.{_part(b'')}"
    for name, value in (
        ("exp", now - 1), ("exp", 0), ("exp", "soon"), ("exp", None), ("exp", -(2**70)),
        ("nbf", now + 3_600), ("nbf", "later"), ("iat", now + 3_600), ("iat", "now"),
        ("aud", "another"), ("aud", ["another"]), ("aud", None), ("aud", 5), ("aud", []),
        ("sub", None), ("sub", 7), ("sub", ["lin"]), ("tenant", "another"), ("tenant", None),
        ("tenant", [tenant]), ("role", "root"), ("role", ["learner"]), ("role", None),
        ("role", {"$ne": 1}), ("role", "LEARNER"), ("role", "learner\0"), ("role", 0),
    ):  # fmt: skip
        yield f"{name} = {value!r}", signed({**good, name: value})
    for name in ("exp", "iat", "aud", "sub", "tenant", "role"):
        yield f"no {name}", signed({key: value for key, value in good.items() if key != name})
    yield "crit", signed(good, crit=["exp"], exp=1)
    yield "not base64", f"{head}.{body}.***"
    yield "two parts", f"{head}.{body}"
    yield "four parts", f"{right}.{signature}"
    yield "five parts", f"{head}.{body}.{signature}.{body}.{head}"
    yield "claims are a list", f"{head}.{_part([1])}.{signature}"
    yield "claims are text", f"{head}.{_part('lin')}.{signature}"
    yield "header is a list", f"{_part([1])}.{body}.{signature}"
    yield "header is garbage", f"{_part(bytes(range(256)))}.{body}.{signature}"
    yield "changed claims", f"{head}.{_part({**good, 'role': 'administrator'})}.{signature}"
    yield "huge", f"{head}.{_part({**good, 'x': 'y' * 30_000})}.{signature}"
    yield "deep", f"{head}.{_part(b'[' * 5_000)}.{signature}"
    yield "cut", right[:-4]
    yield "longer", right + "AAAA"
    yield "spaces", right.replace(".", " . ")
    yield "empty", ""
    yield "dots", ".."
    yield "bytes", "\xff\xfe.\xff.\xff"


def _header(token: str) -> dict[bytes, bytes]:
    return {b"Authorization": b"Bearer " + token.encode("latin-1")}


async def test_no_forged_token_gets_in(mall: Mall) -> None:
    """R47: ≥ 50 variants, by header and by cookie: 401 each, none 5xx."""
    secret = (mall.settings.key_folder / "token.secret").read_bytes()
    forged = list(variants(secret, mall.settings.tenant))
    assert len(forged) >= 50
    for what, token in forged:
        answer = await mall.client.get(PATH, headers=_header(token))
        assert answer.status_code == 401, (what, answer.status_code)
        assert answer.headers["www-authenticate"] == "Bearer"
        if token and token.isascii() and " " not in token:
            cookie = {"Cookie": f"tallypost_session={token}"}
            assert (await mall.client.get(PATH, headers=cookie)).status_code == 401, what
    for kid in ("../../../../dev/null", "token.secret", "http://127.0.0.1/key", "' OR 1=1 --"):
        # A key id, URL or embedded key is never looked at: only the signature counts.
        claims = jwt.decode(
            forged[0][1], options={"verify_signature": False}, algorithms=["HS256", "none"]
        )
        for name in ("kid", "jku", "x5u", "jwk"):
            forgery = jwt.encode(claims, b"x" * 48, algorithm="HS256", headers={name: kid})
            assert (await mall.client.get(PATH, headers=_header(forgery))).status_code == 401


async def test_the_right_token_gets_in(mall: Mall) -> None:
    """R47: what all the variants are variants of."""
    assert (await mall.get(PATH)).status_code == 200
    for scheme in ("bearer", "BEARER"):
        headers = {"Authorization": mall.headers("learner", "lin")["Authorization"]}
        headers["Authorization"] = headers["Authorization"].replace("Bearer", scheme)
        assert (await mall.client.get(PATH, headers=headers)).status_code == 200
    tokens = Tokens.in_folder(mall.settings.key_folder)
    old = datetime.now(UTC) - timedelta(days=31)
    over = tokens.issue(Role.LEARNER, "lin", tenant=mall.settings.tenant, now=old)
    assert (await mall.client.get(PATH, headers=_header(over))).status_code == 401


async def test_forged_tokens_get_in_when_the_header_names_the_algorithm(mall: Mall) -> None:
    """R47 CONTROL: a verifier that believes the token's own header."""
    secret = (mall.settings.key_folder / "token.secret").read_bytes()

    def gullible(token: str) -> bool:
        try:
            header, body, _ = token.split(".")
            algorithm = json.loads(base64.urlsafe_b64decode(header + "=="))["alg"]
            if algorithm.lower() == "none":
                json.loads(base64.urlsafe_b64decode(body + "=="))
                return True
            jwt.decode(token, secret, algorithms=[algorithm], audience="tallypost")
        except Exception:  # noqa: BLE001  whatever it is, it is not in
            return False
        return True

    assert sum(gullible(token) for _, token in variants(secret, mall.settings.tenant)) > 5
