"""审核 The review queue over HTTP: why orders wait for a human, and what the human decides (O7)."""

from datetime import datetime
from typing import Any, Literal

from fastapi import APIRouter, Request, Response
from pydantic import Field

from api.addresses import doubt_told
from api.auth import Manager, store_of
from api.bodies import Body, Words
from api.changing import Change, answered
from api.fulfilment import Desk
from api.paths import Number
from api.reading import (
    Cursor,
    Limit,
    MinPosition,
    decode_cursor,
    json_answer,
    page_of,
    wait_for,
)
from api.shown.fields import example
from api.shown.waves import ReviewedOut, ReviewsOut
from application import releasing
from application.streams import ORDER
from application.unit import Unit
from domain.address_doubts import Doubt
from domain.compliance import is_objection, words_of
from projections import work_queues

router = APIRouter(prefix="/v1", tags=["fulfilment"])

PAGE = 50


class ReviewIn(Body):
    """What a human decided about an order in the queue."""

    model_config = example(decision="approve", reason="called the learner")
    decision: Literal["approve", "reject"] = Field(description="let it go on, or stop it")
    reason: Words = Field(description="why; a learner whose order is rejected reads it")


@router.get("/reviews", response_model=ReviewsOut, summary="Orders that wait for a human")
async def review_queue(
    request: Request,
    caller: Desk,
    cursor: Cursor = None,
    limit: Limit = PAGE,
    min_position: MinPosition = None,
) -> Response:
    """Longest first, with every reason and what the address leaves open (O7).

    `POST /v1/orders/{number}/review` decides; `POST /v1/orders/{number}/address` corrects it.
    """
    await wait_for(request, min_position, "order_status")
    after = decode_cursor(cursor, datetime, str)
    tenant = request.state.tenant
    async with tenant.pool.connection() as connection:
        found = await work_queues.reviews(
            connection, tenant.schema, after=after,
            limit=limit + 1,
        )  # fmt: skip
    page, more = page_of(found, limit, lambda one: (one["since"], one["number"]))
    now = store_of(request).clock()
    for one in page:
        one["doubts"] = [_told(detail) for detail in one["doubts"]]
        one["age_seconds"] = int((now - one["since"]).total_seconds())
    return json_answer({"orders": page, "next": more})


@router.post(
    "/orders/{number}/review", response_model=ReviewedOut, summary="Decide about an order in review"
)
async def review(
    request: Request, caller: Manager, change: Change, number: Number, body: ReviewIn
) -> Response:
    """Approve it, or reject it with all it cost paid back; an address is corrected first (O7)."""
    rules = request.state.tenant.rules

    def decide(unit: Unit) -> dict[str, Any]:
        if body.decision == "approve":
            return releasing.approve_order(unit, number=number, note=body.reason)
        return releasing.reject_order(unit, number=number, reason=body.reason, rules=rules)

    command = change.command(decide, reason=body.reason, streams=[ORDER.stream(number)])
    return answered(await store_of(request).execute(command))


def _told(detail: str) -> dict[str, object]:
    """What exactly is to be looked at: a doubt about the address, or what customs may object to."""
    if not is_objection(detail):
        return doubt_told(Doubt(detail))
    words = words_of(detail)
    code = detail.split(":", maxsplit=1)[0]
    return {"code": code, "message": words.en, "message_zh": words.zh, "review": True}
