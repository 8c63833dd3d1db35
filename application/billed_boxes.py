"""账单中的箱 What each order has in each parcel, and what a warehouse may bill for it (W6).

A parcel is packed and handled once, however many orders share it: each has its share of that, by
what its parts would have cost to send alone. So a parcel's bill and its orders' are about the same.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, LiteralString, NamedTuple

from domain.bill_facts import Charge
from domain.bill_known import Box, Known
from domain.costs import shared

Row = Mapping[str, Any]
_FEES = {Charge.HANDLING: "handling_fen", Charge.PACKAGING: "packaging_fen"}


class Boxed(NamedTuple):
    """What one order has in one parcel, or in none yet, and what its warehouse may bill for it."""

    warehouse: str
    handed_over: bool
    fees: Mapping[Charge, int]


def boxes_of(parts: Iterable[Row]) -> dict[Box, Boxed]:
    """The boxes of these parts: all parts of each of their parcels have to be among them."""
    together: dict[str | Box, list[Row]] = {}
    for row in parts:
        together.setdefault(row["parcel"] or _box(row), []).append(row)
    found: dict[Box, Boxed] = {}
    for some in together.values():
        fees = {charge: _shares(some, name) for charge, name in _FEES.items()}
        for row in some:
            mine = {charge: shares[row["order_number"]] for charge, shares in fees.items()}
            found[_box(row)] = Boxed(row["warehouse"], row["handed_over"], mine)
    return found


def _box(row: Row) -> Box:
    """Which box a part is in: its order's in its parcel, or its own while it has none."""
    order: str = row["order_number"]
    return (row["parcel"], order) if row["parcel"] else (order, str(row["part"]))


def _shares(parts: Sequence[Row], name: str) -> dict[str, int]:
    """A parcel's fee by order."""
    fees: dict[str, int] = {}
    shares = shared(max(row[name] for row in parts), [row["freight_fen"] for row in parts])
    for row, share in zip(parts, shares, strict=True):
        fees[row["order_number"]] = fees.get(row["order_number"], 0) + share
    return fees


def in_parcels(boxes: Mapping[Box, Boxed]) -> dict[str, dict[Box, Mapping[Charge, int]]]:
    """What may be billed for each parcel, by box."""
    found: dict[str, dict[Box, Mapping[Charge, int]]] = {}
    for box, one in boxes.items():
        found.setdefault(box[0], {})[box] = one.fees
    return found


def whole_orders(
    boxes: Mapping[Box, Boxed], parts: Iterable[Row], partner: str
) -> dict[str, Known]:
    """All that one warehouse sent of each order; of another's, that it was not theirs."""
    mine: dict[str, dict[Box, Boxed]] = {}
    for row in parts:
        box = _box(row)
        mine.setdefault(row["order_number"], {})[box] = boxes[box]
    return {order: _whole(order, some, partner) for order, some in mine.items()}


def _whole(order: str, boxes: Mapping[Box, Boxed], partner: str) -> Known:
    theirs = {box: one for box, one in boxes.items() if one.warehouse == partner}
    some = theirs or boxes
    return Known(
        about=order,
        theirs=bool(theirs),
        handed_over=all(one.handed_over for one in some.values()),
        ours={charge: sum(one.fees[charge] for one in some.values()) for charge in _FEES},
        boxes={box: one.fees for box, one in some.items()},
    )


PARTS: LiteralString = """
SELECT order_number, part, warehouse, parcel, handling_fen, packaging_fen, freight_fen,
    handed_at IS NOT NULL AS handed_over
FROM {part_costs} WHERE order_number = ANY(%(orders)s) OR parcel = ANY(%(parcels)s)
ORDER BY order_number, part
"""
