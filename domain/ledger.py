"""复式账 The double entry of points: what each fact moves between accounts (L6; rules.md 18)."""

from collections.abc import Mapping
from typing import assert_never

from domain.point_facts import (
    AccountFact,
    AccountFrozen,
    AccountUnfrozen,
    DebtPaid,
    GrantClawedBack,
    HoldCaptured,
    HoldVoided,
    LearnerErased,
    LearnerRegistered,
    LotExpired,
    PointsDeducted,
    PointsGranted,
    PointsHeld,
    PointsRedeemed,
    PointsRestored,
)


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
        case DebtPaid(points=points):
            return {"learner": -points, "owed": points}
        case PointsDeducted(points=points):
            return {"learner": -points, "issuance": points}
        case AccountFrozen() | AccountUnfrozen() | LearnerRegistered() | LearnerErased():
            return {}
        case _:
            assert_never(fact)
