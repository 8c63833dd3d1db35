"""合单 Merging: which parts of a recipient's orders travel in one parcel, until picking (S4).

Every order keeps its number, its history and what it may be refunded; only the parcel is shared.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from application.sharing import against_sharing, shipping_together
from application.streams import ORDER, PARCEL
from application.unit import Unit
from domain.house_rules import HouseRules
from domain.orders import Order
from domain.parcel_facts import Content, KeptApart, ParcelPlanned
from domain.parcel_state import Stage
from domain.parcels import Parcel
from domain.parts import Part
from domain.refusals import NotFound, NotPossible

BY_HAND = "by hand"
"""The wave of what somebody released alone."""


class Live(NamedTuple):
    """A part that is still to be sent in a parcel."""

    content: Content
    order: Order
    part: Part


def parcel_number(order: str, part: int) -> str:
    """The number of the parcel a part travels in alone."""
    return f"{order}-P{part}"


def plan_parcel(
    unit: Unit,
    contents: Sequence[Content],
    *,
    warehouse: str,
    wave: str,
    hand_over_by: datetime,
    rules: HouseRules,
    kept_apart: Sequence[KeptApart] = (),
) -> str:
    """Begin the parcel these parts are going to travel in; returns its number.

    Parts that travel alone give it theirs; numbers of parcels that were given up stay theirs.
    Several have a carrier chosen for them together (W4). `kept_apart`: what it could have shared.
    """
    first = contents[0]
    number = base = parcel_number(first.order, first.part) + ("-M" if len(contents) > 1 else "")
    tried = 1
    while unit.read(PARCEL, number).contents:
        tried += 1
        number = f"{base}-{tried}"
    fact = ParcelPlanned(
        warehouse=warehouse,
        contents=tuple(contents),
        wave=wave,
        hand_over_by=hand_over_by,
        country=unit.read(ORDER, first.order).country,
        kept_apart=tuple(kept_apart),
    )
    unit.record(PARCEL, number, [fact])
    _choose(unit, number, contents, rules=rules)
    return number


def existing_parcel(unit: Unit, number: str) -> Parcel:
    """The parcel with this number; raises `NotFound`."""
    state = unit.read(PARCEL, number)
    if not state.orders:
        raise NotFound(what="parcel")
    return state


def live_contents(unit: Unit, number: str, parcel: Parcel) -> list[Live]:
    """What of a parcel is still to be sent in it: cancelled and moved parts are not."""
    live: list[Live] = []
    for content in parcel.contents:
        order = unit.read(ORDER, content.order)
        part = order.part(content.part)
        if (
            part is not None
            and part.live
            and (parcel.goods or number in (part.parcel, part.planned))
        ):
            part = parcel.carried(part)
            if part.live:
                live.append(Live(content, order, part))
    return live


def merge_parcels(
    unit: Unit, *, parcels: Sequence[str], cards: Collection[str], reason: str, rules: HouseRules
) -> dict[str, Any]:
    """Put what is in several parcels of one learner and warehouse into one, before picking (S4).

    `cards` are those of one recipient at one place: the caller opened them. What would be too
    heavy, go to two countries, or lose its fast carrier is refused with the figures (C2, W4).
    """
    states = [existing_parcel(unit, number) for number in parcels]
    live = [
        one
        for number, state in zip(parcels, states, strict=True)
        for one in live_contents(unit, number, state)
    ]
    if len(set(parcels)) < 2 or not live:
        raise NotPossible(action="merge", why="there are no two parcels to merge")
    for number, state in zip(parcels, states, strict=True):
        if state.stage is not Stage.PLANNED or (state.waybill and state.labels.live is None):
            raise NotPossible(action="merge", why=f"parcel {number} is further than planned")
    if len({state.warehouse for state in states}) > 1:
        raise NotPossible(action="merge", why="the parcels are in different warehouses")
    if len({one.order.learner for one in live}) > 1:  # rules.md 27
        raise NotPossible(action="merge", why="only one learner's orders travel together")
    going = {one.order.destination.card for one in live if one.order.destination}
    if not going <= set(cards):
        raise NotPossible(action="merge", why="the parcels go to different addresses")
    contents = [one.content for one in live]
    against = against_sharing(unit, contents, warehouse=states[0].warehouse, rules=rules)
    if against is not None:
        raise against
    merged = plan_parcel(
        unit,
        contents,
        warehouse=states[0].warehouse,
        wave=states[0].wave or BY_HAND,
        hand_over_by=min(state.hand_over_by for state in states if state.hand_over_by),
        rules=rules,
    )
    for one in live:
        moved = one.order.move(one.content.part, parcel=merged, reason=reason)
        unit.record(ORDER, one.content.order, moved)
    for number, state in zip(parcels, states, strict=True):
        unit.record(PARCEL, number, state.dissolve(f"merged into {merged}"))
    return {"parcel": merged, "contents": [one.content.model_dump() for one in live]}


def separate_parcel(unit: Unit, *, parcel: str, reason: str, rules: HouseRules) -> dict[str, Any]:
    """Undo a merge, until picking starts: every part travels alone again (S4)."""
    state = existing_parcel(unit, parcel)
    if state.stage is not Stage.PLANNED:
        raise NotPossible(action="separate", why=f"the parcel is {state.stage}")
    live = live_contents(unit, parcel, state)
    if len(live) < 2:
        raise NotPossible(action="separate", why="only one part travels in the parcel")
    new = [_leave(unit, parcel, one, reason=reason, rules=rules) for one in live[1:]]
    return {"parcel": parcel, "parcels": [parcel, *new]}


def leave_shared_parcel(unit: Unit, *, order: str, reason: str, rules: HouseRules) -> None:
    """Take an order's parts out of parcels they share with others, until these are picked (S4)."""
    for part in unit.read(ORDER, order).parts:
        if not part.planned or part.parcel or part.entrusted or not part.to_be_sent:
            continue
        live = live_contents(unit, part.planned, unit.read(PARCEL, part.planned))
        mine = [one for one in live if one.content.order == order]
        if len(mine) < len(live):
            for one in mine:
                _leave(unit, part.planned, one, reason=reason, rules=rules)


def give_back_labels(unit: Unit, *, order: str, reason: str) -> None:
    """Labels of an order's parcels are no good any more: their numbers go back (rules.md 29)."""
    for part in unit.read(ORDER, order).parts:
        parcel = part.parcel or part.planned
        if parcel and part.to_be_sent:
            unit.record(PARCEL, parcel, unit.read(PARCEL, parcel).give_back_label(reason))


def _leave(unit: Unit, parcel: str, leaving: Live, *, reason: str, rules: HouseRules) -> str:
    state = unit.read(PARCEL, parcel)
    assert state.hand_over_by is not None  # it was planned
    new = plan_parcel(
        unit,
        [leaving.content],
        warehouse=state.warehouse,
        wave=state.wave or BY_HAND,
        hand_over_by=state.hand_over_by,
        rules=rules,
    )
    unit.record(PARCEL, parcel, state.remove(leaving.content, to_parcel=new, reason=reason))
    number, part = leaving.content.order, leaving.content.part
    moved = unit.read(ORDER, number).move(part, parcel=new, reason=reason)
    unit.record(ORDER, number, moved)
    choose_anew(unit, parcel, rules=rules)
    return new


def choose_anew(unit: Unit, parcel: str, *, rules: HouseRules) -> None:
    """Choose who takes a parcel by what is in it now, where several parts share it (W4)."""
    state = unit.read(PARCEL, parcel)
    contents = [one.content for one in live_contents(unit, parcel, state)]
    _choose(unit, parcel, contents, rules=rules)


def _choose(unit: Unit, parcel: str, contents: Sequence[Content], *, rules: HouseRules) -> None:
    state = unit.read(PARCEL, parcel)
    one = shipping_together(unit, contents, warehouse=state.warehouse, rules=rules)
    if one is not None:
        unit.record(PARCEL, parcel, state.choose_carrier(one.shipping, apart_fen=one.apart_fen))
