"""路程 Each parcel's way in milestones: what estimates, delays and success rates are made of (T4).

Rows are the domain's own reading of a parcel, kept by `parcel_tracking` beside the parcel itself.
"""

from datetime import datetime
from typing import Any

from application.envelope import Envelope
from domain.arriving import is_estimated
from domain.attempts import first_attempt
from domain.delays import radar
from domain.lanes import Milestone, arrived_at, milestones, reached
from domain.parcel_facts import ArrivalEstimated
from domain.parcels import Parcel
from domain.silence import Quiet
from domain.tracking import Track


def journey(
    parcel: Parcel, track: Track, still: Quiet | None, last: Envelope
) -> tuple[Any, ...] | None:
    """The parcel's row; None before its carrier has it, and for goods that come back.

    `still`: since when nobody saw it.
    """
    handed_over_at, lane = parcel.tracking.handed_over_at, parcel.lane
    if handed_over_at is None or parcel.carrier is None or parcel.back_of is not None:
        return None
    passed: dict[Milestone, datetime] = {}
    due = None
    if lane is not None:
        passed |= milestones(track, lane, handed_over_at=handed_over_at)
        due = reached(track, lane, handed_over_at=handed_over_at)
        due = None if due is None or is_estimated(parcel, due) else due
    tried = first_attempt(track)
    seen = radar(parcel, track, still)
    return (
        last.key,
        parcel.carrier,
        lane and lane.origin,
        lane and lane.province,
        lane and lane.destination,
        lane and lane.division,
        handed_over_at,
        passed.get(Milestone.UNDER_WAY),
        passed.get(Milestone.NEAR),
        passed.get(Milestone.AT_THE_DOOR),
        arrived_at(track),
        due and due[0],
        due and due[1],
        seen.late_at,
        seen.late_told,
        still and still.kind,
        still and still.since,
        seen.quiet_told,
        seen.turned and seen.turned.cause,
        seen.turned and seen.turned.since,
        seen.turned_told,
        tried and tried.at,
        tried is not None and tried.well,
        last.version,
        last.position,
    )


def said(fact: ArrivalEstimated, envelope: Envelope) -> tuple[Any, ...]:
    """The row of what was said about a parcel's arrival."""
    return (
        envelope.key,
        fact.milestone,
        fact.earliest,
        fact.latest,
        fact.basis,
        fact.parcels,
        envelope.recorded_at,
    )


SAVE_JOURNEYS = """
INSERT INTO {journeys} (parcel, carrier, origin, province, destination, division, handed_over_at,
    under_way_at, near_at, at_the_door_at, arrived_at, due_milestone, due_since, late_at,
    late_told, quiet_as, quiet_since, quiet_told, turned_as, turned_since, turned_told, tried_at,
    tried_well, version, position)
SELECT * FROM unnest(%b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::text[],
    %b::timestamptz[], %b::timestamptz[], %b::timestamptz[], %b::timestamptz[],
    %b::timestamptz[], %b::text[], %b::timestamptz[], %b::timestamptz[], %b::boolean[],
    %b::text[], %b::timestamptz[], %b::boolean[], %b::text[], %b::timestamptz[], %b::boolean[],
    %b::timestamptz[], %b::boolean[], %b::bigint[], %b::bigint[])
ON CONFLICT (parcel) DO UPDATE SET carrier = excluded.carrier, origin = excluded.origin,
    province = excluded.province, destination = excluded.destination,
    division = excluded.division, handed_over_at = excluded.handed_over_at,
    under_way_at = excluded.under_way_at, near_at = excluded.near_at,
    at_the_door_at = excluded.at_the_door_at, arrived_at = excluded.arrived_at,
    due_milestone = excluded.due_milestone, due_since = excluded.due_since,
    late_at = excluded.late_at, late_told = excluded.late_told, quiet_as = excluded.quiet_as,
    quiet_since = excluded.quiet_since, quiet_told = excluded.quiet_told,
    turned_as = excluded.turned_as, turned_since = excluded.turned_since,
    turned_told = excluded.turned_told,
    tried_at = excluded.tried_at, tried_well = excluded.tried_well, version = excluded.version,
    position = excluded.position
"""
SAVE_ESTIMATES = """
INSERT INTO {estimates} (parcel, milestone, earliest, latest, basis, measured, said_at)
SELECT * FROM unnest(%b::text[], %b::text[], %b::timestamptz[], %b::timestamptz[], %b::text[],
    %b::bigint[], %b::timestamptz[])
ON CONFLICT (parcel, milestone) DO UPDATE SET earliest = excluded.earliest,
    latest = excluded.latest, basis = excluded.basis, measured = excluded.measured,
    said_at = excluded.said_at
"""
