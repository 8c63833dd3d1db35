"""退换货 Returns over HTTP: asked for, sent, inspected, settled; seen on one screen (D3, D6)."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic_core import from_json

from api.auth import Asked, Caller, Chooser, Operator, Reader, Role, allow, store_of
from api.bodies_of_cases import MessageIn
from api.bodies_of_returns import InspectionIn, ReturnDecisionIn, ReturnIn, SendingIn
from api.changing import Change, answered, asked
from api.disputes import Supporter, side_of
from api.paths import Number
from api.reading import (
    Cursor,
    Limit,
    MinPosition,
    decode_cursor,
    json_answer,
    page_of,
    wait_for,
)
from api.seen_returns import seen_return
from api.shown.returns import ReturnChangedOut, ReturnOut, ReturnsOut
from application import possible, returning, settling
from application.ordering import existing
from application.sealed_words import Message
from application.streams import ORDER, PARCEL, RETURN
from application.unit import Unit
from domain.refusals import NotFound
from domain.returns import OPEN, ReturnState
from projections import returns

router = APIRouter(prefix="/v1", tags=["returns"])

Back = Annotated[
    str, Path(max_length=80, pattern=r"^[A-Za-z0-9-]+$", description="the return's id")
]
Owner = Annotated[Caller, allow(Role.LEARNER, Role.SERVICE)]
PAGE = 50
_PROPOSED: dict[int | str, dict[str, Any]] = {
    202: {
        "model": ReturnChangedOut,
        "description": "A second person has to decide on `/v1/approvals/{approval}` (A8)",
    }
}


@router.post(
    "/orders/{number}/returns",
    status_code=201,
    response_model=ReturnChangedOut,
    summary="Ask to give goods back",
)
async def open_return(
    request: Request, caller: Chooser, change: Change, number: Number, body: ReturnIn
) -> Response:
    """While the service window is open; it stands still until the return is over (D3, rule 2)."""
    rules = request.state.tenant.rules
    lines = None if body.lines is None else tuple((one.sku, one.quantity) for one in body.lines)
    wanted = returning.Wanted(body.remedy, body.reason, lines, body.words)

    def decide(unit: Unit) -> dict[str, Any]:
        order = existing(unit, number)
        if caller.role is Role.LEARNER and order.learner != caller.subject:
            raise NotFound(what="order")
        return returning.open_return(
            unit, number=number, wanted=wanted, by=side_of(caller), rules=rules
        )

    command = change.command(decide, reason=body.reason, streams=[ORDER.stream(number)])
    return answered(await store_of(request).execute(command), 201)


@router.get("/returns", response_model=ReturnsOut, summary="Returns")
async def listed(
    request: Request,
    caller: Reader,
    state: Annotated[
        Literal["live"] | ReturnState | None,
        Query(description="in this state alone; `live`: not over yet, longest waiting first"),
    ] = None,
    learner: Annotated[str | None, Query(max_length=100, description="of this learner")] = None,
    order: Annotated[str | None, Query(max_length=60, description="of this order")] = None,
    warehouse: Annotated[
        str | None, Query(max_length=40, description="whose goods come back here")
    ] = None,
    cursor: Cursor = None,
    limit: Limit = PAGE,
    min_position: MinPosition = None,
) -> Response:
    """Of one state or `live` by how long they wait; else newest first. Learners see their own."""
    await wait_for(request, min_position, "returns")
    if caller.role is Role.LEARNER:
        if learner is not None:
            caller.must_be(learner)
        learner = caller.subject
    live = state == "live" or state in OPEN
    wanted = returns.Wanted(
        live=live,
        state=None if state in (None, "live") else str(state),
        learner=learner,
        order=order,
        warehouse=warehouse,
    )
    after = decode_cursor(cursor, datetime, str)
    tenant = request.state.tenant
    async with tenant.pool.connection() as connection:
        found = await returns.returns(
            connection,
            tenant.schema,
            wanted,
            after=after,
            limit=limit + 1,
        )
    page, following = page_of(
        found, limit, lambda one: (one.moved_at if live else one.opened_at, one.id)
    )
    return json_answer({"returns": [one.summary() for one in page], "next": following})


@router.get("/returns/{return_id}", response_model=ReturnOut, summary="A return on one screen")
async def read(
    request: Request, caller: Reader, return_id: Back, min_position: MinPosition = None
) -> Response:
    """Its goods, label and way, what became of it, and what can be done now (D3, D6)."""
    await wait_for(request, min_position, "returns", "parcel_tracking", "order_status", "claims")
    tenant, staff = request.state.tenant, caller.role is not Role.LEARNER
    async with tenant.pool.connection() as connection:
        row = await returns.return_row(connection, tenant.schema, return_id)
        if row is None or (not staff and row.learner != caller.subject):
            raise NotFound(what="return")
        shown = await seen_return(connection, tenant, row, staff=staff)
    rules = tenant.rules
    question = Asked(request, caller, "actions", b"").question(
        lambda unit: {"actions": possible.return_actions(unit, row.id, staff=staff, rules=rules)},
        streams=_streams(row.id),
    )
    actions = from_json((await tenant.store.execute(question)).answer)["actions"]
    body = {**row.summary(), **shown, "actions": actions}
    return json_answer(body, headers={"Cache-Control": "no-store"})


@router.post(
    "/returns/{return_id}/sending", response_model=ReturnChangedOut, summary="The goods were sent"
)
async def send(
    request: Request, caller: Chooser, change: Change, return_id: Back, body: SendingIn
) -> Response:
    """Under the house's label, or the carrier and number that are given (rules.md 28)."""

    def decide(unit: Unit) -> dict[str, Any]:
        return returning.send(unit, name=return_id, carrier=body.carrier, waybill=body.waybill)

    return await _changed(request, caller, change, return_id, decide)


@router.post(
    "/returns/{return_id}/arrival", response_model=ReturnChangedOut, summary="The goods are here"
)
async def arrive(request: Request, caller: Operator, change: Change, return_id: Back) -> Response:
    """Said by the warehouse, where no scan tells of it (D3)."""

    def decide(unit: Unit) -> dict[str, Any]:
        return returning.arrive(unit, name=return_id)

    return await _changed(request, caller, change, return_id, decide)


@router.post(
    "/returns/{return_id}/inspection",
    response_model=ReturnChangedOut,
    summary="Hold what came back against the criteria",
)
async def inspect(
    request: Request, caller: Operator, change: Change, return_id: Back, body: InspectionIn
) -> Response:
    """Restock, scrap, refuse or missing; what follows happens in the same commit (D3, D4)."""
    rules = request.state.tenant.rules
    inspection = settling.Inspection(
        goods=tuple(
            settling.Found(one.sku, one.quantity, one.verdict, tuple(one.failed))
            for one in body.goods
        ),
        reason=body.reason,
        payer=body.payer,
        instead=body.instead,
        message=_message(body.message),
    )

    def decide(unit: Unit) -> dict[str, Any]:
        return settling.inspect(unit, name=return_id, inspection=inspection, rules=rules)

    return await _changed(request, caller, change, return_id, decide, reason=body.reason)


@router.post(
    "/returns/{return_id}/decision",
    response_model=ReturnChangedOut,
    responses=_PROPOSED,
    summary="Agree to a refund without the goods, or not",
)
async def decide_return(
    request: Request, caller: Supporter, change: Change, return_id: Back, body: ReturnDecisionIn
) -> Response:
    """A decision with its actor, its reason and a message (D6, rules.md 3).

    For goods that are to stay, and for those that were sent and are given up as lost on their way.
    Over the limit a second person decides (A8).
    """
    rules, message = request.state.tenant.rules, _message(body.message)

    def decide(unit: Unit) -> dict[str, Any]:
        if not body.agree:
            return returning.reject(
                unit, name=return_id, reason=body.reason, message=message, rules=rules
            )
        return settling.agree(
            unit, name=return_id, reason=body.reason, message=message, rules=rules
        )

    return await _changed(request, caller, change, return_id, decide, reason=body.reason)


@router.post(
    "/returns/{return_id}/withdrawal",
    response_model=ReturnChangedOut,
    summary="Keep the goods after all",
)
async def withdraw(request: Request, caller: Owner, change: Change, return_id: Back) -> Response:
    """Until they were sent; the service window runs on (D3)."""

    def decide(unit: Unit) -> dict[str, Any]:
        return returning.withdraw(unit, name=return_id)

    return await _changed(request, caller, change, return_id, decide)


def _message(given: MessageIn | None) -> Message | None:
    return None if given is None else Message(given.zh, given.en)


def _streams(name: str) -> list[str]:
    order = name.rpartition("-")[0]
    return [RETURN.stream(name), PARCEL.stream(name), ORDER.stream(order)]


async def _changed(
    request: Request,
    caller: Caller,
    change: Asked,
    name: str,
    decide: Callable[[Unit], dict[str, Any]],
    *,
    reason: str = "",
) -> Response:
    """Decide a change of a return that its caller may see."""

    def decided(unit: Unit) -> dict[str, Any]:
        back = returning.existing_return(unit, name)
        if caller.role is Role.LEARNER and back.learner != caller.subject:
            raise NotFound(what="return")
        return decide(unit)

    command = change.command(decided, reason=reason, streams=_streams(name))
    return asked(await store_of(request).execute(command))
