"""争议 Cases over HTTP: opened, answered, inquired, decided, seen on one screen (D1, D6)."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic_core import from_json

from api.auth import Asked, Caller, Chooser, Reader, Role, allow, store_of
from api.bodies_of_cases import (
    AnswersIn,
    CaseDecisionIn,
    DisputeIn,
    QuestionsIn,
    ReopeningIn,
    WordsIn,
)
from api.changing import Change, answered, asked
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
from api.seen_cases import seen_case
from api.shown.cases import CaseActionOut, CaseChangedOut, CaseDecidedOut, CaseOut, CasesOut
from application import deciding, disputing, possible
from application.gathering import Gathered, gather
from application.ordering import existing
from application.sealed_words import Message
from application.streams import DISPUTE, ORDER
from application.unit import Unit
from domain.dispute_facts import Side
from domain.disputes import CaseState
from domain.refusals import NotFound
from projections import disputes, order_queries

router = APIRouter(prefix="/v1", tags=["disputes"])

Case = Annotated[
    str, Path(max_length=150, pattern=r"^D-[A-Za-z0-9-]+$", description="the case's id")
]
Supporter = Annotated[Caller, allow(Role.SUPPORT, Role.ADMINISTRATOR)]
"""Who decides cases."""
PAGE = 50
_PROPOSED: dict[int | str, dict[str, Any]] = {
    202: {
        "model": CaseDecidedOut,
        "description": "A second person has to decide on `/v1/approvals/{approval}` (A8)",
    }
}


def side_of(caller: Caller) -> Side:
    """For whom somebody speaks; a service acts for the learner."""
    return Side.LEARNER if caller.role in (Role.LEARNER, Role.SERVICE) else Side.STAFF


def caller_sees_case(unit: Unit, caller: Caller, case: str) -> None:
    """Refuse a learner who names somebody else's case, as if there were none (A10)."""
    dispute = disputing.existing_case(unit, case)
    if caller.role is Role.LEARNER and dispute.learner != caller.subject:
        raise NotFound(what="dispute")


async def gathered(request: Request, number: str, parcel: str | None) -> Gathered:
    """What can be found out before a case is opened; nothing of orders that are not there."""
    tenant = request.state.tenant
    async with tenant.pool.connection() as connection:
        asking = order_queries.Asking(connection, tenant.schema)
        row = await asking.order(number)
        parcels = [] if row is None else disputing.disputable_parcels(row.order)
        named = parcel or (parcels[0] if parcels else None)
        if row is None or named is None:
            return Gathered()
        return await gather(
            connection,
            tenant.schema,
            tenant.vault,
            parcel=named,
            learner=row.learner,
            recipient_card=row.card,
            now=tenant.store.clock(),
        )


@router.post(
    "/orders/{number}/disputes",
    status_code=201,
    response_model=CaseChangedOut,
    summary="Say that something is wrong with a parcel",
)
async def open_dispute(
    request: Request, caller: Chooser, change: Change, number: Number, body: DisputeIn
) -> Response:
    """Until 30 days after signing; evidence is gathered, the service window stands still (D1)."""
    tenant = request.state.tenant
    found = await gathered(request, number, body.parcel)

    def decide(unit: Unit) -> dict[str, Any]:
        order = existing(unit, number)
        if caller.role is Role.LEARNER and order.learner != caller.subject:
            raise NotFound(what="order")
        return disputing.open_dispute(
            unit,
            number=number,
            parcel=body.parcel,
            reason=body.reason,
            by=side_of(caller),
            words=body.words,
            gathered=found,
            rules=tenant.rules,
        )

    command = change.command(decide, reason=body.reason, streams=[ORDER.stream(number)])
    return answered(await store_of(request).execute(command), 201)


@router.get("/disputes", response_model=CasesOut, summary="Cases")
async def listed(
    request: Request,
    caller: Reader,
    state: Annotated[
        Literal["live"] | CaseState | None,
        Query(description="in this state alone; `live`: still to be decided, by deadline"),
    ] = None,
    learner: Annotated[str | None, Query(max_length=100, description="of this learner")] = None,
    order: Annotated[str | None, Query(max_length=60, description="of this order")] = None,
    overdue: Annotated[bool | None, Query(description="decided late, or not yet")] = None,
    cursor: Cursor = None,
    limit: Limit = PAGE,
    min_position: MinPosition = None,
) -> Response:
    """`live` ones by the nearest decision; otherwise newest first. Learners see their own."""
    await wait_for(request, min_position, "disputes", "claims")
    if caller.role is Role.LEARNER:
        if learner is not None:
            caller.must_be(learner)
        learner = caller.subject
    live = state == "live"
    wanted = disputes.Wanted(
        live=live or None,
        state=None if live or state is None else str(state),
        learner=learner,
        order=order,
        overdue=overdue,
    )
    after = decode_cursor(cursor, datetime, str)
    tenant = request.state.tenant
    async with tenant.pool.connection() as connection:
        found = await disputes.cases(
            connection,
            tenant.schema,
            wanted,
            after=after,
            limit=limit + 1,
        )
    page, following = page_of(
        found, limit, lambda one: (one.decide_by if live else one.opened_at, one.id)
    )
    staff = caller.role is not Role.LEARNER
    rows = [summary(one, staff=staff) for one in page]
    return json_answer({"disputes": rows, "next": following})


def summary(row: disputes.CaseRow, *, staff: bool) -> dict[str, Any]:
    """A case in a list; what is asked of carriers is the house's business."""
    shown = row.summary()
    if not staff:
        del shown["inquiry"], shown["claim"]
        shown["file_claim_by"] = None
    return shown


@router.get("/disputes/{dispute}", response_model=CaseOut, summary="A case on one screen")
async def read(
    request: Request, caller: Reader, dispute: Case, min_position: MinPosition = None
) -> Response:
    """Evidence, answers, messages, one timeline with causes, and what can be done now (D1, D6)."""
    views = ("disputes", "claims", "audit_trail", "parcel_tracking", "order_status")
    await wait_for(request, min_position, *views)
    tenant, staff = request.state.tenant, caller.role is not Role.LEARNER
    async with tenant.pool.connection() as connection:
        row = visible_case(await disputes.case_row(connection, tenant.schema, dispute), caller)
        shown = await seen_case(connection, tenant, row, staff=staff)
    rules = tenant.rules
    question = Asked(request, caller, "actions", b"").question(
        lambda unit: {"actions": possible.case_actions(unit, row.id, staff=staff, rules=rules)},
        streams=[DISPUTE.stream(row.id), ORDER.stream(row.order_number)],
    )
    actions = from_json((await tenant.store.execute(question)).answer)["actions"]
    body = {**summary(row, staff=staff), **shown, "actions": actions}
    return json_answer(body, headers={"Cache-Control": "no-store"})


def visible_case(row: disputes.CaseRow | None, caller: Caller) -> disputes.CaseRow:
    """The case, if this reader may see it; absent and somebody else's answer alike (A10)."""
    if row is None or (caller.role is Role.LEARNER and row.learner != caller.subject):
        raise NotFound(what="dispute")
    return row


async def case_changed(
    request: Request,
    caller: Caller,
    change: Asked,
    case: str,
    decide: Callable[[Unit], dict[str, Any]],
    *,
    reason: str = "",
) -> Response:
    """Decide a change of a case that its caller may see."""

    def decided(unit: Unit) -> dict[str, Any]:
        caller_sees_case(unit, caller, case)
        return decide(unit)

    command = change.command(decided, reason=reason, streams=[DISPUTE.stream(case)])
    return answered(await store_of(request).execute(command))


@router.post(
    "/disputes/{dispute}/questions", response_model=CaseChangedOut, summary="Ask the learner"
)
async def ask(
    request: Request, caller: Supporter, change: Change, dispute: Case, body: QuestionsIn
) -> Response:
    """What is open or answered stays; what timed out is asked once more (D1)."""
    rules = request.state.tenant.rules

    def decide(unit: Unit) -> dict[str, Any]:
        return disputing.ask_learner(unit, case=dispute, questions=body.questions, rules=rules)

    return await case_changed(request, caller, change, dispute, decide)


@router.post(
    "/disputes/{dispute}/answers", response_model=CaseChangedOut, summary="Answer what was asked"
)
async def answer(
    request: Request,
    caller: Annotated[Caller, allow(Role.LEARNER, Role.SERVICE, Role.SUPPORT)],
    change: Change,
    dispute: Case,
    body: AnswersIn,
) -> Response:
    """By the learner, or by staff who called them; late answers count while the case is open."""
    answers = [(one.question, one.answer, one.words) for one in body.answers]

    def decide(unit: Unit) -> dict[str, Any]:
        by = side_of(caller)
        return disputing.answer_questions(unit, case=dispute, answers=answers, by=by)

    return await case_changed(request, caller, change, dispute, decide)


@router.post(
    "/disputes/{dispute}/withdrawal", response_model=CaseChangedOut, summary="Take a case back"
)
async def withdraw(
    request: Request,
    caller: Annotated[Caller, allow(Role.LEARNER, Role.SERVICE)],
    change: Change,
    dispute: Case,
    body: WordsIn,
) -> Response:
    """The service window runs on; it may be reopened once (D1)."""

    def decide(unit: Unit) -> dict[str, Any]:
        return disputing.withdraw(unit, case=dispute, words=body.words)

    return await case_changed(request, caller, change, dispute, decide)


@router.post(
    "/disputes/{dispute}/reopening",
    response_model=CaseChangedOut,
    summary="Look at a case once more",
)
async def reopen(
    request: Request,
    caller: Annotated[Caller, allow(Role.LEARNER, Role.SERVICE, Role.SUPPORT)],
    change: Change,
    dispute: Case,
    body: ReopeningIn,
) -> Response:
    """Within the time for disputes: a learner once for a reason, staff as needed (D1, rules.md 27).

    One that gave something while units of it are due that nothing else is sent for (D4).
    """
    tenant = request.state.tenant
    async with tenant.pool.connection() as connection:
        row = visible_case(await disputes.case_row(connection, tenant.schema, dispute), caller)
    found = await gathered(request, row.order_number, row.parcel)

    def decide(unit: Unit) -> dict[str, Any]:
        return disputing.reopen(
            unit,
            case=dispute,
            by=side_of(caller),
            words=body.words,
            gathered=found,
            rules=tenant.rules,
            reason=body.reason,
        )

    return await case_changed(request, caller, change, dispute, decide)


def _wanted(body: CaseDecisionIn) -> deciding.Wanted:
    return deciding.Wanted(
        outcome=body.outcome,
        reason=body.reason,
        lines=None if body.lines is None else tuple((x.sku, x.quantity) for x in body.lines),
        points=body.points,
        message=None if body.message is None else Message(body.message.zh, body.message.en),
        unconfirmed_because=body.unconfirmed_because or "",
    )


@router.post(
    "/disputes/{dispute}/decision",
    response_model=CaseDecidedOut,
    responses=_PROPOSED,
    summary="Decide a case",
)
async def decide_case(
    request: Request, caller: Supporter, change: Change, dispute: Case, body: CaseDecisionIn
) -> Response:
    """What follows happens in the same commit; over the limit a second person decides (A8)."""
    rules = request.state.tenant.rules
    key = f"{caller.principal}:{change.key}"
    command = change.command(
        lambda unit: deciding.decide(
            unit,
            case=dispute,
            wanted=_wanted(body),
            maker=caller.subject,
            key=key,
            rules=rules,
        ),
        reason=body.reason,
        streams=[DISPUTE.stream(dispute)],
    )
    return asked(await store_of(request).execute(command))


@router.post(
    "/disputes/{dispute}/decision/preview",
    response_model=CaseActionOut,
    summary="What a decision would do, without effect",
)
async def preview(
    request: Request, caller: Supporter, dispute: Case, body: CaseDecisionIn
) -> Response:
    """Points to which lots, stock, message, or why not: by the decision itself (D6)."""
    rules = request.state.tenant.rules

    def decide(unit: Unit) -> dict[str, Any]:
        disputing.existing_case(unit, dispute)
        return possible.tried(unit, possible.decision(dispute, _wanted(body), rules=rules))

    question = Asked(request, caller, "preview", b"").question(
        decide, streams=[DISPUTE.stream(dispute)]
    )
    return answered(await store_of(request).execute(question))
