"""假设有效期 Accounts as they would be if points lived for another time (M6; L4, rules.md 15)."""

from collections import Counter
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any, cast

from application.envelope import Envelope
from application.streams import ACCOUNT
from domain.clawing_back import claw_back, pay_debt
from domain.house_rules import HouseRules
from domain.lots import last_day, refund_shares
from domain.point_facts import (
    AccountFact,
    DebtPaid,
    GrantClawedBack,
    HoldCaptured,
    HoldVoided,
    LotExpired,
    LotShare,
    PointsDeducted,
    PointsGranted,
    PointsHeld,
    PointsRedeemed,
    PointsRestored,
)
from domain.points import Account, InsufficientPoints
from projections.what_if_period import ALWAYS, Period


class Expiries:
    """Follows every account with another life of its points."""

    def __init__(self, *, days: int | None, rules: HouseRules, period: Period = ALWAYS) -> None:
        self._days = days
        self._period = period
        self._rules = replace(rules, debt_limit=None)  # what was clawed back was allowed
        self._was: dict[str, Account] = {}
        self._would: dict[str, Account] = {}
        self._spent: dict[str, tuple[LotShare, ...]] = {}
        """By order: the shares it would have been paid with."""
        self._unaffordable: dict[str, int] = {}
        """Orders that could not have been paid, and the points they would have lacked."""
        self._short = 0
        """Deductions by hand for which there would have been too few points."""
        self._expired_was = self._expired_would = 0
        self._last: datetime | None = None

    def apply(self, envelope: Envelope) -> None:
        """Follow one event; what happened after the period is none of it."""
        if self._period.after(envelope.happened_at):
            return
        self._last = max(self._last or envelope.happened_at, envelope.happened_at)
        if envelope.category != ACCOUNT.name:
            return
        learner, fact = envelope.key, cast("AccountFact", envelope.fact)
        before = self._was.get(learner, ACCOUNT.initial)
        self._was[learner] = ACCOUNT.evolve(before, fact)
        if isinstance(fact, LotExpired):
            self._expired_was += fact.points
        else:
            when = envelope.happened_at
            self._expire(learner, when)
            for decided in self._decided(self._would.get(learner, ACCOUNT.initial), fact, when):
                account = self._would.get(learner, ACCOUNT.initial)
                self._would[learner] = ACCOUNT.evolve(account, decided)

    def _expire(self, learner: str, when: datetime) -> None:
        account = self._would.get(learner, ACCOUNT.initial)
        for gone in account.expire(when=when):
            self._expired_would += cast("LotExpired", gone).points
            self._would[learner] = ACCOUNT.evolve(self._would[learner], gone)

    def _decided(self, account: Account, fact: AccountFact, when: datetime) -> list[AccountFact]:
        """What the account's own decisions would have made of it."""
        match fact:
            case PointsGranted():
                as_it_was = self._period.before(when)
                changed = {
                    "expires_at": fact.expires_at if as_it_was else self._expires_at(when),
                    "nth": account.grants,
                    "debt_paid": min(fact.points, account.owed_at(when)),
                }
                return [fact.model_copy(update=changed)]
            case PointsRedeemed() | PointsHeld():
                return self._pay(account, fact, when)
            case HoldCaptured() | HoldVoided() if fact.order in self._unaffordable:
                return []
            case HoldCaptured():
                return account.capture(fact.order)
            case HoldVoided():
                return account.void(fact.order, when=when, rules=self._rules)
            case PointsRestored():
                back, stay = refund_shares(self._spent.get(fact.order, ()), fact.points)
                self._spent[fact.order] = stay
                return account.restore(
                    back, order=fact.order, freed=fact.freed, when=when, rules=self._rules
                )
            case GrantClawedBack():
                granted = fact.points + fact.expired
                rules = self._rules
                return [*claw_back(account, granted, lot=fact.lot, when=when, rules=rules)]
            case DebtPaid():
                return [*pay_debt(account, when=when)]
            case PointsDeducted():
                try:
                    return account.deduct(fact.points, source=fact.source, when=when)
                except InsufficientPoints:
                    self._short += 1
                    return []
            case _:
                return [fact]

    def _pay(
        self, account: Account, fact: PointsRedeemed | PointsHeld, when: datetime
    ) -> list[AccountFact]:
        pay = account.hold if isinstance(fact, PointsHeld) else account.redeem
        try:
            paying = pay(fact.points, order=fact.order, counted=fact.counted, when=when)
        except InsufficientPoints:
            self._unaffordable[fact.order] = fact.points - account.available(when)
            return []
        self._spent[fact.order] = paying[0].lots if paying else ()
        return list(paying)

    def _expires_at(self, granted: datetime) -> datetime | None:
        """The end of the day, in the business's zone (rules.md 15)."""
        if self._days is None:
            return None
        day = granted.astimezone(self._rules.zone).date() + timedelta(days=self._days + 1)
        return datetime.combine(day, time(), self._rules.zone)

    def answer(self) -> dict[str, Any]:
        """What would have expired, what is owed to learners now, and who could not have paid."""
        end = self._last
        if end is not None:
            for learner in list(self._would):
                self._expire(learner, end)
        return {
            "days": self._days,
            "expired": {"was": self._expired_was, "would_be": self._expired_would},
            "liability": {"was": self._open(self._was), "would_be": self._open(self._would)},
            "liability_by_month": {
                "was": self._by_month(self._was),
                "would_be": self._by_month(self._would),
            },
            "unaffordable": {
                "orders": len(self._unaffordable),
                "points_short": sum(self._unaffordable.values()),
                "examples": sorted(self._unaffordable)[:20],
            },
            "deductions_short": self._short,
        }

    def _open(self, accounts: dict[str, Account]) -> int:
        end = self._last
        return sum(one.available(end) for one in accounts.values()) if end else 0

    def _by_month(self, accounts: dict[str, Account]) -> dict[str, int]:
        """Points that can still be spent, by the month of their last day; `never` for the rest."""
        months: Counter[str] = Counter()
        for account in accounts.values():
            for lot in account.lots:
                if self._last is not None and lot.lives(self._last):
                    day = lot.expires_at and last_day(lot.expires_at, zone=self._rules.zone)
                    months[f"{day:%Y-%m}" if day else "never"] += lot.points
        return dict(sorted(months.items()))
