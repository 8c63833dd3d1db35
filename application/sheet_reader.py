"""Reads one table file in a process of its own, which may die of it (reliability 2.22, R53).

`python -I sheet_reader.py FILE` writes the rows as JSON lines, and at last either
`{"end": rows}` or `{"unreadable": …}`. It limits its own memory and time before it looks at the
file, and imports nothing of the house: what a file can do to a parser, it does to this process.
"""

import csv
import io
import json
import resource
import sys
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any
from xml.parsers import expat

MEMORY_BYTES = 512 * 2**20
CPU_SECONDS = 20
WRITTEN_BYTES = 200_000_000
FILE_BYTES = 20_000_000
UNPACKED_BYTES = 50_000_000
RATIO = 100
"""Apache POI refuses what unpacks to more than a hundred times its size, too."""
SMALL_BYTES = 100_000
"""A part this small may be packed however well: it cannot hurt."""
PARTS = 200
ROWS = 100_000
COLUMNS = 50
CELL_CHARACTERS = 10_000
CHUNK_BYTES = 1 << 16
FORMULA_SIGNS = frozenset("=+-@\t\r\0＝＋－＠")
"""What spreadsheets take for the beginning of a formula, or for something worse (R55)."""
DAMAGED = (
    zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, expat.ExpatError, NotImplementedError,
    EOFError, OSError,
)  # fmt: skip
"""What half a workbook, or one that was tampered with, makes of its readers."""
OLD_OFFICE = bytes.fromhex("d0cf11e0a1b11ae1")
"""How .xls files begin, and encrypted .xlsx files."""


class Unreadable(Exception):
    """The file cannot be read; the message says why and where."""

    def __init__(self, code: str, why: str) -> None:
        self.code = code
        super().__init__(why)


def main() -> int:
    """Read the file named on the command line; 0 when all its rows were written."""
    _limit()
    out = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8", newline="\n")
    try:
        written = 0
        for number, cells in rows_of(Path(sys.argv[1])):
            written += 1
            if written > ROWS:
                raise Unreadable("too_many_rows", f"it has more than {ROWS:,} rows")
            out.write(json.dumps([number, cells], ensure_ascii=False) + "\n")
        if not written:
            raise Unreadable("empty", "no row holds anything")
        out.write(json.dumps({"end": written}) + "\n")
    except Unreadable as unreadable:
        out.write(json.dumps({"unreadable": unreadable.code, "why": str(unreadable)}) + "\n")
    except MemoryError:
        # Nothing more can be made now, so the words are short and ready.
        sys.stdout.buffer.write(b'{"unreadable":"too_large","why":"it needs too much memory"}\n')
    out.flush()
    return 0


def _limit() -> None:
    for what, limit in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_FSIZE, WRITTEN_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (limit, limit))


def rows_of(path: Path) -> Iterator[tuple[int, list[Any]]]:
    """Every row that holds anything: its number as people see it, and its cells."""
    size = path.stat().st_size
    if size > FILE_BYTES:
        raise Unreadable("too_large", f"it has {size:,} bytes, {FILE_BYTES:,} are allowed")
    with path.open("rb") as file:
        start = file.read(8)
    if not start:
        raise Unreadable("empty", "it is empty")
    if start == OLD_OFFICE:
        raise Unreadable(
            "old_or_encrypted", "it is encrypted, or an old .xls: save it as .xlsx without password"
        )
    read = workbook_rows if start.startswith(b"PK") else text_rows
    for number, cells in read(path):
        if not all(cell is None or (isinstance(cell, str) and not cell.strip()) for cell in cells):
            if len(cells) > COLUMNS:
                raise Unreadable(
                    "too_many_columns", f"row {number} has more than {COLUMNS} columns"
                )
            yield number, [_cell(one) for one in cells]


def _cell(value: Any) -> Any:
    """A cell as JSON: text, number, truth, `{"at": …}` for a time, `{"long": …}` if unusable."""
    if isinstance(value, datetime):
        return {"at": value.isoformat()}
    if isinstance(value, date):
        return {"on": value.isoformat()}
    if value is None or isinstance(value, bool | int | float):
        return value
    text = str(value)
    return text if len(text) <= CELL_CHARACTERS else {"long": len(text)}


# --- .xlsx ---


def workbook_rows(path: Path) -> Iterator[tuple[int, list[Any]]]:
    """The rows of the one sheet that holds any."""
    _check_parts(path)
    from python_calamine import CalamineError, CalamineWorkbook, SheetVisibleEnum

    try:
        workbook = CalamineWorkbook.from_path(str(path))
        shown = [
            one.name for one in workbook.sheets_metadata if one.visible == SheetVisibleEnum.Visible
        ]
        sheets = [workbook.get_sheet_by_name(name) for name in shown]
        filled = [sheet for sheet in sheets if sheet.start is not None]
    except CalamineError as error:
        raise Unreadable("damaged", f"it cannot be read: {error}") from None
    if not filled:
        raise Unreadable("empty", "no sheet that is shown holds anything")
    if len(filled) > 1:
        names = ", ".join(sheet.name for sheet in filled)
        raise Unreadable("several_sheets", f"only one sheet may hold rows: {names}")
    (sheet,) = filled
    assert sheet.start is not None
    assert sheet.end is not None
    if sheet.height > ROWS + 1:
        raise Unreadable("too_many_rows", f"it has {sheet.height:,} rows, {ROWS:,} are allowed")
    above, left = sheet.start
    for index, cells in enumerate(sheet.iter_rows(), start=above + 1):
        yield index, [""] * left + list(cells)


def _check_parts(path: Path) -> None:
    """Look into every part before a parser does: sizes as they are, not as the file claims."""
    try:
        with zipfile.ZipFile(path) as packed:
            parts = packed.infolist()
            if len(parts) > PARTS:
                raise Unreadable(
                    "too_many_parts", f"it is packed of {len(parts):,} parts, {PARTS} are allowed"
                )
            names = {part.filename for part in parts}
            if len(names) < len(parts):
                raise Unreadable("damaged", "it holds two parts of one name")
            if not any(name.startswith("xl/") for name in names):
                raise Unreadable("not_a_table", "it is no spreadsheet")
            if any(name.endswith("vbaProject.bin") for name in names):
                raise Unreadable("macros", "it holds macros: save it as .xlsx")
            left = UNPACKED_BYTES
            for part in parts:
                left -= _unpacked(packed, part, left)
    except DAMAGED as error:
        raise Unreadable("damaged", f"it is damaged: {error}") from None
    except RuntimeError:
        raise Unreadable("old_or_encrypted", "it is encrypted") from None


def _unpacked(packed: zipfile.ZipFile, part: zipfile.ZipInfo, left: int) -> int:
    size = 0
    # Parsers pass over broken XML and lose rows; this one does not.
    xml = _strict_parser(part.filename) if part.filename.endswith((".xml", ".rels")) else None
    with packed.open(part) as content:
        while chunk := content.read(CHUNK_BYTES):
            size += len(chunk)
            if size > left:
                raise Unreadable(
                    "unpacks_too_large", f"it unpacks to over {UNPACKED_BYTES:,} bytes"
                )
            if size > max(SMALL_BYTES, RATIO * part.compress_size):
                raise Unreadable("unpacks_too_large", f"it unpacks to over {RATIO} times its size")
            if xml is not None:
                xml.Parse(chunk, False)
    if xml is not None:
        xml.Parse(b"", True)
    if size != part.file_size:
        raise Unreadable("damaged", f"{part.filename} lies about its size")
    return size


def _strict_parser(name: str) -> expat.XMLParserType:
    def declared(*_: object) -> None:
        # Declared entities are how XML grows and reaches outside; spreadsheets have none.
        raise Unreadable("document_type", f"{name} declares a document type")

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = declared
    return parser


# --- .csv ---


def text_rows(path: Path) -> Iterator[tuple[int, list[Any]]]:
    """The records of a file of separated values; a record's number is its first line's."""
    text = _decoded(path.read_bytes())
    if "\x00" in text:
        line = text[: text.index("\x00")].count("\n") + 1
        raise Unreadable("damaged", f"line {line} holds a NUL character: it is no text")
    csv.field_size_limit(FILE_BYTES)
    lines = io.StringIO(text, newline="")
    reader = csv.reader(lines, delimiter=_delimiter(text), strict=True)
    first = 1
    try:
        for cells in reader:
            yield first, list(map(_plain, cells))
            first = reader.line_num + 1
    except csv.Error as error:
        raise Unreadable("damaged", f"line {first} cannot be read: {error}") from None


def _decoded(content: bytes) -> str:
    for mark, encoding in (
        (b"\xef\xbb\xbf", "utf-8-sig"),
        (b"\xff\xfe", "utf-16"),
        (b"\xfe\xff", "utf-16"),
    ):
        if content.startswith(mark):
            return _strictly(content, [encoding])
    return _strictly(content, ["utf-8", "gb18030"])


def _strictly(content: bytes, encodings: Iterable[str]) -> str:
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError as error:
            line = content[: error.start].count(b"\n") + 1
    raise Unreadable("encoding", f"line {line} is neither UTF-8 nor GBK")


def _delimiter(text: str) -> str:
    """What separates the heads: comma, semicolon or tab."""
    head = text.lstrip("\r\n").split("\n", 1)[0]
    return max(",;\t", key=head.count)


def _plain(cell: str) -> str:
    """A cell without the apostrophe that keeps spreadsheets from computing it (R55)."""
    return cell[1:] if cell[:1] == "'" and cell[1:2] in FORMULA_SIGNS else cell


if __name__ == "__main__":
    sys.exit(main())
