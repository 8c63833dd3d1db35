"""保全 Whose data may only be stored: asked of the log itself, never of a view (rules.md 30)."""

from collections.abc import Collection
from typing import Any

from psycopg import AsyncConnection
from psycopg.sql import SQL, Identifier

from application.envelope import decode_fact
from application.streams import PRIVACY
from domain.privacy import LegalHoldLifted, LegalHoldPlaced, Privacy

HOLDS = [LegalHoldPlaced.fact_name, LegalHoldLifted.fact_name]


async def held(
    connection: AsyncConnection[Any], schema: str, learners: Collection[str]
) -> dict[str, Privacy]:
    """Which of these learners' data are under a legal hold now, and for which matters."""
    if not learners:
        return {}
    query = SQL(_HOLDS).format(Identifier(schema, "tallypost_events"))
    streams = [PRIVACY.stream(one) for one in learners]
    states: dict[str, Privacy] = {}
    cursor = await connection.execute(query, (streams, HOLDS), prepare=True)
    for stream, name, stored in await cursor.fetchall():
        learner = stream.partition(":")[2]
        state = states.get(learner, PRIVACY.initial)
        states[learner] = PRIVACY.evolve(state, decode_fact(name, bytes(stored)))
    return {learner: state for learner, state in states.items() if state.holds}


async def refuse_held(connection: AsyncConnection[Any], schema: str, learner: str) -> None:
    """Raise `UnderLegalHold` where the learner's data may only be stored."""
    for state in (await held(connection, schema, [learner])).values():
        state.usable()


_HOLDS = """
SELECT originator_id, topic, state FROM {}
WHERE originator_id = ANY(%b) AND topic = ANY(%b) ORDER BY originator_id, originator_version
"""
