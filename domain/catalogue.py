"""商品 Items of the mall: what a learner may redeem, and on which terms (C1)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from operator import not_
from typing import NamedTuple, assert_never

from pydantic import AwareDatetime, Field

from domain.customs_terms import CustomsTerms
from domain.facts import Fact, NonNegativeInt, PositiveInt, Value
from domain.house_rules import HouseRules
from domain.refusals import InvalidRequest, Refusal


class Kind(StrEnum):
    """How an item reaches its learner."""

    PARCEL = "parcel"
    COURSE = "course"


class StorageClass(StrEnum):
    """What a warehouse must be able to keep (C1)."""

    PAPER = "paper"
    METAL = "metal"
    STONE = "stone"
    WOOD = "wood"
    RATTAN = "rattan"
    GENERAL = "general"


class Sensitivity(StrEnum):
    """What harms an item on its way (C1)."""

    FRAGILE = "fragile"
    MOISTURE = "moisture"
    DRYNESS = "dryness"
    HEAT = "heat"
    FROST = "frost"
    CORROSION = "corrosion"


class Terms(Value):
    """Everything that describes an item, apart from whether it is on sale."""

    name: str = Field(min_length=1, max_length=200, description="as learners read it")
    kind: Kind
    points: NonNegativeInt = Field(description="price in points per unit")
    cash_fen: NonNegativeInt = Field(default=0, description="cash part of the price, fen per unit")
    market_value_fen: NonNegativeInt = Field(
        description="what a unit costs elsewhere, fen: freight is measured by it"
    )
    specification: str = Field(default="", max_length=200, description="size, colour, edition")
    unit: str = Field(default="件", max_length=20, description="unit of sale")
    pictures: tuple[str, ...] = Field(default=(), max_length=20, description="addresses of them")
    weight_grams: NonNegativeInt = Field(default=0, description="of a unit, grams")
    size_millimetres: tuple[PositiveInt, PositiveInt, PositiveInt] | None = Field(
        default=None, description="length, width, height of a unit"
    )
    material: str = Field(default="", max_length=100, description="in words")
    storage_class: StorageClass = StorageClass.GENERAL
    sensitive_to: tuple[Sensitivity, ...] = ()
    packaging_class: str = Field(
        default="standard", max_length=40, description="how it has to be packed"
    )
    limit_per_learner: PositiveInt | None = Field(
        default=None, description="units a learner may have; any number, if left out"
    )
    sale_from: AwareDatetime | None = Field(default=None, description="not redeemed before")
    sale_until: AwareDatetime | None = Field(default=None, description="not redeemed from then on")
    seat_quota: bool = Field(default=False, description="a course with counted seats (rules.md 7)")
    learner_pays_freight: bool = Field(
        default=False, exclude_if=not_, description="else the mall does (rules.md 8)"
    )
    customs: CustomsTerms | None = Field(
        default=None,
        exclude_if=lambda terms: terms is None,
        description="what customs ask of it, for items that are sent abroad (T7)",
    )
    freight_override: str | None = Field(
        default=None, max_length=200, description="why it is sold although freight is dear"
    )

    def __hash__(self) -> int:
        """Cheap, because every order asks for it; what differs only elsewhere is told by `==`."""
        return self.points + (self.weight_grams << 32)


class ItemListed(Fact, name="catalogue.ItemListed"):
    """An item entered the mall; it is not on sale yet."""

    terms: Terms
    freight_fen: NonNegativeInt = Field(description="the freight estimate the rule was checked on")


class ItemRevised(Fact, name="catalogue.ItemRevised"):
    """An item's terms changed; orders keep the terms they were placed on."""

    terms: Terms
    freight_fen: NonNegativeInt


class ItemPutOnSale(Fact, name="catalogue.ItemPutOnSale"):
    """Learners may redeem the item from now on."""


class ItemTakenOffSale(Fact, name="catalogue.ItemTakenOffSale"):
    """Learners may no longer redeem the item."""


ItemFact = ItemListed | ItemRevised | ItemPutOnSale | ItemTakenOffSale


class FreightTooDear(Refusal):
    """Too heavy or too big for the mall: freight exceeds its share of the value (C1)."""

    code = "freight_too_dear"
    en = "Freight of {freight_fen} fen is over {percent} % of the value of {market_value_fen} fen."
    zh = "运费 {freight_fen} 分超过市场价 {market_value_fen} 分的 {percent}%。"


class FreightTooDearThere(FreightTooDear):
    """The same, by the rate cards: where it is sent dearest (rules.md 9)."""

    en = (
        "Freight of {freight_fen} fen to {province} by {carrier} is over {percent} % of the value"
        " of {market_value_fen} fen."
    )
    zh = (
        "寄往{province}({carrier})的运费 {freight_fen} 分"
        "超过市场价 {market_value_fen} 分的 {percent}%。"
    )


class DearestLane(NamedTuple):
    """What one unit's freight comes to at most, of all the provinces that it can be sent to."""

    fen: int
    province: str
    carrier: str


class ItemUnknown(Refusal):
    """No item has this SKU."""

    code = "item_unknown"
    en = "{sku} is not an item of this mall."
    zh = "商品 {sku} 不存在。"


class NotOnSale(Refusal):
    """The item is off sale or outside its sale window (O1)."""

    code = "not_on_sale"
    en = "{sku} is not on sale now."
    zh = "商品 {sku} 当前未上架。"


class PriceChanged(Refusal):
    """The caller saw another price than the item has now (contract.md: `points_expected`)."""

    code = "price_changed"
    en = "{sku} costs {points} points now, not {expected}."
    zh = "商品 {sku} 现价 {points} 积分，并非 {expected} 积分。"


class LimitReached(Refusal):
    """The learner's limit for this item would be exceeded (rules.md 12)."""

    code = "limit_reached"
    en = "{sku}: at most {limit} per learner, {taken} taken already."
    zh = "商品 {sku} 每人限 {limit} 件，已兑换 {taken} 件。"


def freight_estimate_fen(weight_grams: int, size_millimetres: tuple[int, int, int] | None) -> int:
    """A plain parcel rate where there are no rate cards: 8 yuan the first kg, 2 each further kg.

    The chargeable weight is the greater of actual weight and volume over 6,000 cm³/kg.
    """
    grams = weight_grams
    if size_millimetres:
        length, width, height = size_millimetres
        grams = max(grams, -(-length * width * height // 6_000))
    further_kg = max(0, -(-grams // 1_000) - 1)
    return 800 + 200 * further_kg


@dataclass(frozen=True, slots=True)
class Item:
    """What placing an order needs to know of an item."""

    terms: Terms | None = None
    on_sale: bool = False
    offered: bool = False
    """Whether it was ever on sale, so that somebody may have it."""

    def list_or_revise(
        self,
        terms: Terms,
        *,
        on_sale: bool,
        rules: HouseRules,
        dearest: DearestLane | None = None,
    ) -> list[ItemFact]:
        """Upsert by SKU: the facts that lead from what is to what is wanted, none if equal.

        Goods whose freight is over its share of their value are refused, unless the terms say why
        not (C1; rules.md 9): by the dearest lane, or by an estimate where no rate cards are.
        What was on sale stays goods or a course: somebody may have it.
        """
        begins, ends = terms.sale_from, terms.sale_until
        if begins is not None and ends is not None and begins >= ends:
            raise InvalidRequest(field="sale_until", reason="is not after sale_from")
        if self.offered and self.terms is not None and self.terms.kind is not terms.kind:
            raise InvalidRequest(field="kind", reason=f"it was on sale as {self.terms.kind}")
        freight = 0
        if terms.kind is Kind.PARCEL:
            freight = freight_estimate_fen(terms.weight_grams, terms.size_millimetres)
            if dearest is not None:
                freight = dearest.fen
            limit = terms.market_value_fen * rules.max_freight_share_percent
            if freight * 100 > limit and not terms.freight_override:
                figures = {
                    "freight_fen": freight,
                    "percent": rules.max_freight_share_percent,
                    "market_value_fen": terms.market_value_fen,
                }
                if dearest is None:
                    raise FreightTooDear(**figures)
                raise FreightTooDearThere(
                    **figures, province=dearest.province, carrier=dearest.carrier
                )
        facts: list[ItemFact] = []
        if self.terms is None:
            facts.append(ItemListed(terms=terms, freight_fen=freight))
        elif self.terms != terms:
            facts.append(ItemRevised(terms=terms, freight_fen=freight))
        if on_sale != self.on_sale:
            facts.append(ItemPutOnSale() if on_sale else ItemTakenOffSale())
        return facts

    def sale_failures(
        self, quantity: int, *, sku: str, taken: int, expected: int | None, when: datetime
    ) -> list[Refusal]:
        """Every reason of the catalogue against redeeming `quantity` of this item (O1)."""
        terms = self.terms
        if terms is None:
            return [ItemUnknown(sku=sku)]
        failures: list[Refusal] = []
        if (
            not self.on_sale
            or (terms.sale_from is not None and when < terms.sale_from)
            or (terms.sale_until is not None and when >= terms.sale_until)
        ):
            failures.append(NotOnSale(sku=sku))
        if expected is not None and expected != terms.points:
            failures.append(PriceChanged(sku=sku, points=terms.points, expected=expected))
        limit = terms.limit_per_learner
        if limit is not None and taken + quantity > limit:
            failures.append(LimitReached(sku=sku, limit=limit, taken=taken))
        return failures


def evolve(item: Item, fact: ItemFact) -> Item:
    """The item after one more fact."""
    match fact:
        case ItemListed(terms=terms) | ItemRevised(terms=terms):
            return Item(terms, item.on_sale, item.offered)
        case ItemPutOnSale():
            return Item(item.terms, on_sale=True, offered=True)
        case ItemTakenOffSale():
            return Item(item.terms, on_sale=False, offered=item.offered)
        case _:
            assert_never(fact)
