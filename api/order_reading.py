"""订单查看 Orders as their readers may see them: one, and lists, now or as they once stood (A5)."""

from datetime import UTC, datetime
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Query, Request, Response
from psycopg import AsyncConnection

from api.auth import Caller, Reader, Role
from api.own_story import own_story
from api.paths import Number
from api.reading import (
    AsOf,
    Cursor,
    KnownAt,
    Limit,
    MinPosition,
    decode_cursor,
    encode_cursor,
    json_answer,
    page_of,
    position_known_at,
    wait_for,
    with_etag,
)
from api.seen_cases import NOW
from api.shown.lists import OrdersOut
from api.shown.orders import OrderSeenOut
from api.shown.to_support import OwnStoryOut
from application.single_handed import key_of
from application.streams import SINGLE_HANDED
from domain.disputes import Dispute
from domain.intercepts import Intercept
from domain.order_facts import State, customer_status
from domain.parcels import Parcel
from domain.refusals import InvalidRequest, NotFound
from domain.replacing import still_due
from domain.sent_again import due_of
from domain.single_handed import Before
from projections import order_queries
from projections.audit_queries import order_events, stream_events
from projections.disputes import cases_of_order
from projections.intercepts import intercepts_of, told_of
from projections.order_actions import dispute_of, intercept_of
from projections.order_answers import order_answer
from projections.order_queries import Listed, OrderRow
from projections.order_then import order_then
from projections.past_orders import Then, listed_then

router = APIRouter(prefix="/v1", tags=["orders"])

PAGE = 50


@router.get(
    "/orders/{number}",
    response_model=OrderSeenOut,
    responses={304: {"description": "The caller has it already (`If-None-Match`)"}},
    summary="An order as its reader may see it",
)
async def read(
    request: Request,
    caller: Reader,
    number: Number,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    min_position: MinPosition = None,
) -> Response:
    """Status, lines with progress, parts, parcels with scans, and what can be done now (D6).

    With `as_of` or `known_at`, as it stood then (A5); nothing can be done with the past.
    """
    if as_of or known_at:
        return await _read_then(request, caller, number, as_of=as_of, known_at=known_at)
    await wait_for(
        request,
        min_position,
        "order_status",
        "parcel_tracking",
        "disputes",
        "intercepts",
        "ledger_balance",
    )
    tenant = request.state.tenant
    async with tenant.pool.connection() as connection:
        asking = order_queries.Asking(connection, tenant.schema)
        row = visible(await asking.order(number), caller)
        parcels = await asking.parcels(number) if row.packed else []
        cases = await cases_of_order(connection, tenant.schema, number) if row.sent else []
        stopped = await intercepts_of(connection, tenant.schema, number) if row.sent else {}
        linked = await asking.linked(row.order) if row.sent or row.order.original else {}
        now, staff, alone = tenant.store.clock(), caller.role is not Role.LEARNER, Before()
        if staff and row.sent:
            alone = await _alone(connection, tenant.schema, caller, row.learner, now)
    known = {one.parcel: one.dispute for one in cases}
    order = row.order if parcels else None

    def disputable(parcel: str, box: Parcel) -> dict[str, Any]:
        assert order is not None  # there are parcels
        return dispute_of(
            number,
            order,
            parcel,
            box,
            case=known.get(parcel),
            asked=stopped.get(parcel, Intercept()),
            linked=linked,
            when=now,
            rules=tenant.rules,
        )

    def stopping(parcel: str, box: Parcel) -> dict[str, Any]:
        one = stopped.get(parcel, Intercept())
        mine = {content.part for content in box.carries if content.order == number}
        due = len(box.orders) > 1 or bool(still_due(row.order, linked, mine))
        if box.goods:
            case = known.get(parcel, Dispute())
            due = bool(due_of(box.goods, row.order, linked, case=case, asked=one))
        action = intercept_of(parcel, box, one=one, due=due, when=now, rules=tenant.rules)
        return {"intercept": told_of(one), "actions": {"intercept": action}}

    answer = order_answer(
        row,
        parcels,
        staff=staff,
        disputable=disputable,
        stopping=stopping,
        linked=linked,
        cases={one.id: one.dispute for one in cases},
        when=now,
        rules=tenant.rules,
        person=caller.subject if staff and caller.role is not Role.SERVICE else None,
        alone=alone,
    )
    return with_etag(request, answer)


async def _alone(
    connection: AsyncConnection[Any], schema: str, caller: Caller, learner: str, now: datetime
) -> Before:
    """What a reader moved alone before for the order's learner: it adds to a refund (A8)."""
    key = key_of(role=caller.role, subject=caller.subject, learner=learner)
    moved = SINGLE_HANDED.initial
    if key is not None:
        stream = SINGLE_HANDED.stream(key)
        for event in await stream_events(connection, schema, stream, known_at=NOW):
            moved = SINGLE_HANDED.evolve(moved, event.fact)
    return moved.before(now)


@router.get(
    "/orders/{number}/story",
    response_model=OwnStoryOut,
    summary="What became of an order's cases and returns, as its learner is told",
)
async def story(
    request: Request, caller: Reader, number: Number, min_position: MinPosition = None
) -> Response:
    """From what was said was wrong to the decision, from the wish to give back to its end (D1, D3).

    How the order itself goes on, and its parcels on their way out, is in the order's own answer.
    """
    await wait_for(request, min_position, "audit_trail", "order_status")
    tenant = request.state.tenant
    async with tenant.pool.connection() as connection:
        row = visible(await order_queries.Asking(connection, tenant.schema).order(number), caller)
        events = await order_events(connection, tenant.schema, number, known_at=NOW)
    entries = own_story(events, order=number, zone=tenant.rules.zone)
    position = max((one.position for one in events), default=row.position)
    return with_etag(request, {"order": number, "entries": entries, "position": position})


async def _read_then(
    request: Request,
    caller: Caller,
    number: str,
    *,
    as_of: datetime | None,
    known_at: datetime | None,
) -> Response:
    tenant = request.state.tenant
    known = await position_known_at(request, known_at)
    moment = as_of or datetime.now(UTC)
    async with tenant.pool.connection() as connection:
        now = await order_queries.Asking(connection, tenant.schema).order(number)
        visible(now, caller)  # who may not see it today may not see it as it was
        found = await order_then(connection, tenant.schema, number, as_of=moment, known_at=known)
    if found is None:
        raise NotFound(what="order")
    row, parcels, stopped = found
    answer = order_answer(
        visible(row, caller),
        parcels,
        staff=caller.role is not Role.LEARNER,
        disputable=lambda _number, _parcel: {"possible": False, "why": "", "why_zh": ""},
        stopping=lambda parcel, _box: {
            "intercept": told_of(stopped.get(parcel, Intercept())),
            "actions": {"intercept": {"possible": False, "why": "", "why_zh": ""}},
        },
        linked={},
        cases={},
        when=moment,
        rules=tenant.rules,
    )
    answer["parcels"] = [{**one, "actions": {}} for one in answer["parcels"]]
    return json_answer({**answer, "actions": {}})


def visible(row: OrderRow | None, caller: Caller) -> OrderRow:
    """The order, if this reader may see it; absent and somebody else's answer alike (A10)."""
    if row is None:
        raise NotFound(what="order")
    if caller.role is Role.LEARNER and (row.learner != caller.subject or row.state == "expired"):
        raise NotFound(what="order")
    return row


@router.get("/orders", response_model=OrdersOut, summary="Orders, newest first")
async def listed(
    request: Request,
    caller: Reader,
    learner: Annotated[
        str | None, Query(max_length=100, description="of this learner alone")
    ] = None,
    status: Annotated[
        str | None,
        Query(max_length=40, description="in this status alone; `completed` is received, too"),
    ] = None,
    cursor: Cursor = None,
    limit: Limit = PAGE,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    min_position: MinPosition = None,
) -> Response:
    """A page of orders; with `as_of` or `known_at`, the states they were in then (A5).

    A page of then may be short, or empty, where few were in that `status`: `next` leads on.
    """
    await wait_for(request, min_position, "order_status")
    staff = caller.role is not Role.LEARNER
    if not staff:
        if learner is not None:
            caller.must_be(learner)
        learner = caller.subject
    wanted = _Wanted(learner, _states(status), limit, staff)
    if as_of or known_at:
        return await _listed_then(request, wanted, cursor, as_of=as_of, known_at=known_at)
    before = decode_cursor(cursor, datetime, str)
    tenant = request.state.tenant
    async with tenant.pool.connection() as connection:
        found = await order_queries.Asking(connection, tenant.schema).listed(
            learner=learner,
            states=wanted.states,
            before=before,
            limit=limit + 1,
            hidden=wanted.hidden,
        )
    page, after = page_of(found, limit, lambda one: (one.placed_at, one.number))
    return json_answer({"orders": [listing(one, staff=staff) for one in page], "next": after})


class _Wanted(NamedTuple):
    """Which orders a list is of."""

    learner: str | None
    states: list[str] | None
    limit: int
    staff: bool

    @property
    def hidden(self) -> tuple[State, ...]:
        return () if self.staff else order_queries.HIDDEN_FROM_CUSTOMERS


async def _listed_then(
    request: Request,
    wanted: _Wanted,
    cursor: str | None,
    *,
    as_of: datetime | None,
    known_at: datetime | None,
) -> Response:
    before = decode_cursor(cursor, datetime, str, int, int)
    # Every page is of what was known when the first one was asked for.
    known = before[3] if before else await position_known_at(request, known_at)
    tenant = request.state.tenant
    async with tenant.pool.connection() as connection:
        page = await listed_then(
            connection,
            tenant.schema,
            Then(as_of or datetime.now(UTC), known),
            learner=wanted.learner,
            states=[one for one in wanted.states or State if one not in wanted.hidden],
            after=(before[0], before[1], before[2]) if before else None,
            limit=wanted.limit,
        )
    orders = [
        {
            "number": one.number,
            "learner": one.learner,
            "status": customer_status(one.state),
            **({"state": one.state} if wanted.staff else {}),
            "since": one.since,
        }
        for one in page.orders
    ]
    after = None if page.next is None else encode_cursor(*page.next, known)
    return json_answer({"orders": orders, "next": after, "position": known})


def _states(status: str | None) -> list[str] | None:
    """The states a customer's status stands for (rules.md 4)."""
    if status is None:
        return None
    if status not in set(State):
        raise InvalidRequest(field="status", reason="not a status of an order")
    return ["pending_end", "completed"] if status == "completed" else [status]


def listing(one: Listed, *, staff: bool) -> dict[str, Any]:
    """An order as lists show it."""
    return {
        "number": one.number,
        "learner": one.learner,
        "status": customer_status(one.state),
        **({"state": one.state} if staff else {}),
        "placed_at": one.placed_at,
        "points": one.points,
        "cash_fen": one.cash_fen,
        **one.contents(),
    }
