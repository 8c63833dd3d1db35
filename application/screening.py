"""筛查 What placing cannot know: frequency, shared addresses, points taken back (O7).

Asked of the views, so it runs a moment after placing, and once more at each door through which an
order leaves: waves, what skips them, and packing by hand. An order that looks unusual goes to a
human, and nothing leaves that was not looked up, whatever became of the policy (rules.md 17, 26).
"""

import asyncio
import hashlib
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any, LiteralString, NamedTuple

from psycopg import AsyncConnection
from psycopg.sql import SQL, Identifier
from pydantic_core import to_json

from application import releasing
from application.envelope import Context, decode
from application.house import House
from application.issuing import issue
from application.outcomes import Unavailable
from application.streams import ORDER
from application.sweeping import LATE_AFTER, Overdue
from application.unit import Command
from domain.house_rules import HouseRules
from domain.release_facts import ReviewReason

LOOKED_BACK = timedelta(minutes=15)
"""How long a fresh order is looked at again and again; waves look at all they release."""
BATCH = 1_000
POINTS_CLAWED_BACK = ReviewReason.POINTS_CLAWED_BACK


class Unusual(NamedTuple):
    """Why a human should look at an order."""

    reason: ReviewReason
    about: tuple[str, ...]
    """Which address, by its card, or which lots; nothing where the order is meant."""


PAUSES_SECONDS = (0, 0.05, 0.1, 0.2, 0.4, 0.8, 1.5)
"""Between looks for an order that is packed before the views know of it."""
POLICY = "screen_orders"


async def screen_fresh(house: House) -> int:
    """Send what is new to a human if need be: orders, their addresses, points that were taken back.

    Returns how many orders looked unusual. Looking twice has its effect once.
    """
    since = house.store.clock() - LOOKED_BACK
    async with house.pool.connection() as connection:
        numbers = [
            row[0] for row in await _rows(connection, house.schema, _FRESH, since, since, since)
        ]
    unusual, _ = await _screened(house, numbers)  # those that are not decided yet come again
    return unusual


async def screen(house: House, numbers: Sequence[str]) -> int:
    """Look these orders up before they leave; returns how many are unusual and go to a human.

    Raises `Unavailable` where that cannot be decided now: nothing of them may leave then.
    """
    since = house.store.clock() - LOOKED_BACK
    for start in range(0, len(numbers), BATCH):
        async with house.pool.connection() as connection:
            wanted = list(numbers[start : start + BATCH])
            await _rows(connection, house.schema, _NEIGHBOURS, wanted, since)
    unusual, undecided = await _screened(house, numbers)
    if undecided:
        raise Unavailable
    return unusual


async def screen_past_the_waves(house: House, number: str) -> None:
    """Look up an order that somebody is about to pack by hand, however fast they are (O7).

    Raises `Unavailable` while no view has it. History is let through, as the policy lets it: what
    a service dates back when it places it was looked at, or not, where it comes from.
    """
    stream = ORDER.stream(number)
    for pause in PAUSES_SECONDS:
        await asyncio.sleep(pause)
        async with house.pool.connection() as connection:
            found = await _rows(connection, house.schema, _PLACED, number, stream)
        if not found:
            return  # there is no such order: the command says so
        ((position, name, stored, seen),) = found
        placed = decode(position, stream, 1, name, bytes(stored))
        if placed.recorded_at - placed.happened_at > LOOKED_BACK:
            return
        if seen:
            await screen(house, [number])
            return
    raise Unavailable


async def unscreened(house: House, *, late_after: timedelta = LATE_AFTER) -> list[Overdue]:
    """Whether fresh orders should have been looked up by now, and nobody did (M5)."""
    now = house.store.clock()
    async with house.pool.connection() as connection:
        ((waiting, since),) = await _rows(
            connection, house.schema, _UNSCREENED, now - LOOKED_BACK, now - late_after
        )
    return [Overdue(POLICY, waiting, since)] if waiting else []


async def _screened(house: House, numbers: Sequence[str]) -> tuple[int, int]:
    """How many of these are unusual, and of how many that could not be decided."""
    unusual: dict[str, list[Unusual]] = {}
    for start in range(0, len(numbers), BATCH):
        async with house.pool.connection() as connection:
            unusual |= await _looked_up(
                connection, house.schema, numbers[start : start + BATCH], rules=house.rules
            )
    issued = await issue(
        house, [_command(number, why, house.rules) for number, why in unusual.items()]
    )
    return len(unusual), issued.undecided


def _command(number: str, found: Sequence[Unusual], rules: HouseRules) -> Command:
    stream = ORDER.stream(number)
    # The same reason for another address or another lot is another question.
    asked = to_json([(one.reason, *one.about) for one in found])
    key = f"{stream}:{hashlib.sha256(asked).hexdigest()[:32]}"
    lots = [lot for one in found if one.reason is POINTS_CLAWED_BACK for lot in one.about]
    reasons = [one.reason for one in found]
    return Command(
        principal=f"policy:{POLICY}",
        key=key,
        digest=hashlib.sha256(key.encode()).digest(),
        context=Context(actor=f"policy:{POLICY}", command=f"{POLICY}:{key}"),
        decide=partial(
            releasing.require_review, number=number, reasons=reasons, lots=lots, rules=rules
        ),
        streams=(stream,),
    )


async def _looked_up(
    connection: AsyncConnection[Any], schema: str, numbers: Sequence[str], *, rules: HouseRules
) -> dict[str, list[Unusual]]:
    wanted = list(numbers)
    await _rows(connection, schema, _PLACES, wanted)
    questions: list[tuple[ReviewReason, LiteralString, tuple[Any, ...]]] = [
        (ReviewReason.FREQUENT_ORDERS, _FREQUENT, (wanted, rules.review_orders_a_day)),
        (ReviewReason.SHARED_ADDRESS, _SHARED, (wanted, rules.review_accounts_at_address)),
        (POINTS_CLAWED_BACK, _CLAWED_BACK, (wanted,)),
    ]
    found: dict[str, list[Unusual]] = {}
    for reason, text, values in questions:
        for number, about in await _rows(connection, schema, text, *values):
            found.setdefault(number, []).append(Unusual(reason, tuple(about)))
    return found


async def _rows(
    connection: AsyncConnection[Any], schema: str, text: LiteralString, *values: object
) -> list[Any]:
    names = ("orders", "cards", "places", "ledger_entries", "tallypost_events")
    query = SQL(text).format(**{name: Identifier(schema, name) for name in names})
    return await (await connection.execute(query, values, prepare=True)).fetchall()


_FRESH = """
SELECT number FROM {orders} WHERE waiting_at IS NOT NULL AND placed_at >= %b
UNION SELECT o.number FROM {orders} o WHERE o.waiting_at IS NOT NULL AND o.learner IN (
    SELECT learner FROM {ledger_entries}
    WHERE fact = 'ledger.GrantClawedBack' AND happened_at >= %b)
UNION SELECT o.number FROM {orders} o JOIN {cards} c ON c.id = o.card::uuid
    WHERE o.waiting_at IS NOT NULL AND c.made_at >= %b AND EXISTS (
        SELECT FROM {tallypost_events} e
        WHERE e.originator_id = 'order:' || o.number AND e.topic = 'orders.AddressChanged')
"""
# Who sends where, kept per address and learner: cards are too many to be searched for it.
_PLACES = """
INSERT INTO {places} AS p (digest, learner, last_at)
SELECT c.place_digest, o.learner, max(o.placed_at)
FROM {orders} o JOIN {cards} c ON c.id = o.card::uuid
WHERE o.number = ANY(%b) AND c.place_digest IS NOT NULL GROUP BY 1, 2
ON CONFLICT (digest, learner) DO UPDATE SET last_at = excluded.last_at
WHERE p.last_at < excluded.last_at
RETURNING learner
"""
# Who else just sent to these addresses: the policy may not have been there yet.
_NEIGHBOURS = """
INSERT INTO {places} AS p (digest, learner, last_at)
SELECT c.place_digest, o.learner, max(o.placed_at)
FROM {orders} o JOIN {cards} c ON c.id = o.card::uuid
JOIN (
    SELECT DISTINCT c.place_digest FROM {orders} o JOIN {cards} c ON c.id = o.card::uuid
    WHERE o.number = ANY(%b) AND c.place_digest IS NOT NULL
) mine USING (place_digest)
WHERE o.placed_at >= %b GROUP BY 1, 2
ON CONFLICT (digest, learner) DO UPDATE SET last_at = excluded.last_at
WHERE p.last_at < excluded.last_at
RETURNING learner
"""
_PLACED = """
SELECT e.notification_id, e.topic, e.state, EXISTS (SELECT FROM {orders} WHERE number = %b)
FROM {tallypost_events} e WHERE e.originator_id = %b AND e.originator_version = 1
"""
# Whoever looks an order up notes first who sends to its address.
_UNSCREENED = """
SELECT count(*), min(greatest(o.placed_at, c.made_at))
FROM {orders} o JOIN {cards} c ON c.id = o.card::uuid
WHERE o.waiting_at IS NOT NULL AND o.placed_at >= %b AND greatest(o.placed_at, c.made_at) < %b
  AND c.place_digest IS NOT NULL AND NOT EXISTS (
      SELECT FROM {places} p WHERE p.digest = c.place_digest AND p.learner = o.learner
        AND p.last_at >= o.placed_at)
"""
_FREQUENT = """
SELECT o.number, ARRAY[]::text[] FROM {orders} o WHERE o.number = ANY(%b) AND (
    SELECT count(*) FROM {orders} other WHERE other.learner = o.learner
      AND other.placed_at <= o.placed_at AND other.placed_at > o.placed_at - interval '24 hours'
) > %b
"""
_SHARED = """
SELECT o.number, ARRAY[o.card] FROM {orders} o JOIN {cards} c ON c.id = o.card::uuid
WHERE o.number = ANY(%b) AND (
    SELECT count(*) FROM {places} p
    WHERE p.digest = c.place_digest AND p.last_at > o.placed_at - interval '30 days'
) >= %b
"""
_CLAWED_BACK = """
SELECT o.number, array_agg(DISTINCT back.lot ORDER BY back.lot)
FROM {orders} o, LATERAL (
    SELECT convert_from(e.state, 'UTF8')::jsonb -> 'fact' ->> 'lot' AS lot
    FROM {ledger_entries} l JOIN {tallypost_events} e ON e.notification_id = l.position
    WHERE l.learner = o.learner AND l.fact = 'ledger.GrantClawedBack'
) back
WHERE o.number = ANY(%b) AND convert_from(o.folded, 'UTF8')::jsonb -> 'lots'
    @> jsonb_build_array(jsonb_build_object('lot', back.lot))
GROUP BY o.number
"""
