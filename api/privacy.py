"""隐私 Masked recipients, legal holds, erasure (A4, A10; rules.md 30)."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from pydantic import Field, StringConstraints

from api.auth import Caller, Reader, Role, allow, store_of
from api.bodies import Body, EraseIn, Why
from api.changing import Change, answered
from api.order_reading import visible
from api.paths import Learner, Number
from api.reading import MinPosition, json_answer, wait_for
from api.shown.after_account_changes import ErasedOut, HoldsOut
from api.shown.fields import example
from api.shown.personal import RecipientSeenOut
from application import privacy
from application.cards import open_recipient
from application.holding import usable_state
from application.streams import ACCOUNT, PRIVACY
from domain.approvals import Kind
from domain.refusals import NotFound
from projections import disputes, order_queries, returns
from projections.approvals import approvals

router = APIRouter(prefix="/v1", tags=["privacy"])

OPEN_MAX = 200
"""Open cases or returns of one learner that are looked at."""

Administrator = Annotated[Caller, allow(Role.ADMINISTRATOR)]
Matter = Annotated[
    str,
    Path(
        min_length=1,
        max_length=60,
        pattern=r"^[\w.:-]+$",
        description="reference of the legal matter",
    ),
]


class HoldIn(Body):
    """The legal matter that a learner's data is kept for."""

    model_config = example(matter="2026-17", reason="the court asked for it")
    matter: Annotated[
        str, StringConstraints(min_length=1, max_length=60, pattern=r"^[\w.:-]+$")
    ] = Field(description="the matter's reference: no names")
    reason: Why


class LiftIn(Body):
    """Why the hold is no longer needed."""

    model_config = example(reason="the matter is settled")
    reason: Why


@router.get(
    "/orders/{number}/recipient",
    response_model=RecipientSeenOut,
    summary="Who gets the parcels, masked",
)
async def recipient(
    request: Request, caller: Reader, number: Number, min_position: MinPosition = None
) -> Response:
    """Name, phone and house are hidden; who needs more asks for a reveal (A4)."""
    await wait_for(request, min_position, "order_status")
    tenant = request.state.tenant
    async with tenant.pool.connection() as connection:
        asking = order_queries.Asking(connection, tenant.schema)
        row = visible(await asking.order(number), caller)
        if row.card is None:
            raise NotFound(what="recipient")
        state = await usable_state(connection, tenant.schema, row.learner)
        found = await open_recipient(connection, tenant.schema, tenant.vault, row.card)
    masked = found.masked().model_dump(exclude={"raw"}, exclude_none=True)
    # Staff see before they ask that a second person is going to be asked.
    minor = {} if caller.role is Role.LEARNER else {"minor": state.minor}
    return json_answer(
        {"order": number, "recipient": masked, **minor}, headers={"Cache-Control": "no-store"}
    )


@router.post(
    "/learners/{learner}/legal-holds",
    response_model=HoldsOut,
    summary="Hold a learner's data for a legal matter",
)
async def hold(
    request: Request, caller: Administrator, change: Change, learner: Learner, body: HoldIn
) -> Response:
    """No erasing, and no use but storing, until every hold is lifted (rules.md 30)."""
    command = change.command(
        lambda unit: privacy.place_hold(unit, learner=learner, matter=body.matter),
        reason=body.reason,
        streams=[ACCOUNT.stream(learner), PRIVACY.stream(learner)],
    )
    return answered(await store_of(request).execute(command))


@router.post(
    "/learners/{learner}/legal-holds/{matter}/lifting",
    response_model=HoldsOut,
    summary="Lift a legal hold",
)
async def lift(
    request: Request,
    caller: Administrator,
    change: Change,
    learner: Learner,
    matter: Matter,
    body: LiftIn,
) -> Response:
    """The other matters' holds stay."""
    command = change.command(
        lambda unit: privacy.lift_hold(unit, learner=learner, matter=matter),
        reason=body.reason,
        streams=[ACCOUNT.stream(learner), PRIVACY.stream(learner)],
    )
    return answered(await store_of(request).execute(command))


@router.post("/learners/{learner}/erasure", response_model=ErasedOut, summary="Forget a learner")
async def erase(
    request: Request, caller: Administrator, change: Change, learner: Learner, body: EraseIn
) -> Response:
    """Key and cards are destroyed; history and figures stay, and stay provable (A4).

    Refused while an order is on its way, a case or a return of theirs is open, or a refund waits.
    """
    tenant = request.state.tenant
    async with tenant.pool.connection() as connection:
        asking = order_queries.Asking(connection, tenant.schema)
        under_way = [one.number for one in await asking.under_way(learner)]
        wanted = disputes.Wanted(live=True, learner=learner)
        found = await disputes.cases(connection, tenant.schema, wanted, after=None, limit=OPEN_MAX)
        cases = [one.id for one in found]
        sent = returns.Wanted(live=True, learner=learner)
        back = await returns.returns(connection, tenant.schema, sent, after=None, limit=OPEN_MAX)
        asked = await approvals(
            connection, tenant.schema, state="open", kind=Kind.REFUND, learner=learner
        )
    command = change.command(
        lambda unit: privacy.erase_person(
            unit,
            learner=learner,
            reason=body.reason,
            under_way=under_way,
            cases=cases,
            returns=[one.id for one in back],
            refunds=[one["subject"] for one in asked],
        ),
        reason=body.reason,
        streams=[ACCOUNT.stream(learner), PRIVACY.stream(learner)],
    )
    return answered(await store_of(request).execute(command))
