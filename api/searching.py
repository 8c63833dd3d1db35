"""查找 Search for staff: by order number, waybill, phone or its last four digits (contract.md).

Addresses are written into the logs of every proxy on the way, bodies are not: whoever looks for a
whole phone number asks by POST (A4, R58).
"""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field, StringConstraints

from api.auth import Caller, Role, allow
from api.bodies import Body
from api.order_reading import listing
from api.reading import MinPosition, json_answer, wait_for
from api.shown import FoundOut
from application.cards import cards_of_phone
from application.cleaning import Unusable, normalise_phone
from domain.refusals import InvalidRequest
from projections import order_queries

router = APIRouter(prefix="/v1", tags=["support"])

TAIL_DIGITS = 4
LONGEST = 60
PRINTABLE = r"^[^\x00-\x1f]+$"


class SearchIn(Body):
    """What is known of the order."""

    q: Annotated[str, StringConstraints(min_length=4, max_length=LONGEST, pattern=PRINTABLE)] = (
        Field(description="An order's number, a waybill, a whole phone number or its last four.")
    )


@router.get(
    "/search",
    response_model=FoundOut,
    summary="Orders by their number, a waybill or a phone's last four digits",
)
async def search(
    request: Request,
    caller: Annotated[
        Caller, allow(Role.SUPPORT, Role.OPERATIONS, Role.AUDITOR, Role.ADMINISTRATOR)
    ],
    q: Annotated[
        str,
        Query(
            min_length=4,
            max_length=LONGEST,
            pattern=PRINTABLE,
            description="No whole phone number: addresses are in the logs of proxies. POST it.",
        ),
    ],
    min_position: MinPosition = None,
) -> Response:
    """A whole phone number is refused here and taken by `POST /v1/search` (A4)."""
    text = q.strip()
    phone = _phone(text)
    if phone is not None and len(phone) != TAIL_DIGITS:
        raise InvalidRequest(field="q", reason="a phone number goes into the body of a POST")
    return await _found(request, text, phone, min_position)


@router.post(
    "/search",
    response_model=FoundOut,
    summary="Orders by anything a caller may know, phone numbers too",
)
async def search_in_body(
    request: Request,
    caller: Annotated[Caller, allow(Role.SUPPORT, Role.OPERATIONS, Role.ADMINISTRATOR)],
    body: SearchIn,
    min_position: MinPosition = None,
) -> Response:
    """Changes nothing. Phones are found by keyed hash: the whole number, or its last four (A4)."""
    text = body.q.strip()
    return await _found(request, text, _phone(text), min_position)


async def _found(
    request: Request, text: str, phone: str | None, min_position: int | None
) -> Response:
    await wait_for(request, min_position, "order_status", "parcel_tracking")
    tenant = request.state.tenant
    async with tenant.pool.connection() as connection:
        cards = await cards_of_phone(connection, tenant.schema, tenant.vault, phone)
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
