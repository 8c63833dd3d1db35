"""账单计入 What partners' bills make a parcel cost, as of a log position (W6).

A bill counts once it was compared. What of a line is open or contested is no cost yet: the line
counts with what the house knows of it until somebody accepts it.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from application.streams import BILL
from domain.bill_facts import BillFact, BillKind, Charge
from domain.bills import Bill

Billed = dict[str, dict[str, int]]
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
    found: Billed = {}
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


def folded(facts: Iterable[tuple[str, BillFact]]) -> dict[str, Bill]:
    """Bills as these facts make them, by key."""
    bills: dict[str, Bill] = {}
    for key, fact in facts:
        bills[key] = BILL.evolve(bills.get(key, BILL.initial), fact)
    return bills
