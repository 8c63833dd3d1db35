"""待货 Units that no warehouse had: who waits for what, and since when (S1; rules.md 1)."""

from datetime import datetime
from typing import NamedTuple

from application.envelope import Envelope
from domain.order_facts import UnitsCancelled, UnitsFellShort, WaitChosen, WaitEnded
from domain.release_facts import WaitMoved
from projections.open_rows import OpenRows, Rows, Statements


class Row(NamedTuple):
    """A part that waits."""

    order_number: str
    part: int
    sku: str
    quantity: int
    sources: str
    since: datetime
    chosen: bool
    version: int


class WaitingUnits(OpenRows):
    """One row a part that waits."""

    name = "waiting_units"
    tables = ("waiting_units",)
    telling = (UnitsCancelled, UnitsFellShort, WaitChosen, WaitEnded, WaitMoved)
    row = Row
    statements = Statements(
        load="""
            SELECT order_number, part, sku, quantity, sources, since, chosen, version
            FROM {waiting_units} WHERE order_number = ANY(%b)""",
        clear="DELETE FROM {waiting_units} WHERE order_number = ANY(%b)",
        insert="""
            INSERT INTO {waiting_units}
                (order_number, part, sku, quantity, sources, since, chosen, version)
            SELECT * FROM unnest(%b::text[], %b::bigint[], %b::text[], %b::bigint[], %b::text[],
                %b::timestamptz[], %b::boolean[], %b::bigint[])""",
    )

    def change(self, rows: Rows, one: Envelope) -> None:
        """Add what was not found, take away what was sent or given up."""
        fact = one.fact
        if isinstance(fact, UnitsFellShort):
            rows[one.key, fact.waiting_part] = Row(
                order_number=one.key,
                part=fact.waiting_part,
                sku=fact.sku,
                quantity=fact.quantity,
                sources=",".join(fact.sources),
                since=one.happened_at,
                chosen=False,
                version=one.version,
            )
        elif isinstance(fact, WaitChosen) and (one.key, fact.part) in rows:
            rows[one.key, fact.part] = rows[one.key, fact.part]._replace(chosen=True)
        elif isinstance(fact, WaitMoved) and (one.key, fact.part) in rows:
            sources = ",".join(fact.sources)
            rows[one.key, fact.part] = rows[one.key, fact.part]._replace(sources=sources)
        elif isinstance(fact, WaitEnded):
            rows.pop((one.key, fact.part), None)
        elif isinstance(fact, UnitsCancelled):
            for units in fact.units:
                _give_up(rows, (one.key, units.part), units.quantity)


def _give_up(rows: Rows, key: tuple[str, int], quantity: int) -> None:
    if key not in rows:
        return
    left = rows[key].quantity - quantity
    if left > 0:
        rows[key] = rows[key]._replace(quantity=left)
    else:
        del rows[key]
