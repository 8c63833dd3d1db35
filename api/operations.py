"""运营 Operations: items, warehouses, stock, packing and hand-over (C1–C3, W1)."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from api.auth import Caller, Manager, Operator, Reader, Role, allow, store_of
from api.bodies_of_goods import (
    CountIn,
    HandOverIn,
    ItemIn,
    PackIn,
    ReceiptIn,
    RenumberIn,
    ScrapIn,
    SettleIn,
    TransferIn,
    WarehouseIn,
    WaybillIn,
)
from api.changing import Change, answered
from api.moments import moment_of_order, moment_of_parcel
from api.paths import ItemSku, ParcelNumber
from api.reading import (
    Cursor,
    Limit,
    MinPosition,
    decode_cursor,
    json_answer,
    page_of,
    wait_for,
)
from api.shown.after_changes import (
    CountedOut,
    HandedOverOut,
    ItemPutOut,
    LabelledOut,
    PackedOut,
    RenumberedOut,
    SettledOut,
    ShelfChangedOut,
    TransferredOut,
    WarehousePutOut,
)
from api.shown.goods import CallbackOut, ItemOut, ItemsOut, WarehousesOut
from application import shipping, stocking, watched_parcels
from application.renumbering import renumber_parcel
from application.screening import screen_past_the_waves
from application.streams import ITEM, MALL, NETWORK, ORDER, PARCEL, RATES, STOCK
from domain.catalogue import Kind, Terms
from domain.refusals import InvalidRequest, NotFound
from domain.stock import stock_key
from domain.warehouses import Warehouse
from projections import catalogue_queries, order_queries

router = APIRouter(prefix="/v1", tags=["operations"])

PAGE = 50


@router.post("/items", response_model=ItemPutOut, summary="List an item or revise it")
async def put_item(request: Request, caller: Operator, change: Change, body: ItemIn) -> Response:
    """An upsert by SKU; too heavy or too big for its value is refused with the reason (C1)."""
    if not any(letter.isalnum() for letter in body.name):
        raise InvalidRequest(field="name", reason="holds nothing that can be read")
    if (
        body.kind is Kind.PARCEL
        and body.weight_grams == 0
        and "weight_grams" in body.model_fields_set
    ):
        raise InvalidRequest(field="weight_grams", reason="goods weigh something")
    terms = Terms.model_validate(body.model_dump(exclude={"sku", "on_sale"}))
    rules = request.state.tenant.rules
    command = change.command(
        lambda unit: stocking.put_item(
            unit, sku=body.sku, terms=terms, on_sale=body.on_sale, rules=rules
        ),
        streams=[ITEM.stream(body.sku), NETWORK.stream(MALL), RATES.stream(MALL)],
    )
    return answered(await store_of(request).execute(command))


@router.get("/items", response_model=ItemsOut, summary="The catalogue")
async def items(
    request: Request,
    caller: Reader,
    q: Annotated[str | None, Query(max_length=100, description="in the name or the SKU")] = None,
    kind: Annotated[Kind | None, Query(description="of this kind alone")] = None,
    cursor: Cursor = None,
    limit: Limit = PAGE,
    min_position: MinPosition = None,
) -> Response:
    """What a learner may redeem, with availability; staff see items off sale, too."""
    await wait_for(request, min_position, "catalogue")
    after = decode_cursor(cursor, str)
    found = await _items(
        request, caller, text=q, kind=kind, after=after[0] if after else "", limit=limit + 1
    )
    page, more = page_of(found, limit, lambda one: (one["sku"],))
    return json_answer({"items": page, "next": more})


@router.get("/items/{sku}", response_model=ItemOut, summary="One item")
async def item(
    request: Request, caller: Reader, sku: ItemSku, min_position: MinPosition = None
) -> Response:
    """Name, specification, price, pictures and availability."""
    await wait_for(request, min_position, "catalogue")
    found = await _items(request, caller, sku=sku)
    if not found:
        raise NotFound(what="item")
    return json_answer(found[0])


async def _items(
    request: Request,
    caller: Caller,
    *,
    text: str | None = None,
    kind: str | None = None,
    after: str = "",
    limit: int = 1,
    sku: str | None = None,
) -> list[dict[str, Any]]:
    tenant = request.state.tenant
    learner = caller.role is Role.LEARNER
    async with tenant.pool.connection() as connection:
        found = await catalogue_queries.items(
            connection,
            tenant.schema,
            text=text,
            kind=kind,
            after=after,
            limit=limit,
            on_sale_only=learner,
            sku=sku,
        )
    for one in found:
        if learner:
            del one["stock"]
    return found


@router.post("/warehouses", response_model=WarehousePutOut, summary="Open a warehouse or revise it")
async def put_warehouse(
    request: Request, caller: Operator, change: Change, body: WarehouseIn
) -> Response:
    """An upsert by code (C2)."""
    warehouse = Warehouse.model_validate(body.model_dump())
    command = change.command(
        lambda unit: stocking.put_warehouse(unit, warehouse=warehouse),
        streams=[NETWORK.stream(MALL)],
    )
    return answered(await store_of(request).execute(command))


@router.get("/warehouses", response_model=WarehousesOut, summary="The warehouses")
async def warehouses(
    request: Request, caller: Operator, min_position: MinPosition = None
) -> Response:
    """All warehouses with their terms (C2)."""
    await wait_for(request, min_position, "catalogue")
    tenant = request.state.tenant
    async with tenant.pool.connection() as connection:
        found = await catalogue_queries.warehouses(connection, tenant.schema)
    return json_answer({"warehouses": found})


@router.post("/stock/receipts", response_model=ShelfChangedOut, summary="Goods arrived")
async def receive(request: Request, caller: Operator, change: Change, body: ReceiptIn) -> Response:
    """Free units from now on (C3)."""
    command = change.command(
        lambda unit: stocking.receive_stock(
            unit,
            sku=body.sku,
            warehouse=body.warehouse,
            quantity=body.quantity,
            reference=body.reference,
        ),
        streams=_stock_streams(body.warehouse, body.sku),
    )
    return answered(await store_of(request).execute(command))


@router.post("/stock/counts", response_model=CountedOut, summary="Compare a count with the books")
async def count(request: Request, caller: Operator, change: Change, body: CountIn) -> Response:
    """A difference becomes an adjustment with its reason (C3)."""
    command = change.command(
        lambda unit: stocking.count_stock(
            unit,
            sku=body.sku,
            warehouse=body.warehouse,
            counted=body.counted,
            source=body.source,
            reason=body.reason,
        ),
        reason=body.reason,
        streams=_stock_streams(body.warehouse, body.sku),
    )
    return answered(await store_of(request).execute(command))


@router.post("/stock/scrappings", response_model=ShelfChangedOut, summary="Throw free units away")
async def scrap(request: Request, caller: Operator, change: Change, body: ScrapIn) -> Response:
    """Never more than are free (C3)."""
    command = change.command(
        lambda unit: stocking.scrap_stock(
            unit,
            sku=body.sku,
            warehouse=body.warehouse,
            quantity=body.quantity,
            reason=body.reason,
        ),
        reason=body.reason,
        streams=_stock_streams(body.warehouse, body.sku),
    )
    return answered(await store_of(request).execute(command))


@router.post(
    "/stock/transfers",
    response_model=TransferredOut,
    summary="Send free units to another warehouse",
)
async def transfer(
    request: Request, caller: Operator, change: Change, body: TransferIn
) -> Response:
    """They are received there under the transfer's id (C3)."""
    command = change.command(
        lambda unit: stocking.transfer_stock(
            unit,
            sku=body.sku,
            from_warehouse=body.from_warehouse,
            to_warehouse=body.to_warehouse,
            quantity=body.quantity,
            transfer=change.key,
        ),
        streams=_stock_streams(body.from_warehouse, body.sku),
    )
    return answered(await store_of(request).execute(command))


def _stock_streams(warehouse: str, sku: str) -> list[str]:
    return [
        NETWORK.stream(MALL),
        ITEM.stream(sku),
        STOCK.stream(stock_key(warehouse, sku)),
    ]


@router.post(
    "/parcels", status_code=201, response_model=PackedOut, summary="Pack a part of an order"
)
async def pack(request: Request, caller: Operator, change: Change, body: PackIn) -> Response:
    """Its units are picked and in a parcel of their own (W1); an unusual order waits (O7)."""
    await screen_past_the_waves(request.state.tenant, body.order)
    command = change.command(
        lambda unit: shipping.pack_part(
            unit, order=body.order, part=body.part, weight_grams=body.weight_grams
        ),
        streams=[ORDER.stream(body.order)],
        happened_at=await moment_of_order(request, body.order, body.happened_at),
    )
    return answered(await store_of(request).execute(command), 201)


@router.post(
    "/parcels/{parcel}/waybill/correction",
    response_model=RenumberedOut,
    summary="Put the number of a parcel right that has left",
)
async def renumber(
    request: Request, caller: Operator, change: Change, parcel: ParcelNumber, body: RenumberIn
) -> Response:
    """Written down wrongly by hand: the right one is watched, the other one no longer counts."""
    command = change.command(
        lambda unit: renumber_parcel(
            unit, parcel=parcel, carrier=body.carrier, waybill=body.waybill, reason=body.reason
        ),
        reason=body.reason,
        streams=[PARCEL.stream(parcel)],
    )
    return answered(await store_of(request).execute(command))


@router.post(
    "/parcels/{parcel}/waybill",
    response_model=LabelledOut,
    summary="Put a carrier's number on a parcel",
)
async def waybill(
    request: Request, caller: Operator, change: Change, parcel: ParcelNumber, body: WaybillIn
) -> Response:
    """By hand; the answer has the address that the carrier's pushes are sent to.

    Another carrier than the one that was chosen is taken with a reason: without one the answer
    asks for it (`reason_wanted`), and sending the same label once more with it is enough (W4).
    """
    links = request.state.tenant.callback_links
    command = change.command(
        lambda unit: {
            **shipping.issue_waybill(
                unit,
                parcel=parcel,
                carrier=body.carrier,
                waybill=body.waybill,
                reason=body.reason or "",
            ),
            "callback_url": links.url(parcel),
        },
        reason=body.reason or "",
        streams=[PARCEL.stream(parcel)],
        happened_at=await moment_of_parcel(request, parcel, body.happened_at),
    )
    return answered(await store_of(request).execute(command))


@router.get(
    "/parcels/{parcel}/callback",
    response_model=CallbackOut,
    summary="Where a parcel's pushes are sent, and the salt",
)
async def callback(
    request: Request, caller: Annotated[Caller, allow(Role.ADMINISTRATOR)], parcel: ParcelNumber
) -> Response:
    """For subscribing by hand and for rehearsals (M3): who has the salt can sign as the carrier, so
    nobody who works with parcels is shown it."""
    tenant = request.state.tenant
    async with tenant.pool.connection() as connection:
        if not await order_queries.Asking(connection, tenant.schema).is_parcel(parcel):
            raise NotFound(what="parcel")
    links = tenant.callback_links
    body = {"parcel": parcel, "callback_url": links.url(parcel), "salt": links.salt(parcel)}
    return json_answer(body, headers={"Cache-Control": "no-store"})


@router.post(
    "/parcels/{parcel}/unreadable/settlement",
    response_model=SettledOut,
    summary="Note what became of pushes that could not be read",
)
async def settle_unreadable(
    request: Request, caller: Manager, change: Change, parcel: ParcelNumber, body: SettleIn
) -> Response:
    """They wait in `/v1/troubles` until then; what they are is seen by a reveal (M5)."""
    command = change.command(
        lambda unit: watched_parcels.settle_unreadable(unit, parcel=parcel),
        reason=body.reason,
        streams=[PARCEL.stream(parcel)],
    )
    return answered(await store_of(request).execute(command))


@router.post(
    "/parcels/{parcel}/handover",
    response_model=HandedOverOut,
    summary="Give a parcel to its carrier",
)
async def hand_over(
    request: Request, caller: Operator, change: Change, parcel: ParcelNumber, body: HandOverIn
) -> Response:
    """Pending receipt begins here (rules.md 2)."""
    rules = request.state.tenant.rules
    command = change.command(
        lambda unit: shipping.hand_over(unit, parcel=parcel, rules=rules),
        streams=[PARCEL.stream(parcel)],
        happened_at=await moment_of_parcel(request, parcel, body.happened_at),
    )
    return answered(await store_of(request).execute(command))
