"""拆法 What the search for the least cost is about: sources and their prices, splits (S1)."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from domain.cargo import Cargo

Counts = tuple[int, ...]
"""Units by line, in the order of the lines; or of one line by parcel."""

ENDLESS: Final = 1 << 62
MICRO: Final = 1_000_000
"""Bounds are reckoned in millionths of a fen."""
Key = tuple[int, int, int]
WORST: Final[Key] = (ENDLESS, 0, 0)
Chosen = tuple[int, ...]
"""A set of parcels: the number of each one's source, ascending."""


class Floor:
    """What parcels from a source cost at least: a price up to each of some weights."""

    __slots__ = ("base", "bulky", "divisor", "fen", "jump", "rate", "upto", "width")

    def __init__(
        self,
        levels: Sequence[tuple[int, int]],
        *,
        divisor: int = ENDLESS,
        bulky: Sequence[tuple[int, int]] = (),
    ) -> None:
        """Make a floor of (grams, fen), ascending; heavier parcels are not sent at all.

        `bulky` is the same by the weight that volume counts for. That has no end: limits are on
        what a parcel really weighs.
        """
        self.upto = [grams for grams, _ in levels]
        self.fen = [fen for _, fen in levels]
        self.divisor = divisor
        """Cubic millimetres that count at least for a gramme; without one, volume is free."""
        self.bulky = bulky or levels
        steps = [(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(levels)]
        self.width = max((grams for grams, _ in steps), default=1)
        """Going over the edge of a level brings so many grams at most."""
        self.jump = min((fen for _, fen in steps), default=0)
        """And costs so much more at least."""
        first, least = levels[0]
        chords = [(fen - least) * MICRO // (grams - first) for grams, fen in levels[1:]]
        self.rate = min(chords, default=0)
        """Of a straight line that no price is under: millionths of a fen for each gramme."""
        self.base = least * MICRO - self.rate * first
        """And where it begins, in millionths of a fen."""

    def by_volume(self, grams: int) -> "Floor":
        """The floor under what is charged by volume, for up to so many grams of it."""
        levels = list(self.bulky)
        last_grams, last_fen = levels[-1]
        if grams > last_grams:
            levels.append((grams, last_fen))
        return Floor(levels, divisor=self.divisor)

    def beyond(self, going: Cargo, fen: int) -> "Floor":
        """What more goods cost at least in a parcel that is going anyhow, and costs so much."""
        weight, bulk = going.grams, going.mm3 // self.divisor
        levels = zip(self.upto, self.fen, strict=True)
        by_weight = [(upto - weight, price - fen) for upto, price in levels if upto >= weight]
        bulky = [(upto - bulk, price - fen) for upto, price in self.bulky if upto >= bulk]
        return Floor(by_weight, divisor=self.divisor, bulky=bulky or [(0, self.bulky[-1][1] - fen)])


class Source(NamedTuple):
    """A warehouse: what it has of each line, and what a parcel from there costs."""

    code: str
    units: Counts
    """At most what is wanted; 0 where it may not send such goods."""
    floor: Floor
    price: Callable[[Cargo], int | None]
    """In fen; None: no such parcel is sent from there. More goods never make it possible again."""
    parcels: int = 1
    """How many more there are if it sends something: none where one goes anyhow, and takes more."""


class Split(NamedTuple):
    """One way to fill the order; of two, the one with the lesser first fields is better."""

    fen: int
    parcels: int
    pieces: int
    """Lines, each counted as often as there are parcels that it is in."""
    shares: tuple[tuple[str, Counts], ...]
    """What each parcel holds, by warehouse."""

    @property
    def key(self) -> Key:
        """By what splits are compared."""
        return self[:3]
