"""筛查 What placing cannot know: frequency, shared addresses, points taken back (O7).

Asked of the views, so it runs a moment after placing and once more when a wave releases: an order
that looks unusual goes to a human, and no wave releases what was not looked up (rules.md 17, 26).
"""

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any, LiteralString

from psycopg import AsyncConnection
from psycopg.sql import SQL, Identifier

from application import releasing
from application.envelope import Context
from application.house import House
from application.issuing import issue
from application.streams import ORDER
from application.unit import Command
from domain.house_rules import HouseRules
from domain.release_facts import ReviewReason

LOOKED_BACK = timedelta(minutes=15)
"""How long a fresh order is looked at again and again; waves look at all they release."""
BATCH = 1_000


async def screen_fresh(house: House) -> int:
    """Send what was placed lately, or paid with points taken back lately, to a human if need be.

    Returns how many orders looked unusual. Looking twice has its effect once.
    """
    since = house.store.clock() - LOOKED_BACK
    async with house.pool.connection() as connection:
        numbers = [row[0] for row in await _rows(connection, house.schema, _FRESH, since, since)]
    return await screen(house, numbers)


async def screen(house: House, numbers: Sequence[str]) -> int:
    """Look these orders up and send the unusual ones to a human; returns how many those are."""
    unusual: dict[str, list[ReviewReason]] = {}
    for start in range(0, len(numbers), BATCH):
        async with house.pool.connection() as connection:
            unusual |= await _looked_up(
                connection, house.schema, numbers[start : start + BATCH], rules=house.rules
            )
    await issue(house, [_command(number, why, house.rules) for number, why in unusual.items()])
    return len(unusual)


def _command(number: str, reasons: Sequence[ReviewReason], rules: HouseRules) -> Command:
    stream = ORDER.stream(number)
    key = f"{stream}:{','.join(reasons)}"
    return Command(
        principal="policy:screen_orders",
        key=key,
        digest=hashlib.sha256(key.encode()).digest(),
        context=Context(actor="policy:screen_orders", command=f"screen_orders:{key}"),
        decide=partial(releasing.require_review, number=number, reasons=reasons, rules=rules),
        streams=(stream,),
    )


async def _looked_up(
    connection: AsyncConnection[Any], schema: str, numbers: Sequence[str], *, rules: HouseRules
) -> dict[str, list[ReviewReason]]:
    wanted = list(numbers)
    await _rows(connection, schema, _PLACES, wanted)
    questions: list[tuple[ReviewReason, LiteralString, tuple[Any, ...]]] = [
        (ReviewReason.FREQUENT_ORDERS, _FREQUENT, (wanted, rules.review_orders_a_day)),
        (ReviewReason.SHARED_ADDRESS, _SHARED, (wanted, rules.review_accounts_at_address)),
        (ReviewReason.POINTS_CLAWED_BACK, _CLAWED_BACK, (wanted,)),
    ]
    found: dict[str, list[ReviewReason]] = {}
    for reason, text, values in questions:
        for (number,) in await _rows(connection, schema, text, *values):
            found.setdefault(number, []).append(reason)
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
_FREQUENT = """
SELECT o.number FROM {orders} o WHERE o.number = ANY(%b) AND (
    SELECT count(*) FROM {orders} other WHERE other.learner = o.learner
      AND other.placed_at <= o.placed_at AND other.placed_at > o.placed_at - interval '24 hours'
) > %b
"""
_SHARED = """
SELECT o.number FROM {orders} o JOIN {cards} c ON c.id = o.card::uuid
WHERE o.number = ANY(%b) AND (
    SELECT count(*) FROM {places} p
    WHERE p.digest = c.place_digest AND p.last_at > o.placed_at - interval '30 days'
) >= %b
"""
_CLAWED_BACK = """
SELECT o.number FROM {orders} o WHERE o.number = ANY(%b) AND EXISTS (
    SELECT FROM {ledger_entries} l
    JOIN {tallypost_events} e ON e.notification_id = l.position
    WHERE l.learner = o.learner AND l.fact = 'ledger.GrantClawedBack'
      AND convert_from(o.folded, 'UTF8')::jsonb -> 'lots' @> jsonb_build_array(
          jsonb_build_object('lot', convert_from(e.state, 'UTF8')::jsonb -> 'fact' ->> 'lot')))
"""
