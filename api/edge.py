"""What every request passes first: tenant, limits of size and patience, timing (R46, R52)."""

import asyncio
import socket
import sys
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.exceptions import HTTPException
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from api import health, problems
from api.tenancy import Tenants
from application.partner_calls import OURSELVES

MAX_BODY_BYTES = 5_000_000
"""Largest body of a request; 10,000 grants fit in well."""
TOO_LARGE = f"At most {MAX_BODY_BYTES} bytes."
HELD_BYTES = 64_000_000
"""Bytes of bodies under way in this process; more are told to come back."""
BODY_SECONDS = 20.0
"""How long a body may take to arrive."""
HEAD_SECONDS = 10.0
"""How long a request's head may take to arrive."""
UNREAD_SECONDS = 30.0
"""How long what is sent may wait while its reader has no room for it; 0: for ever."""
LIVE = "/live"
"""Streams last as long as their watchers like, which is no slowness."""

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Edge:
    """What every request passes. Plain ASGI, because it is hot.

    FastAPI's own body limit answers in plain text, and errors here are problem documents.
    """

    def __init__(self, app: Callable[[Scope, Receive, Send], Awaitable[None]]) -> None:
        self._app = app
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 500
        headers = dict(scope["headers"])
        tenants: Tenants = scope["app"].state.tenants
        host = headers.get(b"host", b"").decode("latin-1")
        scope.setdefault("state", {})["tenant"] = await tenants.of_host(host)
        body = _Body(self, receive)

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            length = headers.get(b"content-length", b"0")
            if length.isdigit() and int(length) > MAX_BODY_BYTES:
                await problems.problem(413, "too_large", TOO_LARGE)(scope, receive, noted)
            elif b"%00" in scope["query_string"] or "\0" in scope["path"]:
                await problems.problem(422, "invalid", "NUL is no text.")(scope, receive, noted)
            else:
                await self._app(scope, body.receive, noted)
        finally:
            self._held -= body.read
            route = getattr(scope.get("route"), "path", "none")
            took = time.perf_counter() - started
            health.REQUEST_SECONDS.labels(scope["method"], route, str(status)).observe(took)
            if not route.endswith(LIVE):
                failed = f"HTTP {status}" if status >= 500 else None
                scope["state"]["tenant"].partner_calls.note(OURSELVES, took, failed)

    def hold(self, size: int) -> None:
        """Count bytes that are kept until their request is answered."""
        self._held += size
        if self._held > HELD_BYTES:
            raise HTTPException(503, "Too much is being sent here.", {"Retry-After": "5"})


class _Body:
    """A request's body as it arrives, within its bounds."""

    __slots__ = ("_complete", "_edge", "_give_up_at", "_receive", "read")

    def __init__(self, edge: Edge, receive: Receive) -> None:
        self._edge = edge
        self._receive = receive
        self._complete = False
        self._give_up_at: float | None = None
        self.read = 0

    async def receive(self) -> Message:
        if self._complete:  # whoever asks on waits for the caller to go away
            return await self._receive()
        if self._give_up_at is None:
            self._give_up_at = asyncio.get_running_loop().time() + BODY_SECONDS
        try:
            async with asyncio.timeout_at(self._give_up_at):
                message = await self._receive()
        except TimeoutError:
            raise HTTPException(408, "The body took too long.", {"Connection": "close"}) from None
        size = len(message.get("body", b""))
        self.read += size
        self._edge.hold(size)
        if self.read > MAX_BODY_BYTES:
            raise HTTPException(413, TOO_LARGE, {"Connection": "close"})
        self._complete = not message.get("more_body", False)
        return message


class Impatient(HttpToolsProtocol):
    """uvicorn waits for ever for the head of a request, and to be read; this does not (R51, R52).

    A connection that is never read would stay open after its watcher was sent away, or its answer
    was complete, with all that waits for it. Closing it waits for just that; the system's own
    limit ends it, whatever it is in the middle of.
    """

    _head: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A connection from which a request is expected."""
        super().connection_made(transport)
        if sys.platform == "linux":  # elsewhere they stay, bounded in size (R51)
            milliseconds = int(UNREAD_SECONDS * 1_000)
            connection: socket.socket = transport.get_extra_info("socket")
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, milliseconds)
        self._expect_head()

    def data_received(self, data: bytes) -> None:
        """Part of a head or body."""
        super().data_received(data)
        cycle: Any = self.cycle  # None until the first head is there
        if cycle is None or cycle.response_complete:
            self._expect_head()

    def on_headers_complete(self) -> None:
        """A head is there."""
        self._stop_waiting()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """They went away."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _expect_head(self) -> None:
        if self._head is None:
            self._head = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def _stop_waiting(self) -> None:
        if self._head is not None:
            self._head.cancel()
            self._head = None

    def _give_up(self) -> None:
        self._head = None
        if not self.transport.is_closing():
            self.transport.close()
