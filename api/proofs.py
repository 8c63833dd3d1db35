"""签收凭证 Pictures and slips of a receipt: kept in the vault, known by a digest (T8, D1; A4)."""

from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import AwareDatetime, BaseModel, Field

from api.auth import Operator, UploadOf, store_of
from api.bodies import Body, Why
from api.changing import Change, answered
from api.disputes import Supporter
from api.paths import ParcelNumber
from api.shown.after_changes import NewPosition
from api.shown.fields import example
from application import shipping
from application.receipts_by_hand import confirm_receipt
from application.streams import PARCEL
from application.unit import Unit
from domain.evidence_files import MEDIA_TYPES, checked_file

router = APIRouter(prefix="/v1", tags=["tracking"])

_BINARY = {"schema": {"type": "string", "format": "binary"}, "example": "the file's own bytes"}
_CONTENT: dict[str, Any] = dict.fromkeys(MEDIA_TYPES, _BINARY)


class ProvedOut(BaseModel):
    """A picture or slip that was kept."""

    model_config = example(
        parcel="T261103A1B2C3D4E5F6-P1", card="0123456789abcdef" * 2, digest="9f" * 32, position=42
    )
    parcel: str = Field(description="number of the parcel")
    card: str = Field(description="id of its card: what is revealed among the parcel's payloads")
    digest: str = Field(description="salted SHA-256, as the log has it")
    position: NewPosition


class ReceiptIn(Body):
    """How staff know that the recipient has it."""

    model_config = example(reason="the recipient called: it stood in the meter cupboard")
    reason: Why


class ReceiptOut(BaseModel):
    """A receipt that was confirmed by hand."""

    model_config = example(
        parcel="T261103A1B2C3D4E5F6-P1", received_at="2026-11-06T03:00:00Z", position=43
    )
    parcel: str = Field(description="number of the parcel")
    received_at: AwareDatetime = Field(description="when it was received, as its track told")
    position: NewPosition


@router.post(
    "/parcels/{parcel}/receipt",
    response_model=ReceiptOut,
    summary="Confirm by hand that a parcel was received",
)
async def confirm(
    request: Request, caller: Supporter, change: Change, parcel: ParcelNumber, body: ReceiptIn
) -> Response:
    """Where no query tells of the receipt: its order completes when the window is over (rule 23).

    Nothing is given by it, and its learner may dispute the parcel as before.
    """
    rules = request.state.tenant.rules

    def decide(unit: Unit) -> dict[str, Any]:
        return confirm_receipt(unit, parcel=parcel, reason=body.reason, rules=rules)

    command = change.command(decide, reason=body.reason, streams=[PARCEL.stream(parcel)])
    return answered(await store_of(request).execute(command))


@router.post(
    "/parcels/{parcel}/proofs",
    status_code=201,
    response_model=ProvedOut,
    summary="Keep a picture of a parcel's receipt",
    openapi_extra={"requestBody": {"required": True, "content": _CONTENT}},
)
async def keep(
    request: Request, caller: Operator, change: UploadOf, parcel: ParcelNumber
) -> Response:
    """The body is the file: JPEG, PNG, WebP or PDF, at most 4 MB, five a parcel (T8).

    It is listed among the parcel's payloads, shown by a reveal, and goes when their time is over.
    """
    await request.state.tenant.limits.take("evidence", caller.principal)
    content = await request.body()
    kind = checked_file(content, called=request.headers.get("content-type", ""))

    def decide(unit: Unit) -> dict[str, Any]:
        return shipping.keep_proof(
            unit, parcel=parcel, media_type=kind, content=content, source=caller.principal
        )

    command = change.command(decide, streams=[PARCEL.stream(parcel)])
    return answered(await store_of(request).execute(command), 201)
