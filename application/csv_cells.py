"""Cells of CSV files that no spreadsheet takes for a formula (R55; ASVS 1.2.10)."""

import csv
import io
from collections.abc import Iterable, Sequence

_LOOKS_LIKE_FORMULA = "=+-@\t\r\n\x00＝＋－＠"
_GUARD = "'"


def guarded(value: object) -> str:
    """A value as a cell: a text that could be run begins with an apostrophe; numbers stay numbers.

    A text that begins with an apostrophe gets one more, so that `unguarded` gives back any text.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    text = str(value)
    # Spreadsheets skip spaces before they look.
    first = text.lstrip(" \u3000")[:1]
    if first and (first in _LOOKS_LIKE_FORMULA or first == _GUARD):
        return _GUARD + text
    return text


def unguarded(cell: str) -> str:
    """The text that `guarded` made a cell of."""
    return cell[1:] if cell.startswith(_GUARD) else cell


def as_csv(rows: Iterable[Sequence[object]]) -> bytes:
    """Rows as CSV (RFC 4180) in UTF-8 with the mark that makes spreadsheets read it as such."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerows([guarded(value) for value in row] for row in rows)
    return b"\xef\xbb\xbf" + text.getvalue().encode()
