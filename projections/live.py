"""实时 The live feed: what is new for an order, to whoever watches it (T3).

One poll a process serves all watchers. A watcher that does not read loses its place, not the
process its memory: it is told to come back, and resumes by log position.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

import psycopg
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from application.ending import ended, heed
from projections.reading import compose

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.1
ENDING_SECONDS = 1.0
"""After how long a poll that goes on is told again to stop."""
QUEUE_MAX = 64
"""News a watcher may leave unread before it is sent away."""
LOOKING_MAX = 3
"""Connections of the pool that watchers use at a time to see what they missed."""
TRIES = 10
"""How often a watcher looks for what it missed while the database is out of reach."""
LOOK_AGAIN = 0
"""Position of the news that there may be news: the watcher asks the view itself."""
WATCHED_TABLES = ("views", "order_trail")


class News(NamedTuple):
    """One event of an order, by its place in the log."""

    position: int
    order: str
    fact: str


class Gone(Exception):
    """The watcher did not keep up, or the process is stopping: come back with the last id."""


class LiveFeed:
    """News of orders and the positions of views, polled while anybody waits for them."""

    def __init__(self, pool: AsyncConnectionPool[Any], *, schema: str) -> None:
        self._pool = pool
        self._schema = schema
        self._watchers: dict[str, set[asyncio.Queue[News | None]]] = defaultdict(set)
        self._waiting: dict[asyncio.Future[None], tuple[tuple[str, ...], int]] = {}
        self._positions: dict[str, int] = {}
        self._told = 0
        self._looking = asyncio.Semaphore(LOOKING_MAX)
        self._following = False
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "LiveFeed":
        self._task = asyncio.create_task(self._poll(), name=f"live feed of {self._schema}")
        return self

    async def __aexit__(self, *_: object) -> None:
        self.send_all_away()
        if self._task is not None:
            await ended(self._task, patience=ENDING_SECONDS)

    def send_all_away(self) -> None:
        """End every live stream, before the server waits for its connections to close (R08)."""
        for queues in self._watchers.values():
            for queue in queues:
                _send_away(queue)

    async def reached(self, views: Sequence[str], position: int, *, patience: float) -> bool:
        """Wait until all these views are at a position; False when patience ends first."""
        if all(self._positions.get(view, 0) >= position for view in views):
            return True
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[future] = (tuple(views), position)
        self._wake.set()
        try:
            await asyncio.wait_for(future, patience)
        except TimeoutError:
            return False
        finally:
            self._waiting.pop(future, None)
        return True

    @property
    def watching(self) -> int:
        """How many streams there are."""
        return sum(map(len, self._watchers.values()))

    def position_of(self, view: str) -> int:
        """Where a view was when it was last looked at."""
        return self._positions.get(view, 0)

    @contextmanager
    def watch(self, order: str) -> Iterator["Watcher"]:
        """Watch an order: news from now on, while the block lasts."""
        queue: asyncio.Queue[News | None] = asyncio.Queue(QUEUE_MAX)
        self._watchers[order].add(queue)
        self._wake.set()
        try:
            yield Watcher(self, order, queue)
        finally:
            self._watchers[order].discard(queue)
            if not self._watchers[order]:
                del self._watchers[order]

    async def since(self, order: str, position: int) -> list[News]:
        """An order's news after a position, from the view: how a watcher resumes."""
        query = compose(_SINCE, self._schema, WATCHED_TABLES, "")
        # A crowd that comes at once waits here, and leaves the pool to the others.
        async with self._looking, self._pool.connection() as connection:
            rows = await (await connection.execute(query, (order, position))).fetchall()
        return [News(*row) for row in rows]

    async def _poll(self) -> None:
        while True:
            if not self._watchers and not self._waiting:
                self._wake.clear()
                await self._wake.wait()
            try:
                await self._look()
            except (psycopg.Error, PoolTimeout, OSError) as error:
                logger.warning("the live feed waits: %s", type(error).__name__)
            heed()
            await asyncio.sleep(0.02 if self._waiting else POLL_SECONDS)

    async def _look(self) -> None:
        async with self._pool.connection() as connection:
            query = compose(_POSITIONS, self._schema, WATCHED_TABLES, "")
            cursor = await connection.execute(query, prepare=True)
            self._positions = dict(await cursor.fetchall())
            # Watchers read orders and parcels after the news: both have to be there by then.
            ready = min(
                self._positions.get(view, 0)
                for view in ("audit_trail", "order_status", "parcel_tracking")
            )
            for future, (views, position) in list(self._waiting.items()):
                reached = all(self._positions.get(view, 0) >= position for view in views)
                if reached and not future.done():
                    future.set_result(None)
            if not self._watchers:
                self._following = False
                return
            if not self._following:
                # What came between a watcher's first look and now was told to nobody.
                self._following, self._told = True, ready
                for order in self._watchers:
                    self._tell(News(LOOK_AGAIN, order, ""))
                return
            if ready > self._told:
                query = compose(_NEWS, self._schema, WATCHED_TABLES, "")
                orders = list(self._watchers)
                cursor = await connection.execute(query, (self._told, ready, orders), prepare=True)
                for row in await cursor.fetchall():
                    self._tell(News(*row))
                self._told = ready

    def _tell(self, news: News) -> None:
        for queue in self._watchers.get(news.order, ()):
            if queue.full():
                _send_away(queue)
            else:
                queue.put_nowait(news)


class Watcher:
    """One subscription to an order's news."""

    def __init__(self, feed: LiveFeed, order: str, queue: "asyncio.Queue[News | None]") -> None:
        self._feed = feed
        self._order = order
        self._queue = queue

    async def news(self, *, after: int, heartbeat: float) -> AsyncIterator[News | None]:
        """News after a position, each once, in order; None every `heartbeat` seconds of silence.

        Ends when the watcher is sent away.
        """
        with suppress(Gone):
            async for one in self._missed(after):
                after = one.position
                yield one
            while True:
                try:
                    one_or_end = await asyncio.wait_for(self._queue.get(), heartbeat)
                except TimeoutError:
                    yield None
                    continue
                if one_or_end is None:
                    raise Gone
                if one_or_end.position == LOOK_AGAIN:
                    async for one in self._missed(after):
                        after = one.position
                        yield one
                elif one_or_end.position > after:
                    after = one_or_end.position
                    yield one_or_end

    async def _missed(self, after: int) -> AsyncIterator[News]:
        """All news after a position, however many."""
        while page := await self._page(after):
            for one in page:
                yield one
            after = page[-1].position

    async def _page(self, after: int) -> list[News]:
        for attempt in range(TRIES):
            try:
                return await self._feed.since(self._order, after)
            except psycopg.OperationalError:  # the pool's time-outs are among them
                await asyncio.sleep(0.1 * (attempt + 1))
        raise Gone


def _send_away(queue: "asyncio.Queue[News | None]") -> None:
    while not queue.empty():
        queue.get_nowait()
    queue.put_nowait(None)


_POSITIONS = "SELECT name, position FROM {views}"
_SINCE = """
SELECT t.position, t.order_number, e.topic
FROM {order_trail} t JOIN {tallypost_events} e ON e.notification_id = t.position
WHERE t.order_number = %b AND t.position > %b ORDER BY t.position LIMIT 500
"""
_NEWS = """
SELECT t.position, t.order_number, e.topic
FROM {order_trail} t JOIN {tallypost_events} e ON e.notification_id = t.position
WHERE t.position > %b AND t.position <= %b AND t.order_number = ANY(%b) ORDER BY t.position
"""
