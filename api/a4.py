"""A4 纸 Pages that fill up from the top: whoever draws asks for room, and goes on (W1, T7)."""

from api.sheets import Sheet

WIDTH, HEIGHT, MARGIN = 210.0, 297.0, 14.0
RIGHT, BOTTOM = WIDTH - MARGIN, HEIGHT - 16.0


class Flow:
    """Where the next line goes; pages begin by themselves, each with a head and its number."""

    def __init__(self, sheet: Sheet, *, head: str) -> None:
        self._sheet, self._head = sheet, head
        self.y, self._page = 34.0, 1

    def room(self, height: float) -> float:
        """A place for something of this height; returns its top."""
        if self.y + height > BOTTOM:
            self.foot()
            self._sheet.next_page()
            self._page += 1
            self._sheet.text(MARGIN, 14, self._head, size=9)
            self.y = 20.0
        top = self.y
        self.y += height
        return top

    def foot(self) -> None:
        """The page's number."""
        self._sheet.text(RIGHT, HEIGHT - 8, str(self._page), size=9, right=True)
