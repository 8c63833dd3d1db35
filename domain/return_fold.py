"""退货折叠 A return's facts folded into what deciding about it needs (D3)."""

from dataclasses import replace
from typing import assert_never

from domain.return_facts import (
    AgreementDeclined,
    AgreementProposed,
    GoodsArrived,
    GoodsInspected,
    GoodsLost,
    GoodsSent,
    Remedy,
    ReturnFact,
    ReturnLapsed,
    ReturnOpened,
    ReturnRejected,
    ReturnSettled,
    ReturnWithdrawn,
)
from domain.returns import Return, ReturnState


def evolve(back: Return, fact: ReturnFact) -> Return:
    """The return after one more fact."""
    match fact:
        case ReturnOpened():
            stay = fact.remedy is Remedy.REFUND_ONLY
            return Return(
                order=fact.order,
                learner=fact.learner,
                units=fact.units,
                remedy=fact.remedy,
                reason=fact.reason,
                payer=fact.payer,
                warehouse=fact.warehouse,
                state=ReturnState.REQUESTED if stay else ReturnState.AWAITING_GOODS,
                send_by=fact.send_by,
                arrive_by=fact.arrive_by,
                criteria=fact.criteria,
                freight_points=fact.freight_points,
                freight_fen=fact.freight_fen,
                words=fact.words,
            )
        case GoodsSent():
            return replace(back, state=ReturnState.UNDER_WAY, house_label=fact.house_label)
        case GoodsArrived():
            return replace(back, state=ReturnState.TO_INSPECT)
        case GoodsLost():
            return replace(back, state=ReturnState.LOST, given_up=True)
        case GoodsInspected():
            over = back.state if back.settled is None else ReturnState.SETTLED
            return replace(back, state=over, goods=fact.goods, payer=fact.payer)
        case AgreementProposed():
            return replace(back, state=ReturnState.AWAITING_APPROVAL, proposed=fact)
        case AgreementDeclined():
            return replace(back, state=ReturnState.REQUESTED, proposed=None)
        case ReturnSettled():
            return replace(back, state=ReturnState.SETTLED, settled=fact, proposed=None)
        case ReturnRejected():
            lost = back.state is ReturnState.LOST
            end = ReturnState.LOST if lost else ReturnState.REJECTED
            return replace(back, state=end, rejected=fact)
        case ReturnWithdrawn():
            return replace(back, state=ReturnState.WITHDRAWN)
        case ReturnLapsed():
            return replace(back, state=ReturnState.LAPSED)
        case _:
            assert_never(fact)
