"""积分查询 Questions to the ledger: balances now and then, statements, totals (L6, A5, A7)."""

from datetime import date, datetime
from typing import Any, NamedTuple

from psycopg import AsyncConnection

from domain.house_rules import HouseRules
from projections.ledger_balance import NEVER
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
    """Points by the day (business zone) on which they expire, soonest first."""
    position: int


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
        rows = await self.rows(_BALANCE, learner)
        if not rows:
            return None
        status, held, debt, position = rows[0]
        lots = await self.rows(_LOTS, learner, now)
        expiring: dict[str, int] = {}
        for expires_at, points in lots:
            if expires_at != NEVER:
                day = expires_at.astimezone(rules.zone).date().isoformat()
                expiring[day] = expiring.get(day, 0) + points
        return Balance(
            learner,
            status,
            sum(points for _, points in lots),
            held,
            debt,
            [{"on": day, "points": points} for day, points in sorted(expiring.items())],
            position,
        )

    async def knows(self, learner: str) -> bool:
        """Whether there is an account of this learner."""
        return bool(await self.rows(_BALANCE, learner))

    async def balance_then(
        self, learner: str, *, as_of: datetime, known_at: int
    ) -> tuple[int, int, int]:
        """(available, held, debt) of the facts that had happened by `as_of`, as far as the log
        told them up to position `known_at` (A5)."""
        rows = await self.rows(_THEN, learner, as_of, known_at)
        available, held, owed = rows[0]
        return int(available), int(held), -int(owed)

    async def statement(
        self, learner: str, *, before: tuple[datetime, int] | None, limit: int
    ) -> list[dict[str, Any]]:
        """Entries with the running balance, newest first, before a cursor."""
        at, position = before or (NEVER, 2**62)
        names = (
            "position", "fact", "happened_at", "points", "held", "debt", "order", "reason",
            "balance",
        )  # fmt: skip
        rows = await self.rows(_STATEMENT, learner, at, position, limit)
        return [dict(zip(names, row, strict=True)) for row in rows]

    async def trial_balance(self, *, until: date | None, known_at: int) -> dict[str, int]:
        """The sum of every ledger account, by booking day and position; together zero (L6)."""
        names = ("issuance", "learner", "held", "redeemed", "expired", "clawed_back", "owed")
        rows = await self.rows(_TRIAL, until, until, known_at)
        return dict(zip(names, map(int, rows[0]), strict=True))

    async def liability(self, *, now: datetime, rules: HouseRules) -> list[dict[str, Any]]:
        """Points that learners can still spend, by the month in which they expire (A7)."""
        rows = await self.rows(_LIABILITY, rules.zone.key, now)
        return [{"month": month, "points": int(points)} for month, points in rows]


_BALANCE = "SELECT status, held, debt, position FROM {balances} WHERE learner = %b"
_LOTS = """
SELECT expires_at, points FROM {lots} WHERE learner = %b AND expires_at > %b AND points > 0
ORDER BY expires_at
"""
_THEN = """
SELECT coalesce(sum(available), 0), coalesce(sum(held), 0), coalesce(sum(owed), 0)
FROM {ledger_entries} WHERE learner = %b AND happened_at <= %b AND position <= %b
"""
_STATEMENT = """
SELECT position, fact, happened_at, available, held, -owed, order_number, reason, balance FROM (
    SELECT *, sum(available) OVER (ORDER BY happened_at, position)::bigint AS balance
    FROM {ledger_entries} WHERE learner = %b
) running WHERE (happened_at, position) < (%b, %b::bigint)
ORDER BY happened_at DESC, position DESC LIMIT %b
"""
_TRIAL = """
SELECT coalesce(sum(issuance), 0), coalesce(sum(available), 0), coalesce(sum(held), 0),
    coalesce(sum(redeemed), 0), coalesce(sum(expired), 0), coalesce(sum(clawed_back), 0),
    coalesce(sum(owed), 0)
FROM {ledger_entries}
WHERE (%b::date IS NULL OR booked_on <= %b::date) AND position <= %b::bigint
"""
_LIABILITY = """
SELECT CASE WHEN expires_at >= '9999-01-01' THEN 'never'
            ELSE to_char(expires_at AT TIME ZONE %b, 'YYYY-MM') END AS month, sum(points)
FROM {lots} WHERE points > 0 AND expires_at > %b GROUP BY month ORDER BY month
"""
