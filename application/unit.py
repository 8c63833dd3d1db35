"""A unit of work: what one command may read and record while it holds the log's turn."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from application.envelope import Context, encode, encode_tail
from application.recipients import Digests
from application.streams import Category, S
from application.vault import seal
from domain.facts import Fact
from domain.refusals import InvalidRequest

Held = tuple[int, Any]
"""A stream's version and state; version 0 is the state before any fact."""


class Begun(NamedTuple):
    """A new stream's state before anybody asked for it: most orders are next read hours later."""

    category: Category[Any]
    fact: Fact

    def folded(self) -> Any:
        """The state after the stream's first fact."""
        return self.category.evolve(self.category.initial, self.fact)


def folded(held: Held) -> Held:
    """A stream's version and state, whether or not somebody asked for it before."""
    version, state = held
    return (version, state.folded()) if type(state) is Begun else held


class Missing(Exception):
    """The command read what was not loaded ahead; it is loaded and the command runs again."""

    def __init__(self, *, stream: str | None = None, subject: str | None = None) -> None:
        self.stream = stream
        self.subject = subject
        super().__init__(stream or subject)


# Plain tuples: three of each are made for every order, five times as fast as named ones.
Row = tuple[str, int, str, bytes]
"""One event as it is stored, but for its position: stream, version, name, stored bytes."""
Draft = tuple[str, int, Fact, datetime, Context]
"""A fact of a command, in memory alone as yet: stream, version, fact, when it happened, context."""


def rows_of(drafts: Iterable[Draft], *, recorded_at: datetime) -> list[Row]:
    """Drafts as they are stored."""
    rows: list[Row] = []
    last: tuple[object, object] = (None, None)
    tail = b""
    for stream, version, fact, happened_at, context in drafts:
        if last != (happened_at, context):
            last = (happened_at, context)
            tail = encode_tail(context, happened_at=happened_at, recorded_at=recorded_at)
        rows.append((stream, version, fact.fact_name, encode(fact, tail)))
    return rows


_NO_DIGESTS = (None, None, None)


class SealedCard(NamedTuple):
    """One card of the vault as it is stored (A4)."""

    id: str
    subject: str
    field: str
    sealed: bytes
    phone_digest: bytes | None
    tail_digest: bytes | None
    place_digest: bytes | None


class Card(NamedTuple):
    """One card of the vault, to be sealed with its learner's key (A4)."""

    id: str
    subject: str
    field: str
    plaintext: bytes
    key: bytes
    digests: Digests | None

    def __repr__(self) -> str:
        return f"Card({self.id})"  # neither the person nor the key gets into a log

    def sealed(self) -> SealedCard:
        """The card as it is stored."""
        card, subject, field, plaintext, key, digests = self
        sealed = seal(key, subject, f"{field}:{card}", plaintext)
        return SealedCard(card, subject, field, sealed, *(digests or _NO_DIGESTS))


CLOCKS_DIFFER = timedelta(minutes=1)
"""So far ahead of ours another clock may be: what it dates counts as happening now."""


Streams = Sequence[str] | Callable[[], Sequence[str]]
"""Ids of streams, or how to name them where that is worth doing only when they are needed."""


class Command(NamedTuple):
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
    streams: Streams = ()
    """Streams it is going to read: loading them ahead saves a second run."""
    subject: str | None = None
    """The learner whose vault key it is going to need: loading it ahead saves a second run."""
    happened_at: datetime | None = None
    """When it happened, if not now: imports and late reports (A5)."""
    asks_only: bool = False
    """Decided on the same exact states, but nothing of it is recorded, not even the answer."""
    keeps_refusals: bool = True
    """False where the key is the thing itself: what was refused can still come about (rule 14)."""

    @property
    def reads(self) -> Sequence[str]:
        """The streams that are loaded ahead."""
        return self.streams() if callable(self.streams) else self.streams


def _not_ahead(command: Command, now: datetime) -> datetime:
    """When a command's facts happened: what is still to come is no fact."""
    happened_at = command.happened_at or now
    if happened_at > now + CLOCKS_DIFFER:
        raise InvalidRequest(field="happened_at", reason="is in the future")
    return min(happened_at, now)


class Unit:
    """What one command sees: states exact at the log's head, and a place for new facts.

    Nothing recorded here leaves before the whole command has been decided; a command that
    raises leaves nothing behind.
    """

    __slots__ = (
        "_states", "begun", "cards", "command", "drafts", "erased", "happened_at", "keys", "now",
        "touched",
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
        self.happened_at = now if command.happened_at is None else _not_ahead(command, now)
        self.drafts: list[Draft] = []
        self.begun: list[str] = []
        """The streams that this command began."""
        self.cards: list[Card] = []
        self.keys = keys
        self.erased: str | None = None
        self._states = states
        self.touched: dict[str, Held] = {}
        """The streams this command changed or made, with their new versions and states."""

    def read(self, category: Category[S], key: str) -> S:
        """The state of a stream, as of all that is recorded, this command's own facts included."""
        stream = category.prefix + key
        try:
            state = (self.touched.get(stream) or self._states[stream])[1]
        except KeyError:
            raise Missing(stream=stream) from None
        # `_held` again, without its calls: each order that is placed reads nine streams.
        known: S = state.folded() if type(state) is Begun else state
        return known

    def trial(self) -> "Unit":
        """A unit on the same states whose facts go nowhere: what a command would do (D6)."""
        return Unit(self.command, now=self.now, states=self._states, keys=self.keys)

    def version(self, category: Category[Any], key: str) -> int:
        """How many facts a stream has: with its id, the name of its state just now."""
        return self._held(category.prefix + key)[0]

    def _held(self, stream: str) -> Held:
        try:
            return folded(self.touched.get(stream) or self._states[stream])
        except KeyError:
            raise Missing(stream=stream) from None

    def begin(self, category: Category[S], key: str, fact: Fact) -> None:
        """The first fact of a stream that cannot exist yet, its key being made for this command.

        Nothing is loaded; were the key taken after all, the commit fails and nothing is recorded.
        """
        stream = category.prefix + key
        self.touched[stream] = (1, Begun(category, fact))
        self.begun.append(stream)
        self.drafts.append((stream, 1, fact, self.happened_at, self.command.context))

    def record(
        self,
        category: Category[S],
        key: str,
        facts: Iterable[Fact],
        *,
        happened_at: datetime | None = None,
    ) -> S:
        """Append facts to a stream; returns the state after them."""
        stream = category.prefix + key
        version, state = self._held(stream)
        when, context = happened_at or self.happened_at, self.command.context
        for fact in facts:
            version += 1
            state = category.evolve(state, fact)
            self.drafts.append((stream, version, fact, when, context))
        self.touched[stream] = (version, state)
        recorded: S = state
        return recorded

    def seal(
        self,
        subject: str,
        field: str,
        plaintext: bytes,
        *,
        digests: Digests | None = None,
    ) -> str:
        """Put personal data on a new card of a learner; returns the card's id (A4)."""
        key = self.keys.get(subject)
        if key is None:
            raise Missing(subject=subject)
        card = os.urandom(16).hex()
        self.cards.append(Card(card, subject, field, plaintext, key, digests))
        return card

    def erase_subject(self, subject: str) -> None:
        """Destroy the key and all cards of a learner in the same commit (A4)."""
        self.erased = subject
