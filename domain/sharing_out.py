"""分摊 Every way to share an order's lines out between one set of parcels (S1, S3)."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from functools import cached_property, lru_cache
from itertools import permutations
from math import comb
from operator import attrgetter, mul
from typing import Final, NamedTuple, Protocol

from domain.cargo import Cargo
from domain.splits import MICRO, Chosen, Counts, Key, Source, Split

WAYS_MAX: Final = 40
"""Ways to share a line out that are looked at one by one; beyond, only those that fill up."""


class _Way(NamedTuple):
    """One way to share a line out between the parcels of a set."""

    rate: int
    """At least, in millionths of a fen for each gramme that one unit weighs."""
    pieces: int
    counts: Counts


_AS_TRIED: Final = attrgetter("rate", "pieces")


class _Line(NamedTuple):
    """A line, in the order in which they are shared out; and those after it, at least."""

    number: int
    ways: Sequence[_Way]
    grams: int
    """One unit's, or what it is charged for if bounds go by volume."""
    later_micro: int
    """What all later lines cost by weight."""
    later_pieces: int


class _Load(NamedTuple):
    """What is in the parcels so far, and what they cost at least by that."""

    grams: list[int]
    levels: list[int]
    """Of each one's floor."""
    fen: int
    upto: int
    """The weight that goes in for that."""


class Search(Protocol):
    """The search that this is a part of: what is wanted, where it is, and the best so far."""

    quantities: Counts
    goods: Sequence[Cargo]
    sources: Sequence[Source]
    by_volume: bool
    weights: Counts
    total: int
    steps: int
    key: Key
    every_way: bool
    """Whether no line was shared out in some of its ways only."""

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
        self.rates = tuple([floor.rate for floor in self.floors])
        self.width = max(floor.width for floor in self.floors)
        self.jump = min(floor.jump for floor in self.floors)
        self.alike = tuple([chosen.index(number) for number in chosen])
        self.parcels = sum([one.parcels for one in self.sources])
        self.taken: list[Counts] = [()] * len(search.quantities)

    @cached_property
    def lines(self) -> Sequence[_Line]:
        """Lines without a choice first, then the heaviest: what is decided early rules out most.

        Empty if one cannot be shared out.
        """
        quantities, weights = self.search.quantities, self.search.weights
        ways = [self._ways(line) for line in range(len(quantities))]
        if not all(ways):
            return ()
        order = sorted(
            range(len(ways)),
            key=lambda line: (len(ways[line]) > 1, -quantities[line] * weights[line]),
        )
        lines: list[_Line] = []
        micro = pieces = 0
        for line in reversed(order):
            lines.append(_Line(line, ways[line], weights[line], micro, pieces))
            micro += ways[line][0].rate * weights[line]
            pieces += min([way.pieces for way in ways[line]])
        return lines[::-1]

    def look(self, steps_max: int) -> bool:
        """Look at all that may be better than what is known; whether there were too many steps."""
        if not self.lines:
            return False
        self.steps_max = steps_max
        nothing = [0] * len(self.floors)
        fen = sum([floor.fen[0] for floor in self.floors])
        upto = sum([floor.upto[0] for floor in self.floors])
        empty = _Load(nothing, nothing, fen, upto)
        return self._go(0, 0, sum([floor.base for floor in self.floors]), empty)

    def _go(self, depth: int, pieces: int, micro: int, load: _Load) -> bool:
        """Share out the lines from this one on; whether there were too many steps."""
        if depth == len(self.lines):
            self._arrived(load.levels)
            return False
        search, line = self.search, self.lines[depth]
        for way in line.ways:
            search.steps += 1
            if search.steps >= self.steps_max:
                return True
            by_weight = micro + way.rate * line.grams
            fen = -((-by_weight - line.later_micro) // MICRO)
            if fen > search.key[0]:
                break  # the ways that follow cost more
            more = self._loaded(load, way.counts, line.grams)
            if more is None:
                continue
            over = search.total - more.upto
            by_edges = more.fen - -over // self.width * self.jump if over > 0 else more.fen
            bound = max(fen, by_edges), self.parcels, pieces + way.pieces + line.later_pieces
            if bound < search.key:
                self.taken[line.number] = way.counts
                if self._go(depth + 1, pieces + way.pieces, by_weight, more):
                    return True
        return False

    def _loaded(self, load: _Load, counts: Counts, unit_grams: int) -> _Load | None:
        """The parcels with so many units more; None: one would be too heavy."""
        grams, levels, fen, upto = load.grams[:], load.levels[:], load.fen, load.upto
        for parcel, units in enumerate(counts):
            if units:
                floor, before = self.floors[parcel], levels[parcel]
                grams[parcel] += units * unit_grams
                level = bisect_left(floor.upto, grams[parcel], before)
                if level == len(floor.upto):
                    return None
                levels[parcel] = level
                fen += floor.fen[level] - floor.fen[before]
                upto += floor.upto[level] - floor.upto[before]
        return _Load(grams, levels, fen, upto)

    def improve(self, split: Split, steps_max: int) -> None:
        """Share one line after another out otherwise, for as long as that costs less.

        `split` is the best one that is known.
        """
        self.taken = list(zip(*[counts for _, counts in split.shares], strict=True))
        self.steps_max = steps_max
        moves = [(line.number, way.counts) for line in self.lines for way in line.ways]
        while sum(self._moved(*move) for move in moves):
            continue

    def _moved(self, line: int, counts: Counts) -> bool:
        """Whether it costs less to share a line out so: then it is."""
        before, key = self.taken[line], self.search.key
        if self.search.steps >= self.steps_max:
            return False
        self.taken[line] = counts
        self._arrived([0] * len(self.chosen))
        if self.search.key < key:
            return True
        self.taken[line] = before
        return False

    def _arrived(self, levels: Sequence[int]) -> None:
        """Everything is shared out: what does it really cost? The parcels are at these levels."""
        fens = [floor.fen[level] for floor, level in zip(self.floors, levels, strict=True)]
        fen = sum(fens)
        shares: list[tuple[str, Counts]] = []
        columns = zip(*self.taken, strict=True)
        for number, least, counts in zip(self.chosen, fens, columns, strict=True):
            price = self.search.price(number, counts) if any(counts) else None
            if price is None:
                return
            fen += price - least
            if fen > self.search.key[0]:
                return
            shares.append((self.search.sources[number].code, counts))
        pieces = sum([sum(map(bool, counts)) for counts in self.taken])
        self.search.take(self.chosen, Split(fen, self.parcels, pieces, tuple(shares)))

    def _ways(self, line: int) -> Sequence[_Way]:
        """How a line can be shared out, the cheapest way first; named first takes most, else."""
        wanted, rates = self.search.quantities[line], self.rates
        there = tuple([source.units[line] for source in self.sources])
        places = sum(map(bool, there))
        if places and comb(wanted + places - 1, places - 1) <= WAYS_MAX:
            return _every_way(wanted, there, self.alike, rates)
        self.search.every_way = False
        return _cheapest_first(sorted(self._fills(line, wanted, there), reverse=True), rates)

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


@lru_cache(maxsize=16_384)
def _every_way(wanted: int, there: Counts, alike: Counts, rates: Counts) -> Sequence[_Way]:
    """Every way to share units out; parcels that are `alike` share what is there."""
    partly: list[tuple[Counts, int]] = [((), wanted)]
    for parcel, most in enumerate(there):
        twins = [twin for twin in range(parcel) if alike[twin] == alike[parcel]]
        partly = [
            ((*counts, units), missing - units)
            for counts, missing in partly
            for units in range(min(missing, most - sum([counts[twin] for twin in twins])), -1, -1)
        ]
    return _cheapest_first([counts for counts, missing in partly if not missing], rates)


def _cheapest_first(shares: Iterable[Counts], rates: Counts) -> Sequence[_Way]:
    """The cheapest way first; of ways that cost the same, as they were."""
    ways = [_Way(sum(map(mul, each, rates)), sum(map(bool, each)), each) for each in shares]
    ways.sort(key=_AS_TRIED)
    return ways
