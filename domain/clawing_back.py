"""追回 Taking a mistaken grant back, also when it is spent: what is missing is owed (L5; rule 17).

One that is dated back takes what was there then and is left; the rest is owed from then on, and
what came since pays it now. What is given as of a day before a debt arose pays that debt now, too,
and not as of its own day. So as of any moment nothing reads below zero but a visible debt (A5).
"""

from datetime import datetime

from domain.house_rules import HouseRules
from domain.lots import take
from domain.point_facts import DebtPaid, GrantClawedBack
from domain.points import Account, evolve
from domain.refusals import Refusal


class DebtRefused(Refusal):
    """The claw-back would leave more debt than the policy allows (L5)."""

    code = "debt_refused"
    en = "The claw-back would leave {debt} points owing; {limit} are allowed."
    zh = "追回将产生 {debt} 积分欠款，最多允许 {limit}。"


def claw_back(
    account: Account,
    points: int,
    *,
    lot: str,
    when: datetime,
    rules: HouseRules,
    there: Account | None = None,
    now: datetime | None = None,
) -> list[GrantClawedBack]:
    """Take a grant back whole, as of `when`; its own lot first, else as lots are spent.

    What expired of it unspent was never used: nobody owes that. One that is dated back names the
    account with what was `there` and is left, and when it is `now`: raises `DebtRefused` by what
    is owed then.
    """
    expired = min(points, _expired_of(account, lot, when=when))
    points -= expired
    lots = sorted((there or account).lots, key=lambda one: one.id != lot)
    shares = take(lots, points, when=when)
    missing = points - sum(share.points for share in shares)
    fact = GrantClawedBack(
        lot=lot,
        points=points,
        lots=shares,
        debt=missing,
        owed_from=when if missing else None,
        expired=expired,
        debt_limit=rules.debt_limit,
    )
    if fact.debt and rules.debt_limit is not None:
        after = evolve(account, fact)
        owing = after.debt - after.available(now or when)
        if owing > rules.debt_limit:
            raise DebtRefused(debt=owing, limit=rules.debt_limit)
    return [fact]


def pay_debt(account: Account, *, when: datetime) -> list[DebtPaid]:
    """Pay what is owed at `when` with what is there; nothing where one of them is nothing."""
    shares = take(account.lots, account.owed_at(when), when=when)
    paid = sum(share.points for share in shares)
    return [DebtPaid(points=paid, lots=shares)] if paid else []


def _expired_of(account: Account, lot: str, *, when: datetime) -> int:
    """What is gone of a lot because its time was over, recorded or not."""
    unrecorded = sum(one.points for one in account.lots if one.id == lot and not one.lives(when))
    return unrecorded + dict(account.expired).get(lot, 0)
