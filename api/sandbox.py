"""沙箱 `tallypost sandbox`: the partners, played by one local server in their own wire formats.

Kuaidi100: takes subscriptions and pushes a journey, scan by scan, signed with the parcel's salt,
each push once more than needed; gives out labels, one an order. SF: pushes routes and answers
queries (`api/sandbox_sf.py`). A third party's warehouse: takes wishes, tells of its work
(`api/sandbox_third_party.py`). Payment: takes signed charges, shows a page to pay on, and sends
signed notices, twice. The staff's robot, Agora and a CRM keep what they are told: `/` shows it.
`POST /behaviour` makes a partner misbehave.
"""

import asyncio
import html
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import httpx2
from fastapi import BackgroundTasks, FastAPI, Form, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import ValidationError
from pydantic_core import to_json

from api.sandbox_agora import AgoraSandbox, signal_routes
from api.sandbox_behaviour import Behaviour
from api.sandbox_carriers import CarriersSandbox, carrier_routes
from api.sandbox_crm import CrmSandbox, crm_routes
from api.sandbox_labels import KEY, LabelService, label_routes
from api.sandbox_page import page_routes
from api.sandbox_sf import SfSandbox, add_sf
from api.sandbox_third_party import ThirdParty, third_party_routes
from api.sandbox_wecom import RobotSandbox, robot_routes
from application.divisions import division_named
from application.gateways.kuaidi100 import compact_json, sign_push, sign_query
from application.gateways.kuaidi100_codes import CARRIERS
from application.gateways.payment import SIGNATURE, Charge, Charged, Notice, Refund, sign, signed
from domain.divisions import Division
from domain.scans import BEIJING

logger = logging.getLogger(__name__)

CUSTOMER = "sandbox-customer"
"""The account at Kuaidi100 that the sandbox knows, for queries."""
STEPS = 6
"""How many scans a parcel has that nobody calls back."""
ORIGIN, DESTINATION = "610100", "330100"
"""Where a parcel comes from and goes to of which the subscription does not say it."""
BACK = (
    ("退回", "应寄件人要求,快件正在退回途中", "CN330100000000"),
    ("退签", "快件已退回,寄件人已签收", "CN610100000000"),
)
"""The scans of one that was called back, after those it had by then."""
BORDER = 4
"""How many scans of a parcel that goes abroad are told by whoever took it at home."""
ELSEWHERE = (("转投", "应客户要求转寄中", "CN330100000000"),)


def journey(carrier: str, origin: str, destination: str) -> tuple[tuple[str, str, str], ...]:
    """The scans a parcel goes through: (status, text, area)."""
    start, end = _place(origin or ORIGIN), _place(destination or DESTINATION)
    here, there = f"CN{start.code}000000", f"CN{end.code}000000"
    return (
        ("揽收", f"【{start.name}】 {CARRIERS.get(carrier, carrier)} 已收取快件", here),
        ("在途", f"快件到达 【{start.name}集散中心】", here),
        ("在途", f"快件已发车,前往 【{end.name}集散中心】", here),
        ("在途", f"快件到达 【{end.name}集散中心】", there),
        ("派件", "快件交给快递员,正在派送途中", there),
        ("签收", "已签收,签收人:本人", there),
    )


def journey_abroad(carrier: str, origin: str) -> tuple[tuple[str, str, str], ...]:
    """The scans of a parcel that crosses a border; those from `BORDER` on are told from there."""
    home = journey(carrier, origin, "")[:2]
    area = home[0][2]
    return (
        *home,
        ("清关中", "快件正在清关中", area),
        ("已清关", "快件已清关,等待出境", area),
        ("派件", "Out for delivery", ""),
        ("签收", "Delivered", ""),
    )


def _place(named: str) -> Division:
    try:
        return division_named(named)
    except ValueError:  # a place that they do not know is no reason to lose a parcel
        return division_named(ORIGIN)


@dataclass
class Sandbox:
    """What the partners know."""

    secret: bytes
    mall: httpx2.AsyncBaseTransport | None = None
    """How the mall is reached, if not over the network."""
    behaviour: Behaviour = field(default_factory=Behaviour)
    subscriptions: dict[str, dict[str, Any]] = field(default_factory=dict)
    charges: dict[str, Charge] = field(default_factory=dict)
    outcomes: dict[str, str] = field(default_factory=dict)
    labels: LabelService = field(default_factory=LabelService)

    async def push_journey(self, number: str) -> None:
        """Push a parcel's scans one by one, each push with all scans so far, newest first."""
        subscription = self.subscriptions[number]
        told = 0
        while told < len(subscription["story"]):
            told += 1
            await asyncio.sleep(self.behaviour.pace_seconds)
            whole = len(subscription["story"])  # it may have been called back meanwhile
            count = whole + 1 - told if self.behaviour.newest_first else told
            subscription["seen"] = max(count, subscription["seen"])
            last = self.report(number, count)
            if self.behaviour.lose:
                continue
            status = "shutdown" if count == whole else "polling"
            there = self.report_abroad(number, count)
            told_there = {"destResult": there} if there else {}
            push = {"status": status, "message": "", "lastResult": last, **told_there}
            param = compact_json(push)
            salt = "0" * 32 if self.behaviour.forge else subscription["salt"]
            form = {"param": param.decode(), "sign": sign_push(param, salt.encode())}
            await self.send(subscription["callbackurl"], data=form)

    def report(self, number: str, count: int) -> dict[str, Any]:
        """What the carrier knows of a parcel after so many scans, newest first (wire 1.3)."""
        subscription = self.subscriptions[number]
        here = min(count, BORDER) if subscription["abroad"] else count
        return self._told(number, subscription["com"], subscription, range(here))

    def report_abroad(self, number: str, count: int) -> dict[str, Any] | None:
        """What whoever has it abroad knows of it, under a number of their own (wire 1.6)."""
        subscription = self.subscriptions[number]
        country, carrier = subscription["abroad"] or ("", "")
        if not country or count <= BORDER:
            return None
        there = f"RR{number[-9:]}{country}"
        return self._told(there, carrier, subscription, range(BORDER, count))

    def told_of(self, number: str) -> dict[str, Any] | None:
        """What a query is answered about a number, at home or abroad; None: nothing is known."""
        for home, known in self.subscriptions.items():
            seen = min(known["seen"], STEPS - 1) if self.behaviour.forget else known["seen"]
            if number == home:
                return self.report(home, seen) if seen else None
            there = self.report_abroad(home, seen)
            if there is not None and number == there["nu"]:
                return there
        return None

    def _told(
        self, number: str, carrier: str, subscription: dict[str, Any], places: range
    ) -> dict[str, Any]:
        story = [(place, *subscription["story"][place]) for place in places]
        scans = [
            {
                "time": f"{self._time(subscription['times'], place, newest=places[-1])}",
                "context": text,
                "status": status,
                "areaCode": area,
            }
            for place, status, text, area in story
        ]
        return {
            "message": "ok",
            "nu": number,
            "com": carrier,
            "status": "200",
            "ischeck": "1" if story[-1][1] == "签收" else "0",
            "data": scans[::-1],
        }

    def stop(self, asked: dict[str, Any], under_way: set[asyncio.Task[None]]) -> bool:
        """Turn a parcel round, or not, as the behaviour says; False for one nobody watches."""
        number, behaviour = str(asked["kuaidinum"]), self.behaviour
        subscription = self.subscriptions.get(number)
        if subscription is None:
            return False
        if behaviour.intercepts == "turn":
            way = ELSEWHERE if asked["interceptType"] == "MODIFY_ADDR" else BACK
            subscription["story"] = (*subscription["story"][: max(1, subscription["seen"])], *way)
        if behaviour.intercepts != "silent":
            said = "拦截成功" if behaviour.intercepts == "turn" else "拦截失败"
            word = {"kuaidinum": number, "kuaidicom": asked["kuaidicom"], "message": said}
            param = compact_json(word)
            salt = "0" * 32 if behaviour.forge else str(asked["salt"])
            form = {"param": param.decode(), "sign": sign_push(param, salt.encode())}
            task = asyncio.create_task(self.send(str(asked["callbackUrl"]), data=form))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
        return True

    def _time(self, times: dict[int, datetime], place: int, *, newest: int) -> datetime:
        """When a scan happened, as it stays: just now, for the newest; never ahead.

        They are a second apart, at least: where that many do not fit between the hand-over and
        now, because the house is hurried, they begin before it.
        """
        if place not in times:
            now = datetime.now(BEIJING).replace(tzinfo=None, microsecond=0)
            hurried = self.behaviour.pace_seconds < 1
            ago = STEPS + len(BACK) - place if hurried else newest - place
            moment = now - timedelta(seconds=ago)
            if place - 1 in times:
                moment = max(moment, min(times[place - 1] + timedelta(seconds=1), now))
            times[place] = moment
        return times[place]

    async def notify(self, url: str, notice: Notice) -> None:
        """Send a signed notice, as often as the behaviour says."""
        body = notice.model_dump_json(exclude_none=True).encode()
        secret = b"forged" if self.behaviour.forge else self.secret
        await self.send(url, content=body, headers={SIGNATURE: sign(body, secret)})

    async def send(self, url: str, **what: Any) -> None:
        """Send a message to the mall, as often as the behaviour says."""
        async with httpx2.AsyncClient(timeout=10, trust_env=False, transport=self.mall) as client:
            for _ in range(self.behaviour.repeat):
                try:
                    answer = await client.post(url, **what)
                    logger.debug("sent to the mall, answered %s", answer.status_code)
                except httpx2.HTTPError as error:
                    logger.warning("the mall did not answer: %s", type(error).__name__)


def create_sandbox(secret: bytes, *, mall: httpx2.AsyncBaseTransport | None = None) -> FastAPI:
    """The partners as one application; `secret` is what payment messages are signed with."""
    sandbox = Sandbox(secret, mall)
    journeys: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        for pushing in (*journeys, *app.state.third_party.sending):
            pushing.cancel()

    app = FastAPI(title="Tallypost sandbox", description=__doc__ or "", lifespan=lifespan)
    app.state.sandbox = sandbox
    routes = label_routes(
        sandbox.labels, lambda: sandbox.behaviour, lambda asked: sandbox.stop(asked, journeys)
    )
    app.include_router(routes)

    @app.post("/behaviour", summary="Make the partners behave or misbehave")
    async def behave(behaviour: Behaviour) -> Behaviour:
        sandbox.behaviour = behaviour
        return behaviour

    @app.post("/poll", summary="Kuaidi100: subscribe (wire 1.5)")
    async def subscribe(param: Annotated[str, Form(max_length=10_000)]) -> Response:
        if sandbox.behaviour.refuse:
            return _kuaidi100("500", "服务器错误", result=False)
        try:
            asked = json.loads(param)
            parameters = asked["parameters"]
            company, start = str(asked["company"]), str(asked.get("from", ""))
            abroad = None
            if parameters.get("interCom") == "1":
                country = str(parameters["destinationCountry"])
                abroad = country, str(parameters.get("destinationCom", "sandboxpost"))
            subscription = {
                "abroad": abroad,
                "com": asked["company"],
                "callbackurl": parameters["callbackurl"],
                "salt": parameters["salt"],
                "times": {},
                "seen": 0,
                "story": journey_abroad(company, start)
                if abroad
                else journey(company, start, str(asked.get("to", ""))),
            }
            number = str(asked["number"])
        except (ValueError, KeyError, TypeError):
            return _kuaidi100("700", "订阅方的订阅数据存在错误", result=False)
        if number in sandbox.subscriptions:
            return _kuaidi100("501", "重复订阅", result=False)
        sandbox.subscriptions[number] = subscription
        pushing = asyncio.create_task(sandbox.push_journey(number))
        journeys.add(pushing)
        pushing.add_done_callback(journeys.discard)
        return _kuaidi100("200", "提交成功", result=True)

    @app.post("/poll/query.do", summary="Kuaidi100: query (wire 1.3)")
    async def query(
        param: Annotated[str, Form(max_length=10_000)],
        customer: Annotated[str, Form(max_length=100)],
        sign: Annotated[str, Form(max_length=100)],
    ) -> Response:
        if sign != sign_query(param.encode(), key=KEY, customer=customer):
            return _kuaidi100("503", "验证签名失败", result=False)
        if sandbox.behaviour.refuse:
            return _kuaidi100("501", "服务器错误", result=False)
        try:
            number = str(json.loads(param)["num"])
        except (ValueError, KeyError, TypeError):
            return _kuaidi100("400", "提交的数据不完整", result=False)
        told = sandbox.told_of(number)
        if told is None:
            return _kuaidi100("500", "查询无结果,请隔段时间再查", result=False)
        return Response(to_json(told), media_type="application/json")

    @app.post("/payment/charges", status_code=201, summary="Payment: a charge")
    async def charge(request: Request) -> Response:
        body = await request.body()
        if not signed(body, request.headers.get(SIGNATURE, ""), [sandbox.secret]):
            return Response(status_code=401)
        if sandbox.behaviour.refuse:
            return Response(status_code=503)
        try:
            asked = Charge.model_validate_json(body)
        except ValidationError:
            return Response(status_code=422)
        sandbox.charges.setdefault(asked.attempt, asked)
        pay_url = str(request.url_for("pay", attempt=asked.attempt))
        return Response(
            Charged(pay_url=pay_url).model_dump_json(), 201, media_type="application/json"
        )

    @app.get("/payment/pay/{attempt}", name="pay", summary="Payment: the page to pay on")
    async def pay(attempt: str) -> HTMLResponse:
        asked = sandbox.charges.get(attempt)
        if asked is None:
            return HTMLResponse("No such payment.", 404)
        return HTMLResponse(
            _PAGE.format(yuan=asked.amount_fen / 100, order=html.escape(asked.order))
        )

    @app.post("/payment/pay/{attempt}", summary="Payment: pay, or let it fail")
    async def paid(
        attempt: str, background: BackgroundTasks, outcome: Annotated[str, Form()] = "succeeded"
    ) -> HTMLResponse:
        asked = sandbox.charges.get(attempt)
        if asked is None:
            return HTMLResponse("No such payment.", 404)
        decided = sandbox.outcomes.setdefault(
            attempt, "succeeded" if outcome == "succeeded" else "failed"
        )
        notice = Notice(
            order=asked.order,
            attempt=attempt,
            outcome="succeeded" if decided == "succeeded" else "failed",
            amount_fen=asked.amount_fen,
            at=datetime.now(UTC),
            cause=None if decided == "succeeded" else "declined",
        )
        background.add_task(sandbox.notify, asked.callback_url, notice)
        return HTMLResponse(f"<p>{decided}</p><p>You can close this page. 可以关闭此页。</p>")

    @app.post("/payment/refunds", status_code=202, summary="Payment: money goes back")
    async def refund(request: Request, background: BackgroundTasks) -> Response:
        body = await request.body()
        if not signed(body, request.headers.get(SIGNATURE, ""), [sandbox.secret]):
            return Response(status_code=401)
        if sandbox.behaviour.refuse:
            return Response(status_code=503)
        try:
            asked = Refund.model_validate_json(body)
        except ValidationError:
            return Response(status_code=422)
        notice = Notice(
            order=asked.order,
            attempt=asked.attempt,
            outcome="succeeded",
            amount_fen=asked.amount_fen,
            at=datetime.now(UTC),
            refund=asked.refund,
        )
        background.add_task(sandbox.notify, asked.callback_url, notice)
        return Response(status_code=202)

    app.state.third_party = ThirdParty(sandbox.send, lambda: sandbox.behaviour)
    app.include_router(third_party_routes(app.state.third_party))
    app.state.robot = RobotSandbox(lambda: sandbox.behaviour)
    app.include_router(robot_routes(app.state.robot))
    app.state.agora = AgoraSandbox(lambda: sandbox.behaviour)
    app.include_router(signal_routes(app.state.agora))
    app.state.crm = CrmSandbox(lambda: sandbox.behaviour)
    app.include_router(crm_routes(app.state.crm))
    app.include_router(page_routes(app.state))
    app.state.carriers = CarriersSandbox(lambda: sandbox.behaviour)
    app.include_router(carrier_routes(app.state.carriers))
    app.state.sf = SfSandbox(sandbox.send, lambda: sandbox.behaviour)
    add_sf(app, app.state.sf, journeys)
    return app


def _kuaidi100(code: str, message: str, *, result: bool) -> Response:
    body = {"result": result, "returnCode": code, "message": message}
    return Response(to_json(body), media_type="application/json")


_PAGE = """<!doctype html><html lang="zh-CN"><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>Sandbox payment</title>
<body style="font:16px system-ui;max-width:24rem;margin:4rem auto;padding:0 1rem">
<h1>沙箱支付 Sandbox payment</h1><p>{order}: ¥ {yuan:.2f}</p>
<form method="post"><button name="outcome" value="succeeded">支付 Pay</button>
<button name="outcome" value="failed">失败 Decline</button></form></body></html>"""
