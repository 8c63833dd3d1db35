"""成本报告 What sending orders cost, and having goods back, as of a log position (W6, A6).

A part's row stands still from its hand-over on and a bill's lines say from when until when they
count, so the same position gives the same figures for ever.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, LiteralString, cast
from zoneinfo import ZoneInfo

from psycopg import AsyncConnection

from application.billed_parcels import Terms, asked_by
from application.envelope import decode
from application.reporting import Report
from application.streams import BILL, ITEM, MALL, NETWORK, PARCEL, RATES, RETURN, STOCK
from application.terms_then import Steps, TermsThen
from domain.bill_facts import (
    BillFact,
    BillMatched,
    BillReceived,
    DifferenceAccepted,
    DifferenceContested,
    DifferencesFound,
    DifferencesGone,
)
from domain.cargo import Cargo
from domain.cargo import together as all_of
from domain.catalogue import ItemListed, ItemRevised
from domain.costs import FreightIs, PartSent, lay_times, shared, storage_by_part
from domain.house_rules import HouseRules
from domain.parcel_facts import (
    CarrierChosen,
    CarrierCorrected,
    ParcelPacked,
    ParcelScanned,
    WaybillCorrected,
    WaybillIssued,
)
from domain.parcels import Parcel
from domain.stock import stock_key
from domain.warehouses import WarehouseOpened, WarehouseRevised
from projections.billed_costs import (
    Billed,
    beside,
    costing,
    folded,
    owed,
    parcel_costs,
    planned_together,
    with_orders_bill,
)
from projections.part_costs import PartCost
from projections.reading import compose, named_rows

TABLES = ("part_costs", "bill_lines", "bill_revisions", "returns")
_COMPARING = (
    BillReceived.fact_name, BillMatched.fact_name, DifferencesFound.fact_name,
    DifferencesGone.fact_name, DifferenceAccepted.fact_name, DifferenceContested.fact_name,
)  # fmt: skip
COLUMNS = (
    "handed_on", "order", "part", "parcel", "warehouse", "carrier", "channel", "value_fen",
    "freight_fen", "freight_is", "packaging_fen", "handling_fen", "storage_fen",
    "way_back_fen", "total_fen", "planned_carrier", "planned_fen",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Costing:
    """Asks one tenant's log and views what parts cost that were handed over in some days."""

    connection: AsyncConnection[Any]
    schema: str
    position: int
    rules: HouseRules

    async def parts(self, *, since: date | None, until: date | None) -> list[PartSent]:
        """Each part that was handed over from the first day to the last one, oldest first."""
        rows = await self._sent(since, until)
        parcels = sorted({row.parcel for row in rows if row.parcel})
        labels = await self._labels(parcels)
        billed = await self._billed(labels, {row.parcel: row.warehouse for row in rows})
        by_order = await self._billed_by_order({row.order for row in rows})
        items = await self._items(rows)
        storage = await self._storage(rows)
        ways_back = await self._ways_back({row.order for row in rows})
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
            bill = billed.get(parcel, {})
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
                    *share, storage.get(key, 0), ways_back.get(key, 0), freight_is,
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
                one.freight_is, one.packaging, one.handling, one.storage, one.way_back, one.total,
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
            " or as billed; market value when the order was placed",
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

    async def _sent_of(self, orders: Iterable[str]) -> list[PartCost]:
        """All that was handed over of these orders by the position, on whatever day."""
        query = compose(_SENT_OF_ORDERS, self.schema, TABLES, "")
        values = {"orders": sorted(orders), "position": self.position}
        cursor = await self.connection.execute(query, values)
        return [PartCost(*row) for row in await cursor.fetchall()]

    async def _facts(self, streams: Iterable[str], *names: str) -> list[Any]:
        """Envelopes of these streams up to the position, of these names or all, in log order."""
        query = compose(_FACTS, self.schema, (), "")
        values = {
            "streams": sorted(set(streams)),
            "names": list(names) or None,
            "position": self.position,
        }
        cursor = await self.connection.execute(query, values)
        return [
            decode(at, stream, version, name, bytes(stored))
            for at, stream, version, name, stored in await cursor.fetchall()
        ]

    async def _labels(self, parcels: Sequence[str]) -> dict[str, tuple[str, str]]:
        """Carrier and waybill of each parcel."""
        names = (
            WaybillIssued.fact_name, WaybillCorrected.fact_name, CarrierCorrected.fact_name,
        )  # fmt: skip
        found = await self._folded(parcels, *names)
        # Where corrections may disagree, whose scans are newer decides.
        several = [parcel for parcel, one in found.items() if len(one.corrections) > 1]
        found |= await self._folded(several, *names, ParcelScanned.fact_name)
        return {
            parcel: (one.carrier, one.waybill)
            for parcel, one in found.items()
            if one.carrier is not None and one.waybill is not None
        }

    async def _folded(self, parcels: Sequence[str], *names: str) -> dict[str, Parcel]:
        """Parcels as these facts alone make them."""
        found: dict[str, Parcel] = {}
        for one in await self._facts(map(PARCEL.stream, parcels), *names):
            before = found.get(one.key, PARCEL.initial)
            found[one.key] = PARCEL.evolve(before, one.fact)
        return found

    async def _chosen(
        self, together: Mapping[str, Sequence[PartCost]]
    ) -> dict[str, list[PartCost]]:
        """Parts that share a parcel with their shares of it, where it was planned as one (W4)."""
        several = [parcel for parcel, parts in together.items() if len(parts) > 1]
        found = await self._folded(several, CarrierChosen.fact_name) if several else {}
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
        network, rates = NETWORK.initial, RATES.initial
        for one in await self._facts([NETWORK.stream(MALL)]):
            network = NETWORK.evolve(network, one.fact)
        for one in await self._facts([RATES.stream(MALL)]):
            rates = RATES.evolve(rates, one.fact)
        states = dict.fromkeys(other, PARCEL.initial)
        grams = {parcel: sum(one.grams for one in together[parcel]) for parcel in other}
        for one in await self._facts(map(PARCEL.stream, other)):
            states[one.key] = PARCEL.evolve(states[one.key], one.fact)
            if isinstance(one.fact, ParcelPacked):
                grams[one.key] = max(grams[one.key], one.fact.weight_grams)
        terms = Terms(network, rates)
        asked: dict[str, int | None] = {}
        for parcel, state in states.items():
            cargo = all_of((cargos[one.order, one.part], 1) for one in together[parcel])
            price = asked_by(state, went[parcel], cargo, terms=terms, rules=self.rules)
            found = price(grams[parcel])
            asked[parcel] = None if found is None else found.fen
        return asked

    async def _billed(
        self, labels: Mapping[str, tuple[str, str]], warehouses: Mapping[str | None, str]
    ) -> Billed:
        """What is owed for each parcel by its partners' bills."""
        waybills = {waybill: parcel for parcel, (_, waybill) in labels.items()}
        numbers = [*labels, *waybills]
        query = compose(_BILLED, self.schema, TABLES, "")
        lines = await named_rows(self.connection, query, numbers=numbers, position=self.position)
        told = await self._facts({BILL.stream(one["bill"]) for one in lines}, *_COMPARING)
        bills = folded((one.key, cast("BillFact", one.fact)) for one in told)

        def had(line: Mapping[str, Any]) -> str | None:
            parcel: str = waybills.get(line["number"], line["number"])
            theirs = labels[parcel][0] if line["kind"] == "carrier" else warehouses[parcel]
            return parcel if line["partner"] == theirs else None

        return owed(lines, bills, had)

    async def _billed_by_order(
        self, orders: Collection[str]
    ) -> dict[tuple[str, int], dict[str, int]]:
        """What warehouses billed under an order's number, by part of what they sent of it (W6)."""
        values = {"numbers": sorted(orders), "position": self.position}
        query = compose(_BILLED, self.schema, TABLES, "")
        lines = await named_rows(self.connection, query, **values)
        lines = [one for one in lines if one["kind"] == "warehouse"]
        if not lines:
            return {}
        told = await self._facts({BILL.stream(one["bill"]) for one in lines}, *_COMPARING)
        bills = folded((one.key, cast("BillFact", one.fact)) for one in told)
        sent: dict[str, list[PartCost]] = {}
        for row in await self._sent_of({one["number"] for one in lines}):
            sent.setdefault(f"{row.warehouse}:{row.order}", []).append(row)

        def had(line: Mapping[str, Any]) -> str | None:
            key = f"{line['partner']}:{line['number']}"
            return key if key in sent else None

        found: dict[tuple[str, int], dict[str, int]] = {}
        for key, billed in owed(lines, bills, had).items():
            found |= with_orders_bill(sent[key], billed)
        return found

    async def _items(self, rows: Sequence[PartCost]) -> TermsThen:
        """Items by log position: an order's goods count as when it was placed."""
        then = TermsThen()
        skus = {sku for row in rows for sku in row.skus.split(",")}
        names = (ItemListed.fact_name, ItemRevised.fact_name)
        for one in await self._facts(map(ITEM.stream, skus), *names):
            then.add(one.key, one.position, one.fact.terms)
        return then

    async def _storage(self, rows: Sequence[PartCost]) -> dict[tuple[str, int], int]:
        """What the units of each part cost while they lay in their warehouse."""
        prices: dict[str, Steps[int]] = {}
        names = (WarehouseOpened.fact_name, WarehouseRevised.fact_name)
        for one in await self._facts([NETWORK.stream(MALL)], *names):
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
        for one in await self._facts(shelves):
            moments.setdefault(one.stream, []).append((one.happened_at, one.fact))
        costs: dict[tuple[str, int], int] = {}
        for stream, told in moments.items():
            price = prices.get(shelves[stream]) or Steps(0)
            lays = lay_times(told)
            for part, fen in storage_by_part(lays, price.at).items():
                costs[part] = costs.get(part, 0) + fen
        return costs

    async def _ways_back(self, orders: Collection[str]) -> dict[tuple[str, int], int]:
        """What the mall bears, by part, of what came back of these orders: stated, or billed."""
        query = compose(_RETURNS, self.schema, TABLES, "")
        cursor = await self.connection.execute(query, (list(orders),))
        names = [name for (name,) in await cursor.fetchall()]
        states = dict.fromkeys(names, RETURN.initial)
        for one in await self._facts(map(RETURN.stream, names)) if names else ():
            states[one.key] = RETURN.evolve(states[one.key], one.fact)
        borne = {name: back for name, back in states.items() if back.at_the_malls_cost}
        labels = await self._labels([*borne]) if borne else {}
        places: dict[str | None, str] = {name: one.warehouse or "" for name, one in borne.items()}
        billed = await self._billed(labels, places) if labels else {}
        costs: dict[tuple[str, int], int] = {}
        for name, back in borne.items():
            fen = costing({"freight": back.freight_fen}, billed.get(name, {}))["freight"]
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
_SENT_OF_ORDERS: LiteralString = """
SELECT order_number, part, warehouse, channel, skus, goods, carrier, freight_fen, packaging_fen,
    handling_fen, grams, parcel, placed_position, handed_at, handed_position, position
FROM {part_costs} WHERE handed_position <= %(position)s AND order_number = ANY(%(orders)s)
ORDER BY order_number, part
"""
_FACTS: LiteralString = """
SELECT notification_id, originator_id, originator_version, topic, state FROM {tallypost_events}
WHERE originator_id = ANY(%(streams)s) AND notification_id <= %(position)s
  AND (%(names)s::text[] IS NULL OR topic = ANY(%(names)s::text[]))
ORDER BY notification_id
"""
_BILLED: LiteralString = """
SELECT l.bill, l.row_no, l.kind, l.partner, l.number, l.charge, l.fen FROM {bill_lines} l
    JOIN {bill_revisions} r ON r.bill = l.bill AND r.revision = 1
WHERE l.number = ANY(%(numbers)s) AND l.kind IN ('carrier', 'warehouse')
  AND l.position <= %(position)s
  AND (l.until_position IS NULL OR l.until_position > %(position)s)
ORDER BY r.position, l.row_no
"""
# Opened after the position or before: its own facts up to there say what it cost by then.
_RETURNS: LiteralString = "SELECT id FROM {returns} WHERE order_number = ANY(%s) ORDER BY id"
