"""准时 How well it held what was said about arrivals, by carrier and milestone (T4)."""

from datetime import datetime
from typing import Any

from psycopg import AsyncConnection

from projections.reading import compose, named_rows


async def accuracy(
    connection: AsyncConnection[Any], schema: str, *, since: datetime
) -> list[dict[str, Any]]:
    """Parcels that arrived since a moment, and how many of them inside their window.

    Each milestone's last word counts, that at hand-over as much as the one at the door.
    """
    query = compose(_ACCURACY, schema, ("journeys", "estimates"), "")
    return await named_rows(connection, query, since)


# Milestones in the order of the way.
_ACCURACY = """
SELECT j.carrier, e.milestone, count(*) AS parcels,
    count(*) FILTER (WHERE j.arrived_at BETWEEN e.earliest AND e.latest) AS inside,
    count(*) FILTER (WHERE j.arrived_at < e.earliest) AS early,
    count(*) FILTER (WHERE j.arrived_at > e.latest) AS late,
    count(*) FILTER (WHERE e.measured > 0) AS measured,
    (percentile_disc(0.5) WITHIN GROUP (ORDER BY
        extract(epoch FROM e.latest - e.earliest)) / 3600)::float8 AS window_hours
FROM {journeys} j JOIN {estimates} e USING (parcel)
WHERE j.arrived_at >= %b
GROUP BY j.carrier, e.milestone
ORDER BY j.carrier,
    array_position(ARRAY['handed_over', 'under_way', 'near', 'at_the_door'], e.milestone)
"""
