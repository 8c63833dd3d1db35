"""运价 Rate cards and what was sent with each carrier (W3)."""

from typing import Any

from application.streams import MALL, RATES
from application.unit import Unit
from domain.house_rules import HouseRules
from domain.rate_facts import ANYWHERE, RateCard
from domain.refusals import InvalidRequest
from domain.regions import province_named


def publish_rate_card(unit: Unit, *, card: RateCard) -> dict[str, Any]:
    """Put a carrier's prices into force from a moment on; the same card again is nothing new.

    It is for what is decided from then on; a card for a moment that is over changes no order.
    """
    named = [lane.origin for lane in card.lanes]
    named += [end for lane in card.lanes for end in lane.destinations]
    named += [end for surcharge in card.surcharges for end in surcharge.destinations]
    for name in dict.fromkeys(named):
        if name != ANYWHERE and province_named(name) != name:
            raise InvalidRequest(field="lanes", reason=f"{name} is not a province's full name")
    facts = unit.read(RATES, MALL).publish(card)
    unit.record(RATES, MALL, facts)
    return {
        "carrier": card.carrier,
        "effective_from": card.effective_from,
        "changed": bool(facts),
    }


def rate_cards(unit: Unit, *, carrier: str | None, rules: HouseRules) -> dict[str, Any]:
    """All cards or one carrier's, the volumes, and who takes which lane (W3, W4)."""
    rates = unit.read(RATES, MALL)
    in_force = rates.at(unit.happened_at, zone=rules.zone).cards
    return {
        "cards": [
            {**card.model_dump(mode="json"), "in_force": card in in_force}
            for card in rates.cards
            if carrier in (None, card.carrier)
        ],
        "volumes": [
            {"carrier": of, "month": month, "parcels": parcels}
            for of, month, parcels in rates.by_month()
            if carrier in (None, of)
        ],
        "lanes": [
            {"warehouse": one.warehouse, "province": one.province, "service": one.service,
             "carrier": taken}
            for one, taken in rates.by_lane()
            if carrier in (None, taken)
        ],
    }  # fmt: skip


def count_volume(unit: Unit, *, carrier: str, month: str, parcels: int) -> dict[str, Any]:
    """Note what was sent with a carrier in a month; the tier of the next one follows from it."""
    facts = unit.read(RATES, MALL).count_volume(carrier, month, parcels)
    unit.record(RATES, MALL, facts)
    return {"carrier": carrier, "month": month, "parcels": parcels, "changed": bool(facts)}
