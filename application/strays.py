"""误发处理 What became of units that were sent though they were cancelled (W2; rules.md 5).

What travels beside goods that are still to be had is called back by nobody: somebody says whether
the units came back, or are given up. They were paid back before, so nothing is paid (D4).
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from application.merging import existing_parcel
from application.ordering import existing
from application.shelving import scrap_returned, shelve
from application.streams import INTERCEPT, ORDER
from application.unit import Unit
from domain.entrusting import Fate, settle_strays
from domain.order_facts import GoodsCameBack
from domain.refusals import NotPossible


class Became(NamedTuple):
    """What became of some units of an item."""

    sku: str
    quantity: int
    fate: Fate


def settle(
    unit: Unit, *, parcel: str, number: str, goods: Sequence[Became], reason: str
) -> dict[str, Any]:
    """Settle all cancelled units of an order that left in a parcel, each unit once (W2, C3).

    Not while the parcel is called back: then its goods are taken in as those of any such parcel.
    """
    box, order = existing_parcel(unit, parcel), existing(unit, number)
    if unit.read(INTERCEPT, parcel).coming:
        raise NotPossible(action="settle_strays", why="the parcel is called back")
    facts = settle_strays(
        order,
        parcel,
        back=[(one.sku, one.quantity) for one in goods if one.fate is not Fate.GIVEN_UP],
        given_up=[(one.sku, one.quantity) for one in goods if one.fate is Fate.GIVEN_UP],
        reason=reason,
    )
    unit.record(ORDER, number, facts)
    here = [fact.units for fact in facts if isinstance(fact, GoodsCameBack)]
    shelve(unit, number, [one for units in here for one in units])
    broken = Counter[str]()
    for one in goods:
        broken[one.sku] += one.quantity if one.fate is Fate.SCRAP else 0
    scrap_returned(unit, +broken, warehouse=box.warehouse, came_in=parcel)
    return {"parcel": parcel, "order": number, "back": sum(one.quantity for u in here for one in u)}
