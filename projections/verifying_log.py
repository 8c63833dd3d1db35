"""The digest chain: every leaf from stored bytes, every commit's frontier, no gaps (A3, R60)."""

import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, NamedTuple

from psycopg import AsyncConnection, AsyncCursor
from pydantic_core import from_json

from application.heads import SignedHead
from application.proof import EMPTY_ROOT, Frontier, leaf_hash
from projections.differences import Findings
from projections.reading import compose

PAGE = 5_000


class _Commit(NamedTuple):
    position: int
    frontier: bytes
    recorded_at: datetime


class _Walk:
    """The tree as the stored events make it, commit by commit."""

    def __init__(self, heads: Sequence[SignedHead], found: Findings) -> None:
        self.found = found
        self.frontier = Frontier.empty()
        self.expected = 1
        self._heads = {head.position: head for head in heads}
        self._leaves: list[bytes] = []
        self._times: set[str] = set()
        self._gap = False

    def add(self, row: tuple[int, str, int, str, bytes]) -> None:
        """One event more."""
        position = row[0]
        if position != self.expected:
            missing = f"{self.expected} to {position - 1}"
            self.found.add(f"log position {self.expected}", f"positions {missing} are missing")
            self._gap = True
        self.expected = position + 1
        try:
            self._leaves.append(leaf_hash(*row))
        except (ValueError, struct.error):
            self._gap = True
            self.found.add(f"log position {position}", "its numbers fit no event")
        with suppress(ValueError, KeyError, TypeError):  # a changed event is told by its digest
            self._times.add(from_json(row[4])["recorded_at"])

    def close(self, commit: _Commit) -> None:
        """The events up to a commit are all there: do they make its frontier?"""
        first = self.frontier.size + 1
        place = f"log positions {first} to {commit.position}"
        stored: Frontier | None = None
        with suppress(ValueError):
            stored = Frontier.from_bytes(commit.frontier)
        computed = self.frontier.extended(self._leaves)
        if commit.position != computed.size and not self._gap:
            self.found.add(place, f"{len(self._leaves)} events are there")
        elif stored != computed and not self._gap:
            self.found.add(place, "the events are not those whose digest the commit holds")
        if not self._recorded_at(commit):
            self.found.add(place, "the commit's time is not the one its events were recorded at")
        head = self._heads.pop(commit.position, None)
        if head is not None:
            self._compare(head, computed, commit)
        # Going on from what the commit holds keeps one change from spoiling all that follows.
        same_size = stored is not None and stored.size == commit.position
        self.frontier = stored if stored is not None and same_size else computed
        self._leaves, self._times, self._gap = [], set(), False
        self.expected = max(self.expected, commit.position + 1)

    def end(self) -> None:
        """There are no more commits."""
        if self._leaves:
            self.found.add(
                f"log position {self.frontier.size + 1}",
                f"{len(self._leaves)} events come after the last commit",
            )
        empty = self._heads.pop(0, None)
        if empty is not None and empty.root != EMPTY_ROOT:
            self.found.add("log", "the head kept outside is not that of an empty log")
        for position in sorted(self._heads):
            if position > self.frontier.size:
                what = f"ends at {self.frontier.size}: its tail was cut, the head kept outside"
                self.found.add("log", f"{what} says {position}")
            else:
                self.found.add(f"log position {position}", "no commit of the head kept outside")

    def _compare(self, head: SignedHead, computed: Frontier, commit: _Commit) -> None:
        if computed.size != head.position or computed.root() != head.root:
            what = "the log up to here is not the one of the head kept outside"
            self.found.add(f"log position {head.position}", what)
        elif head.recorded_at != commit.recorded_at:
            what = "the commit's time is not that of the head kept outside"
            self.found.add(f"log position {head.position}", what)

    def _recorded_at(self, commit: _Commit) -> bool:
        """The frontier does not cover the commit's own time, but all its events name it.

        A commit that was taken away shows by it, too: its events are not of the next one's time.
        """
        try:
            told = {datetime.fromisoformat(text).astimezone(UTC) for text in self._times}
        except (ValueError, TypeError):
            return True
        return not told or told == {commit.recorded_at.astimezone(UTC)}


async def verify_log(
    connection: AsyncConnection[Any],
    schema: str,
    *,
    heads: Sequence[SignedHead] = (),
    found: Findings,
) -> int:
    """Compare the whole log with its commits, and with heads kept outside; returns its end."""
    walk = _Walk(heads, found)
    async with (
        connection.cursor("tallypost_events", binary=True) as events,
        connection.cursor("tallypost_commits", binary=True) as commits,
    ):
        await events.execute(compose(_EVENTS, schema, (), ""))
        await commits.execute(compose(_COMMITS, schema, (), ""))
        coming = _paged(commits)
        commit = await _next(coming)
        while rows := await events.fetchmany(PAGE):
            for row in rows:
                while commit is not None and row[0] > commit.position:
                    walk.close(commit)
                    commit = await _next(coming)
                walk.add(row)
        while commit is not None:
            walk.close(commit)
            commit = await _next(coming)
    walk.end()
    await _verify_streams(connection, schema, walk.expected - 1, found)
    return walk.expected - 1


async def _next(commits: AsyncIterator[_Commit]) -> _Commit | None:
    return await anext(commits, None)


async def _paged(cursor: AsyncCursor[Any]) -> AsyncIterator[_Commit]:
    while rows := await cursor.fetchmany(PAGE):
        for row in rows:
            yield _Commit(*row)


async def _verify_streams(
    connection: AsyncConnection[Any], schema: str, end: int, found: Findings
) -> None:
    """A stream's versions count 1, 2, 3 … in the order of its positions; answers lie in the log."""
    query = compose(_VERSIONS, schema, (), "")
    for stream, version, before, position in await (await connection.execute(query)).fetchall():
        what = f"version {version} of {stream} comes after version {before}"
        found.add(f"log position {position}", what)
    query = compose(_AHEAD, schema, ("commands",), "")
    for principal, key, position in await (await connection.execute(query, (end,))).fetchall():
        what = f"answered at {position}, the log ends at {end}"
        found.add(f"log, command {key} of {principal}", what)


_EVENTS = """
SELECT notification_id, originator_id, originator_version, topic, state FROM {tallypost_events}
ORDER BY notification_id
"""
_COMMITS = "SELECT position, frontier, recorded_at FROM {commits} ORDER BY position"
_VERSIONS = """
SELECT originator_id, originator_version, before, notification_id FROM (
    SELECT originator_id, originator_version, notification_id,
        lag(originator_version, 1, 0::bigint) OVER (
            PARTITION BY originator_id ORDER BY notification_id) AS before
    FROM {tallypost_events}
) numbered WHERE originator_version <> before + 1 LIMIT 50
"""
_AHEAD = "SELECT principal, key, position FROM {commands} WHERE position > %s LIMIT 50"
