"""Live streams: many watchers, watchers that do not read, resuming (R50, R51)."""

import asyncio
import re
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from projections.live import QUEUE_MAX, LiveFeed, News
from tests.api.conftest import Mall
from tests.conftest import MallDatabase
from tests.reliability.service import Service, service_on
from tests.reliability.test_processes import _order
from tests.reliability.workload import until

pytestmark = pytest.mark.anyio

KEEPS_WATCHERS = (sys.executable, "-m", "tests.reliability.keeps_watchers")


@pytest.fixture
def service(database: MallDatabase, tmp_path: Path) -> Iterator[Service]:
    """API and worker of their own."""
    with service_on(database, tmp_path, worker=True) as running:
        yield running


class Crowd:
    """Connections that follow an order's live stream, on plain sockets."""

    def __init__(self, service: Service, order: str) -> None:
        request = [f"GET /v1/orders/{order}/live HTTP/1.1", "Host: mall"]
        request += [f"{k}: {v}" for k, v in service.headers("learner", "lin").items()]
        self._request = ("\r\n".join(request) + "\r\n\r\n").encode()
        self._port = service.port
        self.writers: list[asyncio.StreamWriter] = []
        self.told: set[int] = set()
        self.tasks: list[asyncio.Task[None]] = []

    async def join(self, count: int, *, at_once: int = 100) -> None:
        """More of them, until each was greeted."""
        gate = asyncio.Semaphore(at_once)

        async def one(number: int) -> None:
            async with gate:
                while True:
                    reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
                    writer.write(self._request)
                    head = await reader.readuntil(b"\r\n\r\n")
                    if b" 200 " in head:
                        await reader.readuntil(b"retry: ")
                        break
                    writer.close()  # told to come back
                    await asyncio.sleep(0.1)
            self.writers.append(writer)
            self.tasks.append(asyncio.create_task(self._follow(number, reader)))

        start = len(self.writers)
        await asyncio.gather(*(one(start + number) for number in range(count)))

    async def _follow(self, number: int, reader: asyncio.StreamReader) -> None:
        while line := await reader.readline():
            if line.startswith(b"event: news"):
                self.told.add(number)

    async def leave(self) -> None:
        """All go at once."""
        for writer in self.writers:
            writer.transport.abort()
        await asyncio.gather(*self.tasks, return_exceptions=True)


async def _cancel(service: Service, order: str) -> None:
    async with service.client() as client:
        headers = {**service.headers("learner", "lin"), "Idempotency-Key": f"c{time.time_ns()}"}
        path = f"/v1/orders/{order}/cancellation"
        answer = await client.post(path, json={"reason": "R50"}, headers=headers)
        assert answer.status_code == 200, answer.text


async def streams_left(service: Service) -> int:
    """How many the process thinks there are, some seconds after the last one went."""
    async with service.client() as client:
        for _ in range(20):
            metrics = (await client.get("/metrics")).text
            (left,) = re.findall(r"^tallypost_live_streams\{.*\} (\d+)", metrics, re.MULTILINE)
            if int(left) == 0:
                return 0
            await asyncio.sleep(0.1)
    return int(left)


async def watched_by(service: Service, count: int, *, rss_megabytes: float) -> float:
    """So many watch one order; it changes; all are told, all go, nothing is left.

    Returns how many megabytes the process has while they watch: fewer than `rss_megabytes` more
    than before.
    """
    order = await _order(service)
    assert service.api is not None
    process = psutil.Process(service.api.pid)
    before, files = process.memory_info().rss, process.num_fds()
    crowd = Crowd(service, order)
    try:
        await crowd.join(count)
        then = process.memory_info().rss
        more = (then - before) / 1e6
        print(f"{count:,} watchers: {then / 1e6:.0f} MB, {more:.0f} of them theirs")
        assert more < rss_megabytes
        started = time.perf_counter()
        await _cancel(service, order)
        await until(lambda: len(crowd.told) == count, seconds=20)
        told = time.perf_counter() - started
        assert process.num_fds() >= files + count  # so that their end would be missed below
    finally:
        await crowd.leave()
    await until(lambda: process.num_fds() <= files + 5, seconds=5)
    assert not await streams_left(service), "the process still tells who went"
    print(f"all told after {told:.2f} s")
    assert told <= 2
    async with service.client() as client:
        started = time.perf_counter()
        assert (await client.get("/ready")).status_code == 200
        assert time.perf_counter() - started < 1
    return then / 1e6


@pytest.mark.slow
@pytest.mark.timeout(60)
async def test_a_thousand_watchers_are_told_at_once_and_leave_nothing(service: Service) -> None:
    """R50: 1,000 clients: told within 2 s, under 60 MB, gone within 5 s after they went."""
    await watched_by(service, 1_000, rss_megabytes=60)


@pytest.mark.slow
@pytest.mark.timeout(60)
async def test_watchers_stay_when_nobody_takes_them_away(service: Service) -> None:
    """R50 CONTROL: connections end, and what was kept for them does not."""
    service.program = KEEPS_WATCHERS
    service.kill_api()
    await asyncio.to_thread(service.start_api)
    with pytest.raises(AssertionError, match="still tells who went"):
        await watched_by(service, 50, rss_megabytes=60)


@pytest.mark.nightly
@pytest.mark.timeout(180)
async def test_ten_thousand_watchers_are_told_and_leave_nothing(
    service: Service, record_property: Callable[[str, object], None]
) -> None:
    """R50: 10,000 clients on one process, which has at most 600 MB in all; `-s` says how many."""
    megabytes = await watched_by(service, 10_000, rss_megabytes=600)
    record_property("megabytes", round(megabytes))
    assert megabytes <= 600


async def test_watchers_that_never_read_lose_their_place_not_our_memory(mall: Mall) -> None:
    """R51: a queue is bounded; who is behind is sent away (test_unread_streams has connections)."""
    placed = await mall.order(("notebook", 1))
    number = placed["number"]
    feed: LiveFeed = mall.tenant.live
    with feed.watch(number) as watcher:
        for position in range(QUEUE_MAX * 3):
            feed._tell(News(position + 1, number, "orders.Anything"))
        assert watcher._queue.qsize() <= QUEUE_MAX
        assert [one async for one in watcher.news(after=10**9, heartbeat=5)] == []
    assert not feed._watchers


async def test_nothing_is_missed_when_a_watcher_resumes_over_a_long_distance(
    mall: Mall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R51: more news than one look-up gives: all of it, once, in order."""
    placed = await mall.order(("notebook", 2))
    number = placed["number"]
    cancelled = await mall.post(f"/v1/orders/{number}/cancellation", {"reason": "no"})
    assert cancelled.status_code == 200
    await mall.views()
    feed: LiveFeed = mall.tenant.live
    everything = await feed.since(number, 0)
    assert len(everything) > 3
    since = feed.since

    async def two_at_most(order: str, position: int) -> list[News]:
        return (await since(order, position))[:2]

    monkeypatch.setattr(feed, "since", two_at_most)
    with feed.watch(number) as watcher:
        feed.send_all_away()
        assert [one async for one in watcher.news(after=0, heartbeat=5)] == everything


async def test_no_stream_begins_when_the_process_is_stopping(mall: Mall) -> None:
    """R08: told to come back, instead of holding up the end."""
    placed = await mall.order(("notebook", 1))
    mall.app.state.stopping = True
    answer = await mall.get(f"/v1/orders/{placed['number']}/live")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


@pytest.mark.parametrize("given", ["-1", "1e3", "９", "9223372036854775808", "x"])
async def test_a_position_that_is_none_is_refused(mall: Mall, given: str) -> None:
    """R46: `Last-Event-ID` is parsed as text."""
    placed = await mall.order(("notebook", 1))
    headers = {
        **{k.encode(): v.encode() for k, v in mall.headers("learner", "lin").items()},
        b"Last-Event-ID": given.encode(),
    }
    answer = await mall.client.get(f"/v1/orders/{placed['number']}/live", headers=headers)
    assert answer.status_code == 422
