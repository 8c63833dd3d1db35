"""查询 Asking carriers where parcels are: to confirm what was pushed, and when nothing is (T1, T2).

A signed push is shown at once, but MD5 is all that proves it, so nothing of value follows before
one query tells the same (rules.md 23). Silent parcels are asked about once a day, and every half
hour some of all others, so that no push is missed for long. All keep to the partner's limit of one
query a waybill in 30 minutes, in any number of processes, and to a budget a day of each partner,
which every query counts against. What a query knows and the house does not is recorded as scans:
that is the repair.
"""

import hashlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any, LiteralString, NamedTuple

import httpx2
from psycopg import AsyncConnection
from psycopg.sql import SQL, Identifier

from application import shipping
from application.asking_partners import Asker, phone_tail
from application.envelope import Context
from application.gateways.guarded import by_reading, to
from application.gateways.tracking import (
    IncompleteRequest,
    PartnerRefused,
    Told,
    Tracker,
    UnreadableReply,
)
from application.queries_asked import (
    COMPARED_AGAIN,
    LOCKED_WITHIN,
    SILENT_AGAIN,
    SOURCE_LOOKS_EVERY,
    Outcome,
    queries_asked,
)
from application.streams import PARCEL
from application.traffic import Way, tracker_of
from application.unit import Command, Unit
from domain.silence import Silence, patience

logger = logging.getLogger(__name__)

CONTRADICTED_MAX = 14
"""So often in a row a source is asked about a receipt that it knows nothing of: twice as late each
time, then daily, for about a week. Then a human alone sees to it, unless more is told (M5)."""
COMPARISONS_A_DAY = 48
"""The check runs every half hour, with its share of the day's budget."""
BATCH = 50


class Wanted(NamedTuple):
    """A parcel to be asked about."""

    parcel: str
    waybill: str
    carrier: str
    card: str | None


class Querying:
    """Asks about the parcels of one tenant: the carrier itself where it can be, or Kuaidi100."""

    def __init__(self, house: Asker, client: httpx2.AsyncClient) -> None:
        self._house = house
        self._client = client

    async def query(self) -> dict[Outcome, int]:
        """Confirm receipts and ask about silent parcels; how often each outcome came."""
        return await self._each(self._wanted)

    async def compare(self) -> dict[Outcome, int]:
        """Compare parcels that are neither silent nor signed with what their source says (T2).

        Those that were asked about longest ago come first; half of what is left of the day's
        budget stays for receipts that have to be confirmed.
        """
        return await self._each(self._compared)

    async def _each(self, find: Callable[[], Awaitable[list[Wanted]]]) -> dict[Outcome, int]:
        came: dict[Outcome, int] = {}
        if not self._house.trackers.all:
            return came
        for wanted in await find():
            tracker, way = await tracker_of(self._house, wanted.carrier, wanted.parcel)
            if tracker is not None and await self._claim(wanted, tracker.name):
                outcome = await self._ask(wanted, tracker, way)
                await self._note(wanted, outcome)
                came[outcome] = came.get(outcome, 0) + 1
        return came

    async def _wanted(self) -> list[Wanted]:
        now = self._house.store.clock()
        kinds, silent = self._silent(now)
        found: list[Wanted] = []
        async with self._house.pool.connection() as connection:
            for tracker in self._house.trackers.all:
                room = min(BATCH, await self._budget(connection, tracker.name))
                values = (
                    now, LOCKED_WITHIN, SILENT_AGAIN, CONTRADICTED_MAX,
                    kinds, silent, now - SILENT_AGAIN, *self._carriers(tracker), max(0, room),
                )  # fmt: skip
                found += [Wanted(*row) for row in await self._rows(connection, _WANTED, *values)]
        return found

    async def _compared(self) -> list[Wanted]:
        now = self._house.store.clock()
        kinds, silent = self._silent(now)
        found: list[Wanted] = []
        async with self._house.pool.connection() as connection:
            for tracker in self._house.trackers.all:
                share = -(-self._house.settings.queries_a_day(tracker.name) // COMPARISONS_A_DAY)
                room = min(share, await self._budget(connection, tracker.name) // 2)
                values = (
                    now - SOURCE_LOOKS_EVERY, kinds, silent, now - COMPARED_AGAIN,
                    *self._carriers(tracker), max(0, room),
                )  # fmt: skip
                found += [Wanted(*row) for row in await self._rows(connection, _COMPARED, *values)]
        return found

    def _carriers(self, tracker: Tracker) -> tuple[list[str], bool]:
        """The carriers that are asked about here; or all but those, of an aggregator."""
        if tracker.carriers is not None:
            return sorted(tracker.carriers), True
        direct = (one.carriers or () for one in self._house.trackers.all)
        return sorted({carrier for carriers in direct for carrier in carriers}), False

    def _silent(self, now: datetime) -> tuple[list[Silence], list[datetime]]:
        """Each kind of silence, and the moment before which it counts."""
        kinds = list(Silence)
        return kinds, [now - patience(kind, rules=self._house.rules) for kind in kinds]

    async def _budget(self, connection: AsyncConnection[Any], partner: str) -> int:
        """How many queries of a partner are left of the day."""
        asked = await queries_asked(connection, self._house, partner)
        return self._house.settings.queries_a_day(partner) - asked

    async def _claim(self, wanted: Wanted, partner: str) -> bool:
        """Whether this process is the one to ask: a number is asked about by one in 30 minutes.

        What is asked counts from here on; who claims at the same time counts first or later.
        """
        now = self._house.store.clock()
        async with self._house.pool.connection() as connection, connection.transaction():
            await self._rows(connection, _TURN, f"{self._house.schema}.queries")
            if await self._budget(connection, partner) < 1:
                return False
            values = (wanted.waybill, wanted.parcel, now, now - LOCKED_WITHIN, partner)
            return bool(await self._rows(connection, _CLAIM, *values))

    async def _ask(self, wanted: Wanted, tracker: Tracker, way: Way) -> Outcome:
        house = self._house
        try:
            call = tracker.query(
                wanted.waybill,
                carrier=wanted.carrier,
                phone=await phone_tail(house, wanted.card),
                now=house.store.clock(),
            )
            read = partial(tracker.read_answer, number=wanted.waybill, carrier=wanted.carrier)
            extensions = to(way.called(tracker.name), by_reading(read))
            answer = await self._client.post(call.url, **call.content, extensions=extensions)
            told = read(answer.content)
        except PartnerRefused as refused:
            log = logger.error if refused.alarm else logger.info
            log("a query was refused with code %s", refused.code)
            return Outcome.REFUSED
        except (httpx2.HTTPError, UnreadableReply, IncompleteRequest) as error:
            logger.warning("a query got no answer: %s", type(error).__name__)
            return Outcome.UNANSWERED
        return await self._learn(wanted, told, tracker)

    async def _learn(self, wanted: Wanted, report: Told, tracker: Tracker) -> Outcome:
        house = self._house
        asked, source = house.store.clock(), f"{tracker.name}.query"
        principal = f"partner:{tracker.name}"
        found: list[dict[str, Any]] = []

        def decide(unit: Unit) -> dict[str, Any]:
            told = shipping.record_scans(
                unit,
                parcel=wanted.parcel,
                scans=report.scans,
                source=source,
                raw=report.raw,
                corrected_to=None,
                rules=house.rules,
            )
            confirmed = shipping.confirm_track(
                unit, parcel=wanted.parcel, told=report.scans, asked=asked, source=source
            )
            found[:] = [{**told, **confirmed}]
            return found[0]

        key = f"{wanted.parcel}:{asked.isoformat()}"
        await house.store.execute(
            Command(
                principal=principal,
                key=f"query:{key}",
                digest=hashlib.sha256(report.raw).digest(),
                context=Context(actor=principal, command=f"query:{key}"),
                decide=decide,
                streams=(PARCEL.stream(wanted.parcel),),
            )
        )
        (answer,) = found
        if answer["contradicted"]:
            logger.error("a query knows nothing of the receipt of parcel %s", wanted.parcel)
            return Outcome.CONTRADICTS
        return Outcome.REPAIRED if answer["new_scans"] else Outcome.SAME

    async def _note(self, wanted: Wanted, outcome: Outcome) -> None:
        async with self._house.pool.connection() as connection:
            await self._rows(connection, _NOTE, outcome, *[outcome] * 2, wanted.waybill)

    async def _rows(
        self, connection: AsyncConnection[Any], text: LiteralString, *values: object
    ) -> Sequence[Any]:
        names = ("parcels", "orders", "queries", "queries_asked")
        query = SQL(text).format(**{name: Identifier(self._house.schema, name) for name in names})
        return await (await connection.execute(query, values, prepare=True)).fetchall()


_TURN = "SELECT pg_advisory_xact_lock(hashtextextended(%b, 0))"
# A receipt that was contradicted is asked about twice as late each time.
_WANTED = """
SELECT w.number, w.waybill, w.carrier, coalesce(w.card, o.card) FROM (
    SELECT p.number, p.confirm_waybill AS waybill, p.confirm_carrier AS carrier, p.orders, p.card,
        0 AS urgency, p.since AS at FROM {parcels} p
    WHERE p.unconfirmed AND NOT EXISTS (
        SELECT FROM {queries} q WHERE q.waybill = p.confirm_waybill AND (
            q.asked_at > %b - least(%b::interval * power(2, greatest(q.contradicted - 1, 0)), %b)
            OR q.contradicted >= %b AND q.asked_at >= coalesce(p.told_at, q.asked_at)))
    UNION ALL
    SELECT p.number, p.waybill, p.carrier, p.orders, p.card, 1, p.quiet_since
    FROM unnest(%b::text[], %b::timestamptz[]) AS k(kind, before)
    JOIN {parcels} p ON p.quiet_as = k.kind AND p.quiet_since <= k.before
    WHERE NOT EXISTS (SELECT FROM {queries} q WHERE q.waybill = p.waybill AND q.asked_at > %b)
) w LEFT JOIN {orders} o ON o.number = w.orders[1]
WHERE w.waybill IS NOT NULL AND (w.carrier = ANY(%b::text[])) = %b
ORDER BY w.urgency, w.at, w.number LIMIT %b
"""
# What is quiet is under way, or waits for its recipient until `quiet_since`: its last word counts.
# Whoever was never asked about comes first.
_COMPARED = """
SELECT p.number, p.waybill, p.carrier, coalesce(p.card, o.card)
FROM {parcels} p LEFT JOIN {orders} o ON o.number = p.orders[1]
    LEFT JOIN {queries} q ON q.waybill = p.waybill
WHERE p.quiet_as IS NOT NULL AND p.waybill IS NOT NULL AND p.carrier IS NOT NULL
  AND NOT p.unconfirmed AND greatest(p.told_at,
        CASE WHEN p.quiet_as <> 'not_collected' THEN p.quiet_since END) <= %b
  AND NOT EXISTS (SELECT FROM unnest(%b::text[], %b::timestamptz[]) AS k(kind, before)
                  WHERE p.quiet_as = k.kind AND p.quiet_since <= k.before)
  AND (q.asked_at IS NULL OR q.asked_at <= %b) AND (p.carrier = ANY(%b::text[])) = %b
ORDER BY q.asked_at NULLS FIRST, p.quiet_since, p.number LIMIT %b
"""
_CLAIM = """
WITH claimed AS (
INSERT INTO {queries} AS q (waybill, parcel, asked_at) VALUES (%b, %b, %b)
ON CONFLICT (waybill) DO UPDATE SET asked_at = excluded.asked_at, parcel = excluded.parcel,
    outcome = NULL
WHERE q.asked_at <= %b RETURNING waybill, asked_at
), counted AS (INSERT INTO {queries_asked} (asked_at, partner) SELECT asked_at, %b FROM claimed)
SELECT waybill FROM claimed
"""
_NOTE = """
UPDATE {queries} SET outcome = %b, contradicted = CASE
    WHEN %b = 'contradicts' THEN contradicted + 1
    WHEN %b IN ('same', 'repaired') THEN 0 ELSE contradicted END
WHERE waybill = %b RETURNING waybill
"""
