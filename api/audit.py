"""审计 Audit over HTTP: replays, who did what, signed heads, exports, sealed reports (A1–A9)."""

import asyncio
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import APIRouter, Query, Request, Response
from fastapi import Path as InPath

from api.auth import STAFF, Caller, Manager, Role, allow, store_of
from api.bodies import CloseIn
from api.changing import Change, answered
from api.paths import Number
from api.reading import (
    AsOf,
    Cursor,
    KnownAt,
    Limit,
    MinPosition,
    decode_cursor,
    json_answer,
    page_of,
    position_known_at,
    wait_for,
)
from api.shown.after_changes import ClosedOut
from api.shown.to_auditors import (
    EventsOut,
    ExportOut,
    NewestHeadOut,
    OrderHistoryOut,
    ReportOut,
    StreamHistoryOut,
)
from application.closing import close_books
from application.heads import SignedHead, raw_public
from application.proof import leaf_hash
from application.reporting import report_csv, report_json
from application.sealing import signing_key_in
from application.streams import BOOKS, CATEGORIES, MALL
from domain.days import Day
from domain.refusals import InvalidRequest, NotFound
from projections import controls
from projections.audit_queries import stream_events
from projections.happening import as_happened
from projections.histories import events_by, order_steps, steps
from projections.reading import compose
from projections.reports import Reporting, Wanted
from projections.sealed_history import export_stream, inclusion_paths, signed_head

router = APIRouter(prefix="/v1/audit", tags=["audit"])

Auditor = Annotated[Caller, allow(Role.AUDITOR, Role.ADMINISTRATOR)]
Staff = Annotated[Caller, allow(*STAFF)]
Stream = Annotated[
    str,
    InPath(
        min_length=3,
        max_length=300,
        pattern=r"^[a-z_]+:[^\x00-\x1f]+$",
        description="`category:key`, as in `order:T1` or `account:lin`",
    ),
]
Position = Annotated[
    int | None, Query(ge=0, le=2**62, description="as the log stood at this position")
]
Proofs = Annotated[bool, Query(description="with the proof that each event is in the log")]
PAGE = 50
STEPS_MAX = 1_000
REPORTS = ("trial-balance", "liability", "breakage", "controls", "costs", "week")
FROM_VIEWS: dict[str, tuple[str, ...]] = {
    "trial-balance": ("ledger_balance",),
    "breakage": ("ledger_balance",),
    "costs": ("part_costs", "bills", "returns"),
    "week": ("part_costs", "bills", "returns", "parcel_tracking"),
}
"""Reports that are made from views; the others read the log itself."""


@lru_cache(maxsize=8)
def _key_of(folder: Path) -> Ed25519PrivateKey:
    return signing_key_in(folder)


def private_key(request: Request) -> Ed25519PrivateKey:
    """The key that signs heads, exports and reports."""
    return _key_of(request.state.tenant.settings.key_folder)


async def _known(request: Request, position: int | None, known_at: Any) -> int:
    """The position up to which the log counts: given, or what was recorded by a moment."""
    if position is not None and known_at is not None:
        raise InvalidRequest(field="position", reason="give it or known_at, not both")
    if position is not None:
        return position
    if known_at is not None:
        return await position_known_at(request, known_at)
    tenant = request.state.tenant
    query = compose("SELECT max(position) FROM {commits}", tenant.schema, (), "")
    async with tenant.pool.connection() as connection:
        row = await (await connection.execute(query)).fetchone()
    return int(row[0] or 0) if row else 0


@router.get(
    "/streams/{stream:path}/export",
    response_model=ExportOut,
    summary="A stream's whole history, sealed",
)
async def export(
    request: Request,
    caller: Auditor,
    stream: Stream,
    position: Position = None,
    since: Annotated[str | None, Query(max_length=2_000, description="a head kept before")] = None,
) -> Response:
    """To be checked with `tallypost audit check`; the same bytes when made again there (A3, A6)."""
    _category(stream)
    tenant = request.state.tenant
    earlier = [] if since is None else [head_given(since)]
    async with tenant.pool.connection() as connection:
        document = await export_stream(
            connection,
            tenant.schema,
            stream,
            private_key(request),
            position=position,
            since=earlier,
        )
    return Response(document, media_type="application/json")


@router.get(
    "/streams/{stream:path}",
    response_model=StreamHistoryOut,
    summary="A stream replayed step by step",
)
async def stream(
    request: Request,
    caller: Auditor,
    stream: Stream,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    position: Position = None,
    proofs: Proofs = False,
    after: Annotated[int, Query(ge=0, description="`next` of the page before")] = 0,
) -> Response:
    """Envelopes in order, the state after each, what changed, why; as of any moment (A2, A5)."""
    _category(stream)
    tenant = request.state.tenant
    known = await _known(request, position, known_at)
    async with tenant.pool.connection() as connection:
        events = await stream_events(connection, tenant.schema, stream, known_at=known)
        if not events:
            raise NotFound(what="stream")
        happened = len(as_happened(events, as_of=as_of))
        told = await asyncio.to_thread(
            steps,
            events,
            as_of=as_of,
            # The last one, too: its state is the stream's.
            wanted=lambda at, _: after <= at < after + STEPS_MAX or at == happened - 1,
        )
        state = told[-1]["state"] if told else None
        page = told[: max(0, min(STEPS_MAX, happened - after))]
        head = await _prove(request, connection, page, known) if proofs else None
    return json_answer(
        {
            "stream": stream,
            "position": known,
            "events": page,
            "state": state,
            "next": after + STEPS_MAX if happened > after + STEPS_MAX else None,
            **({"head": head} if head else {}),
        }
    )


@router.get(
    "/orders/{number}",
    response_model=OrderHistoryOut,
    summary="All that concerns an order, replayed",
)
async def order(
    request: Request,
    caller: Staff,
    number: Number,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    position: Position = None,
    proofs: Proofs = False,
    min_position: MinPosition = None,
) -> Response:
    """Its own facts, its points, stock and parcels in one row (A2)."""
    await wait_for(request, min_position, "audit_trail")
    tenant = request.state.tenant
    known = await _known(request, position, known_at)
    async with tenant.pool.connection() as connection:
        told = await order_steps(connection, tenant.schema, number, known_at=known, as_of=as_of)
        head = await _prove(request, connection, told, known) if proofs else None
    own = [step["state"] for step in told if step["stream"] == f"order:{number}"]
    return json_answer(
        {
            "number": number,
            "position": known,
            "events": told,
            "state": own[-1] if own else None,
            **({"head": head} if head else {}),
        }
    )


@router.get("/events", response_model=EventsOut, summary="Who did what")
async def events(
    request: Request,
    caller: Auditor,
    actor: Annotated[
        str | None,
        Query(
            max_length=200,
            description="`role:subject`; all, if left out",
            examples=["support:wang"],
        ),
    ] = None,
    cursor: Cursor = None,
    limit: Limit = PAGE,
    min_position: MinPosition = None,
) -> Response:
    """Newest first, of one actor (`role:subject`) or of all (A1)."""
    await wait_for(request, min_position, "audit_trail")
    tenant = request.state.tenant
    before = decode_cursor(cursor, int)
    async with tenant.pool.connection() as connection:
        found = await events_by(
            connection,
            tenant.schema,
            actor=actor,
            before=before[0] if before else None,
            limit=limit + 1,
        )
    page, after = page_of(found, limit, lambda one: (one["position"],))
    return json_answer({"events": page, "next": after})


@router.get("/head", response_model=NewestHeadOut, summary="The newest signed head")
async def head(request: Request, caller: Auditor, position: Position = None) -> Response:
    """Keep it elsewhere: it convicts whoever changes the log behind it (A3).

    Its public key is for browsers; auditors compare it with the one that they were given.
    """
    tenant, private = request.state.tenant, private_key(request)
    async with tenant.pool.connection() as connection:
        made = await signed_head(connection, tenant.schema, private, position=position)
    return json_answer({**made.to_json(), "public_key": raw_public(private.public_key()).hex()})


@router.post(
    "/books/closings",
    response_model=ClosedOut,
    summary="Close the books of days that are over",
)
async def close(request: Request, caller: Manager, change: Change, body: CloseIn) -> Response:
    """A closed day stays closed: late facts are booked to the next open one (A7)."""
    rules = request.state.tenant.rules
    command = change.command(
        lambda unit: close_books(unit, until=body.until, rules=rules), streams=[BOOKS.stream(MALL)]
    )
    return answered(await store_of(request).execute(command))


_AS_CSV = {
    "schema": {"type": "string", "description": "what it is made from, an empty line, the table"},
    "example": "report,liability\r\nposition,42\r\n\r\nmonth,points\r\n2026-12,600\r\n",
}


@router.get(
    "/reports/{name}",
    response_model=ReportOut,
    responses={200: {"content": {"text/csv": _AS_CSV}}},
    summary="A sealed report",
)
async def report(
    request: Request,
    caller: Auditor,
    name: Annotated[str, InPath(max_length=40, description=", ".join(REPORTS))],
    position: Position = None,
    since: Annotated[
        Day | None, Query(description="first day of hand-over that counts: `costs`")
    ] = None,
    until: Annotated[
        Day | None,
        Query(description="last booking day or hand-over that counts; a day of the week"),
    ] = None,
    seed: Annotated[
        str, Query(min_length=1, max_length=100, description="draws the random sample: `controls`")
    ] = "tallypost",
    sample: Annotated[int, Query(ge=0, le=500, description="events in it")] = 25,
    dated_back_days: Annotated[
        int, Query(ge=0, le=3650, description="from how many days on a fact counts as dated back")
    ] = 7,
    format: Annotated[  # noqa: A002 - its name for callers
        Literal["json", "csv"], Query(description="csv: for spreadsheets")
    ] = "json",
) -> Response:
    """Byte-identical when it is made again at its position (A6)."""
    tenant, private = request.state.tenant, private_key(request)
    async with tenant.pool.connection() as connection:
        made = await signed_head(connection, tenant.schema, private, position=position)
    await wait_for(request, made.position, *FROM_VIEWS.get(name, ()))
    async with tenant.pool.connection() as connection:
        asking = Reporting(connection, tenant.schema, made, tenant.rules)
        wanted = Wanted(until, since, controls.Asked(seed, sample, dated_back_days))
        found = await asking.make(name, wanted)
    if format == "csv":
        content = report_csv(found, head=made, private=private)
        disposition = f'attachment; filename="{found.name}-{made.position}.csv"'
        return Response(
            content,
            media_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": disposition, "X-Content-Type-Options": "nosniff"},
        )
    return Response(report_json(found, head=made, private=private), media_type="application/json")


def _category(stream: str) -> None:
    if stream.partition(":")[0] not in CATEGORIES:
        raise NotFound(what="stream")


def head_given(text: str) -> SignedHead:
    """A head that a caller kept. Raises `InvalidRequest` for anything else."""
    try:
        return SignedHead.from_json(text)
    except ValueError as error:
        raise InvalidRequest(field="since", reason=str(error)) from error


async def _prove(
    request: Request, connection: Any, told: list[dict[str, Any]], known: int
) -> dict[str, Any]:
    """Put the proof of each event beside it; returns the head they are proved against."""
    tenant = request.state.tenant
    # The head has to cover the events, which may be newer than the last commit up to `known`.
    newest = max((step["position"] for step in told), default=0)
    made = await signed_head(
        connection, tenant.schema, private_key(request), position=max(known, newest)
    )
    covered = [step for step in told if step["position"] <= made.position]
    paths = await inclusion_paths(
        connection, tenant.schema, [step["position"] for step in covered], size=made.position
    )
    query = compose(_STORED, tenant.schema, (), "")
    cursor = await connection.execute(query, ([step["position"] for step in covered],))
    stored = {row[0]: row[1:] for row in await cursor.fetchall()}
    for step in covered:
        at = step["position"]
        streamed, version, name, state = stored[at]
        step["proof"] = {
            "leaf": leaf_hash(at, streamed, version, name, bytes(state)).hex(),
            "inclusion": [one.hex() for one in paths[at]],
        }
    return made.to_json()


_STORED = """
SELECT notification_id, originator_id, originator_version, topic, state FROM {tallypost_events}
WHERE notification_id = ANY(%s)
"""
