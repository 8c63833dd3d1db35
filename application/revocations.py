"""撤销 Whose tokens are no longer taken, although they have not run out (R44).

Tokens carry all there is to know about their bearer, so nobody asks the database about them. A
process keeps the few revocations there are in memory and looks for new ones every few seconds;
one that could not look for a minute takes no token at all until it can.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from psycopg import AsyncConnection
from psycopg.sql import SQL, Identifier
from psycopg_pool import AsyncConnectionPool

from application.refreshed import Refreshed

TRUSTED_SECONDS = 60.0
"""How old what a process knows may be (R44: in effect within 60 s)."""
TOKEN_LIFETIME = timedelta(days=30)
"""A revocation older than any token that is still valid has nothing left to do."""


class Revocations(Refreshed):
    """The revocations of one tenant."""

    def __init__(self, pool: AsyncConnectionPool[Any], *, schema: str) -> None:
        super().__init__(pool, schema=schema)
        self._before: Mapping[str, float] = {}

    @property
    def trusted(self) -> bool:
        """Whether what this process knows is young enough to go by."""
        return self.age_seconds < TRUSTED_SECONDS

    def revoked(self, subject: str, issued_at: float) -> bool:
        """Whether a token issued to the subject then is no longer taken."""
        before = self._before.get(subject)
        return before is not None and issued_at < before

    async def _read(self, connection: AsyncConnection[Any]) -> None:
        query = SQL(_KNOWN).format(Identifier(self._schema, "token_revocations"))
        cursor = await connection.execute(query, (TOKEN_LIFETIME,), prepare=True)
        self._before = dict(await cursor.fetchall())


async def revoke(
    connection: AsyncConnection[Any],
    schema: str,
    *,
    subjects: Sequence[str],
    reason: str,
    actor: str,
) -> None:
    """Refuse from now on what tokens were issued to these subjects up to now, in all their roles.

    The row stays as the record of who did it and why; tokens issued later are taken.
    """
    query = SQL(_REVOKE).format(Identifier(schema, "token_revocations"))
    await connection.execute(query, (reason, actor, list(subjects)))


_KNOWN = """
SELECT subject, extract(epoch FROM max(issued_before))::float8 FROM {}
WHERE issued_before > now() - %b GROUP BY subject
"""
_REVOKE = """
INSERT INTO {} (subject, reason, actor) SELECT subject, %s, %s FROM unnest(%s::text[]) AS s(subject)
"""
