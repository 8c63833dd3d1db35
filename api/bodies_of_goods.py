"""What callers send about items, warehouses, stock and parcels (C1–C3, W1)."""

from datetime import time
from typing import Annotated

from pydantic import Field, StringConstraints

from api.bodies import (
    GRAMS_MAX,
    SHELF_MAX,
    Body,
    EnglishName,
    Fen,
    Grams,
    HappenedAt,
    Id,
    ItemSku,
    Millimetres,
    Points,
    Quantity,
    Whole,
    Why,
    Words,
)
from api.local_time import LocalTime
from api.shown.fields import example
from domain.catalogue import Terms
from domain.customs_terms import CustomsTerms
from domain.days import Moment
from domain.warehouses import Packing, Warehouse

SERVICE_HOURS_MAX = 8_760
"""Longest time to hand-over: a year."""
Place = Annotated[Id, Field(description="the warehouse's code")]
Units = Annotated[Quantity, Field(description="units")]


Picture = Annotated[
    str, StringConstraints(max_length=500, pattern=r"^(https?://[^\s/]|/[^/\s])[^\s]*$")
]
"""An address that browsers load pictures from, and run nothing of."""


class CustomsIn(CustomsTerms):
    """What an item is to customs; what is not known yet is asked for where it is declared."""

    english_name: EnglishName | None = Field(
        default=None, description="as customs are told what it is"
    )


class ItemIn(Terms):
    """An item: an upsert by its SKU (C1)."""

    model_config = example(
        sku="mug",
        name="搪瓷杯 Enamel mug",
        kind="parcel",
        points=200,
        market_value_fen=4_900,
        weight_grams=300,
        storage_class="metal",
        on_sale=True,
    )
    sku: ItemSku
    points: Points = Field(description="price in points per unit")
    cash_fen: Fen = Field(default=0, description="cash part of the price, fen per unit")
    market_value_fen: Fen = Field(
        description="what a unit costs elsewhere, fen: freight is measured by it"
    )
    pictures: tuple[Picture, ...] = Field(
        default=(), max_length=20, description="addresses of them: https, http, or a path of ours"
    )
    customs: CustomsIn | None = Field(
        default=None, description="what customs ask of it, for items that are sent abroad (T7)"
    )
    weight_grams: Grams = Field(default=0, description="of a unit, grams")
    size_millimetres: tuple[Millimetres, Millimetres, Millimetres] | None = Field(
        default=None, description="length, width, height of a unit"
    )
    sale_from: Moment | None = Field(default=None, description="not redeemed before")
    sale_until: Moment | None = Field(default=None, description="not redeemed from then on")
    limit_per_learner: Quantity | None = Field(
        default=None, description="units a learner may have; any number, if left out"
    )
    on_sale: bool = Field(default=True, description="whether learners may redeem it")


class PackingIn(Packing):
    """What packing costs for goods of one class."""

    fen: Fen = Field(description="packaging of one parcel with such goods")


class WarehouseIn(Warehouse):
    """A warehouse: an upsert by its code (C2)."""

    model_config = example(
        code="hunan",
        name="湖南仓",
        province="湖南省",
        city="长沙市",
        serves=["*"],
        stores=["paper", "general"],
        packaging_fen=150,
        handling_fen=100,
        cut_off="16:00",
        daily_capacity=1_000,
    )
    max_weight_grams: Annotated[Whole, Field(ge=1, le=GRAMS_MAX)] | None = Field(
        default=None, description="of a unit that it sends, grams; any, if left out"
    )
    packaging_fen: Fen = Field(default=0, description="packaging of one parcel")
    packs: tuple[PackingIn, ...] = Field(
        default=(),
        max_length=50,
        description="classes whose packaging costs something else; a parcel's dearest one counts",
    )
    handling_fen: Fen = Field(default=0, description="handling of one parcel")
    storage_fen_per_unit_month: Fen = Field(
        default=0, description="storage of one unit for a month, fen"
    )
    cut_off: LocalTime = Field(default=time(16), description="of the daily wave, time there")
    daily_capacity: Quantity = Field(default=1_000, description="parcels a day")
    service_hours: Annotated[Whole, Field(ge=1, le=SERVICE_HOURS_MAX)] = Field(
        default=24, description="from release to hand-over"
    )


class ReceiptIn(Body):
    """Goods that arrived (C3)."""

    model_config = example(sku="mug", warehouse="zhejiang", quantity=500, reference="PO-2026-11")
    sku: ItemSku
    warehouse: Place
    quantity: Units
    reference: Words = Field(default="by hand", description="the delivery note or purchase order")


class CountIn(Body):
    """What was counted on the shelf (C3)."""

    model_config = example(sku="mug", warehouse="zhejiang", counted=497, reason="yearly count")
    sku: ItemSku
    warehouse: Place
    counted: Annotated[Whole, Field(ge=0, le=SHELF_MAX)] = Field(
        description="units on the shelf that are promised to nobody"
    )
    reason: Why
    source: Words = Field(default="own count", description="who counted")


class ScrapIn(Body):
    """Free units thrown away (C3)."""

    model_config = example(sku="mug", warehouse="zhejiang", quantity=2, reason="chipped")
    sku: ItemSku
    warehouse: Place
    quantity: Units
    reason: Why


class TransferIn(Body):
    """Free units sent to another warehouse (C3)."""

    model_config = example(
        sku="mug", from_warehouse="zhejiang", to_warehouse="shaanxi", quantity=40
    )
    sku: ItemSku
    from_warehouse: Place
    to_warehouse: Place
    quantity: Units


class PackIn(Body):
    """A part's units, packed and weighed (W1)."""

    model_config = example(order="T261103A1B2C3D4E5F6", part=1, weight_grams=420)
    order: Id = Field(description="the order's number")
    part: Annotated[Whole, Field(ge=1, le=100, description="which part of the order")] = 1
    weight_grams: Annotated[Grams, Field(description="of the whole parcel; 0: not weighed")] = 0
    happened_at: HappenedAt = None


class WaybillIn(Body):
    """A carrier's number, put on by hand."""

    model_config = example(carrier="shunfeng", waybill="SF1000000001")
    carrier: Annotated[
        str, Field(pattern=r"^[a-z0-9]{2,40}$", description="its code as Kuaidi100 writes it")
    ]
    waybill: Annotated[
        str, Field(pattern=r"^[A-Za-z0-9-]{6,32}$", description="the carrier's number")
    ]
    reason: Words | None = Field(
        default=None, description="why, where another carrier takes it than was chosen (W4)"
    )
    happened_at: HappenedAt = None


class RenumberIn(Body):
    """The number that is really on a parcel that has left."""

    model_config = example(
        carrier="shunfeng", waybill="SF1000000002", reason="two digits were exchanged"
    )
    carrier: Annotated[
        str, Field(pattern=r"^[a-z0-9]{2,40}$", description="its code as Kuaidi100 writes it")
    ]
    waybill: Annotated[
        str, Field(pattern=r"^[A-Za-z0-9-]{6,32}$", description="the carrier's number")
    ]
    reason: Why


class HandOverIn(Body):
    """When the carrier took the parcel, if not now."""

    model_config = example(happened_at="2026-11-03T08:30:00Z")
    happened_at: HappenedAt = None


class SettleIn(Body):
    """What was done about pushes that could not be read."""

    model_config = example(reason="a test message of the carrier: nothing to do")
    reason: Why
