"""波次 Waves as they ran, newest first, and what waits for the next ones (S5)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from psycopg import AsyncConnection

from application.streams import ORDER, WAVE
from domain.orders import Order
from domain.waves import WaveClosed, WaveOpened
from projections.reading import Event, Tables, View, compose, named_rows


class Waves(View):
    """One row a wave."""

    name = "waves"
    tables = ("waves",)

    async def apply(self, events: Sequence[Event], tables: Tables) -> None:
        """Add the waves that began, and what those that ended have done."""
        for event in events:
            one = event.envelope
            if one.category != WAVE.name:
                continue
            if isinstance(one.fact, WaveOpened):
                opened = one.fact
                await tables.run(
                    _OPENED, one.key, opened.warehouse, opened.cut_off, one.happened_at,
                    one.position,
                )  # fmt: skip
            elif isinstance(one.fact, WaveClosed):
                done = one.fact
                await tables.run(
                    _CLOSED, one.happened_at, done.parts, done.parcels, done.merged,
                    done.to_review, one.position, one.key,
                )  # fmt: skip


async def waves(
    connection: AsyncConnection[Any], schema: str, *, warehouse: str | None, limit: int
) -> list[dict[str, Any]]:
    """The latest waves, of all warehouses or of one."""
    query = compose(_LISTED, schema, Waves.tables, "")
    return await named_rows(connection, query, warehouse, warehouse, limit)


async def waiting_by_warehouse(
    connection: AsyncConnection[Any], schema: str
) -> list[dict[str, Any]]:
    """How much waits for each warehouse's next wave, and since when the oldest of it (S5)."""
    return await named_rows(connection, compose(_BY_WAREHOUSE, schema, _ELSEWHERE, ""))


async def waiting_orders(
    connection: AsyncConnection[Any],
    schema: str,
    *,
    warehouse: str,
    after: tuple[datetime, str] | None,
    limit: int,
) -> list[dict[str, Any]]:
    """Orders with a part that waits in a warehouse to be released, oldest first (S5)."""
    at, number = after or (None, None)
    query = compose(_WAITING, schema, _ELSEWHERE, "")
    rows = await named_rows(connection, query, warehouse, at, at, number, limit)
    for row in rows:
        order: Order = ORDER.states.validate_json(row.pop("folded"))
        row["in_review"] = bool(order.review)
        row["lines"] = [
            {"sku": line.sku, "name": line.name, "quantity": unit.quantity}
            for part in order.parts
            if part.releasable and part.warehouse == warehouse
            for unit in part.units
            for line in [order.line(unit.line)]
        ]
    return rows


_ELSEWHERE = ("orders", "warehouses")
_OPENED = """
INSERT INTO {waves} (id, warehouse, cut_off, opened_at, parts, parcels, merged, to_review, position)
VALUES (%b, %b, %b, %b, 0, 0, 0, 0, %b)
"""
_CLOSED = """
UPDATE {waves} SET closed_at = %b, parts = %b, parcels = %b, merged = %b, to_review = %b,
    position = %b WHERE id = %b
"""
_LISTED = """
SELECT id, warehouse, cut_off, opened_at, closed_at, parts, parcels, merged, to_review
FROM {waves} WHERE %b::text IS NULL OR warehouse = %b ORDER BY opened_at DESC, id DESC LIMIT %b
"""
_BY_WAREHOUSE = """
SELECT w.code AS warehouse, (w.terms ->> 'cut_off')::time AS cut_off,
    coalesce(o.orders, 0) AS orders, coalesce(o.urgent, 0) AS urgent,
    coalesce(o.in_review, 0) AS in_review, o.since
FROM {warehouses} w LEFT JOIN (
    SELECT code, count(DISTINCT number) AS orders, min(placed_at) AS since,
        count(DISTINCT number) FILTER (WHERE urgent) AS urgent,
        count(DISTINCT number) FILTER (WHERE review IS NOT NULL) AS in_review
    FROM {orders}, unnest(string_to_array(releasable_at, ',')) AS code
    WHERE releasable_at IS NOT NULL GROUP BY code
) o USING (code) ORDER BY w.code
"""
_WAITING = """
SELECT number, learner, placed_at, promised_by, urgent, folded FROM {orders}
WHERE releasable_at IS NOT NULL AND %b = ANY(string_to_array(releasable_at, ','))
  AND (%b::timestamptz IS NULL OR (placed_at, number) > (%b::timestamptz, %b::text))
ORDER BY placed_at, number LIMIT %b
"""
