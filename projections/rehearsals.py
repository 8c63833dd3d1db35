"""假设演练 Rehearsals that somebody asked for: one at a time, their progress, their results (M6).

They are no facts: nothing follows from one but what somebody reads. A rehearsal is done by a
process of its own (`projections/rehearsing.py`), which is known by the `runner` it took it as; one
that is not heard of any more is taken by another.
"""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any, LiteralString, NamedTuple

from psycopg import AsyncConnection, AsyncCursor
from psycopg_pool import AsyncConnectionPool

from application.outcomes import KeyReused
from domain.refusals import NotFound, NotPossible, Refusal
from projections.reading import compose
from projections.what_if import Change

KEPT = 50
"""So many are kept: older ones can be run again."""
SILENT_FOR = timedelta(seconds=60)
RUNS_MAX = 3
"""A rehearsal that ended its process so often is not tried again."""


class RehearsalRunning(Refusal):
    """One at a time: each takes a core of the machine for minutes (M6)."""

    code = "rehearsal_running"
    en = "Another rehearsal is under way: wait for it, or cancel it."
    zh = "另一次推演正在进行：请等待其结束，或将其取消。"


def rehearsal_id(principal: str, key: str) -> str:
    """The id of what somebody asks for under a key: the same again is the same rehearsal."""
    return hashlib.sha256(f"rehearsal\0{principal}\0{key}".encode()).hexdigest()[:20]


class Rehearsal(NamedTuple):
    """A rehearsal as it stands; `change` and `result` are JSON."""

    id: str
    change: str
    asked_by: str
    asked_at: datetime
    state: str
    position: int
    of: int
    ended_at: datetime | None
    why: str | None
    result: str | None


class Rehearsals:
    """The rehearsals of one tenant. Whoever runs one asks with the `runner` it was taken as."""

    def __init__(self, pool: AsyncConnectionPool[Any], *, schema: str) -> None:
        self._pool = pool
        self._schema = schema

    async def ask(self, change: Change, *, name: str, digest: bytes, by: str, at: datetime) -> bool:
        """Have a change rehearsed, once for this id; False: it was asked for before.

        Raises `RehearsalRunning` while another one is open, `KeyReused` for another change.
        """
        asked = change.model_dump_json(exclude_defaults=True)
        async with self._pool.connection() as connection, connection.transaction():
            made = await _do(connection, self._schema, _ASK, (name, digest, asked, by, at))
            await _do(connection, self._schema, _FORGET, (KEPT,))
            cursor = await _do(connection, self._schema, _DIGEST, (name,))
            known = await cursor.fetchone()
            if known is None:
                cursor = await _do(connection, self._schema, _ONE_OPEN, ())
                row = await cursor.fetchone()
                raise RehearsalRunning(rehearsal=row[0] if row else "")
            if bytes(known[0]) != digest:
                raise KeyReused
        return made.rowcount == 1

    async def knows(self, name: str) -> bool:
        """Whether one with this id was asked for, and is kept."""
        async with self._pool.connection() as connection:
            return await (await _do(connection, self._schema, _ONE, (name,))).fetchone() is not None

    async def named(self, name: str) -> Rehearsal:
        """The one with this id. Raises `NotFound`."""
        async with self._pool.connection() as connection:
            row = await (await _do(connection, self._schema, _ONE, (name,))).fetchone()
        if row is None:
            raise NotFound(what="rehearsal")
        return Rehearsal(*row)

    async def listed(self) -> list[Rehearsal]:
        """All that are kept, newest first, without their results."""
        async with self._pool.connection() as connection:
            cursor = await _do(connection, self._schema, _LISTED, ())
            return [Rehearsal(*row) for row in await cursor.fetchall()]

    async def cancel(self, name: str) -> Rehearsal:
        """End it; whoever runs it stops within seconds. Raises `NotPossible` if it is over."""
        async with self._pool.connection() as connection:
            cursor = await _do(connection, self._schema, _CANCEL, (name,))
        found = await self.named(name)
        if not cursor.rowcount and found.state != "cancelled":
            raise NotPossible(action="cancel_rehearsal", why=f"the rehearsal is {found.state}")
        return found

    # --- for whoever runs them ---

    async def take(self) -> tuple[str, str] | None:
        """One that nobody runs: (its id, the runner who has it now)."""
        runner = secrets.token_hex(8)
        async with self._pool.connection() as connection:
            await _do(connection, self._schema, _GIVE_UP, (RUNS_MAX, SILENT_FOR))
            cursor = await _do(connection, self._schema, _TAKE, (runner, SILENT_FOR))
            row = await cursor.fetchone()
        return (row[0], runner) if row else None

    async def hand_back(self, name: str, runner: str) -> None:
        """The process is told to stop: another one takes it, from the beginning."""
        await self._of_runner(_HAND_BACK, (name, runner))

    async def fail(self, name: str, runner: str, *, why: str) -> None:
        """It ended without a result; nothing where it had ended otherwise."""
        await self._of_runner(_FAIL, (why, name, runner))

    async def _of_runner(self, text: LiteralString, values: tuple[object, ...]) -> None:
        async with self._pool.connection() as connection:
            await _do(connection, self._schema, text, values)


async def note_progress(
    connection: AsyncConnection[Any], schema: str, name: str, runner: str, *, position: int, of: int
) -> bool:
    """How far it is; False: it is this runner's no longer."""
    cursor = await _do(connection, schema, _PROGRESS, (position, of, name, runner))
    return cursor.rowcount == 1


async def note_result(
    connection: AsyncConnection[Any],
    schema: str,
    name: str,
    runner: str,
    *,
    result: str,
    position: int,
) -> bool:
    """What came of it; False: it was cancelled, or is another runner's."""
    values = (result, position, position, name, runner)
    return (await _do(connection, schema, _DONE, values)).rowcount == 1


async def change_of(connection: AsyncConnection[Any], schema: str, name: str) -> Change:
    """What is to be rehearsed. Raises `NotFound`."""
    row = await (await _do(connection, schema, _CHANGE, (name,))).fetchone()
    if row is None:
        raise NotFound(what="rehearsal")
    return Change.model_validate_json(row[0])


async def _do(
    connection: AsyncConnection[Any], schema: str, text: LiteralString, values: tuple[object, ...]
) -> AsyncCursor[Any]:
    return await connection.execute(compose(text, schema, ("rehearsals",), ""), values)


# Whatever it conflicts with, nothing is asked; the two reads after it tell what that was.
_ASK: LiteralString = """
INSERT INTO {rehearsals} (id, digest, change, asked_by, asked_at, state)
VALUES (%s, %s, %s, %s, %s, 'waiting') ON CONFLICT DO NOTHING
"""
_FORGET: LiteralString = """
DELETE FROM {rehearsals} WHERE state NOT IN ('waiting', 'running') AND id NOT IN (
    SELECT id FROM {rehearsals} ORDER BY asked_at DESC, id DESC LIMIT %s
)
"""
_DIGEST: LiteralString = "SELECT digest FROM {rehearsals} WHERE id = %s"
_ONE_OPEN: LiteralString = "SELECT id FROM {rehearsals} WHERE state IN ('waiting', 'running')"
_FIELDS: LiteralString = "id, change, asked_by, asked_at, state, position, of, ended_at, why"
_ONE: LiteralString = f"SELECT {_FIELDS}, result FROM {{rehearsals}} WHERE id = %s"
_LISTED: LiteralString = f"""
SELECT {_FIELDS}, NULL FROM {{rehearsals}} ORDER BY asked_at DESC, id DESC
"""
_CANCEL: LiteralString = """
UPDATE {rehearsals} SET state = 'cancelled', ended_at = clock_timestamp()
WHERE id = %s AND state IN ('waiting', 'running')
"""
_GIVE_UP: LiteralString = """
UPDATE {rehearsals} SET state = 'failed', why = 'died', ended_at = clock_timestamp()
WHERE state = 'running' AND runs >= %s AND seen_at < clock_timestamp() - %s::interval
"""
_TAKE: LiteralString = """
UPDATE {rehearsals} SET state = 'running', runner = %s, runs = runs + 1,
    seen_at = clock_timestamp(), position = 0
WHERE id = (
    SELECT id FROM {rehearsals}
    WHERE state = 'waiting'
       OR state = 'running' AND seen_at < clock_timestamp() - %s::interval
    LIMIT 1 FOR UPDATE SKIP LOCKED
)
RETURNING id
"""
_HAND_BACK: LiteralString = """
UPDATE {rehearsals} SET state = 'waiting', runs = runs - 1
WHERE id = %s AND runner = %s AND state = 'running'
"""
_FAIL: LiteralString = """
UPDATE {rehearsals} SET state = 'failed', why = %s, ended_at = clock_timestamp()
WHERE id = %s AND runner = %s AND state = 'running'
"""
_PROGRESS: LiteralString = """
UPDATE {rehearsals} SET position = %s, of = %s, seen_at = clock_timestamp()
WHERE id = %s AND runner = %s AND state = 'running'
"""
_DONE: LiteralString = """
UPDATE {rehearsals} SET state = 'done', result = %s, position = %s, of = %s,
    ended_at = clock_timestamp()
WHERE id = %s AND runner = %s AND state = 'running'
"""
_CHANGE: LiteralString = "SELECT change FROM {rehearsals} WHERE id = %s"
