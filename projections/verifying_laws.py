"""The laws: the ledger is in balance, stock is conserved, grants have their records (L6, C3)."""

from typing import Any, LiteralString

from psycopg import AsyncConnection
from pydantic_core import from_json

from application.granting import GRANTS, Grant
from domain.facts import FACTS
from projections.differences import Findings
from projections.reading import compose

TABLES = ("ledger_entries", "balances", "lots", "stock_levels", "commands")
BY_HAND = ("manual", "compensation")
"""Reasons of points that are also added under another command's key."""


async def verify_ledger(connection: AsyncConnection[Any], schema: str, *, found: Findings) -> None:
    """Entries, balances and lots say the same, and together zero (rules.md 18)."""

    async def rows(query: LiteralString) -> list[Any]:
        composed = compose(query, schema, TABLES, "")
        return await (await connection.execute(composed)).fetchall()

    for position, total in await rows(_UNBALANCED):
        found.add(f"ledger, entry {position}", f"its postings sum to {total}, not to zero")
    for (total,) in await rows(_TRIAL):
        found.add("ledger", f"the trial balance is {total}, not zero")
    for learner, *figures in await rows(_BALANCES):
        shown, sums = tuple(figures[:3]), tuple(map(int, figures[3:]))
        what = f"available, held, debt are {shown}, the entries give {sums}"
        found.add(f"ledger, balance of {learner}", what)
    for learner, points, available in await rows(_LOTS):
        what = f"its lots hold {points} points, its balance {available}"
        found.add(f"ledger, lots of {learner}", what)


async def verify_stock(
    connection: AsyncConnection[Any], schema: str, *, at: int, found: Findings
) -> None:
    """No unit appears or vanishes on its way through the shelves (C3), at the view's position."""
    query = compose(_STOCK, schema, TABLES, "")
    cursor = await connection.execute(query, (at,))
    for warehouse, sku, free, withheld, reserved, picked, received in await cursor.fetchall():
        there = f"free {free} + withheld {withheld} + reserved {reserved} + picked {picked}"
        what = f"{there}, but received {received}"
        found.add(f"stock, {sku} at {warehouse}", what)


async def verify_grants(connection: AsyncConnection[Any], schema: str, *, found: Findings) -> None:
    """Every grant has the record that keeps it from being made twice, and the other way round.

    The records are what the log says, so that a lost table could be made again from it.
    """
    query = compose(_GRANTS, schema, TABLES, "")
    async with connection.cursor("tallypost_grants") as cursor:
        await cursor.execute(query, (GRANTS,))
        async for row in cursor:
            _compare(*row, found=found)


def _compare(
    position: int | None,
    stream: str | None,
    stored: bytes | None,
    key: str | None,
    digest: bytes | None,
    answered: int | None,
    times: int | None,
    *,
    found: Findings,
) -> None:
    if stored is None or stream is None or position is None:
        found.add(f"commands, {key}", "the log has no such grant")
        return
    fact: Any = FACTS["ledger.PointsGranted"].model_validate(from_json(stored)["fact"])
    learner = stream.partition(":")[2]
    grant = Grant(learner, fact.points, fact.reason, fact.source, expires_at=fact.expires_at)
    if key is None or digest is None or answered is None:
        # Points added by hand are grants, too, under the key of who added them.
        if grant.reason not in BY_HAND:
            what = f"position {position} granted it, but no record keeps it from being made again"
            found.add(f"commands, {grant.identity}", what)
        return
    if times is not None and times > 1 and grant.reason not in BY_HAND:
        found.add(f"commands, {key}", f"the log has this grant {times} times")
    if bytes(digest) != grant.terms:
        found.add(f"commands, {key}", f"its terms are not those of position {position}")
    if answered < position:
        found.add(f"commands, {key}", f"answered at {answered}, granted at {position}")


_UNBALANCED = """
SELECT position, issuance + available + held + redeemed + expired + clawed_back + owed AS total
FROM {ledger_entries}
WHERE issuance + available + held + redeemed + expired + clawed_back + owed <> 0 LIMIT 50
"""
_TRIAL = """
SELECT total FROM (
    SELECT coalesce(sum(issuance + available + held + redeemed + expired + clawed_back + owed), 0)
        AS total FROM {ledger_entries}
) trial WHERE total <> 0
"""
_BALANCES = """
SELECT learner, b.available, b.held, b.debt, coalesce(e.available, 0), coalesce(e.held, 0),
    coalesce(e.debt, 0)
FROM {balances} b FULL JOIN (
    SELECT learner, sum(available) AS available, sum(held) AS held, -sum(owed) AS debt
    FROM {ledger_entries} GROUP BY learner
) e USING (learner)
WHERE (b.available, b.held, b.debt) IS DISTINCT FROM
    (coalesce(e.available, 0), coalesce(e.held, 0), coalesce(e.debt, 0))
LIMIT 50
"""
_LOTS = """
SELECT learner, coalesce(l.points, 0), coalesce(b.available, 0)
FROM {balances} b FULL JOIN (
    SELECT learner, sum(points) AS points FROM {lots} GROUP BY learner
) l USING (learner)
WHERE coalesce(l.points, 0) <> coalesce(b.available, 0) LIMIT 50
"""
# From the facts themselves, by addition alone: received + adjusted = all that is there.
_STOCK = """
SELECT warehouse, sku, free, withheld, reserved, picked, coalesce(received, 0)
FROM {stock_levels} s
FULL JOIN (
    SELECT split_part(originator_id, ':', 2) AS warehouse,
        substr(originator_id, length('stock:' || split_part(originator_id, ':', 2)) + 2) AS sku,
        sum(CASE topic
            WHEN 'stock.StockReceived' THEN (fact ->> 'quantity')::bigint
            WHEN 'stock.StockAdjusted' THEN (fact ->> 'difference')::bigint
            ELSE -(fact ->> 'quantity')::bigint END) AS received
    FROM (
        SELECT originator_id, topic, convert_from(state, 'UTF8')::json -> 'fact' AS fact
        FROM {tallypost_events}
        WHERE notification_id <= %s AND topic IN ('stock.StockReceived', 'stock.StockAdjusted',
            'stock.StockScrapped', 'stock.StockTransferredOut')
    ) facts GROUP BY 1, 2
) f USING (warehouse, sku)
WHERE s.free + s.withheld + s.reserved + s.picked IS DISTINCT FROM coalesce(received, 0)
   OR s.reserved < 0 OR s.picked < 0 OR s.withheld < 0
LIMIT 50
"""
_GRANTS = """
SELECT g.notification_id, g.originator_id, g.state, c.key, c.digest, c.position, g.times
FROM (
    SELECT *, count(*) OVER (PARTITION BY identity) AS times FROM (
        SELECT notification_id, originator_id, state, 'grant:' || substr(originator_id, 9) || ':'
            || (convert_from(state, 'UTF8')::json -> 'fact' ->> 'lot') AS identity
        FROM {tallypost_events} WHERE topic = 'ledger.PointsGranted'
    ) named
) g FULL JOIN (
    SELECT key, digest, position FROM {commands}
    WHERE principal = %s AND key LIKE 'grant:%%' AND NOT refused
) c ON c.key = g.identity
"""
