"""审计查询 Replays: any stream as it stood, step by step, with what each event changed (A2, A5)."""

import dataclasses
from datetime import datetime
from typing import Any

from psycopg import AsyncConnection

from application.envelope import Envelope, decode
from application.in_clear import in_clear
from projections.reading import compose

TABLES = ("audit_trail", "order_trail")


async def position_at(connection: AsyncConnection[Any], schema: str, moment: datetime) -> int:
    """The last log position recorded at or before a moment."""
    query = compose(_POSITION_AT, schema, TABLES, "")
    rows = await (await connection.execute(query, (moment,), prepare=True)).fetchall()
    return int(rows[0][0]) if rows else 0


async def stream_events(
    connection: AsyncConnection[Any], schema: str, stream: str, *, known_at: int
) -> list[Envelope]:
    """A stream's events that were recorded up to a position, in the order of recording."""
    query = compose(_STREAM, schema, TABLES, "")
    cursor = await connection.execute(query, (stream, known_at), prepare=True)
    return [
        decode(position, stream, version, name, bytes(stored))
        for position, version, name, stored in await cursor.fetchall()
    ]


async def order_events(
    connection: AsyncConnection[Any], schema: str, number: str, *, known_at: int
) -> list[Envelope]:
    """Everything in the log that concerns an order: its own stream, ledger, stock, parcels."""
    query = compose(_ORDER, schema, TABLES, "")
    cursor = await connection.execute(query, (number, known_at), prepare=True)
    return [
        decode(position, stream, version, name, bytes(stored))
        for position, stream, version, name, stored in await cursor.fetchall()
    ]


def described(event: Envelope) -> dict[str, Any]:
    """An envelope as auditors read it: who, when, why, caused by what (A1)."""
    return {
        "position": event.position,
        "stream": event.stream,
        "version": event.version,
        "fact": event.fact.fact_name,
        "data": event.fact.model_dump(mode="json"),
        "happened_at": event.happened_at,
        "recorded_at": event.recorded_at,
        "actor": event.context.actor,
        "reason": event.context.reason,
        "command": event.context.command,
        "correlation": event.context.correlation,
        "causation": event.context.causation,
    }


def changes(before: Any, after: Any) -> dict[str, list[Any]]:
    """The fields of a state that an event changed: `{field: [before, after]}`."""
    return {
        field.name: [
            in_clear(getattr(before, field.name)),
            in_clear(getattr(after, field.name)),
        ]
        for field in dataclasses.fields(after)
        if not field.name.startswith("_")
        and getattr(before, field.name) != getattr(after, field.name)
    }


_POSITION_AT = """
SELECT position FROM {commits} WHERE recorded_at <= %b ORDER BY recorded_at DESC, position DESC
LIMIT 1
"""
_STREAM = """
SELECT notification_id, originator_version, topic, state FROM {tallypost_events}
WHERE originator_id = %b AND notification_id <= %b ORDER BY originator_version
"""
_ORDER = """
SELECT e.notification_id, e.originator_id, e.originator_version, e.topic, e.state
FROM {order_trail} t JOIN {tallypost_events} e ON e.notification_id = t.position
WHERE t.order_number = %b AND t.position <= %b::bigint ORDER BY t.position
"""
