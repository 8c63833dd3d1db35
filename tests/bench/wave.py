"""A wave from waiting orders to printed labels, against the sandbox over HTTP (S4, S5, W5).

`python -m tests.bench.wave [ORDERS]`; every learner has two orders to one address, so that they
merge. Prints what each step took and the rate of all of them together.
"""

import asyncio
import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import uvloop
from rich.console import Console

from api.label_sheets import Face, labels_pdf
from api.sandbox_labels import account
from api.tenancy import Tenant, Tenants
from application.embedded import EmbeddedPostgres
from application.envelope import Context
from application.labelling import WANT_LABELS
from application.ordering_labels import LabelOrders
from application.redeeming import Wanted, Wish, place_order, streams_of
from application.settings import Settings
from application.streams import MALL, NETWORK
from application.sweeping import sweep
from application.tuning import tune
from application.unit import Command
from application.vault import Recipient
from application.waves import run_wave
from domain.order_facts import Channel
from projections.label_faces import labelled
from projections.runner import Reader
from projections.views import all_views
from tests.bench.mall import ITEMS, LEARNERS, PRICE, Arena, fill

ORDERS = 1_000
WAREHOUSE = "henan"
CALLS_PER_SECOND = 2_000
"""More than the sandbox answers: what is measured is the house, not its patience."""


def main() -> int:
    """Run it on a PostgreSQL of its own."""
    orders = int(sys.argv[1]) if len(sys.argv) > 1 else ORDERS
    folder = Path(tempfile.mkdtemp(prefix="tallypost-wave-"))
    folder.chmod(0o711)
    try:
        with EmbeddedPostgres(folder / "data") as server, _sandbox(folder) as url:
            tune()
            uvloop.run(_run(Arena(server, folder), folder, url, orders))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


async def _run(arena: Arena, folder: Path, sandbox: str, orders: int) -> None:
    console = Console(stderr=True)
    async with _house(arena, folder, sandbox) as (house, reader):
        await fill(house.store)
        console.print(f"placing {orders:,} orders")
        await _place(house, orders)
        await reader.catch_up()
        clock = _Clock(console)
        ran = await clock.timed("released and merged", _released(house, reader))
        await clock.timed("labels wanted", _wanted(house, reader))
        await clock.timed("labels ordered", _ordered(house, reader))
        pages = await clock.timed("labels printed", _printed(house, ran.wave, len(ran.parcels)))
        assert pages == len(ran.parcels), f"{pages} of {len(ran.parcels)} parcels have a label"
        console.print(f"{ran.parts:,} parts in {len(ran.parcels):,} parcels, {ran.merged:,} merged")
        print(json.dumps({"name": "wave", "orders": orders, "parcels": len(ran.parcels),
                          "seconds": round(clock.total, 2),
                          "orders_per_second": round(orders / clock.total, 1)}))  # fmt: skip


class _Clock:
    """Adds up what the steps take."""

    def __init__(self, console: Console) -> None:
        self.total = 0.0
        self._console = console

    async def timed(self, what: str, work: Awaitable[Any]) -> Any:
        """Do a step and say how long it took."""
        started = time.perf_counter()
        done = await work
        took = time.perf_counter() - started
        self.total += took
        self._console.print(f"{what}: {took:.2f} s")
        return done


async def _released(house: Tenant, reader: Reader) -> Any:
    ran = await run_wave(house, WAREHOUSE, wave="w", cut_off=None)
    await reader.catch_up()
    return ran


async def _wanted(house: Tenant, reader: Reader) -> None:
    await sweep(house, WANT_LABELS)
    await reader.catch_up()


async def _ordered(house: Tenant, reader: Reader) -> None:
    await LabelOrders(house, house.partners).ask()
    await reader.catch_up()


async def _printed(house: Tenant, wave: str, parcels: int) -> int:
    async with house.pool.connection() as connection:
        found = await labelled(connection, house.schema, wave=wave, limit=parcels)
    faces = [
        Face(
            parcel=one.parcel, warehouse=one.warehouse_name, carrier=one.carrier,
            waybill=one.waybill, sorting=one.sorting, wave=wave, recipient="张*",
            phone="1******8000", address="浙江省杭州市西湖区文三路***", sender="积分商城",
            orders=one.orders, items=one.items, grams=one.grams,
        )
        for one in found
    ]  # fmt: skip
    return len(found) if labels_pdf(faces, title=wave) else 0


async def _place(house: Tenant, orders: int) -> None:
    learners = LEARNERS[: max(1, min(len(LEARNERS), orders // 2))]
    lookup = house.vault.lookup_key
    commands = []
    for nth in range(orders):
        learner = learners[nth % len(learners)]
        recipient = Recipient.cleaned(
            name="张三", phone="13800138000", province="浙江省", city="杭州市", district="西湖区",
            address=f"文三路 {nth % len(learners) + 1} 号 2 单元 301 室",
        )  # fmt: skip
        wanted = (Wanted(ITEMS[nth % len(ITEMS)], 1, PRICE),)
        wish = Wish(learner, wanted, recipient, Channel.APP, recipient.digests(lookup))
        number = f"T{os.urandom(9).hex().upper()}"
        commands.append(
            Command(
                principal=f"learner:{learner}",
                key=number,
                digest=hashlib.sha256(number.encode()).digest(),
                context=Context(actor=f"learner:{learner}", command=number),
                decide=partial(place_order, wish=wish, number=number, rules=house.rules),
                streams=streams_of(wish, house.store.peek(NETWORK, MALL)),
                subject=learner,
            )
        )
    await house.store.execute_all(commands)


@asynccontextmanager
async def _house(arena: Arena, folder: Path, sandbox: str) -> AsyncIterator[tuple[Tenant, Reader]]:
    schema = await asyncio.to_thread(arena.new_mall)
    set_up: dict[str, Any] = {name.lower(): text for name, text in account(sandbox).items()}
    for name in ("kuaidi100_accounts", "senders"):
        set_up[name] = json.loads(set_up[name])
    settings = Settings.model_validate(
        {
            "tenant": schema, "keys": folder / "keys", "data": folder,
            "partner_calls_per_second": CALLS_PER_SECOND, **set_up,
        }
    )  # fmt: skip
    async with Tenants(settings, arena.service_url) as tenants:
        house = await tenants.named(schema)
        house.rules = replace(house.rules, review_orders_a_day=10**6)
        reader = Reader(arena.service_url, schema=schema, views=all_views(house.rules))
        yield house, reader
        await reader.close()


@contextmanager
def _sandbox(folder: Path) -> Iterator[str]:
    """The partners in a process of their own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    command = [
        sys.executable, "-m", "api.command_line", "sandbox",
        "--port", str(port), "--data", str(folder),
    ]  # fmt: skip
    process = subprocess.Popen(command)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(100):
            try:
                httpx2.post(f"{url}/behaviour", json={"pace_seconds": 0}, timeout=2)
                break
            except httpx2.TransportError:
                time.sleep(0.2)
        yield url
    finally:
        process.terminate()
        process.wait(10)


if __name__ == "__main__":
    sys.exit(main())
