"""What lists of orders show. For the API's description alone."""

from pydantic import AwareDatetime, BaseModel, Field

from api.shown.fields import ItemSku, LearnerId, Next, OrderNumber, example
from domain.catalogue import Kind
from domain.order_facts import State


class ListedLineOut(BaseModel):
    """One item of an order in a list."""

    sku: ItemSku
    name: str = Field(description="of the item when it was ordered")
    kind: Kind = Field(description="goods travel, courses are opened")
    quantity: int = Field(description="units ordered")
    gone: int = Field(description="units that were cancelled or refunded")


class ListedOut(BaseModel):
    """An order in a list; with `as_of` or `known_at`, `since` says when that state began."""

    number: OrderNumber
    learner: LearnerId
    status: State = Field(description="as customers see it")
    state: State | None = Field(default=None, description="for staff")
    placed_at: AwareDatetime | None = Field(
        default=None, description="left out with `as_of` or `known_at`"
    )
    points: int | None = Field(default=None, description="paid or held for it")
    cash_fen: int | None = Field(default=None, description="cash part, in fen")
    lines: list[ListedLineOut] | None = Field(
        default=None, description="left out with `as_of` or `known_at`"
    )
    choice: bool | None = Field(
        default=None, description="units of it are missing and its learner is asked what to do"
    )
    since: AwareDatetime | None = Field(
        default=None, description="with `as_of` or `known_at`: when that state began"
    )


_LISTED = {
    "number": "T261103A1B2C3D4E5F6",
    "learner": "lin",
    "status": "pending_shipment",
    "placed_at": "2026-11-03T02:14:08.120931Z",
    "points": 480,
    "cash_fen": 0,
    "lines": [{"sku": "notebook", "name": "笔记本", "kind": "parcel", "quantity": 1, "gone": 0}],
    "choice": False,
}


class FoundOrderOut(ListedOut):
    """An order that was searched for."""

    external_number: str | None = Field(description="its number at an outside shop")
    external_orders: int = Field(
        description="orders that have this outside number: with more than one, a caller who "
        "states it may mean any of them"
    )


_FOUND = {
    **_LISTED,
    "state": "pending_shipment",
    "external_number": "TB-2026110300071",
    "external_orders": 1,
}


class FoundOut(BaseModel):
    """Orders that were searched for."""

    model_config = example(orders=[_FOUND])
    orders: list[FoundOrderOut] = Field(description="newest first")


class OrdersOut(BaseModel):
    """A page of orders, newest first."""

    model_config = example(orders=[_LISTED], next=None)
    orders: list[ListedOut] = Field(description="newest first")
    next: Next
    position: int | None = Field(
        default=None, description="with `as_of` or `known_at`: what was known"
    )
