"""寄还成本 What it costs to send refused goods of returns to their learner again (W6, D3)."""

from collections.abc import Iterable, Mapping

from application.billed_parcels import Terms, asked_by, packing
from application.sent_again import next_parcel, return_of
from application.terms_then import TermsThen
from domain.costs import by_line, shared
from domain.house_rules import HouseRules
from domain.parcels import Parcel
from domain.returns import Return
from domain.sent_again import goods_in
from projections.billed_costs import costing
from projections.billed_then import billed
from projections.log_then import LogThen
from projections.part_costs import PartCost

PartCosts = dict[tuple[str, int], int]
"""Fen by order and part."""


async def sent_again(
    log: LogThen,
    returns: Mapping[str, Return],
    rows: Iterable[PartCost],
    *,
    items: TermsThen,
    terms: Terms,
    rules: HouseRules,
) -> PartCosts:
    """What their parcels cost by part, shared by units: as quoted, until a bill tells it.

    The quote is their carrier's rate card on the day that they left, and their warehouse's terms
    for packing and handling; freight that nobody can quote costs nothing until it is billed.
    """
    left = {
        name: parcel
        for name, parcel in (await _parcels(log, returns)).items()
        if parcel.handed_over
    }
    orders = {row.order: row for row in rows}
    labels = {
        name: (one.carrier, one.waybill)
        for name, one in left.items()
        if one.carrier and one.waybill
    }
    places: dict[str | None, str] = {name: one.warehouse for name, one in left.items()}
    bills = await billed(log, labels, places) if labels else {}
    costs: PartCosts = {}
    for name, parcel in left.items():
        back = returns[return_of(name)]
        row = orders[back.order]
        goods = goods_in(parcel, back)
        cargo = items.cargo(row.skus, by_line(goods), row.placed_position)
        asked = asked_by(parcel, parcel.carrier or "", cargo, terms=terms, rules=rules)(cargo.grams)
        quoted = {"freight": 0 if asked is None else asked.fen} | {
            str(charge): fen for charge, fen in packing(parcel, cargo, terms=terms).items()
        }
        fen = sum(costing(quoted, bills.get(name, {})).values())
        for one, share in zip(goods, shared(fen, [one.quantity for one in goods]), strict=True):
            key = back.order, one.part
            costs[key] = costs.get(key, 0) + share
    return costs


async def _parcels(log: LogThen, returns: Iterable[str]) -> dict[str, Parcel]:
    """The parcels in which goods of these returns were packed again, each time they came back."""
    found: dict[str, Parcel] = {}
    names = [next_parcel(name) for name in returns]
    while names:
        some = await log.folded(names)
        found |= some
        names = [next_parcel(name) for name in some]
    return found
