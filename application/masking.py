"""Masks: what screens show of a person unless somebody gave a reason to see more (A4).

Masks take any text, cleaned or not, and hide rather too much than too little.
"""

import re
import unicodedata

HIDDEN = "***"
"""Stands for what is hidden of an address, however long that is."""
PHONE_DIGITS_HIDDEN = 6
"""Fewest digits of a phone, country code apart, that are hidden (A4)."""
PHONE_TAIL = 4
"""Most digits shown at the end: what couriers and staff know a phone by."""
_LONGEST_COUNTRY_CODE = 3
LONGEST = 400
"""Characters; what comes after them is left out."""


def mask_name(name: str) -> str:
    """The first character, the others as stars; a single one is hidden, too.

    >>> mask_name("欧阳娜娜"), mask_name("阿卜杜拉·买买提"), mask_name("李")
    ('欧***', '阿***·***', '*')
    """
    text = _folded(name)
    shown = text[:1] if any(letter not in _NAME_JOINTS for letter in text[1:]) else ""
    return shown + "".join(
        letter if letter in _NAME_JOINTS else "*" for letter in text[len(shown) :]
    )


def mask_phone(phone: str) -> str:
    """At least six digits hidden and at most the last four shown.

    >>> mask_phone("+8613800138000"), mask_phone("+6561234567")
    ('1******8000', '+*********7')
    """
    text = _folded(phone)
    mobile = _MOBILE.fullmatch(text)
    if mobile is not None:
        return f"1{'*' * PHONE_DIGITS_HIDDEN}{mobile[1]}"
    digits = sum(letter.isdecimal() for letter in text)
    shown = min(PHONE_TAIL, max(0, digits - PHONE_DIGITS_HIDDEN - _told_already(text)))
    masked, seen = [], 0
    for letter in text:
        if letter.isdecimal():
            seen += 1
            masked.append(letter if seen > digits - shown else "*")
        else:
            masked.append(letter if letter in _PHONE_JOINTS else "*")
    return "".join(masked)


def mask_address(address: str) -> str:
    """Province to street and what stands before the house number; nothing from there on.

    House, building, unit, floor and room count as numbers in any digits (12, 十二, B座); numbers
    that are part of a road's name (318国道, 6号大街, 三里屯) do not. Where no number is found, all
    after the last word that ends like a place or street is hidden: it may be a house's name.

    >>> mask_address("浙江省杭州市西湖区文三路138号3幢2单元502室")
    '浙江省杭州市西湖区文三路***'
    """
    text = _folded(address)
    masked = mask_numbers(text)
    if masked != text:
        return masked
    place = _PLACE.match(text)
    end = place.end() if place else 0
    return text if end == len(text) else text[:end].rstrip() + HIDDEN


def mask_numbers(text: str) -> str:
    """The text up to the first number of a house, building or room; unchanged without one."""
    text = _folded(text)
    at = 0
    while (found := _NUMBER.search(text, at)) is not None:
        road = _ROAD.match(text, found.start())
        if road is None:
            return _LOOSE_END.sub("", text[: found.start()]) + HIDDEN
        at = road.end()
    return text


def _folded(text: str) -> str:
    """Full-width digits as digits; cut off where no address goes, so that no text costs much."""
    return unicodedata.normalize("NFKC", text[:LONGEST]).strip()[:LONGEST]


def _told_already(phone: str) -> int:
    """How many digits may be a prefix that everybody can guess: they don't count as hidden."""
    if phone.startswith("00"):
        return 2 + _LONGEST_COUNTRY_CODE
    return 0 if phone.startswith("0") else _LONGEST_COUNTRY_CODE


_LOOSE_END = re.compile(r"[\s\-#,;、(]+\Z")
"""What stood between the street and the number; whitespace of any kind."""
_NAME_JOINTS = " ·•・-"
_PHONE_JOINTS = "+-() "
_MOBILE = re.compile(r"(?:\+86|0086|86)?[ -]*1[0-9]{2}[ -]?[0-9]{4}[ -]?([0-9]{4})")

_CHINESE = "〇零一二三四五六七八九十百两壹贰叁肆伍陆柒捌玖拾"
_UNIT = "单元|号|號|栋|棟|幢|座|室|楼|樓|层|弄|排|组|队|房|#"
_STREET = "大街|大道|路|街|国道|省道|团|医院"
_NUMBER = re.compile(
    r"(?:第|\bNo\.?|#|(?<![A-Za-z])[A-Za-z]{1,3}[-.]?)?\s*\d"
    rf"|第?[{_CHINESE}]+\s*(?:{_UNIT})"
    r"|[A-Za-z甲乙丙丁戊己庚辛]\s*(?:号|栋|棟|幢|座|单元|楼|室|塔)"
    r"|[东西南北中](?:栋|棟|幢|座|单元)"
    rf"|[{_CHINESE}]+\s*[-—–~]\s*[{_CHINESE}]"
    rf"|[〇零一二三四五六七八九]{{3,}}(?![〇零一二三四五六七八九]|{_STREET})"
)
# 6号大街 is a road when another number, a break or nothing follows; in 138号路通大厦 it isn't one.
_ROAD = re.compile(
    r"[GSXYgsxy]?\d{1,3}(?:国道|省道|县道|乡道)"
    rf"|(?:第?\d{{1,2}}|[{_CHINESE}]{{1,3}})(?:号?(?:大街|大道|路|街)|巷|环|马路|经路|纬路)"
    rf"(?=$|[\s\d{_CHINESE},、(])"
)
_PLACE = re.compile(r".*(?:[省市区县旗镇乡村路街巷道屯庄师团]|胡同|社区)", re.DOTALL)
