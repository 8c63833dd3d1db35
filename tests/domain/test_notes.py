"""Notes beside an order: as many as there may be, and no more (D1)."""

import pytest

from application.streams import NOTES
from domain.notes import NOTES_MAX, NoteAdded
from domain.refusals import NotPossible
from domain.sealed import Sealed
from tests.in_memory import given

NOTE = NoteAdded(order="T1", words=Sealed(card="c", digest="d"))


def test_a_note_is_added_when_there_are_few() -> None:
    """D1: the words are sealed, the fact says beside which order."""
    state = given(NOTES, NOTE)
    assert state.add("T1", NOTE.words) == [NOTE]
    assert given(NOTES, NOTE, NOTE).count == 2


def test_a_note_is_refused_when_there_are_too_many() -> None:
    """D1: a limit on everything."""
    assert given(NOTES, *[NOTE] * (NOTES_MAX - 1)).add("T1", NOTE.words)
    with pytest.raises(NotPossible, match=f"at most {NOTES_MAX} notes"):
        given(NOTES, *[NOTE] * NOTES_MAX).add("T1", NOTE.words)
