"""归责 What a carrier is at fault for is claimed of it by itself, once a parcel (D2; rules.md 27).

By whatever says so: the decision of a case, or the inspection of what came back. What the learner
gets never waits for it: a claim that cannot be filed is told of, with the reason.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from application.claiming import file_claim, worth
from application.ordering import existing
from application.streams import CLAIM
from application.unit import Unit
from domain.claims import BLAMED, GONE
from domain.dispute_facts import Decision
from domain.disputes import OF_VALUE, Dispute
from domain.house_rules import HouseRules
from domain.order_facts import Fault, Units
from domain.refusals import Refusal
from domain.return_facts import Payer, Remedy
from domain.returns import Return, scrapped

INSPECTED = "the goods were inspected"
AGREED = "a refund without the goods was agreed to"


class Blame(NamedTuple):
    """What a carrier has to make good about a parcel."""

    parcel: str
    reason: Fault
    fen: int | None
    """None: all that was sent in it."""
    because: str
    """Why the track counts though no query confirmed it, if none did (rules.md 23)."""


def claim_all(unit: Unit, blames: Iterable[Blame], *, rules: HouseRules) -> list[dict[str, Any]]:
    """File each of them; a parcel that has a claim keeps it, for all its cases (rules.md 27)."""
    return [_claim(unit, one, rules=rules) for one in blames]


def _claim(unit: Unit, blame: Blame, *, rules: HouseRules) -> dict[str, Any]:
    why: Refusal | None = None
    if unit.read(CLAIM, blame.parcel).state is None:
        try:
            file_claim(
                unit,
                parcel=blame.parcel,
                reason=blame.reason,
                claimed_fen=blame.fen,
                unconfirmed_because=blame.because,
                rules=rules,
            )
        except Refusal as refusal:  # too late, or no carrier had it: told, not hidden
            why = refusal
    claim = unit.read(CLAIM, blame.parcel)
    return {
        "parcel": blame.parcel,
        "claim": claim.state,
        "claimed_fen": claim.claimed_fen,
        "why": None if why is None else why.message("en"),
        "why_zh": None if why is None else why.message("zh"),
    }


def by_decision(unit: Unit, dispute: Dispute, decision: Decision) -> list[Blame]:
    """What the carrier has to make good by the decision of a case.

    All of a parcel that never came; else the units that are refunded or sent once more. What a
    broken thing that its learner keeps has lost is for somebody to say.
    """
    if dispute.reason not in BLAMED or decision.outcome not in OF_VALUE:
        return []
    fen = None if dispute.reason in GONE else worth(unit, dispute.order, decision.units)
    if fen == 0:
        return []
    return [Blame(dispute.parcel, dispute.reason, fen, decision.unconfirmed_because)]


def by_return(unit: Unit, back: Return, *, remedy: Remedy) -> list[Blame]:
    """What the carrier has to make good of a return: goods that nobody can sell, their way back."""
    if back.payer is not Payer.CARRIER:
        return []
    stay = remedy is Remedy.REFUND_ONLY
    lost = back.units if stay else scrapped(back.goods)
    order = existing(unit, back.order)
    fen: dict[str, int] = {}
    for one in back.units:
        part = order.part(one.part)
        if part is not None and part.parcel:
            fen.setdefault(part.parcel, 0 if fen or stay else back.freight_fen)
            fen[part.parcel] += worth(unit, back.order, _of_part(lost, one))
    because = AGREED if stay else INSPECTED
    return [Blame(parcel, back.reason, sum_, because) for parcel, sum_ in fen.items() if sum_]


def _of_part(units: Sequence[Units], wanted: Units) -> list[Units]:
    return [one for one in units if (one.part, one.line) == (wanted.part, wanted.line)]
