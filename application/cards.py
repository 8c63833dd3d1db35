"""Cards of the vault: found by keyed hash of a phone, opened with their learner's key (A4)."""

from typing import Any
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.sql import SQL, Identifier

from application.holding import held
from application.vault import Vault, phone_digest, phone_tail_digest, unseal

_BY_PHONE = "SELECT id, subject FROM {} WHERE phone_digest = %b LIMIT 500"
_BY_TAIL = "SELECT id, subject FROM {} WHERE tail_digest = %b LIMIT 500"
_CARD = """
SELECT c.subject, c.field, c.sealed, k.wrapped
FROM {cards} c JOIN {keys} k USING (subject) WHERE c.id = %b::uuid
"""
_TAIL = 4


async def cards_of_phone(
    connection: AsyncConnection[Any], schema: str, vault: Vault, phone: str | None
) -> list[str]:
    """Ids of the cards with this phone, or with these last four digits; none for None.

    Whoever is under a legal hold is not found by their phone: that would be a use of it.
    """
    if phone is None:
        return []
    tail = len(phone) == _TAIL
    digest = (phone_tail_digest if tail else phone_digest)(vault.lookup_key, phone)
    query = SQL(_BY_TAIL if tail else _BY_PHONE).format(Identifier(schema, "cards"))
    cursor = await connection.execute(query, (digest,), prepare=True)
    found: list[tuple[UUID, str]] = await cursor.fetchall()
    hidden = await held(connection, schema, {subject for _, subject in found})
    return [card.hex for card, subject in found if subject not in hidden]


async def open_card(
    connection: AsyncConnection[Any], schema: str, vault: Vault, card: str
) -> bytes | None:
    """What is on a card; None once its learner was erased, or where there is no such card.

    None, too, while a legal hold lets it only be stored. Raises `Unreadable` when somebody
    changed it.
    """
    query = SQL(_CARD).format(
        cards=Identifier(schema, "cards"), keys=Identifier(f"{schema}_keys", "subject_keys")
    )
    row = await (await connection.execute(query, (card,), prepare=True)).fetchone()
    if row is None:
        return None
    subject, field, sealed, wrapped = row
    if await held(connection, schema, [subject]):
        return None
    key = vault.unwrap(subject, bytes(wrapped))
    return unseal(key, subject, f"{field}:{card}", bytes(sealed))
