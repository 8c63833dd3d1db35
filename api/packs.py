"""证据包 A dispute's evidence pack in one call: ZIP, JSON or a page to print (D5, A3, A6)."""

import base64
import hashlib
from functools import partial
from typing import Annotated, Any, Literal, NamedTuple

from fastapi import APIRouter, HTTPException, Query, Request, Response

from api.audit import Position, head_given, private_key
from api.auth import Caller, Role, allow
from api.bodies_of_cases import PackIn
from api.changing import REPEATED, Change, answered
from api.disputes import Case, Supporter, visible_case
from api.reading import PATIENCE_SECONDS
from api.revealing import ASKED, NO_STORE, look
from api.shown.cases import PackOut
from application import case_reveals
from application.case_told import Subject
from application.evidence_page import STYLE
from application.heads import SignedHead
from application.streams import DISPUTE
from projections import disputes
from projections.evidence_packs import Asked, cards_of, pack_of
from projections.sealed_history import signed_head

router = APIRouter(prefix="/v1", tags=["disputes"])

PackReader = Annotated[Caller, allow(Role.SUPPORT, Role.AUDITOR, Role.ADMINISTRATOR)]
Form = Literal["zip", "json", "html"]
Since = Annotated[
    str | None, Query(max_length=2_000, description="a head kept before: prove the growth from it")
]
_STYLE_DIGEST = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
_KINDS: dict[str, str] = {
    "zip": "application/zip",
    "json": "application/json",
    "html": "text/html; charset=utf-8",
}
_BINARY = {"schema": {"type": "string", "format": "binary"}, "example": "the ZIP's own bytes"}
_PAGE = {"schema": {"type": "string"}, "example": "<!doctype html>…"}
_FORMS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The pack in the form that was asked for",
        "content": {"application/zip": _BINARY, "text/html": _PAGE},
    }
}


class _Placed(NamedTuple):
    """A case, and the head that its pack is as of."""

    subject: Subject
    head: SignedHead


@router.get(
    "/disputes/{dispute}/pack",
    response_model=PackOut,
    responses=_FORMS,
    summary="A case's evidence pack that names nobody",
)
async def pack(
    request: Request,
    caller: PackReader,
    dispute: Case,
    position: Position = None,
    form: Annotated[Form, Query(alias="format", description="html: to read and print")] = "zip",
    since: Since = None,
) -> Response:
    """Every event with its proof; payloads, words and files withheld (D5).

    To be checked with `tallypost audit check`; made again at its position, the same bytes, until
    something of it is erased or its time is over (A6; rules.md 30).
    """
    placed = await _place(request, caller, dispute, position)
    asked = _asked(placed.subject, placed.head.position, since)
    return await _answer(request, asked, form)


@router.post(
    "/disputes/{dispute}/pack",
    response_model=PackOut,
    responses={**_FORMS, **ASKED},
    summary="A case's evidence pack with all that the vault keeps of it",
)
async def reveal(
    request: Request, caller: Supporter, change: Change, dispute: Case, body: PackIn
) -> Response:
    """Payloads as they came, words, files, the recipient: recorded before it is given (A4, D5).

    Again at the same position it is the same bytes. A minor's is given only after a second person
    allowed it; the same key gives it again for ten minutes (A9).
    """
    placed = await _place(request, caller, dispute, body.position)
    tenant = request.state.tenant
    async with tenant.pool.connection() as connection:
        cards = await cards_of(
            connection, tenant.schema, placed.subject, known_at=placed.head.position
        )
    decide = partial(
        case_reveals.reveal_pack, case=dispute, position=placed.head.position, cards=cards
    )
    seen = await look(
        request, change, decide, streams=[DISPUTE.stream(dispute)], reason=body.reason, case=dispute
    )
    if seen.kept is None:
        return answered(seen.outcome, 202)
    given = _asked(placed.subject, seen.kept["as_of"], body.since)
    asked = given._replace(cards=seen.kept["cards"])
    return await _answer(request, asked, body.format, repeated=seen.outcome.repeated)


async def _place(request: Request, caller: Caller, case: str, position: int | None) -> _Placed:
    """The case, and the newest head up to a position, once the trail is there."""
    tenant = request.state.tenant
    async with tenant.pool.connection() as connection:
        row = visible_case(await disputes.case_row(connection, tenant.schema, case), caller)
        made = await signed_head(connection, tenant.schema, private_key(request), position=position)
    # The whole of it is in the log; which events are the case's, the trail knows.
    if not await tenant.live.reached(["audit_trail"], made.position, patience=PATIENCE_SECONDS):
        raise HTTPException(503, "The views are behind the log just now.", {"Retry-After": "1"})
    return _Placed(Subject(row.id, row.order_number, row.parcel), made)


def _asked(subject: Subject, position: int, since: str | None) -> Asked:
    return Asked(subject, position, () if since is None else (head_given(since),))


async def _answer(
    request: Request, asked: Asked, form: Form, *, repeated: bool = False
) -> Response:
    tenant = request.state.tenant
    async with tenant.pool.connection() as connection:
        made = await pack_of(connection, tenant.schema, tenant.vault, private_key(request), asked)
    shown = "inline" if form == "html" else "attachment"
    name = f"{asked.subject.case}-{asked.position}.{form}"
    headers = {
        **NO_STORE,
        "Content-Disposition": f'{shown}; filename="{name}"',
        "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_DIGEST}'; "
        "sandbox; frame-ancestors 'none'",
        "X-Content-Type-Options": "nosniff",
        **(REPEATED if repeated else {}),
    }
    return Response(getattr(made, form), media_type=_KINDS[form], headers=headers)
