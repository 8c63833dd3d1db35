"""How fast the views follow the log."""

import asyncio
import time

import psycopg
from psycopg import sql

from domain.house_rules import HouseRules
from projections.runner import Reader
from projections.views import all_views
from tests.bench.library import PlainRunner
from tests.bench.mall import Arena, Redeeming
from tests.bench.table import Measured, benchmark, interleaved

ORDERS = 10_000
"""Redemptions of one measurement, three events each."""


@benchmark(
    "projecting",
    "all views together : the plain ProjectionRunner with one upsert an event, one view",
    unit="events/s",
    floor=5,
    goal=12,
)
async def projecting(arena: Arena) -> Measured:
    """New events, after the views had caught up with all before them."""
    runner = await asyncio.to_thread(
        lambda: PlainRunner(arena.owner_url, schema=arena.new_schema())
    )
    async with arena.filled_mall() as store:
        redeeming = Redeeming(store, arena.keys)
        reader = Reader(arena.service_url, schema=store.schema, views=all_views(HouseRules()))

        async def ours() -> float:
            await redeeming.redeem(ORDERS)
            return await _catching_up(reader, ORDERS * 3)

        await redeeming.redeem(1_000)
        await reader.catch_up()
        try:
            return await interleaved(ours, runner.rate)
        finally:
            await reader.close()


@benchmark(
    "rebuild",
    "all views from the first event : COPY of the events' rows into the same indexes",
    unit="events/s",
    floor=0.05,
    goal=0.15,
)
async def rebuild(arena: Arena) -> Measured:
    """The whole log folded anew, into empty tables."""
    async with arena.filled_mall() as store:
        await Redeeming(store, arena.keys).redeem(ORDERS * 2)
        schema, events = store.schema, store.position
    copying = await asyncio.to_thread(Copying, arena, schema)

    async def ours() -> float:
        views = all_views(HouseRules())
        await asyncio.to_thread(_empty, arena.owner_url, schema)
        reader = Reader(arena.service_url, schema=schema, views=views)
        try:
            return await _catching_up(reader, events)
        finally:
            await reader.close()

    return await interleaved(ours, copying.rate)


async def _catching_up(reader: Reader, events: int) -> float:
    started = time.perf_counter()
    await reader.catch_up()
    return events / (time.perf_counter() - started)


def _empty(url: str, schema: str) -> None:
    tables = {table for view in all_views(HouseRules()) for table in view.tables}
    with psycopg.connect(url) as connection:
        for table in (*tables, "views"):
            name = sql.Identifier(schema, table)
            connection.execute(sql.SQL("TRUNCATE {}").format(name))


class Copying:
    """The log's own rows, copied into a new table with the log's indexes."""

    def __init__(self, arena: Arena, schema: str) -> None:
        self._arena = arena
        self._log = sql.Identifier(schema, "tallypost_events")
        with psycopg.connect(arena.owner_url) as connection, connection.cursor() as cursor:
            query = sql.SQL(
                "COPY (SELECT * FROM {} ORDER BY notification_id) TO STDOUT (FORMAT binary)"
            )
            with cursor.copy(query.format(self._log)) as copy:
                self._blocks = [bytes(block) for block in copy]
            count = sql.SQL("SELECT count(*) FROM {}").format(self._log)
            self._rows = connection.execute(count).fetchall()[0][0]

    async def rate(self) -> float:
        """Rows a second."""
        return await asyncio.to_thread(self._rate)

    def _rate(self) -> float:
        table = sql.Identifier(self._arena.new_schema(), "events")
        with psycopg.connect(self._arena.owner_url) as connection:
            connection.execute(
                sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING ALL)").format(table, self._log)
            )
            connection.commit()
            started = time.perf_counter()
            statement = sql.SQL("COPY {} FROM STDIN (FORMAT binary)").format(table)
            with connection.cursor() as cursor, cursor.copy(statement) as copy:
                copy.write(b"".join(self._blocks))
            connection.commit()
            return float(self._rows) / (time.perf_counter() - started)
