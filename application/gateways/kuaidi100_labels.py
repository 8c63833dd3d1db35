"""快递100 / 百递云: electronic labels, ordered and cancelled, as forms and replies (wire 1.8).

Pure, as `kuaidi100_calls`. Forms carry the account's key and a recipient: they never belong in a
log. Which codes may be tried again is not documented; what is not known to pass is a refusal.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from application.gateways.kuaidi100 import compact_json, read_json, sign_label, text_of
from application.gateways.labelling import Labeller, LabelWish, Numbered, Person
from application.gateways.tracking import (
    Call,
    IncompleteRequest,
    PartnerRefused,
    Retry,
    UnreadableReply,
)

LABEL_URL = "https://api.kuaidi100.com/label/order"
MAX_NAME = 100
_PASSING = frozenset({"500", "501", "502"})
"""Their own trouble, by the tables of their other services (1.3, 1.5)."""
_ALARMS = frozenset({"503", "600", "601"})


class Account(NamedTuple):
    """What a request is signed with."""

    key: str
    secret: str


def order_form(
    name: str,
    *,
    carrier: str,
    contract: Mapping[str, str],
    sender: Person,
    recipient: Person,
    cargo: str,
    grams: int,
    account: Account,
    t: str,
) -> dict[str, str]:
    """The signed form that orders a label, or asks what became of the same order (1.8).

    `name` is our own number: with `reorder` off it is one order at theirs for 48 hours, however
    often it is sent. `t`: milliseconds. Raises `IncompleteRequest` where they would refuse.
    """
    if not contract:
        raise IncompleteRequest(f"no contract with {carrier} is set")
    if not (0 < len(name) <= MAX_NAME and sender.phone and recipient.phone and recipient.address):
        raise IncompleteRequest("a label needs a name, two people with phones, and an address")
    param = {
        **contract,
        "printType": "NON",
        "kuaidicom": carrier,
        "recMan": recipient.as_told(),
        "sendMan": sender.as_told(),
        "cargo": cargo,
        "count": "1",
        "weight": f"{grams / 1000:.3f}",
        "payType": "MONTHLY",
        "orderId": name,
        "reorder": False,
        "needDesensitization": True,
    }
    return signed_form("order", param, account=account, t=t)


def cancel_form(
    waybill: str,
    *,
    carrier: str,
    partner_order: str,
    contract: Mapping[str, str],
    reason: str,
    account: Account,
    t: str,
) -> dict[str, str]:
    """The signed form that gives a number back (1.8)."""
    param = {
        **contract,
        "kuaidicom": carrier,
        "kuaidinum": waybill,
        "orderId": partner_order,
        "reason": reason,
    }
    return signed_form("cancel", param, account=account, t=t)


def signed_form(
    method: str, param: Mapping[str, Any], *, account: Account, t: str
) -> dict[str, str]:
    """A form of their label service, signed over the very bytes of `param` (1.2)."""
    text = compact_json(param)
    return {
        "method": method,
        "key": account.key,
        "t": t,
        "sign": sign_label(text, t=t, key=account.key, secret=account.secret),
        "param": text.decode(),
    }


def read_order_reply(body: bytes) -> Numbered:
    """The number they gave; raises `PartnerRefused` or `UnreadableReply`."""
    data = read_label_reply(body).get("data")
    found = data if isinstance(data, dict) else {}
    waybill = text_of(found.get("kuaidinum"))
    if waybill is None or not 6 <= len(waybill) <= 32:
        raise UnreadableReply("a label without a number")
    marks = (text_of(found.get(name)) for name in ("bulkpen", "destSortingCode", "pkgName"))
    return Numbered(
        waybill=waybill,
        partner_order=text_of(found.get("kdComOrderNum")) or "",
        sorting=next((mark for mark in marks if mark), "")[:40],
    )


def read_label_reply(body: bytes) -> dict[str, Any]:
    """What the label service answered to a request that it took; success is said by two fields."""
    try:
        reply = read_json(body)
    except ValueError as wrong:
        raise UnreadableReply(str(wrong)) from wrong
    code = text_of(reply.get("code")) or ""
    if reply.get("success") is True and code == "200":
        return reply
    if not code and "success" not in reply:
        raise UnreadableReply("neither a success nor a refusal")
    raise PartnerRefused(
        code,
        text_of(reply.get("message")) or "",
        retry=Retry.BACKOFF if code in _PASSING else Retry.NEVER,
        alarm=code in _ALARMS,
    )


class Kuaidi100Labels(Labeller):
    """The aggregator, with the house's contracts at its carriers."""

    issuer = "kuaidi100"
    partner = "kuaidi100_labels"

    def __init__(
        self, url: str, *, account: Account, contracts: Mapping[str, Mapping[str, str]]
    ) -> None:
        self._url = f"{url}/label/order"
        self._account = account
        self._contracts = contracts

    def order(self, wish: LabelWish, *, now: datetime) -> Call:
        """Ordering again under one name is asking what became of it, for 48 hours."""
        form = order_form(
            wish.name,
            carrier=wish.carrier,
            contract=self._contract(wish.carrier),
            sender=wish.sender,
            recipient=wish.recipient,
            cargo=wish.cargo,
            grams=wish.grams,
            account=self._account,
            t=_stamp(now),
        )
        return Call(self._url, form)

    def read_order(self, body: bytes) -> Numbered:
        """The number in their reply."""
        return read_order_reply(body)

    def cancel(
        self, waybill: str, *, carrier: str, partner_order: str, reason: str, now: datetime
    ) -> Call:
        """By number and their own order."""
        form = cancel_form(
            waybill,
            carrier=carrier,
            partner_order=partner_order,
            contract=self._contract(carrier),
            reason=reason,
            account=self._account,
            t=_stamp(now),
        )
        return Call(self._url, form)

    def read_cancel(self, body: bytes) -> None:
        """Any success of theirs."""
        read_label_reply(body)

    def _contract(self, carrier: str) -> Mapping[str, str]:
        """What the carrier knows the house by; empty where there is no contract."""
        return self._contracts.get(carrier) or self._contracts.get("*") or {}


def _stamp(now: datetime) -> str:
    return str(int(now.timestamp() * 1_000))
