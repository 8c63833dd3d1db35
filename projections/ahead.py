"""接下来 What the house will do next about one order by itself, and what of it is stuck (D1, M5).

Nothing is kept for this: deadlines stand in the policies, tries in the table of open calls, in
subscriptions and in queries. Each line names the event that it comes of, as the fact that will come
of it is going to.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, LiteralString, NamedTuple, Protocol, cast
from urllib.parse import urlsplit

from psycopg import AsyncConnection

from application.envelope import Envelope
from application.house import House
from application.policies import ALL
from application.pushing_consignments import LOOK_AGAIN
from application.queries_asked import Outcome, foreseen_queries
from application.streams import CLAIM, DISPUTE, ORDER, PARCEL, RETURN
from application.subscriptions import Subscriptions
from application.sweeping import LATE_AFTER, foreseen_of
from application.trackers import Trackers
from domain.appointments import read_appointment
from domain.orders import Order
from domain.parcel_facts import ParcelFact, ParcelScanned
from domain.parcels import Parcel
from domain.promising import wave_after
from domain.recorded_scans import as_scan
from projections.order_queries import OrderRow
from projections.reading import compose
from projections.troubles import LABEL_TRIES, REFUND_AFTER, THIRD_PARTY_TRIES, UNWATCHED_AFTER

STUCK_AFTER = {
    "order_label": LABEL_TRIES,
    "cancel_label": LABEL_TRIES,
    "push_third_party": THIRD_PARTY_TRIES,
}
"""Tries that failed after which somebody should look, as the list of what is stuck has it (M5)."""


class Standing(StrEnum):
    """How it is with a piece of work."""

    PLANNED = "planned"
    RETRYING = "retrying"
    """It failed, and is tried again by itself."""
    STUCK = "stuck"
    """Late, given up, or not to be had without somebody."""


class Ahead(NamedTuple):
    """One piece of work that is still to come."""

    work: str
    """A policy's name, or what a partner is asked for."""
    about: str
    """The number of the order, parcel, case or return, a warehouse's code, who is to be told."""
    standing: Standing
    at: datetime | None
    """When it is done or tried next if nothing else happens, or should be by now; None: nobody
    can say."""
    cause: int | str | None
    """The event that it comes of: its log position, or `stream@version`."""
    tries: int = 0
    """That failed so far."""
    why: str | None = None
    """What the last try said, or what it waits for."""
    host: str | None = None
    """Where it is told: of the address the host alone, the rest may be secret."""


class Foreseeing(House, Protocol):
    """A tenant with what is known of its partners."""

    trackers: Trackers


async def ahead_of(
    connection: AsyncConnection[Any], house: Foreseeing, row: OrderRow, events: Sequence[Envelope]
) -> list[Ahead]:
    """What is still to come for an order whose trail is `events`: what is stuck, then by time."""
    order, parcels = row.order, _keys(events, PARCEL.name)
    found = [
        *await _deadlines(connection, house, row.number, order, events),
        *await _asked(connection, house, row.number, parcels),
        *await _queries(connection, house, parcels),
        *await _told(connection, house, events),
        *await _waves(connection, house, row),
        *_agreed(events, house.store.clock()),
    ]
    return sorted(found, key=_by_urgency)


def _by_urgency(one: Ahead) -> tuple[Any, ...]:
    calm = one.standing is not Standing.STUCK
    return calm, one.at is None, one.at, one.work, one.about


def _keys(events: Sequence[Envelope], *categories: str) -> list[str]:
    return list(dict.fromkeys(one.key for one in events if one.category in categories))


async def _deadlines(
    connection: AsyncConnection[Any],
    house: House,
    number: str,
    order: Order,
    events: Sequence[Envelope],
) -> list[Ahead]:
    """What policies will do at its time (O4, D1, D3, T5)."""
    keys = [
        number,
        *_keys(events, PARCEL.name, DISPUTE.name, CLAIM.name, RETURN.name),
        *(f"{number}/{part.number}" for part in order.parts),
        *(f"{number}/{refund}" for refund, _ in order.refunds),
    ]
    return [
        Ahead(
            one.policy,
            one.key.partition("/")[0],
            Standing.STUCK if one.late else Standing.PLANNED,
            one.at,
            one.cause,
        )
        for one in await foreseen_of(connection, house, ALL, keys=keys)
    ]


def _agreed(events: Sequence[Envelope], now: datetime) -> list[Ahead]:
    """What comes at a time that its recipient agreed on with the carrier, not later than told (T8).

    It comes of the newest scan that says so.
    """
    boxes: dict[str, Parcel] = {}
    said: dict[str, int] = {}
    for one in events:
        if one.category != PARCEL.name:
            continue
        fact = cast("ParcelFact", one.fact)
        boxes[one.key] = PARCEL.evolve(boxes.get(one.key, PARCEL.initial), fact)
        if isinstance(fact, ParcelScanned) and read_appointment(as_scan(fact)) is not None:
            said[one.key] = one.position
    found = ((number, boxes[number].track().appointment, said[number]) for number in said)
    return [
        Ahead("deliver_as_agreed", number, Standing.PLANNED, agreed.starts_at, position)
        for number, agreed, position in found
        if agreed is not None and agreed.ends_at > now
    ]


async def _asked(
    connection: AsyncConnection[Any], house: House, number: str, parcels: Sequence[str]
) -> list[Ahead]:
    """What partners are being asked for, with the tries that brought nothing (W2, W5, O5, O8)."""
    now = house.store.clock()
    query = compose(_ASKED, house.schema, _TABLES, "")
    values = {
        "number": number,
        "parcels": list(parcels),
        "look": LOOK_AGAIN,
        "unwatched": now - UNWATCHED_AFTER,
        "late": now - LATE_AFTER,
        "refunded": now - REFUND_AFTER,
    }
    cursor = await connection.execute(query, values, prepare=True)
    return [_open(*one) for one in await cursor.fetchall()]


def _open(
    work: str,
    about: str,
    position: int | None,
    stuck: bool,
    at: datetime | None,
    tries: int,
    why: str | None,
) -> Ahead:
    # The newest try has not failed while nothing is known of it: it is under way.
    failed = max(0, tries - (why is None))
    standing = Standing.RETRYING if failed else Standing.PLANNED
    if stuck or failed >= STUCK_AFTER.get(work, failed + 1):
        standing = Standing.STUCK
    return Ahead(work, about, standing, at, position, failed, why)


async def _queries(
    connection: AsyncConnection[Any], house: Foreseeing, parcels: Sequence[str]
) -> list[Ahead]:
    """When a source is asked where a parcel is (T1, T2; rules.md 23)."""
    return [
        Ahead(
            one.work,
            one.parcel,
            Standing.STUCK if one.last is Outcome.CONTRADICTS else Standing.PLANNED,
            one.at,
            one.position,
            why=None if one.last in (None, Outcome.SAME, Outcome.REPAIRED) else str(one.last),
        )
        for one in await foreseen_queries(connection, house, parcels)
        if house.trackers.of(one.carrier) is not None
    ]


async def _told(
    connection: AsyncConnection[Any], house: House, events: Sequence[Envelope]
) -> list[Ahead]:
    """Systems that were not reached with news of it: tried again, given up, or paused (N2)."""
    subscriptions = Subscriptions(connection, schema=house.schema, vault=house.vault)
    news = [(one.position, one.fact.fact_name) for one in events]
    return [
        Ahead(
            "tell_webhook",
            one.owner,
            Standing.RETRYING if one.next_at else Standing.STUCK,
            one.next_at,
            one.position,
            one.failed_tries,
            one.cause,
            urlsplit(one.url).hostname,
        )
        for one in await subscriptions.untold(news)
    ]


async def _waves(connection: AsyncConnection[Any], house: House, row: OrderRow) -> list[Ahead]:
    """What waits to be released goes with its warehouse's next wave, once it is reviewed (S5)."""
    now, cause = house.store.clock(), f"{ORDER.stream(row.number)}@{row.version}"
    query = compose(_WAVES, house.schema, _TABLES, "")
    cursor = await connection.execute(query, {"number": row.number}, prepare=True)
    return [
        Ahead("release_wave", code, Standing.STUCK, None, cause, why="review")
        if in_review
        else Ahead(
            "release_wave",
            code,
            Standing.PLANNED,
            wave_after(now, cut_off, house.rules.zone),
            cause,
        )
        for code, cut_off, in_review in await cursor.fetchall()
    ]


_TABLES = (
    "labels", "parcels", "consignments", "intercepts", "cash_refunds", "orders", "warehouses",
    "open_calls",
)  # fmt: skip
# A line each: (work, about, position, whether it needs somebody, when again, tries, why).
_ASKED: LiteralString = """
SELECT CASE WHEN l.waybill IS NULL THEN 'order_label' ELSE 'cancel_label' END, l.parcel,
    l.position, false, coalesce(k.next_at, l.changed_at), coalesce(k.tries, 0), k.cause
FROM {labels} l LEFT JOIN {open_calls} k ON k.what = l.label
    AND k.phase = CASE WHEN l.waybill IS NULL THEN 'order' ELSE 'cancel' END
WHERE l.parcel = ANY(%(parcels)s)
  AND (l.state IN ('wanted', 'unwanted') OR l.state = 'refused' AND l.waybill IS NOT NULL)
UNION ALL
SELECT 'order_label', l.parcel, l.position, true, NULL, 1, coalesce(l.reason, l.state)
FROM {labels} l JOIN {parcels} p ON p.number = l.parcel
WHERE l.parcel = ANY(%(parcels)s) AND l.state IN ('refused', 'unanswered') AND l.waybill IS NULL
  AND p.waybill IS NULL AND p.stage NOT IN ('handed_over', 'dissolved')
  AND NOT EXISTS (SELECT FROM {labels} n WHERE n.parcel = l.parcel
                  AND n.state IN ('wanted', 'issued'))
UNION ALL
SELECT 'push_third_party', c.parcel, c.position, c.state = 'refused',
    CASE WHEN c.waits THEN coalesce(k.next_at, c.revised_at) END,
    CASE WHEN c.waits THEN coalesce(k.tries, 0) ELSE 1 END,
    CASE WHEN c.waits THEN k.cause ELSE concat_ws(': ', f.told ->> 'code',
        nullif(f.told ->> 'words', '')) END
FROM {consignments} c JOIN {parcels} p ON p.number = c.parcel
CROSS JOIN LATERAL (SELECT convert_from(c.folded, 'UTF8')::jsonb AS told) f
LEFT JOIN {open_calls} k ON k.phase = 'push' AND k.what = c.parcel || '/' || c.revision
WHERE c.parcel = ANY(%(parcels)s) AND (c.waits OR c.state = 'refused')
  AND p.stage NOT IN ('handed_over', 'dissolved')
UNION ALL
SELECT 'look_third_party', c.parcel, c.position, false,
    greatest(c.changed_at + %(look)s::interval, k.next_at), (k.cause IS NOT NULL)::integer, k.cause
FROM {consignments} c JOIN {parcels} p ON p.number = c.parcel
LEFT JOIN {open_calls} k ON k.phase = 'look' AND k.what = c.parcel
WHERE c.parcel = ANY(%(parcels)s) AND c.under_way
  AND p.stage NOT IN ('handed_over', 'dissolved')
UNION ALL
SELECT 'ask_intercept', i.parcel, i.position, i.answer_by < %(late)s,
    coalesce(k.next_at, i.changed_at), coalesce(k.tries, 0), k.cause
FROM {intercepts} i LEFT JOIN {open_calls} k ON k.phase = 'intercept'
    AND k.what = convert_from(i.folded, 'UTF8')::jsonb ->> 'name'
WHERE i.parcel = ANY(%(parcels)s) AND i.state = 'asked'
UNION ALL
SELECT 'subscribe_parcel', p.number, p.position, p.since < %(unwatched)s, NULL, 0, NULL
FROM {parcels} p WHERE p.number = ANY(%(parcels)s) AND p.unwatched
UNION ALL
SELECT 'refund_cash', r.order_number, r.position, r.requested_at < %(refunded)s, NULL, 0, NULL
FROM {cash_refunds} r WHERE r.order_number = %(number)s AND r.state = 'requested'
"""
# What paid to be urgent skips the waves.
_WAVES: LiteralString = """
SELECT w.code, (w.terms ->> 'cut_off')::time, o.review IS NOT NULL
FROM {orders} o CROSS JOIN LATERAL unnest(string_to_array(o.releasable_at, ',')) AS at(code)
JOIN {warehouses} w USING (code)
WHERE o.number = %(number)s AND (o.review IS NOT NULL OR NOT o.urgent) ORDER BY w.code
"""
