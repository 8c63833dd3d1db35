"""更正单号 A wrong number of a parcel that has left is put right, and watched (T1, T2, W5)."""

from typing import Any

from application.merging import existing_parcel
from application.streams import PARCEL
from application.unit import Unit
from application.waybills import bind, must_be_known
from domain.renumbering import correct_waybill


def renumber_parcel(
    unit: Unit, *, parcel: str, carrier: str, waybill: str, reason: str
) -> dict[str, Any]:
    """The parcel's number from now on: a partner is asked to watch it, and the old one is free."""
    must_be_known(unit, carrier)
    facts = correct_waybill(
        existing_parcel(unit, parcel), carrier=carrier, waybill=waybill, reason=reason
    )
    bind(unit, parcel=parcel, carrier=carrier, waybill=waybill)
    unit.record(PARCEL, parcel, facts)
    return {"parcel": parcel, "carrier": carrier, "waybill": waybill}
