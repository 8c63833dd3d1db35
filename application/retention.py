"""留存 How long personal data that nobody needs any more is kept, by kind (rules.md 30).

What carriers pushed is sealed as it came, because a dispute may turn on it; once no dispute can,
it goes, and the facts that were read from it stay. What was said and shown in cases is kept for
as long as somebody may claim something of it. Recipients' cards are needed by their orders and go
with the learner's erasure.
"""

from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.sql import SQL, Identifier

from application.holding import held
from application.house import House

BATCH = 200
"""Cards deleted while the log's turn is held: some milliseconds."""
BATCHES_MAX = 100
"""One run's share; what is left is the next one's."""
BEFORE_ALL = datetime(2000, 1, 1, tzinfo=UTC)


async def forget_all(house: House) -> int:
    """Delete every card whose time is over, but those under a legal hold; returns how many."""
    return await forget_payloads(house) + await forget_evidence(house)


async def forget_payloads(house: House) -> int:
    """Delete what carriers pushed once its time is over; returns how many cards."""
    return await _forget(house, _PAYLOADS, house.rules.payloads_kept)


async def forget_evidence(house: House) -> int:
    """Delete words and files of cases once their time is over; returns how many cards."""
    return await _forget(house, _EVIDENCE, house.rules.evidence_kept)


async def _forget(house: House, due_cards: LiteralString, kept: timedelta) -> int:
    now = house.store.clock()
    after = (BEFORE_ALL, UUID(int=0))
    deleted = 0
    async with house.pool.connection() as connection:
        for _ in range(BATCHES_MAX):
            async with connection.transaction():
                due = await _due(connection, house.schema, due_cards, now - kept, after)
                if not due:
                    break
                hidden = await held(connection, house.schema, {subject for _, _, subject in due})
                over = [card for card, _, subject in due if subject not in hidden]
                deleted += await _delete(connection, house.schema, over, now)
            card, made_at, _ = due[-1]
            after = (made_at, card)
    return deleted


async def _due(
    connection: AsyncConnection[Any],
    schema: str,
    due_cards: LiteralString,
    made_before: datetime,
    after: tuple[datetime, UUID],
) -> list[tuple[UUID, datetime, str]]:
    names = {name: Identifier(schema, name) for name in ("cards", "turn")}
    # Nobody places a hold while we have the turn, so that what is held now is held then.
    await connection.execute(SQL("SELECT FROM {turn} FOR UPDATE").format(**names))
    cursor = await connection.execute(SQL(due_cards).format(**names), (made_before, *after, BATCH))
    return await cursor.fetchall()


async def _delete(
    connection: AsyncConnection[Any], schema: str, cards: list[UUID], now: datetime
) -> int:
    names = {name: Identifier(schema, name) for name in ("cards", "cards_past")}
    cursor = await connection.execute(SQL(_DELETE).format(**names), (cards, now))
    return cursor.rowcount


# Each has an index of its own, whose condition is spelt as here.
_PAYLOADS: LiteralString = """
SELECT id, made_at, subject FROM {cards}
WHERE field = 'payload' AND made_at < %b AND (made_at, id) > (%b, %b)
ORDER BY made_at, id LIMIT %b
"""
_EVIDENCE: LiteralString = """
SELECT id, made_at, subject FROM {cards}
WHERE field IN ('words', 'evidence') AND made_at < %b AND (made_at, id) > (%b, %b)
ORDER BY made_at, id LIMIT %b
"""
_DELETE = """
WITH gone AS (DELETE FROM {cards} WHERE id = ANY(%b) RETURNING id, made_at)
INSERT INTO {cards_past} (id, made_at, gone_at) SELECT id, made_at, %b FROM gone
"""
