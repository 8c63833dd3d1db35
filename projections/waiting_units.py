"""待货 Units that no warehouse had: who waits for what, and since when (S1; rules.md 1)."""

from collections.abc import Sequence
from typing import Any

from domain.order_facts import UnitsCancelled, UnitsFellShort, WaitChosen, WaitEnded
from projections.reading import Event, Tables, View

_TELLING = (UnitsCancelled, UnitsFellShort, WaitChosen, WaitEnded)


class WaitingUnits(View):
    """One row a part that waits."""

    name = "waiting_units"
    tables = ("waiting_units",)

    async def apply(self, events: Sequence[Event], tables: Tables) -> None:
        """Add what was not found, take away what was sent or given up."""
        mine = [one.envelope for one in events if isinstance(one.envelope.fact, _TELLING)]
        if not mine:
            return
        orders = list({one.key for one in mine})
        loaded = await tables.rows(_LOAD, orders)
        before = {(number, part): [number, part, *rest] for number, part, *rest in loaded}
        rows: dict[tuple[str, int], list[Any]] = {key: list(row) for key, row in before.items()}
        for one in mine:
            fact = one.fact
            if isinstance(fact, UnitsFellShort):
                rows[one.key, fact.waiting_part] = [
                    one.key,
                    fact.waiting_part,
                    fact.sku,
                    fact.quantity,
                    ",".join(fact.sources),
                    one.happened_at,
                    False,
                    one.version,
                ]
            elif isinstance(fact, WaitChosen) and (one.key, fact.part) in rows:
                rows[one.key, fact.part][6] = True
            elif isinstance(fact, WaitEnded):
                rows.pop((one.key, fact.part), None)
            elif isinstance(fact, UnitsCancelled):
                for units in fact.units:
                    row = rows.get((one.key, units.part))
                    if row is not None:
                        row[3] -= units.quantity
        left = {key: row for key, row in rows.items() if row[3] > 0}
        if left != before:
            await tables.run(_CLEAR, orders)
            await tables.unnest(_INSERT, list(left.values()))


_LOAD = """
SELECT order_number, part, sku, quantity, sources, since, chosen, version
FROM {waiting_units} WHERE order_number = ANY(%b)
"""
_CLEAR = "DELETE FROM {waiting_units} WHERE order_number = ANY(%b)"
_INSERT = """
INSERT INTO {waiting_units}
    (order_number, part, sku, quantity, sources, since, chosen, version)
SELECT * FROM unnest(%b::text[], %b::bigint[], %b::text[], %b::bigint[], %b::text[],
    %b::timestamptz[], %b::boolean[], %b::bigint[])
"""
