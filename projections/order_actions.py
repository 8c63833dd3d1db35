"""可行操作 What can be done with an order now, and what each would do, by the decisions (D6)."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from application.disputing import opening_of, parcel_of
from application.redeeming import SEATS
from domain.choosing import Kept
from domain.dispute_facts import Side
from domain.disputes import Dispute, case_id
from domain.house_rules import DEFAULT_RULES, HouseRules
from domain.lots import refund_shares
from domain.order_facts import Fault, State, Units
from domain.orders import Order
from domain.parcels import Parcel
from domain.rating import ratable
from domain.refusals import NotPossible, Refusal, for_customers
from domain.replacing import must_not_lose
from domain.replanning import choose_to_wait, given_up
from domain.return_facts import Remedy
from domain.returns import returnable


def actions(order: Order, *, staff: bool, kept: Sequence[Kept] = ()) -> dict[str, dict[str, Any]]:
    """Which commands are possible now and why the others are not, from the same decisions (D6).

    What is `kept` is sent once more by linked orders.
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
        return {"province": order.destination.province}

    def waited_for() -> dict[str, Any]:
        if not choose_to_wait(order, None, max_parts=DEFAULT_RULES.max_parts):
            raise NotPossible(action="wait", why="the missing units are waited for already")
        return {}

    def cancelled() -> dict[str, Any]:
        if not staff:
            must_not_lose(order)
        return given_back(order, order.cancellable(None), sent=False)

    def payable() -> dict[str, Any]:
        if order.state is not State.PENDING_PAYMENT:
            raise NotPossible(action="pay", why=f"the order is {order.state}")
        return {"cash_fen": order.cash_fen}

    return {
        "pay": tried(payable),
        "cancel": tried(cancelled),
        "refund": tried(lambda: given_back(order, order.refundable(None, kept=kept), sent=True)),
        "wait": tried(waited_for),
        "refund_missing": tried(lambda: given_back(order, given_up(order, None), sent=False)),
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


def given_back(order: Order, units: Sequence[Units], *, sent: bool) -> dict[str, Any]:
    """What goes back when units leave: points to which lots, cash, stock; all in their units."""
    points, fen = order.price(units)
    shares, _ = refund_shares(order.lots, points)
    return {
        "points": points,
        "cash_fen": fen,
        "lots": [
            {"lot": one.lot, "points": one.points, "expires_at": one.expires_at} for one in shares
        ],
        "stock": [one for unit in units for one in _stock(order, unit, sent=sent)],
    }


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
    when: datetime,
    rules: HouseRules,
) -> dict[str, Any]:
    """Whether a parcel can be disputed now, until when, or why not; which case there is (D1)."""
    name = case_id(number, parcel)
    known = {} if case is None else {"case": name}
    try:
        parcel_of(order, parcel)
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


def any_of(parcels: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The same for the whole order: possible where it is for one of its parcels."""
    possible = [number for number, one in parcels.items() if one["possible"]]
    if possible:
        return {"possible": True, "parcels": possible}
    if parcels:
        first = next(iter(parcels.values()))
        return {"possible": False, "why": first["why"], "why_zh": first["why_zh"]}
    refusal = NotPossible(action="dispute", why="nothing of the order left in such a parcel")
    return {"possible": False, "why": refusal.message("en"), "why_zh": refusal.message("zh")}
