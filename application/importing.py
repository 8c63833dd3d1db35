"""导入 Grants from a CSV or XLSX file: every row answered, nothing lost, safe to send again (L1).

A row becomes the grant it names, under that grant's own identity (rules.md 14): an import that
was broken off, or a file that is sent twice, grants nothing twice. Cells are data, whatever they
look like; nothing in a file is ever computed.
"""

import asyncio
import csv
import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final, NamedTuple

from application.envelope import Context
from application.granting import Grant, GrantConflict, grant_command
from application.outcomes import KeyReused, Outcome, Unavailable
from application.sheet_reader import FORMULA_SIGNS
from application.spreadsheets import TableRow, Unreadable, table
from application.store import Store
from application.written_days import NotMeant, written_moment
from domain.days import FIRST_DAY, LAST_DAY
from domain.house_rules import HouseRules
from domain.point_facts import Reason
from domain.reasons import reason_zh
from domain.refusals import Refusal

BATCH = 2_000
"""Grants asked for at a time."""
POINTS_MAX = 1_000_000_000
PATIENCE_TRIES = 10

COLUMNS: Final = (
    "learner", "points", "reason", "source", "happened_at", "expires_at", "carried_over",
)  # fmt: skip
NEEDED: Final = COLUMNS[:4]
REPORT_COLUMNS: Final = ("row", "column", "code", "why", "why_zh")
"""What a report adds to a refused row; a corrected report can be imported as it is."""
ALIASES: Final = {
    "学员": "learner", "学号": "learner", "积分": "points", "原因": "reason", "来源": "source",
    "发生时间": "happened_at", "到期时间": "expires_at", "沿用": "carried_over",
}  # fmt: skip
_YES: Final = frozenset({"true", "yes", "1", "是"})
_NO: Final = frozenset({"", "false", "no", "0", "否"})


class UnusableCell(Exception):
    """A row cannot be a grant: which column, a stable code, and why."""

    def __init__(self, column: str, code: str, why: str) -> None:
        self.column = column
        self.code = code
        super().__init__(why)


class Refused(NamedTuple):
    """A row that was not granted."""

    row: int
    column: str
    code: str
    why: str
    cells: Sequence[str]
    chinese: str = ""
    """Why, where it is no reason of a file's own."""

    @property
    def why_zh(self) -> str:
        """Why, in Chinese (M4)."""
        return self.chinese or reason_zh(self.why)


@dataclass
class Imported:
    """What became of the rows of one file."""

    rows: int = 0
    granted: int = 0
    duplicates: int = 0
    points: int = 0
    refused: Counter[str] = field(default_factory=Counter)


class _Row(NamedTuple):
    number: int
    cells: dict[str, Any]
    grant: Grant


Tell = Callable[[Imported], None]
Keep = Callable[[Refused], None]


async def import_grants(
    path: Path,
    store: Store,
    *,
    rules: HouseRules,
    actor: str,
    keep: Keep,
    tell: Tell = lambda imported: None,
) -> Imported:
    """Grant every row of a file; `keep` gets each refused row, `tell` hears of each batch.

    Raises `Unreadable`, before anything is granted, for a file that gives no rows.
    """
    digest = await asyncio.to_thread(_digest, path)
    imported = Imported()
    with table(path) as rows:
        listed = iter(rows)
        heads = _heads(next(listed))
        while batch := list(islice(listed, BATCH)):
            usable = list(_usable(batch, heads, rules=rules, imported=imported, keep=keep))
            for row, result in zip(
                usable, await _granted(store, usable, path, digest, actor, rules), strict=True
            ):
                _count(imported, row, result, keep)
            imported.rows += len(batch)
            tell(imported)
    return imported


def _count(imported: Imported, row: _Row, result: Outcome | Refusal, keep: Keep) -> None:
    if isinstance(result, Outcome):
        if result.repeated:
            imported.duplicates += 1
        else:
            imported.granted += 1
            imported.points += row.grant.points
        return
    # The identity is the key: another digest under it is another points or expiry (rules.md 14).
    refusal = GrantConflict() if isinstance(result, KeyReused) else result
    imported.refused[refusal.code] += 1
    english, chinese = refusal.message("en"), refusal.message("zh")
    keep(Refused(row.number, "", refusal.code, english, _texts(row.cells), chinese))


def _usable(
    batch: Sequence[TableRow],
    heads: Sequence[str],
    *,
    rules: HouseRules,
    imported: Imported,
    keep: Keep,
) -> Iterator[_Row]:
    for number, cells in batch:
        named = dict(zip(heads, cells, strict=False))
        try:
            if any(cell not in ("", None) for cell in cells[len(heads) :]):
                raise UnusableCell("", "no_head", "it has more cells than the table has heads")
            yield _Row(number, named, _grant(named, rules))
        except UnusableCell as unusable:
            imported.refused[unusable.code] += 1
            why = str(unusable)
            keep(Refused(number, unusable.column, unusable.code, why, _texts(named)))


async def _granted(
    store: Store, rows: Sequence[_Row], path: Path, digest: str, actor: str, rules: HouseRules
) -> list[Outcome | Refusal]:
    commands = [
        grant_command(
            row.grant,
            Context(
                actor=actor,
                command=f"import:{digest[:16]}:{row.number}",
                reason=f"import of {path.name}, row {row.number}",
            ),
            rules=rules,
        )
        for row in rows
    ]
    for tried in range(PATIENCE_TRIES):
        try:
            return await store.execute_all(commands)
        except Unavailable:
            # What was granted meanwhile is not granted again: every grant is its own key.
            await asyncio.sleep(min(0.2 * 2**tried, 5.0))
    raise Unavailable


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise Unreadable("missing", f"it cannot be opened: {error.strerror}") from None


# --- heads and cells ---


def _heads(row: TableRow) -> list[str]:
    """The columns' names; raises `Unreadable` for what a grant cannot be made of."""
    heads = [ALIASES.get(name, name) for name in (cell_text(cell).lower() for cell in row.cells)]
    while heads and not heads[-1]:
        heads.pop()
    for place, name in enumerate(heads):
        column = column_letters(place)
        if name not in COLUMNS and name not in REPORT_COLUMNS:
            known = ", ".join(COLUMNS)
            why = f"row {row.number}, column {column}: “{name[:40]}” is none of {known}"
            raise Unreadable("unknown_column", why)
        if name in heads[:place]:
            why = f"row {row.number}, column {column}: “{name}” is there twice"
            raise Unreadable("column_twice", why)
    missing = [name for name in NEEDED if name not in heads]
    if missing:
        why = f"row {row.number}: there is no column {', '.join(missing)}"
        raise Unreadable("column_missing", why)
    return heads


def column_letters(place: int) -> str:
    """A column as spreadsheets name it: 0 is A, 26 is AA."""
    letters = ""
    place += 1
    while place:
        place, digit = divmod(place - 1, 26)
        letters = chr(65 + digit) + letters
    return letters


SOURCE = "1 to 200 characters, none of them a control character"


def _grant(cells: Mapping[str, Any], rules: HouseRules) -> Grant:
    for column, cell in cells.items():
        if isinstance(cell, dict) and "long" in cell:
            raise UnusableCell(column, "too_long", f"the cell holds {cell['long']:,} characters")
    return Grant(
        learner=_matching(cells, "learner", r"[\w.@+/=-]{1,100}", "letters, digits and ._@+/=-"),
        points=_points(cells),
        reason=_reason(cells),
        source=_matching(cells, "source", r"[^\x00-\x1f]{1,200}", SOURCE),
        happened_at=_moment(cells, "happened_at", rules, end_of_day=False),
        # Points can be spent until the end of the day they expire on (rules.md 15).
        expires_at=_moment(cells, "expires_at", rules, end_of_day=True),
        carried_over=_truth(cells, "carried_over"),
    )


def _matching(cells: Mapping[str, Any], column: str, pattern: str, what: str) -> str:
    text = cell_text(cells.get(column))
    if not text:
        raise UnusableCell(column, "empty", f"{column} is empty")
    if not re.fullmatch(pattern, text):
        raise UnusableCell(column, "unusable", f"{column} has to be {what}")
    return text


def _points(cells: Mapping[str, Any]) -> int:
    text = cell_text(cells.get("points"))
    if not re.fullmatch(r"[0-9]{1,10}", text, re.ASCII) or not 1 <= int(text) <= POINTS_MAX:
        why = f"points have to be a whole number from 1 to {POINTS_MAX:,}"
        raise UnusableCell("points", "unusable" if text else "empty", why)
    return int(text)


def _reason(cells: Mapping[str, Any]) -> Reason:
    text = cell_text(cells.get("reason")).lower()
    try:
        return Reason(text)
    except ValueError:
        why = f"reason has to be one of {', '.join(Reason)}"
        raise UnusableCell("reason", "unusable" if text else "empty", why) from None


def _truth(cells: Mapping[str, Any], column: str) -> bool:
    text = cell_text(cells.get(column)).lower()
    if text not in _YES | _NO:
        raise UnusableCell(column, "unusable", f"{column} has to be true or false")
    return text in _YES


def _moment(
    cells: Mapping[str, Any], column: str, rules: HouseRules, *, end_of_day: bool
) -> datetime | None:
    """A time; without a zone it is the business's, a day alone is its beginning or its end."""
    text = cell_text(cells.get(column))
    if not text:
        return None
    try:
        return written_moment(text, rules.zone, end_of_day=end_of_day)
    except NotMeant:
        raise not_meant(column) from None
    except ValueError:
        why = f"{column} has to be a day or a time such as 2026-03-01 or 2026-03-01T09:00:00+08:00"
        raise UnusableCell(column, "unusable", why) from None


def not_meant(column: str) -> UnusableCell:
    """Why a cell with a day is refused that nobody can mean."""
    return UnusableCell(column, "unusable", f"{column} has to be from {FIRST_DAY} to {LAST_DAY}")


def cell_text(cell: Any) -> str:
    """A cell as text: spreadsheets hold ids and whole numbers as 1234.0."""
    match cell:
        case None:
            return ""
        case bool():
            return "true" if cell else "false"
        case float() if cell.is_integer() and abs(cell) < 2**53:
            return str(int(cell))
        case {"at": str() as text} | {"on": str() as text}:
            return text
        case {"long": _}:
            return ""
        case _:
            return str(cell).strip()


def _texts(cells: Mapping[str, Any]) -> list[str]:
    return [cell_text(cells.get(column)) for column in COLUMNS]


# --- the report ---


class Report:
    """A CSV of the refused rows, beside the file; made only when there are any.

    Its columns are those of an import, so that corrected rows can be imported from it.
    """

    def __init__(self, path: Path, *, columns: Sequence[str] = COLUMNS) -> None:
        self.path = path
        self._columns = columns
        self.rows = 0
        self._lines: list[Refused] = []

    def keep(self, refused: Refused) -> None:
        """Note a refused row."""
        self._lines.append(refused)
        self.rows += 1

    def write(self) -> bool:
        """Write the report; says whether there was anything to write. An old one is replaced."""
        if not self._lines:
            self.path.unlink(missing_ok=True)
            return False
        # With a byte order mark: spreadsheets would take it for another encoding without.
        with self.path.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file)
            writer.writerow((*self._columns, *REPORT_COLUMNS))
            for one in sorted(self._lines):
                why = (one.row, one.column, one.code, one.why, one.why_zh)
                writer.writerow([escaped(str(cell)) for cell in (*one.cells, *why)])
        return True


def escaped(cell: str) -> str:
    """A cell that no spreadsheet computes; our own reader takes the apostrophe off (R55)."""
    return f"'{cell}" if cell[:1] in FORMULA_SIGNS else cell
