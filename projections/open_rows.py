"""开项 Rows that facts open, change and close: what is still to be settled of each stream."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, LiteralString, NamedTuple

from application.envelope import Envelope
from domain.facts import Fact
from projections.reading import Event, Tables, View

Rows = dict[tuple[Any, ...], Any]
"""Rows by their first two columns: their stream's key, and what of it they are about."""


class Statements(NamedTuple):
    """How the rows of some streams are read, taken away and added: columns as the row has them."""

    load: LiteralString
    clear: LiteralString
    insert: LiteralString


class OpenRows(View):
    """A view of such rows. They are few: those of a stream are written anew together."""

    telling: ClassVar[tuple[type[Fact], ...]]
    """Facts that say anything about them."""
    row: ClassVar[type[tuple[Any, ...]]]
    statements: ClassVar[Statements]

    async def apply(self, events: Sequence[Event], tables: Tables) -> None:
        """Add what was opened, take away what was closed."""
        mine = [one.envelope for one in events if isinstance(one.envelope.fact, self.telling)]
        if not mine:
            return
        streams = list({one.key for one in mine})
        loaded = await tables.rows(self.statements.load, streams)
        before: Rows = {row[:2]: self.row(*row) for row in loaded}
        rows = dict(before)
        for one in mine:
            self.change(rows, one)
        if rows != before:
            await tables.run(self.statements.clear, streams)
            await tables.unnest(self.statements.insert, list(rows.values()))

    @abstractmethod
    def change(self, rows: Rows, one: Envelope) -> None:
        """Open, change or close rows of this event's stream."""
