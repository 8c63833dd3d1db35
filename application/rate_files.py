"""价目文件 Rate cards from CSV or XLSX: each row a lane or a term of a card, or refused (W3).

A row names its card by carrier and first day; where both are empty it belongs to the card of the
row above. A card is read whole or not at all: when one of its rows is refused, the others are held
back with it, and the report has all of them, to be corrected and sent again. Money is yuan with
two decimals, weights are kilogrammes; provinces may be written short.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from application.importing import REPORT_COLUMNS, Refused, UnusableCell, cell_text, not_meant
from application.spreadsheets import TableRow, Unreadable, table
from application.written_days import NotMeant, written_moment
from domain.rate_facts import ANYWHERE, CARRIER_PATTERN, RateCard, Service, SurchargeKind
from domain.regions import province_named, region_named

COLUMNS: Final[Mapping[str, str]] = {
    "carrier": "承运商", "effective_from": "生效日期", "name": "价目表", "service": "服务类型",
    "volume_divisor": "抛比", "max_kg": "限重", "kind": "行类型", "origin": "始发",
    "destinations": "目的", "served": "是否送达", "first_kg": "首重", "first_yuan": "首重价",
    "additional_kg": "续重", "additional_yuan": "续重价", "hours": "时效",
    "surcharge": "附加费", "over_cm": "超长", "over_kg": "超重", "over_yuan": "超值",
    "fragile": "易碎", "yuan": "每件", "yuan_per_kg": "每公斤", "permille": "保价千分比",
    "parcels": "月件数", "percent_off": "折扣百分比", "lost_per_million": "丢失百万分比",
    "damaged_per_million": "破损百万分比", "late_per_thousand": "晚点千分比",
}  # fmt: skip
"""What a column is called, and what it may be called in Chinese."""
NEEDED: Final = ("carrier", "effective_from", "origin", "destinations", "first_yuan", "hours")
ROWS: Final = {
    "": "lane", "线路": "lane", "同城": "same_city", "附加费": "surcharge", "量级": "tier",
    "风险": "risk",
}  # fmt: skip
KINDS: Final = ("lane", "same_city", "surcharge", "tier", "risk")
ROWS_MAX: Final = 20_000
_SURCHARGES: Final = {
    "偏远": "remote", "超长": "oversize", "超重": "overweight", "易碎": "fragile",
    "保价": "insured", "其他": "other",
}  # fmt: skip
_SERVICES: Final = {"快速": "fast", "经济": "economical"}
_YES: Final = frozenset({"", "yes", "true", "1", "是"})
_NO: Final = frozenset({"no", "false", "0", "否"})
_OF_CARD: Final = ("name", "service", "volume_divisor", "max_kg")
_NUMBERS_MAX: Final = Decimal(10) ** 7

Key = tuple[str, datetime]
"""A card: its carrier, and from when on it counts."""


class ReadCards(NamedTuple):
    """A file that was read to its end."""

    rows: int
    cards: list[RateCard]
    """Those of which every row could be used."""
    refused: list[Refused]
    held_back: int
    """Cards that are not among them."""


@dataclass
class _Card:
    key: Key
    rows: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    terms: dict[str, Any] = field(default_factory=dict)
    lanes: dict[tuple[str, tuple[str, ...]], dict[str, Any]] = field(default_factory=dict)
    ends: set[tuple[str, str]] = field(default_factory=set)
    lists: dict[str, list[dict[str, Any]]] = field(
        default_factory=lambda: {"surcharges": [], "tiers": []}
    )
    sound: bool = True


@dataclass
class _Reading:
    zone: ZoneInfo
    cards: dict[Key, _Card] = field(default_factory=dict)
    refused: list[Refused] = field(default_factory=list)
    last: Key | None = None
    lost: bool = False
    """A row names no card: nobody knows which one lacks it, so all of them are held back."""


def read_rate_cards(path: Path, *, zone: ZoneInfo) -> ReadCards:
    """The cards of a file; days without a time begin in this zone.

    Raises `Unreadable` for a file without rows that a card could be made of.
    """
    reading = _Reading(zone)
    with table(path) as rows:
        if rows.rows - 1 > ROWS_MAX:
            raise Unreadable("too_many_rows", f"a file has at most {ROWS_MAX:,} rows")
        listed = iter(rows)
        heads = _heads(next(listed))
        for row in listed:
            _read_row(reading, row, heads)
    if not reading.cards and not reading.refused:
        raise Unreadable("empty", "it has no row below its heads")
    cards = [one for one in (_finished(reading, card) for card in reading.cards.values()) if one]
    held_back = len(reading.cards) - len(cards)
    return ReadCards(rows.rows - 1, cards, sorted(reading.refused), held_back)


def _heads(row: TableRow) -> list[str]:
    named = {chinese: name for name, chinese in COLUMNS.items()}
    heads = [cell_text(cell).lower() for cell in row.cells]
    heads = [named.get(one, one) for one in heads]
    while heads and not heads[-1]:
        heads.pop()
    for place, name in enumerate(heads):
        if name not in COLUMNS and name not in REPORT_COLUMNS:
            # A price that is passed over would be another price.
            why = f"row {row.number}: “{name[:40]}” is none of {', '.join(COLUMNS)}"
            raise Unreadable("unknown_column", why)
        if name in heads[:place]:
            raise Unreadable("column_twice", f"row {row.number}: “{name}” is there twice")
    missing = [name for name in NEEDED if name not in heads]
    if missing:
        why = f"row {row.number}: there is no column {', '.join(missing)}"
        raise Unreadable("column_missing", why)
    return heads


def _read_row(reading: _Reading, row: TableRow, heads: Sequence[str]) -> None:
    named = dict(zip(heads, row.cells, strict=False))
    cells = {column: cell_text(named.get(column)) for column in COLUMNS}
    try:
        for column, cell in named.items():
            if isinstance(cell, dict) and "long" in cell:
                raise UnusableCell(column, "too_long", "the cell holds too much")
        reading.last = _key(reading, cells)
    except UnusableCell as unusable:
        reading.lost = True
        reading.refused.append(_refused(row.number, cells, unusable))
        return
    card = reading.cards.setdefault(reading.last, _Card(reading.last))
    try:
        _of_card(card, cells)
        _READERS[_kind(cells["kind"])](card, cells)
        card.rows.append((row.number, cells))
    except UnusableCell as unusable:
        card.sound = False
        reading.refused.append(_refused(row.number, cells, unusable))


def _refused(number: int, cells: Mapping[str, str], unusable: UnusableCell) -> Refused:
    return Refused(number, unusable.column, unusable.code, str(unusable), [*cells.values()])


def _finished(reading: _Reading, card: _Card) -> RateCard | None:
    """The card, if all of its rows could be used; else they are refused with the others."""
    why = ("held_back", "another row of this card is refused: correct it and send all of them")
    if card.sound and not reading.lost:
        carrier, effective_from = card.key
        try:
            return RateCard.model_validate(
                {
                    "carrier": carrier,
                    "effective_from": effective_from,
                    **card.terms,
                    "lanes": list(card.lanes.values()),
                    **card.lists,
                }
            )
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            why = ("unusable", f"{'.'.join(map(str, first['loc']))}: {first['msg']}")
    reading.refused += [Refused(number, "", *why, [*cells.values()]) for number, cells in card.rows]
    return None


# --- rows ---


def _key(reading: _Reading, cells: Mapping[str, str]) -> Key:
    carrier, day = cells["carrier"].lower(), cells["effective_from"]
    if not carrier and not day and reading.last is not None:
        return reading.last
    if not re.fullmatch(CARRIER_PATTERN, carrier):
        why = "carrier has to be its code as Kuaidi100 writes it, such as zhongtong"
        raise UnusableCell("carrier", "unusable" if carrier else "empty", why)
    if not day:
        raise UnusableCell("effective_from", "empty", "effective_from is empty")
    try:
        return carrier, written_moment(day, reading.zone)
    except NotMeant:
        raise not_meant("effective_from") from None
    except ValueError:
        why = "effective_from has to be a day such as 2026-03-01"
        raise UnusableCell("effective_from", "unusable", why) from None


def _of_card(card: _Card, cells: Mapping[str, str]) -> None:
    """What is said of the whole card: in any of its rows, and the same in all that say it."""
    given: dict[str, Any] = {}
    if cells["name"]:
        given["name"] = cells["name"][:100]
    if cells["service"]:
        given["service"] = _one_of(cells, "service", _SERVICES, tuple(Service))
    if cells["volume_divisor"]:
        given["volume_divisor"] = _whole(cells, "volume_divisor", least=1)
    if cells["max_kg"]:
        given["max_parcel_grams"] = _whole(cells, "max_kg", times=1_000, least=1)
    for name, value in given.items():
        if card.terms.setdefault(name, value) != value:
            column = "max_kg" if name == "max_parcel_grams" else name
            raise UnusableCell(column, "differs", f"{column} differs from a row above")


def _kind(text: str) -> str:
    kind = ROWS.get(text, text.lower())
    if kind not in KINDS:
        raise UnusableCell("kind", "unusable", f"kind has to be one of {', '.join(KINDS)}")
    return kind


def _lane(card: _Card, cells: Mapping[str, str]) -> None:
    origin, ends = _ends(cells)
    for end in ends:
        if (origin, end) in card.ends:
            raise UnusableCell("destinations", "twice", f"{origin} to {end} is there twice")
    served = _truth(cells, "served", empty=True)
    rate = _rate(cells) if served else None
    card.ends |= {(origin, end) for end in ends}
    card.lanes[origin, ends] = {"origin": origin, "destinations": ends, "rate": rate}


def _same_city(card: _Card, cells: Mapping[str, str]) -> None:
    origin, ends = _ends(cells)
    lane = card.lanes.get((origin, ends))
    if lane is None:
        why = "the lane with this origin and these destinations has to be in a row above"
        raise UnusableCell("destinations", "no_lane", why)
    if "same_city" in lane:
        raise UnusableCell("destinations", "twice", "its price within a city is there twice")
    lane["same_city"] = _rate(cells)


def _surcharge(card: _Card, cells: Mapping[str, str]) -> None:
    given: dict[str, Any] = {
        "kind": _one_of(cells, "surcharge", _SURCHARGES, tuple(SurchargeKind)),
        "destinations": _provinces(cells, "destinations") if cells["destinations"] else (),
        "fragile": _truth(cells, "fragile", empty=False),
    }
    for column, name, times in (
        ("over_cm", "over_longest_mm", 10),
        ("over_kg", "over_grams", 1_000),
        ("over_yuan", "over_value_fen", 100),
        ("yuan", "fen", 100),
        ("yuan_per_kg", "fen_per_kg", 100),
        ("permille", "permille_of_value", 1),
    ):
        if cells[column]:
            given[name] = _whole(cells, column, times=times, least=column.startswith("over"))
    if not any(given.get(name) for name in ("fen", "fen_per_kg", "permille_of_value")):
        raise UnusableCell("yuan", "empty", "a surcharge costs something")
    card.lists["surcharges"].append(given)


def _tier(card: _Card, cells: Mapping[str, str]) -> None:
    card.lists["tiers"].append(
        {
            "parcels": _whole(cells, "parcels", least=1),
            "percent_off": _whole(cells, "percent_off", least=1, most=90),
        }
    )


def _risk(card: _Card, cells: Mapping[str, str]) -> None:
    if "risk" in card.terms:
        raise UnusableCell("kind", "twice", "the card's risk is there twice")
    names = ("lost_per_million", "damaged_per_million", "late_per_thousand")
    card.terms["risk"] = {name: _whole(cells, name) for name in names if cells[name]}


_READERS: Final[Mapping[str, Callable[[_Card, Mapping[str, str]], None]]] = {
    "lane": _lane,
    "same_city": _same_city,
    "surcharge": _surcharge,
    "tier": _tier,
    "risk": _risk,
}


def _rate(cells: Mapping[str, str]) -> dict[str, Any]:
    rate = {
        "first_fen": _whole(cells, "first_yuan", times=100),
        "additional_fen": _whole(cells, "additional_yuan", times=100),
        "hours": _whole(cells, "hours", least=1, most=2_000),
    }
    for column, name in (("first_kg", "first_grams"), ("additional_kg", "additional_grams")):
        if cells[column]:
            rate[name] = _whole(cells, column, times=1_000, least=1)
    return rate


# --- cells ---


def _ends(cells: Mapping[str, str]) -> tuple[str, tuple[str, ...]]:
    origins = _provinces(cells, "origin")
    if len(origins) != 1:
        raise UnusableCell("origin", "unusable", "origin has to be one province, or *")
    return origins[0], _provinces(cells, "destinations")


def _provinces(cells: Mapping[str, str], column: str) -> tuple[str, ...]:
    names = [one for one in re.split(r"[\s,;/、,;]+", cells[column]) if one]
    if not names:
        raise UnusableCell(column, "empty", f"{column} is empty")
    found = [
        ANYWHERE if one in (ANYWHERE, "其他") else province_named(one) or region_named(one)
        for one in names
    ]
    for name, province in zip(names, found, strict=True):
        if province is None:
            raise UnusableCell(column, "unusable", f"{name[:40]} is no province")
    known = [one for one in found if one is not None]
    if len(set(known)) < len(known):
        raise UnusableCell(column, "twice", f"{column} names a province twice")
    return tuple(known)


def _one_of(
    cells: Mapping[str, str], column: str, chinese: Mapping[str, str], known: Sequence[str]
) -> str:
    text = cells[column]
    value = chinese.get(text, text.lower())
    if value not in known:
        why = f"{column} has to be one of {', '.join(known)}"
        raise UnusableCell(column, "unusable" if text else "empty", why)
    return value


def _truth(cells: Mapping[str, str], column: str, *, empty: bool) -> bool:
    text = cells[column].lower()
    if not text:
        return empty
    if text not in _YES | _NO:
        raise UnusableCell(column, "unusable", f"{column} has to be yes or no")
    return text in _YES


def _whole(
    cells: Mapping[str, str],
    column: str,
    *,
    times: int = 1,
    least: int = 0,
    most: int | None = None,
) -> int:
    """A number that is whole once it is multiplied: yuan in fen, kilogrammes in grams."""
    text = cells[column]
    if not text:
        raise UnusableCell(column, "empty", f"{column} is empty")
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise UnusableCell(column, "unusable", f"{column} has to be a number") from None
    if not value.is_finite() or abs(value) > _NUMBERS_MAX:
        raise UnusableCell(column, "unusable", f"{column} has to be a number")
    whole = (value * times).quantize(Decimal("0.000001"))  # spreadsheets hold 3.8 as 3.8000000003
    above = most is not None and whole > most
    if whole != whole.to_integral_value() or whole < least or above:
        limits = f"at least {least}" if most is None else f"{least} to {most}"
        exact = "whole" if times == 1 else f"exact to {1 / times:g}"
        raise UnusableCell(column, "unusable", f"{column} has to be {exact} and {limits}")
    return int(whole)
