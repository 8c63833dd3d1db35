"""分摊 Every way to share an order's lines out between one set of parcels (S1, S3)."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import permutations
from math import comb
from typing import Final, NamedTuple, Protocol

from domain.cargo import Cargo
from domain.splits import Chosen, Counts, Key, Source, Split

WAYS_MAX: Final = 40
"""Ways to share a line out that are looked at one by one; beyond, only those that fill up."""


class _Way(NamedTuple):
    """One way to share a line out between the parcels of a set; sorts as it should be tried."""

    price: int
    """At least, in thousandths of a fen."""
    pieces: int
    left: Counts
    """Units not taken, by parcel: of two equal ways, parcels named first take most."""
    counts: Counts


class Search(Protocol):
    """The search that this is a part of: what is wanted, where it is, and the best so far."""

    quantities: Counts
    goods: Sequence[Cargo]
    sources: Sequence[Source]
    by_volume: bool
    weights: Counts
    steps: int
    key: Key

    def price(self, number: int, counts: Counts) -> int | None:
        """What a parcel with so many units of each line costs from a source."""

    def take(self, chosen: Chosen, split: Split) -> None:
        """Keep a split if it is the best one of its set."""


class Sharing:
    """One set of parcels, and every way to share the lines out between them."""

    def __init__(self, search: Search, chosen: Chosen) -> None:
        self.search = search
        self.chosen = chosen
        self.sources = [search.sources[number] for number in chosen]
        self.floors = [one.floor for one in self.sources]
        self.width = max(floor.width for floor in self.floors)
        self.jump = min(floor.jump for floor in self.floors)
        self.rates = [floor.rate for floor in self.floors]
        self.dearest = max(self.rates)
        # By parcel: what is charged so far, what that costs at least, and what goes in for that.
        self.filled = [0] * len(chosen)
        self.cost = [floor.fen[0] for floor in self.floors]
        self.slack = [floor.upto[0] for floor in self.floors]
        self.taken: list[Counts] = [()] * len(search.quantities)

    def look(self, steps_max: int) -> bool:
        """Look at all that may be better than what is known; whether there were too many steps."""
        lines = range(len(self.search.quantities))
        ways = {line: self._ways(line) for line in lines}
        if not all(ways.values()):
            return False
        weight = self.search.weights
        # Lines without a choice first, then the heaviest: what is decided early rules out most.
        self.order = sorted(
            lines,
            key=lambda line: (len(ways[line]) > 1, -self.search.quantities[line] * weight[line]),
        )
        self.ways = [ways[line] for line in self.order]
        self.steps_max = steps_max
        self.rest: list[tuple[int, int, int]] = [(0, 0, 0)]
        """From each line on: grams, price by weight (mfen), pieces, all at least."""
        for line, these in zip(reversed(self.order), reversed(self.ways), strict=True):
            grams, price, pieces = self.rest[-1]
            self.rest.append(
                (
                    grams + self.search.quantities[line] * weight[line],
                    price + these[0].price,
                    pieces + min(way.pieces for way in these),
                )
            )
        self.rest.reverse()
        return self._go(0, 0)

    def _go(self, depth: int, pieces: int) -> bool:
        """Share out the lines from this one on; whether there were too many steps."""
        if depth == len(self.order):
            self._arrived(pieces)
            return False
        search, line = self.search, self.order[depth]
        weight = search.weights[line]
        filled, cost, slack = self.filled, self.cost, self.slack
        for way in self.ways[depth]:
            search.steps += 1
            if search.steps >= self.steps_max:
                return True
            before: list[tuple[int, int, int, int]] = []
            fits = True
            for parcel, units in enumerate(way.counts):
                if units:
                    before.append((parcel, filled[parcel], cost[parcel], slack[parcel]))
                    fits = fits and self._fill(parcel, units * weight)
            if fits and self._bound(depth + 1, pieces + way.pieces) < search.key:
                self.taken[line] = way.counts
                if self._go(depth + 1, pieces + way.pieces):
                    return True
            for parcel, grams, fen, left in before:
                filled[parcel], cost[parcel], slack[parcel] = grams, fen, left
        return False

    def _fill(self, parcel: int, grams: int) -> bool:
        """Put goods into a parcel; False: it would be too heavy."""
        floor = self.floors[parcel]
        grams += self.filled[parcel]
        level = bisect_left(floor.upto, grams)
        if level == len(floor.upto):
            if not self.search.by_volume:
                return False
            level -= 1  # large, but perhaps light: its price will tell
        self.filled[parcel] = grams
        self.cost[parcel] = floor.fen[level]
        self.slack[parcel] = max(0, floor.upto[level] - grams)
        return True

    def _bound(self, depth: int, pieces: int) -> Key:
        """No split that begins like this is better."""
        grams, price, more = self.rest[depth]
        fen = sum(self.cost)
        slack = sum(self.slack)
        if grams > slack:
            credit = 0
            for rate, left in zip(self.rates, self.slack, strict=True):
                credit += rate * left
            by_rate = -((min(credit, slack * self.dearest) - price) // 1_000)
            fen += max(by_rate, -((slack - grams) // self.width) * self.jump)
        return fen, len(self.chosen), pieces + more

    def _arrived(self, pieces: int) -> None:
        """Everything is shared out: what does it really cost?"""
        fen = sum(self.cost)  # at least; of each parcel in turn, what it really is
        shares: list[tuple[str, Counts]] = []
        for parcel, number in enumerate(self.chosen):
            counts = tuple([taken[parcel] for taken in self.taken])
            price = self.search.price(number, counts) if any(counts) else None
            if price is None:
                return
            fen += price - self.cost[parcel]
            if fen > self.search.key[0]:
                return
            shares.append((self.sources[parcel].code, counts))
        self.search.take(self.chosen, Split(fen, len(shares), pieces, tuple(shares)))

    def _ways(self, line: int) -> list[_Way]:
        """How a line can be shared out, the cheapest way first."""
        wanted, weight = self.search.quantities[line], self.search.weights[line]
        there = [source.units[line] for source in self.sources]
        places = sum(map(bool, there))
        if places and comb(wanted + places - 1, places - 1) <= WAYS_MAX:
            sharing = self._compositions(wanted, there)
        else:
            sharing = self._fills(line, wanted, there)
        ways: list[_Way] = []
        for counts in sharing:
            price = pieces = 0
            for units, rate in zip(counts, self.rates, strict=True):
                if units:
                    price += units * rate * weight
                    pieces += 1
            ways.append(_Way(price, pieces, tuple([wanted - units for units in counts]), counts))
        ways.sort()
        return ways

    def _compositions(self, wanted: int, there: Sequence[int]) -> Iterable[Counts]:
        """Every way; parcels from one warehouse share what it has."""
        if wanted == 1:
            size = len(there)
            return [
                (0,) * parcel + (1,) + (0,) * (size - parcel - 1)
                for parcel in range(size)
                if there[parcel]
            ]
        partly: list[tuple[Counts, int]] = [((), wanted)]
        for parcel, number in enumerate(self.chosen):
            partly = [
                ((*counts, units), missing - units)
                for counts, missing in partly
                for units in range(min(missing, there[parcel] - self._used(counts, number)) + 1)
            ]
        return [counts for counts, missing in partly if not missing]

    def _used(self, counts: Counts, number: int) -> int:
        return sum(units for units, of in zip(counts, self.chosen, strict=False) if of == number)

    def _fills(self, line: int, wanted: int, there: Sequence[int]) -> Iterable[Counts]:
        """The ways in which every parcel but one takes all it can, or nothing."""
        grams = self.search.goods[line].grams
        found: dict[Counts, None] = {}
        for order in permutations(range(len(there))):
            left = dict(zip(self.chosen, there, strict=True))
            counts = [0] * len(there)
            missing = wanted
            for parcel in order:
                number = self.chosen[parcel]
                most = self.floors[parcel].upto[-1] // grams if grams else missing
                if self.search.by_volume:
                    most = missing
                counts[parcel] = min(missing, left[number], most)
                left[number] -= counts[parcel]
                missing -= counts[parcel]
            if not missing:
                found[tuple(counts)] = None
        return found
