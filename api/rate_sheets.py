"""价目表单 Rate cards as files over HTTP: imported row by row, and handed out again (W3)."""

import asyncio
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from api.auth import STAFF, Asked, Caller, Manager, UploadOf, allow, store_of
from api.bills import FileUnreadable
from api.changing import answered
from api.rate_cards import Carrier
from api.shown.fields import example
from application import pricing
from application.rate_files import ReadCards, read_rate_cards
from application.rate_sheets import rate_sheet
from application.spreadsheets import Unreadable
from application.streams import MALL, RATES
from application.unit import Unit

router = APIRouter(prefix="/v1/rate-cards", tags=["rate cards"])

Staff = Annotated[Caller, allow(*STAFF)]
REFUSED_MAX = 200
_FILE = {"schema": {"type": "string", "format": "binary"}, "example": "the file's own bytes"}
_FILES = {
    "text/csv": _FILE,
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": _FILE,
    "application/octet-stream": _FILE,
}
_SHEET = {
    "schema": {"type": "string", "description": "a row a lane or a term of a card"},
    "example": "carrier,effective_from,…\r\nzhongtong,2026-11-01,…\r\n",
}


class PublishedOut(BaseModel):
    """A card of the file."""

    carrier: str = Field(description="whose it is")
    effective_from: datetime = Field(description="from when on it counts")
    changed: bool = Field(description="false: it was there already")


class RefusedRowOut(BaseModel):
    """A row that is not published."""

    row: int = Field(description="its number as spreadsheets count")
    column: str = Field(description="which cell is wrong; empty: none of its own")
    code: str = Field(description="why: empty, unusable, twice, differs, no_lane, held_back, …")
    why: str = Field(description="in English words")
    why_zh: str = Field(description="in Chinese words")


class RatesImportedOut(BaseModel):
    """What became of a file of rate cards."""

    model_config = example(
        rows=58,
        cards=[{"carrier": "zhongtong", "effective_from": "2026-10-31T16:00:00Z", "changed": True}],
        held_back=0,
        refused=0,
        refused_rows=[],
        dry_run=False,
        position=42,
    )
    rows: int = Field(description="below the heads")
    cards: list[PublishedOut] = Field(description="those of which every row could be used")
    held_back: int = Field(description="cards with a refused row: none of their rows counts")
    refused: int = Field(description="rows that are not published")
    refused_rows: list[RefusedRowOut] = Field(description="the first 200 of them")
    dry_run: bool = Field(description="true: nothing was published")
    position: int | None = Field(
        default=None, description="log position of what is known now; none of a dry run"
    )


@router.post(
    "/files",
    response_model=RatesImportedOut,
    summary="Import rate cards",
    openapi_extra={"requestBody": {"required": True, "content": _FILES}},
)
async def take(
    request: Request,
    caller: Manager,
    change: UploadOf,
    dry_run: Annotated[bool, Query(description="only look: nothing is published")] = False,
) -> Response:
    """The body is the file, CSV or XLSX of up to 5 MB; columns as `GET /v1/rate-cards/sheet`.

    A card is published whole or held back; the same file again changes nothing (W3).
    """
    await request.state.tenant.limits.take("rates", caller.principal)
    try:
        content, zone = await request.body(), request.state.tenant.rules.zone
        read = await asyncio.to_thread(_read, content, zone)
    except Unreadable as unreadable:
        raise FileUnreadable(why=str(unreadable)) from None

    def decide(unit: Unit) -> dict[str, Any]:
        published = pricing.publish_rate_cards(unit, cards=read.cards)
        return {"rows": read.rows, **published, **_refused(read), "dry_run": dry_run}

    streams = [RATES.stream(MALL)]
    command = (change.question if dry_run else change.command)(decide, streams=streams)
    return answered(await store_of(request).execute(command))


@router.get(
    "/sheet",
    response_class=Response,
    responses={200: {"content": {"text/csv": _SHEET}}},
    summary="The rate cards that count now, as a file",
)
async def sheet(
    request: Request,
    caller: Staff,
    carrier: Annotated[Carrier | None, Query(description="of this one alone")] = None,
) -> Response:
    """In the columns that an import reads: changed in a spreadsheet, it can be sent back (W3)."""
    rules = request.state.tenant.rules
    found: list[Any] = []

    def look(unit: Unit) -> dict[str, Any]:
        cards = unit.read(RATES, MALL).at(unit.happened_at, zone=rules.zone).cards
        found[:] = [one for one in cards if carrier in (None, one.carrier)]
        return {}

    question = Asked(request, caller, "rate-sheet", b"").question(
        look, streams=[RATES.stream(MALL)]
    )
    await store_of(request).execute(question)
    name = f"rates-{carrier}" if carrier else "rates"
    return Response(
        rate_sheet(found, zone=rules.zone),
        media_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{name}.csv"',
            "X-Content-Type-Options": "nosniff",
        },
    )


def _read(content: bytes, zone: ZoneInfo) -> ReadCards:
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        return read_rate_cards(Path(file.name), zone=zone)


def _refused(read: ReadCards) -> dict[str, Any]:
    rows = [
        {
            "row": one.row,
            "column": one.column,
            "code": one.code,
            "why": one.why,
            "why_zh": one.why_zh,
        }
        for one in read.refused[:REFUSED_MAX]
    ]
    return {"held_back": read.held_back, "refused": len(read.refused), "refused_rows": rows}
