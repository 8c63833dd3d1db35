"""监控 Health, readiness and metrics (M1)."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Gauge, Histogram, generate_latest
from psycopg import Error
from psycopg_pool import PoolTimeout, TooManyRequests

from api.auth import Caller, Role, allow
from api.gauges import gauge
from api.reading import json_answer
from api.shown.to_staff import HealthOut, ReadyOut, TargetsOut
from application.partner_calls import QUICK_SECONDS, PartnerFigures
from application.targets import SYNC_LAG_SECONDS, Judged, judged
from projections.reading import compose, views_fingerprint

router = APIRouter(tags=["health"])

REQUEST_SECONDS = Histogram(
    "tallypost_request_seconds",
    "Time to answer a request.",
    ["method", "route", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2.5, 5),
)
FORGED_CALLBACKS = Counter(
    "tallypost_forged_callbacks_total", "Callbacks whose signature did not fit.", ["partner"]
)
VIEW_LAG_SECONDS = Gauge(
    "tallypost_view_lag_seconds",
    "Age of the oldest event a view has not seen: sync lag, recorded to shown.",
    ["tenant", "view"],
)
VIEW_LAG = Gauge(
    "tallypost_view_lag_events", "Events a view is behind the log.", ["tenant", "view"]
)
PARKED = Gauge("tallypost_parked_events", "Events parked in a view.", ["tenant", "view"])
DRIFT = Gauge("tallypost_drift_rows", "Rows of views that a replay does not give.", ["tenant"])
WATCHERS = Gauge("tallypost_live_streams", "Live streams of this process.", ["tenant"])
QUEUE_DEPTH = Gauge("tallypost_store_queue", "Commands that wait for the writer.", ["tenant"])

SICK_LAG_SECONDS = 10.0
"""A view with an unseen event of this age is not well."""


_DOWN: dict[int | str, dict[str, Any]] = {503: {"model": HealthOut, "description": "Not well; why"}}
_NOT_READY: dict[int | str, dict[str, Any]] = {503: {"model": ReadyOut, "description": "Not now"}}


@router.get(
    "/health",
    response_model=HealthOut,
    responses=_DOWN,
    summary="Views with lag, parked events, the log's position",
)
async def health(request: Request) -> Response:
    """200 while the database answers, views move and say what the log says; else 503 and why."""
    try:
        report = await look(request.state.tenant)
    except (Error, OSError, PoolTimeout, TooManyRequests) as error:
        return json_answer({"status": "down", "cause": type(error).__name__}, status=503)
    return json_answer(report, status=200 if report["status"] == "ok" else 503)


@router.get(
    "/ready", response_model=ReadyOut, responses=_NOT_READY, summary="Whether requests may come"
)
async def ready(request: Request) -> Response:
    """200 once the database answers and the writer runs, until the process is told to stop."""
    if request.app.state.stopping:
        return json_answer({"ready": False, "cause": "stopping"}, status=503)
    try:
        async with request.state.tenant.pool.connection() as connection:
            await connection.execute("SELECT 1")
    except (Error, OSError, PoolTimeout, TooManyRequests) as error:
        return json_answer({"ready": False, "cause": type(error).__name__}, status=503)
    return json_answer({"ready": True})


@router.get("/metrics", response_class=PlainTextResponse, summary="Prometheus metrics")
async def metrics(request: Request) -> Response:
    """Request times by route, view lag, queue depth, forged callbacks, webhooks, jobs."""
    for tenant in request.app.state.tenants.opened:
        try:
            report = await look(tenant)
        except (Error, OSError, PoolTimeout, TooManyRequests):
            continue  # /health says so; the other figures still count
        for view in report["views"]:
            VIEW_LAG_SECONDS.labels(tenant.schema, view["name"]).set(view["lag_seconds"])
            VIEW_LAG.labels(tenant.schema, view["name"]).set(view["lag"])
            PARKED.labels(tenant.schema, view["name"]).set(view["parked"])
        DRIFT.labels(tenant.schema).set(report["drift"])
        QUEUE_DEPTH.labels(tenant.schema).set(tenant.store.waiting)
        WATCHERS.labels(tenant.schema).set(tenant.live.watching)
        await gauge(tenant)
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


@router.get(
    "/v1/targets",
    response_model=TargetsOut,
    summary="How this process does against its targets",
)
async def targets(
    request: Request,
    caller: Annotated[
        Caller, allow(Role.OPERATIONS, Role.SUPPORT, Role.AUDITOR, Role.ADMINISTRATOR)
    ],
) -> Response:
    """Share of answers within 200 ms, share of errors, and sync lag, each with its target (M1).

    `partners` has the same of each partner's answers to us, in the last hour, by all processes.
    Nobody is judged by fewer than 20 answers, or for fewer than 5 that were slow or failed.
    """
    answers = errors = quick = 0.0
    for sample in next(iter(REQUEST_SECONDS.collect())).samples:
        if sample.name.endswith("_bucket"):
            bound, status = sample.labels["le"], sample.labels["status"]
            answers += sample.value if bound == "+Inf" else 0
            errors += sample.value if bound == "+Inf" and status.startswith("5") else 0
            quick += sample.value if bound == str(QUICK_SECONDS) else 0
    report = await look(request.state.tenant)
    lag = max((view["lag_seconds"] for view in report["views"]), default=0.0)
    synced = Judged("sync_lag_seconds", lag, SYNC_LAG_SECONDS, lag <= SYNC_LAG_SECONDS)
    ours = (*judged(calls=answers, quick=quick, failed=errors), synced)
    return json_answer(
        {
            "answers": int(answers),
            "partners": [_partner(one) for one in request.state.tenant.partner_calls.figures],
            "targets": [_target(one) for one in ours],
        }
    )


def _partner(one: PartnerFigures) -> dict[str, Any]:
    return {
        "partner": one.partner,
        "calls": one.calls,
        "mean_seconds": one.seconds / one.calls,
        "cause": one.cause,
        "away_since": one.away_since,
        "targets": [
            _target(figure)
            for figure in judged(calls=one.calls, quick=one.quick, failed=one.failed)
        ],
    }


def _target(one: Judged) -> dict[str, Any]:
    return {"name": one.target, "value": one.value, "target": one.aim, "met": one.met}


async def look(tenant: Any) -> dict[str, Any]:
    """How a tenant is: the log's position, each view's lag, what is parked, what drifts."""
    query = compose(_LOOK, tenant.schema, ("views", "parked"), "")
    counting = compose("SELECT count(*) FROM {drift}", tenant.schema, ("drift",), "")
    async with tenant.pool.connection() as connection:
        rows = await (await connection.execute(query, prepare=True)).fetchall()
        ((drift,),) = await (await connection.execute(counting, prepare=True)).fetchall()
    now = datetime.now(UTC)
    views = [
        {
            "name": name,
            "position": position,
            "lag": max(0, log - position),
            "lag_seconds": 0.0 if unseen is None else max(0.0, (now - unseen).total_seconds()),
            "parked": parked,
            "outdated": position > 0 and fold != views_fingerprint(),
        }
        for name, position, unseen, parked, log, fold in rows
    ]
    sick = [
        view["name"] for view in views if view["parked"] or view["lag_seconds"] > SICK_LAG_SECONDS
    ] + ["drift"] * bool(drift)
    return {
        "status": "sick" if sick else "ok",
        "sick": sick,
        "position": rows[0][4] if rows else 0,
        "views": views,
        "queue": tenant.store.waiting,
        "drift": drift,
    }


_LOOK = """
SELECT v.name, v.position,
    (SELECT c.recorded_at FROM {commits} c WHERE c.position > v.position
     ORDER BY c.position LIMIT 1),
    (SELECT count(*) FROM {parked} p WHERE p.view = v.name),
    coalesce((SELECT position FROM {commits} ORDER BY position DESC LIMIT 1), 0),
    v.fold
FROM {views} v ORDER BY v.name
"""
