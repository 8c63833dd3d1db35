"""往日账户 An account as it is, and as it may pay what is dated back (A5; rules.md 17, 19)."""

from typing import NamedTuple

from application.issuing import NotYet
from application.streams import ACCOUNT
from application.unit import Unit
from domain.past_balances import LeftSince
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
