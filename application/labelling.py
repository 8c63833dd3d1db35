"""面单处理 Labels of parcels: asked for, issued, refused, given back (W5)."""

from typing import Any

from application.merging import choose_anew, existing_parcel, live_contents
from application.ordering import must_have_recipient
from application.sharing import chosen_carriers
from application.streams import ITEM, MALL, NETWORK, PARCEL
from application.sweeping import Due, Policy, command_of
from application.unit import Command, Unit
from application.waybills import bind, must_be_known
from domain.house_rules import HouseRules
from domain.labels import LabelIssued
from domain.parcel_facts import WaybillIssued
from domain.refusals import NotPossible
from domain.waybills import WaybillTaken


def want_label(
    unit: Unit, *, parcel: str, rules: HouseRules, carrier: str | None = None
) -> dict[str, Any]:
    """Ask for a parcel's waybill: of the carrier that was chosen, unless somebody names one (W4).

    Nothing where one is asked for or there already, and where nothing is left to be sent.
    """
    state = existing_parcel(unit, parcel)
    live = live_contents(unit, parcel, state)
    if not live:
        return told(unit, parcel)
    for one in live:
        must_have_recipient(unit, one.order, "order_label")
    warehouse = unit.read(NETWORK, MALL).warehouses.get(state.warehouse)
    if warehouse is not None and warehouse.third_party:
        raise NotPossible(action="order_label", why="its warehouse labels its parcels itself")
    if state.shipping is None:  # merged before the house chose for them as one
        choose_anew(unit, parcel, rules=rules)
        state = existing_parcel(unit, parcel)
    chosen = chosen_carriers(unit, state)
    grams = rules.packaging_grams
    for one in live:
        for units in one.part.units:
            terms = unit.read(ITEM, one.order.line(units.line).sku).terms
            grams += terms.weight_grams * units.quantity if terms is not None else 0
    facts = state.want_label(
        parcel, carrier=carrier or (chosen[0] if chosen else rules.default_carrier), grams=grams
    )
    unit.record(PARCEL, parcel, facts)
    return told(unit, parcel)


def order_label(
    unit: Unit, *, parcel: str, rules: HouseRules, carrier: str | None
) -> dict[str, Any]:
    """Staff want a label: of a parcel packed past every wave, or once more after a refusal."""
    if not rules.order_labels:
        raise NotPossible(action="order_label", why="no label service is set")
    if carrier is not None:
        must_be_known(unit, carrier)
    state = existing_parcel(unit, parcel)
    if state.waybill is not None:
        raise NotPossible(action="order_label", why="the parcel has a waybill")
    if not live_contents(unit, parcel, state):
        raise NotPossible(action="order_label", why="nothing in the parcel is still to be sent")
    return want_label(unit, parcel=parcel, rules=rules, carrier=carrier)


def give_back_label(unit: Unit, *, parcel: str, reason: str) -> dict[str, Any]:
    """Staff have a label cancelled; a parcel of a wave is asked a new one for by itself."""
    state = existing_parcel(unit, parcel)
    facts = state.give_back_label(reason)
    if not facts:
        raise NotPossible(action="give_back_label", why="no label is asked for or there")
    unit.record(PARCEL, parcel, facts)
    return told(unit, parcel)


def take_number(unit: Unit, *, parcel: str, issued: LabelIssued) -> dict[str, Any]:
    """The partner gave a number: it is on the parcel, or known, to be given back.

    One that another parcel has goes back, too, and a human has to see to the label (T2).
    """
    state = existing_parcel(unit, parcel)
    facts = state.take_number(issued)
    try:
        for one in facts:
            if isinstance(one, WaybillIssued):
                bind(unit, parcel=parcel, carrier=one.carrier, waybill=one.waybill)
    except WaybillTaken as taken:
        facts = state.decline_number(issued, why=taken)
    unit.record(PARCEL, parcel, facts)
    return told(unit, parcel)


def note_refusal(unit: Unit, *, parcel: str, label: str, code: str, words: str) -> dict[str, Any]:
    """The partner issues no number: a human has to see to it."""
    state = existing_parcel(unit, parcel)
    unit.record(PARCEL, parcel, state.labels.refuse(label, code=code, words=words))
    return told(unit, parcel)


def give_up(unit: Unit, *, parcel: str, label: str) -> dict[str, Any]:
    """Nobody knows what became of a request, and asking would be ordering once more."""
    unit.record(PARCEL, parcel, existing_parcel(unit, parcel).labels.give_up(label))
    return told(unit, parcel)


def note_cancelled(unit: Unit, *, parcel: str, label: str) -> dict[str, Any]:
    """The partner has the request no more."""
    unit.record(PARCEL, parcel, existing_parcel(unit, parcel).labels.cancelled(label))
    return told(unit, parcel)


def told(unit: Unit, parcel: str) -> dict[str, Any]:
    """What a command on a parcel's label answers."""
    state = existing_parcel(unit, parcel)
    newest = state.labels.all[-1] if state.labels.all else None
    return {
        "parcel": parcel,
        "label": newest.name if newest else None,
        "state": newest.state if newest else None,
        "carrier": newest.carrier if newest else None,
        "waybill": state.waybill,
    }


def when_parcel_is_released_then_want_label(due: Due, rules: HouseRules) -> Command:
    """A wave released a parcel: its waybill is asked of the aggregator (W5)."""

    def decide(unit: Unit) -> dict[str, Any]:
        return want_label(unit, parcel=due.key, rules=rules)

    return command_of("want_labels", PARCEL.stream(due.key), due, decide)


WANT_LABELS = Policy(
    "want_labels",
    """
    SELECT p.number, (
        SELECT e.originator_version FROM {tallypost_events} e WHERE e.notification_id = p.position
    ), p.label_due_at FROM {parcels} p
    WHERE p.label_due_at IS NOT NULL
      AND NOT EXISTS (SELECT FROM {warehouses} w WHERE w.code = p.warehouse
                      AND w.terms ->> 'third_party' = 'true')
    """,
    when_parcel_is_released_then_want_label,
    applies=lambda rules: rules.order_labels,
)
