"""What callers send about goods that come back (D3)."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from api.bodies import Body, ItemSku, UnitsIn, Whole, Why
from api.bodies_of_cases import MessageIn, Said
from api.shown.fields import example
from domain.order_facts import Fault
from domain.return_facts import Criterion, Payer, Remedy, Verdict

Carrier = Annotated[
    str,
    StringConstraints(min_length=2, max_length=40, pattern=r"^[a-z0-9_]+$"),
]
Waybill = Annotated[
    str,
    StringConstraints(min_length=5, max_length=40, pattern=r"^[A-Za-z0-9-]+$"),
]


class ReturnIn(Body):
    """What a learner wants to give back, why, and what for (rules.md 28)."""

    model_config = example(
        remedy="refund",
        reason="damaged",
        lines=[{"sku": "enamel-mug", "quantity": 1}],
        words="杯口有裂纹",
    )
    remedy: Remedy
    reason: Fault
    lines: Annotated[list[UnitsIn], Field(min_length=1, max_length=50)] | None = Field(
        default=None, description="all that can be given back, if left out"
    )
    words: Said | None = Field(default=None, description="what is wrong; sealed, never in a fact")


class SendingIn(Body):
    """Under which number the goods were sent; nothing where the house gave a label."""

    model_config = example(carrier="shunfeng", waybill="SF1234567890")
    carrier: Carrier | None = Field(default=None, description="its code as Kuaidi100 writes it")
    waybill: Waybill | None = Field(default=None, description="the carrier's number")


class FoundIn(Body):
    """What an inspection found of some units."""

    sku: ItemSku
    quantity: Annotated[Whole, Field(ge=1, le=10_000, description="units")]
    verdict: Verdict
    failed: list[Criterion] = Field(
        default_factory=list, max_length=5, description="criteria that they do not meet"
    )


class InspectionIn(Body):
    """What became of goods that came back; every unit of the return is named once."""

    model_config = example(
        goods=[
            {"sku": "enamel-mug", "quantity": 1, "verdict": "restock"},
            {"sku": "enamel-mug", "quantity": 1, "verdict": "refuse", "failed": ["unused"]},
        ],
        reason="one of them was used",
    )
    goods: Annotated[
        list[FoundIn], Field(min_length=1, max_length=50, description="by item and verdict")
    ]
    reason: Why
    payer: Payer | None = Field(
        default=None, description="who is at fault after all; as the reason says, if left out"
    )
    instead: Literal[Remedy.REFUND] | None = Field(
        default=None, description="for an exchange whose goods are nowhere"
    )
    message: MessageIn | None = Field(
        default=None, description="to the learner; the house's own words, if left out"
    )


class ReturnDecisionIn(Body):
    """Whether staff agree to a refund without the goods."""

    model_config = example(agree=True, reason="not worth the way back")
    agree: bool = Field(description="false: the learner gets nothing")
    reason: Why
    message: MessageIn | None = Field(
        default=None, description="to the learner; the house's own words, if left out"
    )
