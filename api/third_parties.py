"""第三方仓 Third parties' warehouses: what they tell, and what waits for them (W2, C3)."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field, TypeAdapter, ValidationError

from api.auth import Caller, Operator, Role, allow, check_text, store_of
from api.bodies import Body, Id, ItemSku, Whole, Why
from api.callbacks import Key, forged, raw_body
from api.changing import Change, answered
from api.paths import ParcelNumber
from api.problems import invalid
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
from api.shown.third_parties import AskedAgainOut, ConsignmentsOut, StraysSettledOut, TakenInOut
from application import comparing, consigning, strays
from application.gateways import tracking
from application.gateways.third_party import (
    CountMessage,
    Message,
    ParcelMessage,
    verify,
)
from application.pushing_consignments import TRAFFIC_OF, told_command
from application.settings import Settings
from application.streams import CONSIGNMENT, ORDER, PARCEL
from application.traffic import Switching, way_gone
from domain.entrusting import Fate
from projections import consignments

router = APIRouter(prefix="/v1", tags=["third parties"])

Reader = Annotated[Caller, allow(Role.SUPPORT, Role.OPERATIONS, Role.AUDITOR, Role.ADMINISTRATOR)]
PAGE = 50
PARTNER = "third-party"
_MESSAGES: TypeAdapter[ParcelMessage | CountMessage] = TypeAdapter(Message)
_TOLD = {
    "application/json": {
        "schema": _MESSAGES.json_schema(),
        "example": {
            "type": "parcel.shipped",
            "timestamp": "2026-11-03T08:15:30Z",
            "data": {
                "parcel": "T261103A1B2C3D4E5F6-P1",
                "revision": 1,
                "units": [{"sku": "notebook", "quantity": 1}],
                "weight_grams": 640,
                "carrier": "shunfeng",
                "waybill": "SF1000000000001",
            },
        },
    }
}


class AskAgainIn(Body):
    """Why a third party is asked once more."""

    model_config = example(reason="they said on the phone that they are back")
    reason: Why


class StrayIn(Body):
    """Units of an item, and what became of them."""

    sku: ItemSku
    quantity: Annotated[Whole, Field(ge=1, le=10_000, description="units")]
    fate: Fate = Field(description="restock and scrap: they are in the house again")


class StraysIn(Body):
    """What became of an order's cancelled units that were in a parcel."""

    model_config = example(
        order="T261103A1B2C3D4E5F6",
        goods=[{"sku": "enamel-mug", "quantity": 1, "fate": "given_up"}],
        reason="not worth its way back",
    )
    order: Id = Field(description="whose units they are")
    goods: list[StrayIn] = Field(min_length=1, max_length=200, description="each unit once")
    reason: Why


@router.post(
    "/callbacks/third-party/{key}",
    response_model=TakenInOut,
    openapi_extra={"requestBody": {"required": True, "content": _TOLD}},
    summary="A third party's warehouse tells of a parcel, or what it has on its shelves",
)
async def told(request: Request, key: Key) -> Response:
    """Signed as Standard Webhooks are; answered once it is stored, kept as it came (W2).

    What says no more than is known changes nothing, so repetitions and other orders are harmless.
    """
    tenant = request.state.tenant
    link = tenant.callback_links.parcel_of(key)
    if link is None or link[0] not in tenant.settings.third_parties:
        return forged(PARTNER)
    warehouse, body, now = link[0], await raw_body(request), store_of(request).clock()
    try:
        name, real = _signer(tenant.settings, warehouse, body, request.headers, now=now)
    except tracking.ForgedPush:
        return forged(PARTNER)
    check_text(body)
    try:
        message = _MESSAGES.validate_json(body)
    except ValidationError as error:
        return invalid(error.errors(include_input=False, include_url=False))
    if not await _speaks(tenant, message, real=real):
        return forged(PARTNER)
    if isinstance(message, CountMessage):
        command = await comparing.compare_command(
            tenant, warehouse, message, raw=body, name=name, now=now
        )
    else:
        command = told_command(warehouse, message, raw=body, key=f"told:{name}", now=now)
    return answered(await store_of(request).execute(command))


def _signer(
    settings: Settings, warehouse: str, body: bytes, headers: Mapping[str, str], *, now: datetime
) -> tuple[str, bool]:
    """The message's name, and whether the warehouse signed it, or the sandbox in its place (M3)."""
    ways = [(settings, True)]
    if TRAFFIC_OF in settings.rehearsal:
        ways.append((settings.rehearsed(TRAFFIC_OF), False))
    for one, real in ways:
        with suppress(tracking.ForgedPush):
            known = one.third_parties[warehouse].secrets
            return verify(body, headers, secrets=known, now=now), real
    raise tracking.ForgedPush("nobody's signature fits")


async def _speaks(tenant: Switching, message: CountMessage | ParcelMessage, *, real: bool) -> bool:
    """Whether this is for them to tell: the sandbox has parcels of its own, and no shelves."""
    if isinstance(message, CountMessage):
        return real
    return (await way_gone(tenant, TRAFFIC_OF, message.data.parcel)).real is real


@router.get(
    "/consignments",
    response_model=ConsignmentsOut,
    summary="Parcels that third parties' warehouses send",
)
async def listed(
    request: Request,
    caller: Reader,
    all: Annotated[bool, Query(description="those that left, too")] = False,  # noqa: A002
    cursor: Cursor = None,
    limit: Limit = PAGE,
    min_position: MinPosition = None,
) -> Response:
    """Longest first: what was asked, how often, what they told, what keeps it (W2)."""
    await wait_for(request, min_position, "consignments", "parcel_tracking", "intercepts", "strays")
    after = decode_cursor(cursor, datetime, str)
    tenant = request.state.tenant
    async with tenant.pool.connection() as connection:
        found = await consignments.consignments(
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
    return json_answer({"consignments": page, "next": more})


@router.post(
    "/parcels/{parcel}/strays",
    response_model=StraysSettledOut,
    summary="What became of cancelled units that were sent all the same",
)
async def settle_strays(
    request: Request, caller: Operator, change: Change, parcel: ParcelNumber, body: StraysIn
) -> Response:
    """Back and sold again, back and scrapped, or given up; nothing is paid again (W2, C3, D4).

    All units of one order at once. A parcel that is called back is taken in with its other goods.
    """
    goods = [strays.Became(one.sku, one.quantity, one.fate) for one in body.goods]

    def decide(unit: Any) -> dict[str, Any]:
        return strays.settle(
            unit, parcel=parcel, number=body.order, goods=goods, reason=body.reason
        )

    command = change.command(
        decide, reason=body.reason, streams=[PARCEL.stream(parcel), ORDER.stream(body.order)]
    )
    return answered(await store_of(request).execute(command))


@router.post(
    "/consignments/{parcel}/push",
    response_model=AskedAgainOut,
    summary="Ask a third party's warehouse once more",
)
async def ask_again(
    request: Request,
    caller: Operator,
    change: Change,
    parcel: Annotated[ParcelNumber, Path()],
    body: AskAgainIn,
) -> Response:
    """Under a new revision and at once, after a refusal or while no answer came (W2)."""

    def decide(unit: Any) -> dict[str, Any]:
        return consigning.ask_again(unit, parcel=parcel, reason=body.reason)

    command = change.command(decide, reason=body.reason, streams=[CONSIGNMENT.stream(parcel)])
    return answered(await store_of(request).execute(command))
