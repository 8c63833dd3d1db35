"""发货点 A warehouse as the sender of an order's parcels: carriers, prices, limits (W4, S1)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Final

from domain.cargo import Cargo
from domain.carrier_choice import Choice, choose, coming_into_question
from domain.catalogue import Sensitivity, Terms
from domain.house_rules import HouseRules
from domain.rate_cards import Offer
from domain.rate_facts import Service, Wanted
from domain.splits import Floor
from domain.splitting import Shipping
from domain.warehouses import Warehouse

CHOICES_KEPT: Final = 4_096


@lru_cache(maxsize=4_096)
def cargo_of(terms: Terms) -> Cargo:
    """One unit of an item, as carriers and packers see it."""
    size = terms.size_millimetres or (0, 0, 0)
    return Cargo(
        grams=terms.weight_grams,
        mm3=size[0] * size[1] * size[2],
        longest_mm=max(size),
        value_fen=terms.market_value_fen,
        fragile=Sensitivity.FRAGILE in terms.sensitive_to,
        packaging=frozenset((terms.packaging_class,)),
    )


def packed(goods: Cargo, *, rules: HouseRules) -> Cargo:
    """These goods as one parcel: its packaging weighs something, too (W3, W5)."""
    return goods._replace(grams=goods.grams + rules.packaging_grams)


class Depot:
    """A warehouse as the sender of parcels to one place (a `Sender` of `domain/splitting.py`)."""

    def __init__(
        self,
        warehouse: Warehouse,
        offers: tuple[Offer, ...],
        *,
        wanted: Wanted,
        kept: Mapping[Service, str],
        rules: HouseRules,
    ) -> None:
        self._warehouse = warehouse
        self._offers = offers
        self._wanted = wanted
        self._kept = kept
        self._rules = rules
        self._choices: dict[Cargo, Choice | None] = {}

    @cached_property
    def floor(self) -> Floor:
        """What parcels cost at least, by weight."""
        return _floor(
            self._warehouse,
            self._offers,
            self._wanted is not Wanted.ECONOMICAL,
            self._rules.packaging_grams,
        )

    def choice(self, cargo: Cargo) -> Choice | None:
        """Who takes these goods, packed; None: too heavy for the warehouse or for everybody."""
        if cargo not in self._choices:
            limit = self._warehouse.max_weight_grams
            parcel = packed(cargo, rules=self._rules)
            too_heavy = limit is not None and parcel.grams > limit
            if len(self._choices) >= CHOICES_KEPT:
                self._choices.clear()
            self._choices[cargo] = (
                None
                if too_heavy
                else choose(
                    self._offers, parcel, wanted=self._wanted, kept=self._kept, rules=self._rules
                )
            )
        return self._choices[cargo]

    def price(self, cargo: Cargo) -> int | None:
        """Freight, packaging and handling of one parcel; None: no such parcel is sent."""
        choice = self.choice(cargo)
        if choice is None:
            return None
        packaging = self._warehouse.packaging_for(cargo.packaging)
        return choice.quote.fen + packaging + self._warehouse.handling_fen

    def expected_fen(self, cargo: Cargo) -> int | None:
        """The price of one parcel, and what is expected to go wrong with it; None: none is sent."""
        choice, price = self.choice(cargo), self.price(cargo)
        if choice is None or price is None:
            return None
        return price - choice.quote.fen + choice.costs_fen[choice.carrier]

    def ship(self, cargo: Cargo) -> Shipping:
        """How that parcel is sent, which has a price."""
        choice = self.choice(cargo)
        assert choice is not None  # it has a price
        return Shipping(
            carrier=choice.carrier,
            freight_fen=choice.quote.fen,
            packaging_fen=self._warehouse.packaging_for(cargo.packaging),
            handling_fen=self._warehouse.handling_fen,
            chargeable_grams=choice.quote.chargeable_grams,
            hours=choice.hours,
            wanted=choice.wanted,
            why=choice.why,
            costs_fen=choice.costs_fen,
        )


@lru_cache(maxsize=1_024)
def _floor(
    warehouse: Warehouse, offers: tuple[Offer, ...], fast: bool, packaging_grams: int
) -> Floor:
    """What parcels from a warehouse cost at least, by their goods' weight or volume alone."""
    most = max((one.max_grams for one in offers), default=1)
    limit = min(most, warehouse.max_weight_grams or most)
    divisor = max((one.divisor for one in offers), default=1)
    bulks = sorted({limit, *(edge for one in offers for edge in one.edges() if edge < limit)})
    edges = sorted({max(0, edge - packaging_grams) for edge in bulks})
    packing = min([warehouse.packaging_fen, *(one.fen for one in warehouse.packs)])
    fixed = packing + warehouse.handling_fen

    def by_weight(grams: int) -> int:
        cargo = Cargo(grams=grams + packaging_grams)
        taking = [one for one in offers if one.takes(cargo)]
        _, able = coming_into_question(taking, Wanted.URGENT if fast else Wanted.ECONOMICAL)
        return fixed + _cheapest(able, cargo)

    def by_volume(grams: int) -> int:
        # By any carrier: which ones come into question is a matter of what a parcel really weighs.
        return fixed + _cheapest(offers, Cargo(mm3=grams * divisor))

    return Floor(_levels(edges, by_weight), divisor=divisor, bulky=_levels(bulks, by_volume))


def _cheapest(offers: Iterable[Offer], cargo: Cargo) -> int:
    quotes = [quote.fen for one in offers if (quote := one.quote(cargo)) is not None]
    return min(quotes, default=0)


def _levels(edges: Sequence[int], price: Callable[[int], int]) -> list[tuple[int, int]]:
    """Prices that hold up to some of these weights, ascending."""
    levels: list[tuple[int, int]] = []
    least: int | None = None
    # From the heaviest on: a lighter parcel's price is no floor if heavier ones cost less.
    for below, edge in reversed(list(zip([-1, *edges], edges, strict=False))):
        fen = price(below + 1)
        least = fen if least is None else min(least, fen)
        if levels and levels[-1][1] == least:
            continue  # one level with the one above
        levels.append((edge, least))
    return levels[::-1]
