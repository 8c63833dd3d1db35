"""Olist's marketplace orders as a mall sees them (CC BY-NC-SA 4.0, for measuring only).

Brazil's states stand in for provinces, one for one, because the house ships within China; the
times are Brasília's. Prices in reais become points (ten a real), freight the cash part.
"""

import csv
import gzip
import statistics
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from application.divisions import address_reader
from domain.countries import is_abroad
from domain.divisions import Level
from domain.regions import PROVINCES, REMOTE_PROVINCES

BRASILIA = timezone(timedelta(hours=-3))
POINTS_PER_REAL = 10
UNWEIGHED_GRAMS = 500
"""What a product weighs of which Olist says nothing, or 0: the house asks what goods weigh."""
STATES = (
    "AC", "AL", "AM", "AP", "BA", "CE", "DF", "ES", "GO", "MA", "MG", "MS", "MT", "PA", "PB",
    "PE", "PI", "PR", "RJ", "RN", "RO", "RR", "RS", "SC", "SE", "SP", "TO",
)  # fmt: skip
PROVINCE_OF = dict(
    zip(
        STATES,
        (p for p in PROVINCES.values() if p not in REMOTE_PROVINCES and not is_abroad(p)),
        strict=False,
    )
)
_DIVISIONS = address_reader().divisions
CITY_OF = {
    province.name: next(
        (one.name for one in _DIVISIONS.below(province) if one.level is Level.CITY), province.name
    )
    for province in _DIVISIONS.provinces()
}
"""A city of each province: Brazilian ones would be asked about (O7)."""


@dataclass(frozen=True, slots=True)
class Item:
    """A product at its median price and freight."""

    sku: str
    category: str
    points: int
    cash_fen: int
    value_fen: int
    weight_grams: int
    size_millimetres: tuple[int, int, int] | None
    stock: Mapping[str, int]
    """Units to have in each seller's state: as many as were sold of it anywhere."""


@dataclass(frozen=True, slots=True)
class Sale:
    """One order with its own times."""

    id: str
    learner: str
    state: str
    city: str
    status: str
    units: Mapping[str, int]
    sellers: int
    seller_states: int
    placed_at: datetime
    paid_at: datetime | None
    handed_over_at: datetime | None
    signed_at: datetime | None

    @property
    def in_order(self) -> bool:
        """Whether its times follow each other."""
        times = [self.placed_at, self.paid_at, self.handed_over_at, self.signed_at]
        known = [one for one in times if one is not None]
        return known == sorted(known)


@dataclass
class Olist:
    """Items and orders."""

    items: list[Item] = field(default_factory=list)
    sales: list[Sale] = field(default_factory=list)


def is_here(data: Path) -> bool:
    """Whether the data set is in this folder."""
    return (data / "olist" / "orders.csv.gz").exists()


def read(data: Path, *, limit: int | None = None) -> Olist:
    """The first `limit` orders by time of purchase, and the items in them."""
    folder = data / "olist"
    sellers = {row["seller_id"]: row["seller_state"] for row in _rows(folder / "sellers.csv.gz")}
    customers = {row["customer_id"]: row for row in _rows(folder / "customers.csv.gz")}
    lines: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in _rows(folder / "order_items.csv.gz"):
        lines[row["order_id"]].append(row)
    orders = sorted(
        _rows(folder / "orders.csv.gz"), key=lambda row: row["order_purchase_timestamp"]
    )[:limit]
    found = Olist()
    sold: dict[str, list[dict[str, str]]] = defaultdict(list)
    for order in orders:
        mine = lines.get(order["order_id"], [])
        found.sales.append(_sale(order, customers[order["customer_id"]], mine, sellers))
        for line in mine:
            sold[line["product_id"]].append(line)
    for product in _rows(folder / "products.csv.gz"):
        if product["product_id"] in sold:
            found.items.append(_item(product, sold[product["product_id"]], sellers))
    return found


def _sale(
    order: dict[str, str],
    customer: dict[str, str],
    lines: list[dict[str, str]],
    sellers: Mapping[str, str],
) -> Sale:
    units: dict[str, int] = defaultdict(int)
    for line in lines:
        units[line["product_id"]] += 1
    placed_at = _moment(order["order_purchase_timestamp"])
    assert placed_at is not None
    return Sale(
        id=order["order_id"],
        learner=customer["customer_unique_id"],
        state=customer["customer_state"],
        city=customer["customer_city"],
        status=order["order_status"],
        units=units,
        sellers=len({line["seller_id"] for line in lines}),
        seller_states=len({sellers[line["seller_id"]] for line in lines}),
        placed_at=placed_at,
        paid_at=_moment(order["order_approved_at"]),
        handed_over_at=_moment(order["order_delivered_carrier_date"]),
        signed_at=_moment(order["order_delivered_customer_date"]),
    )


def _item(product: dict[str, str], sold: list[dict[str, str]], sellers: Mapping[str, str]) -> Item:
    price = statistics.median(float(line["price"]) for line in sold)
    freight = statistics.median(float(line["freight_value"]) for line in sold)
    sides = [
        round(float(product[f"product_{side}_cm"] or 0) * 10)
        for side in ("length", "width", "height")
    ]
    return Item(
        sku=product["product_id"],
        category=product["category"] or "?",
        points=max(1, round(price * POINTS_PER_REAL)),
        cash_fen=round(freight * 100),
        value_fen=round(price * 100),
        weight_grams=round(float(product["product_weight_g"] or 0)) or UNWEIGHED_GRAMS,
        size_millimetres=(sides[0], sides[1], sides[2]) if all(sides) else None,
        stock={sellers[line["seller_id"]]: len(sold) for line in sold},
    )


def _moment(text: str) -> datetime | None:
    return datetime.fromisoformat(text).replace(tzinfo=BRASILIA) if text else None


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        yield from csv.DictReader(lines)
