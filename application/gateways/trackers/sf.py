"""顺丰 SF, directly: orders, routes asked for and pushed (T1, W5; wire/carriers.md section 2).

What one signs is URL-encoded as Java does it, and digested by MD5: that says "probably them". How
pushes are signed is not documented; they come to a secret address, from addresses that can be
listed, and where a digest comes along it has to fit. No receipt counts before a query tells of it.
"""

import base64
import hashlib
import hmac
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote_plus

from application.divisions import division_named
from application.gateways.kuaidi100 import beijing_time, compact_json, read_json, text_of
from application.gateways.labelling import Labeller, LabelWish, Numbered
from application.gateways.sf_codes import kind_of
from application.gateways.tracking import (
    Call,
    DirectTracker,
    ForgedPush,
    IncompleteRequest,
    PartnerRefused,
    Retry,
    Told,
    UnreadablePush,
    UnreadableReply,
)
from application.settings import Settings
from domain.scans import Scan, classify

SEARCH_ROUTES = "EXP_RECE_SEARCH_ROUTES"
CREATE_ORDER = "EXP_RECE_CREATE_ORDER"
SEARCH_ORDER = "EXP_RECE_SEARCH_ORDER_RESP"
UPDATE_ORDER = "EXP_RECE_UPDATE_ORDER"
CANCEL = 2
"""`dealType` of an update."""
MOTHER = 1
"""`waybillType` of a parcel's own number, as against those of its pieces."""
TIMESTAMP, DIGEST = "service-timestamp", "service-digest"
"""Headers of a push that is signed."""
MAX_BODY_BYTES = 1_048_576
MAX_ROUTES = 1_000
PHONE_DIGITS = 4
FRESH_WITHIN = timedelta(seconds=300)
"""How old what is pushed may be, by its timestamp, and how far ahead of our clock (R34)."""
_RETRY = {
    "A1002": Retry.BACKOFF,
    "A1005": Retry.BACKOFF,
    "A1007": Retry.BACKOFF,
    "A1009": Retry.BACKOFF,
    "A1099": Retry.BACKOFF,
}
_ALARMS = frozenset({"A1003", "A1004", "A1006", "A1008"})
"""Address, right, digest: a person must act."""


def digest(signed: str, *, timestamp: str, check_word: str) -> str:
    """Base64 of the MD5 of what Java's URLEncoder makes of text, timestamp and check word."""
    encoded = quote_plus(signed + timestamp + check_word, safe="*").replace("~", "%7E")
    md5 = hashlib.md5(encoded.encode(), usedforsecurity=False).digest()
    return base64.b64encode(md5).decode()


class Sf(DirectTracker, Labeller):
    """The carrier itself, with a customer's account."""

    name = issuer = partner = "sf"
    carriers = frozenset({"shunfeng"})

    def __init__(
        self,
        url: str,
        *,
        partner: str,
        check_word: str | Sequence[str],
        addresses: Sequence[str] = (),
        signed: bool = False,
        monthly_card: str = "",
    ) -> None:
        self._url = url
        self._partner = partner
        words = (check_word,) if isinstance(check_word, str) else tuple(check_word)
        # The first signs; the others are of before it was replaced, and good for checking (R39).
        self._check_word, self._check_words = words[0], words
        self._signed = signed
        self._monthly_card = monthly_card
        self.addresses = tuple(addresses)

    def query(self, number: str, *, carrier: str, phone: str, now: datetime) -> Call:
        """Ask for the routes of one waybill (2.1); `phone` ends with the digits they ask for."""
        if not 8 <= len(number) <= 32:
            raise IncompleteRequest("a waybill number has 8 to 32 characters")
        asked: dict[str, Any] = {
            "language": "zh-CN",
            "trackingType": 1,
            "trackingNumber": [number],
            "methodType": 1,
        }
        if phone:
            asked["checkPhoneNo"] = phone[-PHONE_DIGITS:]
        return self._call(SEARCH_ROUTES, asked, about=number, now=now)

    def _call(self, service: str, asked: dict[str, Any], *, about: str, now: datetime) -> Call:
        # Serialised once: what is signed is what is sent. How they encode * is not known (2).
        message = compact_json(asked).decode().replace("*", "＊")
        timestamp = str(int(now.timestamp() * 1_000))
        form = {
            "partnerID": self._partner,
            "requestID": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{service}:{about}:{timestamp}")),
            "serviceCode": service,
            "timestamp": timestamp,
            "msgDigest": digest(message, timestamp=timestamp, check_word=self._check_word),
            "msgData": message,
        }
        return Call(f"{self._url}/std/service", form)

    def read_answer(self, body: bytes, *, number: str, carrier: str) -> Told:
        """The routes of the waybill that was asked about; none yet is an answer, too."""
        try:
            data = _inner(read_json(body))
            found = [
                one for one in _list(data.get("routeResps")) if text_of(one.get("mailNo")) == number
            ]
            routes = [route for one in found for route in _list(one.get("routes"))]
        except ValueError as wrong:
            raise UnreadableReply(str(wrong)) from wrong
        return Told(number, _scans(number, routes), body)

    @property
    def labels(self) -> bool:
        """Whether waybills are ordered of it: that needs a monthly account."""
        return bool(self._monthly_card)

    def order(self, wish: LabelWish, *, now: datetime) -> Call:
        """Order a waybill on the monthly account (2.2). Raises `IncompleteRequest`."""
        people = (wish.sender, wish.recipient)
        if not wish.name or not all(one.phone and one.address for one in people):
            raise IncompleteRequest("an order needs a name, two people with phones, and addresses")
        asked = {
            "language": "zh-CN",
            "orderId": wish.name,
            "monthlyCard": self._monthly_card,
            "expressTypeId": 1,
            "payMethod": 1,
            "parcelQty": 1,
            "totalWeight": wish.grams / 1_000,
            "isReturnRoutelabel": 1,
            "cargoDetails": [{"name": wish.cargo, "count": 1}],
            "contactInfoList": [
                {
                    "contactType": kind,
                    "contact": one.name,
                    "mobile" if one.mobile else "tel": one.phone,
                    "address": one.address,
                }
                for kind, one in enumerate(people, start=1)
            ],
        }
        return self._call(CREATE_ORDER, asked, about=wish.name, now=now)

    def asked_before(self, name: str, *, now: datetime) -> Call:
        """A second order under one name is refused, so what became of the first is asked."""
        asked = {"language": "zh-CN", "searchType": "1", "orderId": name}
        return self._call(SEARCH_ORDER, asked, about=name, now=now)

    def read_order(self, body: bytes) -> Numbered:
        """The parcel's own number."""
        try:
            data = _inner(read_json(body))
            numbers = _list(data.get("waybillNoInfoList"))
            labels = _list(data.get("routeLabelInfo"))
        except ValueError as wrong:
            raise UnreadableReply(str(wrong)) from wrong
        found = [one for one in numbers if text_of(one.get("waybillType")) == str(MOTHER)]
        waybill = text_of(found[0].get("waybillNo")) if found else None
        if waybill is None or not 8 <= len(waybill) <= 32:
            raise UnreadableReply("an order without a number")
        routes = [one.get("routeLabelData") for one in labels]
        marks = [text_of(one.get("destRouteLabel")) for one in routes if isinstance(one, dict)]
        sorting = next((mark for mark in marks if mark), "")[:40]
        return Numbered(waybill, text_of(data.get("orderId")) or "", sorting)

    def cancel(
        self, waybill: str, *, carrier: str, partner_order: str, reason: str, now: datetime
    ) -> Call:
        """By our own name of the order, which they gave back with the number."""
        asked = {"orderId": partner_order, "dealType": CANCEL}
        return self._call(UPDATE_ORDER, asked, about=waybill, now=now)

    def read_cancel(self, body: bytes) -> None:
        """Any success of theirs."""
        try:
            _inner(read_json(body))
        except ValueError as wrong:
            raise UnreadableReply(str(wrong)) from wrong

    def read_push(
        self, body: bytes, headers: Mapping[str, str], *, now: datetime
    ) -> Sequence[Told]:
        """The routes of a push, by waybill (2.4). The same may come again, in any order.

        One whose timestamp is older than five minutes was taken down and is sent again by somebody
        else: forged, as one that is not signed (R34).
        """
        if len(body) > MAX_BODY_BYTES:
            raise ForgedPush("the body is too large")
        self._check(body, headers, now=now)
        return self.read_routes(body)

    def read_routes(self, raw: bytes) -> Sequence[Told]:
        """The routes in a push's body."""
        try:
            content = read_json(raw).get("Body")
            routes = _list(content.get("WaybillRoute") if isinstance(content, dict) else None)
            found: dict[str, list[dict[str, Any]]] = {}
            for route in routes:
                number = text_of(route.get("mailno"))
                if number is None:
                    raise ValueError("a route without a waybill number")
                found.setdefault(number, []).append(route)
            if not found:
                raise ValueError("no routes")
        except ValueError as wrong:
            raise UnreadablePush(str(wrong), raw=raw) from wrong
        return [
            Told(number, _scans(number, its), raw if len(found) == 1 else _body_of(its))
            for number, its in found.items()
        ]

    def _check(self, body: bytes, headers: Mapping[str, str], *, now: datetime) -> None:
        given, at = headers.get(DIGEST), headers.get(TIMESTAMP)
        if at is not None and not _fresh(at, now=now):
            raise ForgedPush("it is not of now")
        if given is None:
            if self._signed:
                raise ForgedPush("it is not signed")
            return
        try:
            text = body.decode()
        except UnicodeDecodeError:
            raise ForgedPush("the signature differs") from None
        expected = [digest(text, timestamp=at or "", check_word=one) for one in self._check_words]
        # All of them are compared: the time says nothing of which one it was.
        fits = [hmac.compare_digest(given.encode(), one.encode()) for one in expected]
        if not any(fits):
            raise ForgedPush("the signature differs")

    def taken(self) -> bytes:
        """Theirs for "stored"."""
        return compact_json({"return_code": "0000", "return_msg": "成功"})

    def again(self, why: str) -> bytes:
        """Theirs for "push it once more"."""
        return compact_json({"return_code": "1000", "return_msg": why})


def _inner(reply: dict[str, Any]) -> dict[str, Any]:
    """What is inside of a reply: its result is JSON in a string. Raises `PartnerRefused`."""
    code = text_of(reply.get("apiResultCode")) or ""
    if code != "A1000":
        raise _refused(code, text_of(reply.get("apiErrorMsg")) or "")
    result = read_json(str(reply.get("apiResultData") or "").encode())
    inner = text_of(result.get("errorCode")) or ""
    if result.get("success") is not True or inner != "S0000":
        raise _refused(inner, text_of(result.get("errorMsg")) or "")
    data = result.get("msgData")
    if not isinstance(data, dict):
        raise ValueError("a success without data")
    return data


def _refused(code: str, message: str) -> PartnerRefused:
    retry = _RETRY.get(code, Retry.NEVER)
    return PartnerRefused(code, message, retry=retry, alarm=code in _ALARMS)


def _fresh(milliseconds: str, *, now: datetime) -> bool:
    """Whether a timestamp of theirs is of these minutes; what is none is not."""
    if not (milliseconds.isascii() and milliseconds.isdecimal() and len(milliseconds) <= 14):
        return False
    return abs(now - datetime.fromtimestamp(int(milliseconds) / 1_000, UTC)) <= FRESH_WITHIN


def _body_of(routes: Sequence[dict[str, Any]]) -> bytes:
    """These routes as a push of their own."""
    return compact_json({"Body": {"WaybillRoute": list(routes)}})


def _list(value: object) -> list[dict[str, Any]]:
    found = [] if value in (None, "") else value
    if not isinstance(found, list) or len(found) > MAX_ROUTES:
        raise ValueError("not a list of a sensible length")
    if not all(isinstance(one, dict) for one in found):
        raise ValueError("objects were expected")
    return found


def _scans(number: str, routes: Sequence[dict[str, Any]]) -> tuple[Scan, ...]:
    """The routes as scans; those without a readable time or text are in the payload only."""
    found: list[Scan] = []
    for route in routes:
        at, remark = beijing_time(text_of(route.get("acceptTime"))), text_of(route.get("remark"))
        if at is None or remark is None:
            continue
        place, code = text_of(route.get("acceptAddress")), text_of(route.get("opCode"))
        found.append(
            Scan(
                number=number,
                time=at.astimezone(UTC),
                text=remark,
                carrier="shunfeng",
                kind=classify(remark, hint=kind_of(code)),
                division=_division(place),
                status=text_of(route.get("firstStatusName")) or place,
                code=code,
            )
        )
    return tuple(found)


def _division(place: str | None) -> str | None:
    """The place's code, where its name says which one is meant."""
    try:
        return None if place is None else division_named(place).code
    except ValueError:
        return None


def opened(settings: Settings) -> Sf | None:
    """The account that is set, if one is."""
    account = settings.trackers.get(Sf.name)
    if account is None:
        return None
    return Sf(
        account.get("url", "https://sfapi.sf-express.com"),
        partner=account["partner"],
        check_word=account["check_word"].split(),
        addresses=[one.strip() for one in account.get("addresses", "").split(",") if one.strip()],
        signed=account.get("signed") == "yes",
        monthly_card=account.get("monthly_card", ""),
    )
