"""当时余额 What could be spent at a moment that is over, as it is known today (A5; rules.md 19).

Whoever dates a debit back takes it from what was there from then on: points that came later, or
that something else took since, are none of it. So no balance of the past ever reads below zero.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from domain.point_facts import (
    AccountFact,
    DebtPaid,
    GrantClawedBack,
    HoldVoided,
    LotExpired,
    LotShare,
    PointsDeducted,
    PointsGranted,
    PointsHeld,
    PointsRedeemed,
    PointsRestored,
)

Lots = list[tuple[str, datetime | None, int]]


def lot_changes(fact: AccountFact) -> Lots:
    """How a fact changes lots: (lot, expires at, points more or less)."""

    def shares(lots: Iterable[LotShare], sign: int) -> Lots:
        return [(share.lot, share.expires_at, sign * share.points) for share in lots]

    match fact:
        case PointsRedeemed() | PointsHeld() | GrantClawedBack() | DebtPaid() | PointsDeducted():
            return shares(fact.lots, -1)
        case HoldVoided() | PointsRestored():
            return shares(fact.lots, 1)
        case PointsGranted():
            return [(fact.lot, fact.expires_at, fact.points - fact.debt_paid)]
        case LotExpired():
            return [(fact.lot, fact.expired_at, -fact.points)]
        case _:
            return []


class LeftSince(NamedTuple):
    """What of an account's lots was there from a moment on, by lot and expiry."""

    lots: Mapping[tuple[str, datetime | None], int]
    version: int
    """Of the account that this was read from: told of a later one, it would be another answer."""


def left_since(history: Iterable[tuple[datetime, AccountFact]], moment: datetime) -> LeftSince:
    """The least that each lot had at any time from `moment` on.

    `history` is the account's whole stream in the order of recording, each fact with the time it
    happened at.
    """
    facts = sorted(history, key=lambda one: one[0])  # of one instant: as they were recorded
    running: Counter[tuple[str, datetime | None]] = Counter()
    _add(running, [fact for at, fact in facts if at <= moment])
    left = dict(running)
    for at, fact in facts:
        if at > moment:
            _add(running, [fact])
            left = {key: min(points, running[key]) for key, points in left.items()}
    return LeftSince({key: points for key, points in left.items() if points > 0}, len(facts))


def _add(lots: Counter[tuple[str, datetime | None]], facts: Iterable[AccountFact]) -> None:
    for fact in facts:
        for lot, expires_at, points in lot_changes(fact):
            lots[lot, expires_at] += points
