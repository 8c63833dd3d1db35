"""当时的账单 What partners had billed for parcels and orders as of a log position (W6)."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, LiteralString, cast

from application.streams import BILL
from domain.bill_facts import (
    BillFact,
    BillMatched,
    BillReceived,
    DifferenceAccepted,
    DifferenceContested,
    DifferencesFound,
    DifferencesGone,
)
from projections.billed_costs import Billed, folded, owed, with_orders_bill
from projections.log_then import LogThen
from projections.part_costs import PartCost
from projections.reading import compose, named_rows

TABLES = ("part_costs", "bill_lines", "bill_revisions")
_COMPARING = (
    BillReceived.fact_name, BillMatched.fact_name, DifferencesFound.fact_name,
    DifferencesGone.fact_name, DifferenceAccepted.fact_name, DifferenceContested.fact_name,
)  # fmt: skip


async def billed(
    log: LogThen, labels: Mapping[str, tuple[str, str]], warehouses: Mapping[str | None, str]
) -> Billed:
    """What is owed for each parcel by its partners' bills."""
    waybills = {waybill: parcel for parcel, (_, waybill) in labels.items()}
    numbers = [*labels, *waybills]
    query = compose(_BILLED, log.schema, TABLES, "")
    lines = await named_rows(log.connection, query, numbers=numbers, position=log.position)
    told = await log.facts({BILL.stream(one["bill"]) for one in lines}, *_COMPARING)
    bills = folded((one.key, cast("BillFact", one.fact)) for one in told)

    def had(line: Mapping[str, Any]) -> str | None:
        parcel: str = waybills.get(line["number"], line["number"])
        theirs = labels[parcel][0] if line["kind"] == "carrier" else warehouses[parcel]
        return parcel if line["partner"] == theirs else None

    return owed(lines, bills, had)


async def billed_by_order(
    log: LogThen, orders: Collection[str]
) -> dict[tuple[str, int], dict[str, int]]:
    """What warehouses billed under an order's number, by part of what they sent of it (W6)."""
    values = {"numbers": sorted(orders), "position": log.position}
    query = compose(_BILLED, log.schema, TABLES, "")
    lines = await named_rows(log.connection, query, **values)
    lines = [one for one in lines if one["kind"] == "warehouse"]
    if not lines:
        return {}
    told = await log.facts({BILL.stream(one["bill"]) for one in lines}, *_COMPARING)
    bills = folded((one.key, cast("BillFact", one.fact)) for one in told)
    sent: dict[str, list[PartCost]] = {}
    for row in await _sent_of(log, {one["number"] for one in lines}):
        sent.setdefault(f"{row.warehouse}:{row.order}", []).append(row)

    def had(line: Mapping[str, Any]) -> str | None:
        key = f"{line['partner']}:{line['number']}"
        return key if key in sent else None

    places = {row.parcel: row.warehouse for some in sent.values() for row in some}
    labels = await log.labels(sorted(filter(None, places)))
    by_parcel = await billed(log, labels, places)
    found: dict[tuple[str, int], dict[str, int]] = {}
    for key, costs in owed(lines, bills, had).items():
        found |= with_orders_bill(sent[key], costs, by_parcel)
    return found


async def _sent_of(log: LogThen, orders: Iterable[str]) -> list[PartCost]:
    """All that was handed over of these orders by the position, on whatever day."""
    query = compose(_SENT_OF_ORDERS, log.schema, TABLES, "")
    values = {"orders": sorted(orders), "position": log.position}
    cursor = await log.connection.execute(query, values)
    return [PartCost(*row) for row in await cursor.fetchall()]


_SENT_OF_ORDERS: LiteralString = """
SELECT order_number, part, warehouse, channel, skus, goods, carrier, freight_fen, packaging_fen,
    handling_fen, grams, parcel, placed_position, handed_at, handed_position, position
FROM {part_costs} WHERE handed_position <= %(position)s AND order_number = ANY(%(orders)s)
ORDER BY order_number, part
"""
_BILLED: LiteralString = """
SELECT l.bill, l.row_no, l.kind, l.partner, l.number, l.charge, l.fen FROM {bill_lines} l
    JOIN {bill_revisions} r ON r.bill = l.bill AND r.revision = 1
WHERE l.number = ANY(%(numbers)s) AND l.kind IN ('carrier', 'warehouse')
  AND l.position <= %(position)s
  AND (l.until_position IS NULL OR l.until_position > %(position)s)
ORDER BY r.position, l.row_no
"""
