"""Streams: which state a stream's facts fold into (`category:key`, design.md, Names)."""

import hashlib
from collections.abc import Callable
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter

import domain
from domain import (
    approvals,
    bills,
    books,
    catalogue,
    claims,
    consignments,
    dispute_fold,
    disputes,
    intercepts,
    notes,
    order_fold,
    orders,
    parcel_fold,
    parcels,
    points,
    privacy,
    rate_cards,
    return_fold,
    returns,
    single_handed,
    stock,
    stocktakes,
    traffic,
    warehouses,
    waves,
    waybills,
    weeks,
)

S = TypeVar("S")


class Category(Generic[S]):
    """A kind of stream: its name, the state before any fact, and the fold.

    `begun`: its first fact brings into being what it is about, and nothing of that can have
    happened before, whatever a late fact says of its time.
    """

    def __init__(
        self, name: str, initial: S, evolve: Callable[[S, Any], S], *, begun: bool = False
    ) -> None:
        self.name = name
        self.prefix = f"{name}:"
        self.initial = initial
        self.evolve = evolve
        self.begun = begun

    def stream(self, key: str) -> str:
        """The id of the stream with this key."""
        return self.prefix + key

    @cached_property
    def states(self) -> TypeAdapter[S]:
        """Reads and writes states as snapshots keep them."""
        return TypeAdapter(type(self.initial))


@cache
def fold_fingerprint() -> str:
    """Changes whenever a line of `domain/` does, so that older snapshots are ignored (R27).

    Coarse on purpose: a fold may call into a neighbour's room, and folding anew is cheap.
    """
    digest = hashlib.sha256()
    for source in sorted(Path(domain.__path__[0]).glob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


ACCOUNT = Category("account", points.Account(), points.evolve)
APPROVAL = Category("approval", approvals.Approval(), approvals.evolve, begun=True)
BILL = Category("bill", bills.Bill(), bills.evolve, begun=True)
BOOKS = Category("books", books.Books(), books.evolve)
CLAIM = Category("claim", claims.Claim(), claims.evolve, begun=True)
CONSIGNMENT = Category("consignment", consignments.Consignment(), consignments.evolve, begun=True)
DISPUTE = Category("dispute", disputes.Dispute(), dispute_fold.evolve, begun=True)
INTERCEPT = Category("intercept", intercepts.Intercept(), intercepts.evolve, begun=True)
ITEM = Category("item", catalogue.Item(), catalogue.evolve)
NETWORK = Category("network", warehouses.Network(), warehouses.evolve)
NOTES = Category("notes", notes.Notes(), notes.evolve)
ORDER = Category("order", orders.Order(), order_fold.evolve, begun=True)
PARCEL = Category("parcel", parcels.Parcel(), parcel_fold.evolve, begun=True)
PRIVACY = Category("privacy", privacy.Privacy(), privacy.evolve)
RATES = Category("rates", rate_cards.RateCards(), rate_cards.evolve)
RETURN = Category("return", returns.Return(), return_fold.evolve, begun=True)
SINGLE_HANDED = Category("single_handed", single_handed.NOBODY, single_handed.evolve)
STOCK = Category("stock", stock.Stock(), stock.evolve)
STOCKTAKE = Category("stocktake", stocktakes.Stocktake(), stocktakes.evolve)
TRAFFIC = Category("traffic", traffic.Traffic(), traffic.evolve)
WAVE = Category("wave", waves.Wave(), waves.evolve, begun=True)
WEEK = Category("week", weeks.Week(), weeks.evolve, begun=True)
WAYBILL = Category("waybill", waybills.Waybill(), waybills.evolve)

_ALL: tuple[Category[Any], ...] = (
    ACCOUNT, APPROVAL, BILL, BOOKS, CLAIM, CONSIGNMENT, DISPUTE, INTERCEPT, ITEM, NETWORK, NOTES,
    ORDER, PARCEL, PRIVACY, RATES, RETURN, SINGLE_HANDED, STOCK, STOCKTAKE, TRAFFIC, WAVE, WAYBILL,
    WEEK,
)  # fmt: skip
CATEGORIES: dict[str, Category[Any]] = {category.name: category for category in _ALL}

MALL = "mall"
"""The key of the one network of warehouses, and of all that there is one of in a mall."""


def category_of(stream: str) -> Category[Any]:
    """The category a stream id belongs to."""
    return CATEGORIES[stream.partition(":")[0]]
