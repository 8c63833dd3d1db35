"""The store: one writer a process, committing what waits in groups (design.md, The store).

A caller hands in a `Command` and gets its `Outcome`, a `Refusal`, or `Unavailable` when the
outcome is not known yet; the same command sent again gets the same answer, whatever happened in
between. States are exact while the log's turn is held, so there are no conflicts and no retries.
"""

import asyncio
import hmac
import itertools
import logging
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from psycopg import AsyncConnection
from pydantic_core import from_json, to_json

from application.envelope import decode_fact
from application.faults import fault
from application.log import Head, Log, LogSql, Recorded
from application.outcomes import (
    OUTAGES,
    InFlight,
    KeyReused,
    Outcome,
    RefusedBefore,
    Unavailable,
    keep_refusal,
)
from application.proof import leaf_hash
from application.streams import Category, S, category_of
from application.unit import Card, Command, Held, Missing, Row, Unit
from application.vault import Vault
from domain.point_facts import LearnerErased
from domain.refusals import Refusal

logger = logging.getLogger(__name__)

BATCH_MAX = 512
"""Commands in one commit: more gains nothing and makes callers wait."""
QUEUE_MAX = 20_000
"""Commands that may wait; beyond it callers are told to come back (M2)."""
CACHE_MAX = 50_000
"""Streams whose states are kept in memory."""
CATCH_UP_MAX = 20_000
"""Events of other processes worth folding; after a longer idle the cache is dropped."""
SNAPSHOT_AFTER = 200
"""Events folded to load a stream, from which its state is worth keeping."""
RECONNECT_SECONDS = 0.25
"""Longest pause between two tries to reach the log."""
CLOSING_SECONDS = 2.0
"""How long a store that is closed goes on with what waits."""
LINK: dict[str, Any] = {
    "autocommit": True,
    "connect_timeout": 5,
    # A host that vanished without a word is noticed in seconds; sockets without a host ignore it.
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}


class _Waiting:
    """A command and who waits for its answer: its caller, and callers who sent it again."""

    __slots__ = ("command", "future", "give_up_at", "twins")

    def __init__(
        self, command: Command, future: asyncio.Future[Outcome], give_up_at: float
    ) -> None:
        self.command = command
        self.future = future
        self.give_up_at = give_up_at
        self.twins: list[asyncio.Future[Outcome]] = []

    def settle(self, result: Outcome | BaseException) -> None:
        """Tell all of them; a caller that went away is passed over."""
        for future in (self.future, *self.twins):
            _tell(future, result)

    def give_up(self) -> None:
        """Tell the first caller that it takes too long; twins have a patience of their own."""
        _tell(self.future, Unavailable())


def _tell(future: asyncio.Future[Outcome], result: Outcome | BaseException) -> None:
    if future.done():
        return
    if isinstance(result, BaseException):
        future.set_exception(result)
        future.exception()  # a caller that gives up has not forgotten to look
    else:
        future.set_result(result)


class _Group:
    """What one group commit has gathered so far."""

    def __init__(self, head: Head, now: datetime) -> None:
        self.head = head
        self.now = now
        self.states: dict[str, Held] = {}
        self.rows: list[Row] = []
        self.cards: list[Card] = []
        self.new_keys: dict[str, bytes] = {}
        """Keys made for this group; stored, and good for later ones, if a card needed them."""
        self.stored_keys: set[str] = set()
        self.erased: list[str] = []
        self.answers: list[Recorded] = []
        self.settled: list[tuple[_Waiting, Outcome | BaseException]] = []

    @property
    def position(self) -> int:
        """The log's position once this group is committed."""
        return self.head.position + len(self.rows)


class Store:
    """The log of one tenant, as this process writes it. Use as an async context manager."""

    def __init__(
        self,
        conninfo: str,
        *,
        schema: str,
        vault: Vault,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        patience: timedelta = timedelta(seconds=10),
    ) -> None:
        self.schema = schema
        self.position = 0
        """The last position this process knows of."""
        self.clock = clock
        self._conninfo = conninfo
        self._sql = LogSql(schema)
        self._vault = vault
        self._patience = patience.total_seconds()
        self._log: Log | None = None
        self._cache: dict[str, Held] = {}
        self._keys: dict[str, bytes] = {}
        self._queue: deque[_Waiting] = deque()
        self._wake = asyncio.Event()
        self._in_flight: dict[tuple[str, str], _Waiting] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._closing = False

    async def __aenter__(self) -> "Store":
        self._tasks = [
            asyncio.create_task(self._write(), name=f"writer of {self.schema}"),
            asyncio.create_task(self._lose_patience(), name=f"patience of {self.schema}"),
        ]
        return self

    async def __aexit__(self, *_: object) -> None:
        """Finish what waits, within bounds, then stop."""
        self._closing = True
        self._wake.set()
        await asyncio.wait(self._tasks[:1], timeout=CLOSING_SECONDS)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._settle_all((one, Unavailable()) for one in list(self._in_flight.values()))
        await self._disconnect()

    @property
    def writing(self) -> bool:
        """Whether the writer runs."""
        return bool(self._tasks) and not self._tasks[0].done()

    @property
    def waiting(self) -> int:
        """Commands that have no answer yet."""
        return len(self._in_flight)

    async def execute(self, command: Command) -> Outcome:
        """Decide and commit a command once; returns its answer, now or from its first sending.

        Raises the `Refusal` it met (also again), `KeyReused`, `InFlight` when a twin takes too
        long, `Unavailable` when the outcome is unknown or too many wait.
        """
        identity = (command.principal, command.key)
        loop = asyncio.get_running_loop()
        twin = self._in_flight.get(identity)
        if twin is not None:
            if not hmac.compare_digest(twin.command.digest, command.digest):
                raise KeyReused()
            return await self._same_answer(twin)
        if self._closing or len(self._in_flight) >= QUEUE_MAX:
            raise Unavailable
        waiting = _Waiting(command, loop.create_future(), loop.time() + self._patience)
        self._in_flight[identity] = waiting
        self._queue.append(waiting)
        self._wake.set()
        return await waiting.future

    async def _same_answer(self, twin: _Waiting) -> Outcome:
        again: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        twin.twins.append(again)
        try:
            async with asyncio.timeout(self._patience):
                return (await again)._replace(repeated=True)
        except TimeoutError:
            raise InFlight from None
        finally:
            twin.twins.remove(again)

    async def execute_all(self, commands: Sequence[Command]) -> list[Outcome | Refusal]:
        """Execute many commands, each on its own: outcomes and refusals in the same order."""

        async def one(command: Command) -> Outcome | Refusal:
            try:
                return await self.execute(command)
            except Refusal as refusal:
                return refusal

        answers: list[Outcome | Refusal] = []
        for start in range(0, len(commands), BATCH_MAX):
            answers += await asyncio.gather(*map(one, commands[start : start + BATCH_MAX]))
        return answers

    def peek(self, category: Category[S], key: str) -> S:
        """A state as this process last saw it, or the initial one: for hints, not decisions."""
        held = self._cache.get(category.stream(key))
        state: S = category.initial if held is None else held[1]
        return state

    async def _lose_patience(self) -> None:
        """Answer callers whose time is over; their commands go on and keep their answers."""
        while True:
            await asyncio.sleep(0.5)
            now = asyncio.get_running_loop().time()
            for waiting in list(self._in_flight.values()):
                if waiting.give_up_at > now:
                    break  # later ones came later
                waiting.give_up()

    # The writer: everything below runs in its one task.

    async def _write(self) -> None:
        while True:
            if not self._queue:
                if self._closing:
                    return
                self._wake.clear()
                await self._wake.wait()
            await self._linger()
            batch = [self._queue.popleft() for _ in range(min(BATCH_MAX, len(self._queue)))]
            if batch:
                await self._commit_until_known(batch)

    async def _linger(self) -> None:
        """Let callers that are about to ask join: for as long as each turn of the loop adds some."""
        waiting = 0
        while waiting < len(self._queue) < BATCH_MAX:
            waiting = len(self._queue)
            await asyncio.sleep(0)

    async def _commit_until_known(self, batch: list[_Waiting]) -> None:
        """Commit a batch; when the connection dies, ask the log and go on (unknown outcome).

        A second run is safe: it waits for the turn, so a commit still under way has ended by
        then, and it first looks up which of its commands the log has answered.
        """
        for attempt in itertools.count():
            try:
                await self._commit(batch)
                return
            except OUTAGES as error:
                logger.warning("the log is out of reach: %s", type(error).__name__)
                await self._disconnect()
                if self._closing and attempt >= 3:
                    self._settle_all((one, Unavailable()) for one in list(self._in_flight.values()))
                    self._queue.clear()
                    return
                await asyncio.sleep(min(0.05 * 2 ** min(attempt, 5), RECONNECT_SECONDS))
            except Exception as error:
                # A bug, not an outage. Nothing was committed, and what is kept here may be wrong.
                logger.exception("a group commit of %s failed", len(batch))
                await self._disconnect()
                self._cache.clear()
                await self._commit_apart(batch, error)
                return

    async def _commit_apart(self, batch: list[_Waiting], error: Exception) -> None:
        """One command spoiled the commit of all: halve until it fails alone."""
        if len(batch) == 1:
            self._settle_all([(batch[0], error)])
            return
        half = len(batch) // 2
        await self._commit_until_known(batch[:half])
        await self._commit_until_known(batch[half:])

    async def _commit(self, batch: list[_Waiting]) -> None:
        log = await self._connected()
        if not self._cache:
            self.position = await log.position()
        await self._load_ahead(log, batch)
        async with log.connection.transaction():
            head = await log.take_turn()
            if not await self._catch_up(log, head):
                await self._load_ahead(log, batch)
            before = head.recorded_at
            now = self.clock()
            group = _Group(head, now if before is None else max(now, before))
            await self._load_keys(log, group, {w.command.subject for w in batch})
            known = {
                (one.principal, one.key): one
                for one in await log.recorded((w.command.principal, w.command.key) for w in batch)
            }
            for waiting in batch:
                answered = known.get((waiting.command.principal, waiting.command.key))
                if answered is not None:
                    group.settled.append((waiting, _repeated(answered, waiting.command)))
                else:
                    await self._decide(log, group, waiting)
            if group.answers:
                await self._append(log, group)
            fault("before_commit")
        fault("after_commit")
        self._cache.update(group.states)
        self.position = group.position
        for subject in group.new_keys.keys() - group.stored_keys:
            self._keys.pop(subject, None)  # it exists nowhere but here: no card may be sealed
        self._settle_all(group.settled)
        for kept in (self._cache, self._keys):
            while len(kept) > CACHE_MAX:
                del kept[next(iter(kept))]

    async def _decide(self, log: Log, group: _Group, waiting: _Waiting) -> None:
        """Run one command in memory on the states it needs; its answer waits for the commit."""
        command = waiting.command
        while True:
            unit = Unit(
                command, now=group.now, cache=self._cache, base=group.states, keys=self._keys
            )
            try:
                answer = command.decide(unit)
                if not command.asks_only:
                    answer["position"] = group.position + len(unit.rows)
                written = to_json(answer)
            except Missing as missing:
                await self._load_missing(log, group, missing)
                continue
            except Refusal as refusal:
                if command.asks_only:
                    group.settled.append((waiting, refusal))
                    return
                kept = keep_refusal(refusal)
                self._answer(group, waiting, kept, refusal)
                return
            except Exception as error:
                group.settled.append((waiting, error))
                return
            break
        if command.asks_only:
            outcome = Outcome(written, group.position, repeated=False)
            group.settled.append((waiting, outcome))
            return
        group.rows += unit.rows
        group.cards += unit.cards
        group.states.update(unit.touched)
        if unit.erased:
            group.erased.append(unit.erased)
        self._answer(group, waiting, written, None)

    def _answer(
        self, group: _Group, waiting: _Waiting, answer: bytes, refusal: Refusal | None
    ) -> None:
        command = waiting.command
        group.answers.append(
            Recorded(
                command.principal,
                command.key,
                command.digest,
                group.position,
                refusal is not None,
                answer,
            )
        )
        group.settled.append((waiting, refusal or Outcome(answer, group.position, repeated=False)))

    async def _append(self, log: Log, group: _Group) -> None:
        after = group.head.position
        leaves = [
            leaf_hash(position, row.stream, row.version, row.name, row.stored)
            for position, row in enumerate(group.rows, start=after + 1)
        ]
        group.stored_keys = group.new_keys.keys() & {card.subject for card in group.cards}
        await log.insert(
            after=after,
            rows=group.rows,
            answers=group.answers,
            cards=group.cards,
            new_keys=[(one, group.new_keys[one]) for one in group.stored_keys],
            frontier=group.head.frontier.extended(leaves),
            recorded_at=group.now,
        )
        if group.erased:
            await log.erase(group.erased)
            for subject in group.erased:
                self._keys.pop(subject, None)

    async def _catch_up(self, log: Log, head: Head) -> bool:
        """Fold what other processes appended into the states kept here; False: all dropped."""
        if head.position - self.position > CATCH_UP_MAX:
            self._cache.clear()
            self._keys.clear()
            self.position = head.position
            return False
        if head.position > self.position:
            for row in await log.since(self.position):
                held = self._cache.get(row.stream)
                # A state loaded after its last event was appended has that event already.
                if held is not None and row.version > held[0]:
                    fact = decode_fact(row.name, row.stored)
                    state = category_of(row.stream).evolve(held[1], fact)
                    self._cache[row.stream] = (row.version, state)
                if row.name == LearnerErased.fact_name:
                    self._keys.pop(row.stream.partition(":")[2], None)
            self.position = head.position  # not before: a try that dies on the way is made again
        return True

    async def _load_ahead(self, log: Log, batch: Iterable[_Waiting]) -> None:
        streams = {s for one in batch for s in one.command.streams if s not in self._cache}
        if streams:
            await self._load(log, list(streams))

    async def _load_missing(self, log: Log, group: _Group, missing: Missing) -> None:
        if missing.stream is not None:
            await self._load(log, [missing.stream])
        if missing.subject is not None:
            await self._load_keys(log, group, {missing.subject})

    async def _load(self, log: Log, streams: list[str]) -> None:
        long: list[tuple[str, Held]] = []
        for stream, (held, folded) in (await log.load(streams)).items():
            self._cache[stream] = held
            if folded >= SNAPSHOT_AFTER:
                long.append((stream, held))
        if long:
            await log.save_snapshots(long)

    async def _load_keys(self, log: Log, group: _Group, subjects: Iterable[str | None]) -> None:
        """Subjects' keys, made here under the turn where there are none: never two for one."""
        wanted = [one for one in subjects if one is not None and one not in self._keys]
        if not wanted:
            return
        for subject, wrapped in await log.subject_keys(wanted):
            self._keys[subject] = self._vault.unwrap(subject, wrapped)
        for subject in wanted:
            if subject not in self._keys:
                key, group.new_keys[subject] = self._vault.new_subject_key(subject)
                self._keys[subject] = key

    def _settle_all(self, settled: Iterable[tuple[_Waiting, Outcome | BaseException]]) -> None:
        for waiting, result in settled:
            self._in_flight.pop((waiting.command.principal, waiting.command.key), None)
            waiting.settle(result)

    async def _connected(self) -> Log:
        if self._log is None:
            connection = await AsyncConnection.connect(self._conninfo, **LINK)
            # Whoever stands still while it has the turn makes all others wait.
            await connection.execute("SET idle_in_transaction_session_timeout = '5s'")
            self._log = Log(connection, self._sql)
        return self._log

    async def _disconnect(self) -> None:
        # States decided on but not known to be committed were never put into the cache;
        # new subject keys were, and a key that was not committed must not seal another card.
        self._keys.clear()
        if self._log is not None:
            with suppress(psycopg.Error, OSError):
                await self._log.connection.close()
            self._log = None


def _repeated(kept: Recorded, command: Command) -> Outcome | Refusal:
    if not hmac.compare_digest(kept.digest, command.digest):
        return KeyReused()
    if kept.refused:
        return RefusedBefore(from_json(kept.answer))
    return Outcome(kept.answer, kept.position, repeated=True)
