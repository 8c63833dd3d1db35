"""报关单打印 What customs are told, on A4, in English and Chinese, as a CN 23 has it (T7, A4).

Only what was declared: the sheet says of itself whether it was submitted, and what is missing.
Its recipient is masked, as on the label: the carrier has the whole address under its number.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from api.a4 import HEIGHT, MARGIN, RIGHT, WIDTH, Flow
from api.sheets import Sheet, document
from domain.declarations import DeclaredLine

CURRENCY = "CNY"
_COLUMNS = ((54.0, "HS code"), (79.0, "Origin"), (98.0, "Qty"), (120.0, "Net kg"), (150.0, "Each"))
_GAP = "—"


@dataclass(frozen=True, slots=True)
class Declared:
    """What is on the sheet of one parcel."""

    parcel: str
    carrier: str
    waybill: str
    """Empty: no carrier's number is on the parcel yet."""
    sender: tuple[str, ...]
    recipient: str
    """Masked, as are phone and address (A4); empty: erased, or under a legal hold."""
    phone: str
    address: str
    country: str
    lines: tuple[DeclaredLine, ...]
    gross_weight_grams: int
    reference: str
    standing: str
    """In words, of both languages."""
    draft: bool
    """Whether customs have not been asked about just this."""


def declaration_pdf(one: Declared) -> bytes:
    """The sheet; the same declaration is the same bytes."""
    head = f"CUSTOMS DECLARATION  海关申报单  {one.parcel}"
    with document(WIDTH, HEIGHT, title=head) as (sheet, written):
        sheet.text(MARGIN, 18, "CUSTOMS DECLARATION", size=18, bold=True)
        sheet.text(MARGIN, 25, "海关申报单 (CN 23)", size=11)
        sheet.barcode(RIGHT - 74, 10, one.waybill or one.parcel, width=74, height=11)
        sheet.text(RIGHT, 26, one.waybill or one.parcel, size=10, right=True)
        sheet.rule(MARGIN, 29, RIGHT, thick=0.5)
        flow = Flow(sheet, head=head)
        _parties(sheet, flow, one)
        _goods(sheet, flow, one.lines)
        _sums(sheet, flow, one)
        _signature(sheet, flow, one)
        flow.foot()
        sheet.next_page()
    return written.getvalue()


def _parties(sheet: Sheet, flow: Flow, one: Declared) -> None:
    top, middle = flow.room(40), WIDTH / 2 + 2
    width = middle - MARGIN - 6
    for x, title, lines in (
        (MARGIN, "From 寄件人", one.sender),
        (middle, "To 收件人", (f"{one.recipient}  {one.phone}".strip(), one.address)),
    ):
        sheet.text(x, top, title, size=8)
        y = top + 6
        for words in lines:
            y = sheet.lines(x, y, words, size=10.5, width=width, most=3)
    sheet.text(middle, top + 33, f"Country 国家或地区: {one.country}", size=9, width=width)
    carrier = f"{one.carrier}  {one.waybill}".strip() or _GAP
    sheet.text(MARGIN, top + 33, f"Carrier 承运商: {carrier}", size=9, width=width)


def _goods(sheet: Sheet, flow: Flow, lines: Sequence[DeclaredLine]) -> None:
    top = flow.room(9)
    sheet.rule(MARGIN, top, RIGHT, thick=0.5)
    sheet.text(MARGIN, top + 6, "Contents 内件", size=8)
    for x, title in _COLUMNS:
        sheet.text(MARGIN + x, top + 6, title, size=8, right=title in ("Qty", "Net kg", "Each"))
    sheet.text(RIGHT, top + 6, f"Value ({CURRENCY})", size=8, right=True)
    for nth, line in enumerate(lines, start=1):
        top = flow.room(13)
        sheet.rule(MARGIN, top, RIGHT)
        sheet.text(
            MARGIN, top + 5, f"{nth}  {line.english_name or _GAP}", size=10, width=RIGHT - MARGIN
        )
        sheet.text(MARGIN + 4, top + 10, line.name, size=8.5, width=48)
        cells = (
            line.hs_code or _GAP, line.origin or _GAP, str(line.quantity),
            kilograms(line.net_weight_grams), yuan(line.unit_value_fen),
        )  # fmt: skip
        for (x, title), words in zip(_COLUMNS, cells, strict=True):
            right = title in ("Qty", "Net kg", "Each")
            sheet.text(MARGIN + x, top + 10, words, size=10, right=right)
        sheet.text(RIGHT, top + 10, yuan(line.quantity * line.unit_value_fen), size=10, right=True)


def _sums(sheet: Sheet, flow: Flow, one: Declared) -> None:
    top = flow.room(26)
    sheet.rule(MARGIN, top, RIGHT, thick=0.5)
    net = sum(line.net_weight_grams for line in one.lines)
    value = sum(line.quantity * line.unit_value_fen for line in one.lines)
    for y, words, figure in (
        (6.0, "Total value 总价值", f"{CURRENCY} {yuan(value)}"),
        (12.0, "Total net weight 总净重", f"{kilograms(net)} kg"),
        (18.0, "Total gross weight 总毛重", f"{kilograms(one.gross_weight_grams)} kg"),
    ):
        sheet.text(MARGIN, top + y, words, size=10)
        sheet.text(RIGHT, top + y, figure, size=10, bold=True, right=True)


def _signature(sheet: Sheet, flow: Flow, one: Declared) -> None:
    top = flow.room(40)
    sheet.rule(MARGIN, top, RIGHT, thick=0.5)
    sheet.text(MARGIN, top + 6, f"Standing 申报状态: {one.standing}", size=10)
    sheet.text(MARGIN, top + 12, f"Reference 申报编号: {one.reference or _GAP}", size=10)
    if one.draft:
        sheet.text(MARGIN, top + 20, "DRAFT 草稿: customs have not been asked about this", size=12)
    sheet.text(MARGIN, top + 32, "Date and sender's signature 日期及寄件人签名", size=8)
    sheet.rule(MARGIN + 70, top + 33, RIGHT)


def kilograms(grams: int) -> str:
    """As customs write it: to the gram, without a rounding."""
    return f"{grams // 1000}.{grams % 1000:03d}"


def yuan(fen: int) -> str:
    """To the fen, without a rounding."""
    return f"{fen // 100}.{fen % 100:02d}"
