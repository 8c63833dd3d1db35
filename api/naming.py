"""不点名 Reasons that staff type are kept with the event: they name nobody they are about (A4).

A learner reads why something was done to their order, and it stays when they are erased. A phone
number is found by its form (`bodies.Why`); whose name it is only the vault knows, so it is asked.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Final, LiteralString

from fastapi import Depends, Request
from psycopg import AsyncConnection
from psycopg.sql import SQL, Identifier
from pydantic_core import from_json

from api.auth import Asked, Role, asked
from application.answers import kept_answer
from application.cards import RECIPIENT, open_cards
from application.recipients import Recipient
from domain.refusals import InvalidRequest

FIELDS: Final = ("reason", "why", "unconfirmed_because")
"""What is kept in clear, as staff and services type it."""
ABOUT: Final[Mapping[str, str]] = {
    "number": "orders", "order": "orders", "parcel": "parcels", "parcels": "parcels",
    "dispute": "cases", "case": "cases", "return_id": "returns", "learner": "learners",
}  # fmt: skip
"""By what a path or a body says whom it is about."""
CARDS_MAX = 200
"""The newest cards of whom it is about that are looked at."""
SHORTEST = 2
"""A name of one letter is in every other word."""


class NamesSomebody(InvalidRequest):
    """A reason has the name of a recipient in it."""

    code = "names_somebody"


async def naming_nobody(request: Request, change: Annotated[Asked, Depends(asked)]) -> Asked:
    """The change that is asked for. Raises `NamesSomebody`, but for what was answered before."""
    if change.caller.role is Role.LEARNER:
        return change  # their own words become a note, which can be erased
    body = _body(await request.body())
    told = {name: text for name in FIELDS if isinstance(text := body.get(name), str)}
    about = _about({**body, **request.path_params})
    if not told or not about:
        return change
    tenant = request.state.tenant
    async with tenant.pool.connection() as connection:
        names = await _names(connection, tenant, about)
        field = next((one for one, text in told.items() if named_in(text, names)), None)
        if field is None:
            return change
        before = await kept_answer(
            connection,
            tenant.schema,
            principal=change.caller.principal,
            key=change.key,
            digest=change.digest,
        )
    if before is None:
        raise NamesSomebody(field=field, reason="has a recipient's name in it; it names nobody")
    return change


def named_in(text: str, names: Iterable[str]) -> bool:
    """Whether a text has one of these names in it, however it is spaced or spelt out.

    >>> named_in("林 小满 called", ["林小满"]), named_in("delivery", ["Li"])
    (True, False)
    """
    words = unicodedata.normalize("NFKC", text).casefold()
    closed = "".join(words.split())
    for name in names:
        known = unicodedata.normalize("NFKC", name).casefold()
        if len("".join(known.split())) < SHORTEST:
            continue
        if known.isascii():
            if re.search(rf"\b{re.escape(known)}\b", words):
                return True
        elif "".join(known.split()) in closed:
            return True
    return False


def _body(content: bytes) -> Mapping[str, Any]:
    try:
        body = from_json(content or b"null")
    except ValueError:
        return {}  # the body's own model says what is wrong with it
    return body if isinstance(body, dict) else {}


def _about(said: Mapping[str, Any]) -> dict[str, list[str]]:
    """Whom it is about, by kind of number."""
    found: dict[str, list[str]] = {}
    for name, kind in ABOUT.items():
        value = said.get(name)
        numbers = value if isinstance(value, list) else [value]
        found.setdefault(kind, []).extend(one for one in numbers if isinstance(one, str))
    return found if any(found.values()) else {}


async def _names(
    connection: AsyncConnection[Any], tenant: Any, about: Mapping[str, Sequence[str]]
) -> set[str]:
    """Names on the cards of whoever it is about."""
    names = ("orders", "parcels", "disputes", "returns", "cards")
    query = SQL(_CARDS).format(**{name: Identifier(tenant.schema, name) for name in names})
    values = {**about, "field": RECIPIENT, "most": CARDS_MAX}
    cursor = await connection.execute(query, values, prepare=True)
    cards = [card.hex for (card,) in await cursor.fetchall()]
    opened = await open_cards(connection, tenant.schema, tenant.vault, cards)
    return {Recipient.from_bytes(content).name for content in opened.values()}


_CARDS: LiteralString = """
WITH asked AS (
    SELECT unnest(%(orders)s::text[]) AS number
    UNION SELECT unnest(orders) FROM {parcels} WHERE number = ANY(%(parcels)s)
    UNION SELECT order_number FROM {disputes} WHERE id = ANY(%(cases)s)
    UNION SELECT order_number FROM {returns} WHERE id = ANY(%(returns)s)
)
SELECT c.id FROM {cards} c
WHERE c.field = %(field)s AND c.subject IN (
    SELECT o.learner FROM {orders} o JOIN asked USING (number)
    UNION SELECT unnest(%(learners)s::text[]))
ORDER BY c.made_at DESC LIMIT %(most)s
"""
