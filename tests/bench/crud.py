"""The same redemption without events: a balance, a stock level and an order, in SQL."""

import asyncio
import json
import secrets
import threading
import time

import psycopg

from tests.bench.mall import ITEMS, LEARNERS, PLENTY, SECONDS

THREADS = 8

_TABLES = """
CREATE TABLE {schema}.accounts (learner text PRIMARY KEY, balance bigint NOT NULL);
CREATE TABLE {schema}.stock (sku text PRIMARY KEY, free bigint NOT NULL);
CREATE TABLE {schema}.orders (
    number text PRIMARY KEY, learner text NOT NULL, lines jsonb NOT NULL,
    placed_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON {schema}.orders (learner, placed_at);
"""


class Crud:
    """Threads that redeem with three statements in a transaction."""

    def __init__(self, url: str, *, schema: str) -> None:
        self._url = url
        self._schema = schema
        with psycopg.connect(url) as connection:
            connection.execute(_TABLES.format(schema=schema).encode())
            cursor = connection.cursor()
            for table, names in (("accounts", LEARNERS), ("stock", ITEMS)):
                insert = f"INSERT INTO {schema}.{table} VALUES (%s, %s)".encode()
                cursor.executemany(insert, [(name, PLENTY) for name in names])

    async def rate(self) -> float:
        """Redemptions a second of all threads together."""
        over = time.perf_counter() + SECONDS
        done = await asyncio.gather(
            *(asyncio.to_thread(self._redeem_until, over) for _ in range(THREADS))
        )
        return sum(done) / SECONDS

    def _redeem_until(self, over: float) -> int:
        schema = self._schema
        spend = f"UPDATE {schema}.accounts SET balance = balance - 10" \
                " WHERE learner = %s AND balance >= 10"  # fmt: skip
        reserve = f"UPDATE {schema}.stock SET free = free - 1 WHERE sku = %s AND free >= 1"
        order = f"INSERT INTO {schema}.orders (number, learner, lines) VALUES (%s, %s, %s)"
        done = threading.get_ident()  # every thread begins elsewhere
        first = done
        with psycopg.connect(self._url) as connection:
            while time.perf_counter() < over:
                learner, sku = LEARNERS[done % len(LEARNERS)], ITEMS[done % len(ITEMS)]
                line = json.dumps([{"sku": sku, "quantity": 1, "points": 10}])
                with connection.transaction():
                    if connection.execute(spend.encode(), (learner,)).rowcount != 1:
                        raise RuntimeError("no points left")
                    if connection.execute(reserve.encode(), (sku,)).rowcount != 1:
                        raise RuntimeError("no stock left")
                    connection.execute(order.encode(), (secrets.token_hex(8), learner, line))
                done += 1
        return done - first
