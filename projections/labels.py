"""面单视图 Waybills that were asked of an aggregator, and what became of each request (W5)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from psycopg import AsyncConnection

from application.envelope import Envelope
from application.streams import PARCEL
from domain.labels import (
    LabelCancelled,
    LabelIssued,
    LabelRefused,
    LabelState,
    LabelUnanswered,
    LabelUnwanted,
    LabelWanted,
)
from projections.reading import Event, Tables, View, compose


class Row(NamedTuple):
    """A request as the view keeps it."""

    label: str
    parcel: str
    carrier: str
    grams: int
    state: str
    wanted_at: datetime
    changed_at: datetime
    waybill: str | None = None
    partner_order: str | None = None
    reason: str | None = None
    position: int = 0


class LabelRequests(View):
    """One row a request."""

    name = "labels"
    tables = ("labels",)

    async def apply(self, events: Sequence[Event], tables: Tables) -> None:
        """Fold these events into the requests they are about."""
        mine = [
            (one.envelope, label)
            for one in events
            if one.envelope.category == PARCEL.name
            for label in [getattr(one.envelope.fact, "label", None)]
            if label is not None
        ]
        if not mine:
            return
        begun = {label for one, label in mine if isinstance(one.fact, LabelWanted)}
        known = list({label for _, label in mine} - begun)
        rows = {row[0]: Row(*row) for row in await tables.rows(_LOAD, known)} if known else {}
        for one, label in mine:
            rows[label] = _after(rows.get(label), one)
        await tables.unnest(_SAVE, list(rows.values()))


def _after(row: Row | None, one: Envelope) -> Row:
    at, fact = one.happened_at, one.fact
    if isinstance(fact, LabelWanted):
        state = LabelState.WANTED
        row = Row(fact.label, one.key, fact.carrier, fact.grams, state, at, at)
    assert row is not None  # a request begins with its wish
    match fact:
        case LabelIssued():
            waited = row.state == LabelState.WANTED
            row = row._replace(
                state=LabelState.ISSUED if waited else LabelState.UNWANTED,
                waybill=fact.waybill,
                partner_order=fact.partner_order,
            )
        case LabelRefused():
            why = f"{fact.code}: {fact.words}".rstrip(": ")
            row = row._replace(state=LabelState.REFUSED, reason=why)
        case LabelUnanswered():
            row = row._replace(state=LabelState.UNANSWERED)
        case LabelUnwanted():
            row = row._replace(state=LabelState.UNWANTED, reason=fact.reason)
        case LabelCancelled():
            if row.state == LabelState.REFUSED:  # a human sees to it all the same
                row = row._replace(waybill=None)
            else:
                row = row._replace(state=LabelState.CANCELLED)
        case _:
            pass  # its wish, which the row is made of
    return row._replace(changed_at=at, position=one.position)


async def stuck_labels(
    connection: AsyncConnection[Any], schema: str, *, tries: int, limit: int = 200
) -> list[tuple[str, str, str, str | None, datetime]]:
    """What somebody has to see to: (parcel, label, state, cause, since), oldest first (M5).

    Requests that were refused or never answered and not followed by another one, and those that
    were sent at least so many times without an answer.
    """
    query = compose(_STUCK, schema, ("labels", "open_calls", "parcels"), "")
    cursor = await connection.execute(query, (tries, limit), prepare=True)
    return await cursor.fetchall()


_COLUMNS = """label, parcel, carrier, grams, state, wanted_at, changed_at, waybill, partner_order,
    reason, position"""
_LOAD = f"SELECT {_COLUMNS} FROM {{labels}} WHERE label = ANY(%b)"
_SAVE = f"""
INSERT INTO {{labels}} ({_COLUMNS})
SELECT * FROM unnest(%b::text[], %b::text[], %b::text[], %b::bigint[], %b::text[],
    %b::timestamptz[], %b::timestamptz[], %b::text[], %b::text[], %b::text[], %b::bigint[])
ON CONFLICT (label) DO UPDATE SET state = excluded.state, changed_at = excluded.changed_at,
    waybill = excluded.waybill, partner_order = excluded.partner_order, reason = excluded.reason,
    position = excluded.position
"""
_STUCK = """
SELECT * FROM (SELECT DISTINCT ON (label) found.* FROM (
    SELECT l.parcel, l.label, l.state, l.reason AS cause, l.changed_at AS since FROM {labels} l
    JOIN {parcels} p ON p.number = l.parcel
    WHERE l.state IN ('refused', 'unanswered') AND p.waybill IS NULL
      AND p.stage NOT IN ('handed_over', 'dissolved')
      AND NOT EXISTS (SELECT FROM {labels} n WHERE n.parcel = l.parcel
                      AND n.state IN ('wanted', 'issued'))
    UNION ALL
    SELECT l.parcel, l.label, l.state, c.cause, c.first_at FROM {labels} l
    JOIN {open_calls} c ON c.what = l.label
    WHERE (l.state IN ('wanted', 'unwanted') OR l.state = 'refused' AND l.waybill IS NOT NULL)
      AND c.tries >= %b AND c.next_at > l.changed_at
) found ORDER BY label, since) once ORDER BY since, label LIMIT %b
"""
