"""打印 What is printed: PDF pages with Chinese, barcodes, and the same bytes for the same content.

The Chinese font is one that every PDF reader in China brings along (`STSong-Light`), so that no
font has to be shipped; Latin letters and digits are Helvetica, which all of them have.
"""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager

from reportlab.graphics.barcode import code128
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

CHINESE = "STSong-Light"
LATIN = "Helvetica"
BOLD = "Helvetica-Bold"
ELLIPSIS = "…"
_RUNS = re.compile(r"[ -~]+|[^ -~]+")

pdfmetrics.registerFont(UnicodeCIDFont(CHINESE))


class Sheet:
    """One document while it is drawn; lengths are in millimetres from the top left corner."""

    def __init__(self, canvas: Canvas, *, height: float) -> None:
        self._canvas = canvas
        self._height = height

    def text(
        self, x: float, y: float, words: str, *, size: float, bold: bool = False,
        width: float | None = None, right: bool = False,
    ) -> None:  # fmt: skip
        """A line of text; what is longer than `width` is cut off visibly."""
        words = _printable(words)
        if width is not None:
            words = _cut(words, size=size, bold=bold, points=width * mm)
        at = x * mm - (_width(words, size=size, bold=bold) if right else 0)
        for run in _RUNS.findall(words):
            font = _font(run, bold=bold)
            self._canvas.setFont(font, size)
            self._canvas.drawString(at, self._y(y), run)
            at += pdfmetrics.stringWidth(run, font, size)

    def lines(
        self, x: float, y: float, words: str, *, size: float, width: float, most: int
    ) -> float:
        """Text over several lines, `most` of them at most; returns where the next line would be."""
        rest, step = _printable(words), size * 0.46
        for nth in range(most):
            if not rest:
                break
            line = _fitting(rest, size=size, points=width * mm) if nth + 1 < most else rest
            self.text(x, y, line, size=size, width=width)
            rest = rest[len(line) :]
            y += step
        return y

    def rule(self, x: float, y: float, to: float, *, thick: float = 0.3) -> None:
        """A horizontal line."""
        self._canvas.setLineWidth(thick * mm)
        self._canvas.line(x * mm, self._y(y), to * mm, self._y(y))

    def box(self, x: float, y: float, width: float, height: float) -> None:
        """An empty box, to be ticked or written into."""
        self._canvas.setLineWidth(0.25 * mm)
        self._canvas.rect(x * mm, self._y(y + height), width * mm, height * mm)

    def barcode(self, x: float, y: float, value: str, *, width: float, height: float) -> None:
        """Code 128, as wide as asked for; its quiet zones belong to the width."""
        narrow = code128.Code128(value, barWidth=1, barHeight=height * mm, quiet=True)
        bars = code128.Code128(
            value, barWidth=width * mm / narrow.width, barHeight=height * mm, quiet=True
        )
        bars.drawOn(self._canvas, x * mm, self._y(y + height))

    def next_page(self) -> None:
        """Go on with an empty page."""
        self._canvas.showPage()

    def _y(self, y: float) -> float:
        return (self._height - y) * mm


@contextmanager
def document(width: float, height: float, *, title: str) -> Iterator[tuple[Sheet, io.BytesIO]]:
    """A document of such pages, in millimetres; its bytes are there once it is left."""
    written = io.BytesIO()
    canvas = Canvas(written, pagesize=(width * mm, height * mm), invariant=1, pageCompression=1)
    canvas.setTitle(title)
    canvas.setAuthor("Tallypost")
    yield Sheet(canvas, height=height), written
    canvas.save()


def _printable(words: str) -> str:
    """Without what no font draws: controls, and characters beyond the basic plane (emoji)."""
    return "".join(one for one in words if one.isprintable() and ord(one) < 0x10000)


def _font(run: str, *, bold: bool) -> str:
    return (BOLD if bold else LATIN) if run.isascii() else CHINESE


def _width(words: str, *, size: float, bold: bool = False) -> float:
    runs = _RUNS.findall(words)
    return sum(pdfmetrics.stringWidth(run, _font(run, bold=bold), size) for run in runs)


def _cut(words: str, *, size: float, bold: bool, points: float) -> str:
    if _width(words, size=size, bold=bold) <= points:
        return words
    while words and _width(words + ELLIPSIS, size=size, bold=bold) > points:
        words = words[:-1]
    return words + ELLIPSIS


def _fitting(words: str, *, size: float, points: float) -> str:
    """As much of the beginning as fits on a line, one character at least."""
    line = words
    while len(line) > 1 and _width(line, size=size) > points:
        line = line[:-1]
    return line
