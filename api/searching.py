"""查找 Search for staff: by order number, waybill, phone or its last four digits (contract.md)."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.auth import Caller, Role, allow
from api.orders import listing
from api.reading import MinPosition, json_answer, wait_for
from application.cards import cards_of_phone
from application.cleaning import Unusable, normalise_phone
from projections import order_queries

router = APIRouter(prefix="/v1", tags=["support"])

TAIL_DIGITS = 4


@router.get("/search", summary="Orders by anything a caller may know")
async def search(
    request: Request,
    caller: Annotated[
        Caller, allow(Role.SUPPORT, Role.OPERATIONS, Role.AUDITOR, Role.ADMINISTRATOR)
    ],
    q: Annotated[str, Query(min_length=4, max_length=60, pattern=r"^[^\x00-\x1f]+$")],
    min_position: MinPosition = None,
) -> Response:
    """Phones are found by keyed hash: the whole number, or its last four digits (A4)."""
    await wait_for(request, min_position, "order_status", "parcel_tracking")
    tenant = request.state.tenant
    text = q.strip()
    async with tenant.pool.connection() as connection:
        cards = await cards_of_phone(connection, tenant.schema, tenant.vault, _phone(text))
        found = await order_queries.Asking(connection, tenant.schema).found(text, cards)
    return json_answer({"orders": [listing(one, staff=True) for one in found]})


def _phone(text: str) -> str | None:
    """The phone or its tail that the text may be; None where it is neither."""
    if len(text) == TAIL_DIGITS and text.isascii() and text.isdecimal():
        return text
    try:
        return normalise_phone(text)
    except Unusable:
        return None
