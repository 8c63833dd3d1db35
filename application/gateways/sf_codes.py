"""顺丰's operation codes (wire/carriers.md 2.3); their reading as kinds is this house's own."""

from domain.scans import ScanKind

_GROUPS: dict[ScanKind, str] = {
    ScanKind.PICKED_UP: "50 54 51 950 700 701 607 129 138 127 43 46 651 655 656",
    ScanKind.ORDERED: "646 647 201 202 205 206",
    ScanKind.DEPARTED: "30 36 3036 302 304 10 105 407",
    ScanKind.ARRIVED: "31 11 106",
    ScanKind.IN_TRANSIT: "405 406 570 571 86 87 96 501",
    ScanKind.OUT_FOR_DELIVERY: "44 204 47 122 630 677 880 34 933",
    ScanKind.AWAITING_PICKUP: "130 125 678 642 657 632",
    ScanKind.SIGNED: "80 8000 935 97",
    ScanKind.PICKUP_CONFIRMED: "128 658 679",
    ScanKind.FAILED_ATTEMPT: "33 70",
    ScanKind.PROBLEM: "72 66 77 833 131 870 934 611",
    ScanKind.TAKEN_BACK: "126",
    ScanKind.FORWARDED: "99 648",
    ScanKind.RETURNING: "631 660",
    ScanKind.HANDED_ON: "626 627",
    ScanKind.CUSTOMS: "15 16 17 18 604 605 606 612 613 614 619 620 621 623",
    ScanKind.CUSTOMS_CLEARED: "14",
}
CODES = {code: kind for kind, codes in _GROUPS.items() for code in codes.split()}


def kind_of(code: str | None) -> ScanKind | None:
    """What an operation code hints at; None for none or an unknown one: the words decide."""
    return CODES.get(code) if code is not None else None
