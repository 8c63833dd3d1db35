"""最省方案 The least-cost way to fill an order from several warehouses (S1, S3).

A search by branch and bound. It looks at every set of up to `max_parts` parcels, a warehouse as
often as parcels from there may be needed, and for each set at every way to share the lines out
between them; what cannot beat the best known split is cut off by a lower bound. What a parcel
costs is its source's own affair: the search asks for a price, and for a floor under it. So it is
where a parcel that goes anyhow takes more: its source asks for the difference (rules.md 1).
"""

from collections.abc import Iterable, Sequence
from itertools import combinations_with_replacement
from operator import mul
from typing import Final, NamedTuple

from domain.cargo import Cargo, together
from domain.sharing_out import Sharing
from domain.splits import MICRO, WORST, Chosen, Counts, Key, Source, Split

STEPS_MAX: Final = 500
"""Steps after which the best split known so far is taken: nobody's order waits for another's."""
SMALL: Final = 32
"""Units times sources up to which every possibility is looked at or ruled out, however long."""
STEPS_OF_SMALL: Final = 50_000
PRICING_STEPS: Final = 8
"""Steps that asking for the price of a parcel counts for: each carrier is asked."""
OTHERS: Final = 3
"""Splits from other warehouses that are told, too."""
GLANCE_STEPS: Final = 6
"""Steps for each line that are spent on a set before the next one is looked at."""
IMPROVING_STEPS: Final = 240
"""Steps spent on the best split known, line by line, where the search was stopped."""
BEYOND_STEPS: Final = 12
"""Steps beyond one for each line that are spent on a set which cannot be best."""


_Sums = tuple[int, int, int, int, int]
"""Of a set: its first weights' fen, least by weight (millionths), grams beyond those, and limits;
and its parcels."""


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
        self.unfinished: list[tuple[Key, Chosen]] = []
        self.passed_over: list[Chosen] = []
        if self.by_volume:
            self.sources = [one._replace(floor=one.floor.by_volume(self.total)) for one in sources]
        floors = [one.floor for one in self.sources]
        self.width = max([one.width for one in floors], default=1)
        self.jump = min([one.jump for one in floors], default=0)
        self._parcels = [one.parcels for one in sources]
        both = zip(floors, self._parcels, strict=True)
        self._ends = [(f.fen[0], f.base, f.upto[0], f.upto[-1], own) for f, own in both]
        self._begun: dict[Chosen, Sharing] = {}
        self._prices: dict[tuple[int, Counts], int | None] = {}
        self.every_way = True
        small = sum(quantities) * len(sources) <= SMALL
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
        """Search: a glance at each set that may be best, then all of them whole, cheapest first.

        Where that takes too long, the best split known is improved line by line instead.
        """
        enough = self._enough(max_parts)
        single = sorted(self._sets(enough, max_parts, repeats=[0]))
        self._glance(single[:1])  # most of the others cannot beat what this tells
        repeated = self._sets(enough, max_parts, repeats=range(1, max_parts))
        self._glance(sorted([*single[1:], *repeated]))
        for bound, chosen in sorted(self.unfinished):
            if bound < self.key and self.steps < self.steps_max:
                self._at(chosen).look(self.steps_max)
            else:
                self.passed_over.append(chosen)
        proved = self.every_way and self.steps < self.steps_max
        if not self.found:
            return Searched(None, (), proved)
        chosen, best = self._ranked()[0]
        if not proved:
            self._at(chosen).improve(best, self.steps + IMPROVING_STEPS)
        return Searched(self.found[chosen], tuple(self._others(chosen)), proved)

    def _glance(self, sets: Iterable[tuple[Key, Chosen]]) -> None:
        """Look for a moment at each set that may be best."""
        glance = GLANCE_STEPS * len(self.goods)
        for bound, chosen in sets:
            if bound >= self.key:
                self.passed_over.append(chosen)
            elif self.steps >= self.steps_max // 2 or self._at(chosen).look(self.steps + glance):
                self.unfinished.append((bound, chosen))

    def _ranked(self) -> list[tuple[Chosen, Split]]:
        """The best split of each set where one is known, best first."""
        return sorted(self.found.items(), key=lambda one: (one[1].key, one[0]))

    def _at(self, chosen: Chosen) -> Sharing:
        if chosen not in self._begun:
            self._begun[chosen] = Sharing(self, chosen)
        return self._begun[chosen]

    def _others(self, best: Chosen) -> list[Split]:
        """The best splits of other sets; where few are known, sets that cannot be best tell more.

        Those are looked at for a moment only, so that it is told what they cost.
        """
        sets = [chosen for chosen in self.passed_over if len(set(chosen)) == len(chosen)]
        for chosen in sets[: max(0, OTHERS + 1 - len(self.found))]:
            self.key = WORST
            self._at(chosen).look(self.steps + len(self.goods) + BEYOND_STEPS)
        return [split for chosen, split in self._ranked() if chosen != best][:OTHERS]

    def _sets(
        self, enough: Iterable[tuple[Chosen, int]], max_parts: int, *, repeats: Iterable[int]
    ) -> Iterable[tuple[Key, Chosen]]:
        """Sets with so many parcels more than sources that can hold everything, with bounds."""
        for distinct, by_weight in enough:
            sums = self._summed((0, by_weight, self.total, self.total, 0), distinct)
            again_from = [number for number in distinct if self._parcels[number]]
            for count in repeats:
                if len(again_from) + count <= max_parts:
                    for again in combinations_with_replacement(again_from, count):
                        bound = self._bound(self._summed(sums, again))
                        if bound is not None and (bound < self.key or not again):
                            yield bound, tuple(sorted(distinct + again))

    def _summed(self, sums: _Sums, more: Chosen) -> _Sums:
        """These sums with more parcels in the set."""
        fen, micro, over, room, parcels = sums
        for number in more:
            first_fen, base, first_grams, most_grams, own = self._ends[number]
            fen += first_fen
            micro += base
            over -= first_grams
            room -= most_grams
            parcels += own
        return fen, micro, over, room, parcels

    def _bound(self, sums: _Sums) -> Key | None:
        """No split between parcels with these sums is better; None: they take not so much."""
        fen, micro, over, room, parcels = sums
        if room > 0:
            return None
        if over > 0:
            fen -= -over // self.width * self.jump
        by_weight = -(-micro // MICRO)
        return max(fen, by_weight), parcels, len(self.quantities)

    def _enough(self, max_parts: int) -> list[tuple[Chosen, int]]:
        """Sources that together have enough, and what the goods cost by weight alone at least."""
        by_rate = sorted(enumerate(self.sources), key=lambda one: one[1].floor.rate)
        partly: list[tuple[Chosen, int, Counts, int, int]] = [
            ((), 0, self.quantities, self.total, 0)
        ]
        for number, source in by_rate:
            for chosen, parcels, missing, grams, micro in partly[:]:
                more = parcels + source.parcels
                if more > max_parts:
                    continue
                left = missing
                if any(missing):
                    both = zip(missing, source.units, strict=True)
                    left = tuple([a - b if a > b else 0 for a, b in both])
                left_grams = sum(map(mul, left, self.weights)) if grams else 0
                taken = (grams - left_grams) * source.floor.rate
                partly.append(((*chosen, number), more, left, left_grams, micro + taken))
        return [(chosen, micro) for chosen, _, missing, _, micro in partly if not any(missing)]

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
