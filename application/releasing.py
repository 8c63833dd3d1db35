"""放行 Releasing: reviewed orders go to the warehouse, in waves or by hand (O7, S5, W1)."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from application.consigning import tell_changes
from application.declaring import draw_up
from application.merging import (
    existing_parcel,
    leave_shared_parcel,
    live_contents,
    plan_parcel,
)
from application.ordering import existing, must_have_recipient
from application.refund_chain import stop_order
from application.sharing import against_sharing, shipping_together
from application.streams import MALL, NETWORK, ORDER, PARCEL, STOCK
from application.unit import Unit
from domain import reviewing
from domain.house_rules import HouseRules
from domain.order_facts import customer_status
from domain.parcel_facts import Content, KeptApart
from domain.parcel_state import Stage
from domain.refusals import NotPossible
from domain.release_facts import ReviewReason
from domain.stock import StockPicked, stock_key


def approve_order(unit: Unit, *, number: str, note: str) -> dict[str, Any]:
    """A human lets an order go on (O7)."""
    order = existing(unit, number)
    after = unit.record(ORDER, number, reviewing.approve(order, note=note))
    tell_changes(unit, order=number, reason="review_over")
    return {"number": number, "status": customer_status(after.state), "review": []}


def reject_order(unit: Unit, *, number: str, reason: str, rules: HouseRules) -> dict[str, Any]:
    """A human stops an order: what was not handed over is cancelled, all of it paid back (O7).

    Also what it replaces: its original cost what it does not (D4).
    """
    order = existing(unit, number)
    unit.record(ORDER, number, reviewing.reject(order, reason=reason))
    return stop_order(unit, number=number, reason=reason, rules=rules)


def require_review(
    unit: Unit,
    *,
    number: str,
    reasons: Sequence[ReviewReason],
    rules: HouseRules,
    lots: Sequence[str] = (),
) -> dict[str, Any]:
    """Send an order to the queue, before anything more of it is released (O7).

    `lots` are what paid for it of points that were taken back since (rules.md 17). It leaves the
    parcels it shares, as long as nobody picked them: the others go on without it.
    """
    order = existing(unit, number)
    after = unit.record(
        ORDER, number, reviewing.require_review(order, reasons, lots=lots, rules=rules)
    )
    if after.review:
        leave_shared_parcel(unit, order=number, reason="the order waits for review", rules=rules)
        tell_changes(unit, order=number, reason="in_review")
    return {"number": number, "review": list(after.review)}


def release_together(
    unit: Unit, *, contents: Sequence[Content], wave: str, rules: HouseRules
) -> dict[str, Any]:
    """Release parts that go from one warehouse to one recipient, into one parcel or several (S4).

    What cannot be released any more (cancelled, in review, released already) is left out: views
    lag, and the wave comes again. What stands against sharing a parcel (`sharing.py`: its weight,
    its carriers) has them travel in several.
    """
    ready = []
    for content in contents:
        order = unit.read(ORDER, content.order)
        part = order.part(content.part)
        if part is not None and part.releasable and not order.review and order.paid:
            ready.append((content, order, part))
    if len({order.learner for _, order, _ in ready}) > 1:  # rules.md 27
        raise NotPossible(action="release", why="only one learner's orders travel together")
    parcels: list[str] = []
    merged = 0
    for _, order, part in ready:
        if part.warehouse != ready[0][2].warehouse:
            raise NotPossible(action="release", why="the parts are in different warehouses")
        must_have_recipient(unit, order, "release")
    if not ready:
        return {"parcels": [], "parts": 0, "merged": 0}
    code = ready[0][2].warehouse
    assert code is not None  # `releasable` parts have one
    warehouse = unit.read(NETWORK, MALL).named(code)
    hand_over_by = unit.happened_at + timedelta(hours=warehouse.service_hours)
    for shared in _sharing(unit, [one[0] for one in ready], warehouse=code, rules=rules):
        together = shared.contents
        number = plan_parcel(
            unit,
            together,
            warehouse=code,
            wave=wave,
            hand_over_by=hand_over_by,
            rules=rules,
            kept_apart=[one.named(parcels) for one in shared.dearer],
        )
        for content in together:
            facts = unit.read(ORDER, content.order).release(
                content.part, parcel=number, wave=wave, hand_over_by=hand_over_by
            )
            unit.record(ORDER, content.order, facts)
        parcels.append(number)
        merged += len(together) if len(together) > 1 else 0
    return {"parcels": parcels, "parts": len(ready), "merged": merged}


class _Dearer(NamedTuple):
    """What a part would have cost in a parcel that it does not share."""

    content: Content
    parcel: int
    """Which one, in the order they are planned in."""
    together_fen: int
    apart_fen: int

    def named(self, parcels: Sequence[str]) -> KeptApart:
        """As the fact tells it; `parcels` are those planned so far."""
        return KeptApart(
            order=self.content.order,
            part=self.content.part,
            parcel=parcels[self.parcel],
            together_fen=self.together_fen,
            apart_fen=self.apart_fen,
        )


class _Shared(NamedTuple):
    """Parts that travel in one parcel."""

    contents: list[Content]
    dearer: list[_Dearer]
    """Parcels before it that its parts could have shared, at a higher cost."""


def _sharing(
    unit: Unit, contents: Sequence[Content], *, warehouse: str, rules: HouseRules
) -> list[_Shared]:
    """In their order, as many together as one parcel bears, as long as it saves something.

    What is too heavy goes alone, and what would make the others dearer: together they may be worth
    a carrier that none of them needs (S4, W4). What they would have cost is kept.
    """
    parcels: list[_Shared] = []
    for content in contents:
        dearer: list[_Dearer] = []
        for nth, shared in enumerate(parcels):
            found = _joining(unit, shared.contents, content, warehouse=warehouse, rules=rules)
            if found is True:
                shared.contents.append(content)
                shared.dearer.extend(dearer)
                break
            if found is not False:
                dearer.append(_Dearer(content, nth, *found))
        else:
            parcels.append(_Shared([content], dearer))
    return parcels


def _joining(
    unit: Unit, parcel: Sequence[Content], more: Content, *, warehouse: str, rules: HouseRules
) -> bool | tuple[int, int]:
    """Whether a part may go in this parcel, and it costs no more than one of its own.

    Where it would cost more: fen together, and apart.
    """
    whole = [*parcel, more]
    if against_sharing(unit, whole, warehouse=warehouse, rules=rules) is not None:
        return False
    one = shipping_together(unit, whole, warehouse=warehouse, rules=rules)
    if one is None or one.apart_fen is None:
        return True  # nobody knows what either costs, or it goes only so
    before = shipping_together(unit, parcel, warehouse=warehouse, rules=rules)
    saved = 0 if before is None or before.apart_fen is None else before.apart_fen - before.fen
    apart_fen = one.apart_fen - saved
    return one.fen <= apart_fen or (one.fen, apart_fen)


def start_picking(
    unit: Unit, *, warehouse: str, parcels: Sequence[str], pick_list: str
) -> dict[str, Any]:
    """Put parcels on a pick list: from here they are not separated any more (S4, W1).

    Parcels in which nothing is left, and those that are further already, are left out.
    """
    listed: list[dict[str, Any]] = []
    for number in parcels:
        state = existing_parcel(unit, number)
        live = live_contents(unit, number, state)
        waits = any(one.order.review for one in live)
        if not live or waits or (state.warehouse, state.stage) != (warehouse, Stage.PLANNED):
            continue
        unit.record(PARCEL, number, state.start_picking(pick_list))
        listed += [
            {
                "parcel": number,
                "order": one.content.order,
                "part": one.content.part,
                "sku": one.order.line(allocation.line).sku,
                "name": one.order.line(allocation.line).name,
                "quantity": allocation.quantity,
            }
            for one in live
            for allocation in one.part.units
        ]
    return {"pick_list": pick_list, "units": listed}


def pick_parcel(unit: Unit, *, parcel: str) -> dict[str, Any]:
    """All units of a parcel were taken from the shelf; fewer are a short pick (W1; rules.md 1)."""
    state = existing_parcel(unit, parcel)
    live = live_contents(unit, parcel, state)
    if not live:
        raise NotPossible(action="pick", why="nothing in the parcel is still to be sent")
    unit.record(PARCEL, parcel, state.pick(one.content for one in live))
    for content, order, part in live:
        must_have_recipient(unit, order, "pick")
        unit.record(ORDER, content.order, order.pick(content.part, parcel=parcel))
        for units in part.units:
            picked = StockPicked(order=content.order, part=content.part, quantity=units.quantity)
            unit.record(STOCK, stock_key(state.warehouse, order.line(units.line).sku), [picked])
    return {"parcel": parcel, "contents": [one.content.model_dump() for one in live]}


def pack_parcel(unit: Unit, *, parcel: str, weight_grams: int) -> dict[str, Any]:
    """A picked parcel is closed and weighed; what was cancelled meanwhile is not in it (W1)."""
    state = existing_parcel(unit, parcel)
    live = live_contents(unit, parcel, state)
    if not live:
        raise NotPossible(action="pack", why="nothing in the parcel is still to be sent")
    contents = [one.content for one in live]
    unit.record(PARCEL, parcel, state.pack(contents, weight_grams=weight_grams))
    for content, order, _ in live:
        must_have_recipient(unit, order, "pack")
        unit.record(ORDER, content.order, order.pack(content.part, parcel=parcel, picked=True))
    draw_up(unit, parcel=parcel, gross_weight_grams=weight_grams)
    return {"parcel": parcel, "weight_grams": weight_grams}


def acknowledge_address(unit: Unit, *, parcel: str, by: str) -> dict[str, Any]:
    """Whoever has a packed parcel knows its new address, its label, too (O8; rules.md 29)."""
    state = existing_parcel(unit, parcel)
    for content, order, _ in live_contents(unit, parcel, state):
        unit.record(ORDER, content.order, order.acknowledge_address(content.part, by=by))
    return {"parcel": parcel}
