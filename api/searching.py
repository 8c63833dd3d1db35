"""查找 Search for staff, by whatever a caller may know of an order (D1).

Addresses are written into the logs of every proxy on the way, bodies are not: whoever looks for a
person, by a whole phone number, a name or a street, asks by POST (A4, R58).
"""

import unicodedata
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field, StringConstraints

from api.auth import STAFF, Caller, allow
from api.bodies import Body
from api.order_reading import listing
from api.reading import MinPosition, json_answer, wait_for
from api.shown.fields import example
from api.shown.lists import FoundOut
from application.cards import cards_of_phone
from application.cleaning import Unusable, normalise_phone
from application.finding import cards_of_words
from domain.refusals import InvalidRequest
from projections import order_queries

router = APIRouter(prefix="/v1", tags=["support"])

Staff = Annotated[Caller, allow(*STAFF)]
TAIL_DIGITS = 4
LONGEST = 60
LONGEST_SAID = 200
"""A whole address can be said."""
PRINTABLE = r"^[^\x00-\x1f]+$"


class SearchIn(Body):
    """What is known of the order."""

    model_config = example(q="+86 138 0000 0000")
    q: Annotated[
        str, StringConstraints(min_length=1, max_length=LONGEST_SAID, pattern=PRINTABLE)
    ] = Field(
        description="The number of an order, here or at an outside shop, of a parcel or a case, a "
        "waybill, or how an order's or a waybill's number ends (four letters or more); a "
        "learner's id, a whole phone number or its last four, a recipient's whole name, a "
        "district with street and house or compound, a pick-up code."
    )


@router.get(
    "/search",
    response_model=FoundOut,
    summary="Orders by a number or its end, a waybill, a learner, a case or a phone's last four",
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
            description="No phone number, name or address: this is in the logs of proxies. "
            "POST them.",
        ),
    ],
    min_position: MinPosition = None,
) -> Response:
    """What tells of a person is refused here and taken by `POST /v1/search` (A4)."""
    text = q.strip()
    phone = _phone(text)
    if phone is not None and len(phone) != TAIL_DIGITS:
        raise InvalidRequest(field="q", reason="a phone number goes into the body of a POST")
    if not unicodedata.normalize("NFKC", text).isascii():
        raise InvalidRequest(field="q", reason="a name or address goes into the body of a POST")
    await request.state.tenant.limits.take("searches", caller.principal)
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

    Phones, names and addresses are found by keyed hash, however they are written: the whole
    number with or without +86, 0086, spaces and dashes, in full-width digits, or its last four;
    the whole name; a street with its house, or a compound, and the district it is in (A4).
    """
    await request.state.tenant.limits.take("searches", caller.principal)
    text = body.q.strip()
    return await _found(request, text, _phone(text), min_position, person=True)


async def _found(
    request: Request,
    text: str,
    phone: str | None,
    min_position: int | None,
    *,
    person: bool = False,
) -> Response:
    await wait_for(request, min_position, "order_status", "parcel_tracking")
    tenant = request.state.tenant
    at = (tenant.schema, tenant.vault)
    async with tenant.pool.connection() as connection:
        cards = await cards_of_phone(connection, *at, phone)
        if person:
            cards += await cards_of_words(connection, *at, text)
        code = order_queries.plain_number(text) if person else None
        asking = order_queries.Asking(connection, tenant.schema)
        found = await asking.found(text, cards, code=code or None)
    return json_answer(
        {"orders": [{**listing(one, staff=True), **outside} for one, outside in found]}
    )


def _phone(text: str) -> str | None:
    """The phone or its tail that the text may be; None where it is neither."""
    tail = unicodedata.normalize("NFKC", text)
    if len(tail) == TAIL_DIGITS and tail.isascii() and tail.isdecimal():
        return tail
    try:
        return normalise_phone(text)
    except Unusable:
        return None
