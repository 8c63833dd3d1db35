"""审计 Who did what when, and which events of any stream belong to an order (A1, A2)."""

from collections.abc import Iterable, Sequence
from typing import cast

from application.envelope import Envelope, decode_fact
from application.streams import ORDER, PARCEL
from domain.parcels import ParcelPacked
from projections.reading import Event, Tables, View


class AuditTrail(View):
    """One row an event with its actor and time, and one for each order it concerns."""

    name = "audit_trail"
    tables = ("audit_trail", "order_trail")

    async def apply(self, events: Sequence[Event], tables: Tables) -> None:
        """Add the rows of these events."""
        envelopes = [event.envelope for event in events]
        packed = await _packed(envelopes, tables)
        actors = [(one.position, one.context.actor, one.recorded_at) for one in envelopes]
        await tables.unnest(_ACTORS, actors)
        concerned = [(order, one.position) for one in envelopes for order in _orders(one, packed)]
        await tables.unnest(_ORDERS, concerned)


def _orders(envelope: Envelope, packed: dict[str, tuple[str, ...]]) -> Iterable[str]:
    """The orders an event concerns: its own stream's, the one it names, those in the parcel."""
    if envelope.category == ORDER.name:
        return (envelope.key,)
    if envelope.category == PARCEL.name:
        return packed.get(envelope.stream, ())
    order = vars(envelope.fact).get("order")
    return () if order is None else (order,)


async def _packed(envelopes: Sequence[Envelope], tables: Tables) -> dict[str, tuple[str, ...]]:
    """Which orders are in the parcels of these events: a parcel's first fact says it."""
    parcels = {one.stream for one in envelopes if one.category == PARCEL.name}
    if not parcels:
        return {}
    return {
        stream: tuple(dict.fromkeys(content.order for content in fact.contents))
        for stream, name, stored in await tables.rows(_PACKED, list(parcels))
        for fact in (cast("ParcelPacked", decode_fact(name, stored)),)
    }


_PACKED = """
SELECT originator_id, topic, state FROM {tallypost_events}
WHERE originator_id = ANY(%b) AND originator_version = 1
"""
_ACTORS = """
INSERT INTO {audit_trail} (position, actor, recorded_at)
SELECT * FROM unnest(%b::bigint[], %b::text[], %b::timestamptz[])
"""
_ORDERS = """
INSERT INTO {order_trail} (order_number, position) SELECT * FROM unnest(%b::text[], %b::bigint[])
"""
