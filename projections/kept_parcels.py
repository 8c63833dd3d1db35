"""滞留包裹 Parcels that are silent or late, as one trouble each (T5, M5)."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from application.troubles import Trouble, trouble
from domain.delays import DelayCause
from domain.house_rules import HouseRules
from domain.silence import Silence, patience
from projections.delayed_parcels import DelayedParcel
from projections.silent_parcels import SilentParcel

CAUSES = {
    Silence.NO_FIRST_SCAN: "no first scan {hours} h after hand-over",
    Silence.NO_MOVEMENT: "no movement for {hours} h",
    Silence.CUSTOMS_STALL: "in customs without a scan for {hours} h",
    Silence.NOT_COLLECTED: "not picked up in time",
}
DELAYED = {
    DelayCause.ETA_PASSED: "later than its learner was told",
    DelayCause.PING_PONG: "it came back twice to cities that it had left",
    DelayCause.RETURNED: "it was turned back",
    DelayCause.LOST: "its carrier lost it",
    DelayCause.PICKUP_ENDING: "it waits to be picked up, and soon no longer",
}


def kept_parcels(
    silent: Sequence[SilentParcel], delayed: Sequence[DelayedParcel], *, rules: HouseRules
) -> Iterable[Trouble]:
    """One trouble for each parcel, with whatever keeps it, the longest first."""
    hours = {one.number: patience(one.silence, rules=rules) // timedelta(hours=1) for one in silent}
    whys: dict[str, list[tuple[datetime, str, str]]] = {}
    for one in silent:
        why = CAUSES[one.silence].format(hours=hours[one.number])
        whys.setdefault(one.number, []).append((one.since, one.silence, why))
    for late in delayed:
        why = DELAYED[DelayCause(late.cause)]
        whys.setdefault(late.number, []).append((late.since, late.cause, why))
    told = {one.number for one in delayed if one.told}
    kept: dict[str, SilentParcel | DelayedParcel] = {one.number: one for one in silent}
    kept |= {one.number: one for one in delayed}
    for parcel in kept.values():
        since, causes, words = zip(*sorted(whys[parcel.number]), strict=True)
        yield trouble(
            "delayed_parcel", parcel.number, "; ".join(words), since[0],
            parcel=parcel.number, order=parcel.orders[0], orders=parcel.orders,
            causes=list(causes), hours=hours.get(parcel.number), told=parcel.number in told,
            state=parcel.state, carrier=parcel.carrier, waybill=parcel.waybill,
        )  # fmt: skip
