"""先后 Facts in the order in which they happened, not always that of their recording (A5)."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, cast

from psycopg import AsyncConnection

from application.envelope import Envelope, decode
from application.streams import ACCOUNT, PARCEL, category_of
from domain.past_balances import LeftSince, left_since
from domain.point_facts import AccountFact
from projections.reading import compose


def as_happened(
    events: Iterable[Envelope], *, as_of: datetime | None = None
) -> list[tuple[datetime, Envelope]]:
    """Events with their moments, earliest first; with `as_of`, those up to then.

    Nothing of an order happened before it was placed: a clock that went wrong, or a time in whole
    seconds, puts a fact no further back than the beginning of its stream. Give streams whole.
    """
    began: dict[str, datetime] = {}
    moments: list[tuple[datetime, Envelope]] = []
    for event in events:
        at = event.happened_at
        if category_of(event.stream).begun:
            at = max(at, began.setdefault(event.stream, at))
        moments.append((at, event))
    moments.sort(key=lambda one: (one[0], one[1].position))
    return [one for one in moments if as_of is None or one[0] <= as_of]


async def first_of(connection: AsyncConnection[Any], schema: str, stream: str) -> Envelope | None:
    """A stream's first event; read from the log itself, so never late."""
    cursor = await connection.execute(compose(_FIRST, schema, (), ""), (stream,), prepare=True)
    for position, name, stored in await cursor.fetchall():
        return decode(position, stream, 1, name, bytes(stored))
    return None


async def began_at(connection: AsyncConnection[Any], schema: str, stream: str) -> datetime | None:
    """When a stream's first fact happened."""
    first = await first_of(connection, schema, stream)
    return None if first is None else first.happened_at


async def orders_of(connection: AsyncConnection[Any], schema: str, parcel: str) -> tuple[str, ...]:
    """The orders that a parcel was begun for; none where there is no such parcel."""
    first = await first_of(connection, schema, PARCEL.stream(parcel))
    if first is None:
        return ()
    return PARCEL.evolve(PARCEL.initial, first.fact).orders


async def left_of(
    connection: AsyncConnection[Any], schema: str, learner: str, moment: datetime
) -> LeftSince:
    """What a learner had at a past moment and has still; read from the log itself (rules.md 19)."""
    stream = ACCOUNT.stream(learner)
    query = compose(_ALL, schema, (), "")
    cursor = await connection.execute(query, (stream,), prepare=True)
    history = [
        (event.happened_at, cast("AccountFact", event.fact))
        for position, version, name, stored in await cursor.fetchall()
        for event in (decode(position, stream, version, name, bytes(stored)),)
    ]
    return left_since(history, moment)


_ALL = """
SELECT notification_id, originator_version, topic, state FROM {tallypost_events}
WHERE originator_id = %b ORDER BY originator_version
"""
_FIRST = """
SELECT notification_id, topic, state FROM {tallypost_events}
WHERE originator_id = %b AND originator_version = 1
"""
