"""积分 Points: lots, spending, holds, refunds, claw-backs, debt (L1–L5; rules.md 14–18)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import assert_never

from pydantic import AwareDatetime, Field, NonNegativeInt, PositiveInt

from domain.facts import Fact, Value
from domain.house_rules import HouseRules
from domain.refusals import NotPossible, Refusal


class Reason(StrEnum):
    """Why points are granted (L1)."""

    COURSE_COMPLETED = "course_completed"
    TASK = "task"
    CAMPAIGN = "campaign"
    MANUAL = "manual"
    COMPENSATION = "compensation"


class LotShare(Value):
    """Some points of one lot, with what is needed to give them back to it."""

    lot: str = Field(description="the lot's id: its grant's reason and source")
    points: PositiveInt
    nth: NonNegativeInt = Field(description="the lot was the account's nth: age breaks ties")
    expires_at: AwareDatetime | None = None


class Counted(Value):
    """Units of an item that count against its limit per learner (rules.md 12)."""

    sku: str
    quantity: PositiveInt


class PointsGranted(Fact, name="ledger.PointsGranted"):
    """Points were given to a learner and became a lot, after paying debt first (L1, L4, L5)."""

    points: PositiveInt = Field(description="all points of the grant")
    reason: Reason
    source: str = Field(description="what they were earned with, unique per learner and reason")
    lot: str
    nth: NonNegativeInt
    debt_paid: NonNegativeInt = Field(default=0, description="part of the points that paid debt")
    expires_at: AwareDatetime | None = Field(
        default=None, description="from this instant the lot cannot be spent; None = never"
    )


class PointsRedeemed(Fact, name="ledger.PointsRedeemed"):
    """Points left the account for an order (L2), those that expire first before the others."""

    order: str
    points: PositiveInt
    lots: tuple[LotShare, ...] = Field(description="in the order in which they were spent")
    counted: tuple[Counted, ...] = ()


class PointsHeld(Fact, name="ledger.PointsHeld"):
    """Points are set aside for an order whose cash part is not paid yet (L3)."""

    order: str
    points: NonNegativeInt
    lots: tuple[LotShare, ...]
    counted: tuple[Counted, ...] = ()


class HoldCaptured(Fact, name="ledger.HoldCaptured"):
    """The order was paid: held points are spent (L3)."""

    order: str
    points: NonNegativeInt


class HoldVoided(Fact, name="ledger.HoldVoided"):
    """The order was not paid: held points are back in their lots (L3)."""

    order: str
    points: NonNegativeInt
    lots: tuple[LotShare, ...] = Field(description="as they came back, with grace where needed")
    debt_paid: NonNegativeInt = 0
    freed: tuple[Counted, ...] = ()


class PointsRestored(Fact, name="ledger.PointsRestored"):
    """A refund gave points back to the lots they came from (L4; rules.md 16)."""

    order: str
    points: NonNegativeInt
    lots: tuple[LotShare, ...] = Field(description="as they came back, with grace where needed")
    debt_paid: NonNegativeInt = 0
    freed: tuple[Counted, ...] = ()


class LotExpired(Fact, name="ledger.LotExpired"):
    """What was left of a lot when it expired has left the account (L4)."""

    lot: str
    points: PositiveInt
    expired_at: AwareDatetime


class GrantClawedBack(Fact, name="ledger.GrantClawedBack"):
    """A mistaken grant was taken back: first its own lot, then others, then debt (rules.md 17)."""

    lot: str
    points: PositiveInt = Field(description="what was granted, all of which is taken back")
    lots: tuple[LotShare, ...] = Field(description="what was still there")
    debt: NonNegativeInt = Field(description="what is missing and owed from now on")
    debt_limit: int | None = Field(default=None, description="the policy that allowed it (L5)")


class PointsDeducted(Fact, name="ledger.PointsDeducted"):
    """A manual adjustment took points away; actor and reason are in the envelope (L5)."""

    points: PositiveInt
    lots: tuple[LotShare, ...]
    source: str


class AccountFrozen(Fact, name="ledger.AccountFrozen"):
    """The account can no longer spend (L5)."""

    reason: str


class AccountUnfrozen(Fact, name="ledger.AccountUnfrozen"):
    """The account can spend again (L5)."""

    reason: str


class LearnerRegistered(Fact, name="ledger.LearnerRegistered"):
    """The platform told us of a learner before the first grant."""

    card: str | None = Field(default=None, description="vault card with name and phone, if given")


class LearnerErased(Fact, name="ledger.LearnerErased"):
    """The learner's key and cards were destroyed; the history stays (A4)."""

    reason: str


AccountFact = (
    PointsGranted
    | PointsRedeemed
    | PointsHeld
    | HoldCaptured
    | HoldVoided
    | PointsRestored
    | LotExpired
    | GrantClawedBack
    | PointsDeducted
    | AccountFrozen
    | AccountUnfrozen
    | LearnerRegistered
    | LearnerErased
)


class InsufficientPoints(Refusal):
    """The available points do not cover the price (L2)."""

    code = "insufficient_points"
    en = "{needed} points are needed, {available} are available."
    zh = "需要 {needed} 积分,可用 {available} 积分。"


class LearnerUnknown(Refusal):
    """Nobody granted anything to this learner and nobody registered them (O1)."""

    code = "learner_unknown"
    en = "The learner is not known here."
    zh = "学员不存在。"


class AccountNotActive(Refusal):
    """The account is frozen or erased (O1, L5)."""

    code = "account_not_active"
    en = "The account is {status}."
    zh = "账户状态为 {status},不能使用。"


class DebtRefused(Refusal):
    """The claw-back would leave more debt than the policy allows (L5)."""

    code = "debt_refused"
    en = "The claw-back would leave {debt} points owing; {limit} are allowed."
    zh = "追回将产生 {debt} 积分欠款,最多允许 {limit}。"


@dataclass(frozen=True, slots=True)
class Lot:
    """Points that came together and expire together."""

    id: str
    points: int
    nth: int
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Hold:
    """Points set aside for one unpaid order."""

    order: str
    lots: tuple[LotShare, ...]
    counted: tuple[Counted, ...]


def lot_id(reason: str, source: str) -> str:
    """A lot is named after its grant, so that a claw-back finds it (rules.md 14)."""
    return f"{reason}:{source}"


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

    def available(self, when: datetime) -> int:
        """Points that can be spent at `when`: lots expire on time, recorded or not."""
        return sum(
            lot.points for lot in self.lots if lot.expires_at is None or lot.expires_at > when
        )

    def taken(self, sku: str) -> int:
        """Units of a limited item this learner holds already (rules.md 12)."""
        return next((units for name, units in self.counted if name == sku), 0)

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

    def grant(
        self, points: int, *, reason: Reason, source: str, expires_at: datetime | None
    ) -> list[AccountFact]:
        """Give points; debt is paid first. Whether the grant is new is known by its command."""
        if self.status == "erased":
            raise AccountNotActive(status=self.status)
        return [
            PointsGranted(
                points=points,
                reason=reason,
                source=source,
                lot=lot_id(reason, source),
                nth=self.grants,
                debt_paid=min(points, self.debt),
                expires_at=expires_at,
            )
        ]

    def redeem(
        self, points: int, *, order: str, counted: tuple[Counted, ...] = (), when: datetime
    ) -> list[AccountFact]:
        """Spend points on an order (L2); callers have checked `spending_failures`."""
        if not points:
            return []
        lots = self._shares(points, when=when)
        return [PointsRedeemed(order=order, points=points, lots=lots, counted=counted)]

    def hold(
        self, points: int, *, order: str, counted: tuple[Counted, ...] = (), when: datetime
    ) -> list[AccountFact]:
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
        points = sum(share.points for share in hold.lots)
        return [
            HoldVoided(
                order=order,
                points=points,
                lots=self._returning(hold.lots, when=when, rules=rules),
                debt_paid=min(points, self.debt),
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
        points = sum(share.points for share in shares)
        if not points and not freed:
            return []
        return [
            PointsRestored(
                order=order,
                points=points,
                lots=self._returning(shares, when=when, rules=rules),
                debt_paid=min(points, self.debt),
                freed=freed,
            )
        ]

    def claw_back(
        self, points: int, *, lot: str, when: datetime, rules: HouseRules
    ) -> list[AccountFact]:
        """Take a mistaken grant back, also when it is spent (L5; rules.md 17)."""
        own = [one for one in self.lots if one.id == lot]
        others = [one for one in self.lots if one.id != lot and not _expired(one, when)]
        shares = _take(own + others, points)
        debt = points - sum(share.points for share in shares)
        if rules.debt_limit is not None and self.debt + debt > rules.debt_limit:
            raise DebtRefused(debt=self.debt + debt, limit=rules.debt_limit)
        return [
            GrantClawedBack(
                lot=lot, points=points, lots=shares, debt=debt, debt_limit=rules.debt_limit
            )
        ]

    def deduct(self, points: int, *, source: str, when: datetime) -> list[AccountFact]:
        """Take points away by hand (L5); never below zero."""
        available = self.available(when)
        if available < points:
            raise InsufficientPoints(needed=points, available=available)
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
        spendable = [lot for lot in self.lots if lot.expires_at is None or lot.expires_at > when]
        return _take(spendable, points)

    def _hold(self, order: str, action: str) -> Hold:
        for hold in self.holds:
            if hold.order == order:
                return hold
        raise NotPossible(action=action, why=f"nothing is held for {order}")

    def _returning(
        self, shares: Sequence[LotShare], *, when: datetime, rules: HouseRules
    ) -> tuple[LotShare, ...]:
        """Shares as they come back: debt is paid from the front, expired lots get the grace."""
        owed = self.debt
        returning: list[LotShare] = []
        for share in shares:
            paid = min(owed, share.points)
            owed -= paid
            if paid == share.points:
                continue
            expires_at = share.expires_at
            if expires_at is not None and expires_at <= when:
                expires_at = when + rules.refund_grace
            returning.append(
                LotShare(
                    lot=share.lot,
                    points=share.points - paid,
                    nth=share.nth,
                    expires_at=expires_at,
                )
            )
        return tuple(returning)


def _expired(lot: Lot, when: datetime) -> bool:
    return lot.expires_at is not None and lot.expires_at <= when


def _take(lots: Sequence[Lot], points: int) -> tuple[LotShare, ...]:
    """Up to `points` from `lots`, front to back."""
    shares: list[LotShare] = []
    for lot in lots:
        if points <= 0:
            break
        part = min(lot.points, points)
        points -= part
        shares.append(LotShare(lot=lot.id, points=part, nth=lot.nth, expires_at=lot.expires_at))
    return tuple(shares)


def _spending_order(lot: Lot) -> tuple[bool, float, int]:
    expires = lot.expires_at
    return (expires is None, 0.0 if expires is None else expires.timestamp(), lot.nth)


def _with(lots: tuple[Lot, ...], added: Sequence[LotShare]) -> tuple[Lot, ...]:
    """Lots with shares put in; a share joins its lot only where both expire together."""
    merged = {(lot.id, lot.expires_at): lot for lot in lots}
    for share in added:
        key = (share.lot, share.expires_at)
        points = share.points + (merged[key].points if key in merged else 0)
        merged[key] = Lot(share.lot, points, share.nth, share.expires_at)
    return tuple(sorted(merged.values(), key=_spending_order))


def _without(lots: tuple[Lot, ...], taken: Sequence[LotShare]) -> tuple[Lot, ...]:
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
                _without(account.lots, fact.lots),
                account.debt,
                account.holds,
                _count(account.counted, fact.counted, 1),
                account.grants,
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
                lots=_with(account.lots, [new]) if new.points else account.lots,
                debt=account.debt - fact.debt_paid,
                grants=fact.nth + 1,
            )
        case PointsHeld():
            hold = Hold(fact.order, fact.lots, fact.counted)
            return replace(
                account,
                lots=_without(account.lots, fact.lots),
                holds=(*account.holds, hold),
                counted=_count(account.counted, fact.counted, 1),
            )
        case HoldCaptured():
            return replace(account, holds=_other_holds(account, fact.order))
        case HoldVoided() | PointsRestored():
            return replace(
                account,
                lots=_with(account.lots, fact.lots),
                debt=account.debt - fact.debt_paid,
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
            return replace(account, lots=tuple(gone))
        case GrantClawedBack():
            return replace(
                account,
                lots=_without(account.lots, fact.lots),
                debt=account.debt + fact.debt,
            )
        case PointsDeducted():
            return replace(account, lots=_without(account.lots, fact.lots))
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


def _other_holds(account: Account, order: str) -> tuple[Hold, ...]:
    return tuple(hold for hold in account.holds if hold.order != order)


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


def postings(fact: AccountFact) -> Mapping[str, int]:
    """The double entry of a fact: amounts by ledger account, summing to zero (L6; rules.md 18).

    Accounts: `issuance`, `learner`, `held`, `redeemed`, `expired`, `clawed_back`, and `owed`
    (what learners owe, negative while they do).
    """
    match fact:
        case PointsGranted(points=points, debt_paid=paid):
            return {"issuance": -points, "learner": points - paid, "owed": paid}
        case PointsRedeemed(points=points):
            return {"learner": -points, "redeemed": points}
        case PointsHeld(points=points):
            return {"learner": -points, "held": points}
        case HoldCaptured(points=points):
            return {"held": -points, "redeemed": points}
        case HoldVoided(points=points, debt_paid=paid):
            return {"held": -points, "learner": points - paid, "owed": paid}
        case PointsRestored(points=points, debt_paid=paid):
            return {"redeemed": -points, "learner": points - paid, "owed": paid}
        case LotExpired(points=points):
            return {"learner": -points, "expired": points}
        case GrantClawedBack(points=points, debt=debt):
            return {"learner": debt - points, "owed": -debt, "clawed_back": points}
        case PointsDeducted(points=points):
            return {"learner": -points, "issuance": points}
        case AccountFrozen() | AccountUnfrozen() | LearnerRegistered() | LearnerErased():
            return {}
        case _:
            assert_never(fact)
