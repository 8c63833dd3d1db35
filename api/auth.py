"""Who is calling and what they may do (A10): bearer tokens, roles, request identity."""

import hashlib
import json
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import jwt
from fastapi import Depends, Header, HTTPException, Request

from application.envelope import Context
from application.key_files import read_or_create
from application.revocations import TOKEN_LIFETIME
from application.store import Store
from application.unit import Command, Streams, Unit
from domain.refusals import InvalidRequest, NotFound

ALGORITHM = "HS256"
AUDIENCE = "tallypost"
COOKIE = "tallypost_session"
SIGNED_WITH = "token.secret"
"""The file of the key folder that tokens are signed with."""


class Role(StrEnum):
    """The roles there are (A10)."""

    LEARNER = "learner"
    SERVICE = "service"
    SUPPORT = "support"
    OPERATIONS = "operations"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


STAFF = (Role.SUPPORT, Role.OPERATIONS, Role.AUDITOR, Role.ADMINISTRATOR)


class IdempotencyKeyMissing(InvalidRequest):
    """A change was asked for without a key to recognise it by."""

    code = "idempotency_key_missing"


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody whose token was verified."""

    role: Role
    subject: str
    issued_at: float = 0.0
    """When the token was issued, in seconds since 1970: older than a revocation, it is void."""

    @property
    def principal(self) -> str:
        """Whose idempotency keys these are, and the actor of what follows (A1)."""
        return f"{self.role}:{self.subject}"

    def must_be(self, learner: str) -> None:
        """A learner reaches nobody else: what is somebody else's is not there (A10)."""
        if self.role is Role.LEARNER and learner != self.subject:
            raise NotFound(what="learner")


class Tokens:
    """Issues and verifies bearer tokens with the secret in the key folder."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    @classmethod
    def in_folder(cls, folder: Path) -> "Tokens":
        """Tokens signed with `token.secret` of this folder, made at the first use."""
        return cls(read_or_create(folder / SIGNED_WITH, make=lambda: secrets.token_bytes(48)))

    def issue(self, role: Role, subject: str, *, tenant: str, now: datetime | None = None) -> str:
        """A token for this role and subject in one tenant, valid for 30 days."""
        issued = now or datetime.now(UTC)
        claims = {
            "sub": subject,
            "role": role,
            "tenant": tenant,
            "aud": AUDIENCE,
            # Not in whole seconds: one issued right after a revocation is good.
            "iat": issued.timestamp(),
            "exp": issued + TOKEN_LIFETIME,
        }
        return jwt.encode(claims, self._secret, algorithm=ALGORITHM)

    def verify(self, token: str, *, tenant: str) -> Caller:
        """Who the token speaks for; raises 401 for anything but a valid token of this tenant.

        Whether it was revoked is not in it: `entering` asks.
        """
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                self._secret,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                options={"require": ["exp", "iat", "sub", "aud"]},
            )
            if claims.get("tenant") != tenant:
                raise jwt.InvalidTokenError
            return Caller(Role(claims["role"]), str(claims["sub"]), float(claims["iat"]))
        except (jwt.PyJWTError, ValueError, KeyError) as error:
            raise unauthenticated() from error


def unauthenticated() -> HTTPException:
    """The answer to a missing or invalid token."""
    return HTTPException(401, "A valid bearer token is needed.", {"WWW-Authenticate": "Bearer"})


async def authenticated(request: Request) -> Caller:
    """The caller, by bearer token or by the browser's session cookie."""
    header = request.headers.get("authorization", "")
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token:
        token = request.cookies.get(COOKIE, "")
        if token and request.method not in ("GET", "HEAD"):
            _same_origin(request)
    if not token:
        raise unauthenticated()
    caller = entering(request, token)
    request.state.caller = caller
    return caller


def entering(request: Request, token: str) -> Caller:
    """Who comes in with this token: 401 unless it is valid and not revoked (R44)."""
    tenant = request.state.tenant
    tokens: Tokens = request.app.state.tokens
    caller = tokens.verify(token, tenant=tenant.schema)
    if not tenant.revocations.trusted:
        raise HTTPException(503, "Who may enter is not known just now.", {"Retry-After": "2"})
    if tenant.revocations.revoked(caller.subject, caller.issued_at):
        raise unauthenticated()
    return caller


def _same_origin(request: Request) -> None:
    """A cookie alone is not enough for a change: the page must be ours."""
    origin = request.headers.get("origin")
    host = request.headers.get("host", "")
    if origin is None or origin.partition("://")[2] != host:
        raise HTTPException(403, "Changes by cookie are taken from our own pages only.")


def allow(*roles: Role) -> Any:
    """A dependency that lets these roles in; administrators are not added silently."""

    async def allowed(caller: Annotated[Caller, Depends(authenticated)]) -> Caller:
        if caller.role not in roles:
            raise HTTPException(403, f"The role {caller.role} may not do this.")
        return caller

    return Depends(allowed)


Reader = Annotated[Caller, allow(*Role)]
"""Everybody with a token; what they are shown depends on who they are."""
Chooser = Annotated[Caller, allow(Role.LEARNER, Role.SERVICE, Role.SUPPORT, Role.OPERATIONS)]
"""Learners about their own orders, and whoever acts for them."""
Operator = Annotated[Caller, allow(Role.SERVICE, Role.OPERATIONS, Role.ADMINISTRATOR)]
"""Who runs the mall, people or systems."""
Manager = Annotated[Caller, allow(Role.OPERATIONS, Role.ADMINISTRATOR)]
"""People who run the mall: what no system decides."""


class Asked:
    """A change somebody asks for: identified by their key, checked by the body's digest."""

    def __init__(self, request: Request, caller: Caller, key: str, body: bytes) -> None:
        self.caller = caller
        self.key = key
        target = f"{request.method} {request.url.path}?{request.url.query}\0"
        self.digest = hashlib.sha256(target.encode() + body).digest()
        self.correlation = request.headers.get("x-request-id", "")[:100]

    def context(self, reason: str = "") -> Context:
        """The context of the facts that follow."""
        return Context(
            actor=self.caller.principal,
            command=self.key,
            reason=reason,
            correlation=self.correlation,
        )

    def command(
        self,
        decide: Callable[[Unit], dict[str, Any]],
        *,
        reason: str = "",
        streams: Streams = (),
        subject: str | None = None,
        happened_at: datetime | None = None,
    ) -> Command:
        """The command that decides this change."""
        return Command(
            principal=self.caller.principal,
            key=self.key,
            digest=self.digest,
            context=self.context(reason),
            decide=decide,
            streams=streams,
            subject=subject,
            happened_at=happened_at,
        )

    def question(self, decide: Callable[[Unit], dict[str, Any]], *, streams: Streams) -> Command:
        """A question to the exact states: nothing is recorded, not even the answer."""
        return Command(
            principal=self.caller.principal,
            key=f"question:{secrets.token_hex(8)}",
            digest=self.digest,
            context=self.context(),
            decide=decide,
            streams=streams,
            asks_only=True,
        )


IdempotencyKey = Annotated[
    str | None,
    Header(
        max_length=200,
        pattern=r"^[\x21-\x7e]+$",
        description="Your own id of this change; the same key gets the same answer.",
        examples=["5f0c6f0e-redeem-1"],
    ),
]


async def asked(request: Request, idempotency_key: IdempotencyKey = None) -> Asked:
    """The change that is asked for; needs an `Idempotency-Key`."""
    change = await uploaded(request, idempotency_key)
    check_text(await request.body())
    return change


async def uploaded(request: Request, idempotency_key: IdempotencyKey = None) -> Asked:
    """The change that is asked for with a file as its body; needs an `Idempotency-Key`."""
    if idempotency_key is None:
        raise IdempotencyKeyMissing(field="Idempotency-Key", reason="this header is needed")
    return Asked(request, request.state.caller, idempotency_key, await request.body())


UploadOf = Annotated[Asked, Depends(uploaded)]
"""A file that is sent, under its caller's own key."""


def check_text(body: bytes) -> None:
    """Refuse JSON that two readers read differently, or whose text nothing can store (R46)."""
    if b"\x00" in body or _UNSTORABLE.search(body):
        raise InvalidRequest(field="body", reason="holds NUL or half of a surrogate pair")
    try:
        json.loads(body or b"null", object_pairs_hook=_unique)
    except (ValueError, RecursionError):
        return  # the body's own model says what is wrong with it


def _unique(pairs: list[tuple[str, Any]]) -> None:
    if len({name for name, _ in pairs}) != len(pairs):
        raise InvalidRequest(field="body", reason="an object names a field twice")


# NUL and lone surrogates as JSON escapes; a raw NUL in it means UTF-16 or no JSON at all.
_UNSTORABLE = re.compile(
    rb"\\u0000"
    rb"|\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])"
    rb"|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F]"
)


def store_of(request: Request) -> Store:
    """The store of the tenant that the request is for."""
    store: Store = request.state.tenant.store
    return store
