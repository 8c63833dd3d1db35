"""伙伴指标 How calls to partners went, kept by minute (M1: dashboards with targets per partner).

What callers get of us is counted beside it, under our own name: so that a worker knows how all the
processes do that answer.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString, NamedTuple

from psycopg import AsyncConnection
from psycopg.sql import SQL, Identifier
from psycopg_pool import AsyncConnectionPool

from application.arrays import integers, moments, texts
from application.house import OUTAGES, House
from application.refreshed import Refreshed

OURSELVES = "tallypost"
"""The name under which our own answers are counted."""
QUICK_SECONDS = 0.2
"""The target of M1 for an answer."""
SHOWN = timedelta(hours=1)
KEPT = timedelta(days=30)
AWAY_AFTER = 5
"""Failures without an answer since, from which a partner is told of as away."""


class PartnerFigures(NamedTuple):
    """How a partner did in the last hour."""

    partner: str
    calls: int
    quick: int
    """Answered within 200 ms."""
    failed: int
    """No answer, one of 500 or more, or 429."""
    seconds: float
    """All calls together."""
    cause: str | None
    """Of the newest failure."""
    away_since: datetime | None
    """The minute since which every call failed, if those are enough to tell."""


class _Minute(NamedTuple):
    calls: int = 0
    quick: int = 0
    failed: int = 0
    seconds: float = 0.0
    cause: str | None = None

    def plus(self, other: "_Minute") -> "_Minute":
        """Both together; `other` is newer."""
        return _Minute(
            self.calls + other.calls,
            self.quick + other.quick,
            self.failed + other.failed,
            self.seconds + other.seconds,
            other.cause or self.cause,
        )


class PartnerCalls(Refreshed):
    """The calls of one tenant: this process counts its own, and knows what all of them counted."""

    def __init__(self, pool: AsyncConnectionPool[Any], *, schema: str) -> None:
        super().__init__(pool, schema=schema)
        self.figures: Sequence[PartnerFigures] = ()
        """By partner's name."""
        self.own: PartnerFigures | None = None
        """The answers of all our processes; None: nobody asked in the last hour."""
        self._counted: dict[tuple[str, datetime], _Minute] = {}

    async def __aexit__(self, *_: object) -> None:
        """Write down the last ones, if the database can be reached."""
        await super().__aexit__(*_)
        with suppress(*OUTAGES):
            await self.look()

    def note(self, partner: str, seconds: float, failed: str | None) -> None:
        """Count one call."""
        quick = failed is None and seconds <= QUICK_SECONDS
        call = _Minute(1, quick, failed is not None, seconds, failed)
        self._add((partner, datetime.now(UTC).replace(second=0, microsecond=0)), call)

    def _add(self, key: tuple[str, datetime], counted: _Minute) -> None:
        self._counted[key] = self._counted.get(key, _Minute()).plus(counted)

    async def _read(self, connection: AsyncConnection[Any]) -> None:
        counted, self._counted = self._counted, {}
        try:
            await self._write_down(connection, counted)
        except BaseException:
            for key, minute in counted.items():
                self._add(key, minute)
            raise
        since = datetime.now(UTC) - SHOWN
        rows = await _rows(connection, self._schema, _FIGURES, AWAY_AFTER, since)
        found = [PartnerFigures(*row) for row in rows]
        self.figures = [one for one in found if one.partner != OURSELVES]
        self.own = next((one for one in found if one.partner == OURSELVES), None)

    async def _write_down(
        self, connection: AsyncConnection[Any], counted: Mapping[tuple[str, datetime], _Minute]
    ) -> None:
        if not counted:
            return
        rows = [(*key, *minute) for key, minute in counted.items()]
        partners, minutes, calls, quick, failed, seconds, causes = zip(*rows, strict=True)
        await _rows(
            connection, self._schema, _ADD,
            texts(partners), moments(minutes), integers(calls), integers(quick), integers(failed),
            list(seconds), texts(causes),
        )  # fmt: skip


async def forget_calls(house: House) -> int:
    """Delete what is too old to matter; returns how many minutes."""
    async with house.pool.connection() as connection:
        gone = await _rows(connection, house.schema, _FORGET, house.store.clock() - KEPT)
    return len(gone)


async def _rows(
    connection: AsyncConnection[Any], schema: str, text: LiteralString, *values: object
) -> list[Any]:
    query = SQL(text).format(partner_calls=Identifier(schema, "partner_calls"))
    cursor = await connection.execute(query, values, prepare=True)
    return await cursor.fetchall()


_ADD = """
INSERT INTO {partner_calls} AS p (partner, minute, calls, quick, failed, seconds, cause)
SELECT * FROM unnest(%b::text[], %b::timestamptz[], %b::bigint[], %b::bigint[], %b::bigint[],
    %s::float8[], %b::text[])
ON CONFLICT (partner, minute) DO UPDATE SET calls = p.calls + excluded.calls,
    quick = p.quick + excluded.quick, failed = p.failed + excluded.failed,
    seconds = p.seconds + excluded.seconds, cause = coalesce(excluded.cause, p.cause)
RETURNING partner
"""
# Away: all that was asked since the newest answer failed, and often enough.
_FIGURES = """
SELECT partner, sum(calls)::bigint, sum(quick)::bigint, sum(failed)::bigint, sum(seconds),
    (array_agg(cause ORDER BY minute DESC) FILTER (WHERE cause IS NOT NULL))[1],
    CASE WHEN sum(failed) FILTER (WHERE unanswered) >= %b
        THEN min(minute) FILTER (WHERE unanswered) END
FROM (
    SELECT p.*, minute > coalesce(max(minute) FILTER (WHERE failed < calls)
        OVER (PARTITION BY partner), '-infinity') AS unanswered
    FROM {partner_calls} p WHERE minute >= %b
) seen
GROUP BY partner
ORDER BY partner
"""
_FORGET = "DELETE FROM {partner_calls} WHERE minute < %b RETURNING partner"
