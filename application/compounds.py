"""小区 Which compound a parcel went to, by keyed hash: where deliveries fail is counted by it (T9).

The address is on a card of the vault, so no fact and no view can know it: it is looked up once a
parcel that was tried, and kept by its hash, which goes when the learner is erased (A4).
"""

from typing import Any

from psycopg import AsyncConnection
from psycopg.sql import SQL, Identifier

from application.cards import open_cards
from application.house import House
from application.recipients import Recipient, compound_digest

BATCH = 500


async def note_compounds(house: House) -> int:
    """Look up where parcels went that were tried since the last time; returns how many."""
    async with house.pool.connection() as connection:
        rows = await _rows(connection, house.schema, _UNKNOWN, BATCH)
        cards = {card for _, card, _ in rows}
        opened = await open_cards(connection, house.schema, house.vault, cards)
        found = [
            (parcel, _digest(house.vault.lookup_key, opened.get(card)), learner)
            for parcel, card, learner in rows
        ]
        parcels, digests, learners = ([one[at] for one in found] for at in range(3))
        await _rows(connection, house.schema, _NOTE, parcels, digests, learners)
    return len(rows)


def _digest(key: bytes, card: bytes | None) -> bytes:
    """The compound's keyed hash; empty where the address has none, or may not be read."""
    return (card and compound_digest(key, Recipient.from_bytes(card))) or b""


async def _rows(
    connection: AsyncConnection[Any], schema: str, text: Any, *values: object
) -> list[Any]:
    names = ("journeys", "parcels", "orders", "compounds")
    query = SQL(text).format(**{name: Identifier(schema, name) for name in names})
    return await (await connection.execute(query, values, prepare=True)).fetchall()


_UNKNOWN = """
SELECT j.parcel, coalesce(p.card, o.card), o.learner FROM {journeys} j
    JOIN {parcels} p ON p.number = j.parcel JOIN {orders} o ON o.number = p.orders[1]
WHERE j.tried_at IS NOT NULL AND coalesce(p.card, o.card) IS NOT NULL
  AND NOT EXISTS (SELECT FROM {compounds} c WHERE c.parcel = j.parcel)
ORDER BY j.tried_at, j.parcel LIMIT %b
"""
_NOTE = """
INSERT INTO {compounds} (parcel, digest, learner)
SELECT * FROM unnest(%b::text[], %b::bytea[], %b::text[])
ON CONFLICT (parcel) DO NOTHING RETURNING parcel
"""
