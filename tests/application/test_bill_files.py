"""Rows of partners' bills: what each cell is taken for, and what is refused (W6, M4)."""

from datetime import date
from pathlib import Path

import openpyxl
import pytest

from application.bill_files import ReadBill, read_bill
from domain.bill_facts import BillKind
from domain.house_rules import SHANGHAI

COMMAS = "amount has to be a number; commas stand between thousands alone"


def read(path: Path) -> ReadBill:
    """A bill of Yunda's."""
    return read_bill(
        path, kind=BillKind.CARRIER, partner="yunda", number="B1", called=path.name, zone=SHANGHAI
    )


def of_csv(folder: Path, *rows: str, heads: str = "运单号;运费;计费重量;日期") -> ReadBill:
    """The bill that these rows are."""
    path = folder / "bill.csv"
    path.write_text("\n".join([heads, *rows]) + "\n", encoding="utf-8")
    return read(path)


@pytest.mark.parametrize(
    ("written", "fen"),
    [
        ("4.10", 410), ("1,234", 123_400), ("1,234.50", 123_450), ("12,345,678.9", 1_234_567_890),
        ("1\uff0c234.50", 123_450), ("¥1,234.50", 123_450), ("￥ 4.10", 410), ("4.10元", 410),
        ("-4.10", -410), ("-¥4.10", -410), ("¥-4.10", -410), (".5", 50), ("4.", 400),
        ("1e2", 10_000), ("４.１０", 410),
    ],
)  # fmt: skip
def test_an_amount_is_taken_when_it_can_be_read_in_one_way(
    tmp_path: Path, written: str, fen: int
) -> None:
    """M4: with commas between thousands, the sign of the money, and full-width digits."""
    found = of_csv(tmp_path, f"YG1;{written};;")
    assert [(one.number, one.fen) for one in found.file.lines] == [("YG1", fen)]


@pytest.mark.parametrize(
    "written",
    ["4,10", "1,5", "12,34", "1234,567", "1,2345", ",5", "1,23,456", "1.234,50", "4\uff0c10"],
)
def test_an_amount_is_refused_when_its_comma_may_be_a_decimal_point(
    tmp_path: Path, written: str
) -> None:
    """M4: 4,10 is not 410 yuan; the row is refused with its reason in both languages."""
    found = of_csv(tmp_path, f"YG1;{written};;", f"YG2;1.00;{written};")
    assert not found.file.lines
    amount, weight = found.refused
    assert (amount.column, amount.code, amount.why) == ("amount", "unusable", COMMAS)
    assert amount.why_zh == "amount 应为数字，逗号仅用于分隔千位"
    assert (weight.column, weight.why) == ("weight", COMMAS.replace("amount", "weight"))


@pytest.mark.parametrize("written", ["4 10", "1_000", "five", "nan", "--4", "1e99999"])
def test_an_amount_is_refused_when_it_is_no_number(tmp_path: Path, written: str) -> None:
    """M4: nor are two numbers one."""
    found = of_csv(tmp_path, f"YG1;{written};;")
    assert not found.file.lines
    assert (found.refused[0].column, found.refused[0].why_zh) == ("amount", "amount 应为数字")


def test_a_workbook_s_text_is_read_as_a_file_s(tmp_path: Path) -> None:
    """M4: text with a comma as in CSV; numbers are numbers."""
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in (("waybill", "fee"), ("YG1", "1,5"), ("YG2", "1,234.50"), ("YG3", 1.5)):
        book.active.append(row)
    book.save(tmp_path / "bill.xlsx")
    found = read(tmp_path / "bill.xlsx")
    assert [(one.number, one.fen) for one in found.file.lines] == [("YG2", 123_450), ("YG3", 150)]
    assert [(one.row, one.column) for one in found.refused] == [(2, "amount")]


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2026-03-01", date(2026, 3, 1)), ("2026/3/1", date(2026, 3, 1)),
        ("2026-3-1", date(2026, 3, 1)), ("2026/3/1 9:05", date(2026, 3, 1)),
        ("2026/03/01 23:59:59", date(2026, 3, 1)), ("2026-10-31T16:30:00Z", date(2026, 11, 1)),
        ("2026-11-01T00:30:00+08:00", date(2026, 11, 1)),
        ("2026-10-31T23:30:00", date(2026, 10, 31)), ("20261031", date(2026, 10, 31)),
    ],
)  # fmt: skip
def test_a_day_is_the_business_zone_s_however_it_is_written(
    tmp_path: Path, written: str, day: date
) -> None:
    """W6: as Excel writes a Chinese CSV, too; the last hours of a month in UTC are the next's."""
    found = of_csv(tmp_path, f"YG1;4.10;;{written}")
    assert [one.day for one in found.file.lines] == [day]
    assert (found.file.first_day, found.file.last_day) == (day, day)


@pytest.mark.parametrize("written", ["2026/2/30", "2026-3/1", "3/1/2026", "2026/3/1 25:00", "x"])
def test_a_day_is_refused_when_it_is_none(tmp_path: Path, written: str) -> None:
    """M4: with field and reason."""
    (refused,) = of_csv(tmp_path, f"YG1;4.10;;{written}").refused
    assert (refused.column, refused.why_zh) == ("day", "day 应为日期，例如 2026-03-01")


@pytest.mark.parametrize(
    "written", ["0001-01-01", "1999/12/31", "2200-01-01", "9999-12-31", "9999-12-31T23:00:00-14:00"]
)
def test_a_day_is_refused_when_nobody_can_mean_it(tmp_path: Path, written: str) -> None:
    """M4: no day of the calendar's edge is kept."""
    (refused,) = of_csv(tmp_path, f"YG1;4.10;;{written}").refused
    assert (refused.column, refused.why) == ("day", "day has to be from 2000-01-01 to 2199-12-31")
