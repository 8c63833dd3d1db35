"""How it is done wrong: the broken variants that the tests of concurrency have to catch."""

import asyncio
import random
from typing import Any

from psycopg import AsyncConnection, errors
from psycopg.sql import SQL, Composed, Identifier

from tests.conftest import MallDatabase

CONNECTIONS = 20


class Naive:
    """A shop of plain tables, used from several connections at once."""

    def __init__(self, database: MallDatabase) -> None:
        self._database = database

    def sql(self, text: Any) -> Composed:
        """A statement with the shop's tables qualified."""
        names = ("shelf", "balance", "spent")
        return SQL(text).format(
            **{name: Identifier(self._database.schema, f"naive_{name}") for name in names}
        )

    async def __aenter__(self) -> "Naive":
        connect = AsyncConnection.connect
        self.connections = [await connect(self._database.owner_url) for _ in range(CONNECTIONS)]
        async with await connect(self._database.owner_url, autocommit=True) as setting_up:
            for text in (
                "CREATE TABLE {shelf} (sku text PRIMARY KEY, free int)",
                "CREATE TABLE {balance} (learner text PRIMARY KEY, points int)",
                "CREATE TABLE {spent} (learner text, points int)",
            ):
                await setting_up.execute(self.sql(text))
        return self

    async def __aexit__(self, *_: object) -> None:
        for connection in self.connections:
            await connection.close()

    async def check_then_act(self, *, buyers: int, items: int) -> int:
        """Read the shelf, think, then write what is left: how many were sold."""
        first = self.connections[0]
        await first.execute(self.sql("INSERT INTO {shelf} VALUES ('mug', %s)"), (items,))
        await first.commit()
        sold = 0
        left = buyers

        async def buyer(connection: AsyncConnection[Any]) -> None:
            nonlocal sold, left
            while left > 0:
                left -= 1
                cursor = await connection.execute(self.sql("SELECT free FROM {shelf}"))
                row = await cursor.fetchone()
                assert row is not None
                await asyncio.sleep(0)
                if row[0] > 0:
                    await connection.execute(
                        self.sql("UPDATE {shelf} SET free = free - 1"),
                    )
                    sold += 1
                await connection.commit()

        await asyncio.gather(*map(buyer, self.connections))
        return sold

    async def lock_a_missing_row(self, learners: int, *, points: int) -> int:
        """`FOR UPDATE` on an account that has no row yet: how many spent more than they had."""

        async def spend(connection: AsyncConnection[Any], learner: str) -> None:
            select = self.sql("SELECT points FROM {balance} WHERE learner = %s FOR UPDATE")
            await (await connection.execute(select, (learner,))).fetchone()
            total = self.sql("SELECT coalesce(sum(points), 0) FROM {spent} WHERE learner = %s")
            row = await (await connection.execute(total, (learner,))).fetchone()
            assert row is not None
            await asyncio.sleep(0.001)
            if row[0] + points <= points:
                insert = self.sql("INSERT INTO {spent} VALUES (%s, %s)")
                await connection.execute(insert, (learner, points))
            await connection.commit()

        for number in range(learners):
            await asyncio.gather(*(spend(one, f"l{number}") for one in self.connections[:10]))
        over = self.sql("SELECT count(*) FROM (SELECT FROM {spent} GROUP BY learner"
                        " HAVING sum(points) > %s) o")  # fmt: skip
        row = await (await self.connections[0].execute(over, (points,))).fetchone()
        assert row is not None
        return int(row[0])

    async def unsorted_locks(self, rounds: int) -> int:
        """Two accounts an operation, locked in the order they were named: how many deadlocks."""
        first = self.connections[0]
        for number in range(4):
            await first.execute(self.sql("INSERT INTO {balance} VALUES (%s, 0)"), (f"a{number}",))
        await first.execute("SET deadlock_timeout = '10ms'")
        await first.commit()
        deadlocks = 0

        async def mover(connection: AsyncConnection[Any], chance: random.Random) -> None:
            nonlocal deadlocks
            await connection.execute("SET deadlock_timeout = '10ms'")
            for _ in range(rounds):
                try:
                    for number in chance.sample(range(4), 2):
                        await connection.execute(
                            self.sql("UPDATE {balance} SET points = 1 WHERE learner = %s"),
                            (f"a{number}",),
                        )
                        await asyncio.sleep(0)
                    await connection.commit()
                except errors.DeadlockDetected:
                    deadlocks += 1
                    await connection.rollback()

        movers = [mover(one, random.Random(n)) for n, one in enumerate(self.connections[:8])]
        await asyncio.gather(*movers)
        return deadlocks
