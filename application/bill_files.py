"""账单文件 A partner's bill from CSV or XLSX: each row a line, or refused with its reason (W6).

Partners' files have many columns, some with people's names: those that a bill needs are read by
the names that partners give them, the others are left out and said so. Amounts are yuan with two
decimals, weights kilogrammes, as bills have them.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from application.importing import Refused, UnusableCell, cell_text, not_meant
from application.spreadsheets import TableRow, Unreadable, table
from application.written_days import NotMeant, written_day
from domain.bill_facts import (
    CHARGES,
    KEPT,
    LINES_MAX,
    NUMBER_PATTERN,
    BilledLine,
    BillKind,
    Charge,
    RefusedRow,
)
from domain.bills import BillFile

COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "number": (
        "number", "运单号", "快递单号", "运单号码", "waybill", "面单号", "包裹号", "商户订单号",
        "订单号", "支付单号", "sku", "商品编码", "单号",
    ),
    "amount": (
        "amount", "应付金额", "结算金额", "总费用", "合计费用", "金额", "运费", "费用", "fee",
    ),
    "charge": ("charge", "费用类型", "费用项目", "费用名称", "交易类型", "业务类型"),
    "weight": ("weight", "计费重量", "结算重量", "重量"),
    "quantity": ("quantity", "件月", "数量", "件数"),
    "day": ("day", "date", "发货日期", "寄件日期", "揽收日期", "交易时间", "交易日期", "日期"),
}  # fmt: skip
"""What a bill needs and how partners head it; where two are there, the earlier name counts."""
NEEDED: Final = ("number", "amount")
_CHARGES: Final = {
    "运费": Charge.FREIGHT, "快递费": Charge.FREIGHT, "附加费": Charge.SURCHARGE,
    "包装费": Charge.PACKAGING, "操作费": Charge.HANDLING, "仓储费": Charge.STORAGE,
    "收款": Charge.CAPTURE, "支付": Charge.CAPTURE, "消费": Charge.CAPTURE, "退款": Charge.REFUND,
    "手续费": Charge.FEE, "佣金": Charge.COMMISSION, "其他": Charge.OTHER,
}  # fmt: skip
_TOTALS: Final = frozenset({"合计", "总计", "小计", "total", "sum"})
_LARGEST_YUAN: Final = Decimal(10) ** 9
_UNITS: Final = re.compile(r"[\s(（\[【/].*$")
_AMOUNT: Final = re.compile(
    r"([-+]?)\s*[\u00a5\uffe5]?\s*"
    r"(-?(?:\d{1,3}(?:[,\uff0c]\d{3})+|\d+)(?:\.\d*)?|\.\d+)"
    r"((?:[eE][-+]?\d+)?)\s*\u5143?"
)
"""Its sign, its digits with commas between thousands alone, and the exponent of a workbook's."""
_SPREADSHEET_NOISE: Final = Decimal("0.000001")
"""What adding floats up leaves behind in a workbook's cells."""


class ReadBill(NamedTuple):
    """A file that was read to its end."""

    file: BillFile
    refused: list[Refused]
    left_out: list[str]
    """Heads of columns that say nothing a bill needs."""


@dataclass
class _Reading:
    kind: BillKind
    zone: ZoneInfo
    lines: list[BilledLine] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    fen: int = 0


def read_bill(
    path: Path,
    *,
    kind: BillKind,
    partner: str,
    number: str,
    called: str,
    zone: ZoneInfo,
    first_day: date | None = None,
    last_day: date | None = None,
) -> ReadBill:
    """A bill from a file that its sender called `called`; `number` is the bill's own.

    Without days it is about those that its lines name, in this zone. Raises `Unreadable` for a
    file without rows that a bill could be made of, before anything is kept.
    """
    reading = _Reading(kind, zone)
    with table(path) as rows:
        if rows.rows - 1 > LINES_MAX:
            raise Unreadable("too_many_rows", f"a bill has at most {LINES_MAX:,} lines")
        listed = iter(rows)
        places, left_out = _places(next(listed))
        for row in listed:
            _read_row(reading, row, places)
    if not reading.lines and not reading.refused:
        raise Unreadable("empty", "it has no line")
    days = [one.day for one in reading.lines if one.day is not None]
    file = BillFile(
        kind,
        partner,
        number,
        called,
        reading.lines,
        [RefusedRow(row=one.row, column=one.column, code=one.code) for one in reading.refused],
        first_day or min(days, default=None),
        last_day or max(days, default=None),
    )
    return ReadBill(file, reading.refused, left_out)


def _places(row: TableRow) -> tuple[dict[str, int], list[str]]:
    """Where each column is that a bill needs, and the heads of the others."""
    heads = [cell_text(cell) for cell in row.cells]
    plain = [_UNITS.sub("", one.strip().lower()) for one in heads]
    places = {
        column: next(plain.index(name) for name in names if name in plain)
        for column, names in COLUMNS.items()
        if any(name in plain for name in names)
    }
    missing = [name for name in NEEDED if name not in places]
    if missing:
        raise Unreadable(
            "column_missing", f"row {row.number}: there is no column {', '.join(missing)}"
        )
    return places, [one for at, one in enumerate(heads) if one and at not in places.values()]


def _read_row(reading: _Reading, row: TableRow, places: Mapping[str, int]) -> None:
    named = {
        column: row.cells[at] if at < len(row.cells) else None for column, at in places.items()
    }
    texts = {column: cell_text(cell) for column, cell in named.items()}
    try:
        for column, cell in named.items():
            if isinstance(cell, dict) and "long" in cell:
                raise UnusableCell(column, "too_long", "the cell holds too much")
        if texts["number"].lower() in _TOTALS:
            _check_total(reading, texts["amount"])
            return
        line = _line(reading, row.number, texts)
    except UnusableCell as unusable:
        cells = [texts.get(column, "") for column in COLUMNS]
        why = str(unusable)
        reading.refused.append(Refused(row.number, unusable.column, unusable.code, why, cells))
        return
    reading.lines.append(line)
    reading.fen += line.fen


def _check_total(reading: _Reading, text: str) -> None:
    """A sum below the lines is no line, but it has to be theirs."""
    fen = _fen(text)
    if fen != reading.fen:
        why = f"the sum is {fen} fen, the lines above come to {reading.fen} fen"
        raise UnusableCell("amount", "total_differs", why)


def _line(reading: _Reading, row: int, texts: Mapping[str, str]) -> BilledLine:
    kind, number = reading.kind, texts["number"]
    if not re.fullmatch(NUMBER_PATTERN, number):
        why = "number has to be 1 to 64 letters, digits and ._/-"
        raise UnusableCell("number", "unusable" if number else "empty", why)
    charge = _charge(texts.get("charge", ""), kind)
    fen = _fen(texts["amount"])
    owed_to_us = kind in (BillKind.PAYMENT, BillKind.CHANNEL)
    return BilledLine(
        row=row,
        number=number,
        charge=charge,
        fen=-abs(fen) if owed_to_us and charge in KEPT else fen,
        grams=_whole(texts.get("weight", ""), "weight", times=1_000),
        quantity=_whole(texts.get("quantity", ""), "quantity", times=1),
        day=_day(texts.get("day", ""), reading.zone),
    )


def _charge(text: str, kind: BillKind) -> Charge:
    allowed = CHARGES[kind]
    if not text:
        return allowed[0]
    known = _CHARGES.get(text)
    if known is None and text.lower() in tuple(Charge):
        known = Charge(text.lower())
    if known not in allowed:
        why = f"charge has to be one of {', '.join(allowed)}"
        raise UnusableCell("charge", "unusable", why)
    return known


def _fen(text: str) -> int:
    yuan = _decimal(text, "amount")
    fen = yuan * 100
    if abs(yuan) > _LARGEST_YUAN or fen != fen.to_integral_value():
        raise UnusableCell("amount", "unusable", "amount has to be yuan with two decimals at most")
    return int(fen)


def _whole(text: str, column: str, *, times: int) -> int | None:
    if not text:
        return None
    value = _decimal(text, column) * times
    if not 0 <= value <= _LARGEST_YUAN or value != value.to_integral_value():
        why = f"{column} has to be a number of at least 0, exact to {1 / times:g}"
        raise UnusableCell(column, "unusable", why)
    return int(value)


def _decimal(text: str, column: str) -> Decimal:
    if not text:
        raise UnusableCell(column, "empty", f"{column} is empty")
    try:
        value = Decimal(_plain(text))
        if not value.is_finite():
            raise InvalidOperation
        return value.quantize(_SPREADSHEET_NOISE).normalize()
    except InvalidOperation:
        why = f"{column} has to be a number"
        if re.search("[,\uff0c]", text):
            why = f"{column} has to be a number; commas stand between thousands alone"
        raise UnusableCell(column, "unusable", why) from None


def _plain(text: str) -> str:
    """A number as programs write it. Raises `InvalidOperation` for none: `4,10` is not 410."""
    found = _AMOUNT.fullmatch(text)
    if found is None:
        raise InvalidOperation
    sign, digits, exponent = found.groups()
    return sign + re.sub("[,\uff0c]", "", digits) + exponent


def _day(text: str, zone: ZoneInfo) -> date | None:
    if not text:
        return None
    try:
        return written_day(text, zone)
    except NotMeant:
        raise not_meant("day") from None
    except ValueError:
        raise UnusableCell("day", "unusable", "day has to be one such as 2026-03-01") from None
