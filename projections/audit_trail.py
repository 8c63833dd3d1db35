"""审计 Who did what when, and which events of any stream belong to an order (A1, A2)."""

from collections.abc import Iterable, Mapping, Sequence

from application.envelope import Envelope, decode_fact
from application.streams import (
    APPROVAL,
    CLAIM,
    CONSIGNMENT,
    DISPUTE,
    INTERCEPT,
    ORDER,
    PARCEL,
    RETURN,
)
from domain.approvals import ApprovalRequested, Kind
from domain.facts import Fact
from domain.late_promises import order_of
from domain.point_facts import PointsGranted, Reason
from projections.reading import Event, Tables, View

Orders = Mapping[str, tuple[str, ...]]
"""The orders that streams of other kinds concern."""

_BY_FIRST_FACT = (
    PARCEL.name, DISPUTE.name, CLAIM.name, APPROVAL.name, RETURN.name, INTERCEPT.name,
    CONSIGNMENT.name,
)  # fmt: skip


class AuditTrail(View):
    """One row an event with its actor and time, and one for each order it concerns."""

    name = "audit_trail"
    tables = ("audit_trail", "order_trail")

    async def apply(self, events: Sequence[Event], tables: Tables) -> None:
        """Add the rows of these events."""
        envelopes = [event.envelope for event in events]
        known = await _known(envelopes, tables)
        actors = [(one.position, one.context.actor, one.recorded_at) for one in envelopes]
        await tables.unnest(_ACTORS, actors)
        concerned = [(order, one.position) for one in envelopes for order in _orders(one, known)]
        await tables.unnest(_ORDERS, concerned)


def _orders(envelope: Envelope, known: Orders) -> Iterable[str]:
    """The orders an event concerns: its own stream's, the one it names, those in the parcel."""
    if envelope.category == ORDER.name:
        return (envelope.key,)
    if envelope.category in _BY_FIRST_FACT:
        return known.get(envelope.stream, ())
    for_what = _compensated(envelope.fact)
    if for_what is not None:
        return known.get(for_what, ())
    order = vars(envelope.fact).get("order")
    return () if order is None else (order,)


def _compensated(fact: Fact) -> str | None:
    """The stream of the case, or of the late order, that points were given for."""
    if isinstance(fact, PointsGranted) and fact.reason is Reason.COMPENSATION:
        late = order_of(fact.source)
        return DISPUTE.stream(fact.source) if late is None else ORDER.stream(late)
    return None


async def _known(envelopes: Sequence[Envelope], tables: Tables) -> Orders:
    """Which orders the streams of these events concern: their first facts say it."""
    streams = {one.stream for one in envelopes if one.category in _BY_FIRST_FACT}
    streams |= {what for one in envelopes if (what := _compensated(one.fact)) is not None}
    if not streams:
        return {}
    first = await _first_facts(streams, tables)
    asked = {
        stream: about
        for stream, fact in first.items()
        if isinstance(fact, ApprovalRequested) and (about := _asked_about(fact)) is not None
    }
    if missing := set(asked.values()) - first.keys():
        first |= await _first_facts(missing, tables)
    found = {stream: _named(stream, fact) for stream, fact in first.items()}
    return found | {stream: found.get(about, ()) for stream, about in asked.items()}


def _asked_about(fact: ApprovalRequested) -> str | None:
    """The stream of what a second person is asked about: a case, or whose card is to be shown."""
    return DISPUTE.stream(fact.subject) if fact.kind is Kind.COMPENSATION else fact.about


def _named(stream: str, fact: Fact) -> tuple[str, ...]:
    """The orders that a stream's first fact says it is about."""
    category, _, key = stream.partition(":")
    if category == ORDER.name:
        return (key,)
    fields = vars(fact)
    if "contents" in fields:  # a parcel's
        return tuple(dict.fromkeys(content.order for content in fields["contents"]))
    if "orders" in fields:  # a claim's, an inquiry's or an interception's
        return tuple(fields["orders"])
    if category == CONSIGNMENT.name:
        return tuple(dict.fromkeys(unit.order for unit in fields["units"]))
    return (fields["order"],) if "order" in fields else ()


async def _first_facts(streams: Iterable[str], tables: Tables) -> dict[str, Fact]:
    rows = await tables.rows(_FIRST, sorted(streams))
    return {stream: decode_fact(name, stored) for stream, name, stored in rows}


_FIRST = """
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
