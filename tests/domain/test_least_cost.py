"""Searches that are stopped: cheap plans all the same, after little work (S1)."""

import random
from collections import Counter
from statistics import mean

import pytest

from domain import least_cost
from domain.cargo import Cargo
from domain.least_cost import Searched, search
from domain.splits import Source
from tests.domain.test_splitting import Station

LINES, WAREHOUSES = 10, 8


class Big:
    """An order of many lines over many warehouses, with scarce and plentiful shelves."""

    def __init__(self, seed: int, *, lines: int = LINES, units: int = 3) -> None:
        chance = random.Random(seed)
        self.quantities = tuple(chance.randint(1, units) for _ in range(lines))
        self.goods = [Cargo(grams=chance.randint(50, 6_000)) for _ in range(lines)]
        self.asked: Counter[str] = Counter()
        most = chance.choice((1, 2, 9)) * units // 3
        self.sources = [
            self._source(f"w{nth}", chance, most, step=chance.randint(100, 300))
            for nth in range(WAREHOUSES)
        ]

    def _source(self, code: str, chance: random.Random, most: int, *, step: int) -> Source:
        station = Station(
            first_fen=chance.randint(300, 900),
            step_fen=step,
            packing_fen=chance.randint(100, 800),
            grams_max=40_000,
        )

        def price(cargo: Cargo) -> int | None:
            self.asked[code] += 1
            fen = station.price(cargo)
            # Something that no floor by weight knows of, like the insurance of what is valuable.
            return None if fen is None else fen + 300 * (cargo.grams > 20_000)

        units = tuple(min(one, chance.randint(0, most)) for one in self.quantities)
        return Source(code, units, station.floor, price)

    def search(self) -> Searched:
        return search(self.quantities, self.goods, self.sources, max_parts=4)


BIG = range(60)


def test_a_stopped_search_is_nearly_as_good_as_a_long_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """S1: within a hundredth of what forty times as many steps find, on average."""
    found = [Big(seed).search().best for seed in BIG]
    monkeypatch.setattr(least_cost, "STEPS_MAX", 20_000)
    long = [Big(seed).search().best for seed in BIG]
    assert [one is None for one in found] == [one is None for one in long]
    ratios = [one.fen / other.fen for one, other in zip(found, long, strict=True) if one and other]
    assert len(ratios) > len(BIG) // 3
    assert 1 <= mean(ratios) < 1.01


def test_a_stopped_search_is_improved_line_by_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """S1: what the steps did not reach is not left as it is, if one line elsewhere costs less."""
    improved = [one.fen for seed in BIG if (one := Big(seed).search().best)]
    monkeypatch.setattr(least_cost, "IMPROVING_STEPS", 0)
    left = [one.fen for seed in BIG if (one := Big(seed).search().best)]
    assert all(fen <= other for fen, other in zip(improved, left, strict=True))
    assert sum(improved) < sum(left)


@pytest.mark.parametrize(("lines", "units"), [(LINES, 3), (1, 99), (2, 20), (2, 60), (3, 30)])
def test_few_prices_are_asked_for_when_the_order_is_large(lines: int, units: int) -> None:
    """S1: what takes most of the time is bounded by counting, not by a clock."""
    asked: list[int] = []
    for seed in BIG:
        big = Big(seed, lines=lines, units=units)
        big.search()
        asked.append(sum(big.asked.values()))
    assert 20 < max(asked) <= 120


def test_a_cost_is_not_called_the_least_when_only_some_ways_were_looked_at() -> None:
    """S1: units by the dozen are shared out in a few ways; the plan says "the least known"."""
    few, many = ([Big(seed, lines=1, units=units).search() for seed in BIG] for units in (4, 99))
    assert all(one.proved for one in few if one.best)
    apart = [one for one in many if one.best and one.best.parcels > 1]
    assert apart
    assert not any(one.proved for one in apart)
