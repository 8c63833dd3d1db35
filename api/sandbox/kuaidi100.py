"""沙箱快递100 Kuaidi100, played in its wire format: subscriptions, pushes, queries (M3; wire 1).

It pushes a journey, scan by scan, signed with the parcel's salt. It holds whoever asks to its
limits: a number that is asked about again within half an hour is locked for as long.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from pydantic_core import to_json

from api.sandbox.labels import KEY
from api.sandbox.limits import DAY, Limits, Pace
from api.sandbox.line import ByHand, Line, believes
from application.divisions import division_named
from application.gateways.kuaidi100 import compact_json, sign_push, sign_query
from application.gateways.kuaidi100_codes import (
    CARRIERS,
    PHONE_TO_QUERY,
    PHONE_TO_SUBSCRIBE,
)
from domain.divisions import Division
from domain.scans import BEIJING

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


BY_HAND: dict[str, tuple[str, str, str]] = {
    "moved": ("在途", "快件正在运输途中", ""),
    "delivering": ("派件", "快件交给快递员,正在派送途中", ""),
    "failed": ("疑难", "派件不成功:收件人不在,改天再派", ""),
    "customs": ("清关中", "快件正在清关中", ""),
    "cleared": ("已清关", "快件已清关", ""),
    "signed": ("签收", "已签收,签收人:本人", ""),
    "returned": BACK[1],
}
"""Scans that somebody lets it push."""


@dataclass
class Kuaidi100Sandbox:
    """What the aggregator knows."""

    line: Line
    limits: Limits = field(default_factory=Limits)
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    subscriptions: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: dict[str, datetime] = field(default_factory=dict)
    """When each number was asked about last."""

    def __post_init__(self) -> None:
        self._day = Pace(self.limits.queries_a_day, DAY)

    async def push_journey(self, number: str) -> None:
        """Push a parcel's scans one by one, each push with all scans so far, newest first."""
        subscription = self.subscriptions[number]
        told = 0
        while told < len(subscription["story"]):
            told += 1
            await asyncio.sleep(self.line.behaviour.pace_seconds)
            whole = len(subscription["story"])  # it may have been called back meanwhile
            count = whole + 1 - told if self.line.behaviour.newest_first else told
            await self._push(number, count)

    async def push_by_hand(self, number: str, event: str) -> None:
        """A scan after those that it has so far; the rest of its journey comes after that."""
        subscription = self.subscriptions[number]
        seen, story = subscription["seen"], subscription["story"]
        subscription["story"] = (*story[:seen], BY_HAND[event], *story[seen:])
        await self._push(number, seen + 1)

    async def _push(self, number: str, count: int) -> None:
        subscription = self.subscriptions[number]
        subscription["seen"] = max(count, subscription["seen"])
        last, there = self.report(number, count), self.report_abroad(number, count)
        status = "shutdown" if count == len(subscription["story"]) else "polling"
        told_there = {"destResult": there} if there else {}
        push = {"status": status, "message": "", "lastResult": last, **told_there}
        await self.tell(subscription["callbackurl"], push, salt=subscription["salt"])

    async def tell(self, url: str, word: dict[str, Any], *, salt: str) -> None:
        """Push a word, signed with the salt that was given for it."""
        param, forged = compact_json(word), self.line.happens("forge")
        sign = sign_push(param, b"0" * 32 if forged else salt.encode())
        form = {"param": param.decode(), "sign": sign}
        await self.line.push(url, lambda: {"data": form}, forged=forged)

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
            seen = min(known["seen"], STEPS - 1) if self.line.behaviour.forget else known["seen"]
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

    def stop(self, asked: dict[str, Any]) -> bool:
        """Turn a parcel round, or not, as the behaviour says; False for one nobody watches."""
        number, how = str(asked["kuaidinum"]), self.line.behaviour.intercepts
        subscription = self.subscriptions.get(number)
        if subscription is None:
            return False
        if how == "turn":
            way = ELSEWHERE if asked["interceptType"] == "MODIFY_ADDR" else BACK
            subscription["story"] = (*subscription["story"][: max(1, subscription["seen"])], *way)
        if how != "silent":
            said = "拦截成功" if how == "turn" else "拦截失败"
            word = {"kuaidinum": number, "kuaidicom": asked["kuaidicom"], "message": said}
            url, salt = str(asked["callbackUrl"]), str(asked["salt"])
            self.line.start(self.tell(url, word, salt=salt))
        return True

    def subscribe(self, param: str) -> Response:
        """Watch a parcel from now on (1.5)."""
        try:
            asked = json.loads(param)
            number, subscription = str(asked["number"]), _subscription(asked)
        except (ValueError, KeyError, TypeError):
            return _said("700", "订阅方的订阅数据存在错误")
        if number in self.subscriptions:
            return _said("501", "重复订阅")
        self.subscriptions[number] = subscription
        self.line.start(self.push_journey(number))
        return _said("200", "提交成功")

    def query(self, param: str) -> Response:
        """Where a parcel is, once in half an hour (1.3)."""
        try:
            asked = json.loads(param)
            number, carrier = str(asked["num"]), str(asked["com"])
            phone = str(asked.get("phone", ""))
        except (ValueError, KeyError, TypeError):
            return _said("400", "提交的数据不完整")
        if not carrier or not 6 <= len(number) <= 32:
            return _said("400", "提交的数据不完整")
        if carrier in PHONE_TO_QUERY and not phone:
            return _said("408", "验证码错误")
        now, last = self.clock(), self.asked.get(number)
        self.asked[number] = now
        if last is not None and now - last < self.limits.query_again:
            # Their table does not have it; third parties' code names this one (1.3).
            return _said("504", "查询过于频繁,单号已被锁定")
        if not self._day.takes(now):
            return _said("601", "POLL:KEY已过期")
        told = self.told_of(number)
        if told is None:
            return _said("500", "查询无结果,请隔段时间再查")
        return Response(to_json(told), media_type="application/json")

    def _time(self, times: dict[int, datetime], place: int, *, newest: int) -> datetime:
        """When a scan happened, as it stays: just now, for the newest; never ahead.

        They are a second apart, at least: where that many do not fit between the hand-over and
        now, because the house is hurried, they begin before it.
        """
        if place not in times:
            now = datetime.now(BEIJING).replace(tzinfo=None, microsecond=0)
            hurried = self.line.behaviour.pace_seconds < 1
            ago = max(0, STEPS + len(BACK) - place) if hurried else newest - place
            moment = now - timedelta(seconds=ago)
            if place - 1 in times:
                moment = max(moment, min(times[place - 1] + timedelta(seconds=1), now))
            times[place] = moment
        return times[place]


def _subscription(asked: dict[str, Any]) -> dict[str, Any]:
    """What is kept of a subscription; raises for one that lacks something."""
    parameters, company = asked["parameters"], str(asked["company"])
    known = 6 <= len(str(asked["number"])) <= 32 and (company or parameters["autoCom"] == "1")
    if not known or (company in PHONE_TO_SUBSCRIBE and not parameters["phone"]):
        raise ValueError
    start, abroad = str(asked.get("from", "")), None
    if parameters.get("interCom") == "1":
        country = str(parameters["destinationCountry"])
        abroad = country, str(parameters.get("destinationCom", "sandboxpost"))
    return {
        "abroad": abroad,
        "com": company,
        "callbackurl": parameters["callbackurl"],
        "salt": parameters["salt"],
        "times": {},
        "seen": 0,
        "story": journey_abroad(company, start)
        if abroad
        else journey(company, start, str(asked.get("to", ""))),
    }


def kuaidi100_routes(sandbox: Kuaidi100Sandbox) -> list[APIRouter]:
    """Where parcels are subscribed to and asked about."""
    line = sandbox.line
    line.by_hand = ByHand(
        about=lambda: list(sandbox.subscriptions),
        events=tuple(BY_HAND),
        tell=sandbox.push_by_hand,
    )
    poll = line.router(
        refused=lambda: _said("500", "服务器错误"),
        unreadable=lambda: _said("700", "订阅方的订阅数据存在错误"),
    )
    queries = line.router(
        refused=lambda: _said("501", "服务器错误"),
        unreadable=lambda: _said("400", "提交的数据不完整"),
    )

    @poll.post("/poll", summary="Kuaidi100: subscribe (wire 1.5)")
    async def subscribe(param: Annotated[str, Form(max_length=10_000)]) -> Response:
        return sandbox.subscribe(param)

    @queries.post("/poll/query.do", summary="Kuaidi100: query (wire 1.3)")
    async def query(
        request: Request,
        param: Annotated[str, Form(max_length=10_000)],
        customer: Annotated[str, Form(max_length=100)],
        sign: Annotated[str, Form(max_length=100)],
    ) -> Response:
        ours = sign_query(param.encode(), key=KEY, customer=customer)
        if not believes(request, sign == ours):
            return _said("503", "验证签名失败")
        return sandbox.query(param)

    return [poll, queries]


def _said(code: str, message: str) -> Response:
    body = {"result": code == "200", "returnCode": code, "message": message}
    return Response(to_json(body), media_type="application/json")
