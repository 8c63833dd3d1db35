"""盘差 Differences between a third party's stock and the books: seen and settled (C3, W2)."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from api.auth import Caller, Operator, Role, allow, store_of
from api.bodies import Body, Id, Sku, Whole, Why
from api.changing import Change, answered
from api.reading import Cursor, Limit, MinPosition, decode_cursor, json_answer, page_of, wait_for
from api.shown.fields import example
from api.shown.third_parties import DifferenceSettledOut, StockDifferencesOut
from application import comparing
from application.streams import ITEM, MALL, NETWORK, STOCK, STOCKTAKE
from domain.stock import stock_key
from projections.stock_differences import stock_differences

router = APIRouter(prefix="/v1/stock", tags=["third parties"])

Reader = Annotated[Caller, allow(Role.SUPPORT, Role.OPERATIONS, Role.AUDITOR, Role.ADMINISTRATOR)]
PAGE = 50


class SettledIn(Body):
    """What a difference is: they are right, and the books follow, or the books are."""

    model_config = example(
        warehouse="shaanxi",
        sku="enamel-mug",
        difference=-12,
        decision="book",
        reason="a box fell off the shelf, they sent a picture",
    )
    warehouse: Id = Field(description="its code")
    sku: Sku = Field(description="of the item, as the third party writes it")
    difference: Whole = Field(
        ge=-1_000_000_000, le=1_000_000_000, description="the one that was seen: another is refused"
    )
    decision: Literal["book", "dismiss"] = Field(
        description="book: the books follow; dismiss: they stand, and all of it is for sale again"
    )
    reason: Why


@router.get(
    "/differences",
    response_model=StockDifferencesOut,
    summary="What third parties counted otherwise than the books say",
)
async def listed(
    request: Request,
    caller: Reader,
    all: Annotated[bool, Query(description="settled ones, too")] = False,  # noqa: A002
    cursor: Cursor = None,
    limit: Limit = PAGE,
    min_position: MinPosition = None,
) -> Response:
    """Oldest first: theirs, ours, the difference, and what may explain it (C3, W2)."""
    await wait_for(
        request, min_position, "stock_differences", "catalogue", "consignments", "parcel_tracking"
    )
    tenant = request.state.tenant
    async with tenant.pool.connection() as connection:
        found = await stock_differences(
            connection,
            tenant.schema,
            settled=all,
            after=decode_cursor(cursor, datetime, str, str),
            limit=limit + 1,
        )
    page, more = page_of(found, limit, lambda one: (one["since"], one["warehouse"], one["sku"]))
    now = store_of(request).clock()
    for one in page:
        one["age_seconds"] = max(0, int((now - one["since"]).total_seconds()))
    return json_answer({"differences": page, "next": more})


@router.post(
    "/differences",
    response_model=DifferenceSettledOut,
    summary="Settle a difference to a third party's stock",
)
async def settle(request: Request, caller: Operator, change: Change, body: SettledIn) -> Response:
    """An adjustment with a reason, or none, with a reason; once a difference (C3, W2).

    What nobody ever sent there is for sale from here on; it has to be in the catalogue by then.
    """

    def decide(unit: Any) -> dict[str, Any]:
        return comparing.settle(
            unit,
            warehouse=body.warehouse,
            sku=body.sku,
            difference=body.difference,
            book=body.decision == "book",
            reason=body.reason,
        )

    streams = [
        STOCKTAKE.stream(body.warehouse),
        STOCK.stream(stock_key(body.warehouse, body.sku)),
        ITEM.stream(body.sku),
        NETWORK.stream(MALL),
    ]
    command = change.command(decide, reason=body.reason, streams=streams)
    return answered(await store_of(request).execute(command))
