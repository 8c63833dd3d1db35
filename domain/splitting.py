"""拆单 Splitting: which warehouse sends which units (S1, S3), here by fewest parcels.

Costs (freight, packaging, handling) join in with the rate cards; the shape of a plan, recorded
in the order's first fact, has room for them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

from pydantic import Field, PositiveInt

from domain.facts import Value

Free = Mapping[tuple[str, str], int]
"""Free units by (warehouse, sku)."""


class Allocation(Value):
    """Units of one order line in one part."""

    line: PositiveInt
    quantity: PositiveInt


class PlannedPart(Value):
    """One sub-order: what one warehouse sends (or, without warehouse, the courses granted)."""

    part: PositiveInt
    warehouse: str | None = Field(description="None for a part of courses")
    units: tuple[Allocation, ...]


class Plan(Value):
    """A split and why it was chosen over the others (S1)."""

    parts: tuple[PlannedPart, ...]
    chosen_for: str = Field(description="the criterion that decided")
    alternatives: tuple[tuple[str, ...], ...] = Field(
        default=(), description="other sets of warehouses that could have served, best first"
    )


class Demand(NamedTuple):
    """Units of one line to be sent, of goods that `warehouses` may store and send there."""

    line: int
    sku: str
    quantity: int
    warehouses: Sequence[str]


@dataclass(frozen=True, slots=True)
class Shortage:
    """A demand no allowed set of warehouses can meet."""

    sku: str
    wanted: int
    free: int


def plan_split(demands: Sequence[Demand], free: Free, *, max_parts: int) -> Plan | list[Shortage]:
    """The split with the fewest parcels; ties go to the warehouses the demands name first.

    Never allocates more than is free, and allocates everything or nothing (S3). Sets of up
    to `max_parts` warehouses are searched smallest first, so the first that fits is the best.
    """
    preferred = list(dict.fromkeys(code for demand in demands for code in demand.warehouses))
    for size in range(1, max_parts + 1):
        fitting = [
            chosen for chosen in combinations(preferred, size) if _fits(demands, free, chosen)
        ]
        if fitting:
            return Plan(
                parts=_allocate(demands, free, fitting[0]),
                chosen_for="fewest_parcels",
                alternatives=tuple(fitting[1:4]),
            )
    return _shortages(demands, free)


def _fits(demands: Sequence[Demand], free: Free, chosen: Sequence[str]) -> bool:
    for demand in demands:
        missing = demand.quantity
        for code in chosen:
            if code in demand.warehouses:
                missing -= free.get((code, demand.sku), 0)
        if missing > 0:
            return False
    return True


def _shortages(demands: Sequence[Demand], free: Free) -> list[Shortage]:
    """What is missing; where nothing is but too many parcels were needed, the best of each."""
    totals = [sum(free.get((c, d.sku), 0) for c in d.warehouses) for d in demands]
    missing = [
        Shortage(demand.sku, demand.quantity, total)
        for demand, total in zip(demands, totals, strict=True)
        if total < demand.quantity
    ]
    return missing or [
        Shortage(d.sku, d.quantity, max(free.get((c, d.sku), 0) for c in d.warehouses))
        for d in demands
    ]


def _allocate(
    demands: Sequence[Demand], free: Free, chosen: Sequence[str]
) -> tuple[PlannedPart, ...]:
    """Fill the demands from the chosen warehouses, in their order, as whole as possible.

    A line that one warehouse can serve alone is not torn apart: it goes to the first that can.
    """
    left = {key: units for key, units in free.items() if key[0] in chosen}
    units: dict[str, list[Allocation]] = {code: [] for code in chosen}
    for demand in demands:
        usable = [code for code in chosen if code in demand.warehouses]
        whole = [code for code in usable if left.get((code, demand.sku), 0) >= demand.quantity]
        missing = demand.quantity
        for code in whole[:1] or usable:
            taken = min(missing, left.get((code, demand.sku), 0))
            if taken:
                units[code].append(Allocation(line=demand.line, quantity=taken))
                left[code, demand.sku] -= taken
                missing -= taken
    used = [(code, allocated) for code, allocated in units.items() if allocated]
    return tuple(
        PlannedPart(part=number, warehouse=code, units=tuple(allocated))
        for number, (code, allocated) in enumerate(used, start=1)
    )
