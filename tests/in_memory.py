"""A log in memory: use cases decide on it as they do in the store, in microseconds."""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from application.envelope import Context, decode_fact
from application.streams import Category, S, category_of
from application.unit import Command, Held, Unit, folded, rows_of
from domain.facts import Fact


def given(category: Category[S], *facts: Fact) -> S:
    """The state after these facts."""
    state = category.initial
    for fact in facts:
        state = category.evolve(state, fact)
    return state


@dataclass(frozen=True, slots=True)
class Recorded:
    """A fact as it was read back from its stored bytes."""

    stream: str
    version: int
    fact: Fact


class _Streams(dict[str, Held]):
    """Every stream there is or may come to be: what nobody wrote to is at its beginning."""

    def __missing__(self, stream: str) -> Held:
        return (0, category_of(stream).initial)


class _Keys(dict[str, bytes]):
    """A vault key for everybody."""

    def __missing__(self, subject: str) -> bytes:
        self[subject] = key = os.urandom(32)
        return key

    def get(self, subject: str, default: Any = None) -> Any:
        return self[subject]


class InMemoryLog:
    """Runs commands one after another; one that raises leaves nothing behind."""

    context = Context(actor="test:test", command="test")

    def __init__(self) -> None:
        self.recorded: list[Recorded] = []
        self.cards: dict[str, str] = {}
        """Sealed cards: whose by id."""
        self._streams = _Streams()
        self._keys = _Keys()

    def run(
        self,
        decide: Callable[[Unit], dict[str, Any]],
        *,
        now: datetime,
        happened_at: datetime | None = None,
    ) -> dict[str, Any]:
        """Decide and record; returns the answer."""
        command = Command(
            principal="test",
            key=str(len(self.recorded)),
            digest=b"",
            context=self.context,
            decide=decide,
            happened_at=happened_at,
        )
        unit = Unit(command, now=now, states=self._streams, keys=self._keys)
        answer = decide(unit)
        self.recorded += [
            Recorded(stream, version, decode_fact(name, stored))
            for stream, version, name, stored in rows_of(unit.drafts, recorded_at=now)
        ]
        self.cards |= {card.id: card.subject for card in unit.cards}
        self._streams.update(unit.touched)
        return answer

    def seed(self, category: Category[Any], key: str, *facts: Fact, now: datetime) -> None:
        """Record facts nobody decided."""

        def decide(unit: Unit) -> dict[str, Any]:
            unit.record(category, key, facts)
            return {}

        self.run(decide, now=now)

    def state(self, category: Category[S], key: str) -> S:
        """The state of a stream."""
        found: S = folded(self._streams[category.stream(key)])[1]
        return found

    def facts(self, category: Category[Any], key: str) -> list[Fact]:
        """The facts of a stream, oldest first."""
        stream = category.stream(key)
        return [one.fact for one in self.recorded if one.stream == stream]

    def of(self, category: Category[S]) -> Iterator[tuple[str, S]]:
        """All streams of a category with their states."""
        for stream, held in self._streams.items():
            if category_of(stream) is category:
                yield stream.partition(":")[2], folded(held)[1]

    def replayed(self) -> Iterable[tuple[str, Any, Any]]:
        """Each stream with its live state and the one folded anew from what was stored."""
        anew: dict[str, Any] = {}
        for one in self.recorded:
            category = category_of(one.stream)
            anew[one.stream] = category.evolve(anew.get(one.stream, category.initial), one.fact)
        for stream, state in anew.items():
            yield stream, folded(self._streams[stream])[1], state
