"""归责 What a carrier is at fault for is claimed of it by itself, once a parcel (D2; rules.md 27).

By whatever says so: the decision of a case, the inspection of what came back, whoever takes in a
parcel that its carrier brought back, a refund that staff make at an order. What the learner gets
never waits for it: a claim that cannot be filed is told of, with the reason.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, repeat
from typing import Any, NamedTuple

from application.claiming import file_claim, raise_claim, value_of, worth, worth_of
from application.ordering import existing
from application.sent_again import due_in, goods_sent_again
from application.streams import CLAIM
from application.unit import Unit
from domain.choosing import both, without
from domain.claims import BLAMED, GONE, worth_less
from domain.dispute_facts import Decision, Outcome
from domain.disputes import OF_VALUE, Dispute
from domain.house_rules import HouseRules
from domain.order_facts import Fault, Units
from domain.parts import units_of
from domain.refusals import Refusal
from domain.return_facts import Payer, Remedy
from domain.returns import Return, scrapped

INSPECTED = "the goods were inspected"
AGREED = "a refund without the goods was agreed to"
REFUNDED = "staff refunded it at the order"
TAKEN_IN = "the goods were taken in and looked at"
GIVEN_UP = "staff gave the goods up as lost on their way back"


class Blame(NamedTuple):
    """What a carrier has to make good about a parcel."""

    parcel: str
    reason: Fault
    fen: int
    """Beside what was claimed before."""
    because: str
    """Why the track counts though no query confirmed it, if none did (rules.md 23)."""
    whole_fen: int = 0
    """What is claimed at least, before and now: all that was sent in it, where nothing came."""
    way_fen: int = 0
    """What of it is for the way back, and not for goods."""


def claim_all(unit: Unit, blames: Iterable[Blame], *, rules: HouseRules) -> list[dict[str, Any]]:
    """File each of them; a parcel has one claim, raised by what else is to be made good (rule 27).

    Until its carrier has answered: then the desk is told why it stays as it is.
    """
    return [_claim(unit, one, rules=rules) for one in blames]


def _claim(unit: Unit, blame: Blame, *, rules: HouseRules) -> dict[str, Any]:
    why: Refusal | None = None
    parcel, because = blame.parcel, blame.because
    try:
        if unit.read(CLAIM, parcel).state is not None:
            raise_claim(
                unit,
                parcel=parcel,
                fen=blame.fen,
                least=blame.whole_fen,
                way_fen=blame.way_fen,
                reason=because or str(blame.reason),
                rules=rules,
            )
        else:
            file_claim(
                unit,
                parcel=parcel,
                reason=blame.reason,
                claimed_fen=max(blame.fen, blame.whole_fen),
                unconfirmed_because=because,
                rules=rules,
            )
    except Refusal as refusal:  # too late, answered, or no carrier had it: told, not hidden
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

    All of a parcel of which nothing came; else the units that are refunded or sent once more. What
    a broken thing that its learner keeps has lost is what they got for it; a thing that came late
    is worth what it was.
    """
    if dispute.reason not in BLAMED or decision.outcome not in OF_VALUE:
        return []
    rest = due_in(unit, dispute.parcel, order=dispute.order, parts=dispute.parts)
    some_came = decision.units and rest
    gone = dispute.reason in GONE and not some_came
    fen = worth(unit, dispute.order, decision.units)
    if decision.outcome is Outcome.COMPENSATION and dispute.reason is Fault.DAMAGED:
        fen = _worth_less(unit, dispute, decision.points)
    if not (fen or gone):
        return []
    whole = value_of(unit, dispute.parcel) if gone else 0
    because = decision.unconfirmed_because
    return [Blame(dispute.parcel, dispute.reason, fen, because, whole_fen=whole)]


def _worth_less(unit: Unit, dispute: Dispute, points: int) -> int:
    """What the case's goods have lost for which their learner got these points, in fen."""
    order = existing(unit, dispute.order)
    kept = units_of(part for part in order.parts if part.number in dispute.parts)
    again = goods_sent_again(unit, dispute.parcel)
    kept = kept if again is None else both(again, kept)
    value_fen, paid = worth(unit, dispute.order, kept), kept
    while order.original is not None:  # what is sent once more costs nothing: its original did
        lines = list(dict.fromkeys(one.line for one in order.replaces))  # its own lines' order
        paid = [one.model_copy(update={"line": lines[one.line - 1]}) for one in paid]
        order = existing(unit, order.original)
    return worth_less(points, price=order.price(paid), value_fen=value_fen)


def by_refund(
    unit: Unit,
    order: str,
    parcels: Mapping[str, Sequence[Units]],
    *,
    fault: Fault,
    goods_back: bool,
) -> list[Blame]:
    """What carriers have to make good of units that staff refund at an order, before it is done.

    Each of the `parcels` its own units: all of it where nothing of it came, else what these are
    worth. Goods that are back on their shelf have lost nothing.
    """
    if fault not in BLAMED or goods_back:
        return []
    state = existing(unit, order)
    blames: list[Blame] = []
    for parcel, some in parcels.items():
        parts = [part.number for part in state.parts if part.parcel == parcel]
        fen = worth(unit, order, some)
        gone = fault in GONE and not without(due_in(unit, parcel, order=order, parts=parts), some)
        whole = value_of(unit, parcel) if gone else 0
        if fen or whole:
            blames.append(Blame(parcel, fault, fen, REFUNDED, whole_fen=whole))
    return blames


def by_return(unit: Unit, back: Return, *, remedy: Remedy) -> list[Blame]:
    """What the carrier has to make good of a return: goods that nobody can sell, their way back.

    Nothing where another carrier lost them: what they were like nobody can see any more, and who
    lost them answers for all of it (`by_loss`).
    """
    if back.payer is not Payer.CARRIER or back.lost_by_the_house:
        return []
    stay = remedy is Remedy.REFUND_ONLY
    lost = back.units if stay else scrapped(back.goods)
    order = existing(unit, back.order)
    fen: dict[str, int] = {}
    for one in back.units:
        part = order.part(one.part)
        if part is not None and part.parcel:
            fen.setdefault(part.parcel, 0)
            fen[part.parcel] += worth(unit, back.order, _of_part(lost, one))
    because, way = (AGREED, 0) if stay else (INSPECTED, back.freight_fen)
    blames = [
        Blame(parcel, back.reason, goods + freight, because, way_fen=freight)
        for (parcel, goods), freight in zip(fen.items(), chain([way], repeat(0)), strict=False)
    ]
    return [one for one in blames if one.fen]


def by_coming_back(
    unit: Unit, parcel: str, *, fault: Fault, broken: Mapping[str, int], freight_fen: int
) -> list[Blame]:
    """What its carrier has to make good of a parcel that it brought back by its own fault (D2).

    Goods that nobody can sell again (`broken`, units by SKU), and the freight that its learner paid
    and gets back (rules.md 8). Nothing beside a claim that was filed before: what these goods were
    worth may be in it already, and the desk corrects it.
    """
    if fault not in BLAMED:
        return []
    goods = sum(worth_of(unit, sku, quantity) for sku, quantity in broken.items())
    if unit.read(CLAIM, parcel).state is not None:
        goods = freight_fen = 0
    elif not goods + freight_fen:
        return []
    return [Blame(parcel, fault, goods + freight_fen, TAKEN_IN, way_fen=freight_fen)]


def by_loss(unit: Unit, name: str, back: Return) -> list[Blame]:
    """What the house's own carrier has to make good of a return that it lost (D2, D3).

    Whatever its learner gets: a number that they found themselves is theirs to claim under.
    """
    if not back.lost_by_the_house:
        return []
    return [Blame(name, Fault.LOST, worth(unit, back.order, back.units), GIVEN_UP)]


def _of_part(units: Sequence[Units], wanted: Units) -> list[Units]:
    return [one for one in units if (one.part, one.line) == (wanted.part, wanted.line)]
