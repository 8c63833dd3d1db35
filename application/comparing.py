"""对账盘点 A third party's stock against the books, each difference an adjustment (C3, W2)."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from psycopg.sql import SQL, Identifier

from application.envelope import Context
from application.gateways.third_party import CountMessage
from application.house import House
from application.stocking import check_kept
from application.streams import ITEM, STOCK, STOCKTAKE
from application.unit import Command, Unit
from domain.refusals import InvalidRequest
from domain.stock import (
    StockAdjusted,
    StockOfferedAgain,
    StockReleased,
    StockReserved,
    StockWithheld,
    stock_key,
)
from domain.stocktakes import (
    CountedUnits,
    StockCompared,
    StockDifference,
    Unexpected,
)

LOOKED_AT = 500
"""Newest facts of an item that are looked at: a busier one is left out of the comparison."""
STILL = tuple(
    fact.fact_name
    for fact in (StockReserved, StockReleased, StockAdjusted, StockWithheld, StockOfferedAgain)
)
"""Facts that move nothing on the shelf."""


class Seen(NamedTuple):
    """An item's stock as the log had it when the count came."""

    version: int
    moved: bool
    """Whether units came or went since they were counted, or nobody knows."""


async def compare_command(
    house: House, warehouse: str, message: CountMessage, *, raw: bytes, name: str, now: datetime
) -> Command:
    """Compare what a third party counted with the books as they were then, once (C3).

    Items that moved since are left out: counted again, they are compared.
    """
    counted: dict[str, int] = {}
    for line in message.data.lines:
        if line.sku in counted:
            raise InvalidRequest(field="lines", reason=f"{line.sku} is named twice")
        counted[line.sku] = line.quantity
    at = min(message.data.counted_at, now)
    seen = await _seen(house, warehouse, list(counted), since=at)
    principal = f"partner:third-party:{warehouse}"
    return Command(
        principal=principal,
        key=f"told:{name}",
        digest=hashlib.sha256(raw).digest(),
        context=Context(actor=principal, command=f"told:{name}"[:200]),
        decide=lambda unit: compare(
            unit,
            warehouse=warehouse,
            counted=counted,
            counted_at=at,
            seen=seen,
            tolerance_units=house.rules.stock_tolerance_units,
        ),
        streams=[STOCKTAKE.stream(warehouse)]
        + [STOCK.stream(stock_key(warehouse, sku)) for sku in counted],
    )


def compare(
    unit: Unit,
    *,
    warehouse: str,
    counted: Mapping[str, int],
    counted_at: datetime,
    seen: Mapping[str, Seen],
    tolerance_units: int,
) -> dict[str, Any]:
    """Keep what they say; book what differs little, list the rest and withhold what is missing.

    A count that is older than the newest, or of goods that moved since, says nothing.
    """
    known = unit.read(STOCKTAKE, warehouse)
    late = not known.newer(counted_at)
    differences: list[StockDifference] = []
    left_out: list[str] = []
    for sku, count in counted.items():
        key = stock_key(warehouse, sku)
        there = seen.get(sku, Seen(0, moved=False))
        if late or there.moved or unit.version(STOCK, key) != there.version:
            left_out.append(sku)
            continue
        found = known.judge(
            sku,
            counted=count,
            expected=unit.read(STOCK, key).shelf,
            unexpected=_unexpected(unit, warehouse, sku),
            tolerance_units=tolerance_units,
        )
        differences += [found] if found else []
        _follow(unit, warehouse, sku, found)
    fact = StockCompared(
        counted_at=counted_at,
        compared=len(counted) - len(left_out),
        differences=tuple(differences),
        left_out=tuple(left_out),
        told=tuple(CountedUnits(sku=sku, quantity=count) for sku, count in counted.items()),
    )
    unit.record(STOCKTAKE, warehouse, [fact])
    return {
        "warehouse": warehouse,
        "compared": fact.compared,
        "differences": [
            {**one.model_dump(), "waits": one.waits, "unexpected": one.unexpected}
            for one in differences
        ],
        "left_out": left_out,
    }


def settle(
    unit: Unit, *, warehouse: str, sku: str, difference: int, book: bool, reason: str
) -> dict[str, Any]:
    """Let the books follow a difference, or let them stand: somebody's decision, with its reason.

    Goods that were never sent there are for sale once the books follow, and not before; the
    warehouse must be able to keep them (C2). Raises `NotPossible` if it is another by now.
    """
    facts = unit.read(STOCKTAKE, warehouse).settle(
        sku, difference=difference, booked=book, reason=reason
    )
    key = stock_key(warehouse, sku)
    if book:
        check_kept(unit, sku=sku, warehouse=warehouse)
        stock = unit.read(STOCK, key)
        unit.record(STOCK, key, stock.follow(difference, source=warehouse, reason=reason))
    stock = unit.read(STOCK, key)
    after = unit.record(STOCK, key, stock.withhold(0, source=warehouse, reason=reason))
    unit.record(STOCKTAKE, warehouse, facts)
    return {"warehouse": warehouse, "sku": sku, "booked": book, "free": after.free}


def _unexpected(unit: Unit, warehouse: str, sku: str) -> Unexpected | None:
    if unit.read(ITEM, sku).terms is None:
        return Unexpected.UNKNOWN
    never = unit.version(STOCK, stock_key(warehouse, sku)) == 0
    return Unexpected.NEVER_SENT if never else None


def _follow(unit: Unit, warehouse: str, sku: str, found: StockDifference | None) -> None:
    """Book what is booked at once; of what is missing and waits, nothing is sold meanwhile."""
    key = stock_key(warehouse, sku)
    reason, missing = "counted as the books say", 0
    if found:
        reason = f"{found.counted} on the shelf, {found.expected} by the books"
        missing = max(0, -found.difference) if found.waits else 0
    if found and found.adjusted:
        stock = unit.read(STOCK, key)
        unit.record(STOCK, key, stock.follow(found.adjusted, source=warehouse, reason=reason))
    stock = unit.read(STOCK, key)
    unit.record(STOCK, key, stock.withhold(missing, source=warehouse, reason=reason))


async def _seen(
    house: House, warehouse: str, skus: list[str], *, since: datetime
) -> dict[str, Seen]:
    streams = [STOCK.stream(stock_key(warehouse, sku)) for sku in skus]
    query = SQL(_NEWEST).format(Identifier(house.schema, "tallypost_events"))
    values = {
        "skus": skus, "streams": streams, "since": since, "still": list(STILL),
        "limit": LOOKED_AT,
    }  # fmt: skip
    async with house.pool.connection() as connection:
        rows = await (await connection.execute(query, values, prepare=True)).fetchall()
    return {sku: Seen(version, moved) for sku, version, moved in rows}


_NEWEST = """
SELECT asked.sku, coalesce(max(newest.originator_version), 0),
    coalesce(bool_or(newest.topic <> ALL(%(still)s) AND newest.at >= %(since)s)
        OR count(newest.at) = %(limit)s AND min(newest.at) >= %(since)s, false)
FROM unnest(%(skus)s::text[], %(streams)s::text[]) AS asked(sku, stream)
LEFT JOIN LATERAL (
    SELECT originator_version, topic,
        (convert_from(state, 'UTF8')::jsonb ->> 'happened_at')::timestamptz AS at
    FROM {} WHERE originator_id = asked.stream
    ORDER BY originator_version DESC LIMIT %(limit)s
) newest ON true
GROUP BY asked.sku
"""
