"""待处理 What is stuck, put together from wherever it is known (M5, N1)."""

from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, LiteralString, Protocol

from psycopg import AsyncConnection

from application.house import House
from application.jobs import dead_jobs
from application.loads import ALERT_PERCENT, loads
from application.partner_calls import OURSELVES, PartnerCalls
from application.policies import overdue
from application.pushed_tracks import UNCLAIMED_AFTER, unclaimed
from application.queries_asked import contradicted
from application.signaling import closed
from application.subscriptions import Subscriptions
from application.targets import SYNC_LAG_SECONDS, Missed, missed
from application.telling_staff import refusal
from application.troubles import LISTED_MAX, Trouble, Troubles, trouble
from application.uncompared_bills import uncompared_bills
from application.waves import standing_waves
from domain.approvals import Kind
from domain.declarations import Standing
from domain.lots import last_day
from domain.waybills import USED_AGAIN_AFTER
from projections.approvals import approvals
from projections.cash_refunds import open_refunds
from projections.claims_watched import (
    arrived_though_made_good,
    delivered_claims,
    unclaimed_in_time,
)
from projections.consignments import stuck_consignments
from projections.declarations import waiting_declarations
from projections.delayed_parcels import delayed_parcels
from projections.disputes import Wanted, cases
from projections.drifting import drift
from projections.kept_parcels import kept_parcels
from projections.labels import stuck_labels
from projections.reading import compose
from projections.returns import idle_returns
from projections.silent_parcels import silent_parcels
from projections.stock_differences import stock_differences
from projections.unsent_orders import unsent_orders

UNWATCHED_AFTER = timedelta(minutes=2)
"""A subscription at a carrier takes seconds; later somebody should look."""
REFUND_AFTER = timedelta(minutes=10)
PUT_BACK_AFTER = timedelta(hours=24)
"""Units that were picked and cancelled are sold again meanwhile: whoever picks them next finds
their shelf short (W1)."""
THIRD_PARTY_TRIES = 3
THIRD_PARTY_AFTER = timedelta(minutes=5)
"""A warehouse that is asked answers at once; later, or after so many tries, somebody looks."""
LABEL_TRIES = 4
"""A label takes one try; after so many, in more than half a minute, somebody should look."""
RETURN_AFTER = timedelta(hours=48)
"""Goods that came back, and refunds that are asked for without, wait no longer than this (D3).

Goods that are under way wait until their return says; once their carrier lost them, no longer.
"""
LATE_CASES = Wanted(live=True, overdue=True)
"""Cases that were not decided in time, the longest first (D1)."""
STANDINGS = {
    Standing.DRAFT: "packed, and customs were not asked",
    Standing.SUBMITTED: "customs have not answered",
    Standing.STOPPED: "customs stopped it, and nobody declared it otherwise",
}
STOPPED_UNDER_WAY = "customs stopped it on its way"


class Watched(House, Protocol):
    """A tenant with what is known of its partners."""

    partner_calls: PartnerCalls


Found = AsyncIterator[Trouble]


async def troubles(house: Watched) -> Troubles:
    """All that is stuck now, the oldest first."""
    now = house.store.clock()
    found = [_policy(one) for one in await overdue(house)]
    async with house.pool.connection() as connection:
        for of in _SOURCES:
            found += [one async for one in of(connection, house, now)]
        names = {one.warehouse: one.name for one in await loads(connection, house.schema)}
    found = [_named(one, names) for one in found]
    return Troubles(sorted(found, key=lambda one: (one.since is None, one.since)))


async def _of_the_machine(connection: AsyncConnection[Any], house: Watched, now: datetime) -> Found:
    """Events, views, jobs: what none but engineers can mend."""
    for view, stream, position, cause, since in await _rows(connection, house, _PARKED):
        yield trouble(
            "parked_event", f"{view}: {stream} at {position}", cause, since,
            view=view, stream=stream, position=position,
        )  # fmt: skip
    for place, stream, what, since in await drift(connection, house.schema, limit=LISTED_MAX):
        yield trouble("drift", place, what, since, place=place, stream=stream)
    for job in await dead_jobs(connection, limit=LISTED_MAX):
        tried = f"{job.attempts} attempts"
        yield trouble(
            "dead_job", job.task, tried, job.failed_at,
            job=job.id, task=job.task, attempts=job.attempts,
        )  # fmt: skip


async def _of_partners(connection: AsyncConnection[Any], house: Watched, now: datetime) -> Found:
    """Whoever is told or asked by us and does not answer, or refuses."""
    subscriptions = Subscriptions(connection, schema=house.schema, vault=house.vault)
    for hook in await subscriptions.troubled():
        yield trouble(
            "webhook", hook.id, hook.cause, hook.troubled_since,
            webhook=hook.id, url=hook.url, failed_tries=hook.failed_tries, parked=hook.parked,
        )  # fmt: skip
    for partner in house.partner_calls.figures:
        if partner.away_since is not None:
            yield trouble(
                "partner_away", partner.partner, partner.cause, partner.away_since,
                partner=partner.partner, failed=partner.failed,
            )  # fmt: skip
    for bill in await uncompared_bills(connection, house.schema, now=now, limit=LISTED_MAX):
        yield trouble(
            "uncompared_bill", bill.bill, bill.cause, bill.since,
            bill=bill.bill, failures=bill.failures,
        )  # fmt: skip
    refused = await refusal(connection, house.schema)
    if refused is not None:
        yield trouble("robot_refused", "WeChat Work robot", *refused)
    shut = await closed(connection, house.schema)
    if shut is not None:
        yield trouble("signals_closed", "Agora signaling", *shut)
    for refund in await open_refunds(connection, house.schema, limit=LISTED_MAX):
        if refund.state == "failed" or refund.requested_at < now - REFUND_AFTER:
            yield trouble(
                "cash_refund",
                f"{refund.order}: {refund.refund}, {refund.amount_fen} fen",
                refund.cause, refund.requested_at,
                order=refund.order, refund=refund.refund, amount_fen=refund.amount_fen,
                failures=refund.failures, ask_again_at=refund.ask_again_at,
            )  # fmt: skip


async def _of_the_warehouses(
    connection: AsyncConnection[Any], house: Watched, now: datetime
) -> Found:
    """What has not left: too much, too late, without a label, or not cleared (C2, W1, W5, T7)."""
    for wave in await standing_waves(connection, house, now=now):
        yield trouble(
            "standing_wave", f"{wave.warehouse}: {wave.wave}",
            "its orders are not all shown, or not all decided", wave.cut_off,
            wave=wave.wave, warehouse=wave.warehouse,
        )  # fmt: skip
    for load in await loads(connection, house.schema):
        if load.percent >= ALERT_PERCENT:
            yield trouble(
                "warehouse_load",
                f"{load.warehouse}: {load.waiting} parcels, {load.capacity} a day",
                f"{load.percent} %", None,
                warehouse=load.warehouse, waiting=load.waiting, capacity=load.capacity,
            )  # fmt: skip
    for parcel, warehouse, due, stage, orders in await _rows(connection, house, _LATE, now):
        what = f"{parcel}: {stage} in {warehouse}"
        yield trouble(
            "late_parcel", what, "over its service level", due,
            parcel=parcel, order=orders[0], warehouse=warehouse, stage=stage,
        )  # fmt: skip
    late_back = now - PUT_BACK_AFTER
    for parcel, warehouse, since, orders in await _rows(connection, house, _TO_PUT_BACK, late_back):
        yield trouble(
            "put_back_late", f"{parcel}: units to be put back in {warehouse}", None, since,
            parcel=parcel, order=orders[0], warehouse=warehouse,
        )  # fmt: skip
    for late in await unsent_orders(connection, house.schema, now=now, limit=LISTED_MAX):
        yield trouble(
            "late_order", f"{late.order}: {', '.join(late.stages)}",
            "promised by then, and not all handed over", late.promised_by, **late._asdict(),
        )  # fmt: skip
    for sent in await stuck_consignments(
        connection,
        house.schema,
        tries=THIRD_PARTY_TRIES,
        before=now - THIRD_PARTY_AFTER,
        limit=LISTED_MAX,
    ):
        yield trouble(
            "third_party", f"{sent['parcel']}: {sent['warehouse']}", sent["cause"], sent["since"],
            parcel=sent["parcel"], order=sent["orders"][0], warehouse=sent["warehouse"],
            state=sent["state"], tries=sent["tries"],
        )  # fmt: skip
    for one in await stock_differences(
        connection, house.schema, settled=False, after=None, limit=LISTED_MAX
    ):
        yield trouble(
            "stock_difference", f"{one['warehouse']}: {one['sku']}",
            f"{one['counted']} counted, {one['expected']} expected", one["since"],
            warehouse=one["warehouse"], sku=one["sku"], name=one["name"],
            counted=one["counted"], expected=one["expected"],
        )  # fmt: skip
    idle = now - house.rules.customs_within
    waiting = await waiting_declarations(connection, house.schema, before=idle, limit=LISTED_MAX)
    for told in waiting:
        why = STOPPED_UNDER_WAY if told.handed_over else STANDINGS[told.standing]
        yield trouble(
            "waiting_declaration", f"{told.parcel}: {told.standing}", why, told.since,
            parcel=told.parcel, order=told.order, standing=told.standing, country=told.country,
        )  # fmt: skip
    stuck = await stuck_labels(connection, house.schema, tries=LABEL_TRIES, limit=LISTED_MAX)
    for parcel, label, state, cause, since in stuck:
        yield trouble(
            "label", f"{parcel}: {label} {state}", cause, since,
            parcel=parcel, label=label, state=state, order=parcel.rpartition("-P")[0],
        )  # fmt: skip


async def _of_parcels(connection: AsyncConnection[Any], house: Watched, now: datetime) -> Found:
    """What is under way and not as it should be (T1, T2, T5)."""
    for parcel, since, orders, pushes in await _rows(connection, house, _UNREAD):
        yield trouble(
            "unreadable_push", f"{parcel}: {pushes} pushes", None, since,
            parcel=parcel, order=orders[0], pushes=pushes,
        )  # fmt: skip
    for kept in await unclaimed(connection, house.schema, before=now - UNCLAIMED_AFTER):
        yield trouble(
            "unclaimed_push", f"{kept.partner}: {kept.waybills} waybills", "on no parcel",
            kept.since, partner=kept.partner, waybills=kept.waybills,
        )  # fmt: skip
    for parcel, since, orders, gave_up in await _rows(
        connection, house, _UNWATCHED, now - UNWATCHED_AFTER
    ):
        about = {"parcel": parcel, "order": orders[0]}
        cause = "the partner gave up on it" if gave_up else None
        yield trouble("unwatched_parcel", parcel, cause, since, **about)
    for carrier, waybill, parcels in await _rows(
        connection, house, _SHARED, now - USED_AGAIN_AFTER
    ):
        yield trouble(
            "shared_waybill", f"{waybill}: {', '.join(parcels)}", None, None,
            parcel=parcels[0], carrier=carrier, waybill=waybill, parcels=parcels,
        )  # fmt: skip
    rules = house.rules
    silent = await silent_parcels(connection, house.schema, now=now, rules=rules, limit=LISTED_MAX)
    delayed = await delayed_parcels(connection, house.schema, now=now, limit=LISTED_MAX)
    for one in kept_parcels(silent, delayed, rules=rules):
        yield one
    for parcel, waybill, since, orders, fell in await contradicted(connection, house.schema):
        cause = "it fell away with its carrier" if fell else "no query knows of the receipt"
        yield trouble(
            "contradicted_receipt", f"{parcel}: {waybill}", cause, since,
            parcel=parcel, order=orders[0], waybill=waybill, fell_away=fell,
        )  # fmt: skip


async def _of_people(connection: AsyncConnection[Any], house: Watched, now: datetime) -> Found:
    """What waits for somebody's decision (A8, D1, D3)."""
    for back in await idle_returns(connection, house.schema, before=now - RETURN_AFTER, now=now):
        yield trouble(
            "waiting_return", f"{back.id}: {back.state}", back.reason, back.moved_at,
            back=back.id, order=back.order_number, state=back.state,
            warehouse=back.warehouse, reason=back.reason,
        )  # fmt: skip
    for case in await cases(connection, house.schema, LATE_CASES, after=None, limit=LISTED_MAX):
        what = f"{case.id}: waits for {case.waits_for}"
        yield trouble(
            "overdue_case", what, case.reason, case.decide_by,
            case=case.id, order=case.order_number, parcel=case.parcel,
            waits_for=case.waits_for, reason=case.reason,
        )  # fmt: skip
    for due in await unclaimed_in_time(connection, house.schema, now=now, rules=house.rules):
        assert due.file_by is not None  # it is what they are listed by
        day = last_day(due.file_by, zone=house.rules.zone)
        yield trouble(
            "claim_window", f"{due.parcel}: to be claimed by {day}",
            due.reason, due.since, parcel=due.parcel, order=due.order, reason=due.reason,
            carrier=due.carrier, file_by=due.file_by,
        )  # fmt: skip
    for one in await delivered_claims(connection, house.schema):
        yield trouble(
            "delivered_claim", f"{one.parcel}: signed for after it was claimed", one.reason,
            one.since, parcel=one.parcel, order=one.order, reason=one.reason, carrier=one.carrier,
        )  # fmt: skip
    for one in await arrived_though_made_good(connection, house.schema, now=now):
        yield trouble(
            "arrived_after_all", f"{one.parcel}: signed for after it was made good", one.reason,
            one.since, parcel=one.parcel, order=one.order, carrier=one.carrier,
        )  # fmt: skip
    for asked in await approvals(connection, house.schema, state="open", limit=LISTED_MAX):
        what = f"{asked['kind']} of {asked['points']} for {asked['learner']}"
        if asked["kind"] == Kind.REVEAL:
            what = f"to see a card of {asked['learner']}, a minor"
        yield trouble(
            "approval", what, asked["reason"], asked["requested_at"], approval=asked["id"]
        )


async def _targets(connection: AsyncConnection[Any], house: Watched, now: datetime) -> Found:
    """Ours and partners', of the last hour; and how long a view has been behind (M1)."""
    calls = house.partner_calls
    for one in missed([*calls.figures, *([calls.own] if calls.own else [])]):
        yield _missed(one)
    ((unseen,),) = await _rows(connection, house, _UNSEEN)
    lag = 0.0 if unseen is None else (now - unseen).total_seconds()
    if lag > SYNC_LAG_SECONDS:
        yield _missed(Missed(OURSELVES, "sync_lag_seconds", lag, SYNC_LAG_SECONDS))


_SOURCES: tuple[Callable[[AsyncConnection[Any], Watched, datetime], Found], ...] = (
    _of_the_machine, _targets, _of_partners, _of_the_warehouses, _of_parcels, _of_people,
)  # fmt: skip


def _missed(one: Missed) -> Trouble:
    form = ".1f" if one.target == "sync_lag_seconds" else ".2%"  # the others are shares
    cause = f"{one.value:{form}}, not {one.aim:{form}}"
    return trouble(
        "missed_target", f"{one.whose}: {one.target}", cause, None,
        whose=one.whose, target=one.target, value=one.value, aim=one.aim,
    )  # fmt: skip


def _policy(one: Any) -> Trouble:
    return trouble(
        "late_policy", one.policy, f"{one.waiting} waiting", one.since,
        policy=one.policy, waiting=one.waiting,
    )  # fmt: skip


def _named(one: Trouble, names: Mapping[str, str]) -> Trouble:
    """With what its warehouse is called."""
    name = names.get(str(one.about.get("warehouse")))
    return one if name is None else one._replace(about={**one.about, "warehouse_name": name})


async def _rows(
    connection: AsyncConnection[Any], house: House, text: LiteralString, *values: object
) -> list[Any]:
    query = compose(text, house.schema, ("parked", "parcels", "views"), "")
    rows: list[Any] = await (await connection.execute(query, values)).fetchall()
    return rows


_PARKED = """
SELECT view, stream, position, cause, parked_at FROM {parked} ORDER BY parked_at LIMIT 200
"""
# One that was given up is listed if it is not watched once more as soon as it may be.
_UNWATCHED = """
SELECT number, at, orders, gave_up FROM (
    SELECT number, orders, again IS NOT NULL AS gave_up, coalesce(again::timestamptz, since) AS at
    FROM (SELECT *, convert_from(folded, 'UTF8')::jsonb ->> 'watch_again_at' AS again
          FROM {parcels} WHERE unwatched) p
) p WHERE at IS NULL OR at < %b ORDER BY number LIMIT 200
"""
# Not refused, but told by a carrier that corrected itself, or written down before it was (T2).
_SHARED = """
SELECT carrier, upper(replace(waybill, '-', '')), array_agg(number ORDER BY number) FROM {parcels}
WHERE waybill IS NOT NULL AND state NOT IN ('signed', 'returned', 'lost', 'dissolved')
  AND (since IS NULL OR since > %b)
GROUP BY 1, 2 HAVING count(*) > 1 ORDER BY 1, 2 LIMIT 200
"""
_UNREAD = """
SELECT number, unread_since, orders, unread FROM {parcels} WHERE unread > 0
ORDER BY unread_since, number LIMIT 200
"""
# Written like the index it walks along.
_LATE = """
SELECT number, warehouse, hand_over_by, stage, orders FROM {parcels}
WHERE stage NOT IN ('handed_over', 'dissolved', 'awaited')
  AND coalesce(hand_over_by, '9000-01-01 00:00+00'::timestamptz) < %b
ORDER BY coalesce(hand_over_by, '9000-01-01 00:00+00'::timestamptz), number LIMIT 200
"""
_TO_PUT_BACK = """
SELECT number, warehouse, put_back_since, orders FROM {parcels} WHERE put_back_since < %b
ORDER BY put_back_since, number LIMIT 200
"""
_UNSEEN = """
SELECT min(seen.recorded_at) FROM {views} v, LATERAL (
    SELECT c.recorded_at FROM {commits} c WHERE c.position > v.position
    ORDER BY c.position LIMIT 1
) seen
"""
