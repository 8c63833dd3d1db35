"""异常轨迹 What is odd about parcels' tracks: a queue for humans, and what they decide (T6)."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, Field

from api.auth import Caller, Manager, Role, allow, store_of
from api.bodies import Body, Words
from api.changing import Change, answered
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
from api.shown.after_changes import NewPosition
from api.shown.fields import Next, example
from api.shown.parcels import ScanOut
from application import shipping
from application.streams import PARCEL
from domain.parcel_state import OddityDecision
from projections.oddities import odd_parcels

router = APIRouter(prefix="/v1", tags=["tracking"])

Desk = Annotated[Caller, allow(Role.SUPPORT, Role.OPERATIONS, Role.AUDITOR, Role.ADMINISTRATOR)]
OddityId = Annotated[
    str, Path(pattern=r"^[0-9a-f]{16}$", description="the oddity's id", examples=["0" * 16])
]
PAGE = 50
_PARCEL, _ID = "T261103A1B2C3D4E5F6-P1", "9f86d081884c7d65"
_KINDS = (
    "backwards, jump, after_signing, drifted, misrouted, stalled, reused_number, foreign_number,"
    " dated_ahead or unsent (a carrier has it, though it was unpacked)"
)


class OddityIn(Body):
    """What a human decided about scans that are odd."""

    model_config = example(decision="voided", reason="the depot scanned the wrong sack")
    decision: OddityDecision = Field(
        description="they are right, they do not count, or they are of another parcel"
    )
    reason: Words = Field(description="why")


class OddityOut(BaseModel):
    """Something odd about a parcel's track."""

    parcel: str = Field(description="number of the parcel")
    oddity: str = Field(description="its id, of the kind and the first scan")
    kind: str = Field(description=_KINDS)
    since: AwareDatetime = Field(description="when the first of its scans happened")
    number: str = Field(description="the number that its scans name; of foreign_number not ours")
    scans: list[ScanOut] = Field(description="those that show it, oldest first")
    decision: OddityDecision | None = Field(description="null: it waits for a human")
    decided_at: AwareDatetime | None = Field(description="when it was decided")
    orders: list[str] = Field(description="numbers of the orders in the parcel")
    carrier: str | None = Field(description="its code as Kuaidi100 writes it")
    waybill: str | None = Field(description="the carrier's number")
    state: str = Field(description="where the parcel is by the scans that count")


class OdditiesOut(BaseModel):
    """What is odd about parcels' tracks."""

    model_config = example(
        oddities=[
            {
                "parcel": _PARCEL,
                "oddity": _ID,
                "kind": "after_signing",
                "since": "2026-11-05T09:12:00Z",
                "number": "SF1000000001",
                "scans": [
                    {
                        "time": "2026-11-05T09:12:00Z",
                        "text": "快件到达【杭州转运中心】",
                        "kind": "arrived",
                        "division": "330100",
                        "coordinates": None,
                    }
                ],
                "decision": None,
                "decided_at": None,
                "orders": ["T261103A1B2C3D4E5F6"],
                "carrier": "shunfeng",
                "waybill": "SF1000000001",
                "state": "signed",
            }
        ],
        next=None,
    )
    oddities: list[OddityOut] = Field(description="oldest first")
    next: Next


class OddityDecidedOut(BaseModel):
    """What was decided about an oddity."""

    model_config = example(
        parcel=_PARCEL, oddity=_ID, decision="voided", state="in_transit", position=42
    )
    parcel: str = Field(description="number of the parcel")
    oddity: str = Field(description="its id")
    decision: OddityDecision = Field(description="what holds now")
    state: str = Field(description="where the parcel is by the scans that count now")
    position: NewPosition


@router.get("/oddities", response_model=OdditiesOut, summary="What is odd about parcels' tracks")
async def queue(
    request: Request,
    caller: Desk,
    every: Annotated[bool, Query(alias="all", description="those that were decided, too")] = False,
    cursor: Cursor = None,
    limit: Limit = PAGE,
    min_position: MinPosition = None,
) -> Response:
    """Those that wait for a human, the oldest first; what is left out shows here no more (T6)."""
    await wait_for(request, min_position, "parcel_tracking")
    after = decode_cursor(cursor, datetime, str, str)
    tenant = request.state.tenant
    async with tenant.pool.connection() as connection:
        found = await odd_parcels(
            connection,
            tenant.schema,
            open_only=not every,
            after=after,
            limit=limit + 1,
        )
    page, more = page_of(found, limit, lambda one: (one["since"], one["parcel"], one["oddity"]))
    return json_answer({"oddities": page, "next": more})


@router.post(
    "/parcels/{parcel}/oddities/{oddity}",
    response_model=OddityDecidedOut,
    summary="Decide what is odd about a track",
)
async def decide(
    request: Request,
    caller: Manager,
    change: Change,
    parcel: ParcelNumber,
    oddity: OddityId,
    body: OddityIn,
) -> Response:
    """Accept the scans, leave them out, or give them to another parcel; with a reason (T6).

    A `foreign_number` that is accepted is the parcel's: its scans count, and orders follow. So does
    one that is `dated_ahead`, as of when it was told.
    A later decision about the same takes its place: what was left out can be let in again.
    """
    rules = request.state.tenant.rules

    def what(unit: Any) -> dict[str, Any]:
        return shipping.decide_oddity(
            unit,
            parcel=parcel,
            oddity=oddity,
            decision=body.decision,
            reason=body.reason,
            rules=rules,
        )

    command = change.command(what, reason=body.reason, streams=[PARCEL.stream(parcel)])
    return answered(await store_of(request).execute(command))
