"""评价处理 What a learner says of a completed order, with who brought it (O4, T9)."""

from collections.abc import Sequence
from typing import Any

from application.ordering import existing
from application.streams import ORDER, PARCEL
from application.unit import Unit
from domain import rating
from domain.orders import Order


def rate_order(unit: Unit, *, number: str, ratings: Sequence[rating.Rating]) -> dict[str, Any]:
    """Record ratings of lines, once each."""
    order = existing(unit, number)
    by_line = {one.line: _delivered(unit, order, one.line) for one in ratings}
    after = unit.record(ORDER, number, rating.rate(order, ratings, by_line=by_line))
    return {"number": number, "rated": [one.line for one in after.ratings]}


def _delivered(unit: Unit, order: Order, line: int) -> rating.Delivered:
    """The carriers and warehouses of the parts that a line's units came in."""
    parts = [part for part in order.parts if any(one.line == line for one in part.units)]
    boxes = [unit.read(PARCEL, part.parcel) for part in parts if part.parcel]
    carriers = dict.fromkeys(box.carrier for box in boxes if box.carrier)
    warehouses = dict.fromkeys(part.warehouse for part in parts if part.warehouse)
    return rating.Delivered(tuple(carriers), tuple(warehouses))
