"""账单中的包裹 What a parcel, and what was sent of an order, may be billed at (W6)."""

from typing import Any, NamedTuple

from domain.bill_facts import Charge
from domain.bill_matching import Known, Reprice
from domain.cargo import Cargo
from domain.house_rules import HouseRules
from domain.parcels import Parcel
from domain.rate_cards import RateCards
from domain.warehouses import Network

Row = dict[str, Any]


class Terms(NamedTuple):
    """What was agreed on with partners."""

    network: Network
    rates: RateCards


def carried(row: Row, partner: str, *, terms: Terms, rules: HouseRules) -> Known:
    """A parcel as its carrier may bill it: its quote, and more for what it weighed more."""
    parcel: Parcel = row["parcel"]
    reprice = asked_by(parcel, partner, terms=terms, rules=rules)
    grams = max(row["packed_grams"], row["grams"] or 0) or None
    quoted: int | None = row["freight_fen"] if row["quoted_carrier"] == partner else None
    heavier = None if grams is None else reprice(grams)
    if quoted is not None and grams is not None and grams > row["grams"]:
        lighter = reprice(row["grams"])
        if heavier is not None and lighter is not None:
            quoted += heavier - lighter
    ours = heavier if quoted is None else quoted
    return Known(
        about=row["number"],
        theirs=parcel.carrier == partner,
        handed_over=parcel.handed_over or parcel.back_of is not None,
        ours={} if ours is None else {Charge.FREIGHT: ours},
        # What a learner sends back has no quote of ours.
        taken=frozenset({Charge.FREIGHT}) if parcel.back_of else frozenset(),
        grams=grams,
        reprice=reprice,
    )


def asked_by(parcel: Parcel, carrier: str, *, terms: Terms, rules: HouseRules) -> Reprice:
    """What a carrier's rate card asked for a parcel, by its weight, on the day that it left."""
    lane, at = parcel.lane, parcel.tracking.handed_over_at
    house = terms.network.warehouses.get(parcel.warehouse)
    if lane is None or at is None or house is None:
        return lambda grams: None
    offers = terms.rates.at(at, zone=rules.zone).offers(
        lane.origin,
        lane.province,
        same_city=(house.province, house.city) == (lane.province, lane.city),
    )
    offer = next((one for one in offers if one.carrier == carrier), None)

    def price(grams: int) -> int | None:
        quote = offer.quote(Cargo(grams=grams)) if offer is not None else None
        return None if quote is None else quote.fen

    return price


def packed_there(row: Row, partner: str) -> Known:
    """A parcel as its warehouse may bill it."""
    parcel: Parcel = row["parcel"]
    return Known(
        about=row["number"],
        theirs=parcel.warehouse == partner,
        handed_over=parcel.handed_over,
        ours=_packing(row),
    )


def _packing(row: Row) -> dict[Charge, int]:
    """What packing was quoted at; a parcel that several parts share is packed once."""
    if row["handling_fen"] is None:
        return {}
    return {Charge.HANDLING: row["handling_fen"], Charge.PACKAGING: row["packaging_fen"]}


def whole_order(row: Row) -> Known:
    """All that one warehouse sent of an order."""
    return Known(
        about=row["order_number"],
        theirs=row["theirs"],
        handed_over=row["handed_over"],
        ours=_packing(row),
    )
