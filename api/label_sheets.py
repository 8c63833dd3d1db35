"""面单打印 Labels as they are printed, 100 by 150 mm, a page a parcel: masked (W5, A4).

The carrier has the whole address under its number; what is on the parcel names nobody.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from api.sheets import Sheet, document

WIDTH, HEIGHT, MARGIN = 100.0, 150.0, 5.0
RIGHT = WIDTH - MARGIN
ITEMS_MAX = 6


@dataclass(frozen=True, slots=True)
class Face:
    """What is on one label."""

    parcel: str
    warehouse: str
    carrier: str
    waybill: str
    sorting: str
    wave: str
    recipient: str
    """Masked, as are phone and address (A4); empty: erased, or under a legal hold."""
    phone: str
    address: str
    sender: str
    orders: tuple[str, ...]
    items: tuple[tuple[str, int], ...] = field(default=())
    grams: int | None = None


def labels_pdf(faces: Iterable[Face], *, title: str) -> bytes:
    """One document with a page for each; the same faces are the same bytes."""
    with document(WIDTH, HEIGHT, title=title) as (sheet, written):
        for face in faces:
            _draw(sheet, face)
            sheet.next_page()
    return written.getvalue()


def draw_items(sheet: Sheet, y: float, items: Sequence[tuple[str, int]]) -> None:
    """Names and quantities from a height on; of many the first, and how many there are in all."""
    for name, quantity in items[:ITEMS_MAX]:
        sheet.text(MARGIN, y, name, size=9, width=75)
        sheet.text(RIGHT, y, f"x {quantity}", size=9, bold=True, right=True)
        y += 4.6
    if len(items) > ITEMS_MAX:
        sheet.text(MARGIN, y, f"… 共 {sum(one for _, one in items)} 件", size=9)


def _draw(sheet: Sheet, face: Face) -> None:
    sheet.text(MARGIN, 12, face.carrier, size=17, width=52)
    sheet.text(RIGHT, 12, face.sorting, size=19, bold=True, right=True)
    sheet.rule(MARGIN, 16, RIGHT, thick=0.5)
    sheet.barcode(MARGIN, 19, face.waybill, width=RIGHT - MARGIN, height=19)
    sheet.text(MARGIN, 43, face.waybill, size=13, bold=True)
    sheet.rule(MARGIN, 47, RIGHT)
    sheet.text(MARGIN, 54, "收", size=14)
    sheet.text(MARGIN + 9, 54, f"{face.recipient}  {face.phone}".strip(), size=14, width=79)
    sheet.lines(MARGIN + 9, 61, face.address, size=12.5, width=79, most=3)
    sheet.rule(MARGIN, 77, RIGHT)
    sheet.text(MARGIN, 83, "寄", size=10)
    sheet.lines(MARGIN + 9, 83, face.sender, size=9, width=79, most=2)
    sheet.rule(MARGIN, 91, RIGHT, thick=0.5)
    draw_items(sheet, 97, face.items)
    sheet.rule(MARGIN, 126, RIGHT)
    sheet.text(MARGIN, 131, f"订单 {'  '.join(face.orders)}", size=7.5, width=90)
    weight = "" if face.grams is None else f"  {face.grams / 1000:.2f} kg"
    sheet.text(MARGIN, 135, f"{face.warehouse}  {face.wave}{weight}", size=7.5, width=90)
    sheet.barcode(MARGIN, 137, face.parcel, width=62, height=6.5)
    sheet.text(MARGIN, 147, f"包裹 {face.parcel}", size=7.5, width=90)
