"""订单 Orders for learners and the services that act for them (O1–O8)."""

import hashlib
import secrets
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Request, Response
from pydantic_core import from_json

from api.auth import Asked, Caller, Chooser, Role, allow, store_of
from api.bodies import (
    CancellationIn,
    LineIn,
    OrderIn,
    PaymentIn,
    RecipientIn,
    RefundIn,
    UnitsIn,
)
from api.changing import Change, again, answered, asked
from api.moments import dated_back, long_ago, moment_of_order, only_services_say_when
from api.own_words import said_by
from api.paths import Number
from api.shown.after_account_changes import ASKED
from api.shown.after_changes import ChangeOut, OrderOut, PaymentOut, QuoteOut
from api.shown.cases import CaseActionOut
from application import intercepting, ordering, possible, readdressing, redeeming
from application.addressing import Addressed, addressed
from application.answers import kept_answer
from application.cleaning import Unusable
from application.gateways.payment import Charge
from application.recipients import Digests, Recipient
from application.refund_chain import stop_order
from application.refunding import refund_at_order
from application.streams import MALL, NETWORK, ORDER
from application.traffic import payments_of
from application.unit import Command, Unit
from domain.order_facts import State
from domain.order_fold import OUTSIDE
from domain.orders import Order
from domain.past_balances import LeftSince
from domain.promising import NO_BACKLOG
from domain.refusals import InvalidRequest, NotFound, NotPossible, Refusal
from domain.replacing import must_not_lose

router = APIRouter(prefix="/v1", tags=["orders"])

Customer = Annotated[Caller, allow(Role.LEARNER, Role.SERVICE)]
Decider = Annotated[Caller, allow(Role.SERVICE, Role.SUPPORT, Role.OPERATIONS, Role.ADMINISTRATOR)]


def order_number(now: datetime) -> str:
    """A new order's number: the day, and enough chance that it is nobody else's."""
    return f"T{now:%y%m%d}{secrets.token_hex(6).upper()}"


def wish_of(request: Request, body: OrderIn) -> redeeming.Wish:
    """What is wanted, with the recipient's texts cleaned (M4)."""
    wish = redeeming.Wish(
        learner=body.learner,
        lines=tuple(_wanted(line) for line in body.lines),
        recipient=None,
        channel=body.channel,
        external_number=body.external_number,
        upgrade=body.upgrade,
        freight_expected_fen=body.freight_expected_fen,
    )
    if body.recipient is None:
        return wish
    try:
        found, digests = recipient_of(request, body.recipient)
    except Unusable as unusable:
        raise unusable.inside("recipient") from None
    return wish._replace(
        recipient=found.recipient,
        digests=digests,
        doubts=found.doubts,
        candidates=found.candidates,
    )


def recipient_of(request: Request, body: RecipientIn) -> tuple[Addressed, Digests]:
    """A recipient, clean and with her place settled, and what they are found by (A4, M4)."""
    found = addressed(Recipient.cleaned(**body.model_dump()))
    return found, found.recipient.digests(request.state.tenant.vault.lookup_key)


def _wanted(line: LineIn) -> redeeming.Wanted:
    return redeeming.Wanted(line.sku, line.quantity, line.points_expected)


@router.post("/quotes", response_model=QuoteOut, summary="What an order would cost, without effect")
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
    """One atomic commit, or nothing happens; refused with all failing checks (L2, O1).

    One that a service dates back is paid with points that were there by then (rules.md 19).
    """
    caller.must_be(body.learner)
    if caller.role is Role.LEARNER:
        await request.state.tenant.limits.take("orders", caller.principal)
    only_services_say_when(caller, body.happened_at)
    if body.channel in OUTSIDE and caller.role is not Role.SERVICE:
        raise InvalidRequest(field="channel", reason="only services take orders from outside")
    if body.external_number is not None and body.channel not in OUTSIDE:
        raise InvalidRequest(
            field="external_number", reason="only orders from outside have another number"
        )
    store, rules = store_of(request), request.state.tenant.rules
    wish = wish_of(request, body)
    at = long_ago(body.happened_at, now=store.clock())
    number = order_number((at or store.clock()).astimezone(rules.zone))
    # What waits now says nothing of an order that was placed some time ago.
    backlog = NO_BACKLOG if at else request.state.tenant.loads.waiting

    def command(left: LeftSince | None = None) -> Command:
        return change.command(
            lambda unit: redeeming.place_order(
                unit, wish, number=number, rules=rules, backlog=backlog, left=left
            ),
            streams=lambda: redeeming.streams_of(wish, store.peek(NETWORK, MALL)),
            subject=wish.learner if wish.recipient else None,
            happened_at=at,
        )

    if at is None:
        return answered(await store.execute(command()), 201)
    return answered(await dated_back(request, command, wish.learner, at), 201)


def _cancelling(order: Order) -> Callable[..., dict[str, Any]]:
    """What replaces other units cost nothing: the originals of what is cancelled pay back (D4)."""
    return ordering.cancel_order if order.original is None else stop_order


def _units(lines: list[UnitsIn] | None) -> list[tuple[str, int]] | None:
    return None if lines is None else [(one.sku, one.quantity) for one in lines]


@router.post(
    "/orders/{number}/cancellation", response_model=ChangeOut, summary="Cancel before shipping"
)
async def cancel(
    request: Request,
    caller: Chooser,
    change: Change,
    number: Number,
    body: CancellationIn,
) -> Response:
    """Units not handed over; points go back to their lots at once (O8; rules.md 5).

    Once all of it is with its carriers, they are asked to bring it back instead: `intercepts`.
    What a third party's warehouse has is cancelled once that acknowledges: `cancelling`.
    """
    only_services_say_when(caller, body.happened_at)
    rules = request.state.tenant.rules
    said = said_by(caller, body.reason)

    def decide(unit: Unit) -> dict[str, Any]:
        caller_sees(unit, caller, number)
        order = ordering.existing(unit, number)
        said.note(unit, number)
        if caller.role is Role.LEARNER:
            must_not_lose(order)
        if body.lines is None and intercepting.comes_too_late(order):
            return intercepting.intercept_order(
                unit, number=number, reason=said.reason, rules=rules
            )
        return _cancelling(order)(
            unit, number=number, wanted=_units(body.lines), reason=said.reason, rules=rules
        )

    command = change.command(
        decide,
        reason=said.reason,
        streams=[ORDER.stream(number)],
        happened_at=await moment_of_order(request, number, body.happened_at),
    )
    return answered(await store_of(request).execute(command))


@router.post(
    "/orders/{number}/cancellation/preview",
    response_model=CaseActionOut,
    summary="What cancelling would do, without effect",
)
async def preview_cancellation(
    request: Request, caller: Chooser, number: Number, body: CancellationIn
) -> Response:
    """Points to which lots, cash and stock, or why not: by the cancellation itself (D6)."""
    only_services_say_when(caller, body.happened_at)
    rules = request.state.tenant.rules

    def decide(unit: Unit) -> dict[str, Any]:
        caller_sees(unit, caller, number)
        order = ordering.existing(unit, number)

        def cancelled(trial: Unit) -> dict[str, Any]:
            if caller.role is Role.LEARNER:
                must_not_lose(order)
            if body.lines is None and intercepting.comes_too_late(order):
                return intercepting.intercept_order(
                    trial, number=number, reason=body.reason, rules=rules
                )
            return _cancelling(order)(
                trial, number=number, wanted=_units(body.lines), reason=body.reason, rules=rules
            )

        return possible.tried(unit, cancelled)

    question = Asked(request, caller, "preview", b"").question(
        decide, streams=[ORDER.stream(number)]
    )
    return answered(await store_of(request).execute(question))


@router.post(
    "/orders/{number}/refunds",
    response_model=ChangeOut,
    responses=ASKED,
    summary="Refund after shipping",
)
async def refund(
    request: Request, caller: Decider, change: Change, number: Number, body: RefundIn
) -> Response:
    """A decision with its reason; points go back to their lots, never more than taken (D4).

    What a carrier is at fault for is claimed of it in the same commit, once a parcel (D2). What
    somebody gives on their word alone takes a second person over the limit: asked for (202), and
    refunded once they allow it (A8).
    """
    rules = request.state.tenant.rules
    command = change.command(
        lambda unit: refund_at_order(
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
        happened_at=await moment_of_order(request, number, body.happened_at),
    )
    return asked(await store_of(request).execute(command))


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

    async with tenant.pool.connection() as connection:
        kept = await kept_answer(
            connection,
            tenant.schema,
            principal=caller.principal,
            key=change.key,
            digest=change.digest,
        )
    if kept is not None:
        return answered(await again(store, change))  # the provider is not asked again
    streams = [ORDER.stream(number)]
    try:
        due = await store.execute(change.question(payable, streams=streams))
    except Refusal as refusal:
        return answered(await store.execute(change.command(partial(_refuse, refusal))))
    charge = Charge(
        order=number,
        attempt=attempt,
        amount_fen=from_json(due.answer)["fen"],
        callback_url=tenant.callback_links.payment_url(number),
    )
    pay_url = await (await payments_of(tenant, number)).charge(charge)
    started = {"number": number, "status": State.PENDING_PAYMENT, "attempt": attempt}
    command = change.command(lambda unit: {**started, "pay_url": pay_url})
    return answered(await store.execute(command))


def _refuse(refusal: Refusal, _: Unit) -> dict[str, Any]:
    """A decision that was made already, so that it is kept under the caller's key."""
    raise refusal


async def _note_payment(
    request: Request, caller: Caller, change: Asked, number: str, body: PaymentIn
) -> Response:
    if caller.role is not Role.SERVICE:
        raise HTTPException(403, "Only services may note payments.")
    if body.amount_fen is None or body.attempt is None:
        raise InvalidRequest(field="attempt", reason="goes together with amount_fen")
    store, rules = store_of(request), request.state.tenant.rules
    paid_at = await moment_of_order(request, number, body.paid_at, field="paid_at")
    payment = ordering.Payment(
        attempt=body.attempt,
        means=body.means,
        amount_fen=body.amount_fen,
        at=paid_at or store.clock(),
    )
    command = change.command(
        lambda unit: {
            **ordering.take_payment(unit, number=number, payment=payment, rules=rules),
            "attempt": payment.attempt,
        },
        streams=[ORDER.stream(number)],
        happened_at=paid_at,
    )
    return answered(await store.execute(command))


@router.post("/orders/{number}/address", response_model=ChangeOut, summary="Change the address")
async def change_address(
    request: Request,
    caller: Chooser,
    change: Change,
    number: Number,
    body: RecipientIn,
) -> Response:
    """Before hand-over; in another province all is planned anew, or refused with the reasons (O8).

    Once all of it is with its carriers, they are asked to take it there: `intercepts`.
    """
    found, digests = recipient_of(request, body)
    rules, backlog = request.state.tenant.rules, request.state.tenant.loads.waiting

    def decide(unit: Unit) -> dict[str, Any]:
        caller_sees(unit, caller, number)
        if intercepting.comes_too_late(ordering.existing(unit, number)):
            return intercepting.intercept_order(
                unit, number=number, reason="address", rules=rules, found=found, digests=digests
            )
        return readdressing.change_address(
            unit, number=number, found=found, digests=digests, rules=rules, backlog=backlog
        )

    command = change.command(decide, streams=[ORDER.stream(number)])
    return answered(await store_of(request).execute(command))


def caller_sees(unit: Unit, caller: Caller, number: str) -> None:
    """Refuse a learner who names somebody else's order, as if there were none (A10)."""
    order = ordering.existing(unit, number)
    hidden = order.learner != caller.subject or order.state is State.EXPIRED  # (rules.md 4)
    if caller.role is Role.LEARNER and hidden:
        raise NotFound(what="order")
