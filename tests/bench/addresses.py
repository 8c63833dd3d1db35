"""How well addresses as people write them are read, against labels made by others (M4, O7).

`python -m tests.bench.addresses [--misses]`; needs the data of `TALLYPOST_DATA` or
`../shared/data`. A label is the text that names the part; what it is called officially is looked
up here by other means than the reader's: the list of divisions, and a few names by hand.
"""

import argparse
import gzip
import json
import sys
import timeit
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from application.cleaning import Unusable, clean_address
from application.divisions import address_reader
from domain.address_reading import NO_FIELDS, Fields, Reading
from domain.divisions import Chain, Level
from tests.bench.service import REAL_DATA

FILE: Final = REAL_DATA / "addresses" / "labelled.jsonl.gz"
RIGHT_FLOOR: Final = 0.98
WRONG_CEILING: Final = 0.005
LEVELS: Final = {"prov": Level.PROVINCE, "city": Level.CITY, "district": Level.COUNTY}
KINDS: Final = (
    "自治州", "自治县", "自治区", "地区", "新区", "省", "市", "区", "县", "州", "盟", "旗",
)  # fmt: skip

TODAY: Final = {
    "江东区": ("鄞州区", "珠晖区"), "江东": ("鄞州区", "珠晖区"), "下城区": ("拱墅区",),
    "江干区": ("上城区", "钱塘区"), "绍兴县": ("柯桥区",),
    "南长区": ("梁溪区",), "闸北": ("静安区",), "江北区": ("江北区", "两江新区"),
    "江北": ("江北区", "两江新区"), "宣化县": ("宣化区",), "茂港区": ("电白区",),
    "龙华新区": ("龙华区",), "光明新区": ("光明区",), "川沙区": ("浦东新区",),
    "浦东区": ("浦东新区",), "带领区": ("大箐山县",), "颖东区": ("颍东区",), "颖上县": ("颍上县",),
    "颖泉区": ("颍泉区",), "拱塑区": ("拱墅区",), "秀洲去": ("秀洲区",), "恩施区": ("恩施市",),
    "广元昭化区": ("昭化区",), "盟扎兰屯市": ("扎兰屯市",), "阜蒙县": ("阜新蒙古族自治县",),
    "南路浔区": ("南浔区",), "澜沧拉沽族自治县": ("澜沧拉祜族自治县",), "海宁区": ("海宁市",),
    "金坛市": ("金坛区",), "安微": ("安徽省",), "红河洲": ("红河哈尼族彝族自治州",),
    "那曲地区": ("那曲市",), "都安瑶族自治区": ("都安瑶族自治县",), "新津县": ("新津区",),
}  # fmt: skip
"""Former and mistyped names that the labels have, and what they are called today."""


class Labelled(NamedTuple):
    """One address: its text, and what each part of it is labelled as."""

    text: str
    parts: list[tuple[str, str]]


@dataclass
class Measured:
    """What became of the parts that addresses name."""

    counts: dict[str, Counter[str]] = field(default_factory=dict)
    misses: list[str] = field(default_factory=list)

    def note(self, part: str, outcome: str, told: str) -> None:
        """Count one part of one address."""
        self.counts.setdefault(part, Counter())[outcome] += 1
        if outcome != "right":
            self.misses.append(f"{part} {outcome}: {told}")

    def share(self, part: str, outcome: str) -> float:
        """How many of those whose label names one place, or several of one name."""
        counts = self.counts[part]
        return counts[outcome] / (counts["right"] + counts["asked"] + counts["wrong"])


def is_here() -> bool:
    """Whether the data were laid beside the project."""
    return FILE.exists()


def labelled() -> Iterator[Labelled]:
    """Every address of the data."""
    with gzip.open(FILE, "rt", encoding="utf-8") as file:
        for line in file:
            parts = [(label, text) for label, text in json.loads(line)["p"]]
            yield Labelled("".join(text for _, text in parts), parts)


def measure() -> Measured:
    """Read every address and compare what came out with the labels."""
    measured, names, reader = Measured(), _Names(), address_reader()
    for address in labelled():
        try:
            reading = reader.read(clean_address(address.text))
        except Unusable:
            measured.note("unusable", "right", address.text)
            continue
        _compare(measured, address, reading, names)
    return measured


def _compare(measured: Measured, address: Labelled, reading: Reading, names: "_Names") -> None:
    told = "|".join(f"{label}:{text}" for label, text in address.parts)
    told = f"{told} → {'/'.join(reading.names)} {[doubt.value for doubt in reading.doubts]}"
    meant: list[Chain] = []
    for label, text in address.parts:
        if label in LEVELS and (chains := names.meant(text, LEVELS[label])):
            fitting = [one for one in chains if any(_agree(one, other) for other in meant)]
            meant = fitting if meant and fitting else meant or chains
    for label, text in address.parts:
        if label in LEVELS:
            chains = names.meant(text, LEVELS[label])
            fitting = [one for one in chains if any(_agree(one, other) for other in meant)]
            outcome = _outcome(fitting, reading) if fitting else "no division"
            measured.note(label, outcome, told)
    if meant and all(label != "prov" for label, _ in address.parts):
        provinces = {chain.province for chain in meant}
        outcome = "several" if len(provinces) > 1 else _same(reading.province in provinces, reading)
        measured.note("province inferred", outcome, told)
    if not meant and reading.division is not None:
        measured.note("found though not labelled", "found", told)


def _same(same: bool, reading: Reading) -> str:
    return "right" if same else "asked" if reading.province is None else "wrong"


def _outcome(chains: list[Chain], reading: Reading) -> str:
    """right, asked, wrong; several: the label can mean places with different names."""
    expected = {chain.last.name for chain in chains}
    level = chains[0].last.level
    province, city, county = reading.names
    got = {Level.PROVINCE: province, Level.CITY: city, Level.COUNTY: county}[level]
    if len(expected) > 1:
        return "several, one told" if got in expected else "wrong" if got else "several, asked"
    return "right" if got in expected else "wrong" if got else "asked"


def _agree(one: Chain, other: Chain) -> bool:
    return all(a is None or b is None or a == b for a, b in zip(one, other, strict=True))


class _Names:
    """What labels can mean: official names, with or without what they are."""

    def __init__(self) -> None:
        self._divisions = address_reader().divisions
        self._known: dict[str, list[Chain]] = {}
        self._exact: dict[str, list[Chain]] = {}
        for one in self._divisions.by_code.values():
            chain = self._divisions.chain(one)
            self._exact.setdefault(one.name, []).append(chain)
            for stem in {_stem(one.name), one.name}:
                self._known.setdefault(stem, []).append(chain)

    def meant(self, label: str, level: Level) -> list[Chain]:
        """Divisions a label can mean, of its level if there are any."""
        if label in TODAY:
            chains = [chain for name in TODAY[label] for chain in self._exact[name]]
        else:
            stem = () if label.endswith("新区") else self._known.get(_stem(label), ())
            alike = [one for one in stem if one.last.level is level]
            chains = self._exact.get(label) or alike or self._begin(label) or list(stem)
        if level is Level.PROVINCE and not chains:
            chains = [self._divisions.chain(one) for one in self._divisions.provinces()]
            chains = [one for one in chains if one.province.name.startswith(label)]
        of_level = [one for one in chains if one.last.level is level]
        return of_level or ([] if level is Level.PROVINCE else chains)

    def _begin(self, label: str) -> list[Chain]:
        """石柱县 is 石柱土家族自治县."""
        stem = _stem(label)
        return [
            chain
            for name, chains in self._exact.items()
            if "自治" in name and name.startswith(stem) and len(stem) > 1 and label != stem
            for chain in chains
        ]


def _stem(name: str) -> str:
    for kind in KINDS:
        if name.endswith(kind) and len(name) > len(kind) + 1:
            return name.removesuffix(kind)
    return name


def microseconds(text: str, fields: Fields = NO_FIELDS) -> float:
    """What reading takes, the best of some rounds."""
    reader, rounds = address_reader(), 5_000
    best = min(timeit.repeat(lambda: reader.read(text, fields), number=rounds, repeat=5))
    return best / rounds * 1e6


def main() -> int:
    """Print the measure; 1 where a floor is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--misses", action="store_true", help="every part that is not right")
    asked = parser.parse_args()
    if not is_here():
        print(f"{FILE} is not there")
        return 1
    measured = measure()
    if asked.misses:
        print("\n".join(measured.misses))
    for part, counts in measured.counts.items():
        print(f"{part}: {', '.join(f'{counts[one]} {one}' for one in sorted(counts))}")
    missed = False
    for part in LEVELS:
        right, wrong = measured.share(part, "right"), measured.share(part, "wrong")
        missed |= right < RIGHT_FLOOR or wrong > WRONG_CEILING
        print(f"{part}: {right:.2%} right (floor 98 %), {wrong:.2%} wrong (ceiling 0.5 %)")
    book = Fields("浙江省", "杭州市", "西湖区")
    print(f"official fields: {microseconds('文三路 1 号 2 单元 301', book):.1f} µs")
    print(f"one line of text: {microseconds('浙江省杭州市西湖区文三路1号2单元301'):.1f} µs")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
