"""待处理 What is stuck, in one list with ages (M5): whatever waits for a human or a partner."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response

from api.auth import Caller, Role, allow
from api.reading import json_answer
from api.shown_to_staff import TroublesOut
from application.jobs import dead_jobs, queue_depth
from application.loads import ALERT_PERCENT, loads
from application.policies import overdue
from application.querying import contradicted
from application.subscriptions import Subscriptions
from domain.approvals import Kind
from domain.delays import DelayCause
from domain.house_rules import HouseRules
from domain.silence import Silence, patience
from projections.approvals import approvals
from projections.cash_refunds import open_refunds
from projections.delayed_parcels import DelayedParcel, delayed_parcels
from projections.disputes import Wanted, cases
from projections.drifting import drift
from projections.labels import stuck_labels
from projections.reading import compose
from projections.returns import idle_returns
from projections.silent_parcels import SilentParcel, silent_parcels

router = APIRouter(prefix="/v1", tags=["operations"])

UNWATCHED_AFTER = timedelta(minutes=2)
"""A subscription at a carrier takes seconds; later somebody should look."""
REFUND_AFTER = timedelta(minutes=10)
LABEL_TRIES = 4
"""A label takes one try; after so many, in more than half a minute, somebody should look."""
RETURN_AFTER = timedelta(hours=48)
"""Goods that came back, and refunds that are asked for without, wait no longer than this (D3)."""
LATE_CASES = Wanted(live=True, overdue=True)
"""Cases that were not decided in time, the longest first (D1)."""
CAUSES = {
    Silence.NO_FIRST_SCAN: "no first scan {hours} h after hand-over",
    Silence.NO_MOVEMENT: "no movement for {hours} h",
    Silence.CUSTOMS_STALL: "in customs without a scan for {hours} h",
}
DELAYED = {
    DelayCause.ETA_PASSED: "later than its learner was told",
    DelayCause.PING_PONG: "it came back twice to cities that it had left",
    DelayCause.RETURNED: "it is on its way back",
    DelayCause.PICKUP_ENDING: "it waits to be picked up, and soon no longer",
}


@router.get("/troubles", response_model=TroublesOut, summary="What is stuck, with ages")
async def troubles(
    request: Request,
    caller: Annotated[
        Caller, allow(Role.OPERATIONS, Role.SUPPORT, Role.AUDITOR, Role.ADMINISTRATOR)
    ],
) -> Response:
    """Parked events, drift, late policies, dead jobs, webhooks, partners, refunds, parcels (M5).

    Parcels are those that are silent, late, untracked, or whose pushes could not be read. Also
    cases that were not decided in time, returns that nobody looked at, busy warehouses, and what
    waits for a second person.
    """
    tenant = request.state.tenant
    now = tenant.store.clock()
    late = await overdue(tenant)
    async with tenant.pool.connection() as connection:
        parked = await _rows(connection, tenant.schema, _PARKED)
        unwatched = await _rows(connection, tenant.schema, _UNWATCHED, now - UNWATCHED_AFTER)
        silent = await silent_parcels(connection, tenant.schema, now=now, rules=tenant.rules)
        delayed = await delayed_parcels(connection, tenant.schema, now=now)
        unread = await _rows(connection, tenant.schema, _UNREAD)
        stuck = await stuck_labels(connection, tenant.schema, tries=LABEL_TRIES)
        refunds = await open_refunds(connection, tenant.schema)
        late_cases = await cases(connection, tenant.schema, LATE_CASES, after=None, limit=200)
        idle = await idle_returns(connection, tenant.schema, before=now - RETURN_AFTER)
        unproved = await contradicted(connection, tenant.schema)
        asked = await approvals(connection, tenant.schema, state="open")
        subscriptions = Subscriptions(connection, schema=tenant.schema, vault=tenant.vault)
        webhooks = await subscriptions.troubled()
        dead = await dead_jobs(connection)
        depth = await queue_depth(connection)
        drifted = await drift(connection, tenant.schema)
        busy = await loads(connection, tenant.schema)

    def found() -> Iterator[dict[str, Any]]:
        for view, stream, position, cause, since in parked:
            yield _trouble(
                "parked_event", f"{view}: {stream} at {position}", cause, since,
                view=view, stream=stream, position=position,
            )  # fmt: skip
        for place, stream, what, since in drifted:
            yield _trouble("drift", place, what, since, place=place, stream=stream)
        for one in late:
            yield _trouble(
                "late_policy", one.policy, f"{one.waiting} waiting", one.since,
                policy=one.policy, waiting=one.waiting,
            )  # fmt: skip
        for job in dead:
            yield _trouble(
                "dead_job", job.task, f"{job.attempts} attempts", job.failed_at,
                task=job.task, attempts=job.attempts,
            )  # fmt: skip
        for hook in webhooks:
            yield _trouble(
                "webhook", hook.id, hook.cause, hook.troubled_since,
                webhook=hook.id, url=hook.url, failed_tries=hook.failed_tries, parked=hook.parked,
            )  # fmt: skip
        for refund in refunds:
            if refund.state == "failed" or refund.requested_at < now - REFUND_AFTER:
                what = f"{refund.order}: {refund.refund}, {refund.amount_fen} fen"
                yield _trouble(
                    "cash_refund", what, refund.cause, refund.requested_at,
                    order=refund.order, refund=refund.refund, amount_fen=refund.amount_fen,
                    failures=refund.failures, ask_again_at=refund.ask_again_at,
                )  # fmt: skip
        for load in busy:
            if load.percent >= ALERT_PERCENT:
                what = f"{load.warehouse}: {load.waiting} parcels, {load.capacity} a day"
                yield _trouble(
                    "warehouse_load", what, f"{load.percent} %", None,
                    warehouse=load.warehouse, waiting=load.waiting, capacity=load.capacity,
                )  # fmt: skip
        for partner in tenant.partner_calls.figures:
            if partner.away_since is not None:
                yield _trouble(
                    "partner_away", partner.partner, partner.cause, partner.away_since,
                    partner=partner.partner, failed=partner.failed,
                )  # fmt: skip
        for parcel, label, state, cause, since in stuck:
            yield _trouble(
                "label", f"{parcel}: {label} {state}", cause, since,
                parcel=parcel, label=label, state=state, order=parcel.rpartition("-P")[0],
            )  # fmt: skip
        for parcel, since, orders, pushes in unread:
            yield _trouble(
                "unreadable_push", f"{parcel}: {pushes} pushes", None, since,
                parcel=parcel, order=orders[0], pushes=pushes,
            )  # fmt: skip
        for parcel, since, orders in unwatched:
            yield _trouble("unwatched_parcel", parcel, None, since, parcel=parcel, order=orders[0])
        yield from (_silent(parcel, rules=tenant.rules) for parcel in silent)
        for back in idle:
            yield _trouble(
                "waiting_return", f"{back.id}: {back.state}", back.reason, back.moved_at,
                back=back.id, order=back.order_number, state=back.state,
                warehouse=back.warehouse, reason=back.reason,
            )  # fmt: skip
        for case in late_cases:
            what = f"{case.id}: waits for {case.waits_for}"
            yield _trouble(
                "overdue_case", what, case.reason, case.decide_by,
                case=case.id, order=case.order_number, parcel=case.parcel,
                waits_for=case.waits_for, reason=case.reason,
            )  # fmt: skip
        yield from map(_delayed, delayed)
        for parcel, waybill, since in unproved:
            yield _trouble(
                "contradicted_receipt", f"{parcel}: {waybill}", "no query knows of the receipt",
                since, parcel=parcel, waybill=waybill,
            )  # fmt: skip
        for approval in asked:
            what = f"{approval['kind']} of {approval['points']} for {approval['learner']}"
            if approval["kind"] == Kind.REVEAL:
                what = f"to see a card of {approval['learner']}, a minor"
            yield _trouble(
                "approval", what, approval["reason"], approval["requested_at"],
                approval=approval["id"],
            )  # fmt: skip

    listed = sorted(found(), key=lambda one: (one["since"] is None, one["since"]))
    for one in listed:
        one["age_seconds"] = (
            None if one["since"] is None else int((now - one["since"]).total_seconds())
        )
    return json_answer({"troubles": listed, "jobs": depth})


def _trouble(
    kind: str, what: str, cause: str | None, since: datetime | None, **about: object
) -> dict[str, Any]:
    """A line of the list; `about` has what its words are made of, for pages and programs."""
    return {"kind": kind, "what": what, "cause": cause, "since": since, "about": about}


def _silent(parcel: SilentParcel, *, rules: HouseRules) -> dict[str, Any]:
    hours = patience(parcel.silence, rules=rules) // timedelta(hours=1)
    return _trouble(
        "silent_parcel", parcel.number, CAUSES[parcel.silence].format(hours=hours), parcel.since,
        parcel=parcel.number, order=parcel.orders[0], orders=parcel.orders,
        silence=parcel.silence, hours=hours, state=parcel.state,
        carrier=parcel.carrier, waybill=parcel.waybill,
    )  # fmt: skip


def _delayed(parcel: DelayedParcel) -> dict[str, Any]:
    return _trouble(
        "delayed_parcel", parcel.number, DELAYED[DelayCause(parcel.cause)], parcel.since,
        parcel=parcel.number, order=parcel.orders[0], orders=parcel.orders, delay=parcel.cause,
        told=parcel.told, state=parcel.state, carrier=parcel.carrier, waybill=parcel.waybill,
    )  # fmt: skip


async def _rows(connection: Any, schema: str, text: Any, *values: object) -> list[Any]:
    query = compose(text, schema, ("parked", "parcels"), "")
    rows: list[Any] = await (await connection.execute(query, values)).fetchall()
    return rows


_PARKED = """
SELECT view, stream, position, cause, parked_at FROM {parked} ORDER BY parked_at LIMIT 200
"""
_UNWATCHED = """
SELECT number, since, orders FROM {parcels} WHERE unwatched AND (since IS NULL OR since < %b)
ORDER BY number LIMIT 200
"""
_UNREAD = """
SELECT number, unread_since, orders, unread FROM {parcels} WHERE unread > 0
ORDER BY unread_since, number LIMIT 200
"""
