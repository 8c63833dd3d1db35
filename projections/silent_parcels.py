"""沉默包裹 Parcels that nobody has seen for too long, the longest first (M5; rules.md 25)."""

from datetime import datetime
from typing import Any, NamedTuple

from psycopg import AsyncConnection

from domain.house_rules import HouseRules
from domain.silence import Silence, patience
from projections.reading import compose


class SilentParcel(NamedTuple):
    """A parcel somebody should ask its carrier about."""

    number: str
    silence: Silence
    since: datetime
    """When it was last seen, or handed over."""
    state: str
    carrier: str | None
    waybill: str | None
    orders: list[str]


async def silent_parcels(
    connection: AsyncConnection[Any],
    schema: str,
    *,
    now: datetime,
    rules: HouseRules,
    limit: int = 200,
) -> list[SilentParcel]:
    """Silent parcels that are still waited for: of orders that are not over, or on their way back.

    One walk along the index for each kind of silence, from its oldest on: whatever the mall has
    under way, only what is listed is read, and parcels of orders that were settled without them.
    """
    query = compose(_SILENT, schema, ("parcels", "orders"), "")
    kinds = list(Silence)
    before = [now - patience(kind, rules=rules) for kind in kinds]
    cursor = await connection.execute(query, (kinds, before, limit, limit), prepare=True)
    return [
        SilentParcel(number, Silence(kind), *rest)
        for number, kind, *rest in await cursor.fetchall()
    ]


_SILENT = """
SELECT found.* FROM unnest(%b::text[], %b::timestamptz[]) AS k(kind, before), LATERAL (
    SELECT p.number, p.quiet_as, p.quiet_since, p.state, p.carrier, p.waybill, p.orders
    FROM {parcels} p
    WHERE p.quiet_as = k.kind AND p.quiet_since <= k.before
      AND (p.state = 'returning' OR EXISTS (
          SELECT FROM {orders} o WHERE o.number = ANY(p.orders)
          AND o.state NOT IN ('completed', 'cancelled', 'closed', 'expired')))
    ORDER BY p.quiet_since, p.number LIMIT %b
) found ORDER BY found.quiet_since, found.number LIMIT %b
"""
