"""人工退款 What staff refund at an order, outside any case or return (D2, D4, A8; rules.md 3)."""

from collections.abc import Sequence
from typing import Any

from application import approval_requests
from application.blaming import by_refund, claim_all
from application.intercepting import call_back_given_up
from application.ordering import existing, kept_units, refund_units_now
from application.refund_chain import by_sku
from application.sent_again import by_parcel
from application.single_handed import moved_alone
from application.streams import ORDER
from application.unit import Unit
from domain.approvals import ApprovalRequested, Kind
from domain.house_rules import HouseRules
from domain.order_facts import Fault, RefundAllowed, RefundProposed, Units, UnitsRefunded
from domain.orders import Order
from domain.proposed import allowed, must_still_be_there
from domain.proposed import decline as declined
from domain.refunding import must_not_be_under_way, on_word, refund_units


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
    Goods that their carrier has still are not back (D3). What is given on one person's word, that
    the goods are back among it, counts as moved alone; over the limit it waits, whole, for a second
    person, and nothing else gives these units back meanwhile. Nobody refunds an order of their own
    (A8).
    """
    order = existing(unit, number)
    units = order.refundable(wanted, kept=kept_units(unit, number, order))
    if goods_back:
        must_not_be_under_way(order, units)
    points = on_word(order, units)
    if moved_alone(unit, learner=order.learner, points=points, subject=number, rules=rules):
        return _carry_out(
            unit,
            number,
            units,
            fault=fault,
            reason=reason,
            goods_back=goods_back,
            rules=rules,
        )
    facts = refund_units(
        order,
        units,
        fault=fault,
        reason=reason,
        goods_back=goods_back,
        refund="",
        when=unit.now,
        rules=rules,
    )
    worth = next(fact for fact in facts if isinstance(fact, UnitsRefunded))
    return _ask(unit, number, order, worth)


def carry_out_allowed(
    unit: Unit, *, number: str, approval: str, rules: HouseRules
) -> dict[str, Any]:
    """A second person allowed the refund: it is carried out as it was proposed, now (A8).

    Refused where its units were settled otherwise meanwhile, or cannot be refunded any more: nobody
    gets both (D4).
    """
    asked = allowed(existing(unit, number), approval)
    order = unit.record(ORDER, number, [RefundAllowed(approval=approval)])
    elsewhere = kept_units(unit, number, order)
    must_still_be_there(order, asked.units, due=asked.units, elsewhere=elsewhere, action="refund")
    parts = {one.part for one in asked.units}
    order.refundable(by_sku(order, asked.units), parts=parts, kept=elsewhere)  # or why not
    if asked.goods_back:
        must_not_be_under_way(order, asked.units)
    done = _carry_out(
        unit,
        number,
        asked.units,
        fault=asked.fault,
        reason=asked.reason,
        goods_back=asked.goods_back,
        rules=rules,
    )
    claims = {"claims": done["claims"]} if "claims" in done else {}
    return {"learner": order.learner, "order": number, "points": done["points"], **claims}


def decline(unit: Unit, *, number: str, approval: str, reason: str) -> None:
    """A second person did not allow the refund: its units are free again."""
    order = existing(unit, number)
    unit.record(ORDER, number, declined(order, approval=approval, reason=reason))


def _ask(unit: Unit, number: str, order: Order, worth: UnitsRefunded) -> dict[str, Any]:
    """Ask for the second person. What they allow happens then, whatever day was meant."""
    request = ApprovalRequested(
        kind=Kind.REFUND,
        learner=order.learner,
        points=worth.points,
        cash_fen=worth.cash_fen,
        goods=approval_requests.goods_of(order, worth.units),
        goods_back=worth.goods_back,
        subject=number,
        about=ORDER.stream(number),
        maker=unit.command.context.subject,
        reason=worth.reason,
    )
    approval = approval_requests.new_id(unit, request)
    proposed = RefundProposed(
        units=worth.units,
        points=worth.points,
        cash_fen=worth.cash_fen,
        fault=worth.fault,
        reason=worth.reason,
        goods_back=worth.goods_back,
        approval=approval,
        maker=request.maker,
    )
    unit.record(ORDER, number, [proposed], happened_at=unit.now)
    return approval_requests.ask(unit, approval=approval, request=request)


def _carry_out(
    unit: Unit,
    number: str,
    units: Sequence[Units],
    *,
    fault: Fault,
    reason: str,
    goods_back: bool,
    rules: HouseRules,
) -> dict[str, Any]:
    # Before: once they are paid back, nothing says any more that they were in the parcel.
    parcels = by_parcel(unit, number, units)
    blames = by_refund(unit, number, parcels, fault=fault, goods_back=goods_back)
    done = refund_units_now(
        unit,
        number=number,
        units=units,
        fault=fault,
        reason=reason,
        goods_back=goods_back,
        rules=rules,
    )
    if not goods_back:
        call_back_given_up(unit, parcels=parcels, reason=reason, rules=rules)
    claims = claim_all(unit, blames, rules=rules)
    return {**done, "claims": claims} if claims else done
