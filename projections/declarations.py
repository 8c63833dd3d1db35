"""申报视图 Parcels that go abroad, and how far their declarations are (T7)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from psycopg import AsyncConnection

from application.envelope import Envelope
from application.streams import PARCEL
from domain.declarations import Declaration, DeclarationDrawnUp, DeclarationFact, Standing, evolve
from domain.parcels import Parcel
from projections.reading import Event, Tables, View, compose, named_rows
from projections.work_queues import folded_orders, live_parts


class Row(NamedTuple):
    """A parcel's declaration as the view keeps it."""

    parcel: str
    country: str
    standing: str
    since: datetime
    position: int


class Declarations(View):
    """One row a parcel; what is declared is in the parcel's own fold."""

    name = "declarations"
    tables = ("declarations",)

    async def apply(self, events: Sequence[Event], tables: Tables) -> None:
        """Fold these events into the parcels they are about."""
        mine = [
            (one.envelope, one.envelope.fact)
            for one in events
            if isinstance(one.envelope.fact, DeclarationFact)
        ]
        if not mine:
            return
        drawn = {one.key for one, fact in mine if isinstance(fact, DeclarationDrawnUp)}
        known = list({one.key for one, _ in mine} - drawn)
        rows = {row[0]: Row(*row) for row in await tables.rows(_LOAD, known)} if known else {}
        for one, fact in mine:
            rows[one.key] = _after(rows.get(one.key), one, fact)
        await tables.unnest(_SAVE, list(rows.values()))


def _after(row: Row | None, one: Envelope, fact: DeclarationFact) -> Row:
    if isinstance(fact, DeclarationDrawnUp):
        row = Row(one.key, fact.country, "", one.happened_at, one.position)
    assert row is not None  # a declaration begins by being drawn up
    standing = evolve(Declaration(), fact).standing
    assert standing is not None  # every fact of it leads somewhere
    since = row.since if standing == row.standing else one.happened_at
    return row._replace(standing=standing, since=since, position=one.position)


async def declarations(
    connection: AsyncConnection[Any],
    schema: str,
    *,
    standing: str | None = None,
    parcel: str | None = None,
    after: tuple[datetime, str] | None = None,
    limit: int,
) -> list[dict[str, Any]]:
    """Of parcels that are still in the house, those that wait longest first, after a cursor.

    So are those that customs stopped on their way. `outdated`: something else is in the parcel now
    than customs were told.
    """
    at, number = after or (None, None)
    rows = await named_rows(
        connection, compose(_LISTED, schema, ("declarations", "parcels"), ""),
        standing=standing, parcel=parcel, at=at, number=number, limit=limit,
    )  # fmt: skip
    orders = await folded_orders(connection, schema, {one for row in rows for one in row["orders"]})
    for row in rows:
        found: Parcel = PARCEL.states.validate_json(row.pop("folded"))
        declared = found.declaration
        content: dict[str, int] = {}
        for _, order, part in live_parts(row["parcel"], found, orders):
            for unit in part.units:
                sku = order.line(unit.line).sku
                content[sku] = content.get(sku, 0) + unit.quantity
        row["lines"] = [one.model_dump() for one in declared.lines]
        row["missing"] = list(declared.missing)
        row["gross_weight_grams"] = declared.gross_weight_grams
        row["reference"] = declared.reference
        row["reason"] = declared.reason
        row["handed_over"] = found.handed_over
        row["outdated"] = not (found.handed_over or declared.is_of(content.items()))
    return rows


class WaitingDeclaration(NamedTuple):
    """A parcel that customs have not cleared, and how long its declaration stands like that."""

    parcel: str
    order: str
    country: str
    standing: Standing
    handed_over: bool
    since: datetime


async def waiting_declarations(
    connection: AsyncConnection[Any], schema: str, *, before: datetime, limit: int
) -> list[WaitingDeclaration]:
    """Of those that are listed, what customs have not cleared and nobody moved since then (M5)."""
    query = compose(_WAITING, schema, ("declarations", "parcels"), "")
    cursor = await connection.execute(query, (before, limit))
    return [
        WaitingDeclaration(parcel, order, country, Standing(standing), handed_over, since)
        for parcel, order, country, standing, handed_over, since in await cursor.fetchall()
    ]


_COLUMNS = "parcel, country, standing, since, position"
_LOAD = f"SELECT {_COLUMNS} FROM {{declarations}} WHERE parcel = ANY(%b)"
_SAVE = f"""
INSERT INTO {{declarations}} ({_COLUMNS})
SELECT * FROM unnest(%b::text[], %b::text[], %b::text[], %b::timestamptz[], %b::bigint[])
ON CONFLICT (parcel) DO UPDATE SET country = excluded.country, standing = excluded.standing,
    since = excluded.since, position = excluded.position
"""
# On its way customs may stop a parcel that they cleared; nothing else about it waits any more.
_CONCERNS = """(p.stage NOT IN ('handed_over', 'dissolved') OR p.stage = 'handed_over'
    AND d.standing = 'stopped' AND p.state NOT IN ('signed', 'returned', 'lost'))"""
_WAITING = f"""
SELECT d.parcel, p.orders[1], d.country, d.standing, p.stage = 'handed_over', d.since
FROM {{declarations}} d JOIN {{parcels}} p ON p.number = d.parcel
WHERE d.standing <> 'cleared' AND d.since < %s AND {_CONCERNS}
ORDER BY d.since, d.parcel LIMIT %s
"""
_LISTED = f"""
SELECT d.parcel, d.country, d.standing, d.since, p.warehouse, p.carrier, p.waybill, p.orders,
    p.folded
FROM {{declarations}} d JOIN {{parcels}} p ON p.number = d.parcel
WHERE {_CONCERNS}
  AND (%(standing)s::text IS NULL OR d.standing = %(standing)s)
  AND (%(parcel)s::text IS NULL OR d.parcel = %(parcel)s)
  AND (%(at)s::timestamptz IS NULL
       OR (d.since, d.parcel) > (%(at)s::timestamptz, %(number)s::text))
ORDER BY d.since, d.parcel LIMIT %(limit)s
"""
