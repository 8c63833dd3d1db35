"""A million events rebuilt into all views beside the live ones (A2).

`python -m tests.bench.million [EVENTS]`; prints the rate against COPY of the events' own rows into
the same indexes.
"""

import asyncio
import shutil
import sys
import tempfile
import time
from pathlib import Path

import uvloop
from rich.console import Console
from rich.progress import Progress

from application.embedded import EmbeddedPostgres
from application.tuning import tune
from domain.house_rules import HouseRules
from projections.rebuilding import rebuild
from projections.runner import Reader
from projections.views import all_views
from tests.bench.mall import Arena, Redeeming
from tests.bench.view_speed import Copying

EVENTS = 1_000_000


def main() -> int:
    """Run it on a PostgreSQL of its own."""
    events = int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS
    folder = Path(tempfile.mkdtemp(prefix="tallypost-million-"))
    folder.chmod(0o711)
    try:
        with EmbeddedPostgres(folder / "data") as server:
            tune()
            uvloop.run(_run(Arena(server, folder), events))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


async def _run(arena: Arena, events: int) -> None:
    console = Console(stderr=True)
    async with arena.filled_mall() as store:
        console.print(f"making {events:,} events")
        await Redeeming(store, arena.keys).redeem(events // 3)
        schema, made = store.schema, store.position
    reader = Reader(arena.service_url, schema=schema, views=all_views(HouseRules()))
    await reader.catch_up()
    await reader.close()
    started = time.perf_counter()
    with Progress(console=console) as bar:
        task = bar.add_task("all views", total=made)
        await rebuild(
            arena.owner_url,
            schema=schema,
            views=all_views(HouseRules()),
            progress=lambda done, of: bar.update(task, completed=done, total=of),
        )
    took = time.perf_counter() - started
    copied = await (await asyncio.to_thread(Copying, arena, schema)).rate()
    print(f"{made:,} events into all views, beside the live ones: {took:.1f} s")
    print(f"{made / took:,.0f} events/s; COPY of their rows: {copied:,.0f} rows/s")
    print(f"{made / took / copied:.3f} of COPY")


if __name__ == "__main__":
    sys.exit(main())
