"""运单号 Putting a number on a parcel, if it is not on another one that is under way (T2)."""

from application.streams import PARCEL, WAYBILL
from application.unit import Unit
from domain.waybills import Bearer


def bind(unit: Unit, *, parcel: str, carrier: str, waybill: str) -> None:
    """Note whose number it is from now on; raises `WaybillTaken`."""
    key = f"{carrier}:{waybill}"
    known = unit.read(WAYBILL, key)
    before = unit.read(PARCEL, known.parcel or parcel)
    keeps_it = (before.carrier, before.waybill) == (carrier, waybill) and not before.dissolved
    bearer = Bearer(keeps_it, before.track().state, before.tracking.handed_over_at)
    facts = known.bind(parcel, waybill=waybill, bearer=bearer, when=unit.now)
    unit.record(WAYBILL, key, facts)
