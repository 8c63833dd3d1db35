"""Orders planned, released in waves, merged and labelled, against the sandbox (S1, S4, S5, W5).

`python -m tests.bench.wave [ORDERS]`; every learner has several orders to one address, so that they
merge; three warehouses have the goods, and eight carriers' cards say from where they come cheapest.
Prints what each step took and the rate of all of them together.
"""

import asyncio
import hashlib
import itertools
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

from api.labels import A_DOCUMENT, drawn
from api.sandbox.labels import account
from api.tenancy import Tenant, Tenants
from application.demo_rates import CARDS
from application.embedded import EmbeddedPostgres
from application.envelope import Context
from application.labelling import WANT_LABELS
from application.ordering_labels import LabelOrders
from application.outcomes import Outcome
from application.pricing import publish_rate_card
from application.recipients import Recipient
from application.redeeming import Wanted, Wish, place_order, streams_of
from application.settings import Settings
from application.stocking import put_warehouse, receive_stock
from application.streams import MALL, NETWORK
from application.sweeping import sweep
from application.tuning import tune
from application.unit import Command
from application.waves import Ran, run_wave
from domain.order_facts import Channel
from domain.warehouses import EVERYWHERE, Warehouse
from projections.label_faces import labelled
from projections.runner import Reader
from projections.views import all_views
from tests.bench.mall import ITEMS, LEARNERS, PLENTY, PRICE, Arena, command, fill

ORDERS = 1_000
HOUSES = {
    "zhejiang": ("浙江省", "杭州市"),
    "henan": ("河南省", "郑州市"),
    "shaanxi": ("陕西省", "西安市"),
}
LIVING = [
    (*HOUSES["zhejiang"], "西湖区"),
    (*HOUSES["henan"], "金水区"),
    (*HOUSES["shaanxi"], "雁塔区"),
]
"""Where learners live: one after another."""
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
        await _open(house)
        commands = _placing(house, orders)
        clock = _Clock(console)
        await clock.timed("planned and placed", _placed(house, reader, commands))
        ran = await clock.timed("released and merged", _released(house, reader))
        await clock.timed("labels wanted", _wanted(house, reader))
        await clock.timed("labels ordered", _ordered(house, reader))
        pages = await clock.timed("labels printed", _printed(house, [one.wave for one in ran]))
        parcels = sum(len(one.parcels) for one in ran)
        assert pages == parcels, f"{pages} of {parcels} parcels have a label"
        parts, merged = sum(one.parts for one in ran), sum(one.merged for one in ran)
        console.print(f"{parts:,} parts in {parcels:,} parcels, {merged:,} merged")
        print(json.dumps({"name": "wave", "orders": orders, "parcels": parcels,
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


async def _open(house: Tenant) -> None:
    """Three warehouses where the carriers' cards begin, with plenty of everything."""
    await fill(house.store)
    opening = [
        partial(put_warehouse, warehouse=Warehouse(
            code=code, name=code, province=province, city=city, serves=(EVERYWHERE,),
            packaging_fen=150, handling_fen=100,
        ))
        for code, (province, city) in HOUSES.items()
    ]  # fmt: skip
    cards = [partial(publish_rate_card, card=card) for card in CARDS]
    shelves = [
        partial(receive_stock, sku=sku, warehouse=code, quantity=PLENTY, reference="D-2")
        for sku in ITEMS
        for code in HOUSES
    ]
    for decide in (*opening, *cards, *shelves):
        await house.store.execute(command(decide))


async def _placed(house: Tenant, reader: Reader, commands: list[Command]) -> None:
    failed = [
        one for one in await house.store.execute_all(commands) if not isinstance(one, Outcome)
    ]
    assert not failed, failed[0]
    await reader.catch_up()


async def _released(house: Tenant, reader: Reader) -> list[Ran]:
    ran = [await run_wave(house, code, wave=f"w-{code}", cut_off=None) for code in HOUSES]
    await reader.catch_up()
    return ran


async def _wanted(house: Tenant, reader: Reader) -> None:
    await sweep(house, WANT_LABELS)
    await reader.catch_up()


async def _ordered(house: Tenant, reader: Reader) -> None:
    await LabelOrders(house, house.partners).ask()
    await reader.catch_up()


async def _printed(house: Tenant, waves: list[str]) -> int:
    """As the desk prints them: every recipient's card is opened."""
    printed = 0
    for wave in waves:
        for part in itertools.count():
            async with house.pool.connection() as connection:
                found = await labelled(
                    connection, house.schema, wave=wave, offset=part * A_DOCUMENT, limit=A_DOCUMENT
                )
            if not found:
                break
            assert await drawn(house, found, name=f"{wave}-{part}")
            printed += len(found)
    return printed


def _placing(house: Tenant, orders: int) -> list[Command]:
    learners = LEARNERS[: max(1, min(len(LEARNERS), orders // 2))]
    commands = []
    for nth in range(orders):
        at = nth % len(learners)
        province, city, district = LIVING[at % len(LIVING)]
        recipient = Recipient.cleaned(
            name="张三", phone="13800138000", province=province, city=city, district=district,
            address=f"文三路 {at + 1} 号 2 单元 301 室",
        )  # fmt: skip
        several = [ITEMS[(nth + more) % len(ITEMS)] for more in range(1 + nth % 3)]
        wanted = tuple(Wanted(sku, 1, PRICE) for sku in several)
        wish = Wish(
            learners[at], wanted, recipient, Channel.APP, recipient.digests(house.vault.lookup_key)
        )
        number = f"T{os.urandom(9).hex().upper()}"
        commands.append(
            Command(
                principal=f"learner:{wish.learner}",
                key=number,
                digest=hashlib.sha256(number.encode()).digest(),
                context=Context(actor=f"learner:{wish.learner}", command=number),
                decide=partial(place_order, wish=wish, number=number, rules=house.rules),
                streams=streams_of(wish, house.store.peek(NETWORK, MALL)),
                subject=wish.learner,
            )
        )
    return commands


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
