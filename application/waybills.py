"""运单号 Putting a number on a parcel, if it is not on another one that is under way (T2)."""

from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta
from typing import Any

from application.gateways.kuaidi100_codes import CARRIERS
from application.streams import MALL, PARCEL, RATES, WAYBILL
from application.sweeping import Due, Policy, command_of
from application.unit import Command, Unit
from domain.house_rules import HouseRules
from domain.own_numbers import as_read
from domain.refusals import InvalidRequest
from domain.waybills import Bearer, WaybillTaken


def must_be_known(unit: Unit, carrier: str, *, field: str = "carrier") -> None:
    """Raise `InvalidRequest` for a carrier that neither Kuaidi100 nor a rate card names (1.7).

    `sf` beside `shunfeng` would be the same number twice, and nobody could be asked about it.
    """
    known = _known(unit)
    if carrier not in known:
        raise InvalidRequest(field=field, reason=f"one of {', '.join(sorted(known))}")


def are_known(unit: Unit, carriers: Iterable[str | None]) -> bool:
    """Whether all that are named are carriers that the house knows."""
    return {one for one in carriers if one is not None} <= _known(unit)


def _known(unit: Unit) -> set[str]:
    return {*CARRIERS, *(card.carrier for card in unit.read(RATES, MALL).cards)}


def bind(unit: Unit, *, parcel: str, carrier: str, waybill: str) -> None:
    """Note whose number it is from now on; raises `WaybillTaken`."""
    number = as_read(waybill)
    key = f"{carrier}:{number}"
    known = unit.read(WAYBILL, key)
    before = unit.read(PARCEL, known.parcel or parcel)
    same = (before.carrier, as_read(before.waybill or "")) == (carrier, number)
    keeps_it = same and not before.dissolved
    bearer = Bearer(keeps_it, before.track().state, before.tracking.handed_over_at)
    facts = known.bind(parcel, waybill=waybill, bearer=bearer, when=unit.now)
    unit.record(WAYBILL, key, facts)


def bind_if_free(unit: Unit, *, parcel: str) -> None:
    """Bind the number that a parcel has already, whatever else has it, too.

    Nothing is taken off a parcel by this: one number on two is among the troubles.
    """
    state = unit.read(PARCEL, parcel)
    if state.carrier is not None and state.waybill is not None and not state.dissolved:
        with suppress(WaybillTaken):
            bind(unit, parcel=parcel, carrier=state.carrier, waybill=state.waybill)


def when_number_is_unbound_then_bind(due: Due, rules: HouseRules) -> Command:
    """A number that was put on its parcel before numbers were bound is bound (T2)."""

    def decide(unit: Unit) -> dict[str, Any]:
        bind_if_free(unit, parcel=due.key)
        return {"parcel": due.key}

    return command_of("bind_waybills", PARCEL.stream(due.key), due, decide)


BIND_WAYBILLS = Policy(
    "bind_waybills",
    """
    SELECT p.number, (
        SELECT e.originator_version FROM {tallypost_events} e WHERE e.notification_id = p.position
    ), coalesce(p.since, '2000-01-01 00:00+00') FROM {parcels} p
    WHERE p.waybill IS NOT NULL AND p.state NOT IN ('signed', 'returned', 'lost', 'dissolved')
      AND NOT EXISTS (SELECT FROM {tallypost_events} w WHERE w.originator_id =
                      'waybill:' || p.carrier || ':' || upper(replace(p.waybill, '-', '')))
    """,
    when_number_is_unbound_then_bind,
    every=timedelta(hours=1),
)
