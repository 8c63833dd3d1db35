"""What readers get of goods that come back: for the API's description alone (R45)."""

from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, Field

from api.shown.after_changes import ClaimedOut, NewPosition
from api.shown.cases import CaseActionOut
from api.shown.fields import ItemSku, LearnerId, LineNumber, Next, OrderNumber, UnitCount, example
from api.shown.parcels import ScanOut
from domain.claims import ClaimState
from domain.order_facts import Fault
from domain.return_facts import Criterion, Payer, Remedy, Verdict
from domain.returns import ReturnState

ReturnId = Annotated[
    str, Field(description="the return's id, and its parcel's", examples=["T261103A1B2C3D4E5F6-B1"])
]
_ORDER = "T261103A1B2C3D4E5F6"
_RETURN = f"{_ORDER}-B1"
_LISTED: dict[str, Any] = {
    "id": _RETURN,
    "order": _ORDER,
    "learner": "lin",
    "remedy": "refund",
    "reason": "changed_mind",
    "state": "awaiting_goods",
    "warehouse": "shaanxi",
    "opened_at": "2026-11-08T02:14:08.120931Z",
    "moved_at": "2026-11-08T02:14:08.120931Z",
    "send_by": "2026-11-15T02:14:08.120931Z",
}


class ReturnListedOut(BaseModel):
    """A return in a list."""

    id: ReturnId
    order: OrderNumber
    learner: LearnerId
    remedy: Remedy
    reason: Fault
    state: ReturnState
    warehouse: str | None = Field(description="code of where the goods go; null: they stay")
    opened_at: AwareDatetime = Field(description="when it was asked for")
    moved_at: AwareDatetime = Field(description="since when it is in its state")
    send_by: AwareDatetime | None = Field(description="while the goods are waited for")


class ReturnsOut(BaseModel):
    """A page of returns."""

    model_config = example(returns=[_LISTED], next=None)
    returns: list[ReturnListedOut] = Field(description="in the order that was asked for")
    next: Next


class GivenBackOut(BaseModel):
    """Units of an item that are to come back, or came."""

    part: int = Field(description="number of the part they came in")
    line: LineNumber
    sku: ItemSku
    name: str = Field(description="as it was ordered")
    quantity: UnitCount
    verdict: Verdict | None = Field(default=None, description="once they were inspected")
    failed: list[Criterion] | None = Field(default=None, description="criteria they do not meet")


class ReturnLabelOut(BaseModel):
    """What belongs on the parcel, and where it is (rules.md 28)."""

    parcel: str = Field(description="its number, which is the return's")
    to: str = Field(description="name of the warehouse that it goes to")
    province: str = Field(description="of the warehouse")
    city: str = Field(description="of the warehouse; may be empty")
    contact: str | None = Field(description="whom to name on it; null: nobody said")
    address: str | None = Field(description="in full; null: nobody said more than the place")
    phone: str | None = Field(description="of the warehouse; null: nobody said")
    carrier: str | None = Field(description="its code; null until there is a number")
    waybill: str | None = Field(description="the carrier's number, once there is one")
    state: str = Field(description="as of any parcel", examples=["in_transit"])
    scans: list[ScanOut] = Field(description="newest first")


class ReturnMessageOut(BaseModel):
    """What the learner was told."""

    zh: str | None = Field(description="in Chinese; null: erased or held")
    en: str | None = Field(description="in English; null: erased or held")


class LostClaimOut(BaseModel):
    """What the carrier that lost a return was asked for, and what it paid (D2)."""

    carrier: str = Field(description="its code")
    state: ClaimState
    claimed_fen: int = Field(description="asked")
    accepted_fen: int = Field(description="what the carrier says it owes")
    paid_fen: int = Field(description="that came")


class ProposedReturnOut(BaseModel):
    """A refund without the goods that waits for a second person (A8)."""

    approval: str = Field(description="where they decide: `/v1/approvals/{approval}`")
    maker: str = Field(description="who agreed to it")
    points: int = Field(description="that would go back")
    cash_fen: int = Field(description="that would go back, in fen")
    reason: str = Field(description="in words of who agreed")


class ReturnOut(ReturnListedOut):
    """Everything of a return, for one screen (D3, D6)."""

    model_config = example(
        **_LISTED,
        payer="learner",
        from_abroad=False,
        criteria=["right_item", "complete", "unused", "undamaged", "packaging"],
        freight_points=100,
        freight_fen=1_000,
        units=[{"part": 1, "line": 1, "sku": "enamel-mug", "name": "搪瓷杯", "quantity": 1}],
        words="颜色不合适",
        label={
            "parcel": _RETURN,
            "to": "陕西仓",
            "province": "陕西省",
            "city": "西安市",
            "contact": "积分商城陕西仓",
            "address": "陕西省西安市未央区仓储示范路 9 号 3 号库",
            "phone": "029-88000003",
            "carrier": None,
            "waybill": None,
            "state": "labelled",
            "scans": [],
        },
        outcome=None,
        proposed=None,
        claim=None,
        message=None,
        actions={"withdraw": {"possible": True}},
        position=57,
        version=1,
    )
    payer: Payer
    from_abroad: bool = Field(
        description="its learner chooses and pays a carrier there: no label of the house is taken"
    )
    criteria: list[Criterion] = Field(description="what the goods are held against")
    freight_points: int = Field(description="what a learner at fault pays of a refund")
    freight_fen: int = Field(
        description="the same where only cash was paid; what the way back is stated to cost whoever"
        " else bears it"
    )
    units: list[GivenBackOut] = Field(description="with their verdicts, once inspected")
    words: str | None = Field(description="what was said; staff see no names; null: none, or gone")
    label: ReturnLabelOut | None = Field(description="null: the goods stay")
    outcome: dict[str, Any] | None = Field(
        description="points, cash_fen, points_kept, cash_fen_kept, replacement, sent_back_in"
    )
    proposed: ProposedReturnOut | None = Field(
        description="for staff: what waits for a second person; null: nothing"
    )
    claim: LostClaimOut | None = Field(
        description="for staff: what is claimed of its carrier, where that lost it; null: nothing"
    )
    message: ReturnMessageOut | None = Field(description="once it is over")
    actions: dict[str, CaseActionOut] = Field(description="by name, for who asks")
    position: int = Field(description="of its last change")
    version: int = Field(description="events of its own stream")


class ReturnChangedOut(BaseModel):
    """What a command on a return led to."""

    model_config = example(
        **{"return": _RETURN}, order=_ORDER, state="settled", points=480, position=58
    )
    return_id: ReturnId = Field(alias="return", description="the return's id")
    order: OrderNumber
    state: ReturnState
    parcel: str | None = Field(default=None, description="number of its parcel, when it is opened")
    send_by: AwareDatetime | None = Field(default=None, description="end of the time to send it")
    payer: Payer | None = Field(default=None, description="who pays the way back")
    points: int | None = Field(default=None, description="that went back to their lots")
    cash_fen: int | None = Field(default=None, description="that goes back")
    points_kept: int | None = Field(default=None, description="for the return freight")
    replacement: str | None = Field(default=None, description="number of the linked order")
    sent_back_in: str | None = Field(default=None, description="parcel of what was refused")
    claims: list[ClaimedOut] | None = Field(
        default=None, description="of the carrier, where it is at fault"
    )
    approval: str | None = Field(default=None, description="where a second person decides (A8)")
    status: str | None = Field(default=None, description="pending_approval, where one has to")
    learner: str | None = Field(default=None, description="whose return waits for approval")
    position: NewPosition
