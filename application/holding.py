"""保全 Whose data may only be stored, who is a minor: asked of the log, never of a view (A4)."""

from collections.abc import Collection
from typing import Any

from psycopg import AsyncConnection
from psycopg.sql import SQL, Identifier

from application.envelope import decode_fact
from application.streams import PRIVACY
from domain.privacy import (
    LearnerMarkedMinor,
    LearnerMarkedOfAge,
    LegalHoldLifted,
    LegalHoldPlaced,
    Privacy,
)

HOLDS = [LegalHoldPlaced.fact_name, LegalHoldLifted.fact_name]
MARKS = [LearnerMarkedMinor.fact_name, LearnerMarkedOfAge.fact_name]


async def held(
    connection: AsyncConnection[Any], schema: str, learners: Collection[str]
) -> dict[str, Privacy]:
    """Which of these learners' data are under a legal hold now, and for which matters."""
    states = await _folded(connection, schema, learners, HOLDS)
    return {learner: state for learner, state in states.items() if state.holds}


async def usable_state(connection: AsyncConnection[Any], schema: str, learner: str) -> Privacy:
    """Holds and age of a learner. Raises `UnderLegalHold` where their data may only be stored."""
    states = await _folded(connection, schema, [learner], [*HOLDS, *MARKS])
    state = states.get(learner, PRIVACY.initial)
    state.usable()
    return state


async def refuse_held(connection: AsyncConnection[Any], schema: str, learner: str) -> None:
    """Raise `UnderLegalHold` where the learner's data may only be stored."""
    for state in (await held(connection, schema, [learner])).values():
        state.usable()


async def _folded(
    connection: AsyncConnection[Any], schema: str, learners: Collection[str], names: list[str]
) -> dict[str, Privacy]:
    """What these facts say of learners; those of whom they say nothing are left out."""
    if not learners:
        return {}
    query = SQL(_FACTS).format(Identifier(schema, "tallypost_events"))
    streams = [PRIVACY.stream(one) for one in learners]
    states: dict[str, Privacy] = {}
    cursor = await connection.execute(query, (streams, names), prepare=True)
    for stream, name, stored in await cursor.fetchall():
        learner = stream.partition(":")[2]
        state = states.get(learner, PRIVACY.initial)
        states[learner] = PRIVACY.evolve(state, decode_fact(name, bytes(stored)))
    return states


_FACTS = """
SELECT originator_id, topic, state FROM {}
WHERE originator_id = ANY(%b) AND topic = ANY(%b) ORDER BY originator_id, originator_version
"""
