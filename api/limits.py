"""How often somebody may ask: a token bucket a caller, shared by all processes (M2, R48).

A process takes a few tokens at a time and spends them by itself, so that most requests ask
nobody. What it took is gone for the others: all together never get more than the limit.
"""

import asyncio
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil
from types import MappingProxyType
from typing import Any, LiteralString, NamedTuple

from fastapi import HTTPException
from psycopg.sql import SQL, Identifier
from psycopg_pool import AsyncConnectionPool

LEASE_SHARE = 20
"""A process takes a twentieth of a full bucket at a time."""
LEASE_SECONDS = 2.0
"""What it has not spent by then is lost."""
KEPT_MAX = 20_000
"""Callers of whom a process remembers what it took for them."""
FORGET_EVERY = 1_000
"""So often, buckets that nobody took from for a day, full ones, are deleted."""


class Rate(NamedTuple):
    """A bucket's size, and how fast it fills."""

    burst: int
    per_second: float


_SHEETS = Rate(30, 0.1)
"""Files of up to 5 MB, each read by a process of its own."""
RATES: Mapping[str, Rate] = MappingProxyType(
    {
        "orders": Rate(60, 1.0),  # a learner's; services act for many and are not limited here
        "grants": Rate(600, 100.0),  # requests, of up to 10,000 rows each
        "evidence": Rate(30, 0.05),  # files of up to 4 MB
        "bills": _SHEETS,
        "rates": _SHEETS,
        "searches": Rate(200, 2.0),  # names are to be asked for, not to be tried out (A4)
        "logins": Rate(20, 0.2),  # failed ones, by address
    }
)


@dataclass(slots=True)
class _Lease:
    tokens: int = 0
    until: float = 0.0
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)
    """One at a time fetches tokens: all who wait for them share what it brings."""

    def spend(self, now: float) -> bool:
        """Take one of the tokens; False where none is left."""
        if self.tokens <= 0 or now >= self.until:
            return False
        self.tokens -= 1
        return True


class Limits:
    """The buckets of one tenant, as this process takes from them."""

    def __init__(self, pool: AsyncConnectionPool[Any], *, schema: str) -> None:
        self.rates = dict(RATES)
        self._pool = pool
        self._table = Identifier(schema, "limits")
        self._leases: dict[str, _Lease] = {}
        self._serial = itertools.count(1)

    async def take(self, what: str, who: str) -> None:
        """Let somebody ask once more; raises 429 with `Retry-After` when they asked too often."""
        key = f"{what}:{who}"
        clock = asyncio.get_running_loop().time
        lease = self._leases.get(key) or self._new(key)
        if lease.spend(clock()):
            return
        async with lease.asking:
            if lease.spend(clock()):
                return
            rate = self.rates[what]
            chunk = max(1, rate.burst // LEASE_SHARE)
            left = await self._take(key, rate, chunk)
            if left is None and chunk > 1:
                chunk = 1
                left = await self._take(key, rate, chunk)
            if left is None:
                wait = ceil(1 / rate.per_second)
                raise HTTPException(429, "Too often; come back later.", {"Retry-After": str(wait)})
            lease.tokens, lease.until = chunk - 1, clock() + LEASE_SECONDS

    def _new(self, key: str) -> _Lease:
        while len(self._leases) >= KEPT_MAX:
            del self._leases[next(iter(self._leases))]
        lease = self._leases[key] = _Lease()
        return lease

    async def _take(self, key: str, rate: Rate, tokens: int) -> float | None:
        """What is left after taking this many; None when there are not as many."""
        values = {
            "key": key,
            "burst": float(rate.burst),
            "rate": float(rate.per_second),
            "tokens": float(tokens),
        }
        async with self._pool.connection() as connection:
            query = SQL(_TAKE).format(limits=self._table)
            row = await (await connection.execute(query, values, prepare=True)).fetchone()
            if next(self._serial) % FORGET_EVERY == 0:
                await connection.execute(SQL(_FORGET).format(limits=self._table))
        return None if row is None else float(row[0])


_TAKE: LiteralString = """
INSERT INTO {limits} AS l (key, tokens, moved_at)
VALUES (%(key)s, %(burst)s - %(tokens)s, clock_timestamp())
ON CONFLICT (key) DO UPDATE SET moved_at = clock_timestamp(), tokens = least(%(burst)s,
    l.tokens + %(rate)s * extract(epoch FROM clock_timestamp() - l.moved_at)::float8) - %(tokens)s
WHERE least(%(burst)s, l.tokens
    + %(rate)s * extract(epoch FROM clock_timestamp() - l.moved_at)::float8) >= %(tokens)s
RETURNING tokens
"""
_FORGET: LiteralString = "DELETE FROM {limits} WHERE moved_at < now() - interval '1 day'"
