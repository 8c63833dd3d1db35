"""最省方案 The least-cost way to fill an order from several warehouses (S1, S3).

A search by branch and bound. It looks at every set of up to `max_parts` parcels, a warehouse as
often as parcels from there may be needed, and for each set at every way to share the lines out
between them; what cannot beat the best known split is cut off by a lower bound. What a parcel
costs is its source's own affair: the search asks for a price, and for a floor under it.
"""

from collections.abc import Iterable, Sequence
from itertools import combinations_with_replacement
from typing import Final, NamedTuple

from domain.cargo import Cargo, together
from domain.sharing_out import Sharing
from domain.splits import WORST, Chosen, Counts, Key, Source, Split

STEPS_MAX: Final = 500
"""Steps after which the best split known so far is taken: nobody's order waits for another's."""
SMALL: Final = 16
"""Lines times sources up to which every possibility is looked at or ruled out, however long."""
STEPS_OF_SMALL: Final = 50_000
PRICING_STEPS: Final = 8
"""Steps that asking for the price of a parcel counts for: each carrier is asked."""
OTHERS: Final = 3
"""Splits from other warehouses that are told, too."""
GLANCE_STEPS: Final = 6
"""Steps for each line that are spent on a set before the next one is looked at."""
BEYOND_STEPS: Final = 4
"""Steps for each line that are spent on a set which cannot be best."""


class Searched(NamedTuple):
    """What a search came to."""

    best: Split | None
    others: tuple[Split, ...]
    """The best splits known that use other warehouses, best first."""
    proved: bool
    """Whether every possibility was looked at or ruled out."""


def search(
    quantities: Counts, goods: Sequence[Cargo], sources: Sequence[Source], *, max_parts: int
) -> Searched:
    """The way to send `quantities` of `goods` that costs least.

    At equal cost the one with fewer parcels, then with fewer lines torn apart, then from the
    sources that are named first. Sources give no more than they have.
    """
    return _Search(quantities, goods, sources).run(min(max_parts, sum(quantities)))


class _Search:
    """What is wanted, where it is, and the best splits that were found so far."""

    def __init__(
        self, quantities: Counts, goods: Sequence[Cargo], sources: Sequence[Source]
    ) -> None:
        self.quantities = quantities
        self.goods = goods
        self.sources = sources
        self.steps = 0
        self.key: Key = WORST
        self.found: dict[Chosen, Split] = {}
        self.by_volume, self.weights = self._weights()
        self.total = sum(
            units * grams for units, grams in zip(quantities, self.weights, strict=True)
        )
        self.width = max((one.floor.width for one in sources), default=1)
        self.jump = min((one.floor.jump for one in sources), default=0)
        self._prices: dict[tuple[int, Counts], int | None] = {}
        small = len(quantities) * len(sources) <= SMALL
        self.steps_max = STEPS_OF_SMALL if small else STEPS_MAX

    def _weights(self) -> tuple[bool, Counts]:
        """What bounds go by: weight, or volume if the order is charged by that."""
        divisor = max((one.floor.divisor for one in self.sources), default=1)
        grams = tuple([one.grams for one in self.goods])
        bulk = tuple([one.mm3 // divisor for one in self.goods])
        both = list(zip(self.quantities, grams, bulk, strict=True))
        by_volume = sum(q * b for q, _, b in both) > sum(q * g for q, g, _ in both)
        return by_volume, bulk if by_volume else grams

    def run(self, max_parts: int) -> Searched:
        """Search: a glance at each set that may be best, then all of them whole, cheapest first."""
        glance = GLANCE_STEPS * len(self.goods)
        unfinished: list[tuple[Key, Chosen]] = []
        passed_over: list[tuple[Key, Chosen]] = []
        for size in range(1, max_parts + 1):
            for bound, chosen in sorted(self._bounded(size)):
                if bound >= self.key:
                    passed_over.append((bound, chosen))
                elif self.steps >= self.steps_max // 2 or Sharing(self, chosen).look(
                    self.steps + glance
                ):
                    unfinished.append((bound, chosen))
        for bound, chosen in sorted(unfinished):
            if bound < self.key and self.steps < self.steps_max:
                Sharing(self, chosen).look(self.steps_max)
            else:
                passed_over.append((bound, chosen))
        proved = self.steps < self.steps_max
        ranked = sorted((split.key, chosen) for chosen, split in self.found.items())
        if not ranked:
            return Searched(None, (), proved)
        best = self.found[ranked[0][1]]
        if len(ranked) <= OTHERS:
            self._look_beyond(passed_over, wanted=OTHERS + 1 - len(ranked))
            ranked = sorted((split.key, chosen) for chosen, split in self.found.items())
        others = [self.found[chosen] for _, chosen in ranked if self.found[chosen] is not best]
        return Searched(best, tuple(others[:OTHERS]), proved)

    def _look_beyond(self, passed_over: list[tuple[Key, Chosen]], *, wanted: int) -> None:
        """Look for a moment at sets that cannot be best, so that it is told what they cost."""
        passed_over.sort()
        sets = [chosen for _, chosen in passed_over if len(set(chosen)) == len(chosen)]
        for chosen in sets[:wanted]:
            self.key = WORST
            Sharing(self, chosen).look(self.steps + BEYOND_STEPS * len(self.goods))

    def _bounded(self, size: int) -> Iterable[tuple[Key, Chosen]]:
        """The sets of so many parcels that have enough of everything, with their bounds."""
        everything = (1 << len(self.quantities)) - 1
        masks = [
            sum(1 << line for line, units in enumerate(one.units) if units) for one in self.sources
        ]
        for chosen in combinations_with_replacement(range(len(self.sources)), size):
            mask = 0
            for number in chosen:
                mask |= masks[number]
            if mask == everything:
                bound = self._bound(chosen)
                if bound is not None:
                    yield bound, chosen

    def _bound(self, chosen: Chosen) -> Key | None:
        """No split between these is better; None: they have not enough, or take not so much.

        As soon as it is worse than what is known, the bound is left as it is.
        """
        fixed = slack = credit = room = 0
        for number in chosen:
            floor = self.sources[number].floor
            grams = floor.upto[0]
            room += floor.upto[-1]
            fixed += floor.fen[0]
            slack += grams
            credit += grams * floor.rate
        if self.total > room and not self.by_volume:
            return None
        excess = self.total - slack
        by_level = -(-excess // self.width) * self.jump if excess > 0 else 0
        if fixed + by_level > self.key[0]:
            return fixed + by_level, len(chosen), 0
        needs = self._needs(chosen)
        if needs is None:
            return None
        weighing, dearest, pieces = needs
        by_rate = -((min(credit, slack * dearest) - weighing) // 1_000)
        return fixed + max(by_level, by_rate), len(chosen), pieces

    def _needs(self, chosen: Chosen) -> tuple[int, int, int] | None:
        """What all lines cost at least by weight (mfen), at which dearest rate, in how many pieces.

        None: there is not enough of one.
        """
        sources = sorted(
            [self.sources[number] for number in dict.fromkeys(chosen)],
            key=lambda one: one.floor.rate,
        )
        weighing = dearest = pieces = 0
        for line, missing in enumerate(self.quantities):
            most = 0
            for source in sources:
                units = source.units[line]
                most = max(most, units)
                if units and missing:
                    taken = min(units, missing)
                    weighing += taken * self.weights[line] * source.floor.rate
                    dearest = max(dearest, source.floor.rate)
                    missing -= taken
            if missing:
                return None
            pieces += 1 if most >= self.quantities[line] else self._fewest(line, sources)
        return weighing, dearest, pieces

    def _fewest(self, line: int, sources: Sequence[Source]) -> int:
        """In how many pieces a line has to go at least."""
        missing = self.quantities[line]
        for pieces, units in enumerate(sorted([-one.units[line] for one in sources]), start=1):
            missing += units
            if missing <= 0:
                return pieces
        raise AssertionError("there is enough")

    def price(self, number: int, counts: Counts) -> int | None:
        """What a parcel with so many units of each line costs from a source."""
        place = (number, counts)
        if place not in self._prices:
            self.steps += PRICING_STEPS
            cargo = together(zip(self.goods, counts, strict=True))
            self._prices[place] = self.sources[number].price(cargo)
        return self._prices[place]

    def take(self, chosen: Chosen, split: Split) -> None:
        """Keep a split if it is the best one of its set."""
        known = self.found.get(chosen)
        if known is None or split.key < known.key:
            self.found[chosen] = split
            self.key = min(self.key, split.key)
