"""Cards of the vault: found by keyed hash of a phone, opened with their learner's key (A4)."""

from collections.abc import Collection
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from psycopg import AsyncConnection
from psycopg.sql import SQL, Identifier

from application.holding import held, refuse_held
from application.recipients import Recipient
from application.vault import Unreadable, Vault, phone_digest, phone_tail_digest, unseal
from domain.privacy import RetentionOver
from domain.refusals import NotFound

_BY_PHONE = "SELECT id, subject FROM {} WHERE phone_digest = %b LIMIT 500"
_BY_TAIL = "SELECT id, subject FROM {} WHERE tail_digest = %b LIMIT 500"
_CARD = """
SELECT c.subject, c.field, c.sealed, k.wrapped
FROM {cards} c JOIN {keys} k USING (subject) WHERE c.id = %b::uuid
"""
_WHOSE = """
SELECT subject, field, made_at, NULL::timestamptz FROM {cards} WHERE id = %(card)s
UNION ALL SELECT NULL, NULL, made_at, gone_at FROM {cards_past} WHERE id = %(card)s
"""
_CARDS = """
SELECT c.id, c.subject, c.field, c.sealed, k.wrapped
FROM {cards} c JOIN {keys} k USING (subject) WHERE c.id = ANY(%b::uuid[])
"""
_TAIL = 4

RECIPIENT = "recipient"
PAYLOAD = "payload"


class Card(NamedTuple):
    """Whose card it is, and what is on it."""

    subject: str
    field: str


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


async def card_of(
    connection: AsyncConnection[Any], schema: str, card: str, *, zone: ZoneInfo
) -> Card:
    """Whose card it is and of what kind. Raises `NotFound`, also for one that was erased.

    Raises `RetentionOver` for a payload that was deleted because its time was over; its days are
    those of the `zone`.
    """
    names = {name: Identifier(schema, name) for name in ("cards", "cards_past")}
    try:
        cursor = await connection.execute(SQL(_WHOSE).format(**names), {"card": UUID(card)})
        row = await cursor.fetchone()
    except ValueError:
        row = None
    if row is None:
        raise NotFound(what="card")
    subject, field, made_at, gone_at = row
    if subject is None:
        made, gone = (f"{at.astimezone(zone):%Y-%m-%d}" for at in (made_at, gone_at))
        raise RetentionOver(made_on=made, gone_on=gone)
    return Card(subject, field)


async def open_recipient(
    connection: AsyncConnection[Any], schema: str, vault: Vault, card: str
) -> Recipient:
    """Read a recipient's card. Raises `NotFound` when it is no recipient's or was erased.

    Raises `UnderLegalHold` while it may only be stored.
    """
    return Recipient.from_bytes(await open_shown(connection, schema, vault, card, field=RECIPIENT))


async def open_shown(
    connection: AsyncConnection[Any], schema: str, vault: Vault, card: str, *, field: str
) -> bytes:
    """What is on a card of this kind, to be shown. Raises `NotFound`, also once it was erased.

    Raises `UnderLegalHold` while it may only be stored.
    """
    query = SQL(_CARD).format(
        cards=Identifier(schema, "cards"), keys=Identifier(f"{schema}_keys", "subject_keys")
    )
    row = await (await connection.execute(query, (card,), prepare=True)).fetchone()
    if row is None or row[1] != field:
        raise NotFound(what="card")
    subject, _, sealed, wrapped = row
    await refuse_held(connection, schema, subject)
    try:
        key = vault.unwrap(subject, bytes(wrapped))
        return unseal(key, subject, f"{field}:{card}", bytes(sealed))
    except Unreadable:
        raise NotFound(what="card") from None


async def open_cards(
    connection: AsyncConnection[Any], schema: str, vault: Vault, cards: Collection[str]
) -> dict[str, bytes]:
    """What is on these cards; erased ones and those under a legal hold are left out.

    One that somebody changed is left out, too: it is not what the fact was told of.
    """
    if not cards:
        return {}
    query = SQL(_CARDS).format(
        cards=Identifier(schema, "cards"), keys=Identifier(f"{schema}_keys", "subject_keys")
    )
    rows = await (await connection.execute(query, (list(cards),))).fetchall()
    hidden = await held(connection, schema, {subject for _, subject, *_ in rows})
    found: dict[str, bytes] = {}
    for card, subject, field, sealed, wrapped in rows:
        if subject in hidden:
            continue
        try:
            key = vault.unwrap(subject, bytes(wrapped))
            found[card.hex] = unseal(key, subject, f"{field}:{card.hex}", bytes(sealed))
        except Unreadable:
            continue
    return found
