"""账单计入 What partners' bills make a parcel cost, as of a log position (W6).

A bill counts once it was compared. What of a line is open or contested is no cost yet: the line
counts with what the house knows of it until somebody accepts it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from application.streams import BILL
from domain.bill_facts import BillFact, BillKind, Charge
from domain.bills import Bill
from domain.costs import shared
from domain.splitting import Shipping
from projections.part_costs import PartCost

Billed = Mapping[str, Mapping[str, int]]
"""Fen by parcel and kind of cost."""

_COSTS = {
    (BillKind.CARRIER, Charge.FREIGHT): "freight",
    (BillKind.CARRIER, Charge.SURCHARGE): "surcharge",
    (BillKind.CARRIER, Charge.PACKAGING): "more_packaging",
    (BillKind.CARRIER, Charge.OTHER): "more_freight",
    (BillKind.WAREHOUSE, Charge.PACKAGING): "packaging",
    (BillKind.WAREHOUSE, Charge.HANDLING): "handling",
    (BillKind.WAREHOUSE, Charge.OTHER): "more_handling",
}


def owed(
    lines: Iterable[Mapping[str, Any]],
    bills: Mapping[str, Bill],
    parcel_of: Callable[[Mapping[str, Any]], str | None],
) -> Billed:
    """What is owed for each parcel by its lines; None: the line's partner did not have it.

    A line of which nothing is owed so far leaves the parcel as it was quoted.
    """
    disputed = {key: _disputed(bill) for key, bill in bills.items()}
    found: dict[str, dict[str, int]] = {}
    for line in lines:
        parcel = parcel_of(line)
        cost = _COSTS.get((BillKind(line["kind"]), Charge(line["charge"])))
        bill = bills[line["bill"]]
        if parcel is None or cost is None or bill.matched is None:
            continue
        fen = line["fen"] - disputed[line["bill"]].get(line["row_no"], 0)
        if fen or line["fen"] == 0:
            costs = found.setdefault(parcel, {})
            costs[cost] = costs.get(cost, 0) + fen
    return found


def _disputed(bill: Bill) -> dict[int, int]:
    """By row, how much of it nobody has accepted; what is cheaper than expected is as it is."""
    rows: dict[int, int] = {}
    for one in bill.found.values():
        if one.row is not None and bill.standing(one) in ("open", "contested"):
            rows[one.row] = rows.get(one.row, 0) + one.fen
    return rows


def costing(quoted: Mapping[str, int], billed: Mapping[str, int]) -> dict[str, int]:
    """Freight, packaging and handling, each as billed or else as quoted, with what came on top.

    A surcharge is part of the quote: it counts by itself only beside a billed freight.
    """
    costs = {
        name: billed.get(name, fen) + billed.get(f"more_{name}", 0) for name, fen in quoted.items()
    }
    if "freight" in billed:
        costs["freight"] += billed.get("surcharge", 0)
    return costs


def planned_together(parts: Sequence[PartCost], shipping: Shipping) -> list[PartCost]:
    """The parts with their shares of the one parcel: by what each would have cost alone."""
    freight = shared(shipping.freight_fen, [one.freight_fen for one in parts])
    grams = shared(shipping.chargeable_grams, [one.grams for one in parts])
    return [
        one._replace(
            carrier=shipping.carrier,
            freight_fen=fen,
            grams=weight,
            packaging_fen=shipping.packaging_fen,
            handling_fen=shipping.handling_fen,
        )
        for one, fen, weight in zip(parts, freight, grams, strict=True)
    ]


def parcel_costs(
    parts: Sequence[PartCost], quote: int | None, billed: Mapping[str, int]
) -> list[tuple[int, int, int]]:
    """Freight, packaging and handling of the parts in one parcel, as billed or else as quoted.

    A parcel is packed and handled once, however many parts share it; `quote` is what its carrier
    asks where another one was planned, None: nobody knows.
    """
    planned = [one.freight_fen for one in parts]
    quoted = {
        "freight": sum(planned) if quote is None else quote,
        "packaging": max(one.packaging_fen for one in parts),
        "handling": max(one.handling_fen for one in parts),
    }
    sums = costing(quoted, billed)
    return list(
        zip(
            *(shared(sums[name], planned) for name in ("freight", "packaging", "handling")),
            strict=True,
        )
    )


def with_orders_bill(
    parts: Sequence[PartCost], billed: Mapping[str, int], by_parcel: Billed = MappingProxyType({})
) -> dict[tuple[str, int], dict[str, int]]:
    """What a warehouse billed under an order's number, shared among all it sent of that order.

    Each kind by what the parts were quoted at for it: whole fen that add up to the bill. A part
    whose parcel was billed by itself has its costs from there, if another has not.
    """
    found: dict[tuple[str, int], dict[str, int]] = {(one.order, one.part): {} for one in parts}
    for cost, fen in billed.items():
        kind = cost.removeprefix("more_")
        rest = [one for one in parts if kind not in by_parcel.get(one.parcel or "", {})] or parts
        weights = [one.packaging_fen if kind == "packaging" else one.handling_fen for one in rest]
        for one, share in zip(rest, shared(fen, weights), strict=True):
            found[one.order, one.part][cost] = share
    return found


def beside(
    share: tuple[int, int, int], of_parcel: Mapping[str, int], of_order: Mapping[str, int]
) -> tuple[int, int, int]:
    """A part's costs with its share of what was billed under its order's number.

    What is owed there takes the place of what was quoted, and comes on top of what is owed for the
    parcel: matching tells what of it was billed twice, and that is not owed.
    """
    freight, *rest = share
    packaging, handling = (
        (fen if name in of_parcel or name not in of_order else 0)
        + of_order.get(name, 0)
        + of_order.get(f"more_{name}", 0)
        for name, fen in zip(("packaging", "handling"), rest, strict=True)
    )
    return freight, packaging, handling


def folded(facts: Iterable[tuple[str, BillFact]]) -> dict[str, Bill]:
    """Bills as these facts make them, by key."""
    bills: dict[str, Bill] = {}
    for key, fact in facts:
        bills[key] = BILL.evolve(bills.get(key, BILL.initial), fact)
    return bills
