"""归责 What a carrier is at fault for is claimed of it by itself, once a parcel (D2; rules.md 27).

By whatever says so: the decision of a case, the inspection of what came back, a refund that staff
make at an order. What the learner gets never waits for it: a claim that cannot be filed is told
of, with the reason.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from application.claiming import file_claim, value_of, worth
from application.ordering import existing
from application.streams import CLAIM
from application.unit import Unit
from domain.claims import BLAMED, GONE, worth_less
from domain.dispute_facts import Decision, Outcome
from domain.disputes import OF_VALUE, Dispute
from domain.house_rules import HouseRules
from domain.order_facts import Fault, Units
from domain.refusals import Refusal
from domain.return_facts import Payer, Remedy
from domain.returns import Return, scrapped

INSPECTED = "the goods were inspected"
AGREED = "a refund without the goods was agreed to"
REFUNDED = "staff refunded it at the order"


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
    broken thing that its learner keeps has lost is what they got for it; a thing that came late is
    worth what it was.
    """
    if dispute.reason not in BLAMED or decision.outcome not in OF_VALUE:
        return []
    if dispute.reason in GONE:
        fen = None
    elif decision.outcome is not Outcome.COMPENSATION:
        fen = worth(unit, dispute.order, decision.units)
    else:
        kept = dispute.reason is Fault.DAMAGED
        fen = _worth_less(unit, dispute, decision.points) if kept else 0
    if fen == 0:
        return []
    return [Blame(dispute.parcel, dispute.reason, fen, decision.unconfirmed_because)]


def _worth_less(unit: Unit, dispute: Dispute, points: int) -> int:
    """What the case's goods have lost for which their learner got these points, in fen."""
    order = existing(unit, dispute.order)
    kept = [
        Units(part=part.number, line=one.line, quantity=one.quantity)
        for part in order.parts
        if part.number in dispute.parts
        for one in part.units
    ]
    value_fen, paid = worth(unit, dispute.order, kept), kept
    while order.original is not None:  # what is sent once more costs nothing: its original did
        lines = list(dict.fromkeys(one.line for one in order.replaces))  # its own lines' order
        paid = [one.model_copy(update={"line": lines[one.line - 1]}) for one in paid]
        order = existing(unit, order.original)
    return worth_less(points, price=order.price(paid), value_fen=value_fen)


def by_refund(
    unit: Unit, order: str, units: Sequence[Units], *, fault: Fault, goods_back: bool
) -> list[Blame]:
    """What carriers have to make good of units that staff refund at an order, before it is done.

    Each parcel's own: all of it where it never came, else what the units are worth. Goods that are
    back on their shelf have lost nothing.
    """
    if fault not in BLAMED or goods_back:
        return []
    state = existing(unit, order)
    parcels: dict[str, list[Units]] = {}
    for one in units:
        part = state.part(one.part)
        if part is not None and part.warehouse and part.parcel:
            parcels.setdefault(part.parcel, []).append(one)
    fen = {
        parcel: value_of(unit, parcel) if fault in GONE else worth(unit, order, some)
        for parcel, some in parcels.items()
    }
    return [Blame(parcel, fault, sum_, REFUNDED) for parcel, sum_ in fen.items() if sum_]


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
