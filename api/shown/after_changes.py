"""What is answered to changes: for the API's description alone.

The answers are kept and sent as the commands made them; a test holds every answer that it gets
against these models (R45).
"""

from datetime import date
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, Field

from api.shown.fields import (
    ItemSku,
    LineNumber,
    OrderNumber,
    ParcelNumber,
    PartNumber,
    PartWarehouse,
    UnitCount,
    example,
)
from domain.claims import ClaimState
from domain.order_facts import State, Upgrade

NewPosition = Annotated[
    int,
    Field(
        ge=0,
        description="log position after it: a GET with it as `min_position` shows it",
    ),
]
Status = Annotated[State, Field(description="of the order, as customers see it")]
ShownUntil = Annotated[
    AwareDatetime, Field(description="until then the same key shows it again; later, a new one")
]
Changed = Annotated[bool, Field(description="false: it was so already, and nothing was recorded")]
WarehouseCode = Annotated[str, Field(description="the warehouse's code")]
_NUMBER = "T261103A1B2C3D4E5F6"


class OrderOut(BaseModel):
    """An order that was placed."""

    model_config = example(
        number=_NUMBER,
        status="pending_shipment",
        points=200,
        cash_fen=0,
        freight_fen=0,
        promised_by="2026-11-06T16:00:00Z",
        position=42,
    )
    number: OrderNumber
    status: Status
    points: int = Field(description="paid; held while a cash part or freight is due")
    cash_fen: int = Field(description="cash part, in fen")
    freight_fen: int = Field(
        description="freight and upgrade, in fen: to be paid together with the cash part"
    )
    promised_by: AwareDatetime = Field(description="when the last parcel should have arrived")
    position: NewPosition


class FailureOut(BaseModel):
    """One reason against an order; the figures that decided are beside it, by name."""

    model_config = {"extra": "allow"}
    code: str = Field(description="stable, for programs", examples=["out_of_stock"])
    message: str = Field(description="in English")
    message_zh: str = Field(description="in Chinese")


class QuotedUnitsOut(BaseModel):
    """Units of a line in one part."""

    line: LineNumber
    quantity: UnitCount


class QuotedPartOut(BaseModel):
    """What one warehouse would send, or the courses that would be granted."""

    part: PartNumber
    warehouse: PartWarehouse
    units: list[QuotedUnitsOut] = Field(description="what would be in it")
    carrier: str | None = Field(
        description="as Kuaidi100 writes it; null for courses and where there are no rate cards"
    )
    hours: int | None = Field(description="that the carrier promises, from hand-over to receipt")


class UpgradeOut(BaseModel):
    """A better delivery that can be paid for (O6)."""

    upgrade: Upgrade = Field(description="what the order's body names it")
    extra_fen: int = Field(description="its price, on top of the freight, in fen")
    promised_by: AwareDatetime = Field(description="when the last parcel should arrive then")
    parts: list[QuotedPartOut] = Field(description="how it would be split then")


class QuoteOut(BaseModel):
    """What placing an order would answer, without effect (O6)."""

    model_config = example(
        ok=True,
        failures=[],
        parts=[
            {
                "part": 1,
                "warehouse": "zhejiang",
                "units": [{"line": 1, "quantity": 1}],
                "carrier": "zhongtong",
                "hours": 40,
            }
        ],
        promised_by="2026-11-06T16:00:00Z",
        points=200,
        cash_fen=0,
        freight_fen=0,
        upgrades=[],
    )
    ok: bool = Field(description="whether it would be accepted")
    failures: list[FailureOut] = Field(description="every check that fails")
    parts: list[QuotedPartOut] = Field(description="how it would be split; empty if it cannot be")
    promised_by: AwareDatetime | None = Field(description="null if it cannot be sent")
    points: int = Field(description="it would cost")
    cash_fen: int = Field(description="cash part, in fen")
    freight_fen: int = Field(description="freight the learner would pay, in fen")
    upgrades: list[UpgradeOut] = Field(description="faster ways that can be paid for")


class ClaimedOut(BaseModel):
    """What a decision asks of the carrier of a parcel, by itself (D2; rules.md 27)."""

    parcel: str = Field(description="number of the parcel")
    claim: ClaimState | None = Field(description="of its claim; null: none could be filed")
    claimed_fen: int = Field(description="by that claim, which all its cases share")
    why: str | None = Field(description="no claim could be filed, in English")
    why_zh: str | None = Field(description="no claim could be filed, in Chinese")


class ChangeOut(BaseModel):
    """What a command on an order led to."""

    model_config = example(number=_NUMBER, status="cancelled", points=200, position=42)
    number: OrderNumber
    status: Status
    points: int | None = Field(default=None, description="that went back, where points did")
    intercepts: list[dict[str, Any]] | None = Field(
        default=None,
        description="parcels that their carriers are asked to stop: `parcel`, `intercept`, `way`, "
        "`state`, `answer_by`, `orders`",
    )
    cancelling: list[int] | None = Field(
        default=None,
        description="parts that a third party's warehouse has: cancelled, and paid back, as soon as"
        " it acknowledges (rules.md 5)",
    )
    claims: list[ClaimedOut] | None = Field(
        default=None, description="of the carriers, where a refund is their fault (D2)"
    )
    position: NewPosition


class PaymentOut(ChangeOut):
    """What a payment led to, or where to pay."""

    model_config = example(
        number=_NUMBER,
        status="pending_payment",
        attempt=f"{_NUMBER}-a1b2c3d4e5f6",
        pay_url="https://pay.example/charges/7",
        position=42,
    )
    attempt: str = Field(description="id of the attempt at the payment provider")
    pay_url: str | None = Field(default=None, description="where to pay")


class CashRefundChangedOut(BaseModel):
    """A refund of cash."""

    model_config = example(
        number=_NUMBER, refund=f"{_NUMBER}-refund-1", state="requested", position=42
    )
    number: OrderNumber
    refund: str = Field(description="its id, also at the payment provider")
    state: str = Field(description="requested, confirmed or failed")
    position: NewPosition


class ProgressOut(BaseModel):
    """How far a learner is in a course."""

    model_config = example(number=_NUMBER, sku="python-course", percent=15, position=42)
    number: OrderNumber
    sku: ItemSku
    percent: int = Field(ge=0, le=100, description="of the course, as it was told")
    position: NewPosition


class ItemPutOut(BaseModel):
    """An item that was listed or revised."""

    model_config = example(sku="mug", on_sale=True, changed=True, position=42)
    sku: ItemSku
    on_sale: bool = Field(description="whether learners may redeem it")
    changed: Changed
    position: NewPosition


class WarehousePutOut(BaseModel):
    """A warehouse that was opened or revised."""

    model_config = example(code="hunan", changed=True, position=42)
    code: WarehouseCode
    changed: Changed
    position: NewPosition


class ShelfChangedOut(BaseModel):
    """An item's units in one warehouse after a change."""

    model_config = example(sku="mug", warehouse="zhejiang", free=497, position=42)
    sku: ItemSku
    warehouse: WarehouseCode
    free: int = Field(description="units promised to nobody, after it")
    position: NewPosition


class CountedOut(ShelfChangedOut):
    """A shelf after its count was compared with the books."""

    model_config = example(sku="mug", warehouse="zhejiang", free=497, changed=True, position=42)
    changed: Changed


class TransferredOut(ShelfChangedOut):
    """The shelf that units left for another warehouse."""

    model_config = example(
        sku="mug", warehouse="zhejiang", free=457, transfer="5f0c6f0e-transfer-1", position=42
    )
    transfer: str = Field(description="id under which they are received there")


class PackedOut(BaseModel):
    """A part that is in a parcel."""

    model_config = example(parcel=f"{_NUMBER}-P1", order=_NUMBER, warehouse="zhejiang", position=42)
    parcel: ParcelNumber
    order: OrderNumber
    warehouse: WarehouseCode
    position: NewPosition


class LabelledOut(BaseModel):
    """A parcel with a carrier's number on it."""

    model_config = example(
        parcel=f"{_NUMBER}-P1",
        carrier="shunfeng",
        waybill="SF1000000001",
        chosen="zhongtong",
        reason_wanted=True,
        callback_url=f"https://mall.example/v1/callbacks/kuaidi100/{_NUMBER}-P1.f00dbabe",
        position=42,
    )
    parcel: ParcelNumber
    carrier: str = Field(description="its code as Kuaidi100 writes it")
    waybill: str = Field(description="the carrier's number")
    chosen: str | None = Field(description="who was chosen for it; null where nobody was")
    reason_wanted: bool = Field(
        description="another carrier has it and nobody said why: send the label again with a reason"
    )
    callback_url: str = Field(description="where the carrier's pushes are sent")
    position: NewPosition


class RenumberedOut(BaseModel):
    """A parcel with the number that is really on it."""

    model_config = example(
        parcel="T261103A1B2C3D4E5F6-P1", carrier="shunfeng", waybill="SF1000000002", position=42
    )
    parcel: str = Field(description="number of the parcel")
    carrier: str = Field(description="its code as Kuaidi100 writes it")
    waybill: str = Field(description="the carrier's number")
    position: NewPosition


class HandedOverOut(BaseModel):
    """A parcel that is with its carrier."""

    model_config = example(parcel=f"{_NUMBER}-P1", orders=[_NUMBER], position=42)
    parcel: ParcelNumber
    orders: list[str] = Field(description="numbers of the orders in it")
    position: NewPosition


class MoveOut(BaseModel):
    """Units that another warehouse sends instead."""

    warehouse: WarehouseCode
    quantity: UnitCount
    part: int = Field(description="number of the part they are in now")


class ShortOut(BaseModel):
    """What became of units that were not found."""

    model_config = example(
        order=_NUMBER,
        part=1,
        found=0,
        moved=[{"warehouse": "shaanxi", "quantity": 1, "part": 2}],
        waits=0,
        position=42,
    )
    order: OrderNumber
    part: PartNumber
    found: int = Field(description="units that are there")
    moved: list[MoveOut] = Field(description="what other warehouses send instead")
    waits: int = Field(description="units that no warehouse has: the learner chooses")
    position: NewPosition


class SettledOut(BaseModel):
    """Pushes that could not be read and wait for nobody any more."""

    model_config = example(parcel=f"{_NUMBER}-P1", settled=1, position=42)
    parcel: ParcelNumber
    settled: int = Field(description="how many waited")
    position: NewPosition


class ClosedOut(BaseModel):
    """The books after a closing."""

    model_config = example(closed_until="2026-10-31", position=42)
    closed_until: date = Field(description="last day that is closed, in the business time zone")
    position: NewPosition


class PushTakenOut(BaseModel):
    """The reply that Kuaidi100 expects; anything else makes it send the push again (wire 1.6)."""

    model_config = example(result=True, returnCode="200", message="成功")
    result: bool = Field(description="false: it is to be sent again")
    returnCode: str = Field(description="200, or 500 to have it sent again")  # noqa: N815  theirs
    message: str = Field(description="free text")


class CarrierTakenOut(BaseModel):
    """The reply that a carrier expects, in its own words: SF's, until another one pushes here."""

    model_config = example(return_code="0000", return_msg="成功")
    return_code: str = Field(description="0000, or 1000 to have it sent again")
    return_msg: str = Field(description="free text")


class NoticeTakenOut(BaseModel):
    """What a notice of the payment provider led to."""

    model_config = example(number=_NUMBER, status="pending_shipment", position=42)
    number: OrderNumber
    status: State | None = Field(default=None, description="of the order, after a payment")
    refund: str | None = Field(default=None, description="id of the refund it was about")
    state: str | None = Field(default=None, description="of that refund")
    position: NewPosition
