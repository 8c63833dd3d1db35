"""撤销 Whose tokens are no longer taken, although they have not run out (R44).

Tokens carry all there is to know about their bearer, so nobody asks the database about them. A
process keeps the few revocations there are in memory and looks for new ones every few seconds;
one that could not look for a minute takes no token at all until it can.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

from psycopg import AsyncConnection
from psycopg.sql import SQL, Identifier
from psycopg_pool import AsyncConnectionPool

from application.house import OUTAGES

logger = logging.getLogger(__name__)

REFRESH_SECONDS = 10.0
"""How often a process looks for new revocations."""
RETRY_SECONDS = 1.0
TRUSTED_SECONDS = 60.0
"""How old what a process knows may be (R44: in effect within 60 s)."""
PATIENCE_SECONDS = 10.0
TOKEN_LIFETIME = timedelta(days=30)
"""A revocation older than any token that is still valid has nothing left to do."""


class Revocations:
    """The revocations of one tenant, as this process knows them. An async context manager."""

    def __init__(self, pool: AsyncConnectionPool[Any], *, schema: str) -> None:
        self._pool = pool
        self._schema = schema
        self._before: Mapping[str, float] = {}
        self._looked_at: float | None = None
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Revocations":
        with suppress(*OUTAGES):  # until the first look succeeds nobody is let in
            await self.look()
        self._task = asyncio.create_task(self._follow(), name=f"revocations of {self._schema}")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    @property
    def trusted(self) -> bool:
        """Whether what this process knows is young enough to go by."""
        if self._looked_at is None:
            return False
        return asyncio.get_running_loop().time() - self._looked_at < TRUSTED_SECONDS

    def revoked(self, subject: str, issued_at: float) -> bool:
        """Whether a token issued to the subject then is no longer taken."""
        before = self._before.get(subject)
        return before is not None and issued_at < before

    async def look(self) -> None:
        """Read all revocations that may still matter."""
        began = asyncio.get_running_loop().time()
        query = SQL(_KNOWN).format(Identifier(self._schema, "token_revocations"))
        async with self._pool.connection(timeout=PATIENCE_SECONDS) as connection:
            cursor = await connection.execute(query, (TOKEN_LIFETIME,), prepare=True)
            found = dict(await cursor.fetchall())
        self._before, self._looked_at = found, began

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(REFRESH_SECONDS if self._looked_at is not None else RETRY_SECONDS)
            while True:
                try:
                    await self.look()
                    break
                except OUTAGES as error:
                    logger.warning("revocations are not looked for: %s", type(error).__name__)
                    await asyncio.sleep(RETRY_SECONDS)


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
