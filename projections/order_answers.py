"""订单回答 An order as its reader may see it: states, parts, parcels and their way (O3, S2, D6)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from pydantic_core import from_json

from application.delay_messages import NOT_SENT, message_for
from application.intercepting import comes_too_late, parcels_of
from domain.delays import told_and_lasting, window
from domain.disputes import Dispute
from domain.house_rules import HouseRules
from domain.late_promises import is_told_unsent, unsent_by
from domain.legs import leg_of, legs_of
from domain.order_facts import (
    RefundAllowed,
    RefundDeclined,
    RefundProposed,
    State,
    customer_status,
)
from domain.orders import Order
from domain.parcel_state import Stage
from domain.parcels import Parcel
from domain.parts import PROGRESS, Part
from domain.proposed import under_decision
from domain.refusals import NotPossible
from domain.replacing import sent_once_more
from domain.returns import under_return
from domain.single_handed import Before
from domain.tracking import Track
from projections.order_actions import (
    Now,
    actions,
    any_of,
    rating_of,
    receipt_of,
    renumbering_of,
    return_of,
)
from projections.order_queries import OrderRow
from projections.strays import strays_seen

HOUSE_FACTS = frozenset(one.fact_name for one in (RefundProposed, RefundAllowed, RefundDeclined))
"""What learners are not told of: they are told what comes of it."""
NOTHING = Before()


def order_answer(
    row: OrderRow,
    parcels: Sequence[tuple[str, Parcel]],
    *,
    staff: bool,
    disputable: Callable[[str, Parcel], Mapping[str, Any]],
    stopping: Callable[[str, Parcel], Mapping[str, Any]],
    linked: Mapping[str, Order],
    cases: Mapping[str, Dispute],
    when: datetime,
    rules: HouseRules,
    person: str | None = None,
    alone: Before = NOTHING,
) -> dict[str, Any]:
    """An order as its reader may see it (contract.md, `GET /v1/orders/{number}`).

    `disputable` says of a parcel whether its reader can dispute it now, or why not (D6);
    `stopping` whether it can be called back, and what its carrier was asked (O8); `linked` are the
    orders that send units of this one once more, and the originals of what it replaces; `cases` its
    disputes by id: what one of them waits to be allowed for is not refunded beside it (D4);
    `person` is who of the staff reads it, `alone` what they moved alone before for its learner (A8)
    """
    order = row.order
    shown = [
        one
        for one in parcels
        if one[1].stage not in BEFORE_PACKING
        and one[1].back_of is None
        and (staff or not one[1].dissolved)
    ]
    disputes = {number: dict(disputable(number, parcel)) for number, parcel in shown}
    stops = {number: dict(stopping(number, parcel)) for number, parcel in shown}
    elsewhere = [*sent_once_more(order, linked), *under_return(order)]
    kept = [*elsewhere, *under_decision(order, cases)]
    answer: dict[str, Any] = {
        "number": row.number,
        "learner": row.learner,
        "status": customer_status(row.state),
        "channel": row.channel,
        "placed_at": row.placed_at,
        "promised_by": row.promised_by,
        "delay": _unsent(order),
        "pay_by": row.pay_by if order.state is State.PENDING_PAYMENT else None,
        "points": row.points,
        "cash_fen": row.cash_fen,
        "freight_fen": order.freight_fen,
        "upgrade": order.upgrade,
        "partly_shipped": order.partly_shipped,
        "returnable_until": max(
            (part.window_until for part in order.parts if part.live and part.window_until),
            default=None,
        )
        if order.ended is None
        else None,
        "lines": [_line(order, number, staff=staff) for number in range(1, len(order.lines) + 1)],
        "parts": [_part(order, part, staff=staff) for part in order.parts],
        "parcels": [
            {
                **parcel_seen(number, parcel, order=row.number),
                "strays": strays_seen(order, number),
                **stops[number],
                "actions": {
                    "dispute": disputes[number],
                    **stops[number]["actions"],
                    **(_of_staff(parcel, rules=rules) if staff else {}),
                },
            }
            for number, parcel in shown
        ],
        "actions": {
            **actions(
                order,
                Now(when, rules, row.owed, person, alone),
                staff=staff,
                kept=kept,
                linked=linked,
            ),
            "rate": rating_of(order, staff=staff),
            **_too_late(row.number, order, stops),
            "return": return_of(order, when=None if staff else when, kept=kept),
            "dispute": any_of(disputes),
        },
        "timeline": from_json(row.timeline),
        "position": row.position,
        "version": row.version,
    }
    if staff:
        answer["state"] = row.state
        answer["external_number"] = row.external_number
        answer["review"] = list(order.review)
        answer["cash_refunds"] = [{"refund": r, "state": s} for r, s in order.refunds]
        answer["proposed_refunds"] = [_proposed(one) for one in order.proposed]
    else:
        del answer["actions"]["refund"]  # a decision of staff; learners ask for a return
        told = (one for one in answer["timeline"] if one["fact"] not in HOUSE_FACTS)
        answer["timeline"] = list(told)
    return answer


def _proposed(one: RefundProposed) -> dict[str, Any]:
    """A refund that waits for a second person: what it would give, who asked, where they decide."""
    told = ("approval", "maker", "points", "cash_fen", "fault", "reason", "goods_back")
    units = [unit.model_dump() for unit in one.units]
    return {**{name: getattr(one, name) for name in told}, "units": units}


def _of_staff(parcel: Parcel, *, rules: HouseRules) -> dict[str, Any]:
    return {
        "confirm_receipt": receipt_of(parcel, rules=rules),
        "correct_waybill": renumbering_of(parcel),
    }


def _too_late(
    number: str, order: Order, stops: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """What a cancel and a new address would do once all is under way: its carriers are asked (O8).

    A parcel that other orders share is called back with all of them, or not at all (rules.md 27).
    """
    parcels = parcels_of(order) if comes_too_late(order) else []
    if not parcels or not set(parcels) <= stops.keys():
        return {}
    for parcel in parcels:
        one = stops[parcel]["actions"]["intercept"]
        others = [other for other in one.get("orders", ()) if other != number]
        if others:
            why = NotPossible(action="intercept", why=f"{others[0]} travels in it, too")
            one = {"possible": False, "why": why.message("en"), "why_zh": why.message("zh")}
        if not one["possible"]:
            return {"cancel": one, "address": one}
    asked = {"possible": True, "parcels": parcels}
    return {"cancel": asked, "address": asked}


def _line(order: Order, number: int, *, staff: bool) -> dict[str, Any]:
    line = order.line(number)
    live = [
        (part, unit.quantity) for part in order.parts for unit in part.units if unit.line == number
    ]
    states = [_state(order, part) for part, _ in live]
    progress = min(states, key=_advance) if states else order.ended or State.CANCELLED
    return {
        "line": number,
        "sku": line.sku,
        "name": line.name,
        "specification": line.specification,
        "kind": line.kind,
        "quantity": line.quantity,
        "unit_points": line.unit_points,
        "unit_cash_fen": line.unit_cash_fen,
        "gone": line.quantity - order.live_units(number),
        "rating": next(
            (
                {"goods": one.goods, "delivery": one.delivery}
                for one in order.ratings
                if one.line == number
            ),
            None,
        ),
        "progress": progress if staff else customer_status(progress),
    }


def _advance(state: State) -> int:
    return PROGRESS.index(state) if state in PROGRESS else len(PROGRESS)


def _state(order: Order, part: Part) -> State:
    """A part's state as its readers see it: nothing of an unpaid order waits to be sent."""
    return part.state if order.paid or not part.live else State.PENDING_PAYMENT


def stage(order: Order, part: Part) -> str:
    """Where a part of goods stands in the house: what staff see beside its state (O7, S5, W1)."""
    if not part.to_be_sent:
        return part.state
    if not order.paid:
        return State.PENDING_PAYMENT
    if order.review:
        return "in_review"
    if part.waits:
        return "waiting_for_stock"
    if part.address_pending:
        return "address_pending"
    if part.parcel:
        return "in_parcel"
    if part.entrusted:
        return "at_third_party"
    return "released" if part.planned else "waiting_for_wave"


def _part(order: Order, part: Part, *, staff: bool) -> dict[str, Any]:
    state = _state(order, part)
    inner = {
        "stage": stage(order, part),
        "planned": part.planned,
        "hand_over_by": part.hand_over_by,
    }
    return {
        "part": part.number,
        "warehouse": part.warehouse,
        "state": state if staff else customer_status(state),
        "parcel": part.parcel,
        "returnable_until": part.window_until,
        "paused": bool(part.paused_by),
        "carrier": part.carrier,
        "waits": part.waits,
        "cancelling": any(one.part == part.number for one in order.cancelling),
        "units": [{"line": unit.line, "quantity": unit.quantity} for unit in part.units],
        **(inner if staff else {}),
    }


def parcel_seen(number: str, parcel: Parcel, *, order: str) -> dict[str, Any]:
    """A parcel of an order, and its way."""
    return {
        "number": number,
        "parts": [one.part for one in parcel.carries if one.order == order],
        "shared_with": sorted(set(parcel.orders) - {order}),
        **tracked(parcel),
    }


def tracked(parcel: Parcel) -> dict[str, Any]:
    """A parcel's way as its readers may see it; of one that goes abroad with its legs (T7)."""
    track = parcel.track()
    stretches = [one._asdict() for one in legs_of(parcel)]
    return {
        **({"legs": stretches} if stretches else {}),
        "carrier": parcel.carrier,
        "waybill": parcel.waybill,
        "state": "dissolved" if parcel.dissolved else track.state,
        "since": track.since,
        "signed_at": track.signed_at,
        "arrival": _arrival(parcel, track),
        "appointment": track.appointment and asdict(track.appointment),
        "delay": _delay(parcel),
        "pickup": {
            "station": track.pickup.station,
            "code": track.pickup.code,
            "deadline": track.pickup.until,
        }
        if track.pickup
        else None,
        "scans": [
            {
                "time": scan.time,
                "text": scan.text,
                "kind": scan.kind,
                **({"leg": leg_of(scan, parcel)} if stretches else {}),
                "division": scan.division,
                "coordinates": [scan.coordinates.longitude, scan.coordinates.latitude]
                if scan.coordinates
                else None,
            }
            for scan in reversed(track.scans)
        ],
    }


def _arrival(parcel: Parcel, track: Track) -> dict[str, Any] | None:
    """When it should arrive, while that is still to come (T4)."""
    expected = window(parcel, track)
    return expected and expected._asdict()


def _delay(parcel: Parcel) -> dict[str, Any] | None:
    """What keeps it, as its learner was told, as long as it does (T5)."""
    told = told_and_lasting(parcel)
    return None if told is None else _told(told.cause, told.since)


def _unsent(order: Order) -> dict[str, Any] | None:
    """That it is promised by now and not all handed over, once its learner was told (T5)."""
    by = unsent_by(order)
    return None if by is None or not is_told_unsent(order) else _told(NOT_SENT, by)


def _told(cause: str, since: datetime) -> dict[str, Any]:
    message = message_for(cause)
    return {"cause": cause, "since": since, "message": message.en, "message_zh": message.zh}


BEFORE_PACKING = (Stage.PLANNED, Stage.PICKING, Stage.PICKED)
