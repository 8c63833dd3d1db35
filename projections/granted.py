"""发放 A grant as the log has it: however its points came, they can be taken back (L5)."""

from datetime import datetime
from typing import Any, NamedTuple

from psycopg import AsyncConnection

from application.envelope import decode
from application.streams import ACCOUNT
from domain.point_facts import PointsGranted
from projections.reading import compose


class Granted(NamedTuple):
    """Points that came under one name, and when."""

    points: int
    happened_at: datetime


async def granted_as(
    connection: AsyncConnection[Any], schema: str, *, learner: str, lot: str
) -> Granted | None:
    """What was granted to a learner as a lot of this name; read from the log, so never late.

    Achievements, compensations of cases and adjustments alike; None: there is none.
    """
    stream = ACCOUNT.stream(learner)
    cursor = await connection.execute(compose(_GRANTED, schema, (), ""), (stream, lot))
    row = await cursor.fetchone()
    if row is None:
        return None
    position, version, name, stored = row
    event = decode(position, stream, version, name, bytes(stored))
    assert isinstance(event.fact, PointsGranted)
    return Granted(event.fact.points, event.happened_at)


_GRANTED = """
SELECT notification_id, originator_version, topic, state FROM {tallypost_events}
WHERE originator_id = %s AND topic = 'ledger.PointsGranted'
  AND convert_from(state, 'UTF8')::json -> 'fact' ->> 'lot' = %s
ORDER BY notification_id LIMIT 1
"""
