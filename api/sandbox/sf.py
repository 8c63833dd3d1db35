"""沙箱顺丰 SF, played in its own wire format: orders, routes asked for and pushed (M3; wire 2)."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from pydantic import BaseModel, Field
from pydantic_core import to_json

from api.sandbox.limits import DAY, SECOND, Limits, Pace
from api.sandbox.line import ByHand, Line, believes
from application.gateways.kuaidi100 import compact_json
from application.gateways.trackers.sf import (
    CREATE_ORDER,
    DIGEST,
    SEARCH_ORDER,
    SEARCH_ROUTES,
    TIMESTAMP,
    UPDATE_ORDER,
    digest,
)
from domain.scans import BEIJING

PARTNER = "sandbox-partner"
CHECK_WORD = "sandbox-check-word"
"""The account that the sandbox knows."""
NUMBERS_MAX = 10
"""That may be asked about at once (2.1)."""
SERVICES = (SEARCH_ROUTES, CREATE_ORDER, SEARCH_ORDER, UPDATE_ORDER)
ROUTES = (
    ("50", "西安市", "顺丰速运 已收取快件"),
    ("30", "西安市", "快件在【西安集散中心】完成分拣,准备发往【杭州萧山集散中心】"),
    ("31", "杭州市", "快件到达【杭州萧山集散中心】"),
    ("44", "杭州市", "快件交给快递员,正在派送途中"),
    ("80", "杭州市", "您的快件已签收,签收人:本人"),
)
"""What happens to every parcel: (operation code, place, words)."""


class Journey(BaseModel):
    """A parcel that SF picks up, and where it pushes its routes to."""

    mailno: str = Field(max_length=32)
    push_url: str
    phone: str = Field(default="", max_length=4, description="what queries have to know")


@dataclass
class SfSandbox:
    """What SF knows."""

    line: Line
    limits: Limits = field(default_factory=Limits)
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    journeys: dict[str, Journey] = field(default_factory=dict)
    seen: dict[str, int] = field(default_factory=dict)
    orders: dict[str, str] = field(default_factory=dict)
    """Waybills by the names of their orders."""
    ordered: int = 0
    cancelled: set[str] = field(default_factory=set)
    began: datetime = field(default_factory=lambda: datetime.now(UTC))
    _paces: dict[str, tuple[Pace, Pace]] = field(default_factory=dict)

    def routes(self, number: str) -> list[dict[str, str]]:
        """What is known of a parcel so far."""
        first = self.began.astimezone(BEIJING) - timedelta(seconds=len(ROUTES))
        return [
            {
                "acceptTime": f"{first + timedelta(seconds=n):%Y-%m-%d %H:%M:%S}",
                "acceptAddress": place,
                "remark": remark,
                "opCode": code,
            }
            for n, (code, place, remark) in enumerate(ROUTES[: self.seen.get(number, 0)])
        ]

    async def travel(self, journey: Journey) -> None:
        """Push each new route once it is known, as often as the behaviour repeats messages."""
        while self.seen.get(journey.mailno, 0) < len(ROUTES):
            await asyncio.sleep(self.line.behaviour.pace_seconds)
            await self.push_next(journey.mailno)

    async def push_next(self, number: str) -> None:
        """Push the next route of a parcel; of one that has arrived the last one again."""
        journey = self.journeys[number]
        count = self.seen[number] = min(self.seen.get(number, 0) + 1, len(ROUTES))
        route = {"id": f"{number}-{count}", "mailno": number, **self.routes(number)[-1]}
        body = compact_json({"Body": {"WaybillRoute": [route]}})
        forged = self.line.happens("forge")
        word = "forged" if forged else CHECK_WORD

        def message() -> dict[str, Any]:
            at = str(int(self.clock().timestamp() * 1_000))
            signed = digest(body.decode(), timestamp=at, check_word=word)
            headers = {TIMESTAMP: at, DIGEST: signed, "Content-Type": "application/json"}
            return {"content": body, "headers": headers}

        await self.line.push(journey.push_url, message, forged=forged)

    def admits(self, code: str) -> bool:
        """Whether a service takes one more call now: so many a second, so many a day."""
        if code not in self._paces:
            second = Pace(self.limits.sf_a_second, SECOND)
            self._paces[code] = second, Pace(self.limits.sf_a_day, DAY)
        (second, day), now = self._paces[code], self.clock()
        return second.takes(now) and day.takes(now)

    def served(self, code: str, asked: dict[str, Any]) -> bytes:
        """What a service answers; one order a name, a second one is refused."""
        if code == SEARCH_ROUTES:
            return self.answered(asked)
        name = str(asked["orderId"])
        if code == CREATE_ORDER:
            if name in self.orders:
                return _answer("A1000", {"success": False, "errorCode": "8016"})
            self.ordered += 1
            self.orders[name] = f"SF{self.ordered:013d}"
        elif name not in self.orders:
            return _answer("A1000", {"success": False, "errorCode": "8024"})
        elif code == UPDATE_ORDER:
            self.cancelled.add(name)
        number = {"waybillType": 1, "waybillNo": self.orders[name]}
        route = {"routeLabelData": {"destRouteLabel": "571BF"}}
        data = {"orderId": name, "waybillNoInfoList": [number], "routeLabelInfo": [route]}
        return _answer("A1000", {"success": True, "errorCode": "S0000", "msgData": data})

    def answered(self, asked: dict[str, Any]) -> bytes:
        """The routes of the numbers that were asked about; the result is JSON in a string."""
        last_four = str(asked.get("checkPhoneNo", ""))
        if len(asked["trackingNumber"]) > NUMBERS_MAX:
            return _answer("A1000", {"success": False, "errorCode": "8003"})
        found = []
        for number in asked["trackingNumber"]:
            known = self.journeys.get(number)
            allowed = known is not None and last_four in ("", known.phone, *known.phone.split(","))
            found.append({"mailNo": number, "routes": self.routes(number) if allowed else []})
        if self.line.behaviour.forget:
            for one in found:
                one["routes"] = one["routes"][:-1]
        inner = {"success": True, "errorCode": "S0000", "errorMsg": None}
        return _answer("A1000", {**inner, "msgData": {"routeResps": found}})


def sf_routes(sandbox: SfSandbox) -> APIRouter:
    """The routes at which SF is reached."""
    control, line = APIRouter(), sandbox.line
    line.by_hand = ByHand(
        about=lambda: list(sandbox.journeys),
        events=("moved",),
        tell=lambda number, _: sandbox.push_next(number),
    )
    router = line.router(
        refused=lambda: _json(_answer("A1099", None)),
        unreadable=lambda: _json(_answer("A1001", None)),
    )

    @control.post("/sf/journeys", status_code=202, summary="SF: a parcel is picked up")
    async def begin(journey: Journey) -> Response:
        sandbox.journeys[journey.mailno] = journey
        line.start(sandbox.travel(journey))
        return Response(status_code=202)

    @router.post("/sf/std/service", summary="SF: any service, by its code (wire 2)")
    async def service(
        request: Request,
        partner: Annotated[str, Form(alias="partnerID", max_length=64)],
        code: Annotated[str, Form(alias="serviceCode", max_length=50)],
        timestamp: Annotated[str, Form(max_length=20)],
        signed: Annotated[str, Form(alias="msgDigest", max_length=128)],
        message: Annotated[str, Form(alias="msgData", max_length=100_000)],
    ) -> Response:
        ours = digest(message, timestamp=timestamp, check_word=CHECK_WORD)
        if not believes(request, signed == ours):
            return _json(_answer("A1006", None))
        if partner != PARTNER or code not in SERVICES:
            return _json(_answer("A1004", None))
        if not sandbox.admits(code):
            return _json(_answer("A1005", None))
        try:
            return _json(sandbox.served(code, json.loads(message)))
        except (ValueError, KeyError, TypeError):
            return _json(_answer("A1001", None))

    control.include_router(router)
    return control


def _answer(code: str, result: dict[str, Any] | None) -> bytes:
    return to_json(
        {
            "apiResultCode": code,
            "apiErrorMsg": "" if code == "A1000" else "refused",
            "apiResponseID": "0001",
            "apiResultData": None if result is None else compact_json(result).decode(),
        }
    )


def _json(content: bytes) -> Response:
    return Response(content, media_type="application/json")
