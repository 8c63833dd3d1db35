import csv
import io

import pytest

from application.csv_cells import as_csv, guarded, unguarded

DANGEROUS = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", "\x00x", "＝1", "＋1", "－1",
             "＠x", " =1", "　=1"]  # fmt: skip


@pytest.mark.parametrize("text", DANGEROUS)
def test_text_is_no_formula_when_it_looks_like_one(text: str) -> None:
    """R55"""
    assert guarded(text) == "'" + text
    assert unguarded(guarded(text)) == text


@pytest.mark.parametrize("text", ["", "a", "'a", "''", "'=1", "a=b", "1-2", "林"])
def test_text_comes_back_when_it_was_harmless(text: str) -> None:
    """R55"""
    assert unguarded(guarded(text)) == text


def test_numbers_stay_numbers_when_negative() -> None:
    """R55"""
    assert [guarded(value) for value in (-5, 0, 1.5, None, True)] == ["-5", "0", "1.5", "", "true"]


def test_rows_come_back_when_read_as_csv() -> None:
    """R55"""
    rows = [["name", "points"], ["=cmd|' /C calc'!A0", "-5"], ['say "hi", 林\r\n', ""]]
    read = csv.reader(io.StringIO(as_csv(rows).decode("utf-8-sig"), newline=""))
    assert [[unguarded(cell) for cell in row] for row in read] == rows
