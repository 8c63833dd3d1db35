"""A view's tables a second time, empty, to be folded anew: for rebuilding and for verifying."""

import logging
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, LiteralString

import psycopg
from psycopg import AsyncConnection
from psycopg.sql import SQL, Composed, Identifier

from projections.reading import Event, Tables, View

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Scratch:
    """Tables `<name><suffix>` beside a view's own, on one connection of the schema's owner."""

    connection: AsyncConnection[Any]
    schema: str
    view: View
    suffix: str
    position: int = 0
    """The last position that was folded into them."""
    parked: dict[int, tuple[str, str]] = field(default_factory=dict)
    """position → (stream, cause) of events that could not be folded, as the reader parks them."""

    async def create(self, *, lasting: bool) -> None:
        """Make the tables with all their indexes; if they are to stay, with grants, and logged."""
        await self.drop()
        for table in self.view.tables:
            kind: LiteralString = "CREATE TABLE" if lasting else "CREATE UNLOGGED TABLE"
            await self._run(kind + " {new} (LIKE {live} INCLUDING ALL)", table)
            if lasting:
                await self._copy_settings(table)

    async def drop(self) -> None:
        """Remove the tables, also those that a killed process left behind."""
        for table in self.view.tables:
            await self._run("DROP TABLE IF EXISTS {new}", table)

    async def fold(self, events: Sequence[Event]) -> None:
        """Fold events that come after `position`; what cannot be folded parks its stream."""
        events = [event for event in events if event.envelope.position > self.position]
        if not events:
            return
        try:
            await self._apply(events)
        except (psycopg.OperationalError, psycopg.InterfaceError):
            raise
        except Exception:
            logger.warning("%s meets an event it cannot fold", self.view.name, exc_info=True)
            for event in events:
                await self._apply_or_park(event)
        self.position = events[-1].envelope.position

    async def _apply(self, events: Sequence[Event]) -> None:
        stuck = {stream for stream, _ in self.parked.values()}
        due = [event for event in events if event.envelope.stream not in stuck]
        if due:
            async with self.connection.transaction():
                tables = Tables(self.connection, self.schema, type(self.view), self.suffix)
                await self.view.apply(due, tables)
        for event in events:
            if event.envelope.stream in stuck:
                self._park(event, "an earlier event of it is parked")

    async def _apply_or_park(self, event: Event) -> None:
        try:
            await self._apply([event])
        except (psycopg.OperationalError, psycopg.InterfaceError):
            raise
        except Exception as error:
            logger.exception("%s cannot fold %s", self.view.name, event.envelope.position)
            self._park(event, "".join(traceback.format_exception_only(error)).strip())

    def _park(self, event: Event, cause: str) -> None:
        self.parked[event.envelope.position] = (event.envelope.stream, cause)

    async def _copy_settings(self, table: str) -> None:
        """What LIKE leaves out: who may do what, and storage parameters."""
        live = (self.schema, table)
        for grantee, privilege in await _rows(self.connection, _GRANTS, live):
            # The privilege is one of PostgreSQL's own key words, from its own catalogue.
            grant = SQL("GRANT {} ON {} TO {}").format(
                SQL(privilege), Identifier(self.schema, table + self.suffix), _role(grantee)
            )
            await self.connection.execute(grant)
        for (option,) in await _rows(self.connection, _OPTIONS, live):
            name, _, value = option.partition("=")
            change = SQL("ALTER TABLE {} SET ({} = {})").format(
                Identifier(self.schema, table + self.suffix), SQL(name), SQL(value)
            )
            await self.connection.execute(change)

    async def _run(self, text: LiteralString, table: str) -> None:
        names = {
            "new": Identifier(self.schema, table + self.suffix),
            "live": Identifier(self.schema, table),
        }
        await self.connection.execute(SQL(text).format(**names))


def _role(name: str | None) -> SQL | Identifier:
    return SQL("PUBLIC") if name is None else Identifier(name)


async def _rows(
    connection: AsyncConnection[Any], query: LiteralString | Composed, values: Sequence[object]
) -> list[Any]:
    return await (await connection.execute(query, values)).fetchall()


_GRANTS = """
SELECT r.rolname, a.privilege_type
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace,
    LATERAL aclexplode(c.relacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee
WHERE n.nspname = %s AND c.relname = %s AND a.grantee <> c.relowner
ORDER BY 1, 2
"""
_OPTIONS = """
SELECT unnest(c.reloptions) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relname = %s
"""
