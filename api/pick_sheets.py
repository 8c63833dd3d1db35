"""拣货单打印 A pick list on A4: what to fetch in all, then parcel by parcel (W1)."""

from collections.abc import Mapping, Sequence
from typing import Any

from api.sheets import Sheet, document

WIDTH, HEIGHT, MARGIN = 210.0, 297.0, 14.0
RIGHT, BOTTOM = WIDTH - MARGIN, HEIGHT - 16.0


class _Flow:
    """Where the next line goes; pages begin by themselves."""

    def __init__(self, sheet: Sheet, *, head: str) -> None:
        self._sheet, self._head = sheet, head
        self.y, self._page = 34.0, 1

    def room(self, height: float) -> float:
        """A place for something of this height; returns its top."""
        if self.y + height > BOTTOM:
            self.foot()
            self._sheet.next_page()
            self._page += 1
            self._sheet.text(MARGIN, 14, self._head, size=9)
            self.y = 20.0
        top = self.y
        self.y += height
        return top

    def foot(self) -> None:
        """The page's number."""
        self._sheet.text(RIGHT, HEIGHT - 8, str(self._page), size=9, right=True)


def pick_list_pdf(pick_list: str, *, warehouse: str, parcels: Sequence[Mapping[str, Any]]) -> bytes:
    """The list as it is now; the same list is the same bytes."""
    head = f"拣货单 {pick_list}  {warehouse}"
    with document(WIDTH, HEIGHT, title=head) as (sheet, written):
        sheet.text(MARGIN, 20, head, size=18)
        sheet.barcode(RIGHT - 62, 10, pick_list, width=62, height=10)
        sheet.rule(MARGIN, 26, RIGHT, thick=0.5)
        flow = _Flow(sheet, head=head)
        _totals(sheet, flow, parcels)
        for parcel in parcels:
            _parcel(sheet, flow, parcel)
        flow.foot()
        sheet.next_page()
    return written.getvalue()


def _totals(sheet: Sheet, flow: _Flow, parcels: Sequence[Mapping[str, Any]]) -> None:
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


def _parcel(sheet: Sheet, flow: _Flow, parcel: Mapping[str, Any]) -> None:
    units = parcel["units"]
    y = flow.room(min(9 + 6 * len(units), 40))
    flow.y = y + 7
    sheet.rule(MARGIN, y - 4.5, RIGHT)
    sheet.text(MARGIN, y, parcel["number"], size=11, bold=True)
    note = "  ".join(
        [*(["含待审核订单,暂停"] if parcel["in_review"] else []), str(parcel["waybill"] or "")]
    )
    sheet.text(RIGHT, y, note.strip(), size=9, right=True)
    for unit in units:
        line = flow.room(6)
        sheet.box(MARGIN + 2, line - 3.6, 4, 4)
        sheet.text(MARGIN + 9, line, f"{unit['name']}  {unit['specification']}", size=10, width=95)
        sheet.text(MARGIN + 108, line, unit["order"], size=8.5, width=52)
        sheet.text(RIGHT, line, f"x {unit['quantity']}", size=11, bold=True, right=True)
    flow.room(4)
