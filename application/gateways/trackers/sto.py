"""申通 STO, directly: where a parcel is (T1; wire/carriers.md section 3).

Their gateway has been seen at two addresses, so the address is part of the account that is set.
"""

from datetime import datetime
from typing import Any

from application.gateways.carriers_own import md5_base64, objects, refused, scan
from application.gateways.kuaidi100 import compact_json, read_json
from application.gateways.tracking import Call, IncompleteRequest, Told, Tracker, UnreadableReply
from application.settings import Settings
from domain.scans import Scan, ScanKind

API, TO = "STO_TRACE_QUERY_COMMON", "sto_trace_query"
CODES = {
    "收件": ScanKind.PICKED_UP, "发件": ScanKind.DEPARTED, "到件": ScanKind.ARRIVED,
    "派件": ScanKind.OUT_FOR_DELIVERY, "第三方代派": ScanKind.OUT_FOR_DELIVERY,
    "柜机代收": ScanKind.AWAITING_PICKUP, "驿站代收": ScanKind.AWAITING_PICKUP,
    "快件取出": ScanKind.PICKUP_CONFIRMED, "驿站出库": ScanKind.PICKUP_CONFIRMED,
    "问题件": ScanKind.PROBLEM, "退回件": ScanKind.RETURNING, "改地址件": ScanKind.FORWARDED,
    "转邮": ScanKind.HANDED_ON, "转同行": ScanKind.HANDED_ON, "签收": ScanKind.SIGNED,
}  # fmt: skip
"""Their `scanType`; its reading as kinds is this house's own."""


def digest(content: str, secret: str) -> str:
    """What the field `data_digest` says of the content."""
    return md5_base64(content + secret)


class Sto(Tracker):
    """The carrier itself, with an app of its gateway."""

    name = "sto"
    carriers = frozenset({"shentong"})

    def __init__(self, url: str, *, app_key: str, code: str, secret: str) -> None:
        self._url = url
        self._app_key = app_key
        self._code = code
        self._secret = secret

    def query(self, number: str, *, carrier: str, phone: str, now: datetime) -> Call:
        """Ask for the track of one waybill."""
        if not 8 <= len(number) <= 32:
            raise IncompleteRequest("a waybill number has 8 to 32 characters")
        content = compact_json({"order": "desc", "waybillNoList": [number]}).decode()
        form = {
            "content": content,
            "data_digest": digest(content, self._secret),
            "api_name": API,
            "from_appkey": self._app_key,
            "from_code": self._code,
            "to_appkey": TO,
            "to_code": TO,
        }
        return Call(f"{self._url}/gateway/link.do", form)

    def read_answer(self, body: bytes, *, number: str, carrier: str) -> Told:
        """The scans by waybill; a number they do not know has none."""
        try:
            reply = read_json(body)
            if str(reply.get("success")).lower() != "true":  # they swap texts and truths
                raise refused(reply.get("errorCode"), reply.get("errorMsg"))
            data = reply.get("data") or {}
            if not isinstance(data, dict):
                raise ValueError("data by waybill was expected")
            rows = objects(data.get(number))
        except ValueError as wrong:
            raise UnreadableReply(str(wrong)) from wrong
        found = [_scan(number, one) for one in rows]
        return Told(number, tuple(one for one in found if one is not None), body)


def _scan(number: str, row: dict[str, Any]) -> Scan | None:
    return scan(
        number,
        carrier="shentong",
        at=row.get("opTime"),
        text=row.get("memo"),
        code=row.get("scanType"),
        codes=CODES,
        place=(row.get("opOrgProvinceName"), row.get("opOrgCityName")),
    )


def opened(settings: Settings) -> Sto | None:
    """The account that is set, if one is."""
    account = settings.trackers.get(Sto.name)
    if account is None:
        return None
    return Sto(
        account["url"],
        app_key=account["app_key"],
        code=account["code"],
        secret=account["secret"],
    )
