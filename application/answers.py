"""Answers that were kept under their idempotency keys, read without the writer (rules.md 31)."""

import hmac
from typing import Any

from psycopg import AsyncConnection
from psycopg.sql import SQL, Identifier

from application.outcomes import KeyReused, Outcome

_KEPT = "SELECT digest, position, refused, answer FROM {} WHERE principal = %b AND key = %b"


async def kept_answer(
    connection: AsyncConnection[Any],
    schema: str,
    *,
    principal: str,
    key: str,
    digest: bytes | None,
) -> Outcome | None:
    """The answer a command got; None if it was not answered, or refused.

    Raises `KeyReused` when a digest is given and the command was another one.
    """
    query = SQL(_KEPT).format(Identifier(schema, "commands"))
    cursor = await connection.execute(query, (principal, key), prepare=True)
    row = await cursor.fetchone()
    if row is None:
        return None
    known, position, refused, answer = row
    if digest is not None and not hmac.compare_digest(bytes(known), digest):
        raise KeyReused()
    return None if refused else Outcome(bytes(answer), position, repeated=True)
