"""What makes an address, a name or a phone doubtful, in words, and whether a human should look."""

import re
from enum import StrEnum
from typing import Final, NamedTuple


class Doubt(StrEnum):
    """Stable codes of the reasons (O7)."""

    CONTRADICTION = "address_contradiction"
    AMBIGUOUS = "address_ambiguous"
    INCOMPLETE = "address_incomplete"
    NO_DISTRICT = "address_no_district"
    NO_DETAIL = "address_no_detail"
    UNKNOWN_DIVISION = "address_unknown_division"
    FORMER_NAME = "address_former_name"
    NAME = "name_doubtful"
    PHONE = "phone_doubtful"


class Words(NamedTuple):
    """A doubt as people read it."""

    en: str
    zh: str


WORDS: Final[dict[Doubt, Words]] = {
    Doubt.CONTRADICTION: Words(
        "The address names places that do not lie in each other.", "地址中的省市区互相矛盾。"
    ),
    Doubt.AMBIGUOUS: Words(
        "Several places have the name that is given.", "该地名对应多个地方，请补全省市区。"
    ),
    Doubt.INCOMPLETE: Words("Province or city is missing.", "缺少省份或城市。"),
    Doubt.NO_DISTRICT: Words("The district or county is missing.", "缺少区县。"),
    Doubt.NO_DETAIL: Words(
        "There is no street, village or house.", "缺少街道、村或门牌等详细地址。"
    ),
    Doubt.UNKNOWN_DIVISION: Words(
        "A province, city or district that is given does not exist.", "填写的省、市或区县不存在。"
    ),
    Doubt.FORMER_NAME: Words(
        "A division is named as it was called before; today's name is filled in.",
        "地址用的是旧区划名称，已换成现名。",
    ),
    Doubt.NAME: Words("The name does not look like a person's.", "姓名不像真实姓名。"),
    Doubt.PHONE: Words("The phone number looks made up.", "电话号码疑似随意填写。"),
}

HARMLESS: Final = frozenset({Doubt.FORMER_NAME, Doubt.NO_DISTRICT})
"""Told and asked for, but no reason for a human to look: couriers find the street of a city."""


def for_review(doubts: tuple[Doubt, ...]) -> tuple[str, ...]:
    """The codes a human should look at before goods leave (O7)."""
    return tuple([doubt.value for doubt in doubts if doubt not in HARMLESS])


def has_detail(detail: str) -> bool:
    """Whether something says where in the district: more than a town's name and than fillers.

    >>> has_detail("文三路138号"), has_detail("上塘镇"), has_detail("下宅村"), has_detail("无")
    (True, False, True, False)
    """
    if _NUMBER.search(detail):
        return True
    rest = _TOWN.sub("", "".join([letter for letter in detail if letter.isalnum()]), count=1)
    return len(rest) >= 2 and _FILLER.fullmatch(rest) is None


def is_zone(detail: str) -> bool:
    """Whether the text begins with a zone that stands in a district's place: 高新区."""
    return _ZONE.match(detail) is not None


def phone_looks_made_up(phone: str) -> bool:
    """Eight equal digits at the end, or eight that only count up or down: 13888888888 may be real.

    >>> phone_looks_made_up("+8613000000000"), phone_looks_made_up("+8613912345678")
    (True, True)
    """
    tail = phone[-8:]
    return tail[1:] == tail[:-1] or tail in _COUNTING or tail[::-1] in _COUNTING


def name_looks_made_up(name: str) -> bool:
    """Words that stand where a name should be: 测试, 收件人, test.

    >>> name_looks_made_up("测试"), name_looks_made_up("林小满")
    (True, False)
    """
    return _NO_NAME.fullmatch(name) is not None


_NUMBER: Final = re.compile(
    r"[0-9]|[〇零一二三四五六七八九十百]+(?:号|栋|幢|座|组|队|楼|层|室|单元|弄)"
)
_TOWN: Final = re.compile(r"^\w{1,8}?(?:街道办事处|街道|地区办事处|镇|乡|苏木)")
_FILLER: Final = re.compile(
    r"(?:[无空]|没有|不详|未知|测试|同上|详细地址|地址|默认|其他|其它|自提|null|none|test)+",
    re.IGNORECASE,
)
_ZONE: Final = re.compile(
    r"\w{0,10}?(?:开发区|高新区|高新技术产业区|工业园区|产业园区|科技园区|保税区|示范区|度假区"
    r"|管理区|合作区|新区|园区)"
)
_COUNTING: Final = "0123456789012"
_NO_NAME: Final = re.compile(
    r"(?:测试|试用|收件人|收货人|姓名|用户|匿名|本人|某某|无名|先生|女士|小姐|同学|老师|test\w*|user\w*|name"
    r"|asdf?\w*|qwe\w*|abc|xxx*|null|none|(.)\1{2,})[0-9]*",
    re.IGNORECASE,
)
