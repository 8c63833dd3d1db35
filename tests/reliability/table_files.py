"""Files that people and attackers may hand in as spreadsheets (R53)."""

import datetime
import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

import openpyxl
from openpyxl.utils.datetime import CALENDAR_MAC_1904

HEADS: Final = ("learner", "points", "reason", "source")
GOOD: Final = ("lin", 100, "task", "PY-101")
TEXT: Final = "learner,points,reason,source\nlin,100,task,PY-101\n"

Make = Callable[[], bytes]


def csv_of(text: str, encoding: str = "utf-8") -> Make:
    """Text as a file."""
    return lambda: text.encode(encoding)


def sheet(*rows: Iterable[Any], change: Callable[[Any], None] = lambda book: None) -> Make:
    """A workbook of one sheet with heads."""

    def make() -> bytes:
        book = openpyxl.Workbook()
        page = book.active
        assert page is not None
        for row in (HEADS, *rows):
            page.append(list(row))
        change(book)
        return _saved(book)

    return make


def _saved(book: Any) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def repacked(change: Callable[[dict[str, bytes]], None], *, rows: Iterable[Any] = (GOOD,)) -> Make:
    """A good workbook whose parts were changed."""

    def make() -> bytes:
        with zipfile.ZipFile(io.BytesIO(sheet(*rows)())) as good:
            parts = {name: good.read(name) for name in good.namelist()}
        change(parts)
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
            for name, content in parts.items():
                packed.writestr(name, content)
        return out.getvalue()

    return make


def in_sheet(found: bytes, put: bytes) -> Make:
    """A good workbook with other XML in its sheet."""

    def change(parts: dict[str, bytes]) -> None:
        before = parts["xl/worksheets/sheet1.xml"]
        assert found in before
        parts["xl/worksheets/sheet1.xml"] = before.replace(found, put, 1)

    return repacked(change)


def _shared_strings_of(size: int) -> Callable[[dict[str, bytes]], None]:
    def change(parts: dict[str, bytes]) -> None:
        text = b"<si><t>" + b"A" * 1_000 + b"</t></si>"
        parts["xl/sharedStrings.xml"] = (
            b'<?xml version="1.0"?><sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/'
            b'2006/main">' + text * (size // len(text)) + b"</sst>"
        )

    return change


def lying() -> bytes:
    """A part that says it holds ten bytes and holds sixty million."""
    good = sheet(GOOD)()
    data = zlib.compressobj(9, zlib.DEFLATED, -15)
    content = b"\0" * 60_000_000
    packed = data.compress(content) + data.flush()
    name, crc = b"xl/media/lie.bin", zlib.crc32(content)
    local = struct.pack("<4s5H3I2H", b"PK\3\4", 20, 0, 8, 0, 0, crc, len(packed), 10, len(name), 0)
    with zipfile.ZipFile(io.BytesIO(good)) as archive:
        start = archive.start_dir
        count = len(archive.namelist())
    end = good.index(b"PK\5\6")
    directory = good[start:end]
    entry = struct.pack(
        "<4s6H3I5H2I", b"PK\1\2", 20, 20, 0, 8, 0, 0, crc, len(packed), 10, len(name), 0, 0, 0, 0,
        0, start,
    )  # fmt: skip
    directory += entry + name
    body = good[:start] + local + name + packed
    tail = struct.pack(
        "<4s4H2IH", b"PK\5\6", 0, 0, count + 1, count + 1, len(directory), len(body), 0
    )
    return body + directory + tail


def _many_parts(parts: dict[str, bytes]) -> None:
    parts.update({f"xl/media/{number}.bin": b"x" for number in range(300)})


def _bomb(parts: dict[str, bytes]) -> None:
    parts["xl/media/zeros.bin"] = b"\0" * 40_000_000


def _macros(parts: dict[str, bytes]) -> None:
    parts["xl/vbaProject.bin"] = b"macro"


def _entities(parts: dict[str, bytes]) -> None:
    levels = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    bomb = f'<!DOCTYPE x [<!ENTITY l0 "lol">{levels}]>'.encode()
    name = "xl/workbook.xml"
    parts[name] = parts[name].replace(b"<workbook", bomb + b"<workbook", 1)


def _outside(parts: dict[str, bytes]) -> None:
    name = "xl/workbook.xml"
    reads = b'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><workbook'
    parts[name] = parts[name].replace(b"<workbook", reads, 1)


def _without_sheet(parts: dict[str, bytes]) -> None:
    del parts["xl/worksheets/sheet1.xml"]


def _no_workbook(parts: dict[str, bytes]) -> None:
    for name in list(parts):
        if name.startswith("xl/"):
            del parts[name]
    parts["word/document.xml"] = b"<document/>"


def _second_sheet(book: Any) -> None:
    book.create_sheet("more").append(["something"])


def _hidden_sheet(book: Any) -> None:
    more = book.create_sheet("hidden")
    more.append(["something"])
    more.sheet_state = "hidden"


def _mac(book: Any) -> None:
    book.epoch = CALENDAR_MAC_1904


def _far_cell(book: Any) -> None:
    book.active["XFD1048576"] = "here"


def empty_workbook() -> bytes:
    """A workbook without a cell."""
    return _saved(openpyxl.Workbook())


def encrypted() -> bytes:
    """What Office makes of a workbook with a password: another container."""
    return bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 4_096


def _zip_with_flag() -> bytes:
    made = bytearray(sheet(GOOD)())
    for mark, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        place = -1
        while (place := made.find(mark, place + 1)) >= 0:
            made[place + offset] |= 1
    return bytes(made)


MANY = "\n".join(f"lin,1,task,S-{number}" for number in range(1_048_576))

REFUSED: Final[dict[str, tuple[str, Make]]] = {
    "ratio-bomb.xlsx": ("unpacks_too_large", repacked(_bomb)),
    "shared-strings.xlsx": ("unpacks_too_large", repacked(_shared_strings_of(60_000_000))),
    "lying-sizes.xlsx": ("damaged", lying),
    "xxe.xlsx": ("document_type", repacked(_outside)),
    "entity-bomb.xlsx": ("document_type", repacked(_entities)),
    "many-parts.xlsx": ("too_many_parts", repacked(_many_parts)),
    "far-cell.xlsx": ("too_large|too_many_rows", sheet(GOOD, change=_far_cell)),
    "a-million-rows.csv": ("too_large|too_many_rows", csv_of(TEXT + MANY)),
    "truncated.xlsx": ("damaged", lambda: sheet(GOOD)()[:-700]),
    "half.xlsx": ("damaged", lambda: sheet(GOOD)()[:2_000]),
    "flipped.xlsx": ("damaged", lambda: _flipped(sheet(GOOD)())),
    "encrypted.xlsx": ("old_or_encrypted", encrypted),
    "encrypted-parts.xlsx": ("old_or_encrypted", _zip_with_flag),
    "old.xls": ("old_or_encrypted", encrypted),
    "macros.xlsm": ("macros", repacked(_macros)),
    "word.docx": ("not_a_table", repacked(_no_workbook)),
    "no-sheet.xlsx": ("damaged", repacked(_without_sheet)),
    "broken-xml.xlsx": ("damaged", in_sheet(b"</row>", b"</wor>")),
    "two-sheets.xlsx": ("several_sheets", sheet(GOOD, change=_second_sheet)),
    "empty.xlsx": ("empty", empty_workbook),
    "empty.csv": ("empty", csv_of("")),
    "blank-lines.csv": ("empty", csv_of("\n\n \n,,\n")),
    "picture.csv": ("damaged|encoding", lambda: b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8),
    "nul.csv": ("damaged", csv_of("learner,points,reason,source\nlin,1,task,a\0b\n")),
    "neither.csv": ("encoding", lambda: TEXT.encode() + b"lin,1,task,\xff\xff\n"),
    "half-gbk.csv": ("encoding", lambda: (TEXT + "lin,1,task,课").encode("gbk")[:-1] + b"\n\xff"),
    "open-quote.csv": ("damaged", csv_of(TEXT + 'lin,1,task,"never closed\n')),
    "columns.csv": ("too_many_columns", csv_of(TEXT + "," * 80 + "x\n")),
    "heads-twice.csv": ("column_twice", csv_of("learner,points,points,reason,source\n")),
    "heads-twice.xlsx": (
        "column_twice", in_sheet(b"<t>points</t>", b"<t>learner</t>"),
    ),
    "unknown-head.csv": ("unknown_column", csv_of("learner,points,reason,source,expiry\n")),
    "no-points.csv": ("column_missing", csv_of("learner,reason,source\nlin,task,a\n")),
    "no-heads.csv": ("unknown_column", csv_of("lin,100,task,PY-101\n")),
    "json.csv": ("unknown_column", csv_of('{"learner": "lin"}\n')),
}  # fmt: skip
"""Files that give no rows, with the code (or codes) that says why."""

GRANTED: Final[dict[str, Make]] = {
    "plain.csv": csv_of(TEXT),
    "bom.csv": csv_of(TEXT, "utf-8-sig"),
    "utf-16.csv": csv_of(TEXT, "utf-16"),
    "gbk.csv": csv_of("学员,积分,原因,来源\nlin,100,task,课程一\n", "gbk"),
    "chinese.csv": csv_of("学员,积分,原因,来源\nlin,100,task,课程一\n"),
    "semicolons.csv": csv_of(TEXT.replace(",", ";")),
    "tabs.csv": csv_of(TEXT.replace(",", "\t")),
    "windows-lines.csv": csv_of(TEXT.replace("\n", "\r\n")),
    "quoted.csv": csv_of('learner,points,reason,source\n"lin","100","task","a ""b"", c"\n'),
    "formula.csv": csv_of("learner,points,reason,source\nlin,100,task,=1+1\n"),
    "plain.xlsx": sheet(GOOD),
    "numbers.xlsx": sheet((11391, 100.0, "task", 1752)),
    "hidden-sheet.xlsx": sheet(GOOD, change=_hidden_sheet),
    "gaps.xlsx": sheet((), (), GOOD),
    "1904.xlsx": sheet(GOOD, change=_mac),
    "named.zip": sheet(GOOD),
}
"""Files with one row that is granted."""

ROW_REFUSED: Final[dict[str, tuple[str, Make]]] = {
    "long-cell.csv": ("too_long", csv_of(TEXT + f"lin,1,task,{'x' * 1_000_000}\n")),
    "long-cell.xlsx": ("too_long", sheet(GOOD, ("lin", 1, "task", "x" * 30_000))),
    "half-points.xlsx": ("unusable", sheet(GOOD, ("lin", 1.5, "task", "a"))),
    "negative.csv": ("unusable", csv_of(TEXT + "lin,-5,task,a\n")),
    "huge.csv": ("unusable", csv_of(TEXT + "lin,99999999999999999999,task,a\n")),
    "date-as-points.xlsx": (
        "unusable", sheet(GOOD, ("lin", datetime.date(2026, 1, 1), "task", "a")),
    ),
    "formula-without-value.xlsx": ("empty", sheet(GOOD, ("lin", 1, "task", "=1+1"))),
    "error-cell.xlsx": ("empty", sheet(GOOD, ("lin", 1, "task", "#N/A"))),
    "too-many-cells.csv": ("no_head", csv_of(TEXT + "lin,1,task,a,b\n")),
    "too-few-cells.csv": ("empty", csv_of(TEXT + "lin,1\n")),
    "control.csv": ("unusable", csv_of(TEXT + "lin,1,task,\x1b[2J\n")),
    "odd-learner.csv": ("unusable", csv_of(TEXT + "li n;drop,1,task,a\n")),
}  # fmt: skip
"""Files with one row that is granted and one that is refused with this code."""


def _flipped(content: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        place = packed.getinfo("xl/worksheets/sheet1.xml").header_offset + 80
    return content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :]


def written(folder: Path, name: str, make: Make) -> Path:
    """The file in this folder."""
    path = folder / name
    path.write_bytes(make())
    return path
