"""圆通 YTO, directly: where a parcel is (T1; wire/carriers.md section 3).

Their accounts are by interface, and which port production has is not confirmed: the address is
part of the account that is set.
"""

from datetime import datetime
from typing import Any

from application.gateways.carriers_own import array_in, md5_base64, refused, scan
from application.gateways.kuaidi100 import compact_json, read_json, text_of
from application.gateways.tracking import Call, IncompleteRequest, Told, Tracker, UnreadableReply
from application.settings import Settings
from domain.scans import Scan, ScanKind

METHOD, VERSION = "track_query_adapter", "v1"
NOTHING_YET = "1001"
CODES = {
    "GOT": ScanKind.PICKED_UP, "ARRIVAL": ScanKind.ARRIVED, "DEPARTURE": ScanKind.DEPARTED,
    "SENT_SCAN": ScanKind.OUT_FOR_DELIVERY, "INBOUND": ScanKind.AWAITING_PICKUP,
    "SIGNED": ScanKind.SIGNED, "FAILED": ScanKind.FAILED_ATTEMPT,
    "FORWARDING": ScanKind.FORWARDED, "TMS_RETURN": ScanKind.RETURNING,
    "AIRSEND": ScanKind.DEPARTED, "AIRPICK": ScanKind.IN_TRANSIT,
}  # fmt: skip
"""Their `infoContent`; its reading as kinds is this house's own."""


def sign(param: str, secret: str) -> str:
    """What a request says of its parameters."""
    return md5_base64(param + METHOD + VERSION + secret)


class Yto(Tracker):
    """The carrier itself, with a customer's account for this interface."""

    name = "yto"
    carriers = frozenset({"yuantong"})

    def __init__(self, url: str, *, user: str, customer: str, secret: str) -> None:
        self._url = f"{url}/open/{METHOD}/{VERSION}/{user}/{customer}"
        self._secret = secret

    def query(self, number: str, *, carrier: str, phone: str, now: datetime) -> Call:
        """Ask for the track of one waybill."""
        if not 8 <= len(number) <= 32:
            raise IncompleteRequest("a waybill number has 8 to 32 characters")
        # Serialised once: what is signed is what is sent.
        param = compact_json({"NUMBER": number}).decode()
        asked = {
            "timestamp": str(int(now.timestamp() * 1_000)),
            "param": param,
            "sign": sign(param, self._secret),
            "format": "JSON",
        }
        headers = {"Content-Type": "application/json; charset=utf-8"}
        return Call(self._url, body=compact_json(asked), headers=headers)

    def read_answer(self, body: bytes, *, number: str, carrier: str) -> Told:
        """An array of scans; that there are none comes as an object with a code of its own."""
        try:
            rows = array_in(body)
            if rows is None:
                reply = read_json(body)
                if text_of(reply.get("code")) != NOTHING_YET:
                    raise refused(reply.get("code"), reply.get("message"))
                rows = []
        except ValueError as wrong:
            raise UnreadableReply(str(wrong)) from wrong
        mine = (one for one in rows if text_of(one.get("waybill_No")) == number)
        found = [_scan(number, one) for one in mine]
        return Told(number, tuple(one for one in found if one is not None), body)


def _scan(number: str, row: dict[str, Any]) -> Scan | None:
    return scan(
        number,
        carrier="yuantong",
        at=row.get("upload_Time"),
        text=row.get("processInfo"),
        code=row.get("infoContent"),
        codes=CODES,
        place=(row.get("city"), row.get("district")),
    )


def opened(settings: Settings) -> Yto | None:
    """The account that is set, if one is."""
    account = settings.trackers.get(Yto.name)
    if account is None:
        return None
    return Yto(
        account["url"],
        user=account["user"],
        customer=account["customer"],
        secret=account["secret"],
    )
