"""A group of commands on its way into the log: who waits, what was decided, and its bytes."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic_core import to_json

from application.log import Head, Packed, Recorded, packed
from application.outcomes import Outcome, Unavailable, keep_refusal
from application.proof import leaf_hash
from application.unit import Card, Command, Draft, Row, SealedCard, Unit, rows_of
from domain.refusals import Refusal


class Waiting:
    """A command and who waits for its answer: its caller, and callers who sent it again."""

    __slots__ = ("command", "future", "give_up_at", "twins")

    def __init__(
        self, command: Command, future: asyncio.Future[Outcome], give_up_at: float
    ) -> None:
        self.command = command
        self.future = future
        self.give_up_at = give_up_at
        self.twins: list[asyncio.Future[Outcome]] = []

    def settle(self, result: Outcome | BaseException) -> None:
        """Tell all of them; a caller that went away is passed over."""
        _tell(self.future, result)
        for twin in self.twins:
            _tell(twin, result)

    def give_up(self) -> None:
        """Tell the first caller that it takes too long; twins have a patience of their own."""
        _tell(self.future, Unavailable())


def _tell(future: asyncio.Future[Outcome], result: Outcome | BaseException) -> None:
    if future.done():
        return
    if isinstance(result, BaseException):
        future.set_exception(result)
        future.exception()  # a caller that gives up has not forgotten to look
    else:
        future.set_result(result)


class Group:
    """What one group commit has gathered so far, on top of the log's position `after`."""

    def __init__(self, batch: Sequence[Waiting], *, after: int, now: datetime) -> None:
        self.batch = batch
        self.after = after
        self.now = now
        self.left: list[Waiting] = []
        """Commands still to be decided under the turn."""
        self.new_keys: dict[str, bytes] = {}
        """Keys made for this group; stored, and good for later ones, if a card needed them."""
        self.erased: list[str] = []
        self.touched: set[str] = set()
        self.begun: list[str] = []
        self.settled: list[tuple[Waiting, Outcome | BaseException]] = []
        """What callers are told once all of this is committed."""
        self.rows: list[Row] = []
        self.leaves: list[bytes] = []
        self.cards: list[SealedCard] = []
        self.recorded: list[Recorded] = []
        """What is kept of the commands under their keys."""
        self._packed: Packed | None = None
        """What was written down, as it was last asked for."""
        # Decided, but not yet written down:
        self._drafts: list[Draft] = []
        self._unsealed: list[Card] = []
        self._answered: list[tuple[Waiting, dict[str, Any], int]] = []

    def follows(self, head: Head, batch: Sequence[Waiting]) -> bool:
        """Whether what was decided for this batch is good on top of the log's head."""
        on_time = head.recorded_at is None or self.now >= head.recorded_at
        return self.batch is batch and self.after == head.position and on_time

    @property
    def position(self) -> int:
        """The log's position once this group is committed."""
        return self.after + len(self.rows) + len(self._drafts)

    @property
    def stored_keys(self) -> set[str]:
        """Whose new keys a card of this group needs."""
        return self.new_keys.keys() & {card.subject for card in self.cards}

    def answer(self, waiting: Waiting, unit: Unit, answer: dict[str, Any]) -> None:
        """Take what a command decided. Raises, and takes nothing, for what is no answer."""
        if not waiting.command.asks_only:
            # A dict of our own: it waits to be written, and the command's may be used again.
            answer = {**answer, "position": self.position + len(unit.drafts)}
            self._drafts += unit.drafts
            self._unsealed += unit.cards
            self.touched.update(unit.touched)
            self.begun += unit.begun
            if unit.erased:
                self.erased.append(unit.erased)
        self._answered.append((waiting, answer, self.position))

    def refuse(self, waiting: Waiting, refusal: Refusal) -> None:
        """Take a command's refusal, which is kept as its answer unless the command says not."""
        if waiting.command.keeps_refusals and not waiting.command.asks_only:
            kept = keep_refusal(refusal)
            self.recorded.append(_recorded(waiting.command, self.position, kept, refused=True))
            self._packed = None
        self.settled.append((waiting, refusal))

    def write_down(self) -> None:
        """Make what was decided so far into the bytes that are inserted.

        Step by step for many commands: code that stays in the processor's cache is faster.
        """
        if not self._answered:
            return
        answers = [to_json(answer) for _, answer, _ in self._answered]
        rows = rows_of(self._drafts, recorded_at=self.now)
        first = self.after + len(self.rows) + 1
        leaves = [leaf_hash(position, *row) for position, row in enumerate(rows, start=first)]
        cards = [card.sealed() for card in self._unsealed]
        for (waiting, _, position), written in zip(self._answered, answers, strict=True):
            if not waiting.command.asks_only:
                self.recorded.append(_recorded(waiting.command, position, written))
            self.settled.append((waiting, Outcome(written, position, repeated=False)))
        self.rows += rows
        self.leaves += leaves
        self.cards += cards
        self._drafts, self._unsealed, self._answered = [], [], []
        self._packed = None

    def packed(self) -> Packed:
        """What was written down, as it is inserted; asked for ahead, it is ready when needed."""
        if self._packed is None:
            self._packed = packed(self.rows, self.recorded, self.cards)
        return self._packed


def _recorded(command: Command, position: int, answer: bytes, *, refused: bool = False) -> Recorded:
    return Recorded(command.principal, command.key, command.digest, position, refused, answer)
