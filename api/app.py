"""The application: routes by audience, tenants, limits, errors, metrics."""

import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request

from api import (
    approvals,
    audit,
    callbacks,
    health,
    live,
    operations,
    orders,
    pages,
    points,
    privacy,
    problems,
    searching,
    troubles,
    webhooks,
)
from api.auth import Tokens
from api.tenancy import Tenants
from application.settings import Settings

logger = logging.getLogger(__name__)

MAX_BODY_BYTES = 5_000_000
"""Largest body of a request; 10,000 grants fit in well."""
TOO_LARGE = f"A body has at most {MAX_BODY_BYTES} bytes."

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

DESCRIPTION = """
Back office of a points mall: points, orders, stock, parcels, all of it event-sourced.

Every change needs an `Idempotency-Key`: the same key gets the same answer. Every answer to a
change has `position`; a GET with `?min_position=` waits until its view is there. Errors are
`application/problem+json` with a stable `code` and all `failures`, in English and Chinese.
"""


class Edge:
    """What every request passes: tenant, body limit, timing. Plain ASGI, because it is hot.

    FastAPI's own body limit answers in plain text, and errors here are problem documents.
    """

    def __init__(self, app: Callable[[Scope, Receive, Send], Awaitable[None]]) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 500
        read = 0
        headers = dict(scope["headers"])
        tenants: Tenants = scope["app"].state.tenants
        host = headers.get(b"host", b"").decode("latin-1")
        scope.setdefault("state", {})["tenant"] = await tenants.of_host(host)

        async def limited() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > MAX_BODY_BYTES:
                raise HTTPException(413, TOO_LARGE)
            return message

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            length = headers.get(b"content-length", b"0")
            if length.isdigit() and int(length) > MAX_BODY_BYTES:
                await problems.problem(413, "too_large", TOO_LARGE)(scope, receive, noted)
            else:
                await self._app(scope, limited, noted)
        finally:
            route = getattr(scope.get("route"), "path", "none")
            health.REQUEST_SECONDS.labels(scope["method"], route, str(status)).observe(
                time.perf_counter() - started
            )


def create_app(settings: Settings, conninfo: str) -> FastAPI:
    """The API for the tenants of one PostgreSQL, as the service login."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with Tenants(settings, conninfo) as tenants:
            app.state.tenants = tenants
            await tenants.named(settings.tenant)
            yield
            app.state.stopping = True

    app = FastAPI(
        title="Tallypost",
        version=version("tallypost"),
        description=DESCRIPTION,
        lifespan=lifespan,
        # Traces go wherever OpenTelemetry's providers are set to send them, nowhere by default.
        # Its logs stay off: they would carry what people wrote (A4).
        telemetry={"logs": False, "metrics": False, "operation_spans": False},
    )
    app.state.tokens = Tokens.in_folder(settings.key_folder)
    app.state.settings = settings
    app.state.stopping = False
    problems.install(app)
    app.add_exception_handler(Exception, _broken)
    for room in (
        approvals,
        audit,
        callbacks,
        health,
        live,
        operations,
        orders,
        pages,
        points,
        privacy,
        searching,
        troubles,
        webhooks,
    ):
        app.include_router(room.router)
    app.add_middleware(Edge)
    return app


async def _broken(request: Request, error: Exception) -> Any:
    """A bug: logged with its trace, told without it."""
    logger.error("unexpected error on %s", request.url.path, exc_info=error)
    return problems.problem(500, "internal_error", "Something is wrong here; it was recorded.")
