"""How fast the store commits redemptions, compared with what else one could do."""

import asyncio
import sys
from functools import partial

from application.granting import put_learner
from application.streams import ACCOUNT
from tests.bench.crud import Crud
from tests.bench.library import PlainLibrary
from tests.bench.mall import ITEMS, Arena, Redeeming, command, granting
from tests.bench.pgbench import PgBench
from tests.bench.table import Measured, benchmark, interleaved

LONG = 100_000
"""Events of a long account."""


@benchmark(
    "store_vs_insert",
    "through the store : pgbench inserting the same three rows, one transaction each",
    unit="redemptions/s",
    floor=0.7,
    goal=1.0,
)
async def store_vs_insert(arena: Arena) -> Measured:
    """All checks and promises, against PostgreSQL inserting three rows."""
    async with arena.filled_mall() as store:
        redeeming = Redeeming(store, arena.keys)
        await redeeming.rate()
        inserting = await asyncio.to_thread(_pgbench, arena, store.schema)
        return await interleaved(redeeming.rate, inserting.one_a_transaction)


@benchmark(
    "store_vs_limit",
    "through the store : pgbench inserting ten redemptions a transaction",
    unit="redemptions/s",
    floor=0.18,
    goal=0.3,
)
async def store_vs_limit(arena: Arena) -> Measured:
    """Against what disk and PostgreSQL can take."""
    async with arena.filled_mall() as store:
        redeeming = Redeeming(store, arena.keys)
        await redeeming.rate()
        inserting = await asyncio.to_thread(_pgbench, arena, store.schema)
        return await interleaved(redeeming.rate, inserting.ten_a_transaction)


def _pgbench(arena: Arena, like: str) -> PgBench:
    return PgBench(arena.owner_url, schema=arena.new_schema(), like=like, folder=arena.keys.parent)


@benchmark(
    "store_vs_library",
    "through the store : the plain library, same aggregates, 8 threads",
    unit="redemptions/s",
    floor=20,
    goal=30,
)
async def store_vs_library(arena: Arena) -> Measured:
    """Against the library as its documentation shows it."""
    library = await asyncio.to_thread(
        lambda: PlainLibrary(arena.owner_url, schema=arena.new_schema())
    )
    try:
        async with arena.filled_mall() as store:
            redeeming = Redeeming(store, arena.keys)
            await redeeming.rate()
            return await interleaved(redeeming.rate, library.rate)
    finally:
        library.close()


@benchmark(
    "store_vs_crud",
    "through the store : two updates and an insert from psycopg, 8 threads",
    unit="redemptions/s",
    floor=2.5,
    goal=4,
)
async def store_vs_crud(arena: Arena) -> Measured:
    """Against the usual way, without history."""
    crud = await asyncio.to_thread(lambda: Crud(arena.owner_url, schema=arena.new_schema()))
    async with arena.filled_mall() as store:
        redeeming = Redeeming(store, arena.keys)
        await redeeming.rate()
        return await interleaved(redeeming.rate, crud.rate)


@benchmark(
    "hot_item",
    "all callers on one item : spread over 200 items",
    unit="redemptions/s",
    floor=0.9,
    goal=1.0,
)
async def hot_item(arena: Arena) -> Measured:
    """A campaign's mug that everybody wants at once."""
    async with arena.filled_mall() as store:
        hot = Redeeming(store, arena.keys, items=ITEMS[:1])
        spread = Redeeming(store, arena.keys)
        await spread.rate()
        return await interleaved(hot.rate, spread.rate)


@benchmark(
    "long_history",
    f"redeeming from an account with {LONG:,} events : from a new one",
    unit="redemptions/s",
    floor=0.8,
    goal=1.0,
)
async def long_history(arena: Arena) -> Measured:
    """An account of many years; each measurement begins with a store that knows nothing."""
    async with arena.filled_mall() as store:
        schema = store.schema
        await store.execute(granting("old"))
        await store.execute_all(
            [
                command(
                    partial(put_learner, learner="old", status=status, reason="bench"),
                    streams=(ACCOUNT.stream("old"),),
                )
                for _ in range(LONG // 2)
                for status in ("frozen", "active")
            ]
        )
        newcomers = iter(("new-0", "new-1", "new-2", "new-3"))

    async def rate(learner: str) -> float:
        async with arena.store(schema) as fresh:
            if learner != "old":
                await fresh.execute(granting(learner))
            return await Redeeming(fresh, arena.keys, learners=[learner]).rate()

    await rate("old")
    await rate(next(newcomers))
    return await interleaved(lambda: rate("old"), lambda: rate(next(newcomers)))


@benchmark(
    "two_writers",
    "two writer processes : one",
    unit="redemptions/s",
    floor=0.6,
    goal=0.9,
)
async def two_writers(arena: Arena) -> Measured:
    """Two processes take turns at one log; each has 256 callers."""
    async with arena.filled_mall() as store:
        schema = store.schema

    async def rate(processes: int) -> float:
        return sum(await asyncio.gather(*(_writer(arena, schema) for _ in range(processes))))

    await rate(1)
    return await interleaved(lambda: rate(2), lambda: rate(1))


async def _writer(arena: Arena, schema: str) -> float:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.writer", arena.service_url, schema, str(arena.keys)),
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError("a writer process failed")
    return float(output)
