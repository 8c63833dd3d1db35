"""拦截 Stopping parcels over HTTP: called back, sent elsewhere, goods in the house again (O8)."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from api.auth import Caller, Chooser, Operator, Role, allow, store_of
from api.bodies import Body, Id, ItemSku, RecipientIn, Whole, Why
from api.changing import Change, answered
from api.orders import recipient_of
from api.own_words import said_by
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
from api.shown.fields import example
from api.shown.intercepts import GoodsBackOut, InterceptAskedOut, InterceptsOut
from application import intercepting, taking_back
from application.merging import existing_parcel
from application.streams import INTERCEPT, ORDER, PARCEL
from application.unit import Unit
from domain.order_facts import Fault
from domain.refusals import NotFound
from projections import intercepts

router = APIRouter(prefix="/v1", tags=["intercepts"])

Reader = Annotated[Caller, allow(Role.SUPPORT, Role.OPERATIONS, Role.AUDITOR, Role.ADMINISTRATOR)]
Desk = Annotated[Caller, allow(Role.SUPPORT, Role.OPERATIONS, Role.ADMINISTRATOR)]
PAGE = 50
_RECIPIENT = {
    "name": "林小满", "phone": "13800138000", "province": "浙江省", "city": "杭州市",
    "district": "西湖区", "address": "中山路 9 号 101",
}  # fmt: skip


class InterceptIn(Body):
    """A parcel that is to come back, or with a recipient, to go there."""

    model_config = example(orders=["T261103A1B2C3D4E5F6"], reason="changed my mind")
    orders: list[Id] = Field(
        min_length=1,
        max_length=20,
        description="all orders that are in the parcel: none is called back unasked (rules.md 27)",
    )
    reason: Why
    recipient: RecipientIn | None = Field(
        default=None, description="where it is to go instead; without it, it is to come back"
    )


class SaidIn(Body):
    """What somebody heard of the carrier."""

    model_config = example(taken=True, reason="called their desk in Hangzhou")
    taken: bool = Field(description="whether it takes the request")
    reason: Why


class AgainIn(Body):
    """Why the carrier is asked once more, or no longer."""

    model_config = example(reason="their desk in Hangzhou says to send it once more")
    reason: Why


class BrokenIn(Body):
    """Units of an item that nobody can sell again."""

    sku: ItemSku
    quantity: Annotated[Whole, Field(ge=1, le=10_000, description="units")]


class GoodsBackIn(Body):
    """What came back."""

    model_config = example(
        intact=False, scrap=[{"sku": "enamel-mug", "quantity": 1}], reason="one has a crack"
    )
    intact: bool = Field(description="whether all of them go back on their shelf")
    scrap: Annotated[list[BrokenIn], Field(max_length=200)] | None = Field(
        default=None,
        description="units to be thrown away; without it: none of intact goods, all of others",
    )
    in_hand: bool = Field(
        default=False,
        description="the parcel is in the house, though neither its track says so nor anybody asked"
        " for it",
    )
    fault: Fault = Field(
        default=Fault.CHANGED_MIND,
        description="who paid freight gets it back, too, unless they changed their mind",
    )
    refund: bool = Field(
        default=False,
        description="refused goods of a return that came back: they are paid back after all (D3)",
    )
    send_again: bool = Field(
        default=False,
        description="refused goods of a return that came back: they leave again, in their own"
        " parcel (D3)",
    )
    reason: Why


@router.post(
    "/parcels/{parcel}/interception",
    response_model=InterceptAskedOut,
    summary="Have a parcel stopped that its carrier has",
)
async def intercept(
    request: Request, caller: Chooser, change: Change, parcel: ParcelNumber, body: InterceptIn
) -> Response:
    """Asked of the carrier a moment later; what became of it is seen on the track (O8).

    What it cost is paid back once the goods are in the house again, or by a decision (rules.md 3).
    """
    rules = request.state.tenant.rules
    found, digests = (
        recipient_of(request, body.recipient) if body.recipient is not None else (None, None)
    )

    said = said_by(caller, body.reason)

    def decide(unit: Unit) -> dict[str, Any]:
        _must_be_theirs(unit, caller, parcel)
        box = existing_parcel(unit, parcel)
        if box.contents:
            said.note(unit, box.contents[0].order)
        return intercepting.intercept_parcel(
            unit,
            parcel=parcel,
            orders=body.orders,
            reason=said.reason,
            rules=rules,
            found=found,
            digests=digests,
        )

    return await _recorded(request, change, parcel, decide, reason=said.reason)


@router.post(
    "/parcels/{parcel}/interception/word",
    response_model=InterceptAskedOut,
    summary="What the carrier said by phone",
)
async def said(
    request: Request, caller: Desk, change: Change, parcel: ParcelNumber, body: SaidIn
) -> Response:
    """Yes, also after a refusal or a silence: its track is waited for anew; or no (O8)."""
    rules = request.state.tenant.rules
    decide = partial(intercepting.note_said, parcel=parcel, taken=body.taken, rules=rules)
    return await _recorded(request, change, parcel, decide, reason=body.reason)


@router.post(
    "/parcels/{parcel}/interception/again",
    response_model=InterceptAskedOut,
    summary="Ask the carrier for the same once more",
)
async def again(
    request: Request, caller: Desk, change: Change, parcel: ParcelNumber, body: AgainIn
) -> Response:
    """Of a parcel that was not stopped and is still under way: back, or to the same place (O8)."""
    rules = request.state.tenant.rules
    decide = partial(intercepting.ask_again, parcel=parcel, reason=body.reason, rules=rules)
    return await _recorded(request, change, parcel, decide, reason=body.reason)


@router.post(
    "/parcels/{parcel}/interception/end",
    response_model=InterceptAskedOut,
    summary="Let a parcel go on that was not stopped",
)
async def end(
    request: Request, caller: Desk, change: Change, parcel: ParcelNumber, body: AgainIn
) -> Response:
    """It is its learner's: the order goes on as its track says, and nothing is paid back (O8).

    If its carrier brings it back after all, its goods are waited for again.
    """
    decide = partial(intercepting.give_up, parcel=parcel)
    return await _recorded(request, change, parcel, decide, reason=body.reason)


async def _recorded(
    request: Request,
    change: Change,
    parcel: str,
    decide: Callable[[Unit], dict[str, Any]],
    *,
    reason: str,
) -> Response:
    """What is decided about a parcel's interception, with the streams that it looks at."""
    streams = [PARCEL.stream(parcel), INTERCEPT.stream(parcel)]
    command = change.command(decide, reason=reason, streams=streams)
    return answered(await store_of(request).execute(command))


@router.post(
    "/parcels/{parcel}/goods-back",
    response_model=GoodsBackOut,
    summary="The goods of a parcel that came back are in the house again",
)
async def goods_back(
    request: Request, caller: Operator, change: Change, parcel: ParcelNumber, body: GoodsBackIn
) -> Response:
    """Inspected and paid back, once; intact ones are free on their shelf again (rules.md 3).

    Whether the parcel was called back, or its carrier brings it back by itself.
    What a decision had paid back before is taken in alike, and pays nothing more (D4). Goods of a
    return that were refused lie here, undecided, until a case, a `refund`, or until they are to
    `send_again` (D3).
    """
    rules = request.state.tenant.rules
    scrap = [(one.sku, one.quantity) for one in body.scrap or ()]
    command = change.command(
        lambda unit: taking_back.take_back(
            unit,
            parcel=parcel,
            intact=body.intact,
            reason=body.reason,
            rules=rules,
            scrap=scrap,
            in_hand=body.in_hand,
            refund=body.refund,
            send_again=body.send_again,
            fault=body.fault,
        ),
        reason=body.reason,
        streams=[PARCEL.stream(parcel), INTERCEPT.stream(parcel)],
    )
    return answered(await store_of(request).execute(command))


@router.get("/intercepts", response_model=InterceptsOut, summary="Parcels that are to be stopped")
async def listed(
    request: Request,
    caller: Reader,
    all: Annotated[bool, Query(description="those that are over, too")] = False,  # noqa: A002
    cursor: Cursor = None,
    limit: Limit = PAGE,
    min_position: MinPosition = None,
) -> Response:
    """Longest first: what carriers owe word of, what failed, what comes back (O8)."""
    await wait_for(request, min_position, "intercepts", "parcel_tracking")
    after = decode_cursor(cursor, datetime, str)
    tenant = request.state.tenant
    async with tenant.pool.connection() as connection:
        found = await intercepts.intercepts(
            connection,
            tenant.schema,
            closed=all,
            after=after,
            limit=limit + 1,
        )
    page, more = page_of(found, limit, lambda one: (one["asked_at"], one["parcel"]))
    now = store_of(request).clock()
    for one in page:
        one["age_seconds"] = int((now - one["asked_at"]).total_seconds())
    return json_answer({"intercepts": page, "next": more})


def _must_be_theirs(unit: Unit, caller: Caller, parcel: str) -> None:
    """Somebody else's parcel and none answer alike (A10)."""
    if caller.role is not Role.LEARNER:
        return
    box = existing_parcel(unit, parcel)
    for number in box.orders:
        if unit.read(ORDER, number).learner != caller.subject:
            raise NotFound(what="parcel")
