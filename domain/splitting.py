"""拆单 Splitting: which warehouse sends which units (S1, S3), here by fewest parcels.

Costs (freight, packaging, handling) join in with the rate cards; the shape of a plan, recorded
in the order's first fact, has room for them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import NamedTuple

from pydantic import Field, PositiveInt

from domain.facts import Value
from domain.refusals import Refusal

Free = Mapping[tuple[str, str], int]
"""Free units by (warehouse, sku)."""

Shares = tuple[tuple[str, tuple[tuple[int, int], ...]], ...]
"""What each warehouse sends: (warehouse, ((line, quantity), …))."""


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


class TooManyParcels(Refusal):
    """There is enough of everything, but in more places than one order is split into (rule 1)."""

    code = "too_many_parcels"
    en = "The goods would need more than {limit} parcels: order them apart."
    zh = "所需包裹超过 {limit} 个,请分开下单。"


@dataclass(frozen=True, slots=True)
class Shortage:
    """A demand no allowed set of warehouses can meet."""

    sku: str
    wanted: int
    free: int


def plan_split(demands: Sequence[Demand], free: Free, *, max_parts: int) -> Plan | list[Shortage]:
    """The split with the fewest parcels; among those the one that tears the fewest lines.

    Remaining ties go to the warehouses the demands name first. Never allocates more than is free,
    and allocates everything or nothing (S3). Sets of up to `max_parts` warehouses are searched
    smallest first. Without a plan: what is missing, or nothing where only `max_parts` stands
    against it.
    """
    preferred = demands[0].warehouses if demands else ()
    if len(demands) > 1:
        assert len({demand.sku for demand in demands}) == len(demands)  # each has its own units
        preferred = list(dict.fromkeys([code for one in demands for code in one.warehouses]))
    alone = _serving_alone(demands, free, preferred) if max_parts else []
    if alone:
        units = tuple([(demand.line, demand.quantity) for demand in demands])
        return _plan(((alone[0], units),), tuple([(code,) for code in alone[1:4]]))
    for size in range(2, max_parts + 1):
        fitting = [
            chosen for chosen in combinations(preferred, size) if _fits(demands, free, chosen)
        ]
        if fitting:
            if len(fitting) > 1:
                fitting.sort(key=lambda chosen: _pieces(demands, free, chosen))
            return _plan(_allocate(demands, free, fitting[0]), tuple(fitting[1:4]))
    return _shortages(demands, free)


def _serving_alone(demands: Sequence[Demand], free: Free, preferred: Sequence[str]) -> list[str]:
    able: list[str] = []
    for code in preferred:
        for demand in demands:
            if code not in demand.warehouses or free.get((code, demand.sku), 0) < demand.quantity:
                break
        else:
            able.append(code)
    return able


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
    totals = [sum(free.get((c, d.sku), 0) for c in d.warehouses) for d in demands]
    return [
        Shortage(demand.sku, demand.quantity, total)
        for demand, total in zip(demands, totals, strict=True)
        if total < demand.quantity
    ]


def _sources(demand: Demand, free: Free, chosen: Sequence[str]) -> Sequence[str]:
    """The fewest of the chosen warehouses that can serve a line; in their order, first ones first.

    A line that one of them can serve alone is not torn apart.
    """
    usable = [code for code in chosen if code in demand.warehouses]
    for size in range(1, len(usable)):
        for codes in combinations(usable, size):
            if sum(free.get((code, demand.sku), 0) for code in codes) >= demand.quantity:
                return codes
    return usable


def _pieces(demands: Sequence[Demand], free: Free, chosen: Sequence[str]) -> int:
    return sum(len(_sources(demand, free, chosen)) for demand in demands)


def _allocate(demands: Sequence[Demand], free: Free, chosen: Sequence[str]) -> Shares:
    """Fill the demands from the chosen warehouses, in their order, as whole as possible."""
    units: dict[str, list[tuple[int, int]]] = {code: [] for code in chosen}
    for demand in demands:
        missing = demand.quantity
        for code in _sources(demand, free, chosen):
            taken = min(missing, free.get((code, demand.sku), 0))
            if taken:
                units[code].append((demand.line, taken))
                missing -= taken
    return tuple([(code, tuple(taken)) for code, taken in units.items() if taken])


# Most orders are one unit of one line: their plans are equal, and made once.
@lru_cache(maxsize=1024)
def _plan(shares: Shares, alternatives: tuple[tuple[str, ...], ...]) -> Plan:
    parts = [
        PlannedPart(
            part=number,
            warehouse=code,
            units=tuple(Allocation(line=line, quantity=quantity) for line, quantity in units),
        )
        for number, (code, units) in enumerate(shares, start=1)
    ]
    return Plan(parts=tuple(parts), chosen_for="fewest_parcels", alternatives=alternatives)
