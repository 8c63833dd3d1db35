"""盘差 What third parties count otherwise than the books say, and what became of it (C3, W2)."""

from datetime import datetime
from typing import Any, NamedTuple

from psycopg import AsyncConnection

from application.envelope import Envelope
from domain.stocktakes import DifferenceSettled, StockCompared, StockDifference, Unexpected
from projections.open_rows import OpenRows, Rows, Statements
from projections.reading import compose, named_rows

WAITS = "waits"
FOLLOWED = "followed"
"""The books followed at once."""
BOOKED = "booked"
DISMISSED = "dismissed"


class Row(NamedTuple):
    """The newest difference of an item in a warehouse."""

    warehouse: str
    sku: str
    expected: int
    counted: int
    unexpected: Unexpected | None
    counted_at: datetime
    since: datetime
    state: str
    settled_at: datetime | None
    settled_by: str | None
    reason: str | None


class StockDifferences(OpenRows):
    """One row an item that was counted otherwise, until it is counted as the books say."""

    name = "stock_differences"
    tables = ("stock_differences",)
    telling = (StockCompared, DifferenceSettled)
    row = Row
    statements = Statements(
        load="""
            SELECT warehouse, sku, expected, counted, unexpected, counted_at, since, state,
                settled_at, settled_by, reason
            FROM {stock_differences} WHERE warehouse = ANY(%b)""",
        clear="DELETE FROM {stock_differences} WHERE warehouse = ANY(%b)",
        insert="""
            INSERT INTO {stock_differences} (warehouse, sku, expected, counted, unexpected,
                counted_at, since, state, settled_at, settled_by, reason)
            SELECT * FROM unnest(%b::text[], %b::text[], %b::bigint[], %b::bigint[], %b::text[],
                %b::timestamptz[], %b::timestamptz[], %b::text[], %b::timestamptz[], %b::text[],
                %b::text[])""",
    )

    def change(self, rows: Rows, one: Envelope) -> None:
        """List what differs, close what agrees again or was settled."""
        fact = one.fact
        if isinstance(fact, DifferenceSettled):
            if (one.key, fact.sku) in rows:
                rows[one.key, fact.sku] = rows[one.key, fact.sku]._replace(
                    state=BOOKED if fact.booked else DISMISSED,
                    settled_at=one.happened_at,
                    settled_by=one.context.subject,
                    reason=fact.reason,
                )
        elif isinstance(fact, StockCompared):
            agreeing = {each.sku for each in fact.told} - set(fact.left_out)
            agreeing -= {each.sku for each in fact.differences}
            for sku in agreeing:
                rows.pop((one.key, sku), None)
            for each in fact.differences:
                before = rows.get((one.key, each.sku))
                rows[one.key, each.sku] = _row(one, fact, each, before)


def _row(one: Envelope, fact: StockCompared, each: StockDifference, before: Row | None) -> Row:
    stood = before is not None and before.state == WAITS
    return Row(
        warehouse=one.key,
        sku=each.sku,
        expected=each.expected,
        counted=each.counted,
        unexpected=each.unexpected,
        counted_at=fact.counted_at,
        since=before.since if before is not None and stood else fact.counted_at,
        state=WAITS if each.waits else FOLLOWED,
        settled_at=None if each.waits else one.happened_at,
        settled_by=None,
        reason=None,
    )


async def stock_differences(
    connection: AsyncConnection[Any],
    schema: str,
    *,
    settled: bool,
    after: tuple[datetime, str, str] | None,
    limit: int,
) -> list[dict[str, Any]]:
    """Differences that wait for somebody, or all, the oldest first, after a cursor.

    With what the books say by now, and what may explain it: units in parcels that the third party
    has in hand, and on their way there.
    """
    since, warehouse, sku = after or (None, None, None)
    query = compose(_LISTED, schema, _TABLES, "")
    return await named_rows(
        connection, query, settled=settled, since=since, warehouse=warehouse, sku=sku, limit=limit
    )


_TABLES = ("stock_differences", "stock_levels", "transfers", "items", "consignments", "parcels")
_LISTED = """
WITH listed AS (
    SELECT * FROM {stock_differences} d
    WHERE (%(settled)s OR d.state = 'waits')
      AND (%(since)s::timestamptz IS NULL
           OR (d.since, d.warehouse, d.sku) > (%(since)s, %(warehouse)s, %(sku)s))
    ORDER BY d.since, d.warehouse, d.sku LIMIT %(limit)s
), in_hand AS (
    SELECT c.warehouse, u ->> 'sku' AS sku, sum((u ->> 'quantity')::bigint)::bigint AS units
    FROM {consignments} c JOIN {parcels} p ON p.number = c.parcel,
        json_array_elements(convert_from(c.folded, 'UTF8')::json -> 'units') u
    WHERE c.warehouse IN (SELECT warehouse FROM listed)
      AND p.stage NOT IN ('handed_over', 'dissolved')
    GROUP BY 1, 2
), on_the_way AS (
    SELECT t.to_warehouse AS warehouse, t.sku,
        sum(greatest(0, t.sent - coalesce(came.received, 0)))::bigint AS units
    FROM {transfers} t LEFT JOIN {transfers} came ON came.warehouse = t.to_warehouse
        AND came.to_warehouse = t.to_warehouse AND came.sku = t.sku AND came.transfer = t.transfer
    WHERE t.warehouse <> t.to_warehouse AND t.to_warehouse IN (SELECT warehouse FROM listed)
    GROUP BY 1, 2
)
SELECT d.*, d.counted - d.expected AS difference, i.name,
    coalesce(s.free, 0) AS free, coalesce(s.reserved, 0) AS reserved,
    coalesce(s.withheld, 0) AS withheld,
    coalesce(h.units, 0) AS in_hand, coalesce(w.units, 0) AS on_the_way
FROM listed d LEFT JOIN {items} i ON i.sku = d.sku
LEFT JOIN {stock_levels} s ON s.warehouse = d.warehouse AND s.sku = d.sku
LEFT JOIN in_hand h ON h.warehouse = d.warehouse AND h.sku = d.sku
LEFT JOIN on_the_way w ON w.warehouse = d.warehouse AND w.sku = d.sku
ORDER BY d.since, d.warehouse, d.sku
"""
