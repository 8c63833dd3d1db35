"""对账依据 What the house knows of the numbers on one bill, gathered from views and log (W6)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, LiteralString

from psycopg import AsyncConnection
from psycopg.rows import dict_row
from psycopg.sql import SQL, Identifier

from application.billed_boxes import PARTS, boxes_of, in_parcels, whole_orders
from application.billed_parcels import Row, Terms, carried, packed_there
from application.billed_payments import CAPTURES, NUMBER, REFUNDS, payments, refunds
from application.envelope import decode_fact
from application.sent_again import is_sent_again, return_of
from application.streams import ITEM, PARCEL, RETURN, STOCK
from application.terms_then import TermsThen
from domain.bill_facts import LINES_MAX, BilledLine, BillKind, Charge
from domain.bill_known import Expected, Known, Others
from domain.cargo import Cargo, together
from domain.costs import by_line, units_of
from domain.days import FIRST_DAY, LAST_DAY
from domain.house_rules import HouseRules
from domain.order_facts import Channel, State, Units
from domain.order_fold import OUTSIDE
from domain.parcel_facts import ParcelPacked
from domain.returns import Return
from domain.sent_again import goods_in
from domain.stock import Stock

TABLES = (
    "bills", "bill_lines", "bill_revisions", "parcels", "part_costs", "captures", "cash_refunds",
    "orders", "journeys", "stock_levels", "tallypost_events",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class OpenBill:
    """A bill that is to be compared."""

    key: str
    kind: BillKind
    partner: str
    revision: int
    version: int
    first_day: date | None
    last_day: date | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """A bill's lines, and all that they are compared with."""

    lines: Sequence[BilledLine]
    known: Mapping[str, Known]
    earlier: Others
    expected: Sequence[Expected]
    later: Others


class Gathering:
    """Asks one tenant's views, and its log for what no view keeps."""

    def __init__(
        self, connection: AsyncConnection[Any], schema: str, *, rules: HouseRules, terms: Terms
    ) -> None:
        self._connection = connection
        self._schema = schema
        self._rules = rules
        self._terms = terms

    async def evidence(self, bill: OpenBill) -> Evidence:
        """What a bill is compared with."""
        rows = await self._rows(_LINES, {"bill": bill.key})
        lines = [BilledLine(**row) for row in rows]
        named = list({one.number for one in lines})
        about = {"bill": bill.key, "kind": bill.kind, "partner": bill.partner, "numbers": named}
        period = self._period(bill)
        ask = {
            BillKind.CARRIER: self._of_carrier,
            BillKind.WAREHOUSE: self._of_warehouse,
            BillKind.PAYMENT: self._of_payments,
            BillKind.CHANNEL: self._of_channel,
        }[bill.kind]
        known, expected = await ask(bill, {**about, **period})
        # Another bill may have what this one is about under another number.
        others = await self._rows(_OTHERS, {**about, "numbers": [*{*named, *known}]})
        earlier, later = (
            {
                (row["number"], Charge(row["charge"])): row["fen"]
                for row in others
                if row["earlier"] is first
            }
            for first in (True, False)
        )
        return Evidence(lines, known, earlier, expected, later)

    def _period(self, bill: OpenBill) -> dict[str, Any]:
        """From when until when something belongs on the bill; never, where it names no days."""
        zone = self._rules.zone
        first, last = bill.first_day, bill.last_day
        if first is None or last is None:
            return {"since": None, "until": None, "limit": 0}
        # Bills that were received before their days were looked at may name any.
        first, last = max(first, FIRST_DAY), min(last, LAST_DAY)
        return {
            "since": datetime.combine(first, time(0), zone),
            "until": datetime.combine(last + timedelta(days=1), time(0), zone),
            "limit": LINES_MAX,
        }

    async def _rows(self, text: LiteralString, values: Mapping[str, Any]) -> list[Row]:
        query = SQL(text).format(**{name: Identifier(self._schema, name) for name in TABLES})
        async with self._connection.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(query, values, prepare=True)
            return await cursor.fetchall()

    # --- carriers and warehouses: parcels ---

    async def _of_carrier(
        self, bill: OpenBill, about: Mapping[str, Any]
    ) -> tuple[dict[str, Known], list[Expected]]:
        due = {row["waybill"] for row in await self._rows(_CARRIED, about)}
        parcels = await self._parcels(due | set(about["numbers"]))
        await self._load(parcels)
        known: dict[str, Known] = {}
        for row in parcels:
            one = carried(row, bill.partner, terms=self._terms, rules=self._rules)
            # A number that two parcels had is the one's that this partner took.
            if row["waybill"] not in known or (one.theirs and one.handed_over):
                known[row["waybill"]] = one
        return known, _due(due, known, Charge.FREIGHT)

    async def _load(self, parcels: Sequence[Row]) -> None:
        """Say of each parcel what is in it, each order's goods as when it was placed."""
        again = await self._sent_again(parcels)
        asked = {
            "parcels": [row["number"] for row in parcels],
            "orders": [order for order, _ in again.values()],
        }
        parts = await self._rows(_GOODS, asked)
        skus = {sku for row in parts for sku in row["skus"].split(",")}
        then = TermsThen()
        for row in await self._rows(_ITEMS, {"streams": [ITEM.stream(sku) for sku in skus]}):
            fact: Any = decode_fact(row["topic"], bytes(row["state"]))
            then.add(row["stream"].removeprefix(ITEM.prefix), row["position"], fact.terms)
        cargos: dict[str, list[tuple[Cargo, int]]] = {}
        for row in parts:
            one = then.cargo(row["skus"], units_of(row["goods"]), row["placed_position"])
            cargos.setdefault(row["parcel"], []).append((one, 1))
        orders = {row["order_number"]: row for row in parts}
        for number, (order, goods) in again.items():
            if order in orders:
                skus_of, placed = orders[order]["skus"], orders[order]["placed_position"]
                cargos[number] = [(then.cargo(skus_of, by_line(goods), placed), 1)]
        for row in parcels:
            row["cargo"] = together(cargos.get(row["number"], ()))
            row["sent_again"] = row["number"] in again

    async def _sent_again(self, parcels: Sequence[Row]) -> dict[str, tuple[str, Sequence[Units]]]:
        """Of the parcels in which refused goods left again, their order and what is in them."""
        again = {row["number"]: row["parcel"] for row in parcels if is_sent_again(row["number"])}
        # What is in the others, they say themselves.
        silent = {RETURN.stream(return_of(name)) for name, one in again.items() if not one.goods}
        returns: dict[str, Return] = {}
        for row in await self._rows(_FACTS, {"streams": [*silent]}) if silent else ():
            fact: Any = decode_fact(row["topic"], bytes(row["state"]))
            before = returns.get(row["stream"], RETURN.initial)
            returns[row["stream"]] = RETURN.evolve(before, fact)
        found: dict[str, tuple[str, Sequence[Units]]] = {}
        for name, one in again.items():
            back = returns.get(RETURN.stream(return_of(name)), RETURN.initial)
            found[name] = (one.contents[0].order, goods_in(one, back))
        return found

    async def _of_warehouse(
        self, bill: OpenBill, about: Mapping[str, Any]
    ) -> tuple[dict[str, Known], list[Expected]]:
        due = {row["number"] for row in await self._rows(_SENT, about)}
        named = set(about["numbers"])
        orders = await self._rows(PARTS, {"orders": [*named], "parcels": []})
        with_them = {row["parcel"] for row in orders if row["parcel"]}
        parcels = await self._parcels(due | named | with_them)
        numbers = [row["number"] for row in parcels]
        parts = await self._rows(PARTS, {"orders": [*named], "parcels": numbers})
        boxes = boxes_of(parts)
        known = whole_orders(boxes, parts, bill.partner)
        fees = in_parcels(boxes)
        await self._load([row for row in parcels if row["number"] not in fees])
        for row in parcels:
            mine = fees.get(row["number"], {})
            one = packed_there(row, bill.partner, mine, terms=self._terms)
            known |= {number: one for number in (row["waybill"], row["number"]) if number}
        known |= await self._stored(bill, [one for one in named if one not in known])
        return known, _due(due, known, Charge.HANDLING)

    async def _parcels(self, numbers: Iterable[str]) -> list[Row]:
        """Parcels by their own numbers or waybills, with weight and their parts' quotes."""
        rows = await self._rows(_PARCELS, {"numbers": list(numbers)})
        streams = [PARCEL.stream(row["number"]) for row in rows]
        weights: dict[str, int] = {}
        for packed in await self._rows(_WEIGHTS, {"streams": streams}):
            fact = decode_fact(packed["topic"], bytes(packed["state"]))
            assert isinstance(fact, ParcelPacked)
            weights[packed["stream"]] = fact.weight_grams
        for row in rows:
            row["parcel"] = PARCEL.states.validate_json(row.pop("folded"))
            row["packed_grams"] = weights.get(PARCEL.stream(row["number"]), 0)
        return rows

    async def _stored(self, bill: OpenBill, skus: Sequence[str]) -> dict[str, Known]:
        """Items as they were stored there: the agreed price, and the most units there ever were."""
        house = self._terms.network.warehouses.get(bill.partner)
        if house is None or not skus:
            return {}
        streams = {STOCK.stream(f"{bill.partner}:{sku}"): sku for sku in skus}
        states: dict[str, Stock] = {}
        most: dict[str, int] = {}
        for row in await self._rows(_FACTS, {"streams": list(streams)}):
            fact: Any = decode_fact(row["topic"], bytes(row["state"]))
            one = states[row["stream"]] = STOCK.evolve(
                states.get(row["stream"], STOCK.initial), fact
            )
            sku = streams[row["stream"]]
            most[sku] = max(most.get(sku, 0), one.shelf)
        ours = {Charge.STORAGE: house.storage_fen_per_unit_month}
        return {sku: Known(about="", ours=ours, units=units) for sku, units in most.items()}

    # --- payments and channels: orders ---

    async def _of_payments(
        self, bill: OpenBill, about: Mapping[str, Any]
    ) -> tuple[dict[str, Known], list[Expected]]:
        named = set(about["numbers"])
        due = await self._rows(_PAID, about)
        attempts = {row["attempt"] for row in [*due, *await self._rows(REFUNDS, about)]}
        # All refunds of a payment together: which of them a line is about, the others tell.
        theirs = {"numbers": [*(named | attempts)]}
        known = payments(await self._rows(CAPTURES, theirs), bill.partner)
        known |= refunds(await self._rows(REFUNDS, theirs), bill.partner)
        expected = [
            Expected(row["number"], Charge(row["charge"]), row["fen"], row["about"]) for row in due
        ]
        return known, expected

    async def _of_channel(
        self, bill: OpenBill, about: Mapping[str, Any]
    ) -> tuple[dict[str, Known], list[Expected]]:
        named = bill.partner in tuple(Channel)
        ended = (State.CANCELLED, State.CLOSED)
        unsent = (State.PENDING_PAYMENT, State.PENDING_SHIPMENT, State.CANCELLED)
        return {
            row["number"]: Known(
                about=row["number"],
                theirs=row["channel"] == bill.partner
                if named
                else row["channel"] in tuple(OUTSIDE),
                handed_over=row["state"] not in unsent,
                refunded=row["state"] in ended,
                # Nobody agreed on a rate that the house knows: it is taken as billed.
                taken=frozenset({Charge.COMMISSION, Charge.FEE}),
            )
            for row in await self._rows(_CHANNELLED, about)
        }, []


def _due(numbers: Iterable[str], known: Mapping[str, Known], charge: Charge) -> list[Expected]:
    """What belongs on the bill by its own number, at what it should come to."""
    found = ((number, known[number]) for number in sorted(numbers) if number in known)
    return [
        Expected(number, charge, one.due(charge), one.about)
        for number, one in found
        # Of what nobody knows the price of, nothing is lacking.
        if one.theirs and one.handed_over and one.due(charge)
    ]


_LINES: LiteralString = """
SELECT row_no AS row, number, charge, fen, grams, quantity, day FROM {bill_lines}
WHERE bill = %(bill)s AND until_position IS NULL ORDER BY row_no
"""
# Which of two bills came first is told by their first versions: a correction stays where it was.
_OTHERS: LiteralString = """
WITH first AS (SELECT bill, min(position) AS position FROM {bill_revisions} GROUP BY bill)
SELECT l.number, l.charge,
    f.position < (SELECT position FROM first WHERE bill = %(bill)s) AS earlier,
    array_agg(l.fen ORDER BY f.position, l.row_no) AS fen
FROM {bill_lines} l JOIN first f ON f.bill = l.bill
WHERE l.number = ANY(%(numbers)s) AND l.kind = %(kind)s AND l.partner = %(partner)s
  AND l.bill <> %(bill)s AND l.until_position IS NULL AND l.charge <> 'storage'
GROUP BY l.number, l.charge, 3
"""
_ELSEWHERE: LiteralString = """
NOT EXISTS (SELECT FROM {bill_lines} l WHERE l.kind = %(kind)s AND l.partner = %(partner)s
    AND l.bill <> %(bill)s AND l.until_position IS NULL AND l.number IN
"""
_CARRIED: LiteralString = (
    """
SELECT p.waybill FROM {journeys} j JOIN {parcels} p ON p.number = j.parcel
WHERE j.carrier = %(partner)s AND j.handed_over_at >= %(since)s::timestamptz
  AND j.handed_over_at < %(until)s::timestamptz AND p.waybill IS NOT NULL AND """
    + _ELSEWHERE
    + """(p.waybill))
ORDER BY p.waybill LIMIT %(limit)s
"""
)
_SENT: LiteralString = (
    """
SELECT DISTINCT c.parcel AS number FROM {part_costs} c JOIN {parcels} p ON p.number = c.parcel
WHERE c.warehouse = %(partner)s AND c.handed_at >= %(since)s::timestamptz
  AND c.handed_at < %(until)s::timestamptz AND """
    + _ELSEWHERE
    + """(c.parcel, p.waybill, c.order_number))
ORDER BY 1 LIMIT %(limit)s
"""
)
_PARCELS: LiteralString = """
SELECT p.number, p.waybill, p.folded, sum(c.grams)::bigint AS grams,
    CASE WHEN count(c.part) = 1 THEN max(c.carrier) END AS quoted_carrier,
    sum(c.freight_fen)::bigint AS freight_fen
FROM {parcels} p LEFT JOIN {part_costs} c ON c.parcel = p.number
WHERE p.number = ANY(%(numbers)s) OR p.waybill = ANY(%(numbers)s)
GROUP BY p.number ORDER BY p.number
"""
_GOODS: LiteralString = """
SELECT parcel, order_number, skus, goods, placed_position FROM {part_costs}
WHERE parcel = ANY(%(parcels)s) OR order_number = ANY(%(orders)s)
"""
_ITEMS: LiteralString = """
SELECT notification_id AS position, originator_id AS stream, topic, state FROM {tallypost_events}
WHERE originator_id = ANY(%(streams)s)
  AND topic IN ('catalogue.ItemListed', 'catalogue.ItemRevised')
ORDER BY notification_id
"""
_WEIGHTS: LiteralString = """
SELECT originator_id AS stream, topic, state FROM {tallypost_events}
WHERE originator_id = ANY(%(streams)s) AND topic = 'parcels.ParcelPacked'
ORDER BY originator_version
"""
_FACTS: LiteralString = """
SELECT originator_id AS stream, topic, state FROM {tallypost_events}
WHERE originator_id = ANY(%(streams)s) ORDER BY originator_id, originator_version
"""
_PAID: LiteralString = (
    """
SELECT c.attempt AS number, 'capture' AS charge, c.amount_fen AS fen, c.order_number AS about,
    c.attempt
FROM {captures} c
WHERE c.means = %(partner)s AND c.paid_at >= %(since)s::timestamptz
  AND c.paid_at < %(until)s::timestamptz AND """
    + _ELSEWHERE
    + """(c.attempt) AND l.charge = 'capture')
UNION ALL
SELECT """
    + NUMBER
    + """, 'refund', -r.amount_fen, r.order_number, r.attempt
FROM {cash_refunds} r JOIN {captures} c ON c.order_number = r.order_number
    AND c.attempt = r.attempt
WHERE r.state = 'confirmed' AND c.means = %(partner)s
  AND r.requested_at >= %(since)s::timestamptz AND r.requested_at < %(until)s::timestamptz AND """
    + _ELSEWHERE
    + "("
    + NUMBER
    + """) AND l.charge = 'refund')
ORDER BY 1, 2 LIMIT %(limit)s
"""
)
_CHANNELLED: LiteralString = """
SELECT number, channel, state FROM {orders} WHERE number = ANY(%(numbers)s)
"""
