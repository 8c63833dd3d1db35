"""订单 Orders for learners and the services that act for them (O1–O8)."""

import hashlib
import secrets
from datetime import UTC, datetime
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request, Response
from pydantic_core import from_json

from api.auth import Asked, Caller, Role, allow, asked, store_of
from api.bodies import (
    CancellationIn,
    ChangeOut,
    LineIn,
    OrderIn,
    OrderOut,
    PaymentIn,
    PaymentOut,
    RecipientIn,
    RefundIn,
    UnitsIn,
)
from api.reading import (
    AsOf,
    Cursor,
    KnownAt,
    Limit,
    MinPosition,
    decode_cursor,
    encode_cursor,
    json_answer,
    position_known_at,
    wait_for,
    with_etag,
)
from api.shown import OrderSeenOut, OrdersOut
from application import ordering, redeeming
from application.gateways.payment import Charge
from application.outcomes import Outcome
from application.streams import MALL, NETWORK, ORDER
from application.unit import Unit
from application.vault import Recipient, phone_digest, phone_tail_digest
from domain.order_facts import State, customer_status
from domain.promising import NO_BACKLOG
from domain.refusals import InvalidRequest, NotFound, NotPossible
from domain.regions import province_named
from projections import order_queries
from projections.order_queries import Listed, OrderRow, order_answer

router = APIRouter(prefix="/v1", tags=["orders"])

Number = Annotated[str, Path(min_length=1, max_length=60, pattern=r"^[A-Za-z0-9-]+$")]
Customer = Annotated[Caller, allow(Role.LEARNER, Role.SERVICE)]
Reader = Annotated[Caller, allow(*Role)]
Decider = Annotated[Caller, allow(Role.SERVICE, Role.SUPPORT, Role.OPERATIONS, Role.ADMINISTRATOR)]
Change = Annotated[Asked, Depends(asked)]
STAFF_MAY_CANCEL = allow(Role.LEARNER, Role.SERVICE, Role.SUPPORT, Role.OPERATIONS)
PAGE = 50


def order_number(now: datetime) -> str:
    """A new order's number: the day, and enough chance that it is nobody else's."""
    return f"T{now:%y%m%d}{secrets.token_hex(6).upper()}"


def answered(outcome: Outcome, status: int = 200) -> Response:
    """A command's answer as it is kept, the same for every sending."""
    headers = {"Idempotent-Replay": "true"} if outcome.repeated else None
    return Response(outcome.answer, status, headers=headers, media_type="application/json")


def wish_of(request: Request, body: OrderIn) -> redeeming.Wish:
    """What is wanted, with the recipient's texts cleaned (M4)."""
    recipient = phone = tail = None
    if body.recipient is not None:
        recipient, phone, tail = recipient_of(request, body.recipient)
    return redeeming.Wish(
        learner=body.learner,
        lines=tuple(_wanted(line) for line in body.lines),
        recipient=recipient,
        channel=body.channel,
        phone_digest=phone,
        tail_digest=tail,
    )


def recipient_of(request: Request, body: RecipientIn) -> tuple[Recipient, bytes, bytes]:
    """A recipient with clean texts and the keyed digests a phone is found by (A4, M4)."""
    recipient = Recipient.cleaned(**body.model_dump())
    province = province_named(recipient.province or recipient.address)
    if province is not None and province != recipient.province:
        recipient = recipient.model_copy(update={"province": province})
    key = request.state.tenant.vault.lookup_key
    digits = [character for character in recipient.phone if character.isdecimal()]
    tail = phone_tail_digest(key, "".join(digits[-4:]))
    return recipient, phone_digest(key, recipient.phone), tail


def _wanted(line: LineIn) -> redeeming.Wanted:
    return redeeming.Wanted(line.sku, line.quantity, line.points_expected)


@router.post("/quotes", summary="What an order would cost, without effect")
async def quote(request: Request, caller: Customer, body: OrderIn) -> Response:
    """Every failing check, parts, promised time, points, cash, freight and paid upgrades (O6)."""
    caller.must_be(body.learner)
    store, rules = store_of(request), request.state.tenant.rules
    backlog = request.state.tenant.loads.waiting
    wish = wish_of(request, body)
    command = Asked(request, caller, "quote", b"").question(
        lambda unit: dict(redeeming.answer_quote(unit, wish, rules=rules, backlog=backlog)),
        streams=lambda: redeeming.streams_of(wish, store.peek(NETWORK, MALL)),
    )
    return answered(await store.execute(command))


@router.post(
    "/orders",
    status_code=201,
    response_model=OrderOut,
    summary="Redeem: points leave, stock is reserved, the order stands",
)
async def place(request: Request, caller: Customer, change: Change, body: OrderIn) -> Response:
    """One atomic commit, or nothing happens; refused with all failing checks (L2, O1)."""
    caller.must_be(body.learner)
    if caller.role is Role.LEARNER:
        await request.state.tenant.limits.take("orders", caller.principal)
    _only_services_say_when(caller, body.happened_at)
    store, rules = store_of(request), request.state.tenant.rules
    wish = wish_of(request, body)
    number = order_number(body.happened_at or store.clock())
    # What waits now says nothing of an order that was placed some time ago.
    backlog = NO_BACKLOG if body.happened_at else request.state.tenant.loads.waiting
    command = change.command(
        lambda unit: redeeming.place_order(unit, wish, number=number, rules=rules, backlog=backlog),
        streams=lambda: redeeming.streams_of(wish, store.peek(NETWORK, MALL)),
        subject=wish.learner if wish.recipient else None,
        happened_at=body.happened_at,
    )
    return answered(await store.execute(command), 201)


@router.get(
    "/orders/{number}",
    response_model=OrderSeenOut,
    responses={304: {"description": "The caller has it already (`If-None-Match`)"}},
    summary="An order as its reader may see it",
)
async def read(
    request: Request, caller: Reader, number: Number, min_position: MinPosition = None
) -> Response:
    """Status, lines with progress, parts, parcels with scans, and what can be done now (D6)."""
    await wait_for(request, min_position, "order_status", "parcel_tracking")
    tenant = request.state.tenant
    async with tenant.pool.connection() as connection:
        asking = order_queries.Asking(connection, tenant.schema)
        row = visible(await asking.order(number), caller)
        parcels = await asking.parcels(number) if row.packed else []
    return with_etag(request, order_answer(row, parcels, staff=caller.role is not Role.LEARNER))


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
    learner: Annotated[str | None, Query(max_length=100)] = None,
    status: Annotated[str | None, Query(max_length=40)] = None,
    cursor: Cursor = None,
    limit: Limit = PAGE,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    min_position: MinPosition = None,
) -> Response:
    """A page of orders; with `as_of` or `known_at`, the states they were in then (A5)."""
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
            before=(before[0], before[1]) if before else None,
            limit=limit + 1,
            hidden=wanted.hidden,
        )
    page = found[:limit]
    more = len(found) > limit
    after = encode_cursor(page[-1].placed_at, page[-1].number) if more else None
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
    before = decode_cursor(cursor, datetime, str, int)
    # Every page is of what was known when the first one was asked for.
    known = before[2] if before else await position_known_at(request, known_at)
    tenant = request.state.tenant
    async with tenant.pool.connection() as connection:
        found = await order_queries.Asking(connection, tenant.schema).listed_then(
            learner=wanted.learner,
            states=wanted.states,
            as_of=as_of or datetime.now(UTC),
            known_at=known,
            before=(before[0], before[1]) if before else None,
            limit=wanted.limit + 1,
            hidden=wanted.hidden,
        )
    page = found[: wanted.limit]
    more = len(found) > wanted.limit
    after = encode_cursor(page[-1].since, page[-1].number, known) if more else None
    orders = [
        {
            "number": one.number,
            "learner": one.learner,
            "status": customer_status(one.state),
            **({"state": one.state} if wanted.staff else {}),
            "since": one.since,
        }
        for one in page
    ]
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
    }


def _only_services_say_when(caller: Caller, happened_at: datetime | None) -> None:
    if happened_at is not None and caller.role is not Role.SERVICE:
        raise InvalidRequest(field="happened_at", reason="only services may say when")


def _units(lines: list[UnitsIn] | None) -> list[tuple[str, int]] | None:
    return None if lines is None else [(one.sku, one.quantity) for one in lines]


@router.post(
    "/orders/{number}/cancellation", response_model=ChangeOut, summary="Cancel before shipping"
)
async def cancel(
    request: Request,
    caller: Annotated[Caller, STAFF_MAY_CANCEL],
    change: Change,
    number: Number,
    body: CancellationIn,
) -> Response:
    """Units not handed over; points go back to their lots at once (O8; rules.md 5)."""
    _only_services_say_when(caller, body.happened_at)
    rules = request.state.tenant.rules

    def decide(unit: Unit) -> dict[str, Any]:
        caller_sees(unit, caller, number)
        return ordering.cancel_order(
            unit, number=number, wanted=_units(body.lines), reason=body.reason, rules=rules
        )

    command = change.command(
        decide,
        reason=body.reason,
        streams=[ORDER.stream(number)],
        happened_at=body.happened_at,
    )
    return answered(await store_of(request).execute(command))


@router.post("/orders/{number}/refunds", response_model=ChangeOut, summary="Refund after shipping")
async def refund(
    request: Request, caller: Decider, change: Change, number: Number, body: RefundIn
) -> Response:
    """A decision with its reason; points go back to their lots, never more than taken (D4)."""
    rules = request.state.tenant.rules
    command = change.command(
        lambda unit: ordering.refund_order(
            unit,
            number=number,
            wanted=_units(body.lines),
            fault=body.fault,
            reason=body.reason,
            goods_back=body.goods_back,
            rules=rules,
        ),
        reason=body.reason,
        streams=[ORDER.stream(number)],
        happened_at=body.happened_at,
    )
    return answered(await store_of(request).execute(command))


@router.post("/orders/{number}/payments", response_model=PaymentOut, summary="Pay the cash part")
async def pay(
    request: Request, caller: Customer, change: Change, number: Number, body: PaymentIn
) -> Response:
    """Start an attempt: `pay_url` is where to pay. A service may note a payment it took (O5)."""
    if body.amount_fen is not None or body.attempt is not None:
        return await _note_payment(request, caller, change, number, body)
    store, tenant = store_of(request), request.state.tenant
    # Derived from the key: the same request sent again is the same attempt at the provider.
    attempt = (
        f"{number}-{change.digest.hex()[:6]}{hashlib.sha256(change.key.encode()).hexdigest()[:6]}"
    )

    def payable(unit: Unit) -> dict[str, Any]:
        caller_sees(unit, caller, number)
        order = ordering.existing(unit, number)
        if order.state is not State.PENDING_PAYMENT:
            raise NotPossible(action="pay", why=f"the order is {order.state}")
        return {"number": number, "status": order.state, "fen": order.cash_fen}

    due = await store.execute(change.question(payable, streams=[ORDER.stream(number)]))
    charge = Charge(
        order=number,
        attempt=attempt,
        amount_fen=from_json(due.answer)["fen"],
        callback_url=tenant.callback_links.payment_url(number),
    )
    pay_url = await tenant.payments.charge(charge)
    started = {"number": number, "status": State.PENDING_PAYMENT, "attempt": attempt}
    command = change.command(lambda unit: {**started, "pay_url": pay_url})
    return answered(await store.execute(command))


async def _note_payment(
    request: Request, caller: Caller, change: Asked, number: str, body: PaymentIn
) -> Response:
    if caller.role is not Role.SERVICE:
        raise HTTPException(403, "Only services may note payments.")
    if body.amount_fen is None or body.attempt is None:
        raise InvalidRequest(field="attempt", reason="goes together with amount_fen")
    store, rules = store_of(request), request.state.tenant.rules
    payment = ordering.Payment(
        attempt=body.attempt,
        means=body.means,
        amount_fen=body.amount_fen,
        at=body.paid_at or store.clock(),
    )
    command = change.command(
        lambda unit: {
            **ordering.take_payment(unit, number=number, payment=payment, rules=rules),
            "attempt": payment.attempt,
        },
        streams=[ORDER.stream(number)],
        happened_at=body.paid_at,
    )
    return answered(await store.execute(command))


@router.post("/orders/{number}/address", response_model=ChangeOut, summary="Change the address")
async def change_address(
    request: Request,
    caller: Annotated[Caller, STAFF_MAY_CANCEL],
    change: Change,
    number: Number,
    body: RecipientIn,
) -> Response:
    """Before hand-over, within the province the plan was made for (O8)."""
    recipient, phone, tail = recipient_of(request, body)

    def decide(unit: Unit) -> dict[str, Any]:
        caller_sees(unit, caller, number)
        return ordering.change_address(
            unit, number=number, recipient=recipient, phone_digest=phone, tail_digest=tail
        )

    command = change.command(decide, streams=[ORDER.stream(number)])
    return answered(await store_of(request).execute(command))


def caller_sees(unit: Unit, caller: Caller, number: str) -> None:
    """Refuse a learner who names somebody else's order, as if there were none (A10)."""
    order = ordering.existing(unit, number)
    if caller.role is Role.LEARNER and order.learner != caller.subject:
        raise NotFound(what="order")
