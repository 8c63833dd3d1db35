"""理赔关注 Claims and losses to look at: due soon, or it arrived after all (D2)."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, LiteralString, NamedTuple

from psycopg import AsyncConnection

from application.claiming import filing_until
from application.streams import PARCEL
from domain.claims import BLAMED, CLOSED, GONE
from domain.disputes import OF_VALUE, CaseState
from domain.house_rules import HouseRules
from domain.order_facts import Fault
from projections.intercepts import unstopped_arrivals
from projections.reading import compose

AHEAD = timedelta(days=3)
"""So long before the carrier's time for claims ends, a claim that is missing is among what is
stuck."""
FETCHED_WITHIN = timedelta(days=30)
"""What nobody fetched for so long, though it was made good before it came, stays where it is."""


_MOST = 200


class Watched(NamedTuple):
    """A parcel whose claim somebody should look at."""

    parcel: str
    order: str
    carrier: str | None
    reason: str
    since: datetime
    file_by: datetime | None = None


async def unclaimed_in_time(
    connection: AsyncConnection[Any], schema: str, *, now: datetime, rules: HouseRules
) -> list[Watched]:
    """Parcels that nobody claimed, the time for it ending soon: disputed or lost ones.

    Not those whose case says that their carrier owes nothing, nor what is too late anyway.
    """
    reasons = sorted(BLAMED)
    settled = [CaseState.WITHDRAWN]
    disputed = [
        Watched(*row)
        for row in await _rows(
            connection, schema, _DISPUTED, reasons, settled, sorted(OF_VALUE), now, now + AHEAD
        )
    ]
    lost: list[Watched] = []
    for parcel, orders, since, folded in await _rows(connection, schema, _LOST):
        box = PARCEL.states.validate_json(folded)
        by = filing_until(box, rules=rules)
        if by is not None and now <= by <= now + AHEAD:
            lost.append(Watched(parcel, orders[0], box.carrier, Fault.LOST, since, by))
    known = {one.parcel for one in disputed}
    return [*disputed, *(one for one in lost if one.parcel not in known)]


async def delivered_claims(connection: AsyncConnection[Any], schema: str) -> list[Watched]:
    """Open claims for parcels that never came, and are there since: someone has both.

    Signed for, or at the warehouse that they went back to (D3). What counts is when the house heard
    of the receipt, not when it was: carriers tell hours later, and the claim was filed meanwhile.
    """
    rows = await _rows(connection, schema, _DELIVERED, sorted(GONE), sorted(CLOSED))
    return [Watched(*row) for row in rows]


async def arrived_though_made_good(
    connection: AsyncConnection[Any], schema: str, *, now: datetime
) -> list[Watched]:
    """Parcels that came though their carrier paid for them, or their learner got something instead.

    Those that were to be stopped, until their goods are back or somebody lets them be. Of those
    that nobody asked to be stopped, because they were lost, nothing is left to be let be: they are
    listed for `FETCHED_WITHIN`. Open claims are `delivered_claims` (D2, M5).
    """
    unstopped = await unstopped_arrivals(connection, schema, limit=_MOST)
    found = [
        Watched(one["parcel"], one["orders"][0], one["carrier"], one["reason"], one["since"])
        for one in unstopped
    ]
    rows = await _rows(
        connection, schema, _MADE_GOOD, sorted(GONE), sorted(GONE), sorted(OF_VALUE),
        now - FETCHED_WITHIN,
    )  # fmt: skip
    return sorted([*found, *(Watched(*row) for row in rows)], key=lambda one: one.since)


async def _rows(
    connection: AsyncConnection[Any], schema: str, text: LiteralString, *values: object
) -> Sequence[Any]:
    query = compose(text, schema, ("disputes", "claims", "parcels", "returns", "intercepts"), "")
    return await (await connection.execute(query, values)).fetchall()


_DISPUTED: LiteralString = """
SELECT DISTINCT ON (d.parcel) d.parcel, d.order_number, p.carrier, d.reason, d.opened_at,
    d.file_claim_by
FROM {disputes} d
LEFT JOIN {claims} c USING (parcel)
LEFT JOIN {parcels} p ON p.number = d.parcel
WHERE c.state IS NULL AND d.reason = ANY(%b::text[]) AND d.state <> ALL(%b::text[])
  AND (d.outcome IS NULL OR d.outcome = ANY(%b::text[]))
  AND d.file_claim_by BETWEEN %b AND %b
ORDER BY d.parcel, d.opened_at LIMIT 200
"""
_LOST: LiteralString = """
SELECT p.number, p.orders, p.since, p.folded FROM {parcels} p
LEFT JOIN {claims} c ON c.parcel = p.number
WHERE p.state = 'lost' AND c.state IS NULL ORDER BY p.since, p.number LIMIT 200
"""
# Word of a receipt of the parcel `p` that the house had before a moment, which follows.
_HEARD_BEFORE: LiteralString = """
    SELECT FROM {tallypost_events} e,
        LATERAL (SELECT convert_from(e.state, 'UTF8')::json AS told) one
    WHERE e.originator_id = 'parcel:' || p.number AND e.topic = 'parcels.ParcelScanned'
        AND told -> 'fact' ->> 'kind' IN ('signed', 'pickup_confirmed')
        AND (told ->> 'recorded_at')::timestamptz < """
_DELIVERED: LiteralString = (
    """
SELECT c.parcel, c.orders[1], c.carrier, c.reason, there.since
FROM {claims} c JOIN LATERAL (
    SELECT since FROM {parcels} p WHERE number = c.parcel AND p.state = 'signed'
        AND NOT EXISTS ("""
    + _HEARD_BEFORE
    + """c.filed_at)
    UNION ALL
    SELECT moved_at FROM {returns} WHERE id = c.parcel AND moved_at > c.filed_at AND (
        state = 'to_inspect' OR jsonb_path_exists(
            convert_from(folded, 'UTF8')::jsonb, '$.goods[*] ? (@.verdict != "missing")'))
    LIMIT 1
) there ON TRUE
WHERE c.reason = ANY(%b::text[]) AND c.state <> ALL(%b::text[])
ORDER BY there.since, c.parcel LIMIT 200
"""
)
# Who heard of a receipt before it was made good made it good for another reason.
_MADE_GOOD: LiteralString = (
    """
SELECT DISTINCT ON (p.since, p.number) p.number, p.orders[1], p.carrier, made.reason, p.since
FROM (
    SELECT parcel, reason, filed_at AS at FROM {claims}
    WHERE state = 'paid' AND reason = ANY(%b::text[])
    UNION ALL
    SELECT parcel, reason, closed_at FROM {disputes}
    WHERE state = 'decided' AND reason = ANY(%b::text[]) AND outcome = ANY(%b::text[])
) made JOIN {parcels} p ON p.number = made.parcel
WHERE p.state = 'signed' AND p.since > %b
  AND NOT EXISTS (SELECT FROM {intercepts} i WHERE i.parcel = p.number)
  AND NOT EXISTS (
    SELECT FROM {claims} c WHERE c.parcel = p.number AND c.state <> 'paid')
  AND NOT EXISTS ("""
    + _HEARD_BEFORE
    + """made.at)
ORDER BY p.since, p.number LIMIT 200
"""
)
