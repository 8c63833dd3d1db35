"""`tallypost import bills`: its exit statuses and what it says (W6)."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.command_line import app
from tests.conftest import MallDatabase


class Command:
    """Runs the command on a file of these lines."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, text: str, *more: str, partner: str = "zhongtong") -> tuple[int, str]:
        """Exit status, and what it said in one line."""
        file = self.folder / "2026-10.csv"
        file.write_text(text, encoding="utf-8")
        asked = ["import", "bills", str(file), "--from", partner, "--kind", "carrier"]
        result = CliRunner().invoke(app, [*asked, "--data", str(self.folder), "--by", "wu", *more])
        assert result.exception is None or isinstance(result.exception, SystemExit), result
        return result.exit_code, " ".join(result.stderr.split())


@pytest.fixture
def run(database: MallDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.setenv("DATABASE_URL", database.service_url)
    monkeypatch.setenv("TALLYPOST_TENANT", database.schema)
    return Command(tmp_path)


def test_a_bill_is_taken_once_and_corrected_when_its_lines_differ(run: Command) -> None:
    """W6: status 0; a look first keeps nothing, the same file again changes nothing."""
    rows = "运单号,运费,收件人\nZT1,5.20,王\n"
    status, said = run(rows, "--dry-run")
    assert status == 0
    assert said.startswith("Only looked, nothing was kept: carrier:zhongtong:2026-10: a new bill")
    status, said = run(rows)
    assert status == 0
    assert "a new bill; 1 lines, 5.20 yuan" in said
    assert "Columns that were not read: 收件人" in said
    assert "known already, nothing changed" in run(rows)[1]
    assert "revision 2, in the place of the one before" in run("运单号,运费\nZT1,5.00\n")[1]


def test_refused_rows_are_in_a_report_when_some_cannot_be_read(run: Command) -> None:
    """W6: status 1; each with its cells, field and reason, so that nothing is lost."""
    status, said = run("运单号,运费\nZT1,5.20\nZT2,five\n")
    assert status == 1
    assert "1 refused rows are in" in said
    report = (run.folder / "2026-10.csv.refused.csv").read_text(encoding="utf-8-sig")
    assert "ZT2,five,,,,,3,amount,unusable,amount has to be a number,amount 应为数字" in report


def test_nothing_is_kept_when_file_or_request_cannot_be_used(run: Command) -> None:
    """W6: status 2, with the reason."""
    status, said = run("重量\n1\n")
    assert (status, "there is no column number, amount" in said) == (2, True)
    assert "缺少列 number, amount" in said
    status, said = run("运单号,运费\nZT1,5.20\n", partner="Not A Code")
    assert (status, "from: has to match" in said) == (2, True)
    status, said = run(
        "运单号,运费\nZT1,5\n", "--first-day", "2026-10-31", "--last-day", "2026-10-01"
    )
    assert (status, "is before the first day" in said) == (2, True)
    status, said = run("运单号,运费\nZT1,5\n", "--last-day", "9999-12-31")
    assert (status, "last_day: is not from 2000-01-01 to 2199-12-31" in said) == (2, True)
    assert "last_day：不在 2000-01-01 至 2199-12-31 之间" in said
