"""What a benchmark is: a name, a floor and a goal, and two things that are measured in turn."""

import statistics
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from tests.bench.mall import Arena

ROUNDS = 3
"""Both sides are measured this often, one after the other, and their medians compared."""


@dataclass(frozen=True, slots=True)
class Measured:
    """The medians of both sides, and how much of theirs ours is."""

    ours: float
    theirs: float
    ratio: float


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One line of the table."""

    name: str
    what: str
    unit: str
    floor: float
    goal: float
    run: Callable[[Arena], Awaitable[Measured]]

    def line(self, measured: Measured) -> dict[str, Any]:
        """The line as `tallypost bench --json` prints it (contract.md)."""
        return {
            "name": self.name,
            "ratio": round(measured.ratio, 3),
            "floor": self.floor,
            "goal": self.goal,
            "unit": self.unit,
            "ours": round(measured.ours, 2),
            "theirs": round(measured.theirs, 2),
        }


TABLE: dict[str, Benchmark] = {}
"""Every benchmark by its name, in the order of design.md."""

Run = Callable[[Arena], Awaitable[Measured]]


def benchmark(
    name: str, what: str, *, unit: str, floor: float, goal: float
) -> Callable[[Run], Run]:
    """Put the decorated coroutine into the table."""

    def register(run: Run) -> Run:
        TABLE[name] = Benchmark(name, what, unit, floor, goal, run)
        return run

    return register


async def interleaved(
    ours: Callable[[], Awaitable[float]], theirs: Callable[[], Awaitable[float]]
) -> Measured:
    """Measure both sides in turn, so that a slow minute of the machine slows both."""
    mine: list[float] = []
    other: list[float] = []
    for _ in range(ROUNDS):
        mine.append(await ours())
        other.append(await theirs())
    our_median, their_median = statistics.median(mine), statistics.median(other)
    return Measured(our_median, their_median, our_median / their_median)
