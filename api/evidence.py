"""凭证 Evidence files of a case, and words unmasked: uploaded, shown, always on record (D1, A4)."""

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from api.auth import Caller, Role, UploadOf, allow, store_of
from api.bodies_of_cases import CaseRevealIn
from api.changing import REPEATED, Change, answered
from api.disputes import Case, Supporter, caller_sees_case, side_of, visible_case
from api.revealing import ASKED, NO_STORE, look, unmasked
from api.seen_cases import NOW
from api.shown.cases import FileAddedOut, SaidInClearOut
from application import case_reveals, disputing
from application.cards import open_cards
from application.case_words import said_in
from application.sealed_words import content_of
from application.streams import DISPUTE
from application.unit import Unit
from domain.evidence_files import MEDIA_TYPES, SUFFIXES, checked_file
from domain.refusals import NotFound
from projections import disputes
from projections.case_history import case_events

router = APIRouter(prefix="/v1", tags=["disputes"])

File = Annotated[str, Path(pattern=r"^F[1-9][0-9]{0,2}$", description="the file's name: F1, F2, …")]
_BINARY = {"schema": {"type": "string", "format": "binary"}, "example": "the file's own bytes"}
_CONTENT: dict[str, Any] = dict.fromkeys(MEDIA_TYPES, _BINARY)
_SHOWN: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file's own bytes", "content": _CONTENT}
}


@router.post(
    "/disputes/{dispute}/evidence",
    status_code=201,
    response_model=FileAddedOut,
    summary="Add a picture or a document to a case",
    openapi_extra={"requestBody": {"required": True, "content": _CONTENT}},
)
async def upload(
    request: Request,
    caller: Annotated[Caller, allow(Role.LEARNER, Role.SERVICE, Role.SUPPORT)],
    change: UploadOf,
    dispute: Case,
) -> Response:
    """The body is the file: JPEG, PNG, WebP or PDF, at most 4 MB, ten a case (D1, A4)."""
    await request.state.tenant.limits.take("evidence", caller.principal)
    content = await request.body()
    kind = checked_file(content, called=request.headers.get("content-type", ""))

    def decide(unit: Unit) -> dict[str, Any]:
        caller_sees_case(unit, caller, dispute)
        by = side_of(caller)
        return disputing.add_evidence(unit, case=dispute, media_type=kind, content=content, by=by)

    command = change.command(decide, streams=[DISPUTE.stream(dispute)])
    return answered(await store_of(request).execute(command), 201)


@router.get(
    "/disputes/{dispute}/evidence/{file}",
    response_class=Response,
    responses=_SHOWN,
    summary="A file of one's own case",
)
async def download(
    request: Request,
    caller: Annotated[Caller, allow(Role.LEARNER)],
    dispute: Case,
    file: File,
) -> Response:
    """For its learner; staff ask for a reveal (A4)."""
    tenant = request.state.tenant
    async with tenant.pool.connection() as connection:
        row = visible_case(await disputes.case_row(connection, tenant.schema, dispute), caller)
    found = row.dispute.file(file)
    if found is None:
        raise NotFound(what="file")
    return await _file(request, dispute, file, found.content.card, found.media_type)


@router.post(
    "/disputes/{dispute}/evidence/{file}/reveals",
    response_class=Response,
    responses={**_SHOWN, **ASKED},
    summary="See a file of a case",
)
async def reveal(
    request: Request,
    caller: Supporter,
    change: Change,
    dispute: Case,
    file: File,
    body: CaseRevealIn,
) -> Response:
    """Recorded with actor and reason before it is shown; a minor's after four eyes (A4, A9)."""
    decide = partial(case_reveals.reveal_file, case=dispute, file=file)
    seen = await look(
        request, change, decide, streams=[DISPUTE.stream(dispute)], reason=body.reason, case=dispute
    )
    if seen.kept is None:
        return answered(seen.outcome, 202)
    card, kind = seen.kept["card"], seen.kept["media_type"]
    return await _file(request, dispute, file, card, kind, repeated=seen.outcome.repeated)


async def _file(
    request: Request, case: str, file: str, card: str, kind: str, *, repeated: bool = False
) -> Response:
    """The file's bytes, never run as a page of ours; 404 once it is gone, or while it is held."""
    tenant = request.state.tenant
    async with tenant.pool.connection() as connection:
        contents = await open_cards(connection, tenant.schema, tenant.vault, [card])
    if card not in contents:
        raise NotFound(what="file")
    headers = {
        **NO_STORE,
        "Content-Disposition": f'attachment; filename="{case}-{file}.{SUFFIXES[kind]}"',
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "X-Content-Type-Options": "nosniff",
        **(REPEATED if repeated else {}),
    }
    return Response(content_of(contents[card]), media_type=kind, headers=headers)


@router.post(
    "/disputes/{dispute}/words/{position}/reveals",
    response_model=SaidInClearOut,
    responses=ASKED,
    summary="See words of a case as they were written",
)
async def reveal_words(
    request: Request,
    caller: Supporter,
    change: Change,
    dispute: Case,
    position: Annotated[int, Path(ge=1, le=2**62, description="of the event they were said in")],
    body: CaseRevealIn,
) -> Response:
    """Recorded with actor and reason before they are shown; a minor's after four eyes (A4, A9)."""
    tenant = request.state.tenant
    async with tenant.pool.connection() as connection:
        row = visible_case(await disputes.case_row(connection, tenant.schema, dispute), caller)
        events = await case_events(
            connection,
            tenant.schema,
            case=row.id,
            order=row.order_number,
            parcel=row.parcel,
            known_at=NOW,
        )
        said = await said_in(connection, tenant.schema, tenant.vault, events)
    found = next((one for one in said if one.position == position), None)
    if found is None or found.about == "message":
        raise NotFound(what="card")
    decide = partial(case_reveals.reveal_card, case=dispute, card=found.sealed.card)
    seen = await look(
        request, change, decide, streams=[DISPUTE.stream(dispute)], reason=body.reason, case=dispute
    )
    if seen.kept is None:
        return answered(seen.outcome, 202)
    if found.text is None:
        raise NotFound(what="card")
    return unmasked(
        seen.outcome, {**seen.kept, "case": dispute, "about": found.about, "text": found.text}
    )
