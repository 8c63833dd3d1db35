"""评价视图 Stars by item, carrier and warehouse: what scorecards are made of (O4, T9)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, LiteralString

from psycopg import AsyncConnection

from application.streams import ORDER
from domain.order_facts import LineRated
from projections.reading import Event, Tables, View, compose, named_rows


class Ratings(View):
    """One row a rated line; nobody is named."""

    name = "ratings"
    tables = ("ratings",)

    async def apply(self, events: Sequence[Event], tables: Tables) -> None:
        """Add the rows of these events."""
        rows = [
            (
                one.key, fact.line, fact.sku, fact.goods, fact.delivery, ",".join(fact.carriers),
                ",".join(fact.warehouses), one.happened_at, one.position,
            )
            for one in (event.envelope for event in events)
            if one.category == ORDER.name and isinstance(fact := one.fact, LineRated)
        ]  # fmt: skip
        await tables.unnest(_INSERT, rows)


By = Literal["item", "carrier", "warehouse"]
"""What ratings can be counted by; a line that two carriers brought counts for both."""


async def scores(
    connection: AsyncConnection[Any],
    schema: str,
    *,
    by: By,
    since: datetime | None,
    until: datetime | None,
) -> list[dict[str, Any]]:
    """How many ratings there are of each, and their averages, the most rated first.

    Of those given at or after `since` and before `until`, where they are named.
    """
    query = compose(_SCORES[by], schema, Ratings.tables, "")
    return await named_rows(connection, query, since, since, until, until)


_INSERT = """
INSERT INTO {ratings} (order_number, line, sku, goods, delivery, carriers, warehouses, rated_at,
    position)
SELECT * FROM unnest(%b::text[], %b::bigint[], %b::text[], %b::bigint[], %b::bigint[],
    %b::text[], %b::text[], %b::timestamptz[], %b::bigint[])
"""
_EACH: dict[By, LiteralString] = {
    "item": "sku",
    "carrier": "unnest(string_to_array(nullif(carriers, ''), ','))",
    "warehouse": "unnest(string_to_array(nullif(warehouses, ''), ','))",
}
_SCORES: dict[By, LiteralString] = {
    by: f"""
SELECT key, count(*) AS ratings, round(avg(goods), 2)::float8 AS goods,
    round(avg(delivery), 2)::float8 AS delivery, count(*) FILTER (WHERE goods <= 2) AS low_goods,
    count(*) FILTER (WHERE delivery <= 2) AS low_delivery
FROM (SELECT {each} AS key, goods, delivery FROM {{ratings}}
      WHERE (%b::timestamptz IS NULL OR rated_at >= %b)
        AND (%b::timestamptz IS NULL OR rated_at < %b)) r
GROUP BY key ORDER BY count(*) DESC, key
"""
    for by, each in _EACH.items()
}
