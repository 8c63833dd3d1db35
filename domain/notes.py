"""备注 What is written down beside an order, for whoever looks at it next (D1, A1)."""

from dataclasses import dataclass, replace
from typing import assert_never

from pydantic import Field

from domain.facts import Fact
from domain.refusals import NotPossible
from domain.sealed import Sealed

NOTES_MAX = 200
"""Notes an order may have."""


class NoteAdded(Fact, name="notes.NoteAdded"):
    """Somebody wrote something down about an order: staff, or its learner why they cancel it."""

    order: str
    words: Sealed = Field(description="they may name people, so they are in the vault alone (A4)")


NoteFact = NoteAdded


@dataclass(frozen=True, slots=True)
class Notes:
    """What deciding about an order's next note needs."""

    count: int = 0

    def must_take_more(self) -> None:
        """Refuse a note where there are too many."""
        if self.count >= NOTES_MAX:
            raise NotPossible(action="add_note", why=f"an order has at most {NOTES_MAX} notes")

    def add(self, order: str, words: Sealed) -> list[NoteAdded]:
        """Write it down."""
        self.must_take_more()
        return [NoteAdded(order=order, words=words)]


def evolve(notes: Notes, fact: NoteFact) -> Notes:
    """The notes after one more."""
    match fact:
        case NoteAdded():
            return replace(notes, count=notes.count + 1)
        case _:
            assert_never(fact)
