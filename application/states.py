"""The states of streams that this process keeps in memory, so that few have to be loaded."""

from collections.abc import Iterable

from application.unit import Held, folded

KEPT_MAX = 50_000
"""Streams whose states are kept in memory."""


class States(dict[str, Held]):
    """Versions and states by stream; those not used for longest are forgotten first.

    Two generations instead of a list in order of use: a look-up stays one look into a dictionary.
    `states[stream]` brings a state over from the older generation; when the newer one is half of
    all, it becomes the older one, and what that held is forgotten.
    """

    def __init__(self) -> None:
        super().__init__()
        self._older: dict[str, Held] = {}

    def __bool__(self) -> bool:
        return bool(len(self) or self._older)

    def __missing__(self, stream: str) -> Held:
        held = self[stream] = self._older[stream]
        return held

    def known(self, stream: str) -> Held | None:
        """What is kept of a stream, without counting as a use."""
        held = self.get(stream) or self._older.get(stream)
        return None if held is None else folded(held)

    def missing(self, streams: Iterable[str]) -> list[str]:
        """Which of these have to be loaded."""
        return [one for one in streams if one not in self and one not in self._older]

    def forget(self, streams: Iterable[str]) -> None:
        """Forget these: what was thought of them did not come true."""
        for stream in streams:
            self.pop(stream, None)
            self._older.pop(stream, None)

    def forget_all(self) -> None:
        """Forget everything."""
        self.clear()
        self._older = {}

    def age(self) -> None:
        """Keep within bounds; called between groups."""
        if len(self) > KEPT_MAX // 2:
            self._older = dict(self)
            self.clear()
