"""学员的话 Why learners want something: a code is kept with the event, own words are not (A4)."""

from typing import Final, NamedTuple

from api.auth import Caller, Role
from application.noting import add_note
from application.unit import Unit

CODES: Final = frozenset({"changed_mind", "ordered_twice", "too_late", "wrong_address"})
"""What the pages offer."""
OWN_WORDS: Final = "own_words"


class Said(NamedTuple):
    """Why somebody wants something."""

    reason: str
    """Kept with the event for ever."""
    words: str | None
    """As a learner put it: it may say who they are, so it becomes a note, which can be erased."""

    def note(self, unit: Unit, number: str) -> None:
        """Keep a learner's own words beside their order, for whoever looks at it next."""
        if self.words is not None:
            add_note(unit, number=number, words=self.words)


def said_by(caller: Caller, reason: str) -> Said:
    """What of a reason is kept where; staff and services are asked to name nobody."""
    if caller.role is not Role.LEARNER or reason in CODES:
        return Said(reason, None)
    return Said(OWN_WORDS, reason)
