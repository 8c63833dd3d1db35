"""What readers get of items, stock and warehouses: for the API's description alone (C1–C3)."""

from pydantic import BaseModel, Field

from api.local_time import LocalTime
from api.shown.fields import ItemSku, Next, ParcelNumber, example
from domain.catalogue import Terms
from domain.warehouses import Warehouse


class ShelfOut(BaseModel):
    """Units of an item in one warehouse."""

    warehouse: str = Field(description="the warehouse's code; `seats` for a course's seats")
    free: int = Field(
        description="units promised to nobody; below zero: fewer are there than are promised"
    )
    reserved: int = Field(description="units promised to orders")
    picked: int = Field(description="units picked so far, whatever became of them since")
    withheld: int = Field(description="units not for sale: a third party says they are not there")


_ITEM = {
    "sku": "enamel-mug",
    "name": "搪瓷杯",
    "kind": "parcel",
    "points": 480,
    "market_value_fen": 4_900,
    "weight_grams": 300,
    "storage_class": "metal",
    "on_sale": True,
    "available": 120,
}


class ItemOut(Terms):
    """An item of the catalogue (C1)."""

    model_config = example(**_ITEM)
    sku: ItemSku
    on_sale: bool = Field(description="whether learners may redeem it")
    available: int | None = Field(description="free units or seats; null where none are counted")
    stock: list[ShelfOut] | None = Field(default=None, description="for staff")


class ItemsOut(BaseModel):
    """A page of the catalogue, by SKU."""

    model_config = example(items=[_ITEM], next=None)
    items: list[ItemOut] = Field(description="by SKU")
    next: Next


class WarehouseOut(Warehouse):
    """A warehouse with its terms (C2)."""

    cut_off: LocalTime = Field(description="of the daily wave, time there")


class WarehousesOut(BaseModel):
    """All warehouses with their terms (C2)."""

    model_config = example(
        warehouses=[
            {
                "code": "zhejiang",
                "name": "浙江仓",
                "province": "浙江省",
                "city": "杭州市",
                "serves": ["*"],
                "stores": ["stone", "general"],
                "packaging_fen": 100,
                "handling_fen": 100,
                "cut_off": "16:00:00",
                "daily_capacity": 1_000,
                "service_hours": 24,
            }
        ]
    )
    warehouses: list[WarehouseOut] = Field(description="by code")


class CallbackOut(BaseModel):
    """Where a carrier's pushes about a parcel go, and what they are signed with."""

    model_config = example(
        parcel="T261103A1B2C3D4E5F6-P1",
        callback_url="https://mall.example/v1/callbacks/kuaidi100/T261103A1B2C3D4E5F6-P1.f00dbabe",
        salt="b1946ac92492d2347c6235b4d2611184",
    )
    parcel: ParcelNumber
    callback_url: str = Field(description="this parcel's own address")
    salt: str = Field(description="what its pushes are signed with: a secret")
