"""证据包制作 An evidence pack made of log and vault, checked before it leaves (D5; rules.md 30)."""

import asyncio
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from psycopg import AsyncConnection
from psycopg.sql import SQL, Identifier

from application.cards import open_cards
from application.case_told import NamedCard, Subject, named_cards
from application.checking_packs import check_pack
from application.envelope import decode
from application.evidence_pack import Pack, PackedCard, State, packed
from application.exporting import EarlierHead, StoredEvent
from application.heads import SignedHead
from application.holding import held
from application.recipients import Recipient
from application.sealed_words import SALT
from application.vault import Vault
from domain.refusals import InvalidRequest, NotFound
from projections.audit_queries import TABLES
from projections.reading import compose
from projections.sealed_history import LogDiffers, consistency, inclusion_paths, signed_head


class Asked(NamedTuple):
    """Which pack is wanted."""

    subject: Subject
    position: int | None = None
    """As the log stood there; None: as it stands."""
    since: Sequence[SignedHead] = ()
    cards: Collection[str] = ()
    """Ids of the vault's cards that may be in it; none of a person is in it otherwise."""


async def pack_of(
    connection: AsyncConnection[Any],
    schema: str,
    vault: Vault,
    private: Ed25519PrivateKey,
    asked: Asked,
) -> Pack:
    """The pack of a case as the log stood at a position.

    Raises `NotFound` for a case that was not there yet, `InvalidRequest` for a later head than the
    pack's, and `LogDiffers` when the log was tampered with.
    """
    subject = asked.subject
    head = await signed_head(connection, schema, private, position=asked.position)
    events = await _stored(connection, schema, subject.order, head.position)
    decoded = [decode(*event) for event in events]
    if not any(one.key == subject.case for one in decoded):
        raise NotFound(what="dispute")
    named = named_cards(decoded, subject)
    cards = await _opened(connection, schema, vault, named, shown=asked.cards)
    try:
        places = [event.position for event in events]
        paths = await inclusion_paths(connection, schema, places, size=head.position)
        earlier = []
        for one in asked.since:
            if one.position > head.position:
                raise InvalidRequest(field="since", reason="is later than the export")
            path = await consistency(connection, schema, one.position, head.position)
            earlier.append(EarlierHead(one, path))
    except (IndexError, KeyError) as error:
        raise LogDiffers(where=subject.case) from error
    # Pictures take their time: others' requests go on meanwhile.
    pack = await asyncio.to_thread(
        packed, subject, events, cards, head=head, paths=paths, earlier=earlier, private=private
    )
    checked = await asyncio.to_thread(check_pack, pack.zip, key=private.public_key())
    if checked.findings:
        raise LogDiffers(where="; ".join(map(str, checked.findings[:3])))
    return pack


async def cards_of(
    connection: AsyncConnection[Any], schema: str, subject: Subject, *, known_at: int
) -> list[str]:
    """Ids of the cards that a case's events name up to a position."""
    events = await _stored(connection, schema, subject.order, known_at)
    return [one.card for one in named_cards([decode(*event) for event in events], subject)]


async def _opened(
    connection: AsyncConnection[Any],
    schema: str,
    vault: Vault,
    named: Sequence[NamedCard],
    *,
    shown: Collection[str],
) -> list[PackedCard]:
    wanted = [one.card for one in named]
    contents = await open_cards(connection, schema, vault, wanted)
    names = {name: Identifier(schema, name) for name in ("cards", "cards_past")}
    cursor = await connection.execute(SQL(_KEPT).format(**names), {"cards": wanted})
    rows = [(card.hex, subject) for card, subject in await cursor.fetchall()]
    hidden = await held(connection, schema, {subject for _, subject in rows if subject})
    kept: dict[str, State] = {card: _state_of(subject, hidden) for card, subject in rows}
    return [
        _packed(one, contents.get(one.card), kept.get(one.card, "erased"), one.card in shown)
        for one in named
    ]


def _state_of(subject: str | None, hidden: Collection[str]) -> State:
    """Why a card that was once made could not be opened."""
    if subject is None:
        return "deleted"
    return "held" if subject in hidden else "unreadable"


def _packed(named: NamedCard, content: bytes | None, kept: State, shown: bool) -> PackedCard:
    if content is None:
        return PackedCard(named, kept)
    if named.field == "recipient":
        whole = Recipient.from_bytes(content)
        fields = (whole if shown else whole.masked()).model_dump(exclude={"raw"})
        return PackedCard(named, "included" if shown else "withheld", shown=fields)
    if not shown:
        return PackedCard(named, "withheld")
    salt = content[:SALT] if named.digest is not None else b""
    return PackedCard(named, "included", content[len(salt) :], salt)


async def _stored(
    connection: AsyncConnection[Any], schema: str, order: str, known_at: int
) -> list[StoredEvent]:
    query = compose(_EVENTS, schema, TABLES, "")
    cursor = await connection.execute(query, (order, known_at), binary=True)
    return [StoredEvent(*row) for row in await cursor.fetchall()]


_KEPT = """
SELECT id, subject FROM {cards} WHERE id = ANY(%(cards)s::uuid[])
UNION ALL SELECT id, NULL FROM {cards_past} WHERE id = ANY(%(cards)s::uuid[])
"""
_EVENTS = """
SELECT e.notification_id, e.originator_id, e.originator_version, e.topic, e.state
FROM {order_trail} t JOIN {tallypost_events} e ON e.notification_id = t.position
WHERE t.order_number = %s AND t.position <= %s::bigint ORDER BY t.position
"""
