"""R50 CONTROL: the service as it is, but for watchers that went, which it goes on telling."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from api.command_line import main
from projections import live


@contextmanager
def watch(feed: live.LiveFeed, order: str) -> Iterator[live.Watcher]:
    """As it is, without taking the queue away at the end."""
    queue: asyncio.Queue[live.News | None] = asyncio.Queue(live.QUEUE_MAX)
    feed._watchers[order].add(queue)
    feed._wake.set()
    yield live.Watcher(feed, order, queue)


if __name__ == "__main__":
    live.LiveFeed.watch = watch  # type: ignore[assignment, method-assign]
    main()
