"""物流 Parcels as they stand: carrier, state, scans, and whose orders are in them (T1, T2, S4)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from application.envelope import Envelope
from application.streams import PARCEL
from domain.confirming import counts, fell_away, open_question
from domain.house_rules import HouseRules
from domain.intercepts import forwards
from domain.parcel_facts import ArrivalEstimated, ParcelFact, ParcelScanned
from domain.parcels import Parcel
from domain.silence import quiet
from domain.tracking import ParcelState, Track
from projections.journeys import SAVE_ESTIMATES, SAVE_JOURNEYS, journey, said
from projections.oddities import FORGET, SAVE_ODDITIES, odd_rows
from projections.order_queries import plain_number
from projections.reading import Event, Tables, View


class ParcelTracking(View):
    """The domain's own fold of each parcel."""

    name = "parcel_tracking"
    tables = ("parcels", "journeys", "estimates", "oddities")

    def __init__(self, rules: HouseRules) -> None:
        self._rules = rules

    async def apply(self, events: Sequence[Event], tables: Tables) -> None:
        """Fold these events into the parcels they belong to."""
        mine, known = self.mine(events, PARCEL.name)
        if not mine:
            return
        parcels: dict[str, Parcel] = {}
        told: dict[str, datetime | None] = {}
        unsent_since: dict[str, datetime | None] = {}
        unread_since: dict[str, datetime | None] = {}
        if known:
            for number, folded, told_at, since, unsent in await tables.rows(_LOAD, known):
                parcels[number] = PARCEL.states.validate_json(folded)
                told[number], unread_since[number] = told_at, since
                unsent_since[number] = unsent
        newest: dict[str, Envelope] = {}
        estimates: dict[tuple[str, str], tuple[Any, ...]] = {}
        for one in mine:
            before = parcels.get(one.key, PARCEL.initial)
            after = PARCEL.evolve(before, cast("ParcelFact", one.fact))
            parcels[one.key], newest[one.key] = after, one
            since = unread_since.get(one.key) or one.happened_at
            unread_since[one.key] = since if after.unread else None
            left = unsent_since.get(one.key) or one.happened_at
            unsent_since[one.key] = left if after.to_put_back else None
            if isinstance(one.fact, ParcelScanned):
                told[one.key] = one.recorded_at
            elif isinstance(one.fact, ArrivalEstimated):
                estimates[one.key, one.fact.milestone] = said(one.fact, one)
        rows, journeys, odd = [], [], []
        for number, parcel in parcels.items():
            track, last = parcel.track(), newest[number]
            unasked = None
            if not parcel.dissolved:
                unasked = open_question(parcel, track, rules=self._rules)
            counting = counts(parcel, track, rules=self._rules)
            fell_at = None if counting else fell_away(parcel, track)
            handed_over_at = parcel.tracking.handed_over_at
            still = quiet(track, handed_over_at=handed_over_at, told_at=told.get(number))
            if parcel.dissolved:
                still = None
            rows.append(
                (
                    number,
                    parcel.warehouse,
                    parcel.carrier,
                    parcel.waybill,
                    "dissolved" if parcel.dissolved else track.state,
                    track.since,
                    "\n".join(parcel.orders),
                    PARCEL.states.dump_json(parcel),
                    last.position,
                    parcel.unwatched,
                    told.get(number),
                    still and still.kind,
                    still and still.since,
                    unasked is not None or fell_at is not None,
                    parcel.stage,
                    parcel.wave,
                    parcel.hand_over_by,
                    parcel.unread,
                    unread_since[number],
                    parcel.pick_list,
                    last.happened_at if parcel.label_due else None,
                    unasked and unasked.waybill,
                    unasked and unasked.carrier,
                    _code(track),
                    fell_at,
                    parcel.recipient,
                    unsent_since[number],
                    forwards(track),
                    "\n".join(sorted(_numbers(parcel, track))),
                )
            )
            if (way := journey(parcel, track, still, last)) is not None:
                journeys.append(way)
            odd += odd_rows(parcel, track, last, rules=self._rules)
        await tables.unnest(_SAVE, rows)
        await tables.unnest(SAVE_JOURNEYS, journeys)
        await tables.unnest(SAVE_ESTIMATES, list(estimates.values()))
        if known:
            await tables.run(FORGET, known)
        await tables.unnest(SAVE_ODDITIES, odd)


def _code(track: Track) -> str | None:
    """The code a parcel is fetched with, as it is searched by; None: it waits nowhere."""
    waits = track.state is ParcelState.AWAITING_PICKUP and track.pickup
    return (plain_number(waits.code) if waits and waits.code else "") or None


def _numbers(parcel: Parcel, track: Track) -> set[str]:
    """Numbers that a caller may know it by: its own, what was told of it under, what was taken
    back, as they are searched by (D1, T7)."""
    told = {scan.number for scan in parcel.tracking.scans}
    named = {*track.numbers, *told, *parcel.taken_back}
    return {plain_number(one) for one in named} - {""}


_LOAD = """
SELECT number, folded, told_at, unread_since, put_back_since
FROM {parcels} WHERE number = ANY(%b)
"""

# unnest takes no array of arrays: the orders of a parcel come as lines.
_SAVE = """
INSERT INTO {parcels} (number, warehouse, carrier, waybill, state, since, orders, folded, position,
    unwatched, told_at, quiet_as, quiet_since, unconfirmed, stage, wave, hand_over_by, unread,
    unread_since, pick_list, label_due_at, confirm_waybill, confirm_carrier, pickup_code,
    receipt_fell_at, card, put_back_since, forwards, numbers)
SELECT number, warehouse, carrier, waybill, state, since, string_to_array(orders, E'\\n'), folded,
    position, unwatched, told_at, quiet_as, quiet_since, unconfirmed, stage, wave, hand_over_by,
    unread, unread_since, pick_list, label_due_at, confirm_waybill, confirm_carrier, pickup_code,
    receipt_fell_at, card, put_back_since, forwards, string_to_array(numbers, E'\\n')
FROM unnest(%b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::timestamptz[],
    %b::text[], %b::bytea[], %b::bigint[], %b::boolean[], %b::timestamptz[], %b::text[],
    %b::timestamptz[], %b::boolean[], %b::text[], %b::text[], %b::timestamptz[], %b::bigint[],
    %b::timestamptz[], %b::text[], %b::timestamptz[], %b::text[], %b::text[], %b::text[],
    %b::timestamptz[], %b::text[], %b::timestamptz[], %b::bigint[], %b::text[])
    AS p(number, warehouse, carrier, waybill, state, since, orders, folded, position, unwatched,
         told_at, quiet_as, quiet_since, unconfirmed, stage, wave, hand_over_by, unread,
         unread_since, pick_list, label_due_at, confirm_waybill, confirm_carrier, pickup_code,
         receipt_fell_at, card, put_back_since, forwards, numbers)
ON CONFLICT (number) DO UPDATE SET warehouse = excluded.warehouse,
    carrier = excluded.carrier, waybill = excluded.waybill, state = excluded.state,
    since = excluded.since, orders = excluded.orders, folded = excluded.folded,
    position = excluded.position, unwatched = excluded.unwatched, told_at = excluded.told_at,
    quiet_as = excluded.quiet_as, quiet_since = excluded.quiet_since,
    unconfirmed = excluded.unconfirmed, stage = excluded.stage, wave = excluded.wave,
    hand_over_by = excluded.hand_over_by, unread = excluded.unread,
    unread_since = excluded.unread_since, pick_list = excluded.pick_list,
    label_due_at = excluded.label_due_at, confirm_waybill = excluded.confirm_waybill,
    confirm_carrier = excluded.confirm_carrier, pickup_code = excluded.pickup_code,
    receipt_fell_at = excluded.receipt_fell_at, card = excluded.card,
    put_back_since = excluded.put_back_since, forwards = excluded.forwards,
    numbers = excluded.numbers
"""
