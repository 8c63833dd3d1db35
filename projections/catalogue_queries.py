"""商品查询 Questions to the catalogue (C1, C3)."""

from typing import Any

from psycopg import AsyncConnection

from projections.reading import compose

TABLES = ("items", "stock_levels", "warehouses")


async def items(
    connection: AsyncConnection[Any],
    schema: str,
    *,
    text: str | None,
    kind: str | None,
    after: str,
    limit: int,
    on_sale_only: bool,
    sku: str | None = None,
) -> list[dict[str, Any]]:
    """Items with what is free of each, by SKU, after a cursor."""
    pattern = None if text is None else f"%{_literal(text)}%"
    query = compose(_ITEMS, schema, TABLES, "")
    cursor = await connection.execute(
        query,
        (after, sku, sku, pattern, pattern, pattern, kind, kind, on_sale_only, limit),
        prepare=True,
    )
    return [
        {
            "sku": sku,
            **terms,
            "on_sale": on_sale,
            "available": None if free is None and terms["kind"] == "course" else int(free or 0),
            "stock": stock or [],
        }
        for sku, terms, on_sale, free, stock in await cursor.fetchall()
    ]


async def warehouses(connection: AsyncConnection[Any], schema: str) -> list[dict[str, Any]]:
    """All warehouses with their terms."""
    query = compose("SELECT terms FROM {warehouses} ORDER BY code", schema, TABLES, "")
    return [row[0] for row in await (await connection.execute(query)).fetchall()]


def _literal(text: str) -> str:
    """A text that LIKE takes as it is."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


_ITEMS = """
SELECT i.sku, i.terms, i.on_sale, s.free, s.stock
FROM {items} i LEFT JOIN LATERAL (
    SELECT sum(greatest(free, 0)) AS free, json_agg(json_build_object('warehouse', warehouse,
        'free', free, 'reserved', reserved, 'picked', picked, 'withheld', withheld)
        ORDER BY warehouse) AS stock
    FROM {stock_levels} WHERE sku = i.sku) s ON true
WHERE i.sku > %b AND (%b::text IS NULL OR i.sku = %b::text)
  AND (%b::text IS NULL OR i.sku ILIKE %b::text OR i.name ILIKE %b::text)
  AND (%b::text IS NULL OR i.kind = %b::text)
  AND (i.on_sale OR NOT %b::boolean)
ORDER BY i.sku LIMIT %b
"""
