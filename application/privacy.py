"""隐私 Showing, holding, erasing personal data: all of it is recorded first (A4; rules.md 30)."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.sql import SQL, Identifier

from application import granting
from application.ordering import existing
from application.streams import ACCOUNT, ORDER, PRIVACY
from application.unit import Unit
from application.vault import Recipient, Unreadable, Vault, unseal
from domain.privacy import RetentionOver
from domain.refusals import NotFound, NotPossible


class OpenedCard(NamedTuple):
    """A recipient's card, read from the vault."""

    subject: str
    recipient: Recipient


def reveal_card(
    unit: Unit,
    *,
    learner: str | None,
    card: str | None,
    order: str | None,
    case: str | None,
) -> dict[str, Any]:
    """Record that a card is going to be shown unmasked; the card of an order is its newest.

    The answer, which is kept, names the card and never what is on it.
    """
    if order is not None:
        placed = existing(unit, order)
        if placed.destination is None:
            raise NotPossible(action="reveal", why="the order has no recipient")
        learner, card = placed.learner, placed.destination.card
    if learner is None or card is None:
        raise NotFound(what="card")
    facts = unit.read(PRIVACY, learner).reveal(card, order=order, case=case)
    unit.record(PRIVACY, learner, facts)
    return {"card": card, "learner": learner}


def place_hold(unit: Unit, *, learner: str, matter: str) -> dict[str, Any]:
    """Hold a learner's data for a legal matter: no erasing, and no use but storing."""
    _known(unit, learner)
    after = unit.record(PRIVACY, learner, unit.read(PRIVACY, learner).hold(matter))
    return {"learner": learner, "holds": list(after.holds)}


def lift_hold(unit: Unit, *, learner: str, matter: str) -> dict[str, Any]:
    """End the hold of one matter."""
    _known(unit, learner)
    after = unit.record(PRIVACY, learner, unit.read(PRIVACY, learner).lift(matter))
    return {"learner": learner, "holds": list(after.holds)}


def erase_person(
    unit: Unit, *, learner: str, reason: str, under_way: Sequence[str]
) -> dict[str, Any]:
    """Destroy a learner's key and cards, unless a legal hold or an order stands against it.

    `under_way` are orders that may not have ended: those that still need the recipient refuse it.
    """
    _known(unit, learner)
    unit.read(PRIVACY, learner).usable()
    needing = [number for number in under_way if unit.read(ORDER, number).needs_recipient]
    if needing:
        raise NotPossible(action="erase", why=f"orders are under way: {', '.join(needing[:5])}")
    return granting.erase_learner(unit, learner=learner, reason=reason)


def _known(unit: Unit, learner: str) -> None:
    if unit.read(ACCOUNT, learner).status == "unknown":
        raise NotFound(what="learner")


async def card_subject(connection: AsyncConnection[Any], schema: str, card: str) -> str:
    """Whose card it is. Raises `NotFound`, also for one that was erased; `RetentionOver`."""
    names = {name: Identifier(schema, name) for name in ("cards", "cards_past")}
    try:
        cursor = await connection.execute(SQL(_SUBJECT).format(**names), {"card": UUID(card)})
        row = await cursor.fetchone()
    except ValueError:
        row = None
    if row is None:
        raise NotFound(what="card")
    subject, made_at, gone_at = row
    if subject is None:
        raise RetentionOver(made_on=f"{made_at:%Y-%m-%d}", gone_on=f"{gone_at:%Y-%m-%d}")
    return str(subject)


async def open_recipient(
    connection: AsyncConnection[Any], schema: str, vault: Vault, card: str
) -> OpenedCard:
    """Read a recipient's card. Raises `NotFound` when it is no recipient's or was erased."""
    query = SQL(_CARD).format(
        cards=Identifier(schema, "cards"), keys=Identifier(f"{schema}_keys", "subject_keys")
    )
    row = await (await connection.execute(query, (UUID(card),))).fetchone()
    if row is None:
        raise NotFound(what="card")
    subject, sealed, wrapped = row
    try:
        key = vault.unwrap(subject, bytes(wrapped))
        content = unseal(key, subject, f"recipient:{card}", bytes(sealed))
    except Unreadable:
        raise NotFound(what="card") from None
    return OpenedCard(subject, Recipient.from_bytes(content))


_SUBJECT = """
SELECT subject, made_at, NULL::timestamptz FROM {cards} WHERE id = %(card)s
UNION ALL SELECT NULL, made_at, gone_at FROM {cards_past} WHERE id = %(card)s
"""
_CARD = """
SELECT c.subject, c.sealed, k.wrapped FROM {cards} c JOIN {keys} k USING (subject)
WHERE c.id = %s AND c.field = 'recipient'
"""
