"""批次 Lots: points that came together expire together and are spent in one order (L4)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from domain.point_facts import LotShare

INSTANT = timedelta(microseconds=1)
"""The shortest time there is between two moments."""


@dataclass(frozen=True, slots=True)
class Lot:
    """Points that came together and expire together."""

    id: str
    points: int
    nth: int
    expires_at: datetime | None

    def lives(self, when: datetime) -> bool:
        """Whether it can be spent at `when`: from the instant it expires it cannot."""
        return self.expires_at is None or self.expires_at > when


def last_day(expires_at: datetime, *, zone: ZoneInfo) -> date:
    """The last day on which a lot can be spent: one that ends at midnight ends the day before.

    Lots end with a day, and are gone from the instant they end at (rules.md 15). Where clocks go
    forward at midnight a day begins at one o'clock: the instant before that is the day before.
    """
    return (expires_at.astimezone(UTC) - INSTANT).astimezone(zone).date()


def lot_id(reason: str, source: str) -> str:
    """A lot is named after its grant, so that a claw-back finds it (rules.md 14)."""
    return f"{reason}:{source}"


def take(lots: Sequence[Lot], points: int, *, when: datetime) -> tuple[LotShare, ...]:
    """Up to `points` from those of `lots` that live at `when`, front to back."""
    shares: list[LotShare] = []
    for lot in lots:
        if points <= 0:
            break
        if not lot.lives(when):
            continue
        part = min(lot.points, points)
        points -= part
        shares.append(LotShare(lot=lot.id, points=part, nth=lot.nth, expires_at=lot.expires_at))
    return tuple(shares)


def spending_order(lot: Lot | LotShare) -> tuple[bool, float, int]:
    """Sort key: soonest expiry first, then oldest (rules.md 15)."""
    expires = lot.expires_at
    return (expires is None, 0.0 if expires is None else expires.timestamp(), lot.nth)


def put_in(lots: tuple[Lot, ...], added: Sequence[LotShare]) -> tuple[Lot, ...]:
    """Lots with shares put in; a share joins its lot only where both expire together."""
    merged = {(lot.id, lot.expires_at): lot for lot in lots}
    for share in added:
        key = (share.lot, share.expires_at)
        known = merged.get(key, Lot(share.lot, 0, share.nth, share.expires_at))
        merged[key] = Lot(share.lot, known.points + share.points, known.nth, share.expires_at)
    return tuple(sorted(merged.values(), key=spending_order))


def take_out(lots: tuple[Lot, ...], taken: Sequence[LotShare]) -> tuple[Lot, ...]:
    """Lots with shares taken out; empty ones are gone. `evolve` is total: never below zero."""
    if len(taken) == 1:  # the usual case, kept free of dictionaries
        share = taken[0]
        first = lots[0] if lots else None
        if first and first.id == share.lot and first.expires_at == share.expires_at:
            left = first.points - share.points
            if left <= 0:
                return lots[1:]
            return (Lot(first.id, left, first.nth, first.expires_at), *lots[1:])
    gone: dict[tuple[str, datetime | None], int] = {}
    for share in taken:
        key = (share.lot, share.expires_at)
        gone[key] = gone.get(key, 0) + share.points
    left_over: list[Lot] = []
    for lot in lots:
        points = lot.points - gone.get((lot.id, lot.expires_at), 0)
        if points > 0:
            left_over.append(Lot(lot.id, points, lot.nth, lot.expires_at))
    return tuple(left_over)


def refund_shares(
    spent: Sequence[LotShare], points: int
) -> tuple[tuple[LotShare, ...], tuple[LotShare, ...]]:
    """Split an order's spent shares into (what comes back for `points`, what stays spent).

    The lot spent last comes back first, so the latest expiry survives (rules.md 16).
    """
    back: list[LotShare] = []
    stay: list[LotShare] = []
    for share in reversed(spent):
        part = min(points, share.points)
        points -= part
        if part:
            back.append(share.model_copy(update={"points": part}))
        if share.points > part:
            stay.append(share.model_copy(update={"points": share.points - part}))
    return tuple(back), tuple(reversed(stay))


def returned(
    shares: Sequence[LotShare], *, owed: int, when: datetime, grace: timedelta
) -> tuple[LotShare, ...]:
    """Shares as they come back: expired ones get the grace, then debt is paid (rules.md 16).

    Debt is paid like everything else, with what expires soonest, so the latest expiry survives.
    """
    back: list[LotShare] = []
    for share in shares:
        expires_at = share.expires_at
        if expires_at is not None and expires_at <= when:
            expires_at = when + grace
        back.append(share.model_copy(update={"expires_at": expires_at}))
    left: list[LotShare] = []
    for share in sorted(back, key=spending_order):
        paid = min(owed, share.points)
        owed -= paid
        if share.points > paid:
            left.append(share.model_copy(update={"points": share.points - paid}))
    return tuple(left)
