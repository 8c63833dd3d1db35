"""客服待办 What comes next for an order, in words: planned, tried again, or stuck (D1, M5, A4)."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from api.fact_words import BETWEEN, Language, in_both, warehouse_name
from application.case_words import without_names
from application.envelope import Envelope
from application.recipients import Recipient
from projections.ahead import Ahead


def ahead_in_words(
    ahead: Sequence[Ahead],
    events: Sequence[Envelope],
    *,
    zone: ZoneInfo,
    recipient: Recipient | None,
    warehouses: Mapping[str, str],
) -> list[dict[str, Any]]:
    """Each with its words and the entry of `events` that it comes of; `recipient` stays unnamed.

    `warehouses` are what those call themselves that the house has no words for, by code.
    """
    places = {f"{one.stream}@{one.version}": one.position for one in events}
    return [
        {
            "id": f"n{number}",
            "work": one.work,
            "standing": one.standing,
            "at": one.at,
            "tries": one.tries,
            "words": in_both(partial(_title, one), zone),
            "details": in_both(partial(_details, one, recipient, warehouses), zone),
            "because_of": _because_of(one, places),
        }
        for number, one in enumerate(ahead, 1)
    ]


def _title(one: Ahead, language: Language) -> str:
    return language.say(f"work.{one.work}")


def _details(
    one: Ahead, recipient: Recipient | None, warehouses: Mapping[str, str], language: Language
) -> str:
    """What it is about, how often it failed and why."""
    said = [warehouse_name(language, one.about, warehouses) if one.host is None else one.host]
    if one.tries:
        said.append(language.say("ahead.failed", n=one.tries))
    if one.why:
        said.append(without_names(language.of(["ahead_why", "query_outcome"], one.why), recipient))
    return BETWEEN.join(said)


def _because_of(one: Ahead, places: Mapping[str, int]) -> str | None:
    position = places.get(one.cause) if isinstance(one.cause, str) else one.cause
    return f"e{position}" if position in places.values() else None
