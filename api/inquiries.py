"""询问承运商 What the carrier of a disputed parcel is asked, and answers (D1; rules.md 27)."""

from typing import Any

from fastapi import APIRouter, Request, Response

from api.bodies_of_cases import InquiryAnswerIn
from api.changing import Change
from api.disputes import Case, Supporter, case_changed
from api.shown.claims import ClaimChangedOut
from application import claiming, disputing
from application.unit import Unit

router = APIRouter(prefix="/v1", tags=["disputes"])


@router.post(
    "/disputes/{dispute}/inquiry", response_model=ClaimChangedOut, summary="Ask the carrier"
)
async def inquire(request: Request, caller: Supporter, change: Change, dispute: Case) -> Response:
    """One inquiry a parcel, shared by its cases; asked again once it timed out (rules.md 27)."""
    rules = request.state.tenant.rules

    def decide(unit: Unit) -> dict[str, Any]:
        parcel = disputing.existing_case(unit, dispute).parcel
        return claiming.open_inquiry(unit, parcel=parcel, case=dispute, rules=rules)

    return await case_changed(request, caller, change, dispute, decide)


@router.post(
    "/disputes/{dispute}/inquiry/answer",
    response_model=ClaimChangedOut,
    summary="Note what the carrier answered",
)
async def answer_inquiry(
    request: Request, caller: Supporter, change: Change, dispute: Case, body: InquiryAnswerIn
) -> Response:
    """Its words are sealed; all cases of the parcel have the answer (D1, rules.md 27)."""

    def decide(unit: Unit) -> dict[str, Any]:
        return claiming.answer_inquiry(
            unit,
            parcel=disputing.existing_case(unit, dispute).parcel,
            result=body.result,
            reference=body.reference,
            words=body.words,
        )

    return await case_changed(request, caller, change, dispute, decide)
