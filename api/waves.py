"""波次 Waves over HTTP: what the next ones hold, what the latest did, release by hand (S5)."""

import hashlib
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field

from api.auth import Operator, store_of
from api.bodies import Body, Id
from api.changing import Change, answered
from api.fulfilment import Code, Desk
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
from api.shown.waves import NextWavesOut, WaitingOrdersOut, WaveRunOut, WavesOut
from application.waves import run_wave
from domain.promising import wave_after
from projections import waves

router = APIRouter(prefix="/v1", tags=["fulfilment"])

PAGE = 50


class WaveIn(Body):
    """Release what waits in a warehouse now, or these orders alone, past the cut-off."""

    model_config = example(warehouse="zhejiang")
    warehouse: Code
    orders: list[Id] | None = Field(
        default=None,
        min_length=1,
        max_length=1_000,
        description="numbers of urgent orders; without them, everything that waits there",
    )


@router.get("/waves", response_model=WavesOut, summary="The latest waves")
async def list_waves(
    request: Request,
    caller: Desk,
    warehouse: Annotated[Code | None, Query(description="of one warehouse")] = None,
    limit: Limit = PAGE,
    min_position: MinPosition = None,
) -> Response:
    """Newest first, with what each released, merged and sent to review (S5)."""
    await wait_for(request, min_position, "waves")
    tenant = request.state.tenant
    async with tenant.pool.connection() as connection:
        found = await waves.waves(connection, tenant.schema, warehouse=warehouse, limit=limit)
    return json_answer({"waves": found})


@router.get(
    "/waves/next", response_model=NextWavesOut, summary="What waits for each warehouse's next wave"
)
async def next_waves(request: Request, caller: Desk, min_position: MinPosition = None) -> Response:
    """When it comes, how many orders it holds, and how many a human has to look at first (S5)."""
    await wait_for(request, min_position, "order_status", "catalogue")
    tenant = request.state.tenant
    async with tenant.pool.connection() as connection:
        found = await waves.waiting_by_warehouse(connection, tenant.schema)
    now = store_of(request).clock()
    for one in found:
        one["cut_off"] = wave_after(now, one["cut_off"], tenant.rules.zone)
    return json_answer({"warehouses": found})


@router.get(
    "/waves/next/{warehouse}",
    response_model=WaitingOrdersOut,
    summary="The orders that wait for a warehouse's next wave",
)
async def next_wave(
    request: Request,
    caller: Desk,
    warehouse: Annotated[Code, Path()],
    cursor: Cursor = None,
    limit: Limit = PAGE,
    min_position: MinPosition = None,
) -> Response:
    """Oldest first; those in review are left out of it until a human lets them go (S5, O7)."""
    await wait_for(request, min_position, "order_status")
    after = decode_cursor(cursor, datetime, str)
    tenant = request.state.tenant
    async with tenant.pool.connection() as connection:
        found = await waves.waiting_orders(
            connection,
            tenant.schema,
            warehouse=warehouse,
            after=after,
            limit=limit + 1,
        )
    page, more = page_of(found, limit, lambda one: (one["placed_at"], one["number"]))
    return json_answer({"warehouse": warehouse, "orders": page, "next": more})


@router.post("/waves", response_model=WaveRunOut, summary="Release by hand, before the cut-off")
async def release(
    request: Request,
    caller: Operator,
    change: Change,
    body: WaveIn,
    min_position: MinPosition = None,
) -> Response:
    """Everything that waits in a warehouse, or urgent orders alone; merged by recipient (S4, S5).

    Of orders that are named, each of which nothing was released is answered with the reason.
    Sent again under its key, it is the same wave: what it released stays, and is told again.
    """
    await wait_for(request, min_position, "order_status")
    store = store_of(request)
    own = hashlib.sha256(f"{caller.principal}:{change.key}".encode()).hexdigest()[:8]
    ran = await run_wave(
        request.state.tenant,
        body.warehouse,
        wave=f"{body.warehouse}-{own}",
        cut_off=None,
        actor=caller.principal,
        orders=body.orders,
    )
    told = {**ran._asdict(), "left": [one._asdict() for one in ran.left]}
    command = change.command(lambda unit: told)
    return answered(await store.execute(command))
