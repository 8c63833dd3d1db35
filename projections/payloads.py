"""报文 What carriers pushed about a parcel, sealed as it came: which cards there are (rules.md 30).

What is on them is nowhere here: it is shown by a reveal, with a reason.
"""

from typing import Any
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.sql import SQL, Identifier

from application.envelope import decode
from application.sealed_words import SALT
from application.streams import PARCEL
from domain.parcel_facts import ParcelScanned, PushUnreadable, ReceiptProved
from projections.reading import compose

FACTS = [ParcelScanned.fact_name, PushUnreadable.fact_name, ReceiptProved.fact_name]
SEAL_BYTES = 29
"""What sealing adds to a card."""


async def payloads(
    connection: AsyncConnection[Any], schema: str, parcel: str
) -> list[dict[str, Any]]:
    """What was pushed about a parcel, oldest first: one line a payload."""
    stream = PARCEL.stream(parcel)
    query = compose(_PUSHED, schema, (), "")
    cursor = await connection.execute(query, (stream, FACTS), prepare=True)
    told: dict[str | int, dict[str, Any]] = {}
    for position, version, name, stored in await cursor.fetchall():
        event = decode(position, stream, version, name, bytes(stored))
        fact = event.fact
        # The query asks for these alone.
        assert isinstance(fact, ParcelScanned | PushUnreadable | ReceiptProved)
        if isinstance(fact, ParcelScanned) and fact.card is None:
            continue  # a query answered: nothing was pushed
        line = told.setdefault(
            fact.card or position,
            {
                "card": fact.card,
                "digest": fact.digest,
                "source": fact.source,
                "read": not isinstance(fact, PushUnreadable),
                "scans": 0,
                "position": position,
                "recorded_at": event.recorded_at,
            },
        )
        line["scans"] += isinstance(fact, ParcelScanned)
    kept = await _kept(connection, schema, [one["card"] for one in told.values() if one["card"]])
    return [{**one, **_told_of(kept.get(one["card"]), one["digest"])} for one in told.values()]


def _told_of(kept: tuple[str, int | None] | None, digest: str | None) -> dict[str, Any]:
    """What became of a payload, and how long it is."""
    if kept is None:
        return {"kept": "erased", "bytes": None}
    what, size = kept
    salt = 0 if digest is None else SALT
    return {"kept": what, "bytes": None if size is None else size - SEAL_BYTES - salt}


async def _kept(
    connection: AsyncConnection[Any], schema: str, cards: list[str]
) -> dict[str, tuple[str, int | None]]:
    """What became of these cards; those of people who were erased are not among them."""
    names = {name: Identifier(schema, name) for name in ("cards", "cards_past")}
    cursor = await connection.execute(SQL(_KEPT).format(**names), {"cards": list(map(UUID, cards))})
    return {card.hex: (kept, size) for card, kept, size in await cursor.fetchall()}


_PUSHED = """
SELECT notification_id, originator_version, topic, state FROM {tallypost_events}
WHERE originator_id = %b AND topic = ANY(%b) ORDER BY originator_version
"""
_KEPT = """
SELECT id, 'sealed', octet_length(sealed) FROM {cards} WHERE id = ANY(%(cards)s)
UNION ALL SELECT id, 'deleted', NULL FROM {cards_past} WHERE id = ANY(%(cards)s)
"""
