"""pgbench inserting a redemption's three rows, with nothing checked: what PostgreSQL can take."""

import asyncio
import re
from functools import partial
from pathlib import Path

import psycopg
from psycopg import sql

from application.embedded import pg_binary
from tests.bench.mall import SECONDS

CLIENTS = 8

_CHANCE = """
\\set n{at} random(1, 1000000000000000000)
\\set a{at} random(0, 1999)
\\set s{at} random(0, 199)
"""
# chr(58) is a colon: pgbench takes one followed by a letter for a variable, even in quotes.
_ROWS = (
    "('account' || chr(58) || 'learner-' || :a{at}::text, nextval('{schema}.v'),"
    " 'ledger.PointsRedeemed', {redeemed}, nextval('{schema}.p')),"
    " ('stock' || chr(58) || 'henan' || chr(58) || 'SKU-' || :s{at}::text,"
    " nextval('{schema}.v'), 'stock.StockReserved', {reserved}, nextval('{schema}.p')),"
    " ('order' || chr(58) || 'T' || :n{at}::text, 1, 'orders.OrderPlaced', {placed},"
    " nextval('{schema}.p'))"
)


class PgBench:
    """The same table and indexes as the log's, and the same bytes as one of its redemptions."""

    def __init__(self, url: str, *, schema: str, like: str, folder: Path) -> None:
        self._url = url
        names = {"bench": sql.Identifier(schema), "mall": sql.Identifier(like)}
        with psycopg.connect(url) as connection:
            for statement in (
                "CREATE TABLE {bench}.events (LIKE {mall}.tallypost_events INCLUDING ALL)",
                "CREATE SEQUENCE {bench}.v CACHE 100",
                "CREATE SEQUENCE {bench}.p CACHE 100",
            ):
                connection.execute(sql.SQL(statement).format(**names))
            found = connection.execute(
                sql.SQL(
                    "SELECT topic, encode(state, 'hex') FROM {mall}.tallypost_events"
                    " WHERE notification_id > (SELECT max(notification_id) - 3"
                    " FROM {mall}.tallypost_events)"
                ).format(**names)
            ).fetchall()
        stored = {topic: rf"'\x{digits}'::bytea" for topic, digits in found}
        rows = partial(
            _ROWS.format,
            schema=schema,
            redeemed=stored["ledger.PointsRedeemed"],
            reserved=stored["stock.StockReserved"],
            placed=stored["orders.OrderPlaced"],
        )

        def script(redemptions: int) -> Path:
            file = folder / f"{schema}-{redemptions}.sql"
            chances = "".join(_CHANCE.format(at=at) for at in range(redemptions))
            values = ", ".join(rows(at=at) for at in range(redemptions))
            file.write_text(f"{chances}INSERT INTO {schema}.events VALUES {values};\n")
            return file

        self._one, self._ten = script(1), script(10)

    async def one_a_transaction(self) -> float:
        """Redemptions a second, each in a transaction of its own."""
        return await self._run(self._one)

    async def ten_a_transaction(self) -> float:
        """Redemptions a second, ten in a transaction."""
        return 10 * await self._run(self._ten)

    async def _run(self, script: Path) -> float:
        process = await asyncio.create_subprocess_exec(
            str(pg_binary("pgbench")),
            *("--no-vacuum", "--protocol=prepared", f"--client={CLIENTS}", "--jobs=2"),
            *(f"--time={max(1, round(SECONDS))}", f"--file={script}", self._url),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, errors = await process.communicate()
        found = re.search(rb"tps = ([0-9.]+)", output)
        if process.returncode or found is None:
            raise RuntimeError(f"pgbench failed:\n{errors.decode()}")
        return float(found[1])
