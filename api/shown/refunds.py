"""What goes back for an order, or is asked for: for the API's description alone (D4, O5, A8)."""

from pydantic import BaseModel, Field

from domain.order_facts import Fault


class CashRefundOut(BaseModel):
    """A refund of the cash part."""

    refund: str = Field(
        description="its id, also at the payment provider", examples=["T1-refund-1"]
    )
    state: str = Field(description="requested, confirmed or failed")


class ProposedUnitsOut(BaseModel):
    """Units of a line in a part."""

    part: int = Field(ge=1, description="number of the order's part, from 1")
    line: int = Field(ge=1, description="number of the order's line, from 1")
    quantity: int = Field(ge=1, description="units")


class ProposedRefundOut(BaseModel):
    """A refund that waits for a second person (A8)."""

    approval: str = Field(description="where they decide: `/v1/approvals/{approval}`")
    maker: str = Field(description="who asked")
    points: int = Field(description="that would go back")
    cash_fen: int = Field(description="that would go back, in fen")
    fault: Fault
    reason: str = Field(description="in words of who asked")
    goods_back: bool = Field(description="whether they say that the goods are in the house again")
    units: list[ProposedUnitsOut] = Field(description="what it is for")
