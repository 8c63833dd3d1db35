"""成本视图 What sending each part was quoted at, and which payment is whose (S1, W6).

A row moves with its order's plan until the part is handed over, and not after: what a report says
of a position it can say again.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from application.streams import ORDER
from domain.costs import units_of
from domain.order_facts import (
    OrderPlaced,
    OrderSplit,
    PartHandedOver,
    PartPacked,
    Units,
    UnitsCancelled,
    UnitsFellShort,
)
from domain.payment_facts import PaymentCaptured
from domain.release_facts import PartPicked, PartUnpacked
from domain.splitting import Plan, PlannedPart
from projections.reading import Event, Tables, View

_TELLING = (
    OrderPlaced, OrderSplit, PartHandedOver, PartPacked, PartPicked, PartUnpacked, UnitsCancelled,
    UnitsFellShort,
)  # fmt: skip


class PartCost(NamedTuple):
    """A part's row while a batch is folded into it."""

    order: str
    part: int
    warehouse: str
    channel: str
    skus: str
    goods: str
    carrier: str | None
    freight_fen: int
    packaging_fen: int
    handling_fen: int
    grams: int
    parcel: str | None
    placed_position: int
    handed_at: datetime | None
    handed_position: int | None
    position: int

    @property
    def units(self) -> dict[int, int]:
        """Units by line."""
        return units_of(self.goods)

    def without(self, gone: Mapping[int, int]) -> "PartCost":
        """The part without these units of its lines."""
        left = {line: n - gone.get(line, 0) for line, n in self.units.items()}
        return self._replace(goods=_goods(left))


class PartCosts(View):
    """One row a part that a warehouse sends; one a payment."""

    name = "part_costs"
    tables = ("part_costs", "captures")

    async def apply(self, events: Sequence[Event], tables: Tables) -> None:
        """Fold these events into the orders they belong to."""
        mine = [one.envelope for one in events if one.envelope.category == ORDER.name]
        await tables.unnest(
            _CAPTURED,
            [
                (fact.attempt, one.key, fact.means, fact.amount_fen, fact.paid_at, one.position)
                for one in mine
                if isinstance(fact := one.fact, PaymentCaptured)
            ],
        )
        mine = [one for one in mine if isinstance(one.fact, _TELLING)]
        known = {one.key for one in mine} - {one.key for one in mine if one.version == 1}
        rows: dict[str, dict[int, PartCost]] = {}
        for found in await tables.rows(_LOAD, list(known)) if known else ():
            row = PartCost(*found)
            rows.setdefault(row.order, {})[row.part] = row
        for one in mine:
            rows[one.key] = _folded(rows.get(one.key, {}), one)
        if known:
            await tables.run(_CLEAR, list(known))
        await tables.unnest(_INSERT, [row for parts in rows.values() for row in parts.values()])


def _folded(parts: dict[int, PartCost], one: Any) -> dict[int, PartCost]:
    """An order's parts after one more fact."""
    fact, moved = one.fact, dict(parts)
    if isinstance(fact, OrderPlaced):
        return {
            part.part: _planned(part, one.key, fact.channel, _skus(fact), one.position)
            for part in fact.plan.parts
            if part.warehouse is not None
        }
    if isinstance(fact, OrderSplit):
        moved = _replanned(parts, fact.plan, one.key)
    elif isinstance(fact, UnitsFellShort | UnitsCancelled):
        gone = fact.units if isinstance(fact, UnitsCancelled) else (_short(fact),)
        for unit in gone:
            if unit.part in moved:
                moved[unit.part] = moved[unit.part].without({unit.line: unit.quantity})
    elif fact.part in moved:
        unpacked = isinstance(fact, PartUnpacked)
        changes: dict[str, Any] = {"parcel": None if unpacked else fact.parcel}
        if isinstance(fact, PartHandedOver):
            changes |= {"handed_at": one.happened_at, "handed_position": one.position}
        if moved[fact.part].handed_position is None:
            moved[fact.part] = moved[fact.part]._replace(**changes)
    return {n: row if row == parts.get(n) else _at(row, one.position) for n, row in moved.items()}


def _at(row: PartCost, position: int) -> PartCost:
    return row._replace(position=position)


def _replanned(parts: dict[int, PartCost], plan: Plan, order: str) -> dict[int, PartCost]:
    """The plan's parts beside those that were picked, as the order itself has it.

    What is packed and still in the house may be sent otherwise than it was planned (O8).
    """
    stay = {n: row for n, row in parts.items() if row.parcel is not None}
    if not parts:  # courses alone until now: nothing was ever sent from it
        return stay
    any_row = next(iter(parts.values()))
    new = {
        part.part: _planned(part, order, any_row.channel, any_row.skus, any_row.placed_position)
        for part in plan.parts
        if part.warehouse is not None
    }
    for number, row in stay.items():
        if number not in new or row.handed_position is not None:
            new[number] = row
        else:
            new[number] = new[number]._replace(parcel=row.parcel)
    return {**stay, **new}


def _planned(
    part: PlannedPart, order: str, channel: str, skus: str, placed_position: int
) -> PartCost:
    sent = part.shipping
    return PartCost(
        order,
        part.part,
        part.warehouse or "",
        str(channel),
        skus,
        _goods({unit.line: unit.quantity for unit in part.units}),
        sent.carrier if sent else None,
        sent.freight_fen if sent else 0,
        sent.packaging_fen if sent else 0,
        sent.handling_fen if sent else 0,
        sent.chargeable_grams if sent else 0,
        None,
        placed_position,
        None,
        None,
        placed_position,
    )


def _short(fact: UnitsFellShort) -> Units:
    return Units(part=fact.part, line=fact.line, quantity=fact.quantity)


def _skus(fact: OrderPlaced) -> str:
    return ",".join(line.sku for line in fact.lines)


def _goods(units: Mapping[int, int]) -> str:
    return ",".join(f"{line}:{n}" for line, n in sorted(units.items()) if n > 0)


_COLUMNS = """
    order_number, part, warehouse, channel, skus, goods, carrier, freight_fen, packaging_fen,
    handling_fen, grams, parcel, placed_position, handed_at, handed_position, position
"""
_LOAD = f"SELECT {_COLUMNS} FROM {{part_costs}} WHERE order_number = ANY(%b)"
_CLEAR = "DELETE FROM {part_costs} WHERE order_number = ANY(%b)"
_INSERT = f"""
INSERT INTO {{part_costs}} ({_COLUMNS})
SELECT * FROM unnest(%b::text[], %b::bigint[], %b::text[], %b::text[], %b::text[], %b::text[],
    %b::text[], %b::bigint[], %b::bigint[], %b::bigint[], %b::bigint[], %b::text[], %b::bigint[],
    %b::timestamptz[], %b::bigint[], %b::bigint[])
"""
_CAPTURED = """
INSERT INTO {captures} (attempt, order_number, means, amount_fen, paid_at, position)
SELECT * FROM unnest(%b::text[], %b::text[], %b::text[], %b::bigint[], %b::timestamptz[],
    %b::bigint[])
ON CONFLICT DO NOTHING
"""
