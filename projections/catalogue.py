"""商品与库存 The catalogue with its stock levels (C1–C3)."""

from collections.abc import Sequence
from typing import cast

from application.streams import ITEM, NETWORK, STOCK
from domain import stock
from domain.catalogue import Item, ItemFact, Terms
from domain.stock import Stock, StockFact, StockReceived, StockTransferredOut
from domain.warehouses import NetworkFact
from projections.reading import Event, Tables, View


class Catalogue(View):
    """Items, stock levels with what is on its way between them, and warehouses."""

    name = "catalogue"
    tables = ("items", "stock_levels", "transfers", "warehouses")

    async def apply(self, events: Sequence[Event], tables: Tables) -> None:
        """Fold these events; stock levels move by the sum of their changes."""
        items: dict[str, list[ItemFact]] = {}
        positions: dict[str, int] = {}
        levels: dict[tuple[str, str], Stock] = {}
        ends: list[tuple[str, str, str, str, int, int]] = []
        for event in events:
            envelope = event.envelope
            if envelope.category == STOCK.name:
                warehouse, _, sku = envelope.key.partition(":")
                # The fold is linear, so from nothing it gives the change alone.
                change = levels.get((warehouse, sku), STOCK.initial)
                fact = cast("StockFact", envelope.fact)
                levels[warehouse, sku] = stock.evolve(change, fact)
                if isinstance(fact, StockTransferredOut):
                    to = fact.to_warehouse
                    ends.append((warehouse, sku, fact.transfer, to, fact.quantity, 0))
                elif isinstance(fact, StockReceived):
                    ends.append((warehouse, sku, fact.reference, warehouse, 0, fact.quantity))
            elif envelope.category == ITEM.name:
                items.setdefault(envelope.key, []).append(cast("ItemFact", envelope.fact))
                positions[envelope.key] = envelope.position
            elif envelope.category == NETWORK.name:
                opened = cast("NetworkFact", envelope.fact).warehouse
                await tables.run(_WAREHOUSE, opened.code, opened.model_dump_json())
        if levels:
            rows = [
                (*key, one.free, one.reserved, one.picked, one.withheld)
                for key, one in levels.items()
            ]
            await tables.unnest(_LEVELS, rows)
        await tables.unnest(_TRANSFERS, ends)
        if items:
            await self._items(items, positions, tables)

    async def _items(
        self, changed: dict[str, list[ItemFact]], positions: dict[str, int], tables: Tables
    ) -> None:
        items = {
            sku: Item(Terms.model_validate(terms), on_sale)
            for sku, terms, on_sale in await tables.rows(_LOAD, list(changed))
        }
        rows = []
        for sku, facts in changed.items():
            item = items.get(sku, ITEM.initial)
            for fact in facts:
                item = ITEM.evolve(item, fact)
            terms = item.terms
            assert terms is not None  # an item's first fact lists it
            rows.append(
                (sku, terms.name, terms.kind, item.on_sale, terms.model_dump_json(), positions[sku])
            )
        await tables.unnest(_ITEMS, rows)


_LOAD = "SELECT sku, terms, on_sale FROM {items} WHERE sku = ANY(%b)"

_ITEMS = """
INSERT INTO {items} (sku, name, kind, on_sale, terms, position)
SELECT sku, name, kind, on_sale, terms::jsonb, position
FROM unnest(%b::text[], %b::text[], %b::text[], %b::boolean[], %b::text[], %b::bigint[])
    AS i(sku, name, kind, on_sale, terms, position)
ON CONFLICT (sku) DO UPDATE SET name = excluded.name, kind = excluded.kind,
    on_sale = excluded.on_sale, terms = excluded.terms, position = excluded.position
"""

_LEVELS = """
INSERT INTO {stock_levels} AS s (warehouse, sku, free, reserved, picked, withheld)
SELECT * FROM unnest(%b::text[], %b::text[], %b::bigint[], %b::bigint[], %b::bigint[],
    %b::bigint[])
ON CONFLICT (sku, warehouse) DO UPDATE SET free = s.free + excluded.free,
    reserved = s.reserved + excluded.reserved, picked = s.picked + excluded.picked,
    withheld = s.withheld + excluded.withheld
"""

# Both ends of a transfer, each in the stream of its own shelf; a delivery note is an end, too.
_TRANSFERS = """
INSERT INTO {transfers} AS t (warehouse, sku, transfer, to_warehouse, sent, received)
SELECT warehouse, sku, transfer, to_warehouse, sum(sent), sum(received)
FROM unnest(%b::text[], %b::text[], %b::text[], %b::text[], %b::bigint[], %b::bigint[])
    AS e(warehouse, sku, transfer, to_warehouse, sent, received)
GROUP BY warehouse, sku, transfer, to_warehouse
ON CONFLICT (warehouse, sku, transfer, to_warehouse) DO UPDATE SET sent = t.sent + excluded.sent,
    received = t.received + excluded.received
"""

_WAREHOUSE = """
INSERT INTO {warehouses} (code, terms) VALUES (%b, %b::text::jsonb)
ON CONFLICT (code) DO UPDATE SET terms = excluded.terms
"""
