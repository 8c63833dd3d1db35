"""案件时间线 Everything of a case in one row, each with what it came of (D1, A1).

A case's own facts, its parcel's scans, what was asked of the carrier, and what decisions led to in
orders, points and stock: all that the order's trail knows and that has to do with the case.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from psycopg import AsyncConnection

from application.envelope import Envelope
from application.streams import ACCOUNT, APPROVAL, CLAIM, DISPUTE, PARCEL, STOCK
from domain.dispute_facts import QuestionAnswered, QuestionsAsked, QuestionTimedOut
from domain.point_facts import PointsGranted, Reason
from domain.privacy import CardRevealed, PackRevealed
from projections.audit_queries import order_events

HOUSE_ONLY = (CLAIM.name, APPROVAL.name)
"""What learners are not told of: it is between the house, its carriers and its staff."""
MOVEMENTS = (ACCOUNT.name, STOCK.name)
"""What moves because of what was decided in the same command, whichever was written down first."""
HOUSE_FACTS = ("disputes.DecisionProposed", "disputes.DecisionDeclined", "disputes.DecisionOverdue")


class Moment(NamedTuple):
    """One event of a case, and the position of the one it came of."""

    event: Envelope
    because_of: int | None


async def case_events(
    connection: AsyncConnection[Any],
    schema: str,
    *,
    case: str,
    order: str,
    parcel: str,
    known_at: int,
) -> list[Envelope]:
    """The events of a case in log order, as known at a position."""
    found = await order_events(connection, schema, order, known_at=known_at)
    return concerning(found, case=case, parcel=parcel)


def concerning(events: Sequence[Envelope], *, case: str, parcel: str) -> list[Envelope]:
    """Those of an order's events that have to do with the case."""
    streams = {DISPUTE.stream(case), PARCEL.stream(parcel), CLAIM.stream(parcel)}
    streams |= {one.stream for one in events if getattr(one.fact, "subject", None) == case}
    commands = {_command(one) for one in events if one.stream == DISPUTE.stream(case)}
    return [
        one
        for one in events
        if one.stream in streams or _command(one) in commands or _is_for(one, case)
    ]


def _is_for(event: Envelope, case: str) -> bool:
    fact = event.fact
    if isinstance(fact, PointsGranted):
        return fact.reason is Reason.COMPENSATION and _of(fact.source) == case
    if isinstance(fact, CardRevealed | PackRevealed):
        return fact.case == case
    # Orders name the stream of the case.
    named = (getattr(fact, "case", None), getattr(fact, "by", None))
    return DISPUTE.stream(case) in [_of(name) for name in named if isinstance(name, str)]


def _of(name: str) -> str:
    """The case that a name of one of its rounds is of."""
    return name.partition("#")[0]


def _command(event: Envelope) -> tuple[str, str]:
    return (event.context.actor, event.context.command)


def timeline(events: Sequence[Envelope]) -> list[Moment]:
    """Each event with what it came of: its cause, else what was decided in its command."""
    by_place = {f"{one.stream}@{one.version}": one.position for one in events}
    leading = {_command(one): one for one in reversed(events)}
    leading |= {_command(one): one for one in reversed(events) if one.category not in MOVEMENTS}
    told: list[Moment] = []
    last_of_stream: dict[str, int] = {}
    asked: int | None = None
    for one in events:
        cause = by_place.get(one.context.causation)
        lead = leading[_command(one)]
        if cause is None and lead is not one:
            cause = lead.position
        elif cause is None and isinstance(one.fact, QuestionAnswered | QuestionTimedOut):
            cause = asked
        elif cause is None and one.category in HOUSE_ONLY:
            cause = last_of_stream.get(one.stream)
        told.append(Moment(one, cause))
        if one.category == DISPUTE.name:
            leading[_command(one)] = one
        if isinstance(one.fact, QuestionsAsked):
            asked = one.position
        last_of_stream[one.stream] = one.position
    return told


def for_learners(event: Envelope, *, learner: str) -> bool:
    """Whether a learner is told of an event of their case."""
    if event.category in HOUSE_ONLY or event.fact.fact_name in HOUSE_FACTS:
        return False
    if event.category == "account":
        return event.key == learner
    return event.category in (DISPUTE.name, PARCEL.name, "order")
