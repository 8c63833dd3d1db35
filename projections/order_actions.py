"""可行操作 What can be done with an order now, and what each would do, by the decisions (D6)."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from application.disputing import opening_of, parcel_of
from application.redeeming import SEATS
from application.refund_chain import Level, foretold, given_up_for, originals
from domain.approvals import OwnAccount
from domain.choosing import Kept
from domain.confirming import by_hand
from domain.dispute_facts import Side
from domain.disputes import Dispute, case_id
from domain.house_rules import HouseRules
from domain.intercept_facts import Way
from domain.intercepts import Intercept
from domain.order_facts import Fault, OrderFact, State, Units, UnitsCancelled, UnitsRefunded
from domain.orders import Order
from domain.parcels import Parcel
from domain.parts import units_of
from domain.payment_facts import CashRefundRequested
from domain.point_facts import PointsRestored
from domain.points import Account
from domain.rating import ratable
from domain.refunding import cancel_units, freight_share, on_word, refund_units
from domain.refusals import NotPossible, Refusal, for_customers
from domain.renumbering import must_be_typed
from domain.replacing import must_not_lose
from domain.replanning import choose_to_wait, given_up, planned_anew
from domain.return_facts import Remedy
from domain.returns import returnable
from domain.sent_again import due_of
from domain.single_handed import Before


class Now(NamedTuple):
    """What decides, beside the order itself, what comes back for it."""

    when: datetime
    rules: HouseRules
    owed: int
    """What the learner owes: points that come back pay it first (rules.md 16)."""
    person: str | None = None
    """Who of the staff asks; None: nobody of them."""
    alone: Before = Before()
    """What they moved alone before for this learner, and still adds to what they do (A8)."""


def actions(
    order: Order,
    now: Now,
    *,
    staff: bool,
    kept: Sequence[Kept] = (),
    linked: Mapping[str, Order] | None = None,
) -> dict[str, dict[str, Any]]:
    """Which commands are possible now and why the others are not, from the same decisions (D6).

    What is `kept` is sent once more by linked orders; `linked` has the originals of what this
    order replaces.
    """

    def tried(decide: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        try:
            return {"possible": True, **decide()}
        except Refusal as refusal:
            told = refusal.as_failure() if staff else for_customers(refusal.as_failure())
            return {"possible": False, "why": told["message"], "why_zh": told["message_zh"]}

    def addressed() -> dict[str, Any]:
        if order.destination is None:
            raise NotPossible(action="change_address", why="the order has no recipient")
        order.change_address(order.destination)
        return {
            "province": order.destination.region,
            "country": order.destination.country,
            "elsewhere": tried(planned),
        }

    def planned() -> dict[str, Any]:
        return _free_again(order, units_of(planned_anew(order)), sent=False)

    def waited_for() -> dict[str, Any]:
        if not choose_to_wait(order, None, max_parts=now.rules.max_parts):
            raise NotPossible(action="wait", why="the missing units are waited for already")
        return {}

    def cancelled() -> dict[str, Any]:
        if not staff:
            must_not_lose(order)
        units = order.cancellable(None)
        return cancelling(units, replaced_by(units))

    def missing_refunded() -> dict[str, Any]:
        units = given_up(order, None)
        return cancelling(units, replaced_by(units))

    def replaced_by(units: Sequence[Units]) -> list[Level]:
        return originals(linked.__getitem__, order, units) if linked else []

    def cancelling(units: Sequence[Units], chain: Sequence[Level]) -> dict[str, Any]:
        facts = cancel_units(order, units, reason="", refund="", when=now.when, rules=now.rules)
        facts += foretold(chain, given_up_for(""), when=now.when, rules=now.rules)
        return _given_back(facts, now) | _free_again(order, units, sent=False)

    def refunded() -> dict[str, Any]:
        units = order.refundable(None, kept=kept)
        if now.person == order.learner:
            raise OwnAccount(person=order.learner)
        facts = refund_units(
            order,
            units,
            fault=Fault.CHANGED_MIND,
            reason="",
            goods_back=False,
            refund="",
            when=now.when,
            rules=now.rules,
        )
        back = _given_back(facts, now) | _free_again(order, units, sent=True)
        return {
            **back,
            "freight_fen": freight_share(order, units),
            "needs_second_person": now.alone.takes_two(on_word(order, units), rules=now.rules),
        }

    def payable() -> dict[str, Any]:
        if order.state is not State.PENDING_PAYMENT:
            raise NotPossible(action="pay", why=f"the order is {order.state}")
        return {"cash_fen": order.cash_fen}

    return {
        "pay": tried(payable),
        "cancel": tried(cancelled),
        "refund": tried(refunded),
        "wait": tried(waited_for),
        "refund_missing": tried(missing_refunded),
        "address": tried(addressed),
    }


def rating_of(order: Order, *, staff: bool) -> dict[str, Any]:
    """Which lines are still to be rated, or why none is (O4, D6)."""
    try:
        return {"possible": True, "lines": ratable(order)}
    except Refusal as refusal:
        told = refusal.as_failure() if staff else for_customers(refusal.as_failure())
        return {"possible": False, "why": told["message"], "why_zh": told["message_zh"]}


def return_of(order: Order, *, when: datetime | None, kept: Sequence[Kept] = ()) -> dict[str, Any]:
    """What of an order can be given back now, and until when, or why not (D3, D6).

    `when` is left out for staff, who may open a return once the window is over.
    """
    try:
        units = returnable(order, None, remedy=Remedy.REFUND, when=when, kept=kept)
    except Refusal as refusal:
        told = refusal.as_failure() if when is None else for_customers(refusal.as_failure())
        return {"possible": False, "why": told["message"], "why_zh": told["message_zh"]}
    parts = [part for one in units if (part := order.part(one.part)) is not None]
    return {
        "possible": True,
        "until": min((p.window_until for p in parts if p.window_until), default=None),
        "units": [
            {
                "part": part.number,
                "line": one.line,
                "sku": order.line(one.line).sku,
                "quantity": one.quantity,
                "warehouse": part.warehouse,
            }
            for one, part in zip(units, parts, strict=True)
        ],
    }


def _given_back(facts: Sequence[OrderFact], now: Now) -> dict[str, Any]:
    """What goes back by a decision's facts: points to which lots, and cash."""
    gone = [one for one in facts if isinstance(one, UnitsCancelled | UnitsRefunded)]
    shares = [share for one in gone for share in one.lots]
    points = sum(one.points for one in gone)
    # What was on hold is given back like what was spent, and both by what is owed alone.
    restored = Account(debt=now.owed).restore(shares, order="", when=now.when, rules=now.rules)
    lots = [share for fact in restored if isinstance(fact, PointsRestored) for share in fact.lots]
    return {
        "points": points,
        "cash_fen": sum(one.amount_fen for one in facts if isinstance(one, CashRefundRequested)),
        "lots": [
            {"lot": one.lot, "points": one.points, "expires_at": one.expires_at} for one in lots
        ],
        "debt_paid": points - sum(one.points for one in lots),
    }


def _free_again(order: Order, units: Sequence[Units], *, sent: bool) -> dict[str, Any]:
    return {"stock": [one for unit in units for one in _stock(order, unit, sent=sent)]}


def _stock(order: Order, unit: Units, *, sent: bool) -> list[dict[str, Any]]:
    """Where units are free again; goods that were sent are not, until they are inspected."""
    part, line = order.part(unit.part), order.line(unit.line)
    warehouse = part.warehouse if part is not None else None
    if line.seats:
        warehouse = SEATS
    elif warehouse is None or sent or (part is not None and part.waits):
        return []
    return [{"warehouse": warehouse, "sku": line.sku, "quantity": unit.quantity}]


def dispute_of(
    number: str,
    order: Order,
    parcel: str,
    box: Parcel,
    *,
    case: Dispute | None,
    asked: Intercept,
    linked: Mapping[str, Order],
    when: datetime,
    rules: HouseRules,
) -> dict[str, Any]:
    """Whether a parcel can be disputed now, until when, or why not; which case there is (D1)."""
    again = box.handed_over and due_of(
        box.goods, order, linked, case=case or Dispute(), asked=asked
    )
    name = case_id(number, parcel)
    known = {} if case is None else {"case": name}
    try:
        parcel_of(order, parcel, again=bool(again))
        opening = opening_of(
            number=number,
            order=order,
            parcel=parcel,
            box=box,
            reason=Fault.NOT_RECEIVED,
            by=Side.LEARNER,
            value_fen=0,
            when=when,
            rules=rules,
        )
        (case or Dispute()).open(opening, case=name, when=when, rules=rules)
    except Refusal as refusal:
        why = {"why": refusal.message("en"), "why_zh": refusal.message("zh")}
        return {"possible": False, **why, **known}
    return {"possible": True, "until": opening.disputable_until, **known}


def intercept_of(
    parcel: str, box: Parcel, *, one: Intercept, due: bool, when: datetime, rules: HouseRules
) -> dict[str, Any]:
    """Whether a parcel can be called back now, with which orders, or why not (O8, D6).

    `due`: whether anything in it is still to be had by somebody who gets nothing in its place.
    """
    orders = sorted({content.order for content in box.contents})
    try:
        if not box.handed_over:
            raise NotPossible(action="intercept", why="no carrier has the parcel")
        asked = one.ask(
            parcel,
            track=box.track(),
            carrier=box.carrier or "",
            waybill=box.waybill or "",
            live=orders,
            wanted=orders,
            way=Way.RETURN,
            destination=None,
            reason="",
            when=when,
            rules=rules,
            due=due,
        )
        if not asked:
            raise NotPossible(action="intercept", why="the carrier is asked already")
    except Refusal as refusal:
        told = {"why": refusal.message("en"), "why_zh": refusal.message("zh")}
        return {"possible": False, **told}
    return {"possible": True, "orders": orders}


def receipt_of(box: Parcel, *, rules: HouseRules) -> dict[str, Any]:
    """Whether staff can confirm by hand that a parcel was received, or why not (T2, D6)."""
    try:
        fact = by_hand(box, reason="", rules=rules)
    except Refusal as refusal:
        told = {"why": refusal.message("en"), "why_zh": refusal.message("zh")}
        return {"possible": False, **told}
    return {"possible": True, "received_at": fact.received_at}


def renumbering_of(box: Parcel) -> dict[str, Any]:
    """Whether a wrong number of a parcel that has left can be put right, or why not (T1, D6)."""
    try:
        must_be_typed(box)
    except Refusal as refusal:
        told = {"why": refusal.message("en"), "why_zh": refusal.message("zh")}
        return {"possible": False, **told}
    return {"possible": True}


def any_of(parcels: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The same for the whole order: possible where it is for one of its parcels."""
    possible = [number for number, one in parcels.items() if one["possible"]]
    if possible:
        return {"possible": True, "parcels": possible}
    if parcels:
        first = next(iter(parcels.values()))
        return {"possible": False, "why": first["why"], "why_zh": first["why_zh"]}
    refusal = NotPossible(
        action="dispute", why="nothing that is still of the order left in such a parcel"
    )
    return {"possible": False, "why": refusal.message("en"), "why_zh": refusal.message("zh")}
