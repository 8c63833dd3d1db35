"""成本 What sending orders cost, over HTTP: by warehouse, carrier, channel and order (W6)."""

from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from api.auth import STAFF, Caller, allow
from api.reading import MinPosition, json_answer, wait_for
from api.shown.fields import Position, example
from domain.costs import By, Costs, together
from domain.days import Day
from domain.refusals import InvalidRequest
from projections.costs import Costing, known_upto

router = APIRouter(prefix="/v1/costs", tags=["costs"])

VIEWS = ("part_costs", "bills", "returns")
DAYS = 30
DAYS_MAX = 366
SHOWN_MAX = 200

_COSTS = {
    "key": "zhongtong",
    "orders": 380,
    "parcels": 388,
    "parts": 391,
    "billed": 388,
    "rerouted": 2,
    "value_fen": 4_120_000,
    "freight_fen": 178_400,
    "planned_fen": 176_900,
    "packaging_fen": 62_300,
    "handling_fen": 78_200,
    "storage_fen": 5_140,
    "way_back_fen": 3_000,
    "sent_again_fen": 1_200,
    "total_fen": 328_240,
    "permille_of_value": 79,
}


class CostsOut(BaseModel):
    """What parts cost together, in fen."""

    key: str = Field(description="what they have in common; empty: all of them")
    orders: int = Field(description="how many they belong to")
    parcels: int = Field(description="handed over")
    parts: int = Field(description="of orders, that were in them")
    billed: int = Field(description="of them those whose freight a carrier's bill told")
    rerouted: int = Field(description="of them those that went with another carrier than planned")
    value_fen: int = Field(description="market value of the goods when they were ordered")
    freight_fen: int = Field(
        description="as billed, or else as quoted: when it was planned, or by the rate card of "
        "another carrier that went, on that day"
    )
    planned_fen: int = Field(description="freight as quoted when it was planned")
    packaging_fen: int = Field(description="as billed, or else as planned")
    handling_fen: int = Field(description="as billed, or else as planned")
    storage_fen: int = Field(description="by the warehouse's terms, first in, first out")
    way_back_fen: int = Field(
        description="of what came back at the mall's fault: as billed, or else as it is stated"
    )
    sent_again_fen: int = Field(
        description="refused goods of returns that went to their learners again: freight, packing "
        "and handling, as billed, or else by rate card and warehouse's terms"
    )
    total_fen: int = Field(description="what the house paid to send them, and to have them back")
    permille_of_value: int | None = Field(description="the total against the value; null: no value")


class CostReportOut(BaseModel):
    """What was handed over in some days, and what that cost."""

    model_config = example(
        since="2026-10-01",
        until="2026-10-31",
        by="carrier",
        whole={**_COSTS, "key": ""},
        costs=[_COSTS],
        left_out=0,
        position=812,
    )
    since: date = Field(description="first day of hand-over, in the business time zone")
    until: date = Field(description="the last day")
    by: str = Field(description="order, warehouse, carrier or channel")
    whole: CostsOut | None = Field(description="all of it; null: nothing was handed over")
    costs: list[CostsOut] = Field(description="dearest first, 200 at most")
    left_out: int = Field(description="how many more there are")
    position: Position


@router.get("", response_model=CostReportOut, summary="What sending orders cost")
async def costs(
    request: Request,
    caller: Annotated[Caller, allow(*STAFF)],
    by: Annotated[By, Query(description="what they are summed up by")] = "carrier",
    since: Annotated[
        Day | None, Query(description="first day of hand-over; 30 days in all, if left out")
    ] = None,
    until: Annotated[Day | None, Query(description="the last day; today, if left out")] = None,
    min_position: MinPosition = None,
) -> Response:
    """Freight, packaging, handling, storage and ways back beside the goods' value (W6).

    The sealed report of single parts is `/v1/audit/reports/costs`.
    """
    await wait_for(request, min_position, *VIEWS)
    tenant = request.state.tenant
    last = until or tenant.store.clock().astimezone(tenant.rules.zone).date()
    first = since or last - timedelta(days=DAYS - 1)
    if last < first:
        raise InvalidRequest(field="since", reason="is after the last day")
    if (last - first).days >= DAYS_MAX:
        raise InvalidRequest(field="since", reason=f"is at most {DAYS_MAX} days before the last")
    async with tenant.pool.connection() as connection:
        position = await known_upto(connection, tenant.schema)
        asking = Costing(connection, tenant.schema, position, tenant.rules)
        parts = await asking.parts(since=first, until=last)
    found = together(parts, by=by)
    whole = together(parts, by=None)
    return json_answer(
        {
            "since": first,
            "until": last,
            "by": by,
            "whole": _shown(whole[0]) if whole else None,
            "costs": [_shown(one) for one in found[:SHOWN_MAX]],
            "left_out": max(0, len(found) - SHOWN_MAX),
            "position": position,
        }
    )


def _shown(one: Costs) -> dict[str, Any]:
    return {
        "key": one.key,
        "orders": one.orders,
        "parcels": one.parcels,
        "parts": one.parts,
        "billed": one.billed,
        "rerouted": one.rerouted,
        "value_fen": one.value,
        "freight_fen": one.freight,
        "planned_fen": one.planned,
        "packaging_fen": one.packaging,
        "handling_fen": one.handling,
        "storage_fen": one.storage,
        "way_back_fen": one.way_back,
        "sent_again_fen": one.sent_again,
        "total_fen": one.total,
        "permille_of_value": one.permille,
    }
