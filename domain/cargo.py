"""货物 Cargo: what a carrier's price, a warehouse's packing and a parcel's limits depend on."""

from collections.abc import Iterable
from typing import NamedTuple


class Cargo(NamedTuple):
    """Goods in one parcel, or one unit of them."""

    grams: int = 0
    mm3: int = 0
    """Volume in cubic millimetres: the sum over the goods, as if nothing stood between them."""
    longest_mm: int = 0
    """The longest edge of anything in it."""
    value_fen: int = 0
    """Market value: what a lost parcel costs."""
    fragile: bool = False
    packaging: frozenset[str] = frozenset()
    """The goods' packaging classes; the dearest one decides how the parcel is packed."""


def together(goods: Iterable[tuple[Cargo, int]]) -> Cargo:
    """So many units of each kind of goods in one parcel; none of a kind leaves no trace."""
    grams = mm3 = longest = value = 0
    fragile = False
    packaging: frozenset[str] = frozenset()
    for one, units in goods:
        if units:
            grams += one.grams * units
            mm3 += one.mm3 * units
            value += one.value_fen * units
            longest = max(longest, one.longest_mm)
            fragile = fragile or one.fragile
            if not one.packaging <= packaging:
                packaging |= one.packaging
    return Cargo(grams, mm3, longest, value, fragile, packaging)
