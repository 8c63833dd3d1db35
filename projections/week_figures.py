"""周报数字 What a week brought, folded from the log up to a position (T9, A6)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import chain
from typing import Any, LiteralString, cast

from psycopg import AsyncConnection

from application.delay_messages import NOT_SENT
from application.envelope import decode
from application.reporting import Report
from application.sent_again import is_sent_again
from application.streams import ORDER, PARCEL
from domain.claims import ClaimCorrected, ClaimFiled, ClaimPaid
from domain.dispute_facts import DisputeOpened
from domain.house_rules import HouseRules
from domain.order_facts import LineRated, OrderPlaced, OrderSplit, UnitsRefunded
from domain.parcel_facts import DeliveryDelayed, ParcelFact
from domain.parcels import Parcel
from domain.promise_facts import SendingDelayed
from domain.return_facts import ReturnOpened
from domain.weeks import WHOLE, Days, Figure, Tally, beside, count_costs, count_parcel, week_of
from projections.costs import Costing
from projections.reading import compose

TABLES = ("journeys", "orders")
ON_THE_WAY = timedelta(days=60)
"""A parcel that left earlier arrives in no week any more."""
AT_ONCE = 200
TOLD = (
    OrderPlaced, SendingDelayed, DeliveryDelayed, DisputeOpened, ClaimFiled, ClaimCorrected,
    ClaimPaid, ReturnOpened, UnitsRefunded, LineRated,
)  # fmt: skip
COLUMNS = ("section", "key", "name", "value", "before")


@dataclass(frozen=True, slots=True)
class Reviewing:
    """Looks back at weeks, as one tenant's log stands at a position."""

    connection: AsyncConnection[Any]
    schema: str
    position: int
    rules: HouseRules

    async def figures(self, days: Days) -> tuple[Figure, ...]:
        """A week's figures, and those of the week before as they are known now."""
        before = days.before(self.rules.zone)
        return beside(await self._tally(days), await self._tally(before))

    async def report(self, until: date) -> Report:
        """The sealed report of the week that a day is in."""
        days = week_of(until, self.rules.zone)
        figures = await self.figures(days)
        return Report(
            "week",
            "fold of the log up to the position: what happened in the week of this day and in the"
            " week before, counted, amounts in fen",
            {
                "position": self.position,
                "week": days.name,
                "first_day": days.first.isoformat(),
                "last_day": days.last.isoformat(),
                "zone": self.rules.zone.key,
            },
            COLUMNS,
            [[one.section, one.key, one.name, one.value, one.before] for one in figures],
        )

    async def _tally(self, days: Days) -> Tally:
        tally = Tally()
        await self._count_facts(tally, days)
        await self._count_parcels(tally, days)
        costing = Costing(self.connection, self.schema, self.position, self.rules)
        count_costs(tally, await costing.parts(since=days.first, until=days.last))
        return tally

    async def _count_facts(self, tally: Tally, days: Days) -> None:
        """What was said to have happened in the week, whenever it was recorded since."""
        query = compose(_HAPPENED, self.schema, TABLES, "")
        names = [one.fact_name for one in TOLD]
        cursor = await self.connection.execute(query, (days.begin, self.position, names))
        for row in await cursor.fetchall():
            one = _read(row)
            if days.has(one.happened_at):
                for section, key, name, value in counted(one.fact):
                    tally[section, key, name] += value

    async def _count_parcels(self, tally: Tally, days: Days) -> None:
        query = compose(_LEFT, self.schema, TABLES, "")
        cursor = await self.connection.execute(query, (days.begin - ON_THE_WAY, days.end))
        parcels = [number for (number,) in await cursor.fetchall()]
        for start in range(0, len(parcels), AT_ONCE):
            some = await self._parcels(parcels[start : start + AT_ONCE])
            promised = {number: one.orders for number, one in some if not is_sent_again(number)}
            promises = await self._promises({*chain.from_iterable(promised.values())})
            for number, parcel in some:
                known = [promises[one] for one in promised.get(number, ()) if one in promises]
                count_parcel(
                    tally, parcel, days, promised_by=min(known, default=None), zone=self.rules.zone
                )

    async def _parcels(self, numbers: Sequence[str]) -> list[tuple[str, Parcel]]:
        """Parcels by their numbers, as they stood at the position."""
        states: dict[str, Parcel] = {}
        streams = [PARCEL.stream(number) for number in numbers]
        for row in await self._facts(streams, None):
            one = _read(row)
            before = states.get(one.key, PARCEL.initial)
            states[one.key] = PARCEL.evolve(before, cast("ParcelFact", one.fact))
        return [(number, one) for number, one in sorted(states.items()) if one.handed_over]

    async def _promises(self, orders: Iterable[str]) -> dict[str, datetime]:
        streams = [ORDER.stream(number) for number in sorted(orders)]
        names = [OrderPlaced.fact_name, OrderSplit.fact_name]
        told = [_read(row) for row in await self._facts(streams, names)]
        return {one.key: by for one in told if (by := one.fact.promised_by) is not None}

    async def _facts(self, streams: Sequence[str], names: list[str] | None) -> list[Any]:
        query = compose(_FACTS, self.schema, TABLES, "")
        values = {"streams": list(streams), "position": self.position, "names": names}
        return await (await self.connection.execute(query, values)).fetchall()


def _read(row: Sequence[Any]) -> Any:
    at, stream, version, name, stored = row
    return decode(at, stream, version, name, bytes(stored))


def counted(fact: Any) -> list[tuple[str, str, str, int]]:
    """What a fact adds to its week's figures."""

    def of(name: str, value: int = 1) -> tuple[str, str, str, int]:
        return (WHOLE, "", name, value)

    match fact:
        case OrderPlaced():
            return [of("orders"), of("points", fact.points)]
        case DeliveryDelayed():
            return [of("delays"), ("delay", fact.cause, "times", 1)]
        case SendingDelayed():
            return [of("delays"), ("delay", NOT_SENT, "times", 1)]
        case DisputeOpened():
            return [of("disputes"), ("dispute", str(fact.reason), "times", 1)]
        case ClaimFiled():
            return [
                of("claims"),
                of("claimed_fen", fact.claimed_fen),
                ("claim", str(fact.reason), "times", 1),
                ("carrier", fact.carrier, "claims", 1),
            ]
        case ClaimCorrected():
            return [of("claimed_fen", fact.claimed_fen - fact.before_fen)]
        case ClaimPaid():
            return [of("paid_fen", fact.paid_fen)]
        case ReturnOpened():
            return [of("returns"), ("return", str(fact.reason), "times", 1)]
        case UnitsRefunded():
            return [of("refunds"), of("refunded_points", fact.points)]
        case LineRated(delivery=None):
            return [of("ratings"), of("goods_stars", fact.goods)]
        case LineRated(delivery=int(stars)):
            by_carrier = [
                ("carrier", carrier, name, value)
                for carrier in fact.carriers
                for name, value in (("delivered", 1), ("delivery_stars", stars))
            ]
            return [
                of("ratings"),
                of("goods_stars", fact.goods),
                of("delivered", 1),
                of("delivery_stars", stars),
                *by_carrier,
            ]
        case _:
            return []


# What happened in the week was not recorded before it began.
_HAPPENED: LiteralString = """
SELECT notification_id, originator_id, originator_version, topic, state FROM {tallypost_events}
WHERE notification_id > coalesce((
    SELECT max(position) FROM {commits} WHERE recorded_at < %s
), 0) AND notification_id <= %s AND topic = ANY(%s)
ORDER BY notification_id
"""
_LEFT: LiteralString = """
SELECT parcel FROM {journeys} WHERE handed_over_at >= %s AND handed_over_at < %s ORDER BY parcel
"""
_FACTS: LiteralString = """
SELECT notification_id, originator_id, originator_version, topic, state FROM {tallypost_events}
WHERE originator_id = ANY(%(streams)s) AND notification_id <= %(position)s
  AND (%(names)s::text[] IS NULL OR topic = ANY(%(names)s::text[]))
ORDER BY notification_id
"""
