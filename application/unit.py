"""A unit of work: what one command may read and record while it holds the log's turn."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from application.envelope import Context, encode, encode_context
from application.streams import Category, S
from application.vault import seal
from domain.facts import Fact

Held = tuple[int, Any]
"""A stream's version and state; version 0 is the state before any fact."""


class Missing(Exception):
    """The command read what was not loaded ahead; it is loaded and the command runs again."""

    def __init__(self, *, stream: str | None = None, subject: str | None = None) -> None:
        self.stream = stream
        self.subject = subject
        super().__init__(stream or subject)


class Row(NamedTuple):
    """One event as it is stored, but for its position."""

    stream: str
    version: int
    name: str
    stored: bytes


class Card(NamedTuple):
    """One sealed card of the vault (A4)."""

    id: str
    subject: str
    field: str
    sealed: bytes
    phone_digest: bytes | None
    tail_digest: bytes | None


@dataclass(frozen=True, slots=True)
class Command:
    """Something to be decided and committed once, however often it is sent.

    `principal` and `key` identify it, `digest` is the digest of what was asked: the same key
    with another digest is refused. `decide` returns the answer as JSON-able fields; a `Refusal`
    it raises is an answer, too, and is kept under the key (rules.md 31).
    """

    principal: str
    key: str
    digest: bytes
    context: Context
    decide: Callable[["Unit"], dict[str, Any]]
    streams: Sequence[str] = ()
    """Streams it is going to read: loading them ahead saves a second run."""
    subject: str | None = None
    """The learner whose vault key it is going to need: loading it ahead saves a second run."""
    happened_at: datetime | None = None
    """When it happened, if not now: imports and late reports (A5)."""
    asks_only: bool = False
    """Decided on the same exact states, but nothing of it is recorded, not even the answer."""


class Unit:
    """What one command sees: states exact at the log's head, and a place for new facts.

    Nothing recorded here leaves before the whole command has been decided; a command that
    raises leaves nothing behind.
    """

    __slots__ = (
        "_states", "_tail", "_tail_now", "_touched", "cards", "command", "erased", "happened_at",
        "keys", "now", "rows",
    )  # fmt: skip

    def __init__(
        self,
        command: Command,
        *,
        now: datetime,
        states: Mapping[str, Held],
        keys: Mapping[str, bytes],
    ) -> None:
        self.command = command
        self.now = now
        self.happened_at = command.happened_at or now
        self.rows: list[Row] = []
        self.cards: list[Card] = []
        self.keys = keys
        self.erased: str | None = None
        self._states = states
        self._touched: dict[str, Held] = {}
        self._tail = encode_context(command.context, recorded_at=now)
        self._tail_now = self._tail(self.happened_at)

    def read(self, category: Category[S], key: str) -> S:
        """The state of a stream, as of all that is recorded, this command's own facts included."""
        stream = f"{category.name}:{key}"
        held = self._touched.get(stream) or self._states.get(stream)
        if held is None:
            raise Missing(stream=stream)
        state: S = held[1]
        return state

    def create(self, category: Category[S], key: str) -> S:
        """The state of a stream that cannot exist yet, its key being made for this command.

        Nothing is loaded; were the key taken after all, the commit fails and nothing is recorded.
        """
        self._touched.setdefault(f"{category.name}:{key}", (0, category.initial))
        return category.initial

    def record(
        self,
        category: Category[S],
        key: str,
        facts: Iterable[Fact],
        *,
        happened_at: datetime | None = None,
    ) -> S:
        """Append facts to a stream; returns the state after them."""
        stream = f"{category.name}:{key}"
        held = self._touched.get(stream) or self._states.get(stream)
        if held is None:
            raise Missing(stream=stream)
        version, state = held
        tail = self._tail_now if happened_at is None else self._tail(happened_at)
        evolve, rows = category.evolve, self.rows
        for fact in facts:
            version += 1
            state = evolve(state, fact)
            rows.append(Row(stream, version, fact.fact_name, encode(fact, tail)))
        self._touched[stream] = (version, state)
        recorded: S = state
        return recorded

    def seal(
        self,
        subject: str,
        field: str,
        plaintext: bytes,
        *,
        phone_digest: bytes | None = None,
        tail_digest: bytes | None = None,
    ) -> str:
        """Put personal data on a new card of a learner; returns the card's id (A4)."""
        key = self.keys.get(subject)
        if key is None:
            raise Missing(subject=subject)
        card = os.urandom(16).hex()
        sealed = seal(key, subject, f"{field}:{card}", plaintext)
        self.cards.append(Card(card, subject, field, sealed, phone_digest, tail_digest))
        return card

    def erase_subject(self, subject: str) -> None:
        """Destroy the key and all cards of a learner in the same commit (A4)."""
        self.erased = subject

    @property
    def touched(self) -> Mapping[str, Held]:
        """The streams this command changed or made, with their new versions and states."""
        return self._touched
