"""沙箱承运商 ZTO, YTO and STO, played where they are asked for tracks (M3; wire 3)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request, Response
from pydantic import BaseModel, Field
from pydantic_core import from_json, to_json

from api.sandbox.line import Line, believes
from application.gateways.trackers import sto, yto, zto
from domain.scans import BEIJING

SECRET = "sandbox-secret"  # noqa: S105 - known to everybody, it opens the sandbox alone
ACCOUNTS: dict[str, dict[str, str]] = {
    "zto": {"app_key": "sandbox-app", "app_secret": SECRET},
    "yto": {"user": "sandbox-user", "customer": "K1", "secret": SECRET},
    "sto": {"app_key": "sandbox-app", "code": "sandbox-code", "secret": SECRET},
}
"""The accounts that the sandbox knows, without its address."""
STEPS = (
    ("收件", "GOT", "陕西省", "西安市", "【西安市】已揽收"),
    ("发件", "DEPARTURE", "陕西省", "西安市", "快件离开【西安转运中心】,已发往【杭州转运中心】"),
    ("到件", "ARRIVAL", "浙江省", "杭州市", "快件到达【杭州转运中心】"),
    ("派件", "SENT_SCAN", "浙江省", "杭州市", "【杭州市】正在派件"),
    ("签收", "SIGNED", "浙江省", "杭州市", "【杭州市】已签收,签收人:本人"),
)
"""What happens to every parcel: (ZTO's and STO's word, YTO's code, province, city, words)."""

REFUSED: dict[str, dict[str, object]] = {
    "zto": {"status": False, "statusCode": "SIGN01", "message": "refused"},
    "yto": {"success": False, "code": "1002", "message": "refused"},
    "sto": {"success": False, "errorCode": "S01", "errorMsg": "refused"},
}


class Travels(BaseModel):
    """A parcel that a carrier has, and how far it came."""

    mailno: str = Field(max_length=32)
    seen: int = Field(default=len(STEPS), ge=0, le=len(STEPS))


@dataclass
class CarriersSandbox:
    """What the carriers know of their parcels."""

    lines: Mapping[str, Line]
    """By carrier."""
    seen: dict[tuple[str, str], int] = field(default_factory=dict)
    began: datetime = field(default_factory=lambda: datetime.now(UTC))

    def told(self, carrier: str, number: str) -> list[tuple[datetime, tuple[str, ...]]]:
        """When each step of a parcel was, the newest last."""
        steps = STEPS[: self.seen.get((carrier, number), 0)]
        first = self.began - timedelta(minutes=len(STEPS))
        return [(first + timedelta(minutes=at), step) for at, step in enumerate(steps)]


def carrier_routes(sandbox: CarriersSandbox) -> APIRouter:
    """Where the carriers are reached, and where parcels are given to them."""
    control = APIRouter()
    routes = {name: _router(sandbox.lines[name], name) for name in REFUSED}

    @control.post(
        "/carriers/{carrier}/journeys", status_code=202, summary="Carriers: how far a parcel is"
    )
    async def travels(carrier: Literal["zto", "yto", "sto"], parcel: Travels) -> Response:
        sandbox.seen[carrier, parcel.mailno] = parcel.seen
        return Response(status_code=202)

    @routes["zto"].post(f"/zto/{zto.QUERY}", summary="ZTO: a parcel's track (wire 3)")
    async def ask_zto(request: Request) -> Response:
        body = await request.body()
        signed = request.headers.get("x-dataDigest") == zto.digest(body.decode(), SECRET)
        if not believes(request, signed):
            return _json(REFUSED["zto"])
        number = _said(body, "billCode")
        rows = [
            {
                "billCode": number, "scanType": word, "scanDate": int(at.timestamp() * 1_000),
                "scanSite": {"name": city, "city": city, "prov": province}, "desc": text,
            }
            for at, (word, _, province, city, text) in sandbox.told("zto", number)
        ]  # fmt: skip
        return _json({"status": True, "statusCode": "SYS000", "message": "ok", "result": rows})

    @routes["yto"].post(
        f"/yto/open/{yto.METHOD}/{yto.VERSION}/{{user}}/{{customer}}",
        summary="YTO: a parcel's track (wire 3)",
    )
    async def ask_yto(request: Request, user: str, customer: str) -> Response:
        body = await request.body()
        sign, param = _said(body, "sign"), _said(body, "param")
        if not believes(request, sign == yto.sign(param, SECRET)):
            return _json(REFUSED["yto"])
        number = _said(param, "NUMBER")
        rows = [
            {
                "waybill_No": number, "upload_Time": _beijing(at), "infoContent": code,
                "processInfo": text, "city": city, "district": "",
            }
            for at, (_, code, _, city, text) in sandbox.told("yto", number)
        ]  # fmt: skip
        empty = {"code": yto.NOTHING_YET, "message": "查询结果为空。", "success": True}
        return _json(rows or empty)

    @routes["sto"].post("/sto/gateway/link.do", summary="STO: a parcel's track (wire 3)")
    async def ask_sto(
        request: Request,
        content: Annotated[str, Form(max_length=10_000)],
        signed: Annotated[str, Form(alias="data_digest", max_length=128)],
        api: Annotated[str, Form(alias="api_name", max_length=64)],
    ) -> Response:
        fits = signed == sto.digest(content, SECRET) and api == sto.API
        if not believes(request, fits):
            return _json(REFUSED["sto"])
        numbers = from_json(content)["waybillNoList"]
        data = {
            number: [
                {
                    "opTime": _beijing(at), "scanType": word, "memo": text,
                    "opOrgName": city, "opOrgCityName": city, "opOrgProvinceName": province,
                }
                for at, (word, _, province, city, text) in sandbox.told("sto", number)
            ]
            for number in numbers
        }  # fmt: skip
        return _json({"success": True, "data": data})

    for router in routes.values():
        control.include_router(router)
    return control


def _router(line: Line, carrier: str) -> APIRouter:
    return line.router(
        refused=lambda: _json(REFUSED[carrier]), unreadable=lambda: _json(REFUSED[carrier])
    )


def _said(body: bytes | str, name: str) -> str:
    """A text in a request; empty where it has none, and then nothing fits or is known."""
    try:
        return str(from_json(body)[name])
    except (ValueError, KeyError, TypeError):
        return ""


def _beijing(at: datetime) -> str:
    return f"{at.astimezone(BEIJING):%Y-%m-%d %H:%M:%S}"


def _json(body: object) -> Response:
    return Response(to_json(body), media_type="application/json")
