"""中通 ZTO, directly: where a parcel is (T1; wire/carriers.md section 3)."""

from datetime import datetime
from typing import Any

from application.gateways.carriers_own import md5_base64, objects, refused, scan
from application.gateways.kuaidi100 import compact_json, read_json, text_of
from application.gateways.tracking import Call, IncompleteRequest, Told, Tracker, UnreadableReply
from application.settings import Settings
from domain.scans import Scan, ScanKind

QUERY = "zto.merchant.waybill.track.query"
PHONE_DIGITS = 4
CODES = {
    "收件": ScanKind.PICKED_UP, "发件": ScanKind.DEPARTED, "到件": ScanKind.ARRIVED,
    "派件": ScanKind.OUT_FOR_DELIVERY, "签收": ScanKind.SIGNED, "退件": ScanKind.RETURNING,
    "问题件": ScanKind.PROBLEM, "ARRIVAL": ScanKind.AWAITING_PICKUP, "SIGNED": ScanKind.SIGNED,
}  # fmt: skip
"""Their `scanType`; its reading as kinds is this house's own."""


def digest(body: str, secret: str) -> str:
    """What the header `x-dataDigest` says of a body."""
    return md5_base64(body + secret)


class Zto(Tracker):
    """The carrier itself, with an app of its open platform."""

    name = "zto"
    carriers = frozenset({"zhongtong"})

    def __init__(self, url: str, *, app_key: str, app_secret: str) -> None:
        self._url = url
        self._app_key = app_key
        self._app_secret = app_secret

    def query(self, number: str, *, carrier: str, phone: str, now: datetime) -> Call:
        """Ask for the track of one waybill; they want the last four digits of a phone."""
        if not 8 <= len(number) <= 32:
            raise IncompleteRequest("a waybill number has 8 to 32 characters")
        asked = {"billCode": number}
        if phone:
            asked["mobilePhone"] = phone[-PHONE_DIGITS:]
        body = compact_json(asked)
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "x-appKey": self._app_key,
            "x-dataDigest": digest(body.decode(), self._app_secret),
        }
        return Call(f"{self._url}/{QUERY}", body=body, headers=headers)

    def read_answer(self, body: bytes, *, number: str, carrier: str) -> Told:
        """The scans of the waybill that was asked about; none yet is an answer, too."""
        try:
            reply = read_json(body)
            if reply.get("status") is not True:
                raise refused(reply.get("statusCode"), reply.get("message"))
            rows = objects(reply.get("result"))
        except ValueError as wrong:
            raise UnreadableReply(str(wrong)) from wrong
        mine = (one for one in rows if text_of(one.get("billCode")) == number)
        found = [_scan(number, one) for one in mine]
        return Told(number, tuple(one for one in found if one is not None), body)


def _scan(number: str, row: dict[str, Any]) -> Scan | None:
    site = row.get("scanSite")
    at = site if isinstance(site, dict) else {}
    return scan(
        number,
        carrier="zhongtong",
        at=row.get("scanDate"),
        text=row.get("desc"),
        code=row.get("scanType"),
        codes=CODES,
        place=(at.get("prov"), at.get("city")),
    )


def opened(settings: Settings) -> Zto | None:
    """The account that is set, if one is."""
    account = settings.trackers.get(Zto.name)
    if account is None:
        return None
    return Zto(
        account.get("url", "https://japi.zto.com"),
        app_key=account["app_key"],
        app_secret=account["app_secret"],
    )
