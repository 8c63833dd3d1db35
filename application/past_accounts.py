"""往日账户 An account as it is, and as it may pay what is dated back (A5; rules.md 17, 19)."""

from collections.abc import Sequence
from typing import NamedTuple

from application.issuing import NotYet
from application.streams import ACCOUNT
from application.unit import Unit
from domain.clawing_back import pay_debt
from domain.past_balances import LeftSince
from domain.point_facts import AccountFact
from domain.points import Account


class Payer(NamedTuple):
    """Whose points a debit takes."""

    account: Account
    there: Account
    """The account with no more than was there and is left, where the debit is dated back."""


def payer(unit: Unit, learner: str, left: LeftSince | None) -> Payer:
    """Who pays now, or as of a past moment with what is `left` of then.

    Raises `NotYet` where the account moved since that was read.
    """
    account = unit.read(ACCOUNT, learner)
    if left is None:
        return Payer(account, account)
    if unit.version(ACCOUNT, learner) != left.version:
        raise NotYet
    return Payer(account, account.since(left))


def credit(unit: Unit, learner: str, facts: Sequence[AccountFact]) -> Account:
    """Record what an account gets, or what takes from it, as of the day it happened.

    What was owed only since then is paid now, with what is there now: as of no day more was paid
    than was owed (A5; rules.md 16, 17, 19).
    """
    after = unit.record(ACCOUNT, learner, facts)
    if unit.happened_at < unit.now:
        paying = pay_debt(after, when=unit.now)
        after = unit.record(ACCOUNT, learner, paying, happened_at=unit.now)
    return after
