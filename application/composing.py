"""组句 Messages to learners put together of sentences and amounts, in both languages (D6)."""

from collections.abc import Sequence
from typing import NamedTuple

from application.sealed_words import Message


class Amount(NamedTuple):
    """Points and cash that a message speaks of."""

    points: int
    fen: int = 0

    def words(self) -> Message:
        """What there is of each; no points where there is nothing at all."""
        cash = f"{self.fen // 100}.{self.fen % 100:02}"
        if not self.fen:
            return Message(f"{self.points} 积分", f"{self.points} points")
        if not self.points:
            return Message(f"{cash} 元", f"¥{cash}")
        return Message(f"{self.points} 积分和 {cash} 元", f"{self.points} points and ¥{cash}")


def composed(sentences: Sequence[Message], **figures: Amount | str | int | None) -> Message:
    """The sentences, one after the other, with their figures."""
    told = {key: one.words() if isinstance(one, Amount) else one for key, one in figures.items()}
    texts = []
    for at in (0, 1):
        here = {key: one[at] if isinstance(one, Message) else one for key, one in told.items()}
        texts.append("".join(one[at] for one in sentences).format(**here))
    return Message(*texts)
