"""Grants from a file: every row answered, nothing lost, the same file again grants nothing."""

import asyncio
import csv
import io
import itertools
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import psycopg
import pytest
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from application.importing import Imported, Refused, Report, column_letters, import_grants
from application.spreadsheets import Unreadable
from application.store import Store
from application.streams import ACCOUNT
from application.vault import MasterKeys, Vault
from domain.house_rules import HouseRules
from domain.points import Account
from tests.conftest import MallDatabase

pytestmark = pytest.mark.anyio
ROWS = 10_000
HEADS = "learner,points,reason,source,happened_at,expires_at,carried_over\n"
RULES = HouseRules()


class Office:
    """Somebody who imports files into a mall of the test's own."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store = store
        self.folder = folder
        self.report = Report(folder / "refused.csv")

    async def imported(self, path: Path) -> Imported:
        """Import the file; the report is written."""
        self.report = Report(self.folder / "refused.csv")
        imported = await import_grants(
            path, self.store, rules=RULES, actor="operator:wu", keep=self.report.keep
        )
        self.report.write()
        return imported

    async def rows(self, *rows: str, heads: str = HEADS, name: str = "grants.csv") -> Imported:
        """Import these lines."""
        path = self.folder / name
        text = heads + "".join(f"{row}\n" for row in rows)
        await asyncio.to_thread(path.write_text, text, encoding="utf-8")
        return await self.imported(path)

    def account(self, learner: str) -> Account:
        """The learner's account as the store has it."""
        return self.store.peek(ACCOUNT, learner)

    def refused(self) -> list[dict[str, str]]:
        """The report's rows."""
        with self.report.path.open(encoding="utf-8-sig", newline="") as lines:
            return list(csv.DictReader(lines))


@pytest.fixture
async def office(database: MallDatabase, tmp_path: Path) -> AsyncIterator[Office]:
    vault = Vault(MasterKeys.new(), tenant=database.schema)
    async with Store(database.service_url, schema=database.schema, vault=vault) as store:
        yield Office(store, tmp_path)


async def test_rows_are_granted_when_they_are_sound(office: Office) -> None:
    """L1: times, expiry and marks are read as people write them."""
    imported = await office.rows(
        "lin,100,task,PY-101,2026-03-01T09:00:00+08:00,2027-12-31,",
        "lin,50,Course_Completed,PY-102,2026/3/1 9:00,,no",
        "chen,70,task,PY-101,2026-03-01,2027/12/31,false",
    )
    assert (imported.rows, imported.granted, imported.points) == (3, 3, 220)
    assert not office.report.path.exists()
    lots = {lot.id: lot for lot in office.account("lin").lots}
    # The day of expiry itself still counts, in the business zone (rules.md 15).
    assert lots["task:PY-101"].expires_at == datetime(2027, 12, 31, 16, tzinfo=UTC)
    assert lots["course_completed:PY-102"].expires_at is None
    (of_chen,) = office.account("chen").lots
    assert of_chen.expires_at == lots["task:PY-101"].expires_at


async def test_nothing_is_granted_when_the_same_file_comes_again(office: Office) -> None:
    """L1, rules.md 14: under another name, too, and with a conflict told."""
    rows = ["lin,100,task,PY-101,,,", "chen,70,task,PY-101,,,", "wu,5,task,X,,,true"]
    first = await office.rows(*rows)
    again = await office.rows(*rows, name="again.csv")
    other = await office.rows("lin,101,task,PY-101,,,")
    assert (first.granted, first.duplicates, dict(first.refused)) == (2, 0, {"carried_over": 1})
    assert (again.granted, again.duplicates, dict(again.refused)) == (0, 2, {"carried_over": 1})
    assert dict(other.refused) == {"grant_conflict": 1}
    assert office.account("lin").available(datetime.now(UTC)) == 100


async def test_row_is_refused_when_its_source_is_a_cases(office: Office) -> None:
    """L1, rules.md 14: points of a case come with its decision, not from a file."""
    imported = await office.rows("lin,100,compensation,D-T1-P1,,,", "lin,100,task,D-T1-P1,,,")
    assert (imported.granted, dict(imported.refused)) == (1, {"source_of_ours": 1})


async def test_row_counts_once_when_the_file_holds_it_twice(office: Office) -> None:
    """L1: the second one is a duplicate of the first."""
    imported = await office.rows("lin,100,task,A,,,", "lin,100,task,A,,,")
    assert (imported.granted, imported.duplicates, imported.points) == (1, 1, 100)


async def test_report_names_place_and_reason_when_rows_are_refused(office: Office) -> None:
    """L1: file row, column, code and words; the cells are all there."""
    await office.rows(
        "lin,100,task,A,,,",
        "chen,many,task,A,,,",
        ",,,,,,",
        "wu,1,task,B,soon,,",
        "wu,1,task,B,,9999-12-31,",
    )
    assert [(one["row"], one["column"], one["code"]) for one in office.refused()] == [
        ("3", "points", "unusable"),
        ("5", "happened_at", "unusable"),
        ("6", "expires_at", "unusable"),
    ]
    assert office.refused()[0]["learner"] == "chen"
    assert office.refused()[0]["points"] == "many"
    assert "whole number" in office.refused()[0]["why"]


async def test_a_control_character_is_named_when_a_source_has_one(office: Office) -> None:
    """L1: what is wrong with it, and not its length."""
    await office.rows("lin,100,task,A\x07B,,,")
    (refused,) = office.refused()
    assert (refused["column"], refused["code"]) == ("source", "unusable")
    assert "none of them a control character" in refused["why"]


async def test_corrected_report_is_imported_when_it_is_handed_in(office: Office) -> None:
    """L1: people mend the rows that were refused and send that file."""
    await office.rows("lin,1OO,task,=SUM(A1),,,")
    text = office.report.path.read_text(encoding="utf-8-sig")
    assert "'=SUM(A1)" in text
    mended = office.folder / "mended.csv"
    mended.write_text(text.replace("1OO", "100"), encoding="utf-8-sig")
    imported = await office.imported(mended)
    assert (imported.granted, imported.refused.total()) == (1, 0)
    assert [lot.id for lot in office.account("lin").lots] == ["task:=SUM(A1)"]
    assert not office.report.path.exists()


async def test_points_by_hand_wait_for_a_second_person_when_they_are_many(office: Office) -> None:
    """A8: a file is no way around four eyes."""
    imported = await office.rows("lin,5000,manual,A,,,", "lin,4999,manual,B,,,")
    assert (imported.granted, dict(imported.refused)) == (1, {"approval_needed": 1})


async def test_actor_file_and_row_are_known_when_a_grant_was_imported(
    office: Office, database: MallDatabase
) -> None:
    """A1: who, and from where."""
    await office.rows("lin,100,task,A,,,")
    async with await psycopg.AsyncConnection.connect(database.service_url) as connection:
        cursor = await connection.execute(
            f"SELECT convert_from(state, 'UTF8') FROM {database.schema}.tallypost_events"
        )
        (stored,) = [row[0] for row in await cursor.fetchall()]
    assert "operator:wu" in stored
    assert "import of grants.csv, row 2" in stored


@pytest.mark.parametrize("epoch", [None, CALENDAR_MAC_1904])
async def test_days_are_the_same_when_a_workbook_counts_from_another_year(
    office: Office, epoch: Any
) -> None:
    """R53: Excel for Mac counted from 1904."""
    book = openpyxl.Workbook()
    if epoch is not None:
        book.epoch = epoch
    sheet = book.active
    assert sheet is not None
    sheet.append(HEADS.strip().split(","))
    naive = datetime(2026, 3, 1, 9, 30)  # noqa: DTZ001 - spreadsheets know no zones
    sheet.append(["lin", 100, "task", 1752, naive, date(2027, 12, 31), False])
    path = office.folder / "grants.xlsx"
    book.save(path)
    imported = await office.imported(path)
    assert (imported.granted, imported.refused.total()) == (1, 0)
    (lot,) = office.account("lin").lots
    assert (lot.id, lot.expires_at) == ("task:1752", datetime(2027, 12, 31, 16, tzinfo=UTC))


async def test_file_is_refused_when_its_heads_are_not_known(office: Office) -> None:
    """R53: a misspelt expiry must not become points that never expire."""
    with pytest.raises(Unreadable, match="row 1, column E: “expires”"):
        await office.rows("lin,1,task,A,x", heads="learner,points,reason,source,expires\n")


def test_columns_are_named_as_spreadsheets_name_them() -> None:
    assert [column_letters(n) for n in (0, 25, 26, 51, 52, 701, 702)] == [
        "A", "Z", "AA", "AZ", "BA", "ZZ", "AAA",
    ]  # fmt: skip


def _many(rows: int) -> str:
    """R54's file: three rows in a hundred are bad."""
    out = io.StringIO()
    out.write("learner,points,reason,source\n")
    for number in range(rows):
        points = "" if number % 100 < 3 else str(1 + number % 50)
        out.write(f"learner{number % 700},{points},task,S-{number}\n")
    return out.getvalue()


async def test_ten_thousand_rows_are_granted_once_when_three_percent_are_bad(
    office: Office,
) -> None:
    """R54: a row report, 0 duplicates, nothing lost."""
    path = office.folder / "many.csv"
    await asyncio.to_thread(path.write_text, _many(ROWS), encoding="utf-8")
    first = await office.imported(path)
    again = await office.imported(path)
    assert (first.granted, dict(first.refused)) == (9_700, {"empty": 300})
    assert (again.granted, again.duplicates, again.refused.total()) == (0, 9_700, 300)
    assert len(office.refused()) == 300
    assert [int(one["row"]) for one in office.refused()[:4]] == [2, 3, 4, 102]


_IMPORT = """
import asyncio, sys
from pathlib import Path
from application import importing
from application.store import Store
from application.vault import MasterKeys, Vault
from domain.house_rules import HouseRules

importing.BATCH = 200

async def main(path, url, schema):
    async with Store(url, schema=schema, vault=Vault(MasterKeys.new(), tenant=schema)) as store:
        await importing.import_grants(
            Path(path), store, rules=HouseRules(), actor="operator:wu", keep=lambda one: None,
            tell=lambda imported: print(imported.granted, flush=True),
        )

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.parametrize("killed_after", [1, 7])
async def test_the_rest_is_granted_when_an_import_was_killed_midway(
    office: Office, database: MallDatabase, killed_after: int
) -> None:
    """R54: kill -9, the same file again: each row once."""
    path = office.folder / "many.csv"
    await asyncio.to_thread(path.write_text, _many(ROWS), encoding="utf-8")
    program = [sys.executable, "-c", _IMPORT, str(path), database.service_url, database.schema]
    await asyncio.to_thread(_killed, program, lambda lines: next(itertools.islice(
        lines, killed_after - 1, None)))  # fmt: skip
    rest = await office.imported(path)
    assert rest.granted + rest.duplicates == 9_700
    assert rest.duplicates >= 200 * killed_after * 0.97 - 1
    assert rest.granted > 0
    points = sum(1 + number % 50 for number in range(ROWS) if number % 100 >= 3)
    learners = [office.account(f"learner{number}") for number in range(700)]
    assert sum(one.available(datetime.now(UTC)) for one in learners) == points
    assert sum(one.grants for one in learners) == 9_700


def _killed(program: list[str], wait: Callable[[Any], Any]) -> None:
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True, cwd=Path.cwd()) as process:
        wait(process.stdout)
        os.kill(process.pid, signal.SIGKILL)


def test_old_report_goes_when_nothing_is_refused_any_more(tmp_path: Path) -> None:
    """L1: yesterday's report does not stand beside today's clean import."""
    report = Report(tmp_path / "refused.csv")
    report.keep(Refused(2, "points", "empty", "points are empty", ["lin"]))
    assert report.write()
    assert not Report(tmp_path / "refused.csv").write()
    assert not (tmp_path / "refused.csv").exists()
