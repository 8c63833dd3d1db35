"""实时 Server-sent events: an order's news as it happens, resumable by log position (T3)."""

from collections.abc import AsyncIterator, Collection
from typing import Annotated, Any

from fastapi import APIRouter, Header, HTTPException, Request
from fastapi.responses import StreamingResponse
from pydantic_core import to_json

from api.auth import Caller, Reader, Role
from api.order_reading import visible
from api.paths import Number
from domain.refusals import InvalidRequest
from projections import order_queries
from projections.live import Watcher

router = APIRouter(prefix="/v1", tags=["live"])

HEARTBEAT_SECONDS = 15.0
RETRY_MILLISECONDS = 1_000
HOUSE_ROOMS = ("approvals", "claims", "consignments", "intercepts", "notes")
"""Rooms whose facts learners are not told of: between the house, its carriers and its staff."""

_EVENTS = {
    "schema": {"type": "string", "description": "server-sent events; `data:` is JSON"},
    "example": "retry: 1000\nid: 42\n\nid: 43\nevent: news\n"
    'data: {"order":"T261103A1B2C3D4E5F6","fact":"orders.PartPacked","position":43}\n\n',
}


@router.get(
    "/orders/{number}/live",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": _EVENTS}}},
    summary="An order's news, as server-sent events",
)
async def live(
    request: Request,
    caller: Reader,
    number: Number,
    last_event_id: Annotated[
        str | None, Header(max_length=20, description="`id:` of the last event that was received")
    ] = None,
) -> StreamingResponse:
    """`id:` is the log position; give it back as `Last-Event-ID` to resume without loss (T3)."""
    if request.app.state.stopping:
        raise HTTPException(503, "This process is stopping.", {"Retry-After": "1"})
    after = _position(last_event_id)
    tenant = request.state.tenant
    async with tenant.pool.connection() as connection:
        row = visible(await order_queries.Asking(connection, tenant.schema).order(number), caller)
    start = row.position if after is None else after
    return StreamingResponse(
        _stream(tenant, number, start, caller),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


def _position(last_event_id: str | None) -> int | None:
    if last_event_id is None or last_event_id == "":
        return None
    digits = last_event_id.isascii() and last_event_id.isdecimal()
    if not digits or int(last_event_id) >= 2**63:
        raise InvalidRequest(field="Last-Event-ID", reason="not a log position")
    return int(last_event_id)


async def _stream(tenant: Any, number: str, after: int, caller: Caller) -> AsyncIterator[bytes]:
    yield b"retry: %d\nid: %d\n\n" % (RETRY_MILLISECONDS, after)
    hidden = HOUSE_ROOMS if caller.role is Role.LEARNER else ()
    with tenant.live.watch(number) as watcher:
        async for one in _told(watcher, after, hidden=hidden):
            if tenant.revocations.revoked(caller.subject, caller.issued_at):
                return  # whoever comes back with that token is not let in (R44)
            yield one


async def _told(
    watcher: Watcher, after: int, *, hidden: Collection[str] = ()
) -> AsyncIterator[bytes]:
    async for news in watcher.news(after=after, heartbeat=HEARTBEAT_SECONDS):
        if news is not None and news.fact.partition(".")[0] in hidden:
            continue
        if news is None:
            yield b": still here\n\n"
            continue
        data = to_json({"order": news.order, "fact": news.fact, "position": news.position})
        yield b"id: %d\nevent: news\ndata: %b\n\n" % (news.position, data)
