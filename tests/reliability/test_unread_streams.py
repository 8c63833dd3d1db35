"""Live streams on real connections that nobody reads (R51)."""

import asyncio
import re
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from tests.conftest import MallDatabase
from tests.reliability.service import Service, service_on
from tests.reliability.test_live import streams_left
from tests.reliability.test_processes import _order
from tests.reliability.workload import query

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.timeout(480)]

READERS = 100
ORDERS = 5
FEW, NEWS = 20, 10_000
"""Of each order: what its watchers may leave unread, and then far more."""
WARM = 5_000
MEGABYTES = 20
SMALL = (sys.executable, "-m", "tests.reliability.small_sockets")
WAITING, OVER = 1_000, 100
"""Of each order: news that fill what waits for a connection, and what sends its watcher away."""
UNREAD_SECONDS = 5.0
PATIENCE_SECONDS = 150
"""The system sends what had no room again ever more rarely: who reads at last may have to wait for
as long as nobody read, which is the time that a flood takes."""
UNBOUNDED = (sys.executable, "-m", "tests.reliability.unbounded_queues")


@pytest.fixture
def service(database: MallDatabase, tmp_path: Path) -> Iterator[Service]:
    """API and worker of their own."""
    with service_on(database, tmp_path, worker=True) as running:
        yield running


class Unread:
    """A connection that asks for an order's stream, with room for little that is not read."""

    def __init__(self, service: Service, order: str, *, after: int | None = None) -> None:
        self.order = order
        self.positions: list[int] = []
        headers = {"Host": "mall", "Connection": "close", **service.headers("learner", "lin")}
        if after is not None:
            headers["Last-Event-ID"] = str(after)
        lines = [
            f"GET /v1/orders/{order}/live HTTP/1.1",
            *(f"{k}: {v}" for k, v in headers.items()),
        ]
        self._request = ("\r\n".join(lines) + "\r\n\r\n").encode()
        self._port = service.port
        self._socket = socket.socket()
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        self._read = b""

    async def join(self) -> None:
        """Ask, and read no further than the greeting."""
        loop = asyncio.get_running_loop()
        await loop.sock_connect(self._socket, ("127.0.0.1", self._port))
        await loop.sock_sendall(self._socket, self._request)
        while b"retry: " not in self._read:
            self._read += await loop.sock_recv(self._socket, 64)
        assert b" 200 " in self._read

    async def read(self, *, upto: int | None = None) -> None:
        """Read on until it ends, or until a position."""
        loop = asyncio.get_running_loop()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        read = bytearray(self._read)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while part := await loop.sock_recv(self._socket, 1 << 20):
                read += part
                if upto is not None and b"id: %d\n" % upto in read[-len(part) - 100 :]:
                    break
        self._read = bytes(read)
        found = re.findall(rb"id: (\d+)\nevent: news\n.*position\":(\d+)\}", self._read)
        self.positions = [int(position) for _, position in found]

    @property
    def port(self) -> int:
        """Of its end of the connection."""
        return int(self._socket.getsockname()[1])

    def close(self) -> None:
        """Go away."""
        self._socket.close()


@asynccontextmanager
async def unread(
    service: Service, orders: list[str], *, after: int | None = None
) -> AsyncIterator[list[Unread]]:
    """A hundred of them."""
    readers = [Unread(service, orders[number % ORDERS], after=after) for number in range(READERS)]
    try:
        await asyncio.gather(*(one.join() for one in readers))
        yield readers
    finally:
        for one in readers:
            one.close()


def every_grant_is_news(service: Service, orders: list[str]) -> None:
    """So that thousands of news come as quickly as grants do, in the commit that makes them."""
    named = ", ".join(f"('{one}')" for one in orders)
    query(
        service.database,
        "CREATE FUNCTION {}.noted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " INSERT INTO {}.order_trail (order_number, position)"
        f" SELECT o.number, NEW.notification_id FROM (VALUES {named}) o(number);"
        " RETURN NULL; END $$",
    )
    query(
        service.database,
        "CREATE TRIGGER noted AFTER INSERT ON {}.tallypost_events FOR EACH ROW"
        " WHEN (NEW.topic = 'ledger.PointsGranted') EXECUTE FUNCTION {}.noted()",
    )


async def flooded(service: Service, news: int) -> int:
    """So many news of each order, in all views; the last one's position."""
    async with service.client(timeout=120) as client:
        rows = [
            {"learner": f"f{n % 50}", "points": 1, "reason": "task", "source": f"{news}-{n}"}
            for n in range(news)
        ]
        headers = {**service.headers("service", "s"), "Idempotency-Key": f"flood-{news}"}
        answer = await client.post("/v1/points/grants", json={"grants": rows}, headers=headers)
        assert answer.status_code == 200, answer.text
        last = int(answer.json()["position"])
    async with asyncio.timeout(120):
        behind = "SELECT min(position) FROM {}.views"
        while (await asyncio.to_thread(query, service.database, behind))[0][0] < last:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    await asyncio.sleep(1)  # told, ten times a second
    return last


async def megabytes_more(service: Service) -> tuple[float, list[Unread], int]:
    """What the API has more after a flood of news that a hundred connections do not read; two of
    them that then do, and the last news."""
    orders = [await _order(service) for _ in range(ORDERS)]
    await flooded(service, WARM)  # news of nobody: what grants themselves need is there
    every_grant_is_news(service, orders)
    assert service.api is not None
    process = psutil.Process(service.api.pid)
    async with unread(service, orders) as readers:
        before = process.memory_info().rss
        await flooded(service, FEW)
        last = await flooded(service, NEWS)
        more = (process.memory_info().rss - before) / 1e6
        print(f"{READERS} that read nothing: {more:.1f} MB more")
        for one in readers[:2]:
            await one.read(upto=last)
        return more, readers[:2], last


async def test_memory_is_bounded_when_nobody_reads(service: Service) -> None:
    """R51: 100 connections: at most 20 MB more; who reads at last was sent away after the first
    few news, comes back with `Last-Event-ID` and has missed nothing."""
    more, readers, last = await megabytes_more(service)
    assert more <= MEGABYTES
    for one in readers:
        assert FEW <= len(one.positions) < NEWS  # then it was behind, and sent away
        again = Unread(service, one.order, after=one.positions[-1])
        await again.join()
        await again.read(upto=last)
        again.close()
        trail = "SELECT position FROM {}.order_trail WHERE order_number = %s AND position >= %s"
        rows = query(service.database, trail + " ORDER BY 1", one.order, one.positions[0])
        assert one.positions + again.positions == [position for (position,) in rows]


async def test_memory_grows_when_queues_have_no_bound(service: Service) -> None:
    """R51 CONTROL: the same hundred connections, and nobody is ever behind."""
    service.program = UNBOUNDED
    service.kill_api()
    await asyncio.to_thread(service.start_api)
    more, readers, last = await megabytes_more(service)
    assert more > MEGABYTES
    assert all(last in one.positions for one in readers)


@asynccontextmanager
async def stuck(service: Service, *, seconds: float) -> AsyncIterator[set[int]]:
    """A hundred streams whose watchers were sent away while they waited to be read, which they may
    for so long; the ports they began at."""
    service.program = SMALL
    service.environment["UNREAD_SECONDS"] = str(seconds)
    service.kill_api()
    await asyncio.to_thread(service.start_api)
    orders = [await _order(service) for _ in range(ORDERS)]
    every_grant_is_news(service, orders)
    before = await flooded(service, WAITING) - WAITING
    async with unread(service, orders, after=before) as readers:
        await flooded(service, OVER)
        yield {one.port for one in readers}


async def left_open(service: Service, *, seconds: float) -> tuple[int, int]:
    """Connections and streams that are left of them, looked for three times as long."""
    async with stuck(service, seconds=seconds) as ports:
        assert service.api is not None
        process = psutil.Process(service.api.pid)
        give_up_at = asyncio.get_running_loop().time() + 3 * UNREAD_SECONDS
        while True:
            left = connections(process, ports), await streams_left(service)
            if not any(left) or asyncio.get_running_loop().time() > give_up_at:
                return left
            await asyncio.sleep(0.5)


def connections(process: psutil.Process, ports: set[int]) -> int:
    """How many of those that began at these ports a process has."""
    return sum(bool(one.raddr) and one.raddr.port in ports for one in process.net_connections())


async def test_a_connection_is_closed_when_what_waits_for_it_is_not_read(service: Service) -> None:
    """R51: with the 64 kB that wait, which a mere closing would wait for; its stream is over."""
    assert await left_open(service, seconds=UNREAD_SECONDS) == (0, 0)


async def test_a_connection_stays_when_it_may_wait_for_ever(service: Service) -> None:
    """R51 CONTROL: without the limit all of them stay, though their watchers were sent away."""
    assert await left_open(service, seconds=0) == (READERS, READERS)


async def test_the_api_ends_in_time_when_its_streams_are_not_read(service: Service) -> None:
    """R08, R51: SIGTERM while a hundred of them wait to be read, for ever: gone within 10 s."""
    async with stuck(service, seconds=0) as ports:
        assert service.api is not None
        assert connections(psutil.Process(service.api.pid), ports) == READERS
        told = time.perf_counter()
        service.api.send_signal(signal.SIGTERM)
        await asyncio.to_thread(service.api.wait, 30)
        assert time.perf_counter() - told <= 10
