"""报告 Trial balance, liability, breakage, controls and costs, at a position (A6, A7, A9, W6).

Every row follows from the log up to that position, so that a report made again is the same.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, LiteralString, cast

from psycopg import AsyncConnection

from application.envelope import decode_fact
from application.exporting import written
from application.heads import SignedHead
from application.reporting import Report
from domain.house_rules import HouseRules
from domain.lots import last_day
from domain.past_balances import lot_changes
from domain.refusals import InvalidRequest, NotFound
from projections import controls
from projections.costs import Costing
from projections.ledger_balance import NEVER
from projections.reading import compose
from projections.sealed_history import inclusion_paths
from projections.week_figures import Reviewing

TABLES = ("ledger_entries",)
ACCOUNTS = ("issuance", "learner", "held", "redeemed", "expired", "clawed_back", "owed")
PAGE = 5_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants to know."""

    until: date | None = None
    """Last booking day that counts; None: all."""
    since: date | None = None
    """First day of hand-over that counts, in the cost report; None: all."""
    asked: controls.Asked = field(default_factory=controls.Asked)
    """How the controls are run."""


@dataclass(frozen=True, slots=True)
class Reporting:
    """Reports on one tenant's log up to a head."""

    connection: AsyncConnection[Any]
    schema: str
    head: SignedHead
    rules: HouseRules

    async def make(self, name: str, wanted: Wanted) -> Report:
        """The report with this name. Raises `NotFound`."""
        reports: dict[str, Callable[[Wanted], Awaitable[Report]]] = {
            "trial-balance": self._trial_balance,
            "liability": self._liability,
            "breakage": self._breakage,
            "controls": self._controls,
            "costs": self._costs,
            "week": self._week,
        }
        if name not in reports:
            raise NotFound(what="report")
        return await reports[name](wanted)

    async def _costs(self, wanted: Wanted) -> Report:
        """What sending orders cost, part by part, beside what was in them (W6)."""
        asking = Costing(self.connection, self.schema, self.head.position, self.rules)
        return await asking.report(since=wanted.since, until=wanted.until)

    async def _week(self, wanted: Wanted) -> Report:
        """What the week of a day brought, or else the head's own as far as it had come (T9)."""
        today = self.head.recorded_at.astimezone(self.rules.zone).date()
        asking = Reviewing(self.connection, self.schema, self.head.position, self.rules)
        return await asking.report(wanted.until or today)

    async def _rows(self, text: LiteralString, *values: object) -> list[Any]:
        query = compose(text, self.schema, TABLES, "")
        return await (await self.connection.execute(query, values)).fetchall()

    async def _trial_balance(self, wanted: Wanted) -> Report:
        """The ledger's accounts day by day; the total of every day is zero (L6, A7)."""
        rows = await self._rows(_TRIAL, self.head.position, wanted.until, wanted.until)
        return Report(
            "trial-balance",
            _TRIAL,
            {"position": self.head.position, "until": wanted.until and wanted.until.isoformat()},
            ("booked_on", *ACCOUNTS, "total"),
            [[day.isoformat(), *map(int, sums)] for day, *sums in rows],
        )

    async def _breakage(self, wanted: Wanted) -> Report:
        """By month: points issued, and what became of them without goods (A7)."""
        rows = await self._rows(_BREAKAGE, self.head.position, wanted.until, wanted.until)
        return Report(
            "breakage",
            _BREAKAGE,
            {"position": self.head.position, "until": wanted.until and wanted.until.isoformat()},
            ("month", "issued", "redeemed", "expired", "clawed_back"),
            [[month, *map(int, sums)] for month, *sums in rows],
        )

    async def _liability(self, _: Wanted) -> Report:
        """Points that could still be spent at the head, by the month of their last day (A7)."""
        months: dict[str, int] = {}
        for expires_at, points in (await self._lots()).items():
            if expires_at > self.head.recorded_at:
                last = last_day(expires_at, zone=self.rules.zone) if expires_at != NEVER else None
                month = "never" if last is None else f"{last:%Y-%m}"
                months[month] = months.get(month, 0) + points
        return Report(
            "liability",
            "fold of all ledger facts up to the position: points in lots by the month of the last "
            "day on which they can be spent, lots whose time is over at the head left out",
            {
                "position": self.head.position,
                "at": self.head.recorded_at.isoformat(),
                "zone": self.rules.zone.key,
            },
            ("month", "points"),
            [[month, points] for month, points in sorted(months.items()) if points],
        )

    async def _lots(self) -> dict[datetime, int]:
        """Points by expiry, from the log itself: the view knows only how lots are now."""
        lots: dict[datetime, int] = {}
        query = compose(_LEDGER_FACTS, self.schema, TABLES, "")
        async with (
            self.connection.transaction(),
            self.connection.cursor("tallypost_lots", binary=True) as cursor,
        ):
            await cursor.execute(query, (self.head.position,))
            while rows := await cursor.fetchmany(PAGE):
                for name, stored in rows:
                    for _, expires_at, points in lot_changes(
                        cast("Any", decode_fact(name, stored))
                    ):
                        key = expires_at or NEVER
                        lots[key] = lots.get(key, 0) + points
        return lots

    async def _controls(self, wanted: Wanted) -> Report:
        """What an auditor looks at first, and a random sample with its full evidence (A9)."""
        asked = wanted.asked
        if not 0 <= asked.sample <= 500:
            raise InvalidRequest(field="sample", reason="is between 0 and 500")
        given = controls.parameters(self.head.position, asked, self.rules)
        found = await controls.findings(self.connection, self.schema, given)
        paths = await inclusion_paths(
            self.connection,
            self.schema,
            {one.position for one in found},
            size=self.head.position,
        )
        return Report(
            "controls",
            controls.QUERY,
            given,
            (*controls.COLUMNS, "stored", "inclusion"),
            [
                [
                    *one[:-1],
                    written(bytes(one.stored)),
                    [step.hex() for step in paths[one.position]],
                ]
                for one in found
            ],
        )


_TRIAL = """
SELECT booked_on, sum(issuance), sum(available), sum(held), sum(redeemed), sum(expired),
    sum(clawed_back), sum(owed),
    sum(issuance + available + held + redeemed + expired + clawed_back + owed)
FROM {ledger_entries}
WHERE position <= %s AND (%s::date IS NULL OR booked_on <= %s::date)
GROUP BY booked_on ORDER BY booked_on
"""
_BREAKAGE = """
SELECT to_char(booked_on, 'YYYY-MM') AS month, -sum(issuance), sum(redeemed), sum(expired),
    sum(clawed_back)
FROM {ledger_entries}
WHERE position <= %s AND (%s::date IS NULL OR booked_on <= %s::date)
GROUP BY month ORDER BY month
"""
_LEDGER_FACTS = """
SELECT topic, state FROM {tallypost_events}
WHERE notification_id <= %s AND starts_with(topic, 'ledger.')
"""
