"""沙箱面单 Kuaidi100's label service as the sandbox plays it: signed, one order a name (1.8).

An order is known by its `orderId`: with `reorder` off it is the same one, however often it is sent
within 48 hours.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from pydantic_core import to_json

from api.sandbox.limits import Limits
from api.sandbox.line import Line, believes
from application.gateways.kuaidi100 import sign_label

KEY = "sandbox-key"
SECRET = "sandbox-secret"  # noqa: S105 - everybody may know it
"""The account that the sandbox knows."""
PREFIXES = {"shunfeng": "SF", "jd": "JD", "yuantong": "YT", "jtexpress": "JT"}
SORTING = ("571-A03", "029-B11", "371-C07", "021-D02")


def account(url: str) -> dict[str, str]:
    """Settings with which a house orders its labels here."""
    return {
        "KUAIDI100_LABEL_URL": url,
        "KUAIDI100_KEY": KEY,
        "KUAIDI100_SECRET": SECRET,
        "KUAIDI100_ACCOUNTS": json.dumps({"*": {"partnerId": "sandbox"}}),
        "SENDERS": json.dumps(
            {"*": {"name": "积分商城", "phone": "0571-88000000", "address": "浙江省杭州市西湖区"}}
        ),
    }


@dataclass
class LabelService:
    """What the label service knows."""

    limits: Limits = field(default_factory=Limits)
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    issued: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By order id."""
    issued_at: dict[str, datetime] = field(default_factory=dict)
    ordered: int = 0
    """Numbers ever given out: more than there are orders if one was ordered twice."""
    cancelled: set[str] = field(default_factory=set)

    def order(self, param: dict[str, Any]) -> dict[str, Any]:
        """The order's number; a known order's, unless it is to be ordered anew."""
        name, now = str(param["orderId"]), self.clock()
        known = self.issued.get(name)
        lately = known is not None and now - self.issued_at[name] < self.limits.order_known
        if known is not None and lately and param.get("reorder") is False:
            return known
        self.issued_at[name] = now
        self.ordered += 1
        carrier = str(param["kuaidicom"])
        digits = int(hashlib.sha256(f"{name}:{self.ordered}".encode()).hexdigest(), 16) % 10**13
        self.issued[name] = {
            "kuaidinum": f"{PREFIXES.get(carrier, '7')}{digits:013d}",
            "kdComOrderNum": f"KD{digits:013d}",
            "bulkpen": SORTING[digits % len(SORTING)],
            "expressCode": carrier,
        }
        return self.issued[name]


def label_routes(
    service: LabelService, line: Line, stop: Callable[[dict[str, Any]], bool]
) -> APIRouter:
    """The routes of the label service; `stop` is told of parcels that are to be stopped."""
    router = line.router(
        refused=lambda: _answer("500", "服务器错误"),
        unreadable=lambda: _answer("400", "提交的数据不完整"),
    )

    @router.post("/label/order", summary="Kuaidi100: labels, interceptions (wire 1.8, 1.9)")
    async def label(
        request: Request,
        method: Annotated[str, Form(max_length=40)],
        key: Annotated[str, Form(max_length=100)],
        t: Annotated[str, Form(max_length=20)],
        sign: Annotated[str, Form(max_length=100)],
        param: Annotated[str, Form(max_length=20_000)],
    ) -> Response:
        ours = sign_label(param.encode(), t=t, key=KEY, secret=SECRET)
        if not believes(request, sign == ours and key == KEY):
            return _answer("503", "验证签名失败")
        if line.happens("reject"):
            return _answer("30002", "收件人13800138000地址超出派送范围")
        try:
            asked = json.loads(param)
            if method == "interceptOrder":
                known = stop(asked)
                return _answer("200", "success") if known else _answer("30011", "单号不存在")
            return _carried_out(service, method, asked)
        except (ValueError, KeyError, TypeError):
            return _answer("400", "提交的数据不完整")

    return router


def _carried_out(service: LabelService, method: str, asked: dict[str, Any]) -> Response:
    if method == "order":
        if not (asked["partnerId"] and asked["recMan"]["printAddr"] and asked["sendMan"]["name"]):
            raise ValueError
        return _answer("200", "success", data=service.order(asked))
    if method != "cancel":
        raise ValueError
    numbers = {one["kuaidinum"] for one in service.issued.values()}
    if asked["kuaidinum"] not in numbers:
        return _answer("30010", "面单不存在")
    service.cancelled.add(str(asked["kuaidinum"]))
    return _answer("200", "success")


def _answer(code: str, message: str, *, data: dict[str, Any] | None = None) -> Response:
    body = {"success": code == "200", "code": int(code), "message": message, "data": data}
    return Response(to_json(body), media_type="application/json")
