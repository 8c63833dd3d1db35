"""积分查询 Questions to the ledger: balances now and then, statements (L6, A5)."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple, cast

from psycopg import AsyncConnection

from application.streams import ACCOUNT
from domain.house_rules import HouseRules
from domain.ledger import postings
from domain.lots import last_day
from domain.past_balances import lot_changes
from domain.point_facts import AccountFact
from projections.audit_queries import stream_events
from projections.ledger_balance import NEVER, LedgerBalance, status_after
from projections.reading import compose

TABLES = ("ledger_entries", "balances", "lots", "views")


class Balance(NamedTuple):
    """A learner's points at a moment."""

    learner: str
    status: str
    available: int
    held: int
    debt: int
    expiring: list[dict[str, Any]]
    """Points by the last day (business zone) on which they can be spent, soonest first."""
    position: int
    """Where the view was; or, for a past moment, the log as it was known."""


class Asking:
    """Questions on one connection of one tenant."""

    def __init__(self, connection: AsyncConnection[Any], schema: str) -> None:
        self._connection = connection
        self._schema = schema

    async def rows(self, text: Any, *values: object) -> list[Any]:
        """Run a query that names this room's tables in braces."""
        query = compose(text, self._schema, TABLES, "")
        return await (await self._connection.execute(query, values, prepare=True)).fetchall()

    async def balance(self, learner: str, *, now: datetime, rules: HouseRules) -> Balance | None:
        """The balance now; lots whose time is over do not count, written off or not (rule 15)."""
        # One statement, so that its parts are of the same moment.
        rows = await self.rows(_BALANCE, LedgerBalance.name, now, learner)
        if not rows:
            return None
        status, held, debt, position = rows[0][:4]
        lots = [(expires_at, points) for *_, expires_at, points in rows if points]
        available = sum(points for _, points in lots)
        expiring = _expiring(lots, rules=rules)
        return Balance(learner, status, available, held, debt, expiring, position)

    async def nothing_yet(self, learner: str) -> Balance:
        """The balance of somebody who has no account, as far as the view knows."""
        rows = await self.rows("SELECT position FROM {views} WHERE name = %b", LedgerBalance.name)
        return Balance(learner, "active", 0, 0, 0, [], rows[0][0] if rows else 0)

    async def knows(self, learner: str) -> bool:
        """Whether there is an account of this learner."""
        return bool(await self.rows("SELECT 1 FROM {balances} WHERE learner = %b", learner))

    async def balance_then(
        self, learner: str, *, as_of: datetime, known_at: int, rules: HouseRules
    ) -> Balance:
        """The balance of the facts that had happened by `as_of`, as far as the log told them up
        to position `known_at` (A5): the account's own stream, added up as the view adds it."""
        stream = ACCOUNT.stream(learner)
        events = await stream_events(self._connection, self._schema, stream, known_at=known_at)
        status, held, debt = "active", 0, 0
        lots: Counter[datetime] = Counter()
        for event in sorted(events, key=lambda one: (one.happened_at, one.position)):
            if event.happened_at > as_of:
                break
            fact = cast("AccountFact", event.fact)
            amounts = postings(fact)
            held += amounts.get("held", 0)
            debt -= amounts.get("owed", 0)
            status = status_after(fact) or status
            for _, expires_at, points in lot_changes(fact):
                lots[expires_at or NEVER] += points
        alive = [(expires_at, points) for expires_at, points in lots.items() if expires_at > as_of]
        available = sum(points for _, points in alive)
        expiring = _expiring(alive, rules=rules)
        return Balance(learner, status, available, held, debt, expiring, known_at)

    async def statement(
        self, learner: str, *, before: tuple[datetime, int] | None, limit: int
    ) -> list[dict[str, Any]]:
        """Entries with the running balance, newest first, before a cursor.

        `reason` is what somebody wrote, or else the fact's own: it is told apart beside it.
        """
        at, position = before or (NEVER, 2**62)
        names = (
            "position", "fact", "happened_at", "points", "held", "debt", "order", "reason",
            "source", "balance", "grant_reason", "why",
        )  # fmt: skip
        rows = await self.rows(_STATEMENT, learner, at, position, limit)
        return [dict(zip(names, row, strict=True)) for row in rows]


def _expiring(lots: Iterable[tuple[datetime, int]], *, rules: HouseRules) -> list[dict[str, Any]]:
    """Points by the last day on which they can be spent: the day before they are gone (rule 15)."""
    days: Counter[str] = Counter()
    for expires_at, points in lots:
        if expires_at != NEVER:
            days[last_day(expires_at, zone=rules.zone).isoformat()] += points
    return [{"on": day, "points": points} for day, points in sorted(days.items()) if points > 0]


_BALANCE = """
SELECT b.status, b.held, b.debt, v.position, l.expires_at, l.points
FROM {balances} b JOIN {views} v ON v.name = %b
LEFT JOIN {lots} l ON l.learner = b.learner AND l.expires_at > %b AND l.points > 0
WHERE b.learner = %b
"""
_STATEMENT = """
SELECT position, fact, happened_at, available, held, -owed, order_number, reason, source,
    balance, CASE WHEN fact = 'ledger.PointsGranted' THEN told -> 'fact' ->> 'reason' END,
    told ->> 'reason'
FROM (
    SELECT * FROM (
        SELECT *, sum(available) OVER (ORDER BY happened_at, position)::bigint AS balance
        FROM {ledger_entries} WHERE learner = %b
    ) running WHERE (happened_at, position) < (%b, %b::bigint)
    ORDER BY happened_at DESC, position DESC LIMIT %b
) page, LATERAL (
    SELECT convert_from(state, 'UTF8')::json AS told FROM {tallypost_events}
    WHERE notification_id = page.position
) event
ORDER BY happened_at DESC, position DESC
"""
