"""委托 Parcels of third parties' warehouses: what they are asked and what they tell (W2; rule 5).

Asking is a fact; whoever asks the warehouse finds it on the view (`pushing_consignments.py`). What
is told is a fact, too, and carried out a moment later (`following.py`).
"""

from collections.abc import Sequence
from typing import Any

from application.issuing import NotYet
from application.merging import existing_parcel, live_contents
from application.sealed_words import seal_payload
from application.sharing import chosen_carriers
from application.streams import CONSIGNMENT, MALL, NETWORK, ORDER, PARCEL
from application.sweeping import Due, Policy, command_of
from application.unit import Command, Unit
from domain.consignments import ConsignedUnits, Report
from domain.entrusting import ask_to_cancel, cancelling_units, entrust
from domain.house_rules import HouseRules
from domain.order_facts import Units
from domain.parcel_state import Stage
from domain.refusals import NotFound

PICK_LIST = "third-party"
"""Parcels that a third party picks are on no list of the house's own."""


def consign(unit: Unit, *, parcel: str, rules: HouseRules) -> dict[str, Any]:
    """Ask a third party's warehouse to send a parcel that was released there (W2).

    From here its contents stay together, and what is in it is cancelled once the third party
    acknowledges. Nothing where the house has no way to ask the warehouse: its parcels are sent by
    hand. Raises `NotYet` while an order in it waits for review.
    """
    box = existing_parcel(unit, parcel)
    live = live_contents(unit, parcel, box)
    warehouse = unit.read(NETWORK, MALL).warehouses.get(box.warehouse)
    asked = warehouse is not None and warehouse.third_party and box.warehouse in rules.third_parties
    if not asked or not live or box.stage is not Stage.PLANNED:
        return told(unit, parcel)
    if any(one.order.review for one in live):
        raise NotYet
    unit.record(PARCEL, parcel, box.start_picking(f"{PICK_LIST}:{box.warehouse}"))
    for content, order, _ in live:
        facts = entrust(order, content.part, parcel=parcel, warehouse=box.warehouse)
        unit.record(ORDER, content.order, facts)
    _ask(unit, parcel)
    return told(unit, parcel)


def tell_changes(unit: Unit, *, order: str, reason: str) -> None:
    """Ask third parties for what they are to do with an order's parcels now, if it differs."""
    parts = unit.read(ORDER, order).parts
    for parcel in dict.fromkeys(part.planned for part in parts if part.entrusted and part.planned):
        if unit.read(CONSIGNMENT, parcel).asked:
            _ask(unit, parcel, reason=reason)


def ask_again(unit: Unit, *, parcel: str, reason: str) -> dict[str, Any]:
    """Staff have the third party asked once more, whatever it answered (W2)."""
    state = unit.read(CONSIGNMENT, parcel)
    if not state.asked:
        raise NotFound(what="parcel")
    state.must_take_another_try()
    _ask(unit, parcel, reason=reason, again=True)
    return told(unit, parcel)


def _ask(unit: Unit, parcel: str, *, reason: str = "", again: bool = False) -> None:
    box, state = existing_parcel(unit, parcel), unit.read(CONSIGNMENT, parcel)
    live = live_contents(unit, parcel, box)
    units: list[ConsignedUnits] = []
    for content, order, part in live:
        leaving: dict[int, int] = {}
        for one in cancelling_units(order, content.part):
            leaving[one.line] = leaving.get(one.line, 0) + one.quantity
        for allocation in part.units:
            quantity = allocation.quantity - leaving.get(allocation.line, 0)
            if quantity > 0:
                units.append(
                    ConsignedUnits(
                        order=content.order,
                        part=content.part,
                        sku=order.line(allocation.line).sku,
                        quantity=quantity,
                    )
                )
    destination = live[0].order.destination if live else None
    assert box.hand_over_by is not None  # it was planned
    facts = state.ask(
        warehouse=box.warehouse,
        units=units,
        card=destination.card if destination else state.card,
        carrier=next(iter(chosen_carriers(unit, box)), None) if live else state.carrier,
        hand_over_by=box.hand_over_by,
        held=any(one.order.review for one in live),
        reason=reason,
        again=again,
    )
    unit.record(CONSIGNMENT, parcel, facts)


def cancel_there(
    unit: Unit, *, number: str, units: Sequence[Units], reason: str, stopped: bool
) -> tuple[list[Units], list[int]]:
    """Ask third parties not to send these units of an order (rules.md 5).

    Returns those that nobody else has, to be cancelled at once, and the parts that wait for an
    acknowledgement.
    """
    here: list[Units] = []
    there: dict[int, str] = {}
    order = unit.read(ORDER, number)
    for one in units:
        part = order.part(one.part)
        assert part is not None  # `cancellable` names parts of the order
        state = unit.read(CONSIGNMENT, part.planned) if part.entrusted and part.planned else None
        if state is None or state.never_taken or part.waits:
            here.append(one)
        else:
            there[one.part] = part.planned or ""
    for part_number, parcel in there.items():
        revision = unit.read(CONSIGNMENT, parcel).revision + 1
        facts = ask_to_cancel(
            order, part_number, units, revision=revision, reason=reason, stopped=stopped
        )
        unit.record(ORDER, number, facts)
        _ask(unit, parcel, reason=reason)
    return here, list(there)


def note_told(
    unit: Unit, *, parcel: str, warehouse: str, report: Report, raw: bytes | None
) -> dict[str, Any]:
    """Take in what a third party tells of its parcel; what is known already changes nothing (W2).

    The message is kept as it came. Somebody else's parcel and none answer alike.
    """
    state = unit.read(CONSIGNMENT, parcel)
    if not state.asked or state.warehouse != warehouse:
        raise NotFound(what="parcel")
    facts = state.tell(report, None)
    if facts and raw is not None:
        learner = unit.read(ORDER, existing_parcel(unit, parcel).orders[0]).learner
        facts = state.tell(report, seal_payload(unit, learner, raw))
    unit.record(CONSIGNMENT, parcel, facts)
    return told(unit, parcel)


def told(unit: Unit, parcel: str) -> dict[str, Any]:
    """What a command on a parcel at a third party's answers."""
    state = unit.read(CONSIGNMENT, parcel)
    return {
        "parcel": parcel,
        "warehouse": state.warehouse or existing_parcel(unit, parcel).warehouse,
        "state": state.state if state.asked else None,
        "revision": state.revision,
        "acknowledged": state.acknowledged,
    }


def when_parcel_is_released_then_consign(due: Due, rules: HouseRules) -> Command:
    """A wave released a parcel of a third party's warehouse: it is asked to send it (W2)."""
    return command_of(
        "consign_parcels",
        PARCEL.stream(due.key),
        due,
        lambda unit: consign(unit, parcel=due.key, rules=rules),
    )


CONSIGN = Policy(
    "consign_parcels",
    """
    SELECT p.number, (
        SELECT e.originator_version FROM {tallypost_events} e WHERE e.notification_id = p.position
    ), p.label_due_at FROM {parcels} p
    WHERE p.label_due_at IS NOT NULL AND p.stage = 'planned'
      AND EXISTS (SELECT FROM {warehouses} w WHERE w.code = p.warehouse
                  AND (w.terms ->> 'third_party')::boolean)
    """,
    when_parcel_is_released_then_consign,
    applies=lambda rules: bool(rules.third_parties),
)
