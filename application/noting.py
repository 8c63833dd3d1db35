"""备注 Noting something beside an order: the words sealed for its learner, never in a fact (A4)."""

from typing import Any

from application.ordering import existing
from application.revealing import Looked, Looker, reveal
from application.sealed_words import seal_words
from application.streams import NOTES
from application.unit import Unit
from domain.refusals import NotPossible


def add_note(unit: Unit, *, number: str, words: str) -> dict[str, Any]:
    """Note it. Words may name people, so nothing is noted of who was erased: `NotPossible`."""
    learner = existing(unit, number).learner
    notes = unit.read(NOTES, number)
    notes.must_take_more()  # before anything is sealed
    sealed = seal_words(unit, learner, words)
    if sealed is None:
        raise NotPossible(action="add_note", why="the recipient was erased")
    after = unit.record(NOTES, number, notes.add(number, sealed))
    return {"order": number, "notes": after.count}


def reveal_note(unit: Unit, *, number: str, card: str, looker: Looker) -> dict[str, Any]:
    """Record that a note is going to be shown as it was written; a minor's after four eyes."""
    looked = Looked(card, existing(unit, number).learner, order=number)
    return reveal(unit, looked, looker=looker)
