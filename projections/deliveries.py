"""送达 Where and when deliveries fail, and how carriers do (T9)."""

from collections.abc import Iterable
from datetime import datetime
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from psycopg import AsyncConnection

from domain.attempts import HourOfTries, preferred_hour
from projections.reading import compose, named_rows

TABLES = ("journeys", "estimates", "compounds", "parcels", "orders", "claims", "disputes")
PLACES_MAX = 200


async def success(
    connection: AsyncConnection[Any],
    schema: str,
    *,
    since: datetime,
    zone: ZoneInfo,
    carrier: str | None,
    by_compound: bool,
) -> list[dict[str, Any]]:
    """First attempts since a moment, by place and hour of the day; most tried places first.

    A place is a district's code, or with `by_compound` the beginning of a compound's keyed hash
    with its district.
    """
    text = _BY_COMPOUND if by_compound else _BY_DISTRICT
    query = compose(text, schema, TABLES, "")
    rows = await named_rows(connection, query, zone.key, since, carrier, carrier)
    places = [_place(*key, group) for key, group in groupby(rows, _key)]
    places.sort(key=lambda one: (-one["tried"], one["division"], one["compound"] or ""))
    return places[:PLACES_MAX]


def _key(row: dict[str, Any]) -> tuple[str, str | None]:
    return row["division"], row["compound"]


def _place(division: str, compound: str | None, rows: Iterable[dict[str, Any]]) -> dict[str, Any]:
    hours = [HourOfTries(one["hour"], one["tried"], one["well"]) for one in rows]
    return {
        "division": division,
        "compound": compound,
        "tried": sum(one.tried for one in hours),
        "well": sum(one.well for one in hours),
        "prefer": preferred_hour(hours),
        "hours": [one._asdict() for one in hours],
    }


async def scorecards(
    connection: AsyncConnection[Any], schema: str, *, since: datetime
) -> list[dict[str, Any]]:
    """Each carrier's parcels that were handed over since a moment, and what became of them."""
    query = compose(_SCORECARDS, schema, TABLES, "")
    return await named_rows(connection, query, since)


_BY_DISTRICT = """
SELECT j.division, NULL::text AS compound,
    extract(hour FROM j.tried_at AT TIME ZONE %b::text)::int AS hour,
    count(*) AS tried, count(*) FILTER (WHERE j.tried_well) AS well
FROM {journeys} j
WHERE j.tried_at >= %b AND j.division IS NOT NULL AND (%b::text IS NULL OR j.carrier = %b)
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
_BY_COMPOUND = """
SELECT j.division, left(encode(c.digest, 'hex'), 12) AS compound,
    extract(hour FROM j.tried_at AT TIME ZONE %b::text)::int AS hour,
    count(*) AS tried, count(*) FILTER (WHERE j.tried_well) AS well
FROM {journeys} j JOIN {compounds} c USING (parcel)
WHERE j.tried_at >= %b AND j.division IS NOT NULL AND c.digest <> ''
  AND (%b::text IS NULL OR j.carrier = %b)
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
# On time is what was promised when the order was placed, not what was said on the way; a parcel of
# several orders is on time for each of them, or it is late. Nobody promised when refused goods of a
# return are with their learner again (`application.sent_again`): no order's promise is for them,
# and neither on time nor late is said of such a parcel. Lost is once a parcel whatever says so:
# its track, a claim, or a case that was decided as if it was.
_SCORECARDS = """
SELECT j.carrier, count(*) AS parcels,
    count(j.arrived_at) AS arrived,
    count(j.arrived_at) FILTER (WHERE o.promised_by IS NOT NULL) AS promised,
    count(*) FILTER (WHERE j.arrived_at <= o.promised_by) AS on_time,
    count(*) FILTER (WHERE j.tried_well) AS first_try,
    count(j.tried_at) AS tried,
    count(*) FILTER (WHERE p.state = 'lost' OR c.reason = 'lost' OR EXISTS (
        SELECT FROM {disputes} d WHERE d.parcel = j.parcel AND d.reason IN ('lost', 'not_received')
          AND d.outcome IN ('refund', 'reship'))) AS lost,
    count(*) FILTER (WHERE c.reason = 'damaged') AS damaged,
    count(*) FILTER (WHERE EXISTS (
        SELECT FROM {disputes} d WHERE d.parcel = j.parcel)) AS complaints,
    coalesce(sum(c.claimed_fen), 0)::bigint AS claimed_fen,
    coalesce(sum(c.paid_fen), 0)::bigint AS paid_fen,
    (percentile_disc(0.5) WITHIN GROUP (ORDER BY
        extract(epoch FROM j.arrived_at - j.handed_over_at)) / 3600)::float8 AS median_hours
FROM {journeys} j JOIN {parcels} p ON p.number = j.parcel
    LEFT JOIN LATERAL (
        SELECT min(o.promised_by) AS promised_by FROM {orders} o
        WHERE o.number = ANY(p.orders) AND j.parcel !~ '-S([1-9][0-9]*)?$'
    ) o ON true
    LEFT JOIN {claims} c ON c.parcel = j.parcel AND c.state IS NOT NULL
WHERE j.handed_over_at >= %b
GROUP BY j.carrier ORDER BY count(*) DESC, j.carrier
"""
