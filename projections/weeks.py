"""周报 The review of each week: made on the Monday after, kept, listed (T9)."""

import hashlib
import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, LiteralString

from psycopg import AsyncConnection
from pydantic_core import from_json, to_json

from application.envelope import Context
from application.house import House
from application.issuing import issue
from application.streams import WEEK
from application.unit import Command, Unit
from domain.weeks import Days, WeekReviewed, week_of
from projections.reading import Event, Tables, View, compose, named_rows
from projections.week_figures import Reviewing

logger = logging.getLogger(__name__)

POLICY = "policy:review_weeks"
LISTED_MAX = 104


class WeekReviews(View):
    """One row a week that was reviewed."""

    name = "week_reviews"
    tables = ("week_reviews",)

    async def apply(self, events: Sequence[Event], tables: Tables) -> None:
        """Add the rows of these events."""
        rows = [
            (
                fact.week, fact.first_day, fact.last_day, fact.upto,
                to_json([figure.model_dump() for figure in fact.figures]), one.happened_at,
                one.position,
            )
            for one in (event.envelope for event in events)
            if isinstance(fact := one.fact, WeekReviewed)
        ]  # fmt: skip
        await tables.unnest(_INSERT, rows)


class WeekReviewer:
    """Reviews the week that is over, once, whoever looks and however often."""

    def __init__(self, house: House) -> None:
        self._house = house

    async def look(self) -> str | None:
        """Review the last whole week if nobody did; returns its name, None: nothing was to do."""
        house = self._house
        zone = house.rules.zone
        today = house.store.clock().astimezone(zone).date()
        days = week_of(today - timedelta(days=7), zone)
        async with house.pool.connection() as connection, connection.transaction():
            await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            query = compose(_DUE, house.schema, _DUE_TABLES, "")
            values = {"week": days.name, "end": days.end}
            row = await (await connection.execute(query, values)).fetchone()
            if row is None or row[0] is None:
                return None
            asking = Reviewing(connection, house.schema, int(row[0]), house.rules)
            figures = await asking.figures(days)
        review = WeekReviewed(
            week=days.name,
            first_day=days.first,
            last_day=days.last,
            upto=asking.position,
            figures=figures,
        )
        await issue(house, [_command(days, review)])
        logger.info("the week %s was reviewed", days.name)
        return days.name


def _command(days: Days, review: WeekReviewed) -> Command:
    """Named by its week alone: of two processes that reviewed it, the first one is heard."""

    def decide(unit: Unit) -> dict[str, Any]:
        facts = unit.read(WEEK, days.name).review(review)
        unit.record(WEEK, days.name, facts)
        return {"week": days.name}

    return Command(
        principal=POLICY,
        key=days.name,
        digest=hashlib.sha256(days.name.encode()).digest(),
        context=Context(actor=POLICY, command=f"review_weeks:{days.name}"),
        decide=decide,
        streams=(WEEK.stream(days.name),),
    )


async def reviews(connection: AsyncConnection[Any], schema: str) -> list[dict[str, Any]]:
    """The weeks that were reviewed, the newest first."""
    query = compose(_LISTED, schema, WeekReviews.tables, "")
    return await named_rows(connection, query, LISTED_MAX)


async def review(connection: AsyncConnection[Any], schema: str, week: str) -> dict[str, Any] | None:
    """What a week brought, as it was told."""
    query = compose(_ONE, schema, WeekReviews.tables, "")
    found = await named_rows(connection, query, week)
    return {**found[0], "figures": from_json(bytes(found[0]["figures"]))} if found else None


def running(house: House) -> Days:
    """The week that is not over yet."""
    return week_of(house.store.clock().astimezone(house.rules.zone).date(), house.rules.zone)


async def so_far(connection: AsyncConnection[Any], house: House) -> dict[str, Any]:
    """What the running week brought until now, as far as all views have seen it; kept nowhere."""
    days = running(house)
    async with connection.transaction():
        await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        query = compose(_SEEN, house.schema, ("views",), "")
        ((upto,),) = await (await connection.execute(query)).fetchall()
        figures = await Reviewing(connection, house.schema, upto, house.rules).figures(days)
    return {
        "week": days.name,
        "first_day": days.first,
        "last_day": days.last,
        "upto": upto,
        "reviewed_at": None,
        "figures": [one.model_dump() for one in figures],
    }


_INSERT = """
INSERT INTO {week_reviews} (week, first_day, last_day, upto, figures, reviewed_at, position)
SELECT * FROM unnest(%b::text[], %b::date[], %b::date[], %b::bigint[], %b::bytea[],
    %b::timestamptz[], %b::bigint[])
"""
_DUE_TABLES = ("week_reviews", "views")
# Nothing to look back at before the house stood, and no week that a view has not seen to its end.
_DUE: LiteralString = """
SELECT min(v.position) FROM {views} v
WHERE v.name IN ('part_costs', 'bills', 'returns', 'parcel_tracking', 'week_reviews')
  AND NOT EXISTS (SELECT FROM {week_reviews} WHERE week = %(week)s)
  AND EXISTS (SELECT FROM {commits} WHERE recorded_at < %(end)s)
HAVING min(v.position) >= (SELECT max(position) FROM {commits} WHERE recorded_at < %(end)s)
"""
_SEEN = """
SELECT coalesce(min(position), 0) FROM {views}
WHERE name IN ('part_costs', 'bills', 'returns', 'parcel_tracking', 'week_reviews')
"""
_LISTED = """
SELECT week, first_day, last_day, upto, reviewed_at FROM {week_reviews}
ORDER BY week DESC LIMIT %b
"""
_ONE = """
SELECT week, first_day, last_day, upto, reviewed_at, figures FROM {week_reviews} WHERE week = %b
"""
