"""更新 What a process keeps of the database in memory and looks at anew every few seconds.

Some answers are needed thousands of times a second and may be some seconds old: nobody asks the
database for them, one task of the process does.
"""

import asyncio
import logging
from abc import ABC, abstractmethod
from typing import Any, Self

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from application.ending import ended, heed
from application.house import OUTAGES

logger = logging.getLogger(__name__)

REFRESH_SECONDS = 10.0
"""How often a process looks."""
RETRY_SECONDS = 1.0
"""How soon it looks again while the database is out of reach."""
PATIENCE_SECONDS = 10.0
"""How long a look waits for a connection: longer than those who only answer one request."""


class Refreshed(ABC):
    """Something of one tenant, as this process knows it. An async context manager.

    It has looked once when it is entered; what it knew stays while it cannot look.
    """

    def __init__(self, pool: AsyncConnectionPool[Any], *, schema: str) -> None:
        self._pool = pool
        self._schema = schema
        self._looked_at: float | None = None
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        pause = await self._try()
        name = f"{type(self).__name__} of {self._schema}"
        self._task = asyncio.create_task(self._follow(pause), name=name)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            await ended(self._task, patience=RETRY_SECONDS)

    @property
    def age_seconds(self) -> float:
        """How old what is known is: infinite before the first look that succeeded."""
        if self._looked_at is None:
            return float("inf")
        return asyncio.get_running_loop().time() - self._looked_at

    async def look(self) -> None:
        """Look now. Raises what the database raises; what was known stays then."""
        began = asyncio.get_running_loop().time()
        async with self._pool.connection(timeout=PATIENCE_SECONDS) as connection:
            await self._read(connection)
        self._looked_at = began

    @abstractmethod
    async def _read(self, connection: AsyncConnection[Any]) -> None:
        """Read all of it, and keep it once it is whole."""

    async def _follow(self, pause: float) -> None:
        while True:
            await asyncio.sleep(pause)
            pause = await self._try()
            heed()

    async def _try(self) -> float:
        """Look, and say how long to wait before the next time."""
        try:
            await self.look()
        except OUTAGES as error:
            logger.warning("%s: not looked at: %s", type(self).__name__, type(error).__name__)
            return RETRY_SECONDS
        except Exception:
            logger.exception("%s cannot be looked at", type(self).__name__)
        return REFRESH_SECONDS
