"""拆单 Splitting: which warehouse sends which units, by which carrier, at what cost (S1, S3).

The plan with the least total cost (freight, packaging, handling) is searched for in
`least_cost.py`; where nobody knows what parcels cost, the one with the fewest parcels. Shape and
reasons of a plan are here: it is part of the order's first fact, so that anyone can see why.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import not_
from types import MappingProxyType
from typing import Annotated, Final, NamedTuple, Protocol

from pydantic import Field, NonNegativeInt, PositiveInt

from domain.cargo import Cargo, together
from domain.facts import AsText, Value
from domain.least_cost import search
from domain.rate_facts import Wanted, Why
from domain.refusals import Refusal
from domain.splits import ENDLESS, Counts, Floor, Source, Split

Free = Mapping[tuple[str, str], int]
"""Free units by (warehouse, sku)."""


class Allocation(Value):
    """Units of one order line in one part."""

    line: PositiveInt
    quantity: PositiveInt


class Shipping(Value):
    """How a part is sent, what that costs, and what other carriers would have cost (S1, W4)."""

    carrier: str = Field(description="code as Kuaidi100 writes it")
    freight_fen: NonNegativeInt = Field(description="quoted from the carrier's rate card")
    packaging_fen: NonNegativeInt
    handling_fen: NonNegativeInt
    chargeable_grams: NonNegativeInt = Field(description="weight, or volume over the divisor")
    hours: PositiveInt = Field(description="promised by the carrier, from hand-over to receipt")
    wanted: Annotated[Wanted, AsText] = Field(description="what mattered about the order's parcels")
    why: Annotated[Why, AsText] = Field(
        description="what decided between the carriers that came into question"
    )
    costs_fen: dict[str, int] = Field(
        description="of each carrier that serves the lane: quote and expected loss, damage, delay"
    )

    @property
    def total_fen(self) -> int:
        """What the part costs the house."""
        return self.freight_fen + self.packaging_fen + self.handling_fen


class PlannedPart(Value):
    """One sub-order: what one warehouse sends (or, without warehouse, the courses granted)."""

    part: PositiveInt
    warehouse: str | None = Field(description="None for a part of courses")
    units: tuple[Allocation, ...]
    shipping: Shipping | None = Field(
        default=None,
        exclude_if=not_,
        description="None: of courses, or the mall had no rate cards",
    )


class PlanCosts(Value):
    """What a plan and its alternatives cost: freight, packaging and handling of all parcels."""

    total_fen: NonNegativeInt
    alternatives_fen: tuple[NonNegativeInt, ...] = Field(
        description="the best split known from each of the plan's `alternatives`"
    )


class Plan(Value):
    """A split and why it was chosen over the others (S1)."""

    parts: tuple[PlannedPart, ...]
    chosen_for: str = Field(description="the criterion that decided")
    alternatives: tuple[tuple[str, ...], ...] = Field(
        default=(), description="other sets of warehouses that could have served, best first"
    )
    costs: PlanCosts | None = Field(
        default=None, exclude_if=not_, description="None: without rate cards"
    )


class Demand(NamedTuple):
    """Units of one line to be sent, of goods that `warehouses` may store and send there."""

    line: int
    sku: str
    quantity: int
    warehouses: Sequence[str]
    goods: Cargo = Cargo()
    """One unit of it."""


class Sender(Protocol):
    """What parcels from one warehouse to the order's recipient cost."""

    @property
    def floor(self) -> Floor:
        """What they cost at least, by weight."""

    def price(self, cargo: Cargo) -> int | None:
        """Freight, packaging and handling of one parcel; None: no such parcel is sent."""

    def ship(self, cargo: Cargo) -> Shipping:
        """How that parcel is sent, which has a price."""


class TooManyParcels(Refusal):
    """There is enough of everything, but in more places than one order is split into (rule 1)."""

    code = "too_many_parcels"
    en = "The goods would need more than {limit} parcels: order them apart."
    zh = "所需包裹超过 {limit} 个，请分开下单。"


@dataclass(frozen=True, slots=True)
class Shortage:
    """A demand no allowed set of warehouses can meet."""

    sku: str
    wanted: int
    free: int


class Sending(NamedTuple):
    """What an order's parcels are made of, and what they cost from each warehouse."""

    goods: Callable[[int], Cargo]
    """One unit of a line."""
    senders: Mapping[str, Sender]

    def cargo(self, units: Iterable[Allocation]) -> Cargo:
        """What a parcel with these units holds."""
        return together((self.goods(one.line), one.quantity) for one in units)

    def shipped(self, part: PlannedPart) -> PlannedPart:
        """A part with how it is sent now; as it is where nobody sends such a parcel."""
        sender = self.senders.get(part.warehouse) if part.warehouse else None
        cargo = self.cargo(part.units)
        if sender is None or sender.price(cargo) is None:
            return part
        return part.model_copy(update={"shipping": sender.ship(cargo)})


NONE_GOING: Final[Mapping[str, Cargo]] = MappingProxyType({})


def plan_split(
    demands: Sequence[Demand],
    free: Free,
    *,
    max_parts: int,
    senders: Mapping[str, Sender] | None = None,
    going: Mapping[str, Cargo] = NONE_GOING,
) -> Plan | list[Shortage]:
    """The split at the least total cost; without `senders`, the one with the fewest parcels.

    At equal cost fewer parcels, then fewer torn lines, then the warehouses that the demands name
    first. Never allocates more than is free, and allocates everything or nothing (S3). Without a
    plan: what is missing, or nothing where only `max_parts` or the weight of parcels stands
    against it.

    Parcels that are `going` anyhow, one from each of some warehouses, take more without counting
    as further ones; costs are then of these and the new ones together. They have a price.
    """
    assert len({demand.sku for demand in demands}) == len(demands)  # each has its own units
    codes = list(dict.fromkeys(code for one in demands for code in one.warehouses))
    sources = [
        _source(
            code,
            tuple([_there(demand, free, code) for demand in demands]),
            senders[code] if senders else None,
            going.get(code),
        )
        for code in codes
    ]
    quantities = tuple([demand.quantity for demand in demands])
    searched = search(
        quantities, [demand.goods for demand in demands], sources, max_parts=max_parts
    )
    best = searched.best
    if best is None:
        return _shortages(demands, free)
    others = searched.others
    if senders is None:
        chosen_for, costs = "fewest_parcels", None
        others = tuple([one for one in others if one.parcels == best.parcels])
    else:
        chosen_for = "least_cost" if searched.proved else "least_cost_known"
        known = sum([senders[code].price(cargo) or 0 for code, cargo in going.items()])
        fens = tuple([known + one.fen for one in others])
        costs = PlanCosts(total_fen=known + best.fen, alternatives_fen=fens)
    return Plan(
        parts=tuple(_parts(best, demands, senders)),
        chosen_for=chosen_for,
        alternatives=tuple([_codes(one) for one in others]),
        costs=costs,
    )


def _source(code: str, units: Counts, sender: Sender | None, going: Cargo | None) -> Source:
    """A warehouse as the search sees it: where a parcel is going, the difference is asked for."""
    if sender is None:  # nobody knows what parcels cost: each as much as any other
        parcels = 1 if going is None else 0
        return Source(code, units, Floor([(ENDLESS, parcels)]), lambda _: parcels, parcels)
    if going is None:
        return Source(code, units, sender.floor, sender.price)
    known = sender.price(going)
    assert known is not None  # the parcel has a price

    def more(cargo: Cargo) -> int | None:
        fen = sender.price(together([(going, 1), (cargo, 1)]))
        return None if fen is None else fen - known

    return Source(code, units, sender.floor.beyond(going, known), more, parcels=0)


def _there(demand: Demand, free: Free, code: str) -> int:
    if code not in demand.warehouses:
        return 0
    return max(0, min(demand.quantity, free.get((code, demand.sku), 0)))


def _shortages(demands: Sequence[Demand], free: Free) -> list[Shortage]:
    totals = [sum(free.get((c, d.sku), 0) for c in d.warehouses) for d in demands]
    return [
        Shortage(demand.sku, demand.quantity, total)
        for demand, total in zip(demands, totals, strict=True)
        if total < demand.quantity
    ]


def _codes(split: Split) -> tuple[str, ...]:
    return tuple([code for code, _ in split.shares])


def _parts(
    split: Split, demands: Sequence[Demand], senders: Mapping[str, Sender] | None
) -> list[PlannedPart]:
    return [
        PlannedPart(
            part=number,
            warehouse=code,
            units=tuple(
                [
                    Allocation(line=demand.line, quantity=units)
                    for demand, units in zip(demands, counts, strict=True)
                    if units
                ]
            ),
            shipping=senders[code].ship(_cargo(demands, counts)) if senders else None,
        )
        for number, (code, counts) in enumerate(split.shares, start=1)
    ]


def _cargo(demands: Sequence[Demand], counts: Counts) -> Cargo:
    return together(zip((demand.goods for demand in demands), counts, strict=True))
