"""The store: one writer a process, committing what waits in groups (design.md, The store).

A caller hands in a `Command` and gets its `Outcome`, a `Refusal`, or `Unavailable` when the
outcome is not known yet; the same command sent again gets the same answer, whatever happened in
between. States are exact while the log's turn is held, so there are no conflicts and no retries.
"""

import asyncio
import hmac
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from application.groups import Waiting
from application.outcomes import InFlight, KeyReused, Outcome, Unavailable
from application.streams import Category, S
from application.unit import Command
from application.vault import Vault
from application.writer import Writer
from domain.refusals import Refusal

BATCH_MAX = 512
"""Commands in one commit: more gains nothing and makes callers wait."""
BATCH_MIN = 16
"""Commands in one commit, while more wait: fewer are not worth a commit of their own."""
QUEUE_MAX = 20_000
"""Commands that may wait; beyond it callers are told to come back (M2)."""
CLOSING_SECONDS = 2.0
"""How long a store that is closed goes on with what waits."""


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
        self.clock = clock
        self._patience = patience.total_seconds()
        self._writer = Writer(
            conninfo,
            schema=schema,
            vault=vault,
            clock=lambda: self.clock(),  # noqa: PLW0108  tests set the clock of a running store
            settle=self._settle,
        )
        self._queue: deque[Waiting] = deque()
        self._wake = asyncio.Event()
        self._in_flight: dict[tuple[str, str], Waiting] = {}
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
        await self._writer.close()
        for waiting in list(self._in_flight.values()):
            self._settle(waiting, Unavailable())

    @property
    def position(self) -> int:
        """The last position this process knows of."""
        return self._writer.position

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
        waiting = Waiting(command, loop.create_future(), loop.time() + self._patience)
        self._in_flight[identity] = waiting
        self._queue.append(waiting)
        self._wake.set()
        return await waiting.future

    async def _same_answer(self, twin: Waiting) -> Outcome:
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
        held = self._writer.states.known(category.stream(key))
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

    async def _write(self) -> None:
        while self._queue or not self._closing:
            if not self._queue:
                self._wake.clear()
                await self._wake.wait()
            await self._linger()
            # Half of them: the other half is decided while this one is being committed.
            most = min(max(len(self._in_flight) // 2, BATCH_MIN), BATCH_MAX, len(self._queue))
            if most:
                await self._writer.write([self._queue.popleft() for _ in range(most)])
        await self._writer.finish()

    async def _linger(self) -> None:
        """Let callers that are about to ask join, as long as each turn of the loop adds some."""
        waiting = 0
        while waiting < len(self._queue) < BATCH_MAX:
            waiting = len(self._queue)
            await asyncio.sleep(0)

    def _settle(self, waiting: Waiting, result: Outcome | BaseException) -> None:
        self._in_flight.pop((waiting.command.principal, waiting.command.key), None)
        waiting.settle(result)
