"""面单内容 What labels show: parcels with a waybill, what is in them, whose card they go by."""

from typing import Any, NamedTuple

from psycopg import AsyncConnection

from application.streams import ORDER, PARCEL
from domain.orders import Order
from domain.parcels import Parcel
from projections.reading import compose, named_rows
from projections.work_queues import live_parts


class Labelled(NamedTuple):
    """A parcel with a waybill, as far as its label shows it."""

    parcel: str
    warehouse: str
    warehouse_name: str
    warehouse_place: str
    office: dict[str, str] | None
    """What the warehouse says of itself."""
    wave: str | None
    carrier: str
    waybill: str
    sorting: str
    grams: int | None
    card: str | None
    """The recipient's, in the vault; None once nothing of it is to be sent."""
    orders: tuple[str, ...]
    items: tuple[tuple[str, int], ...]


async def labelled(
    connection: AsyncConnection[Any],
    schema: str,
    *,
    parcel: str | None = None,
    wave: str | None = None,
    offset: int = 0,
    limit: int = 1,
    numbered: bool = True,
) -> list[Labelled]:
    """A parcel in the house that has a waybill, or those of a wave, by number.

    Unless `numbered`, those without one, too: their carrier and waybill are empty.
    """
    query = compose(_LABELLED, schema, ("parcels", "orders", "warehouses"), "")
    rows = await named_rows(
        connection, query, parcel=parcel, wave=wave, offset=offset, limit=limit, numbered=numbered
    )
    return [_face(row) for row in rows]


async def labels_of_wave(
    connection: AsyncConnection[Any], schema: str, wave: str
) -> tuple[int, int]:
    """How many parcels of a wave are still in the house, and how many of them have a waybill."""
    query = compose(_COUNTED, schema, ("parcels",), "")
    (row,) = await named_rows(connection, query, wave=wave)
    return row["parcels"], row["labelled"]


def _face(row: dict[str, Any]) -> Labelled:
    parcel: Parcel = PARCEL.states.validate_json(row["folded"])
    orders: dict[str, Order] = {
        number: ORDER.states.validate_json(folded)
        for number, folded in zip(row["numbers"] or (), row["orders"] or (), strict=True)
    }
    live = list(live_parts(row["number"], parcel, orders))
    cards = (to.card for _, order, _ in live if (to := parcel.place(order)) is not None)
    label = parcel.labels.live
    return Labelled(
        parcel=row["number"],
        warehouse=row["warehouse"],
        warehouse_name=row["warehouse_name"] or row["warehouse"],
        warehouse_place=row["warehouse_place"] or "",
        office=row["office"],
        wave=row["wave"],
        carrier=row["carrier"] or "",
        waybill=row["waybill"] or "",
        sorting=label.sorting if label is not None else "",
        grams=label.grams if label is not None else None,
        card=next(cards, None),
        orders=tuple(dict.fromkeys(number for number, _, _ in live)),
        items=tuple(
            (order.line(unit.line).name, unit.quantity)
            for _, order, part in live
            for unit in part.units
        ),
    )


_LABELLED = """
SELECT p.number, p.warehouse, p.wave, p.carrier, p.waybill, p.folded,
    w.terms ->> 'name' AS warehouse_name,
    concat(w.terms ->> 'province', w.terms ->> 'city') AS warehouse_place,
    w.terms -> 'office' AS office,
    (SELECT array_agg(o.number ORDER BY o.number) FROM {orders} o
     WHERE o.number = ANY(p.orders)) AS numbers,
    (SELECT array_agg(o.folded ORDER BY o.number) FROM {orders} o
     WHERE o.number = ANY(p.orders)) AS orders
FROM {parcels} p LEFT JOIN {warehouses} w ON w.code = p.warehouse
WHERE (p.waybill IS NOT NULL OR NOT %(numbered)s) AND p.stage NOT IN ('handed_over', 'dissolved')
  AND (%(parcel)s::text IS NULL OR p.number = %(parcel)s)
  AND (%(wave)s::text IS NULL OR p.wave = %(wave)s)
ORDER BY p.number OFFSET %(offset)s LIMIT %(limit)s
"""
_COUNTED = """
SELECT count(*) AS parcels, count(waybill) AS labelled FROM {parcels}
WHERE wave = %(wave)s AND stage NOT IN ('handed_over', 'dissolved')
"""
