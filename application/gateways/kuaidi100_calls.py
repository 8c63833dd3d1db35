"""快递100 / 百递云: subscribing and querying, as forms to send and replies to read (1.3, 1.5).

Pure: who sends the forms, when, and within which budget is the caller's business. Forms carry the
account's key: they never belong in a log.
"""

from dataclasses import dataclass
from typing import Any

from application.gateways.kuaidi100 import (
    MIN_SALT_BYTES,
    Report,
    compact_json,
    read_json,
    read_report,
    sign_query,
    text_of,
)
from application.gateways.kuaidi100_codes import PHONE_TO_QUERY, PHONE_TO_SUBSCRIBE
from application.gateways.tracking import (
    IncompleteRequest,
    PartnerRefused,
    Retry,
    UnreadableReply,
)
from domain.countries import HOME

SUBSCRIBE_URL = "https://poll.kuaidi100.com/poll"
QUERY_URL = "https://poll.kuaidi100.com/poll/query.do"
ADVANCED_STATES = "4"
"""`resultv2`: areas, advanced states and the route, without their forecasts."""


_QUERY_RETRY = {
    "400": Retry.NEVER,
    "408": Retry.NEVER,
    "500": Retry.LATER,
    "501": Retry.BACKOFF,
    "502": Retry.BACKOFF,
    "503": Retry.NEVER,
    "601": Retry.NEVER,
}
_QUERY_ALARMS = frozenset({"503", "601"})
_SUBSCRIBE_RETRY = {
    "500": Retry.BACKOFF,
    "600": Retry.NEVER,
    "601": Retry.NEVER,
    "700": Retry.NEVER,
    "701": Retry.NEVER,
    "702": Retry.NEVER,
}
_SUBSCRIBE_ALARMS = frozenset({"600", "601"})
_ALREADY_SUBSCRIBED = "501"


@dataclass(frozen=True, slots=True)
class Subscribed:
    """They watch the parcel. `already`: they did before, so asking twice changes nothing (1.5)."""

    already: bool


@dataclass(frozen=True, slots=True)
class Abroad:
    """Where a parcel crosses to, so that they watch it there, too, and tell it as `destResult`."""

    country: str
    """ISO 3166-1 alpha-2."""
    carrier: str | None = None
    """Who has it there, where that is known."""

    def parameters(self, carrier: str) -> dict[str, str]:
        """What they ask for a parcel that crosses a border (1.5)."""
        there = {"destinationCom": self.carrier} if self.carrier else {}
        return {
            "interCom": "1",
            "departureCountry": HOME,
            "departureCom": carrier,
            "destinationCountry": self.country,
            **there,
        }


def subscribe_form(
    number: str,
    *,
    carrier: str,
    key: str,
    callback_url: str,
    salt: str,
    phone: str = "",
    origin: str = "",
    destination: str = "",
    abroad: Abroad | None = None,
) -> dict[str, str]:
    """The form that asks them to watch a parcel and push to `callback_url` (1.5).

    The salt is this parcel's own (T2), 16 bytes or more. Without a carrier ("") they guess it.
    Raises `IncompleteRequest` where they would refuse.
    """
    _check(number, phone=phone, needs_phone=carrier in PHONE_TO_SUBSCRIBE)
    if len(salt.encode()) < MIN_SALT_BYTES:
        raise IncompleteRequest(f"the salt needs {MIN_SALT_BYTES} bytes or more")
    parameters = {"callbackurl": callback_url, "salt": salt, "resultv2": ADVANCED_STATES}
    if not carrier:
        parameters["autoCom"] = "1"
    if phone:
        parameters["phone"] = phone
    if abroad is not None:
        parameters |= abroad.parameters(carrier)
    param = {
        "company": carrier,
        "number": number,
        "from": origin,
        "to": destination,
        "key": key,
        "parameters": parameters,
    }
    return {"schema": "json", "param": compact_json(param).decode()}


def read_subscribe_reply(body: bytes) -> Subscribed:
    """Whether they watch the parcel now; raises `PartnerRefused` or `UnreadableReply`."""
    reply = _read(body)
    code = text_of(reply.get("returnCode")) or ""
    if code == _ALREADY_SUBSCRIBED:
        return Subscribed(already=True)
    if code == "200" and reply.get("result") is not False:
        return Subscribed(already=False)
    raise _refused(reply, code, retries=_SUBSCRIBE_RETRY, alarms=_SUBSCRIBE_ALARMS)


def query_form(
    number: str,
    *,
    carrier: str,
    key: str,
    customer: str,
    phone: str = "",
    origin: str = "",
    destination: str = "",
) -> dict[str, str]:
    """The signed form that asks where a parcel is (1.3).

    At most once in 30 minutes for one number, or they lock it. Raises `IncompleteRequest` where
    they would refuse.
    """
    if not carrier:
        raise IncompleteRequest("a query needs the carrier")
    _check(number, phone=phone, needs_phone=carrier in PHONE_TO_QUERY)
    param = compact_json(
        {
            "com": carrier,
            "num": number,
            "phone": phone,
            "from": origin,
            "to": destination,
            "resultv2": ADVANCED_STATES,
            "show": "0",
            "order": "desc",
        }
    )
    return {
        "customer": customer,
        "sign": sign_query(param, key=key, customer=customer),
        "param": param.decode(),
    }


def read_query_reply(body: bytes) -> Report:
    """What they know of the parcel; raises `PartnerRefused` or `UnreadableReply`.

    A refusal has another shape than a success, with HTTP 200 all the same (1.3): the body decides.
    """
    reply = _read(body)
    code = text_of(reply.get("returnCode"))
    if reply.get("result") is False or code not in (None, "200"):
        raise _refused(reply, code or "", retries=_QUERY_RETRY, alarms=_QUERY_ALARMS)
    try:
        report = read_report(reply, raw=body)
    except ValueError as wrong:
        raise UnreadableReply(str(wrong)) from wrong
    if text_of(reply.get("status")) != "200" or report.nu is None:
        raise UnreadableReply("neither a refusal nor a report")
    return report


def _check(number: str, *, phone: str, needs_phone: bool) -> None:
    if not 6 <= len(number) <= 32:
        raise IncompleteRequest("a waybill number has 6 to 32 characters")
    if needs_phone and not phone:
        raise IncompleteRequest("this carrier answers only with a phone or its last four digits")


def _read(body: bytes) -> dict[str, Any]:
    try:
        return read_json(body)
    except ValueError as wrong:
        raise UnreadableReply(str(wrong)) from wrong


def _refused(
    reply: dict[str, Any], code: str, *, retries: dict[str, Retry], alarms: frozenset[str]
) -> PartnerRefused:
    return PartnerRefused(
        code,
        text_of(reply.get("message")) or "",
        # A code that no table names, the unconfirmed 504 among them: ask, but not soon.
        retry=retries.get(code, Retry.LATER),
        alarm=code in alarms,
    )
