"""未对账账单 Bills that nobody could compare yet: tried again later, and told of (W6, M5)."""

from datetime import datetime, timedelta
from typing import Any, LiteralString, NamedTuple

from psycopg import AsyncConnection
from psycopg.sql import SQL, Identifier

from application.house import House

WAITS_AFTER = timedelta(minutes=5)
"""A bill is compared within seconds; later somebody should look why not."""
LONGEST_PAUSE = timedelta(hours=1)
"""Between two tries at a bill that cannot be compared; the first ones are seconds apart."""
TABLES = ("bills", "uncompared_bills")


class UncomparedBill(NamedTuple):
    """A bill that was received and not compared, or not once more."""

    bill: str
    since: datetime
    cause: str | None
    """The kind of error that it met; None: nobody tried."""
    failures: int


async def note_failure(house: House, bill: str, version: int, error: Exception) -> None:
    """Try a bill later, the later the more often it failed."""
    now = house.store.clock()
    values = {
        "bill": bill,
        "version": version,
        "now": now,
        "cause": type(error).__name__,
        "longest": LONGEST_PAUSE,
    }
    await _run(house, _FAILED, values)


async def forget_failures(house: House, bill: str) -> None:
    """A bill was compared after all."""
    await _run(house, _FORGET, {"bill": bill})


async def uncompared_bills(
    connection: AsyncConnection[Any], schema: str, *, now: datetime, limit: int
) -> list[UncomparedBill]:
    """Those that failed, and those that waited for too long, the longest first."""
    cursor = await connection.execute(
        _composed(_WAITING, schema), {"before": now - WAITS_AFTER, "limit": limit}
    )
    return [UncomparedBill(*row) for row in await cursor.fetchall()]


async def _run(house: House, text: LiteralString, values: dict[str, Any]) -> None:
    async with house.pool.connection() as connection:
        await connection.execute(_composed(text, house.schema), values)


def _composed(text: LiteralString, schema: str) -> Any:
    return SQL(text).format(**{name: Identifier(schema, name) for name in TABLES})


_FAILED: LiteralString = """
INSERT INTO {uncompared_bills} AS f (bill, version, since, failures, cause, again_at)
VALUES (%(bill)s, %(version)s, %(now)s, 1, %(cause)s, %(now)s::timestamptz + interval '4 s')
ON CONFLICT (bill) DO UPDATE SET version = excluded.version, cause = excluded.cause,
    failures = f.failures + 1,
    again_at = %(now)s::timestamptz
        + least(%(longest)s, interval '4 s' * power(2, least(f.failures, 20)))
"""
_FORGET: LiteralString = "DELETE FROM {uncompared_bills} WHERE bill = %(bill)s"
_WAITING: LiteralString = """
SELECT b.id, coalesce(f.since, b.received_at), f.cause, coalesce(f.failures, 0)
FROM {bills} b LEFT JOIN {uncompared_bills} f ON f.bill = b.id
WHERE f.bill IS NOT NULL OR (b.matched_at IS NULL AND b.received_at < %(before)s)
ORDER BY 2, 1 LIMIT %(limit)s
"""
