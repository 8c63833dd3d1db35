"""当时的商品 What items were at a log position: an order's goods count as when it was placed."""

from bisect import bisect_right
from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from application.depots import cargo_of
from domain.cargo import Cargo, together
from domain.catalogue import Terms

T = TypeVar("T")


class Steps(Generic[T]):
    """Values that hold from a place on, in the order of those places; `none` where none is."""

    def __init__(self, none: T) -> None:
        self._none = none
        self._from: list[Any] = []
        self._values: list[T] = []

    def add(self, start: Any, value: T) -> None:
        """From here on this value holds."""
        self._from.append(start)
        self._values.append(value)

    def at(self, place: Any) -> T:
        """What holds there; the first value before any, `none` where none is."""
        if not self._values:
            return self._none
        return self._values[max(0, bisect_right(self._from, place) - 1)]


class TermsThen:
    """Items' terms by log position."""

    def __init__(self) -> None:
        self._by_sku: dict[str, Steps[Terms | None]] = {}

    def add(self, sku: str, position: int, terms: Terms) -> None:
        """From this position on an item is so; called in the log's order."""
        self._by_sku.setdefault(sku, Steps(None)).add(position, terms)

    def cargo(self, skus: str, units: Mapping[int, int], position: int) -> Cargo:
        """So many units of each line of an order that was placed there (`skus`: of its lines)."""
        goods = []
        for line, sku in enumerate(skus.split(","), start=1):
            steps = self._by_sku.get(sku)
            if steps is not None and (terms := steps.at(position)) is not None:
                goods.append((cargo_of(terms), units.get(line, 0)))
        return together(goods)
