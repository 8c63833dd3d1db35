"""人工退款 What staff refund at an order, outside any case or return (D2, D4; rules.md 3)."""

from collections.abc import Sequence
from typing import Any

from application.blaming import by_refund, claim_all
from application.intercepting import call_back_given_up
from application.ordering import existing, kept_units, refund_order
from application.sent_again import by_parcel
from application.single_handed import moved_alone
from application.unit import Unit
from domain.house_rules import HouseRules
from domain.order_facts import Fault
from domain.refunding import must_not_be_under_way, must_take_two, on_word


def refund_at_order(
    unit: Unit,
    *,
    number: str,
    wanted: Sequence[tuple[str, int]] | None,
    fault: Fault,
    reason: str,
    goods_back: bool,
    rules: HouseRules,
) -> dict[str, Any]:
    """Refund units after shipping; what their carrier is at fault for is claimed of it (D2).

    Raises as `refund_order`; never because of the claim, which is told of with why there is none.
    Goods that their carrier has still are not back (D3). What is given without the goods counts
    as moved alone, and over the limit it is for the parcel's case; nobody refunds an order of
    their own (A8).
    """
    order = existing(unit, number)
    units = order.refundable(wanted, kept=kept_units(unit, number, order))
    if goods_back:
        must_not_be_under_way(order, units)
    points = 0 if goods_back else on_word(order, units)
    if not moved_alone(unit, learner=order.learner, points=points, subject=number, rules=rules):
        raise must_take_two(order, units, points=points, action="refund")
    # Before: once they are paid back, nothing says any more that they were in the parcel.
    parcels = by_parcel(unit, number, units)
    blames = by_refund(unit, number, units, fault=fault, goods_back=goods_back)
    done = refund_order(
        unit,
        number=number,
        wanted=wanted,
        fault=fault,
        reason=reason,
        goods_back=goods_back,
        rules=rules,
    )
    if not goods_back:
        call_back_given_up(unit, parcels=parcels, reason=reason, rules=rules)
    claims = claim_all(unit, blames, rules=rules)
    return {**done, "claims": claims} if claims else done
