"""账单中的包裹 What a parcel, and what was sent of an order, may be billed at (W6)."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from domain.bill_facts import Charge
from domain.bill_known import Box, Known
from domain.cargo import Cargo
from domain.house_rules import HouseRules
from domain.parcels import Parcel
from domain.rate_cards import Breakdown, RateCards
from domain.warehouses import Network

Row = dict[str, Any]


class Terms(NamedTuple):
    """What was agreed on with partners."""

    network: Network
    rates: RateCards


def carried(row: Row, partner: str, *, terms: Terms, rules: HouseRules) -> Known:
    """A parcel as its carrier may bill it: its quote, and more for what it weighed more.

    A parcel that several parts share was quoted as one (`CarrierChosen`), not part by part.
    """
    parcel: Parcel = row["parcel"]
    asked = asked_by(parcel, partner, row["cargo"], terms=terms, rules=rules)
    carrier, quoted, charged = _quote(row)
    grams = max(row["packed_grams"], charged) or None
    heavier = None if grams is None else asked(grams)
    ours = heavier.fen if heavier is not None else None
    if carrier == partner:
        ours = quoted
        lighter = asked(charged) if grams is not None and grams > charged else None
        if heavier is not None and lighter is not None:
            ours += heavier.fen - lighter.fen
    surcharges = sum(fen for _, fen in heavier.surcharges) if heavier is not None else 0
    return Known(
        about=row["number"],
        theirs=parcel.carrier == partner,
        handed_over=parcel.handed_over or parcel.back_of is not None,
        ours={} if ours is None else _split(ours, min(ours, surcharges)),
        # What a learner sends back has no quote of ours.
        taken=frozenset({Charge.FREIGHT, Charge.SURCHARGE}) if parcel.back_of else frozenset(),
        grams=grams,
        reprice=lambda grams: None if (one := asked(grams)) is None else one.fen,
    )


def _quote(row: Row) -> tuple[str | None, int, int]:
    """Who was chosen for a parcel, at what price and for how many grams; None: nobody for it."""
    shipping = row["parcel"].shipping
    if shipping is not None:
        return shipping.carrier, shipping.freight_fen, shipping.chargeable_grams
    # Refused goods that were sent again are of no plan's part, and nobody weighed them.
    grams = row["cargo"].grams if row["sent_again"] else row["grams"] or 0
    return row["quoted_carrier"], row["freight_fen"] or 0, grams


def _split(fen: int, surcharges: int) -> dict[Charge, int]:
    """What a carrier asks, as it may be itemised."""
    if not surcharges:
        return {Charge.FREIGHT: fen}
    return {Charge.FREIGHT: fen - surcharges, Charge.SURCHARGE: surcharges}


Asked = Callable[[int], Breakdown | None]
"""What a carrier's own card asks for a parcel, were it so heavy; None: it does not say."""


def asked_by(
    parcel: Parcel, carrier: str, cargo: Cargo, *, terms: Terms, rules: HouseRules
) -> Asked:
    """What a carrier's rate card asked for a parcel with this in it, on the day that it left."""
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
    if offer is None:
        return lambda grams: None
    return lambda grams: offer.explain(cargo._replace(grams=grams))


def packing(parcel: Parcel, cargo: Cargo, *, terms: Terms) -> dict[Charge, int]:
    """What its warehouse's terms ask for a parcel with this in it; nothing: it is not known."""
    house = terms.network.warehouses.get(parcel.warehouse)
    if house is None:
        return {}
    return {
        Charge.HANDLING: house.handling_fen,
        Charge.PACKAGING: house.packaging_for(cargo.packaging),
    }


def packed_there(
    row: Row, partner: str, boxes: Mapping[Box, Mapping[Charge, int]], *, terms: Terms
) -> Known:
    """A parcel as its warehouse may bill it; one that several parts share is packed once.

    Refused goods that were sent again are of no plan's part: the warehouse's terms are asked.
    """
    parcel: Parcel = row["parcel"]
    if not boxes:
        fees = packing(parcel, row["cargo"], terms=terms) if row["sent_again"] else {}
        boxes = {(row["number"], ""): fees}
    charges = {charge for fees in boxes.values() for charge in fees}
    return Known(
        about=row["number"],
        theirs=parcel.warehouse == partner,
        handed_over=parcel.handed_over,
        ours={charge: sum(fees[charge] for fees in boxes.values()) for charge in charges},
        boxes=boxes,
    )
