"""订阅跟踪 Whether a partner watches a parcel, and what it sent that nobody could read (T1)."""

from typing import Any

from application.merging import existing_parcel
from application.ordering import existing
from application.sealed_words import seal_payload
from application.streams import PARCEL
from application.unit import Unit
from domain import watching
from domain.blotting import blot
from domain.parcel_facts import PushUnreadable
from domain.parcels import Parcel
from domain.sealed import Sealed

WORDS_MAX = 100
"""Of a partner's words about the end of its watch."""


def note_subscription(unit: Unit, *, parcel: str, partner: str, waybill: str) -> dict[str, Any]:
    """Note that a partner watches a parcel (T1)."""
    state = existing_parcel(unit, parcel)
    after = unit.record(
        PARCEL, parcel, watching.subscribed(state, partner=partner, waybill=waybill)
    )
    return {"parcel": parcel, "watched": after.watched}


def end_watch(
    unit: Unit, *, parcel: str, partner: str, gave_up: bool, words: str, waybill: str | None
) -> dict[str, Any]:
    """Note that a partner watches a parcel no longer (T1; wire 1.6)."""
    facts = watching.ended(
        existing_parcel(unit, parcel),
        partner=partner,
        gave_up=gave_up,
        words=blot(words)[:WORDS_MAX],
        at=unit.now,
        waybill=waybill,
    )
    return {"parcel": parcel, "watched": unit.record(PARCEL, parcel, facts).watched}


def keep_unreadable(unit: Unit, *, parcel: str, raw: bytes) -> dict[str, Any]:
    """Keep a signed push that could not be understood, for a human to look at (wire 1.6)."""
    state = existing_parcel(unit, parcel)
    kept = kept_payload(unit, state, raw)
    card, digest = (kept.card, kept.digest) if kept else (None, None)
    pushed = PushUnreadable(source="kuaidi100.push", card=card, digest=digest)
    unit.record(PARCEL, parcel, [pushed])
    return {"parcel": parcel, "card": card}


def settle_unreadable(unit: Unit, *, parcel: str) -> dict[str, Any]:
    """Note that a human dealt with the pushes that could not be understood (M5)."""
    state = existing_parcel(unit, parcel)
    unit.record(PARCEL, parcel, state.settle_unreadable())
    return {"parcel": parcel, "settled": state.unread}


def kept_payload(unit: Unit, parcel: Parcel, raw: bytes) -> Sealed | None:
    """A card with what names people, sealed for whose parcel it is; none once they were erased."""
    return seal_payload(unit, existing(unit, parcel.orders[0]).learner, raw)
