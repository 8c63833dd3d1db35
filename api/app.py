"""The application: routes by audience, tenants, limits, errors, metrics."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request

from api import (
    addresses,
    approvals,
    audit,
    bills,
    callbacks,
    carriers,
    claims,
    costs,
    declarations,
    disputes,
    documentation,
    evidence,
    fulfilment,
    health,
    inquiries,
    intercepts,
    labels,
    live,
    oddities,
    operations,
    order_reading,
    orders,
    packs,
    pages,
    points,
    privacy,
    problems,
    proofs,
    rate_cards,
    rate_sheets,
    ratings,
    rehearsals,
    return_labels,
    returns,
    revealing,
    reviews,
    searching,
    shortfalls,
    signaling,
    staff_alerts,
    stock_differences,
    support,
    third_parties,
    traffic,
    troubles,
    waves,
    webhooks,
    weeks,
)
from api.auth import Tokens
from api.documentation import Described
from api.edge import Edge
from api.tenancy import Tenants
from application.divisions import address_reader
from application.settings import Settings

logger = logging.getLogger(__name__)

ROOMS = (
    addresses,
    approvals,
    audit,
    bills,
    callbacks,
    carriers,
    claims,
    costs,
    declarations,
    disputes,
    documentation,
    evidence,
    fulfilment,
    health,
    inquiries,
    intercepts,
    labels,
    live,
    oddities,
    operations,
    order_reading,
    orders,
    packs,
    pages,
    points,
    privacy,
    proofs,
    rate_cards,
    rate_sheets,
    ratings,
    rehearsals,
    return_labels,
    returns,
    revealing,
    reviews,
    searching,
    shortfalls,
    signaling,
    staff_alerts,
    stock_differences,
    support,
    third_parties,
    traffic,
    troubles,
    waves,
    webhooks,
    weeks,
)

DESCRIPTION = """
Back office of a points mall: points, orders, stock, parcels, all of it event-sourced.

Every change needs an `Idempotency-Key`: the same key gets the same answer. Every answer to a
change has `position`; a GET with `?min_position=` waits until its view is there. Errors are
`application/problem+json` with a stable `code` and all `failures`, the first 1,000 of those of an
unusable request, in English and Chinese. Days and moments are from 2000-01-01 to 2199-12-31, times
with their zone: others are refused.
"""


def create_app(settings: Settings, conninfo: str) -> FastAPI:
    """The API for the tenants of one PostgreSQL, as the service login."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        address_reader()  # so that no request waits for it to be made
        async with Tenants(settings, conninfo) as tenants:
            app.state.tenants = tenants
            await tenants.named(settings.tenant)
            yield
            app.state.stopping = True

    app = Described(
        title="Tallypost",
        version=version("tallypost"),
        description=DESCRIPTION,
        lifespan=lifespan,
        # Their scripts come from elsewhere; ours are in `api.documentation`.
        docs_url=None,
        redoc_url=None,
        responses={"4XX": problems.DOCUMENTED, 503: problems.UNAVAILABLE},
        # Traces go wherever OpenTelemetry's providers are set to send them, nowhere by default.
        # Its logs stay off: they would carry what people wrote (A4).
        telemetry={"logs": False, "metrics": False, "operation_spans": False},
    )
    app.state.tokens = Tokens.in_folder(settings.key_folder)
    app.state.settings = settings
    app.state.stopping = False
    problems.install(app, [room.router for room in ROOMS])
    pages.install(app)
    app.add_exception_handler(Exception, _broken)
    for room in ROOMS:
        app.include_router(room.router)
    app.add_middleware(Edge)
    return app


async def _broken(request: Request, error: Exception) -> Any:
    """A bug: logged with its trace, told without it."""
    logger.error("unexpected error on %s", request.url.path, exc_info=error)
    return problems.problem(500, "internal_error", "Something is wrong here; it was recorded.")
