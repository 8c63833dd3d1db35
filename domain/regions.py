"""省 Provinces: the names people write and the one name the house uses."""

from typing import Final

from domain.countries import COUNTRIES, HOME, TERRITORIES

_MUNICIPALITIES = ("北京", "天津", "上海", "重庆")
_PROVINCES = (
    "河北", "山西", "辽宁", "吉林", "黑龙江", "江苏", "浙江", "安徽", "福建", "江西", "山东",
    "河南", "湖北", "湖南", "广东", "海南", "四川", "贵州", "云南", "陕西", "甘肃", "青海", "台湾",
)  # fmt: skip
_REGIONS = {
    "内蒙古": "内蒙古自治区",
    "广西": "广西壮族自治区",
    "西藏": "西藏自治区",
    "宁夏": "宁夏回族自治区",
    "新疆": "新疆维吾尔自治区",
    "香港": "香港特别行政区",
    "澳门": "澳门特别行政区",
}

PROVINCES: Final[dict[str, str]] = (
    {name: f"{name}市" for name in _MUNICIPALITIES}
    | {name: f"{name}省" for name in _PROVINCES}
    | _REGIONS
)
"""Short name → full name of the 34 divisions of the first level."""

REMOTE_PROVINCES: Final = frozenset(
    {
        "西藏自治区", "新疆维吾尔自治区",
    }
)  # fmt: skip
"""Excluded by the demo mall (rules.md 9); what is abroad is served where it is named alone."""

_FULL = frozenset(PROVINCES.values())


def province_named(text: str) -> str | None:
    """The full province name that `text` begins with, or None: inferred or asked for, not guessed.

    >>> province_named("浙江杭州西湖区")
    '浙江省'
    """
    if text in _FULL:
        return text
    text = text.lstrip()
    return PROVINCES.get(text[:2]) or PROVINCES.get(text[:3])


def region_named(text: str) -> str | None:
    """A region of coverage by its full name: a province, or a country abroad by its code (T7).

    >>> region_named("浙江省"), region_named("HK"), region_named("US"), region_named("浙江")
    ('浙江省', '香港特别行政区', 'US', None)
    """
    if text in _FULL:
        return text
    if text in TERRITORIES:
        return TERRITORIES[text]
    return text if text in COUNTRIES and text != HOME else None
