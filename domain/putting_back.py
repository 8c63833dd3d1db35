"""放回 Units that were picked and are to be sent no more go back to their shelf (W1; rules.md 5).

The books count them as free at once; this is the work that makes it so, and nothing that was
closed with them in it leaves before it is done: its learner would have goods and points.
"""

from collections.abc import Iterable

from domain.order_facts import Units
from domain.parcel_facts import (
    Content,
    ParcelFact,
    ParcelPacked,
    UnitsPutBack,
    UnitsToPutBack,
)
from domain.parcels import Parcel
from domain.refusals import NotPossible


def leave_out(order: str, units: Iterable[Units], *, reason: str) -> list[ParcelFact]:
    """Have units that were picked into a parcel brought back to their shelf."""
    return [UnitsToPutBack(order=order, units=tuple(units), reason=reason)]


def put_back(
    parcel: Parcel, contents: Iterable[Content], *, weight_grams: int | None
) -> list[ParcelFact]:
    """Note that they are on their shelf; what was closed with them in it is weighed anew.

    `contents` is what is still to be sent in it. Raises `NotPossible` where nothing is to be put
    back, or the new weight is not said.
    """
    _must_hold_some(parcel)
    if not parcel.to_reopen or parcel.dissolved:
        return [UnitsPutBack()]
    if weight_grams is None:
        raise NotPossible(action="put_back", why="the parcel is to be weighed anew")
    return [
        UnitsPutBack(),
        ParcelPacked(
            warehouse=parcel.warehouse,
            contents=tuple(contents),
            weight_grams=weight_grams,
            country=parcel.country,
            goods=parcel.goods,
        ),
    ]


def sent_with_them(parcel: Parcel) -> list[ParcelFact]:
    """Note that nobody can put them back: the parcel is with its carrier, and they are in it."""
    _must_hold_some(parcel)
    return [UnitsPutBack(sent=True)]


def _must_hold_some(parcel: Parcel) -> None:
    if not parcel.to_put_back:
        raise NotPossible(action="put_back", why="nothing in the parcel is to be put back")
