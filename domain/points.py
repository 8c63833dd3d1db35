"""积分 Points: lots, spending, holds, refunds (L1–L5; rules.md 14–16, 18)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never

from domain.house_rules import HouseRules
from domain.lots import Lot, lot_id, put_in, returned, take, take_out
from domain.past_balances import LeftSince
from domain.point_facts import (
    AccountFact,
    AccountFrozen,
    AccountUnfrozen,
    Counted,
    DebtPaid,
    GrantClawedBack,
    HoldCaptured,
    HoldVoided,
    LearnerErased,
    LearnerRegistered,
    LotExpired,
    LotShare,
    PointsDeducted,
    PointsGranted,
    PointsHeld,
    PointsRedeemed,
    PointsRestored,
    Reason,
)
from domain.refusals import NotPossible, Refusal


class InsufficientPoints(Refusal):
    """The available points do not cover the price (L2)."""

    code = "insufficient_points"
    en = "{needed} points are needed, {available} are available."
    zh = "需要 {needed} 积分，可用 {available} 积分。"


class InsufficientThen(Refusal):
    """What it is dated back to knows too few points that are there still (A5; rules.md 19)."""

    code = "insufficient_points_then"
    en = "{needed} points are needed; of what was there at that time, {available} are left."
    zh = "需要 {needed} 积分；当时已有且至今仍可用的为 {available} 积分。"


class LearnerUnknown(Refusal):
    """Nobody granted anything to this learner and nobody registered them (O1)."""

    code = "learner_unknown"
    en = "The learner is not known here."
    zh = "学员不存在。"


class AccountNotActive(Refusal):
    """The account is frozen or erased (O1, L5)."""

    code = "account_not_active"
    en = "The account is {status}."
    zh = "账户已{status}，不能使用。"


@dataclass(frozen=True, slots=True)
class Hold:
    """Points set aside for one unpaid order."""

    order: str
    lots: tuple[LotShare, ...]
    counted: tuple[Counted, ...]


@dataclass(frozen=True, slots=True)
class Account:
    """What deciding about one learner's points needs: a few live lots, not the history."""

    status: str = "unknown"
    lots: tuple[Lot, ...] = ()
    """In spending order: soonest expiry first, then oldest (rules.md 15); none is empty."""
    debt: int = 0
    holds: tuple[Hold, ...] = ()
    counted: tuple[tuple[str, int], ...] = ()
    """Units taken of items that have a limit per learner."""
    grants: int = 0
    """How many lots there have been: the next one's number."""
    expired: tuple[tuple[str, int], ...] = ()
    """What expired unspent, by lot: it cannot be owed when its grant is clawed back."""
    debts: tuple[tuple[datetime, int], ...] = ()
    """What is owed still of each debt, by when it arose; of older ones nobody noted that.

    Whatever pays goes to the oldest, so that nothing is ever paid as of before it was owed (A5).
    """

    def available(self, when: datetime) -> int:
        """Points that can be spent at `when`: lots expire on time, recorded or not."""
        points = 0
        for lot in self.lots:
            if lot.expires_at is None or lot.expires_at > when:
                points += lot.points
        return points

    def owed_at(self, when: datetime) -> int:
        """What was owed at `when` already and is owed still: so much can be paid as of then."""
        return self.debt - sum(points for since, points in self.debts if since > when)

    def taken(self, sku: str) -> int:
        """Units of a limited item this learner holds already (rules.md 12)."""
        for name, units in self.counted:
            if name == sku:
                return units
        return 0

    def since(self, left: LeftSince) -> "Account":
        """This account with no more in its lots than was there from a past moment on (rule 19)."""
        lots = [
            replace(lot, points=min(lot.points, left.lots.get((lot.id, lot.expires_at), 0)))
            for lot in self.lots
        ]
        return replace(self, lots=tuple(lot for lot in lots if lot.points))

    def spending_failures(self, points: int, *, when: datetime) -> list[Refusal]:
        """Every reason why `points` cannot be spent at `when`; empty if they can."""
        failures: list[Refusal] = []
        if self.status == "unknown":
            failures.append(LearnerUnknown())
        elif self.status != "active":
            failures.append(AccountNotActive(status=self.status))
        available = self.available(when)
        if available < points:
            failures.append(InsufficientPoints(needed=points, available=available))
        return failures

    def failures_then(self, points: int, *, when: datetime, there: "Account") -> list[Refusal]:
        """Why points that are here now cannot be spent at a past moment: they came after it."""
        then = there.available(when)
        if then < points <= self.available(when):
            return [InsufficientThen(needed=points, available=then)]
        return []

    def grant(
        self,
        points: int,
        *,
        reason: Reason,
        source: str,
        expires_at: datetime | None,
        when: datetime,
    ) -> list[AccountFact]:
        """Give points; debt of then is paid first. That it is new is known by its command."""
        if self.status == "erased":
            raise AccountNotActive(status=self.status)
        return [
            PointsGranted(
                points=points,
                reason=reason,
                source=source,
                lot=lot_id(reason, source),
                nth=self.grants,
                debt_paid=min(points, self.owed_at(when)),
                expires_at=expires_at,
            )
        ]

    def redeem(
        self, points: int, *, order: str, counted: tuple[Counted, ...] = (), when: datetime
    ) -> list[PointsRedeemed]:
        """Spend points on an order (L2); units of free items with a limit count, too."""
        if not points and not counted:
            return []
        lots = self._shares(points, when=when)
        return [PointsRedeemed(order=order, points=points, lots=lots, counted=counted)]

    def hold(
        self, points: int, *, order: str, counted: tuple[Counted, ...] = (), when: datetime
    ) -> list[PointsHeld]:
        """Set points aside until the order's cash part is paid (L3)."""
        lots = self._shares(points, when=when)
        return [PointsHeld(order=order, points=points, lots=lots, counted=counted)]

    def capture(self, order: str) -> list[AccountFact]:
        """Spend what is held for a paid order (L3)."""
        hold = self._hold(order, "capture")
        return [HoldCaptured(order=order, points=sum(share.points for share in hold.lots))]

    def void(self, order: str, *, when: datetime, rules: HouseRules) -> list[AccountFact]:
        """Give back what is held for an order that was not paid (L3)."""
        hold = self._hold(order, "void")
        points, owed = sum(share.points for share in hold.lots), self.owed_at(when)
        return [
            HoldVoided(
                order=order,
                points=points,
                lots=returned(hold.lots, owed=owed, when=when, grace=rules.refund_grace),
                debt_paid=min(points, owed),
                freed=hold.counted,
            )
        ]

    def restore(
        self,
        shares: Sequence[LotShare],
        *,
        order: str,
        freed: tuple[Counted, ...] = (),
        when: datetime,
        rules: HouseRules,
    ) -> list[AccountFact]:
        """Give an order's points back to their lots; expired ones get the grace (rules.md 16)."""
        points, owed = sum(share.points for share in shares), self.owed_at(when)
        if not points and not freed:
            return []
        return [
            PointsRestored(
                order=order,
                points=points,
                lots=returned(shares, owed=owed, when=when, grace=rules.refund_grace),
                debt_paid=min(points, owed),
                freed=freed,
            )
        ]

    def deduct(self, points: int, *, source: str, when: datetime) -> list[AccountFact]:
        """Take points away by hand (L5), or for a way back (D3); never below zero."""
        return [PointsDeducted(points=points, lots=self._shares(points, when=when), source=source)]

    def expire(self, *, when: datetime) -> list[AccountFact]:
        """Write off every lot whose time is over (L4); an empty list when there is none."""
        return [
            LotExpired(lot=lot.id, points=lot.points, expired_at=lot.expires_at)
            for lot in self.lots
            if lot.expires_at is not None and lot.expires_at <= when
        ]

    def freeze(self, reason: str) -> list[AccountFact]:
        """Stop spending; freezing twice is one freeze."""
        if self.status == "erased":
            raise AccountNotActive(status=self.status)
        return [] if self.status == "frozen" else [AccountFrozen(reason=reason)]

    def unfreeze(self, reason: str) -> list[AccountFact]:
        """Allow spending again."""
        if self.status == "erased":
            raise AccountNotActive(status=self.status)
        return [AccountUnfrozen(reason=reason)] if self.status == "frozen" else []

    def erase(self, reason: str) -> list[AccountFact]:
        """Forget the person (A4); what they own in points stays as figures."""
        return [] if self.status == "erased" else [LearnerErased(reason=reason)]

    def _shares(self, points: int, *, when: datetime) -> tuple[LotShare, ...]:
        shares = take(self.lots, points, when=when)
        taken = sum([share.points for share in shares])
        if taken < points:  # so it is all there is
            raise InsufficientPoints(needed=points, available=taken)
        return shares

    def _hold(self, order: str, action: str) -> Hold:
        for hold in self.holds:
            if hold.order == order:
                return hold
        raise NotPossible(action=action, why=f"nothing is held for {order}")


def _count(
    counted: tuple[tuple[str, int], ...], units: Sequence[Counted], sign: int
) -> tuple[tuple[str, int], ...]:
    if not units:
        return counted
    totals = dict(counted)
    for one in units:
        totals[one.sku] = totals.get(one.sku, 0) + sign * one.quantity
    return tuple((sku, quantity) for sku, quantity in totals.items() if quantity > 0)


def evolve(account: Account, fact: AccountFact) -> Account:
    """The account after one more fact. Never refuses: what happened, happened."""
    match fact:
        case PointsRedeemed():
            return Account(
                account.status,
                take_out(account.lots, fact.lots),
                account.debt,
                account.holds,
                _count(account.counted, fact.counted, 1),
                account.grants,
                account.expired,
                account.debts,
            )
        case PointsGranted():
            new = LotShare.model_construct(
                lot=fact.lot,
                points=fact.points - fact.debt_paid,
                nth=fact.nth,
                expires_at=fact.expires_at,
            )
            return replace(
                account,
                status="active" if account.status == "unknown" else account.status,
                lots=put_in(account.lots, [new]) if new.points else account.lots,
                debt=account.debt - fact.debt_paid,
                debts=_unpaid(account, fact.debt_paid),
                grants=fact.nth + 1,
            )
        case PointsHeld():
            hold = Hold(fact.order, fact.lots, fact.counted)
            return replace(
                account,
                lots=take_out(account.lots, fact.lots),
                holds=(*account.holds, hold),
                counted=_count(account.counted, fact.counted, 1),
            )
        case HoldCaptured():
            return replace(account, holds=_other_holds(account, fact.order))
        case HoldVoided() | PointsRestored():
            return replace(
                account,
                lots=put_in(account.lots, fact.lots),
                debt=account.debt - fact.debt_paid,
                debts=_unpaid(account, fact.debt_paid),
                holds=_other_holds(account, fact.order)
                if isinstance(fact, HoldVoided)
                else account.holds,
                counted=_count(account.counted, fact.freed, -1),
            )
        case LotExpired():
            gone = [
                lot
                for lot in account.lots
                if not (lot.id == fact.lot and lot.expires_at == fact.expired_at)
            ]
            expired = dict(account.expired)
            expired[fact.lot] = expired.get(fact.lot, 0) + fact.points
            return replace(account, lots=tuple(gone), expired=tuple(expired.items()))
        case GrantClawedBack():
            return replace(
                account,
                lots=take_out(account.lots, fact.lots),
                debt=account.debt + fact.debt,
                debts=_owing(account, fact),
            )
        case DebtPaid():
            return replace(
                account,
                lots=take_out(account.lots, fact.lots),
                debt=account.debt - fact.points,
                debts=_unpaid(account, fact.points),
            )
        case PointsDeducted():
            return replace(account, lots=take_out(account.lots, fact.lots))
        case AccountFrozen():
            return replace(account, status="frozen")
        case AccountUnfrozen():
            return replace(account, status="active")
        case LearnerRegistered():
            return replace(
                account, status="active" if account.status == "unknown" else account.status
            )
        case LearnerErased():
            return replace(account, status="erased")
        case _:
            assert_never(fact)


def _owing(account: Account, fact: GrantClawedBack) -> tuple[tuple[datetime, int], ...]:
    if fact.owed_from is None or not fact.debt:
        return account.debts
    return tuple(sorted((*account.debts, (fact.owed_from, fact.debt))))


def _unpaid(account: Account, paid: int) -> tuple[tuple[datetime, int], ...]:
    """What is owed still of each debt once so much is paid: the oldest first."""
    left = account.debt - paid
    unpaid: list[tuple[datetime, int]] = []
    for since, points in reversed(account.debts):
        rest = min(points, left)
        left -= rest
        if rest > 0:
            unpaid.append((since, rest))
    return tuple(reversed(unpaid))


def _other_holds(account: Account, order: str) -> tuple[Hold, ...]:
    return tuple(hold for hold in account.holds if hold.order != order)
