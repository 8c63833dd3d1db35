"""运价 Rate cards and what was sent with each carrier (W3)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar

from application.streams import MALL, RATES
from application.unit import Unit
from domain.cargo import Cargo
from domain.house_rules import HouseRules
from domain.rate_cards import Breakdown, Offer
from domain.rate_facts import ANYWHERE, Lane, RateCard, Surcharge
from domain.refusals import InvalidRequest
from domain.regions import province_named, region_named

Priced = TypeVar("Priced", Lane, Surcharge)


def publish_rate_card(unit: Unit, *, card: RateCard) -> dict[str, Any]:
    """Put a carrier's prices into force from a moment on; the same card again is nothing new.

    It is for what is decided from then on; a card for a moment that is over changes no order.
    """
    card = as_published(card)
    facts = unit.read(RATES, MALL).publish(card)
    unit.record(RATES, MALL, facts)
    return {
        "carrier": card.carrier,
        "effective_from": card.effective_from,
        "changed": bool(facts),
    }


def as_published(card: RateCard) -> RateCard:
    """The card with its regions as coverage names them (T7).

    Raises `InvalidRequest` for what is no region.
    """
    for origin in dict.fromkeys(lane.origin for lane in card.lanes):
        if origin != ANYWHERE and province_named(origin) != origin:
            raise InvalidRequest(field="lanes", reason=f"{origin} is not a province's full name")
    return card.model_copy(
        update={
            "lanes": tuple([_to_regions(one, "lanes") for one in card.lanes]),
            "surcharges": tuple([_to_regions(one, "surcharges") for one in card.surcharges]),
        }
    )


def _to_regions(priced: Priced, field: str) -> Priced:
    """The lane or surcharge with its destinations as coverage names them (T7)."""
    ends: list[str] = []
    for name in priced.destinations:
        region = name if name == ANYWHERE else region_named(name)
        if region is None:
            reason = f"{name} is neither a province's full name nor a country's code"
            raise InvalidRequest(field=field, reason=reason)
        ends.append(region)
    return priced.model_copy(update={"destinations": tuple(ends)})


def publish_rate_cards(unit: Unit, *, cards: Sequence[RateCard]) -> dict[str, Any]:
    """Put several carriers' prices into force, all of them or none (W3)."""
    return {"cards": [publish_rate_card(unit, card=card) for card in cards]}


def quotes(
    unit: Unit,
    *,
    cargo: Cargo,
    origin: str,
    destination: str,
    same_city: bool,
    at: datetime | None,
    rules: HouseRules,
) -> dict[str, Any]:
    """What one parcel costs with each carrier at a moment, and how that comes about (W3)."""
    if province_named(origin) != origin:
        raise InvalidRequest(field="origin", reason=f"{origin} is not a province's full name")
    region = region_named(destination)
    if region is None:
        reason = f"{destination} is neither a province's full name nor a country's code"
        raise InvalidRequest(field="destination", reason=reason)
    tariff = unit.read(RATES, MALL).at(at or unit.happened_at, zone=rules.zone)
    offers = tariff.offers(origin, region, same_city=same_city)
    priced = [(offer, offer.explain(cargo)) for offer in offers]
    serving = {offer.carrier for offer in offers}
    return {
        "offers": sorted(
            (_offered(offer, found) for offer, found in priced if found is not None),
            key=lambda one: (one["fen"], one["carrier"]),
        ),
        "refused": [
            *({"carrier": one.carrier, "why": "not_served"} for one in tariff.cards
              if one.carrier not in serving),
            *({"carrier": offer.carrier, "why": "too_heavy"} for offer, found in priced
              if found is None),
        ],
    }  # fmt: skip


def _offered(offer: Offer, found: Breakdown) -> dict[str, Any]:
    told = found._asdict()
    told["surcharges"] = [{"kind": kind, "fen": fen} for kind, fen in found.surcharges]
    return {
        "carrier": offer.carrier,
        "service": offer.service,
        "hours": offer.hours,
        "fen": found.fen,
        **told,
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
            {"carrier": of, "month": month, "parcels": parcels,
             "counted": f"{of}:{month}" in rates.counted}
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
    """Note what a carrier's bill says was sent with it; the next month's tier follows from it."""
    facts = unit.read(RATES, MALL).count_volume(carrier, month, parcels)
    unit.record(RATES, MALL, facts)
    return {"carrier": carrier, "month": month, "parcels": parcels, "changed": bool(facts)}
