"""The least cost of a split by trying everything: slow, and made in another way than the search.

Parcels are filled one after another, each from any warehouse with any units that are left; what
remains is solved the same way. Costs, parcels and pieces add up, so the least of all is found.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import product

from domain.cargo import Cargo, together
from domain.splitting import Demand, Free

Key = tuple[int, int, int]
"""Cost in fen, parcels, pieces."""


def least(
    demands: Sequence[Demand],
    free: Free,
    *,
    max_parts: int,
    prices: Mapping[str, Callable[[Cargo], int | None]],
) -> Key | None:
    """The best there is; None: the demands cannot be met."""
    codes = sorted({code for one in demands for code in one.warehouses})
    shelves = tuple(
        tuple(free.get((code, one.sku), 0) if code in one.warehouses else 0 for one in demands)
        for code in codes
    )

    @cache
    def price(place: int, units: tuple[int, ...]) -> int | None:
        goods = zip((one.goods for one in demands), units, strict=True)
        return prices[codes[place]](together(goods))

    @cache
    def best(place: int, shelf: tuple[int, ...], missing: tuple[int, ...], left: int) -> Key | None:
        if not any(missing):
            return (0, 0, 0)
        if place == len(codes):
            return None
        # No further parcel from here, or any parcel from here and then the rest.
        following = shelves[place + 1] if place + 1 < len(codes) else ()
        found = best(place + 1, following, missing, left)
        most = [min(there, units) for there, units in zip(shelf, missing, strict=True)]
        for units in product(*(range(one + 1) for one in most)) if left else ():
            fen = price(place, units) if any(units) else None
            if fen is None:
                continue
            rest = best(
                place,
                tuple(a - b for a, b in zip(shelf, units, strict=True)),
                tuple(a - b for a, b in zip(missing, units, strict=True)),
                left - 1,
            )
            if rest is not None:
                key = (rest[0] + fen, rest[1] + 1, rest[2] + sum(map(bool, units)))
                found = key if found is None else min(found, key)
        return found

    wanted = tuple(one.quantity for one in demands)
    return best(0, shelves[0] if shelves else (), wanted, max_parts)
