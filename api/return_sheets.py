"""退货面单打印 The label of goods that come back, 100 by 150 mm: masked (D3, W5, A4).

The warehouse scans the return's own number; a carrier's number is on it once there is one.
"""

from dataclasses import dataclass, field

from api.label_sheets import HEIGHT, MARGIN, RIGHT, WIDTH, draw_items
from api.sheets import Sheet, document


@dataclass(frozen=True, slots=True)
class ReturnFace:
    """What is on the label of a return."""

    number: str
    """The return's, which is its parcel's."""
    order: str
    warehouse: str
    phone: str
    """The warehouse's own; empty where the house has not set it up."""
    address: str
    sender: str
    """Masked, as are phone and place (A4); empty: erased, or under a legal hold."""
    sender_place: str
    send_by: str
    carrier: str = ""
    waybill: str = ""
    items: tuple[tuple[str, int], ...] = field(default=())
    customs: str = ""
    """What customs have to see on a parcel that comes back from abroad (T7); empty: at home."""


def return_label_pdf(face: ReturnFace) -> bytes:
    """One page; the same return is the same bytes, as long as nothing of it changes."""
    with document(WIDTH, HEIGHT, title=face.number) as (sheet, written):
        _addresses(sheet, face)
        _contents(sheet, face)
        sheet.next_page()
    return written.getvalue()


def _addresses(sheet: Sheet, face: ReturnFace) -> None:
    sheet.text(MARGIN, 12, "退货  RETURN", size=17, bold=True, width=55)
    sheet.text(RIGHT, 12, face.carrier, size=13, right=True)
    sheet.rule(MARGIN, 16, RIGHT, thick=0.5)
    sheet.barcode(MARGIN, 19, face.number, width=RIGHT - MARGIN, height=17)
    sheet.text(MARGIN, 41, face.number, size=11, bold=True, width=90)
    sheet.rule(MARGIN, 45, RIGHT)
    sheet.text(MARGIN, 52, "收", size=14)
    sheet.text(MARGIN + 9, 52, f"{face.warehouse}  {face.phone}".strip(), size=14, width=79)
    sheet.lines(MARGIN + 9, 59, face.address, size=12.5, width=79, most=3)
    sheet.rule(MARGIN, 75, RIGHT)
    sheet.text(MARGIN, 81, "寄", size=10)
    sheet.text(MARGIN + 9, 81, face.sender, size=9, width=79)
    sheet.lines(MARGIN + 9, 85.5, face.sender_place, size=9, width=79, most=2)
    sheet.rule(MARGIN, 92, RIGHT, thick=0.5)


def _contents(sheet: Sheet, face: ReturnFace) -> None:
    draw_items(sheet, 98, face.items)
    sheet.text(RIGHT, 125, face.customs, size=9, bold=True, right=True)
    sheet.rule(MARGIN, 127, RIGHT)
    sheet.text(MARGIN, 131.5, f"订单 {face.order}  {face.send_by}".rstrip(), size=7.5, width=90)
    if face.waybill:
        sheet.barcode(MARGIN, 134, face.waybill, width=62, height=8)
        sheet.text(MARGIN, 146, face.waybill, size=9, bold=True, width=90)
    else:
        sheet.text(MARGIN, 138, "快递单号 / waybill", size=7.5)
        sheet.box(MARGIN, 139.5, RIGHT - MARGIN, 7)
