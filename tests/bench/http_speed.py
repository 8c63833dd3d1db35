"""How fast the whole service answers over HTTP, and what it needs for it."""

import asyncio
import itertools
import json
import os
import socket
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil

from api.auth import Role, Tokens
from api.serving import migrate_all
from application.callback_links import CallbackLinks
from tests.bench import hammer
from tests.bench.histories import signed_push
from tests.bench.mall import ITEMS, LEARNERS, PRICE, SECONDS, Arena, fill
from tests.bench.table import Measured, benchmark, interleaved
from tests.bench.wire import Mall, Wire

ROOT = Path(__file__).parents[2]
RECIPIENT = {
    "name": "张三",
    "phone": "13800138000",
    "province": "浙江省",
    "city": "杭州市",
    "district": "西湖区",
    "address": "文三路 1 号 2 单元 301 室",
}
WATCHED = 100
"""Orders whose pages are open while carriers push."""
PUSH_LIMIT_SECONDS = 1.0
BACKGROUND = 500
"""Redemptions a second while carriers push."""
MEMORY_LIMIT_MB = 400
ACCOUNTS = 1_000_000
_serial = itertools.count(1)


class Service:
    """One API process and the worker on an arena's server, with goods and points."""

    def __init__(self, port: int, schema: str, folder: Path, api: psutil.Process) -> None:
        self.port = port
        self.schema = schema
        self.folder = folder
        self.api = api
        self.token = Tokens.in_folder(folder).issue(Role.SERVICE, "bench", tenant=schema)
        self._learners = itertools.cycle(LEARNERS)
        self._items = itertools.cycle(ITEMS)

    @asynccontextmanager
    async def mall(self) -> AsyncIterator[Mall]:
        """Somebody with a token for each role."""
        tokens = Tokens.in_folder(self.folder)
        issued = {role.value: tokens.issue(role, "bench", tenant=self.schema) for role in Role}
        async with Wire("127.0.0.1", self.port) as wire:
            yield Mall(wire, issued)

    def wish(self) -> dict[str, object]:
        """The next learner's order, to an own address: shared ones go to review."""
        learner = next(self._learners)
        number = int(learner.rpartition("-")[2])
        return {
            "learner": learner,
            "lines": [{"sku": next(self._items), "quantity": 1, "points_expected": PRICE}],
            "recipient": {**RECIPIENT, "address": f"文三路 {number} 号 2 单元 301 室"},
        }

    def placing(self, path: str = "/v1/orders") -> bytes:
        """The request that places the next order."""
        body, key = json.dumps(self.wish()).encode(), f"bench-{next(_serial)}"
        return hammer.request("POST", path, token=self.token, body=body, key=key)


@asynccontextmanager
async def service(arena: Arena) -> AsyncIterator[Service]:
    """Start API and worker on a new mall; stopped afterwards."""
    schema = await asyncio.to_thread(arena.new_mall)
    await asyncio.to_thread(migrate_all, arena.owner_url, schema)
    async with arena.store(schema) as store:
        await fill(store)
    folder, port = arena.keys.parent, _free_port()
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith(("TALLYPOST_", "DATABASE_"))},
        "DATABASE_URL": arena.service_url,
        "DATABASE_OWNER_URL": arena.owner_url,
        "TALLYPOST_TENANT": schema,
        "TALLYPOST_KEYS": str(folder),
        "TALLYPOST_PUBLIC_URL": f"http://127.0.0.1:{port}",
    }
    commands = (
        ["tests.bench.bare_api", str(port), str(folder)],
        ["api.command_line", "worker", "--data", str(folder)],
    )
    children = [_started(command, environment) for command in commands]
    try:
        await asyncio.to_thread(_await_ready, port, children)
        yield Service(port, schema, folder, psutil.Process(children[0].pid))
    finally:
        for child in children:
            child.terminate()
        for child in children:
            await asyncio.to_thread(child.wait, 30)


@benchmark(
    "http_redeem",
    "POST of an order, 32 connections : the same endpoint returning at once",
    unit="requests/s",
    floor=0.3,
    goal=0.5,
)
async def http_redeem(arena: Arena) -> Measured:
    """Everything behind placing an order, beside what HTTP, JSON and tokens cost anyway."""
    async with service(arena) as running:

        async def asking(path: str) -> float:
            return await hammer.rate(running.port, lambda: running.placing(path), seconds=SECONDS)

        await asking("/v1/orders")
        return await interleaved(lambda: asking("/v1/orders"), lambda: asking("/v1/bare/orders"))


@benchmark(
    "http_get_order",
    "GET of an order, 32 connections : the same endpoint returning a constant",
    unit="requests/s",
    floor=0.3,
    goal=0.5,
)
async def http_get_order(arena: Arena) -> Measured:
    """The order's view, read and shown, beside what HTTP and tokens cost anyway."""
    async with service(arena) as running, running.mall() as mall:
        placed = [
            await mall.done("/v1/orders", running.wish(), key=f"get-{at}") for at in range(200)
        ]
        last = placed[-1]
        await mall.get(f"/v1/orders/{last['number']}?min_position={last['position']}")
        numbers = itertools.cycle(one["number"] for one in placed)

        async def asking(path: str) -> float:
            def make() -> bytes:
                return hammer.request("GET", f"{path}/{next(numbers)}", token=running.token)

            return await hammer.rate(running.port, make, seconds=SECONDS)

        await asking("/v1/orders")
        return await interleaved(lambda: asking("/v1/orders"), lambda: asking("/v1/bare/orders"))


@benchmark(
    "push_to_page",
    f"{PUSH_LIMIT_SECONDS:g} s : p99 from a carrier's push to the open order page,"
    f" under {BACKGROUND} redemptions/s",
    unit="s",
    floor=1,
    goal=5,
)
async def push_to_page(arena: Arena) -> Measured:
    """A scan on its way through callback, log, view and live stream."""
    async with service(arena) as running, running.mall() as mall:
        links = CallbackLinks.in_folder(
            running.folder, tenant=running.schema, public_url=f"http://127.0.0.1:{running.port}"
        )
        orders = [await shipped(running, mall, at) for at in range(WATCHED)]
        background = _Background(running, mall)
        load = asyncio.create_task(background.run())
        try:
            await asyncio.sleep(1)
            background.statuses.clear()
            begun = time.perf_counter()
            waits = [await _pushed(running, mall, links, *order) for order in orders]
            background.check(time.perf_counter() - begun)
        finally:
            load.cancel()
            await asyncio.gather(load, return_exceptions=True)
    p99 = statistics.quantiles(waits, n=100)[98]
    return Measured(p99, PUSH_LIMIT_SECONDS, PUSH_LIMIT_SECONDS / p99)


async def shipped(running: Service, mall: Mall, at: int) -> tuple[str, str, str]:
    """An order on its way: its number, its parcel's, its waybill's."""
    placed = await mall.done("/v1/orders", running.wish(), key=f"push-{at}")
    pack = {"order": placed["number"]}
    parcel = (await mall.done("/v1/parcels", pack, key=f"push-{at}-p", role="operations"))["parcel"]
    waybill = f"SF{at:012}"
    label = {"carrier": "shunfeng", "waybill": waybill}
    path = f"/v1/parcels/{parcel}"
    await mall.done(f"{path}/waybill", label, key=f"push-{at}-w", role="operations")
    given = await mall.done(f"{path}/handover", {}, key=f"push-{at}-h", role="operations")
    await mall.get(f"/v1/orders/{placed['number']}?min_position={given['position']}")
    return placed["number"], parcel, waybill


async def _pushed(
    running: Service, mall: Mall, links: CallbackLinks, number: str, parcel: str, waybill: str
) -> float:
    """Seconds from sending the push until the open page has heard of it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
    try:
        writer.write(hammer.request("GET", f"/v1/orders/{number}/live", token=running.token))
        await reader.readuntil(b"id: ")
        now = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(time.time() + 8 * 3600))
        scan = {"t": now, "status_text": "在途", "text": "到达 杭州转运中心", "code": None}
        form = signed_push([scan], carrier="shunfeng", waybill=waybill, salt=links.salt(parcel))
        started = time.perf_counter()
        answer = await mall.push(f"/v1/callbacks/kuaidi100/{links.key(parcel)}", form)
        if answer.status != 200 or answer.body["result"] is not True:
            raise RuntimeError(f"the push was refused: {answer.body}")
        await asyncio.wait_for(reader.readuntil(b"ParcelScanned"), 30)
        return time.perf_counter() - started
    finally:
        writer.close()


class _Background:
    """So many redemptions a second, however long each takes; how many were answered."""

    def __init__(self, running: Service, mall: Mall) -> None:
        self.statuses: Counter[int] = Counter()
        self._running, self._mall = running, mall
        self._room = asyncio.Semaphore(BACKGROUND)

    async def run(self) -> None:
        """Redeem until cancelled."""
        begun = time.perf_counter()
        async with asyncio.TaskGroup() as under_way:
            for at in itertools.count():
                await asyncio.sleep(max(0.0, begun + at / BACKGROUND - time.perf_counter()))
                await self._room.acquire()  # who is so far behind is not asked for still more
                under_way.create_task(self._redeem(at))

    async def _redeem(self, at: int) -> None:
        answer = await self._mall.post("/v1/orders", self._running.wish(), key=f"background-{at}")
        self.statuses[answer.status] += 1
        self._room.release()

    def check(self, seconds: float) -> None:
        """Refuse a figure that was measured under less load than its row says."""
        rate = self.statuses[201] / seconds
        print(f"  {rate:,.0f} redemptions/s were answered meanwhile", file=sys.stderr)
        if set(self.statuses) != {201} or rate < 0.95 * BACKGROUND:
            raise RuntimeError(f"not {BACKGROUND} redemptions/s: {dict(self.statuses)}")


@benchmark(
    "memory",
    f"{MEMORY_LIMIT_MB} MB : the API process after {ACCOUNTS:,} accounts",
    unit="MB",
    floor=1,
    goal=1.5,
)
async def memory(arena: Arena) -> Measured:
    """What is kept in memory is bounded, whatever passed through it."""
    async with service(arena) as running, running.mall() as mall:
        for start in range(0, ACCOUNTS, 10_000):
            grants = [
                {"learner": f"m-{at}", "points": 10, "reason": "task", "source": "bench"}
                for at in range(start, start + 10_000)
            ]
            await mall.done("/v1/points/grants", {"grants": grants}, key=f"memory-{start}")
        megabytes = running.api.memory_info().rss / 1e6
    return Measured(megabytes, MEMORY_LIMIT_MB, MEMORY_LIMIT_MB / megabytes)


def _started(command: list[str], environment: dict[str, str]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-m", *command], env=environment, cwd=ROOT)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _await_ready(port: int, children: list[subprocess.Popen[bytes]]) -> None:
    give_up_at = time.monotonic() + 60
    while time.monotonic() < give_up_at:
        if any(child.poll() is not None for child in children):
            raise RuntimeError("a process of the service ended")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=2) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise RuntimeError("the service does not get ready")
