"""查找 Search for staff: by a number of ours or of a shop, waybill, learner, case, phone (D1).

Addresses are written into the logs of every proxy on the way, bodies are not: whoever looks for a
whole phone number asks by POST (A4, R58).
"""

import unicodedata
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field, StringConstraints

from api.auth import STAFF, Caller, allow
from api.bodies import Body
from api.order_reading import listing
from api.reading import MinPosition, json_answer, wait_for
from api.shown import example
from api.shown_lists import FoundOut
from application.cards import cards_of_phone
from application.cleaning import Unusable, normalise_phone
from domain.refusals import InvalidRequest
from projections import order_queries

router = APIRouter(prefix="/v1", tags=["support"])

Staff = Annotated[Caller, allow(*STAFF)]
TAIL_DIGITS = 4
LONGEST = 60
PRINTABLE = r"^[^\x00-\x1f]+$"


class SearchIn(Body):
    """What is known of the order."""

    model_config = example(q="+86 138 0000 0000")
    q: Annotated[str, StringConstraints(min_length=4, max_length=LONGEST, pattern=PRINTABLE)] = (
        Field(
            description="The number of an order, here or at an outside shop, of a parcel or a "
            "case, a waybill, a learner's id, a whole phone number or its last four."
        )
    )


@router.get(
    "/search",
    response_model=FoundOut,
    summary="Orders by a number, a waybill, a learner, a case or a phone's last four digits",
)
async def search(
    request: Request,
    caller: Staff,
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
    caller: Staff,
    body: SearchIn,
    min_position: MinPosition = None,
) -> Response:
    """A question, which changes nothing and needs no key.

    Phones are found by keyed hash, however they are written: the whole number with or without
    +86, 0086, spaces and dashes, in full-width digits; or its last four (A4).
    """
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
    tail = unicodedata.normalize("NFKC", text)
    if len(tail) == TAIL_DIGITS and tail.isascii() and tail.isdecimal():
        return tail
    try:
        return normalise_phone(text)
    except Unusable:
        return None
