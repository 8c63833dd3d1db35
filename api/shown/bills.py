"""What readers get of bills: for the API's description alone (R45)."""

from datetime import date

from pydantic import AwareDatetime, BaseModel, Field

from api.shown.after_changes import NewPosition
from api.shown.fields import Next, example
from domain.bill_facts import BillKind, Cause, Charge

_BILL = {
    "bill": "carrier:zhongtong:2026-10",
    "kind": "carrier",
    "partner": "zhongtong",
    "number": "2026-10",
    "revision": 1,
    "file": "zto-2026-10.xlsx",
    "received_at": "2026-11-03T02:10:00Z",
    "first_day": "2026-10-01",
    "last_day": "2026-10-31",
    "lines": 412,
    "refused": 1,
    "total_fen": 218_400,
    "matched_at": "2026-11-03T02:10:04Z",
    "agreed": 405,
    "ours_fen": 214_900,
    "open": 7,
    "open_fen": 3_500,
    "contested": 0,
    "contested_fen": 0,
    "state": "open",
}
_DIFFERENCE = {
    "id": "weight_above:freight:ZT7500000000123",
    "cause": "weight_above",
    "charge": "freight",
    "number": "ZT7500000000123",
    "row": 17,
    "billed_fen": 920,
    "ours_fen": 520,
    "fen": 400,
    "about": "T261103A1B2C3D4E5F6-P1",
    "item": None,
    "standing": "open",
    "reason": "",
}


class RefusedRowOut(BaseModel):
    """A row of a file that is no line of the bill."""

    row: int = Field(description="of the file, as people see it there")
    column: str = Field(description="which cell it is about; empty: the row")
    code: str = Field(description="empty, unusable, too_long or total_differs")


class RefusedNowOut(RefusedRowOut):
    """A row that was refused just now, with the reason in words."""

    why: str = Field(description="in English; what the cell held is not repeated")
    why_zh: str = Field(description="the same in Chinese")


class BillTakenOut(BaseModel):
    """What became of a file."""

    model_config = example(
        bill="carrier:zhongtong:2026-10",
        status="received",
        revision=1,
        lines=412,
        total_fen=218_400,
        dry_run=False,
        refused=1,
        refused_rows=[
            {
                "row": 9,
                "column": "amount",
                "code": "empty",
                "why": "amount is empty",
                "why_zh": "amount 不能为空",
            }
        ],
        left_out=["收件人"],
        position=61,
    )
    bill: str = Field(description="which bill it is: kind, partner and its number")
    status: str = Field(
        description="received; replaced: it took an earlier version's place; known: nothing changed"
    )
    revision: int = Field(ge=1, description="the version that counts now")
    lines: int = Field(description="of the bill")
    total_fen: int = Field(description="what its lines come to")
    dry_run: bool = Field(description="true: nothing was kept")
    refused: int = Field(description="rows that could not be read: the bill lacks them")
    refused_rows: list[RefusedNowOut] = Field(description="the first 500 of them")
    left_out: list[str] = Field(description="heads of columns that were not read")
    position: int | None = Field(default=None, description="log position; none of a dry run")


class BillOut(BaseModel):
    """A bill with its totals."""

    model_config = example(**_BILL)
    bill: str = Field(description="kind, partner and number")
    kind: BillKind
    partner: str = Field(description="carrier, warehouse, means of payment or channel")
    number: str = Field(description="the bill's own")
    revision: int = Field(description="the version that counts")
    file: str = Field(description="what its sender called it")
    received_at: AwareDatetime = Field(description="when this version came")
    first_day: date | None = Field(description="what it is about; null: it names no days")
    last_day: date | None = Field(description="the last day that it is about")
    lines: int = Field(description="of the bill")
    refused: int = Field(description="rows that could not be read")
    total_fen: int = Field(description="billed; negative amounts are taken off")
    matched_at: AwareDatetime | None = Field(
        description="when comparing it changed something last; null: not compared yet"
    )
    agreed: int = Field(description="lines that the house would have billed the same")
    ours_fen: int = Field(description="what its lines come to by the house's knowledge")
    open: int = Field(description="differences that nobody decided")
    open_fen: int = Field(description="what they come to: billed less ours")
    contested: int = Field(description="differences that the partner is asked to correct")
    contested_fen: int = Field(description="what those come to")
    state: str = Field(description="received (not compared yet), open, contested or settled")


class BillsOut(BaseModel):
    """A page of bills, newest first."""

    model_config = example(bills=[_BILL], next=None)
    bills: list[BillOut] = Field(description="newest first")
    next: Next


class CauseOut(BaseModel):
    """All differences of one cause."""

    cause: Cause
    differences: int = Field(description="how many")
    fen: int = Field(description="what they come to")
    open: int = Field(description="of them undecided")
    accepted: int = Field(description="of them accepted")
    contested: int = Field(description="of them contested")


class RevisionOut(BaseModel):
    """One version of a bill."""

    revision: int = Field(description="from 1")
    file: str = Field(description="what its sender called it")
    lines: int = Field(description="of it")
    refused: int = Field(description="rows that could not be read")
    total_fen: int = Field(description="what it came to")
    received_at: AwareDatetime = Field(description="when it came")
    received_by: str = Field(description="who imported it, `role:subject`")


class WholeBillOut(BillOut):
    """A bill with what differs by cause, its versions and the rows that it lacks."""

    model_config = example(
        **_BILL,
        causes=[
            {
                "cause": "weight_above",
                "differences": 7,
                "fen": 3_500,
                "open": 7,
                "accepted": 0,
                "contested": 0,
            }
        ],
        revisions=[
            {
                "revision": 1,
                "file": "zto-2026-10.xlsx",
                "lines": 412,
                "refused": 1,
                "total_fen": 218_400,
                "received_at": "2026-11-03T02:10:00Z",
                "received_by": "operations:wu",
            }
        ],
        refused_rows=[{"row": 9, "column": "amount", "code": "empty"}],
    )
    causes: list[CauseOut] = Field(description="most undecided ones first")
    revisions: list[RevisionOut] = Field(description="newest first")
    refused_rows: list[RefusedRowOut] = Field(description="the first 500 of the newest version")


class DifferenceOut(BaseModel):
    """Something of a bill that the house knows otherwise."""

    model_config = example(**_DIFFERENCE)
    id: str = Field(description="names it; the same in a corrected bill")
    cause: Cause
    charge: Charge
    number: str = Field(description="on the bill, or expected there")
    row: int | None = Field(description="of the file; null: it is not on the bill")
    billed_fen: int = Field(description="on the bill")
    ours_fen: int = Field(description="by the house's knowledge")
    fen: int = Field(description="what this cause makes of the difference between both")
    about: str = Field(description="our parcel or order; empty: none is known")
    item: str | None = Field(description="what an item that was stored is called")
    standing: str = Field(description="open, accepted, contested; settled: nothing to decide")
    reason: str = Field(description="why it was accepted or contested")


class DifferencesOut(BaseModel):
    """A page of differences, by cause and number."""

    model_config = example(differences=[_DIFFERENCE], next=None)
    differences: list[DifferenceOut] = Field(description="by cause and number")
    next: Next


class DifferencesDecidedOut(BaseModel):
    """What was decided."""

    model_config = example(
        bill="carrier:zhongtong:2026-10", decided=1, state="contested", position=64
    )
    bill: str = Field(description="whose differences they are")
    decided: int = Field(description="how many")
    state: str = Field(description="the bill's state now")
    position: NewPosition
