"""成本报告 What sending orders cost, and having goods back, as of a log position (W6, A6).

A part's row stands still from its hand-over on and a bill's lines say from when until when they
count, so the same position gives the same figures for ever.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, LiteralString
from zoneinfo import ZoneInfo

from psycopg import AsyncConnection

from application.billed_parcels import Terms, asked_by
from application.reporting import Report
from application.streams import ITEM, MALL, NETWORK, PARCEL, RATES, RETURN, STOCK
from application.terms_then import Steps, TermsThen
from domain.cargo import Cargo
from domain.cargo import together as all_of
from domain.catalogue import ItemListed, ItemRevised
from domain.costs import FreightIs, PartSent, lay_times, shared, storage_by_part
from domain.house_rules import HouseRules
from domain.parcel_facts import (
    CarrierChosen,
    ParcelPacked,
)
from domain.returns import Return, refused
from domain.stock import stock_key
from domain.warehouses import WarehouseOpened, WarehouseRevised
from projections.billed_costs import (
    beside,
    costing,
    parcel_costs,
    planned_together,
)
from projections.billed_then import billed, billed_by_order
from projections.log_then import LogThen
from projections.part_costs import PartCost
from projections.reading import compose
from projections.sent_again_costs import PartCosts, sent_again

TABLES = ("part_costs", "returns")
COLUMNS = (
    "handed_on", "order", "part", "parcel", "warehouse", "carrier", "channel", "value_fen",
    "freight_fen", "freight_is", "packaging_fen", "handling_fen", "storage_fen",
    "way_back_fen", "sent_again_fen", "total_fen", "planned_carrier", "planned_fen",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Costing(LogThen):
    """Asks one tenant's log and views what parts cost that were handed over in some days."""

    rules: HouseRules

    async def parts(self, *, since: date | None, until: date | None) -> list[PartSent]:
        """Each part that was handed over from the first day to the last one, oldest first."""
        rows = await self._sent(since, until)
        parcels = sorted({row.parcel for row in rows if row.parcel})
        labels = await self.labels(parcels)
        bills = await billed(self, labels, {row.parcel: row.warehouse for row in rows})
        by_order = await billed_by_order(self, {row.order for row in rows})
        items = await self._items(rows)
        storage = await self._storage(rows)
        returns = await self._returns({row.order for row in rows})
        ways_back = await self._ways_back(returns)
        again = await self._sent_again(returns, rows, items)
        together: dict[str, list[PartCost]] = {}
        for row in rows:
            together.setdefault(row.parcel or "", []).append(row)
        together |= await self._chosen(together)
        went = {parcel: carrier for parcel, (carrier, _) in labels.items()}
        cargos = {
            (row.order, row.part): items.cargo(row.skus, row.units, row.placed_position)
            for row in rows
        }
        asked = await self._asked(together, went, cargos)
        costs: dict[tuple[str, int], PartSent] = {}
        for parcel, some in together.items():
            carrier = went.get(parcel) or some[0].carrier or ""
            bill = bills.get(parcel, {})
            quote = asked[parcel] if parcel in asked else sum(one.freight_fen for one in some)
            freight_is: FreightIs = (
                "billed" if "freight" in bill else "planned" if quote is None else "quoted"
            )
            for row, share in zip(some, parcel_costs(some, quote, bill), strict=True):
                key = row.order, row.part
                share = beside(share, bill, by_order.get(key, {}))
                costs[key] = PartSent(
                    row.order, row.part, parcel, row.warehouse, carrier, row.channel,
                    cargos[key].value_fen,
                    *share, storage.get(key, 0), ways_back.get(key, 0), again.get(key, 0),
                    freight_is,
                    row.carrier or "", row.freight_fen,
                )  # fmt: skip
        return [costs[row.order, row.part] for row in rows]

    async def report(self, *, since: date | None, until: date | None) -> Report:
        """The sealed report's rows: a part each, by day, order and part."""
        days = await self._days(since, until)
        rows = [
            [
                days[one.order, one.part].isoformat(), one.order, one.part, one.parcel,
                one.warehouse, one.carrier, one.channel, one.value, one.freight,
                one.freight_is, one.packaging, one.handling, one.storage, one.way_back,
                one.sent_again, one.total,
                one.planned_carrier, one.planned,
            ]
            for one in await self.parts(since=since, until=until)
        ]  # fmt: skip
        return Report(
            "costs",
            "parts handed over in these days: freight, packaging and handling as planned (of a"
            " parcel that several share, as planned for it and shared among them), or as billed"
            " with all that was billed on top, but not what is open or contested; freight of"
            " another carrier than planned by its rate card on that day, if it had one; storage by"
            " the warehouse's terms, first in, first out; ways back at the mall's fault as stated,"
            " or as billed; refused goods sent again by rate card and terms, or as billed; market"
            " value when the order was placed",
            {
                "position": self.position,
                "since": since and since.isoformat(),
                "until": until and until.isoformat(),
                "zone": self.rules.zone.key,
            },
            COLUMNS,
            sorted(rows, key=lambda row: (row[0], row[1], row[2])),
        )

    async def _days(self, since: date | None, until: date | None) -> dict[tuple[str, int], date]:
        zone = self.rules.zone
        return {
            (row.order, row.part): row.handed_at.astimezone(zone).date()
            for row in await self._sent(since, until)
            if row.handed_at is not None
        }

    async def _sent(self, since: date | None, until: date | None) -> list[PartCost]:
        zone = self.rules.zone
        begin = None if since is None else _midnight(since, zone)
        end = None if until is None else _midnight(until + timedelta(days=1), zone)
        values = {"position": self.position, "begin": begin, "end": end}
        query = compose(_SENT, self.schema, TABLES, "")
        cursor = await self.connection.execute(query, values, prepare=True)
        return [PartCost(*row) for row in await cursor.fetchall()]

    async def _chosen(
        self, together: Mapping[str, Sequence[PartCost]]
    ) -> dict[str, list[PartCost]]:
        """Parts that share a parcel with their shares of it, where it was planned as one (W4)."""
        several = [parcel for parcel, parts in together.items() if len(parts) > 1]
        found = await self.folded(several, CarrierChosen.fact_name) if several else {}
        return {
            parcel: planned_together(together[parcel], one.shipping)
            for parcel, one in found.items()
            if one.shipping is not None
        }

    async def _asked(
        self,
        together: Mapping[str, Sequence[PartCost]],
        went: Mapping[str, str],
        cargos: Mapping[tuple[str, int], Cargo],
    ) -> dict[str, int | None]:
        """What parcels cost that went with another carrier than planned, by its card on that day.

        None: nobody knows what it asks there, or for so heavy a parcel (W4).
        """
        other = [
            parcel
            for parcel, parts in together.items()
            if any(one.carrier not in (None, went.get(parcel, one.carrier)) for one in parts)
        ]
        if not other:
            return {}
        states = dict.fromkeys(other, PARCEL.initial)
        grams = {parcel: sum(one.grams for one in together[parcel]) for parcel in other}
        for one in await self.facts(map(PARCEL.stream, other)):
            states[one.key] = PARCEL.evolve(states[one.key], one.fact)
            if isinstance(one.fact, ParcelPacked):
                grams[one.key] = max(grams[one.key], one.fact.weight_grams)
        terms = await self._terms()
        asked: dict[str, int | None] = {}
        for parcel, state in states.items():
            cargo = all_of((cargos[one.order, one.part], 1) for one in together[parcel])
            price = asked_by(state, went[parcel], cargo, terms=terms, rules=self.rules)
            found = price(grams[parcel])
            asked[parcel] = None if found is None else found.fen
        return asked

    async def _terms(self) -> Terms:
        """Warehouses and rate cards."""
        network, rates = NETWORK.initial, RATES.initial
        for one in await self.facts([NETWORK.stream(MALL)]):
            network = NETWORK.evolve(network, one.fact)
        for one in await self.facts([RATES.stream(MALL)]):
            rates = RATES.evolve(rates, one.fact)
        return Terms(network, rates)

    async def _items(self, rows: Sequence[PartCost]) -> TermsThen:
        """Items by log position: an order's goods count as when it was placed."""
        then = TermsThen()
        skus = {sku for row in rows for sku in row.skus.split(",")}
        names = (ItemListed.fact_name, ItemRevised.fact_name)
        for one in await self.facts(map(ITEM.stream, skus), *names):
            then.add(one.key, one.position, one.fact.terms)
        return then

    async def _storage(self, rows: Sequence[PartCost]) -> dict[tuple[str, int], int]:
        """What the units of each part cost while they lay in their warehouse."""
        prices: dict[str, Steps[int]] = {}
        names = (WarehouseOpened.fact_name, WarehouseRevised.fact_name)
        for one in await self.facts([NETWORK.stream(MALL)], *names):
            terms = one.fact.warehouse
            prices.setdefault(terms.code, Steps(0)).add(
                one.happened_at, terms.storage_fen_per_unit_month
            )
        shelves: dict[str, str] = {}
        for row in rows:
            skus = row.skus.split(",")
            for line in row.units:
                key = stock_key(row.warehouse, skus[line - 1])
                shelves[STOCK.stream(key)] = row.warehouse
        moments: dict[str, list[Any]] = {}
        for one in await self.facts(shelves):
            moments.setdefault(one.stream, []).append((one.happened_at, one.fact))
        costs: dict[tuple[str, int], int] = {}
        for stream, told in moments.items():
            price = prices.get(shelves[stream]) or Steps(0)
            lays = lay_times(told)
            for part, fen in storage_by_part(lays, price.at).items():
                costs[part] = costs.get(part, 0) + fen
        return costs

    async def _returns(self, orders: Collection[str]) -> dict[str, Return]:
        """The returns of these orders."""
        query = compose(_RETURNS, self.schema, TABLES, "")
        cursor = await self.connection.execute(query, (list(orders),))
        names = [name for (name,) in await cursor.fetchall()]
        states = dict.fromkeys(names, RETURN.initial)
        for one in await self.facts(map(RETURN.stream, names)) if names else ():
            states[one.key] = RETURN.evolve(states[one.key], one.fact)
        return states

    async def _sent_again(
        self, returns: Mapping[str, Return], rows: Sequence[PartCost], items: TermsThen
    ) -> PartCosts:
        some = {name: back for name, back in returns.items() if refused(back.goods)}
        if not some:
            return {}
        terms = await self._terms()
        return await sent_again(self, some, rows, items=items, terms=terms, rules=self.rules)

    async def _ways_back(self, returns: Mapping[str, Return]) -> PartCosts:
        """What the mall bears, by part, of what came back of these orders: stated, or billed."""
        borne = {name: back for name, back in returns.items() if back.at_the_malls_cost}
        labels = await self.labels([*borne]) if borne else {}
        places: dict[str | None, str] = {name: one.warehouse or "" for name, one in borne.items()}
        bills = await billed(self, labels, places) if labels else {}
        costs: PartCosts = {}
        for name, back in borne.items():
            fen = costing({"freight": back.freight_fen}, bills.get(name, {}))["freight"]
            shares = shared(fen, [one.quantity for one in back.units])
            for one, share in zip(back.units, shares, strict=True):
                key = back.order, one.part
                costs[key] = costs.get(key, 0) + share
        return costs


async def known_upto(connection: AsyncConnection[Any], schema: str) -> int:
    """The newest position of which all three views know all."""
    query = compose(_UPTO, schema, ("views",), "")
    row = await (await connection.execute(query, prepare=True)).fetchone()
    return int(row[0] or 0) if row else 0


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(0), zone)


_UPTO: LiteralString = """
SELECT min(position) FROM {views} WHERE name IN ('part_costs', 'bills', 'returns')
"""
_SENT: LiteralString = """
SELECT order_number, part, warehouse, channel, skus, goods, carrier, freight_fen, packaging_fen,
    handling_fen, grams, parcel, placed_position, handed_at, handed_position, position
FROM {part_costs}
WHERE handed_position <= %(position)s
  AND (%(begin)s::timestamptz IS NULL OR handed_at >= %(begin)s::timestamptz)
  AND (%(end)s::timestamptz IS NULL OR handed_at < %(end)s::timestamptz)
ORDER BY handed_at, order_number, part
"""
# Opened after the position or before: its own facts up to there say what it cost by then.
_RETURNS: LiteralString = "SELECT id FROM {returns} WHERE order_number = ANY(%s) ORDER BY id"
