"""演示运价 Rate cards of the demo mall (W3): round figures made up as examples, nobody's contract.

Zones as couriers draw them: the warehouse's own province, its neighbours, the rest of the country,
what is far, and the remote regions, which few serve.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

from domain.rate_facts import (
    ANYWHERE,
    Lane,
    Rate,
    RateCard,
    Risk,
    Service,
    Surcharge,
    SurchargeKind,
    Tier,
)

SINCE: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""Before any order, also those that are imported."""

NEIGHBOURS: Final[Mapping[str, tuple[str, ...]]] = {
    "浙江省": ("上海市", "江苏省", "安徽省", "福建省", "江西省"),
    "河南省": ("河北省", "山西省", "山东省", "湖北省", "安徽省", "陕西省"),
    "陕西省": ("河南省", "山西省", "四川省", "重庆市", "湖北省", "甘肃省", "宁夏回族自治区"),
}
FAR: Final = (
    "辽宁省", "吉林省", "黑龙江省", "内蒙古自治区", "广西壮族自治区", "海南省", "贵州省", "云南省",
    "甘肃省", "青海省", "宁夏回族自治区",
)  # fmt: skip
REMOTE: Final = ("西藏自治区", "新疆维吾尔自治区")
OVERSEAS: Final = ("香港特别行政区", "澳门特别行政区", "台湾省")

_P = tuple[int, int, int]
"""First weight, additional weight (fen), hours."""


class _Terms(NamedTuple):
    """What makes a carrier's card; `remote` is None where it does not go there."""

    name: str
    city: _P
    province: _P
    near: _P
    country: _P
    far: _P
    remote: _P | None
    risk: _P
    """Lost and damaged of a million, late of a thousand."""
    service: Service = Service.ECONOMICAL
    divisor: int = 8_000
    step_grams: int = 1_000
    max_kg: int = 50


_TERMS: Final[Mapping[str, _Terms]] = {
    "shunfeng": _Terms(
        "顺丰", (1_000, 50, 12), (1_200, 50, 20), (1_300, 100, 28), (1_800, 200, 36),
        (2_200, 250, 48), (2_600, 500, 72), (50, 150, 8), Service.FAST, 12_000, 500,
    ),
    "jd": _Terms(
        "京东", (800, 80, 16), (1_000, 120, 24), (1_100, 200, 30), (1_500, 350, 42),
        (1_900, 450, 54), None, (80, 200, 10), Service.FAST, max_kg=40,
    ),
    "zhongtong": _Terms(
        "中通", (350, 60, 30), (380, 80, 40), (420, 100, 48), (520, 200, 64), (600, 300, 80),
        None, (200, 500, 25),
    ),
    "yuantong": _Terms(
        "圆通", (350, 60, 32), (380, 80, 42), (420, 110, 50), (520, 220, 66), (620, 320, 84),
        None, (250, 600, 35),
    ),
    "shentong": _Terms(
        "申通", (340, 60, 34), (360, 80, 44), (410, 110, 52), (510, 220, 70), (610, 320, 88),
        None, (300, 700, 45),
    ),
    "yunda": _Terms(
        "韵达", (340, 60, 32), (370, 80, 42), (410, 100, 50), (510, 200, 68), (600, 310, 86),
        None, (280, 600, 38),
    ),
    "ems": _Terms(
        "EMS", (600, 120, 36), (700, 150, 48), (800, 200, 60), (1_000, 400, 80),
        (1_100, 500, 96), (1_500, 900, 144), (100, 300, 40), max_kg=40,
    ),
    "jtexpress": _Terms(
        "极兔", (330, 60, 36), (350, 80, 44), (400, 110, 54), (490, 220, 72), (600, 330, 90),
        None, (400, 900, 60),
    ),
}  # fmt: skip


def _lanes(terms: _Terms) -> Iterator[Lane]:
    def rate(prices: _P) -> Rate:
        first, additional, hours = prices
        return Rate(
            first_fen=first,
            additional_grams=terms.step_grams,
            additional_fen=additional,
            hours=hours,
        )

    for origin, near in NEIGHBOURS.items():
        far = tuple(one for one in FAR if one not in near)
        city = rate(terms.city)
        yield Lane(origin=origin, destinations=(origin,), rate=rate(terms.province), same_city=city)
        yield Lane(origin=origin, destinations=near, rate=rate(terms.near))
        yield Lane(origin=origin, destinations=far, rate=rate(terms.far))
        yield Lane(origin=origin, destinations=(ANYWHERE,), rate=rate(terms.country))
        remote = rate(terms.remote) if terms.remote else None
        yield Lane(origin=origin, destinations=REMOTE, rate=remote)
        yield Lane(origin=origin, destinations=OVERSEAS, rate=None)


def _surcharges(terms: _Terms) -> Iterator[Surcharge]:
    yield Surcharge(kind=SurchargeKind.OVERSIZE, over_longest_mm=1_200, fen=1_000)
    yield Surcharge(kind=SurchargeKind.OVERWEIGHT, over_grams=20_000, fen=800)
    yield Surcharge(kind=SurchargeKind.FRAGILE, fragile=True, fen=100)
    yield Surcharge(kind=SurchargeKind.INSURED, over_value_fen=50_000, permille_of_value=5)
    if terms.remote:
        yield Surcharge(kind=SurchargeKind.REMOTE, destinations=REMOTE, fen=300)


def _tiers(terms: _Terms) -> tuple[Tier, ...]:
    if terms.service is Service.FAST:
        return (Tier(parcels=5_000, percent_off=5),)
    return (Tier(parcels=3_000, percent_off=3), Tier(parcels=10_000, percent_off=6))


def _card(carrier: str, terms: _Terms) -> RateCard:
    lost, damaged, late = terms.risk
    return RateCard(
        carrier=carrier,
        effective_from=SINCE,
        name=f"{terms.name} 示例价 (example)",
        service=terms.service,
        volume_divisor=terms.divisor,
        max_parcel_grams=terms.max_kg * 1_000,
        lanes=tuple(_lanes(terms)),
        surcharges=tuple(_surcharges(terms)),
        tiers=_tiers(terms),
        risk=Risk(lost_per_million=lost, damaged_per_million=damaged, late_per_thousand=late),
    )


CARDS: Final[Sequence[RateCard]] = [_card(carrier, terms) for carrier, terms in _TERMS.items()]
"""One of each of the eight carriers, for the demo mall's three warehouses."""
