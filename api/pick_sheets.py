"""拣货单打印 A pick list on A4: what to fetch in all, then parcel by parcel (W1)."""

from collections.abc import Mapping, Sequence
from typing import Any

from api.a4 import HEIGHT, MARGIN, RIGHT, WIDTH, Flow
from api.sheets import Sheet, document


def pick_list_pdf(pick_list: str, *, warehouse: str, parcels: Sequence[Mapping[str, Any]]) -> bytes:
    """The list as it is now; the same list is the same bytes."""
    head = f"拣货单 {pick_list}  {warehouse}"
    with document(WIDTH, HEIGHT, title=head) as (sheet, written):
        sheet.text(MARGIN, 20, head, size=18)
        sheet.barcode(RIGHT - 62, 10, pick_list, width=62, height=10)
        sheet.rule(MARGIN, 26, RIGHT, thick=0.5)
        flow = Flow(sheet, head=head)
        _totals(sheet, flow, parcels)
        for parcel in parcels:
            _parcel(sheet, flow, parcel)
        flow.foot()
        sheet.next_page()
    return written.getvalue()


def _totals(sheet: Sheet, flow: Flow, parcels: Sequence[Mapping[str, Any]]) -> None:
    sums: dict[str, tuple[str, int]] = {}
    for unit in (unit for parcel in parcels for unit in parcel["units"]):
        known = sums.get(unit["sku"], ("", 0))[1]
        words = f"{unit['name']}  {unit['specification']}".strip()
        sums[unit["sku"]] = (words, known + unit["quantity"])
    sheet.text(MARGIN, flow.room(8), "合计取货", size=13)
    for sku, (words, quantity) in sorted(sums.items()):
        y = flow.room(7)
        sheet.box(MARGIN, y - 4, 4.4, 4.4)
        sheet.text(MARGIN + 8, y, words, size=10.5, width=98)
        sheet.text(MARGIN + 110, y, sku, size=9, width=50)
        sheet.text(RIGHT, y, f"x {quantity}", size=12, bold=True, right=True)
    flow.room(4)


def _parcel(sheet: Sheet, flow: Flow, parcel: Mapping[str, Any]) -> None:
    units = parcel["units"]
    y = flow.room(min(9 + 6 * len(units), 40))
    flow.y = y + 7
    sheet.rule(MARGIN, y - 4.5, RIGHT)
    sheet.text(MARGIN, y, parcel["number"], size=11, bold=True)
    note = "  ".join(
        [*(["含待审核订单，暂停"] if parcel["in_review"] else []), str(parcel["waybill"] or "")]
    )
    sheet.text(RIGHT, y, note.strip(), size=9, right=True)
    for unit in units:
        line = flow.room(6)
        sheet.box(MARGIN + 2, line - 3.6, 4, 4)
        sheet.text(MARGIN + 9, line, f"{unit['name']}  {unit['specification']}", size=10, width=95)
        sheet.text(MARGIN + 108, line, unit["order"], size=8.5, width=52)
        sheet.text(RIGHT, line, f"x {unit['quantity']}", size=11, bold=True, right=True)
    flow.room(4)
