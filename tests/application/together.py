"""What travels together, and what others send: waves, merges, third parties' parcels (R19; S4, W2).

A second order of the same learner is of a thing that costs nothing, so the points are the first's.
"""

from functools import partial
from typing import Any

from application import consigning, following, merging, ordering, redeeming, releasing, stocking
from application.merging import merge_parcels
from application.recipients import Digests, Recipient
from application.redeeming import Wanted, Wish
from application.streams import CONSIGNMENT
from application.unit import Unit
from domain.catalogue import Kind, Terms
from domain.consignments import FoundUnits, Report, Step
from domain.house_rules import HouseRules
from domain.order_facts import Channel
from domain.parcel_facts import Content
from domain.refusals import NotPossible
from tests.application.cases import Case, Commands


def commands(rules: HouseRules, *, to: Recipient, digests: Digests) -> Commands:
    """Each by its name."""
    return {
        "second": partial(_second, rules=rules, to=to, digests=digests),
        "cancel_second": lambda unit, case: ordering.cancel_order(
            unit, number=case.second, wanted=None, reason="x", rules=rules
        ),
        "release_second": lambda unit, case: releasing.release_together(
            unit, contents=[Content(order=case.second, part=1)], wave="W3", rules=rules
        ),
        "wave": partial(_wave, rules=rules),
        "merge": partial(_merge, rules=rules),
        "separate": lambda unit, case: merging.separate_parcel(
            unit, parcel=case.parcel(unit), reason="x", rules=rules
        ),
        "consign": lambda unit, case: consigning.consign(
            unit, parcel=case.parcel(unit), rules=rules
        ),
        "taken_there": partial(_tell, step=Step.ACCEPTED),
        "short_there": partial(_tell, step=Step.SHORT),
        "sent_there": partial(_tell, step=Step.SHIPPED),
        "cancelled_there": partial(_tell, step=Step.CANCELLED),
        "follow": lambda unit, case: following.follow(unit, parcel=case.parcel(unit), rules=rules),
    }


def _second(
    unit: Unit, case: Case, *, rules: HouseRules, to: Recipient, digests: Digests
) -> dict[str, Any]:
    if case.order_of(unit, case.second).placed:
        raise NotPossible(action="place", why="there are two orders already")
    gift = Terms(name="gift", kind=Kind.PARCEL, points=0, market_value_fen=9_000, weight_grams=300)
    stocking.put_item(unit, sku=case.gift, terms=gift, on_sale=True, rules=rules)
    stocking.receive_stock(unit, sku=case.gift, warehouse=case.home, quantity=1, reference="G")
    wish = Wish(case.learner, (Wanted(case.gift, 1),), to, Channel.APP, digests=digests)
    return redeeming.place_order(unit, wish, number=case.second, rules=rules)


def _wave(unit: Unit, case: Case, *, rules: HouseRules) -> dict[str, Any]:
    """All that waits in the warehouse; which of it goes to one person, the caller knows."""
    waiting = [
        Content(order=number, part=part.number)
        for number in (case.number, case.second)
        for part in case.order_of(unit, number).parts
        if part.warehouse == case.home
    ]
    return releasing.release_together(unit, contents=waiting, wave="W2", rules=rules)


def _merge(unit: Unit, case: Case, *, rules: HouseRules) -> dict[str, Any]:
    """Whether both go to one place is looked up before; here they do (`waves.one_recipient`)."""
    orders = [case.order_of(unit, number) for number in (case.number, case.second)]
    parcels = [one.planned for order in orders for one in order.parts if one.planned]
    cards = [one.destination.card for one in orders if one.destination is not None]
    both = list(dict.fromkeys(parcels))
    return merge_parcels(unit, parcels=both, cards=cards, reason="x", rules=rules)


def _tell(unit: Unit, case: Case, *, step: Step) -> dict[str, Any]:
    """The third party knows the newest wish, and none of the goods where it is short."""
    parcel = case.parcel(unit)
    report = Report(
        step,
        max(unit.read(CONSIGNMENT, parcel).revision, 1),
        units=(FoundUnits(sku=case.sku, quantity=0),) if step is Step.SHORT else None,
        carrier="shunfeng" if step is Step.SHIPPED else None,
        waybill=f"SF{parcel}" if step is Step.SHIPPED else None,
    )
    return consigning.note_told(unit, parcel=parcel, warehouse=case.home, report=report, raw=None)
