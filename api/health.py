"""监控 Health, readiness and metrics (M1)."""

from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Gauge, Histogram, generate_latest
from psycopg import Error
from psycopg_pool import PoolTimeout, TooManyRequests

from api.reading import json_answer
from projections.reading import compose

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
VIEW_LAG = Gauge(
    "tallypost_view_lag_events", "Events a view is behind the log.", ["tenant", "view"]
)
PARKED = Gauge("tallypost_parked_events", "Events parked in a view.", ["tenant", "view"])
QUEUE_DEPTH = Gauge("tallypost_store_queue", "Commands that wait for the writer.", ["tenant"])

SICK_LAG_SECONDS = 10.0
"""A view that is behind and has not moved for this long is not well."""


@router.get("/health", summary="Views with lag, parked events, the log's position")
async def health(request: Request) -> Response:
    """200 while the database answers, views move and nothing is parked; else 503 with the cause."""
    try:
        report = await look(request.state.tenant)
    except (Error, OSError, PoolTimeout, TooManyRequests) as error:
        return json_answer({"status": "down", "cause": type(error).__name__}, status=503)
    return json_answer(report, status=200 if report["status"] == "ok" else 503)


@router.get("/ready", summary="Whether requests may come")
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


@router.get("/metrics", summary="Prometheus metrics")
async def metrics(request: Request) -> Response:
    """Request times by route, view lag, queue depth, forged callbacks."""
    for tenant in request.app.state.tenants.opened:
        try:
            report = await look(tenant)
        except (Error, OSError, PoolTimeout, TooManyRequests):
            continue  # /health says so; the other figures still count
        for view in report["views"]:
            VIEW_LAG.labels(tenant.schema, view["name"]).set(view["lag"])
            PARKED.labels(tenant.schema, view["name"]).set(view["parked"])
        QUEUE_DEPTH.labels(tenant.schema).set(tenant.store.waiting)
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


async def look(tenant: Any) -> dict[str, Any]:
    """How a tenant is: the log's position, each view's lag, what is parked."""
    query = compose(_LOOK, tenant.schema, ("views", "parked"), "")
    async with tenant.pool.connection() as connection:
        rows = await (await connection.execute(query, prepare=True)).fetchall()
    now = datetime.now(UTC)
    views = [
        {
            "name": name,
            "position": position,
            "lag": max(0, log - position),
            "still_seconds": round((now - moved_at).total_seconds(), 1),
            "parked": parked,
        }
        for name, position, moved_at, parked, log in rows
    ]
    sick = [
        view["name"]
        for view in views
        if view["parked"] or (view["lag"] and view["still_seconds"] > SICK_LAG_SECONDS)
    ]
    return {
        "status": "sick" if sick else "ok",
        "sick": sick,
        "position": rows[0][4] if rows else 0,
        "views": views,
        "queue": tenant.store.waiting,
    }


_LOOK = """
SELECT v.name, v.position, v.moved_at,
    (SELECT count(*) FROM {parked} p WHERE p.view = v.name),
    coalesce((SELECT position FROM {commits} ORDER BY position DESC LIMIT 1), 0)
FROM {views} v ORDER BY v.name
"""
