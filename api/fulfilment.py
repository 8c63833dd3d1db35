"""履约 The house's own work on parcels: merging, picking, packing, addresses (S4, W1)."""

import hashlib
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field, StringConstraints

from api.auth import Caller, Operator, Role, allow, store_of
from api.bodies import Body, Grams, HappenedAt, Whole, Why, Words
from api.changing import Change, answered
from api.moments import moment_of_parcel
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
from api.shown.in_house import (
    AcknowledgedOut,
    MergedOut,
    PackedUpOut,
    ParcelSeenOut,
    ParcelsInHouseOut,
    PickedOut,
    PickListOut,
    PickListSeenOut,
    PickListsOut,
    PutBackOut,
    SeparatedOut,
    ToPutBackOut,
)
from application import merging, putting_back, releasing
from application.streams import PARCEL
from application.unit import Unit
from application.waves import one_recipient
from domain.refusals import NotFound
from projections import work_queues
from projections.order_answers import tracked

router = APIRouter(prefix="/v1", tags=["fulfilment"])

ParcelId = Annotated[
    str, StringConstraints(min_length=1, max_length=80, pattern=r"^[A-Za-z0-9-]+$")
]
PickListId = Annotated[
    str, Path(pattern=r"^L[0-9a-f]{1,40}$", description="the pick list's number")
]
Desk = Annotated[
    Caller, allow(Role.SERVICE, Role.SUPPORT, Role.OPERATIONS, Role.AUDITOR, Role.ADMINISTRATOR)
]
Code = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$"),
    Field(description="the warehouse's code"),
]
PAGE = 50
LISTED_MAX = 200
"""Parcels on one pick list."""
PICK_LIST = 30
"""Parcels on a pick list, unless somebody says otherwise."""


class PickListIn(Body):
    """Put the parcels that are due soonest on a list, or these."""

    model_config = example(warehouse="zhejiang", limit=30)
    warehouse: Code
    parcels: list[ParcelId] | None = Field(
        default=None,
        min_length=1,
        max_length=LISTED_MAX,
        description="these; else those due soonest",
    )
    limit: Whole = Field(default=PICK_LIST, ge=1, le=LISTED_MAX, description="parcels on the list")


class PickedIn(Body):
    """All units of the parcel were found."""

    model_config = example()
    happened_at: HappenedAt = None


class PackedIn(Body):
    """The parcel as it was weighed."""

    model_config = example(weight_grams=900)
    weight_grams: Grams = Field(description="of the closed parcel")
    happened_at: HappenedAt = None


class PutBackIn(Body):
    """What was cancelled lies on its shelf again."""

    model_config = example(weight_grams=600)
    weight_grams: Grams | None = Field(
        default=None, description="of the parcel without them, if it was closed already"
    )
    sent: bool = Field(
        default=False, description="they are not: the parcel has left with them in it"
    )
    carrier: str | None = Field(
        default=None,
        pattern=r"^[a-z0-9]{2,40}$",
        description="who has a parcel that was given up, if the house does not know",
    )
    waybill: str | None = Field(
        default=None, pattern=r"^[A-Za-z0-9-]{6,32}$", description="the number that is on it"
    )


class MergeIn(Body):
    """Parcels of one learner, warehouse and recipient that are to travel as one."""

    model_config = example(
        parcels=["T261103A1B2C3D4E5F6-P1", "T261103B1B2C3D4E5F6-P1"], reason="one trip"
    )
    parcels: list[ParcelId] = Field(
        min_length=2, max_length=20, description="parcels that nobody picks yet"
    )
    reason: Why


class SeparateIn(Body):
    """Why the orders in a parcel are to travel apart."""

    model_config = example(reason="the learner asked for it")
    reason: Why


class AcknowledgeIn(Body):
    """Who has the parcel and knows its new address."""

    model_config = example(by="zhejiang, second shift")
    by: Words = Field(description="the warehouse or the third party that has the parcel")


@router.get(
    "/parcels", response_model=ParcelsInHouseOut, summary="Parcels that are still in the house"
)
async def parcels(
    request: Request,
    caller: Desk,
    warehouse: Annotated[Code | None, Query(description="of one warehouse")] = None,
    stage: Annotated[
        Literal["planned", "picking", "picked", "packed"] | None,
        Query(description="how far they are"),
    ] = None,
    late: Annotated[bool, Query(description="those alone whose service level is over")] = False,
    shared: Annotated[bool, Query(description="those alone that several orders are in")] = False,
    cursor: Cursor = None,
    limit: Limit = PAGE,
    min_position: MinPosition = None,
) -> Response:
    """Soonest due first; with `late`, those whose service level is over (W1)."""
    await wait_for(request, min_position, "parcel_tracking", "order_status")
    after = decode_cursor(cursor, datetime, str)
    tenant = request.state.tenant
    async with tenant.pool.connection() as connection:
        found = await work_queues.parcels(
            connection,
            tenant.schema,
            warehouse=warehouse,
            stage=stage,
            shared=shared,
            late_at=store_of(request).clock() if late else None,
            after=after,
            limit=limit + 1,
        )
    page, more = page_of(
        found,
        limit,
        lambda one: (one["hand_over_by"] or work_queues.NO_DEADLINE, one["number"]),
    )
    return json_answer({"parcels": page, "next": more})


@router.get("/parcels/{parcel}", response_model=ParcelSeenOut, summary="One parcel")
async def one_parcel(
    request: Request, caller: Desk, parcel: ParcelNumber, min_position: MinPosition = None
) -> Response:
    """Which orders are in it, how far it is, and its scans (S4)."""
    await wait_for(request, min_position, "parcel_tracking")
    tenant = request.state.tenant
    async with tenant.pool.connection() as connection:
        found = await work_queues.parcel(connection, tenant.schema, parcel)
    if found is None:
        raise NotFound(what="parcel")
    state, position = found
    seen = tracked(state)
    return json_answer(
        {
            "number": parcel,
            "warehouse": state.warehouse,
            "stage": state.stage,
            "wave": state.wave,
            "hand_over_by": state.hand_over_by,
            "carrier": state.carrier,
            "waybill": state.waybill,
            "contents": [content.model_dump() for content in state.contents],
            "state": seen["state"],
            "since": seen["since"],
            "arrival": seen["arrival"],
            "appointment": seen["appointment"],
            "delay": seen["delay"],
            "legs": seen.get("legs"),
            "scans": seen["scans"],
            "proofs": [
                {"card": one.card, "digest": one.digest, "media_type": one.media_type}
                for one in state.proofs
            ],
            "position": position,
        }
    )


@router.post("/pick-lists", response_model=PickListOut, summary="Draw a pick list")
async def draw(request: Request, caller: Operator, change: Change, body: PickListIn) -> Response:
    """The parcels due soonest, with what to take for each; merges stay from here (W1, S4)."""
    tenant = request.state.tenant
    chosen = body.parcels
    if chosen is None:
        async with tenant.pool.connection() as connection:
            chosen = await work_queues.to_pick(
                connection, tenant.schema, warehouse=body.warehouse, limit=body.limit
            )
    named = hashlib.sha256(f"{caller.principal}:{change.key}".encode()).hexdigest()[:8]
    command = change.command(
        lambda unit: releasing.start_picking(
            unit, warehouse=body.warehouse, parcels=chosen, pick_list=f"L{named}"
        ),
        streams=[PARCEL.stream(number) for number in chosen],
    )
    return answered(await store_of(request).execute(command))


@router.get("/pick-lists", response_model=PickListsOut, summary="Pick lists under way")
async def drawn(
    request: Request,
    caller: Desk,
    warehouse: Annotated[Code | None, Query(description="of one warehouse")] = None,
    min_position: MinPosition = None,
) -> Response:
    """Those with parcels that were not picked yet, soonest due first (W1)."""
    await wait_for(request, min_position, "parcel_tracking")
    tenant = request.state.tenant
    async with tenant.pool.connection() as connection:
        found = await work_queues.pick_lists(connection, tenant.schema, warehouse=warehouse)
    return json_answer({"pick_lists": found})


@router.get("/pick-lists/{pick_list}", response_model=PickListSeenOut, summary="One pick list")
async def one_list(
    request: Request, caller: Desk, pick_list: PickListId, min_position: MinPosition = None
) -> Response:
    """Its parcels as they are now, with what to take for each; gone once all have left (W1)."""
    await wait_for(request, min_position, "parcel_tracking", "order_status")
    return json_answer(await listed(request, pick_list))


async def listed(request: Request, pick_list: str) -> dict[str, Any]:
    """A pick list as it is now; raises `NotFound`."""
    tenant = request.state.tenant
    async with tenant.pool.connection() as connection:
        found = await work_queues.parcels(
            connection, tenant.schema, pick_list=pick_list, limit=LISTED_MAX
        )
    if not found:
        raise NotFound(what="pick_list")
    return {"pick_list": pick_list, "warehouse": found[0]["warehouse"], "parcels": found}


@router.post(
    "/parcels/{parcel}/picking",
    response_model=PickedOut,
    summary="Everything in a parcel was picked",
)
async def picked(
    request: Request, caller: Operator, change: Change, parcel: ParcelNumber, body: PickedIn
) -> Response:
    """Its units left their shelves; `POST /v1/parcels/shortages` says what was not found (W1)."""
    command = change.command(
        lambda unit: releasing.pick_parcel(unit, parcel=parcel),
        streams=[PARCEL.stream(parcel)],
        happened_at=await moment_of_parcel(request, parcel, body.happened_at),
    )
    return answered(await store_of(request).execute(command))


@router.post(
    "/parcels/{parcel}/packing",
    response_model=PackedUpOut,
    summary="A picked parcel was closed and weighed",
)
async def packed(
    request: Request, caller: Operator, change: Change, parcel: ParcelNumber, body: PackedIn
) -> Response:
    """What was cancelled after picking is not in it (W1)."""
    command = change.command(
        lambda unit: releasing.pack_parcel(unit, parcel=parcel, weight_grams=body.weight_grams),
        streams=[PARCEL.stream(parcel)],
        happened_at=await moment_of_parcel(request, parcel, body.happened_at),
    )
    return answered(await store_of(request).execute(command))


@router.get(
    "/put-backs", response_model=ToPutBackOut, summary="Units that go back to their shelves"
)
async def put_backs(
    request: Request,
    caller: Desk,
    warehouse: Annotated[Code | None, Query(description="of one warehouse")] = None,
    min_position: MinPosition = None,
) -> Response:
    """What was cancelled after it was picked, the longest first: at most 200 parcels (W1)."""
    await wait_for(request, min_position, "parcel_tracking", "order_status")
    tenant = request.state.tenant
    async with tenant.pool.connection() as connection:
        found = await work_queues.to_put_back(
            connection, tenant.schema, warehouse=warehouse, limit=LISTED_MAX
        )
    return json_answer({"parcels": found})


@router.post(
    "/parcels/{parcel}/put-back",
    response_model=PutBackOut,
    summary="Cancelled units are on their shelf again",
)
async def put_back(
    request: Request, caller: Operator, change: Change, parcel: ParcelNumber, body: PutBackIn
) -> Response:
    """A parcel that was closed with them in it is weighed anew, and may leave (rules.md 5).

    One that had left with them is known to orders and books, and is called back if all of it was
    cancelled (D4).
    """
    rules = request.state.tenant.rules
    label = (body.carrier, body.waybill) if body.carrier and body.waybill else None

    def decide(unit: Unit) -> dict[str, Any]:
        if body.sent:
            return putting_back.have_left(unit, parcel=parcel, label=label, rules=rules)
        return putting_back.are_back(unit, parcel=parcel, weight_grams=body.weight_grams)

    command = change.command(decide, streams=[PARCEL.stream(parcel)])
    return answered(await store_of(request).execute(command))


@router.post("/parcels/merges", response_model=MergedOut, summary="Let parcels travel as one")
async def merge(request: Request, caller: Operator, change: Change, body: MergeIn) -> Response:
    """Of one learner, warehouse and recipient, before picking starts (S4)."""
    tenant = request.state.tenant
    cards = await one_recipient(tenant, body.parcels)
    command = change.command(
        lambda unit: merging.merge_parcels(
            unit, parcels=body.parcels, cards=cards, reason=body.reason, rules=tenant.rules
        ),
        reason=body.reason,
        streams=[PARCEL.stream(number) for number in body.parcels],
    )
    return answered(await store_of(request).execute(command))


@router.post("/parcels/{parcel}/separation", response_model=SeparatedOut, summary="Undo a merge")
async def separate(
    request: Request, caller: Operator, change: Change, parcel: ParcelNumber, body: SeparateIn
) -> Response:
    """Every order travels alone again, until picking starts (S4)."""
    rules = request.state.tenant.rules
    command = change.command(
        lambda unit: merging.separate_parcel(unit, parcel=parcel, reason=body.reason, rules=rules),
        reason=body.reason,
        streams=[PARCEL.stream(parcel)],
    )
    return answered(await store_of(request).execute(command))


@router.post(
    "/parcels/{parcel}/address-acknowledgement",
    response_model=AcknowledgedOut,
    summary="The new address of a parcel is known",
)
async def acknowledge(
    request: Request, caller: Operator, change: Change, parcel: ParcelNumber, body: AcknowledgeIn
) -> Response:
    """By whoever has it, on its label, too; until then it is not handed over (rules.md 29)."""
    command = change.command(
        lambda unit: releasing.acknowledge_address(unit, parcel=parcel, by=body.by),
        streams=[PARCEL.stream(parcel)],
    )
    return answered(await store_of(request).execute(command))
