"""Table files from outside, CSV or XLSX, read without trusting them (reliability 2.22, R53).

A process of its own with 512 MB and 20 seconds reads the file and writes its rows into a spool;
only a file that was read to its end gives any rows at all.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NamedTuple

from application import sheet_reader

SECONDS = 20.0


class Unreadable(Exception):
    """The file gives no rows; `code` is stable, the message says why and where."""

    def __init__(self, code: str, why: str) -> None:
        self.code = code
        super().__init__(why)


class TableRow(NamedTuple):
    """One row with its number as people see it in their program."""

    number: int
    cells: list[Any]


@dataclass(frozen=True, slots=True)
class TableFile:
    """A file that was read to its end."""

    rows: int
    """Rows that hold anything, the heads' included."""
    _spool: IO[bytes]

    def __iter__(self) -> Iterator[TableRow]:
        self._spool.seek(0)
        for line in self._spool:
            row = json.loads(line)
            if isinstance(row, list):
                yield TableRow(*row)


@contextmanager
def table(path: Path, *, seconds: float = SECONDS) -> Iterator[TableFile]:
    """The rows of a file, as long as the block lasts; raises `Unreadable`."""
    with tempfile.TemporaryFile() as spool:
        rows = _read(path, spool, seconds=seconds)
        yield TableFile(rows, spool)


def _read(path: Path, spool: IO[bytes], *, seconds: float) -> int:
    if not path.is_file():
        raise Unreadable("missing", "there is no such file")
    command = [sys.executable, "-I", sheet_reader.__file__, str(path.resolve())]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=spool,
            stderr=subprocess.DEVNULL,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Unreadable("too_slow", f"reading it took over {seconds:g} seconds") from None
    verdict = _last_line(spool)
    if "unreadable" in verdict:
        raise Unreadable(verdict["unreadable"], verdict["why"])
    if done.returncode != 0 or "end" not in verdict:
        # Killed by one of its limits, or by what the file did to the parser.
        raise Unreadable("too_large", "reading it needs too much memory or time")
    return int(verdict["end"])


def _last_line(spool: IO[bytes]) -> dict[str, Any]:
    size = spool.seek(0, 2)
    spool.seek(max(0, size - 4_096))
    lines = spool.read().splitlines()
    try:
        verdict = json.loads(lines[-1]) if lines else {}
    except ValueError:
        return {}
    return verdict if isinstance(verdict, dict) else {}
