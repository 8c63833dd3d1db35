"""The writer: decides commands and commits them in groups, one group under way at a time.

While PostgreSQL inserts and commits a group, the next one is decided on the states as they will
be: *ahead*. That holds only if nobody else appends in between, which is known as soon as the
next turn is taken; where it does not hold, what was decided is thrown away and decided anew,
under the turn. Nobody is told anything before it is committed.
"""

import asyncio
import hmac
import itertools
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime

import psycopg
from psycopg import AsyncConnection, errors
from pydantic_core import from_json

from application.ending import heed, told_to_stop
from application.envelope import decode_fact
from application.faults import fault
from application.groups import Group, Waiting
from application.links import LINK
from application.log import Head, Log, LogSql, Recorded
from application.outcomes import (
    OUTAGES,
    KeyReused,
    Outcome,
    RefusedBefore,
    tellable,
)
from application.states import States
from application.streams import category_of
from application.unit import Command, Held, Missing, Unit
from application.vault import Vault
from domain.point_facts import LearnerErased
from domain.refusals import Refusal

logger = logging.getLogger(__name__)

CATCH_UP_MAX = 20_000
"""Events of other processes worth folding; after a longer idle all states are dropped."""
SNAPSHOT_AFTER = 200
"""Events folded to load a stream, from which its state is worth keeping."""
KEYS_MAX = 50_000
"""Learners whose vault keys are kept in memory."""
RECONNECT_SECONDS = 0.25
"""Longest pause between two tries to reach the log."""
SPOILED: tuple[type[BaseException], ...] = (Exception, asyncio.CancelledError)
"""What a command may raise that is nobody's matter but its caller's.

The other base exceptions mean the process. A `CancelledError` that nobody asked for is a bug like
any other; left alone, it would end the writer's task as if the store were closed.
"""
STRETCH = 16
"""Commands decided ahead at a time, before the loop looks after the commit and the callers."""


class Writer:
    """Decides and commits what it is given, in groups; used by one task of its process."""

    def __init__(
        self,
        conninfo: str,
        *,
        schema: str,
        vault: Vault,
        clock: Callable[[], datetime],
        settle: Callable[[Waiting, Outcome | BaseException], None],
    ) -> None:
        self.position = 0
        """The last committed position this process knows of."""
        self.states = States()
        self._conninfo = conninfo
        self._sql = LogSql(schema)
        self._vault = vault
        self._clock = clock
        self._settle = settle
        self._log: Log | None = None
        self._keys: dict[str, bytes] = {}
        self._ahead: Group | None = None
        """The group that is decided on what is believed to become true."""
        self._under_way: Group | None = None
        """The group before it: decided and sent, but not known to be committed."""
        self._committing: asyncio.Task[None] | None = None
        self._committed: list[tuple[Waiting, Outcome | BaseException]] = []
        """What callers are still to be told; the next group asks for its turn before that."""
        self._newest = datetime.min.replace(tzinfo=UTC)
        """When the newest group was decided."""
        self._alone = True
        """Nobody else had appended when we last took the turn: deciding ahead pays."""

    async def write(self, batch: Sequence[Waiting]) -> None:
        """Commit a batch; comes back when its insert was sent, so that the next can be decided."""
        idle = self._committing is None or self._committing.done()
        if self._alone and self.states and (self._under_way is not None or idle):
            await self._decide_ahead(batch)
        await self.finish()
        sent = asyncio.Event()
        self._committing = asyncio.create_task(self._commit_until_known(batch, sent))
        await sent.wait()

    async def finish(self) -> None:
        """Wait until what was written is committed, or its callers were told that it is not."""
        if self._committing is not None:
            await self._committing
            self._committing = None

    async def close(self) -> None:
        """Let go of the connection, whatever is under way."""
        if self._committing is not None:
            self._committing.cancel()
            await asyncio.gather(self._committing, return_exceptions=True)
        self._tell()
        await self._disconnect()

    async def _decide_ahead(self, batch: Sequence[Waiting]) -> None:
        """Decide a batch as if the group under way were committed already."""
        before = self._under_way
        after = self.position if before is None else before.position
        group = Group(batch, after=after, now=self._now())
        self._ahead = group
        self.states.age()
        for start in range(0, len(batch), STRETCH):
            for waiting in batch[start : start + STRETCH]:
                try:
                    self._decide(group, waiting)
                except Missing:
                    group.left.append(waiting)
            # Here, because others may wait for the turn; what cannot be written is told of there.
            with suppress(Exception):
                group.write_down()
            await asyncio.sleep(0)
            if self._ahead is not group:
                return  # the group before was not committed after all
        if not group.left:
            with suppress(Exception):
                group.packed()  # the one before is still being committed: ready once it is

    def _now(self, head: datetime | None = None) -> datetime:
        """The time, which does not run backwards when the clock does (R32)."""
        self._newest = max(self._clock(), head or self._newest, self._newest)
        return self._newest

    def _undecided(self, batch: Sequence[Waiting]) -> Sequence[Waiting]:
        ahead = self._ahead
        return ahead.left if ahead is not None and ahead.batch is batch else batch

    def _forget_ahead(self) -> None:
        if self._ahead is not None:
            self.states.forget(self._ahead.touched)
            self._ahead = None

    async def _commit_until_known(self, batch: Sequence[Waiting], sent: asyncio.Event) -> None:
        """Commit a batch; when the connection dies, ask the log and go on (unknown outcome).

        A second run is safe: it waits for the turn, so a commit still under way has ended by
        then, and it first looks up which of its commands the log has answered.
        """
        try:
            for attempt in itertools.count():
                try:
                    await self._commit(batch, sent)
                    return
                except OUTAGES as error:
                    logger.warning("the log is out of reach: %s", type(error).__name__)
                    await self._disconnect()
                    heed()
                    if isinstance(error, errors.IdleInTransactionSessionTimeout) and batch[1:]:
                        # It may take too long as a whole, and would each time (R38).
                        half = len(batch) // 2
                        await self._commit_until_known(batch[:half], sent)
                        await self._commit_until_known(batch[half:], sent)
                        return
                    await asyncio.sleep(min(0.05 * 2 ** min(attempt, 5), RECONNECT_SECONDS))
                except SPOILED as error:
                    if told_to_stop():
                        raise
                    # A bug, not an outage. Nothing was committed, and what is kept may be wrong.
                    logger.exception("a group commit of %s failed", len(batch))
                    await self._disconnect()
                    await self._commit_apart(batch, sent, error)
                    return
        finally:
            sent.set()

    async def _commit_apart(
        self, batch: Sequence[Waiting], sent: asyncio.Event, error: BaseException
    ) -> None:
        """One command spoiled the commit of all: halve until it fails alone."""
        if len(batch) == 1:
            self._settle(batch[0], tellable(error))
            return
        half = len(batch) // 2
        await self._commit_until_known(batch[:half], sent)
        await self._commit_until_known(batch[half:], sent)

    async def _commit(self, batch: Sequence[Waiting], sent: asyncio.Event) -> None:
        try:
            log = await self._connected()
            if not self.states:
                # Also whose keys were destroyed up to there is not going to be read.
                self.position = await log.position()
                self._keys.clear()
            await self._load_ahead(log, self._undecided(batch))
            head, answered = await self._take_turn(log, batch)
        finally:
            self._tell()
        known = {(one.principal, one.key): one for one in answered}
        group = self._ahead
        if group is None or known or not group.follows(head, batch):
            group = await self._begin_anew(log, head, batch)
        await self._load_keys(log, group, {w.command.subject for w in group.left})
        for waiting in group.left:
            await self._decide_or_repeat(log, group, waiting, known)
        group.write_down()
        for subject in (*group.new_keys.keys() - group.stored_keys, *group.erased):
            self._keys.pop(subject, None)  # it exists nowhere but here: no card may be sealed
        self._under_way, self._ahead = group, None
        sent.set()
        if group.recorded:
            await self._append(log, group, head)
        fault("before_commit")
        await log.commit()
        fault("after_commit")
        self.position, self._under_way = group.position, None
        self._forget_begun(group)
        self._committed += group.settled
        if self._ahead is None:
            self._tell()

    async def _take_turn(self, log: Log, batch: Sequence[Waiting]) -> tuple[Head, list[Recorded]]:
        """The log's turn; while we wait for it, the callers of the group before go on."""
        asking = asyncio.create_task(
            log.take_turn((one.command.principal, one.command.key) for one in batch)
        )
        try:
            await asyncio.sleep(0)  # asked for
            self._tell()
            return await asking
        finally:
            asking.cancel()

    def _tell(self) -> None:
        """Give callers the results of what is committed."""
        for waiting, result in self._committed:
            self._settle(waiting, result)
        self._committed = []

    def _forget_begun(self, group: Group) -> None:
        """Nobody asks for a new order for hours: it is loaded then, and leaves memory now (R57)."""
        ahead = self._ahead.touched if self._ahead else ()
        self.states.forget([stream for stream in group.begun if stream not in ahead])

    async def _begin_anew(self, log: Log, head: Head, batch: Sequence[Waiting]) -> Group:
        """A group with everything still to be decided, on states exact at the log's head."""
        self._forget_ahead()
        self.states.age()  # here, too: who never writes alone decides nothing ahead
        await self._catch_up(log, head)
        await self._load_ahead(log, batch)
        group = Group(batch, after=head.position, now=self._now(head.recorded_at))
        group.left = list(batch)
        return group

    async def _decide_or_repeat(
        self,
        log: Log,
        group: Group,
        waiting: Waiting,
        known: Mapping[tuple[str, str], Recorded],
    ) -> None:
        """Decide a command, loading what it reads; or give the answer it got before."""
        command = waiting.command
        answered = known.get((command.principal, command.key))
        if answered is not None:
            group.settled.append((waiting, _repeated(answered, command)))
            return
        while True:
            try:
                self._decide(group, waiting)
                return
            except Missing as missing:
                if missing.stream is not None:
                    await self._load(log, self.states.missing([missing.stream]))
                if missing.subject is not None:
                    await self._load_keys(log, group, {missing.subject})

    def _decide(self, group: Group, waiting: Waiting) -> None:
        """Run one command in memory; its answer waits for the commit. Raises `Missing`."""
        command = waiting.command
        try:
            try:
                unit = Unit(command, now=group.now, states=self.states, keys=self._keys)
                answer = command.decide(unit)
            except Refusal as refusal:
                group.refuse(waiting, refusal)
                return
            group.answer(waiting, unit, answer)
        except Missing:
            raise
        except SPOILED as error:  # its caller is told
            group.settled.append((waiting, tellable(error)))
            return
        if not command.asks_only:
            self.states.update(unit.touched)

    async def _append(self, log: Log, group: Group, head: Head) -> None:
        await log.insert(
            after=group.after,
            packed=group.packed(),
            new_keys=[(one, group.new_keys[one]) for one in group.stored_keys],
            frontier=head.frontier.extended(group.leaves),
            recorded_at=group.now,
        )
        if group.erased:
            await log.erase(group.erased)

    async def _catch_up(self, log: Log, head: Head) -> None:
        """Fold what other processes appended into the states kept here, or drop all of them."""
        self._alone = head.position == self.position
        if head.position - self.position > CATCH_UP_MAX:
            self.states.forget_all()
            self._keys.clear()
        elif not self._alone:
            for stream, version, name, stored in await log.since(self.position):
                held = self.states.known(stream)
                # A state loaded after its last event was appended has that event already.
                if held is not None and version > held[0]:
                    state = category_of(stream).evolve(held[1], decode_fact(name, stored))
                    self.states[stream] = (version, state)
                if name == LearnerErased.fact_name:
                    self._keys.pop(stream.partition(":")[2], None)
        self.position = head.position  # not before: a try that dies on the way is made again

    async def _load_ahead(self, log: Log, batch: Iterable[Waiting]) -> None:
        streams = {stream for one in batch for stream in one.command.reads}
        await self._load(log, self.states.missing(streams))

    async def _load(self, log: Log, streams: list[str]) -> None:
        if not streams:
            return
        long: list[tuple[str, Held]] = []
        for stream, (held, folded) in (await log.load(streams)).items():
            self.states[stream] = held
            if folded >= SNAPSHOT_AFTER:
                long.append((stream, held))
        if long:
            await log.save_snapshots(long)

    async def _load_keys(self, log: Log, group: Group, subjects: Iterable[str | None]) -> None:
        """Subjects' keys, made here under the turn where there are none: never two for one."""
        wanted = [one for one in subjects if one is not None and one not in self._keys]
        if not wanted:
            return
        while len(self._keys) > KEYS_MAX:
            del self._keys[next(iter(self._keys))]
        for subject, wrapped in await log.subject_keys(wanted):
            self._keys[subject] = self._vault.unwrap(subject, wrapped)
        for subject in wanted:
            if subject not in self._keys:
                key, group.new_keys[subject] = self._vault.new_subject_key(subject)
                self._keys[subject] = key

    async def _connected(self) -> Log:
        if self._log is None:
            connection = await AsyncConnection.connect(self._conninfo, autocommit=True, **LINK)
            # Whoever stands still while it has the turn makes all others wait.
            await connection.execute("SET idle_in_transaction_session_timeout = '5s'")
            self._log = Log(connection, self._sql)
        return self._log

    async def _disconnect(self) -> None:
        """Let go of the connection and of everything that was only believed."""
        # A new subject's key that was not committed must not seal another card, either.
        self._ahead = self._under_way = None
        self.states.forget_all()
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
