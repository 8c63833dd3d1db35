"""最省方案 The least-cost way to fill an order from several warehouses (S1, S3).

A search by branch and bound. It looks at every set of up to `max_parts` parcels, a warehouse as
often as parcels from there may be needed, and for each set at every way to share the lines out
between them; what cannot beat the best known split is cut off by a lower bound. What a parcel
costs is its source's own affair: the search asks for a price, and for a floor under it.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from itertools import combinations_with_replacement, pairwise, permutations
from math import comb
from typing import Final, NamedTuple

from domain.cargo import Cargo, together

STEPS_MAX: Final = 800
"""Steps after which the best split known so far is taken: nobody's order waits for another's."""
SMALL: Final = 16
"""Lines times sources up to which every possibility is looked at or ruled out, however long."""
STEPS_OF_SMALL: Final = 50_000
PRICING_STEPS: Final = 8
"""Steps that asking for the price of a parcel counts for: each carrier is asked."""
WAYS_MAX: Final = 40
"""Ways to share a line out that are looked at one by one; beyond, only those that fill up."""
OTHERS: Final = 3
"""Splits from other warehouses that are told, too."""
GLANCE_STEPS: Final = 6
"""Steps for each line that are spent on a set before the next one is looked at."""
BEYOND_STEPS: Final = 4
"""Steps for each line that are spent on a set which cannot be best."""

Counts = tuple[int, ...]
"""Units by line, in the order of the lines; or of one line by parcel."""

_ENDLESS: Final = 1 << 62
_Key = tuple[int, int, int]
_WORST: Final[_Key] = (_ENDLESS, 0, 0)
_Chosen = tuple[int, ...]
"""A set of parcels: the number of each one's source, ascending."""


class Floor:
    """What parcels from a source cost at least: a price up to each of some charged weights."""

    __slots__ = ("divisor", "fen", "jump", "rate", "upto", "width")

    def __init__(self, levels: Sequence[tuple[int, int]], *, divisor: int = _ENDLESS) -> None:
        """Make a floor of (grams, fen), ascending; heavier parcels are not sent at all."""
        self.upto = [grams for grams, _ in levels]
        self.fen = [fen for _, fen in levels]
        self.divisor = divisor
        """Cubic millimetres that count at least for a gramme; without one, volume is free."""
        steps = [(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(levels)]
        self.width = max((grams for grams, _ in steps), default=1)
        """Going over the edge of a level brings so many grams at most."""
        self.jump = min((fen for _, fen in steps), default=0)
        """And costs so much more at least."""
        self.rate = min((fen * 1_000 // grams for grams, fen in steps), default=0)
        """Fen for each kilogramme beyond the edge of a level, at least."""


class Source(NamedTuple):
    """A warehouse: what it has of each line, and what a parcel from there costs."""

    code: str
    units: Counts
    """At most what is wanted; 0 where it may not send such goods."""
    floor: Floor
    price: Callable[[Cargo], int | None]
    """In fen; None: no such parcel is sent from there. More goods never make it possible again."""


class Split(NamedTuple):
    """One way to fill the order; of two, the one with the lesser first fields is better."""

    fen: int
    parcels: int
    pieces: int
    """Lines, each counted as often as there are parcels that it is in."""
    shares: tuple[tuple[str, Counts], ...]
    """What each parcel holds, by warehouse."""

    @property
    def key(self) -> _Key:
        """By what splits are compared."""
        return self[:3]


class Searched(NamedTuple):
    """What a search came to."""

    best: Split | None
    others: tuple[Split, ...]
    """The best splits known that use other warehouses, best first."""
    proved: bool
    """Whether every possibility was looked at or ruled out."""


class _Way(NamedTuple):
    """One way to share a line out between the parcels of a set; sorts as it should be tried."""

    price: int
    """At least, in thousandths of a fen."""
    pieces: int
    left: Counts
    """Units not taken, by parcel: of two equal ways, parcels named first take most."""
    counts: Counts


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
        self.key: _Key = _WORST
        self.found: dict[_Chosen, Split] = {}
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
        unfinished: list[tuple[_Key, _Chosen]] = []
        passed_over: list[tuple[_Key, _Chosen]] = []
        for size in range(1, max_parts + 1):
            for bound, chosen in sorted(self._bounded(size)):
                if bound >= self.key:
                    passed_over.append((bound, chosen))
                elif self.steps >= self.steps_max // 2 or _Sharing(self, chosen).look(
                    self.steps + glance
                ):
                    unfinished.append((bound, chosen))
        for bound, chosen in sorted(unfinished):
            if bound < self.key and self.steps < self.steps_max:
                _Sharing(self, chosen).look(self.steps_max)
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

    def _look_beyond(self, passed_over: list[tuple[_Key, _Chosen]], *, wanted: int) -> None:
        """Look for a moment at sets that cannot be best, so that it is told what they cost."""
        passed_over.sort()
        sets = [chosen for _, chosen in passed_over if len(set(chosen)) == len(chosen)]
        for chosen in sets[:wanted]:
            self.key = _WORST
            _Sharing(self, chosen).look(self.steps + BEYOND_STEPS * len(self.goods))

    def _bounded(self, size: int) -> Iterable[tuple[_Key, _Chosen]]:
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

    def _bound(self, chosen: _Chosen) -> _Key | None:
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

    def _needs(self, chosen: _Chosen) -> tuple[int, int, int] | None:
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

    def take(self, chosen: _Chosen, split: Split) -> None:
        """Keep a split if it is the best one of its set."""
        known = self.found.get(chosen)
        if known is None or split.key < known.key:
            self.found[chosen] = split
            self.key = min(self.key, split.key)


class _Sharing:
    """One set of parcels, and every way to share the lines out between them."""

    def __init__(self, search: _Search, chosen: _Chosen) -> None:
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

    def _bound(self, depth: int, pieces: int) -> _Key:
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
