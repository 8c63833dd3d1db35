"""波次 Waves as they ran, newest first (S5)."""

from collections.abc import Sequence
from typing import Any

from psycopg import AsyncConnection

from application.streams import WAVE
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
