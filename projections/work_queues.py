"""作业队列 What waits for somebody in the house: reviews and parcels to be sent (O7, W1)."""

from datetime import datetime
from typing import Any

from psycopg import AsyncConnection

from application.streams import PARCEL
from domain.parcels import Parcel
from projections.reading import compose, named_rows

_TABLES = ("orders", "parcels")


async def reviews(
    connection: AsyncConnection[Any],
    schema: str,
    *,
    after: tuple[datetime, str] | None,
    limit: int,
) -> list[dict[str, Any]]:
    """Orders that wait for a human, longest first, after a cursor (O7)."""
    at, number = after or (None, None)
    return await _dicts(connection, schema, _REVIEWS, at, at, number, limit)


async def parcels(
    connection: AsyncConnection[Any],
    schema: str,
    *,
    warehouse: str | None,
    stage: str | None,
    late_at: datetime | None,
    after: str,
    limit: int,
) -> list[dict[str, Any]]:
    """Parcels that are still in a warehouse, by number (W1).

    With `late_at`, those alone whose deadline is over by then.
    """
    return await _dicts(
        connection, schema, _PARCELS,
        warehouse, warehouse, stage, stage, late_at, late_at, after, limit,
    )  # fmt: skip


async def to_pick(
    connection: AsyncConnection[Any], schema: str, *, warehouse: str, limit: int
) -> list[str]:
    """Parcels of a warehouse that nobody picks yet, soonest deadline first."""
    rows = await _dicts(connection, schema, _TO_PICK, warehouse, limit)
    return [row["number"] for row in rows]


async def parcel(
    connection: AsyncConnection[Any], schema: str, number: str
) -> tuple[Parcel, int] | None:
    """A parcel as it stands, and the position it was folded to."""
    rows = await _dicts(connection, schema, _PARCEL, number)
    if not rows:
        return None
    return PARCEL.states.validate_json(rows[0]["folded"]), rows[0]["position"]


async def _dicts(
    connection: AsyncConnection[Any], schema: str, text: Any, *values: object
) -> list[dict[str, Any]]:
    query = compose(text, schema, _TABLES, "")
    return await named_rows(connection, query, *values)


_REVIEWS = """
SELECT number, learner, review_since AS since, string_to_array(review, ',') AS reasons,
    placed_at, promised_by, points, cash_fen
FROM {orders} WHERE review IS NOT NULL
  AND (%b::timestamptz IS NULL OR (review_since, number) > (%b::timestamptz, %b::text))
ORDER BY review_since, number LIMIT %b
"""
_PARCELS = """
SELECT number, warehouse, stage, wave, hand_over_by, carrier, waybill, orders
FROM {parcels} WHERE stage NOT IN ('handed_over', 'dissolved')
  AND (%b::text IS NULL OR warehouse = %b) AND (%b::text IS NULL OR stage = %b)
  AND (%b::timestamptz IS NULL OR hand_over_by < %b) AND number > %b
ORDER BY number LIMIT %b
"""
_TO_PICK = """
SELECT number FROM {parcels} WHERE warehouse = %b AND stage = 'planned'
ORDER BY hand_over_by, number LIMIT %b
"""
_PARCEL = "SELECT folded, position FROM {parcels} WHERE number = %b"
