"""`tallypost import grants`: its exit statuses and what it says."""

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from api.commands.importing import import_app
from tests.conftest import MallDatabase

app = typer.Typer()
app.add_typer(import_app, name="import")
HEADS = "learner,points,reason,source\n"


@pytest.fixture
def run(database: MallDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Command":
    monkeypatch.setenv("DATABASE_URL", database.service_url)
    monkeypatch.setenv("TALLYPOST_TENANT", database.schema)
    return Command(tmp_path)


class Command:
    """Runs the command on a file of these lines."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, text: str) -> tuple[int, str]:
        """Exit status, and what it said in one line."""
        file = self.folder / "grants.csv"
        file.write_text(text, encoding="utf-8")
        arguments = ["import", "grants", str(file), "--data", str(self.folder), "--by", "wu"]
        result = CliRunner().invoke(app, arguments)
        assert result.exception is None or isinstance(result.exception, SystemExit), result
        return result.exit_code, " ".join(result.stderr.split())


def test_status_is_0_when_every_row_was_granted(run: Command) -> None:
    status, said = run(HEADS + "lin,100,task,A\n")
    assert (status, said) == (0, "1 rows: 1 granted (100 points), 0 granted before, 0 refused")
    status, said = run(HEADS + "lin,100,task,A\n")
    assert (status, said) == (0, "1 rows: 0 granted (0 points), 1 granted before, 0 refused")


def test_status_is_1_and_the_report_is_named_when_rows_are_refused(run: Command) -> None:
    status, said = run(HEADS + "lin,100,task,A\nlin,x,task,B\n")
    assert status == 1
    assert "1 refused (unusable 1)" in said
    assert "1 refused rows are in" in said
    report = (run.folder / "grants.csv.refused.csv").read_text(encoding="utf-8-sig")
    assert "points 应为 1 至 1,000,000,000 的整数" in report


def test_status_is_2_when_the_file_cannot_be_read(run: Command) -> None:
    status, said = run("nothing\n")
    assert status == 2
    assert "row 1, column A: “nothing” is none of learner, points" in said
    assert "nothing was granted" in said
    assert "第 1 行 A 列：没有名为“nothing”的列" in said
    assert "未发放任何内容" in said
