"""客服台 The support desk over HTTP: an order's one timeline, and notes beside it (D1, A4, A10)."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from api.auth import STAFF, Caller, Role, allow, store_of
from api.bodies_of_cases import CaseRevealIn, NoteIn
from api.changing import Change, answered
from api.order_reading import visible
from api.paths import Number
from api.reading import MinPosition, wait_for, with_etag
from api.revealing import ASKED, look, unmasked
from api.seen_cases import NOW
from api.shown.to_support import NotedOut, NoteInClearOut, OrderTimelineOut
from api.support_timeline import order_timeline
from application import noting
from application.case_words import said_in
from application.streams import NOTES, ORDER
from domain.refusals import NotFound
from projections import order_queries
from projections.audit_queries import stream_events

router = APIRouter(prefix="/v1/support", tags=["support"])

Staff = Annotated[Caller, allow(*STAFF)]
Writer = Annotated[Caller, allow(Role.SUPPORT, Role.OPERATIONS, Role.ADMINISTRATOR)]
Revealer = Annotated[Caller, allow(Role.SUPPORT, Role.ADMINISTRATOR)]
Noted = Annotated[int, Path(ge=1, le=2**62, description="log position of the note")]


@router.get(
    "/orders/{number}/timeline",
    response_model=OrderTimelineOut,
    responses={304: {"description": "The caller has it already (`If-None-Match`)"}},
    summary="All that concerns an order, in one list",
)
async def timeline(
    request: Request, caller: Staff, number: Number, min_position: MinPosition = None
) -> Response:
    """Order, points, stock, parcels, cases, messages, webhooks, notes; with causes, masked (D1).

    Beside it what comes next by itself: deadlines, tries at partners, and what is stuck (M5).
    """
    await wait_for(request, min_position, "audit_trail", "order_status")
    tenant = request.state.tenant
    async with tenant.pool.connection() as connection:
        asking = order_queries.Asking(connection, tenant.schema)
        row = visible(await asking.order(number), caller)
        told = await order_timeline(connection, tenant, row)
    return with_etag(request, told)


@router.post(
    "/orders/{number}/notes",
    status_code=201,
    response_model=NotedOut,
    summary="Note something beside an order",
)
async def note(
    request: Request, caller: Writer, change: Change, number: Number, body: NoteIn
) -> Response:
    """For the staff alone; its words are sealed and never in an event (D1, A4)."""
    command = change.command(
        lambda unit: noting.add_note(unit, number=number, words=body.words),
        streams=[ORDER.stream(number), NOTES.stream(number)],
    )
    return answered(await store_of(request).execute(command), 201)


@router.post(
    "/orders/{number}/notes/{position}/reveals",
    response_model=NoteInClearOut,
    responses=ASKED,
    summary="See a note as it was written",
)
async def reveal_note(
    request: Request,
    caller: Revealer,
    change: Change,
    number: Number,
    position: Noted,
    body: CaseRevealIn,
) -> Response:
    """Recorded with actor and reason before it is shown; a minor's after four eyes (A4, A9)."""
    tenant = request.state.tenant
    async with tenant.pool.connection() as connection:
        written = await stream_events(connection, tenant.schema, NOTES.stream(number), known_at=NOW)
        said = await said_in(connection, tenant.schema, tenant.vault, written)
    found = next((one for one in said if one.position == position), None)
    if found is None:
        raise NotFound(what="card")
    decide = partial(noting.reveal_note, number=number, card=found.sealed.card)
    seen = await look(request, change, decide, streams=[ORDER.stream(number)], reason=body.reason)
    if seen.kept is None:
        return answered(seen.outcome, 202)
    if found.text is None:
        raise NotFound(what="card")
    return unmasked(seen.outcome, {**seen.kept, "order": number, "text": found.text})
