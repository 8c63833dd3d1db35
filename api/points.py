"""积分 Points over HTTP: grants, claw-backs, balances, statements, accounts (L1–L6)."""

import hashlib
from datetime import datetime
from functools import partial
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic_core import from_json, to_json

from api.auth import Operator, Reader, Role, store_of
from api.bodies import AdjustmentIn, ClawbackIn, GrantIn, GrantsIn, LearnerIn
from api.changing import Change, again, answered, asked
from api.moments import dated_back, long_ago, moment_of_debit
from api.paths import Learner
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
from api.shown.after_account_changes import (
    ASKED,
    AdjustedOut,
    ClawedBackOut,
    GrantsOut,
    LearnerOut,
)
from api.shown.points import BalanceOut, StatementOut
from application import by_hand, granting, privacy
from application.answers import kept_answer
from application.approval_requests import approval_id
from application.granting import Grant, grant_command, granted_to
from application.outcomes import KeyReused, Outcome
from application.streams import ACCOUNT, PRIVACY
from application.unit import Command
from domain.approvals import ApprovalRequested, Kind
from domain.lots import lot_id
from domain.past_balances import LeftSince
from domain.refusals import InvalidRequest, NotFound, Refusal
from projections.granted import granted_as
from projections.ledger_queries import Asking

router = APIRouter(prefix="/v1", tags=["points"])

PAGE = 50


@router.post("/points/grants", response_model=GrantsOut, summary="Grant points, each row once")
async def grant(request: Request, caller: Operator, change: Change, body: GrantsIn) -> Response:
    """Up to 10,000 grants; the same grant sent twice is one grant, whoever sends it (L1)."""
    store = store_of(request)
    async with request.state.tenant.pool.connection() as connection:
        kept = await kept_answer(
            connection,
            store.schema,
            principal=caller.principal,
            key=change.key,
            digest=change.digest,
        )
    if kept is not None:
        return answered(await again(store, change))
    await request.state.tenant.limits.take("grants", caller.principal)
    context = change.context()
    rules = request.state.tenant.rules
    asks = hashlib.sha256(f"{caller.principal}\0{change.key}\0".encode() + change.digest)
    rows = [f"{asks.hexdigest()[:16]}#{number}" for number in range(len(body.grants))]
    outcomes = await store.execute_all(
        [
            grant_command(_grant(row), context, rules=rules, row=own)
            for row, own in zip(body.grants, rows, strict=True)
        ]
    )
    results = [
        _row(row, out, own) for row, out, own in zip(body.grants, outcomes, rows, strict=True)
    ]
    # The whole answer is kept under the request's key; its rows were committed on their own.
    return answered(await store.execute(change.command(lambda unit: {"results": results})))


def _grant(row: GrantIn) -> Grant:
    return Grant(
        learner=row.learner,
        points=row.points,
        reason=row.reason,
        source=row.source,
        happened_at=row.happened_at,
        expires_at=row.expires_at,
        carried_over=row.carried_over,
    )


def _row(row: GrantIn, outcome: Outcome | Refusal, own: str) -> dict[str, Any]:
    if isinstance(outcome, Outcome):
        status = "granted" if granted_to(own, outcome) else "duplicate"
        return {"source": row.source, "status": status}
    code = "grant_conflict" if isinstance(outcome, KeyReused) else outcome.code
    return {"source": row.source, "status": "refused", "code": code}


@router.post(
    "/points/clawbacks",
    response_model=ClawedBackOut,
    responses=ASKED,
    summary="Take a mistaken grant back",
)
async def claw_back(
    request: Request, caller: Operator, change: Change, body: ClawbackIn
) -> Response:
    """Also when it is spent: what is missing is a visible debt (L5; rules.md 17)."""
    store, rules = store_of(request), request.state.tenant.rules
    lot = lot_id(body.reason, body.source)
    async with request.state.tenant.pool.connection() as connection:
        asked_before = await kept_answer(
            connection,
            store.schema,
            principal=caller.principal,
            key=change.key,
            digest=change.digest,
        )
        made = await granted_as(connection, store.schema, learner=body.learner, lot=lot)
    if asked_before is not None:
        return asked(await again(store, change))
    if made is None:
        raise granting.GrantUnknown()
    wanted = ApprovalRequested(
        kind=Kind.CLAWBACK,
        learner=body.learner,
        points=made.points,
        subject=lot,
        maker=caller.subject,
        reason=body.why,
    )
    own = f"{caller.principal}:{change.key}"
    at = moment_of_debit(caller, body.happened_at, granted_at=made.happened_at)
    at = long_ago(at, now=store.clock())

    def command(left: LeftSince | None = None) -> Command:
        return by_hand.clawback_command(
            wanted,
            context=change.context(body.why),
            happened_at=at,
            rules=rules,
            row=own,
            left=left,
        )

    try:
        if at is None:
            return _clawed_back(await store.execute(command()), own)
        return _clawed_back(await dated_back(request, command, body.learner, at), own)
    except granting.ApprovalNeeded:
        asking = change.command(partial(by_hand.ask_for_clawback, wanted=wanted), reason=body.why)
        return asked(await store.execute(asking))


def _clawed_back(outcome: Outcome, own: str) -> Response:
    """What became of a claw-back; asked for again, it was taken just once."""
    told = from_json(outcome.answer)
    again = told.pop("row", None) != own and outcome.repeated
    again = again or told.get("status") == "duplicate"
    status = "duplicate" if again else "clawed_back"
    debt = None if again else told["debt"]  # what was owed then says nothing of today
    return answered(outcome._replace(answer=to_json({**told, "debt": debt, "status": status})))


@router.post(
    "/points/adjustments",
    response_model=AdjustedOut,
    responses=ASKED,
    summary="Add or take points by hand",
)
async def adjust(
    request: Request, caller: Operator, change: Change, body: AdjustmentIn
) -> Response:
    """With actor and reason; over the limit a second person approves (L5, A8)."""
    wanted = ApprovalRequested(
        kind=Kind.ADJUSTMENT,
        learner=body.learner,
        points=body.points,
        subject=body.source,
        maker=caller.subject,
        reason=body.why,
    )
    approval = approval_id(wanted, f"{caller.principal}:{change.key}")
    command = change.command(
        partial(by_hand.adjust, wanted=wanted, approval=approval, rules=request.state.tenant.rules),
        reason=body.why,
        streams=[ACCOUNT.stream(body.learner)],
    )
    return asked(await store_of(request).execute(command))


@router.put(
    "/learners/{learner:path}",
    response_model=LearnerOut,
    summary="Register, freeze, unfreeze, mark as a minor",
)
async def put_learner(
    request: Request, caller: Operator, change: Change, learner: Learner, body: LearnerIn
) -> Response:
    """A learner is also known from the first grant on (contract.md).

    `minor` says that they are under age: staff see their data only after a second person allowed
    it (A9).
    """
    if body.minor is False and caller.role is not Role.SERVICE:
        raise InvalidRequest(field="minor", reason="only the platform says that somebody is of age")
    command = change.command(
        lambda unit: privacy.put_learner(
            unit, learner=learner, status=body.status, minor=body.minor, reason=body.reason
        ),
        reason=body.reason,
        streams=[ACCOUNT.stream(learner), PRIVACY.stream(learner)],
    )
    return answered(await store_of(request).execute(command))


@router.get(
    "/learners/{learner:path}/balance", response_model=BalanceOut, summary="Points now or then"
)
async def balance(
    request: Request,
    caller: Reader,
    learner: Learner,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    min_position: MinPosition = None,
) -> Response:
    """Available, held, debt and what expires; at any past moment, too (L6, A5).

    To themselves, learners are known before their first grant: they have nothing yet.
    """
    caller.must_be(learner)
    own = caller.role is Role.LEARNER
    await wait_for(request, min_position, "ledger_balance")
    tenant = request.state.tenant
    then = as_of or known_at
    known = await position_known_at(request, known_at) if then else 0
    async with tenant.pool.connection() as connection:
        asking = Asking(connection, tenant.schema)
        if then is None:
            found = await asking.balance(learner, now=tenant.store.clock(), rules=tenant.rules)
            if found is None and own:
                found = await asking.nothing_yet(learner)
        elif own or await asking.knows(learner):
            found = await asking.balance_then(
                learner, as_of=then, known_at=known, rules=tenant.rules
            )
        else:
            found = None
    if found is None:
        raise NotFound(what="learner")
    return json_answer(found._asdict())


@router.get(
    "/learners/{learner:path}/statement",
    response_model=StatementOut,
    summary="Entries with running balance",
)
async def statement(
    request: Request,
    caller: Reader,
    learner: Learner,
    cursor: Cursor = None,
    limit: Limit = PAGE,
    min_position: MinPosition = None,
) -> Response:
    """Newest first, in pages (L6)."""
    caller.must_be(learner)
    await wait_for(request, min_position, "ledger_balance")
    tenant = request.state.tenant
    before = decode_cursor(cursor, datetime, int)
    async with tenant.pool.connection() as connection:
        asking = Asking(connection, tenant.schema)
        entries = await asking.statement(learner, before=before, limit=limit + 1)
        own = caller.role is Role.LEARNER
        if not entries and not own and not await asking.knows(learner):
            raise NotFound(what="learner")
    page, after = page_of(entries, limit, lambda one: (one["happened_at"], one["position"]))
    return json_answer({"learner": learner, "entries": page, "next": after})
