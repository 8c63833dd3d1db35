"""案件文字 Reading what was said in a case: the learner in clear, staff without what names people.

Words are on cards of the vault (A4). Staff see them with names, phones and doors hidden; more is
a reveal, with its reason on record. What was erased, or is held, is told as gone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from unicodedata import normalize

from psycopg import AsyncConnection

from application.cards import open_cards
from application.envelope import Envelope
from application.masking import mask_address, mask_name, mask_phone
from application.recipients import Recipient
from application.sealed_words import Message, content_of, fits
from application.vault import Vault
from domain.blotting import blot
from domain.claims import InquiryAnswered
from domain.dispute_facts import (
    DisputeDecided,
    DisputeOpened,
    DisputeReopened,
    DisputeWithdrawn,
    QuestionAnswered,
)
from domain.notes import NoteAdded
from domain.return_facts import ReturnOpened, ReturnRejected, ReturnSettled
from domain.scans import normalise_text
from domain.sealed import Sealed


@dataclass(frozen=True, slots=True)
class Said:
    """Words of a case, or that they are gone."""

    position: int
    about: str
    """opening, answer, withdrawal, reopening, inquiry, note, return, or message."""
    sealed: Sealed
    content: bytes | None
    """None: erased, gone by time, or under a legal hold."""

    @property
    def genuine(self) -> bool:
        """Whether the content is the one that the fact was told of."""
        return self.content is not None and fits(self.content, self.sealed.digest)

    @property
    def text(self) -> str | None:
        """The words, where they are words."""
        return content_of(self.content).decode() if self.content is not None else None

    @property
    def message(self) -> Message | None:
        """What the learner was told, where it is a message."""
        return None if self.content is None else Message.from_bytes(content_of(self.content))


def sealed_in(event: Envelope) -> tuple[str, Sealed] | None:
    """What an event says was said, and about what."""
    match event.fact:
        case DisputeOpened(words=Sealed() as words):
            return "opening", words
        case QuestionAnswered(words=Sealed() as words):
            return "answer", words
        case DisputeWithdrawn(words=Sealed() as words):
            return "withdrawal", words
        case DisputeReopened(words=Sealed() as words):
            return "reopening", words
        case InquiryAnswered(words=Sealed() as words):
            return "inquiry", words
        case NoteAdded(words=words):
            return "note", words
        case ReturnOpened(words=Sealed() as words):
            return "return", words
        case (
            ReturnSettled(message=Sealed() as message) | ReturnRejected(message=Sealed() as message)
        ):
            return "message", message
        case DisputeDecided(decision=decision) if decision.message is not None:
            return "message", decision.message
    return None


async def said_in(
    connection: AsyncConnection[Any], schema: str, vault: Vault, events: Sequence[Envelope]
) -> list[Said]:
    """Everything that was said in these events, in their order."""
    told = [(event.position, *one) for event in events if (one := sealed_in(event)) is not None]
    contents = await open_cards(connection, schema, vault, {sealed.card for _, _, sealed in told})
    return [
        Said(position, about, sealed, contents.get(sealed.card)) for position, about, sealed in told
    ]


def without_names(text: str, recipient: Recipient | None) -> str:
    """Words as staff see them: the recipient as on every screen, others as scans show them.

    With the blanks they were written with, where that hides as much as without them.
    """
    masks = {} if recipient is None else _masked_parts(recipient)
    hidden = _masked(normalise_text(text), masks)
    as_written = _masked(" ".join(normalize("NFKC", text).split()), masks)
    return as_written if normalise_text(as_written) == normalise_text(hidden) else hidden


def _masked(text: str, masks: Mapping[str, str]) -> str:
    for whole, masked in masks.items():
        text = text.replace(whole, masked)
    return blot(text)


def _masked_parts(recipient: Recipient) -> Mapping[str, str]:
    digits = recipient.phone.removeprefix("+86")
    parts = {
        recipient.name: mask_name(recipient.name),
        recipient.address: mask_address(recipient.address),
        digits: mask_phone(recipient.phone),
    }
    return {normalise_text(whole): masked for whole, masked in parts.items() if len(whole) > 1}
