"""What a view is: tables, a pure fold into them, and a position (design.md, Projections)."""

import hashlib
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, ClassVar, LiteralString, NamedTuple

from psycopg import AsyncConnection
from psycopg.rows import dict_row
from psycopg.sql import SQL, Composed, Identifier

from application.arrays import PACKERS, Column
from application.envelope import Envelope
from application.streams import fold_fingerprint


class Event(NamedTuple):
    """One event of the log, decoded once for all views."""

    envelope: Envelope
    stored: bytes


@dataclass(frozen=True, slots=True)
class Garbled:
    """Stands where a fact would: what is stored there cannot be read (R25)."""

    fact_name: str
    cause: str


@lru_cache(maxsize=512)
def compose(text: LiteralString, schema: str, tables: tuple[str, ...], suffix: str) -> Composed:
    """A statement with its table names qualified; `suffix` leads a rebuild to its own tables."""
    names = {name: Identifier(schema, name + suffix) for name in tables}
    log = {name: Identifier(schema, name) for name in ("tallypost_events", "commits")}
    return SQL(text).format(**names, **log)


async def named_rows(
    connection: AsyncConnection[Any], query: Composed, *values: object, **named: object
) -> list[dict[str, Any]]:
    """A query's rows with their columns' names, as answers show them."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(query, named or values, prepare=True)
        return await cursor.fetchall()


@cache
def views_fingerprint() -> str:
    """Changes whenever a line of `domain/` or `projections/` does: rows of older code may differ.

    Coarse on purpose, as for snapshots: folds share their rooms, and folding anew is cheap.
    """
    digest = hashlib.sha256(fold_fingerprint().encode())
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


@lru_cache(maxsize=64)
def _packers(text: str) -> list[Callable[[Sequence[Any]], Column]]:
    return [PACKERS[kind] for kind in re.findall(r"%b::(\w+)\[\]", text)]


class Tables:
    """A view's tables on one connection, inside the transaction that moves its position."""

    def __init__(
        self, connection: AsyncConnection[Any], schema: str, view: "type[View]", suffix: str = ""
    ) -> None:
        self.connection = connection
        self.schema = schema
        self.suffix = suffix
        self._names = view.tables

    async def rows(self, text: LiteralString, *values: object) -> list[Any]:
        """Run a query that names tables in braces; returns its rows."""
        query = compose(text, self.schema, self._names, self.suffix)
        cursor = await self.connection.execute(query, values, prepare=True, binary=True)
        return await cursor.fetchall()

    async def run(self, text: LiteralString, *values: object) -> None:
        """Run a statement that names tables in braces."""
        query = compose(text, self.schema, self._names, self.suffix)
        await self.connection.execute(query, values, prepare=True)

    async def unnest(self, text: LiteralString, rows: Sequence[Sequence[Any]]) -> None:
        """Run a statement on rows, given as one array a column; its casts name the types."""
        if rows:
            packed = zip(_packers(text), zip(*rows, strict=True), strict=True)
            await self.run(text, *(pack(column) for pack, column in packed))


class View(ABC):
    """A read model: folds batches of the log into its tables, exactly once."""

    name: ClassVar[str]
    tables: ClassVar[tuple[str, ...]]
    reads_facts: ClassVar[bool] = True
    """False for a view that goes by places and bytes alone."""

    @staticmethod
    def mine(events: Sequence[Event], category: str) -> tuple[list[Envelope], list[str]]:
        """What happened in a category, and the streams of it that began before: they have rows."""
        mine = [one.envelope for one in events if one.envelope.category == category]
        begun = {one.key for one in mine if one.version == 1}
        return mine, list({one.key for one in mine} - begun)

    @abstractmethod
    async def apply(self, events: Sequence[Event], tables: Tables) -> None:
        """Fold events, in log order, into the tables. Deterministic: no clock, no randomness."""
