"""回调订阅 Webhooks: systems subscribe to what happens here and are told, signed, in order (N2).

Deliveries follow Standard Webhooks: `webhook-id` is the same on every try, `webhook-timestamp`
and `webhook-signature` are new. Answer 2xx within ten seconds; anything else is tried ten times
over about 75 hours, then parked; 410 ends the subscription. Remember ids: one may come twice.
"""

import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field

from api.auth import Asked, Caller, Role, allow
from api.bodies import Body, Whole
from api.changing import Change
from api.reading import Limit, json_answer
from api.shown.fields import example
from api.shown.to_systems import (
    DeliveriesOut,
    NewWebhookOut,
    OneWebhookOut,
    PingOut,
    WebhookOut,
    WebhooksOut,
)
from application.dispatching import tell
from application.gateways.outbound import URL_MAX, AddressRefused, Outbound, checked_url
from application.subscriptions import Subscription, Subscriptions, subscription_id
from application.webhooks import Outcome, judge, ping
from domain.refusals import InvalidRequest

router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"])

Subscriber = Annotated[Caller, allow(Role.SERVICE, Role.ADMINISTRATOR)]
Name = Annotated[
    str,
    Path(
        min_length=20,
        max_length=20,
        pattern=r"^[0-9a-f]+$",
        description="id of the subscription",
    ),
]
PAGE = 50


class WebhookIn(Body):
    """Where to tell what."""

    model_config = example(
        url="https://crm.example/hook", facts=["orders.*", "ledger.PointsGranted"]
    )
    url: Annotated[
        str,
        Field(min_length=1, max_length=URL_MAX, description="https, a public address, no user"),
    ]
    facts: Annotated[
        list[Annotated[str, Field(max_length=100)]],
        Field(
            min_length=1,
            max_length=50,
            description="names of facts, or all of a room: `orders.*`, `ledger.*`, `parcels.*`, "
            "`disputes.*`, `claims.*`, `returns.*`",
        ),
    ]
    from_position: Annotated[Whole, Field(ge=1, le=2**62)] | None = Field(
        default=None, description="tell from this log position on; without it, from now on"
    )


class ReplayIn(Body):
    """From where to tell again."""

    model_config = example(from_position=42)
    from_position: Annotated[
        Whole, Field(ge=1, le=2**62, description="tell from this log position on, once more")
    ]


@router.post("", status_code=201, response_model=NewWebhookOut, summary="Subscribe to what happens")
async def create(request: Request, caller: Subscriber, change: Change, body: WebhookIn) -> Response:
    """The secret signs deliveries; sent again with the same key, the same subscription answers."""
    _check_url(request, body.url)
    name = subscription_id(caller.principal, change.key)
    now = request.state.tenant.store.clock()

    async with _subscriptions(request) as mine:

        async def work() -> dict[str, Any]:
            after = None if body.from_position is None else body.from_position - 1
            await mine.create(
                name, owner=caller.principal, url=body.url, facts=body.facts, after=after, now=now
            )
            return {}

        repeated = await _once(request, mine, change, work)
        found = _shown(await mine.named(name, owner=caller.principal))
        secret = await mine.secret(name)
    return _changed({**found, "secret": secret}, repeated=repeated, status=201)


@router.get("", response_model=WebhooksOut, summary="Subscriptions")
async def listed(request: Request, caller: Subscriber) -> Response:
    """A service sees its own, an administrator everybody's."""
    async with _subscriptions(request) as mine:
        found = await mine.listed(_owner(caller))
    return json_answer([_shown(one) for one in found])


@router.get("/{webhook}", response_model=OneWebhookOut, summary="One subscription")
async def read(request: Request, caller: Subscriber, webhook: Name) -> Response:
    """With its cursor, what it is waiting for, and what was parked."""
    async with _subscriptions(request) as mine:
        found = await mine.named(webhook, owner=_owner(caller))
        parked = await mine.parked(webhook)
    return json_answer({**_shown(found), "parked_deliveries": parked})


@router.delete("/{webhook}", status_code=204, summary="End a subscription")
async def delete(request: Request, caller: Subscriber, webhook: Name) -> Response:
    """Nothing more is told; its secret and cursor are gone."""
    async with _subscriptions(request) as mine:
        await mine.named(webhook, owner=_owner(caller))
        await mine.delete(webhook)
    return Response(status_code=204)


@router.post("/{webhook}/replay", response_model=WebhookOut, summary="Tell again from a position")
async def replay(
    request: Request, caller: Subscriber, change: Change, webhook: Name, body: ReplayIn
) -> Response:
    """Under the same ids as before; parked deliveries from there on come again, too."""
    now = request.state.tenant.store.clock()
    return await _change(
        request, caller, change, webhook,
        lambda mine: mine.replay(webhook, from_position=body.from_position, now=now),
    )  # fmt: skip


@router.post("/{webhook}/pause", response_model=WebhookOut, summary="Stop telling for a while")
async def pause(request: Request, caller: Subscriber, change: Change, webhook: Name) -> Response:
    """The cursor stays where it is."""
    now = request.state.tenant.store.clock()
    return await _change(
        request, caller, change, webhook, lambda mine: mine.pause(webhook, now=now)
    )


@router.post("/{webhook}/resume", response_model=WebhookOut, summary="Go on where it stopped")
async def resume(request: Request, caller: Subscriber, change: Change, webhook: Name) -> Response:
    """At once, with all tries anew; also after 410 or after too much was parked."""
    now = request.state.tenant.store.clock()
    return await _change(
        request, caller, change, webhook, lambda mine: mine.resume(webhook, now=now)
    )


@router.get("/{webhook}/deliveries", response_model=DeliveriesOut, summary="The newest tries")
async def deliveries(
    request: Request,
    caller: Subscriber,
    webhook: Name,
    cursor: Annotated[int | None, Query(ge=1, le=2**62, description="`next` of the page")] = None,
    limit: Limit = PAGE,
) -> Response:
    """Newest first: event, try, status or why there was none, and how long it took."""
    async with _subscriptions(request) as mine:
        await mine.named(webhook, owner=_owner(caller))
        found = await mine.deliveries(webhook, before=cursor, limit=limit + 1)
    page = [one._asdict() for one in found[:limit]]
    after = page[-1]["serial"] if len(found) > limit else None
    return json_answer({"deliveries": page, "next": after})


@router.post("/{webhook}/ping", response_model=PingOut, summary="Send a test message now")
async def send_ping(request: Request, caller: Subscriber, webhook: Name) -> Response:
    """Signed like any other, of type `webhook.ping`; not tried again, and it changes nothing."""
    async with _subscriptions(request) as mine:
        found = await mine.named(webhook, owner=_owner(caller))
        secret = await mine.secret(webhook)
    now = request.state.tenant.store.clock()
    started = time.monotonic()
    async with Outbound(loopback=_loopback(request)) as outbound:
        tried = await tell(
            outbound,
            found.url,
            secret=secret,
            id=f"ping_{secrets.token_hex(8)}",
            body=ping(now),
            now=now,
        )
    verdict = judge(tried, failed_before=0, chance=0.5)
    return json_answer(
        {
            "delivered": verdict.outcome is Outcome.DELIVERED,
            "status": tried.status,
            "cause": tried.cause,
            "took_ms": round((time.monotonic() - started) * 1000),
        }
    )


async def _change(
    request: Request,
    caller: Caller,
    change: Asked,
    webhook: str,
    work: Callable[[Subscriptions], Awaitable[None]],
) -> Response:
    """Change a subscription once per key, and answer as it then stood."""
    async with _subscriptions(request) as mine:

        async def changed() -> dict[str, Any]:
            await mine.named(webhook, owner=_owner(caller))
            await work(mine)
            return {}

        repeated = await _once(request, mine, change, changed)
        found = await mine.named(webhook, owner=_owner(caller))
    return _changed(_shown(found), repeated=repeated)


async def _once(
    request: Request,
    mine: Subscriptions,
    change: Asked,
    work: Callable[[], Awaitable[dict[str, Any]]],
) -> bool:
    _, repeated = await mine.once(
        principal=change.caller.principal,
        key=change.key,
        digest=change.digest,
        now=request.state.tenant.store.clock(),
        work=work,
    )
    return repeated


def _changed(body: dict[str, Any], *, repeated: bool, status: int = 200) -> Response:
    headers = {"Idempotent-Replay": "true"} if repeated else None
    return json_answer(body, status=status, headers=headers)


def _shown(one: Subscription) -> dict[str, Any]:
    shown = one._asdict()
    del shown["owner"]
    return shown


def _owner(caller: Caller) -> str | None:
    """Whose subscriptions the caller reaches; None: everybody's."""
    return None if caller.role is Role.ADMINISTRATOR else caller.principal


def _loopback(request: Request) -> bool:
    return bool(request.state.tenant.settings.loopback_webhooks)


def _check_url(request: Request, url: str) -> None:
    try:
        checked_url(url, loopback=_loopback(request))
    except AddressRefused as refused:
        raise InvalidRequest(field="url", reason=refused.reason) from None


@asynccontextmanager
async def _subscriptions(request: Request) -> AsyncIterator[Subscriptions]:
    tenant = request.state.tenant
    async with tenant.pool.connection() as connection:
        yield Subscriptions(connection, schema=tenant.schema, vault=tenant.vault)
