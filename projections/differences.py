"""What a verification found: places, and what is wrong there."""

from typing import NamedTuple

LIMIT = 50
"""Differences told of one kind of place; the others are counted."""


class Difference(NamedTuple):
    """One place where something is not as it has to be."""

    place: str
    what: str

    def __str__(self) -> str:
        return f"{self.place}: {self.what}"


class Findings:
    """Differences as they are found, bounded for each kind of place."""

    def __init__(self, limit: int = LIMIT) -> None:
        self.limit = limit
        self._told: dict[str, list[Difference]] = {}
        self._untold: dict[str, int] = {}

    def add(self, place: str, what: str) -> None:
        """Note a difference; a place begins with its kind: `log …`, `table orders, …`."""
        kind = place.partition(",")[0]
        if kind.startswith("log"):
            kind = "log"
        told = self._told.setdefault(kind, [])
        if len(told) < self.limit:
            told.append(Difference(place, what))
        else:
            self._untold[kind] = self._untold.get(kind, 0) + 1

    def note(self, place: str, what: str) -> None:
        """Say what follows from differences that were noted already."""
        self.add(place, what)

    def any_about(self, kind: str) -> bool:
        """Whether anything of this kind was found."""
        return kind in self._told

    def all(self) -> list[Difference]:
        """All that was found, and how much more there is."""
        more = [
            Difference(kind, f"and {count} more differences")
            for kind, count in self._untold.items()
        ]
        return [one for told in self._told.values() for one in told] + more
