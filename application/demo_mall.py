"""演示商城 The demo mall: three warehouses, a few goods and courses, two learners (C2)."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from application import pricing, stocking
from application.demo_rates import CARDS
from application.envelope import Context
from application.granting import Grant, grant_command
from application.redeeming import SEATS
from application.store import Store
from application.streams import ITEM, MALL, NETWORK, RATES
from application.unit import Command, Unit
from domain.catalogue import Kind, Sensitivity, StorageClass, Terms
from domain.house_rules import HouseRules
from domain.point_facts import Reason
from domain.warehouses import EVERYWHERE, Office, Warehouse

LEARNERS = ("lin", "chen")
WELCOME_POINTS = 5_000

WAREHOUSES = (
    Warehouse(
        code="zhejiang",
        name="浙江仓",
        province="浙江省",
        city="杭州市",
        office=Office(
            name="积分商城浙江仓",
            phone="0571-88000001",
            address="浙江省杭州市余杭区仓前街道示范路 8 号 1 号库",
        ),
        serves=(EVERYWHERE,),
        stores=(StorageClass.STONE, StorageClass.GENERAL, StorageClass.PAPER),
        packaging_fen=150,
        handling_fen=200,
        storage_fen_per_unit_month=20,
    ),
    Warehouse(
        code="henan",
        name="河南仓",
        province="河南省",
        city="郑州市",
        office=Office(
            name="积分商城河南仓",
            phone="0371-66000002",
            address="河南省郑州市中牟县物流园示范路 16 号 2 号库",
        ),
        serves=(EVERYWHERE,),
        stores=(StorageClass.WOOD, StorageClass.RATTAN, StorageClass.GENERAL),
        max_weight_grams=10_000,
        packaging_fen=200,
        handling_fen=180,
        storage_fen_per_unit_month=15,
    ),
    Warehouse(
        code="shaanxi",
        name="陕西仓",
        province="陕西省",
        city="西安市",
        office=Office(
            name="积分商城陕西仓",
            phone="029-88000003",
            address="陕西省西安市未央区仓储示范路 9 号 3 号库",
        ),
        serves=(EVERYWHERE,),
        stores=(StorageClass.PAPER, StorageClass.METAL, StorageClass.GENERAL),
        packaging_fen=450,
        handling_fen=260,
        storage_fen_per_unit_month=25,
    ),
)


def _goods(name: str, points: int, yuan: int, grams: int, kept: StorageClass, **more: Any) -> Terms:
    return Terms(
        name=name,
        kind=Kind.PARCEL,
        points=points,
        market_value_fen=yuan * 100,
        weight_grams=grams,
        storage_class=kept,
        **more,
    )


ITEMS: dict[str, Terms] = {
    "enamel-mug": _goods(
        "搪瓷杯 Enamel mug", 480, 59, 320, StorageClass.METAL, specification="350 ml, 白"
    ),
    "ink-stone": _goods(
        "端砚 Ink stone",
        2_600,
        398,
        1_800,
        StorageClass.STONE,
        sensitive_to=(Sensitivity.FRAGILE,),
        packaging_class="fragile",
        limit_per_learner=1,
    ),
    "walnut-bookend": _goods(
        "胡桃木书立 Walnut bookends",
        900,
        128,
        950,
        StorageClass.WOOD,
        specification="一对",
        sensitive_to=(Sensitivity.MOISTURE,),
    ),
    "rattan-basket": _goods(
        "藤编收纳篮 Rattan basket",
        760,
        99,
        600,
        StorageClass.RATTAN,
        size_millimetres=(260, 180, 140),
    ),
    "notebook": _goods(
        "线装笔记本 Thread-bound notebook",
        260,
        49,
        280,
        StorageClass.PAPER,
        specification="A5, 160 页",
        sensitive_to=(Sensitivity.MOISTURE,),
    ),
    "desk-lamp": _goods(
        "护眼台灯 Desk lamp", 1_880, 269, 1_400, StorageClass.GENERAL, specification="4000 K"
    ),
    "tea-set": _goods(
        "旅行茶具 Travel tea set",
        1_200,
        168,
        900,
        StorageClass.GENERAL,
        cash_fen=1_900,
        sensitive_to=(Sensitivity.FRAGILE,),
    ),
    "python-course": Terms(
        name="Python 进阶课 Python, further",
        kind=Kind.COURSE,
        points=800,
        market_value_fen=19_900,
        specification="12 周",
        unit="席",
    ),
    "writing-workshop": Terms(
        name="写作工作坊 Writing workshop",
        kind=Kind.COURSE,
        points=1_500,
        market_value_fen=29_900,
        specification="线下,限席",
        unit="席",
        seat_quota=True,
    ),
}

SHELVES: tuple[tuple[str, str, int], ...] = (
    ("enamel-mug", "shaanxi", 120),
    ("ink-stone", "zhejiang", 20),
    ("walnut-bookend", "henan", 60),
    ("rattan-basket", "henan", 45),
    ("notebook", "zhejiang", 80),
    ("notebook", "shaanxi", 150),
    ("desk-lamp", "zhejiang", 25),
    ("desk-lamp", "henan", 25),
    ("tea-set", "zhejiang", 30),
    ("writing-workshop", SEATS, 12),
)


async def open_demo_mall(store: Store, rules: HouseRules) -> None:
    """Fill an empty mall; done again it changes nothing."""

    def command(key: str, decide: Callable[[Unit], dict[str, Any]], *streams: str) -> Command:
        return Command(
            principal="policy:demo",
            key=key,
            digest=hashlib.sha256(key.encode()).digest(),
            context=Context(actor="policy:demo", command=key, reason="the demo mall"),
            decide=decide,
            streams=streams,
        )

    for warehouse in WAREHOUSES:
        await store.execute(
            command(
                f"demo-warehouse-{warehouse.code}",
                lambda unit, one=warehouse: stocking.put_warehouse(unit, warehouse=one),  # type: ignore[misc]
                NETWORK.stream(MALL),
            )
        )
    for card in CARDS:
        await store.execute(
            command(
                f"demo-rates-{card.carrier}",
                lambda unit, card=card: pricing.publish_rate_card(unit, card=card),  # type: ignore[misc]
                RATES.stream(MALL),
            )
        )
    for sku, plain in ITEMS.items():
        terms = pictured(sku, plain)
        await store.execute(
            command(
                f"demo-item-{sku}",
                lambda unit, sku=sku, terms=terms: stocking.put_item(  # type: ignore[misc]
                    unit, sku=sku, terms=terms, on_sale=True, rules=rules
                ),
                ITEM.stream(sku),
            )
        )
    for sku, code, quantity in SHELVES:
        await store.execute(
            command(
                f"demo-stock-{code}-{sku}",
                lambda unit, sku=sku, code=code, quantity=quantity: stocking.receive_stock(  # type: ignore[misc]
                    unit, sku=sku, warehouse=code, quantity=quantity, reference="opening stock"
                ),
            )
        )
    context = Context(actor="policy:demo", command="demo-grants", reason="welcome")
    for learner in LEARNERS:
        expiring = Grant(
            learner,
            600,
            Reason.TASK,
            "demo-streak",
            expires_at=month_end(store.clock(), zone=rules.zone),
        )
        lasting = Grant(learner, WELCOME_POINTS, Reason.COURSE_COMPLETED, "demo-course")
        for grant in (expiring, lasting):
            await store.execute_all([grant_command(grant, context)])  # refused where it stands


def pictured(sku: str, terms: Terms) -> Terms:
    """The item with its picture, as the pages of this service have it."""
    return terms.model_copy(update={"pictures": (f"/static/items/{sku}.svg",)})


def month_end(now: datetime, *, zone: ZoneInfo) -> datetime:
    """End of next month where the mall is: soon enough to be shown as expiring (rules.md 15)."""
    months = now.astimezone(zone).year * 12 + now.astimezone(zone).month + 1
    return datetime(months // 12, months % 12 + 1, 1, tzinfo=zone).astimezone(UTC)
