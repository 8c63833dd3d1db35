"""问询台账 What carriers were asked about parcels, and will be (T2, M5, M6).

The asking itself is `application/querying.py`; its rhythm is said here, for both.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, LiteralString, NamedTuple

from psycopg import AsyncConnection
from psycopg.sql import SQL, Identifier

from application.house import House
from domain.house_rules import HouseRules
from domain.silence import Silence, patience

LOCKED_WITHIN = timedelta(minutes=30)
"""Asking about a number again within this locks it at the partner (wire 1.3)."""
SILENT_AGAIN = timedelta(days=1)
"""How often a silent parcel is asked about (rules.md 23)."""
COMPARED_AGAIN = timedelta(hours=6)
"""How often a parcel that is neither silent nor signed is compared with what its source says."""
SOURCE_LOOKS_EVERY = timedelta(hours=4)
"""So often the partner looks itself (wire 1.6): sooner after its last word it knows no more."""
A_DAY = timedelta(days=1)


class Outcome(StrEnum):
    """What a query brought."""

    SAME = "same"
    REPAIRED = "repaired"
    """It told scans that no push had brought."""
    CONTRADICTS = "contradicts"
    """It knows nothing of the receipt that a push had told: nothing of value may follow."""
    UNANSWERED = "unanswered"
    REFUSED = "refused"


class LastAsked(NamedTuple):
    """When a source was last asked about a waybill, and what came of it."""

    waybill: str
    asked_at: datetime
    outcome: Outcome | None
    """None: it is being asked."""


class ForeseenQuery(NamedTuple):
    """A question that is still to come."""

    work: str
    """`confirm_receipt`, `ask_silent` or `compare_track`."""
    parcel: str
    carrier: str
    at: datetime
    """Not before then; what is over is due now, and the day's budget may make it later."""
    position: int
    """Of what is known of the parcel."""
    last: Outcome | None
    """What came of the last one; None: there was none, or it is being asked."""


async def queries_asked(connection: AsyncConnection[Any], house: House, partner: str) -> int:
    """How many queries a partner was asked within a day, by all processes (M2)."""
    query = SQL(_ASKED).format(queries_asked=Identifier(house.schema, "queries_asked"))
    since = house.store.clock() - A_DAY
    ((asked,),) = await (await connection.execute(query, (partner, since), prepare=True)).fetchall()
    return int(asked)


async def forget_queries(house: House) -> None:
    """Let go of the count of days that are over."""
    query = SQL("DELETE FROM {} WHERE asked_at <= %s")
    async with house.pool.connection() as connection:
        table = Identifier(house.schema, "queries_asked")
        await connection.execute(query.format(table), (house.store.clock() - A_DAY,))


async def contradicted(
    connection: AsyncConnection[Any], schema: str
) -> list[tuple[str, str, datetime, list[str], bool]]:
    """Receipts that no query confirmed, or that fell away with their carrier, oldest first.

    Each as (parcel, waybill, since, orders, whether it fell away); those that fell away as long as
    a service window is held for them (T2).
    """
    names = {name: Identifier(schema, name) for name in ("queries", "parcels", "orders")}
    cursor = await connection.execute(SQL(_CONTRADICTED).format(**names), prepare=True)
    return await cursor.fetchall()


async def last_asked(
    connection: AsyncConnection[Any], schema: str, waybills: Sequence[str]
) -> list[LastAsked]:
    """When sources were last asked about these waybills; none of those never asked about."""
    query = SQL(_LAST).format(queries=Identifier(schema, "queries"))
    cursor = await connection.execute(query, (list(waybills),), prepare=True)
    return [
        LastAsked(waybill, asked_at, None if outcome is None else Outcome(outcome))
        for waybill, asked_at, outcome in await cursor.fetchall()
    ]


async def foreseen_queries(
    connection: AsyncConnection[Any], house: House, parcels: Sequence[str]
) -> list[ForeseenQuery]:
    """What sources will be asked about these parcels next, if nothing is heard of them."""
    names = {name: Identifier(house.schema, name) for name in ("queries", "parcels")}
    cursor = await connection.execute(SQL(_FORESEEN).format(**names), (list(parcels),))
    now = house.store.clock()
    return [_next_query(*row, now=now, rules=house.rules) for row in await cursor.fetchall()]


def _next_query(
    parcel: str,
    carrier: str,
    position: int,
    since: datetime,
    unconfirmed: bool,
    quiet_as: str | None,
    quiet_since: datetime | None,
    told_at: datetime | None,
    asked_at: datetime | None,
    outcome: str | None,
    *,
    now: datetime,
    rules: HouseRules,
) -> ForeseenQuery:
    if unconfirmed or quiet_as is None or quiet_since is None:
        work, at = "confirm_receipt", asked_at + LOCKED_WITHIN if asked_at else since
    else:
        silent_at = quiet_since + patience(Silence(quiet_as), rules=rules)
        heard_at = told_at or quiet_since
        if quiet_as != Silence.NOT_COLLECTED:  # that one's is when its wait ends, often to come
            heard_at = max(heard_at, quiet_since)
        asked = asked_at or heard_at - COMPARED_AGAIN
        compared_at = max(heard_at + SOURCE_LOOKS_EVERY, asked + COMPARED_AGAIN)
        if max(now, compared_at) < silent_at:
            work, at = "compare_track", compared_at
        else:
            work, at = (
                "ask_silent",
                max(silent_at, asked_at + SILENT_AGAIN if asked_at else silent_at),
            )
    last = None if outcome is None else Outcome(outcome)
    return ForeseenQuery(work, parcel, carrier, at, position, last)


_LAST: LiteralString = """
SELECT waybill, asked_at, outcome FROM {queries} WHERE waybill = ANY(%s) ORDER BY asked_at
"""
_FORESEEN: LiteralString = """
SELECT w.number, w.whom, w.position, w.since, w.unconfirmed, w.quiet_as, w.quiet_since,
    w.told_at, q.asked_at, q.outcome
FROM (
    SELECT p.*, p.confirm_waybill AS asked, p.confirm_carrier AS whom FROM {parcels} p
    WHERE p.unconfirmed
    UNION ALL
    SELECT p.*, p.waybill, p.carrier FROM {parcels} p
    WHERE NOT p.unconfirmed AND p.quiet_as IS NOT NULL
) w LEFT JOIN {queries} q ON q.waybill = w.asked
WHERE w.number = ANY(%s) AND w.asked IS NOT NULL AND w.whom IS NOT NULL
"""
_ASKED: LiteralString = "SELECT count(*) FROM {queries_asked} WHERE partner = %b AND asked_at > %b"
_CONTRADICTED = """
SELECT p.number, p.confirm_waybill, q.asked_at AS since, p.orders, false
FROM {queries} q JOIN {parcels} p ON p.confirm_waybill = q.waybill
WHERE q.outcome = 'contradicts' AND p.unconfirmed AND p.receipt_fell_at IS NULL
UNION ALL
SELECT p.number, p.waybill, p.receipt_fell_at, p.orders, true FROM {parcels} p
WHERE p.unconfirmed AND p.receipt_fell_at IS NOT NULL AND EXISTS (
    SELECT FROM {orders} o WHERE o.number = ANY(p.orders) AND o.window_until IS NOT NULL)
ORDER BY since, number LIMIT 200
"""
