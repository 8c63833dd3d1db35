"""更正单号 A number that was written down wrongly, once its parcel has left (T1, T2, W5)."""

from domain.own_numbers import as_read
from domain.parcel_facts import WaybillCorrected
from domain.parcels import Parcel
from domain.refusals import NotPossible

ACTION = "correct_waybill"


def correct_waybill(
    parcel: Parcel, *, carrier: str, waybill: str, reason: str
) -> list[WaybillCorrected]:
    """Say whose number it really is; the scans of the wrong one are some other parcel's.

    Before it leaves, the number is written down anew. Raises `NotPossible` also for one that an
    aggregator issued for this parcel: nobody typed it.
    """
    must_be_typed(parcel)
    old = (parcel.carrier, as_read(parcel.waybill or ""))
    if old == (carrier, as_read(waybill)):
        raise NotPossible(action=ACTION, why="it is the number that it has")
    return [
        WaybillCorrected(was=parcel.waybill or "", carrier=carrier, waybill=waybill, reason=reason)
    ]


def must_be_typed(parcel: Parcel) -> None:
    """Raise `NotPossible` unless somebody wrote its number down by hand, and it has left."""
    if not parcel.handed_over or parcel.back_of is not None:
        raise NotPossible(action=ACTION, why="no carrier has the parcel")
    live = parcel.labels.live
    if live is not None and live.waybill == parcel.waybill:
        raise NotPossible(action=ACTION, why="its label was ordered with this number")
