"""查看 Personal data unmasked, for a reason that is recorded first: recipients, carriers' payloads.

A minor's is shown only once a second person allowed it, and only for a while (A4, A9; rules.md 30).
"""

import base64
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any, NamedTuple, Protocol

from fastapi import APIRouter, Path, Request, Response
from pydantic import Field, StringConstraints
from pydantic_core import from_json

from api.auth import STAFF, Asked, Caller, Role, allow, store_of
from api.bodies import Body, Why
from api.changing import REPEATED, Change, answered
from api.paths import ParcelNumber
from api.reading import json_answer
from api.shown.after_account_changes import ApprovalAskedOut, PayloadRevealedOut, RevealedOut
from api.shown.fields import example
from api.shown.personal import PayloadsOut
from application import revealing
from application.cards import PAYLOAD, RECIPIENT, card_of, open_recipient, open_shown
from application.outcomes import Outcome
from application.revealing import Looked, Looker
from application.sealed_words import payload_of
from application.streams import ORDER, PARCEL
from application.unit import Unit
from domain.privacy import RevealOver
from domain.refusals import InvalidRequest, NotFound
from projections import order_queries
from projections.payloads import payloads

router = APIRouter(prefix="/v1", tags=["privacy"])

Revealer = Annotated[Caller, allow(Role.SUPPORT, Role.ADMINISTRATOR)]
Tracer = Annotated[Caller, allow(Role.SUPPORT, Role.OPERATIONS, Role.ADMINISTRATOR)]
Staff = Annotated[Caller, allow(*STAFF)]
CARD = r"^[0-9a-f]{32}$"
CardId = Annotated[str, StringConstraints(pattern=CARD)]
PayloadCard = Annotated[str, Path(pattern=CARD, description="id of the payload's card")]
Case = Annotated[
    Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=r"^[\w.:/-]+$")] | None,
    Field(description="the dispute it is looked at for"),
]
NO_STORE = {"Cache-Control": "no-store"}
ASKED: dict[int | str, dict[str, Any]] = {
    202: {
        "model": ApprovalAskedOut,
        "description": "The learner is a minor: a second person has to decide on "
        "`/v1/approvals/{approval}`; then ask again under a new key (A9)",
    }
}


class RevealIn(Body):
    """A card, or the order whose recipient it is, and why it has to be seen."""

    model_config = example(
        order="T261103A1B2C3D4E5F6", reason="the carrier asks for the door", case="D-7"
    )
    card: CardId | None = Field(default=None, description="id of a recipient's card in the vault")
    order: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,60}$")] | None = Field(
        default=None, description="number of the order whose recipient it is"
    )
    reason: Why
    case: Case = None


class PayloadRevealIn(Body):
    """Why what a carrier pushed has to be seen as it came."""

    model_config = example(reason="the push cannot be read: which field is new?")
    reason: Why
    case: Case = None


@router.post(
    "/audit/reveals",
    response_model=RevealedOut,
    responses=ASKED,
    summary="See a recipient unmasked",
)
async def reveal(request: Request, caller: Revealer, change: Change, body: RevealIn) -> Response:
    """Recorded with actor and reason before anything is shown (A4, A9).

    A minor's recipient is shown only after a second person allowed it, for a few hours, to who
    asked for it. The same key shows it again for ten minutes.
    """
    if (body.card is None) == (body.order is None):
        raise InvalidRequest(field="card", reason="give a card or an order")
    tenant = request.state.tenant
    decide: Looking
    if body.card is not None:
        learner = await _subject(request, body.card, field=RECIPIENT)
        streams, decide = [], partial(revealing.reveal, looked=Looked(body.card, learner))
    else:
        number = str(body.order)
        streams = [ORDER.stream(number)]
        decide = partial(revealing.reveal_recipient, number=number)
    seen = await look(request, change, decide, streams=streams, reason=body.reason, case=body.case)
    if seen.kept is None:
        return answered(seen.outcome, 202)
    card = seen.kept["card"]
    async with tenant.pool.connection() as connection:
        recipient = await open_recipient(connection, tenant.schema, tenant.vault, card)
    body_shown = recipient.model_dump(exclude={"raw"}, exclude_none=True)
    return unmasked(seen.outcome, {**seen.kept, "recipient": body_shown})


@router.get(
    "/parcels/{parcel}/payloads",
    response_model=PayloadsOut,
    summary="What carriers pushed about a parcel",
)
async def pushed(request: Request, caller: Staff, parcel: ParcelNumber) -> Response:
    """One line a push, oldest first; what is in it may name people and is shown by a reveal."""
    tenant = request.state.tenant
    async with tenant.pool.connection() as connection:
        if not await order_queries.Asking(connection, tenant.schema).is_parcel(parcel):
            raise NotFound(what="parcel")
        found = await payloads(connection, tenant.schema, parcel)
    return json_answer({"parcel": parcel, "payloads": found})


@router.post(
    "/parcels/{parcel}/payloads/{card}/reveals",
    response_model=PayloadRevealedOut,
    responses=ASKED,
    summary="See what a carrier pushed, as it came",
)
async def reveal_payload(
    request: Request,
    caller: Tracer,
    change: Change,
    parcel: ParcelNumber,
    card: PayloadCard,
    body: PayloadRevealIn,
) -> Response:
    """Recorded with actor and reason before it is shown; a minor's as any card of theirs (A9)."""
    tenant = request.state.tenant
    learner = await _subject(request, card, field=PAYLOAD)
    async with tenant.pool.connection() as connection:
        pushed = await payloads(connection, tenant.schema, parcel)
    found = next((one for one in pushed if one["card"] == card), None)
    if found is None:
        raise NotFound(what="card")
    decide = partial(revealing.reveal_payload, parcel=parcel, card=card, learner=learner)
    streams = [PARCEL.stream(parcel)]
    seen = await look(request, change, decide, streams=streams, reason=body.reason, case=body.case)
    if seen.kept is None:
        return answered(seen.outcome, 202)
    async with tenant.pool.connection() as connection:
        raw = await open_shown(connection, tenant.schema, tenant.vault, card, field=PAYLOAD)
    raw = payload_of(raw, found["digest"])
    return unmasked(seen.outcome, {**seen.kept, "parcel": parcel, **_as_text(raw)})


class Seen(NamedTuple):
    """A reveal that is recorded."""

    outcome: Outcome
    kept: dict[str, Any] | None
    """What is kept of it; None where a second person has to decide first."""


class Looking(Protocol):
    """A command that records a reveal before anything is shown."""

    def __call__(self, unit: Unit, *, looker: Looker) -> dict[str, Any]:
        """What is kept of it, or that a second person was asked."""


async def look(
    request: Request,
    change: Asked,
    decide: Looking,
    *,
    streams: Sequence[str],
    reason: str,
    case: str | None = None,
) -> Seen:
    """Record who wants to see something and what for, before it is opened (A4, A9).

    The same key shows it again, but not for long: whoever looks later leaves another record.
    Raises `RevealOver` then.
    """
    key = f"{change.caller.principal}:{change.key}"
    looker = Looker(change.caller.subject, reason=reason, key=key, case=case)
    command = change.command(partial(decide, looker=looker), reason=reason, streams=streams)
    outcome = await store_of(request).execute(command)
    kept: dict[str, Any] = from_json(outcome.answer)
    if kept.get("status") == revealing.PENDING:
        return Seen(outcome, None)
    until = datetime.fromisoformat(kept["shown_until"]) if "shown_until" in kept else LONG_AGO
    if request.state.tenant.store.clock() >= until:
        raise RevealOver(until=until.isoformat(timespec="seconds"))
    return Seen(outcome, kept)


async def _subject(request: Request, card: str, *, field: str) -> str:
    """Whose card it is; a card of another kind is none (A4)."""
    tenant = request.state.tenant
    async with tenant.pool.connection() as connection:
        found = await card_of(connection, tenant.schema, card, zone=tenant.rules.zone)
    if found.field != field:
        raise NotFound(what="card")
    return found.subject


LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
"""Until when answers were shown that were kept before they said it."""


def unmasked(outcome: Outcome, shown: dict[str, Any]) -> Response:
    """The answer that is kept, and beside it what is never kept."""
    return json_answer(shown, headers={**NO_STORE, **(REPEATED if outcome.repeated else {})})


def _as_text(raw: bytes) -> dict[str, str]:
    """Bytes of anybody's making in JSON: as text where they are text, else in Base64."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        return {"payload": base64.b64encode(raw).decode(), "encoding": "base64"}
    return {"payload": text, "encoding": "utf-8"}
