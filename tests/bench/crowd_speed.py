"""What many ask at once: carriers that push, pages that stay open (T2, T3)."""

import asyncio
import itertools
import time

import psutil
from fastapi import FastAPI, Request, Response

from api.callbacks import Key
from application.callback_links import CallbackLinks
from application.gateways import kuaidi100
from tests.bench import hammer
from tests.bench.histories import signed_push
from tests.bench.http_speed import Service, service, shipped
from tests.bench.mall import SECONDS, Arena
from tests.bench.table import Measured, benchmark, interleaved

PARCELS = 200
"""Parcels that are pushed in turn."""
PAGES = 10_000
PAGES_LIMIT_MB = 600
AT_ONCE = 100
"""Pages that are being opened at the same time."""


@benchmark(
    "http_callback",
    "signed pushes of a new scan, 32 connections, all of them recorded : the same endpoint"
    " returning at once (1,000/s are wanted of one process)",
    unit="requests/s",
    floor=0.4,
    goal=0.5,
)
async def http_callback(arena: Arena) -> Measured:
    """Taken durably: an answer is counted if its scan is in the log, and none is missing."""
    async with service(arena) as running, running.mall() as mall:
        links = CallbackLinks.in_folder(
            running.folder, tenant=running.schema, public_url=f"http://127.0.0.1:{running.port}"
        )
        parcels = [(await shipped(running, mall, at))[1:] for at in range(PARCELS)]
        pushes = itertools.count()

        def push(path: str) -> bytes:
            number = next(pushes)
            parcel, waybill = parcels[number % PARCELS]
            now = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(time.time() + 8 * 3600))
            scan = {"t": now, "status_text": "在途", "text": f"到达 转运中心{number}", "code": None}
            form = signed_push([scan], carrier="shunfeng", waybill=waybill, salt=links.salt(parcel))
            return _posted(f"{path}/{links.key(parcel)}", form)

        async def asking(path: str) -> float:
            begun, first = await _position(running), next(pushes)
            rate = await hammer.rate(running.port, lambda: push(path), seconds=SECONDS)
            sent, recorded = next(pushes) - first - 1, await _position(running) - begun
            if path == REAL and recorded < sent:
                raise RuntimeError(f"{sent} pushes were taken, {recorded} facts were recorded")
            return rate

        await asking(REAL)
        return await interleaved(lambda: asking(REAL), lambda: asking(BARE))


@benchmark(
    "live_pages",
    f"{PAGES_LIMIT_MB} MB : the API process while {PAGES:,} pages of orders are open",
    unit="MB",
    floor=1,
    goal=1.5,
)
async def live_pages(arena: Arena) -> Measured:
    """All of them greeted, none of them sent away; the process's resident memory then."""
    async with service(arena) as running, running.mall() as mall:
        number, _, _ = await shipped(running, mall, 0)
        writers = await _opened(running, number, PAGES)
        try:
            files = psutil.Process(running.api.pid).num_fds()
            if files < PAGES:
                raise RuntimeError(f"only {files:,} files are open there")
            megabytes = running.api.memory_info().rss / 1e6
        finally:
            for writer in writers:
                writer.transport.abort()
    return Measured(megabytes, PAGES_LIMIT_MB, PAGES_LIMIT_MB / megabytes)


REAL, BARE = "/v1/callbacks/kuaidi100", "/v1/bare/callbacks"


def with_bare_callback(app: FastAPI) -> None:
    """Add the callback with the same checks and answer, and nothing behind them."""

    @app.post("/v1/bare/callbacks/{key}")
    async def taken(request: Request, key: Key) -> Response:
        link = request.state.tenant.callback_links.parcel_of(key)
        assert link is not None
        kuaidi100.verify_push(await request.body(), salt=link[1].encode())
        return Response(kuaidi100.accepted(), media_type="application/json")


def _posted(path: str, form: bytes) -> bytes:
    lines = (
        f"POST {path} HTTP/1.1", "Host: localhost",
        "Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(form)}", "", "",
    )  # fmt: skip
    return "\r\n".join(lines).encode() + form


async def _position(running: Service) -> int:
    async with running.mall() as mall:
        return int((await mall.get("/health"))["position"])


async def _opened(running: Service, number: str, count: int) -> list[asyncio.StreamWriter]:
    """So many connections that follow an order, each of them greeted."""
    gate = asyncio.Semaphore(AT_ONCE)
    asked = hammer.request("GET", f"/v1/orders/{number}/live", token=running.token)

    async def one() -> asyncio.StreamWriter:
        async with gate:
            while True:
                reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
                writer.write(asked)
                if b" 200 " in await reader.readuntil(b"\r\n\r\n"):
                    await reader.readuntil(b"retry: ")
                    return writer
                writer.close()  # told to come back
                await asyncio.sleep(0.1)

    return await asyncio.gather(*(one() for _ in range(count)))
