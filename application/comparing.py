"""对账盘点 A third party's stock against the books, each difference an adjustment (C3)."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from psycopg.sql import SQL, Identifier

from application.envelope import Context
from application.gateways.third_party import CountMessage
from application.house import House
from application.streams import ITEM, STOCK, STOCKTAKE
from application.unit import Command, Unit
from domain.refusals import InvalidRequest
from domain.stock import Stock, StockReleased, StockReserved, stock_key
from domain.stocktakes import StockCompared, difference

LOOKED_AT = 500
"""Newest facts of an item that are looked at: a busier one is left out of the comparison."""
STILL = (StockReserved.fact_name, StockReleased.fact_name)
"""Facts that move nothing on the shelf."""


class Seen(NamedTuple):
    """An item's stock as the log had it when the count came."""

    version: int
    moved: bool
    """Whether units came or went since they were counted."""


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
            unit, warehouse=warehouse, counted=counted, counted_at=at, seen=seen
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
) -> dict[str, Any]:
    """Adjust what differs, with the reason; a count that is older than the newest says nothing."""
    answer: dict[str, Any] = {"warehouse": warehouse}
    if not unit.read(STOCKTAKE, warehouse).newer(counted_at):
        return {**answer, "compared": 0, "differences": [], "left_out": list(counted)}
    differences, left_out = [], []
    for sku, count in counted.items():
        key = stock_key(warehouse, sku)
        known = seen.get(sku, Seen(0, moved=False))
        if (
            unit.read(ITEM, sku).terms is None
            or known.moved
            or unit.version(STOCK, key) != known.version
        ):
            left_out.append(sku)
            continue
        stock: Stock = unit.read(STOCK, key)
        found = difference(sku, stock, counted=count)
        if found is None:
            continue
        differences.append(found)
        reason = f"{count} on the shelf, {found.expected} by the books"
        free = stock.free + found.adjusted
        unit.record(STOCK, key, stock.count(free, source=warehouse, reason=reason))
    fact = StockCompared(
        counted_at=counted_at,
        compared=len(counted) - len(left_out),
        differences=tuple(differences),
        left_out=tuple(left_out),
    )
    unit.record(STOCKTAKE, warehouse, [fact])
    return {
        **answer,
        "compared": fact.compared,
        "differences": [one.model_dump() for one in differences],
        "left_out": left_out,
    }


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
    coalesce(bool_or(newest.topic <> ALL(%(still)s) AND
        (convert_from(newest.state, 'UTF8')::jsonb ->> 'happened_at')::timestamptz >= %(since)s),
        false)
FROM unnest(%(skus)s::text[], %(streams)s::text[]) AS asked(sku, stream)
LEFT JOIN LATERAL (
    SELECT originator_version, topic, state FROM {} WHERE originator_id = asked.stream
    ORDER BY originator_version DESC LIMIT %(limit)s
) newest ON true
GROUP BY asked.sku
"""
