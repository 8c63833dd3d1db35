"""缺货与课程 Units not found, courses begun, cash that did not arrive (rules.md 1, 7, 8)."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request, Response
from pydantic import Field

from api import paths
from api.auth import Caller, Chooser, Manager, Operator, Role, allow, store_of
from api.bodies import SHELF_MAX, Body, HappenedAt, Id, ItemSku, Whole, Why
from api.changing import Change, answered
from api.moments import moment_of_order
from api.orders import caller_sees
from api.paths import Number
from api.shown.after_changes import CashRefundChangedOut, ChangeOut, ProgressOut, ShortOut
from api.shown.fields import example
from application import ordering, replanning
from application.streams import ITEM, MALL, NETWORK, ORDER
from application.unit import Unit

router = APIRouter(prefix="/v1", tags=["orders"])

Platform = Annotated[Caller, allow(Role.SERVICE)]
Part = Annotated[Whole, Field(ge=1, le=10_000, description="number of the order's part")]


class ShortPickIn(Body):
    """What a picker found of one item for a part: fewer than were reserved."""

    model_config = example(
        order="T261103A1B2C3D4E5F6", part=1, sku="mug", found=0, reason="the shelf is empty"
    )
    order: Id = Field(description="the order's number")
    part: Part
    sku: ItemSku
    found: Annotated[Whole, Field(ge=0, le=SHELF_MAX)] = Field(
        description="units that are there, fewer than are reserved"
    )
    reason: Why
    happened_at: HappenedAt = None


class ChoiceIn(Body):
    """Wait for what is missing, or have it refunded; of all waiting parts, or of one."""

    model_config = example(choice="refund")
    choice: Literal["wait", "refund"] = Field(description="until stock comes; or points back")
    part: Part | None = Field(default=None, description="one part; all that wait, if left out")


class ProgressIn(Body):
    """How far a learner is in a course, in percent."""

    model_config = example(percent=15)
    percent: Annotated[Whole, Field(ge=0, le=100, description="of the course")]
    happened_at: HappenedAt = None


@router.post(
    "/parcels/shortages",
    response_model=ShortOut,
    summary="Fewer units were found than were reserved",
)
async def short_pick(
    request: Request, caller: Operator, change: Change, body: ShortPickIn
) -> Response:
    """The shelf is corrected; other warehouses take over in the same commit, the rest waits."""
    rules = request.state.tenant.rules
    command = change.command(
        lambda unit: replanning.short_pick(
            unit,
            order=body.order,
            part=body.part,
            sku=body.sku,
            found=body.found,
            reason=body.reason,
            rules=rules,
        ),
        reason=body.reason,
        streams=[ORDER.stream(body.order), ITEM.stream(body.sku), NETWORK.stream(MALL)],
        happened_at=await moment_of_order(request, body.order, body.happened_at),
    )
    return answered(await store_of(request).execute(command))


@router.post(
    "/orders/{number}/shortage",
    response_model=ChangeOut,
    summary="Wait for missing units, or have them refunded",
)
async def choose(
    request: Request, caller: Chooser, change: Change, number: Number, body: ChoiceIn
) -> Response:
    """For units that no warehouse found; the order's `actions` say when (rules.md 1)."""
    rules = request.state.tenant.rules

    def decide(unit: Unit) -> dict[str, Any]:
        caller_sees(unit, caller, number)
        wait = body.choice == "wait"
        return replanning.choose(unit, number=number, part=body.part, wait=wait, rules=rules)

    command = change.command(decide, streams=[ORDER.stream(number)])
    return answered(await store_of(request).execute(command))


@router.put(
    "/orders/{number}/courses/{sku}/progress",
    response_model=ProgressOut,
    summary="How far a learner is in a course",
)
async def progress(
    request: Request,
    caller: Platform,
    change: Change,
    number: Number,
    sku: paths.ItemSku,
    body: ProgressIn,
) -> Response:
    """As the learning platform says; from a share on the course is not refunded (rules.md 7)."""
    rules = request.state.tenant.rules
    command = change.command(
        lambda unit: ordering.note_course_progress(
            unit, number=number, sku=sku, percent=body.percent, rules=rules
        ),
        streams=[ORDER.stream(number)],
        happened_at=await moment_of_order(request, number, body.happened_at),
    )
    return answered(await store_of(request).execute(command))


@router.post(
    "/orders/{number}/cash-refunds/{refund:path}/retry",
    response_model=CashRefundChangedOut,
    summary="Ask again for a failed refund",
)
async def retry_refund(
    request: Request,
    caller: Manager,
    change: Change,
    number: Number,
    refund: Annotated[str, Path(min_length=1, max_length=120, description="the refund's id")],
) -> Response:
    """By hand, without waiting for the next try; `/v1/troubles` lists what failed (rules.md 8)."""
    command = change.command(
        lambda unit: ordering.ask_cash_refund_again(unit, number=number, refund=refund),
        streams=[ORDER.stream(number)],
    )
    return answered(await store_of(request).execute(command))
