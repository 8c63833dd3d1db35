"""历史 A stream's or an order's history, step by step: state after each event and why (A2)."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from psycopg import AsyncConnection

from application.envelope import Envelope, decode
from application.in_clear import in_clear
from application.streams import ORDER, PARCEL, category_of
from domain.refusals import NotFound
from projections.audit_queries import changes, described, order_events, stream_events
from projections.happening import as_happened
from projections.reading import compose

FOLDED_WHOLE = 5_000
"""Events of a neighbouring stream worth reading to show its state beside an order's."""


def steps(
    events: Sequence[Envelope],
    *,
    as_of: datetime | None = None,
    wanted: Callable[[int, Envelope], bool] = lambda place, event: True,
) -> list[dict[str, Any]]:
    """Each event with the state after it and what it changed; only the `wanted` ones are told.

    With `as_of`, facts that happened later are left out and the others are told in the order in
    which they happened; without, in the order in which they were recorded, as decisions saw them.
    """
    if as_of is not None:
        events = [event for _, event in as_happened(events, as_of=as_of)]
    states: dict[str, Any] = {}
    told = []
    for place, event in enumerate(events):
        category = category_of(event.stream)
        before = states.get(event.stream, category.initial)
        after = states[event.stream] = category.evolve(before, event.fact)
        if not wanted(place, event):
            continue
        told.append(
            {
                **described(event),
                "changed": changes(before, after),
                "state": in_clear(after),
            }
        )
    return told


async def order_steps(
    connection: AsyncConnection[Any],
    schema: str,
    number: str,
    *,
    known_at: int,
    as_of: datetime | None = None,
) -> list[dict[str, Any]]:
    """Everything that concerns an order, in one row: its own facts, ledger, stock, parcels.

    States of accounts and shelves are those of their whole streams, of which only what concerns
    the order is told; a very long one is told without. Raises `NotFound`.
    """
    concerning = await order_events(connection, schema, number, known_at=known_at)
    own = await stream_events(connection, schema, ORDER.stream(number), known_at=known_at)
    if not own:
        raise NotFound(what="order")
    wanted = {event.position for event in (*concerning, *own)}
    parcels = {
        PARCEL.stream(parcel) for event in own if (parcel := getattr(event.fact, "parcel", None))
    }
    streams = {event.stream for event in concerning} | parcels | {ORDER.stream(number)}
    whole = await _whole(connection, schema, sorted(streams), known_at=known_at)
    wanted |= {event.position for event in whole if event.stream in parcels}
    told = await asyncio.to_thread(
        steps, whole, as_of=as_of, wanted=lambda _, event: event.position in wanted
    )
    seen = {event.position for event in whole}
    rest = [event for event in concerning if event.position not in seen]
    told += [
        {**described(event), "changed": None, "state": None}  # of a stream that is too long
        for _, event in as_happened(rest, as_of=as_of)
    ]
    if as_of is None:
        return sorted(told, key=lambda step: int(step["position"]))
    place = {event.position: at for at, event in as_happened([*whole, *rest])}
    return sorted(told, key=lambda step: (place[step["position"]], step["position"]))


async def _whole(
    connection: AsyncConnection[Any], schema: str, streams: Sequence[str], *, known_at: int
) -> list[Envelope]:
    query = compose(_WHOLE, schema, (), "")
    cursor = await connection.execute(query, (list(streams), known_at, FOLDED_WHOLE))
    return [
        decode(position, stream, version, name, bytes(stored))
        for position, stream, version, name, stored in await cursor.fetchall()
    ]


async def events_by(
    connection: AsyncConnection[Any],
    schema: str,
    *,
    actor: str | None,
    before: int | None,
    limit: int,
) -> list[dict[str, Any]]:
    """Who did what: events of an actor, or of all, newest first, before a position."""
    query = compose(_BY_ACTOR if actor else _BY_ALL, schema, ("audit_trail",), "")
    values = (actor, before or 2**62, limit) if actor else (before or 2**62, limit)
    cursor = await connection.execute(query, values, prepare=True)
    return [
        described(decode(position, stream, version, name, bytes(stored)))
        for position, stream, version, name, stored in await cursor.fetchall()
    ]


_WHOLE = """
SELECT e.notification_id, e.originator_id, e.originator_version, e.topic, e.state
FROM unnest(%s::text[]) AS wanted(stream)
JOIN {tallypost_events} e ON e.originator_id = wanted.stream
WHERE e.notification_id <= %s AND NOT EXISTS (
    SELECT FROM {tallypost_events} l
    WHERE l.originator_id = wanted.stream AND l.originator_version = %s
)
ORDER BY e.notification_id
"""
_BY_ACTOR = """
SELECT e.notification_id, e.originator_id, e.originator_version, e.topic, e.state
FROM {audit_trail} t JOIN {tallypost_events} e ON e.notification_id = t.position
WHERE t.actor = %s AND t.position < %s ORDER BY t.position DESC LIMIT %s
"""
_BY_ALL = """
SELECT notification_id, originator_id, originator_version, topic, state
FROM {tallypost_events} WHERE notification_id < %s ORDER BY notification_id DESC LIMIT %s
"""
