"""审计 Who did what when, and which events of other streams belong to an order (A1, A2)."""

from collections.abc import Sequence

from application.streams import ORDER
from projections.reading import Event, Tables, View, columns


class AuditTrail(View):
    """One row an event: its actor, its time, and the order it concerns."""

    name = "audit_trail"
    tables = ("audit_trail",)

    async def apply(self, events: Sequence[Event], tables: Tables) -> None:
        """Add a row for each of these events."""
        rows = []
        for event in events:
            envelope = event.envelope
            order = getattr(envelope.fact, "order", None)
            if envelope.category == ORDER.name:
                order = envelope.key
            elif order is None and (contents := getattr(envelope.fact, "contents", None)):
                order = contents[0].order
            rows.append((envelope.position, envelope.context.actor, envelope.recorded_at, order))
        await tables.run(_ADD, *columns(rows, 4))


_ADD = """
INSERT INTO {audit_trail} (position, actor, recorded_at, order_number)
SELECT * FROM unnest(%b::bigint[], %b::text[], %b::timestamptz[], %b::text[])
"""
