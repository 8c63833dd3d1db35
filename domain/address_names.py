"""Finding divisions' names in an address, and what they narrow each other down to."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from domain.divisions import Division, Divisions, Level, Named
from domain.namesakes import Needs


@dataclass(frozen=True, slots=True)
class Meant:
    """One way to understand the names that were read so far."""

    division: Division
    hard: bool
    needs: Needs
    seen: frozenset[str]
    """Codes of the different divisions that were named on the way."""
    former: bool
    lesser: bool = False
    """Whether it is a part of a former division of which another part is most."""

    @property
    def certain(self) -> bool:
        """Whether a name said what it is, or two names agree."""
        return self.hard or len(self.seen) > 1


State = dict[str, Meant]
"""All that can be meant, by code; empty: nothing was named."""


def known(division: Division) -> State:
    """A state in which one division is certain."""
    code = division.code
    return {code: Meant(division, True, Needs.NOTHING, frozenset({code}), former=False)}


def narrowed(state: State, named: Iterable[Named], *, lenient: bool = False) -> State:
    """What can be meant after one more name; empty where the name fits nothing that could be.

    A bare name that a town nearby has, too, doesn't count, unless `lenient`.
    """
    result: State = {}
    for name in named:
        for meant in state.values() if state else (None,):
            one = _fresh(name) if meant is None else _joined(meant, name, lenient=lenient)
            if one is not None:
                code = one.division.code
                before = result.get(code)
                if before is None or (one.certain, not one.former) > (
                    before.certain,
                    not before.former,
                ):
                    result[code] = one
    return result


def _fresh(name: Named) -> Meant:
    seen = frozenset({name.division.code})
    return Meant(name.division, name.hard, name.needs, seen, name.former, name.lesser)


def _joined(meant: Meant, name: Named, *, lenient: bool) -> Meant | None:
    old, new = meant.division, name.division
    seen = meant.seen | {new.code}
    if new.covers(old):
        hard = meant.hard or name.hard
        former = meant.former or name.former
        return Meant(old, hard, meant.needs, seen, former, meant.lesser)
    if not old.covers(new):
        return None
    if not (name.hard or lenient) and name.needs > _tells(old):
        return None
    return Meant(new, meant.hard or name.hard, name.needs, seen, name.former, name.lesser)


def _tells(division: Division) -> Needs:
    """Which namesakes a division rules out."""
    if division.level is Level.PROVINCE and not division.is_municipality:
        return Needs.PROVINCE
    return Needs.CITY


class Found(NamedTuple):
    """A name in the text."""

    state: State
    end: int
    contradicts: bool = False


LOOKS_ON: Final = 2
"""How many names are looked up ahead: 河南新乡新乡县 begins with no town called 新乡."""

# People put these before, between and after the names.
_NOISE: Final = re.compile(
    "中华人民共和国|中国|收[货件]人?地址|详细地址|所在地区|[寄送]到|地址|住址|null|undefined"
    "|其[它他]区?|市辖区|(?:省|自治区)?直辖县(?:级?行政(?:区划|单位))?|区(?=[^域块间])"
)
_SIDE: Final = "东南西北中上下前后新老大小内外"
_ROADS: Final = "路|街(?!道)|巷|弄|大道|大街"
# 北京路, 南京西路, 上海大厦, 长安镇: the name belongs to something else, which may lie anywhere.
_PART_OF_A_NAME: Final = re.compile(
    rf"(?:[{_SIDE}]?[一二三四五六七八九十]?)(?:{_ROADS}|道)|大桥|街道|镇|乡|村|社区|新村|屯"
    rf"|(?:大厦|广场|花[园苑]|家园|公寓|小区|大学|学院|中学|小学|银行|农商|公司|集团|有限"
    rf"|商城|市场|宾馆|酒店|饭店|小吃)(?!{_ROADS})|湾(?!里)"
    # 朝阳门街道, 贺兰山西路, 屏边彝族乡, 赛罕塔拉苏木: names that only begin like a county's.
    r"|.(?:[东西南北中]?(?:路|大道|大街)|街道|镇|乡)|.{1,4}族乡|.{0,4}苏木|门[内外]"
)
# 皇姑山路, 银海二区, 香港财富广场: where nothing else was named, more may belong to the name.
_PART_OF_A_LONGER_NAME: Final = re.compile(
    rf"(?![城市]区).(?:{_ROADS}|村|区)|.{{1,2}}(?:大厦|广场|花[园苑]|公寓|家园)"
)
# 忠县路12号, 西城区街道, 古县镇: even a full name may be a part of another.
_PART_OF_A_FULL_NAME: Final = re.compile(r"(?:路|大道|大街)(?=$|\d)|街道")
_PART_OF_A_TWO_LETTER_NAME: Final = re.compile("[镇乡村]")
# 西湖 and 鼓楼 are sights, too: bare, they are districts only before what lies in a district.
_SIGHT: Final = re.compile("[湖楼塔]$")
_IN_A_DISTRICT: Final = re.compile(r".{1,6}?(?:街道|镇|乡|路|街|大道|巷|弄)")
# 杭州市民中心 is 杭州's: there is no 民中心 in 杭州市.
_OF_THE_CITY: Final = re.compile("[民政场委府郊]|中心(?!.?[路街])")
# A clause may begin anew after a house or a town: 文三路138号西湖区, 九堡镇浙江省.
_CLAUSE_ENDS: Final = frozenset("号室楼栋幢层座铺店镇乡") | {"街道"}


class Walk:
    """One pass through the letters of an address."""

    def __init__(self, divisions: Divisions, text: str, breaks: frozenset[int]) -> None:
        self._divisions = divisions
        self._text = text
        self._breaks = breaks

    def beginning(self, state: State, start: int = 0) -> tuple[list[State], int]:
        """The names from `start` on: what they mean, and where the rest begins.

        Several states are readings that contradict each other.
        """
        readings: list[State] = []
        place = start
        while True:
            while noise := _NOISE.match(self._text, place):
                if noise[0] == "区" and (place == start or self._text[place - 1] != "市"):
                    break
                place = noise.end()
            found = self._at(place, state)
            if found is None:
                return [*readings, state], place
            if found.contradicts:
                readings.append(state)
            state, place = found.state, found.end

    def further(self, state: State, start: int) -> State:
        """What later clauses add: 文三路138号, 西湖区, 杭州市. They never take anything back."""
        place = start
        while place < len(self._text):
            place += 1
            if place not in self._breaks and _CLAUSE_ENDS.isdisjoint(
                (self._text[place - 1], self._text[place - 2 : place])
            ):
                continue
            if not state:
                readings, end = self.beginning({}, place)
                if len(readings) == 1 and readings[0]:
                    state, place = readings[0], end - 1
                continue
            while (found := self._at(place, state)) and not found.contradicts:
                if not self._is_clause(place, found.end):
                    break
                state, place = found.state, found.end
        return state

    def _is_clause(self, start: int, end: int) -> bool:
        named = self._divisions.names.get(self._text[start:end])
        return (
            named is None  # two names that agree
            or any(name.hard for name in named)
            or end in self._breaks
            or end == len(self._text)
            or _IN_A_DISTRICT.match(self._text, end) is not None
        )

    def _at(self, place: int, state: State) -> Found | None:
        """The longest name here that fits; else one that contradicts; None where no name is."""
        text = self._text
        if place and text[place - 1] == "市":  # 济南市中区 is 济南's 市中区
            shared = self._fitting(place - 1, state)
            if shared and not shared.contradicts and text[shared.end - 1] == "区":
                return shared
        return self._fitting(place, state)

    def _fitting(self, place: int, state: State, *, looks_on: int = LOOKS_ON) -> Found | None:
        """The name here; the next ones may make it certain, of which not all are looked up."""
        text, contradicting = self._text, None
        for length in self._divisions.starts.get(text[place : place + 2], ()):
            end = place + length
            named = self._divisions.names.get(text[place:end])
            if named is None or end > len(text):
                continue
            meant = self._meant(list(named), place, end, state, looks_on=looks_on)
            if fitting := narrowed(state, meant):
                return Found(fitting, end)
            if looks_on and meant and (further := self._leads_on(meant, end, state, looks_on)):
                return further
            if contradicting is None and (hard := [one for one in meant if one.hard]):
                contradicting = Found(narrowed({}, _near(hard, state)), end, contradicts=True)
        return contradicting

    def _meant(
        self, named: list[Named], start: int, end: int, state: State, *, looks_on: int
    ) -> list[Named]:
        """Which of the named divisions the letters can mean, given what stands around them."""
        text = self._text
        if any(one.told_by for one in named):
            named = _told(named, text)
        if not state:  # 海南 is the province, for nobody begins with a bare county of that name
            top = next((one for one in named if one.division.level is Level.PROVINCE), None)
            named = [one for one in named if top is None or top.division.covers(one.division)]
        if end in self._breaks or end == len(text):
            return named
        left = named
        name = text[start:end]
        if self._part_of_a_name(name, end, first=not state):
            left = [one for one in left if one.hard]
        if self._part_of_a_full_name(name, end):
            left = [one for one in left if not one.hard]
        if len(left) == len(named) or not (
            looks_on and self._leads_on(named, end, state, looks_on)
        ):
            return left
        return named  # 台州|路桥区 is no road

    def _leads_on(self, named: list[Named], end: int, state: State, looks_on: int) -> Found | None:
        """The next name, where it lies in what is named here: then this is no part of a name."""
        tentative = narrowed(state, named, lenient=True)
        found = self._fitting(end, tentative, looks_on=looks_on - 1) if tentative else None
        return None if found is None or found.contradicts else found

    def _part_of_a_full_name(self, name: str, end: int) -> bool:
        if _PART_OF_A_FULL_NAME.match(self._text, end):
            return True
        if name[-1] == "市" and _OF_THE_CITY.match(self._text, end):
            return True
        return len(name) == 2 and _PART_OF_A_TWO_LETTER_NAME.match(self._text, end) is not None

    def _part_of_a_name(self, name: str, end: int, *, first: bool) -> bool:
        if _PART_OF_A_NAME.match(self._text, end):
            return True
        if first and _PART_OF_A_LONGER_NAME.match(self._text, end):
            return True
        return bool(_SIGHT.search(name)) and not _IN_A_DISTRICT.match(self._text, end)


def _near(named: list[Named], state: State) -> list[Named]:
    """Those in the city, else the province, of what was named before: 福州's 鼓楼区 is meant."""
    for digits in (4, 2):
        places = {meant.division.code[:digits] for meant in state.values()}
        if near := [one for one in named if one.division.code[:digits] in places]:
            return near
    return named


def _told(named: list[Named], text: str) -> list[Named]:
    """Of a divided former division, the part that a town in the text tells, else the rest of it."""
    told = [one for one in named if any(town in text for town in one.told_by)]
    if told:
        return [
            one._replace(lesser=False) if one in told else one
            for one in named
            if one in told or not any(_of_one(one, other) for other in told)
        ]
    rest = [one for one in named if one.former and not one.told_by]
    return [
        one for one in named if not one.told_by or not any(_of_one(one, other) for other in rest)
    ]


def _of_one(one: Named, other: Named) -> bool:
    """Whether both are parts of one former division: they lie in one city."""
    return one.former and other.former and one.division.code[:4] == other.division.code[:4]
