"""往日的一单 One order as it stood at a moment, as far as the log told it up to a position (A5)."""

from datetime import datetime
from typing import Any, cast

from psycopg import AsyncConnection
from pydantic_core import to_json

from application.streams import INTERCEPT, ORDER, PARCEL
from domain.intercepts import Intercept
from domain.order_facts import OrderFact, OrderPlaced
from domain.parcels import Parcel
from projections.audit_queries import stream_events
from projections.happening import as_happened
from projections.order_queries import OrderRow
from projections.order_status import entry


async def order_then(
    connection: AsyncConnection[Any],
    schema: str,
    number: str,
    *,
    as_of: datetime,
    known_at: int,
) -> tuple[OrderRow, list[tuple[str, Parcel]], dict[str, Intercept]] | None:
    """The order, its parcels and what carriers were asked, folded from the log; None: none yet."""
    events = await stream_events(connection, schema, ORDER.stream(number), known_at=known_at)
    happened = as_happened(events, as_of=as_of)
    if not happened:
        return None
    order = ORDER.initial
    timeline = []
    for at, event in happened:
        fact = cast("OrderFact", event.fact)
        order = ORDER.evolve(order, fact)
        timeline.append(entry(at, fact, event.position, event.context.reason))
    (placed_at, first), (_, last) = happened[0], happened[-1]
    placed = cast("OrderPlaced", first.fact)
    row = OrderRow(
        number=number,
        learner=placed.learner,
        channel=placed.channel,
        external_number=placed.external_number,
        state=order.state,
        placed_at=placed_at,
        promised_by=order.promise.stands if order.promise else placed.promised_by,
        pay_by=placed.pay_by,
        points=placed.points,
        cash_fen=placed.cash_fen,
        card=order.destination.card if order.destination else None,
        folded=ORDER.states.dump_json(order),
        timeline=to_json(timeline),
        version=last.version,
        position=last.position,
        owed=0,  # nothing can be done with the past
    )
    parcels: list[tuple[str, Parcel]] = []
    stopped: dict[str, Intercept] = {}
    for parcel in dict.fromkeys(part.parcel for part in order.parts if part.parcel):
        told = await stream_events(connection, schema, PARCEL.stream(parcel), known_at=known_at)
        box = PARCEL.initial
        for _, event in as_happened(told, as_of=as_of):
            box = PARCEL.evolve(box, cast("Any", event.fact))
        if box != PARCEL.initial:
            parcels.append((parcel, box))
        asked = await stream_events(connection, schema, INTERCEPT.stream(parcel), known_at=known_at)
        for _, event in as_happened(asked, as_of=as_of):
            one = stopped.get(parcel, INTERCEPT.initial)
            stopped[parcel] = INTERCEPT.evolve(one, cast("Any", event.fact))
    return row, parcels, stopped
