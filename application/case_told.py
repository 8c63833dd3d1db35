"""案情 What the events of a case say, put together: track, signer, words, ledger (D5).

Pure functions of the events, so that whoever has them can make it again and compare.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from application.case_words import sealed_in
from application.envelope import Envelope
from application.in_clear import in_clear
from application.streams import ACCOUNT, CLAIM, DISPUTE, PARCEL, fold_fingerprint
from domain.claims import InquiryAnswered
from domain.dispute_facts import (
    EvidenceAdded,
    EvidenceGathered,
    QuestionAnswered,
    QuestionTimedOut,
)
from domain.evidence_files import SUFFIXES
from domain.ledger import postings
from domain.order_facts import AddressChanged, OrderPlaced
from domain.parcel_facts import ParcelScanned, PushUnreadable


class Subject(NamedTuple):
    """What a pack is about."""

    case: str
    order: str
    parcel: str


class NamedCard(NamedTuple):
    """A card of the vault that the case's events name."""

    card: str
    field: str
    """payload, words, evidence or recipient."""
    about: str
    """What was said in it, the file's name in the case, or who pushed it."""
    position: int
    """Of the first event that names it."""
    digest: str | None = None
    """None: the events tell no digest of it."""
    suffix: str | None = None
    """Of its file, if it is one."""


@cache
def teller() -> str:
    """Changes whenever what is told of the same events may: the rules, this room, the page."""
    digest = sha256(fold_fingerprint().encode())
    for room in ("case_told.py", "case_words.py", "in_clear.py", "evidence_page.py"):
        digest.update(Path(__file__).with_name(room).read_bytes())
    return digest.hexdigest()[:16]


def tell(events: Sequence[Envelope], subject: Subject) -> dict[str, Any]:
    """The case in sections; every line names the position of the event that it is from."""
    box = [one for one in events if one.stream == PARCEL.stream(subject.parcel)]
    own = [one for one in events if one.stream == DISPUTE.stream(subject.case)]
    carrier = [one for one in events if one.stream == CLAIM.stream(subject.parcel)]
    spoken = sorted((*own, *carrier), key=lambda one: one.position)
    state = DISPUTE.initial
    for one in own:
        state = DISPUTE.evolve(state, one.fact)
    return {
        "state": in_clear(state),
        "signer": [_signer(one) for one in own if isinstance(one.fact, EvidenceGathered)],
        "track": [_scan(one) for one in box if isinstance(one.fact, ParcelScanned)],
        "questions": [_fields(o) for o in own if isinstance(o.fact, QuestionAnswered)]
        + [_fields(o) for o in own if isinstance(o.fact, QuestionTimedOut)],
        "inquiry": [_inquiry(one) for one in carrier if isinstance(one.fact, InquiryAnswered)],
        "files": [_file(one) for one in own if isinstance(one.fact, EvidenceAdded)],
        "messages": [_said(one) for one in spoken if sealed_in(one) is not None],
        "ledger": [_entry(one) for one in events if one.category == ACCOUNT.name],
    }


def named_cards(events: Sequence[Envelope], subject: Subject) -> list[NamedCard]:
    """The vault's cards that belong to the case, each once, in the order they were named."""
    found: dict[str, NamedCard] = {}
    for event in events:
        for one in _named(event, subject):
            found.setdefault(one.card, one)
    return list(found.values())


def _named(event: Envelope, subject: Subject) -> Iterator[NamedCard]:
    fact, at = event.fact, event.position
    if isinstance(fact, OrderPlaced | AddressChanged):
        if event.key == subject.order and fact.destination is not None:
            yield NamedCard(fact.destination.card, "recipient", "recipient", at)
    elif isinstance(fact, ParcelScanned | PushUnreadable):
        if event.key == subject.parcel and fact.card is not None:
            yield NamedCard(fact.card, "payload", fact.source, at, fact.digest)
    elif event.stream in (DISPUTE.stream(subject.case), CLAIM.stream(subject.parcel)):
        if isinstance(fact, EvidenceAdded):
            kept, suffix = fact.content, SUFFIXES[fact.media_type]
            yield NamedCard(kept.card, "evidence", fact.file, at, kept.digest, suffix)
        elif (said := sealed_in(event)) is not None:
            about, kept = said
            yield NamedCard(kept.card, "words", about, at, kept.digest)


def _scan(event: Envelope) -> dict[str, Any]:
    fact: Any = event.fact
    return {
        "position": event.position,
        "time": fact.time.isoformat(),
        "kind": fact.kind,
        "text": fact.text,
        "source": fact.source,
        "card": fact.card,
    }


def _signer(event: Envelope) -> dict[str, Any]:
    fact: Any = event.fact
    return {
        "position": event.position,
        "signer": fact.signer,
        "against_recipient": fact.signer_match,
        "proof_of_delivery": fact.proof_of_delivery,
        "confirmed": fact.confirmed,
        "same_address": None if fact.same_address is None else fact.same_address.model_dump(),
    }


def _fields(event: Envelope) -> dict[str, Any]:
    fact: Any = event.fact
    return {
        "position": event.position,
        "question": fact.question,
        "answer": getattr(fact, "answer", None),
        "by": getattr(fact, "by", None),
    }


def _inquiry(event: Envelope) -> dict[str, Any]:
    fact: Any = event.fact
    return {"position": event.position, "result": fact.result, "reference": fact.reference}


def _file(event: Envelope) -> dict[str, Any]:
    fact: Any = event.fact
    return {
        "position": event.position,
        "file": fact.file,
        "media_type": fact.media_type,
        "size_bytes": fact.size_bytes,
        "by": fact.by,
        "card": fact.content.card,
    }


def _said(event: Envelope) -> dict[str, Any]:
    said = sealed_in(event)
    assert said is not None  # the caller asked
    about, sealed = said
    return {
        "position": event.position,
        "at": event.happened_at.isoformat(),
        "by": event.context.actor,
        "about": about,
        "card": sealed.card,
    }


def _entry(event: Envelope) -> dict[str, Any]:
    fact: Any = event.fact
    return {
        "position": event.position,
        "at": event.happened_at.isoformat(),
        "learner": event.key,
        "fact": fact.fact_name,
        "postings": dict(postings(fact)),
    }
