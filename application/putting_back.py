"""放回货架 What was cancelled after picking: on its shelf again, or gone (W1; rules.md 5)."""

from collections import Counter
from typing import Any

from application.declaring import weighed_anew
from application.intercepting import call_back_unwanted
from application.merging import existing_parcel, live_contents
from application.streams import ORDER, PARCEL, STOCK
from application.unit import Unit
from application.waybills import bind, must_be_known
from domain.entrusting import leave_unwanted, sent_all_the_same
from domain.house_rules import HouseRules
from domain.parcel_facts import Content, ParcelPacked
from domain.putting_back import put_back, sent_with_them
from domain.refusals import NotPossible
from domain.stock import stock_key

SENT = "it had left already when it was to be put back"


def are_back(unit: Unit, *, parcel: str, weight_grams: int | None) -> dict[str, Any]:
    """They lie on their shelf; what was closed with them in it is weighed, and declared, anew."""
    state = existing_parcel(unit, parcel)
    contents = [one.content for one in live_contents(unit, parcel, state)]
    facts = put_back(state, contents, weight_grams=weight_grams)
    unit.record(PARCEL, parcel, facts)
    for packed in facts:
        if isinstance(packed, ParcelPacked):
            weighed_anew(unit, parcel=parcel, gross_weight_grams=packed.weight_grams)
    return {"parcel": parcel, "units": sum(one.quantity for one in state.to_put_back)}


def have_left(
    unit: Unit, *, parcel: str, label: tuple[str, str] | None, rules: HouseRules
) -> dict[str, Any]:
    """The box is not there: its carrier has it, with what was paid back (W1, D4).

    Books and orders know of it, as of what a third party sends by mistake, and a parcel that was
    given up is called back. `label` is the carrier and number on it, where the house knows none.
    """
    state = existing_parcel(unit, parcel)
    unit.record(PARCEL, parcel, sent_with_them(state))
    if state.dissolved:
        if label is None and state.carrier and state.waybill:
            label = (state.carrier, state.waybill)
        if label is None:
            raise NotPossible(action="put_back", why="nobody knows whose number is on it")
        carrier, waybill = label
        must_be_known(unit, carrier)
        bind(unit, parcel=parcel, carrier=carrier, waybill=waybill)
        left = leave_unwanted(state, carrier=carrier, waybill=waybill, when=unit.happened_at)
        unit.record(PARCEL, parcel, left)
    gone: Counter[tuple[str, int, str]] = Counter()
    for one in state.to_put_back:
        sku = unit.read(ORDER, one.order).line(one.line).sku
        gone[one.order, one.part, sku] += one.quantity
    for (number, part, sku), quantity in gone.items():
        order = unit.read(ORDER, number)
        facts = sent_all_the_same(order, part, parcel=parcel, sku=sku, quantity=quantity)
        unit.record(ORDER, number, facts)
        carried = existing_parcel(unit, parcel).carry(Content(order=number, part=part))
        unit.record(PARCEL, parcel, carried)
        key = stock_key(state.warehouse, sku)
        taken = unit.read(STOCK, key).take_unasked(
            quantity, order=number, part=part, source=state.warehouse, reason=SENT
        )
        unit.record(STOCK, key, taken)
    if state.dissolved:
        call_back_unwanted(unit, parcel=parcel, reason=SENT, rules=rules)
    return {"parcel": parcel, "units": sum(gone.values())}
