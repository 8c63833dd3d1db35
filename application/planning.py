"""配送方案 Plans for an order's goods: warehouses, carriers and costs joined (S1, W3, W4, O6).

A plan depends on the state of warehouses, rate cards and lanes, on what is wanted and where to,
and on which warehouses have enough; most orders ask what another one asked before. So plans are
made once for a state, and remembered: an order pays for looking its plan up.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from application.depots import Depot, cargo_of
from application.streams import MALL, NETWORK, RATES, STOCK
from application.unit import Unit
from domain.cargo import together
from domain.carrier_choice import wanted_for
from domain.catalogue import DearestLane, Kind, Terms
from domain.countries import country_of, is_abroad
from domain.house_rules import HouseRules
from domain.order_facts import OrderLine
from domain.rate_cards import Offer, RateCards, Tariff, lane_key
from domain.rate_facts import LaneSettled, Service, Wanted
from domain.refusals import Refusal
from domain.regions import PROVINCES, REMOTE_PROVINCES
from domain.splitting import (
    Allocation,
    Demand,
    Plan,
    PlannedPart,
    Sending,
    TooManyParcels,
    plan_split,
)
from domain.stock import OutOfStock, stock_key
from domain.warehouses import Network, Warehouse

PLANS_KEPT: Final = 4_096


class Place:
    """Where parcels go, as far as prices depend on it; each of a planner's is there once."""

    __slots__ = ("city", "province")

    def __init__(self, province: str, city: str = "") -> None:
        self.province = province
        self.city = city
        """Empty unless a warehouse is in it and somebody asks less within a city."""


class Served:
    """An item and the warehouses that send it to a place; each of a planner's is there once."""

    __slots__ = ("cargo", "codes", "terms")

    def __init__(self, terms: Terms, codes: tuple[str, ...]) -> None:
        self.terms = terms
        self.cargo = cargo_of(terms)
        """One unit of it."""
        self.codes = codes
        """Near ones first; empty where nobody sends it."""


class Goods(NamedTuple):
    """Units of one line, and what each warehouse that may send them has of it."""

    line: int
    served: Served
    quantity: int
    there: tuple[int, ...]
    """Free units in the order of the codes; more than `quantity` counts as that."""


class Planned(NamedTuple):
    """A plan, and what follows from it."""

    plan: Plan
    legs: tuple[tuple[Warehouse, timedelta], ...]
    """The warehouse of each part and how long its carrier takes."""
    freight_fen: int
    """What the carriers ask for all parts."""
    learners_fen: int
    """What of that the learner pays, because items say so (rules.md 8)."""
    settling: tuple[LaneSettled, ...]
    """Lanes whose parcels go with another carrier from this order on (W4)."""


class Planner:
    """Plans for one state of the house: its warehouses, the tariff in force, and its lanes."""

    def __init__(
        self, network: Network, rates: RateCards, tariff: Tariff, rules: HouseRules
    ) -> None:
        self.network = network
        self.rules = rules
        self._tariff = tariff
        self._lanes = rates.lanes
        cities = tariff.knows_cities
        self._cities = {one.city for one in network.warehouses.values() if cities}
        self._places: dict[tuple[str, str], Place] = {}
        # By identity, which is cheaper than comparing; what is kept keeps its identity.
        self._serving: dict[tuple[Place, int], Served] = {}
        self._depots: dict[tuple[Place, str, Wanted], Depot] = {}
        self._plans: dict[tuple[Sequence[Goods], Place, int, bool], Planned | None] = {}

    def place(self, province: str, city: str | None) -> Place:
        """Where parcels go: a city only if it makes a difference."""
        key = (province, city if city and city in self._cities else "")
        known = self._places.get(key)
        if known is None:
            known = self._places[key] = Place(*key)
        return known

    def serving(self, place: Place, terms: Terms) -> Served:
        """Warehouses that keep and reach, with a carrier that takes a unit there (rules.md 9)."""
        served = self._serving.get((place, id(terms)))
        if served is None:
            codes = self.network.serving(
                place.province, terms.storage_class, weight_grams=terms.weight_grams
            )
            if self._tariff:
                unit = cargo_of(terms)
                codes = tuple(
                    [one for one in codes if self.depot(place, one, Wanted.ECONOMICAL).choice(unit)]
                )
            if len(self._serving) >= PLANS_KEPT:
                self._serving.clear()
            served = self._serving[place, id(terms)] = Served(terms, codes)
        return served

    @property
    def priced(self) -> bool:
        """Whether any rate card is in force: else nobody knows what a parcel costs."""
        return bool(self._tariff)

    def countries(self) -> dict[str, list[str]]:
        """Where anything can be sent to, apart from home, and the warehouses that send there (T7).

        A warehouse and a carrier go there; without rate cards the warehouse's word is enough.
        """
        found: dict[str, list[str]] = {}
        for code, one in sorted(self.network.warehouses.items()):
            reached = (each for each in one.serves if is_abroad(each) and self.carried(one, each))
            for country in {country_of(each) for each in reached}:
                found.setdefault(country, []).append(code)
        return found

    def carried(self, warehouse: Warehouse, region: str) -> bool:
        """Whether some rate card goes from a warehouse to a region; without cards nobody asks."""
        return not self._tariff or bool(self._offers(self.place(region, None), warehouse))

    def dearest(self, terms: Terms) -> DearestLane | None:
        """Where one unit of an item is sent dearest: by the cheapest warehouse of each province.

        None without rate cards, and for what nobody sends anywhere. Remote regions do not count,
        nor what the house leaves out: freight there would keep out nearly everything (rules.md 9).
        """
        unit = cargo_of(terms)
        lanes: list[DearestLane] = []
        for province in PROVINCES.values() if self._tariff else ():
            remote = province in REMOTE_PROVINCES or is_abroad(province)
            if remote or province in self.rules.excluded_regions:
                continue
            place = self.place(province, None)
            codes = self.serving(place, terms).codes
            depots = [self.depot(place, code, Wanted.ECONOMICAL) for code in codes]
            choices = [choice for one in depots if (choice := one.choice(unit)) is not None]
            if choices:
                cheapest = min(choices, key=lambda one: one.quote.fen)
                lanes.append(DearestLane(cheapest.quote.fen, province, cheapest.carrier))
        return max(lanes, default=None)

    def plan(
        self, goods: Sequence[Goods], place: Place, *, max_parts: int, urgent: bool
    ) -> Planned | None:
        """The plan for these goods; None: there is no way to send all of them."""
        key = (goods, place, max_parts, urgent)
        try:
            return self._plans[key]
        except KeyError:
            if len(self._plans) >= PLANS_KEPT:
                self._plans.clear()
            planned = self._plans[key] = self._made(
                goods, place, max_parts=max_parts, urgent=urgent
            )
            return planned

    def sending(
        self,
        units: Iterable[Allocation],
        terms: Mapping[int, Terms],
        place: Place,
        *,
        urgent: bool,
    ) -> Sending | None:
        """What the parcels of an order cost by now; `terms` are its lines', `units` all it sends.

        None: there are no rate cards.
        """
        if not self.priced:
            return None
        value = sum(
            terms[unit.line].market_value_fen * unit.quantity
            for unit in units
            if terms[unit.line].kind is Kind.PARCEL
        )
        wanted = wanted_for(urgent=urgent, value_fen=value, rules=self.rules)
        senders = {code: self.depot(place, code, wanted) for code in self.network.warehouses}
        return Sending(lambda line: cargo_of(terms[line]), senders)

    def _made(
        self, goods: Sequence[Goods], place: Place, *, max_parts: int, urgent: bool
    ) -> Planned | None:
        demands: list[Demand] = []
        free: dict[tuple[str, str], int] = {}
        for one in goods:
            codes = one.served.codes
            name = f"line {one.line}"
            demands.append(Demand(one.line, name, one.quantity, codes, one.served.cargo))
            free.update({(code, name): n for code, n in zip(codes, one.there, strict=True)})
        senders = None
        if self._tariff:
            value = sum(one.served.cargo.value_fen * one.quantity for one in goods)
            wanted = wanted_for(urgent=urgent, value_fen=value, rules=self.rules)
            named = dict.fromkeys(code for one in demands for code in one.warehouses)
            senders = {code: self.depot(place, code, wanted) for code in named}
        plan = plan_split(demands, free, max_parts=max_parts, senders=senders)
        if not isinstance(plan, Plan):
            return None
        by_line = {one.line: one.served.terms for one in goods}
        return Planned(
            plan,
            legs_of(plan.parts, self.network, region=place.province, rules=self.rules),
            sum(part.shipping.freight_fen for part in plan.parts if part.shipping),
            sum(learners_share(part, by_line) for part in plan.parts),
            tuple(self._settling(plan, place)),
        )

    def _settling(self, plan: Plan, place: Place) -> Iterable[LaneSettled]:
        """A lane's carrier is noted when it was another one, each lane once."""
        settled: dict[str, LaneSettled] = {}
        for part in plan.parts:
            if part.warehouse is None or part.shipping is None:
                continue
            carrier = part.shipping.carrier
            service = self._service(part, place)
            key = lane_key(part.warehouse, place.province, service)
            known = self._lanes.get(key)
            if known != carrier:
                settled[key] = LaneSettled(
                    warehouse=part.warehouse,
                    province=place.province,
                    service=service,
                    carrier=carrier,
                    instead_of=known,
                )
        return settled.values()

    def _service(self, part: PlannedPart, place: Place) -> Service:
        """Among which carriers a part's one was chosen."""
        assert part.warehouse is not None
        assert part.shipping is not None
        if part.shipping.wanted is Wanted.ECONOMICAL:
            return Service.ECONOMICAL
        offers = self._offers(place, self.network.named(part.warehouse))
        return next(one.service for one in offers if one.carrier == part.shipping.carrier)

    def _offers(self, place: Place, warehouse: Warehouse) -> tuple[Offer, ...]:
        same_city = bool(place.city) and (place.province, place.city) == (
            warehouse.province,
            warehouse.city,
        )
        return self._tariff.offers(warehouse.province, place.province, same_city=same_city)

    def depot(self, place: Place, code: str, wanted: Wanted) -> Depot:
        """A warehouse as the sender of such parcels to a place."""
        key = (place, code, wanted)
        depot = self._depots.get(key)
        if depot is None:
            warehouse = self.network.named(code)
            kept = {
                service: carrier
                for service in Service
                if (carrier := self._lanes.get(lane_key(code, place.province, service)))
            }
            depot = self._depots[key] = Depot(
                warehouse,
                self._offers(place, warehouse),
                wanted=wanted,
                kept=kept,
                rules=self.rules,
            )
        return depot


def goods_of(unit: Unit, planner: Planner, place: Place, line: OrderLine, terms: Terms) -> Goods:
    """A line's units with what the warehouses have of it that may send it there."""
    served = planner.serving(place, terms)
    sku, quantity = line.sku, line.quantity
    there: list[int] = []
    for code in served.codes:
        free = unit.read(STOCK, stock_key(code, sku)).offered
        there.append(min(quantity, free))
    return Goods(line.line, served, quantity, tuple(there))


def why_not(goods: Sequence[Goods], skus: Sequence[str], *, max_parts: int) -> list[Refusal]:
    """What stands against goods for which there is no plan: too little of them, or the parcels."""
    # Where there is too little, no warehouse has enough, so that nothing was cut off.
    short: list[Refusal] = [
        OutOfStock(sku=sku, wanted=one.quantity, free=sum(one.there))
        for one, sku in zip(goods, skus, strict=True)
        if sum(one.there) < one.quantity
    ]
    return short or [TooManyParcels(limit=max_parts)]


def nowhere_enough(unit: Unit, planner: Planner, lines: Iterable[OrderLine]) -> list[Refusal]:
    """What there is too little of in the whole house, wherever it were to be sent (O1)."""
    found: list[Refusal] = []
    for line in lines:
        keys = (stock_key(code, line.sku) for code in planner.network.warehouses)
        free = sum(unit.read(STOCK, key).offered for key in keys)
        if free < line.quantity:
            found.append(OutOfStock(sku=line.sku, wanted=line.quantity, free=free))
    return found


def legs_of(
    parts: Iterable[PlannedPart], network: Network, *, region: str, rules: HouseRules
) -> tuple[tuple[Warehouse, timedelta], ...]:
    """The warehouse of each part of goods, and how long its carrier takes (rules.md 10)."""
    usual = rules.travel_time(region)
    return tuple(
        [
            (
                network.named(part.warehouse),
                timedelta(hours=part.shipping.hours) if part.shipping else usual,
            )
            for part in parts
            if part.warehouse
        ]
    )


def planner_for(unit: Unit, *, rules: HouseRules) -> Planner:
    """The planner for what the house knows and has in force when the command happens."""
    network = unit.read(NETWORK, MALL)
    rates = unit.read(RATES, MALL)
    return planner_of(network, rates, unit.happened_at, rules=rules)


def planner_of(network: Network, rates: RateCards, when: datetime, *, rules: HouseRules) -> Planner:
    """The planner for these states at a moment; asked again, the same one."""
    tariff = rates.at(when, zone=rules.zone)
    known: Planner | None = rates.worked_out.get(tariff)
    if known is not None and known.network is network and known.rules is rules:
        return known
    planner = rates.worked_out[tariff] = Planner(network, rates, tariff, rules)
    return planner


def learners_share(part: PlannedPart, terms: Mapping[int, Terms]) -> int:
    """What of a part's freight the learner pays: the share by weight of such items (rules.md 8)."""
    if part.shipping is None:
        return 0
    paid, free = (
        together(
            (cargo_of(terms[unit.line]), unit.quantity)
            for unit in part.units
            if terms[unit.line].learner_pays_freight is who
        ).grams
        for who in (True, False)
    )
    if not paid + free:  # nobody said what they weigh: by units
        paid, free = (
            sum(u.quantity for u in part.units if terms[u.line].learner_pays_freight is who)
            for who in (True, False)
        )
    return part.shipping.freight_fen * paid // (paid + free)
