"""理赔 Claims against carriers over HTTP, apart from what learners get (D2)."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from api.auth import Caller, Role, allow, store_of
from api.bodies_of_cases import ClaimIn, ClaimStepIn
from api.changing import Change, answered
from api.paths import ParcelNumber
from api.reading import (
    Cursor,
    Limit,
    MinPosition,
    decode_cursor,
    json_answer,
    page_of,
    wait_for,
)
from api.shown.claims import ClaimChangedOut, ClaimOut, ClaimsOut
from application import claiming
from application.streams import CLAIM, PARCEL
from domain.claims import ClaimState
from domain.refusals import NotFound
from projections import claims

router = APIRouter(prefix="/v1", tags=["claims"])

Claimer = Annotated[Caller, allow(Role.SUPPORT, Role.OPERATIONS, Role.ADMINISTRATOR)]
Reader = Annotated[Caller, allow(Role.SUPPORT, Role.OPERATIONS, Role.AUDITOR, Role.ADMINISTRATOR)]
PAGE = 50


@router.post(
    "/claims",
    status_code=201,
    response_model=ClaimChangedOut,
    summary="Claim money of a carrier for a parcel",
)
async def file(request: Request, caller: Claimer, change: Change, body: ClaimIn) -> Response:
    """One a parcel, in the carrier's time; waits for a confirmed track (D2, rules.md 23, 27)."""
    rules = request.state.tenant.rules
    command = change.command(
        lambda unit: claiming.file_claim(
            unit,
            parcel=body.parcel,
            reason=body.reason,
            claimed_fen=body.claimed_fen,
            unconfirmed_because=body.unconfirmed_because or "",
            rules=rules,
        ),
        reason=body.reason,
        streams=[PARCEL.stream(body.parcel), CLAIM.stream(body.parcel)],
    )
    return answered(await store_of(request).execute(command), 201)


@router.post(
    "/claims/{parcel}/steps",
    response_model=ClaimChangedOut,
    summary="Note what the carrier said or paid",
)
async def step(
    request: Request, caller: Claimer, change: Change, parcel: ParcelNumber, body: ClaimStepIn
) -> Response:
    """Corrected, acknowledged, accepted, rejected, paid or written off; never more than was asked.

    Paid in parts it stays open until all that was accepted came, or the rest is written off (D2).
    """
    rules = request.state.tenant.rules
    command = change.command(
        lambda unit: claiming.step(
            unit,
            parcel=parcel,
            name=body.step,
            amount_fen=body.amount_fen,
            reference=body.reference,
            reason=body.reason,
            rules=rules,
        ),
        reason=body.reason,
        streams=[CLAIM.stream(parcel), PARCEL.stream(parcel)],
    )
    return answered(await store_of(request).execute(command))


@router.get("/claims", response_model=ClaimsOut, summary="Claims with their ages")
async def listed(
    request: Request,
    caller: Reader,
    state: Annotated[ClaimState | None, Query(description="in this state alone")] = None,
    all: Annotated[bool, Query(description="those that are over, too")] = False,  # noqa: A002
    carrier: Annotated[
        str | None, Query(max_length=40, description="against this carrier alone")
    ] = None,
    cursor: Cursor = None,
    limit: Limit = PAGE,
    min_position: MinPosition = None,
) -> Response:
    """Oldest first: what carriers still owe an answer or money for (D2)."""
    await wait_for(request, min_position, "claims")
    after = decode_cursor(cursor, datetime, str)
    tenant = request.state.tenant
    async with tenant.pool.connection() as connection:
        found = await claims.claims(
            connection,
            tenant.schema,
            open_only=not all and state is None,
            state=state,
            carrier=carrier,
            after=after,
            limit=limit + 1,
        )
    page, following = page_of(found, limit, lambda one: (one.filed_at, one.parcel))
    rows = [_shown(one, tenant.store.clock()) for one in page]
    return json_answer({"claims": rows, "next": following})


@router.get("/claims/{parcel}", response_model=ClaimOut, summary="What is asked about a parcel")
async def read(
    request: Request, caller: Reader, parcel: ParcelNumber, min_position: MinPosition = None
) -> Response:
    """Its inquiry and its claim, shared by the cases of all orders in it (rules.md 27)."""
    await wait_for(request, min_position, "claims")
    tenant = request.state.tenant
    async with tenant.pool.connection() as connection:
        row = await claims.claim_row(connection, tenant.schema, parcel)
    if row is None:
        raise NotFound(what="claim")
    return json_answer(_shown(row, tenant.store.clock()))


def _shown(row: claims.ClaimRow, now: datetime) -> dict[str, Any]:
    since = row.filed_at or row.inquiry_at
    age = None if since is None else int((now - since).total_seconds())
    return {**row._asdict(), "age_seconds": age, "actions": claiming.steps_of(row.claim)}
