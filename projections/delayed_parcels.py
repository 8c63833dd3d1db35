"""延误包裹 Parcels that are late, go to and fro, come back, wait too long or are lost (T5, T8, M5).

Silent ones are told of by `projections/silent_parcels.py`; one that is both is one trouble, but
what waits to be picked up is not ending any more once its time is over: then it is silent. What its
carrier lost is listed until somebody sees to it, in a case or a claim (D2).
"""

from datetime import datetime
from typing import Any, NamedTuple

from psycopg import AsyncConnection

from projections.reading import compose


class DelayedParcel(NamedTuple):
    """A parcel that somebody should look after."""

    number: str
    cause: str
    since: datetime
    told: bool
    """Whether its learner was told."""
    state: str
    carrier: str | None
    waybill: str | None
    orders: list[str]


async def delayed_parcels(
    connection: AsyncConnection[Any], schema: str, *, now: datetime, limit: int = 200
) -> list[DelayedParcel]:
    """Of orders that are not over, the longest first: whatever keeps a parcel but silence."""
    query = compose(_DELAYED, schema, ("journeys", "parcels", "orders", "claims", "disputes"), "")
    cursor = await connection.execute(query, (now, limit, now, now, limit, limit), prepare=True)
    return [DelayedParcel(*row) for row in await cursor.fetchall()]


# Each branch walks along its own index, from its oldest on.
_DELAYED = """
SELECT p.number, d.cause, d.since, d.told, p.state, p.carrier, p.waybill, p.orders FROM (
    (SELECT parcel, 'eta_passed' AS cause, late_at AS since, late_told AS told FROM {journeys} j
     WHERE late_at <= %b AND EXISTS (
        SELECT FROM {parcels} p JOIN {orders} o ON o.number = ANY(p.orders)
        WHERE p.number = j.parcel
          AND o.state NOT IN ('completed', 'cancelled', 'closed', 'expired'))
     ORDER BY late_at, parcel LIMIT %b)
    UNION ALL
    (SELECT parcel, turned_as, turned_since, turned_told FROM {journeys} j
     WHERE turned_as IS NOT NULL AND turned_since <= %b
       AND (turned_as <> 'pickup_ending' OR quiet_since > %b)
       AND (turned_as <> 'lost' OR NOT EXISTS (
        SELECT FROM {claims} c WHERE c.parcel = j.parcel AND c.state IS NOT NULL
        UNION ALL
        SELECT FROM {disputes} c WHERE c.parcel = j.parcel AND c.state <> 'withdrawn'))
       AND EXISTS (
        SELECT FROM {parcels} p JOIN {orders} o ON o.number = ANY(p.orders)
        WHERE p.number = j.parcel
          AND o.state NOT IN ('completed', 'cancelled', 'closed', 'expired'))
     ORDER BY turned_since, parcel LIMIT %b)
) d JOIN {parcels} p ON p.number = d.parcel ORDER BY d.since, p.number, d.cause LIMIT %b
"""
