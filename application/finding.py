"""找人 Cards found by what people say of themselves: a name, a street with its house (D1, A4).

Both stand on sealed cards alone, so they are found as phones are: by keyed hashes that lie beside
the card and go with it. Whoever is under a legal hold is found by neither.
"""

from datetime import UTC, datetime
from typing import Any, LiteralString
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.sql import SQL, Identifier

from application.addressing import places_meant
from application.cards import open_cards
from application.holding import held
from application.house import House
from application.recipients import Recipient, compound_digest, name_digest
from application.vault import Vault

FOUND_MAX = 500
"""Of more cards with one name these many, the newest ones."""
BATCH = 500
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)


async def cards_of_words(
    connection: AsyncConnection[Any], schema: str, vault: Vault, text: str
) -> list[str]:
    """Ids of the cards with this whole name, or with this street and house or compound.

    With a street its district has to be said: there is a People's Road in each.
    """
    if not any(letter.isalpha() for letter in text):
        return []
    key = vault.lookup_key
    compounds = {compound_digest(key, place) for place in places_meant(text)} - {None}
    named = name_digest(key, text)
    rows = await _rows(connection, schema, _FOUND, named, list(compounds), FOUND_MAX)
    hidden = await held(connection, schema, {subject for _, subject in rows})
    return [card.hex for card, subject in rows if subject not in hidden]


async def note_names(house: House) -> int:
    """Add to new cards what they are found by, apart from the commit that made them; how many.

    Those under a legal hold are left until it is lifted: it forbids all use but storage.
    """
    key, noted, after = house.vault.lookup_key, 0, (BEGINNING, UUID(int=0))
    async with house.pool.connection() as connection:
        while rows := await _rows(connection, house.schema, _UNNOTED, *after, BATCH):
            cards = [card for _, card in rows]
            opened = await open_cards(connection, house.schema, house.vault, cards)
            people = {card: Recipient.from_bytes(content) for card, content in opened.items()}
            names = [name_digest(key, one.name) for one in people.values()]
            compounds = [compound_digest(key, one) for one in people.values()]
            noted += len(
                await _rows(connection, house.schema, _NOTE, list(people), names, compounds)
            )
            await connection.commit()
            after = rows[-1]
    return noted


async def _rows(
    connection: AsyncConnection[Any], schema: str, text: LiteralString, *values: object
) -> list[Any]:
    query = SQL(text).format(cards=Identifier(schema, "cards"))
    return await (await connection.execute(query, values, prepare=True)).fetchall()


_FOUND: LiteralString = """
SELECT id, subject FROM {cards} WHERE name_digest = %b OR compound_digest = ANY(%b::bytea[])
ORDER BY made_at DESC LIMIT %b
"""
_UNNOTED: LiteralString = """
SELECT made_at, id FROM {cards}
WHERE field = 'recipient' AND name_digest IS NULL AND (made_at, id) > (%b, %b)
ORDER BY made_at, id LIMIT %b
"""
_NOTE: LiteralString = """
UPDATE {cards} SET name_digest = noted.name, compound_digest = noted.compound
FROM unnest(%b::uuid[], %b::bytea[], %b::bytea[]) AS noted(card, name, compound)
WHERE id = noted.card AND name_digest IS NULL RETURNING id
"""
