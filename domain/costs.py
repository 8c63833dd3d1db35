"""成本 What sending orders cost, and what came back, beside their value (W6).

Freight, packaging and handling are what the plan was quoted at, until a partner's bill says what
they came to; freight of a parcel that went with another carrier than planned is what that one's
rate card asks. Storage is what the warehouse's terms ask for the days that the units lay there, the
oldest ones leaving first. A way back is the mall's where the mall is at fault (rules.md 28);
what it refused it sends to its learner again.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple

from domain.order_facts import Units
from domain.stock import (
    StockAdjusted,
    StockFact,
    StockPicked,
    StockPutBack,
    StockReceived,
    StockReturned,
    StockScrapped,
    StockTransferredOut,
)

MONTH: Final = timedelta(days=30)
"""What a storage price by the month is for."""

By = Literal["order", "warehouse", "carrier", "channel"]
KINDS: Final = ("freight", "packaging", "handling", "storage", "way_back", "sent_again")
FreightIs = Literal["billed", "quoted", "planned"]
"""What a figure of freight is: a carrier's bill, the quote of the carrier that went, or the plan's
quote of another one, because nobody knows what the one that went asks."""


class PartSent(NamedTuple):
    """A part that was handed over, and what it cost, in fen."""

    order: str
    part: int
    parcel: str
    warehouse: str
    carrier: str
    channel: str
    value: int
    freight: int
    packaging: int
    handling: int
    storage: int
    way_back: int
    """What the mall bears of what came back of it."""
    sent_again: int
    """What it cost to send refused goods of it to their learner again."""
    freight_is: FreightIs
    planned_carrier: str
    """Empty: none was planned, because there were no rate cards."""
    planned: int
    """What the plan was quoted for freight."""

    @property
    def total(self) -> int:
        """What it cost the house to send, and to have back."""
        return sum(getattr(self, name) for name in KINDS)

    @property
    def rerouted(self) -> bool:
        """Whether it went with another carrier than planned (W4)."""
        return self.planned_carrier not in ("", self.carrier)


class Costs(NamedTuple):
    """What several parts cost together, in fen."""

    key: str
    orders: int
    parcels: int
    parts: int
    billed: int
    """Parts whose freight a bill told."""
    rerouted: int
    """Parts that went with another carrier than planned."""
    planned: int
    """What the plans were quoted for freight."""
    value: int
    freight: int
    packaging: int
    handling: int
    storage: int
    way_back: int
    sent_again: int

    @property
    def total(self) -> int:
        """What they cost the house to send, and to have back."""
        return sum(getattr(self, name) for name in KINDS)

    @property
    def permille(self) -> int | None:
        """The costs against the goods' market value; None: they are worth nothing."""
        return round(1_000 * self.total / self.value) if self.value else None


def together(parts: Iterable[PartSent], *, by: By | None) -> list[Costs]:
    """Parts summed up by what they have in common, the dearest first; None: all in one sum."""
    groups: dict[str, list[PartSent]] = {}
    for one in parts:
        groups.setdefault("" if by is None else getattr(one, by), []).append(one)
    costs = [_sum(key, some) for key, some in groups.items()]
    return sorted(costs, key=lambda one: (-one.total, one.key))


def _sum(key: str, parts: Sequence[PartSent]) -> Costs:
    return Costs(
        key,
        len({one.order for one in parts}),
        len({one.parcel for one in parts}),
        len(parts),
        sum(one.freight_is == "billed" for one in parts),
        sum(one.rerouted for one in parts),
        sum(one.planned for one in parts),
        *(sum(getattr(one, name) for one in parts) for name in ("value", *KINDS)),
    )


def shared(fen: int, weights: Sequence[int]) -> list[int]:
    """An amount over parts by their weights, whole fen that add up to it (largest remainder).

    Equal shares where nothing weighs anything; what is left goes to the earlier ones first.
    """
    weights = weights if sum(weights) else [1] * len(weights)
    whole = sum(weights)
    shares = [fen * weight // whole for weight in weights]
    order = sorted(range(len(weights)), key=lambda at: (-(fen * weights[at] % whole), at))
    for at in order[: fen - sum(shares)]:
        shares[at] += 1
    return shares


def units_of(goods: str) -> dict[int, int]:
    """Units by line, as a row of costs keeps them: `1:2,3:1`."""
    pairs = (one.split(":") for one in goods.split(",") if one)
    return {int(line): int(units) for line, units in pairs}


def by_line(goods: Iterable[Units]) -> dict[int, int]:
    """Units by line, of all parts."""
    found: dict[int, int] = {}
    for one in goods:
        found[one.line] = found.get(one.line, 0) + one.quantity
    return found


class Lay(NamedTuple):
    """How long units of a part lay before they were picked."""

    order: str
    part: int
    picked_at: datetime
    time: timedelta
    """Of all units together."""


def lay_times(moments: Iterable[tuple[datetime, StockFact]]) -> list[Lay]:
    """How long an item's units lay there until each part's were picked: first in, first out.

    Takes the shelf's facts in their order. Units that nobody knows to have come lay no time.
    """
    shelf: deque[tuple[datetime, int]] = deque()
    lays: list[Lay] = []
    for at, fact in moments:
        match fact:
            case StockReceived() | StockPutBack() | StockReturned():
                shelf.append((at, fact.quantity))
            case StockAdjusted(difference=units) if units > 0:
                shelf.append((at, units))
            case StockAdjusted(difference=units):
                _taken(shelf, -units, at)
            case StockScrapped() | StockTransferredOut():
                _taken(shelf, fact.quantity, at)
            case StockPicked():
                time = _taken(shelf, fact.quantity, at)
                lays.append(Lay(fact.order, fact.part, at, time))
            case _:
                pass  # a promise moves nothing
    return lays


def _taken(shelf: deque[tuple[datetime, int]], units: int, at: datetime) -> timedelta:
    """Take the oldest units; returns how long they lay, all together."""
    time = timedelta()
    while units and shelf:
        since, there = shelf.popleft()
        taken = min(units, there)
        time += max(at - since, timedelta()) * taken
        units -= taken
        if there > taken:
            shelf.appendleft((since, there - taken))
    return time


def storage_fen(time: timedelta, fen_a_month: int) -> int:
    """What it costs that units lay so long together, rounded to the fen."""
    return round(time / MONTH * fen_a_month)


Price = Callable[[datetime], int]


def storage_by_part(lays: Iterable[Lay], price: Price) -> Mapping[tuple[str, int], int]:
    """Storage of each (order, part), at the price when it was picked."""
    costs: dict[tuple[str, int], int] = {}
    for one in lays:
        key = (one.order, one.part)
        costs[key] = costs.get(key, 0) + storage_fen(one.time, price(one.picked_at))
    return costs
