"""同包 What several orders' parts need of the one parcel that they share (S4, W4, C2).

A carrier was chosen for each order's own parcels; together they are other cargo. So it is chosen
anew for all that is in the parcel, by the strictest wish among its orders, and the parcel says why.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from application.depots import cargo_of, packed
from application.planning import Place, Planner, planner_for
from application.streams import ITEM, MALL, NETWORK, ORDER
from application.unit import Unit
from domain.cargo import Cargo, together
from domain.carrier_choice import wanted_for
from domain.house_rules import HouseRules
from domain.order_facts import Upgrade
from domain.orders import Order
from domain.parcel_facts import Content
from domain.parcels import Parcel
from domain.rate_facts import Service, Wanted
from domain.refusals import NotPossible, Refusal
from domain.splitting import Allocation, Shipping

STRICTEST_FIRST = (Wanted.URGENT, Wanted.VALUABLE, Wanted.ECONOMICAL)


class ParcelTooHeavy(Refusal):
    """Together the parts weigh more than the warehouse sends, or the house merges (C2, S4)."""

    code = "parcel_too_heavy"
    en = "Together they weigh {grams} g; a parcel from {warehouse} has at most {limit_grams} g."
    zh = "合并后重 {grams} 克，超过 {warehouse} 单个包裹上限 {limit_grams} 克。"


class CountriesDiffer(Refusal):
    """The parts go to different countries: no parcel goes to both (C2, T7)."""

    code = "countries_differ"
    en = "The parcels go to different countries: {countries}."
    zh = "这些包裹寄往不同国家或地区：{countries}。"


class CarrierSlower(Refusal):
    """No fast carrier takes the parcel, though one takes some of its parts alone (W4)."""

    code = "carrier_slower"
    en = "Together they weigh {grams} g, which no fast carrier takes; apart, one does."
    zh = "合并后重 {grams} 克，没有快速承运商可承运；分开寄送则可以。"


class _Together(NamedTuple):
    """Parts of orders that go from one warehouse to one place."""

    orders: Sequence[Order]
    cargos: Sequence[Cargo]
    """What each part holds, in the same order."""
    wishes: Sequence[Wanted]
    """What matters about the parcels of each part's order."""

    @property
    def cargo(self) -> Cargo:
        """Everything."""
        return together((one, 1) for one in self.cargos)

    def wanted(self, rules: HouseRules) -> Wanted:
        """The strictest wish, of an order or of all that would be lost at once."""
        whole = wanted_for(urgent=False, value_fen=self.cargo.value_fen, rules=rules)
        return min((whole, *self.wishes), key=STRICTEST_FIRST.index)


def against_sharing(
    unit: Unit, contents: Sequence[Content], *, warehouse: str, rules: HouseRules
) -> Refusal | None:
    """Why these parts cannot be in one parcel, with the figures; None: they can (C2, S4, W4)."""
    found = _found(unit, contents, rules=rules)
    countries = {order.country for order in found.orders}
    if len(countries) > 1:
        return CountriesDiffer(countries=", ".join(sorted(countries)))
    terms = unit.read(NETWORK, MALL).named(warehouse)
    limit = min(rules.parcel_grams, terms.max_weight_grams or rules.parcel_grams)
    grams = packed(found.cargo, rules=rules).grams
    if grams > limit:
        return ParcelTooHeavy(grams=grams, limit_grams=limit, warehouse=warehouse)
    return _against_carriers(unit, found, warehouse=warehouse, rules=rules)


class AsOne(NamedTuple):
    """A parcel for several parts, beside what they would cost in parcels of their own."""

    shipping: Shipping
    fen: int
    """Freight, packaging, handling, and what is expected to go wrong (W4)."""
    apart_fen: int | None
    """The same of a parcel for each part; None: one of them would be sent by nobody alone."""


def shipping_together(
    unit: Unit, contents: Sequence[Content], *, warehouse: str, rules: HouseRules
) -> AsOne | None:
    """How a parcel with all of these parts is sent, why so, and what it saves (S4, W4).

    None: one part alone is sent as its order's plan says, and nobody is chosen without rate cards
    or where no carrier takes such a parcel.
    """
    planner = planner_for(unit, rules=rules)
    if len(contents) < 2 or not planner.priced:
        return None
    found = _found(unit, contents, rules=rules)
    place = _place(planner, found)
    depot = planner.depot(place, warehouse, found.wanted(rules))
    fen = depot.expected_fen(found.cargo)
    if fen is None:
        return None
    alone = [
        planner.depot(place, warehouse, wanted).expected_fen(cargo)
        for cargo, wanted in zip(found.cargos, found.wishes, strict=True)
    ]
    known = [one for one in alone if one is not None]
    apart = sum(known) if len(known) == len(alone) else None
    return AsOne(depot.ship(found.cargo), fen, apart)


def chosen_carriers(unit: Unit, parcel: Parcel) -> list[str]:
    """Who was chosen for a parcel, or for the parts in it; nobody without rate cards.

    Several only where parcels were merged before the house chose for them as one.
    """
    if parcel.shipping is not None:
        return [parcel.shipping.carrier]
    found: dict[str, None] = {}
    for content in parcel.contents:
        part = unit.read(ORDER, content.order).part(content.part)
        if part is not None and part.carrier is not None:
            found[part.carrier] = None
    return list(found)


def _against_carriers(
    unit: Unit, found: _Together, *, warehouse: str, rules: HouseRules
) -> Refusal | None:
    planner = planner_for(unit, rules=rules)
    if not planner.priced:
        return None
    place = _place(planner, found)
    choice = planner.depot(place, warehouse, found.wanted(rules)).choice(found.cargo)
    grams = packed(found.cargo, rules=rules).grams
    if choice is None:
        return NotPossible(action="merge", why=f"no carrier takes a parcel of {grams} g there")
    alone = [
        planner.depot(place, warehouse, wanted).choice(cargo)
        for cargo, wanted in zip(found.cargos, found.wishes, strict=True)
    ]
    fast = any(one is not None and one.service is Service.FAST for one in alone)
    return CarrierSlower(grams=grams) if fast and choice.service is not Service.FAST else None


def _place(planner: Planner, found: _Together) -> Place:
    going = found.orders[0].destination
    assert going is not None  # goods go somewhere
    return planner.place(going.region, going.city)


def _found(unit: Unit, contents: Sequence[Content], *, rules: HouseRules) -> _Together:
    orders = [unit.read(ORDER, one.order) for one in contents]
    found = [(order, order.part(one.part)) for order, one in zip(orders, contents, strict=True)]
    return _Together(
        orders,
        [_cargo(unit, order, part.units if part else ()) for order, part in found],
        [_wish(unit, order, rules=rules) for order in orders],
    )


def _wish(unit: Unit, order: Order, *, rules: HouseRules) -> Wanted:
    """What matters about an order's parcels, as when it was planned."""
    goods = [units for part in order.parts if part.warehouse for units in part.units]
    value = _cargo(unit, order, goods).value_fen
    return wanted_for(urgent=order.upgrade is Upgrade.EXPRESS, value_fen=value, rules=rules)


def _cargo(unit: Unit, order: Order, units: Iterable[Allocation]) -> Cargo:
    goods = []
    for one in units:
        terms = unit.read(ITEM, order.line(one.line).sku).terms
        assert terms is not None  # it was ordered
        goods.append((cargo_of(terms), one.quantity))
    return together(goods)
