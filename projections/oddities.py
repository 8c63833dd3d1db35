"""异常队列 What is odd about parcels' tracks now, and what waits for a human (T6).

Rows follow from the set of a parcel's scans and from what was decided: kept by `parcel_tracking`.
"""

from datetime import datetime
from typing import Any

from psycopg import AsyncConnection
from pydantic import TypeAdapter
from pydantic_core import from_json

from application.envelope import Envelope
from domain.house_rules import HouseRules
from domain.oddities import odd_about
from domain.parcels import Parcel
from domain.scans import Scan
from domain.tracking import Track
from projections.reading import compose, named_rows

_SCANS = TypeAdapter(tuple[Scan, ...])


def odd_rows(
    parcel: Parcel, track: Track, last: Envelope, *, rules: HouseRules
) -> list[tuple[Any, ...]]:
    """A parcel's rows: what was flagged and is odd now, and what was decided about it."""
    decided = {one.oddity: (one.decision, one.at) for one in parcel.decided}
    orders = "\n".join(dict.fromkeys(content.order for content in parcel.contents))
    return [
        (
            last.key,
            one.id,
            one.kind,
            one.scans[0].time,
            _SCANS.dump_json(one.scans),
            *decided.get(one.id, (None, None)),
            orders,
            last.position,
        )
        for one in odd_about(parcel, track, rules=rules)
        if one.id in parcel.flagged
    ]


async def odd_parcels(
    connection: AsyncConnection[Any],
    schema: str,
    *,
    open_only: bool,
    after: tuple[datetime, str, str] | None,
    limit: int,
) -> list[dict[str, Any]]:
    """Oddities, the oldest first, after a cursor; those that wait for a human, or all."""
    since, parcel, oddity = after or (None, None, None)
    query = compose(_QUEUE, schema, ("oddities", "parcels"), "")
    found = await named_rows(connection, query, open_only, since, since, parcel, oddity, limit)
    for one in found:
        scans = from_json(one["scans"])
        one["number"] = scans[0]["number"]
        one["scans"] = [
            {
                "time": scan.get("dated") or scan["time"],
                "text": scan["text"],
                "kind": scan["kind"],
                "division": scan["division"],
                "coordinates": scan["coordinates"]
                and [scan["coordinates"]["longitude"], scan["coordinates"]["latitude"]],
            }
            for scan in scans
        ]
    return found


FORGET = "DELETE FROM {oddities} WHERE parcel = ANY(%b)"
SAVE_ODDITIES = """
INSERT INTO {oddities} (parcel, id, kind, since, scans, decision, decided_at, orders, position)
SELECT parcel, id, kind, since, scans, decision, decided_at, string_to_array(orders, E'\\n'),
    position
FROM unnest(%b::text[], %b::text[], %b::text[], %b::timestamptz[], %b::bytea[], %b::text[],
    %b::timestamptz[], %b::text[], %b::bigint[])
    AS o(parcel, id, kind, since, scans, decision, decided_at, orders, position)
"""
_QUEUE = """
SELECT o.parcel, o.id AS oddity, o.kind, o.since, o.scans, o.decision, o.decided_at, o.orders,
    p.carrier, p.waybill, p.state
FROM {oddities} o JOIN {parcels} p ON p.number = o.parcel
WHERE (o.decision IS NULL OR NOT %b)
  AND (%b::timestamptz IS NULL OR (o.since, o.parcel, o.id) > (%b::timestamptz, %b::text, %b::text))
ORDER BY o.since, o.parcel, o.id LIMIT %b
"""
