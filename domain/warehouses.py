"""入仓 Warehouses: where goods wait, whom they can serve, and until when today (C2)."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import time
from operator import not_
from typing import Annotated, assert_never

from pydantic import Field

from domain.catalogue import StorageClass
from domain.countries import is_abroad
from domain.facts import Fact, NonNegativeInt, PositiveInt, Value
from domain.refusals import Refusal

EVERYWHERE = "*"


class Packing(Value):
    """What packing costs for goods of one class."""

    packaging_class: str = Field(max_length=40, description="as items name it")
    fen: NonNegativeInt = Field(description="packaging of one parcel with such goods")


class Office(Value):
    """Whom a warehouse's parcels come from and go back to: a business, not a person (A4)."""

    name: str = Field(min_length=1, max_length=40, description="as it is on labels")
    phone: str = Field(min_length=5, max_length=20, description="that carriers may call")
    address: str = Field(
        min_length=5, max_length=200, description="from the province to the street and number"
    )


class Warehouse(Value):
    """One warehouse, own or a third party's."""

    code: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$", description="what it is named by")
    name: str = Field(min_length=1, max_length=100, description="as staff read it")
    province: str = Field(description="its full name")
    city: str = Field(description="where goods start from")
    office: Office | None = Field(
        default=None, exclude_if=not_, description="where returns are sent to, and who sends (D3)"
    )
    serves: tuple[str, ...] = Field(
        description='provinces, or ("*",) for all of them; countries abroad by their codes'
    )
    stores: tuple[StorageClass, ...] = Field(default=(), description="empty = every class")
    third_party: bool = Field(default=False, description="run by somebody else")
    max_weight_grams: PositiveInt | None = Field(
        default=None, description="of a unit that it sends, grams; any, if left out"
    )
    packaging_fen: NonNegativeInt = Field(default=0, description="packaging of one parcel")
    packs: tuple[Packing, ...] = Field(
        default=(),
        max_length=50,
        exclude_if=not_,
        description="classes whose packaging costs something else; a parcel's dearest one counts",
    )
    handling_fen: NonNegativeInt = Field(default=0, description="handling of one parcel")
    storage_fen_per_unit_month: NonNegativeInt = Field(
        default=0, description="storage of one unit for a month, fen"
    )
    cut_off: time = Field(default=time(16, 0), description="warehouse time of the daily wave")
    daily_capacity: PositiveInt = Field(default=1_000, description="parcels a day")
    service_hours: PositiveInt = Field(default=24, description="from release to hand-over")

    def reaches(self, region: str) -> bool:
        """Whether this warehouse ships to the region (coverage, rules.md 9).

        Where customs are passed, only if it says so: everywhere is everywhere at home (T7).
        """
        return region in self.serves or (EVERYWHERE in self.serves and not is_abroad(region))

    def packaging_for(self, classes: Iterable[str]) -> int:
        """What a parcel with goods of these packaging classes costs to pack, in fen (S1)."""
        known = {one.packaging_class: one.fen for one in self.packs}
        return max((known.get(one, self.packaging_fen) for one in classes), default=0)

    def keeps(self, storage_class: StorageClass) -> bool:
        """Whether goods of this class may be stored here."""
        return not self.stores or storage_class in self.stores


class WarehouseOpened(Fact, name="warehouses.WarehouseOpened"):
    """A warehouse joined the network."""

    warehouse: Warehouse


class WarehouseRevised(Fact, name="warehouses.WarehouseRevised"):
    """A warehouse works on other terms from now on."""

    warehouse: Warehouse


NetworkFact = WarehouseOpened | WarehouseRevised


class WarehouseUnknown(Refusal):
    """No warehouse has this code."""

    code = "warehouse_unknown"
    en = "{warehouse} is not a warehouse of this mall."
    zh = "仓库 {warehouse} 不存在。"


class NotStoredHere(Refusal):
    """The warehouse cannot keep goods of this storage class (C2)."""

    code = "not_stored_here"
    en = "{warehouse} does not store {storage_class}."
    zh = "仓库 {warehouse} 不存放 {storage_class} 类商品。"


@dataclass(frozen=True, slots=True)
class Network:
    """All warehouses of the mall, together because a plan weighs them together."""

    warehouses: dict[str, Warehouse] = field(default_factory=dict)
    _serving: Annotated[
        dict[tuple[str, StorageClass], tuple[tuple[str, ...], float]], Field(exclude=True)
    ] = field(default_factory=dict, init=False, repr=False, compare=False)
    """Answers of `serving` and the weight all of them take: every order asks for them."""

    def open_or_revise(self, warehouse: Warehouse) -> list[NetworkFact]:
        """Upsert by code; an equal warehouse changes nothing."""
        known = self.warehouses.get(warehouse.code)
        if known is None:
            return [WarehouseOpened(warehouse=warehouse)]
        return [] if known == warehouse else [WarehouseRevised(warehouse=warehouse)]

    def serving(
        self, province: str, storage_class: StorageClass, *, weight_grams: int = 0
    ) -> tuple[str, ...]:
        """Warehouses that send such goods to the province: near first, then as opened (C2)."""
        known = self._serving.get((province, storage_class))
        if known is None:
            fitting = [
                one
                for one in self.warehouses.values()
                if one.reaches(province) and one.keeps(storage_class)
            ]
            fitting.sort(key=lambda one: one.province != province)
            takes = min((one.max_weight_grams or math.inf for one in fitting), default=math.inf)
            known = tuple(one.code for one in fitting), takes
            self._serving[province, storage_class] = known
        codes, taken_by_all = known
        if weight_grams <= taken_by_all:
            return codes
        limits = ((code, self.warehouses[code].max_weight_grams) for code in codes)
        return tuple(code for code, limit in limits if limit is None or weight_grams <= limit)

    def named(self, code: str) -> Warehouse:
        """The warehouse with this code."""
        try:
            return self.warehouses[code]
        except KeyError:
            raise WarehouseUnknown(warehouse=code) from None


def evolve(network: Network, fact: NetworkFact) -> Network:
    """The network after one more fact; warehouses stay in the order of their opening."""
    match fact:
        case WarehouseOpened(warehouse=warehouse) | WarehouseRevised(warehouse=warehouse):
            return Network({**network.warehouses, warehouse.code: warehouse})
        case _:
            assert_never(fact)
