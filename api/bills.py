"""账单 Bills over HTTP: imported from files, looked through by cause, decided by staff (W6)."""

import asyncio
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi import Path as InPath
from pydantic import Field

from api.auth import STAFF, Caller, Manager, UploadOf, allow, store_of
from api.bodies import Body, Why
from api.changing import Change, answered
from api.reading import (
    Cursor,
    Limit,
    MinPosition,
    decode_cursor,
    json_answer,
    page_of,
    wait_for,
)
from api.shown.bills import (
    BillsOut,
    BillTakenOut,
    DifferencesDecidedOut,
    DifferencesOut,
    WholeBillOut,
)
from api.shown.fields import example
from application import billing
from application.bill_files import ReadBill, read_bill
from application.spreadsheets import Unreadable
from application.streams import BILL
from application.unit import Unit
from domain.bill_facts import BILL_NUMBER_PATTERN, PARTNER_PATTERN, BillKind, Cause
from domain.days import Day
from domain.refusals import NotFound, Refusal
from projections import bill_queries

router = APIRouter(prefix="/v1/bills", tags=["bills"])

Staff = Annotated[Caller, allow(*STAFF)]
BillKey = Annotated[
    str,
    InPath(
        max_length=150,
        pattern=r"^(carrier|warehouse|payment|channel):[a-z0-9_-]+:[A-Za-z0-9._-]+$",
        description="the bill: kind, partner and number, as in `carrier:zhongtong:2026-10`",
    ),
]
_FILE = {"schema": {"type": "string", "format": "binary"}, "example": "the file's own bytes"}
_FILES = {
    "text/csv": _FILE,
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": _FILE,
    "application/octet-stream": _FILE,
}
PAGE = 50


class FileUnreadable(Refusal):
    """A file gives no rows: nothing of it was kept (W6, R53)."""

    code = "file_unreadable"
    en = "The file cannot be read: {why}."
    zh = "无法读取文件：{why}。"


class DifferencesIn(Body):
    """What is decided about some differences of a bill."""

    model_config = example(
        differences=["weight_above:freight:ZT7500000000123"],
        decision="contested",
        reason="weighed at hand-over: 0.6 kg",
    )
    differences: Annotated[
        list[Annotated[str, Field(min_length=3, max_length=200)]],
        Field(min_length=1, max_length=1_000, description="their ids; all of them or none"),
    ]
    decision: Literal["accepted", "contested"] = Field(
        description="taken as it is, or the partner is asked to correct it"
    )
    reason: Why


@router.post(
    "",
    response_model=BillTakenOut,
    summary="Import a partner's bill",
    openapi_extra={"requestBody": {"required": True, "content": _FILES}},
)
async def take(
    request: Request,
    caller: Manager,
    change: UploadOf,
    kind: Annotated[BillKind, Query(description="who bills")],
    partner: Annotated[
        str,
        Query(
            alias="from",
            pattern=PARTNER_PATTERN,
            description="code of the carrier, warehouse or channel, or the means of payment",
            examples=["zhongtong"],
        ),
    ],
    number: Annotated[
        str, Query(pattern=BILL_NUMBER_PATTERN, description="the bill's own", examples=["2026-10"])
    ],
    name: Annotated[str, Query(max_length=200, description="what the file is called")] = "",
    first_day: Annotated[
        Day | None, Query(description="what it is about; else what its lines name")
    ] = None,
    last_day: Annotated[Day | None, Query(description="the last day it is about")] = None,
    dry_run: Annotated[bool, Query(description="only look: nothing is kept")] = False,
) -> Response:
    """The body is the file, CSV or XLSX of up to 5 MB, a row a line; heads in its first row.

    The same bill again is one bill; other lines under its number take its place, visibly (W6).
    """
    await request.state.tenant.limits.take("bills", caller.principal)
    content = await request.body()
    try:
        read = await asyncio.to_thread(
            _read, content, kind=kind, partner=partner, number=number, called=name or number,
            zone=request.state.tenant.rules.zone, first_day=first_day, last_day=last_day,
        )  # fmt: skip
    except Unreadable as unreadable:
        raise FileUnreadable(why=str(unreadable)) from None

    def decide(unit: Unit) -> dict[str, Any]:
        taken = billing.receive_bill(unit, file=read.file)
        return {**taken, "dry_run": dry_run, **_refused(read)}

    streams = [BILL.stream(read.file.key)]
    command = (change.question if dry_run else change.command)(decide, streams=streams)
    return answered(await store_of(request).execute(command))


def _read(content: bytes, **told: Any) -> ReadBill:
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        return read_bill(Path(file.name), **told)


def _refused(read: ReadBill) -> dict[str, Any]:
    rows = [
        {
            "row": one.row,
            "column": one.column,
            "code": one.code,
            "why": one.why,
            "why_zh": one.why_zh,
        }
        for one in read.refused[: bill_queries.REFUSED_MAX]
    ]
    return {"refused": len(read.refused), "refused_rows": rows, "left_out": read.left_out}


@router.get("", response_model=BillsOut, summary="Bills with their totals")
async def listed(
    request: Request,
    caller: Staff,
    kind: Annotated[BillKind | None, Query(description="of this kind alone")] = None,
    partner: Annotated[
        str | None, Query(pattern=PARTNER_PATTERN, description="of this one alone")
    ] = None,
    state: Annotated[
        Literal["received", "open", "contested", "settled"] | None,
        Query(description="in this state alone"),
    ] = None,
    cursor: Cursor = None,
    limit: Limit = PAGE,
    min_position: MinPosition = None,
) -> Response:
    """Newest first: billed, ours, and what nobody decided yet (W6)."""
    await wait_for(request, min_position, "bills")
    before = decode_cursor(cursor, datetime, str)
    tenant = request.state.tenant
    async with tenant.pool.connection() as connection:
        found = await bill_queries.bills(
            connection,
            tenant.schema,
            kind=kind,
            partner=partner,
            state=state,
            before=before,
            limit=limit + 1,
        )
    page, following = page_of(found, limit, lambda one: (one["received_at"], one["bill"]))
    return json_answer({"bills": page, "next": following})


@router.get("/{bill}", response_model=WholeBillOut, summary="One bill")
async def one(
    request: Request, caller: Staff, bill: BillKey, min_position: MinPosition = None
) -> Response:
    """With what differs by cause, every version there was, and the rows that it lacks (W6)."""
    await wait_for(request, min_position, "bills")
    tenant = request.state.tenant
    async with tenant.pool.connection() as connection:
        found = await bill_queries.bill(connection, tenant.schema, bill)
    if found is None:
        raise NotFound(what="bill")
    return json_answer(found)


@router.get("/{bill}/differences", response_model=DifferencesOut, summary="What of a bill differs")
async def differences(
    request: Request,
    caller: Staff,
    bill: BillKey,
    cause: Annotated[Cause | None, Query(description="for this reason alone")] = None,
    standing: Annotated[
        Literal["open", "accepted", "contested", "settled"] | None,
        Query(description="of these alone"),
    ] = None,
    cursor: Cursor = None,
    limit: Limit = PAGE,
    min_position: MinPosition = None,
) -> Response:
    """Billed = ours + the differences of the lines; what is missing is no line of the bill (W6)."""
    await wait_for(request, min_position, "bills")
    after = decode_cursor(cursor, str, str)
    tenant = request.state.tenant
    async with tenant.pool.connection() as connection:
        found = await bill_queries.differences(
            connection,
            tenant.schema,
            bill,
            cause=cause,
            standing=standing,
            after=after,
            limit=limit + 1,
        )
    if found is None:
        raise NotFound(what="bill")
    page, following = page_of(found, limit, lambda one: (one["cause"], one["id"]))
    return json_answer({"differences": page, "next": following})


@router.post(
    "/{bill}/decisions",
    response_model=DifferencesDecidedOut,
    summary="Accept or contest differences",
)
async def decide(
    request: Request, caller: Manager, change: Change, bill: BillKey, body: DifferencesIn
) -> Response:
    """With a reason; a later word takes the earlier one's place, another amount makes it void."""
    command = change.command(
        lambda unit: billing.decide_differences(
            unit,
            bill=bill,
            differences=body.differences,
            decision=body.decision,
            reason=body.reason,
        ),
        reason=body.reason,
        streams=[BILL.stream(bill)],
    )
    return answered(await store_of(request).execute(command))
