"""假设配送 Orders planned once more under another rule, beside how they went (M6; S1, W4)."""

import heapq
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, cast

from application.envelope import Envelope
from application.planning import Goods, Planned, Planner, legs_of, planner_of
from application.streams import ITEM, NETWORK, RATES, STOCK
from domain.catalogue import Item, ItemFact, Kind, Terms
from domain.house_rules import HouseRules
from domain.order_facts import OrderPlaced, Upgrade
from domain.promising import promised_by
from domain.rate_cards import RateCards
from domain.rate_facts import LaneSettled, RateCard, RateCardPublished, RateFact
from domain.splitting import PlannedPart
from domain.stock import StockFact, StockReceived, StockReleased, StockReserved
from domain.stock import evolve as stock_evolve
from domain.warehouses import Network, NetworkFact, Warehouse, WarehouseRevised
from projections.what_if_period import ALWAYS, Period

EXAMPLES = 20
"""Orders that are shown one by one: those that would differ most."""
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)

Place = tuple[str, str]
"""A warehouse's code and a SKU."""


class _Way(NamedTuple):
    """How an order's goods go."""

    parts: Sequence[PlannedPart]
    promised: datetime

    @property
    def fen(self) -> int | None:
        """What it costs the house; None where nobody knows."""
        costs = [part.shipping.total_fen if part.shipping else None for part in self.parts]
        return None if None in costs else sum(cast("list[int]", costs))

    def told(self) -> list[dict[str, Any]]:
        """Parcel by parcel."""
        return [
            {
                "warehouse": part.warehouse,
                "carrier": part.shipping.carrier if part.shipping else None,
                "units": sum(unit.quantity for unit in part.units),
                "fen": part.shipping.total_fen if part.shipping else None,
            }
            for part in self.parts
        ]


class _Tally:
    """What many ways come to."""

    def __init__(self) -> None:
        self.parcels = 0
        self.freight_fen = self.packaging_fen = self.handling_fen = 0
        self.time = timedelta()
        self.by_warehouse: Counter[str] = Counter()
        self.by_carrier: Counter[str] = Counter()

    def add(self, way: _Way, *, placed_at: datetime, priced: bool) -> None:
        """Count one order; what it costs only where both ways have a price."""
        self.time += way.promised - placed_at
        for part in way.parts:
            self.parcels += 1
            self.by_warehouse[part.warehouse or ""] += 1
            shipping = part.shipping
            if shipping is not None:
                self.by_carrier[shipping.carrier] += 1
                if priced:
                    self.freight_fen += shipping.freight_fen
                    self.packaging_fen += shipping.packaging_fen
                    self.handling_fen += shipping.handling_fen

    def told(self, orders: int) -> dict[str, Any]:
        """The sums, and how long an order took to be promised on average."""
        return {
            "parcels": self.parcels,
            "freight_fen": self.freight_fen,
            "packaging_fen": self.packaging_fen,
            "handling_fen": self.handling_fen,
            "total_fen": self.freight_fen + self.packaging_fen + self.handling_fen,
            "promised_hours": round(self.time / timedelta(hours=1) / orders, 2) if orders else None,
            "by_warehouse": dict(sorted(self.by_warehouse.items())),
            "by_carrier": dict(sorted(self.by_carrier.items())),
        }


class _World:
    """Warehouses, prices and figures as they are, or as they would be."""

    def __init__(self, rules: HouseRules) -> None:
        self.rules = rules
        self.network: Network = NETWORK.initial
        self.rates: RateCards = RATES.initial

    def planner(self, when: datetime) -> Planner:
        """Plans on what this world knows at a moment."""
        return planner_of(self.network, self.rates, when, rules=self.rules)


class Deliveries:
    """Follows the log with two worlds: what was, and what would have been."""

    def __init__(
        self,
        *,
        rules: HouseRules,
        changed: HouseRules,
        rate_cards: Sequence[RateCard],
        warehouses: Sequence[Warehouse],
        placement: Mapping[str, Mapping[str, int]],
        period: Period = ALWAYS,
    ) -> None:
        self._was, self._would = _World(rules), _World(changed)
        self._period = period
        self._placement = placement
        self._own_rates = {card.carrier for card in rate_cards}
        self._own_warehouses = {one.code for one in warehouses}
        for card in rate_cards:
            early = card.model_copy(update={"effective_from": BEGINNING})
            self._would.rates = RATES.evolve(self._would.rates, RateCardPublished(card=early))
        for one in warehouses:
            fact = WarehouseRevised(warehouse=one)
            self._would.network = NETWORK.evolve(self._would.network, fact)
        self._items: dict[str, Item] = {}
        self._free: Counter[Place] = Counter()
        """What would be free; what was, the log's own plans have seen to."""
        self._reserving: list[tuple[str, Place, int]] = []
        """Reservations of the commit that is being read: (order, place, units)."""
        self._command = ""
        self._taken: dict[str, list[tuple[Place, int]]] = {}
        """What each order would have reserved."""
        self._let_go: defaultdict[tuple[str, str], list[Place]] = defaultdict(list)
        """By order and SKU: where released units would have been, to be taken there again."""
        self._orders = self._unpriced = self._differing = 0
        self._impossible: list[str] = []
        self._tallies = (_Tally(), _Tally())
        self._examples: list[tuple[int, str, dict[str, Any]]] = []

    def apply(self, envelope: Envelope) -> None:
        """Follow one event."""
        if envelope.context.command != self._command:
            self._reserve_as_it_was()
            self._command = envelope.context.command
        fact = envelope.fact
        match envelope.category:
            case "item":
                known = self._items.get(envelope.key, ITEM.initial)
                self._items[envelope.key] = ITEM.evolve(known, cast("ItemFact", fact))
            case "network":
                self._warehouse(cast("NetworkFact", fact))
            case "rates":
                self._rate(cast("RateFact", fact), envelope.happened_at)
            case "stock":
                warehouse, _, sku = envelope.key.partition(":")
                self._stock((warehouse, sku), cast("StockFact", fact), envelope.happened_at)
            case "order" if isinstance(fact, OrderPlaced):
                self._placed(envelope.key, fact, envelope.happened_at)

    def _warehouse(self, fact: NetworkFact) -> None:
        self._was.network = NETWORK.evolve(self._was.network, fact)
        if fact.warehouse.code not in self._own_warehouses:
            self._would.network = NETWORK.evolve(self._would.network, fact)

    def _rate(self, fact: RateFact, when: datetime) -> None:
        self._was.rates = RATES.evolve(self._was.rates, fact)
        own = isinstance(fact, RateCardPublished) and fact.card.carrier in self._own_rates
        # Whose a lane is follows from this world's own plans, once there are any.
        planned = isinstance(fact, LaneSettled) and self._period.covers(when)
        if not own and not planned:
            self._would.rates = RATES.evolve(self._would.rates, fact)

    def _stock(self, place: Place, fact: StockFact, when: datetime) -> None:
        placed = place[1] in self._placement and self._period.covers(when)
        match fact:
            case StockReserved(order=order, quantity=units):
                if order in self._taken:
                    self._take_again(order, place, units)
                else:
                    self._reserving.append((order, place, units))
            case StockReleased(order=order, quantity=units) if order in self._taken:
                self._let_go_of(order, place[1], units)
            case StockReceived(quantity=units) if placed:
                for code, share in _shared(units, self._placement[place[1]]):
                    self._free[code, place[1]] += share
            case _:
                self._free[place] += stock_evolve(STOCK.initial, fact).free

    def _take_again(self, order: str, place: Place, units: int) -> None:
        """A plan was made anew: what it let go of is taken where it would have been."""
        again = self._let_go[order, place[1]]
        for _ in range(units):
            here = again.pop() if again else place
            self._free[here] -= 1
            self._taken[order].append((here, 1))

    def _let_go_of(self, order: str, sku: str, units: int) -> None:
        left: list[tuple[Place, int]] = []
        for here, there in reversed(self._taken[order]):
            gone = min(units, there) if here[1] == sku else 0
            units -= gone
            self._free[here] += gone
            self._let_go[order, sku] += [here] * gone
            if there > gone:
                left.append((here, there - gone))
        self._taken[order] = left[::-1]

    def _reserve_as_it_was(self) -> None:
        """What was reserved for something else than an order that was placed."""
        for _, place, units in self._reserving:
            self._free[place] -= units
        self._reserving = []

    def _placed(self, number: str, fact: OrderPlaced, when: datetime) -> None:
        self._taken[number] = []
        mine = [(place, units) for order, place, units in self._reserving if order == number]
        self._reserving = [one for one in self._reserving if one[0] != number]
        terms = {line.line: self._items[line.sku].terms for line in fact.lines}
        parts = [part for part in fact.plan.parts if part.warehouse]
        outside = not self._period.covers(when)
        if outside or not parts or fact.destination is None:
            for place, units in mine:  # a course's seats, or an order that does not count
                self._free[place] -= units
            self._taken[number] = mine if outside else []
            return
        planned = self._plan(fact, cast("dict[int, Terms]", terms), when)
        if planned is None:
            self._impossible.append(number)
            return
        skus = {line.line: line.sku for line in fact.lines}
        for part in planned.plan.parts:
            for unit in part.units:
                place = (part.warehouse or "", skus[unit.line])
                self._free[place] -= unit.quantity
                self._taken[number].append((place, unit.quantity))
        for settled in planned.settling:
            self._would.rates = RATES.evolve(self._would.rates, settled)
        was = self._as_it_was(fact, parts, cast("dict[int, Terms]", terms), when)
        urgent = fact.upgrade is Upgrade.EXPRESS
        promise = promised_by(planned.legs, when=when, rules=self._would.rules, urgent=urgent)
        would = _Way(planned.plan.parts, promise)
        self._compare(number, when, was, would)

    def _plan(
        self, fact: OrderPlaced, terms: Mapping[int, Terms], when: datetime
    ) -> Planned | None:
        assert fact.destination is not None
        planner = self._would.planner(when)
        place = planner.place(fact.destination.region, fact.destination.city)
        goods: list[Goods] = []
        for line in fact.lines:
            if line.kind is not Kind.PARCEL:
                continue
            served = planner.serving(place, terms[line.line])
            there = [
                min(line.quantity, max(0, self._free[code, line.sku])) for code in served.codes
            ]
            goods.append(Goods(line.line, served, line.quantity, tuple(there)))
        courses = any(line.kind is Kind.COURSE for line in fact.lines)
        return planner.plan(
            tuple(goods),
            place,
            max_parts=self._would.rules.max_parts - courses,
            urgent=fact.upgrade is Upgrade.EXPRESS,
        )

    def _as_it_was(
        self,
        fact: OrderPlaced,
        parts: Sequence[PlannedPart],
        terms: Mapping[int, Terms],
        when: datetime,
    ) -> _Way:
        """The recorded plan; what it costs by the prices of then, if it did not say."""
        assert fact.destination is not None
        planner = self._was.planner(when)
        urgent = fact.upgrade is Upgrade.EXPRESS
        if any(part.shipping is None for part in parts):
            place = planner.place(fact.destination.region, fact.destination.city)
            units = [unit for part in parts for unit in part.units]
            sending = planner.sending(units, terms, place, urgent=urgent)
            parts = [sending.shipped(part) if sending else part for part in parts]
        legs = legs_of(
            parts, self._was.network, region=fact.destination.region, rules=self._was.rules
        )
        return _Way(parts, promised_by(legs, when=when, rules=self._was.rules, urgent=urgent))

    def _compare(self, number: str, when: datetime, was: _Way, would: _Way) -> None:
        self._orders += 1
        priced = was.fen is not None and would.fen is not None
        self._unpriced += not priced
        for tally, way in zip(self._tallies, (was, would), strict=True):
            tally.add(way, placed_at=when, priced=priced)
        if was.told() == would.told():
            return
        self._differing += 1
        by = abs((would.fen or 0) - (was.fen or 0)) if priced else 0
        example = {"order": number, "was": was.told(), "would_be": would.told()}
        heapq.heappush(self._examples, (by, number, example))
        if len(self._examples) > EXAMPLES:
            heapq.heappop(self._examples)

    def answer(self) -> dict[str, Any]:
        """What the log comes to in both worlds."""
        was, would = (tally.told(self._orders) for tally in self._tallies)
        return {
            "orders": self._orders,
            "differing": self._differing,
            "impossible": len(self._impossible),
            "impossible_orders": self._impossible[:EXAMPLES],
            "unpriced": self._unpriced,
            "was": was,
            "would_be": would,
            "examples": [one for _, _, one in sorted(self._examples, reverse=True)],
        }


def _shared(units: int, shares: Mapping[str, int]) -> list[tuple[str, int]]:
    """Units by percentages that add up to 100; what is left over goes to the largest remainders."""
    whole = {code: units * share // 100 for code, share in shares.items()}
    rest = sorted(shares, key=lambda code: (-(units * shares[code] % 100), code))
    for code in rest[: units - sum(whole.values())]:
        whole[code] += 1
    return list(whole.items())
