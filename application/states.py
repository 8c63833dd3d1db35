"""The states of streams that this process keeps in memory, so that few have to be loaded."""

from collections.abc import Iterable

from application.unit import Held

KEPT_MAX = 50_000
"""Streams whose states are kept in memory."""


class States:
    """Versions and states by stream; those not used for longest are forgotten first.

    Two generations instead of a list in order of use: a look-up stays one look into a dictionary.
    What is used moves into `recent`; when that is half of all, it becomes the older generation,
    and what that held is forgotten.
    """

    def __init__(self) -> None:
        self.recent: dict[str, Held] = {}
        self._older: dict[str, Held] = {}

    def __bool__(self) -> bool:
        return bool(self.recent or self._older)

    def known(self, stream: str) -> Held | None:
        """What is kept of a stream, without counting as a use."""
        return self.recent.get(stream) or self._older.get(stream)

    def missing(self, streams: Iterable[str]) -> list[str]:
        """Which of these have to be loaded; the others are in `recent` from here on."""
        recent, older = self.recent, self._older
        missing = []
        for stream in streams:
            if stream not in recent:
                held = older.get(stream)
                if held is None:
                    missing.append(stream)
                else:
                    recent[stream] = held
        return missing

    def forget(self, streams: Iterable[str]) -> None:
        """Forget these: what was thought of them did not come true."""
        for stream in streams:
            self.recent.pop(stream, None)
            self._older.pop(stream, None)

    def forget_all(self) -> None:
        """Forget everything."""
        self.recent = {}
        self._older = {}

    def age(self) -> None:
        """Keep within bounds; called between groups."""
        if len(self.recent) > KEPT_MAX // 2:
            self._older = self.recent
            self.recent = {}
