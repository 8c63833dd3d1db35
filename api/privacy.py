"""隐私 Masked recipients, reveals and their reason, holds, erasure (A4, A10; rules.md 30)."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from pydantic import Field, StringConstraints
from pydantic_core import from_json

from api.auth import Caller, Reader, Role, allow, store_of
from api.bodies import Body, EraseIn, Why
from api.changing import Change, answered
from api.order_reading import visible
from api.paths import Learner, Number
from api.reading import MinPosition, json_answer, wait_for
from api.shown import RecipientSeenOut, example
from api.shown_after_changes import HoldsOut, LearnerOut, RevealedOut
from application import privacy
from application.holding import refuse_held
from application.outcomes import Outcome
from application.streams import ACCOUNT, PRIVACY
from application.vault import Recipient
from domain.refusals import InvalidRequest, NotFound
from projections import order_queries

router = APIRouter(prefix="/v1", tags=["privacy"])

Revealer = Annotated[Caller, allow(Role.SUPPORT, Role.ADMINISTRATOR)]
Administrator = Annotated[Caller, allow(Role.ADMINISTRATOR)]
CardId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
Reference = Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=r"^[\w.:/-]+$")]
Matter = Annotated[
    str,
    Path(
        min_length=1,
        max_length=60,
        pattern=r"^[\w.:-]+$",
        description="reference of the legal matter",
    ),
]
NO_STORE = {"Cache-Control": "no-store"}


class RevealIn(Body):
    """A card, or the order whose recipient it is, and why it has to be seen."""

    model_config = example(
        order="T261103A1B2C3D4E5F6", reason="the carrier asks for the door", case="D-7"
    )
    card: CardId | None = Field(default=None, description="id of a card in the vault")
    order: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,60}$")] | None = Field(
        default=None, description="number of the order whose recipient it is"
    )
    reason: Why
    case: Reference | None = Field(default=None, description="the dispute it is looked at for")


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
        await refuse_held(connection, tenant.schema, row.learner)
        card = await privacy.open_recipient(connection, tenant.schema, tenant.vault, row.card)
    return json_answer(
        {"order": number, "recipient": _shown(card.recipient.masked())}, headers=NO_STORE
    )


@router.post("/audit/reveals", response_model=RevealedOut, summary="See a recipient unmasked")
async def reveal(request: Request, caller: Revealer, change: Change, body: RevealIn) -> Response:
    """Recorded with actor and reason before anything is shown (A4, A9)."""
    if (body.card is None) == (body.order is None):
        raise InvalidRequest(field="card", reason="give a card or an order")
    tenant = request.state.tenant
    learner = None
    if body.card is not None:
        async with tenant.pool.connection() as connection:
            learner = await privacy.card_subject(connection, tenant.schema, body.card)
    command = change.command(
        lambda unit: privacy.reveal_card(
            unit, learner=learner, card=body.card, order=body.order, case=body.case
        ),
        reason=body.reason,
    )
    outcome = await store_of(request).execute(command)
    return await _unmasked(request, outcome)


async def _unmasked(request: Request, outcome: Outcome) -> Response:
    """The answer that is kept, and beside it what is never kept."""
    tenant = request.state.tenant
    kept: dict[str, Any] = from_json(outcome.answer)
    async with tenant.pool.connection() as connection:
        # Sent again, it shows the card again: but not one that is held or gone by now.
        await refuse_held(connection, tenant.schema, kept["learner"])
        card = await privacy.open_recipient(connection, tenant.schema, tenant.vault, kept["card"])
    headers = {**NO_STORE, **({"Idempotent-Replay": "true"} if outcome.repeated else {})}
    return json_answer({**kept, "recipient": _shown(card.recipient)}, headers=headers)


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


@router.post("/learners/{learner}/erasure", response_model=LearnerOut, summary="Forget a learner")
async def erase(
    request: Request, caller: Administrator, change: Change, learner: Learner, body: EraseIn
) -> Response:
    """Key and cards are destroyed; history and figures stay, and stay provable (A4)."""
    tenant = request.state.tenant
    async with tenant.pool.connection() as connection:
        asking = order_queries.Asking(connection, tenant.schema)
        under_way = [one.number for one in await asking.under_way(learner)]
    command = change.command(
        lambda unit: privacy.erase_person(
            unit, learner=learner, reason=body.reason, under_way=under_way
        ),
        reason=body.reason,
        streams=[ACCOUNT.stream(learner), PRIVACY.stream(learner)],
    )
    return answered(await store_of(request).execute(command))


def _shown(recipient: Recipient) -> dict[str, Any]:
    return recipient.model_dump(exclude={"raw"}, exclude_none=True)
