"""退回寄还 Parcels in which refused goods of a return go to their learner again (D3).

They are named after their return, and carry of its order what was refused, and nothing else. One
that comes back is sent again in the next: `T1-B1-S`, `T1-B1-S2`, `T1-B1-S3`.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import chain

from application.declaring import draw_up
from application.streams import DISPUTE, INTERCEPT, MALL, NETWORK, ORDER, PARCEL, RETURN
from application.unit import Unit
from domain.choosing import both, without
from domain.destinations import Destination
from domain.disputes import case_id
from domain.order_facts import Units
from domain.orders import Order
from domain.parcel_facts import Content, ParcelPacked
from domain.parts import units_of
from domain.replacing import still_due
from domain.returns import return_id
from domain.sent_again import due_of, goods_in

_ENDING = re.compile(r"-S(?P<nth>[1-9]\d*)?$")


def is_sent_again(parcel: str) -> bool:
    """Whether refused goods of a return go to their learner again in it."""
    return _ENDING.search(parcel) is not None


def return_of(parcel: str) -> str:
    """The return that a parcel is named after, whichever way its goods travel in it."""
    return _ENDING.sub("", parcel)


def next_parcel(parcel: str) -> str:
    """The parcel in which goods leave that came in this one: a return's, or one of these."""
    ending = _ENDING.search(parcel)
    if ending is None:
        return f"{parcel}-S"
    return f"{return_of(parcel)}-S{int(ending['nth'] or 1) + 1}"


def goods_sent_again(unit: Unit, parcel: str) -> tuple[Units, ...] | None:
    """What was refused, and is in this parcel; None: it is no such parcel."""
    if not is_sent_again(parcel):
        return None
    return goods_in(unit.read(PARCEL, parcel), unit.read(RETURN, return_of(parcel)))


def due_of_sent_again(unit: Unit, parcel: str, again: Sequence[Units]) -> list[Units]:
    """Of refused goods, what is still to be had by their learner out of this parcel (D4)."""
    number = unit.read(RETURN, return_of(parcel)).order
    return due_of(
        again,
        unit.read(ORDER, number),
        _linked(unit, number),
        case=unit.read(DISPUTE, case_id(number, parcel)),
        asked=unit.read(INTERCEPT, parcel),
    )


def parcels_sent_again(unit: Unit, number: str) -> Iterator[str]:
    """The parcels in which refused goods of an order's returns left again, or are to leave."""
    for nth in range(1, unit.read(ORDER, number).returns + 1):
        parcel = next_parcel(return_id(number, nth))
        while unit.read(PARCEL, parcel).contents:
            yield parcel
            parcel = next_parcel(parcel)


def due_in(unit: Unit, parcel: str, *, order: str, parts: Collection[int]) -> list[Units]:
    """Of what an order's parts have in a parcel, what is still to be had by its learner (D4).

    Refused goods that left again are in their own parcel, and not in the one their part came in.
    """
    again = goods_sent_again(unit, parcel)
    if again is not None:
        return due_of_sent_again(unit, parcel, again)
    due = still_due(unit.read(ORDER, order), _linked(unit, order), parts)
    return without(due, [*chain.from_iterable(_due_again(unit, order).values())])


def by_parcel(unit: Unit, number: str, units: Sequence[Units]) -> dict[str, list[Units]]:
    """An order's live units by the parcel that they are in, or came in.

    Where some of a part's units were sent again, those that its learner kept are named first.
    """
    order = unit.read(ORDER, number)
    again = _due_again(unit, number)
    stay = both(units, without(units_of(order.parts), [*chain.from_iterable(again.values())]))
    found: dict[str, list[Units]] = {}
    for one in stay:
        part = order.part(one.part)
        if part is not None and part.parcel:
            found.setdefault(part.parcel, []).append(one)
    rest = without(units, stay)
    for parcel, due in again.items():
        if mine := both(rest, due):
            found[parcel] = mine
            rest = without(rest, mine)
    return found


def pack_again(
    unit: Unit, parcel: str, *, order: str, warehouse: str, goods: Sequence[Units]
) -> None:
    """The goods are in their own parcel, for their learner; abroad customs are told (T7).

    They go where they went last: to the other place, if the parcel they were in was sent there
    (O8). Nobody weighed it: staff say how heavy it is where customs ask.
    """
    parts = dict.fromkeys(one.part for one in goods)
    placed = unit.read(ORDER, order)
    came_in = _came_in(unit, parcel, order, parts)
    to = next(filter(None, (went_instead(unit, one) for one in came_in)), None)
    known = unit.read(NETWORK, MALL).warehouses.get(warehouse)
    within = timedelta(hours=known.service_hours) if known is not None else timedelta()
    fact = ParcelPacked(
        warehouse=warehouse,
        contents=tuple(Content(order=order, part=part) for part in parts),
        weight_grams=0,
        goods=tuple(goods),
        hand_over_by=unit.happened_at + within,
        country=placed.country if to is None else to.country,
        to=to,
    )
    unit.record(PARCEL, parcel, [fact])
    draw_up(unit, parcel=parcel, gross_weight_grams=0)


def went_instead(unit: Unit, parcel: str) -> Destination | None:
    """Where a parcel went, if that is another place than its order's (O8)."""
    return unit.read(INTERCEPT, parcel).sent_to or unit.read(PARCEL, parcel).to


def _came_in(unit: Unit, parcel: str, number: str, parts: Iterable[int]) -> list[str]:
    """The parcels that goods were in before: the one they left in again last, or their parts'."""
    again = [one for one in parcels_sent_again(unit, number) if next_parcel(one) == parcel]
    order = unit.read(ORDER, number)
    found = (order.part(one) for one in parts)
    first = dict.fromkeys(part.parcel for part in found if part and part.parcel)
    return again or list(first)


def _linked(unit: Unit, number: str) -> dict[str, Order]:
    replacements = unit.read(ORDER, number).replacements
    return {one.number: unit.read(ORDER, one.number) for one in replacements}


def _due_again(unit: Unit, number: str) -> dict[str, list[Units]]:
    """What is to be had out of each parcel in which goods were sent again."""
    return {
        parcel: due_of_sent_again(unit, parcel, goods_sent_again(unit, parcel) or ())
        for parcel in parcels_sent_again(unit, number)
    }
