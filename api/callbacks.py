"""回调 What partners push, in their own wire format, answered in their own way (T1, T2, O5)."""

import asyncio
import hashlib
import logging
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from typing import Annotated, Any, NamedTuple, TypeVar

from fastapi import APIRouter, Path, Request, Response
from pydantic import ValidationError

from api.auth import check_text
from api.health import FORGED_CALLBACKS
from api.problems import invalid, problem
from api.shown.after_changes import CarrierTakenOut, NoticeTakenOut, PushTakenOut
from application import intercepting, ordering, watched_parcels
from application.envelope import Context
from application.gateways import kuaidi100, tracking
from application.gateways.kuaidi100_intercepts import says_it_could_not
from application.gateways.payment import SIGNATURE, Notice, signed
from application.outcomes import Unavailable
from application.pushed_tracks import WatchEnd, record_all, record_push
from application.streams import INTERCEPT, ORDER, PARCEL
from application.trackers import Trackers
from application.traffic import way_gone
from application.unit import Command, Unit
from domain.house_rules import HouseRules
from domain.intercepts import name_of, parcel_of
from projections.work_queues import parcels_of

logger = logging.getLogger(__name__)
router = APIRouter(prefix="/v1/callbacks", tags=["callbacks"])

T = TypeVar("T")

MAX_BODY_BYTES = 1_000_000
PAYMENT_SECONDS = 4.0
"""WeChat Pay waits 5 s for an answer; Kuaidi100 waits 20, more than the store's own patience."""
_PUSH = {
    "application/x-www-form-urlencoded": {
        "schema": {
            "type": "object",
            "required": ["param", "sign"],
            "properties": {
                "param": {"type": "string", "description": "JSON: status, message, lastResult"},
                "sign": {"type": "string", "description": "MD5 of param and salt, upper-case hex"},
            },
        },
        "example": {
            "param": '{"status":"polling","message":"","lastResult":{"message":"ok","state":"0",'
            '"status":"200","com":"shunfeng","nu":"SF1000000001","data":[]}}',
            "sign": "0123456789ABCDEF0123456789ABCDEF",
        },
    }
}
_ROUTES = {
    "application/json": {
        "schema": {"type": "object", "description": "as the carrier writes it"},
        "example": {
            "Body": {
                "WaybillRoute": [
                    {
                        "id": "1",
                        "mailno": "SF1000000001",
                        "acceptTime": "2026-11-03 10:00:00",
                        "acceptAddress": "深圳市",
                        "remark": "顺丰速运 已收取快件",
                        "opCode": "50",
                    }
                ]
            }
        },
    }
}
_NOTICE = {
    "application/json": {
        "schema": Notice.model_json_schema(),
        "example": {
            "order": "T261103A1B2C3D4E5F6",
            "attempt": "T261103A1B2C3D4E5F6-a1b2c3d4e5f6",
            "outcome": "succeeded",
            "amount_fen": 1_900,
            "at": "2026-11-03T02:15:30Z",
            "means": "wechat",
        },
    }
}
Key = Annotated[str, Path(max_length=200, description="of the address that was given out")]


@router.post(
    "/kuaidi100/{key}",
    response_model=PushTakenOut,
    openapi_extra={"requestBody": {"required": True, "content": _PUSH}},
    summary="Kuaidi100 pushes a parcel's track",
)
async def kuaidi100_push(request: Request, key: Key) -> Response:
    """Signed on the raw bytes with the parcel's own salt; answered once it is stored (T2)."""
    try:
        told = await _signed(request, key)
    except tracking.ForgedPush:
        return forged("kuaidi100")
    try:
        push = kuaidi100.read_push(told.param)
    except tracking.UnreadablePush as unreadable:
        # Signed but not understood: sent again it would be the same, so it is kept for a human.
        await _keep_unreadable(request, told.subject, unreadable.raw)
        return _json(kuaidi100.accepted())
    refused = await record_push(
        request.state.tenant,
        "kuaidi100",
        told.subject,
        push.scans,
        sent=told.body,
        raw=push.raw,
        corrected_to=push.com_new,
        corrected_from=push.com_old,
        second=push.second,
        ended=_watch_end(push),
    )
    return _json(kuaidi100.accepted() if refused is None else kuaidi100.refused(refused))


def _watch_end(push: kuaidi100.Push) -> WatchEnd | None:
    """The end of its watch, if a push tells it; an abort that corrects the carrier is none."""
    gave_up = push.status is kuaidi100.PushStatus.ABORT
    if (gave_up and push.com_new) or not (gave_up or push.status is kuaidi100.PushStatus.SHUTDOWN):
        return None
    return WatchEnd(gave_up, push.message, push.nu)


@router.post(
    "/carriers/{key}",
    response_model=CarrierTakenOut,
    openapi_extra={"requestBody": {"required": True, "content": _ROUTES}},
    summary="A carrier pushes the tracks of its parcels",
)
async def carrier_push(request: Request, key: Key) -> Response:
    """The address names the carrier and is secret; answered in its own way once all is stored (T1).

    What is told of unknown waybills is kept until a parcel claims it, and listed (M5): a carrier
    tells of a whole account, and none of its parcels holds up another one.
    """
    tenant = request.state.tenant
    link = tenant.callback_links.parcel_of(key)
    tracker = None if link is None else tenant.trackers.direct(link[0])
    if tracker is None:
        return forged("carriers")
    try:
        told, real = await _told_by(request, tracker)
    except tracking.ForgedPush:
        return forged(tracker.name)
    except tracking.UnreadablePush as unreadable:
        logger.error("a push of %s could not be read: %s", tracker.name, unreadable)
        return _json(tracker.again("unreadable"))
    async with tenant.pool.connection() as connection:
        parcels = await parcels_of(connection, tenant.schema, [one.number for one in told])
    again = await record_all(tenant, tracker.name, told, parcels, real=real)
    return _json(tracker.taken() if again is None else tracker.again(again))


async def _told_by(
    request: Request, tracker: tracking.DirectTracker
) -> tuple[Sequence[tracking.Told], bool]:
    """What the carrier pushes, or the sandbox in its place; whether it was the carrier (M3).

    Raises `ForgedPush` or `UnreadablePush`.
    """
    tenant, body = request.state.tenant, await raw_body(request)
    settings, now = tenant.settings, tenant.store.clock()
    source = request.client.host if request.client else ""
    played = None
    if tracker.name in settings.rehearsal:
        played = Trackers(settings.rehearsed(tracker.name)).direct(tracker.name)
    for one in filter(None, (tracker, played)):
        if one.addresses and source not in one.addresses:
            continue
        with suppress(tracking.ForgedPush):
            return one.read_push(body, request.headers, now=now), one is tracker
    raise tracking.ForgedPush("nobody's signature fits")


@router.post(
    "/kuaidi100-intercepts/{key}",
    response_model=PushTakenOut,
    openapi_extra={"requestBody": {"required": True, "content": _PUSH}},
    summary="Kuaidi100 tells of a parcel that is to be stopped",
)
async def kuaidi100_intercept(request: Request, key: Key) -> Response:
    """Signed as a push is; kept as it came, because nobody documents what is in it (O8).

    The address names the request: a parcel that was asked for twice has two.
    """
    try:
        told = await _signed(request, key)
    except tracking.ForgedPush:
        return forged("kuaidi100")
    # Before requests had addresses of their own, that of a parcel was given out with its first.
    parcel = parcel_of(told.subject) or told.subject
    intercept = told.subject if parcel != told.subject else name_of(parcel, 1)
    digest = hashlib.sha256(told.body).digest()
    failed = says_it_could_not(told.param)
    command = Command(
        principal="partner:kuaidi100",
        key=f"intercept:{intercept}:{digest.hex()[:32]}",
        digest=digest,
        context=Context(actor="partner:kuaidi100", command=f"intercept:{digest.hex()[:16]}"),
        decide=lambda unit: intercepting.note_word(
            unit, parcel=parcel, intercept=intercept, raw=told.param, failed=failed
        ),
        streams=[INTERCEPT.stream(parcel)],
    )
    await request.state.tenant.store.execute(command)
    return _json(kuaidi100.accepted())


@router.post(
    "/payment/{key}",
    response_model=NoticeTakenOut,
    openapi_extra={"requestBody": {"required": True, "content": _NOTICE}},
    summary="The payment provider tells of a payment or refund",
)
async def payment_notice(request: Request, key: Key) -> Response:
    """`X-Signature`: HMAC-SHA256 of the raw body, hex; sent again it changes nothing (O5)."""
    body = await raw_body(request)
    return await _in_time(PAYMENT_SECONDS, _take_notice(request, key, body))


async def _take_notice(request: Request, key: str, body: bytes) -> Response:
    tenant = request.state.tenant
    link = tenant.callback_links.parcel_of(key)
    if link is None:
        return forged("payment")
    way = await way_gone(tenant, "payment", link[0])  # the sandbox's secret pays no real order
    if not signed(body, request.headers.get(SIGNATURE, ""), way.settings.payment_keys):
        return forged("payment")
    check_text(body)
    try:
        notice = Notice.model_validate_json(body)
    except ValidationError as error:
        return invalid(error.errors(include_input=False))
    if notice.order != link[0]:
        return forged("payment")  # signed, but for another order's address
    digest = hashlib.sha256(body).digest()
    command = Command(
        principal="partner:payment",
        key=f"{notice.order}:{digest.hex()[:32]}",
        digest=digest,
        context=Context(actor="partner:payment", command=f"notice:{digest.hex()[:16]}"),
        decide=lambda unit: _noticed(unit, notice, tenant.rules),
        streams=[ORDER.stream(notice.order)],
    )
    outcome = await tenant.store.execute(command)
    return Response(outcome.answer, media_type="application/json")


def _noticed(unit: Unit, notice: Notice, rules: HouseRules) -> dict[str, Any]:
    failed = notice.outcome != "succeeded"
    cause = notice.cause or "refused by the provider" if failed else None
    if notice.refund is not None:
        return ordering.settle_cash_refund(
            unit, number=notice.order, refund=notice.refund, cause=cause
        )
    payment = ordering.Payment(
        attempt=notice.attempt,
        means=notice.means,
        amount_fen=notice.amount_fen,
        at=notice.at,
        cause=cause,
    )
    return ordering.take_payment(unit, number=notice.order, payment=payment, rules=rules)


async def _keep_unreadable(request: Request, parcel: str, raw: bytes) -> None:
    tenant = request.state.tenant
    digest = hashlib.sha256(raw).digest()
    command = Command(
        principal="partner:kuaidi100",
        key=f"{parcel}:{digest.hex()[:32]}",
        digest=digest,
        context=Context(actor="partner:kuaidi100", command=f"push:{digest.hex()[:16]}"),
        decide=lambda unit: watched_parcels.keep_unreadable(unit, parcel=parcel, raw=raw),
        streams=[PARCEL.stream(parcel)],
    )
    await tenant.store.execute(command)
    logger.error("a signed push could not be read; it is kept")


_late: set[asyncio.Task[Any]] = set()


async def _in_time(seconds: float, taking: Coroutine[Any, Any, T]) -> T:
    """What comes of it. Raises `Unavailable` where that takes longer: it goes on all the same, and
    whoever sends it again gets its answer (R38)."""
    task = asyncio.create_task(taking)
    done, _ = await asyncio.wait({task}, timeout=seconds)
    if done:
        return task.result()
    _late.add(task)
    task.add_done_callback(_ended)
    raise Unavailable


def _ended(task: asyncio.Task[Any]) -> None:
    """Nobody waits for it any more; how it failed is told to who sends it again."""
    _late.discard(task)
    if not task.cancelled():
        task.exception()


class _Signed(NamedTuple):
    """What Kuaidi100 sent to an address that was given out."""

    subject: str
    """What the address is about: a parcel, or a request to stop one."""
    body: bytes
    """As it came."""
    param: bytes
    """What of it is signed."""


async def _signed(request: Request, key: str) -> _Signed:
    """What was sent, with the salt of what the address is about; raises `ForgedPush`."""
    link = request.state.tenant.callback_links.parcel_of(key)
    if link is None:
        raise tracking.ForgedPush("nobody has such an address")
    subject, salt = link
    body = await raw_body(request)
    return _Signed(subject, body, kuaidi100.verified_param(body, salt=salt.encode()))


async def raw_body(request: Request) -> bytes:
    """The body as it came: signatures are checked on these bytes."""
    return await request.body()


def forged(partner: str) -> Response:
    """Counted, and answered 401."""
    FORGED_CALLBACKS.labels(partner).inc()
    return problem(401, "forged", "The signature does not fit.", detail_zh="签名不符。")


def _json(content: bytes) -> Response:
    return Response(content, media_type="application/json")
