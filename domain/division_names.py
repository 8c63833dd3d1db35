"""What people call a division: its full name, and the short ones that custom allows."""

import re
from typing import Final, NamedTuple

from domain.regions import PROVINCES

_PEOPLES: Final = (
    "阿昌|白|保安|布朗|布依|藏|朝鲜|达斡尔|傣|德昂|侗|东乡|独龙|鄂伦春|鄂温克|高山|仡佬|哈尼|哈萨克"
    "|赫哲|回|基诺|京|景颇|柯尔克孜|拉祜|黎|傈僳|珞巴|满|毛南|门巴|蒙古|苗|仫佬|纳西|怒|普米|羌|撒拉"
    "|畲|水|塔吉克|塔塔尔|土|土家|佤|维吾尔|乌孜别克|锡伯|瑶|彝|裕固|壮|各"
)
_AUTONOMOUS: Final = re.compile(
    rf"(.{{2,}}?)(?:(?:{_PEOPLES})族|蒙古|哈萨克|柯尔克孜|锡伯|塔吉克)*自治([州县旗])"
)
_SUFFIXES: Final = ("新区", "林区", "特区", "地区", "市", "区", "县", "盟", "旗")
# District names that any town may have for a part of itself: 城区 is one in four cities only.
_GENERIC: Final = frozenset(
    {"城区", "郊区", "矿区", "东区", "西区", "南区", "北区", "新区", "市区"}
    | {"城东区", "城西区", "城南区", "城北区", "城中区", "南郊区", "北郊区", "市郊区"}
)
_CUSTOMARY: Final = {
    "150000": "内蒙 内蒙古省 内蒙古区 内蒙古自治州",
    "152500": "锡盟",
    "152900": "阿盟",
    "210921": "阜蒙县 阜蒙",
    "211324": "喀左县 喀左",
    "220721": "前郭县 前郭",
    "230624": "杜蒙县 杜蒙",
    "450000": "广西省 广西自治区 广西壮族自治州 广西壮族",
    "540000": "西藏省",
    "640000": "宁夏省 宁夏自治区 宁夏回族",
    "650000": "新疆省 新疆自治区 新疆维吾尔族自治区 新疆维吾尔",
    "652700": "博州",
    "652800": "巴音郭楞州",
    "653000": "克州",
    "810000": "香港特区 香港省",
    "820000": "澳门特区",
    "710000": "台湾地区",
}
# One letter for another that sounds or looks the same, in names that hardly anybody else has.
_SLIPS: Final = (("州", "洲"), ("洲", "州"), ("颍", "颖"), ("徽", "微"), ("亳", "毫"))


class Forms(NamedTuple):
    """The names of one division."""

    full: tuple[str, ...]
    """Say what they are: 杭州市, 恩施州; they count wherever they stand."""
    short: tuple[str, ...]
    """Bare names: 杭州, 恩施; they may be a part of something else's name."""


def is_generic(name: str) -> bool:
    """Whether the name says nothing without its city: 城区, 郊区, 城东区."""
    return name in _GENERIC


def forms_of(code: str, name: str) -> Forms:
    """Every customary name of a division.

    >>> forms_of("422800", "恩施土家族苗族自治州").full
    ('恩施土家族苗族自治州', '恩施自治州', '恩施州')
    """
    full, short = [name], []
    if code.endswith("0000"):
        short += [bare for bare, official in PROVINCES.items() if official == name]
    elif found := _AUTONOMOUS.fullmatch(name):
        bare, kind = short_form(name), found[2]
        full += [f"{bare}自治{kind}", f"{bare}{kind}"]
        short.append(bare)
    else:
        bare = short_form(name)
        if bare != name:
            short.append(bare)
        if name.endswith("新区"):
            full.append(f"{bare}区")
    for extra in _CUSTOMARY.get(code, "").split():
        (full if extra[-1] in "省州县区" else short).append(extra)
    return Forms(tuple(dict.fromkeys(full)), tuple(dict.fromkeys(short)))


def slips_of(name: str) -> list[str]:
    """The name with a letter that is often taken for the right one: 颖上县, 广洲市."""
    slips = [name.replace(right, wrong) for right, wrong in _SLIPS if right in name]
    return [*slips, name[:-1] + "区"] if name.endswith("自治县") else slips


def short_form(name: str) -> str:
    """The name without what it is, where two letters stay: 西湖区 is 西湖, but 忠县 stays."""
    if found := _AUTONOMOUS.fullmatch(name):
        return found[1].removesuffix("族")
    for suffix in _SUFFIXES:
        if name.endswith(suffix) and len(name) - len(suffix) >= 2:
            return name.removesuffix(suffix)
    return name
